package lambdahttp

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

var (
	badMethod = refuse(http.StatusBadRequest, "bad_method", "The method is not one of HTTP's.")
	badPath   = refuse(http.StatusBadRequest, "bad_path", "The path holds what no address of ours does.")
	badQuery  = refuse(http.StatusBadRequest, "bad_query", "The part of the address after the question mark is not well formed.")
	badHeader = refuse(http.StatusBadRequest, "bad_header", "A header holds characters that no header may hold.")
	badBody   = refuse(http.StatusBadRequest, "bad_body", "The body is not what its encoding says.")
	notRouted = refuse(http.StatusNotFound, "not_found", "There is nothing at this address.")
	tooLarge  = refuse(http.StatusRequestEntityTooLarge, "too_large", "The body is larger than 4352 KB; send less.")
)

// request returns the request that an event tells of.
func request(ctx context.Context, e events.APIGatewayV2HTTPRequest) (*http.Request, *refusal) {
	about := e.RequestContext
	if !isMethod(about.HTTP.Method) {
		return nil, badMethod
	}
	path, ok := pathOf(e.RawPath, about.Stage)
	if !ok {
		return nil, badPath
	}
	if !ofRoute(e.RouteKey, about.HTTP.Method, path) {
		return nil, notRouted
	}
	if _, err := url.ParseQuery(e.RawQueryString); err != nil || strings.ContainsFunc(e.RawQueryString, unprintable) {
		return nil, badQuery
	}
	header, ok := headerOf(e)
	if !ok {
		return nil, badHeader
	}
	body, refused := bodyOf(e)
	if refused != nil {
		return nil, refused
	}
	u := &url.URL{Path: path, RawQuery: e.RawQueryString}
	r := &http.Request{
		Method: about.HTTP.Method, URL: u, RequestURI: u.RequestURI(), Host: about.DomainName,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		RemoteAddr: addressOf(about.HTTP.SourceIP),
	}
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	ctx = context.WithValue(ctx, requestKey, printable(about.RequestID))
	ctx = context.WithValue(ctx, beforeKey, addressOf(lastButOne(e.Headers["x-forwarded-for"])))
	if a := about.Authorizer; a != nil && a.JWT != nil {
		claims := a.JWT.Claims
		if claims == nil {
			claims = map[string]string{}
		}
		ctx = context.WithValue(ctx, claimsKey, claims)
	}
	return r.WithContext(ctx), nil
}

func isMethod(s string) bool {
	switch s {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// pathOf returns the path below the stage, decoded.
//
// The gateway matched routes against a decoded path; it documents neither how
// often it decodes nor whether rawPath shows the result. So what a second
// decoding could change is refused altogether: an encoded slash, percent sign or
// control character. None of our routes takes one.
func pathOf(raw, stage string) (path string, ok bool) {
	path, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(path) || !strings.HasPrefix(path, "/") || strings.Count(path, "/") != strings.Count(raw, "/") {
		return "", false
	}
	if strings.ContainsAny(path, "%\\?#") || strings.ContainsFunc(path, unprintable) {
		return "", false
	}
	parts := strings.Split(path[1:], "/")
	for i, p := range parts {
		if p == "." || p == ".." || p == "" && i < len(parts)-1 {
			return "", false
		}
	}
	// The default stage is not in the path; others are, unless a domain of its own leads to them.
	if below, found := strings.CutPrefix(path, "/"+stage); found && stage != "" && stage != "$default" {
		if below == "" {
			return "/", true
		}
		if below[0] == '/' {
			return below, true
		}
	}
	return path, true
}

// ofRoute reports whether a path is of the route that the gateway chose, such as
// "POST /v1/requests/{id}/verify". The gateway let the caller in for that route;
// were we to serve another, its authorizer would have been asked for nothing.
func ofRoute(route, method, path string) bool {
	if route == "$default" {
		return true
	}
	routeMethod, template, _ := strings.Cut(route, " ")
	if routeMethod != method && routeMethod != "ANY" {
		return false
	}
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if variable := strings.HasPrefix(want[i], "{") && have[i] != ""; !variable && want[i] != have[i] {
			return false
		}
	}
	return true
}

// headerOf returns the caller's headers but for those that only a proxy of ours
// may set: we have none, so whoever sent them made them up.
func headerOf(e events.APIGatewayV2HTTPRequest) (http.Header, bool) {
	h := make(http.Header, len(e.Headers)+1)
	for name, value := range e.Headers {
		if !isToken(name) || strings.ContainsFunc(value, isControl) {
			return nil, false
		}
		h.Add(name, value)
	}
	for name := range h {
		switch {
		case strings.HasPrefix(name, "X-Forwarded-"), name == "Forwarded", name == "X-Real-Ip", name == "True-Client-Ip":
			delete(h, name)
		case name == "Content-Length", name == "Transfer-Encoding", name == "Host": // the request says these itself
			delete(h, name)
		}
	}
	if len(e.Cookies) > 0 {
		cookies := strings.Join(e.Cookies, "; ")
		if strings.ContainsFunc(cookies, isControl) {
			return nil, false
		}
		h.Set("Cookie", cookies)
	}
	return h, true
}

func bodyOf(e events.APIGatewayV2HTTPRequest) ([]byte, *refusal) {
	if !e.IsBase64Encoded {
		if len(e.Body) > MaxBody {
			return nil, tooLarge
		}
		return []byte(e.Body), nil
	}
	if len(e.Body) > base64.StdEncoding.EncodedLen(MaxBody) {
		return nil, tooLarge
	}
	b, err := base64.StdEncoding.DecodeString(e.Body)
	switch {
	case err != nil:
		return nil, badBody
	case len(b) > MaxBody:
		return nil, tooLarge
	}
	return b, nil
}

// lastButOne returns the last entry but one of a list. Each proxy adds at the end whom
// it was called by: the gateway its caller, which is our own proxy, and that its caller.
func lastButOne(forwarded string) string {
	hops := strings.Split(forwarded, ",")
	if len(hops) < 2 {
		return ""
	}
	return strings.TrimSpace(hops[len(hops)-2])
}

// addressOf returns an address in the form that net/http gives it, or nothing.
func addressOf(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(a.Unmap().WithZone("").String(), "0")
}

// isToken reports whether s can name a header (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func unprintable(r rune) bool { return isControl(r) || r == '\t' }

// printable keeps an id from forging log lines.
func printable(id string) string {
	if len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return ""
	}
	return id
}
