package export

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Manifest says what a package is and what it may show. Its words are in the
// language of the package, and none of them is personal.
type Manifest struct {
	Request    string // id
	Right      Right
	Language   string // en or fr; any other is answered in English
	Brand      string
	Controller string // legal name
	Contact    string
	Received   time.Time // shown in the zone it carries
	Made       time.Time
	Categories []Category // in the order in which they are shown
	// California is the list that an answer to Know begins with (Civil Code
	// 1798.110): what was collected in the last 12 months, by the law's categories.
	California []CaliforniaRow
	Outcomes   []Outcome // one for each system and category that was asked
	// Ignored are identities that the person named and that were not used,
	// because nothing proved them theirs.
	Ignored []Ignored
	// Withheld are names of fields whose values are said to be held and never
	// shown, whatever category they are in. Case, blanks and punctuation do not count.
	Withheld  []string
	Authority Authority // who hears a complaint; zero: not stated
	Notes     []string  // paragraphs that the law wants told along with the data
}

// Right is the right that a package answers.
type Right string

// The rights.
const (
	Access      Right = "access"      // everything that may be shown
	Portability Right = "portability" // the same without what was inferred
	Know        Right = "know"        // California's list of categories, and everything that may be shown
)

// Category is a category of personal data as the policy declares it.
type Category struct {
	ID         string // letters, digits, dash and underscore; it becomes a file name
	Label      string
	Purposes   []string
	Sources    []string // where the data comes from
	Recipients []string
	Retention  string

	Credential    bool     // opens an account or a system: its values are never read
	NeverDisclose bool     // may be mentioned, never shown
	Inference     bool     // concluded about the person, not provided by them
	Withheld      []string // fields said to be held and never shown, as in Manifest
}

// CaliforniaRow is one of California's categories with what the policy declares of it.
type CaliforniaRow struct {
	Category     string   `json:"category"` // code: identifiers
	Label        string   `json:"label"`
	Categories   []string `json:"categories"` // labels of the policy's categories in it
	Sources      []string `json:"sources"`
	Purposes     []string `json:"purposes"`
	ThirdParties []string `json:"third_parties"` // classes of them
	Sold         bool     `json:"sold"`
}

// Outcome is what one system had of one category.
type Outcome struct {
	Source   string // id of the source, as in PartKey
	System   string // its name for people
	Category string // id
	Result   Result
	Records  int    // found, and put into parts if the category is shown
	Note     string // why, until when; may be empty
}

// Result is how the search in one system ended.
type Result string

// The results.
const (
	Found     Result = "found"
	Nothing   Result = "nothing"
	Held      Result = "held"      // there is something, and it may not be shown
	Kept      Result = "kept"      // there is something, kept back on a ground that the note states
	Apart     Result = "apart"     // answered apart from this package, as the note states
	Processor Result = "processor" // held for another company, which must be asked
)

var results = []Result{Found, Nothing, Held, Kept, Apart, Processor}

// Ignored counts identities of one kind that were not used.
type Ignored struct {
	Kind  string `json:"kind"` // email, phone...
	Count int    `json:"count"`
}

// Authority hears complaints.
type Authority struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// ErrManifest says that a manifest contradicts itself.
var ErrManifest = errors.New("export: the manifest cannot be used")

// identifier is what may become part of a key or a file name.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

func (m Manifest) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrManifest}, args...)...)
	}
	switch {
	case !identifier.MatchString(m.Request):
		return wrong("the request has no usable id")
	case m.Right != Access && m.Right != Portability && m.Right != Know:
		return wrong("there is no package for the right %q", m.Right)
	case m.Made.IsZero() || m.Received.IsZero():
		return wrong("it does not say when the request was received and the package made")
	}
	categories := map[string]bool{}
	for _, c := range m.Categories {
		if !identifier.MatchString(c.ID) || categories[c.ID] {
			return wrong("the category id %q is unusable or stands twice", c.ID)
		}
		categories[c.ID] = true
	}
	outcomes := map[place]bool{}
	for _, o := range m.Outcomes {
		at := place{o.Source, o.Category}
		switch {
		case !identifier.MatchString(o.Source) || !categories[o.Category]:
			return wrong("the outcome of %q in %q names no category or no usable source", o.Category, o.Source)
		case outcomes[at]:
			return wrong("%q in %q has two outcomes", o.Category, o.Source)
		case !slices.Contains(results, o.Result):
			return wrong("there is no result %q", o.Result)
		}
		outcomes[at] = true
	}
	return nil
}

// disclosure is what a package does with a category.
type disclosure string

const (
	shown         disclosure = "shown"
	heldNotShown  disclosure = "held_not_shown"
	notInThisKind disclosure = "not_in_this_package" // another right would show it
)

func (m Manifest) disclosure(c Category) disclosure {
	switch {
	case c.Credential || c.NeverDisclose:
		return heldNotShown
	case m.Right == Portability && c.Inference:
		return notInThisKind
	default:
		return shown
	}
}

// credentialFields are names that no package shows, declared or not: systems
// hand over whole rows, and nobody thinks of the hash beside the name.
var credentialFields = []string{
	"password", "passwd", "password hash", "password digest", "password salt", "hashed password", "encrypted password",
	"passphrase", "secret", "client secret", "api key", "api secret", "private key", "access token", "refresh token",
	"token", "oauth token", "bearer token", "session token", "auth token", "id token", "reset token", "otp secret", "totp secret", "mfa secret", "recovery codes", "backup codes",
	"security answer", "security answers", "secret answer",
}

// withholder returns a predicate over field names.
func withholder(lists ...[]string) func(field string) bool {
	names := map[string]bool{}
	for _, list := range append(lists, credentialFields) {
		for _, name := range list {
			names[plainName(name)] = true
		}
	}
	return func(field string) bool { return names[plainName(field)] }
}

// plainName returns a field's name without what spellings differ in:
// passwordHash, password_hash and Password-Hash are one.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
