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

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
)

var (
	age    = source.Age{Category: "visits", By: source.Collected, Until: noon, Verb: source.Delete, Limit: 2, Call: when}
	expiry = source.Expiry{
		Verb: source.Delete, Category: "visits", By: source.Collected, Until: noon, Call: when,
		Records: []source.AgedRecord{{ID: "v-1", Who: []personal.Identity{ada}, Handle: personal.MakeText("of " + canary)}, {ID: "v-2"}},
	}
)

func TestASweepOnTheWireNamesNobody(t *testing.T) {
	t.Parallel()
	var got string
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got = string(raw)
	})
	anonymise := expiry
	anonymise.Verb, anonymise.By, anonymise.MaskKey, anonymise.Masks = source.Anonymise, source.LastUsed, []byte("key"), []source.Mask{{Field: "ip", How: source.KeyedHash}}
	_, _ = c.Old(t.Context(), age) // the answers are not what is tested here
	if want := `{"version":1,"source":"shop","operation":"old","identities":[],"category":"visits","until":"2026-03-02T12:00:00Z","limit":2,"action":"delete","by":"collected"}`; got != want {
		t.Errorf("old:\n%s\nwant\n%s", got, want)
	}
	_, _ = c.Expire(t.Context(), expiry)
	if want := `{"version":1,"source":"shop","operation":"expire","identities":[],"category":"visits","until":"2026-03-02T12:00:00Z","action":"delete","by":"collected","ids":["v-1","v-2"]}`; got != want {
		t.Errorf("expire:\n%s\nwant\n%s", got, want)
	}
	_, _ = c.Expire(t.Context(), anonymise)
	if want := `{"version":1,"source":"shop","operation":"expire","identities":[],"category":"visits","until":"2026-03-02T12:00:00Z","action":"anonymise","masks":[{"field":"ip","how":"keyed_hash"}],"mask_key":"a2V5","by":"last_used","ids":["v-1","v-2"]}`; got != want {
		t.Errorf("anonymise:\n%s\nwant\n%s", got, want)
	}
}

func TestAnAnswerToOldIsBelievedOnlyIfItIsWhole(t *testing.T) {
	t.Parallel()
	rec := func(more string) string {
		return `{"data":[{"category":"visits","id":"v-1","at":"2026-01-05T10:00:00Z"` + more + `}],"done":true}`
	}
	for body, ok := range map[string]bool{
		rec(""): true,
		rec(`,"who":[{"kind":"account","value":"acc-1"}]`):                      true,
		`{"data":[{"category":"visits","id":"v-1"}],"done":true}`:               true, // it does not know
		`{"data":[],"done":true}`:                                               true,
		`{"data":[],"seen":700,"cursor":"next","done":false}`:                   true,
		`{"data":[],"done":false}`:                                              false,
		`{"data":[],"cursor":"here","done":false}`:                              false,
		`{"data":[],"cursor":"next","done":true}`:                               false,
		`{"data":[],"cursor":"` + strings.Repeat("x", 4097) + `","done":false}`: false,
		`{"done":true}`: false,
		`{"data":[]}`:   false,
		strings.Replace(rec(""), `"done"`, `"seen":0,"done"`, 1):                                                   true,
		strings.Replace(rec(""), `"done"`, `"seen":-1,"done"`, 1):                                                  false,
		strings.Replace(rec(""), "visits", "orders", 1):                                                            false,
		strings.Replace(rec(""), "v-1", "", 1):                                                                     false,
		strings.Replace(rec(""), "v-1", "ada@example.org", 1):                                                      false,
		strings.Replace(rec(""), "v-1", strings.Repeat("v", 256), 1):                                               true,
		strings.Replace(rec(""), "v-1", strings.Repeat("v", 257), 1):                                               false,
		strings.Replace(rec(""), "2026-01-05T10:00:00Z", "2026-03-02T12:00:01Z", 1):                                false,
		rec(`,"who":[{"kind":"account","value":""}]`):                                                              false,
		rec(`,"who":[{"kind":"","value":"acc-1"}]`):                                                                false,
		rec(`,"who":[` + strings.TrimSuffix(strings.Repeat(`{"kind":"account","value":"acc-1"},`, 21), ",") + `]`): false,
		rec(`,"fields":{"ip":"192.0.2.1"}`):                                                                        false,
		rec(`,"handle":"v"`):                                                                                       false,
		`{"data":[{"category":"visits","id":"v-1"},{"category":"visits","id":"v-1"}],"done":true}`:                 false,
		`{"data":[{"category":"visits","id":"v-1"},{"category":"visits","id":"v-2"},{"category":"visits","id":"v-3"}],"seen":3,"done":true}`: false,
	} {
		asked := age
		asked.Cursor = "here"
		page, err := client(t, says(http.StatusOK, body)).Old(t.Context(), asked)
		if ok != (err == nil) || !ok && (!errors.Is(err, source.ErrRefused) || errors.Is(err, source.ErrNotSwept) || page.Done || strings.Contains(err.Error(), "example")) {
			t.Errorf("%s: %+v, %v; want accepted: %v", body, page, err, ok)
		}
	}
}

