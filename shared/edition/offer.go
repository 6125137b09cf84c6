package edition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"rightsdesk/shared/table"
)

// Look publishes what was put where operators keep their file, and what the settings
// say, if either changed since it was last looked at; and it says whether the
// installation is open. The error names everything that is missing.
//
// A changed file always comes into force. Changed settings do only while no policy of
// another origin is: whoever publishes one of their own is done with the settings.
func (b *Book) Look(ctx context.Context) error {
	var failed []error
	if err := b.lookAtShelf(ctx); err != nil {
		failed = append(failed, err)
	}
	if err := b.lookAtSettings(ctx); err != nil {
		failed = append(failed, err)
	}
	a, err := b.judge(ctx)
	if b.Changed != nil {
		b.Changed() // another process may have changed it as well
	}
	if err != nil {
		return errors.Join(append(failed, err)...)
	}
	for _, l := range a.Lacks {
		failed = append(failed, fmt.Errorf("the installation is not open (%s): %s", l, l.Says()))
	}
	return errors.Join(failed...)
}

func (b *Book) lookAtShelf(ctx context.Context) error {
	if b.Shelf == nil {
		return nil
	}
	file, err := b.Shelf.Read(ctx)
	if err != nil {
		return fmt.Errorf("read the policy of the %s: %w", b.From, err)
	}
	if file == nil {
		return nil
	}
	return b.take(ctx, b.From, file)
}

func (b *Book) lookAtSettings(ctx context.Context) error {
	if b.Profile == nil {
		return nil
	}
	a, err := b.Active(ctx)
	if err != nil {
		return err
	}
	if a.Version != "" && a.Origin != Settings {
		return nil
	}
	file, err := b.Profile()
	if err != nil {
		return fmt.Errorf("fill the profile with the settings: %w", err)
	}
	if file == nil {
		return nil
	}
	return b.take(ctx, Settings, file)
}

// take publishes a file if its origin offers it for the first time.
func (b *Book) take(ctx context.Context, from Origin, file []byte) error {
	digest := digestOf(file)
	a, err := b.Active(ctx)
	if err != nil {
		return err
	}
	if a.Seen[from] == digest {
		return nil
	}
	refused, at, err := b.refusal(ctx)
	if err != nil {
		return err
	}
	if refused.of(from) == digest && !b.changedMind(file) {
		return nil
	}
	_, problems, err := b.publish(ctx, offer{file: file, origin: from, actor: actorOfJobs})
	if err != nil || len(problems) == 0 {
		return err
	}
	b.Log.WarnContext(ctx, "a policy was refused; the one in force stays", "origin", from, "problems", len(problems), "first", problems[0].String())
	r := Refusal{Origin: from, Digest: digest, At: b.now(), Problems: problems[:min(len(problems), maxProblems)], Before: map[Origin]string{}}
	pre := table.New
	if refused != nil {
		pre = table.Version(at)
		maps.Copy(r.Before, refused.Before)
		r.Before[refused.Origin] = refused.Digest
		delete(r.Before, from)
	}
	w, err := put(refusedRef, r, pre)
	if err != nil {
		return err
	}
	if err := b.Table.Commit(ctx, table.NewID(), w); err != nil && !errors.Is(err, table.ErrConflict) { // the next run remembers it
		return fmt.Errorf("remember the refused policy: %w", err)
	}
	return nil
}

// maxProblems is how many problems of a refused file are remembered.
const maxProblems = 25

// changedMind reports whether a file that was refused would be taken now: by a newer
// version of the program.
func (b *Book) changedMind(file []byte) bool {
	_, problems := b.usable(file)
	return len(problems) == 0
}

// judge brings what is missing up to date, with an entry that says what changed.
func (b *Book) judge(ctx context.Context) (Active, error) {
	commit := table.NewID()
	for try := range conflictTries {
		a, err := b.load(ctx)
		if errors.Is(err, errNone) {
			return b.none(), nil
		}
		if err != nil {
			return Active{}, err
		}
		lacks, err := b.missing(ctx, a)
		if err != nil || slices.Equal(lacks, a.Lacks) {
			return a, err
		}
		was := a
		a.Lacks = lacks
		change, ok := turned(was, a)
		if !ok {
			return a, nil
		}
		change.At, change.Actor, change.Commit = b.now(), actorOfJobs, string(commit)
		entry := a.entry(change)
		put, err := a.put()
		if err != nil {
			return Active{}, err
		}
		err = b.Table.Commit(ctx, commit, put, entry)
		if err == nil {
			b.Log.InfoContext(ctx, "the installation opened or is shut", "open", a.Open(), "lacks", words(a.Lacks))
			return a, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Active{}, fmt.Errorf("say whether the installation is open: %w", err)
		}
		if err := b.after(ctx, was.stored, try); err != nil {
			return Active{}, err
		}
	}
	return Active{}, ErrBusy
}

// missing is what the installation lacks now.
func (b *Book) missing(ctx context.Context, a Active) ([]Lack, error) {
	var lacks []Lack
	if a.Version == "" {
		lacks = append(lacks, NoPolicy)
	} else if err := b.readable(ctx, a); errors.Is(err, ErrUnreadable) {
		lacks = append(lacks, Unreadable)
	} else if err != nil {
		return nil, err
	}
	return append(lacks, b.Lacks...), nil
}
