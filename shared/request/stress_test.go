package request

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"rightsdesk/shared/policy"
)

// TestABadDayLosesAndRepeatsNothing lets one call in sixteen fail, for the whole of
// a request, in an order that the seed decides.
func TestABadDayLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	want := map[policy.Right]story{policy.Access: journey(furnished(t), policy.Access), policy.Erasure: journey(furnished(t), policy.Erasure)}
	for seed := range uint64(24) {
		for right, calm := range want {
			t.Run(fmt.Sprintf("%s, seed %d", right, seed), func(t *testing.T) {
				t.Parallel()
				d := furnished(t)
				rnd := rand.New(rand.NewPCG(seed, 1))
				submitted := false
				d.trouble.rules = append(d.trouble.rules, func(what string) bool {
					// The person's own calls are those of the crash test.
					submitted = submitted || what == "mail"
					return submitted && rnd.IntN(16) == 0
				})
				d.patience = 30
				got := journey(d, right)
				if got.status != calm.status || got.outcome != calm.outcome {
					t.Errorf("it ends as %s with\n%s, want\n%s", got.status, got.outcome, calm.outcome)
				}
				for id, n := range got.effects {
					if n != calm.effects[id] {
						t.Errorf("%s was touched %d times, want %d", id, n, calm.effects[id])
					}
				}
				d.chains()
			})
		}
	}
}
