package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/edition"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/topology"
)

// Health is what a function answers to {"check":"health"}: whether it reaches what
// it works with, found out by calls that change nothing and ask for nobody. What it
// says holds nothing personal. Only who may invoke the function by hand can ask;
// `local doctor` does.
type Health struct {
	Function string    `json:"function"`
	Version  string    `json:"version"` // of the function, as Lambda counts
	Policy   string    `json:"policy"`  // the version that it goes by
	Now      time.Time `json:"now"`
	OK       bool      `json:"ok"`
	Checks   []Check   `json:"checks"`
	// Untried is what no call that changes nothing can try.
	Untried []string `json:"untried,omitempty"`
}

// Check is one thing that was tried.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	Next   string `json:"next,omitempty"` // what to do about it
}

// trial is a check that is to be made.
type trial struct {
	name string
	role string // whose permission it needs, in words
	try  func(context.Context) (detail string, err error)
	next string // what to do if no service refused; empty: look at the logs
}

// Try adds a check to the function's health. It must change nothing, take seconds at
// most and say nothing personal. Parts call it for what they bring.
func (a *Assembly) Try(name, next string, try func(context.Context) (detail string, err error)) {
	a.trials = append(a.trials, trial{name: name, role: a.ownRole(), try: try, next: next})
}

func (a *Assembly) ownRole() string { return "the role of the function " + a.Function.Name }

const (
	trialFor   = 5 * time.Second
	answerIn   = 500 * time.Millisecond // of what is left when all trials have to be over
	overdue    = time.Hour              // schedules come round every few minutes
	nobody     = "nobody-but-a-check@rightsdesk.invalid"
	nobodyCall = "+15550100"
)

// health makes every check at once and lists what they found, in their own order.
func (h *handler) health(ctx context.Context) Health {
	a := h.a
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-answerIn))
		defer cancel()
	}
	all := append(a.ownTrials(), a.trials...)
	all = append(all, a.sourceTrials()...)
	report := Health{
		Function: a.Function.Name, Version: os.Getenv("AWS_LAMBDA_FUNCTION_VERSION"), Policy: a.Policy.Version, Now: a.Now(),
		OK: true, Checks: make([]Check, len(all)), Untried: a.untried(),
	}
	var work sync.WaitGroup
	for i, t := range all {
		work.Go(func() { report.Checks[i] = t.check(ctx) })
	}
	work.Wait()
	for _, c := range report.Checks {
		report.OK = report.OK && c.OK
	}
	return report
}

func (t trial) check(ctx context.Context) Check {
	ctx, cancel := context.WithTimeout(ctx, trialFor)
	defer cancel()
	var w witness
	detail, err := t.try(w.in(ctx))
	if err == nil {
		return Check{Name: t.name, OK: true, Detail: detail}
	}
	c := Check{Name: t.name, Detail: err.Error(), Next: t.next}
	if no, ok := w.last(); ok {
		c.Detail = no.detail()
		if c.Next == "" || !no.secretIsMissing() { // whoever tries it names the secret
			c.Next = no.next(t.role)
		}
	} else if errors.Is(err, context.DeadlineExceeded) {
		c.Detail = "no answer in time"
	}
	if c.Next == "" {
		c.Next = "look at the function's log of this minute"
	}
	return c
}

// ownTrials are those of what every function has.
func (a *Assembly) ownTrials() []trial {
	own := []trial{}
	add := func(name, next string, try func(context.Context) (string, error)) {
		own = append(own, trial{name: name, role: a.ownRole(), try: try, next: next})
	}
	for name, access := range map[table.Name]topology.Access{table.State: a.Function.Tables.State, table.Audit: a.Function.Tables.Audit, table.Keys: a.Function.Tables.Keys} {
		if access == topology.None {
			continue
		}
		add("table "+string(name), "", func(ctx context.Context) (string, error) {
			_, err := a.Table.Get(ctx, table.Ref{Table: name, Key: table.Key{Partition: "health", Sort: "-"}})
			if errors.Is(err, table.ErrAbsent) {
				err = nil
			}
			return "", err
		})
	}
	sortTrials(own) // of a map
	if a.Function.Tables.State != topology.None {
		add("policy", "look in the function's log for what it cannot serve of the policy in force", a.inForce)
		add("due-index", "see docs/runbooks/DeadlineSweepStalled.md: the schedules do not keep up", a.backlog)
	}
	if a.Function.Tables.Keys != topology.None {
		add("key ring", "see that the KMS key is enabled and that its policy lets the function decrypt", func(ctx context.Context) (string, error) {
			if err := a.openRing(ctx); errors.Is(err, kms.ErrNone) {
				return "there is none yet; the first function that may write the Keys table makes it", nil
			} else if err != nil {
				return "", err
			}
			return "", nil
		})
	}
	if a.AppKeys != nil {
		for _, app := range a.Policy.Apps {
			secret := a.Setting(topology.SecretNames) + "apps/" + strings.TrimPrefix(app.Secret, "secret:")
			add("key of the app "+app.ID, "put 32 characters or more into the secret "+secret, func(ctx context.Context) (string, error) {
				keys, err := a.AppKeys(ctx, app.ID, true)
				if err == nil && len(keys) == 0 {
					err = fmt.Errorf("the secret %s is missing or too short", secret)
				}
				return "", err
			})
		}
	}
	return own
}

