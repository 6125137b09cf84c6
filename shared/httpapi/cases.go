package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/law"
)

// legalCase is what the dates of a request hang on.
type legalCase struct {
	Regimes      []string   `json:"regimes"`
	Residence    string     `json:"residence,omitempty"`
	Right        string     `json:"right"`
	Received     time.Time  `json:"received_at"`
	Zone         string     `json:"time_zone"`
	Place        string     `json:"place"`
	PromisedDays int        `json:"promised_days"`
	Stops        []law.Stop `json:"stops"`
	Extended     bool       `json:"extended"`
	Now          time.Time  `json:"now"` // until when a stop that is not answered has lasted
}

type openCase struct {
	ID            string     `json:"id"`
	Case          legalCase  `json:"case"`
	Law           string     `json:"law"`
	RespondBy     time.Time  `json:"respond_by"`
	SafeBy        time.Time  `json:"safe_by"`
	AcknowledgeBy *time.Time `json:"acknowledge_by,omitempty"`
}

// operatorCases lists open requests with what their dates hang on, so that the
// next version's law packs can be tried on them before they are installed.
func (env Env) operatorCases(w http.ResponseWriter, r *http.Request) error {
	list, next, err := env.Requests.Cases(r.Context(), who(r), r.URL.Query().Get("cursor"))
	if err != nil {
		return err
	}
	cases := []openCase{}
	for _, o := range list {
		c := o.Case
		one := openCase{
			ID: string(o.ID), Law: o.Law, RespondBy: o.RespondBy, SafeBy: o.SafeBy, AcknowledgeBy: maybe(o.AcknowledgeBy),
			Case: legalCase{
				c.Regimes, c.Residence, c.Right, c.Received, env.Policy.Controller.TimeZone, c.Place, c.PromisedDays,
				append([]law.Stop{}, c.Stops...), c.Extended, c.Now,
			},
		}
		cases = append(cases, one)
	}
	return ok(w, map[string]any{"cases": cases, "cursor": next})
}
