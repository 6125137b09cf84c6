package httpapi

import (
	"net/http"
	"strings"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/retention"
)

// sweeping is one retention rule as operators see it: what it says, what it would
// do, what it does and what holds it up.
type sweeping struct {
	ID      string `json:"id"`
	Rule    rule   `json:"rule"`
	Version string `json:"version"` // of the rule; what is activated and confirmed
	Status  string `json:"status"`

	Preview    *previewed `json:"preview,omitempty"`
	Previewing bool       `json:"previewing"` // one is being made
	Activated  *time.Time `json:"activated_at,omitempty"`
	By         string     `json:"activated_by,omitempty"`

	Inventory *counted   `json:"inventory,omitempty"` // how much the source holds of the category
	Limit     int        `json:"limit"`               // of one day; 0 for what is not swept by age
	Left      int        `json:"left"`                // of today's, and what was confirmed beyond it
	Brake     *stopped   `json:"brake,omitempty"`     // why it holds
	Run       *swept     `json:"run,omitempty"`       // under way
	Last      *swept     `json:"last_run,omitempty"`
	PerSecond float64    `json:"per_second,omitempty"` // records expired, of the last minutes
	ETA       *time.Time `json:"eta,omitempty"`
	Late      *late      `json:"late,omitempty"`
	ByHand    *byHand    `json:"by_hand,omitempty"`
	Drift     []drift    `json:"drift,omitempty"`
	Fault     string     `json:"fault,omitempty"` // the code of the last failure
	Next      *time.Time `json:"next_at,omitempty"`
}

// rule is what the policy says.
type rule struct {
	Text         string    `json:"text"` // the rule in words
	Source       string    `json:"source"`
	Category     string    `json:"category"`
	Trigger      string    `json:"trigger"`
	Relationship string    `json:"relationship,omitempty"`
	Purpose      string    `json:"purpose,omitempty"`
	Period       string    `json:"period"`
	Action       string    `json:"action"`
	SetBy        string    `json:"set_by"`
	Kept         bool      `json:"ends_a_duty"` // made of a duty to keep, when it ends
	Except       []keeping `json:"except"`
	Percent      float64   `json:"brake_percent"`
	Cap          int       `json:"brake_cap"`
}

// keeping is why something stays longer.
type keeping struct {
	Ground  string `json:"ground"`
	Duty    string `json:"duty"`
	Article string `json:"article,omitempty"`
	Period  string `json:"period"`
	From    string `json:"from"`
}

type previewed struct {
	At       time.Time  `json:"at"`
	Total    int        `json:"total"`
	Due      int        `json:"due"`
	Held     int        `json:"held"`
	Undated  int        `json:"undated"` // of which the source does not know the age; never due
	Oldest   *time.Time `json:"oldest,omitempty"`
	Newest   *time.Time `json:"newest,omitempty"`
	Samples  []string   `json:"samples"`
	ByPerson bool       `json:"by_person"` // its time begins with something that happens to a person: nothing was counted
}

type counted struct {
	Total int       `json:"total"`
	At    time.Time `json:"at"`
}

type stopped struct {
	At    time.Time `json:"at"`
	Taken int       `json:"taken"` // on that day
	Limit int       `json:"limit"` // of that day
	Next  int       `json:"next"`  // what stood on the page that was not begun
}

type swept struct {
	Began    time.Time  `json:"began_at"`
	Ended    *time.Time `json:"ended_at,omitempty"`
	Until    time.Time  `json:"until"` // what is of this instant or before is due
	Pages    int        `json:"pages"`
	Seen     int        `json:"seen"`
	Done     int        `json:"done"`
	Kept     int        `json:"kept"` // that the source left as they are: used again since, say
	Held     int        `json:"held"` // that legal holds keep
	Undated  int        `json:"undated"`
	Units    float64    `json:"units"`              // what looking cost, in the source's own unit
	Expected int        `json:"expected,omitempty"` // what the preview counted
	Verified bool       `json:"verified"`           // a last look found nothing due, but for holds
}

type late struct {
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
}

type byHand struct {
	Team string     `json:"team"`
	Due  time.Time  `json:"due"`
	Done *time.Time `json:"done_at,omitempty"`
	By   string     `json:"done_by,omitempty"`
}

// drift is a log group that does not keep as long as the policy says.
type drift struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Days int    `json:"days"` // 0: for ever, or it is missing
	Want int    `json:"want"`
	Set  bool   `json:"set"` // it was set right
}

