package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"

	"go.yaml.in/yaml/v3"
)

// The promises, each through the profile that it comes from. A profile names
// stores of a company that does not exist; here the sample company's stores
// stand in for them, behind hooks of this test.
//
// What is replaced in a profile is how its stores are reached: `kind: dynamodb`
// with its table, role and region, and the address and secret of `kind: http`,
// become the address of the test's hook. Everything else is the profile as it is
// shipped: rights, categories, fields, purposes, recipients, the ids, labels and
// countries of the stores, whom they know, what they hold, what erasure does to
// it, and the teams that work by hand.

// standIn is what stands in for a store of a profile.
type standIn struct {
	store string            // of the sample company
	as    map[string]string // the profile's category -> the store's; the others are empty
}

// standIns are the stores of each profile, by their ids. Letters to the shop's
// help desk are whatever the shop has no like of.
var standIns = map[string]map[string]standIn{
	"serverless-vendor": {
		"accounts": {company.Shop, map[string]string{
			"account": company.Account, "purchases": company.Orders, "deploy_credentials": company.Credentials, "predictions": company.SupportMail,
		}},
		"logs": {company.Shop, map[string]string{"site_logs": company.AccessLog}},
	},
	"server-automation": {
		"product": {company.Shop, map[string]string{
			"account": company.Account, "account_content": company.SupportMail, "sign_ins": company.AccessLog, "server_keys": company.Credentials,
		}},
	},
	"cloud-platform": {
		"members": {company.Shop, map[string]string{
			"profile": company.Account, "billing": company.Orders, "tokens": company.Credentials,
		}},
		"activity":          {company.Shop, map[string]string{"activity": company.AccessLog, "whereabouts": company.SupportMail}},
		"customers_storage": {company.Newsletter, map[string]string{"customers_data": company.ReadingHistory}},
	},
	"paas-canada": {
		"platform": {company.Shop, map[string]string{
			"account": company.Account, "payments": company.Orders, "usage": company.SupportMail, "identity_papers": company.AccessLog,
		}},
	},
	"addon-france": {
		"licences":   {company.Shop, map[string]string{"api_information": company.Account}},
		"statistics": {company.Newsletter, nil},
		"sites":      {company.Newsletter, nil},
	},
}

// residences are where people live whom every right of a profile is offered to.
var residences = map[string]string{
	"serverless-vendor": "FR", "server-automation": "DE", "cloud-platform": "FR", "paas-canada": "CA-QC", "addon-france": "FR",
}

