package mail

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// clock lists the reasons of a line that are dates, in the words of a subject. A
// line that tells several of them says the first.
var clock = []struct {
	say string
	why []string
}{
	{"mail.digest.overdue", []string{"overdue", "still_overdue"}},
	{"mail.digest.day", []string{"T-1"}},
	{"mail.digest.days", []string{"T-3"}},
	{"mail.digest.week", []string{"T-7"}},
}

// pressing is which of them presses most on a line, -1 if none does.
func (l Line) pressing() int {
	for i, c := range clock {
		if len(l.Why) > 0 && slices.Contains(c.why, l.Why[0]) {
			return i
		}
	}
	return -1
}

// reasons are the line's without the dates that say less than its first.
func (l Line) reasons() (list []string) {
	for i, why := range l.Why {
		if i == 0 || (Line{Why: []string{why}}).pressing() < 0 {
			list = append(list, why)
		}
	}
	return list
}

// count is how many requests a digest is about.
func (l Letter) count() int { return len(l.Lines) + l.More }

// counted is the subject of a digest: how many requests, and how many of them press how much.
func (w *writer) counted(key string, n int) string {
	var parts []string
	rest := n
	for i, c := range clock {
		some := 0
		for _, l := range w.letter.Lines {
			if l.pressing() == i {
				some++
			}
		}
		if some > 0 {
			parts = append(parts, w.t(c.say, "n", w.Number(some)))
			rest -= some
		}
	}
	switch {
	case len(parts) == 0:
		return w.N(key, n)
	case rest > 0:
		parts = append(parts, w.N("mail.digest.others", rest))
	}
	return w.t("mail.digest.counts", "subject", w.N(key, n), "counts", strings.Join(parts, ", "))
}

// lines lists the requests, and says how to look at them.
func (w *writer) lines() {
	b := block{Kind: rows}
	for _, l := range w.letter.Lines {
		why := ""
		for _, r := range l.reasons() {
			more := cut(w.Name("why", r), maxSubject)
			if why != "" {
				more = w.t("mail.digest.also", "why", why, "more", more)
			}
			why = more
		}
		b.Rows = append(b.Rows, slices.DeleteFunc([]string{
			w.t("mail.digest.row", "right", cut(w.Name("right", l.Right), maxSubject), "why", why),
			w.answerBy(l),
			w.call(l),
		}, func(text string) bool { return text == "" }))
	}
	w.put(b)
	if w.letter.More > 0 {
		w.count("mail.digest.more", w.letter.More, "call", listed+w.before())
	}
	w.note("mail.digest.where", "console", w.letter.Console)
}

// answerBy says the dates of a line: of one that has passed only that which binds.
func (w *writer) answerBy(l Line) string {
	key, respond, safe := "mail.digest.dates", w.day(l.RespondBy), w.day(l.SafeBy)
	switch {
	case l.Call != "" && l.RespondBy.IsZero():
		return ""
	case l.Call != "":
		key = "mail.digest.look"
	case l.pressing() == 0:
		key = "mail.digest.passed"
	case respond == safe:
		key = "mail.digest.date"
	}
	return w.t(key, "respond_by", respond, "safe_by", safe)
}

// call is the one that shows what a line is about.
func (w *writer) call(l Line) string {
	if l.Call != "" {
		return cut(line(l.Call), maxSubject)
	}
	return listed + "/" + url.PathEscape(cut(line(l.Request), maxCode))
}

// listed is the call that lists requests; with an id, the one that shows one.
const listed = "GET /v1/operator/requests"

// before narrows a list to what is to be answered by the last date of the lines.
func (w *writer) before() string {
	var last time.Time
	for _, l := range w.letter.Lines {
		if l.RespondBy.After(last) {
			last = l.RespondBy
		}
	}
	if last.IsZero() {
		return ""
	}
	if w.letter.Zone != nil {
		last = last.In(w.letter.Zone)
	}
	return "?due_before=" + last.AddDate(0, 0, 1).Format(time.DateOnly)
}
