package httpapi

import "net/http"

func (env Env) appEvents(http.ResponseWriter, *http.Request) error { return errNotOffered }
