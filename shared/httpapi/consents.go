package httpapi

import (
	"net/http"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/topology"
)

var errUnwritten = fault.New(fault.Unavailable, "unwritten", "Not yet written.")

// consentRoutes are the handlers of the function consent.
func consentRoutes(env Env) Set {
	set := choicePages(env)
	for _, r := range topology.Consent.Routes {
		if set[r.Pattern] != nil {
			continue
		}
		set[r.Pattern] = func(http.ResponseWriter, *http.Request) error { return errUnwritten }
	}
	return set
}

func (env Env) appSubmit(http.ResponseWriter, *http.Request) error { return errUnwritten }

func (env Env) gpc(http.ResponseWriter, *http.Request) error { return errUnwritten }
