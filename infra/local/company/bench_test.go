package company_test

import (
	"path/filepath"
	"testing"

	"rightsdesk/infra/local/company"
)

// BenchmarkFill is how long make run waits at its first start.
func BenchmarkFill(b *testing.B) {
	for b.Loop() {
		c, err := company.Open(company.Options{Path: filepath.Join(b.TempDir(), "company.db"), Now: clock})
		if err != nil {
			b.Fatal(err)
		}
		_ = c.Close()
	}
}
