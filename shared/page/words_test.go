package page_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/page"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
)

// The tests here hold the catalogue against everybody who speaks from it:
// templates, code, and the codes of other packages that become words.

// sources are the files that speak, by path: ours, those of words and of mail.
func sources(t *testing.T, globs ...string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, glob := range globs {
		paths, err := filepath.Glob(glob)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, %v", glob, paths, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[path] = string(b)
		}
	}
	return found
}

var (
	literal = regexp.MustCompile(`["` + "`" + `]([a-z_]+(?:\.[a-z_0-9]+)+)["` + "`" + `]`)
	prefix  = regexp.MustCompile(`"([a-z_.]+)\."|Name "([a-z_]+)"|Name\("([a-z_]+)"`)
	suffix  = regexp.MustCompile(`\.(one|other)$`)
)

// codes are the words that other packages give us to put into words. What is
// missing here is found as an unused key, what is too much as a missing one.
func codes(t *testing.T) map[string][]string {
	t.Helper()
	verbs := []string{string(page.Verify), string(page.Address), string(page.Deliver), string(page.Revoke), string(page.Show)}
	with := func(words []string, suffixes ...string) (list []string) {
		for _, w := range words {
			for _, s := range suffixes {
				list = append(list, w+s)
			}
		}
		return list
	}
	rights := constants(t, "../policy/*.go", "Right")
	statuses := constants(t, "../request/status.go", "Status")
	months := strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12")
	troubles := strings.Fields("internal invalid unauthenticated forbidden not_found conflict gone too_large mismatch too_many unavailable")
	kinds := make([]string, len(mail.Kinds))
	for i, k := range mail.Kinds {
		kinds[i] = string(k)
	}
	results := make([]string, len(words.Results))
	for i, r := range words.Results {
		results[i] = string(r)
	}
	return map[string][]string{
		"month":                months,
		"right":                append(rights, "legal_hold", "retention_rule", "salts"),
		"hint":                 rights,
		"how":                  constants(t, "../request/plan.go", "How"),
		"wish":                 rights,
		"identity":             {"email", "account", "phone"},
		"status":               statuses,
		"moves":                statuses,
		"entry":                append(constants(t, "../request/status.go", "Action"), "receive", "remind_us"),
		"result":               results,
		"asked":                with([]string{"verify", "deliver", "follow"}, ".title", ".text", ".button"),
		"confirm":              with(verbs, ".title", ".text", ".effect", ".button"),
		"done":                 with(append(slices.Clone(verbs[:4]), string(page.Taken)), ".title", ".text"),
		"action":               with([]string{"deliver", "revoke"}, ".text", ".button"),
		"trouble":              with(append(slices.Clone(troubles), page.MailIsOff), ".title", ".text", ".next"),
		"problem":              strings.Fields("right email name residence corrections account identities details about code reply files appeal choices wording halted visitor"),
		"cause":                constants(t, "../law/*.go", "Cause"),
		"proof":                constants(t, "../law/*.go", "Proof"),
		"deadline":             append(constants(t, "../law/*.go", "Clock"), "by", "from", "done"),
		"decision":             append(constants(t, "../request/outcome.go", "Outcome"), "title"),
		"mail":                 with(kinds, ".subject"),
		"mail.decided.subject": {"appeal", "complaint"},
		"choice":               constants(t, "../consent/consent.go", "Choice"),
		"because":              append(constants(t, "../consent/why.go", "Why"), constants(t, "../policy/*.go", "Stop")...),
		"gone":                 {"choices", "preferences", "close"},
		"fate":                 strings.Fields("delete anonymise keep elsewhere"),
		"closing": slices.Concat(
			with([]string{"confirm", "cancel"}, ".title", ".text", ".button"), with([]string{"grace", "closing", "closed", "cancelled", "lapsed"}, ".title", ".text"),
		),
		"method":     constants(t, "../consent/consent.go", "Method"),
		"past":       append(constants(t, "../consent/consent.go", "Choice"), actions(t)...),
		"performer":  constants(t, "../policy/*.go", "Performer"),
		"prefs":      with([]string{"grant", "keep", "deny", "withdraw"}, ".effect", ".button"),
		"refused":    strings.Fields("halted wording required sent_before other"),
		"snippet":    strings.Fields("title text all none save later always open withdraw done failed"),
		"speaker":    strings.Fields("browser person app operator mailer"),
		"stop":       append(constants(t, "../policy/*.go", "Stop"), with([]string{"opt_out_sale", "limit_sensitive", "marketing_opt_out"}, ".title", ".stop", ".start")...),
		"mail.why":   {"digest", "overdue", "confirm_consent", "renew_consent", "preferences_link", "confirm_closure"},
		"why":        append(constants(t, "../digest/*.go", "Why"), "T-7", "T-3", "T-1"),
		"form":       constants(t, "../policy/*.go", "Form"),
		"basis":      constants(t, "../policy/*.go", "Basis"),
		"class":      constants(t, "../policy/*.go", "RecipientClass"),
		"party":      constants(t, "../policy/*.go", "RecipientRole"),
		"safeguard":  constants(t, "../policy/*.go", "Safeguard"),
		"origin":     constants(t, "../policy/*.go", "Origin"),
		"california": constants(t, "../policy/*.go", "CaliforniaCategory"),
		"ground":     constants(t, "../policy/*.go", "Ground"),
		"event":      constants(t, "../policy/*.go", "Event"),
		"occasion":   constants(t, "../policy/*.go", "Occasion"),
		"retire":     constants(t, "../policy/*.go", "RetentionAction"),
		"handling":   constants(t, "../policy/*.go", "Handling"),
		"cookie":     constants(t, "../policy/*.go", "CookieKind"),
		"ends":       strings.Fields("marketing_opt_out objection opt_out_sale limit_sensitive gpc dnt"),
		"refuse":     constants(t, "../policy/*.go", "Performer"),
		"whose":      constants(t, "../policy/*.go", "Party"),
	}
}

