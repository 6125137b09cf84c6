package mail

import (
	"embed"
	"html/template"
	"strings"
	"sync"
	"unicode/utf8"
)

// text is the letter as plain text.
func (w *writer) text() string {
	var parts []string
	for _, b := range w.blocks {
		switch b.Kind {
		case paragraph, note:
			parts = append(parts, wrap(b.Text, "", ""))
		case heading:
			head := wrap(b.Text, "", "")
			parts = append(parts, head+"\n"+strings.Repeat("-", min(utf8.RuneCountInString(head), lineWidth)))
		case list:
			items := make([]string, len(b.Items))
			for i, item := range b.Items {
				items[i] = wrap(item, "- ", "  ")
			}
			parts = append(parts, strings.Join(items, "\n"))
		case facts:
			items := make([]string, len(b.Items))
			for i, item := range b.Items {
				items[i] = wrap(item, "", "  ")
			}
			parts = append(parts, strings.Join(items, "\n"))
		case quote:
			quoted := make([]string, len(b.Rows))
			for i, row := range b.Rows {
				quoted[i] = lines(row, "> ", "> ")
			}
			parts = append(parts, strings.Join(quoted, "\n>\n"))
		case rows:
			items := make([]string, len(b.Rows))
			for i, row := range b.Rows {
				items[i] = lines(row, "- ", "  ")
			}
			parts = append(parts, strings.Join(items, "\n\n"))
		case code:
			parts = append(parts, wrap(b.Text, "    ", "    "))
		case link: // in one line whatever its length: a broken link leads nowhere
			parts = append(parts, wrap(w.t("mail.link", "text", b.Text), "", "")+"\n"+b.URL)
		}
	}
	return strings.Join(parts, "\n\n") + "\n"
}

// lines are the lines of a row, one below the other.
func lines(row []string, first, indent string) string {
	wrapped := make([]string, len(row))
	for i, l := range row {
		wrapped[i] = wrap(l, first, indent)
		first = indent
	}
	return strings.Join(wrapped, "\n")
}

// wrap breaks s into lines of at most lineWidth characters. A word that is
// longer than a line is broken too: only links are not, which would lead nowhere.
func wrap(s, first, indent string) string {
	var out strings.Builder
	out.WriteString(first)
	width, empty := utf8.RuneCountInString(first), true // of the line so far
	next := func() {
		out.WriteString("\n" + indent)
		width, empty = utf8.RuneCountInString(indent), true
	}
	for _, word := range strings.FieldsFunc(s, breaks) {
		length := utf8.RuneCountInString(word)
		if !empty && width+1+length > lineWidth {
			next()
		}
		if !empty {
			out.WriteByte(' ')
			width++
		}
		whole := len(word) <= maxWhole && linkable(word)
		for _, r := range word {
			if width == lineWidth && !whole {
				next()
			}
			out.WriteRune(r)
			width++
			empty = false
		}
	}
	return out.String()
}

// maxWhole keeps a line of HTML within lineLength: escaped, a byte may become five.
const maxWhole = 190

// breaks reports whether a line may be broken at r: not at the spaces that French
// puts before a mark, as strings.Fields would.
func breaks(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }

//go:embed letter.html
var files embed.FS

var letter = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(files, "letter.html"))
})

// html is the letter as HTML, from the same blocks. Its texts are wrapped as the
// plain ones are: a line break in HTML is a space, and a line of HTML keeps far
// below lineLength even if every character of it is escaped.
func (w *writer) html(subject string) (string, error) {
	data := struct {
		Language, Direction, Subject, Brand string
		Blocks                              []block
	}{w.Language(), w.t("dir"), wrap(subject, "", ""), wrap(w.letter.Brand, "", ""), nil}
	for _, b := range w.blocks {
		b.Text = wrap(b.Text, "", "")
		items := make([]string, len(b.Items))
		for i, item := range b.Items {
			items[i] = wrap(item, "", "")
		}
		b.Items = items
		quoted := make([][]string, len(b.Rows))
		for i, row := range b.Rows {
			for _, l := range row {
				quoted[i] = append(quoted[i], wrap(l, "", ""))
			}
		}
		b.Rows = quoted
		data.Blocks = append(data.Blocks, b)
	}
	var out strings.Builder
	err := letter().Execute(&out, data)
	return out.String(), err
}
