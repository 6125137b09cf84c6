package httpsource

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/source"
)

// The headers of a call.
const (
	headerSignature = "Rightsdesk-Signature"
	headerTimestamp = "Rightsdesk-Timestamp" // Unix seconds: when the call was signed
	headerLease     = "Rightsdesk-Lease"     // Unix seconds: the hook must not begin at or after this instant
	headerKey       = "Idempotency-Key"
)

// Skew is how far the clocks of the two sides may differ.
const Skew = 5 * time.Minute

// MinSecret is the shortest secret that signs, in bytes.
const MinSecret = 32

const (
	scheme = "rightsdesk-hook-v1"
	prefix = "v1="
	maxKey = 255
)

// Why a call is not acted on.
var (
	// ErrUnsigned: a header is missing or doubled, the signature is not ours, or
	// it is older or newer than Skew allows. Which of them is not said. 401.
	ErrUnsigned = errors.New("httpsource: the call is not signed, or not lately")
	// ErrLeaseOver: the call is genuine and too late. 409: it may be repeated
	// under a new lease.
	ErrLeaseOver = errors.New("httpsource: the lease of the call is over")
)

// signature returns the value of the signature header. What is signed are five
// parts with a line feed between them: the scheme, the timestamp, the lease, the
// key, the body. None of the first four can hold a line feed, so the parts cannot
// be shifted against each other.
func signature(secret []byte, timestamp, lease, key string, body []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(scheme + "\n" + timestamp + "\n" + lease + "\n" + key + "\n"))
	h.Write(body)
	return prefix + hex.EncodeToString(h.Sum(nil))
}

// sign sets the headers of a call. Times lose their fractions: a lease may end
// early, never late.
func sign(h http.Header, secret []byte, c source.Call, body []byte, now time.Time) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	lease := strconv.FormatInt(c.Lease.Unix(), 10)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerLease, lease)
	h.Set(headerKey, c.Key)
	h.Set(headerSignature, signature(secret, timestamp, lease, c.Key, body))
}

// Verify checks a call that arrived with headers h and the raw bytes body, before
// anything in it is believed. Any of the secrets may have signed it, so that a
// secret can be replaced: give the hook both, then change ours, then drop the old
// one. Secrets shorter than MinSecret verify nothing.
func Verify(h http.Header, body []byte, secrets [][]byte, now time.Time) (source.Call, error) {
	signed, ok1 := single(h, headerSignature)
	key, ok2 := single(h, headerKey)
	timestamp, at, ok3 := instant(h, headerTimestamp)
	lease, end, ok4 := instant(h, headerLease)
	if !ok1 || !ok2 || !ok3 || !ok4 || !goodKey(key) || at.Sub(now).Abs() > Skew {
		return source.Call{}, ErrUnsigned
	}
	genuine := false
	for _, secret := range secrets { // all of them, so that the time taken does not say which
		want := signature(secret, timestamp, lease, key, body)
		if hmac.Equal([]byte(want), []byte(signed)) && len(secret) >= MinSecret {
			genuine = true
		}
	}
	switch {
	case !genuine:
		return source.Call{}, ErrUnsigned
	case !now.Before(end):
		return source.Call{}, ErrLeaseOver
	}
	return source.Call{Key: key, Lease: end}, nil
}

// single returns the value of a header that must be there once: with two, the
// one we check may not be the one that somebody else acts on.
func single(h http.Header, name string) (string, bool) {
	v := h.Values(name)
	if len(v) != 1 {
		return "", false
	}
	return v[0], true
}

// instant reads Unix seconds in their one spelling.
func instant(h http.Header, name string) (string, time.Time, bool) {
	s, ok := single(h, name)
	n, err := strconv.ParseInt(s, 10, 64)
	if !ok || err != nil || n < 0 || n > maxInstant || strconv.FormatInt(n, 10) != s {
		return "", time.Time{}, false
	}
	return s, time.Unix(n, 0).UTC(), true
}

// maxInstant is the last second of the year 9999: beyond it arithmetic on times overflows.
const maxInstant = 253402300799

// goodKey reports whether a key can travel in a header: 1 to 255 visible ASCII characters.
func goodKey(key string) bool {
	return key != "" && len(key) <= maxKey && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}
