package request

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

var planned = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// lines writes a plan as one line per step.
func lines(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%s/%s %s %s %d", s.Source, s.Category, s.Verb, s.State, s.Found)
		if s.Field != "" {
			fmt.Fprintf(&b, " %s", s.Field)
		}
		if !s.Due.IsZero() {
			fmt.Fprintf(&b, " in %d days", int(s.Due.Sub(planned).Hours()/24))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func lookedAt(counts map[string]int) []Look {
	return []Look{{Source: "shop", State: Done, Known: 2, Counts: counts}, {Source: "newsletter", State: Done, Known: 1, Counts: counts}}
}

// Nobody can be found in a log, so no plan asks for one: it says that it is kept.
func TestALogIsNeverAskedAndNeverNothing(t *testing.T) {
	t.Parallel()
	p := testPolicy(t, func(p *policy.Policy) {
		p.Sources = []policy.Source{{ID: "logs", Kind: policy.KindLogs, Role: policy.AsController, Holdings: []policy.Holding{{Category: "access_log", Action: policy.ActionKeep}}}}
	})
	for right, want := range map[policy.Right]string{
		policy.Access: "logs/access_log tell told 0\n", policy.Erasure: "logs/access_log keep kept 0\n", policy.Rectification: "",
	} {
		r := Request{Right: right}
		if looks := lookAt(p, r); len(looks) != 0 {
			t.Errorf("%s: the log is asked", right)
		}
		if got := lines(planSteps(p, r, nil, nil, planned)); got != want {
			t.Errorf("%s:\n%s, want\n%s", right, got, want)
		}
	}
}

func TestThePlanOfEveryRight(t *testing.T) {
	t.Parallel()
	p := testPolicy(t, func(p *policy.Policy) {
		p.Sources = append(p.Sources,
			policy.Source{ID: "hosted", Kind: policy.KindHTTP, Role: policy.AsProcessor, Holdings: []policy.Holding{{Category: "account"}}},
			policy.Source{ID: "archive", Kind: policy.KindTask, Role: policy.AsController, Task: policy.Task{Days: 9}, Holdings: []policy.Holding{{Category: "orders"}}})
	})
	found := map[string]int{"account": 1, "orders": 2, "access_log": 3, "credentials": 1, "subscriptions": 4}
	tests := map[string]struct {
		right policy.Right
		looks []Look
		want  string
	}{
		"access copies, and tells what it may not show": {policy.Access, lookedAt(found), `shop/account export planned 1
shop/orders export planned 2
shop/access_log export planned 3
shop/support_mail export nothing 0
shop/credentials tell told 1
newsletter/subscriptions export planned 4
newsletter/reading_history export nothing 0
hosted/account refer told 0
archive/ by_hand waiting 0 in 9 days
`},
		"erasure deletes, masks and keeps": {policy.Erasure, lookedAt(found), `shop/account delete planned 1
shop/orders keep kept 2
shop/access_log anonymise planned 3
shop/support_mail delete looking 0
shop/credentials delete planned 1
newsletter/subscriptions delete planned 4
newsletter/reading_history anonymise looking 0
hosted/account refer told 0
archive/ by_hand waiting 0 in 9 days
`},
		"who could not be asked holds nobody knows what": {policy.Erasure, []Look{{Source: "shop", State: Failed}, {Source: "newsletter", State: Done}}, `shop/account delete failed 0
shop/orders keep failed 0
shop/access_log anonymise failed 0
shop/support_mail delete failed 0
shop/credentials delete failed 0
newsletter/subscriptions delete looking 0
newsletter/reading_history anonymise looking 0
hosted/account refer told 0
archive/ by_hand waiting 0 in 9 days
`},
		"a choice is told to nobody":         {policy.OptOutSale, nil, ""},
		"restriction is weighed by a person": {policy.Restriction, nil, "/ by_hand waiting 0 in 7 days\n"},
		"objection is weighed by a person":   {policy.Objection, nil, "/ by_hand waiting 0 in 7 days\n"},
		"a challenge is weighed by a person": {policy.Challenge, nil, "/ by_hand waiting 0 in 14 days\n"},
	}
	for name, tt := range tests {
		if got := lines(planSteps(p, Request{Right: tt.right}, tt.looks, nil, planned)); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tt.want)
		}
		if got := lookAt(p, Request{Right: tt.right}); (byHand(tt.right) || tt.right.Unverified()) == (len(got) == 2) {
			t.Errorf("%s: %d sources are asked", name, len(got))
		}
	}
	if a, b := lines(planSteps(p, Request{Right: policy.Know}, lookedAt(found), nil, planned)), lines(planSteps(p, Request{Right: policy.Access}, lookedAt(found), nil, planned)); a != b {
		t.Errorf("know differs from access:\n%s", a)
	}
	inferred := testPolicy(t, func(p *policy.Policy) {
		for i := range p.Categories {
			p.Categories[i].Inference = p.Categories[i].ID == "access_log"
		}
	})
	for right, want := range map[policy.Right]StepVerb{policy.Portability: DoTell, policy.Access: DoExport} {
		steps := planSteps(inferred, Request{Right: right}, lookedAt(found), nil, planned)
		if got := (Request{Steps: steps}).step("access_log").Verb; got != want {
			t.Errorf("%s of what was inferred: %s, want %s", right, got, want)
		}
	}
}

