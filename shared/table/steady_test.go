package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"rightsdesk/shared/table"
)

// script is a store whose calls answer one after the other.
type script struct {
	table.Table
	answers []error
	ids     []table.ID
}

func (s *script) next() error {
	err := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	return err
}

func (s *script) Get(context.Context, table.Ref) (table.Item, error) {
	return table.Item{Version: 7}, s.next()
}

func (s *script) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{Cursor: "next"}, s.next()
}

func (s *script) Scan(context.Context, table.Scan) (table.Page, error) {
	return table.Page{Cursor: "next"}, s.next()
}

func (s *script) Count(context.Context, table.Tally) (table.Item, error) {
	return table.Item{Version: 7}, s.next()
}

func (s *script) Commit(_ context.Context, id table.ID, _ ...table.Write) error {
	s.ids = append(s.ids, id)
	return s.next()
}

func TestSteadyRepeatsWhatMayBeRepeated(t *testing.T) {
	t.Parallel()
	conflict := &table.Conflict{}
	calls := map[string]func(table.Table) error{
		"get":    func(s table.Table) error { _, err := s.Get(t.Context(), table.Ref{}); return err },
		"query":  func(s table.Table) error { _, err := s.Query(t.Context(), table.Query{}); return err },
		"scan":   func(s table.Table) error { _, err := s.Scan(t.Context(), table.Scan{}); return err },
		"count":  func(s table.Table) error { _, err := s.Count(t.Context(), table.Tally{}); return err },
		"commit": func(s table.Table) error { return s.Commit(t.Context(), "id") },
	}
	for name, c := range map[string]struct {
		call    string
		answers []error
		want    error
		pauses  int
	}{
		"a busy get is repeated":                {"get", []error{table.ErrBusy, table.ErrBusy, nil}, nil, 2},
		"a get of nothing is not":               {"get", []error{table.ErrAbsent}, table.ErrAbsent, 0},
		"a busy query is repeated":              {"query", []error{table.ErrBusy, nil}, nil, 1},
		"a busy scan is repeated":               {"scan", []error{table.ErrBusy, nil}, nil, 1},
		"a busy count is repeated":              {"count", []error{table.ErrBusy, nil}, nil, 1},
		"a count that may have counted is not":  {"count", []error{table.ErrUnknown, nil}, table.ErrUnknown, 0},
		"a count over its limit is not":         {"count", []error{table.ErrOver}, table.ErrOver, 0},
		"a busy commit is repeated":             {"commit", []error{table.ErrBusy, nil}, nil, 1},
		"a commit without an answer is, too":    {"commit", []error{table.ErrUnknown, table.ErrBusy, nil}, nil, 2},
		"a conflict is not":                     {"commit", []error{conflict}, conflict, 0},
		"a conflict after a lost answer is one": {"commit", []error{table.ErrUnknown, conflict}, conflict, 1},
		"patience ends":                         {"commit", []error{table.ErrBusy}, table.ErrBusy, 8},
	} {
		inner := &script{answers: c.answers}
		pauses := 0
		s := table.Steady(inner, func(context.Context, time.Duration) error { pauses++; return nil })
		if err := calls[c.call](s); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if pauses != c.pauses {
			t.Errorf("%s: %d pauses, want %d", name, pauses, c.pauses)
		}
		for _, id := range inner.ids {
			if id != "id" {
				t.Errorf("%s: repeated with the id %s", name, id)
			}
		}
	}
}

func TestSteadyStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	inner := &script{answers: []error{table.ErrUnknown}}
	s := table.Steady(inner, func(ctx context.Context, _ time.Duration) error { cancel(); return table.Sleep(ctx, time.Hour) })
	if err := s.Commit(ctx, "id"); !errors.Is(err, table.ErrUnknown) || len(inner.ids) != 1 {
		t.Errorf("%d tries and %v, want one and the error of the store", len(inner.ids), err)
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	t.Parallel()
	for n, bound := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 1000, 1000} {
		for range 100 {
			if p := table.Pause(n); p < 0 || p >= bound*time.Millisecond {
				t.Fatalf("pause %d is %s, bound %s", n, p, bound*time.Millisecond)
			}
		}
	}
	if p := table.Pause(1 << 20); p >= time.Second {
		t.Errorf("a late pause is %s", p)
	}
}
