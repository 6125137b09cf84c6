package feedback_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/mail/feedback"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"
)

// recorded is an event as the bus hands it over, out of the message that brings it.
func recorded(tb testing.TB, name string) string {
	tb.Helper()
	b, err := os.ReadFile("../../../events/mailevents/" + name + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	var message struct{ Records []struct{ Body string } }
	if err := json.Unmarshal(b, &message); err != nil || len(message.Records) != 1 {
		tb.Fatalf("%s: %v", b, err)
	}
	return message.Records[0].Body
}

func email(tb testing.TB, s string) personal.Email {
	tb.Helper()
	e, ok := personal.ParseEmail(s)
	if !ok {
		tb.Fatalf("%q is no address", s)
	}
	return e
}

const (
	bounced    = "010201962d1f3a5b-6f0c2d4e-8a9b-4c1d-9e2f-3a4b5c6d7e8f-000000"
	complained = "010201962d2a7c9d-1b3d5f70-2c4e-4608-8a9b-0c1d2e3f4a5b-000000"
)

func TestWhatEndsMail(t *testing.T) {
	t.Parallel()
	ada, bob, grace := email(t, "ada@example.org"), email(t, "bob@example.org"), email(t, "grace@example.net")
	const destination = `"destination":["ada@example.org"]`
	at := func(h, m, s int) time.Time { return time.Date(2026, time.March, 5, h, m, s, 0, time.UTC) }
	bounce := consent.Feedback{Address: ada, Stop: policy.Bounced, At: at(9, 31, 7), MessageID: bounced}
	complaint := consent.Feedback{Address: ada, Stop: policy.Complained, List: "newsletter", At: at(11, 2, 0), MessageID: complained}
	of := func(f consent.Feedback, who personal.Email) consent.Feedback { f.Address = who; return f }
	for name, c := range map[string]struct {
		event string
		edit  []string // what stands in it, and what is put there instead
		want  []consent.Feedback
	}{
		"a bounce":                      {"bounce", nil, []consent.Feedback{bounce}},
		"a complaint about a list":      {"complaint", nil, []consent.Feedback{complaint}},
		"of the account's own list":     {"bounce", []string{`"General"`, `"OnAccountSuppressionList"`}, []consent.Feedback{bounce}},
		"a full mailbox":                {"bounce", []string{`"Permanent"`, `"Transient"`}, nil},
		"nobody knows why":              {"bounce", []string{`"Permanent"`, `"Undetermined"`}, nil},
		"taken out of the spam folder":  {"complaint", []string{`"abuse"`, `"not-spam"`}, nil},
		"a report about a signature":    {"complaint", []string{`"abuse"`, `"auth-failure"`}, nil},
		"a complaint that says no more": {"complaint", []string{`"complaintFeedbackType":"abuse",`, ``}, []consent.Feedback{complaint}},
		"a complaint of another kind":   {"complaint", []string{`"abuse"`, `"opt-out-list"`}, []consent.Feedback{complaint}},
		"a field of next year":          {"bounce", []string{`"bounceType"`, `"moon":{"phase":[1]},"bounceType"`}, []consent.Feedback{bounce}},
		"no time but the event's":       {"bounce", []string{`,"timestamp":"2026-03-05T09:31:07.000Z"`, ``}, []consent.Feedback{{Address: ada, Stop: policy.Bounced, At: at(9, 31, 8), MessageID: bounced}}},
		"another case":                  {"bounce", []string{destination, `"destination":["ADA@Example.org"]`}, []consent.Feedback{bounce}},
		"a name before it":              {"bounce", []string{destination, `"destination":["Ada Example <ada@example.org>"]`}, []consent.Feedback{bounce}},
		"forwarded to another address":  {"bounce", []string{`{"emailAddress":"ada@example.org"`, `{"emailAddress":"old.ada@example.com"`}, []consent.Feedback{bounce}},
		"one of two of a mail":          {"bounce", []string{destination, `"destination":["ada@example.org","bob@example.org"]`}, []consent.Feedback{bounce}},
		"two of three who may have meant": {"complaint", []string{
			destination, `"destination":["ada@example.org","bob@example.org","grace@example.net"]`,
			`[{"emailAddress":"ada@example.org"}]`, `[{"emailAddress":"bob@example.org"},{"emailAddress":"grace@example.net"}]`,
		}, []consent.Feedback{of(complaint, bob), of(complaint, grace)}},
	} {
		event := recorded(t, c.event)
		for i := 0; i < len(c.edit); i += 2 {
			if strings.Count(event, c.edit[i]) != 1 {
				t.Fatalf("%s: %q stands in the event %d times", name, c.edit[i], strings.Count(event, c.edit[i]))
			}
			event = strings.Replace(event, c.edit[i], c.edit[i+1], 1)
		}
		got, err := feedback.Read([]byte(event))
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%s: %d, %v, want %d", name, len(got), err, len(c.want))
			continue
		}
		for i, f := range got {
			if f != c.want[i] {
				t.Errorf("%s: %+v, want %+v", name, f, c.want[i])
			}
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][3]string{
		"of somebody else":         {"bounce", `"source":"aws.ses"`, `"source":"com.example"`},
		"a delivery":               {"bounce", `"Email Bounced"`, `"Email Delivered"`},
		"two tongues":              {"bounce", `"Email Bounced"`, `"Email Complaint Received"`},
		"another kind inside":      {"bounce", `"eventType":"Bounce"`, `"eventType":"Complaint"`},
		"no bounce in it":          {"bounce", `"bounce":{`, `"bump":{`},
		"no complaint in it":       {"complaint", `"complaint":{`, `"praise":{`},
		"a new type":               {"bounce", `"Permanent"`, `"Eternal"`},
		"no type":                  {"bounce", `"bounceType":"Permanent",`, ``},
		"no mail":                  {"bounce", `"messageId":"` + bounced + `","destination"`, `"destination"`},
		"nobody":                   {"bounce", `"bouncedRecipients":[{"emailAddress":"ada@example.org","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]`, `"bouncedRecipients":[]`},
		"an address that is none":  {"bounce", `"destination":["ada@example.org"]`, `"destination":["ada"]`},
		"a name instead":           {"bounce", `"destination":["ada@example.org"]`, `"destination":["Ada Example"]`},
		"recipients of other form": {"bounce", `"destination":["ada@example.org"]`, `"destination":"ada@example.org"`},
		"a time that is none":      {"bounce", `"2026-03-05T09:31:07.000Z"`, `"yesterday, said ada@example.org"`},
		"no JSON":                  {"bounce", `{"version"`, `{version`},
		"a list":                   {"bounce", `{"version"`, `[{"version"`},
	} {
		event := recorded(t, c[0])
		if strings.Count(event, c[1]) != 1 {
			t.Fatalf("%s: %q stands in the event %d times", name, c[1], strings.Count(event, c[1]))
		}
		got, err := feedback.Read([]byte(strings.Replace(event, c[1], c[2], 1)))
		if !errors.Is(err, feedback.ErrUnreadable) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if err != nil && strings.Contains(strings.ToLower(err.Error()), "ada") {
			t.Errorf("%s: the error names somebody: %v", name, err)
		}
	}
	for _, event := range []string{"", "null", "{}", "[]", "7", `{"source":"aws.ses","detail-type":"Email Bounced"}`} {
		if got, err := feedback.Read([]byte(event)); !errors.Is(err, feedback.ErrUnreadable) || got != nil {
			t.Errorf("%q: %v, %v", event, got, err)
		}
	}
}

// What is heard is what the topology asks the bus for.
func TestTheTopologyAsksForIt(t *testing.T) {
	t.Parallel()
	f := topology.MailEvents.Feed
	if f.Source != feedback.Source || len(f.Types) != 2 || f.Types[0] != feedback.BounceType || f.Types[1] != feedback.ComplaintType {
		t.Errorf("the topology asks for %q from %s", f.Types, f.Source)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(recorded(f, "bounce")))
	f.Add([]byte(recorded(f, "complaint")))
	f.Fuzz(func(t *testing.T, event []byte) {
		got, err := feedback.Read(event)
		if err != nil && (got != nil || !errors.Is(err, feedback.ErrUnreadable)) {
			t.Errorf("%v, %v", got, err)
		}
		for _, g := range got {
			if (g.Address == personal.Email{}) || g.MessageID == "" || g.At.IsZero() || g.Stop != policy.Bounced && g.Stop != policy.Complained {
				t.Errorf("half of it: %+v", g)
			}
		}
	})
}
