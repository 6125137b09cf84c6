package stores

import (
	"os"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// documented returns the smallest policy with the sources that docs/sources.md shows.
func documented(t *testing.T) *policy.Policy {
	t.Helper()
	page, err := os.ReadFile("../../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("../../policy/testdata/smallest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for i, part := range strings.Split(string(page), "```") {
		if example, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			shown.WriteString(example)
		}
	}
	categories := "categories:\n"
	for _, c := range []string{"pictures", "sign_in", "journals"} {
		categories += "  " + c + ": {label: X, subjects: [users], from: [person]}\n"
	}
	text := strings.Replace(string(file), "categories:\n", categories, 1)
	text = strings.Replace(text, "categories: [account]}", "categories: [account, pictures, sign_in, journals]}", 1)
	text = strings.Replace(text, "sources:\n", "sources:\n"+shown.String(), 1)
	text += `  pictures: {source: uploads, category: pictures, trigger: collected, period: 3y, set_by: operator, action: delete}
  sign_in: {source: sign_in, category: sign_in, trigger: collected, period: 9y, set_by: operator, action: delete}
`
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheDocumentedSourcesAreBuilt(t *testing.T) {
	t.Parallel()
	a := &boot.Assembly{Desk: &desk.Desk{Ground: desk.Ground{Policy: documented(t), Now: time.Now}}}
	for id, build := range map[string]func(*boot.Assembly, policy.Source) (source.Source, error){"uploads": bucket, "sign_in": userPool, "journals": logGroups} {
		s, ok := a.Policy.Source(id)
		if !ok {
			t.Fatalf("docs/sources.md shows no source %s", id)
		}
		if built, err := build(a, s); err != nil || built == nil {
			t.Errorf("%s: %v", id, err)
		}
		if cfg := as(a, s, "eu-west-3"); cfg.Region != "eu-west-3" || cfg.Credentials == nil {
			t.Errorf("%s is not reached as its role", id)
		}
	}
}

func TestAPeriodIsCountedWhereItIsShortest(t *testing.T) {
	t.Parallel()
	for want, p := range map[int]policy.Period{30: {Days: 30}, 28: {Months: 1}, 59: {Months: 2}, 181: {Months: 6}, 365: {Years: 1}, 730: {Years: 2}} {
		if got := atMost(p); got != want {
			t.Errorf("%s: %d days, want %d", p, got, want)
		}
	}
}

func TestOnlyAProvenAddressIsCorrected(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		correctable map[string]string
		want        bool
	}{
		"the address itself":         {map[string]string{"email": "email", "nick": "nickname"}, true},
		"by a field that is not it":  {map[string]string{"contact": "email"}, false},
		"by both":                    {map[string]string{"email": "email", "contact": "email"}, false},
		"the address elsewhere only": {map[string]string{"email": "custom:mail"}, true},
	} {
		s := policy.Source{Holdings: []policy.Holding{{Correctable: tt.correctable}}}
		if got := proven(s, "email"); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
