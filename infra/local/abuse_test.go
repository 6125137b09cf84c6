package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// TestAbuse_AVictimGetsAFewMailsADay lets two hundred strangers ask in the name
// of one address.
func TestAbuse_AVictimGetsAFewMailsADay(t *testing.T) {
	t.Parallel()
	w := open(t, startsAt(t, "2026-03-05")) // at noon: the day after begins at midnight, as the limit's does
	const victim, strangers = "victim@example.org", 200
	perDay := w.Requests.Policy.Verification.MailsPerDay
	rights := []string{"access", "erasure", "know", "objection"}
	for n := range strangers {
		w.from(n).submit(submission(rights[n%len(rights)], strings.ToUpper(victim[:n%6])+victim[n%6:]))
	}
	for range 3 {
		w.pass(10 * time.Minute)
	}
	sent := len(w.mails(victim))
	if sent != perDay {
		t.Errorf("%d mails went to one address, want %d a day", sent, perDay)
	}
	w.pass(25 * time.Hour)
	for n := range strangers {
		w.from(n).submit(submission("access", victim))
	}
	w.pass(10 * time.Minute)
	// Reminders to confirm count as well. Two relays that say the same one count it
	// twice and send it once.
	if second := len(w.mails(victim)) - sent; second > perDay || second == 0 {
		t.Errorf("the next day %d mails went out, want %d at most", second, perDay)
	}
	proof(t, "abuse", "%d submissions for one address from %d networks: %d mails on the first day, %d on the second", 2*strangers, strangers, sent, len(w.mails(victim))-sent)
}

