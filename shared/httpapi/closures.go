package httpapi

import (
	"net/http"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/topology"
)

// closureRoutes are the handlers of the function closure.
func closureRoutes(env Env) Set {
	set := Set{}
	for _, r := range topology.Closure.Routes {
		set[r.Pattern] = env.closed
	}
	return set
}

var errNotOffered = fault.New(fault.NotFound, "not_offered", "This installation does not offer that.")

func (env Env) closed(http.ResponseWriter, *http.Request) error { return errNotOffered }
