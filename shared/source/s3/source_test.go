package s3source_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	s3source "rightsdesk/shared/source/s3"
	"rightsdesk/shared/source/sourcetest"
)

var now = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

var byPrefix = s3source.Mapping{
	Bucket: bucketName, Prefix: map[personal.Kind]string{personal.KindAccount: "users/{id}/", personal.KindEmail: "by-mail/{id}/"},
	Objects:   []s3source.Rule{{Category: "visits", Prefix: "visits/"}, {Category: "letters", Prefix: "letters/"}},
	OpenNames: true,
}

var byTag = s3source.Mapping{
	Bucket: bucketName, Tag: map[personal.Kind]string{personal.KindAccount: "owner"}, Within: "uploads/",
	Objects:   []s3source.Rule{{Category: "visits", Prefix: "visits/"}, {Category: "letters", Prefix: "letters/"}},
	OpenNames: true,
}

func account(id string) personal.Identity { return personal.MakeIdentity(personal.KindAccount, id) }

func open(t *testing.T, b *bucket, m s3source.Mapping) *s3source.Source {
	t.Helper()
	s, err := s3source.New(s3source.Options{ID: "files", Mapping: m, Client: b.client(), Pages: &memory{}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// unwrapped shows the contract's suite the ids and fields that it put in: its
// records are objects whose content is the fields.
type unwrapped struct{ *s3source.Source }

func (u unwrapped) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	page, err := u.Source.Find(ctx, ask)
	for i := range page.Records {
		r := &page.Records[i]
		_, r.ID, _ = strings.Cut(r.ID, "/")
		var o struct{ Content []byte }
		if r.Fields != nil && json.Unmarshal(r.Fields, &o) == nil {
			r.Fields = o.Content
		}
	}
	return page, err
}

func (u unwrapped) Execute(ctx context.Context, o source.Order) (source.Done, error) {
	for i := range o.Keep {
		o.Keep[i] = o.Category + "/" + o.Keep[i]
	}
	done, err := u.Source.Execute(ctx, o)
	for i := range o.Keep {
		o.Keep[i] = strings.TrimPrefix(o.Keep[i], o.Category+"/")
	}
	return done, err
}

func TestBothWaysToFindAPersonKeepTheContract(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]s3source.Mapping{"by a prefix": byPrefix, "by a tag": byTag} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, func(t *testing.T) sourcetest.Store {
				t.Helper()
				b := newBucket(t)
				who := func(n int) personal.Identity { return account(fmt.Sprintf("acc-%d", n)) }
				return sourcetest.Store{
					Source: unwrapped{open(t, b, m)}, Now: clock, Category: "visits", Others: []string{"letters"},
					Who: who, Stranger: personal.MakeIdentity(personal.KindPhone, "+12025550100"),
					Add: func(t *testing.T, entries []sourcetest.Entry) {
						t.Helper()
						for _, e := range entries {
							v := version{key: e.Category + "/" + e.ID, id: "null", at: e.At.Truncate(time.Second), body: e.Fields}
							if m.Within != "" {
								v.key, v.tags = m.Within+v.key, map[string]string{"owner": who(e.Person).Reveal()}
							} else {
								v.key = "users/" + who(e.Person).Reveal() + "/" + v.key
							}
							b.put(v)
						}
					},
					Dump: func(*testing.T) map[string]string {
						b.mu.Lock()
						defer b.mu.Unlock()
						all := map[string]string{}
						for _, v := range b.versions {
							all[v.key[strings.LastIndexByte(v.key, '/')+1:]] = fmt.Sprint(v.key, v.at, string(v.body))
						}
						return all
					},
					Cut: func() { b.cut.Store(true) }, OnlyDeletes: true, NeverCorrects: true,
				}
			})
		})
	}
}

var (
	ada  = []personal.Identity{account("1")}
	call = source.Call{Key: "k-1", Lease: now.Add(time.Minute)}
)

func order(ids ...personal.Identity) source.Order {
	return source.Order{Verb: source.Delete, Identities: ids, Category: "visits", Until: now, Call: call}
}

