package httpsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
)

// answers is a Source that says one thing and counts how often it was asked.
type answers struct {
	err   error
	asked *int
}

func (a answers) Find(context.Context, source.Ask) (source.Found, error) {
	*a.asked++
	return source.Found{Done: true}, a.err
}

func (a answers) Execute(context.Context, source.Order) (source.Done, error) {
	*a.asked++
	return source.Done{Removed: 1, Done: true}, a.err
}

const (
	findBody   = `{"version":1,"source":"shop","operation":"find","identities":[{"kind":"email","value":"a@example.org"}],"limit":5}`
	choiceBody = `{"version":1,"source":"shop","operation":"choose","identities":[{"kind":"email","value":"a@example.org"}],"until":"2026-03-02T12:00:00Z","choice":{"right":"opt_out_sale","purposes":[],"on":true}}`
	eraseBody  = `{"version":1,"source":"shop","operation":"erase","action":"delete","identities":[{"kind":"email","value":"a@example.org"}],"limit":5}`
)

func TestEndpointActsOnSignedCallsThatItUnderstands(t *testing.T) {
	t.Parallel()
	replace := strings.NewReplacer
	for name, test := range map[string]struct {
		method, body string
		unsigned     bool
		lease        time.Time
		err          error
		status       int
		asked        int
	}{
		"find":                           {status: 200, asked: 1},
		"erase":                          {body: eraseBody, status: 200, asked: 1},
		"correct":                        {body: replace("erase", "correct", `"action":"delete",`, "").Replace(eraseBody), status: 200, asked: 1},
		"choose":                         {body: choiceBody, status: 200, asked: 1},
		"a choice of nothing":            {body: replace(`,"choice":{"right":"opt_out_sale","purposes":[],"on":true}`, "").Replace(choiceBody), status: 422},
		"a GET":                          {method: http.MethodGet, status: 405},
		"an unsigned call":               {unsigned: true, status: 401},
		"a lease that is over":           {lease: noon, status: 409},
		"another source":                 {body: replace("shop", "till").Replace(findBody), status: 422},
		"another version":                {body: replace(`"version":1`, `"version":2`).Replace(findBody), status: 422},
		"another operation":              {body: replace("find", "list").Replace(findBody), status: 422},
		"an erasure without an action":   {body: replace(`"action":"delete",`, "").Replace(eraseBody), status: 422},
		"an erasure that corrects":       {body: replace("delete", "correct").Replace(eraseBody), status: 422},
		"nobody":                         {body: replace(`{"kind":"email","value":"a@example.org"}`, "").Replace(eraseBody), status: 422},
		"somebody without a value":       {body: replace("a@example.org", " ").Replace(eraseBody), status: 422},
		"an unknown field":               {body: replace(`"limit"`, `"limits"`).Replace(findBody), status: 422},
		"no JSON":                        {body: "operation=find", status: 422},
		"a body of more than a MiB":      {body: findBody + strings.Repeat(" ", 1<<20), status: 413},
		"a store that is busy":           {err: fmt.Errorf("busy: %w", source.ErrLater), status: 503, asked: 1},
		"a store that will not":          {err: fmt.Errorf("no: %w", source.ErrRefused), status: 422, asked: 1},
		"a store that broke":             {err: errors.New("of a@example.org"), status: 500, asked: 1},
		"a store that breaks in erasing": {body: eraseBody, err: errors.New("of a@example.org"), status: 500, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.body == "" {
				test.body = findBody
			}
			if test.method == "" {
				test.method = http.MethodPost
			}
			if test.lease.IsZero() {
				test.lease = noon.Add(time.Minute)
			}
			asked := 0
			e := httpsource.Endpoint{ID: "shop", Source: answers{test.err, &asked}, Secrets: [][]byte{older, secret}, Now: func() time.Time { return noon }}
			r := httptest.NewRequestWithContext(t.Context(), test.method, "/", strings.NewReader(test.body))
			r.Header = signed(test.body, strconv.FormatInt(test.lease.Unix(), 10))
			if test.unsigned {
				r.Header.Set("Idempotency-Key", "another")
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			body, _ := io.ReadAll(w.Body)
			if w.Code != test.status || asked != test.asked {
				t.Errorf("%d, asked %d times; want %d, %d", w.Code, asked, test.status, test.asked)
			}
			if (test.status == 200) == strings.Contains(string(body), `"error"`) || strings.Contains(string(body), "@") {
				t.Errorf("%s", body)
			}
		})
	}
}

// signed returns the headers of a call, made as docs/hook.md says.
func signed(body, lease string) http.Header {
	now := strconv.FormatInt(noon.Unix(), 10)
	return vector{"", now, lease, "k-1", "", httpsource.Signature(secret, now, lease, "k-1", []byte(body))}.header()
}
