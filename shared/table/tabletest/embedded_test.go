package tabletest_test

import (
	"path/filepath"
	"testing"
	"time"

	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
	"rightsdesk/shared/table/tabletest"
)

func openEmbedded(t *testing.T, now func() time.Time) table.Table {
	t.Helper()
	s, err := embedded.Open(filepath.Join(t.TempDir(), "store.db"), now, embedded.NoSync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestContractOnEmbedded(t *testing.T) {
	tabletest.Run(t, openEmbedded)
}
