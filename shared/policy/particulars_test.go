package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/policy"
)

var ours = policy.ParticularsOf("Acme Widgets: Ltd; 7 Quay Street, Cork", "privacy@widgets.internal", "https://privacy.widgets.internal/policy")

// Whoever starts from a ready profile has its promises in their own name.
func TestEveryProfileCanBeFilled(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		file, _ := policy.Profile(name)
		before, err := policy.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		filled, err := policy.Fill(file, ours)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p, err := policy.Parse(filled)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.Controller.LegalName != "Acme Widgets: Ltd" || p.Controller.TradeName != "Acme Widgets: Ltd" || p.Document.Brand != "Acme Widgets: Ltd" ||
			p.Controller.PostalAddress != "7 Quay Street, Cork" || p.Contact.Email != "privacy@widgets.internal" || p.Contact.Page != "" ||
			p.Operators.Mail != "privacy@widgets.internal" || p.Document.URL != ours.URL {
			t.Errorf("%s: %+v %+v %+v %s", name, p.Controller, p.Contact, p.Operators, p.Document.URL)
		}
		if foreign := policy.Foreign(filled); len(foreign) > 0 {
			t.Errorf("%s still names somebody else: %v", name, foreign)
		}
		for _, gone := range []string{before.Controller.LegalName, before.Controller.TradeName, before.Contact.Email} {
			if found := strings.Contains(withoutComments(string(filled)), gone); found {
				t.Errorf("%s still says %q", name, gone)
			}
		}
		// All that is promised is as it was.
		for field, same := range map[string]bool{
			"rights": reflect.DeepEqual(before.Rights, p.Rights), "categories": reflect.DeepEqual(before.Categories, p.Categories),
			"recipients": reflect.DeepEqual(before.Recipients, p.Recipients), "sources": reflect.DeepEqual(before.Sources, p.Sources),
			"retention": reflect.DeepEqual(before.RetentionRules, p.RetentionRules), "assertions": reflect.DeepEqual(before.Assertions, p.Assertions),
		} {
			if !same {
				t.Errorf("%s: the %s changed", name, field)
			}
		}
		if lost := comments(string(file)) - comments(string(filled)); lost > 2 { // those of the lines that were dropped
			t.Errorf("%s lost %d comments", name, lost)
		}
		again, err := policy.Fill(file, ours)
		if err != nil || string(again) != string(filled) {
			t.Errorf("%s is filled otherwise the second time: %v", name, err)
		}
	}
}

func comments(file string) int { return strings.Count(file, "# ") }

func withoutComments(file string) string {
	lines := strings.Split(file, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "#") }), "\n")
}

func TestWithoutAnAddressTheContactStandsForIt(t *testing.T) {
	t.Parallel()
	file, _ := policy.Profile("cloud-platform")
	filled, err := policy.Fill(file, policy.ParticularsOf("Acme Widgets Ltd", "privacy@widgets.internal", ""))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(filled)
	if err != nil {
		t.Fatal(err)
	}
	if p.Controller.PostalAddress != "privacy@widgets.internal" || p.Document.URL != "https://platform.example.com/privacy" {
		t.Errorf("%+v %s", p.Controller, p.Document.URL)
	}
}

func TestAWrongParticularIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	file, _ := policy.Profile("cloud-platform")
	_, err := policy.Fill(file, policy.ParticularsOf("Acme", "not an address", ""))
	if err == nil || !strings.Contains(err.Error(), "contact.email") {
		t.Errorf("err = %v", err)
	}
	if _, err := policy.Fill([]byte("a: *b"), ours); err == nil {
		t.Error("a broken file was filled")
	}
}

func TestAPolicyOfAnExampleIsForeign(t *testing.T) {
	t.Parallel()
	file, _ := policy.Profile("cloud-platform")
	got := policy.Foreign(file)
	if len(got) != 2 || got[0].Path != "controller.legal_name" || got[0].Line != 73 || got[1].Path != "contact.email" {
		t.Errorf("%v", got)
	}
	own := strings.NewReplacer("Example Platform Corporation", "Acme Widgets Ltd", "privacy@platform.example.com", "privacy@widgets.internal").Replace(string(file))
	if got := policy.Foreign([]byte(own)); len(got) > 0 {
		t.Errorf("%v", got)
	}
	named := strings.Replace(own, "authorities:", "operators: {mail: desk@sub.example.org}\n\nauthorities:", 1)
	if got := policy.Foreign([]byte(named)); len(got) != 1 || got[0].Path != "operators.mail" {
		t.Errorf("%v", got)
	}
	shouted := strings.Replace(string(file), "Example Platform Corporation", "EXAMPLE PLATFORM CORPORATION", 1)
	if got := policy.Foreign([]byte(shouted)); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if got := policy.Foreign([]byte("a: [")); len(got) == 0 {
		t.Error("what cannot be read is nobody's")
	}
}

func TestWhatIsReservedForExamples(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"privacy@example.com": true, "privacy@EXAMPLE.org": true, "a@b.example.net": true, "a@shop.example": true, "a@x.invalid": true, "a@x.test": true,
		"https://hooks.platform.example.com/x": true, "Desk <desk@example.org>": true, "http://localhost:8080": true,
		"privacy@myexample.com": false, "privacy@widgets.internal": false, "https://widgets.internal/example.com": false, "example.com": false, "": false,
	} {
		if got := policy.Reserved(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
}

func TestWhatStillLeadsToExamplesIsListed(t *testing.T) {
	t.Parallel()
	file, _ := policy.Profile("cloud-platform")
	filled, err := policy.Fill(file, ours)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, p := range policy.Examples(filled) {
		paths = append(paths, p.Path)
	}
	for _, want := range []string{"scope.surfaces.site.url", "sources.customers_storage.http.url", "browsers.origins[0]"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not among %v", want, paths)
		}
	}
	if slices.Contains(paths, "contact.email") || slices.Contains(paths, "document.url") {
		t.Errorf("what was filled is among %v", paths)
	}
}