func find(t *testing.T, s *s3source.Source, ask source.Ask) []source.Record {
	t.Helper()
	var all []source.Record
	ask.Call = call
	for range 100 {
		page, err := s.Find(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page.Records...); page.Done {
			return all
		}
		ask.Cursor = page.Cursor
	}
	t.Fatal("looking does not end")
	return nil
}

func work(t *testing.T, s *s3source.Source, o source.Order) (removed int, last source.Done) {
	t.Helper()
	for i := range 100 {
		o.Call.Key = fmt.Sprintf("%s-%d", o.Call.Key, i)
		done, err := s.Execute(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if removed += done.Removed; done.Done {
			return removed, done
		}
	}
	t.Fatal("the work does not end")
	return 0, last
}

// history puts an object with three versions, a delete marker between and one above.
func history(b *bucket, key string) {
	for i, marker := range []bool{false, false, true, false, true} {
		b.put(version{key: key, marker: marker, at: now.Add(time.Duration(i-10) * time.Hour), body: []byte("body")})
	}
}

func TestEveryVersionAndEveryDeleteMarkerIsFoundAndGoes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 3, 1000} { // of the service's lists, so that a key is cut anywhere
		for _, limit := range []int{1, 4, 500} {
			b := newBucket(t)
			b.page = size
			history(b, "users/1/visits/a")
			b.put(version{key: "users/1/visits/b", id: "null", at: now.Add(-time.Hour)})
			history(b, "users/1/visits/c")
			history(b, "users/12/visits/theirs")
			s := open(t, b, byPrefix)
			got := find(t, s, source.Ask{Identities: ada, Category: "visits", Until: now, Limit: limit})
			ids := map[string]bool{}
			for _, r := range got {
				ids[r.ID] = true
			}
			if len(got) != 11 || len(ids) != 11 || !ids["visits/b"] {
				t.Errorf("lists of %d, pages of %d: %d records, %d ids; want 11 once each", size, limit, len(got), len(ids))
			}
			o := order(ada...)
			o.Limit = limit
			if removed, last := work(t, s, o); removed != 11 || last.Retained != 0 {
				t.Errorf("lists of %d, pages of %d: %d removed, %+v; want 11", size, limit, removed, last)
			}
			if left := b.left(); len(left) != 5 || !strings.HasPrefix(left[0], "users/12/") {
				t.Errorf("left: %v", left)
			}
		}
	}
}

func TestAnOrderIsDoneWhenAFreshListIsEmpty(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	history(b, "users/1/visits/a")
	s := open(t, b, byPrefix)
	o := order(ada...)
	if done, err := s.Execute(t.Context(), o); err != nil || done.Removed != 5 || done.Done {
		t.Errorf("%+v, %v; what was deleted was not looked for again", done, err)
	}
	o.Call.Key = "k-2"
	if done, err := s.Execute(t.Context(), o); err != nil || done.Removed != 0 || !done.Done {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestAnIdentityNeverReachesAnotherPrefix(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for _, key := range []string{"users/1/visits/a", "users/12/visits/a", "users/1/visits/x/visits/a", "secret/visits/a", "users/visits/a", "users/../visits/a", "users/%2e/visits/a"} {
		b.put(version{key: key, at: now.Add(-time.Hour)})
	}
	s := open(t, b, byPrefix)
	for _, id := range []string{"1/visits/x", "..", ".", "../secret", "1/", "/1", `1\..`, "a\u0000b/", strings.Repeat("x", 600), ""} {
		who := account(id)
		if page, err := s.Find(t.Context(), source.Ask{Identities: []personal.Identity{who}, Until: now, Call: call}); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%q: %d records, %v; want ErrRefused", id, len(page.Records), err)
		}
		if done, err := s.Execute(t.Context(), order(who)); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%q: %+v, %v; want ErrRefused", id, done, err)
		}
	}
	for id, want := range map[string]int{"1": 2, "12": 1, "%2e": 1, "2": 0, "*": 0} {
		if got := find(t, s, source.Ask{Identities: []personal.Identity{account(id)}, Until: now}); len(got) != want {
			t.Errorf("%q: %d records, want %d", id, len(got), want)
		}
	}
}

