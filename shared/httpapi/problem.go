package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"rightsdesk/shared/fault"
)

// statusOf is the one place where a kind of fault becomes an HTTP status.
var statusOf = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Mismatch:        http.StatusUnprocessableEntity,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

var (
	errInternal = fault.New(fault.Internal, "internal", "Something went wrong on our side. Try again later; if it stays, tell us.")
	errTooLarge = fault.New(fault.TooLarge, "too_large", "The body is too large; send less.")
	errJSON     = fault.New(fault.Invalid, "invalid_json", "The body must be one JSON object with the documented fields only; see docs/api/openapi.yaml.")
)

// tooLarge returns the fault for a body that is, nil for another error.
func tooLarge(err error) *fault.Error {
	over, ok := errors.AsType[*http.MaxBytesError](err)
	if !ok {
		return nil
	}
	return errTooLarge.Saying("The body is larger than " + strconv.FormatInt(over.Limit>>10, 10) + " KB; send less.")
}

// problem is a problem document (RFC 9457).
type problem struct {
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Code   string         `json:"code"`
	Detail string         `json:"detail"`
	Errors []fieldProblem `json:"errors,omitempty"`
}

type fieldProblem struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func writeProblem(w http.ResponseWriter, f *fault.Error) {
	status := statusOf[f.Kind]
	p := problem{Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Text}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, fieldProblem{field.Pointer, field.Text})
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
	}
	if f.Kind == fault.Unauthenticated && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client went away
}

func ok(w http.ResponseWriter, v any) error {
	writeJSON(w, http.StatusOK, "application/json", v)
	return nil
}

// read decodes the body strictly and returns its bytes as they were sent, for
// the idempotency check.
func read(r *http.Request, v any) (string, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		if f := tooLarge(err); f != nil {
			return "", f
		}
		return "", errJSON.Because(errors.New("the body broke off"))
	}
	if len(b) == 0 {
		b = []byte("{}")
	}
	if err := strict(b, v); err != nil {
		return "", err
	}
	return string(b), nil
}
