package s3test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
)

// Signature is what S3 computes over a presigned GET, written from AWS's
// description of Signature Version 4 and not from the SDK. A test holds it
// against AWS's published example.
func Signature(secret string, link *url.URL) string {
	query := link.Query()
	query.Del("X-Amz-Signature")
	canonical := strings.Join([]string{
		"GET", link.EscapedPath(), strings.ReplaceAll(query.Encode(), "+", "%20"), "host:" + link.Host, "", "host", "UNSIGNED-PAYLOAD",
	}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	_, scope, _ := strings.Cut(query.Get("X-Amz-Credential"), "/")
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") { // day, region, service, "aws4_request"
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+query.Get("X-Amz-Date")+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text)) // a hash never fails to write
	return h.Sum(nil)
}
