package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheAppCommandSignsAsTheRunnersApp makes calls as a newcomer does who tries out
// what an app can do.
func TestTheAppCommandSignsAsTheRunnersApp(t *testing.T) {
	w := open(t)
	call := func(in string, args ...string) (string, error) {
		var out bytes.Buffer
		err := appCommand(t.Context(), append([]string{"-url", w.URL, "-data", w.o.Dir}, args...), strings.NewReader(in), &out)
		return out.String(), err
	}
	const ask = `{"subject":{"type":"account","value":"acc-1001"},"purposes":["analytics"]}`
	if out, err := call("", "POST", "/v1/decisions", ask); err != nil || !strings.Contains(out, `"why":"not_asked"`) {
		t.Errorf("%q, %v", out, err)
	}
	w.pass(400 * 24 * time.Hour) // it signs with the time that the runner has
	if out, err := call(ask, "post", "/v1/decisions", "-"); err != nil || !strings.Contains(out, `"why":"not_asked"`) {
		t.Errorf("after the clock was turned: %q, %v", out, err)
	}
	if out, err := call("", "GET", "/v1/choices?lang=fr"); err != nil || !strings.Contains(out, `"language":"fr"`) {
		t.Errorf("a call with a query: %.80q, %v", out, err)
	}
	const choose = `{"subject":{"type":"account","value":"acc-1001"},"purpose":"analytics","choice":"denied"}`
	first, err := call("", "-key", "k", "POST", "/v1/consents", choose)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := call("", "-key", "k", "POST", "/v1/consents", choose); err != nil || again != first {
		t.Errorf("the same key: %q, then %q, %v", first, again, err)
	}
	if out, err := call("", "POST", "/v1/consents", "{}"); err == nil || !strings.Contains(out, "invalid_input") {
		t.Errorf("a refusal: %q, %v", out, err)
	}
	for _, args := range [][]string{{}, {"POST"}, {"a", "b", "c", "d"}, {"-app", "nobody", "GET", "/"}, {"-data", t.TempDir(), "GET", "/"}, {"-policy", "none", "GET", "/"}} {
		if _, err := call("", args...); err == nil {
			t.Errorf("%v was done", args)
		}
	}

	secret := filepath.Join(w.o.Dir, "secrets", "shop-app")
	old, err := os.ReadFile(secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("RIGHTSDESK_APP_KEY", string(old))
	if _, err := call("", "POST", "/v1/decisions", ask); err == nil {
		t.Error("a key of nobody's was used")
	}
	if out, err := call("", "-app", "shop", "POST", "/v1/decisions", ask); err != nil {
		t.Errorf("a key of one's own: %q, %v", out, err)
	}
	// A key is replaced: first both count, then the new one alone.
	const fresh = "the-new-key-of-the-shop-is-long-enough"
	for _, c := range []struct {
		keys     string
		old, new bool
	}{{fresh + "\n" + string(old), true, true}, {fresh + "\n", false, true}} {
		if err := os.WriteFile(secret, []byte(c.keys), 0o600); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]bool{string(old): c.old, fresh: c.new} {
			t.Setenv("RIGHTSDESK_APP_KEY", key)
			if _, err := call("", "-app", "shop", "POST", "/v1/decisions", ask); (err == nil) != want {
				t.Errorf("of the keys %q, %q is taken: %v", c.keys, key, err)
			}
		}
	}
	if strings.Contains(w.log.String(), fresh) || strings.Contains(w.log.String(), string(old)) {
		t.Error("the log holds a key")
	}
}
