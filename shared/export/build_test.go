package export_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"rightsdesk/shared/export"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shelf is a store that holds parts in memory. It has no Put, Delete or Sign:
// building needs none.
type shelf struct {
	export.Store
	parts map[string][]byte
}

func (s shelf) Get(_ context.Context, key string) (io.ReadCloser, error) {
	b, ok := s.parts[key]
	if !ok {
		return nil, export.ErrAbsent
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// List answers three keys at a time, so that cursors are used.
func (s shelf) List(_ context.Context, prefix, cursor string) (keys []string, next string, err error) {
	for _, k := range slices.Sorted(maps.Keys(s.parts)) {
		if strings.HasPrefix(k, prefix) && k > cursor {
			keys = append(keys, k)
		}
	}
	if len(keys) > 3 {
		return keys[:3], keys[2], nil
	}
	return keys, "", nil
}

func part(t *testing.T, records ...source.Record) []byte {
	t.Helper()
	b, err := export.EncodePart(records)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fields(category, id, at, object string) source.Record {
	r := source.Record{Category: category, ID: id, Fields: json.RawMessage(object)}
	if at != "" {
		r.At, _ = time.Parse(time.RFC3339, at)
	}
	return r
}

var paris = time.FixedZone("Paris", 3600)

// company is a package with one of everything.
func company(t *testing.T, right export.Right, language string) (export.Manifest, shelf) {
	t.Helper()
	m := export.Manifest{
		Request: "r1", Right: right, Language: language,
		Brand: "Example Cloud", Controller: "Example Cloud SAS, 1 rue de l'Exemple, 75001 Paris", Contact: "privacy@example.org",
		Received: time.Date(2026, 3, 5, 9, 0, 0, 0, paris), Made: time.Date(2026, 3, 9, 15, 4, 0, 0, paris),
		Authority: export.Authority{Name: "CNIL", URL: "https://www.cnil.fr/fr/plaintes"},
		Notes:     []string{"You can have data corrected or erased, and restrict or object to its use."},
		Ignored:   []export.Ignored{{Kind: "phone", Count: 1}},
		Withheld:  []string{"passport_number"},
		Categories: []export.Category{
			{ID: "account", Label: "Account", Purposes: []string{"To give you an account"}, Sources: []string{"You"}, Recipients: []string{"Hosting: Example Hosting"}, Retention: "as long as the account, then 30 days"},
			{ID: "orders", Label: "Orders", Purposes: []string{"To deliver", "To keep accounts"}, Sources: []string{"You", "Payment provider"}, Recipients: []string{"Payment provider", "Tax office"}, Retention: "10 years after the order", Withheld: []string{"iban"}},
			{ID: "visits", Label: "Visits", Purposes: []string{"Security"}, Sources: []string{"Your browser"}, Retention: "90 days"},
			{ID: "segments", Label: "Segments", Purposes: []string{"Marketing"}, Sources: []string{"Us"}, Retention: "12 months", Inference: true},
			{ID: "tokens", Label: "Access credentials", Purposes: []string{"Deployments"}, Sources: []string{"Sign-on provider"}, Retention: "until you disconnect", Credential: true},
			{ID: "papers", Label: "Identity papers", Purposes: []string{"Compliance"}, Sources: []string{"You"}, Retention: "30 days", NeverDisclose: true},
			{ID: "support", Label: "Support requests", Purposes: []string{"Support"}, Sources: []string{"You"}, Retention: "2 years"},
		},
		Outcomes: []export.Outcome{
			{Source: "accounts", System: "Accounts", Category: "account", Result: export.Found, Records: 1},
			{Source: "shop", System: "Shop", Category: "orders", Result: export.Found, Records: 3},
			{Source: "archive", System: "Archive", Category: "orders", Result: export.Kept, Records: 2, Note: "Kept until 31 December 2030 for the tax office."},
			{Source: "logs", System: "Logs", Category: "visits", Result: export.Nothing},
			{Source: "crm", System: "CRM", Category: "segments", Result: export.Found, Records: 1},
			{Source: "accounts", System: "Accounts", Category: "tokens", Result: export.Found, Records: 2},
			{Source: "files", System: "Files", Category: "papers", Result: export.Found, Records: 1},
			{Source: "desk", System: "Support desk", Category: "support", Result: export.Apart, Note: "Sent to you by post on 6 March 2026."},
		},
	}
	if right == export.Know {
		m.California = []export.CaliforniaRow{
			{Category: "identifiers", Label: "identifiers", Categories: []string{"Account"}, Sources: []string{"You"}, Purposes: []string{"To give you an account"}, ThirdParties: []string{"Hosting"}},
			{Category: "network_activity", Label: "network activity", Categories: []string{"Visits"}, Sources: []string{"Your browser"}, Purposes: []string{"Security"}, ThirdParties: []string{}},
		}
	}
	return m, shelf{parts: map[string][]byte{
		export.PartKey("r1", "accounts", "account", 0): part(t, fields("account", "a-17", "2024-02-29T23:30:00Z",
			`{"email":"ada@example.org","name":"Ada <b>Example</b>","password_hash":"$2b$10$hunter2","language":"en","newsletter":false,"address":{"street":"1 rue de l'Exemple","security":{"securityAnswer":"rosebud"}},"passportNumber":"X1234567"}`)),
		export.PartKey("r1", "shop", "orders", 0): part(t,
			fields("orders", "1", "2025-11-02T10:00:00Z", `{"item":"=HYPERLINK(\"https://evil.example\")","price":12.50,"iban":"FR7630006000011234567890189"}`),
			fields("orders", "2", "2025-12-24T10:00:00Z", `{"item":"Tea, \"Earl Grey\";+1\r\n-2 cups","price":-3,"iban":null}`)),
		export.PartKey("r1", "shop", "orders", 1): part(t,
			fields("orders", "3", "", `{"item":"Kaffee ☕","lines":[{"sku":"k1","token":"t0p"},2]}`)),
		export.PartKey("r1", "crm", "segments", 0):    part(t, fields("segments", "s1", "2026-01-01T00:00:00Z", `{"segment":"likes tea"}`)),
		export.PartKey("r1", "accounts", "tokens", 0): part(t, fields("tokens", "t1", "", `{"kind":"oauth","value":"gho_s3cr3t"}`)),
		export.PartKey("r1", "files", "papers", 0):    part(t, fields("papers", "p1", "", `{"scan":"passport of Ada"}`)),
		"r2/parts/shop/orders/000000":                 []byte("of somebody else"),
	}}
}

// build returns the files of a package.
func build(t *testing.T, m export.Manifest, parts export.Parts) map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := export.Build(t.Context(), &b, m, parts); err != nil {
		t.Fatal(err)
	}
	return unzip(t, b.Bytes())
}

func unzip(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}

func TestAPackageAsAPersonReceivesIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		right    export.Right
		language string
		files    string
	}{
		{export.Access, "en", "csv/01-account.csv csv/02-orders.csv csv/04-segments.csv data.json index.html"},
		{export.Access, "fr", "csv/01-account.csv csv/02-orders.csv csv/04-segments.csv data.json index.html"},
		{export.Portability, "en", "csv/01-account.csv csv/02-orders.csv data.json index.html"},
		{export.Know, "en", "csv/01-account.csv csv/02-orders.csv csv/04-segments.csv data.json index.html"},
	}
	for _, c := range tests {
		t.Run(string(c.right)+" in "+c.language, func(t *testing.T) {
			t.Parallel()
			m, store := company(t, c.right, c.language)
			files := build(t, m, export.Parts{Store: store})
			if got := strings.Join(slices.Sorted(maps.Keys(files)), " "); got != c.files {
				t.Errorf("the package holds %s, want %s", got, c.files)
			}
			for name, content := range files {
				golden := filepath.Join("testdata", string(c.right)+"-"+c.language, filepath.FromSlash(name))
				if *update {
					if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(golden, []byte(content), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if content != string(want) {
					t.Errorf("%s differs from %s; look at it and run with -update", name, golden)
				}
			}
		})
	}
}

func TestWhatMayNotBeShownIsNowhere(t *testing.T) {
	t.Parallel()
	for _, right := range []export.Right{export.Access, export.Portability, export.Know} {
		for _, language := range []string{"en", "fr"} {
			m, store := company(t, right, language)
			for name, content := range build(t, m, export.Parts{Store: store}) {
				for _, secret := range []string{"hunter2", "rosebud", "X1234567", "FR76", "gho_s3cr3t", "oauth", "t0p", "passport of Ada", "somebody else"} {
					if strings.Contains(content, secret) {
						t.Errorf("%s, %s: %s shows %q", right, language, name, secret)
					}
				}
				for _, inferred := range []string{"likes tea"} {
					if right == export.Portability && strings.Contains(content, inferred) {
						t.Errorf("%s, %s: %s shows the inference %q", right, language, name, inferred)
					}
				}
				if strings.Contains(name, "ada") {
					t.Errorf("the file name %s is personal", name)
				}
			}
		}
	}
	m, store := company(t, export.Access, "en")
	files := build(t, m, export.Parts{Store: store})
	for _, name := range []string{"index.html", "data.json", "csv/01-account.csv", "csv/02-orders.csv"} {
		if !strings.Contains(files[name], "held, not shown") {
			t.Errorf("%s does not say what is held and not shown", name)
		}
	}
	if !strings.Contains(files["index.html"], "Credentials: held, never shown.") {
		t.Error("index.html does not say that credentials are held")
	}
}

func TestDataIsWhatTheSchemaSays(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(export.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("package.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	validate := func(data string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	for _, right := range []export.Right{export.Access, export.Portability, export.Know} {
		m, store := company(t, right, "en")
		data := build(t, m, export.Parts{Store: store})["data.json"]
		if err := validate(data); err != nil {
			t.Errorf("%s: %v", right, err)
		}
		if err := validate(strings.Replace(data, `"held_not_shown"`, `"shown"`, 1)); err == nil {
			t.Errorf("%s: the schema accepts a shown category without records", right)
		}
	}
	bare := export.Manifest{Request: "r1", Right: export.Access, Received: time.Unix(1, 0), Made: time.Unix(2, 0)}
	if err := validate(build(t, bare, export.Parts{Store: shelf{}})["data.json"]); err != nil {
		t.Errorf("a package with nothing in it: %v", err)
	}
}

func TestTheThreeFormsHoldTheSameRecords(t *testing.T) {
	t.Parallel()
	m, store := company(t, export.Access, "en")
	files := build(t, m, export.Parts{Store: store})
	rows, err := csv.NewReader(strings.NewReader(files["csv/02-orders.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"_system", "_record", "_collected_at", "iban", "item", "lines", "price"},
		{"Shop", "1", "2025-11-02T10:00:00Z", "held, not shown", `'=HYPERLINK("https://evil.example")`, "", "12.50"},
		{"Shop", "2", "2025-12-24T10:00:00Z", "", "Tea, \"Earl Grey\";'+1\n'-2 cups", "", "-3"}, // csv.Reader makes CRLF one line feed
		{"Shop", "3", "", "", "Kaffee ☕", `[{"sku":"k1","token":"held, not shown"},2]`, ""},
	}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("the table is\n%q, want\n%q", rows, want)
	}
	var data struct {
		Categories []struct {
			ID      string
			Count   int
			Records []struct{ Fields map[string]any }
		}
	}
	if err := json.Unmarshal([]byte(files["data.json"]), &data); err != nil {
		t.Fatal(err)
	}
	orders := data.Categories[1]
	if orders.ID != "orders" || orders.Count != 3 || len(orders.Records) != 3 || orders.Records[0].Fields["item"] != `=HYPERLINK("https://evil.example")` {
		t.Errorf("data.json holds %+v", orders)
	}
	if n := strings.Count(files["index.html"], "<td>Shop</td>"); n != 3 {
		t.Errorf("index.html shows %d orders, want 3", n)
	}
}

// What a page says, without what the company says of itself, is in its language.
func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	read := func(language string) map[string]string {
		b, err := os.ReadFile(filepath.Join("language", language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(b, &texts); err != nil {
			t.Fatal(err)
		}
		return texts
	}
	english := read("en")
	template, err := os.ReadFile("index.html.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\$w\.T "([a-z_.]+)"`).FindAllSubmatch(template, -1) {
		if english[string(m[1])] == "" {
			t.Errorf("the page says %s, of which there is no text", m[1])
		}
	}
	for _, language := range words.Languages() {
		texts := read(language)
		for key := range english {
			if texts[key] == "" || language != "en" && len(english[key]) > 15 && texts[key] == english[key] {
				t.Errorf("%s says nothing of its own for %s", language, key)
			}
		}
		if len(texts) != len(english) {
			t.Errorf("%s has %d texts, English %d", language, len(texts), len(english))
		}
	}
	m, store := company(t, export.Access, "fr-CA")
	if page := build(t, m, export.Parts{Store: store})["index.html"]; !strings.Contains(page, `<html lang="fr">`) || !strings.Contains(page, "5 mars 2026") {
		t.Error("a package in fr-CA is not French")
	}
	m.Language = "de"
	if page := build(t, m, export.Parts{Store: store})["index.html"]; !strings.Contains(page, `<html lang="en">`) {
		t.Error("a package in a language we do not speak is not English")
	}
}

func TestThePageLoadsNothingAndEscapesEverything(t *testing.T) {
	t.Parallel()
	m, store := company(t, export.Access, "en")
	m.Categories[0].Label = `<img src=x onerror=alert(1)>`
	m.Authority.URL = "javascript:alert(1)"
	page := build(t, m, export.Parts{Store: store})["index.html"]
	for _, bad := range []string{"<script", "<img", "<link", "<iframe", "src=", "url(", "@import", "javascript:", "<b>Example"} {
		if strings.Contains(strings.ReplaceAll(page, "&lt;img src=x", ""), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, good := range []string{`<html lang="en">`, "default-src &#39;none&#39;", "&lt;b&gt;Example"} {
		if !strings.Contains(page, good) && !strings.Contains(page, strings.ReplaceAll(good, "&#39;", "'")) {
			t.Errorf("the page lacks %q", good)
		}
	}
}

func TestTheSamePackageTwiceIsTheSameBytes(t *testing.T) {
	t.Parallel()
	var packages [2]bytes.Buffer
	for i := range packages {
		m, store := company(t, export.Access, "en")
		if err := export.Build(t.Context(), &packages[i], m, export.Parts{Store: store}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(packages[0].Bytes(), packages[1].Bytes()) {
		t.Error("two packages of the same parts differ")
	}
	z, err := zip.NewReader(bytes.NewReader(packages[0].Bytes()), int64(packages[0].Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if m, _ := company(t, export.Access, "en"); !f.Modified.Equal(m.Made) {
			t.Errorf("%s is dated %v, want the time that the manifest gives", f.Name, f.Modified)
		}
	}
}

// Each part is read up to three times: for data.json, the tables and the page.
func TestAPartThatFailsAtAnyReadingFailsThePackage(t *testing.T) {
	t.Parallel()
	m, store := company(t, export.Access, "en")
	broken := errors.New("gone in the meantime")
	for failAt := 1; ; failAt++ {
		reads := 0
		err := export.Build(t.Context(), io.Discard, m, export.Parts{Store: store, Open: func(_ string, b []byte) ([]byte, error) {
			if reads++; reads == failAt {
				return nil, broken
			}
			return b, nil
		}})
		if reads < failAt {
			if err != nil || reads != 12 {
				t.Errorf("%d readings, %v; want 12 of 4 parts", reads, err)
			}
			return
		}
		if !errors.Is(err, broken) {
			t.Errorf("reading %d failed, Build = %v", failAt, err)
		}
	}
}

func TestSealedPartsAreOpenedWithTheirKey(t *testing.T) {
	t.Parallel()
	m, store := company(t, export.Access, "en")
	want := build(t, m, export.Parts{Store: store})
	for key, b := range store.parts {
		store.parts[key] = append([]byte(key), b...)
	}
	opened := map[string]bool{}
	got := build(t, m, export.Parts{Store: store, Open: func(key string, sealed []byte) ([]byte, error) {
		opened[key] = true
		b, ok := bytes.CutPrefix(sealed, []byte(key))
		if !ok {
			return nil, errors.New("sealed under another key")
		}
		return b, nil
	}})
	if !maps.Equal(got, want) {
		t.Error("a package of sealed parts differs")
	}
	for _, key := range []string{export.PartKey("r1", "accounts", "tokens", 0), export.PartKey("r1", "files", "papers", 0)} {
		if opened[key] {
			t.Errorf("%s was opened, and nothing of it may be shown", key)
		}
	}
}

func TestAPackageThatWouldLeaveSomethingOutIsRefused(t *testing.T) {
	t.Parallel()
	broken := errors.New("sealed by somebody else")
	tests := map[string]struct {
		spoil func(*export.Manifest, shelf, *export.Parts)
		want  error
	}{
		"a part is gone": {func(_ *export.Manifest, s shelf, _ *export.Parts) {
			delete(s.parts, export.PartKey("r1", "shop", "orders", 1))
		}, export.ErrMissing},
		"no outcome speaks of a part": {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Outcomes = m.Outcomes[1:] }, export.ErrStray},
		"a part of another shape":     {func(_ *export.Manifest, s shelf, _ *export.Parts) { s.parts["r1/parts/shop"] = nil }, export.ErrStray},
		"a record of another category": {func(_ *export.Manifest, s shelf, _ *export.Parts) {
			s.parts[export.PartKey("r1", "shop", "orders", 2)] = s.parts[export.PartKey("r1", "accounts", "tokens", 0)]
		}, export.ErrStray},
		"a part cannot be opened": {func(_ *export.Manifest, _ shelf, p *export.Parts) {
			p.Open = func(string, []byte) ([]byte, error) { return nil, broken }
		}, broken},
		"a right without a package":    {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Right = "erasure" }, export.ErrManifest},
		"a request with a path for id": {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Request = "../r2" }, export.ErrManifest},
		"a category that stands twice": {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Categories[1].ID = "account" }, export.ErrManifest},
		"a category with a path":       {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Categories[1].ID = "a/b" }, export.ErrManifest},
		"an outcome of no category":    {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Outcomes[0].Category = "none" }, export.ErrManifest},
		"an outcome that stands twice": {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Outcomes[1] = m.Outcomes[0] }, export.ErrManifest},
		"an unknown result":            {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Outcomes[0].Result = "" }, export.ErrManifest},
		"no date":                      {func(m *export.Manifest, _ shelf, _ *export.Parts) { m.Made = time.Time{} }, export.ErrManifest},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, store := company(t, export.Access, "en")
			parts := export.Parts{Store: store}
			c.spoil(&m, store, &parts)
			if err := export.Build(t.Context(), io.Discard, m, parts); !errors.Is(err, c.want) {
				t.Errorf("Build = %v, want %v", err, c.want)
			}
		})
	}
}

func TestAFullDiskIsAnError(t *testing.T) {
	t.Parallel()
	m, store := company(t, export.Access, "en")
	if err := export.Build(t.Context(), fullDisk{}, m, export.Parts{Store: store}); err == nil {
		t.Error("a package was built on a full disk")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestPartsSurviveTheirEncoding(t *testing.T) {
	t.Parallel()
	want := []source.Record{
		fields("orders", "1", "2025-11-02T10:00:00Z", `{"a":"<&>\n","b":[1,2.50]}`),
		{Category: "orders"},
	}
	got, err := export.DecodePart(part(t, want...))
	if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("decoded %+v, %v; want %+v", got, err, want)
	}
	for name, b := range map[string]string{"no JSON": "ada@example.org", "half a line": `{"category":"ord`} {
		if _, err := export.DecodePart([]byte(b)); err == nil || strings.Contains(err.Error(), "ada") {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	if _, err := export.EncodePart([]source.Record{fields("orders", "1", "", `ada@example.org`)}); err == nil || strings.Contains(err.Error(), "ada") {
		t.Errorf("fields that are no JSON: err = %v", err)
	}
}
