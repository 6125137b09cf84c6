package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

const aDay = 24 * time.Hour

// weighedByHand has an operator take on what the policy would begin by itself.
func weighedByHand(p *policy.Policy) {
	for right, rule := range p.Rights {
		rule.Automatic = false
		p.Rights[right] = rule
	}
}

func text(s string) personal.Text { return personal.MakeText(s) }

func (d *desk) ask(id ID, q Question) {
	d.t.Helper()
	if _, err := d.Ask(d.ctx(), handler, id, q, Call{}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) reply(id ID, a Reply) {
	d.t.Helper()
	if _, err := d.Reply(d.ctx(), id, d.session(id, 1), a, Call{}); err != nil {
		d.t.Fatal(err)
	}
}

// announce delivers what is to be said, as the stream has the relay do.
func (d *desk) announce(id ID) {
	d.t.Helper()
	if err := d.Announce(d.ctx(), id); err != nil {
		d.t.Fatal(err)
	}
}

// dialogue is the messages as an operator sees them.
func (d *desk) dialogue(id ID) []Message {
	d.t.Helper()
	list, err := d.MessagesFor(d.ctx(), handler, id)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

var pdf = []byte("%PDF-1.7\nnot much of one\n")

func file(name string, content []byte) File { return File{Name: text(name), Content: content} }

// What a question does to time is the law's to say. Where it does nothing, that it
// was asked is recorded all the same.
func TestAQuestionStopsTimeAsTheLawSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		residence, place string
		right            policy.Right
		cause            law.Cause
		effect           law.Effect
		after            string // respond by, asked on 4 March and answered on 13 March
	}{
		"Britain, what an access request is about": {"GB", "GB", policy.Access, law.Clarification, law.PauseInclusive, "2026-04-13"},
		"Britain, what another right is about":     {"GB", "GB", policy.Restriction, law.Clarification, law.Ignore, "2026-04-02"},
		"California, identity":                     {"US-CA", "US-CA", policy.Access, law.Identity, law.Ignore, "2026-04-16"},
		"California, what it is about":             {"US-CA", "US-CA", policy.Access, law.Clarification, law.Ignore, "2026-04-16"},
		"Germany, identity":                        {"DE", "DE", policy.Access, law.Identity, law.Ignore, "2026-04-02"},
		"France, identity":                         {"FR", "FR", policy.Access, law.Identity, law.PauseExclusive, "2026-04-13"}, // 2 April + 9 days = 11 April, a Saturday
		"a message that nothing waits for":         {"GB", "GB", policy.Access, "", "", "2026-04-02"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, weighedByHand, func(p *policy.Policy) { p.Controller.Holidays, p.Controller.Country = c.place, c.place })
			id := d.verified(asks(c.right, from(c.residence)))
			d.pass(2 * aDay)
			before := d.get(id)
			d.ask(id, Question{Text: text("What exactly do you mean?"), Cause: c.cause})
			r := d.get(id)
			if stops := c.effect != law.Ignore && c.effect != ""; r.Paused != stops || r.waitsFor(c.cause) != (c.cause != "") {
				t.Errorf("paused %t, stops %+v", r.Paused, r.Stops)
			}
			if r.Owner != handler.ID || r.Messages.Asked != 1 || r.Messages.Nudge.IsZero() != (c.cause == "") {
				t.Errorf("owner %q, %+v", r.Owner, r.Messages)
			}
			said := d.told(id)
			last := said[len(said)-1]
			want := "ask message=1"
			if c.cause != "" {
				want += " cause=" + string(c.cause) + " effect=" + string(c.effect) + " article="
			}
			if !strings.HasPrefix(last, want) {
				t.Errorf("the audit says %q, want %q...", last, want)
			}
			d.announce(id)
			letter := d.post.mails[len(d.post.mails)-1]
			if !strings.Contains(letter.Text.Reveal(), "What exactly do you mean?") {
				t.Errorf("the letter says\n%s", letter.Text.Reveal())
			}
			d.pass(9 * aDay)
			d.reply(id, Reply{Text: text("Everything since 2024.")})
			r = d.get(id)
			if respond, _ := days(r, d.Zone()); respond != c.after || r.Paused || r.waitsFor("") || !r.Messages.Nudge.IsZero() {
				t.Errorf("answered by %s, want %s; %+v", respond, c.after, r.Stops)
			}
			if (c.effect == law.Ignore || c.effect == "") && !r.sameDates(before) {
				t.Error("a date moved")
			}
			got := d.dialogue(id)
			if len(got) != 2 || got[0].By != handler.Actor() || got[0].Cause != c.cause || got[1].By != ByPerson ||
				got[0].Text.Reveal() != "What exactly do you mean?" || got[1].Text.Reveal() != "Everything since 2024." || !got[1].At.Equal(d.now()) {
				t.Errorf("the messages are %+v", got)
			}
			if theirs, err := d.Messages(d.ctx(), id, d.session(id, 1)); err != nil || !slices.EqualFunc(theirs, got, func(a, b Message) bool { return a.N == b.N && a.Text == b.Text }) {
				t.Errorf("the person sees %+v, %v", theirs, err)
			}
			d.chains()
		})
	}
}

