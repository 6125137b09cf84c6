package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/restore"
)

// replayed is the latest replay of the audit, while it goes on and after.
type replayed struct {
	ID      string     `json:"id"`
	Started time.Time  `json:"started_at"`
	Ended   *time.Time `json:"ended_at,omitempty"`
	Phase   string     `json:"phase"`
	Report  report     `json:"report"`
}

type report struct {
	Chains   int            `json:"chains"`
	Entries  int            `json:"entries"`
	Advanced int            `json:"advanced"` // aggregates that were behind, ahead or torn
	Remade   int            `json:"remade"`   // that were gone
	Salts    int            `json:"salts"`    // destroyed again
	Orphans  int            `json:"orphans"`  // removed
	Fences   int            `json:"fences"`   // of legal holds, that were wrong
	Ahead    int            `json:"ahead"`    // aggregates that remembered what the audit does not have
	Lost     []string       `json:"lost"`     // chains whose aggregate cannot be made from them
	Broken   []string       `json:"broken"`   // chains that do not verify, and where
	More     int            `json:"more"`     // lost and broken chains that are not listed
	Missing  map[string]int `json:"missing"`  // what could not be rebuilt, by code
	Unknown  map[string]int `json:"unknown"`  // chains that nobody rebuilds, by kind
	Sources  []again        `json:"sources"`
}

// again is a place where people had been erased, and what was erased of them again.
type again struct {
	Source   string `json:"source"`
	Category string `json:"category"`
	Verb     string `json:"verb"`
	Seen     int    `json:"seen"`
	Erased   int    `json:"erased"`
	Held     int    `json:"held"`
	ByHand   bool   `json:"by_hand"` // no program walks it: its team has to
}

func replayedOf(run restore.Run) replayed {
	from := run.Report
	a := replayed{ID: run.ID, Started: run.Started, Ended: maybe(run.Ended), Phase: string(run.Phase), Report: report{
		Chains: from.Chains, Entries: from.Entries, Advanced: from.Advanced, Remade: from.Remade, Salts: from.Salts, Orphans: from.Orphans,
		Fences: from.Fences, Ahead: from.Ahead, Lost: append([]string{}, from.Lost...), Broken: append([]string{}, from.Broken...), More: from.More,
		Missing: countsOf(from.Missing), Unknown: countsOf(from.Unknown), Sources: []again{},
	}}
	for _, s := range from.Sources {
		a.Report.Sources = append(a.Report.Sources, again{s.Source, s.Category, string(s.Verb), s.Seen, s.Erased, s.Held, s.ByHand})
	}
	return a
}

func (env Env) operatorReplay(w http.ResponseWriter, r *http.Request) error {
	run, err := env.Restore.Show(r.Context(), who(r))
	if err != nil {
		return err
	}
	return ok(w, replayedOf(run))
}

// operatorStartReplay wants a yes in so many words: it deletes from the company's data
// stores what was erased there before.
func (env Env) operatorStartReplay(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Confirm bool `json:"confirm"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	if !b.Confirm {
		return fault.Input(fault.Field{Pointer: "/confirm", Text: "must be true: a replay erases again, in every source, whoever was erased before"})
	}
	run, err := env.Restore.Start(r.Context(), who(r))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusAccepted, "application/json", replayedOf(run))
	return nil
}