// inForce compares the policy that the function goes by with the one in force. It looks
// at that before it answers any event, so that they differ only if it cannot follow.
func (a *Assembly) inForce(ctx context.Context) (string, error) {
	active, err := (&edition.Book{Table: a.Table, Now: a.Now, Log: a.Log}).Active(ctx)
	switch {
	case err != nil:
		return "", err
	case active.Version == "":
		return "none is in force yet", nil
	case active.Version != a.Policy.Version:
		return "", fmt.Errorf("version %s is in force, and the function goes by %q", active.Version, a.Policy.Version)
	}
	return "version " + active.Version, nil
}

// backlog asks for what has been due longest. Who deals with clocks looks at every
// part of the index, the others at one, which shows that they may.
func (a *Assembly) backlog(ctx context.Context) (string, error) {
	shards := 1
	if a.Function.Name == topology.Deadlines.Name {
		shards = table.DueShards
	}
	late := a.Now().Add(-overdue)
	var oldest time.Time
	for n := range shards {
		page, err := a.Table.Query(ctx, table.Query{Table: table.State, Index: table.Due, Partition: table.DueShard(n), Until: late, Limit: 1})
		if err != nil {
			return "", err
		}
		for _, item := range page.Items {
			if oldest.IsZero() || item.Due.Before(oldest) {
				oldest = item.Due
			}
		}
	}
	if !oldest.IsZero() {
		return "", fmt.Errorf("something has been due since %s", oldest.Format(time.RFC3339))
	}
	return "", nil
}

// sourceTrials ask each of the company's data stores for somebody who does not exist,
// by the adapter that will ask for people: the same role, address, table and index.
func (a *Assembly) sourceTrials() []trial {
	var all []trial
	if !a.Function.Sources {
		return nil
	}
	for _, s := range a.Policy.Sources {
		src, ok := a.Requests.Sources[s.ID]
		if !ok {
			continue // a person does it
		}
		role := a.ownRole()
		if s.IAMRole != "" {
			role = "the role " + s.IAMRole
		}
		next := "see that the policy says where it is, and docs/sources.md"
		if s.Kind == policy.KindHTTP {
			next = "see that the hook answers at the policy's URL and has the secret " + a.Setting(topology.SecretNames) + strings.TrimPrefix(s.Secret, "secret:") + "; docs/hook.md"
		}
		all = append(all, trial{name: "source " + s.ID, role: role, next: next, try: func(ctx context.Context) (string, error) {
			return "", ask(ctx, src, s, a.Now())
		}})
	}
	return all
}

func ask(ctx context.Context, src source.Source, s policy.Source, now time.Time) error {
	if r, ok := src.(interface{ Reach(context.Context) error }); ok { // nobody can be found in it
		return r.Reach(ctx)
	}
	q := source.Ask{Until: now, Limit: 1, Call: source.Call{Key: "health-" + string(table.NewID()), Lease: now.Add(trialFor)}}
	for _, kind := range s.Identities {
		q.Identities = append(q.Identities, personal.MakeIdentity(kind, map[personal.Kind]string{
			personal.KindEmail: nobody, personal.KindPhone: nobodyCall, personal.KindAccount: nobody,
		}[kind]))
	}
	_, err := src.Find(ctx, q)
	// A large bucket takes longer to walk than a check may; that it was read is enough.
	if w, ok := ctx.Value(witnessKey{}).(*witness); ok && err != nil && w.reached() && errors.Is(err, source.ErrLater) {
		return nil
	}
	return err
}

// untried names what the function does and no harmless call can try.
func (a *Assembly) untried() []string {
	var all []string
	if a.Function.SendsMail {
		all = append(all, "sending mail: doctor looks at the mail service itself, and sends to its simulator with -send")
	}
	if len(a.Function.Sends) > 0 {
		all = append(all, "putting work into a queue: what is lost there, the next sweep finds")
	}
	if a.Function.Publishes {
		all = append(all, "telling the event bus: what it refuses is tried for a day, and then rings")
	}
	if a.Function.Tables.State == topology.ReadWrite {
		all = append(all, "writing: the tables' names and grants come from one declaration, and every run of a schedule writes")
	}
	return all
}

func sortTrials(all []trial) {
	slices.SortFunc(all, func(x, y trial) int { return strings.Compare(x.name, y.name) })
}
