package httpapi

import (
	"fmt"
	"net/http"

	"rightsdesk/shared/request"
)

// certificate is what was erased, for its person: to be kept, and shown to anybody.
func (env Env) certificate(w http.ResponseWriter, r *http.Request) error {
	c, err := env.Requests.Certificate(r.Context(), id(r), Bearer(r))
	return env.certify(w, r, c, err)
}

func (env Env) operatorCertificate(w http.ResponseWriter, r *http.Request) error {
	c, err := env.Requests.CertificateFor(r.Context(), who(r), id(r))
	return env.certify(w, r, c, err)
}

func (env Env) certify(w http.ResponseWriter, r *http.Request, c request.Certified, err error) error {
	if err != nil {
		return err
	}
	q := r.URL.Query()
	b, err := env.Certificates.Make(c, env.language(q.Get("lang"), r))
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if q.Get("signed") != "1" {
		return write(w, "application/json", b)
	}
	jws, err := env.Certificates.Sign(b)
	if err != nil {
		return fmt.Errorf("sign a certificate: %w", err)
	}
	return write(w, "application/jose", []byte(jws))
}
