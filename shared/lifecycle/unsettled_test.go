package lifecycle

import (
	"testing"
	"time"
)

func TestWhoStillHasToBeFoundStaysReadable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	unsettled := func() bool {
		t.Helper()
		d.pass(time.Minute) // indexes are late
		yes, err := d.Unsettled(d.ctx(), d.life(ada).Subject)
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	d.tell(RelationshipEnded, ada, of("licence"))
	if !unsettled() {
		t.Error("what has a while to live yet could not be found at its end")
	}
	d.days(45)
	if got := d.opened(); len(got) == 0 || unsettled() {
		t.Errorf("opened is %q, and somebody is still needed", got)
	}
	if yes, err := d.Unsettled(d.ctx(), "s0"); err != nil || yes {
		t.Errorf("nobody is needed: %v %v", yes, err)
	}
}
