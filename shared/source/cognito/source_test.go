package cognitosource_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	cognitosource "rightsdesk/shared/source/cognito"
	"rightsdesk/shared/source/sourcetest"
)

var (
	now     = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	mapping = cognitosource.Mapping{
		UserPool: poolID, Category: "sign_in", Account: "sub", Ties: map[personal.Kind]string{personal.KindAccount: "sub", "customer": "custom:customer"},
	}
	ada  = personal.MakeIdentity(personal.KindEmail, "ada@example.org")
	call = source.Call{Key: "k-1", Lease: now.Add(time.Minute)}
)

func clock() time.Time { return now }

func open(t *testing.T, p *pool, m cognitosource.Mapping) *cognitosource.Source {
	t.Helper()
	s, err := cognitosource.New(cognitosource.Options{ID: "people", Mapping: m, Client: p.client(), Pages: &memory{}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// named shows the contract's suite the ids that it put in: users' names.
type named struct {
	*cognitosource.Source
	p *pool
}

// idOf returns the record id of a user of the suite's.
func idOf(name string) string {
	sum := sha256.Sum256([]byte("sub-of-" + name))
	return hex.EncodeToString(sum[:16])
}

func (n named) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	page, err := n.Source.Find(ctx, ask)
	names := map[string]string{}
	for _, name := range n.p.names() {
		names[idOf(name)] = name
	}
	for i := range page.Records {
		page.Records[i].ID = names[page.Records[i].ID]
	}
	page.Ties = nil
	return page, err
}

func (n named) Execute(ctx context.Context, o source.Order) (source.Done, error) {
	o.Keep = slices.Clone(o.Keep)
	for i, name := range o.Keep {
		o.Keep[i] = idOf(name)
	}
	return n.Source.Execute(ctx, o)
}

// In the contract's suite everybody has several users, all with one address.
func TestAUserPoolKeepsTheContract(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, func(t *testing.T) sourcetest.Store {
		t.Helper()
		p := newPool(t)
		who := func(n int) personal.Identity {
			return personal.MakeIdentity(personal.KindEmail, fmt.Sprintf("person-%d@example.org", n))
		}
		return sourcetest.Store{
			Source: named{open(t, p, mapping), p}, Now: clock, Category: "sign_in", Who: who, Stranger: personal.MakeIdentity("customer", "c-1"),
			Add: func(t *testing.T, entries []sourcetest.Entry) {
				t.Helper()
				for _, e := range entries {
					m := member{name: e.ID, created: e.At, attrs: map[string]string{"email": who(e.Person).Reveal(), "email_verified": "true"}}
					if err := json.Unmarshal(e.Fields, &m.attrs); err != nil {
						t.Fatal(err)
					}
					p.add(m)
				}
			},
			Dump: func(*testing.T) map[string]string {
				p.mu.Lock()
				defer p.mu.Unlock()
				all := map[string]string{}
				for name, u := range p.users {
					all[name] = fmt.Sprint(u.created, u.disabled, u.list())
				}
				return all
			},
			Cut: func() { p.cut.Store(true) }, OnlyDeletes: true,
		}
	})
}

func user(name string, attrs map[string]string) member {
	return member{name: name, attrs: attrs, created: now.Add(-time.Hour)}
}

func verified(address string) map[string]string {
	return map[string]string{"email": address, "email_verified": "true"}
}

func find(t *testing.T, s *cognitosource.Source, ids ...personal.Identity) source.Found {
	t.Helper()
	page, err := s.Find(t.Context(), source.Ask{Identities: ids, Until: now, Values: true, Call: call})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func order(verb source.Verb, ids ...personal.Identity) source.Order {
	return source.Order{Verb: verb, Identities: ids, Category: "sign_in", Until: now, Call: call}
}

func TestOnlyAVerifiedAddressFindsAndTies(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	p.add(user("a", verified("ada@example.org")))
	p.add(user("b", verified("Ada@Example.org")))
	p.add(user("c", map[string]string{"email": "ada@example.org", "email_verified": "false"}))
	p.add(user("d", map[string]string{"email": "ada@example.org"}))
	p.add(user("e", verified("ada+other@example.org"))) // the list proposes it all the same
	p.add(user("google_1", map[string]string{"email": "ada@example.org", "email_verified": "false", "identities": `[{"providerName":"Google"}]`}))
	p.add(user("google_2", map[string]string{"email": "ada@example.org", "email_verified": "true", "identities": `[{"providerName":"Google"}]`, "custom:customer": "c-7"}))
	p.add(user("z", map[string]string{"phone_number": "+12025550100", "phone_number_verified": "true"}))
	p.add(user("y", map[string]string{"phone_number": "+12025550100", "phone_number_verified": "false"}))
	p.stale = []string{"gone"}
	s := open(t, p, mapping)
	page := find(t, s, ada)
	if len(page.Records) != 3 || !page.Done {
		t.Errorf("%d users, want a, b and google_2", len(page.Records))
	}
	var ties []string
	for _, id := range page.Ties {
		ties = append(ties, string(id.Kind)+" "+id.Reveal())
	}
	slices.Sort(ties)
	if want := []string{"account sub-of-a", "account sub-of-b", "account sub-of-google_2", "customer c-7"}; !slices.Equal(ties, want) {
		t.Errorf("ties %v, want %v", ties, want)
	}
	for _, r := range page.Records {
		if len(r.ID) != 32 {
			t.Errorf("id %s", r.ID)
		}
	}
	if page := find(t, s, personal.MakeIdentity(personal.KindPhone, "+1 202 555 0100")); len(page.Records) != 1 {
		t.Errorf("by a number: %d users, want z", len(page.Records))
	}
	done, err := s.Execute(t.Context(), order(source.Delete, ada))
	if err != nil || done.Removed != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	if left := p.names(); !slices.Equal(left, []string{"c", "d", "e", "google_1", "y", "z"}) {
		t.Errorf("left: %v", left)
	}
}

func TestAnAccountIsFoundAndTiesNothing(t *testing.T) {
	t.Parallel()
	for account, id := range map[string]string{"sub": "sub-of-ada", "username": "ada"} {
		p := newPool(t)
		p.add(user("ada", map[string]string{"email": "ada@example.org", "email_verified": "false"}))
		p.add(user("bob", map[string]string{"preferred_username": "bobby"}))
		m := mapping
		m.Account = account
		s := open(t, p, m)
		page := find(t, s, personal.MakeIdentity(personal.KindAccount, id))
		if len(page.Records) != 1 || len(page.Ties) != 0 {
			t.Errorf("by %s: %+v", account, page)
		}
		for _, other := range []string{"bobby", "sub-of-bo", "nobody", `x" or sub = "sub-of-ada`, "sub-of-bob*"} {
			if page := find(t, s, personal.MakeIdentity(personal.KindAccount, other)); len(page.Records) != 0 || !page.Done {
				t.Errorf("by %s, %q finds %+v", account, other, page)
			}
		}
		if both := find(t, s, personal.MakeIdentity(personal.KindAccount, id), personal.MakeIdentity(personal.KindAccount, id)); len(both.Records) != 1 {
			t.Errorf("named twice: %d users", len(both.Records))
		}
		if _, err := s.Find(t.Context(), source.Ask{Identities: []personal.Identity{personal.MakeIdentity(personal.KindAccount, `a\`)}, Call: call}); !errors.Is(err, source.ErrRefused) {
			t.Errorf("a backslash: %v; want ErrRefused", err)
		}
	}
}

func TestValuesShowTheUserWithGroupsDevicesAndSignIns(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	p.page, p.tracks, p.watches = 2, true, true
	u := user("ada", verified("ada@example.org"))
	u.groups, u.devices, u.events = []string{"a", "b", "c"}, 3, 3
	p.add(u)
	s := open(t, p, mapping)
	var got map[string]any
	if err := json.Unmarshal(find(t, s, ada).Records[0].Fields, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"cognito:created", "cognito:devices", "cognito:enabled", "cognito:events", "cognito:groups", "cognito:modified", "cognito:user_status", "cognito:username", "email", "email_verified", "sub"}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) || got["email"] != "ada@example.org" {
		t.Errorf("fields %v", got)
	}
	for _, list := range []string{"cognito:groups", "cognito:devices", "cognito:events"} {
		if all, _ := got[list].([]any); len(all) != 3 {
			t.Errorf("%s: %v, want all three", list, got[list])
		}
	}
	p.tracks, p.watches = false, false
	if fields := string(find(t, s, ada).Records[0].Fields); strings.Contains(fields, "devices") || strings.Contains(fields, "events") {
		t.Errorf("a pool that keeps no devices and events: %s", fields)
	}
}

func TestAUserIsShutOutBeforeTheyAreDeletedAndEachCallMayBeRepeated(t *testing.T) {
	t.Parallel()
	want := []string{"AdminDisableUser ada", "AdminUserGlobalSignOut ada", "AdminDeleteUser ada"}
	for _, op := range []string{"", "AdminDisableUser", "AdminUserGlobalSignOut", "AdminDeleteUser"} {
		for _, apply := range []bool{false, true} {
			p := newPool(t)
			p.add(user("ada", verified("ada@example.org")))
			s := open(t, p, mapping)
			var mended atomic.Bool
			p.fault = func(o string, _ int) (bool, string) {
				return apply, map[bool]string{true: "lost"}[!mended.Load() && o == op]
			}
			if op != "" {
				if done, err := s.Execute(t.Context(), order(source.Delete, ada)); !errors.Is(err, source.ErrLater) && (op != "AdminDeleteUser" || !apply) {
					t.Errorf("%s is lost: %+v, %v; want ErrLater", op, done, err)
				}
			}
			mended.Store(true)
			done, err := s.Execute(t.Context(), order(source.Delete, ada))
			if err != nil || done.Removed != 1 || len(p.names()) != 0 {
				t.Errorf("after %s was lost (done: %v): %+v, %v, left %v", op, apply, done, err, p.names())
			}
			if got := slices.Compact(p.done()); op == "" && !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
	}
}

func TestAUserThatBecameSomebodyElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(*member){
		"another user of that name": func(m *member) { m.attrs["sub"] = "another" },
		"another address":           func(m *member) { m.attrs["email"] = "bob@example.org" },
		"no longer verified":        func(m *member) { m.attrs["email_verified"] = "false" },
	} {
		p := newPool(t)
		p.add(user("ada", verified("ada@example.org")))
		s := open(t, p, mapping)
		var reads atomic.Int32
		p.before = func(op string) {
			if op == "AdminGetUser" && reads.Add(1) == 2 {
				p.mu.Lock()
				meddle(p.users["ada"])
				p.mu.Unlock()
			}
		}
		done, err := s.Execute(t.Context(), order(source.Delete, ada))
		if err != nil || done.Removed != 0 || done.Retained != 1 || len(done.Messages) != 1 || len(p.done()) != 0 {
			t.Errorf("%s: %+v, %v, %v", name, done, err, p.done())
		}
	}
}

func TestAnAddressIsCorrectedOnlyIfItsOwnerHasProvenIt(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	p.add(user("ada", verified("ada@example.org")))
	o := order(source.Correct, ada)
	correct := func(s *cognitosource.Source, field, value string) (source.Done, error) {
		o.Call.Key = field + value
		o.Corrections = []source.Correction{{Field: field, Value: personal.MakeText(value)}}
		return s.Execute(t.Context(), o)
	}
	s := open(t, p, mapping)
	if done, err := correct(s, "email", "new@example.org"); !errors.Is(err, source.ErrRefused) {
		t.Errorf("not proven: %+v, %v", done, err)
	}
	for _, field := range []string{"sub", "username", "email_verified", "phone_number", "phone_number_verified", "identities", "cognito:username", "custom:fixed", ""} {
		if done, err := correct(s, field, "x"); !errors.Is(err, source.ErrRefused) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %+v, %v; want ErrRefused", field, done, err)
		}
	}
	m := mapping
	m.ProvenEmail = true
	s = open(t, p, m)
	if done, err := correct(s, "email", "no address"); !errors.Is(err, source.ErrRefused) {
		t.Errorf("no address: %+v, %v", done, err)
	}
	for range 2 {
		if done, err := correct(s, "email", "new@example.org"); err != nil || done.Removed != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	}
	if got := p.users["ada"].attrs; got["email"] != "new@example.org" || got["email_verified"] != "true" {
		t.Errorf("%v", got)
	}
}

func TestWhatTheServiceSaysIsSorted(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"TooManyRequestsException": source.ErrLater, "ThrottlingException": source.ErrLater, "InternalErrorException": source.ErrLater, "ExpiredTokenException": source.ErrLater, "lost": source.ErrLater,
		"AccessDeniedException": source.ErrRefused, "NotAuthorizedException": source.ErrRefused, "ResourceNotFoundException": source.ErrRefused, "InvalidParameterException": source.ErrRefused,
	} {
		for _, op := range []string{"ListUsers", "AdminGetUser", "AdminListGroupsForUser", "AdminListDevices", "AdminListUserAuthEvents", "AdminDisableUser", "AdminUserGlobalSignOut", "AdminDeleteUser"} {
			p := newPool(t)
			p.tracks, p.watches = true, true
			p.add(user("canary", verified("ada@example.org")))
			p.fault = func(o string, _ int) (bool, string) { return false, map[bool]string{true: code}[o == op] }
			s := open(t, p, mapping)
			var err error
			if strings.Contains(op, "List") || op == "AdminGetUser" {
				_, err = s.Find(t.Context(), source.Ask{Identities: []personal.Identity{ada}, Until: now, Values: true, Call: call})
			} else {
				_, err = s.Execute(t.Context(), order(source.Delete, ada))
			}
			if !errors.Is(err, want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s says %s: %v; want %v that names nobody", op, code, err, want)
			}
		}
	}
}

func TestThrottlesAreWaitedOut(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	p.add(user("ada", verified("ada@example.org")))
	p.fault = func(_ string, n int) (bool, string) {
		return false, map[bool]string{true: "TooManyRequestsException"}[n <= 2]
	}
	if done, err := open(t, p, mapping).Execute(t.Context(), order(source.Delete, ada)); err != nil || done.Removed != 1 || len(p.names()) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestUsersGoByWhenTheyWereCreated(t *testing.T) {
	t.Parallel()
	until := now.Add(-24 * time.Hour)
	for _, limit := range []int{7, 60, 500} {
		p := newPool(t)
		for i := range 130 {
			u := user(fmt.Sprintf("u-%03d", i), verified(fmt.Sprintf("p%d@example.org", i)))
			if u.created = until; i%10 == 0 {
				u.created = until.Add(time.Second)
			}
			p.add(u)
		}
		s := open(t, p, mapping)
		age := source.Age{Category: "sign_in", By: source.Collected, Verb: source.Delete, Until: until, Limit: limit, Call: call}
		var due []source.AgedRecord
		seen := 0
		for {
			page, err := s.Old(t.Context(), age)
			if err != nil || len(page.Records) > limit {
				t.Fatal(page, err)
			}
			due, seen, age.Cursor = append(due, page.Records...), seen+page.Seen, page.Cursor
			if page.Done {
				break
			}
		}
		if len(due) != 117 || seen != 130 || len(due[0].Who) != 2 {
			t.Errorf("pages of %d: %d due of %d, the first is about %v", limit, len(due), seen, due[0].Who)
		}
		p.mu.Lock()
		delete(p.users, "u-001")
		p.users["u-002"].created = now // another of that name
		p.users["u-002"].attrs["sub"] = "another"
		p.mu.Unlock()
		e := source.Expiry{Verb: source.Delete, Category: "sign_in", By: source.Collected, Until: until, Records: due, Call: call}
		for range 2 {
			if done, err := s.Expire(t.Context(), e); err != nil || done.Removed != 115 || !done.Done {
				t.Errorf("%+v, %v; want 115", done, err)
			}
		}
		if left := p.names(); len(left) != 14 || left[1] != "u-002" {
			t.Errorf("left %v", left)
		}
	}
}

func TestARuleThatNoPoolCanFollowIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, newPool(t), mapping)
	age := source.Age{Category: "sign_in", By: source.LastUsed, Until: now, Call: call}
	if _, err := s.Old(t.Context(), age); !errors.Is(err, source.ErrRefused) || !errors.Is(err, source.ErrNotSwept) {
		t.Errorf("by last use: %v; want ErrNotSwept", err)
	}
	for _, verb := range []source.Verb{source.Anonymise, source.Archive} {
		e := source.Expiry{Verb: verb, Category: "sign_in", By: source.Collected, Until: now, Call: call, Records: []source.AgedRecord{{ID: "x"}}}
		if done, err := s.Expire(t.Context(), e); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %+v, %v; want ErrRefused", verb, done, err)
		}
	}
	e := source.Expiry{Verb: source.Delete, Category: "sign_in", By: source.Collected, Until: now, Call: call, Records: []source.AgedRecord{{ID: "x"}}}
	if done, err := s.Expire(t.Context(), e); !errors.Is(err, source.ErrRefused) {
		t.Errorf("no handle: %+v, %v; want ErrRefused", done, err)
	}
}

func TestNewRefusesAMappingThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	for name, change := range map[string]func(*cognitosource.Mapping){
		"no pool":                func(m *cognitosource.Mapping) { m.UserPool = "" },
		"no category":            func(m *cognitosource.Mapping) { m.Category = "" },
		"an account by nothing":  func(m *cognitosource.Mapping) { m.Account = "" },
		"an account by custom":   func(m *cognitosource.Mapping) { m.Account = "custom:account" },
		"a tie that users write": func(m *cognitosource.Mapping) { m.Ties = map[personal.Kind]string{"customer": "nickname"} },
	} {
		m := mapping
		change(&m)
		if _, err := cognitosource.New(cognitosource.Options{ID: "people", Mapping: m, Client: p.client(), Pages: &memory{}, Now: clock}); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %v; want ErrRefused", name, err)
		}
	}
}
