package mail

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

// ErrLetter is what Compose returns for a letter that lacks what its kind needs:
// whoever fills letters is wrong, and a mail with a hole in it is worse than none.
var ErrLetter = errors.New("mail: the letter is incomplete")

// Compose writes a letter in a language, in the fallback language if we do not
// speak it.
func Compose(kind Kind, language string, l Letter) (Message, error) {
	w := writer{Words: words.In(language), letter: l.clean()}
	write, ok := kinds[kind]
	if !ok {
		return Message{}, fmt.Errorf("%w: there is no kind %q", ErrLetter, kind)
	}
	if err := l.check(kind); err != nil {
		return Message{}, err
	}
	w.say("mail.hello")
	write(&w)
	w.close(kind)
	if w.err != nil {
		return Message{}, fmt.Errorf("%s: %w", kind, w.err)
	}
	subject := cut(line(w.subject(kind)), maxSubject)
	html, err := w.html(subject)
	if err != nil {
		return Message{}, fmt.Errorf("%s: %w", kind, err)
	}
	m := Message{
		To: l.To, Subject: subject, Text: personal.MakeText(w.text()), HTML: personal.MakeText(html),
		Stream: Legal, Language: w.Language(),
		// No answering machine answers a mail that says this (RFC 3834, 5).
		Headers: []Header{{"Auto-Submitted", "auto-generated"}},
	}
	if reply, ok := personal.ParseEmail(l.Contact.Email); ok {
		m.ReplyTo = reply
	}
	return m, m.Valid()
}

