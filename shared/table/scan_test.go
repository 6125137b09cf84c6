package table_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rightsdesk/shared/table"
)

func TestEveryPartitionIsInOneSegment(t *testing.T) {
	t.Parallel()
	for _, segments := range []int{0, 1, 2, 7, table.MaxSegments} {
		for i := range 200 {
			partition, in := fmt.Sprintf("chain#%d", i), 0
			for segment := range max(1, segments) {
				if (table.Scan{Segment: segment, Segments: segments}).Covers(partition) {
					in++
				}
			}
			if in != 1 {
				t.Errorf("%s is in %d of %d segments", partition, in, segments)
			}
		}
	}
}

func TestACursorOfAnotherSegmentIsRefused(t *testing.T) {
	t.Parallel()
	s := table.Scan{Table: table.Audit, Segment: 1, Segments: 4}
	k := table.Key{Partition: "request#1", Sort: "0000000001"}
	cursor := s.CursorAt(k)
	for what, other := range map[string]table.Scan{
		"another segment":        {Table: table.Audit, Segment: 2, Segments: 4},
		"another number of them": {Table: table.Audit, Segment: 1, Segments: 5},
		"no segments":            {Table: table.Audit},
	} {
		other.Cursor = cursor
		if _, _, err := other.Start(); !errors.Is(err, table.ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.Cursor = cursor
	if got, ok, err := s.Start(); got != k || !ok || err != nil {
		t.Errorf("its own came back as %+v, %v, %v", got, ok, err)
	}
	q := table.Query{Table: table.Audit, Partition: "request#1"}
	s.Cursor = q.CursorAt(table.Place{Key: k})
	if _, _, err := s.Start(); !errors.Is(err, table.ErrMalformed) {
		t.Errorf("a query's cursor: %v", err)
	}
	if q.Cursor = cursor; !refused(q) {
		t.Error("a query takes the cursor of a scan")
	}
}

func refused(q table.Query) bool {
	_, _, err := q.Start()
	return errors.Is(err, table.ErrMalformed)
}

// FuzzScanCursor feeds cursors that nobody made. They are refused, or name a key
// that has the very same cursor.
func FuzzScanCursor(f *testing.F) {
	s := table.Scan{Table: table.State, Segment: 2, Segments: 4}
	f.Add(s.CursorAt(table.Key{Partition: "p", Sort: "s#1"}))
	f.Add("")
	f.Add("Af8AAgAE")
	f.Add("AQ\rA0")
	f.Fuzz(func(t *testing.T, cursor string) {
		s.Cursor = cursor
		k, resumed, err := s.Start()
		switch {
		case err != nil:
			if !errors.Is(err, table.ErrMalformed) {
				t.Errorf("refused with %v", err)
			}
		case resumed != (cursor != ""):
			t.Errorf("%q resumes: %v", cursor, resumed)
		case resumed && s.CursorAt(k) != cursor:
			t.Errorf("%q names %+v, whose cursor is %q", cursor, k, s.CursorAt(k))
		}
	})
}

// A scan reads everybody's items, and pays for all of them. What else is to do so in an
// installation has to be added here, and has to be allowed to in infra/stack. What runs
// on an operator's own machine, with what that operator may, is below infra.
func TestOnlyRestoresScan(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	for _, folder := range []string{"functions", "shared"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			within, _ := filepath.Rel(root, path)
			if strings.HasPrefix(within, "shared/table/") || strings.HasPrefix(within, "shared/restore/") {
				return nil
			}
			code, err := os.ReadFile(path)
			if strings.Contains(string(code), "table.Scan{") {
				t.Errorf("%s scans a table", within)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