// hooks answers for the stores of a profile.
type hooks struct {
	sources  map[string]standIn
	ties     map[string]bool // sources that may tie
	endpoint atomic.Pointer[http.ServeMux]
	silenced atomic.Bool // no store answers

	mu    sync.Mutex
	calls map[string]int // by source
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if h.silenced.Load() {
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	var call struct{ Operation string }
	if err := json.Unmarshal(body, &call); err != nil || call.Operation != string(source.Choose) && call.Operation != "old" {
		h.mu.Lock()
		h.calls[strings.TrimPrefix(r.URL.Path, "/")]++
		h.mu.Unlock()
	}
	h.endpoint.Load().ServeHTTP(w, r)
}

// called returns how often a store was asked for anybody, or told to do anything
// with them. What people choose it is told at once, and what is old it is asked for
// whoever it is about.
func (h *hooks) called(source string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls[source]
}

// profiled is the product running a profile.
type profiled struct {
	*world
	*hooks
	profile string
	policy  *policy.Policy
}

// openProfile starts the product with a profile. A change is made to the file
// first: the company's own hand on what it copied.
func openProfile(t *testing.T, name string, changes ...func(string) string) *profiled {
	t.Helper()
	return openProfileOn(t, name, time.Now().Format(time.DateOnly), changes...)
}

// openProfileOn starts the product with a profile at noon of a day.
func openProfileOn(t *testing.T, name, day string, changes ...func(string) string) *profiled {
	t.Helper()
	file, ok := policy.Profile(name)
	if !ok {
		t.Fatalf("there is no profile %s", name)
	}
	text := string(file)
	for _, c := range changes {
		text = c(text)
	}
	h := &hooks{sources: map[string]standIn{}, ties: map[string]bool{}, calls: map[string]int{}}
	for id, s := range standIns[name] { // its own, for the test to change
		h.sources[id] = standIn{s.store, maps.Clone(s.as)}
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	derived := h.derive(t, text, strings.TrimPrefix(server.URL, "http://"))
	path := filepath.Join(t.TempDir(), name+".yaml")
	if err := os.WriteFile(path, derived, 0o600); err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Parse(derived)
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, func(o *options) { o.PolicyFile, o.People = path, 20 }, startsAt(t, day))
	secret, err := os.ReadFile(filepath.Join(w.o.Dir, "secrets", "shop-hook"))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for id, s := range h.sources {
		mux.Handle("POST /"+id, httpsource.Endpoint{
			ID: id, Source: renamed{w.Company.Source(s.store), s.as, h.ties[id]}, Secrets: [][]byte{[]byte(strings.TrimSpace(string(secret)))}, Now: w.Clock.Now,
		})
	}
	h.endpoint.Store(mux)
	return &profiled{world: w, hooks: h, profile: name, policy: pol}
}

// derive points the stores of a profile at the hooks.
func (h *hooks) derive(t *testing.T, file, address string) []byte {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(file), &root); err != nil {
		t.Fatal(err)
	}
	sources := member(root.Content[0], "sources")
	for i := 0; i < len(sources.Content); i += 2 {
		id, s := sources.Content[i].Value, sources.Content[i+1]
		kind := member(s, "kind")
		if kind.Value == "task" {
			continue
		}
		if _, ok := h.sources[id]; !ok {
			t.Fatalf("nothing stands in for the source %s", id)
		}
		http := map[string]any{"url": "http://" + address + "/" + id, "allow_hosts": []string{address}}
		if ties := member(member(s, kind.Value), "ties"); ties != nil {
			http["ties"], h.ties[id] = []string{"account"}, true
		}
		var reached yaml.Node
		if err := reached.Encode(map[string]any{"kind": "http", "secret": "secret:shop-hook", "http": http}); err != nil {
			t.Fatal(err)
		}
		for j := 0; j < len(s.Content); j += 2 {
			if slices.Contains([]string{"kind", "role", "secret", "http", "dynamodb"}, s.Content[j].Value) {
				s.Content = slices.Delete(s.Content, j, j+2)
				j -= 2
			}
		}
		s.Content = append(s.Content, reached.Content...)
	}
	out, err := yaml.Marshal(&root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// member returns the value of a key, nil without one.
func member(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// renamed is a store of the sample company under the profile's categories.
type renamed struct {
	source.Source
	as   map[string]string
	ties bool
}

// Find implements source.Source.
func (s renamed) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	if ask.Category != "" {
		if s.as[ask.Category] == "" {
			return source.Found{Done: true}, nil
		}
		ask.Category = s.as[ask.Category]
	}
	page, err := s.Source.Find(ctx, ask)
	if !s.ties {
		page.Ties = nil
	}
	back := map[string]string{}
	for ours, theirs := range s.as {
		back[theirs] = ours
	}
	page.Records = slices.DeleteFunc(page.Records, func(r source.Record) bool { return back[r.Category] == "" })
	for i, r := range page.Records {
		page.Records[i].Category = back[r.Category]
	}
	return page, err
}

// Execute implements source.Source.
func (s renamed) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	if s.as[order.Category] == "" {
		return source.Done{Done: true}, nil
	}
	order.Category = s.as[order.Category]
	return s.Source.Execute(ctx, order)
}

// Old implements source.Sweeper.
func (s renamed) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	if s.as[age.Category] == "" {
		return source.Aged{Done: true}, nil
	}
	age.Category = s.as[age.Category]
	return s.Source.(source.Sweeper).Old(ctx, age)
}

// Expire implements source.Sweeper.
func (s renamed) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	if s.as[e.Category] == "" {
		return source.Done{Done: true}, nil
	}
	e.Category = s.as[e.Category]
	return s.Source.(source.Sweeper).Expire(ctx, e)
}

// live makes somebody with an account of the given fields in the shop.
func (w *world) live(account, email string, fields map[string]any) {
	w.t.Helper()
	fields["email"] = email
	raw, err := json.Marshal(fields)
	if err != nil {
		w.t.Fatal(err)
	}
	w.fill(company.Shop, []company.Line{{
		Account: account, Category: company.Account, ID: "cust-" + account, At: w.Clock.Now().Add(-48 * time.Hour).Truncate(time.Millisecond), Fields: raw,
	}})
}

// has gives somebody one more record.
func (w *world) has(store, account, category, id, fields string) {
	w.t.Helper()
	w.fill(store, []company.Line{{Account: account, Category: category, ID: id, At: w.Clock.Now().Add(-24 * time.Hour).Truncate(time.Millisecond), Fields: []byte(fields)}})
}