// A question that nobody answers is asked again, once and in its own words, whatever
// was written since; two questions are two letters, each with its own.
func TestAQuestionIsRepeatedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access, from("GB")))
	d.announce(id)
	d.post.mails = nil
	d.ask(id, Question{Text: text("Which account?"), Cause: law.Clarification})
	d.ask(id, Question{Text: text("Our office is closed today.")})
	for range 30 {
		d.sweep()
		d.pass(aDay)
	}
	var asked, again []string
	for _, m := range d.post.mails {
		if m.To.Reveal() != ada {
			continue
		}
		said := ""
		for _, words := range []string{"Which account?", "Our office is closed today."} {
			if strings.Contains(m.Text.Reveal(), words) {
				said += words
			}
		}
		if len(asked) < 2 {
			asked = append(asked, said)
		} else {
			again = append(again, said)
		}
	}
	if !slices.Equal(asked, []string{"Which account?", "Our office is closed today."}) || !slices.Equal(again, []string{"Which account?"}) {
		t.Errorf("asked %q and again %q", asked, again)
	}
	d.reply(id, Reply{Text: text("Both.")})
	d.ask(id, Question{Text: text("Really both?")})
	n := len(d.post.mails)
	d.announce(id)
	if len(d.post.mails) != n+1 || !strings.Contains(d.post.mails[n].Text.Reveal(), "Really both?") {
		t.Errorf("%d letters more", len(d.post.mails)-n)
	}
}

// Whoever is late cannot stop the time by asking something.
func TestALateQuestionHidesNothing(t *testing.T) {
	t.Parallel()
	for residence, cause := range map[string]law.Cause{"GB": law.Identity, "FR": law.Identity} {
		d := newDesk(t, weighedByHand)
		id := d.verified(asks(policy.Access, from(residence)))
		d.pass(40 * aDay)
		before := d.get(id)
		if _, err := d.Pause(d.ctx(), handler, id, cause, Call{}); !errors.Is(err, ErrNoPause) || !strings.Contains(textOf(err), "has passed") {
			t.Errorf("%s: paused with %v %q", residence, err, textOf(err))
		}
		d.ask(id, Question{Text: text("Who are you?"), Cause: cause})
		r := d.get(id)
		if r.Paused || !r.IsOverdue(d.clock()) || !r.sameDates(before) || !r.waitsFor(cause) {
			t.Errorf("%s: paused %t, overdue %t", residence, r.Paused, r.IsOverdue(d.clock()))
		}
		for range 20 {
			d.pass(aDay)
			d.sweep()
		}
		said := strings.Join(d.told(id), "\n")
		if !strings.Contains(said, "effect=ignore") || !strings.Contains(said, "of=still_overdue") || strings.Contains(said, "still_waiting") {
			t.Errorf("%s: the audit says\n%s", residence, said)
		}
		d.reply(id, Reply{Text: text("Me.")})
		if r := d.get(id); !r.IsOverdue(d.clock()) || !r.sameDates(before) {
			t.Errorf("%s: the answer moved something", residence)
		}
	}
}

func TestWhatThePersonWritesWaitsForAnOperator(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Restriction))
	if _, err := d.Accept(d.ctx(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	d.reply(id, Reply{Text: text("One more thing.")}) // nobody asked
	d.pass(2 * time.Hour)
	d.sweep()
	if told := d.told(id); !slices.ContainsFunc(told, func(s string) bool { return strings.HasPrefix(s, "remind of=") && strings.Contains(s, "answered") }) {
		t.Errorf("operators do not hear of it: %q", told)
	}
}

func TestWhatMayBeAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand, func(p *policy.Policy) {
		rule := p.Rights[policy.Access]
		rule.Proof = []law.Proof{law.Address, law.DataPoints, law.IdentityDocument}
		p.Rights[policy.Access] = rule
		rule = p.Rights[policy.Erasure]
		rule.Proof = []law.Proof{law.NoProof}
		p.Rights[policy.Erasure] = rule
	})
	french := d.verified(asks(policy.Access))
	canadian := d.verified(asks(policy.Access, from("CA"), func(s *Submission) { s.Call.Key = "ca" }))
	nothing := d.verified(asks(policy.Erasure, func(s *Submission) { s.Call.Key = "erase" }))
	fine := text("Who are you?")
	for name, c := range map[string]struct {
		id   ID
		q    Question
		want string // of the fault; empty: none
	}{
		"nothing":                          {french, Question{}, "/text"},
		"white space":                      {french, Question{Text: text(" \n ")}, "/text"},
		"too much":                         {french, Question{Text: text(strings.Repeat("é", 8001))}, "/text"},
		"much":                             {french, Question{Text: text(strings.Repeat("é", 8000))}, ""},
		"for no cause of the law's":        {french, Question{Text: fine, Cause: "curiosity"}, "/cause must be one of identity"},
		"a proof without a cause":          {french, Question{Text: fine, Proof: law.DataPoints}, "/proof"},
		"a proof with another cause":       {french, Question{Text: fine, Cause: law.Fee, Proof: law.DataPoints}, "/proof"},
		"all of it wrong":                  {french, Question{Cause: "x", Proof: "y"}, "/text must say something, in at most 8000 characters; /cause must be one of identity, clarification, fee, mandate, consultation; /proof"},
		"what the policy allows":           {french, Question{Text: fine, Cause: law.Identity, Proof: law.DataPoints}, ""},
		"what the law forbids":             {french, Question{Text: fine, Cause: law.Identity, Proof: law.IdentityDocument}, "/proof must not be asked for under eu-gdpr (Art. 12(6) GDPR)"},
		"what another law allows":          {canadian, Question{Text: fine, Cause: law.Identity, Proof: law.IdentityDocument}, ""},
		"what the policy does not name":    {canadian, Question{Text: fine, Cause: law.Identity, Proof: law.SignedDeclaration}, "/proof must be what the policy asks for with this right: address, data_points, identity_document"},
		"what no one names":                {canadian, Question{Text: fine, Cause: law.Identity, Proof: "a song"}, "/proof must be"},
		"no proof as a proof":              {nothing, Question{Text: fine, Cause: law.Identity, Proof: law.NoProof}, "/proof must be left out"},
		"where the policy asks for none":   {nothing, Question{Text: fine, Cause: law.Identity, Proof: law.Address}, "/proof must be left out"},
		"identity, and no proof of a kind": {nothing, Question{Text: fine, Cause: law.Identity}, ""},
	} {
		_, err := d.Ask(d.ctx(), handler, c.id, c.q, Call{})
		if got := fieldsOf(err); c.want == "" && err != nil || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: %v %q, want %q", name, err, got, c.want)
		}
	}
	said := d.told(canadian)
	if last := said[len(said)-1]; !strings.HasPrefix(last, "ask message=1 proof=identity_document cause=identity effect=") {
		t.Errorf("the audit says %q", last)
	}
	if got := d.dialogue(canadian); len(got) != 1 || got[0].Proof != law.IdentityDocument {
		t.Errorf("%+v", got)
	}
}

