package policy_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"rightsdesk/shared/policy"
)

func TestNothingOfTheBackendIsPublished(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	for _, language := range []string{"en", "fr"} {
		out, err := json.Marshal(p.Published(language))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{
			"127.0.0.1", "shop-hook", "secret", "arn:aws", "whole-table", "eu-west-3", "by-mail", "ACCOUNT#", "VISIT#", "full_name", "office", "gone", "desk@", "06:30", "web-app", "page.whole", "8081", "opt_out_sale\",\"withdraw_consent",
		} {
			if strings.Contains(string(out), secret) {
				t.Errorf("in %s, %q is published", language, secret)
			}
		}
	}
}

// A list that is null in JSON is a special case for every reader.
func TestWhatIsPublishedHasNoNullLists(t *testing.T) {
	t.Parallel()
	for name, file := range files(t) {
		out, err := json.Marshal(parse(t, file).Published("en"))
		if err != nil {
			t.Fatal(err)
		}
		if before, _, found := strings.Cut(string(out), "null"); found {
			t.Errorf("%s publishes null after ...%s", name, before[max(0, len(before)-60):])
		}
	}
}

func TestPublishedSpeaksTheLanguageAskedFor(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	for language, want := range map[string]string{"en": "Everything", "fr": "Tout", "de": "Everything"} {
		if got := p.Published(language).Document.Title; got != want {
			t.Errorf("asked for %s, the title is %q, want %q", language, got, want)
		}
	}
	if got := parse(t, read(t, "testdata/smallest.yaml")).Published("fr"); got.Language != "en" || got.Document.Title != "Privacy" {
		t.Errorf("a policy in English only says in French: %q, as %s", got.Document.Title, got.Language)
	}
}

func TestProseIsPublishedAsParagraphsWithLinks(t *testing.T) {
	t.Parallel()
	got := parse(t, read(t, "testdata/whole.yaml")).Published("en").Document.Sections[0].Paragraphs
	want := [][]policy.Span{
		{{Text: "See "}, {Text: "below", Href: "#rest"}, {Text: " and "}, {Text: "our host", Href: "#vendor-host"}, {Text: "."}},
		{{Text: "See "}, {Text: "the manual", Href: "https://browser.example.org/help"}, {Text: "."}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsHeldAndNotShownIsPublishedAsSuch(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, samplePolicy)).Published("en")
	for _, c := range p.Categories {
		if want := c.ID != "credentials"; c.Shown != want {
			t.Errorf("%s is shown: %v, want %v", c.ID, c.Shown, want)
		}
	}
	for _, f := range parse(t, read(t, "testdata/whole.yaml")).Published("en").Categories[0].Fields {
		if want := f.Label != "Password"; f.Shown != want {
			t.Errorf("%s is shown: %v, want %v", f.Label, f.Shown, want)
		}
	}
	if len(p.Kept) != 1 || p.Kept[0].Category != "Orders and invoices" || p.Kept[0].Period.String() != "10y" || p.Kept[0].Article != "Code de commerce L123-22" {
		t.Errorf("what is kept is published as %+v", p.Kept)
	}
}

func TestRefusalsArePublishedInTheWordsOfTheLaw(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	got := p.Published("fr").Refusals
	if len(got) != 2 || got[0].Code != "manifestly_unfounded" || got[0].Text != "La demande est manifestement infondée." || len(got[0].Articles) < 2 {
		t.Errorf("declared refusals are published as %+v", got)
	}
	// Without a list it is the law's, each reason once.
	codes := map[string]int{}
	for _, r := range parse(t, read(t, "testdata/smallest.yaml")).Published("en").Refusals {
		codes[r.Code]++
		if r.Text == "" || len(r.Articles) == 0 {
			t.Errorf("%+v has no text or no article", r)
		}
	}
	if codes["rights_of_others"] != 1 || codes["excessive"] != 1 || len(codes) < 5 {
		t.Errorf("the law's refusals are published as %v", codes)
	}
}

func TestAssertionsAreHeldAgainstTheRestOfTheFile(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml")
	const card = "held_not_shown: password"
	refused(t, edited(t, whole, card, "held_not_shown: card_number"), "fields.account.password.held_not_shown", "no_card_data")

	// Without never_sold a sale can be declared, but not of what others told us by who is no broker.
	sold := edited(t, whole, "    at_user_direction: false\n    for_value: false\n", "    at_user_direction: false\n    for_value: true\n")
	sold = edited(t, sold, "  never_sold: [was, is, will]\n", "")
	refused(t, sold, "recipients.host.categories[0]", "not_a_data_broker")
	p := parse(t, edited(t, sold, "  not_a_data_broker: [is]\n", ""))
	var sale bool
	for _, row := range p.Published("en").California {
		sale = sale || row.Sold
	}
	if !sale {
		t.Error("a sale that is declared is not published")
	}

	// What was does not bind what is.
	p = parse(t, edited(t, whole, "  contact_is_a_person: [is]\n", "  contact_is_a_person: [was]\n"))
	if p.Asserts(policy.ContactIsAPerson) || !p.Asserts(policy.NeverSold) {
		t.Error("the tenses are mixed up")
	}
	if got := p.Published("en").Assertions; len(got) != 6 {
		t.Errorf("assertions are published as %+v", got)
	}
}