func TestWhatTheBucketLocksIsLeftAndSaid(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.lockable = true
	at := now.Add(-48 * time.Hour)
	for i := range 6 {
		b.put(version{key: fmt.Sprintf("users/1/visits/%d", i), at: at, until: at.Add(time.Hour)}) // a lock that is over
	}
	b.put(version{key: "users/1/visits/0-kept", at: at, until: now.Add(time.Hour)})
	b.put(version{key: "users/1/visits/0-kept", at: at.Add(time.Hour), marker: true})
	b.put(version{key: "users/1/visits/1-held", at: at, held: true})
	s := open(t, b, byPrefix)
	o := order(ada...)
	o.Limit = 2
	removed, last := work(t, s, o)
	if removed != 6 || last.Retained != 3 || len(last.Messages) != 2 {
		t.Errorf("%d removed, %+v; want 6, and 3 left", removed, last)
	}
	if left := b.left(); len(left) != 3 {
		t.Errorf("left: %v", left)
	}
	if got := find(t, s, source.Ask{Identities: ada, Category: "visits", Until: now}); len(got) != 3 {
		t.Errorf("%d are still found; what is left is not hidden", len(got))
	}
}

func TestNothingComesToLightUnderAMarker(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	history(b, "users/1/visits/a")
	s := open(t, b, byPrefix)
	oldest := find(t, s, source.Ask{Identities: ada, Until: now})[4]
	o := order(ada...)
	o.Keep = []string{oldest.ID} // and the bucket of these tests complains about a marker that goes too early
	if removed, last := work(t, s, o); removed != 2 || last.Retained != 2 || len(last.Messages) != 1 {
		t.Errorf("%d removed, %+v; want 2 versions, and 2 markers left", removed, last)
	}
	b.put(version{key: "users/1/visits/a", at: now.Add(time.Hour)}) // newer than the cut-off: a marker below it hides nothing of that
	o.Keep, o.Call.Key = nil, "again"
	if removed, last := work(t, s, o); removed != 3 || last.Retained != 0 {
		t.Errorf("%d removed, %+v; want 3", removed, last)
	}
	if left := b.left(); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestAPartialDeleteIsAnErrorAndIsFinishedWhenRepeated(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{"AccessDenied": source.ErrRefused, "InternalError": source.ErrLater, "SlowDown": source.ErrLater} {
		b := newBucket(t)
		for i := range 5 {
			b.put(version{key: fmt.Sprintf("users/1/visits/%d", i), at: now.Add(-time.Hour)})
		}
		b.stuck["users/1/visits/3"] = code
		s := open(t, b, byPrefix)
		done, err := s.Execute(t.Context(), order(ada...))
		if !errors.Is(err, want) || done.Done || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "users/") {
			t.Errorf("%s: %+v, %v; want %v that names nobody", code, done, err, want)
		}
		if left := b.left(); len(left) != 1 {
			t.Errorf("%s: left %v", code, left)
		}
		delete(b.stuck, "users/1/visits/3")
		if done, err := s.Execute(t.Context(), order(ada...)); err != nil || done.Removed != 5 {
			t.Errorf("%s: repeated: %+v, %v; want 5 removed", code, done, err)
		}
	}
}

func TestLostAnswersAndThrottlesAreRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(string, int) (bool, string){
		"throttled twice":       func(_ string, n int) (bool, string) { return false, map[bool]string{true: "SlowDown"}[n <= 2] },
		"done, and nobody told": func(_ string, n int) (bool, string) { return true, map[bool]string{true: "lost"}[n <= 2] },
	} {
		b := newBucket(t)
		history(b, "users/1/visits/a")
		b.fault = fault
		s := open(t, b, byPrefix)
		if got := find(t, s, source.Ask{Identities: ada, Until: now, Values: true}); len(got) != 5 {
			t.Errorf("%s: %d found", name, len(got))
		}
		if removed, _ := work(t, s, order(ada...)); removed != 5 || len(b.left()) != 0 {
			t.Errorf("%s: %d removed, left %v", name, removed, b.left())
		}
	}
}

