// Package presign makes download links to a bucket, and nothing else. It signs
// with the SDK's core alone: a function that only hands out links does not carry
// the S3 client, which is the larger half of such a program.
//
// export/s3 and boot import it.
package presign

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// MaxLife is the longest life of a link. A link dies with the credentials that
// signed it, and those of a function may have little more than this left.
const MaxLife = time.Hour

// Signer signs links to the objects of one bucket.
type Signer struct {
	region      string
	credentials aws.CredentialsProvider
	bucket      string // URL of the bucket, without a slash at its end
}

// New returns the signer for a bucket in the account and region that cfg leads to.
func New(cfg aws.Config, bucket string) *Signer {
	return &Signer{cfg.Region, cfg.Credentials, urlOf(cfg, bucket)}
}

// urlOf is where a bucket is found. Regions in China have a domain of their own.
func urlOf(cfg aws.Config, bucket string) string {
	if cfg.BaseEndpoint != nil {
		return strings.TrimSuffix(*cfg.BaseEndpoint, "/") + "/" + bucket
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(cfg.Region, "cn-") {
		domain += ".cn"
	}
	return "https://" + bucket + ".s3." + cfg.Region + "." + domain
}

// Origin is the scheme and host of every link, for a page that has to name where
// its form may lead.
func (s *Signer) Origin() string {
	u, err := url.Parse(s.bucket)
	if err != nil {
		return "" // Sign says why
	}
	return u.Scheme + "://" + u.Host
}

// Sign returns a URL that downloads the object under the given file name until
// now+life, to a second, as export.Store says. Whoever has the URL has the
// object: it goes into an answer to the person and nowhere else.
func (s *Signer) Sign(ctx context.Context, key, filename string, now time.Time, life time.Duration) (string, error) {
	if life < time.Second || life > MaxLife {
		return "", fmt.Errorf("presign: a link lives from a second to %v, not %v", MaxLife, life)
	}
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": filename})
	if disposition == "" || filename == "" {
		return "", fmt.Errorf("presign: %q cannot be a file name", filename)
	}
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return "", fmt.Errorf("presign: credentials: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.bucket+"/"+escape(key), http.NoBody)
	if err != nil {
		return "", fmt.Errorf("presign: %w", err)
	}
	req.URL.RawQuery = url.Values{
		"X-Amz-Expires":                {strconv.Itoa(int(life / time.Second))},
		"response-cache-control":       {"private, no-store"},
		"response-content-disposition": {disposition},
	}.Encode()
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, credentials, req, "UNSIGNED-PAYLOAD", "s3", s.region, now.UTC(),
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3 alone does not escape a path twice
	if err != nil {
		return "", fmt.Errorf("presign: %w", err)
	}
	return signed, nil
}

// escape makes a key a path, part by part: its slashes stay.
func escape(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
