package httpsource_test

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	httpsource "rightsdesk/shared/source/http"
)

var (
	noon   = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	secret = []byte("0123456789abcdef0123456789abcdef")
	older  = []byte("fedcba9876543210fedcba9876543210")
)

// vector is one of the examples of docs/hook.md, which a developer checks a
// first implementation against.
type vector struct{ secret, timestamp, lease, key, body, signature string }

// vectors were worked out by hand with OpenSSL:
// printf 'rightsdesk-hook-v1\n%s\n%s\n%s\n%s' TIMESTAMP LEASE KEY BODY | openssl dgst -sha256 -hmac SECRET.
var vectors = []vector{
	{string(secret), "1772452800", "1772452860", "k-1", `{"version":1}`, "v1=ddb9a492da8043b7b576386558e06a70c3846222ccf33751b5b27a1f2d94cfaf"},
	{string(secret), "1772452800", "1772452860", "k-1", "", "v1=b65a0735a1af34674f4acb5f3f4cb7d2e1b709dd20ed0092d9b7c80968ee478d"},
	{string(older), "1772452800", "1772452860", "k-2", "{\"name\":\"Zo\u00eb\"}\n", "v1=5993cefa0da6a9e4594a5cf8369d297d40642065b47133c6b24df4601b19833a"},
}

func (v vector) header() http.Header {
	h := http.Header{}
	h.Set("Rightsdesk-Signature", v.signature)
	h.Set("Rightsdesk-Timestamp", v.timestamp)
	h.Set("Rightsdesk-Lease", v.lease)
	h.Set("Idempotency-Key", v.key)
	return h
}

func TestVerifyAcceptsTheVectors(t *testing.T) {
	t.Parallel()
	for i, v := range vectors {
		call, err := httpsource.Verify(v.header(), []byte(v.body), [][]byte{secret, older}, noon)
		if err != nil || call.Key != v.key || strconv.FormatInt(call.Lease.Unix(), 10) != v.lease {
			t.Errorf("vector %d: %+v, %v", i, call, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	v := vectors[0]
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	tests := map[string]struct {
		change  func(http.Header)
		body    string
		secrets [][]byte
		now     time.Time
		want    error
	}{
		"another body":                     {body: `{"version":2}`, want: httpsource.ErrUnsigned},
		"a body with a line feed after it": {body: v.body + "\n", want: httpsource.ErrUnsigned},
		"another key":                      {change: set("Idempotency-Key", "k-2"), want: httpsource.ErrUnsigned},
		"a key with a line feed":           {change: set("Idempotency-Key", "k-1\n"), want: httpsource.ErrUnsigned},
		"an empty key":                     {change: set("Idempotency-Key", ""), want: httpsource.ErrUnsigned},
		"a longer lease":                   {change: set("Rightsdesk-Lease", "1772452861"), want: httpsource.ErrUnsigned},
		"a lease in another spelling":      {change: set("Rightsdesk-Lease", "+1772452860"), want: httpsource.ErrUnsigned},
		"a later timestamp":                {change: set("Rightsdesk-Timestamp", "1772452801"), want: httpsource.ErrUnsigned},
		"a timestamp beyond all time":      {change: set("Rightsdesk-Timestamp", "9223372036854775807"), want: httpsource.ErrUnsigned},
		"no signature":                     {change: func(h http.Header) { h.Del("Rightsdesk-Signature") }, want: httpsource.ErrUnsigned},
		"no timestamp":                     {change: func(h http.Header) { h.Del("Rightsdesk-Timestamp") }, want: httpsource.ErrUnsigned},
		"two signatures":                   {change: func(h http.Header) { h.Add("Rightsdesk-Signature", v.signature) }, want: httpsource.ErrUnsigned},
		"two keys":                         {change: func(h http.Header) { h.Add("Idempotency-Key", "k-9") }, want: httpsource.ErrUnsigned},
		"another version of the scheme":    {change: set("Rightsdesk-Signature", "v2"+v.signature[2:]), want: httpsource.ErrUnsigned},
		"a signature in capitals":          {change: set("Rightsdesk-Signature", "V1"+v.signature[2:]), want: httpsource.ErrUnsigned},
		"nobody's secret":                  {secrets: [][]byte{older}, want: httpsource.ErrUnsigned},
		"no secret at all":                 {secrets: [][]byte{}, want: httpsource.ErrUnsigned},
		"more than five minutes old":       {now: noon.Add(httpsource.Skew + time.Second), want: httpsource.ErrUnsigned},
		"more than five minutes ahead":     {now: noon.Add(-httpsource.Skew - time.Second), want: httpsource.ErrUnsigned},
		"the lease just over":              {now: noon.Add(time.Minute), want: httpsource.ErrLeaseOver},
		"the lease not quite over":         {now: noon.Add(time.Minute - time.Nanosecond)},
		"our clock behind theirs":          {now: noon.Add(-httpsource.Skew)},
		"the new secret beside the old":    {secrets: [][]byte{older, secret}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, body := v.header(), v.body
			if test.change != nil {
				test.change(h)
			}
			if test.body != "" {
				body = test.body
			}
			if test.secrets == nil {
				test.secrets = [][]byte{secret}
			}
			if test.now.IsZero() {
				test.now = noon
			}
			if _, err := httpsource.Verify(h, []byte(body), test.secrets, test.now); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// A secret that can be guessed must not verify, even if somebody configured it.
func TestAShortSecretVerifiesNothing(t *testing.T) {
	t.Parallel()
	v := vector{"short", "1772452800", "1772452860", "k-1", "{}", "v1=d51f92c75c94d74efb7f46b20c75e63b72864e3e3ec83083620d48fba5462d01"}
	if _, err := httpsource.Verify(v.header(), []byte(v.body), [][]byte{[]byte(v.secret)}, noon); !errors.Is(err, httpsource.ErrUnsigned) {
		t.Errorf("%v, want ErrUnsigned", err)
	}
}

// Nothing that was not signed with the secret verifies, and nothing panics.
func FuzzVerify(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.signature, v.timestamp, v.lease, v.key, []byte(v.body))
	}
	f.Add("v1=", "0", "-0", "\x00", []byte("\n\n\n"))
	f.Fuzz(func(t *testing.T, signature, timestamp, lease, key string, body []byte) {
		h := vector{"", timestamp, lease, key, "", signature}.header()
		call, err := httpsource.Verify(h, body, [][]byte{secret}, noon)
		if err != nil {
			return
		}
		for _, v := range vectors[:2] {
			if v.signature == signature && v.timestamp == timestamp && v.lease == lease && v.key == key && bytes.Equal([]byte(v.body), body) {
				return
			}
		}
		t.Errorf("%+v was accepted: %q %q %q %q %q", call, signature, timestamp, lease, key, body)
	})
}