func TestThePlanOfACorrection(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fields []string
		looks  []Look
		change func(*policy.Policy)
		want   string
	}{
		"where it can be set, it is":               {[]string{"name"}, lookedAt(map[string]int{"account": 1}), nil, "shop/account correct planned 1 name\n"},
		"where there is nothing":                   {[]string{"name"}, lookedAt(nil), nil, "shop/account correct nothing 0 name\n"},
		"where nobody could look":                  {[]string{"name"}, []Look{{Source: "shop", State: Failed}}, nil, "shop/account correct failed 0 name\n"},
		"what records what was, stays":             {[]string{"total"}, lookedAt(map[string]int{"orders": 2}), nil, "shop/orders refuse told 2 total\n"},
		"what nobody can set is a task":            {[]string{"minutes"}, lookedAt(nil), func(p *policy.Policy) { p.Fields["reading_history"] = []policy.Field{{Name: "minutes"}} }, "/ by_hand waiting 0 minutes in 14 days\n"},
		"what nobody knows is a task":              {[]string{"name", "shoe size"}, lookedAt(map[string]int{"account": 1}), nil, "shop/account correct planned 1 name\n/ by_hand waiting 0 #1 in 14 days\n"},
		"somebody else's data is told of only":     {[]string{"name"}, lookedAt(nil), func(p *policy.Policy) { p.Sources[0].Role = policy.AsProcessor }, "shop/account refer told 0\nshop/orders refer told 0\nshop/access_log refer told 0\nshop/support_mail refer told 0\nshop/credentials refer told 0\n/ by_hand waiting 0 #0 in 14 days\n"},
		"every field has steps of its own":         {[]string{"name", "phone"}, lookedAt(map[string]int{"account": 1}), nil, "shop/account correct planned 1 name\nshop/account correct planned 1 phone\n"},
		"a category that is historical as a whole": {[]string{"name"}, lookedAt(map[string]int{"account": 1}), func(p *policy.Policy) { p.Categories[0].Historical = true }, "shop/account refuse told 1 name\n"},
	}
	for name, tt := range tests {
		p := testPolicy(t)
		if tt.change != nil {
			tt.change(p)
		}
		var list []source.Correction
		for _, f := range tt.fields {
			list = append(list, source.Correction{Field: f, Value: personal.MakeText("x")})
		}
		if got := lines(planSteps(p, Request{Right: policy.Rectification}, tt.looks, list, planned)); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tt.want)
		}
	}
}

func TestWhichWorkComesNext(t *testing.T) {
	t.Parallel()
	soon, late := planned.Add(time.Minute), planned.Add(time.Hour)
	after := func(t time.Time) Attempts { return Attempts{After: t} }
	tests := map[string]struct {
		r    Request
		want unit
		none bool
	}{
		"unverified: the person moves":                    {r: Request{Status: Unverified, Automatic: true}, none: true},
		"open: the policy accepts":                        {r: Request{Status: Open, Automatic: true, Proof: Proof{At: soon}}, want: unit{unitAccept, 0, soon}},
		"open: not before the new address is proven":      {r: Request{Status: Open, Automatic: true, NewAddress: &Proof{}}, none: true},
		"open: once the new address is proven":            {r: Request{Status: Open, Automatic: true, NewAddress: &Proof{Times: 1, At: late}}, want: unit{unitAccept, 0, late}},
		"open: an operator accepts":                       {r: Request{Status: Open}, none: true},
		"open: a dry run looks":                           {r: Request{Status: Open, Looks: []Look{{State: Planned}}}, want: unit{unitLook, 0, time.Time{}}},
		"open: a dry run does nothing else":               {r: Request{Status: Open, Looks: []Look{{State: Done}}, Steps: []Step{{Verb: DoDelete, State: Planned}}}, none: true},
		"looks come before steps":                         {r: Request{Status: InProgress, Looks: []Look{{State: Done}, {State: Working}}, Steps: []Step{{State: Planned}}}, want: unit{unitLook, 1, time.Time{}}},
		"the look that can begin first":                   {r: Request{Status: InProgress, Looks: []Look{{State: Planned, Attempts: after(late)}, {State: Planned, Attempts: after(soon)}}}, want: unit{unitLook, 1, soon}},
		"a failed look holds up no other source's steps":  {r: Request{Status: InProgress, Looks: []Look{{State: Failed}}, Steps: []Step{{State: Failed}, {Verb: DoExport, State: Planned}}}, want: unit{unitStep, 1, time.Time{}}},
		"a failed look holds up the end":                  {r: Request{Status: InProgress, Looks: []Look{{State: Failed}}, Steps: []Step{{State: Done}}}, none: true},
		"what destroys waits for the cooling time":        {r: Request{Status: InProgress, Start: late, Steps: []Step{{Verb: DoDelete, State: Planned}}}, want: unit{unitStep, 0, late}},
		"what copies does not":                            {r: Request{Status: InProgress, Start: late, Steps: []Step{{Verb: DoDelete, State: Planned}, {Verb: DoExport, State: Planned}}}, want: unit{unitStep, 1, time.Time{}}},
		"a step in its pause lets the next one go":        {r: Request{Status: InProgress, Steps: []Step{{State: Working, Attempts: after(late)}, {State: Looking, Attempts: after(soon)}}}, want: unit{unitStep, 1, soon}},
		"a task holds up the end":                         {r: Request{Status: InProgress, Steps: []Step{{State: Done}, {State: Waiting}}}, none: true},
		"a failed step holds up the end":                  {r: Request{Status: InProgress, Steps: []Step{{State: Done}, {State: Failed}}}, none: true},
		"with everything over, the answer":                {r: Request{Status: InProgress, Steps: []Step{{State: Done}, {State: Nothing}, {State: Kept}, {State: Told}}}, want: unit{unitFinish, 0, time.Time{}}},
		"a package that could not be made waits its turn": {r: Request{Status: InProgress, Making: after(late)}, want: unit{unitFinish, 0, late}},
		"over is over":                                    {r: Request{Status: Fulfilled, Steps: []Step{{State: Planned}}}, none: true},
	}
	for name, tt := range tests {
		got, ok := tt.r.unit()
		if ok == tt.none || got != tt.want {
			t.Errorf("%s: %+v, %t; want %+v", name, got, ok, tt.want)
		}
	}
}

