package consent

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
)

// Import is a consent or suppression from elsewhere.
type Import struct {
	Capture
	Stop     policy.Stop // a suppression, instead of choices; of a bounce or a complaint Asked may name the list
	Evidence string      // where the other system has it: an id without personal data
}

// Outcome is what became, or would become, of one line of an import.
type Outcome struct {
	Line   int // from 1
	Result Result
	Why    string // for refused: what to mend
}

// Result is what became of a line.
type Result = string

// The results.
const (
	Taken   Result = "taken"
	Known   Result = "known" // it stands so already
	Older   Result = "older" // something later stands
	Refused Result = "refused"
)

// evidencePattern is what an id of another system may look like. It stands in the
// audit for years, so nothing that could be an address is one.
var evidencePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}$`)

// importable are the suppressions that can be taken over. A restriction is weighed
// as a request, and signals are sent by browsers.
var importable = []policy.Stop{policy.MarketingOptOut, policy.Objected, policy.SaleOptOut, policy.SensitiveLimit, policy.Bounced, policy.Complained}

// Import takes over what was chosen elsewhere, line by line; each is committed by
// itself, and taken again it is known. A dry run says what would happen and
// changes nothing.
func (s *Service) Import(ctx context.Context, by operator.Identity, lines []Import, dryRun bool) ([]Outcome, error) {
	halt, err := s.Halted(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Outcome, 0, len(lines))
	for i, line := range lines {
		result, err := s.importLine(ctx, by, line, halt.On, dryRun)
		o := Outcome{Line: i + 1, Result: result}
		if f, ok := errors.AsType[*fault.Error](err); ok && (f.Kind != fault.Unavailable && f.Kind != fault.Internal || errors.Is(err, ErrHalted)) {
			o.Result, o.Why = Refused, mend(f)
		} else if err != nil {
			return list, err // what was taken so far is known when the same lines come again
		}
		list = append(list, o)
	}
	return list, nil
}

// mend puts what a fault says into one line.
func mend(f *fault.Error) string {
	if len(f.Fields) == 0 {
		return f.Text
	}
	parts := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		parts[i] = strings.TrimSpace(field.Pointer + " " + field.Text)
	}
	return strings.Join(parts, "; ")
}

func refuse(pointer, format string, args ...any) error {
	return fault.Input(fault.Field{Pointer: pointer, Text: fmt.Sprintf(format, args...)})
}

func (s *Service) importLine(ctx context.Context, by operator.Identity, line Import, halted, dryRun bool) (Result, error) {
	a, err := s.importing(by, line)
	if err != nil {
		return "", err
	}
	result := Known
	_, err = s.change(ctx, a.id, a.actor, func(d *draft) error {
		result = Known
		mine := *a
		mine.choices, result, err = s.news(d, a, line, halted)
		if err != nil {
			return err
		}
		if result != Taken || dryRun {
			return errUnchanged
		}
		if line.Stop == policy.Bounced || line.Stop == policy.Complained {
			d.enter(actionSuppressed, s.common(&mine, audit.Fact{Name: factPurpose, Value: line.mailing()},
				audit.Fact{Name: factStop, Value: string(line.Stop)}, audit.Fact{Name: factMethod, Value: string(Imported)})...)
			d.suppress(line.mailing(), line.Stop, mine.made)
			d.Known = d.Known || isPerson(mine.who.Kind)
			return nil
		}
		return s.take(ctx, d, &mine)
	})
	return result, err
}

// mailing is the list that a suppression is about; empty: all of them.
func (i Import) mailing() string {
	if len(i.Asked) == 0 {
		return ""
	}
	return i.Asked[0].Purpose
}

// importing checks a line and returns what it does.
func (s *Service) importing(by operator.Identity, line Import) (*act, error) {
	c := line.Capture
	source := c.Method
	c.confirmed = c.Method == DoubleOptIn
	c.By, c.App, c.Method, c.Signals, c.Attempt = ByOperator, by.ID, Imported, Signals{}, Attempt{}
	c, err := s.speak(c)
	if err != nil {
		return nil, err
	}
	switch {
	case c.At.IsZero():
		return nil, refuse("/at", "is required: say when it was chosen")
	case line.Evidence != "" && !evidencePattern.MatchString(line.Evidence):
		return nil, refuse("/evidence", "must be an id in the other system, of letters, digits and . _ : / # -, without personal data")
	case source == Ticked || source == ContinuedUse:
		return nil, refuse("/method", "is no consent; import what people did themselves")
	case line.Stop == "" && len(c.Asked) == 0:
		return nil, refuse("/choice", "is required, or a stop")
	case line.Stop != "" && !slices.Contains(importable, line.Stop):
		return nil, refuse("/stop", "must be one of: %s", list(importable))
	case line.Stop != "" && len(c.Asked) > 0 && line.Stop != policy.Bounced && line.Stop != policy.Complained:
		return nil, refuse("/stop", "stands for itself; import choices in lines of their own")
	}
	if line.Stop != "" && len(c.Asked) > 0 {
		if rule, ok := s.Policy.Consent(line.mailing()); !ok || !rule.Mail || len(c.Asked) > 1 {
			return nil, refuse("/purpose", "must be one mailing list of the policy, or be left out for all of them")
		}
		c.Asked = nil
	}
	a, err := s.act(c)
	if err != nil {
		return nil, err
	}
	for _, one := range a.choices {
		if one.Choice != Granted {
			continue
		}
		if line.Evidence == "" {
			return nil, refuse("/evidence", "is required for a consent: say where the other system has it")
		}
		if one.pending {
			return nil, refuse("/method", "must be double_opt_in: %s counts only where the owner of the address confirmed it", one.Purpose)
		}
		if end := s.until(one.rule, a.made, s.now()); !end.After(s.now()) {
			return nil, refuse("/at", "is too long ago: the policy's consents.%s.expires is over", one.Purpose)
		}
	}
	if line.Stop != "" && line.Stop != policy.Bounced && line.Stop != policy.Complained {
		a.stops = map[policy.Stop]bool{line.Stop: true}
	}
	a.facts = []audit.Fact{{Name: factEvidence, Value: line.Evidence}}
	if source != Imported {
		a.facts = append(a.facts, audit.Fact{Name: factSource, Value: string(source)})
	}
	return a, nil
}

// news are the choices of a line that are not known, and what becomes of it.
func (s *Service) news(d *draft, a *act, line Import, halted bool) ([]choice, Result, error) {
	if line.Stop != "" {
		return nil, d.become(line, a.made), nil
	}
	var fresh []choice
	result := Known
	for _, c := range a.choices {
		st, chose := d.standing(keyOf(c.Purpose, c.Act))
		switch {
		case chose && st.Choice == c.Choice && st.At.Equal(a.made):
			continue
		case chose && !st.yieldsTo(c.Choice, a.made):
			result = Older
			continue
		case c.Choice == Granted && halted:
			return nil, "", ErrHalted.Saying("Everything is halted; import consents after it resumes.")
		}
		if c.Choice == Granted && c.rule.Mail && suppressed(d.Subject, c.Purpose) {
			return nil, "", refuse("/purpose", "is suppressed: mail to the address came back, or its owner called it spam; they can subscribe anew themselves")
		}
		fresh = append(fresh, c)
	}
	if len(fresh) > 0 {
		result = Taken
	}
	return fresh, result, nil
}

// become is what becomes of a suppression.
func (d *draft) become(line Import, made time.Time) Result {
	if line.Stop != policy.Bounced && line.Stop != policy.Complained {
		if _, stands := d.Stops[line.Stop]; stands && len(d.Held[line.Stop]) == 0 {
			return Known
		}
		return Taken
	}
	try := draft{Subject: d.Subject}
	try.Stops, try.Lists = cloned(d.Stops), cloned(d.Lists)
	switch {
	case try.suppress(line.mailing(), line.Stop, made):
		return Taken
	case line.mailing() != "" && d.Lists[line.mailing()] == "":
		return Older
	}
	return Known
}

func suppressed(sub Subject, mailing string) bool {
	_, bounced := sub.Stops[policy.Bounced]
	_, complained := sub.Stops[policy.Complained]
	return bounced || complained || sub.Lists[mailing] != ""
}

func cloned[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m)+1)
	for k, v := range m {
		c[k] = v
	}
	return c
}
