package httpapi

import (
	"net/http"
	"strings"

	"rightsdesk/shared/topology"
)

// choicePages are the handlers of the function consent that serve people.
func choicePages(Env) Set {
	set := Set{}
	for _, r := range topology.Consent.Routes {
		if !strings.HasPrefix(r.Path(), "/v1/") && !strings.HasPrefix(r.Path(), "/.well-known/") {
			set[r.Pattern] = func(http.ResponseWriter, *http.Request) error { return errUnwritten }
		}
	}
	return set
}
