package request

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

func decodeEntry(tb testing.TB, b []byte) audit.Entry {
	tb.Helper()
	e, err := audit.Decode(b)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// furnished is a desk of a company that knows Ada well.
func furnished(tb testing.TB, change ...func(*policy.Policy)) *desk {
	tb.Helper()
	d := newDesk(tb, change...)
	email, account := personal.MakeIdentity(personal.KindEmail, ada), personal.MakeIdentity(personal.KindAccount, "a-1")
	old := d.clock().AddDate(0, -1, 0)
	d.shop.ties[email] = []personal.Identity{account}
	d.shop.put(1, "account", email, old)
	d.shop.put(3, "orders", account, old)
	d.shop.put(5, "access_log", account, old)
	d.letters.put(3, "subscriptions", account, old)
	d.letters.put(2, "reading_history", account, old)
	d.shop.put(2, "account", personal.MakeIdentity(personal.KindEmail, "grace@example.net"), old)
	return d
}

// patient repeats a person's call, as a good client does, with the same key.
func patient(d *desk, what string, call func() error) {
	tb := d.t
	tb.Helper()
	var err error
	for range max(3, d.patience) {
		if err = call(); err == nil {
			return
		}
		if k := fault.KindOf(err); k != fault.Unavailable && k != fault.Internal {
			break
		}
	}
	tb.Fatalf("%s: %v", what, err)
}

// story is everything that a request did to the world.
type story struct {
	status  Status
	actions []string
	mails   []string
	outcome string
	effects map[string]int
}

// journey takes a request from the form to the end of its package, with the
// schedules alone.
func journey(d *desk, right policy.Right) story {
	t := d.t
	t.Helper()
	ctx := t.Context()
	var id ID
	patient(d, "submit", func() error {
		rec, err := d.Submit(ctx, asks(right))
		id = rec.ID
		return err
	})
	for range 40 {
		d.sweep()
		if len(d.post.mails) > 0 {
			break
		}
		d.pass(time.Minute)
	}
	var token string
	code := d.lastCode()
	patient(d, "verify", func() error {
		p, err := d.VerifyCode(ctx, id, code, Call{Key: "verify-1", Body: "code"})
		token = p.Token
		return err
	})
	r := d.ends(id)
	if r.Package != nil {
		patient(d, "deliver", func() error {
			_, err := d.Deliver(ctx, id, token, Call{Key: "deliver-1"})
			return err
		})
		d.until(id, "the package is erased", func(r Request) bool { return !r.Parts })
	}
	d.trouble.calm()
	r = d.get(id)
	s := story{status: r.Status, mails: d.post.subjects(), effects: map[string]int{}}
	for _, sys := range d.Outcome(r, "en") {
		for _, o := range sys.Outcomes {
			s.outcome += fmt.Sprintf("%s, %s: %s %d\n", sys.Name, o.Category, o.Result, o.Count)
		}
	}
	for _, line := range d.told(id) {
		if !strings.Contains(line, "fault=") && !strings.HasPrefix(line, "said ") { // that something was tried again may be told
			s.actions = append(s.actions, line)
		}
	}
	for _, st := range []*store{d.shop, d.letters} {
		for _, x := range st.things {
			s.effects[st.id+" "+x.id] = x.effects
		}
	}
	return s
}

// TestACrashAtEveryCallLosesAndRepeatsNothing runs a whole request, counts the
// calls that it makes to the outside, and runs it again for each of them: once
// the call fails, once it is done and nobody hears of it. The schedules finish it.
func TestACrashAtEveryCallLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, right := range []policy.Right{policy.Access, policy.Erasure} {
		t.Run(string(right), func(t *testing.T) {
			t.Parallel()
			calm := furnished(t)
			want := journey(calm, right)
			if want.status != Fulfilled {
				t.Fatalf("undisturbed it ends as %s", want.status)
			}
			checkEffects(t, right, want)
			k := calm.trouble.n
			t.Logf("%d calls to the outside", k)
			for i := 1; i <= k; i++ {
				what := calm.trouble.log[i-1]
				for _, lost := range []bool{false, true} {
					if lost && reads(what) {
						continue // a reading that nobody hears of is one that failed
					}
					t.Run(fmt.Sprintf("call %d of %d, %s, lost %t", i, k, what, lost), func(t *testing.T) {
						d := furnished(t)
						d.trouble.at, d.trouble.lost = i, lost
						got := journey(d, right)
						compare(t, want, got)
						d.chains()
						perKey := map[string]int{}
						for _, m := range d.post.mails {
							perKey[m.key]++
						}
						for _, n := range perKey {
							if n > 2 {
								t.Errorf("a mail was sent %d times", n)
							}
						}
						if n := d.shelf.size(); n > 0 {
							t.Errorf("%d objects of the package are left", n)
						}
					})
				}
			}
		})
	}
}

func reads(what string) bool {
	return !strings.HasPrefix(what, "commit") && !strings.HasPrefix(what, "count") && !strings.HasSuffix(what, "execute") &&
		what != "put" && what != "erase" && what != "mail"
}

func checkEffects(t *testing.T, right policy.Right, s story) {
	t.Helper()
	for id, n := range s.effects {
		hit := right == policy.Erasure && !strings.Contains(id, "orders") && id != "shop account014" && id != "shop account009" && id != "shop account010"
		if hit && n != 1 || !hit && n != 0 {
			t.Errorf("%s was touched %d times", id, n)
		}
	}
}

func compare(t *testing.T, want, got story) {
	t.Helper()
	if got.status != want.status || got.outcome != want.outcome {
		t.Errorf("it ends as %s with\n%s, want %s with\n%s", got.status, got.outcome, want.status, want.outcome)
	}
	if !maps.Equal(got.effects, want.effects) {
		t.Errorf("effects %v, want %v", got.effects, want.effects)
	}
	if !slices.Equal(got.mails, want.mails) {
		t.Errorf("mails %q, want %q", got.mails, want.mails)
	}
	a, b := slices.Sorted(slices.Values(got.actions)), slices.Sorted(slices.Values(want.actions))
	for i := range min(len(a), len(b)) {
		a[i], b[i] = action(a[i]), action(b[i])
	}
	if !slices.Equal(a, b) {
		t.Errorf("the audit tells\n%s\nwant\n%s", strings.Join(got.actions, "\n"), strings.Join(want.actions, "\n"))
	}
}

// action drops what differs from run to run: the random subject.
func action(line string) string {
	var keep []string
	for _, f := range strings.Fields(line) {
		if !strings.HasPrefix(f, "subject=") && !strings.HasPrefix(f, "holder=") && !strings.HasPrefix(f, "respond_by=") {
			keep = append(keep, f)
		}
	}
	return strings.Join(keep, " ")
}
