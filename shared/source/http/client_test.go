package httpsource_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
)

const canary = "ada.canary@example.org"

var (
	ada  = personal.MakeIdentity(personal.KindEmail, canary)
	when = source.Call{Key: "k-1", Lease: noon.Add(time.Minute)}
	ask  = source.Ask{Identities: []personal.Identity{ada}, Until: noon, Limit: 2, Call: when}
)

// client returns a client of a hook that answers with h.
func client(t *testing.T, h http.HandlerFunc) *httpsource.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return dial(t, server.URL, nil)
}

func dial(t *testing.T, hook string, roots *x509.CertPool) *httpsource.Client {
	t.Helper()
	u, err := url.Parse(hook)
	if err != nil {
		t.Fatal(err)
	}
	c, err := httpsource.New(httpsource.Options{
		ID: "shop", URL: hook, Secret: secret, Categories: []string{"orders", "visits"}, Ties: []personal.Kind{personal.KindAccount},
		AllowHosts: []string{u.Host}, Now: func() time.Time { return noon }, Roots: roots,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// says is a hook that answers everybody the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestACallOnTheWire(t *testing.T) {
	t.Parallel()
	var got struct {
		body   string
		header http.Header
		path   string
	}
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got.body, got.header, got.path = string(raw), r.Header, r.URL.String()
		if _, err := httpsource.Verify(r.Header, raw, [][]byte{older, secret}, noon); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"data":[],"items_removed":0,"done":true}`)
	})
	order := source.Order{Identities: ask.Identities, Category: "orders", Until: noon, Limit: 2, Keep: []string{"o-7"}, Call: when}
	for name, test := range map[string]struct {
		call func() error
		want string
	}{
		"find": {
			func() error { _, err := c.Find(t.Context(), ask); return err },
			`{"version":1,"source":"shop","operation":"find","identities":[{"kind":"email","value":"ada.canary@example.org"}],"until":"2026-03-02T12:00:00Z","limit":2}`,
		},
		"delete": {
			func() error { o := order; o.Verb = source.Delete; _, err := c.Execute(t.Context(), o); return err },
			`{"version":1,"source":"shop","operation":"erase","identities":[{"kind":"email","value":"ada.canary@example.org"}],"category":"orders","until":"2026-03-02T12:00:00Z","limit":2,"action":"delete","keep":["o-7"]}`,
		},
		"anonymise": {
			func() error {
				o := order
				o.Verb, o.MaskKey, o.Masks = source.Anonymise, []byte("key"), []source.Mask{{Field: "ip", How: source.KeyedHash}}
				_, err := c.Execute(t.Context(), o)
				return err
			},
			`{"version":1,"source":"shop","operation":"erase","identities":[{"kind":"email","value":"ada.canary@example.org"}],"category":"orders","until":"2026-03-02T12:00:00Z","limit":2,"action":"anonymise","masks":[{"field":"ip","how":"keyed_hash"}],"mask_key":"a2V5","keep":["o-7"]}`,
		},
		"choose": {
			func() error {
				o := order
				o.Verb, o.Category, o.Limit, o.Keep = source.Choose, "", 0, nil
				o.Choice = source.Choice{Right: "withdraw_consent", Purposes: []string{"newsletter"}, On: true}
				_, err := c.Execute(t.Context(), o)
				return err
			},
			`{"version":1,"source":"shop","operation":"choose","identities":[{"kind":"email","value":"ada.canary@example.org"}],"until":"2026-03-02T12:00:00Z","choice":{"right":"withdraw_consent","purposes":["newsletter"],"on":true}}`,
		},
		"choose, of no purpose in particular": {
			func() error {
				o := source.Order{Verb: source.Choose, Identities: ask.Identities, Until: noon, Choice: source.Choice{Right: "opt_out_sale"}, Call: when}
				_, err := c.Execute(t.Context(), o)
				return err
			},
			`{"version":1,"source":"shop","operation":"choose","identities":[{"kind":"email","value":"ada.canary@example.org"}],"until":"2026-03-02T12:00:00Z","choice":{"right":"opt_out_sale","purposes":[],"on":false}}`,
		},
		"correct": {
			func() error {
				o := order
				o.Verb, o.Corrections = source.Correct, []source.Correction{{Field: "name", Value: personal.MakeText("Ada W.")}}
				_, err := c.Execute(t.Context(), o)
				return err
			},
			`{"version":1,"source":"shop","operation":"correct","identities":[{"kind":"email","value":"ada.canary@example.org"}],"category":"orders","until":"2026-03-02T12:00:00Z","limit":2,"corrections":[{"field":"name","value":"Ada W."}],"keep":["o-7"]}`,
		},
	} {
		_ = test.call() // the answer is not what is tested here
		if got.body != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got.body, test.want)
		}
	}
	if got.path != "/" || got.header.Get("Idempotency-Key") != "k-1" || got.header.Get("Rightsdesk-Lease") != "1772452860" ||
		got.header.Get("Content-Type") != "application/json" || strings.Contains(got.path, "canary") {
		t.Errorf("%s %v", got.path, got.header)
	}
}

func TestAFindAnswerIsBelievedOnlyIfItIsWhole(t *testing.T) {
	t.Parallel()
	rec := func(more string) string {
		return `{"category":"orders","id":"o-1","at":"2026-03-01T00:00:00Z"` + more + `}`
	}
	long := strings.Repeat("x", 257)
	tests := map[string]struct {
		body string
		ask  func(*source.Ask)
		ok   bool
	}{
		"nothing found":               {body: `{"data":[],"done":true}`, ok: true},
		"one record":                  {body: `{"data":[` + rec("") + `],"done":true}`, ok: true},
		"a page and a cursor":         {body: `{"data":[` + rec("") + `],"cursor":"2","done":false}`, ok: true},
		"an empty page and a cursor":  {body: `{"data":[],"cursor":"2","done":false}`, ok: true},
		"a tie":                       {body: `{"data":[],"ties":[{"kind":"account","value":"acc-1"}],"done":true}`, ok: true},
		"white space after it":        {body: `{"data":[],"done":true}` + "\n\n", ok: true},
		"values":                      {body: `{"data":[` + rec(`,"fields":{"a":1}`) + `],"done":true}`, ask: func(a *source.Ask) { a.Values = true }, ok: true},
		"an empty body":               {body: ``},
		"null":                        {body: `null`},
		"an empty object":             {body: `{}`},
		"no data":                     {body: `{"done":true}`},
		"data that is null":           {body: `{"data":null,"done":true}`},
		"data that is an object":      {body: `{"data":{},"done":true}`},
		"no done":                     {body: `{"data":[]}`},
		"done that is null":           {body: `{"data":[],"done":null}`},
		"done that is a word":         {body: `{"data":[],"done":"true"}`},
		"done that is a number":       {body: `{"data":[],"done":1}`},
		"an unknown field":            {body: `{"data":[],"done":true,"tie":[]}`},
		"an unknown field of records": {body: `{"data":[` + rec(`,"name":"Ada"`) + `],"done":true}`},
		"two answers":                 {body: `{"data":[],"done":true}{"data":[],"done":true}`},
		"something after it":          {body: `{"data":[],"done":true} Fatal error: out of memory`},
		"something before it":         {body: `Warning: x{"data":[],"done":true}`},
		"half of it":                  {body: `{"data":[],"done":true`},
		"a page of HTML":              {body: `<!doctype html><title>Log in</title>`},
		"an unknown category":         {body: `{"data":[{"category":"nonsense","id":"1"}],"done":true}`},
		"no category":                 {body: `{"data":[{"id":"1"}],"done":true}`},
		"another category":            {body: `{"data":[` + rec("") + `],"done":true}`, ask: func(a *source.Ask) { a.Category = "visits" }},
		"no id":                       {body: `{"data":[{"category":"orders"}],"done":true}`},
		"an id of 257 bytes":          {body: `{"data":[{"category":"orders","id":"` + long + `"}],"done":true}`},
		"an address as id":            {body: `{"data":[{"category":"orders","id":"a@example.org"}],"done":true}`},
		"a line feed in an id":        {body: `{"data":[{"category":"orders","id":"a\nb"}],"done":true}`},
		"a record twice":              {body: `{"data":[` + rec("") + `,` + rec("") + `],"done":true}`},
		"more records than asked for": {body: `{"data":[{"category":"orders","id":"1"},{"category":"orders","id":"2"},{"category":"orders","id":"3"}],"done":true}`},
		"a record after the cut-off":  {body: `{"data":[{"category":"orders","id":"1","at":"2026-03-02T12:00:01Z"}],"done":true}`},
		"a day that is none":          {body: `{"data":[{"category":"orders","id":"1","at":"2026-02-30T00:00:00Z"}],"done":true}`},
		"no values":                   {body: `{"data":[` + rec("") + `],"done":true}`, ask: func(a *source.Ask) { a.Values = true }},
		"values that are a list":      {body: `{"data":[` + rec(`,"fields":[1]`) + `],"done":true}`, ask: func(a *source.Ask) { a.Values = true }},
		"values nobody asked for":     {body: `{"data":[` + rec(`,"fields":{}`) + `],"done":true}`},
		"not done and no cursor":      {body: `{"data":[],"done":false}`},
		"not done and the old cursor": {body: `{"data":[],"cursor":"1","done":false}`, ask: func(a *source.Ask) { a.Cursor = "1" }},
		"done and a cursor":           {body: `{"data":[],"cursor":"2","done":true}`},
		"a tie to an address":         {body: `{"data":[],"ties":[{"kind":"email","value":"x@example.org"}],"done":true}`},
		"a tie to nothing":            {body: `{"data":[],"ties":[{"kind":"account","value":" "}],"done":true}`},
		"a hundred and one ties":      {body: `{"data":[],"ties":[` + strings.Repeat(`{"kind":"account","value":"a"},`, 100) + `{"kind":"account","value":"a"}],"done":true}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := ask
			if test.ask != nil {
				test.ask(&a)
			}
			page, err := client(t, says(http.StatusOK, test.body)).Find(t.Context(), a)
			switch {
			case test.ok && err != nil:
				t.Errorf("refused: %v", err)
			case !test.ok && (!errors.Is(err, source.ErrRefused) || page.Done || page.Records != nil || page.Ties != nil):
				t.Errorf("%+v, %v; want ErrRefused and nothing else", page, err)
			}
		})
	}
}

