package page_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"rightsdesk/shared/page"
	"rightsdesk/shared/page/words"
)

// TestTheScriptIsSmall: 4 KB as it travels, in every language at once.
func TestTheScriptIsSmall(t *testing.T) {
	t.Parallel()
	s := must(page.MakeScript(words.Languages()))
	t.Logf("PROOF the script for websites is %d bytes, %d compressed", len(s.Body), len(s.Zipped))
	if len(s.Zipped) > 4<<10 {
		t.Errorf("the script is %d bytes compressed", len(s.Zipped))
	}
	if got := must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(s.Zipped))))); !bytes.Equal(got, s.Body) {
		t.Error("what is compressed is something else")
	}
	if one := must(page.MakeScript(words.Languages()[:1])); one.ETag == s.ETag || len(one.ETag) != 18 {
		t.Errorf("the tags are %s and %s", one.ETag, s.ETag)
	}
}

// TestTheScriptIsPlain: it is of the year 2017, makes nothing of text but text, and
// keeps no cookie. A browser of that year cannot be had for a test, so what came
// later is looked for by its spelling.
func TestTheScriptIsPlain(t *testing.T) {
	t.Parallel()
	body := string(must(page.MakeScript(words.Languages())).Body)
	for what, spelling := range map[string]string{
		"optional chaining":        `\?\.[a-zA-Z_(\[]`,
		"nullish coalescing":       `\?\?`,
		"a catch without a name":   `catch\s*\{`,
		"a spread object":          `[{,]\s*\.\.\.\w+\s*[},]\s*\)?;?$`,
		"a later method":           `\.(at|flat|flatMap|replaceAll|matchAll|finally|fromEntries|hasOwn|replaceChildren)\(`,
		"a private field":          `\bthis\.#|\bclass\b`,
		"a later assignment":       `(\|\||&&|\?\?)=`,
		"text that becomes markup": `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`,
		"a cookie":                 `\bcookie\b|credentials`,
		"an inline style":          `\.style\b|createElement\("style"\)|setAttribute\("style"`,
		"a comment":                `(^|\s)//|/\*`,
		"a word that was not said": `undefined\.|<no value>|/\*words`,
	} {
		if found := regexp.MustCompile(`(?m)` + spelling).FindString(body); found != "" {
			t.Errorf("there is %s: %q", what, found)
		}
	}
	for _, l := range words.Languages() {
		if w := words.In(l).T("snippet.withdraw"); !strings.Contains(body, w) {
			t.Errorf("%s: it does not say %q", l, w)
		}
	}
}

// TestTheScriptsPageSaysItAll: what a website may write and call stands in docs/snippet.md.
func TestTheScriptsPageSaysItAll(t *testing.T) {
	t.Parallel()
	doc := string(must(os.ReadFile("../../docs/snippet.md")))
	source := string(must(os.ReadFile("choices.js")))
	said := 0
	for _, m := range regexp.MustCompile(`\bset\.(\w+)|dataset\.(\w+)`).FindAllStringSubmatch(source, -1) {
		said++
		if name := "data-" + m[1] + m[2]; !strings.Contains(doc, name) {
			t.Errorf("it does not say what %s is", name)
		}
	}
	public := regexp.MustCompile(`window\.rightsdesk = \{([^}]*)\}`).FindStringSubmatch(source)
	if public == nil || said < 6 {
		t.Fatalf("the test does not read the script: %d attributes", said)
	}
	for _, one := range strings.Split(public[1], ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(one), ":")
		if !strings.Contains(doc, "rightsdesk."+name+"(") {
			t.Errorf("it does not say what %s() does", name)
		}
	}
}
