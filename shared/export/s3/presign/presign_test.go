package presign_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"rightsdesk/shared/export/s3/presign"
	"rightsdesk/shared/export/s3/s3test"
)

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" // of AWS's published example

func parse(t *testing.T, link string) *url.URL {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOurVerifierKnowsThePublishedExample(t *testing.T) {
	t.Parallel()
	const link = "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256" +
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
	if got := s3test.Signature(secret, parse(t, link)); got != "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404" {
		t.Errorf("signature %s", got)
	}
}

func signer(region string) *presign.Signer {
	return presign.New(aws.Config{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", secret, "session/token+of=a role"),
	}, "packages")
}

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func TestALinkIsWhatS3Computes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ region, key, host, path string }{
		"plain":           {"eu-central-1", "r1/package.zip", "packages.s3.eu-central-1.amazonaws.com", "/r1/package.zip"},
		"key with spaces": {"us-east-1", "r1/my data+more.zip", "packages.s3.us-east-1.amazonaws.com", "/r1/my%20data+more.zip"},
		"China":           {"cn-north-1", "r1/package.zip", "packages.s3.cn-north-1.amazonaws.com.cn", "/r1/package.zip"},
	}
	for name, c := range tests {
		link, err := signer(c.region).Sign(t.Context(), c.key, "Ihre Daten.zip", noon, 5*time.Minute)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		u := parse(t, link)
		if origin := signer(c.region).Origin(); origin != "https://"+c.host {
			t.Errorf("%s: a page lets its form lead to %s only", name, origin)
		}
		q := u.Query()
		if u.Scheme != "https" || u.Host != c.host || u.EscapedPath() != c.path {
			t.Errorf("%s: the link leads to %s://%s%s", name, u.Scheme, u.Host, u.EscapedPath())
		}
		if q.Get("X-Amz-Date") != "20260305T110000Z" || q.Get("X-Amz-Expires") != "300" {
			t.Errorf("%s: the link lives from %s for %s s", name, q.Get("X-Amz-Date"), q.Get("X-Amz-Expires"))
		}
		if q.Get("X-Amz-Security-Token") != "session/token+of=a role" {
			t.Errorf("%s: the link lacks the session", name)
		}
		if got := q.Get("response-content-disposition"); got != `attachment; filename="Ihre Daten.zip"` {
			t.Errorf("%s: it downloads as %s", name, got)
		}
		if q.Get("response-cache-control") != "private, no-store" {
			t.Errorf("%s: a cache may keep it", name)
		}
		if got, want := q.Get("X-Amz-Signature"), s3test.Signature(secret, u); got != want {
			t.Errorf("%s: signature %s, S3 computes %s", name, got, want)
		}
	}
}

func TestFileNamesInEveryLanguage(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"données.zip": "attachment; filename*=utf-8''donn%C3%A9es.zip",
		`a"b\c.zip`:   `attachment; filename="a\"b\\c.zip"`,
	} {
		link, err := signer("eu-west-1").Sign(t.Context(), "k", name, noon, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		u := parse(t, link)
		if got := u.Query().Get("response-content-disposition"); got != want {
			t.Errorf("%s downloads as %s, want %s", name, got, want)
		}
	}
}

func TestWhatCannotBeSigned(t *testing.T) {
	t.Parallel()
	for name, life := range map[string]time.Duration{"no time": 0, "the past": -time.Minute, "longer than credentials live": presign.MaxLife + 1} {
		if link, err := signer("eu-west-1").Sign(t.Context(), "k", "a.zip", noon, life); err == nil {
			t.Errorf("%s: %s", name, link)
		}
	}
	if link, err := signer("eu-west-1").Sign(t.Context(), "k", "", noon, time.Minute); err == nil {
		t.Errorf("no name: %s", link)
	}
}