func (env Env) sweepingOf(r *http.Request, v retention.View) sweeping {
	sw := v.Sweep
	s := sweeping{
		ID: v.Rule.ID, Rule: env.ruleOf(r, v.Rule), Version: v.Version, Status: string(sw.Status), Previewing: v.Previewing,
		Activated: maybe(sw.Activated), By: operatorID(sw.By), Limit: v.Limit, Left: v.Left, Run: sweptOf(sw.Run), Last: sweptOf(sw.Last),
		PerSecond: v.Progress.PerSecond, ETA: maybe(v.Progress.ETA), Fault: sw.Fault, Next: maybe(v.Next),
	}
	if p := sw.Preview; p != nil {
		s.Preview = &previewed{p.At, p.Total, p.Due, p.Held, p.Undated, maybe(p.Oldest), maybe(p.Newest), append([]string{}, p.Samples...), p.ByPerson}
	}
	if !sw.Inventory.At.IsZero() {
		s.Inventory = &counted{sw.Inventory.Total, sw.Inventory.At}
	}
	if b := sw.Stop; b != nil {
		s.Brake = &stopped{b.At, b.Taken, b.Limit, b.Next}
	}
	if v.Late != nil {
		s.Late = &late{v.Late.Since, string(v.Late.Why)}
	}
	if h := sw.ByHand; h != nil {
		s.ByHand = &byHand{h.Team, h.Due, maybe(h.Done), operatorID(h.By)}
	}
	return s
}

// operatorID is the id of an operator who stands somewhere as an actor.
func operatorID(actor string) string { return strings.TrimPrefix(actor, "operator:") }

func sweptOf(run *retention.Run) *swept {
	if run == nil {
		return nil
	}
	return &swept{
		run.Began, maybe(run.Ended), run.Until, run.Pages, run.Seen, run.Done, run.Kept, run.Held, run.Undated, run.Units, run.Expect, run.Verified,
	}
}

// ruleOf is a rule as the policy has it, in the operator's language.
func (env Env) ruleOf(r *http.Request, from policy.RetentionRule) rule {
	lang := env.language("", r)
	out := rule{
		Text: env.ruleText(lang, from), Source: from.Source, Category: from.Category, Trigger: string(from.Trigger), Relationship: from.Relationship,
		Purpose: from.Purpose, Period: from.Period.String(), Action: string(from.Action), SetBy: string(from.SetBy), Kept: from.Kept,
		Except: []keeping{}, Percent: from.Brake.Percent, Cap: from.Brake.Cap,
	}
	for _, k := range from.Except {
		out.Except = append(out.Except, keeping{string(k.Ground), k.Duty.In(lang), k.Article, k.Period.String(), string(k.From)})
	}
	return out
}

func (env Env) operatorRules(w http.ResponseWriter, r *http.Request) error {
	list, err := env.Retention.List(r.Context(), who(r))
	if err != nil {
		return err
	}
	out := []sweeping{}
	for _, v := range list {
		out = append(out, env.sweepingOf(r, v))
	}
	return ok(w, map[string]any{"policy": env.Policy.Version, "rules": out})
}

func (env Env) operatorRule(w http.ResponseWriter, r *http.Request) error {
	v, err := env.Retention.Show(r.Context(), who(r), r.PathValue("rule"))
	return env.sweepingAs(w, r, v, err)
}

// sweepingAs answers with where a rule stands.
func (env Env) sweepingAs(w http.ResponseWriter, r *http.Request, v retention.View, err error) error {
	if err != nil {
		return err
	}
	return ok(w, env.sweepingOf(r, v))
}

func (env Env) operatorPreview(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	if _, err := call(r, &none); err != nil {
		return err
	}
	v, err := env.Retention.Preview(r.Context(), who(r), r.PathValue("rule"))
	return env.sweepingAs(w, r, v, err)
}

// operatorActivate wants the version that the operator looked at: nobody lets a rule
// loose that they did not see.
func (env Env) operatorActivate(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Version string `json:"version"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	if b.Version == "" {
		return errRuleVersion
	}
	v, err := env.Retention.Activate(r.Context(), who(r), r.PathValue("rule"), b.Version)
	return env.sweepingAs(w, r, v, err)
}

func (env Env) operatorPauseRule(w http.ResponseWriter, r *http.Request) error {
	var none struct{}
	if _, err := call(r, &none); err != nil {
		return err
	}
	v, err := env.Retention.Pause(r.Context(), who(r), r.PathValue("rule"))
	return env.sweepingAs(w, r, v, err)
}

func (env Env) operatorConfirm(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Version string `json:"version"`
		Extra   int    `json:"extra"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	if b.Version == "" {
		return errRuleVersion
	}
	v, err := env.Retention.Confirm(r.Context(), who(r), r.PathValue("rule"), b.Version, b.Extra)
	return env.sweepingAs(w, r, v, err)
}

// ruleText is a rule in words, with the labels of the policy.
func (env Env) ruleText(lang string, r policy.RetentionRule) string {
	category, from := r.Category, r.Source
	if c, ok := env.Policy.Category(r.Category); ok {
		category = c.Label.In(lang)
	}
	if s, ok := env.Policy.Source(r.Source); ok {
		from = s.Label.In(lang)
	}
	return page.RuleText(lang, r, category, from)
}

var errRuleVersion = fault.Input(fault.Field{Pointer: "/version", Text: "must be the version of the rule that you looked at"})