func TestWhoMayAskAndWhen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand, func(p *policy.Policy) {
		p.Rights[policy.OptOutSale] = policy.RightRule{Residences: []string{"*"}, Proof: []law.Proof{law.NoProof}}
	})
	ctx, q := d.ctx(), Question{Text: text("Hello?")}
	if _, err := d.Ask(ctx, handler, "r-unknown", q, Call{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody's: %v", err)
	}
	id := d.submit(asks(policy.Access))
	if _, err := d.Ask(ctx, handler, id, q, Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("unverified: %v", err)
	}
	if _, err := d.Reply(ctx, id, d.session(id, 1), Reply{Text: text("x")}, Call{}); !errors.Is(err, ErrBadToken) {
		t.Errorf("a session that was never proven: %v", err)
	}
	out := d.submit(asks(policy.OptOutSale, from("US-CA"), func(s *Submission) { s.Call.Key = "out" }))
	if r := d.get(out); r.Status != Open {
		t.Fatalf("an opt-out is %s", r.Status)
	}
	if _, err := d.Ask(ctx, handler, out, q, Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("who proved nothing: %v", err)
	}
	id = d.verified(asks(policy.Restriction, func(s *Submission) { s.Call.Key = "hand" }))
	auditor := operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}, MFA: true}
	if _, err := d.Ask(ctx, auditor, id, q, Call{}); !errors.Is(err, ErrForbidden) {
		t.Errorf("an auditor asks: %v", err)
	}
	if _, err := d.MessagesFor(ctx, auditor, id); !errors.Is(err, ErrForbidden) {
		t.Errorf("an auditor reads: %v", err)
	}
	if _, err := d.Attachment(ctx, auditor, id, 1, 1); !errors.Is(err, ErrForbidden) {
		t.Errorf("an auditor opens: %v", err)
	}
	if _, err := d.Messages(ctx, id, d.session(out, 1)); !errors.Is(err, ErrBadToken) {
		t.Errorf("another's session: %v", err)
	}
	d.ask(id, q)
	if _, err := d.Deny(ctx, handler, id, "manifestly_unfounded", Call{}); err != nil {
		t.Fatal(err)
	}
	n := len(d.post.mails)
	d.announce(id) // the question is overtaken by the answer
	for _, m := range d.post.mails[n:] {
		if strings.Contains(m.Text.Reveal(), "Hello?") {
			t.Error("a question is mailed about a request that is over")
		}
	}
	if _, err := d.Ask(ctx, handler, id, q, Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("over: %v", err)
	}
	if _, err := d.Reply(ctx, id, d.session(id, 1), Reply{Text: text("x"), Files: []File{file("a", pdf)}}, Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("over: %v", err)
	}
	if d.shelf.size() > 0 {
		t.Error("a file is kept of a request that is over")
	}
	if got, err := d.Messages(ctx, id, d.session(id, 1)); err != nil || len(got) != 1 {
		t.Errorf("what was written can be read: %+v, %v", got, err)
	}
}