func TestAnAnswerToExpireIsBelievedOnlyIfItIsWhole(t *testing.T) {
	t.Parallel()
	for body, ok := range map[string]bool{
		`{"items_removed":2,"items_retained":0,"messages":[],"done":true}`:    true,
		`{"items_removed":1,"items_retained":1,"messages":["x"],"done":true}`: true,
		`{"items_removed":0,"items_retained":0,"messages":[],"done":true}`:    true, // both were gone
		`{"items_removed":2,"items_retained":1,"messages":[],"done":true}`:    false,
		`{"items_removed":1,"items_retained":0,"messages":[],"done":false}`:   false,
		`{"items_removed":-1,"items_retained":0,"messages":[],"done":true}`:   false,
		`{"items_removed":2,"items_retained":0,"messages":[]}`:                false,
		`{"items_removed":2,"done":true}`:                                     false,
	} {
		done, err := client(t, says(http.StatusOK, body)).Expire(t.Context(), expiry)
		if ok != (err == nil) || !ok && (!errors.Is(err, source.ErrRefused) || done.Done) {
			t.Errorf("%s: %+v, %v; want accepted: %v", body, done, err, ok)
		}
	}
}

func TestAHookThatDoesNotSweepSaysSo(t *testing.T) {
	t.Parallel()
	for status, swept := range map[int]bool{400: false, 404: false, 405: false, 422: false, 501: false, 401: true, 403: true, 409: true, 500: true, 503: true} {
		_, err := client(t, says(status, `{"data":[],"done":true}`)).Old(t.Context(), age)
		if err == nil || errors.Is(err, source.ErrNotSwept) == swept || !swept && (!errors.Is(err, source.ErrRefused) || errors.Is(err, source.ErrLater)) {
			t.Errorf("%d: %v", status, err)
		}
	}
	asked := 0
	e := httpsource.Endpoint{ID: "shop", Source: answers{nil, &asked}, Secrets: [][]byte{secret}, Now: func() time.Time { return noon }}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	if _, err := dial(t, server.URL, nil).Old(t.Context(), age); !errors.Is(err, source.ErrNotSwept) || asked != 0 {
		t.Errorf("an endpoint of a source that is no Sweeper: %v", err)
	}
}