// kinds writes what is particular about each kind.
var kinds = map[Kind]func(*writer){
	Verify: func(w *writer) {
		w.wish()
		w.say("mail.verify.how")
		w.code()
		w.link("mail.verify.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.dates()
		w.say("mail.verify.not_you")
	},
	Received: func(w *writer) {
		w.wish()
		w.say("mail.received.how")
		w.code()
		w.link("mail.received.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.dates()
		w.say("mail.received.not_you")
	},
	ConfirmAddress: func(w *writer) {
		w.say("mail.confirm_address.open")
		w.link("mail.confirm_address.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.say("mail.confirm_address.not_you")
	},
	Verified: func(w *writer) {
		w.say("mail.verified.open")
		w.wish()
		w.dates()
		if !w.letter.Starts.IsZero() {
			w.say("mail.verified.starts", "starts", w.moment(w.letter.Starts))
		}
		if w.letter.Revoke.Reveal() != "" {
			w.say("mail.verified.revoke")
			w.link("mail.verified.revoke.button", w.letter.Revoke)
		}
		w.follow()
	},
	Ready: func(w *writer) {
		w.say("mail.ready.open")
		w.wish()
		w.link("mail.ready.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.say("mail.ready.care")
		w.outcomes()
		w.follow()
	},
	Fulfilled: func(w *writer) {
		w.say("mail.fulfilled.open")
		w.wish()
		w.chosen()
		w.outcomes()
		w.follow()
		w.disagree("complain.text")
	},
	Denied: func(w *writer) {
		w.say("mail.denied.open")
		w.wish()
		w.why()
		w.outcomes()
		w.disagree("complain.text")
	},
	Revoked: func(w *writer) {
		w.say("mail.revoked.open")
		w.wish()
		w.say("mail.revoked.effect")
		w.outcomes()
	},
	Lapsed: func(w *writer) {
		w.say("mail.lapsed.open")
		w.wish()
		w.say("mail.lapsed.again")
		w.another("mail.another_way.contact")
	},
	Remind: func(w *writer) {
		w.wish()
		w.say("mail.remind.how")
		w.link("mail.remind.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.say("mail.remind.waits", "date", w.day(w.letter.LapseAt))
		w.say("mail.remind.code")
		w.dates()
		w.say("mail.verify.not_you")
		w.another("")
	},
	Asked: func(w *writer) {
		if w.letter.Waiting {
			w.question("mail.asked.open")
		} else {
			w.question("mail.asked.open.message")
		}
	},
	StillAsked: func(w *writer) { w.question("mail.still_asked.open") },
	Extended: func(w *writer) {
		w.say("mail.extended.open")
		w.wish()
		w.say("mail.extended.dates", "date", w.day(w.letter.RespondBy), "before", w.day(w.letter.Before))
		w.why()
		w.complain("mail.complain.wait", "mail.complain")
		w.follow()
	},
	Late: func(w *writer) {
		w.say("mail.late.open", "date", w.day(w.letter.RespondBy))
		w.wish()
		w.say("mail.late.working")
		if w.letter.Article != "" {
			w.say("mail.late.silence", "article", w.letter.Article)
		}
		w.complain("mail.complain.wait", "mail.complain")
		w.follow()
	},
	Decided: func(w *writer) {
		w.say("mail.decided.open")
		w.wish()
		w.put(block{Kind: paragraph, Text: w.Name("decision", w.letter.Outcome)})
		w.head("mail.reason")
		w.explain()
		w.follow()
		w.disagree("mail.complain")
	},
	ConfirmConsent: func(w *writer) {
		w.say("mail.confirm_consent.open")
		w.consents()
		w.link("mail.confirm_consent.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.say("mail.confirm_consent.not_you")
		w.say("mail.confirm_consent.withdraw")
	},
	RenewConsent: func(w *writer) {
		w.say("mail.renew_consent.open")
		w.consents()
		w.say("mail.renew_consent.how")
		w.link("mail.renew_consent.button", w.letter.Link)
		w.note("mail.preferences_link.until", "until", w.moment(w.letter.LinkUntil))
	},
	PreferenceLink: func(w *writer) {
		w.say("mail.preferences_link.open")
		w.link("mail.preferences_link.button", w.letter.Link)
		w.note("mail.preferences_link.until", "until", w.moment(w.letter.LinkUntil))
		w.say("mail.preferences_link.care")
		w.say("mail.preferences_link.not_you")
	},
	ConfirmClosure: func(w *writer) {
		w.say("mail.confirm_closure.open")
		if w.letter.Grace > 0 {
			w.count("mail.confirm_closure.grace", w.letter.Grace)
		} else {
			w.say("mail.confirm_closure.now")
		}
		w.count("mail.confirm_closure.gone", w.letter.GoneIn)
		w.say("mail.closure.stays")
		w.settle()
		w.link("mail.confirm_closure.button", w.letter.Link)
		w.note("mail.until", "until", w.moment(w.letter.LinkUntil))
		w.say("mail.confirm_closure.not_you")
	},
	ClosureBegun: func(w *writer) {
		if w.letter.SignedIn {
			w.say("mail.closure_begun.open.signed_in")
		} else {
			w.say("mail.closure_begun.open")
		}
		w.say("mail.closure_begun.dates", "closes", w.moment(w.letter.ClosesAt), "gone", w.day(w.letter.GoneBy))
		w.say("mail.closure.stays")
		w.settle()
		if w.letter.Revoke.Reveal() != "" {
			w.say("mail.closure_begun.cancel")
			w.link("mail.closure_begun.button", w.letter.Revoke)
		}
		w.say("mail.closure_begun.not_you")
	},
	ClosureEnded: func(w *writer) {
		w.say("mail.closure_ended.open")
		w.say("mail.closure_ended.effect")
	},
	Closed: func(w *writer) {
		w.say("mail.closed.open")
		w.outcomes()
		w.say("mail.closed.stays")
		w.say("mail.closed.suppressed")
		if w.letter.Follow.Reveal() != "" {
			w.say("mail.closed.follow")
			w.link("mail.closed.follow.button", w.letter.Follow)
		}
		w.disagree("complain.text")
	},
	Digest: func(w *writer) {
		w.count("mail.digest.open", w.letter.count())
		w.lines()
	},
	Overdue: func(w *writer) {
		w.count("mail.overdue.open", w.letter.count())
		w.lines()
		w.say("mail.overdue.risk")
	},
}

// check refuses a letter that lacks what its kind cannot do without.
func (l Letter) check(kind Kind) error {
	need := map[string]bool{"an address": l.To != personal.Email{}, "a brand": l.Brand != "", "a contact": l.Contact.Email != "" || l.Contact.Page != ""}
	needs := func(what string, there bool) {
		if before, known := need[what]; !known || before {
			need[what] = there
		}
	}
	switch kind {
	case Verify, Received:
		needs("a code", l.Code.Reveal() != "" && !l.CodeUntil.IsZero())
		needs("a link", l.Link.Reveal() != "" && !l.LinkUntil.IsZero())
		needs("the date of the answer", !l.RespondBy.IsZero())
	case ConfirmAddress, Ready:
		needs("a link", l.Link.Reveal() != "" && !l.LinkUntil.IsZero())
	case Verified:
		needs("the date of the answer", !l.RespondBy.IsZero())
	case Denied:
		needs("a reason", l.Reason != "")
	case Remind:
		needs("a link", l.Link.Reveal() != "" && !l.LinkUntil.IsZero())
		needs("its end", !l.LapseAt.IsZero())
		needs("the date of the answer", !l.RespondBy.IsZero())
	case Asked, StillAsked:
		needs("a question", len(paragraphs(l.Words.Reveal())) > 0)
		needs("where to answer", l.Follow.Reveal() != "")
		needs("the date of the answer", l.Stopped || !l.RespondBy.IsZero())
	case Extended:
		needs("both dates", !l.RespondBy.IsZero() && !l.Before.IsZero())
		needs("a reason", l.Reason != "")
	case Late:
		needs("the date of the answer", !l.RespondBy.IsZero())
	case Decided:
		needs("an outcome", slices.Contains([]string{"upheld", "partly_upheld", "rejected"}, l.Outcome))
		needs("an explanation", len(paragraphs(l.Words.Reveal())) > 0)
	case ConfirmConsent, RenewConsent, PreferenceLink:
		needs("a link", l.Link.Reveal() != "" && !l.LinkUntil.IsZero())
		needs("a consent", kind == PreferenceLink || len(l.Consents) > 0)
		for _, c := range l.Consents {
			needs("what the consent is called", kind == PreferenceLink || line(c.Label) != "")
			needs("its words", kind == PreferenceLink || len(paragraphs(c.Wording)) > 0)
			needs("its end", kind != RenewConsent || !c.Until.IsZero())
		}
	case ConfirmClosure:
		needs("a link", l.Link.Reveal() != "" && !l.LinkUntil.IsZero())
		needs("how long it takes", l.Grace >= 0 && l.GoneIn > 0)
	case ClosureBegun:
		needs("its dates", !l.ClosesAt.IsZero() && !l.GoneBy.IsZero())
	case Digest, Overdue:
		needs("something to tell", len(l.Lines) > 0 && l.More >= 0)
		needs("where to look", linkable(l.Console))
	case Fulfilled, Revoked, Lapsed, ClosureEnded, Closed:
	}
	needs("where to appeal", !l.Appeal || l.Follow.Reveal() != "")
	for what, there := range need {
		if !there {
			return fmt.Errorf("%w: %s needs %s", ErrLetter, kind, what)
		}
	}
	return nil
}

// clean returns the letter with every value as one harmless line.
func (l Letter) clean() Letter {
	for _, s := range []*string{
		&l.Brand, &l.Request, &l.Right, &l.Reason, &l.Article, &l.AnotherWay, &l.Authority.Name, &l.Authority.Page,
		&l.Contact.Name, &l.Contact.Email, &l.Contact.Phone, &l.Contact.Page,
	} {
		*s = cut(line(*s), maxValue)
	}
	postal := strings.Split(l.Contact.Postal, "\n")
	for i, p := range postal {
		postal[i] = cut(line(p), maxValue)
	}
	l.Contact.Postal = strings.Join(postal[:min(len(postal), maxLines)], "\n")
	return l
}

// The longest values that are written out, in characters. Of values, the reason
// for a denial is the longest we know.
const (
	maxValue = 1000
	maxCode  = 64
	maxLines = 12 // of a postal address
)

// line is s as one line, without what could disturb the lines around it.
func line(s string) string { return words.Line(s) }

// cut returns the first n characters of s, and says if there were more.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n-1])) + "…"
}

// writer puts a letter together from blocks, which are then rendered twice.
type writer struct {
	words.Words
	letter Letter
	blocks []block
	err    error
}

// block is one paragraph, in whatever way it is shown.
type block struct {
	Kind  blockKind
	Text  string
	Items []string   // of a list or of facts
	Rows  [][]string // of a quote its paragraphs, of rows each with its lines
	URL   string     // of a link
}

type blockKind string

const (
	paragraph blockKind = "paragraph"
	note      blockKind = "note"
	heading   blockKind = "heading"
	list      blockKind = "list"
	facts     blockKind = "facts"
	code      blockKind = "code"
	link      blockKind = "link"
	quote     blockKind = "quote"
	rows      blockKind = "rows"
)

// subject is the kind's; a decision names what it is on, a digest counts.
func (w *writer) subject(kind Kind) string {
	key := "mail." + string(kind) + ".subject"
	switch {
	case kind == Decided && w.Has(key+"."+w.letter.Right):
		key += "." + w.letter.Right
	case kind == Digest:
		return w.counted(key, w.letter.count())
	case kind == Overdue:
		return w.N(key, w.letter.count())
	}
	return w.t(key)
}

func (w *writer) put(b block) { w.blocks = append(w.blocks, b) }

// t is T with the brand put in.
func (w *writer) t(key string, values ...string) string {
	return w.T(key, append(values, "brand", w.letter.Brand)...)
}

func (w *writer) say(key string, values ...string) {
	w.put(block{Kind: paragraph, Text: w.t(key, values...)})
}

// count is say for so many of something.
func (w *writer) count(key string, n int, values ...string) {
	w.put(block{Kind: paragraph, Text: w.N(key, n, append(values, "brand", w.letter.Brand)...)})
}

func (w *writer) note(key string, values ...string) {
	w.put(block{Kind: note, Text: w.t(key, values...)})
}

func (w *writer) head(key string) { w.put(block{Kind: heading, Text: w.t(key)}) }

func (w *writer) day(t time.Time) string { return w.Day(t, w.letter.Zone) }

func (w *writer) moment(t time.Time) string { return w.Moment(t, w.letter.Zone) }

// wish says what was asked, when.
func (w *writer) wish() {
	key := "wish." + w.letter.Right
	if !w.Has(key) {
		key = "wish.other"
	}
	text := w.t(key, "right", w.Name("right", w.letter.Right))
	if !w.letter.Received.IsZero() {
		text += " " + w.t("mail.received", "received", w.day(w.letter.Received))
	}
	w.put(block{Kind: paragraph, Text: text})
}

// dates says by when there will be an answer.
func (w *writer) dates() {
	w.say("mail.respond_by", "date", w.day(w.letter.RespondBy))
}

func (w *writer) code() {
	w.put(block{Kind: code, Text: cut(line(w.letter.Code.Reveal()), maxCode)})
	w.note("mail.code", "until", w.moment(w.letter.CodeUntil))
}

// link puts a link where a button acts. It must be an address that every mail
// program takes for one.
func (w *writer) link(key string, to personal.Text) {
	url := to.Reveal()
	if !linkable(url) {
		w.err = fmt.Errorf("%w: a link is not an http(s) address of at most %d characters", ErrLetter, maxLink)
		return
	}
	w.put(block{Kind: link, Text: w.t(key), URL: url})
}

const maxLink = 900

func linkable(url string) bool {
	return len(url) <= maxLink && (strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")) &&
		!strings.ContainsFunc(url, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune(`"<>\^`+"`{|}", r) })
}

func (w *writer) follow() {
	if w.letter.Follow.Reveal() != "" {
		w.say("mail.follow")
		w.link("mail.follow.button", w.letter.Follow)
	}
}

// consents says, for each, what it is called, what was shown, and when it ends.
func (w *writer) consents() {
	for _, c := range w.letter.Consents {
		w.put(block{Kind: heading, Text: cut(line(c.Label), maxSubject)})
		if !c.Until.IsZero() {
			w.say("mail.renew_consent.until", "date", w.day(c.Until))
		}
		w.put(block{Kind: quote, Rows: paragraphs(c.Wording)})
	}
}

// outcomes lists what was done, system by system.
func (w *writer) outcomes() {
	for _, s := range w.letter.Systems {
		if len(s.Outcomes) == 0 {
			continue
		}
		w.put(block{Kind: heading, Text: cut(line(s.Name), maxSubject)})
		b := block{Kind: list}
		for _, o := range s.Outcomes {
			o.Duty = line(o.Duty)
			b.Items = append(b.Items, w.t("mail.outcome", "category", cut(line(o.Category), maxSubject), "outcome", cut(line(w.Outcome(o, w.letter.Zone)), maxValue)))
		}
		w.put(b)
	}
	if len(w.letter.Ignored) == 0 {
		return
	}
	w.head("ignored.title")
	w.say("ignored.text")
	b := block{Kind: list}
	for _, i := range w.letter.Ignored {
		b.Items = append(b.Items, w.t("mail.ignored", "kind", cut(w.Name("identity", string(i.Kind)), maxSubject), "value", cut(line(i.Reveal()), maxValue)))
	}
	w.put(b)
}

// why gives the reason, and the article it rests on.
func (w *writer) why() {
	w.head("mail.reason")
	w.put(block{Kind: paragraph, Text: w.letter.Reason})
	if w.letter.Article != "" {
		w.note("mail.reason.article", "article", w.letter.Article)
	}
}

// another says how else somebody can show who they are, in our words if the policy
// has none.
func (w *writer) another(ours string) {
	text := w.letter.AnotherWay
	if text == "" && ours != "" {
		text = w.t(ours)
	}
	if text != "" {
		w.head("mail.another_way")
		w.put(block{Kind: paragraph, Text: text})
	}
}

// question asks what an operator asks, and says what it does to the dates.
func (w *writer) question(open string) {
	w.wish()
	w.say(open)
	w.put(block{Kind: quote, Rows: paragraphs(w.letter.Words.Reveal())})
	w.link("mail.asked.button", w.letter.Follow)
	w.say("mail.asked.attach")
	switch {
	case !w.letter.Stopped:
		w.say("mail.asked.runs", "date", w.day(w.letter.RespondBy))
	case w.letter.Article == "":
		w.say("mail.asked.stopped")
	default:
		w.say("mail.asked.stopped.article", "article", w.letter.Article)
	}
}

// explain says what an operator wrote as our own words.
func (w *writer) explain() { w.lay(paragraphs(w.letter.Words.Reveal())) }

func (w *writer) lay(list [][]string) {
	for _, p := range list {
		if len(p) == 1 {
			w.put(block{Kind: paragraph, Text: p[0]})
		} else {
			w.put(block{Kind: facts, Items: p})
		}
	}
}

// paragraphs are those of what somebody wrote, each with its lines. Between one
// and the next there are empty lines.
func paragraphs(s string) (list [][]string) {
	begins := true
	for i, l := range strings.Split(cut(s, maxWords), "\n") {
		l = line(l)
		switch {
		case i == maxWordLines:
			return append(list, []string{"…"})
		case l == "":
		case begins:
			list = append(list, []string{l})
		default:
			list[len(list)-1] = append(list[len(list)-1], l)
		}
		begins = l == ""
	}
	return list
}

// The most that is said of what somebody wrote.
const (
	maxWords     = 8000
	maxWordLines = 400
)

// disagree says how to appeal to us where the law knows that, and in any case
// where else a person can turn.
func (w *writer) disagree(text string) {
	if !w.letter.Appeal {
		w.complain("complain.title", text)
		return
	}
	w.head("mail.appeal.title")
	if w.letter.AppealUntil.IsZero() {
		w.say("mail.appeal.text")
	} else {
		w.say("mail.appeal.until", "date", w.day(w.letter.AppealUntil))
	}
	w.link("mail.appeal.button", w.letter.Follow)
	w.say("mail.appeal.authority")
	w.authority()
}

// complain says where a person can turn who is not content.
func (w *writer) complain(title, text string) {
	w.head(title)
	w.say(text)
	w.authority()
}

// authority names it, and the courts.
func (w *writer) authority() {
	a := w.letter.Authority
	switch {
	case a.Name != "":
		w.put(block{Kind: paragraph, Text: w.t("authority.named") + " " + a.Name + "."})
		if linkable(a.Page) {
			w.put(block{Kind: link, Text: w.t("mail.authority.button"), URL: a.Page})
		}
	case w.letter.Appeal || w.letter.Right == appealed: // only the United States know it
		w.say("mail.authority.attorney")
	default:
		w.say("authority.any")
	}
	w.say("mail.complain.court")
}

// settle says what to see to before an account is closed.
func (w *writer) settle() {
	if list := paragraphs(w.letter.Settle); len(list) > 0 {
		w.head("mail.closure.settle")
		w.lay(list)
	}
}

// chosen says since when a choice is in force, and how long.
func (w *writer) chosen() {
	switch w.letter.Right { // as a policy spells it
	case "opt_out_sale":
		w.say("mail.fulfilled.opt_out_sale")
	case "limit_sensitive":
		w.say("mail.fulfilled.limit_sensitive")
	case "withdraw_consent":
		w.say("mail.fulfilled.withdraw_consent")
	}
}

// appealed is how a policy spells the right to appeal.
const appealed = "appeal"

// close says whom to ask, and why this mail came.
func (w *writer) close(kind Kind) {
	c := w.letter.Contact
	b := block{Kind: facts}
	for _, s := range append([]string{c.Name, c.Email, c.Phone, c.Page}, strings.Split(c.Postal, "\n")...) {
		if s != "" {
			b.Items = append(b.Items, s)
		}
	}
	w.put(block{Kind: facts, Items: []string{w.t("mail.regards"), w.letter.Brand}})
	w.head("contact.title")
	switch kind {
	case Digest, Overdue:
		w.say("mail.contact.operators")
		w.put(b)
		w.note("mail.why." + string(kind))
		return
	case ConfirmConsent, RenewConsent, PreferenceLink, ConfirmClosure:
		w.say("mail.contact")
		w.put(b)
		w.note("mail.why." + string(kind))
		return
	case ClosureBegun, ClosureEnded, Closed:
		w.say("mail.contact")
		w.put(b)
		w.note("mail.why.closure")
		return
	case Verify, Received, ConfirmAddress, Verified, Ready, Fulfilled, Denied, Revoked, Lapsed, Remind, Asked, StillAsked, Extended, Late, Decided:
	}
	w.say("mail.contact")
	w.put(b)
	w.note("mail.why")
	if w.letter.Request != "" {
		w.put(block{Kind: note, Text: w.t("request.number") + " " + w.letter.Request})
	}
}