// records returns everything that the stores hold of an account, byte by byte.
func (w *world) records(account string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for store := range company.Categories {
		err := w.Company.Records(store, func(l company.Line) {
			if l.Account == account {
				all[store+"/"+l.Category+"/"+l.ID] = string(l.Fields)
			}
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return all
}

// accesses counts what the company's journal says was read or changed.
func (w *world) accesses(of func(company.Access) bool) int {
	w.t.Helper()
	n := 0
	if err := w.Company.Accesses(func(a company.Access) {
		if of(a) {
			n++
		}
	}); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// ask submits a request of somebody who lives where the profile offers it.
func (w *profiled) ask(right, email string, more ...func(map[string]any)) string {
	w.t.Helper()
	more = append([]func(map[string]any){func(b map[string]any) { b["residence"] = residences[w.profile] }}, more...)
	return w.submit(submission(right, email, more...))
}

// livesIn says where the requester lives.
func livesIn(residence string) func(map[string]any) {
	return func(b map[string]any) { b["residence"] = residence }
}

// handsOn has an operator do every task of a request that waits for a person.
func (w *world) handsOn(id string) {
	w.t.Helper()
	var shown struct{ Steps []struct{ Task string } }
	w.await("the tasks are there", func() bool {
		w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(w.t, &shown)
		return slices.ContainsFunc(shown.Steps, func(s struct{ Task string }) bool { return s.Task != "" })
	})
	for _, s := range shown.Steps {
		if s.Task != "" {
			w.must(http.StatusOK, "POST", "/v1/operator/tasks/"+s.Task+"/done", map[string]any{}, w.operator())
		}
	}
}

// answered takes a request from the mail's code to its end.
func (w *profiled) answered(id, email string) (seen, string) {
	w.t.Helper()
	token := w.verify(id, email)
	if slices.ContainsFunc(w.policy.Sources, func(s policy.Source) bool { return s.Kind == policy.KindTask }) {
		w.handsOn(id)
	}
	var asked struct{ Right policy.Right }
	w.must(http.StatusOK, "GET", "/v1/requests/"+id, nil, bearerOf(token)).into(w.t, &asked)
	if cooling := w.policy.Rights[asked.Right].Cooling; cooling > 0 {
		w.pass(cooling + time.Hour)
	}
	return w.reach(id, token, "fulfilled"), token
}

// parcel is data.json, as far as the tests read it.
type parcel struct {
	Notes      []string
	California []struct {
		Category                      string
		Categories, Sources, Purposes []string
		ThirdParties                  []string `json:"third_parties"`
		Sold                          bool
	}
	Categories []struct {
		ID, Label, Disclosure string
		Records               []struct {
			ID     string
			Fields map[string]any
		}
	}
	Outcomes []parcelOutcome
}

// parcelOutcome is an outcome in data.json.
type parcelOutcome struct{ System, Category, Result, Note string }

func (w *world) unpack(id, token string) (parcel, map[string]string) {
	w.t.Helper()
	files := w.download(id, token)
	var p parcel
	if err := json.Unmarshal([]byte(files["data.json"]), &p); err != nil {
		w.t.Fatal(err)
	}
	return p, files
}

// publication is policy.Publication as a reader of the API takes it in.
type publication struct {
	policy.Publication
	Kept []struct{ Category, Ground, Duty, Period string } `json:"kept"`
}

// said is a mail with both its parts, without their line breaks.
func (w *world) said(n int) string {
	w.t.Helper()
	var m struct{ Subject, Text, HTML string }
	w.must(http.StatusOK, "GET", "/local/mail/"+strconv.Itoa(n)+"?format=json", nil).into(w.t, &m)
	return strings.Join(strings.Fields(m.Subject+" "+m.Text+" "+m.HTML), " ")
}

// published is the policy as everybody can read it over HTTP: as data, and as a page.
func (w *world) published() (publication, string) {
	w.t.Helper()
	var p publication
	w.must(http.StatusOK, "GET", "/v1/policy?lang=en", nil).into(w.t, &p)
	return p, string(w.must(http.StatusOK, "GET", "/policy?lang=en", nil).Body)
}

// replaced is a change to a profile: one text for another.
func replaced(t *testing.T, old, with string) func(string) string {
	t.Helper()
	return func(file string) string {
		if strings.Count(file, old) != 1 {
			t.Errorf("the profile has %d times %q, want once", strings.Count(file, old), old)
		}
		return strings.Replace(file, old, with, 1)
	}
}
