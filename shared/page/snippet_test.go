package page_test

import (
	"bytes"
	"compress/gzip"
	"testing"

	"rightsdesk/shared/page"
	"rightsdesk/shared/page/words"
)

// TestTheScriptIsSmall: 4 KB as it travels, in every language at once.
func TestTheScriptIsSmall(t *testing.T) {
	t.Parallel()
	s := must(page.MakeScript(words.Languages()))
	var out bytes.Buffer
	z := must(gzip.NewWriterLevel(&out, gzip.BestCompression))
	if _, err := z.Write(s.Body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d compressed", len(s.Body), out.Len())
	if out.Len() > 4<<10 {
		t.Errorf("the script is %d bytes compressed", out.Len())
	}
}
