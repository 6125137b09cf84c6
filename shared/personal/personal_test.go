package personal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rightsdesk/shared/personal"
)

func TestNothingPrintsAPersonalValue(t *testing.T) {
	t.Parallel()
	const secret = "ada.canary@example.org"
	email, ok := personal.ParseEmail(secret)
	if !ok {
		t.Fatal("the address was refused")
	}
	type person struct {
		Email    personal.Email
		Name     personal.Text
		Identity personal.Identity
		hidden   personal.Email
		pointer  *personal.Text
		list     []personal.Identity
	}
	text := personal.MakeText(secret)
	identity := personal.MakeIdentity(personal.KindAccount, secret)
	p := person{email, text, identity, email, &text, []personal.Identity{identity}}

	var out bytes.Buffer
	for _, v := range []any{email, text, identity, p, &p, []person{p}, map[string]person{"p": p}, map[personal.Email]int{email: 1}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			_, _ = fmt.Fprintf(&out, verb+"\n", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("seen", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("seen", "v", v)
		_, _ = fmt.Fprintln(&out, errors.Join(fmt.Errorf("about %v: %w", v, errors.ErrUnsupported)))
	}
	hex := fmt.Sprintf("%x", secret)
	if s := out.String(); strings.Contains(s, secret) || strings.Contains(s, hex) {
		t.Errorf("the value was printed:\n%s", s)
	}
	if email.Reveal() != secret || text.Reveal() != secret || identity.Reveal() != secret {
		t.Error("Reveal does not return the value")
	}
}

func TestParseEmail(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // "" means refused
		" Ada@Example.ORG ":     "ada@example.org",
		"a+b@mail.example.org":  "a+b@mail.example.org",
		"ada":                   "",
		"ada@localhost":         "",
		"Ada <ada@example.org>": "",
		"ada@example.org\r\nBcc: eve@example.net": "",
		"\"a b\"@example.org":                     "",
		"ada@[127.0.0.1]":                         "",
		"ada@example..org":                        "",
		strings.Repeat("a", 250) + "@example.org": "",
		"": "",
	}
	for in, want := range tests {
		got, ok := personal.ParseEmail(in)
		if got.Reveal() != want || ok != (want != "") {
			t.Errorf("ParseEmail(%q) = %q, %v; want %q", in, got.Reveal(), ok, want)
		}
	}
}

func TestTextLosesControlCharacters(t *testing.T) {
	t.Parallel()
	if got := personal.MakeText("a\r\nb\x1b[31mc\td").Reveal(); got != "a\nb[31mc\td" {
		t.Errorf("got %q", got)
	}
}