func TestWhatCanBeAttached(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("a"), 1<<20)
	for name, c := range map[string]struct {
		files []File
		want  string // of the fault, or names and kinds
	}{
		"four":                      {[]File{file("a", pdf), file("b", pdf), file("c", pdf), file("d", pdf)}, "/files must be at most 3"},
		"empty":                     {[]File{file("a.pdf", pdf), file("b.pdf", nil)}, "/files/1/content must not be empty"},
		"too large":                 {[]File{file("a.txt", append(slices.Clone(big), 'a'))}, "/files/0/content must be at most 1 MB"},
		"as large as can be":        {[]File{file("a.txt", big), file("b.txt", big), file("c.txt", big)}, "a.txt text/plain, b.txt text/plain, c.txt text/plain"},
		"a program":                 {[]File{file("a.pdf", []byte("MZ\x90\x00\x03"))}, "/files/0/content must be a PDF"},
		"text with a NUL":           {[]File{file("a.txt", []byte("a\x00b"))}, "/files/0/content must be a PDF"},
		"text in Latin-1":           {[]File{file("a.txt", []byte("caf\xe9"))}, "/files/0/content must be a PDF"},
		"a ZIP":                     {[]File{file("a.docx", []byte("PK\x03\x04\xff"))}, "/files/0/content must be a PDF"},
		"every kind":                {[]File{file("a.pdf", pdf), file("b.png", []byte("\x89PNG\r\n\x1a\n\x00")), file("c.JPEG", []byte("\xff\xd8\xff\xe0\x00"))}, "a.pdf application/pdf, b.png image/png, c.JPEG image/jpeg"},
		"the name lies":             {[]File{file("run.bat", []byte("del c:")), file("photo.jpg", pdf), file("page.html", []byte("<script>"))}, "run.bat.txt text/plain, photo.jpg.pdf application/pdf, page.html.txt text/plain"},
		"names with paths":          {[]File{file("../../etc/passwd", pdf), file(`C:\Users\ada\id.pdf`, pdf), file("a/..", pdf)}, "passwd.pdf application/pdf, id.pdf application/pdf, file.pdf application/pdf"},
		"names that play tricks":    {[]File{file("", pdf), file("a\u202Efdp.exe\n\t", pdf), file(" .. ", pdf)}, "file.pdf application/pdf, afdp.exe.pdf application/pdf, file.pdf application/pdf"},
		"a name without end":        {[]File{file(strings.Repeat("é", 300)+".pdf", pdf)}, strings.Repeat("é", 96) + ".pdf application/pdf"},
		"all that is wrong at once": {[]File{file("a", nil), file("b", []byte{0})}, "/files/0/content must not be empty; /files/1/content must be"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, weighedByHand)
			id := d.verified(asks(policy.Access))
			_, err := d.Reply(d.ctx(), id, d.session(id, 1), Reply{Files: c.files}, Call{Key: "x", Body: "y"})
			if strings.HasPrefix(c.want, "/") {
				if !strings.HasPrefix(fieldsOf(err), c.want) || d.shelf.size() > 0 || len(d.get(id).Messages.Attached) > 0 {
					t.Errorf("%v %q; %d objects are kept", err, fieldsOf(err), d.shelf.size())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := d.dialogue(id)
			var list []string
			for i, f := range got[0].Files {
				list = append(list, f.Name.Reveal()+" "+f.Type)
				opened, err := d.Attachment(d.ctx(), handler, id, 1, i+1)
				if err != nil || !bytes.Equal(opened.Content, c.files[i].Content) || opened.Name != f.Name || opened.Size != len(c.files[i].Content) || f.Content != nil || f.Gone {
					t.Errorf("file %d: %v", i+1, err)
				}
			}
			if s := strings.Join(list, ", "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

// Whatever a file is called, it is saved under a short and visible name of its kind.
func FuzzTheNameOfAFile(f *testing.F) {
	for _, s := range []string{"", "a.pdf", "../..", "\u202Efdp.exe", strings.Repeat("é", 200), ".pdf", "a.PDF ", `\`, "\xff", "con.txt\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range kinds {
			name := nameOf(text(s), k.endings).Reveal()
			ending := strings.ToLower(path.Ext(name))
			if utf8.RuneCountInString(name) > maxName || !slices.Contains(k.endings, ending) || len(name) == len(ending) ||
				strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, unicode.IsControl) || strings.HasPrefix(name, ".") {
				t.Errorf("%q is saved as %q", s, name)
			}
			if again := nameOf(text(name), k.endings).Reveal(); again != name {
				t.Errorf("%q becomes %q, and that %q", s, name, again)
			}
		}
	})
}

func TestNothingToSayIsNoReply(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access))
	for _, a := range []Reply{{}, {Text: text("  ")}, {Text: text(strings.Repeat("x", 8001))}} {
		if _, err := d.Reply(d.ctx(), id, d.session(id, 1), a, Call{}); !strings.HasPrefix(fieldsOf(err), "/text") {
			t.Errorf("%v", err)
		}
	}
}

func TestADialogueEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access))
	for i := range maxMessages {
		d.reply(id, Reply{Text: text(fmt.Sprint("Hello ", i))})
	}
	_, err := d.Reply(d.ctx(), id, d.session(id, 1), Reply{Text: text("And"), Files: []File{file("a", pdf)}}, Call{})
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(textOf(err), "privacy@example.com") || d.shelf.size() > 0 {
		t.Errorf("the 51st: %v, %q, %d objects", err, textOf(err), d.shelf.size())
	}
	for range moreToAsk {
		d.ask(id, Question{Text: text("Please.")})
	}
	if _, err := d.Ask(d.ctx(), handler, id, Question{Text: text("Please.")}, Call{}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the 71st: %v", err)
	}
	if got := d.dialogue(id); len(got) != maxMessages+moreToAsk || got[69].N != 70 {
		t.Errorf("%d messages", len(got))
	}
	// All of it goes with the request.
	if _, err := d.Revoke(d.ctx(), id, Call{}); err != nil {
		t.Fatal(err)
	}
	d.ends(id)
	for range 3 {
		d.pass(d.get(id).Forget.Sub(d.clock()) + time.Second)
		if d.sweep(); len(d.items(id)) == 0 {
			break
		}
	}
	if left := d.items(id); len(left) > 0 {
		t.Errorf("%d items are left: %v", len(left), left[0].Key)
	}
}

// items are what stands in the partition of a request.
func (d *desk) items(id ID) (list []table.Item) {
	d.t.Helper()
	q := table.Query{Table: table.State, Partition: id.Partition()}
	for {
		page, err := d.inner.Query(d.ctx(), q)
		if err != nil {
			d.t.Fatal(err)
		}
		list = append(list, page.Items...)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return list
		}
	}
}

func TestARepeatedCallWritesOneMessage(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	ctx := d.ctx()
	id := d.verified(asks(policy.Access, from("GB")))
	for range 3 {
		if status, err := d.Ask(ctx, handler, id, Question{Text: text("Which?"), Cause: law.Clarification}, Call{Key: "k1", Body: "Which?"}); err != nil || status != Open {
			t.Fatal(status, err)
		}
	}
	if _, err := d.Ask(ctx, handler, id, Question{Text: text("What?")}, Call{Key: "k1", Body: "What?"}); !errors.Is(err, ErrReplay) {
		t.Errorf("another question: %v", err)
	}
	a := Reply{Text: text("These."), Files: []File{file("list.txt", []byte("one, two"))}}
	for range 3 {
		if status, err := d.Reply(ctx, id, d.session(id, 1), a, Call{Key: "k1", Body: "These."}); err != nil || status != Open {
			t.Fatal(status, err)
		}
	}
	if _, err := d.Reply(ctx, id, d.session(id, 1), Reply{Text: text("Those.")}, Call{Key: "k1", Body: "Those."}); !errors.Is(err, ErrReplay) {
		t.Errorf("another answer: %v", err)
	}
	if got := d.dialogue(id); len(got) != 2 || d.shelf.size() != 1 {
		t.Errorf("%d messages, %d files", len(got), d.shelf.size())
	}
	d.pass(time.Hour)
	if _, err := d.Accept(ctx, handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	if status, err := d.Reply(ctx, id, d.session(id, 1), a, Call{Key: "k1", Body: "These."}); err != nil || status != Open {
		t.Errorf("an hour later it is answered with %s, %v: not as it was", status, err)
	}
}

// Operators and the person who write at the same time are all heard, over a store
// that fails the way clouds fail.
func TestEverybodyWritesAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access, from("GB")))
	d.Table = table.Steady(hostile.New(d.inner, 3, d.clock), table.Sleep)
	d.Keys.Table = d.Table
	token := d.session(id, 1)
	want := map[string]bool{}
	var wg sync.WaitGroup
	for n := range 6 {
		for who, write := range map[string]func(string) error{
			"h1": func(s string) error {
				_, err := d.Ask(t.Context(), handler, id, Question{Text: text(s), Cause: law.Clarification}, Call{Key: s})
				return err
			},
			"h2": func(s string) error {
				_, err := d.Ask(t.Context(), operator.Identity{ID: "h2", Roles: handler.Roles}, id, Question{Text: text(s)}, Call{Key: s})
				return err
			},
			"person": func(s string) error {
				_, err := d.Reply(t.Context(), id, token, Reply{Text: text(s), Files: []File{file("a.txt", []byte(s))}}, Call{Key: s})
				return err
			},
		} {
			words := fmt.Sprint(who, " ", n)
			want[words] = true
			wg.Go(func() {
				var err error
				for range 20 { // as a good client does
					if err = write(words); err == nil || fault.KindOf(err) != fault.Unavailable {
						break
					}
				}
				if err != nil {
					t.Errorf("%s: %v", words, err)
				}
			})
		}
	}
	wg.Wait()
	for i, m := range d.dialogue(id) {
		if m.N != i+1 || !want[m.Text.Reveal()] {
			t.Errorf("message %d is %q", m.N, m.Text.Reveal())
		}
		delete(want, m.Text.Reveal())
		for range m.Files {
			f, err := d.Attachment(t.Context(), handler, id, m.N, 1)
			if err != nil || string(f.Content) != m.Text.Reveal() {
				t.Errorf("the file of message %d: %q, %v", m.N, f.Content, err)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not heard: %v", want)
	}
	r := d.get(id)
	if asked, answered := r.Messages.Asked, r.Messages.Answered; max(asked, answered) != 18 || r.Owner == "" {
		t.Errorf("%+v, owner %q", r.Messages, r.Owner)
	}
	d.Table = d.inner
	d.chains()
}

func TestWhatIsAttachedIsErasedWhenItsPeriodIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand, func(p *policy.Policy) { p.Verification.AttachmentPeriod = 14 * aDay })
	id := d.verified(asks(policy.Restriction))
	if _, err := d.Accept(d.ctx(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	began := d.clock()
	d.reply(id, Reply{Files: []File{file("a.pdf", pdf), file("b.pdf", pdf)}})
	d.pass(10 * aDay)
	d.reply(id, Reply{Text: text("More."), Files: []File{file("c.pdf", pdf)}})
	gone := func() (list []bool) {
		for _, m := range d.dialogue(id) {
			for _, f := range m.Files {
				list = append(list, f.Gone)
			}
		}
		return list
	}
	steps := []struct {
		after time.Duration
		gone  []bool
		left  int
	}{
		{13*aDay + 23*time.Hour, []bool{false, false, false}, 3},
		{14*aDay + time.Minute, []bool{true, true, false}, 1},
		{23*aDay + 23*time.Hour, []bool{true, true, false}, 1},
		{24*aDay + time.Minute, []bool{true, true, true}, 0},
	}
	for _, s := range steps {
		d.pass(began.Add(s.after).Sub(d.clock()))
		d.sweep()
		if got := gone(); !slices.Equal(got, s.gone) || d.shelf.size() != s.left {
			t.Errorf("after %s: gone %v, %d objects are left", s.after, got, d.shelf.size())
		}
	}
	d.trouble.log = nil
	if _, err := d.Attachment(d.ctx(), handler, id, 1, 1); !errors.Is(err, ErrFileGone) || slices.Contains(d.trouble.log, "open") {
		t.Errorf("what was erased: %v, looked for in %q", err, d.trouble.log)
	}
	for _, bad := range [][2]int{{0, 1}, {3, 1}, {1, 0}, {1, 3}, {-1, -1}, {1 << 40, 1}} {
		if _, err := d.Attachment(d.ctx(), handler, id, bad[0], bad[1]); !errors.Is(err, ErrNoFile) {
			t.Errorf("file %d of message %d: %v", bad[1], bad[0], err)
		}
	}
	var shreds []string
	for _, line := range d.told(id) {
		if strings.HasPrefix(line, "shred") {
			shreds = append(shreds, line)
		}
	}
	if !slices.Equal(shreds, []string{"shred messages=1", "shred messages=2"}) {
		t.Errorf("the audit: %q", shreds)
	}
}

func TestWhatIsAttachedIsErasedWithTheRequest(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*desk, ID) error{
		"denied": func(d *desk, id ID) error {
			_, err := d.Deny(d.ctx(), handler, id, "manifestly_unfounded", Call{})
			return err
		},
		"revoked": func(d *desk, id ID) error { _, err := d.Revoke(d.ctx(), id, Call{}); return err },
		"fulfilled": func(d *desk, id ID) error {
			_, err := d.Accept(d.ctx(), handler, id, Call{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, weighedByHand)
			id := d.verified(asks(policy.Access))
			d.reply(id, Reply{Files: []File{file("a.pdf", pdf)}})
			if err := end(d, id); err != nil {
				t.Fatal(err)
			}
			d.ends(id)
			r := d.until(id, "the files are erased", func(r Request) bool { return len(r.Messages.Attached) == 0 })
			if age := d.clock().Sub(r.Closed); age > time.Hour {
				t.Errorf("it took %s", age)
			}
			for key := range d.shelf.objects {
				if strings.HasPrefix(key, attachments(id)) {
					t.Errorf("%s is left", key)
				}
			}
			if told := d.told(id); told[len(told)-1] != "shred messages=1" {
				t.Errorf("the audit ends with %q", told[len(told)-1])
			}
		})
	}
}

// Nothing of a request is forgotten before its files are erased, however late.
func TestNoFileOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Restriction))
	d.reply(id, Reply{Files: []File{file("a.pdf", pdf)}})
	if _, err := d.Revoke(d.ctx(), id, Call{}); err != nil {
		t.Fatal(err)
	}
	d.announce(id)
	d.pass(d.get(id).Forget.Sub(d.clock()) + time.Hour) // nothing ran for two years
	d.sweep()
	if left := d.items(id); len(left) > 0 || d.shelf.size() > 0 {
		t.Errorf("%d items and %d files are left", len(left), d.shelf.size())
	}
}

// A request that is closed while a file is on its way keeps nothing of it.
func TestAFileThatComesTooLateIsErased(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access))
	d.shelf.during = func(string) {
		d.shelf.during = nil
		if _, err := d.Revoke(d.ctx(), id, Call{}); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Reply(d.ctx(), id, d.session(id, 1), Reply{Files: []File{file("a.pdf", pdf)}}, Call{}); !errors.Is(err, ErrNotNow) {
		t.Errorf("%v", err)
	}
	if d.shelf.size() != 1 {
		t.Fatal("the file did not come")
	}
	d.pass(stragglers)
	if d.sweep(); d.shelf.size() != 0 || len(d.get(id).Messages.Attached) > 0 {
		t.Errorf("%d files are left", d.shelf.size())
	}
}

// A call that takes so long that its files may be on their way out is refused.
func TestACallThatTookTooLongIsRepeated(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{6 * time.Minute, 11 * time.Minute} {
		d := newDesk(t, weighedByHand)
		id := d.verified(asks(policy.Access))
		d.shelf.during = func(string) {
			d.shelf.during = nil
			d.pass(late)
			d.sweep()
		}
		a, c := Reply{Files: []File{file("a.pdf", pdf)}}, Call{Key: "k", Body: "b"}
		if _, err := d.Reply(d.ctx(), id, d.session(id, 1), a, c); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("after %s: %v", late, err)
		}
		if _, err := d.Reply(d.ctx(), id, d.session(id, 1), a, c); err != nil {
			t.Error(err)
		}
		d.pass(stragglers)
		d.sweep()
		if f, err := d.Attachment(d.ctx(), handler, id, 1, 1); err != nil || !bytes.Equal(f.Content, pdf) || d.shelf.size() > 2 {
			t.Errorf("after %s: %v, %d objects", late, err, d.shelf.size())
		}
	}
}

// TestACrashAtEveryCallOfAReply fails every call to the outside in turn. The person
// repeats; there is one message with its file, and nothing else is left of it.
func TestACrashAtEveryCallOfAReply(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, at int, lost bool) (*desk, ID) {
		t.Helper()
		d := newDesk(t, weighedByHand)
		id := d.verified(asks(policy.Access, from("GB")))
		d.ask(id, Question{Text: text("Which?"), Cause: law.Clarification})
		d.trouble.mu.Lock()
		d.trouble.n, d.trouble.log, d.trouble.at, d.trouble.lost = 0, nil, at, lost
		d.trouble.mu.Unlock()
		patient(d, "reply", func() error {
			_, err := d.Reply(d.ctx(), id, d.session(id, 1), Reply{Text: text("This."), Files: []File{file("a.pdf", pdf), file("b.pdf", pdf)}}, Call{Key: "k", Body: "b"})
			return err
		})
		return d, id
	}
	calm, _ := run(t, 0, false)
	k, log := calm.trouble.n, slices.Clone(calm.trouble.log)
	t.Logf("%d calls: %q", k, log)
	for i := 1; i <= k; i++ {
		for _, lost := range []bool{false, true} {
			if lost && reads(log[i-1]) {
				continue
			}
			t.Run(fmt.Sprintf("call %d, %s, lost %t", i, log[i-1], lost), func(t *testing.T) {
				t.Parallel()
				d, id := run(t, i, lost)
				d.trouble.calm()
				d.pass(stragglers + time.Minute)
				d.sweep()
				got := d.dialogue(id)
				if len(got) != 2 || len(got[1].Files) != 2 || d.shelf.size() != 2 || len(d.get(id).Messages.Attached) != 1 {
					t.Fatalf("%d messages, %d objects, %+v", len(got), d.shelf.size(), d.get(id).Messages)
				}
				for n := range got[1].Files {
					if f, err := d.Attachment(d.ctx(), handler, id, 2, n+1); err != nil || !bytes.Equal(f.Content, pdf) {
						t.Errorf("file %d: %v", n+1, err)
					}
				}
				answers := 0
				for _, line := range d.told(id) {
					if strings.HasPrefix(line, "answer ") {
						answers++
					}
				}
				if answers != 1 || d.get(id).Paused {
					t.Errorf("%d entries, paused %t", answers, d.get(id).Paused)
				}
				d.chains()
			})
		}
	}
}

func TestThatAnOperatorReadsIsRecordedBefore(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access))
	d.reply(id, Reply{Text: text("x"), Files: []File{file("a.pdf", pdf)}})
	d.trouble.rules = append(d.trouble.rules, func(what string) bool { return what == "commit" })
	if _, err := d.MessagesFor(d.ctx(), handler, id); err == nil {
		t.Error("it was read without a record")
	}
	if _, err := d.Attachment(d.ctx(), handler, id, 1, 1); err == nil {
		t.Error("a file was read without a record")
	}
	d.trouble.rules = nil
	d.dialogue(id)
	if _, err := d.Attachment(d.ctx(), handler, id, 1, 1); err != nil {
		t.Fatal(err)
	}
	chain := dayPrefix + handler.ID + "#" + d.now().Format(time.DateOnly)
	var told []string
	for b, err := range d.entries(d.ctx(), chain, 2) {
		if err != nil {
			t.Fatal(err)
		}
		line := ""
		for _, f := range decodeEntry(t, b).Facts {
			line += f.Name + "=" + f.Value + " "
		}
		told = append(told, line)
	}
	if want := []string{"request=" + string(id) + " ", "request=" + string(id) + " message=1 file=1 "}; !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
}

// Once a person's salt is destroyed nobody reads a word, and nothing breaks.
func TestWithoutItsSaltADialogueIsSilent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	id := d.verified(asks(policy.Access))
	d.ask(id, Question{Text: text("Who?"), Cause: law.Identity})
	d.reply(id, Reply{Text: text("Me."), Files: []File{file("a.pdf", pdf)}})
	ref := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(d.get(id).Holder), Sort: "-"}}
	item, err := d.inner.Get(d.ctx(), ref)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(item.Body, &body); err != nil {
		t.Fatal(err)
	}
	delete(body, "salt")
	if item.Body, err = json.Marshal(body); err != nil {
		t.Fatal(err)
	}
	if err := d.inner.Commit(d.ctx(), table.NewID(), table.Put(table.Keys, item, table.Version(item.Version))); err != nil {
		t.Fatal(err)
	}
	got := d.dialogue(id)
	if len(got) != 2 || got[0].Text != (personal.Text{}) || got[1].Text != (personal.Text{}) || got[0].Cause != law.Identity || got[1].Files[0].Name != (personal.Text{}) || got[1].Files[0].Type != "application/pdf" {
		t.Errorf("%+v", got)
	}
	if _, err := d.Attachment(d.ctx(), handler, id, 2, 1); !errors.Is(err, ErrFileGone) {
		t.Errorf("the file: %v", err)
	}
	if _, err := d.Ask(d.ctx(), handler, id, Question{Text: text("Who?")}, Call{}); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("a message that nobody could read: %v", err)
	}
}

// Nothing that people write, and no name of a file, is in the audit, in the log or
// in clear in a store.
func TestWhatPeopleWriteIsNowhereInClear(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := newDesk(t, weighedByHand)
	d.Log = slog.New(slog.NewJSONHandler(&log, nil))
	id := d.verified(asks(policy.Challenge))
	const canary = "Kanarienvogel"
	d.ask(id, Question{Text: text("question " + canary), Cause: law.Identity, Proof: law.Address})
	d.reply(id, Reply{Text: text("answer " + canary), Files: []File{file(canary+".txt", []byte("content "+canary))}})
	if _, err := d.Accept(d.ctx(), handler, id, Call{}); err != nil {
		t.Fatal(err)
	}
	d.until(id, "the task is there", func(r Request) bool { return len(r.Steps) == 1 })
	if _, err := d.TaskDone(d.ctx(), handler, Task(id, 0), Decision{Upheld, text("decision " + canary)}, Call{}); err != nil {
		t.Fatal(err)
	}
	_, err := d.Ask(d.ctx(), handler, id, Question{Text: text(strings.Repeat(canary, 1000)), Cause: canary}, Call{})
	if err == nil || strings.Contains(fmt.Sprintf("%+v %s", err, fieldsOf(err)), canary) {
		t.Errorf("a refusal repeats what was written: %v", err)
	}
	d.ends(id)
	decided := d.post.mails[len(d.post.mails)-1]
	if !strings.Contains(decided.Text.Reveal(), "decision "+canary) {
		t.Errorf("the decision is told as\n%s", decided.Text.Reveal())
	}
	got := d.dialogue(id)
	if len(got) != 3 || got[2].Text.Reveal() != "decision "+canary {
		t.Errorf("%d messages", len(got))
	}
	if s := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(s, canary) {
		t.Errorf("a message prints as %s", s)
	}
	open := log.Bytes()
	for _, item := range d.items(id) {
		open = append(open, item.Body...)
	}
	for b, err := range d.entries(d.ctx(), id.Chain(), d.get(id).Head.Seq) {
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, b...)
	}
	for key, object := range d.shelf.objects {
		open = append(append(open, key...), object...)
	}
	if bytes.Contains(open, []byte(canary)) {
		t.Error("it stands somewhere in clear")
	}
}

// The chains of digests are verified with those of requests.
func TestABrokenChainOfADigestIsFound(t *testing.T) {
	t.Parallel()
	d := newDesk(t, weighedByHand)
	d.verified(asks(policy.Restriction))
	for range 30 {
		d.pass(time.Hour)
		d.sweep()
	}
	key := table.Key{Partition: "digest#operators#2026-03-03T07:00:00Z", Sort: "-"}
	item, err := d.inner.Get(d.ctx(), table.Ref{Table: table.State, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := d.VerifyAudit(d.ctx(), handler, ""); err != nil || v.Chains != 2 || len(v.Broken) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
	item.Body = bytes.Replace(item.Body, []byte(`"Seq":1`), []byte(`"Seq":2`), 1) // an entry was removed
	if err := d.inner.Commit(d.ctx(), table.NewID(), table.Put(table.State, item, table.Version(item.Version))); err != nil {
		t.Fatal(err)
	}
	if v, err := d.VerifyAudit(d.ctx(), handler, ""); err != nil || len(v.Broken) != 1 || v.Broken[0].Chain != key.Partition {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestMessageKeysSortByNumber(t *testing.T) {
	t.Parallel()
	if a, b := messageSort(9), messageSort(10); a != "message#000009" || a >= b {
		t.Errorf("%s, %s", a, b)
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(messageSort(123), messagePrefix)); err != nil || n != 123 {
		t.Error(n, err)
	}
}