// Nobody is called for what cannot be answered, or once the lease is over.
func TestASweepThatMakesNoSenseIsNotSent(t *testing.T) {
	t.Parallel()
	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("the hook was called") })
	for name, change := range map[string]func(*source.Age, *source.Expiry){
		"another source's category": func(a *source.Age, e *source.Expiry) { a.Category, e.Category = "letters", "letters" },
		"no instant":                func(a *source.Age, e *source.Expiry) { a.Until, e.Until = time.Time{}, time.Time{} },
		"no time of the record":     func(a *source.Age, e *source.Expiry) { a.By, e.By = "", "" },
		"a correction":              func(a *source.Age, e *source.Expiry) { a.Verb, e.Verb = source.Correct, source.Correct },
		"a key with a line feed":    func(a *source.Age, e *source.Expiry) { a.Call.Key, e.Call.Key = "a\nb", "a\nb" },
		"a lease that is over":      func(a *source.Age, e *source.Expiry) { a.Call.Lease, e.Call.Lease = noon, noon },
	} {
		a, e := age, expiry
		change(&a, &e)
		_, err1 := c.Old(t.Context(), a)
		_, err2 := c.Expire(t.Context(), e)
		for _, err := range []error{err1, err2} {
			if !errors.Is(err, source.ErrRefused) && !errors.Is(err, source.ErrLater) || errors.Is(err, source.ErrNotSwept) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// keeper is a Sweeper that answers what it is told to.
type keeper struct {
	answers
	page  source.Aged
	asked *[]string
}

func (k keeper) Old(_ context.Context, a source.Age) (source.Aged, error) {
	*k.asked = append(*k.asked, fmt.Sprint("old ", a.Category, a.By, a.Verb, a.Limit))
	return k.page, nil
}

func (k keeper) Expire(_ context.Context, e source.Expiry) (source.Done, error) {
	*k.asked = append(*k.asked, fmt.Sprint("expire ", e.Category, e.By, e.Verb, len(e.Records)))
	return source.Done{Removed: len(e.Records), Done: true}, nil
}

const (
	oldBody    = `{"version":1,"source":"shop","operation":"old","identities":[],"category":"visits","until":"2026-03-02T12:00:00Z","limit":5,"by":"collected"}`
	expireBody = `{"version":1,"source":"shop","operation":"expire","identities":[],"category":"visits","until":"2026-03-02T12:00:00Z","action":"delete","by":"collected","ids":["v-1"]}`
)

func TestEndpointSweeps(t *testing.T) {
	t.Parallel()
	replace := strings.NewReplacer
	for name, test := range map[string]struct {
		body   string
		page   source.Aged
		status int
		asked  string
	}{
		"old":                              {body: oldBody, status: 200, asked: "[old visitscollected5]"},
		"expire":                           {body: expireBody, status: 200, asked: "[expire visitscollecteddelete1]"},
		"old, without identities at all":   {body: replace(`"identities":[],`, "").Replace(oldBody), status: 200, asked: "[old visitscollected5]"},
		"old of somebody":                  {body: replace(`"identities":[]`, `"identities":[{"kind":"email","value":"a@example.org"}]`).Replace(oldBody), status: 422, asked: "[]"},
		"old without a category":           {body: replace(`"category":"visits",`, "").Replace(oldBody), status: 422, asked: "[]"},
		"old without an instant":           {body: replace(`"until":"2026-03-02T12:00:00Z",`, "").Replace(oldBody), status: 422, asked: "[]"},
		"old by nothing":                   {body: replace(`,"by":"collected"`, "").Replace(oldBody), status: 422, asked: "[]"},
		"expire that corrects":             {body: replace("delete", "correct").Replace(expireBody), status: 422, asked: "[]"},
		"expire of nothing":                {body: replace(`"v-1"`, "").Replace(expireBody), status: 422, asked: "[]"},
		"expire of the same twice":         {body: replace(`"v-1"`, `"v-1","v-1"`).Replace(expireBody), status: 422, asked: "[]"},
		"a store that needs more than ids": {body: oldBody, page: source.Aged{Records: []source.AgedRecord{{ID: "v", Handle: personal.MakeText("x")}}}, status: 422, asked: "[old visitscollected5]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := []string{}
			e := httpsource.Endpoint{ID: "shop", Source: keeper{page: test.page, asked: &asked}, Secrets: [][]byte{secret}, Now: func() time.Time { return noon }}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(test.body))
			r.Header = signed(test.body, strconv.FormatInt(noon.Add(time.Minute).Unix(), 10))
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != test.status || fmt.Sprint(asked) != test.asked {
				t.Errorf("%d %s, asked %v; want %d, %s", w.Code, w.Body, asked, test.status, test.asked)
			}
		})
	}
}
