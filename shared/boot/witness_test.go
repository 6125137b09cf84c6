package boot

import (
	"context"
	"errors"
	"testing"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"

	"github.com/aws/smithy-go"
)

// silent is a store that cannot be looked at any more, and what was answered until then.
type silent struct {
	source.Source
	answered []string
}

func (s silent) Find(ctx context.Context, _ source.Ask) (source.Found, error) {
	for _, a := range s.answered {
		ctx.Value(witnessKey{}).(*witness).heard(a, nil)
	}
	return source.Found{}, source.ErrLater
}

// A large store takes longer to read than a check may; one of which nothing was read is
// not reached, even by who became the role for it.
func TestOnlyAStoreThatWasReadIsReached(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answered []string
		ok       bool
	}{
		"nothing":             {nil, false},
		"the role":            {[]string{"sts:AssumeRole"}, false},
		"the secret":          {[]string{"secretsmanager:GetSecretValue"}, false},
		"the role and a page": {[]string{"sts:AssumeRole", "s3:ListBucket"}, true},
	} {
		try := trial{name: "source x", try: func(ctx context.Context) (string, error) {
			return "", ask(ctx, silent{answered: tt.answered}, policy.Source{}, time.Now())
		}}
		if c := try.check(t.Context()); c.OK != tt.ok {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Whoever made no secret is told which one, and not to look at a region.
func TestAMissingSecretIsNamed(t *testing.T) {
	t.Parallel()
	try := trial{name: "source x", next: "see that it has the secret x", try: func(ctx context.Context) (string, error) {
		err := &smithy.GenericAPIError{Code: "ResourceNotFoundException"}
		ctx.Value(witnessKey{}).(*witness).heard("secretsmanager:GetSecretValue", err)
		return "", errors.Join(source.ErrLater, err)
	}}
	if c := try.check(t.Context()); c.OK || c.Next != try.next {
		t.Errorf("%+v", c)
	}
}
