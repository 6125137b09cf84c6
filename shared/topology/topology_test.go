package topology_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/topology"
)

// root is the top of the repository.
const root = "../.."

// once reports names that come twice or are not spelled as they should be.
func once(t *testing.T, what string, spelling *regexp.Regexp, names []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] {
			t.Errorf("%s %q is there twice", what, n)
		}
		if !spelling.MatchString(n) {
			t.Errorf("%s %q is not spelled %s", what, n, spelling)
		}
		seen[n] = true
	}
}

var (
	word   = regexp.MustCompile(`^[a-z][a-z0-9]*$`) // folder, log, logical id: no sign survives in all
	pascal = regexp.MustCompile(`^([A-Z][a-z0-9]*)+$`)
)

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	var functions, queues []string
	for _, f := range topology.All {
		functions = append(functions, f.Name)
		if f.Queue != nil {
			queues = append(queues, f.Queue.Name)
		}
		var jobs []string
		for _, s := range f.Schedules {
			jobs = append(jobs, s.Job)
		}
		once(t, "job of "+f.Name, word, jobs)
	}
	once(t, "function", word, functions)
	once(t, "queue", word, queues)
	once(t, "alarm", pascal, topology.Alarms())
	if slices.Contains(topology.Alarms(), "") {
		t.Error("something has no alarm")
	}
}

