package httpsource

import "net/http"

// Signature lets tests sign what Client never would.
var Signature = signature

// HasProxy reports whether a client asks anybody for a proxy.
func HasProxy(c *Client) bool { return c.http.Transport.(*http.Transport).Proxy != nil }

// Understand reads an example of a call, and returns its operation, or of an answer.
func Understand(example []byte) (string, error) {
	var c call
	if decode(example, &c) == nil {
		return c.Operation, nil
	}
	var f found
	var a aged
	var w worked
	switch {
	case decode(example, &a) == nil && a.Done != nil && a.Data != nil && len(*a.Data) > 0 && (*a.Data)[0].Who != nil:
		return "answer", nil
	case decode(example, &f) == nil && f.Done != nil && f.Data != nil, decode(example, &w) == nil && w.Done != nil:
		return "answer", nil
	}
	return "", errJSON
}