func TestWhatTheServiceSaysIsSorted(t *testing.T) {
	t.Parallel()
	who := account("canary")
	for _, op := range []string{"ListObjectVersions", "GetObject", "GetObjectLockConfiguration", "DeleteObjects"} {
		for code, want := range map[string]error{
			"SlowDown": source.ErrLater, "InternalError": source.ErrLater, "lost": source.ErrLater, "ExpiredToken": source.ErrLater,
			"AccessDenied": source.ErrRefused, "NoSuchBucket": source.ErrRefused,
		} {
			b := newBucket(t)
			b.put(version{key: "users/canary/visits/a", at: now.Add(-time.Hour), body: []byte("x")})
			b.fault = func(o string, _ int) (bool, string) { return false, map[bool]string{true: code}[o == op] }
			s := open(t, b, byPrefix)
			var err error
			if op == "ListObjectVersions" || op == "GetObject" {
				var page source.Found
				page, err = s.Find(t.Context(), source.Ask{Identities: []personal.Identity{who}, Until: now, Values: true, Call: call})
				if page.Done || len(page.Records) > 0 {
					t.Errorf("%s says %s: %+v", op, code, page)
				}
			} else {
				var done source.Done
				if done, err = s.Execute(t.Context(), order(who)); done.Done {
					t.Errorf("%s says %s: %+v", op, code, done)
				}
			}
			if !errors.Is(err, want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s says %s: %v; want %v that names nobody", op, code, err, want)
			}
		}
	}
	b := newBucket(t)
	s := open(t, b, byPrefix)
	b.cut.Store(true)
	if _, err := s.Find(t.Context(), source.Ask{Identities: []personal.Identity{who}, Until: now, Call: call}); !errors.Is(err, source.ErrLater) || strings.Contains(err.Error(), "canary") {
		t.Errorf("the network is cut: %v; want ErrLater that names nobody", err)
	}
}

func TestATagNamesEachVersionForItself(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.page = 2
	mine, theirs := map[string]string{"owner": "1"}, map[string]string{"owner": "2"}
	b.put(version{key: "uploads/visits/a", at: now.Add(-9 * time.Hour), tags: theirs})
	b.put(version{key: "uploads/visits/a", at: now.Add(-8 * time.Hour), tags: mine})
	b.put(version{key: "uploads/visits/a", at: now.Add(-7 * time.Hour), marker: true})
	b.put(version{key: "uploads/visits/b", at: now.Add(-7 * time.Hour), tags: mine})
	b.put(version{key: "uploads/visits/b", at: now.Add(-6 * time.Hour), marker: true})
	b.put(version{key: "uploads/visits/c", at: now.Add(-7 * time.Hour)})
	b.put(version{key: "elsewhere/visits/d", at: now.Add(-7 * time.Hour), tags: mine})
	s := open(t, b, byTag)
	if got := find(t, s, source.Ask{Identities: ada, Category: "visits", Until: now, Limit: 1}); len(got) != 4 {
		t.Errorf("%d found, want 2 versions and 2 markers", len(got))
	}
	removed, last := work(t, s, order(ada...))
	if removed != 3 || last.Retained != 0 {
		t.Errorf("%d removed, %+v; want 3, and not the marker that hides another's version", removed, last)
	}
	want := []string{"elsewhere/visits/d#v000007", "uploads/visits/a#v000003", "uploads/visits/a#v000001", "uploads/visits/c#v000006"}
	if left := b.left(); !slices.Equal(left, want) {
		t.Errorf("left: %v", left)
	}
}

func TestTooManyTagsAreRefusedAndNotTriedForEver(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for i := range 21 {
		b.put(version{key: fmt.Sprintf("uploads/visits/%02d", i), at: now.Add(-time.Hour)})
	}
	s := open(t, b, byTag)
	for limit, want := range map[int]error{20: source.ErrRefused, 21: nil} {
		s.ReadTags(limit)
		if done, err := s.Execute(t.Context(), order(ada...)); !errors.Is(err, want) {
			t.Errorf("tags of %d: %+v, %v; want %v", limit, done, err, want)
		}
	}
}

