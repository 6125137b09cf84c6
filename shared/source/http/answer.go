package httpsource

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Limits of messages to operators.
const (
	maxMessages = 20
	maxMessage  = 200 // characters
)

// check turns an answer to find into a page, or says what is wrong with it. The
// reasons quote nothing from the answer.
func (f found) check(ask source.Ask, o Options) (source.Found, error) {
	switch {
	case f.Data == nil || f.Done == nil:
		return source.Found{}, errors.New("the answer lacks data or done")
	case len(*f.Data) > source.Size(ask.Limit):
		return source.Found{}, errors.New("the page holds more records than were asked for")
	case *f.Done && f.Cursor != "":
		return source.Found{}, errors.New("the answer is done and has a cursor")
	case !*f.Done && (f.Cursor == "" || f.Cursor == ask.Cursor || len(f.Cursor) > maxCursor):
		return source.Found{}, errors.New("the answer is not done and has no cursor that leads on")
	case len(f.Ties) > maxTies:
		return source.Found{}, errors.New("the answer binds too many identities")
	}
	page := source.Found{Cursor: f.Cursor, Done: *f.Done}
	seen := make(map[[2]string]bool, len(*f.Data))
	for _, r := range *f.Data {
		if err := r.check(ask, o); err != nil {
			return source.Found{}, err
		}
		name := [2]string{r.Category, r.ID}
		if seen[name] {
			return source.Found{}, errors.New("the page holds a record twice")
		}
		seen[name] = true
		page.Records = append(page.Records, source.Record{Category: r.Category, ID: r.ID, At: r.At, Fields: r.Fields})
	}
	ties, ok := fromWire(f.Ties)
	if !ok || slices.ContainsFunc(ties, func(t personal.Identity) bool { return !slices.Contains(o.Ties, t.Kind) }) {
		return source.Found{}, errors.New("the answer binds an identity of a kind that the policy does not let it bind")
	}
	page.Ties = ties
	return page, nil
}

func (r record) check(ask source.Ask, o Options) error {
	switch {
	case !slices.Contains(o.Categories, r.Category):
		return errors.New("a record has a category that the policy does not give this source")
	case ask.Category != "" && r.Category != ask.Category:
		return errors.New("a record has another category than was asked for")
	case r.ID == "" || len(r.ID) > maxID || strings.ContainsRune(r.ID, '@') || strings.ContainsFunc(r.ID, unicode.IsControl):
		return errors.New("a record has no id, or one that is too long or looks like an address")
	case !ask.Until.IsZero() && r.At.After(ask.Until):
		return errors.New("a record is newer than the cut-off")
	case ask.Values && !bytes.HasPrefix(r.Fields, []byte("{")):
		return errors.New("values were asked for and a record has no object of fields")
	case !ask.Values && r.Fields != nil:
		return errors.New("values were not asked for and a record has fields")
	}
	return nil
}

// check turns an answer to erase, correct or choose into what was done.
func (w worked) check(order source.Order) (source.Done, error) {
	switch {
	case w.Removed == nil || w.Retained == nil || w.Done == nil:
		return source.Done{}, errors.New("the answer lacks items_removed, items_retained or done")
	case *w.Removed < 0 || *w.Retained < 0:
		return source.Done{}, errors.New("a count is negative")
	case order.Verb == source.Choose && !*w.Done:
		return source.Done{}, errors.New("a choice has no pages, and it is not done")
	case *w.Removed > source.Size(order.Limit):
		return source.Done{}, errors.New("more was removed than was asked for")
	case !*w.Done && *w.Removed == 0:
		// The order is repeated until done, and it would be repeated for ever.
		return source.Done{}, errors.New("nothing was removed and it is not done")
	}
	return source.Done{Removed: *w.Removed, Retained: *w.Retained, Messages: clean(w.Messages, order.Identities), Done: *w.Done}, nil
}

// clean makes a store's messages fit for operators and logs: few, short, on one
// line, and withheld where one names the person.
func clean(messages []string, who []personal.Identity) []string {
	var out []string
	for _, m := range messages[:min(len(messages), maxMessages)] {
		m = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == utf8.RuneError {
				return ' '
			}
			return r
		}, m)
		named := func(id personal.Identity) bool {
			return strings.Contains(strings.ToLower(m), strings.ToLower(id.Reveal()))
		}
		if strings.ContainsRune(m, '@') || slices.ContainsFunc(who, named) {
			m = "(a message was withheld: it named the person)"
		}
		if r := []rune(m); len(r) > maxMessage {
			m = string(r[:maxMessage]) + "…"
		}
		out = append(out, m)
	}
	return out
}
