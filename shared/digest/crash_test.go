package digest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

// journey notes three lines and has them sent, by who repeats what failed.
func journey(d *desk) (key string) {
	d.t.Helper()
	for _, l := range []Line{about("r1", New), about("r2", SevenDays), about("r3", New, Task)} {
		for range 5 {
			if err := d.note(Operators, l); err == nil {
				break
			}
			d.turn(d.now().Add(time.Minute))
		}
	}
	when := time.Date(2026, 3, 3, 7, 0, 0, 0, time.UTC)
	d.turn(when)
	for range 60 {
		_ = d.sweep() // it stays due
		d.turn(d.now().Add(time.Minute))
	}
	return keyOf(Operators, when).Partition
}

// TestACrashAtEveryCallLosesNoLine fails every call to the outside in turn, before it
// is done and after. Three lines are told once, by a letter that is sent once, or
// twice where nobody heard of the first; then the entry counts two tries.
func TestACrashAtEveryCallLosesNoLine(t *testing.T) {
	t.Parallel()
	calm := newDesk(t)
	journey(calm)
	k := calm.calls.n
	if len(calm.post.mails) != 1 {
		t.Fatalf("undisturbed there are %d mails", len(calm.post.mails))
	}
	t.Logf("%d calls: %q", k, calm.calls.log)
	for i := 1; i <= k; i++ {
		for _, lost := range []bool{false, true} {
			what := calm.calls.log[i-1]
			if lost && (what == "get" || what == "query") {
				continue
			}
			t.Run(fmt.Sprintf("call %d, %s, lost %t", i, what, lost), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				d.calls.at, d.calls.lost = i, lost
				key := journey(d)
				var letters []mailed
				for _, m := range d.post.mails {
					if m.key == key {
						letters = append(letters, m)
					}
				}
				if len(letters) == 0 || len(letters) > 2 || len(letters) != len(d.post.mails) {
					t.Fatalf("%d letters, of %d mails", len(letters), len(d.post.mails))
				}
				for _, m := range letters {
					for _, id := range []string{"r1", "r2", "r3"} {
						if strings.Count(m.Text.Reveal(), "/"+id+"\n") != 1 {
							t.Errorf("%s is not told once", id)
						}
					}
				}
				told := d.told(key)
				if len(told) != 1 || !strings.HasPrefix(told[0], "clock send lines=3 tries=") {
					t.Fatalf("the audit: %q", told)
				}
				if once := strings.HasSuffix(told[0], "tries=1"); once && len(letters) > 1 {
					t.Errorf("%d letters, and the audit says %q", len(letters), told)
				}
			})
		}
	}
}

// TestAThousandLinesAreToldOnce has many workers note lines at once, over a store
// that fails the way clouds fail, while the clock turns and a relay sends: every line
// is in one digest, and every digest is sent.
func TestAThousandLinesAreToldOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			const lines, workers = 1000, 8
			d := newDesk(t)
			d.Table = table.Steady(hostile.New(d.store, seed+1, d.now), table.Sleep)
			others := []*Book{d.Book} // machines do not share their memory
			for range 3 {
				others = append(others, &Book{Table: d.Table, Now: d.now, Policy: d.Policy, Mail: d.post, BaseURL: d.BaseURL})
			}
			answers := rand.New(rand.NewPCG(seed, 8))
			d.post.lose = func() bool { return answers.IntN(6) == 0 }
			done := make(chan struct{})
			var relay, work sync.WaitGroup
			relay.Go(func() {
				rnd := rand.New(rand.NewPCG(seed, 7))
				for {
					select {
					case <-done:
						return
					default:
						d.turn(d.now().Add(time.Duration(rnd.IntN(90)) * time.Second))
						_ = d.sweep()
					}
				}
			})
			for w := range workers {
				work.Go(func() {
					for i := w; i < lines; i += workers {
						to, why := Operators, []Why{New, OneDay, Overdue, SevenDays}[i%4]
						if i%8 == 2 {
							to = Contact
						}
						for {
							err := note(t, others[w%len(others)], d.now, to, about(fmt.Sprintf("r%04d", i), why))
							if err == nil {
								break
							}
							if !errors.Is(err, table.ErrConflict) && !errors.Is(err, table.ErrBusy) && !errors.Is(err, table.ErrUnknown) {
								t.Error(err)
								return
							}
						}
					}
				})
			}
			work.Wait()
			close(done)
			relay.Wait()
			for range 60 { // and two days on
				d.turn(d.now().Add(time.Hour))
				_ = d.sweep()
			}
			var told []string
			sum := 0
			heads := d.heads()
			for partition, h := range heads {
				if h.State != sent {
					t.Errorf("%s is %+v", partition, h)
				}
				of := d.linesOf(partition)
				told = append(told, of...)
				var n, tries int
				entries := d.told(partition)
				if len(entries) != 1 {
					t.Fatalf("%s: %q", partition, entries)
				}
				if _, err := fmt.Sscanf(entries[0], "clock send lines=%d tries=%d", &n, &tries); err != nil || n != len(of) {
					t.Errorf("%s has %d lines: %q, %v", partition, len(of), entries, err)
				}
				sum += n
				letters := 0
				for _, m := range d.post.mails {
					if m.key == partition {
						letters++
					}
				}
				if letters == 0 || letters > tries {
					t.Errorf("%s: %d letters, %d tries", partition, letters, tries)
				}
			}
			slices.Sort(told)
			if twice := len(told) - len(slices.Compact(told)); len(told) != lines || sum != lines || twice != 0 {
				t.Errorf("%d lines are told, by the audit %d, %d of them twice", len(told), sum, twice)
			}
			t.Logf("%d digests, %d letters, of which the mail service confirmed %d", len(heads), len(d.post.mails), len(heads))
		})
	}
}

// note is desk.note of one machine among several.
func note(t *testing.T, b *Book, now func() time.Time, to Audience, l Line) error {
	t.Helper()
	d := &desk{Book: b, t: t}
	d.at = now()
	return d.note(to, l)
}

// An answer of the mail service that gets lost has the letter sent again, once.
func TestALostAnswerIsSaidInTheAudit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.notes(Operators, about("r1", New))
	d.calls.at, d.calls.lost = d.calls.n+4, true // claim, lines, mail
	d.turn(monday.AddDate(0, 0, 1))
	d.calls.log = nil
	if err := d.sweep(); !errors.Is(err, mail.ErrLater) {
		t.Fatalf("%v after %q", err, d.calls.log)
	}
	d.turn(d.now().Add(time.Minute))
	if err := d.sweep(); err != nil || len(d.post.mails) != 2 || d.post.mails[0].key != d.post.mails[1].key {
		t.Fatalf("%v, %d mails", err, len(d.post.mails))
	}
	if got := d.told(d.post.mails[0].key); len(got) != 1 || got[0] != "clock send lines=1 tries=2" {
		t.Errorf("the audit: %q", got)
	}
}