// A pattern means the same to net/http and to API Gateway, or it is not used.
func TestPatternsMeanTheSameToBothRouters(t *testing.T) {
	t.Parallel()
	both := regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|OPTIONS) (/|(/([a-z0-9._-]+|\{[a-z]+\}))+)$`)
	for _, f := range topology.All {
		for _, r := range f.Routes {
			if !both.MatchString(r.Pattern) {
				t.Errorf("%q: greedy parts, hosts, trailing slashes and capitals are read apart", r.Pattern)
			}
			if r.Method()+" "+r.Path() != r.Pattern {
				t.Errorf("%q is taken for the method %q and the path %q", r.Pattern, r.Method(), r.Path())
			}
		}
	}
}

// One mux that serves all functions panics over two patterns of which neither is
// the narrower, and infra/local has such a mux.
func TestAllPatternsFitOnOneMux(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, f := range topology.All {
		for _, r := range f.Routes {
			pattern := r.Pattern
			if r.Path() == "/" {
				pattern += "{$}"
			}
			mux.Handle(pattern, http.NotFoundHandler())
		}
	}
}

// What operators call is theirs alone, and its path says so: whoever reads an
// access log or writes a firewall rule need not know the topology.
func TestOperatorsRoutesAreKnownByTheirPath(t *testing.T) {
	t.Parallel()
	for _, f := range topology.All {
		for _, r := range f.Routes {
			if strings.HasPrefix(r.Path(), "/v1/operator/") != (r.Caller == topology.Operator) {
				t.Errorf("%q may be called by %d", r.Pattern, r.Caller)
			}
			if strings.Contains(r.Path(), "{token}") != (r.Caller == topology.SignedLink) {
				t.Errorf("%q has a token in its path and may be called by %d", r.Pattern, r.Caller)
			}
		}
	}
}

// What a page on another site calls, a browser asks about first, and by the same function.
func TestBrowsersMayAskFirst(t *testing.T) {
	t.Parallel()
	for _, f := range topology.All {
		asked, called := map[string]bool{}, map[string]bool{}
		for _, r := range f.Routes {
			if r.Method() == http.MethodOptions {
				asked[r.Path()] = true
				if r.Caller != topology.Anyone {
					t.Errorf("%q: a browser asks without credentials", r.Pattern)
				}
			}
			if r.Caller == topology.Browser {
				called[r.Path()] = true
				if len(r.Path()) < 4 || r.Path()[:4] != "/v1/" {
					t.Errorf("%q: a page of ours is called by its own site", r.Pattern)
				}
			}
		}
		for path := range called {
			if !asked[path] {
				t.Errorf("%s: no browser gets as far as %s", f.Name, path)
			}
		}
		for path := range asked {
			if !called[path] {
				t.Errorf("%s: OPTIONS %s is about nothing that a browser may call", f.Name, path)
			}
		}
	}
}

func TestEveryFunctionHasAFolderAndEveryFolderAFunction(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for _, f := range topology.All {
		want[f.Name] = true
		b, err := os.ReadFile(filepath.Join(root, "functions", f.Name, "main.go"))
		if err != nil {
			t.Errorf("%s has no main: %v", f.Name, err)
			continue
		}
		if lines := strings.Count(string(b), "\n"); lines > 20 {
			t.Errorf("functions/%s/main.go has %d lines; what a function does belongs into shared", f.Name, lines)
		}
	}
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !want[e.Name()] {
			t.Errorf("functions/%s is no function of the topology", e.Name())
		}
		files, err := os.ReadDir(filepath.Join(root, "functions", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if file.Name() != "main.go" {
				t.Errorf("functions/%s/%s: a function's folder holds main.go and nothing else", e.Name(), file.Name())
			}
		}
	}
}

func TestEveryAlarmHasAPage(t *testing.T) {
	t.Parallel()
	headings := []string{"## What it means", "## Look first", "## Mend", "## Afterwards"}
	for _, name := range topology.Alarms() {
		b, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", name+".md"))
		if err != nil {
			t.Errorf("%s has no page: %v", name, err)
			continue
		}
		lines := strings.Split(string(b), "\n")
		if lines[0] != "# "+name {
			t.Errorf("%s.md begins with %q", name, lines[0])
		}
		var found []string
		for _, l := range lines {
			if strings.HasPrefix(l, "## ") {
				found = append(found, l)
			}
		}
		if !slices.Equal(found, headings) {
			t.Errorf("%s.md has the headings %q, want %q", name, found, headings)
		}
	}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		name := strings.TrimSuffix(filepath.Base(p), ".md")
		if drill := strings.ToLower(name) == name; !drill && !slices.Contains(topology.Alarms(), name) {
			t.Errorf("docs/runbooks/%s.md is about an alarm that cannot ring", name)
		}
	}
}

func TestTheDiagramNamesEveryFunction(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```mermaid\n")
	diagram, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/architecture.md has no diagram")
	}
	for _, f := range topology.All {
		if !strings.Contains(diagram, f.Name+"[") {
			t.Errorf("the diagram does not show %s", f.Name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^ +([a-z]+)\[λ`).FindAllStringSubmatch(diagram, -1) {
		if !slices.ContainsFunc(topology.All, func(f topology.Function) bool { return f.Name == m[1] }) {
			t.Errorf("the diagram shows %s, which is no function", m[1])
		}
	}
}

func TestWhatIsSentIsReceived(t *testing.T) {
	t.Parallel()
	received := map[string]bool{}
	for _, f := range topology.All {
		if f.Queue != nil {
			received[f.Queue.Name] = true
		}
	}
	for _, f := range topology.All {
		for _, name := range f.Sends {
			if !received[name] {
				t.Errorf("nobody works off %q", name)
			}
		}
	}
}

// The bounds are those of the services, and of what we promise.
func TestFunctionsFitTheirServices(t *testing.T) {
	t.Parallel()
	for _, f := range topology.All {
		if len(f.Routes)+len(f.Schedules) == 0 && f.Queue == nil && f.Feed == nil && !f.Stream {
			t.Errorf("%s: nothing ever calls it", f.Name)
		}
		if f.Memory < 256 || f.Memory > 3008 {
			t.Errorf("%s: %d MB: less than 256 makes the first call slow, more than 3008 not every account has", f.Name, f.Memory)
		}
		if f.Timeout < time.Second || f.Timeout > 15*time.Minute || f.Timeout%time.Second != 0 {
			t.Errorf("%s: a timeout of %v", f.Name, f.Timeout)
		}
		if len(f.Routes) > 0 && f.Timeout >= 30*time.Second {
			t.Errorf("%s: API Gateway gives up after 30 s, before its timeout of %v", f.Name, f.Timeout)
		}
		if f.Tables.Audit > topology.Append {
			t.Errorf("%s: it may change audit entries", f.Name)
		}
		if f.Tables.State >= topology.Append && f.Tables.Audit < topology.Append {
			t.Errorf("%s: it may change state and cannot say so in the audit table", f.Name)
		}
		if q := f.Queue; q != nil && (q.Batch < 1 || q.Batch > 10 || q.Tries < 2) {
			t.Errorf("%s: queue %s: %d messages at once, %d tries", f.Name, q.Name, q.Batch, q.Tries)
		}
		if e := f.Feed; e != nil {
			if e.Batch < 1 || e.Batch > 10 || e.Tries < 2 || e.Source == "" || len(e.Types) == 0 {
				t.Errorf("%s hears %q from %q: %d events at once, %d tries", f.Name, e.Types, e.Source, e.Batch, e.Tries)
			}
			if f.Queue != nil {
				t.Errorf("%s: it could not tell the messages of its queue from the events that it hears", f.Name)
			}
		}
		for _, s := range f.Schedules {
			if s.Every < time.Minute || s.Every%time.Minute != 0 {
				t.Errorf("%s: %s runs every %v, which no schedule can", f.Name, s.Job, s.Every)
			}
			if s.Misses < 1 {
				t.Errorf("%s: %s rings over a single lost run, which is no failure", f.Name, s.Job)
			}
		}
		if (f.Stream || f.Queue != nil) && len(f.Schedules) == 0 {
			t.Errorf("%s: nothing finds what its stream or queue lost", f.Name)
		}
	}
}

func TestSettingsFollowFromTheEntry(t *testing.T) {
	t.Parallel()
	for _, f := range topology.All {
		got := map[topology.Setting]int{}
		for _, s := range f.Settings() {
			got[s]++
		}
		for s, want := range map[topology.Setting]bool{
			topology.StateTable:       true,
			topology.AuditTable:       true,
			topology.KeysTable:        true,
			topology.BaseURL:          true,
			topology.Installed:        true,
			topology.Profile:          f.Editions,
			topology.ControllerName:   f.Editions,
			topology.PrivacyContact:   f.Editions,
			topology.PolicyBucket:     f.Editions,
			topology.EventBus:         f.Publishes,
			topology.Checkpoints:      f.Checkpoints != topology.None,
			topology.RoleClaim:        len(f.Routes) > 0,
			topology.MFAClaim:         len(f.Routes) > 0,
			topology.EdgeSecret:       len(f.Routes) > 0,
			topology.MailMode:         f.SendsMail || f.Suppressions || len(f.Routes) > 0,
			topology.MasterKey:        f.Tables.Keys != topology.None,
			topology.StepsQueue:       slices.Contains(f.Sends, topology.Steps),
			topology.ExportsName:      f.Exports != topology.None,
			topology.Sender:           f.SendsMail || f.Editions,
			topology.ConfigurationSet: f.SendsMail,
			topology.SecretNames:      f.Sources || f.HearsApps(),
		} {
			if n := got[s]; n > 1 || (n == 1) != want {
				t.Errorf("%s: %s is there %d times, needed: %v", f.Name, s, n, want)
			}
			delete(got, s)
		}
		for s := range got {
			t.Errorf("%s: %s: this test does not know when it is needed", f.Name, s)
		}
	}
}

func TestAlarmWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		every  time.Duration
		misses int
		want   time.Duration
	}{
		{2 * time.Minute, 4, 11 * time.Minute},
		{5 * time.Minute, 4, 26 * time.Minute},
		{time.Hour, 1, 2*time.Hour + time.Minute},
		{24 * time.Hour, 0, 24*time.Hour + time.Minute},
	} {
		if got := (topology.Schedule{Every: c.every, Misses: c.misses}).AlarmWindow(); got != c.want {
			t.Errorf("every %v, %d misses: %v, want %v", c.every, c.misses, got, c.want)
		}
	}
}
