package httpapi

import (
	"net/http"

	"rightsdesk/shared/fault"
)

var errNotOffered = fault.New(fault.NotFound, "not_offered", "This installation does not offer that.")

func (env Env) certificate(http.ResponseWriter, *http.Request) error { return errNotOffered }

func (env Env) operatorCertificate(http.ResponseWriter, *http.Request) error { return errNotOffered }
