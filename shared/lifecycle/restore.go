package lifecycle

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool { return strings.HasPrefix(name, prefix) }

// Restore implements restore.Folder: it brings a life to where its chain ends. The
// last entry tells all of it. One from before entries told who it is about, sealed, makes
// a life that is missing altogether without that, and the next event of the person mends it.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(table.ID) (restore.Outcome, error) { return s.restore(ctx, chain, entries) })
}

func (s *Service) restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	if len(entries) == 0 {
		return restore.Outcome{What: restore.Stood}, nil // what is left of it is what the aggregate knows
	}
	now, commit := s.now(), table.NewID()
	last := entries[len(entries)-1]
	was, err := s.load(ctx, seal.Identifier(restore.Fact(last, factIdentifier)))
	absent := errors.Is(err, errLost)
	switch {
	case err != nil && !absent:
		return restore.Outcome{}, err
	case !absent && was.chain() != chain:
		return restore.Outcome{What: restore.Over}, nil // forgotten, and begun anew since
	case absent:
		was.ID = strings.TrimPrefix(chain, prefix)
	}
	tail := restore.TailOf(was.Head, entries)
	if !absent && tail.Stands() {
		return restore.Outcome{What: restore.Stood}, nil
	}
	l := fold(was, last)
	if !l.Forget.IsZero() && !l.Forget.After(now) {
		return restore.Outcome{What: restore.Over}, nil
	}
	out := restore.Outcome{What: restore.Advanced, Ahead: tail.Ahead}
	if absent {
		if out.What = restore.Remade; len(l.Who) == 0 {
			out.Missing = []string{"who"}
		}
	}
	d := &draft{Life: l, at: now}
	e, head := tail.Entry(chain, was.Head, now, commit, l.facts()...)
	d.Head, d.entries = head, []audit.Entry{e}
	d.filed = time.Time{}
	writes, err := s.writes(d)
	if err != nil {
		return restore.Outcome{}, err
	}
	return out, s.Table.Commit(ctx, commit, writes...)
}

// fold makes a life of an entry, with what the aggregate remembers beside.
func fold(was Life, e audit.Entry) Life {
	l := Life{
		ID: was.ID, Subject: was.Subject, Holder: was.Holder, Who: was.Who, Head: was.Head,
		at: was.at, version: was.version, filed: was.filed, Forget: restore.Time(e, factForget),
	}
	if who, err := base64.RawStdEncoding.DecodeString(restore.Fact(e, factSealed)); err == nil && len(who) > 0 {
		l.Who, l.Subject, l.Holder = who, restore.Fact(e, factSubject), seal.Identifier(restore.Fact(e, factHolder))
	}
	l.Works, _ = strconv.Atoi(restore.Fact(e, factWorks))
	for _, f := range e.Facts {
		kind, id, ok := strings.Cut(f.Name, ".")
		switch span := parseSpan(f.Value); {
		case f.Name == factAccount:
			l.Account = span
		case !ok:
		case kind+"." == factRelationship:
			l.Relationships = with(l.Relationships, id, span)
		case kind+"." == factPurpose:
			l.Purposes = with(l.Purposes, id, Agreed{span.Started, span.Ended})
		case kind+"." == factDone:
			l.Done = with(l.Done, id, restore.Time(e, f.Name))
		}
	}
	return l
}

func with[T any](m map[string]T, id string, v T) map[string]T {
	if m == nil {
		m = map[string]T{}
	}
	m[id] = v
	return m
}

// parseSpan reads a span as String writes it.
func parseSpan(text string) Span {
	from, to, _ := strings.Cut(text, "/")
	at := func(text string) time.Time {
		t, _ := time.Parse(time.RFC3339Nano, text) // what is empty is zero
		return t.UTC()
	}
	if text == "" {
		return Span{}
	}
	return Span{at(from), at(to)}
}