// TestAbuse_OneNetworkAsksAFewTimesAnHour counts submissions by the connection's
// address, whatever headers say.
func TestAbuse_OneNetworkAsksAFewTimesAnHour(t *testing.T) {
	t.Parallel()
	w := open(t, func(o *options) { o.NoHints = true })
	perHour := w.Requests.Policy.Verification.SubmitsPerHour
	accepted, refused := 0, 0
	for n := range 3 * perHour {
		a := w.call("POST", "/v1/requests", submission("access", fmt.Sprintf("p%d@example.org", n)), header{"X-Forwarded-For", fmt.Sprintf("192.0.2.%d", n)})
		switch a.Status {
		case http.StatusAccepted:
			accepted++
		case http.StatusTooManyRequests:
			refused++
			if a.Header.Get("Retry-After") == "" {
				t.Fatalf("it does not say when to come back: %v", a.Header)
			}
		default:
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	if accepted < perHour || accepted > 2*perHour { // the hour may have turned in between
		t.Errorf("%d were accepted, want %d an hour", accepted, perHour)
	}
	w.from(1).submit(submission("access", "other@example.org")) // others are not shut out
	proof(t, "abuse", "%d submissions from one network in an hour: %d accepted, %d answered 429", accepted+refused, accepted, refused)
}

// TestAbuse_ACodeIsTriedFiveTimes guesses, one after the other and all at once.
func TestAbuse_ACodeIsTriedFiveTimes(t *testing.T) {
	t.Parallel()
	w := open(t)
	ask := func(email string) (path, code string) {
		id := w.submit(submission("access", email))
		return "/v1/requests/" + id + "/verify", w.mailed(email, id, 1).Code
	}
	wrong := func(code string, n int) string {
		guess := fmt.Sprintf("%06d", n)
		if guess == code {
			return "999999"
		}
		return guess
	}

	path, code := ask("one@example.org")
	for n := range 5 {
		w.must(http.StatusBadRequest, "POST", path, map[string]string{"code": wrong(code, n)})
	}
	w.must(http.StatusTooManyRequests, "POST", path, map[string]string{"code": code})
	w.must(http.StatusTooManyRequests, "POST", path, map[string]string{"code": wrong(code, 6)})

	path, code = ask("four@example.org")
	for n := range 4 {
		w.must(http.StatusBadRequest, "POST", path, map[string]string{"code": wrong(code, n)})
	}
	w.must(http.StatusOK, "POST", path, map[string]string{"code": code}) // the fifth try

	path, code = ask("all@example.org")
	got := parallel(50, func(n int) int {
		return w.call("POST", path, map[string]string{"code": wrong(code, n)}).Status
	})
	if got[http.StatusBadRequest] != 5 || got[http.StatusTooManyRequests] != 45 {
		t.Errorf("of 50 guesses at once %v, want 5 judged and 45 turned away", got)
	}
	w.must(http.StatusTooManyRequests, "POST", path, map[string]string{"code": code})

	// New codes do not give endless tries: fifteen a request in all.
	judged := 5
	id := strings.Split(path, "/")[3]
	for n := 2; n <= 5; n++ {
		w.pass(2 * time.Minute)
		w.must(http.StatusAccepted, "POST", "/v1/requests/"+id+"/code", map[string]any{})
		fresh := w.mailed("all@example.org", id, n).Code
		for try := range 6 {
			if w.call("POST", path, map[string]string{"code": wrong(fresh, try)}).Status == http.StatusBadRequest {
				judged++
			}
		}
	}
	if judged != 15 {
		t.Errorf("%d guesses at one request were judged, want 15", judged)
	}

	// An old code is worth nothing.
	path, code = ask("late@example.org")
	w.pass(11 * time.Minute)
	w.must(http.StatusBadRequest, "POST", path, map[string]string{"code": code})
	proof(t, "abuse", "a code is judged 5 times, 50 guesses at once included (%d judged, %d turned away), the right one as 6th fails; %d guesses a request in all; after 11 minutes it is worth nothing",
		got[http.StatusBadRequest], got[http.StatusTooManyRequests], judged)
}

// TestAbuse_ALinkWorksOnce redeems links twice and fifty times at once.
func TestAbuse_ALinkWorksOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	tokenOf := func(link string) string { return link[strings.LastIndex(link, "/")+1:] }

	id := w.submit(submission("access", company.AdaEmail))
	token := tokenOf(w.mailed(company.AdaEmail, id, 1).Link)
	verify := "/v1/requests/" + id + "/verify"
	verified := parallel(50, func(int) int { return w.call("POST", verify, map[string]string{"token": token}).Status })
	if verified[http.StatusOK] != 1 || verified[http.StatusGone] != 49 {
		t.Errorf("one verification link redeemed 50 times at once: %v, want one 200 and 49 times 410", verified)
	}
	w.must(http.StatusGone, "POST", verify, map[string]string{"token": token})
	w.must(http.StatusGone, "GET", "/r/"+token, nil)
	w.must(http.StatusUnauthorized, "POST", verify, map[string]string{"token": token[:len(token)-1] + "x"})

	w.reach(id, w.session(id), "fulfilled")
	var link string
	w.await("the download link arrives", func() bool {
		for _, m := range w.mails(company.AdaEmail) {
			if strings.Contains(m.Link, id+".d.") {
				link = m.Link
			}
		}
		return link != ""
	})
	page := "/r/" + tokenOf(link)
	for range 3 { // a mail program that looks at every link redeems nothing
		w.must(http.StatusOK, "GET", page, nil)
	}
	redeemed := parallel(50, func(n int) int {
		return w.call("POST", page, fmt.Sprintf("do=deliver&idempotency_key=k%d", n), header{"Content-Type", "application/x-www-form-urlencoded"}).Status
	})
	if redeemed[http.StatusSeeOther] != 1 || redeemed[http.StatusGone] != 49 {
		t.Errorf("one download link redeemed 50 times at once: %v, want one 303 and 49 times 410", redeemed)
	}
	w.must(http.StatusGone, "POST", page, "do=deliver&idempotency_key=late", header{"Content-Type", "application/x-www-form-urlencoded"})

	session := w.session(id)
	delivered := parallel(50, func(int) int {
		return w.call("POST", "/v1/requests/"+id+"/deliver", map[string]any{}, bearerOf(session)).Status
	})
	if delivered[http.StatusOK] != 1 || delivered[http.StatusForbidden] != 49 {
		t.Errorf("one session downloads 50 times at once: %v, want one 200 and 49 times 403", delivered)
	}
	proof(t, "abuse", "50 goroutines at one verification link: %v; at one download link: %v; at one session's download: %v", verified, redeemed, delivered)
}

// parallel does something n times at once and counts what came of it.
func parallel(n int, do func(int) int) map[int]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[int]int{}
	gate := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-gate
			r := do(i)
			mu.Lock()
			defer mu.Unlock()
			got[r]++
		})
	}
	close(gate)
	all.Wait()
	return got
}