func TestAWorkAnswerIsBelievedOnlyIfItIsWhole(t *testing.T) {
	t.Parallel()
	for body, ok := range map[string]bool{
		`{"items_removed":2,"items_retained":0,"messages":[],"done":false}`:         true,
		`{"items_removed":0,"items_retained":7,"messages":["tax law"],"done":true}`: true,
		`{"items_removed":0,"items_retained":0,"done":true}`:                        true,
		`{"items_removed":0,"items_retained":0,"messages":null,"done":true}`:        true,
		`{"items_removed":-1,"items_retained":0,"messages":[],"done":true}`:         false,
		`{"items_removed":1,"items_retained":-1,"messages":[],"done":true}`:         false,
		`{"items_removed":3,"items_retained":0,"messages":[],"done":true}`:          false,
		`{"items_removed":0,"items_retained":0,"messages":[],"done":false}`:         false,
		`{"items_removed":0,"items_retained":5,"messages":[],"done":false}`:         false,
		`{"items_removed":1,"items_retained":0,"messages":[]}`:                      false,
		`{"items_retained":0,"messages":[],"done":true}`:                            false,
		`{"items_removed":1,"messages":[],"done":true}`:                             false,
		`{"items_removed":true,"items_retained":false,"messages":[],"done":true}`:   false,
		`{"items_removed":1.5,"items_retained":0,"messages":[],"done":true}`:        false,
		`{"items_removed":"1","items_retained":0,"messages":[],"done":true}`:        false,
		`{"items_removed":1e99,"items_retained":0,"messages":[],"done":true}`:       false,
		`{"items_removed":1,"items_retained":0,"messages":"ok","done":true}`:        false,

		`{"data":[],"done":true}`: false,
		`[]`:                      false,
		``:                        false,
	} {
		order := source.Order{Verb: source.Delete, Identities: ask.Identities, Category: "orders", Until: noon, Limit: 2, Call: when}
		done, err := client(t, says(http.StatusOK, body)).Execute(t.Context(), order)
		if ok != (err == nil) || !ok && (!errors.Is(err, source.ErrRefused) || done.Done || done.Removed != 0) {
			t.Errorf("%s: %+v, %v; want accepted: %v", body, done, err, ok)
		}
	}
}

