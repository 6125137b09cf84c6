package httpapi

import "net/http"

func (env Env) certificate(http.ResponseWriter, *http.Request) error { return errNotOffered }

func (env Env) operatorCertificate(http.ResponseWriter, *http.Request) error { return errNotOffered }
