package apps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/policy"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

const (
	first  = "0123456789abcdef0123456789abcdef"
	second = "fedcba9876543210fedcba9876543210"
)

// shelf is a Secrets Manager with two apps, and the keys that are read from it.
type shelf struct {
	*keys
	secrets map[string]string
	fails   error
	reads   int
	at      time.Time
	log     bytes.Buffer
}

func newShelf() *shelf {
	s := &shelf{secrets: map[string]string{"Rightsdesk/apps/shop-key": first + "\n"}, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	s.keys = &keys{
		apps:   []policy.App{{ID: "shop", Secret: "secret:shop-key"}, {ID: "desk", Secret: "secret:desk-key"}},
		prefix: "Rightsdesk/" + Below, now: func() time.Time { return s.at }, log: slog.New(slog.NewTextHandler(&s.log, nil)),
		read: func(_ context.Context, name string) (string, error) {
			s.reads++
			text, ok := s.secrets[name]
			switch {
			case s.fails != nil:
				return "", s.fails
			case !ok:
				return "", fmt.Errorf("get: %w", &types.ResourceNotFoundException{})
			}
			return text, nil
		},
	}
	return s
}

func (s *shelf) want(t *testing.T, app string, fresh bool, want ...string) {
	t.Helper()
	got, err := s.of(t.Context(), app, fresh)
	if err != nil {
		t.Fatal(err)
	}
	if string(bytes.Join(got, []byte(" "))) != strings.Join(want, " ") {
		t.Errorf("the keys of %s are %q, want %q", app, got, want)
	}
}

func TestKeysAreReadWhenTheyAreNeededAndNotOftener(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.want(t, "shop", false, first)
	s.want(t, "desk", false)
	s.want(t, "nobody", false)
	if s.reads != 2 {
		t.Errorf("%d reads for two apps", s.reads)
	}
	// Somebody signs with a key that is not known: whoever they say they are, at
	// most once a minute anything is read.
	s.secrets["Rightsdesk/apps/shop-key"] = second + "\n" + first + "\n"
	for range 50 {
		s.want(t, "shop", true, first)
		s.want(t, "nobody", true)
		s.at = s.at.Add(time.Second)
	}
	if s.reads != 2 {
		t.Errorf("%d reads within a minute", s.reads)
	}
	s.at = s.at.Add(10 * time.Second)
	s.want(t, "nobody", true)
	if s.reads != 4 {
		t.Errorf("an app that is not there cost %d reads, one that is there 2", s.reads-2)
	}
	s.want(t, "shop", false, second, first)
	if log := s.log.String(); strings.Contains(log, first) || !strings.Contains(log, "app=desk") || strings.Contains(log, "app=shop") {
		t.Errorf("the log says %s", log)
	}
}

func TestAKeyThatIsTakenOutStopsCounting(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.want(t, "shop", false, first)
	s.secrets["Rightsdesk/apps/shop-key"] = second
	s.at = s.at.Add(life - time.Second)
	s.want(t, "shop", false, first)
	s.at = s.at.Add(time.Second)
	s.want(t, "shop", false, second)
}

func TestWhatCannotBeReadLeavesWhatWasKnownForAWhile(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.want(t, "shop", false, first)
	s.fails = errors.New("throttled")
	s.at = s.at.Add(stale - time.Second)
	s.want(t, "shop", false, first)
	s.at = s.at.Add(time.Second)
	if got, err := s.of(t.Context(), "shop", false); err == nil {
		t.Errorf("after an hour %d keys still count, revoked or not", len(got))
	}
	s.fails = nil
	s.at = s.at.Add(again)
	s.want(t, "shop", false, first)

	never := newShelf()
	never.fails = errors.New("throttled")
	for range 3 {
		if _, err := never.of(t.Context(), "shop", false); err == nil {
			t.Error("keys that were never read are none that anybody has")
		}
	}
	if never.reads != 2 {
		t.Errorf("a failure is tried again at once: %d reads", never.reads)
	}
}
