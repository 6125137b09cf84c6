package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"rightsdesk/shared/edition"
	"rightsdesk/shared/export/s3"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
)

// Books opens what an installation in the account keeps, by the credentials of whoever
// runs the command: they need to read the three tables and the bucket of packages, and
// to decrypt with the installation's key.
func (a *Account) Books(ctx context.Context, s *Stack) (Books, error) {
	var names [4]string
	for i, output := range []string{"StateTableName", "AuditTableName", "KeysTableName", "MasterKeyArn"} {
		v, err := s.output(output)
		if err != nil {
			return Books{}, err
		}
		names[i] = v
	}
	b := Books{
		Table:   table.Steady(dynamo.New(a.AWS, dynamo.Tables{State: names[0], Audit: names[1], Keys: names[2]}, a.Now), table.Sleep),
		BaseURL: strings.TrimSuffix(s.Outputs["Address"], "/"), Now: a.Now,
	}
	for _, r := range s.of("AWS::S3::Bucket") {
		if plain(r.Logical) == "Exports" {
			b.Files = s3.New(a.AWS, r.Physical)
		}
	}
	ring, err := kms.New(a.AWS, names[3], b.Table).Open(ctx)
	if err != nil && !errors.Is(err, kms.ErrNone) {
		return Books{}, fmt.Errorf("open the key ring of %s: %w", s.Name, err)
	}
	b.Ring = ring
	if _, b.Policy, err = (&edition.Book{Table: b.Table, Now: a.Now, Log: slog.New(slog.DiscardHandler)}).InForce(ctx); err != nil {
		return Books{}, fmt.Errorf("read the policy in force of %s: %w", s.Name, err)
	}
	return b, nil
}
