package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
)

// maxLines is how many lines one call of an import may have.
const maxLines = 100

// importing is one line of an import: a choice or a suppression from elsewhere.
type importing struct {
	chosen
	Subject   *identity `json:"subject"`
	Stop      string    `json:"stop"`
	At        string    `json:"at"`
	Method    string    `json:"method"`
	Language  string    `json:"language"`
	Page      string    `json:"page"`
	Residence string    `json:"residence"`
	Evidence  string    `json:"evidence"`
}

// imported is what became of a line.
type imported struct {
	Line   int    `json:"line"` // counted from 1
	Result string `json:"result"`
	Why    string `json:"why,omitempty"`
}

// operatorImport takes over what was chosen elsewhere. A line that cannot be used
// is said so and holds up no other.
func (env Env) operatorImport(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		DryRun bool        `json:"dry_run"`
		Lines  []importing `json:"lines"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	if n := len(b.Lines); n == 0 || n > maxLines {
		return fault.Input(fault.Field{Pointer: "/lines", Text: "must be from 1 to 100 lines"})
	}
	out := make([]imported, len(b.Lines))
	var good []consent.Import
	var places []int
	for i, line := range b.Lines {
		one, err := env.importOf(line)
		if err != nil {
			f := classify(err)
			out[i] = imported{i + 1, consent.Refused, f.Fields[0].Pointer + " " + f.Fields[0].Text}
			continue
		}
		good, places = append(good, one), append(places, i)
	}
	done, err := env.Consents.Import(r.Context(), who(r), good, b.DryRun)
	if err != nil {
		return err
	}
	for i, o := range done {
		out[places[i]] = imported{places[i] + 1, o.Result, o.Why}
	}
	return ok(w, map[string]any{"dry_run": b.DryRun, "outcomes": out})
}

func (env Env) importOf(line importing) (consent.Import, error) {
	i := consent.Import{Stop: policy.Stop(line.Stop), Evidence: line.Evidence}
	var err error
	if i.Identity, err = env.identityOf("/subject", line.Subject); err != nil {
		return i, err
	}
	if line.At != "" {
		if i.At, err = time.Parse(time.RFC3339, line.At); err != nil {
			i.At, err = time.Parse(time.DateOnly, line.At)
		}
		if err != nil {
			return i, fault.Input(fault.Field{Pointer: "/at", Text: "must be a date such as 2026-03-05, or a time in RFC 3339"})
		}
	}
	if line.chosen != (chosen{}) {
		i.Asked = []consent.Asked{line.domain()}
	}
	i.Method, i.Language, i.Page, i.Residence = consent.Method(line.Method), line.Language, line.Page, place(line.Residence)
	if i.Method == "" {
		i.Method = consent.Imported
	}
	return i, nil
}

// halted is the switch that stops collection and processing, as it stands.
type halted struct {
	On      bool       `json:"on"`
	Since   *time.Time `json:"since,omitempty"`
	Cause   string     `json:"cause,omitempty"`
	Upgrade string     `json:"upgrade,omitempty"`
}

func haltedOf(h consent.Halt) halted { return halted{h.On, maybe(h.Since), h.Cause, h.Upgrade} }

func (env Env) operatorHalted(w http.ResponseWriter, r *http.Request) error {
	if !who(r).May(operator.Handler) && !who(r).May(operator.Auditor) {
		return request.ErrForbidden
	}
	h, err := env.Consents.Halted(r.Context())
	if err != nil {
		return err
	}
	return ok(w, haltedOf(h))
}

func (env Env) operatorHalt(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Cause string `json:"cause"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	h, err := env.Consents.Halt(r.Context(), who(r), b.Cause)
	if err != nil {
		return err
	}
	return ok(w, haltedOf(h))
}

func (env Env) operatorResumeAll(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Upgrade string `json:"upgrade"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	h, err := env.Consents.Resume(r.Context(), who(r), b.Upgrade)
	if err != nil {
		return err
	}
	return ok(w, haltedOf(h))
}
