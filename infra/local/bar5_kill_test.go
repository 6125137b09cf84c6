package main

import (
	"bufio"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/personal"
)

// TestBar5_KilledAtAnyMomentEveryPlanConverges runs the real program, kills it
// while plans are under way (SIGKILL: it can save nothing), and starts it again,
// fifty times. In the end every plan is done, every record was changed once, and
// at no start did a status say more than was true.
//
// A kill counts only if it struck while the program was still at work on a plan;
// one that came too late is not counted and another one takes its place.
func TestBar5_KilledAtAnyMomentEveryPlanConverges(t *testing.T) {
	t.Parallel()
	kills := 50
	if full() {
		kills = 250
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := &crash{t: t, most: 2 * kills, binary: binary, data: filepath.Join(dir, "data"), temp: t.TempDir(), random: rand.New(rand.NewPCG(5, 5)), ids: map[string]*ask{}}
	c.prepare()
	struck := 0
	for tries := 0; struck < kills; tries++ {
		if tries > 4*kills {
			t.Fatalf("of %d kills only %d struck a running plan", tries, struck)
		}
		c.start()
		c.tellsTheTruth(false)
		c.occupied()
		if c.strike() {
			struck++
		}
	}
	c.start()
	for turns := 0; ; turns++ {
		if c.tellsTheTruth(true); c.done() {
			break
		}
		if turns > 100 {
			t.Fatalf("not every plan converges: %v\n%s", c.batch, c.w.log)
		}
		c.w.pass(c.step())
	}
	var v struct {
		Chains, Entries int
		Broken          []any
	}
	c.w.must(http.StatusOK, "GET", "/v1/operator/audit/verify", nil, c.w.operator()).into(t, &v)
	if v.Chains < len(c.ids) || len(v.Broken) > 0 {
		t.Errorf("the audit chains after the crashes: %+v", v)
	}
	c.stop(syscall.SIGTERM)
	left, err := filepath.Glob(filepath.Join(c.temp, "*"))
	for _, name := range left {
		if info, statErr := os.Stat(name); statErr == nil && info.Size() > 0 {
			t.Errorf("a killed process left %s with people's data in it", name)
		}
	}
	if err != nil {
		t.Error(err)
	}
	effects, repeated := c.once()
	erased := 0
	for _, a := range c.ids {
		if a.right == "erasure" {
			erased++
		}
	}
	proof(t, "bar 5", "%d SIGKILLs within running plans of %d erasures and %d exports: all converged, %d records changed, each once (%d reads came again under the same key), no status said more than was true in %d looks, %d audit entries unbroken",
		struck, erased, len(c.ids)-erased, effects, repeated, c.looks, v.Entries)
}

// crash is the program as a process of its own, and the requests it works on.
type crash struct {
	t      *testing.T
	binary string
	data   string
	temp   string // its folder for temporary files
	listen string // where it listens; empty: anywhere
	slow   string // how long the company takes for a call; empty: 5ms
	random *rand.Rand
	people []company.Person
	most   int // people of the company
	next   int // of people: the next to ask

	process *exec.Cmd
	w       *world
	ids     map[string]*ask // by request
	batch   map[string]*ask // of them, those asked for last
	cooled  time.Time       // when the erasures of the batch can begin
	expect  int             // records that erasures are to change
	counts  map[string]map[string]int
	looks   int // statuses that were compared with the stores
}

// ask is a request that the program got.
type ask struct {
	right string
	who   company.Person
	token string
	done  bool
}

func (a *ask) String() string { return a.right + " of " + a.who.Account }

// prepare makes a company whose people have some pages of records each.
func (c *crash) prepare() {
	c.t.Helper()
	if err := os.MkdirAll(c.data, 0o700); err != nil {
		c.t.Fatal(err)
	}
	firm := c.open(false)
	var err error
	if c.people, err = firm.People(c.most); err != nil {
		c.t.Fatal(err)
	}
	now := time.Now()
	for n, p := range c.people {
		for _, of := range []struct{ store, category, fields string }{
			{company.Shop, company.AccessLog, `{"ip":"192.0.2.1","path":"/","user_agent":"Mozilla"}`},
			{company.Shop, company.SupportMail, `{"email":"x@example.org","subject":"x","body":"x"}`},
			{company.Newsletter, company.ReadingHistory, `{"account":"x","title":"On Mending","minutes":1}`},
		} {
			var lines []company.Line
			for i := range c.random.IntN(1600) {
				lines = append(lines, company.Line{
					Account: p.Account, Category: of.category, ID: fmt.Sprintf("more-%d-%d", n, i),
					At: now.Add(-time.Duration(i+60) * time.Minute).Truncate(time.Millisecond), Fields: []byte(of.fields),
				})
			}
			if err := firm.Add(of.store, lines...); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	c.counts = map[string]map[string]int{}
	for store := range company.Categories {
		if err := firm.Records(store, func(l company.Line) {
			if c.counts[l.Account] == nil {
				c.counts[l.Account] = map[string]int{}
			}
			c.counts[l.Account][l.Category]++
		}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := firm.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// open opens the company's file while the program does not run.
func (c *crash) open(journal bool) *company.Company {
	c.t.Helper()
	firm, err := company.Open(company.Options{Path: filepath.Join(c.data, "company.db"), People: c.most, Seed: 1, Now: time.Now, Journal: journal, NoSync: true})
	if err != nil {
		c.t.Fatal(err)
	}
	return firm
}

// start runs the program and waits until it serves.
func (c *crash) start() {
	c.t.Helper()
	log := &safeBuffer{}
	c.process = exec.Command(c.binary, "-data", c.data, "-listen", cmp.Or(c.listen, "127.0.0.1:0"), "-journal", "-slow", cmp.Or(c.slow, "5ms"))
	c.process.Stderr = log
	c.process.Env = append(os.Environ(), "TMPDIR="+c.temp)
	out, err := c.process.StdoutPipe()
	if err == nil {
		err = c.process.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = c.process.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	address := strings.TrimSpace(strings.TrimPrefix(line, "Rightsdesk runs at "))
	if err != nil || address == strings.TrimSpace(line) {
		c.t.Fatalf("the program does not start: %q %v\n%s", line, err, log)
	}
	key, err := os.ReadFile(filepath.Join(c.data, "operator.key"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.w = &world{product: &product{URL: address, OperatorKey: string(key)}, t: c.t, log: log, client: caller("")}
}

// occupied sees to it that there is work: when everything asked for so far is
// done, twelve more people ask, for an erasure each, and every third for a
// package. The erasures begin after their cooling time.
func (c *crash) occupied() {
	c.t.Helper()
	if len(c.batch) > 0 {
		if !c.done() {
			return
		}
		c.tellsTheTruth(true)
	}
	c.batch = map[string]*ask{}
	for range 12 {
		if c.next == len(c.people) {
			c.t.Fatal("there are not enough people")
		}
		right, who := "erasure", c.people[c.next]
		if c.next++; c.next%3 == 0 {
			right = "access"
		}
		id := c.w.from(c.next).submit(submission(right, who.Email))
		a := &ask{right: right, who: who, token: c.w.verify(id, who.Email)}
		c.batch[id], c.ids[id] = a, a
		if right == "erasure" {
			for category, n := range c.counts[who.Account] {
				if category != company.Orders {
					c.expect += n
				}
			}
		}
	}
	c.cooled = c.now().Add(7*24*time.Hour + time.Minute)
}

// done reports whether everything that was asked for is done.
func (c *crash) done() bool {
	for _, a := range c.batch {
		if !a.done {
			return false
		}
	}
	return true
}

// step is how far to turn the clock: over the cooling time of the erasures, once
// the packages, which are not kept as long, were fetched.
func (c *crash) step() time.Duration {
	for _, a := range c.batch {
		if a.right == "access" && !a.done {
			return 3 * time.Minute
		}
	}
	return max(3*time.Minute, c.cooled.Sub(c.now()))
}

// now is the program's time.
func (c *crash) now() time.Time {
	c.t.Helper()
	var clock struct{ Now time.Time }
	c.w.must(http.StatusOK, "GET", "/local/clock", nil).into(c.t, &clock)
	return clock.Now
}

// strike lets the schedules run and kills the program at a random moment of it.
// It reports whether there was still work to do.
func (c *crash) strike() bool {
	c.t.Helper()
	by := c.step()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		req, err := http.NewRequest(http.MethodPost, c.w.URL+"/local/clock?by="+by.String(), nil)
		if err != nil {
			return
		}
		if res, err := c.w.client.Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	working := true
	select {
	case <-returned:
		working = false
	case <-time.After(time.Duration(c.random.IntN(250_000)) * time.Microsecond):
	}
	c.stop(syscall.SIGKILL)
	<-returned
	return working
}

func (c *crash) stop(signal syscall.Signal) {
	c.t.Helper()
	if err := c.process.Process.Signal(signal); err != nil {
		c.t.Fatal(err)
	}
	err := c.process.Wait()
	if signal != syscall.SIGKILL && err != nil {
		c.t.Errorf("the program stops with %v\n%s", err, c.w.log)
	}
}

// tellsTheTruth compares what the requests of the batch say with what the stores
// hold: those that were not done at the last look, or all.
func (c *crash) tellsTheTruth(all bool) {
	c.t.Helper()
	for id, a := range c.batch {
		if a.done && !all {
			continue
		}
		s := c.w.see(id, a.token) // first the status, then the stores: work goes on
		c.looks++
		switch s.Status {
		case "fulfilled":
			if a.right == "access" && !a.done {
				c.w.compare(c.w.download(id, a.token)["data.json"], c.counts[a.who.Account])
			}
			a.done = true
		case "open", "in_progress":
			if a.done {
				c.t.Errorf("%s was fulfilled, and is %s", a, s.Status)
			}
		default:
			c.t.Fatalf("%s is %s", a, s.Status)
		}
		if a.right != "erasure" {
			continue
		}
		holds := c.holds(a.who)
		for label, category := range map[string]string{
			"Account": company.Account, "Visits": company.AccessLog, "Letters to our help desk": company.SupportMail, "Keys to other services": company.Credentials,
			"Newsletter subscriptions": company.Subscriptions, "What was read": company.ReadingHistory,
		} {
			r := s.result(label)
			if (s.Status == "fulfilled" || r == "erased" || r == "anonymised") && holds[category] > 0 {
				c.t.Errorf("%s is %s, says that %s is %q, and the stores hold %d", a, s.Status, label, r, holds[category])
			}
			if r == "failed" {
				c.t.Errorf("%s: %s has failed\n%s", a, label, c.w.log)
			}
		}
	}
}

// holds counts what the stores hold of somebody: of each category the first page.
func (c *crash) holds(who company.Person) map[string]int {
	c.t.Helper()
	var stores map[string]map[string][]any
	q := url.Values{"email": {who.Email}, string(personal.KindAccount): {who.Account}}
	c.w.must(http.StatusOK, "GET", "/local/company/people?"+q.Encode(), nil).into(c.t, &stores)
	counts := map[string]int{}
	for _, categories := range stores {
		for category, records := range categories {
			counts[category] = len(records)
		}
	}
	return counts
}

// once reads the company's journal: every record that erasures were to change
// was changed, once, by one call.
func (c *crash) once() (effects, repeated int) {
	c.t.Helper()
	firm := c.open(true)
	defer func() { _ = firm.Close() }()
	changed := map[[3]string]int{}
	if err := firm.Effects(func(e company.Effect) {
		changed[[3]string{e.Store, e.Category, e.ID}] += int(e.Count)
	}); err != nil {
		c.t.Fatal(err)
	}
	for record, n := range changed {
		if n != 1 {
			c.t.Errorf("%v was changed %d times", record, n)
		}
	}
	if len(changed) != c.expect {
		c.t.Errorf("%d records were changed, want %d", len(changed), c.expect)
	}
	seen := map[company.Access]bool{}
	if err := firm.Accesses(func(a company.Access) {
		if seen[a] {
			repeated++
		}
		seen[a] = true
	}); err != nil {
		c.t.Fatal(err)
	}
	for _, a := range c.ids {
		if a.right == "erasure" {
			for store := range company.Categories {
				if err := firm.Records(store, func(l company.Line) {
					if l.Account == a.who.Account && l.Category != company.Orders {
						c.t.Errorf("of %s %s %s is left", a.who.Account, l.Category, l.ID)
					}
				}); err != nil {
					c.t.Fatal(err)
				}
			}
		}
	}
	return len(changed), repeated
}