// constants returns the values of the constants of a type, read from its
// package's files: a new one without a word is found on the day it is added.
func constants(t *testing.T, glob, typ string) []string {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^\s+\w+\s+` + typ + `\s*=\s*"(\w+)"`)
	var list []string
	for _, source := range sources(t, glob) {
		for _, m := range declared.FindAllStringSubmatch(source, -1) {
			list = append(list, m[1])
		}
	}
	if len(list) < 2 {
		t.Fatalf("%s has %d constants of type %s; the test does not read it", glob, len(list), typ)
	}
	return list
}

// actions are those of the entries about choices that are no choice of their own.
func actions(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, source := range sources(t, "../consent/*.go") {
		for _, m := range regexp.MustCompile(`(?m)^\s+action\w+\s*= "(\w+)"`).FindAllStringSubmatch(source, -1) {
			list = append(list, m[1])
		}
	}
	if len(list) < 8 {
		t.Fatalf("there are the actions %v; the test does not read them", list)
	}
	return list
}

func TestEveryKeyHasATextAndEveryTextAUse(t *testing.T) {
	t.Parallel()
	keys := texts(t, "en")
	used := map[string]bool{"dir": true}
	groups := map[string]bool{} // tell a key from any other literal with a dot
	for key := range keys {
		group, _, _ := strings.Cut(key, ".")
		groups[group] = true
	}
	use := func(key, by string) {
		_, plain := keys[key]
		_, plural := keys[key+".other"]
		if !plain && !plural {
			t.Errorf("%s: there is no text for %s", by, key)
		}
		for k := range keys {
			if k == key || suffix.ReplaceAllString(k, "") == key {
				used[k] = true
			}
		}
	}
	known := codes(t)
	for group, list := range known {
		for _, code := range list {
			use(group+"."+code, "codes")
		}
	}
	speaking := sources(t, "*.go", "templates/*.html", "words/*.go", "../mail/*.go")
	for path, source := range speaking {
		for _, m := range literal.FindAllStringSubmatch(source, -1) {
			group, _, _ := strings.Cut(m[1], ".")
			switch {
			case strings.HasSuffix(m[1], ".html"), strings.HasSuffix(m[1], ".css"): // a file
			case groups[group], strings.HasPrefix(path, "templates"):
				use(m[1], path)
			}
		}
		for _, m := range prefix.FindAllStringSubmatch(source, -1) {
			if group := m[1] + m[2] + m[3]; known[group] == nil {
				t.Errorf("%s makes keys of the group %s, which no test knows", path, group)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !used[key] {
			t.Errorf("nobody says %s", key)
		}
	}
}

// TestRightsAreThePolicys: the form offers what a policy can promise.
func TestRightsAreThePolicys(t *testing.T) {
	t.Parallel()
	for _, l := range words.Languages() {
		for _, r := range policy.AllRights {
			if !words.In(l).Has("right." + string(r)) {
				t.Errorf("%s: %s has no word", l, r)
			}
		}
	}
}

// TestPlacesAreThosePoliciesSpeakOf: whoever can be named in a policy can say
// where they live. Kosovo has no code of ISO 3166 and goes by XK, as everywhere.
func TestPlacesAreThosePoliciesSpeakOf(t *testing.T) {
	t.Parallel()
	source := sources(t, "../policy/residence.go")["../policy/residence.go"]
	block := func(start, end string) []string {
		_, rest, found := strings.Cut(source, start)
		list, _, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("%s is not where the test reads it", start)
		}
		return strings.Fields(list)
	}
	want := append(block("countries = strings.Fields(`", "`"), "XK")
	for _, part := range block(`"US": strings.Fields(`+"`", "`") {
		if !slices.Contains(strings.Fields("AS GU MP PR UM VI"), part) { // they have codes of their own: PR
			want = append(want, "US-"+part)
		}
	}
	for _, part := range block(`"CA": strings.Fields(`+"`", "`") {
		want = append(want, "CA-"+part)
	}
	var got []string
	for _, p := range words.In("en").Places() {
		got = append(got, p.Code)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("places are %v\nwant %v", got, want)
	}
}
