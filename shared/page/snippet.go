package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // of the script
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"rightsdesk/shared/page/words"
)

//go:embed choices.js
var choicesJS string

// Script is what a website includes to ask its visitors what they allow.
type Script struct {
	Body   []byte
	Zipped []byte // the same, compressed by gzip
	// ETag names the content, in quotes, as HTTP wants it.
	ETag string
}

// MakeScript returns the script that speaks the languages given, the first one
// to whoever asks for another. It is the same for everybody: what a visitor may
// choose comes from the API.
func MakeScript(languages []string) (Script, error) {
	said := make(map[string]map[string]string, len(languages))
	for _, l := range languages {
		w := words.In(l)
		said[l] = map[string]string{"honoured": w.T("signal.honoured")}
		for _, name := range []string{"title", "text", "all", "none", "save", "later", "always", "open", "withdraw", "done", "failed"} {
			said[l][name] = w.T("snippet." + name)
		}
	}
	list, err := json.Marshal(said)
	if err != nil {
		return Script{}, fmt.Errorf("put words into the script: %w", err)
	}
	body := []byte(strings.Replace(lean(choicesJS), "/*words*/ {}", string(list), 1))
	sum := sha256.Sum256(body)
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(body)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return Script{}, fmt.Errorf("compress the script: %w", err)
	}
	return Script{Body: body, Zipped: zipped.Bytes(), ETag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}, nil
}

// lean leaves out indentation, the lines that are comments, and line breaks where
// nothing can end, which is most of what a minifier would save after compression.
func lean(source string) string {
	var out strings.Builder
	for line := range strings.Lines(source) {
		line = strings.TrimLeft(line, " ")
		if line == "\n" || strings.HasPrefix(line, "//") {
			continue
		}
		if at := strings.Index(line, " // "); at > 0 {
			line = line[:at] + "\n"
		}
		if whole := strings.TrimSuffix(line, "\n"); strings.ContainsAny(whole[max(0, len(whole)-1):], "{(,;") {
			line = whole
		}
		out.WriteString(line)
	}
	return out.String()
}
