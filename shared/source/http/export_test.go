package httpsource

import "net/http"

// Signature lets tests sign what Client never would.
var Signature = signature

// HasProxy reports whether a client asks anybody for a proxy.
func HasProxy(c *Client) bool { return c.http.Transport.(*http.Transport).Proxy != nil }