func TestValuesShowTheObject(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	at := now.Add(-time.Hour)
	b.put(version{key: "users/1/visits/a b+ü.txt", at: at, body: []byte("hi"), kind: "text/plain", meta: map[string]string{"camera": "x"}, tags: map[string]string{"k": "v"}})
	b.put(version{key: "users/1/visits/big", id: "null", at: at, body: make([]byte, 1<<20+1), kind: "image/png"})
	b.put(version{key: "users/1/visits/cold", id: "null", at: at, body: []byte("hi"), class: "GLACIER"})
	b.put(version{key: "users/1/visits/cool", id: "null", at: at, body: []byte("hi"), class: "ARCHIVED_BY_ITSELF"})
	b.put(version{key: "users/1/visits/del", at: at, marker: true})
	got := find(t, open(t, b, byPrefix), source.Ask{Identities: ada, Until: now, Values: true})
	want := []string{
		`{"name":"visits/a b+ü.txt","modified":"2026-03-02T08:30:00Z","version":"v000001","current":true,"size":2,"type":"text/plain","metadata":{"camera":"x"},"tags":{"k":"v"},"content":"aGk="}`,
		`{"name":"visits/big","modified":"2026-03-02T08:30:00Z","current":true,"size":1048577,"type":"image/png","content_left_out":"too_large"}`,
		`{"name":"visits/cold","modified":"2026-03-02T08:30:00Z","current":true,"size":2,"type":"application/octet-stream","content_left_out":"archived"}`,
		`{"name":"visits/cool","modified":"2026-03-02T08:30:00Z","current":true,"size":2,"type":"application/octet-stream","content_left_out":"archived"}`,
		`{"name":"visits/del","modified":"2026-03-02T08:30:00Z","version":"v000002","current":true,"deleted":true,"size":0}`,
	}
	for i, r := range got {
		if string(r.Fields) != want[i] {
			t.Errorf("%s\nwant\n%s", r.Fields, want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d records", len(got))
	}
}

func TestAPageOfValuesIsNoLargerThanItsBound(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for i := range 9 {
		b.put(version{key: fmt.Sprintf("users/1/visits/%d", i), at: now.Add(-time.Hour), body: make([]byte, 1<<20)})
	}
	s := open(t, b, byPrefix)
	page, err := s.Find(t.Context(), source.Ask{Identities: ada, Until: now, Values: true, Call: call})
	if err != nil || len(page.Records) > 4 || page.Done {
		t.Errorf("%d records, %v", len(page.Records), err)
	}
	if got := find(t, s, source.Ask{Identities: ada, Until: now, Values: true}); len(got) != 9 {
		t.Errorf("%d records in all", len(got))
	}
}

func TestAPersonKnownTwiceIsFoundOnce(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	m := byPrefix
	m.Prefix = map[personal.Kind]string{personal.KindAccount: "users/{id}/", personal.KindEmail: "users/{id}/"}
	m.Tag, m.Within = map[personal.Kind]string{"customer": "owner"}, "users/"
	b.put(version{key: "users/ada@example.org/visits/a", at: now.Add(-time.Hour), tags: map[string]string{"owner": "1"}})
	s := open(t, b, m)
	ids := []personal.Identity{personal.MakeIdentity("customer", "1"), account("ada@example.org"), personal.MakeIdentity(personal.KindEmail, "ada@example.org")}
	if got := find(t, s, source.Ask{Identities: ids, Until: now, Category: "visits"}); len(got) != 1 {
		t.Errorf("%d records, want 1", len(got))
	}
	if removed, _ := work(t, s, order(ids...)); removed != 1 {
		t.Errorf("%d removed, want 1", removed)
	}
}

func TestWhatHasATagMayLieBelowAPrefix(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	m := byPrefix
	m.Prefix, m.Tag, m.Within = map[personal.Kind]string{personal.KindAccount: "users/{id}/"}, map[personal.Kind]string{"customer": "owner"}, "users/"
	b.put(version{key: "users/1/visits/a", at: now.Add(-time.Hour), tags: map[string]string{"owner": "c-1"}})
	b.put(version{key: "users/2/visits/c", at: now.Add(-time.Hour), tags: map[string]string{"owner": "c-2"}})
	s := open(t, b, m)
	who := personal.MakeIdentity("customer", "c-1")
	if got := find(t, s, source.Ask{Identities: []personal.Identity{who}, Until: now, Category: "visits"}); len(got) != 1 {
		t.Errorf("%d records, want the one", len(got))
	}
}

func TestAKeyThatXMLCannotHoldGoesToo(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put(version{key: "users/1/visits/\x01\ufffe", at: now.Add(-time.Hour)})
	b.put(version{key: "users/1/visits/a&<b>", at: now.Add(-time.Hour)})
	m := byPrefix
	m.OpenNames = false
	if removed, _ := work(t, open(t, b, m), order(ada...)); removed != 2 || len(b.left()) != 0 {
		t.Errorf("%d removed, left %q", removed, b.left())
	}
}

func TestTheFolderItselfIsAnObject(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.put(version{key: "users/1/", id: "null", at: now.Add(-time.Hour)})
	b.put(version{key: "users/1/a", id: "null", at: now.Add(-time.Hour)})
	m := byPrefix
	m.Objects, m.OpenNames = []s3source.Rule{{Category: "visits"}}, false
	s := open(t, b, m)
	if got := find(t, s, source.Ask{Identities: ada, Until: now, Limit: 1}); len(got) != 2 {
		t.Errorf("%d found, want 2", len(got))
	}
	if removed, _ := work(t, s, order(ada...)); removed != 2 {
		t.Errorf("%d removed, want 2", removed)
	}
}

func TestAnObjectThatFitsNoRuleStopsEverything(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"users/1/surprise", "users/1/visits/canary@example.org"} {
		b := newBucket(t)
		b.put(version{key: "users/1/letters/a", at: now.Add(-time.Hour)})
		b.put(version{key: key, at: now.Add(-time.Hour)})
		s := open(t, b, byPrefix)
		_, err1 := s.Find(t.Context(), source.Ask{Identities: ada, Until: now, Call: call})
		_, err2 := s.Execute(t.Context(), order(ada...))
		if !errors.Is(err1, source.ErrRefused) || !errors.Is(err2, source.ErrRefused) || strings.Contains(err1.Error()+err2.Error(), "canary") {
			t.Errorf("%s: %v, %v; want ErrRefused that names nobody", key, err1, err2)
		}
		if len(b.left()) != 2 {
			t.Errorf("%s: something was deleted", key)
		}
	}
}

func TestAHashNamesAnObjectUnlessNamesAreOpen(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	history(b, "users/1/visits/ada")
	m := byPrefix
	m.OpenNames = false
	s := open(t, b, m)
	ids := map[string]bool{}
	for _, r := range find(t, s, source.Ask{Identities: ada, Until: now}) {
		if ids[r.ID] = true; len(r.ID) != 32 || strings.Contains(r.ID, "ada") {
			t.Errorf("id %s", r.ID)
		}
	}
	if len(ids) != 5 {
		t.Errorf("%d ids of 5 versions", len(ids))
	}
	page, err := s.Find(t.Context(), source.Ask{Identities: []personal.Identity{personal.MakeIdentity(personal.KindAccount, "1")}, Until: now, Limit: 2, Call: call})
	raw, _ := base64.RawURLEncoding.DecodeString(page.Cursor)
	if err != nil || strings.Contains(string(raw), "users/") {
		t.Errorf("the cursor is %s, %v", raw, err)
	}
}

func TestNewRefusesAMappingThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	prefix := func(p string) func(*s3source.Mapping) {
		return func(m *s3source.Mapping) { m.Prefix = map[personal.Kind]string{personal.KindAccount: p} }
	}
	for name, change := range map[string]func(*s3source.Mapping){
		"no bucket": func(m *s3source.Mapping) { m.Bucket = "" }, "nobody": func(m *s3source.Mapping) { m.Prefix = nil },
		"no rule": func(m *s3source.Mapping) { m.Objects = nil }, "no category": func(m *s3source.Mapping) { m.Objects = []s3source.Rule{{}} },
		"no identity": prefix("users/"), "open on the right": prefix("users/{id}"), "a dash on the right": prefix("users/{id}-x/"),
		"open on the left": prefix("user-{id}/"), "two": prefix("{id}/{id}/"), "no slash at the end": prefix("users/{id}/photos"),
		"both ways":     func(m *s3source.Mapping) { m.Tag = map[personal.Kind]string{personal.KindAccount: "owner"} },
		"a tag unnamed": func(m *s3source.Mapping) { m.Tag = map[personal.Kind]string{"x": ""} },
		"within a word": func(m *s3source.Mapping) { m.Within = "up" },
	} {
		m := byPrefix
		change(&m)
		if _, err := s3source.New(s3source.Options{ID: "files", Mapping: m, Client: b.client(), Pages: &memory{}, Now: clock}); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %v; want ErrRefused", name, err)
		}
	}
	if _, err := s3source.New(s3source.Options{ID: "files", Mapping: byPrefix, Client: b.client(), Now: clock}); !errors.Is(err, source.ErrRefused) {
		t.Errorf("no memory of pages: %v", err)
	}
}

