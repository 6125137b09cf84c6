// Package apps lets a function tell the company's apps by their keys. Mains import
// it; which apps there are, the policy file declares.
package apps

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/httpapi"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Part is for functions with routes that an app may call. It stands before the
// part that answers them.
var Part = boot.Part{
	Name:   "apps",
	Grants: topology.Function.HearsApps,
	Fill: func(_ context.Context, a *boot.Assembly) error {
		client := secretsmanager.NewFromConfig(a.AWS)
		k := &keys{
			apps: a.Policy.Apps, prefix: a.Setting(topology.SecretNames) + Below, now: a.Now, log: a.Log,
			read: func(ctx context.Context, name string) (string, error) {
				out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
				if err != nil {
					return "", err
				}
				return aws.ToString(out.SecretString), nil
			},
		}
		a.AppKeys = k.of
		return nil
	},
}

// Below is what the names of apps' secrets have after the installation's own
// prefix. Functions that everybody can call may read these and no others: with the
// secrets of data stores, whoever broke into one could have them erase.
const Below = "apps/"

const (
	// pause is how long nothing is read anew, whoever signs what.
	pause = time.Minute
	// again is how long a failure is left alone.
	again = 5 * time.Second
	// life is how long a key that was taken out of its secret still counts, and
	// stale is how long if the secret cannot be read.
	life  = 5 * time.Minute
	stale = time.Hour
)

// keys are those of all apps, as they were last read. All are read at once, so
// that nobody can tell from the time it takes whether an app is there.
type keys struct {
	apps   []policy.App
	prefix string
	read   func(ctx context.Context, name string) (string, error)
	now    func() time.Time
	log    *slog.Logger

	mu   sync.Mutex
	at   time.Time // of the last try
	held map[string]held
}

// held are the keys of one app.
type held struct {
	keys [][]byte
	at   time.Time // when they were read; zero: never
	err  error     // of the last try
}

// of returns the keys of an app.
func (k *keys) of(ctx context.Context, app string, fresh bool) ([][]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if age := now.Sub(k.at); k.at.IsZero() || age >= life || age >= pause && fresh || age >= again && k.held[app].err != nil {
		k.at = now
		k.readAll(ctx)
	}
	h := k.held[app]
	if h.err != nil && now.Sub(h.at) >= stale {
		return nil, h.err
	}
	return h.keys, nil
}

// readAll reads the secret of every app. One that nobody made yet holds no key;
// one that cannot be read leaves what was known.
func (k *keys) readAll(ctx context.Context) {
	all := map[string]held{}
	for _, app := range k.apps {
		h := k.held[app.ID]
		name := k.prefix + strings.TrimPrefix(app.Secret, "secret:")
		secret, err := k.read(ctx, name)
		_, none := errors.AsType[*types.ResourceNotFoundException](err)
		if h.err = nil; err == nil || none {
			h.keys, h.at = httpapi.AppKeys(secret), k.now()
		} else {
			h.err = fmt.Errorf("apps: read the secret %s: %w", name, err)
		}
		if err != nil || len(h.keys) == 0 {
			k.log.WarnContext(ctx, "an app of the policy has no key of 32 characters or more in its secret", "app", app.ID, "secret", name, "err", err)
		}
		all[app.ID] = h
	}
	k.held = all
}
