package mail_test

import (
	"strings"
	"testing"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
)

// What RFC 8058, 3.1 and 8, and RFC 2369, 2 and 3.2, say of the two headers.
func TestOneClickHeaders(t *testing.T) {
	t.Parallel()
	const address = "https://privacy.lumen.example/u/i15mzq1c8k2x7v4n9d.newsletter.kLmN0pQrStUvWxYz0123456789"
	got := mail.OneClick(address)
	want := []mail.Header{
		{Name: "List-Unsubscribe", Value: "<" + address + ">"},
		{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("got %q", got)
	}
	for _, h := range mail.OneClick("https://privacy.lumen.example/u/" + strings.Repeat("a", 860)) {
		if line := h.Name + ": " + h.Value; len(line) > 998 || strings.ContainsAny(line, "\r\n\t") {
			t.Errorf("%.40s... is folded or has %d bytes", line, len(line))
		}
	}
	to := email(t, "ada@example.org")
	m := mail.Message{To: to, Subject: "News", Text: personal.MakeText("News\n"), Stream: mail.Marketing, Headers: got}
	if err := m.Valid(); err != nil {
		t.Errorf("a mail with both headers: %v", err)
	}
	m.Stream = mail.Legal
	if m.Valid() == nil {
		t.Error("a legal notice can be unsubscribed from")
	}
}

func TestWhatNoMailProgramMayPostTo(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"nothing":             "",
		"http":                "http://privacy.lumen.example/u/t",
		"mailto":              "mailto:leave@lumen.example",
		"a script":            "javascript:alert(1)",
		"a path":              "/u/t",
		"no host":             "https:///u/t",
		"two addresses":       "https://a.example/u/t>, <https://b.example/u/t",
		"a list":              "https://a.example/u/t,https://b.example/u/t",
		"another header":      "https://a.example/u/t\r\nBcc: eve@example.net",
		"a blank":             "https://a.example/u/t t",
		"a name and password": "https://ada:secret@a.example/u/t",
		"a fragment":          "https://a.example/u/t#here",
		"more than a line":    "https://a.example/u/" + strings.Repeat("a", 940),
		"another language":    "https://a.example/u/é",
	} {
		if got := mail.OneClick(address); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := mail.OneClick("http://127.0.0.1:8080/u/t"); len(got) != 2 {
		t.Error("a run on a laptop has no headers")
	}
}
