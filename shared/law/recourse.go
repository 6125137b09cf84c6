package law

import "time"

// recourse is that a law wants what was asked for kept until the person has exhausted
// every recourse about the answer.
type recourse struct {
	span     Span // from the answer, in which the first step has to be taken
	basis    basis
	deadline basis // of the span
}

// Recourse is until when what was asked for has to be kept.
type Recourse struct {
	Law     string
	Article string
	Mark    string // how far the figure was checked
	// Until is when the first step of the recourse had to be taken; zero while there is
	// no answer. Whoever takes it in time has more: the law gives no figure for the end.
	Until time.Time
}

// RecourseOf returns until when a law that a case may fall under wants what was asked
// for kept, be it the law that binds the answer or not: the latest. ok is false if
// none does.
func RecourseOf(c Case) (r Recourse, ok bool) {
	k, err := open(c, nil, nil)
	if err != nil {
		return Recourse{}, false
	}
	for _, p := range k.laws {
		if p.recourse == nil {
			continue
		}
		next := Recourse{Law: p.ID, Article: p.recourse.basis.article, Mark: p.recourse.deadline.mark}
		if !c.Closed.IsZero() {
			next.Until = p.recourse.span.After(DateOf(c.Closed, c.Zone)).End(c.Zone)
		}
		if !ok || next.Until.After(r.Until) {
			r, ok = next, true
		}
	}
	return r, ok
}