func TestOldObjectsGoByTheirAge(t *testing.T) {
	t.Parallel()
	until := now.Add(-24 * time.Hour)
	for name, m := range map[string]s3source.Mapping{"by a prefix": byPrefix, "by a tag": byTag} {
		for _, limit := range []int{1, 3, 500} {
			b := newBucket(t)
			b.page = 4
			key := func(person int, rest string) version {
				if m.Within != "" {
					return version{key: m.Within + fmt.Sprintf("visits/%d-%s", person, rest), tags: map[string]string{"owner": fmt.Sprint(person)}}
				}
				return version{key: fmt.Sprintf("users/%d/visits/%d-%s", person, person, rest)}
			}
			for person := range 3 {
				for i := range 5 {
					v := key(person, fmt.Sprint("o", i))
					v.at = until.Add(-time.Duration(i) * time.Hour)
					b.put(v)
				}
				young, hidden := key(person, "young"), key(person, "zz")
				young.at = until.Add(time.Second)
				b.put(young)
				hidden.at = until.Add(-time.Hour)
				b.put(hidden)
				hidden.at, hidden.marker, hidden.tags = until, true, nil
				b.put(hidden)
			}
			b.put(version{key: "elsewhere/1/visits/x", at: until.Add(-time.Hour)})
			s := open(t, b, m)
			age := source.Age{Category: "visits", By: source.Collected, Until: until, Limit: limit, Call: call}
			seen, total, units := 0, 0, 0.0
			for page := range 200 {
				aged, err := s.Old(t.Context(), age)
				if err != nil {
					t.Fatal(err)
				}
				seen, units = seen+aged.Seen, units+aged.Units
				e := source.Expiry{Verb: source.Delete, Category: "visits", By: source.Collected, Until: until, Records: aged.Records, Call: call}
				e.Call.Key = fmt.Sprintf("%s-%d", name, page)
				for range 2 { // the first answer is lost
					done, err := s.Expire(t.Context(), e)
					if err != nil || done.Removed+done.Retained != len(aged.Records) || !done.Done {
						t.Fatalf("%s, pages of %d: %+v, %v of %d", name, limit, done, err, len(aged.Records))
					}
					if limit == 500 && done.Removed != 21 {
						t.Errorf("%s: %+v, want 21 removed", name, done)
					}
				}
				for _, r := range aged.Records {
					if r.At.After(until) {
						t.Errorf("%+v", r)
					}
					if len(r.Who) != 1 && !strings.Contains(r.ID, "zz") {
						t.Errorf("%s is about %v", r.ID, r.Who)
					}
				}
				if total += len(aged.Records); aged.Done {
					break
				}
				age.Cursor = aged.Cursor
			}
			if total != 21 || seen < 24 || units == 0 {
				t.Errorf("%s, pages of %d: %d due of %d seen for %v requests; want 21 of 24", name, limit, total, seen, units)
			}
			age.Cursor, age.Limit = "", 500
			again, err := s.Old(t.Context(), age)
			for _, r := range again.Records { // markers that came before what they hid
				e := source.Expiry{Verb: source.Delete, Category: "visits", By: source.Collected, Until: until, Records: []source.AgedRecord{r}, Call: call}
				e.Call.Key = r.ID
				if done, err := s.Expire(t.Context(), e); err != nil || done.Removed != 1 {
					t.Errorf("%s: %+v, %v", r.ID, done, err)
				}
			}
			if left := b.left(); err != nil || len(left) != 4 {
				t.Errorf("%s, pages of %d: left %v, %v", name, limit, left, err)
			}
		}
	}
}

