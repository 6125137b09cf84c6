package lambdahttp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxAnswer is the largest answer, in bytes. Lambda takes 6 MB, of which base64
// and JSON need up to a half.
const maxAnswer = 4 << 20

var errTooLarge = errors.New("lambdahttp: the answer is larger than Lambda takes; hand out a link instead")

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header // what the handler sets
	sent   http.Header // what it had set when it wrote the status
	status int
	body   bytes.Buffer
	over   bool // more was written than can be sent
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. The first call counts.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status >= 100 && status < 200 { // interim answers go nowhere
		return
	}
	a.status, a.sent = status, a.header.Clone()
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !hasBody(a.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if a.over = a.over || a.body.Len()+len(b) > maxAnswer; a.over {
		return 0, errTooLarge
	}
	return a.body.Write(b)
}

func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// response returns what the handler wrote as the gateway wants it.
func (a *answer) response(head bool) events.APIGatewayV2HTTPResponse {
	a.WriteHeader(http.StatusOK)
	if a.over || a.status < 200 || a.status > 599 {
		failed := newAnswer()
		refuse(http.StatusInternalServerError, "internal", "Something went wrong on our side. Try again later; if it stays, tell us.").write(failed)
		return failed.response(head)
	}
	r := events.APIGatewayV2HTTPResponse{StatusCode: a.status, Headers: map[string]string{}}
	if a.body.Len() > 0 && a.sent.Get("Content-Type") == "" {
		a.sent.Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
	for name, values := range a.sent {
		switch {
		case !isToken(name), name == "Content-Length", name == "Transfer-Encoding", name == "Connection": // the gateway's own
		case name == "Set-Cookie": // the one header whose values cannot be joined
			for _, v := range values {
				r.Cookies = append(r.Cookies, oneLine(v))
			}
		default:
			r.Headers[name] = oneLine(strings.Join(values, ", "))
		}
	}
	switch body := a.body.Bytes(); {
	case head:
	case utf8.Valid(body) && a.sent.Get("Content-Encoding") == "":
		r.Body = string(body)
	default:
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	return r
}

// oneLine does what net/http does with a header that holds a line break.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s)
}
