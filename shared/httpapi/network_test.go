package httpapi

import (
	"net/http"
	"testing"
)

func TestALimitIsForANetwork(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7:443":                  "192.0.2.7",
		"[::ffff:192.0.2.7]:443":         "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:443":     "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1%eth0]:80": "2001:db8:1:2::/64",
		"[2001:db8:1:3::1]:443":          "2001:db8:1:3::/64",
		"somebody:1":                     "somebody",
		"":                               "",
	} {
		if got := from(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("from %q the network is %q, want %q", remote, got, want)
		}
	}
}
