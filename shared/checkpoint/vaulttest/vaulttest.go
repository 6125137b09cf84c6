// Package vaulttest is the one suite that every checkpoint.Vault passes. Only tests
// import it.
package vaulttest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"rightsdesk/shared/checkpoint"
)

// Run tests the vaults that open returns, each of them empty.
func Run(t *testing.T, open func(*testing.T) checkpoint.Vault) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, checkpoint.Vault){
		"what was put is got":               got,
		"nothing is written over":           once,
		"of many who write one is first":    first,
		"what is not there is absent":       absent,
		"keys are listed in order":          listed,
		"an empty object is one":            empty,
		"a key may be the beginning of one": beginning,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func put(t *testing.T, v checkpoint.Vault, key, body string) {
	t.Helper()
	if err := v.Put(t.Context(), key, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func got(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	body := bytes.Repeat([]byte("a line\n"), 200_000)
	if err := v.Put(t.Context(), "leaves/1.txt", body); err != nil {
		t.Fatal(err)
	}
	if b, err := v.Get(t.Context(), "leaves/1.txt"); err != nil || !bytes.Equal(b, body) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func once(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	put(t, v, "a/1", "first")
	for _, body := range []string{"first", "second", ""} {
		if err := v.Put(t.Context(), "a/1", []byte(body)); !errors.Is(err, checkpoint.ErrThere) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if b, err := v.Get(t.Context(), "a/1"); err != nil || string(b) != "first" {
		t.Errorf("%q, %v", b, err)
	}
}

func first(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var won []string
	for n := range 8 {
		all.Go(func() {
			body := fmt.Sprintf("of writer %d", n)
			err := v.Put(t.Context(), "a/1", []byte(body))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, body)
			} else if !errors.Is(err, checkpoint.ErrThere) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if b, err := v.Get(t.Context(), "a/1"); err != nil || len(won) != 1 || string(b) != won[0] {
		t.Errorf("%q, %v; %v believe that they were first", b, err, won)
	}
}

func absent(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	put(t, v, "a/1", "x")
	for _, key := range []string{"a/2", "b/1", "a"} {
		if b, err := v.Get(t.Context(), key); !errors.Is(err, checkpoint.ErrAbsent) {
			t.Errorf("%s: %q, %v", key, b, err)
		}
	}
}

func listed(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	var want []string
	for n := range 25 {
		want = append(want, fmt.Sprintf("a/%02d", n))
		put(t, v, want[n], "x")
	}
	put(t, v, "b/1", "x")
	for after, rest := range map[string][]string{"": want, "a/05": want[6:], "a/055": want[6:], "a/24": nil} {
		var all []string
		for from := after; ; {
			keys, err := v.List(t.Context(), "a/", from)
			if err != nil {
				t.Fatal(err)
			}
			if len(keys) == 0 {
				break
			}
			all = append(all, keys...)
			from = keys[len(keys)-1]
		}
		if !slices.Equal(all, rest) {
			t.Errorf("after %q: %v", after, all)
		}
	}
	if keys, err := v.List(t.Context(), "", "a/24"); err != nil || !slices.Equal(keys, []string{"b/1"}) {
		t.Errorf("%v, %v", keys, err)
	}
	if keys, err := v.List(t.Context(), "c/", ""); err != nil || len(keys) > 0 {
		t.Errorf("%v, %v", keys, err)
	}
}

func empty(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	put(t, v, "leaves/0.txt", "")
	if b, err := v.Get(t.Context(), "leaves/0.txt"); err != nil || len(b) > 0 {
		t.Errorf("%q, %v", b, err)
	}
}

func beginning(t *testing.T, v checkpoint.Vault) {
	t.Helper()
	put(t, v, "a/1", "x")
	put(t, v, "a/1.txt", "y")
	if keys, err := v.List(t.Context(), "a/1", ""); err != nil || !slices.Equal(keys, []string{"a/1", "a/1.txt"}) {
		t.Errorf("%v, %v", keys, err)
	}
}
