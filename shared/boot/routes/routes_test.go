package routes

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/topology"
)

func TestWhatSaysThatASecondFactorWasUsed(t *testing.T) {
	t.Parallel()
	for claim, want := range map[string]bool{
		"[pwd mfa]": true, "mfa": true, "pwd,mfa": true, "true": true,
		"": false, "[pwd]": false, "false": false, "[mfa-later]": false, "yes": false, "mfaa": false, "True": false,
	} {
		if got := factors(claim); got != want {
			t.Errorf("%q: %t", claim, got)
		}
	}
}

const (
	first  = "the-first-secret-of-the-edge"
	second = "the-second-secret-of-the-edge"
)

func TestWhoComesByTheEdge(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	text, reads := first+"\n", 0
	var failure error
	e := &edge{now: func() time.Time { return at }, log: slog.New(slog.DiscardHandler), read: func(context.Context) (string, error) {
		reads++
		return text, failure
	}}
	if err := e.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	admits := func(what string, header string, want bool, wantReads int) {
		t.Helper()
		if got := e.admits(t.Context(), header); got != want || reads != wantReads {
			t.Errorf("%s: %t after %d reads, want %t after %d", what, got, reads, want, wantReads)
		}
	}
	admits("the secret", first, true, 1)
	for _, wrong := range []string{"", second, first + " ", strings.ToUpper(first), first + "\n"} {
		admits("a wrong header", wrong, false, 1)
	}
	text = first + "\r\n" + second + "\n"
	admits("a new one, at once", second, false, 1)
	at = at.Add(reread)
	admits("a new one, in a while", second, true, 2)
	admits("the old one, while both are there", first, true, 2)
	text = second
	at = at.Add(reread)
	admits("somebody else makes us look", "x", false, 3)
	admits("the old one, once it is gone", first, false, 3)
	at, failure = at.Add(reread), errors.New("throttled")
	admits("while nothing can be read", "x", false, 4)
	admits("the one that is known", second, true, 4)
}

func TestASecretOfTheEdgeIsOneOrTwoLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		first: true, first + "\n" + second: true, "\n" + first + "\n\n": true,
		"": false, "\n": false, "short": false, first + "\n" + second + "\n" + first + "x": false,
	} {
		e := &edge{now: time.Now, read: func(context.Context) (string, error) { return text, nil }}
		if err := e.look(t.Context()); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRolesStandInTheClaimThatIsSet(t *testing.T) {
	t.Parallel()
	if got := list("[handler auditor]"); strings.Join(got, "|") != "handler|auditor" {
		t.Error(got)
	}
	if got := list("handler, auditor"); strings.Join(got, "|") != "handler|auditor" {
		t.Error(got)
	}
	if topology.NoValue != "-" {
		t.Error("a claim named - would be one that is not set")
	}
}
