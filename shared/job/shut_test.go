package job_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/job"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table/tabletest"
	"rightsdesk/shared/topology"
)

// Nothing is due that a policy in force did not make due. The one job that runs says
// what is missing, so that its alarm rings.
func TestWhereNothingIsOpenOnlyEditionsAreLookedFor(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }
	d := desk.New(desk.Ground{Table: tabletest.Embedded(t, now), Policy: &policy.Policy{}, Now: now, Log: slog.New(slog.DiscardHandler), Shut: edition.ErrNotOpen})
	d.Requests.Table = nil // whoever reads it crashes
	d.Table = nil
	n := 0
	for fn, set := range job.Jobs(d) {
		for name, run := range set {
			rep, err := run(t.Context())
			if fn == topology.Notice.Name && name == "editions" {
				if err == nil || !strings.Contains(err.Error(), "PrivacyContact") {
					t.Errorf("the alarm would not ring: %v", err)
				}
				continue
			}
			if n++; err != nil || rep != (job.Report{}) {
				t.Errorf("%s/%s: %+v %v", fn, name, rep, err)
			}
		}
	}
	if n < 6 {
		t.Errorf("only %d jobs", n)
	}
}
