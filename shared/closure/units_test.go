package closure

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// TestUnits holds what a closure costs to exact figures, as the emulator bills them and
// as our own rules do.
func TestUnits(t *testing.T) {
	t.Parallel()
	engines := map[string]func(testing.TB, func() time.Time) table.Table{
		"embedded": func(tb testing.TB, now func() time.Time) table.Table { tb.Helper(); return tabletest.Embedded(tb, now) },
		"dynamo": func(tb testing.TB, now func() time.Time) table.Table {
			tb.Helper()
			return tabletest.Dynamo(tb, tabletest.Emulator(tb), now)
		},
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			units(t, name, newDeskOn(t, open))
		})
	}
}

func units(t *testing.T, engine string, d *desk) {
	t.Helper()
	costs := func(what string, write, read float64, do func(context.Context) error) {
		t.Helper()
		var m table.Meter
		if err := do(table.WithMeter(t.Context(), &m)); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		u := m.Total()
		fmt.Printf("PROOF closure: %-8s %-44s %4g W %4g R\n", engine, what, u.Write, u.Read)
		if u.Write != write || u.Read != read {
			t.Errorf("%s costs %g W and %g R, want %g and %g:\n%s", what, u.Write, u.Read, write, read, m.String())
		}
	}
	stranger := personal.MakeIdentity(personal.KindAccount, "a-2")
	var id ID
	costs("asked by mail", 8, 0, func(ctx context.Context) error {
		rec, err := d.Ask(ctx, asks("k"))
		id = rec.ID
		return err
	})
	d.relay()
	token := d.post.token(t)
	costs("the page behind the button", 0, 1, func(ctx context.Context) error { _, _, err := d.Behind(ctx, token); return err })
	costs("confirmed", 8, 3, func(ctx context.Context) error { _, err := d.Confirm(ctx, token, Call{Key: "k"}); return err })
	costs("a banner for who is not leaving", 0, 1, func(ctx context.Context) error { _, _, err := d.Standing(ctx, stranger); return err })
	costs("a banner", 0, 2, func(ctx context.Context) error { _, _, err := d.Standing(ctx, email(ada).Identity()); return err })
	d.relay()
	d.pass(15 * 24 * time.Hour)
	costs("its work is opened", 12, 6, func(ctx context.Context) error { return d.Tick(ctx, id.Ref().Key) })
}