func TestASweepStopsWhereItsRequestsDo(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.page = 2
	for i := range 40 {
		b.put(version{key: fmt.Sprintf("users/%02d/visits/a", i), at: now})
	}
	s := open(t, b, byPrefix)
	age := source.Age{Category: "visits", By: source.Collected, Until: now.Add(-time.Hour), Units: 3, Call: call}
	calls := 1
	for ; calls < 100; calls++ {
		page, err := s.Old(t.Context(), age)
		if err != nil || page.Units > 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		if age.Cursor = page.Cursor; page.Done {
			break
		}
	}
	if calls < 7 || calls == 100 {
		t.Errorf("%d pages", calls)
	}
}

func TestASweepTouchesOnlyWhatItWasGiven(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	b.lockable = true
	until := now.Add(-24 * time.Hour)
	b.put(version{key: "users/1/visits/gone", id: "null", at: until})
	b.put(version{key: "users/1/visits/young", id: "null", at: until})
	b.put(version{key: "users/1/visits/held", id: "null", at: until, held: true})
	b.put(version{key: "users/1/visits/old", id: "null", at: until})
	b.put(version{key: "users/1/letters/other", id: "null", at: until})
	s := open(t, b, byPrefix)
	age := source.Age{Category: "visits", By: source.Collected, Until: until, Call: call}
	aged, err := s.Old(t.Context(), age)
	if err != nil || len(aged.Records) != 4 || aged.Seen != 4 {
		t.Fatalf("%+v, %v", aged, err)
	}
	b.remove("users/1/visits/gone", "null")
	b.put(version{key: "users/1/visits/young", id: "null", at: now})
	e := source.Expiry{Verb: source.Delete, Category: "visits", By: source.Collected, Until: until, Records: aged.Records, Call: call}
	done, err := s.Expire(t.Context(), e)
	if err != nil || done.Removed != 1 || done.Retained != 1 || len(b.left()) != 3 {
		t.Errorf("%+v, %v, left %v; want 1 removed and 1 locked", done, err, b.left())
	}
	other := open(t, b, s3source.Mapping{Bucket: bucketName, Prefix: map[personal.Kind]string{personal.KindAccount: "other/{id}/"}, Objects: byPrefix.Objects, OpenNames: true})
	for name, change := range map[string]func(*source.Expiry) source.Sweeper{
		"archive":               func(e *source.Expiry) source.Sweeper { e.Verb = source.Archive; return s },
		"anonymise":             func(e *source.Expiry) source.Sweeper { e.Verb = source.Anonymise; return s },
		"by last use":           func(e *source.Expiry) source.Sweeper { e.By = source.LastUsed; return s },
		"another category":      func(e *source.Expiry) source.Sweeper { e.Category = "letters"; return s },
		"no instant":            func(e *source.Expiry) source.Sweeper { e.Until = time.Time{}; return s },
		"no key":                func(e *source.Expiry) source.Sweeper { e.Call.Key = ""; return s },
		"a handle of another's": func(e *source.Expiry) source.Sweeper { return other },
		"a handle that is none": func(e *source.Expiry) source.Sweeper { e.Records = []source.AgedRecord{{ID: "x"}}; return s },
		"an id of another record": func(e *source.Expiry) source.Sweeper {
			e.Records = slices.Clone(e.Records)
			e.Records[0].ID = "x"
			return s
		},
	} {
		bad := e
		bad.Call.Key = name
		if done, err := change(&bad).Expire(t.Context(), bad); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
	if _, err := s.Old(t.Context(), source.Age{Category: "visits", By: source.LastUsed, Until: now, Call: call}); !errors.Is(err, source.ErrRefused) || !errors.Is(err, source.ErrNotSwept) {
		t.Errorf("by last use: %v; want ErrRefused and ErrNotSwept", err)
	}
	if _, err := s.Old(t.Context(), source.Age{Category: "visits", By: source.Collected, Verb: source.Archive, Until: now, Call: call}); !errors.Is(err, source.ErrRefused) {
		t.Errorf("to archive: %v; want ErrRefused", err)
	}
}