func TestANewPlanForgetsNothingThatHasBegun(t *testing.T) {
	t.Parallel()
	planned := Step{Verb: DoDelete, State: Planned, Known: 2, Found: 3}
	tests := map[string]struct {
		old  Step
		want Step
	}{
		"with the same identities it goes on":       {Step{Verb: DoDelete, State: Working, Known: 2, Found: 9, Done: 4, Calls: 2}, Step{Verb: DoDelete, State: Working, Known: 2, Found: 9, Done: 4, Calls: 2}},
		"with more, what is left is added":          {Step{Verb: DoDelete, State: Done, Known: 1, Found: 4, Done: 4, Calls: 2}, Step{Verb: DoDelete, State: Planned, Known: 2, Found: 7, Done: 4, Calls: 3}},
		"a correction is made once more":            {Step{Verb: DoCorrect, State: Done, Known: 1, Found: 4, Done: 4, Calls: 2}, Step{Verb: DoCorrect, State: Planned, Known: 2, Found: 3, Calls: 3}},
		"a copy begins anew, in a round of its own": {Step{Verb: DoExport, State: Done, Known: 1, Found: 4, Done: 4, Calls: 2, Round: 1}, Step{Verb: DoExport, State: Planned, Known: 2, Found: 3, Round: 2}},
		"a task that was done stays done":           {Step{Verb: DoByHand, State: Done, By: "h1"}, Step{Verb: DoByHand, State: Done, By: "h1", Known: 2}},
	}
	for name, tt := range tests {
		if got := lines([]Step{tt.old.extended(planned)}) + fmt.Sprint(tt.old.extended(planned)); got != lines([]Step{tt.want})+fmt.Sprint(tt.want) {
			t.Errorf("%s: %+v, want %+v", name, tt.old.extended(planned), tt.want)
		}
	}
	begun := []Step{{State: Working}, {State: Looking}, {State: Waiting}, {State: Done}, {State: Planned, Calls: 1}, {State: Planned, Round: 1}, {State: Planned, Attempts: Attempts{Tries: 1}}, {State: Failed, Calls: 1}}
	fresh := []Step{{State: Planned}, {State: Nothing}, {State: Kept}, {State: Told}, {State: Failed, Attempts: Attempts{Tries: 8}}}
	if i := slices.IndexFunc(begun, func(s Step) bool { return !s.begun() }); i >= 0 {
		t.Errorf("%+v has begun", begun[i])
	}
	if i := slices.IndexFunc(fresh, Step.begun); i >= 0 {
		t.Errorf("%+v has not begun", fresh[i])
	}
}

func TestBackOffGrowsAndEnds(t *testing.T) {
	t.Parallel()
	sum, last := time.Duration(0), time.Duration(0)
	for n := 1; n < maxTries; n++ {
		if b := table.Backoff(n); b < last || b > 2*time.Hour || b <= 0 {
			t.Errorf("pause %d is %s after %s", n, b, last)
		} else {
			sum, last = sum+b, b
		}
	}
	if sum < 30*time.Minute || sum > 5*time.Hour {
		t.Errorf("an operator looks after %s", sum)
	}
	if table.Backoff(1_000_000) != 2*time.Hour {
		t.Error("the pause overflows")
	}
}