func TestAChoiceHasNoPages(t *testing.T) {
	t.Parallel()
	for body, ok := range map[string]bool{
		`{"items_removed":1,"items_retained":0,"messages":[],"done":true}`:  true,
		`{"items_removed":0,"items_retained":0,"messages":[],"done":true}`:  true,
		`{"items_removed":1,"items_retained":0,"messages":[],"done":false}`: false,
		`{"items_removed":0,"items_retained":0,"messages":[]}`:              false,
	} {
		order := source.Order{Verb: source.Choose, Identities: ask.Identities, Until: noon, Choice: source.Choice{Right: "opt_out_sale", On: true}, Call: when}
		done, err := client(t, says(http.StatusOK, body)).Execute(t.Context(), order)
		if ok != (err == nil) || !ok && (!errors.Is(err, source.ErrRefused) || done.Done) {
			t.Errorf("%s: %+v, %v; want accepted: %v", body, done, err, ok)
		}
	}
}

// The body of every one of these says that all is done. It is not believed.
func TestOnlyA200IsAnAnswer(t *testing.T) {
	t.Parallel()
	later := map[int]bool{408: true, 409: true, 425: true, 429: true}
	for status := 201; status < 600; status++ {
		if status == 204 || status == 304 {
			continue // they cannot have a body
		}
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			says(status, `{"data":[],"done":true}`)(w, nil)
		})
		page, err := c.Find(t.Context(), ask)
		again := later[status] || status >= 500
		if errors.Is(err, source.ErrLater) != again || errors.Is(err, source.ErrRefused) == again || page.Done {
			t.Fatalf("%d: %+v, %v; to be repeated: %v", status, page, err, again)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				reached.Add(1)
			}
			http.Redirect(w, r, "/elsewhere", status)
		})
		if _, err := c.Find(t.Context(), ask); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%d: %v, want ErrRefused", status, err)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestWhatKeepsAnAnswerFromArriving(t *testing.T) {
	t.Parallel()
	t.Run("a hook that is slow is asked again later", func(t *testing.T) {
		t.Parallel()
		c := client(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := c.Find(ctx, ask); !errors.Is(err, source.ErrLater) {
			t.Errorf("%v, want ErrLater", err)
		}
	})
	t.Run("a call ends with its lease", func(t *testing.T) {
		t.Parallel()
		c := client(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() })
		a := ask
		a.Call.Lease = noon.Add(time.Second)
		if _, err := c.Find(t.Context(), a); !errors.Is(err, source.ErrLater) {
			t.Errorf("%v, want ErrLater", err)
		}
	})
	t.Run("a hook that hangs up is asked again later", func(t *testing.T) {
		t.Parallel()
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"data":[],"done":true}`)
			panic(http.ErrAbortHandler)
		})
		if page, err := c.Find(t.Context(), ask); !errors.Is(err, source.ErrLater) || page.Done {
			t.Errorf("%+v, %v, want ErrLater", page, err)
		}
	})
	t.Run("an answer without end is cut at eight MiB", func(t *testing.T) {
		t.Parallel()
		var sent atomic.Int64
		c := client(t, func(w http.ResponseWriter, _ *http.Request) {
			block := []byte(strings.Repeat(" ", 1<<20))
			for {
				n, err := w.Write(block)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
		if _, err := c.Find(t.Context(), ask); !errors.Is(err, source.ErrRefused) || sent.Load() > 32<<20 {
			t.Errorf("%v after %d bytes, want ErrRefused", err, sent.Load())
		}
	})
	t.Run("a certificate that nobody vouches for is refused, a good one is not", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewTLSServer(says(http.StatusOK, `{"data":[],"done":true}`))
		t.Cleanup(server.Close)
		if _, err := dial(t, server.URL, x509.NewCertPool()).Find(t.Context(), ask); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%v, want ErrRefused", err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		if _, err := dial(t, server.URL, roots).Find(t.Context(), ask); err != nil {
			t.Error(err)
		}
	})
}

// Go never asks a proxy for a loopback host and reads the environment once, so
// that trying it here would prove nothing.
func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	t.Parallel()
	if httpsource.HasProxy(client(t, says(http.StatusOK, ""))) {
		t.Error("the transport has a proxy")
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	good := httpsource.Options{
		ID: "shop", URL: "https://shop.example.com/hook", Secret: secret, Categories: []string{"orders"}, Now: time.Now,
	}
	if _, err := httpsource.New(good); err != nil {
		t.Fatal(err)
	}
	inside := good
	inside.URL, inside.AllowHosts = "https://[fd12::1]/", []string{"[fd12::1]"}
	if _, err := httpsource.New(inside); err != nil {
		t.Errorf("a host allowed without a port: %v", err)
	}
	for name, change := range map[string]func(*httpsource.Options){
		"a short secret": func(o *httpsource.Options) { o.Secret = secret[:31] },
		"no category":    func(o *httpsource.Options) { o.Categories = nil },
		"no id":          func(o *httpsource.Options) { o.ID = "" },
		"no clock":       func(o *httpsource.Options) { o.Now = nil },
		"a host inside":  func(o *httpsource.Options) { o.URL = "https://10.0.0.1/" },
		"plain http":     func(o *httpsource.Options) { o.URL = "http://shop.example.com/" },
		"a port that was not allowed": func(o *httpsource.Options) {
			o.URL, o.AllowHosts = "https://10.0.0.1:8443/", []string{"10.0.0.1"}
		},
		"the allowed host on another port": func(o *httpsource.Options) {
			o.URL, o.AllowHosts = "http://127.0.0.1:81/", []string{"127.0.0.1:80"}
		},
	} {
		o := good
		change(&o)
		if _, err := httpsource.New(o); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
}

// Whatever a hook does, no error of ours repeats what a person sent or what a
// store holds of them.
func TestErrorsNameNobody(t *testing.T) {
	t.Parallel()
	bodies := []string{
		canary, `"` + canary + `"`, `{"` + canary + `":1}`, `{"data":[{"` + canary + `":1}],"done":true}`,
		`{"data":[{"category":"` + canary + `","id":"1"}],"done":true}`, `{"data":[{"category":"orders","id":"` + canary + `"}],"done":true}`,
		`{"data":[{"category":"orders","id":"1","at":"` + canary + `"}],"done":true}`, `{"data":[],"done":"` + canary + `"}`,
		`{"items_removed":"` + canary + `"}`, `{"data":[],"ties":[{"kind":"` + canary + `","value":"` + canary + `"}],"done":true}`,
	}
	for _, body := range bodies {
		for _, status := range []int{200, 302, 404, 422, 500} {
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/"+canary)
				says(status, body)(w, nil)
			})
			_, err1 := c.Find(t.Context(), ask)
			_, err2 := c.Execute(t.Context(), source.Order{
				Verb: source.Correct, Identities: ask.Identities, Category: "orders", Until: noon, Call: when,
				Corrections: []source.Correction{{Field: "name", Value: personal.MakeText(canary)}},
			})
			if err1 == nil || err2 == nil || strings.Contains(errors.Join(err1, err2).Error(), "canary") {
				t.Errorf("%d %s: %v, %v", status, body, err1, err2)
			}
		}
	}
	_, err := dial(t, "http://127.0.0.1:1/hook?token=canary", nil).Find(t.Context(), ask)
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}

func TestMessagesAreFitForOperators(t *testing.T) {
	t.Parallel()
	sent := []string{
		"kept for the tax office", "kept " + canary, "KEPT " + strings.ToUpper(canary), "write to shop@example.com", "two\nlines\x1b[31m", strings.Repeat("é", 500),
	}
	for range 30 {
		sent = append(sent, "more")
	}
	body, err := json.Marshal(map[string]any{"items_removed": 0, "items_retained": 1, "messages": sent, "done": true})
	if err != nil {
		t.Fatal(err)
	}
	done, err := client(t, says(http.StatusOK, string(body))).Execute(t.Context(), source.Order{
		Verb: source.Delete, Identities: ask.Identities, Category: "orders", Until: noon, Call: when,
	})
	if err != nil || len(done.Messages) != 20 || done.Messages[0] != sent[0] {
		t.Fatalf("%v, %q", err, done.Messages)
	}
	for i, m := range done.Messages {
		if strings.ContainsAny(m, "@\n\x1b") || strings.Contains(strings.ToLower(m), "canary") || len([]rune(m)) > 201 {
			t.Errorf("message %d: %q", i, m)
		}
	}
}
