package httpsource

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// timeCap is the longest a call may take, whatever its lease.
const timeCap = 30 * time.Second

// Options declare a hook.
type Options struct {
	ID         string   // the source's id in the policy
	URL        string   // https, port 443, a public host; or as AllowHosts says
	Secret     []byte   // MinSecret bytes or more
	Categories []string // the policy's categories of this source: an answer with another is refused
	// Ties are the kinds of identity that the source may bind to a verified one.
	// What it binds counts as verified everywhere, so the policy must say so.
	Ties []personal.Kind
	// AllowHosts are hosts, written host:port, that the operator allows although
	// they are inside the network or do not speak TLS. Without a port, 443 is meant.
	AllowHosts []string
	Now        func() time.Time
	Resolver   Resolver       // nil: the system's
	Roots      *x509.CertPool // nil: the system's
}

// Client is a source.Source behind a hook.
type Client struct {
	o    Options
	url  string
	http *http.Client
}

// New refuses a declaration that cannot work or must not be called (source.ErrRefused).
func New(o Options) (*Client, error) {
	g := &guard{resolver: o.Resolver, connect: (&net.Dialer{Timeout: dialTimeout}).DialContext}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	for _, h := range o.AllowHosts {
		if _, _, err := net.SplitHostPort(h); err != nil {
			h = net.JoinHostPort(strings.Trim(h, "[]"), "443")
		}
		g.allowed = append(g.allowed, strings.ToLower(h))
	}
	u, err := g.check(o.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("source %s: %w: %w", o.ID, source.ErrRefused, err)
	case len(o.Secret) < MinSecret:
		return nil, fmt.Errorf("source %s: %w: the secret is shorter than %d bytes", o.ID, source.ErrRefused, MinSecret)
	case o.ID == "" || len(o.Categories) == 0 || o.Now == nil:
		return nil, fmt.Errorf("source %q: %w: it has no id, no category or no clock", o.ID, source.ErrRefused)
	}
	return &Client{o: o, url: u.String(), http: &http.Client{
		Timeout: timeCap,
		// A redirect is not followed but seen as what it is, an answer that is not 200.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // the environment's proxy would see and redirect everything
			DialContext:            g.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			TLSHandshakeTimeout:    dialTimeout,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // a small answer must not unpack to a large one
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        timeCap,
		},
	}}, nil
}

// Find implements source.Source.
func (c *Client) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	var answer found
	err := c.post(ctx, ask.Call, call{
		Operation: find, Identities: toWire(ask.Identities), Category: ask.Category,
		Until: ask.Until.UTC(), Limit: source.Size(ask.Limit), Cursor: ask.Cursor, Values: ask.Values,
	}, &answer)
	if err != nil {
		return source.Found{}, fmt.Errorf("source %s: find: %w", c.o.ID, err)
	}
	page, err := answer.check(ask, c.o)
	if err != nil {
		return source.Found{}, fmt.Errorf("source %s: find: %w: %w", c.o.ID, source.ErrRefused, err)
	}
	return page, nil
}

// Execute implements source.Source.
func (c *Client) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	body := call{
		Operation: erase, Identities: toWire(order.Identities), Category: order.Category,
		Until: order.Until.UTC(), Limit: source.Size(order.Limit), Keep: order.Keep,
	}
	switch order.Verb {
	case source.Delete:
		body.Action = order.Verb
	case source.Anonymise:
		body.Action, body.Masks, body.MaskKey = order.Verb, order.Masks, order.MaskKey
	case source.Correct:
		body.Operation = correct
		for _, f := range order.Corrections {
			body.Corrections = append(body.Corrections, correction{f.Field, f.Value.Reveal()})
		}
	case source.Choose:
		choice := order.Choice
		choice.Purposes = append([]string{}, choice.Purposes...) // none is an empty list on the wire, never null
		body.Operation, body.Choice, body.Limit = choose, &choice, 0
	case source.Archive: // of a sweep only
		fallthrough
	default:
		return source.Done{}, fmt.Errorf("source %s: %w: there is no verb %q", c.o.ID, source.ErrRefused, order.Verb)
	}
	var answer worked
	if err := c.post(ctx, order.Call, body, &answer); err != nil {
		return source.Done{}, fmt.Errorf("source %s: %s: %w", c.o.ID, order.Verb, err)
	}
	done, err := answer.check(order)
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: %s: %w: %w", c.o.ID, order.Verb, source.ErrRefused, err)
	}
	return done, nil
}

// post makes one call and decodes the answer. Its errors hold a status or a
// reason of the network's, never anything that was sent or received.
func (c *Client) post(ctx context.Context, with source.Call, body call, answer any) error {
	now := c.o.Now()
	switch {
	case !goodKey(with.Key):
		return fmt.Errorf("%w: the idempotency key cannot travel in a header", source.ErrRefused)
	case len(body.Identities) == 0 && body.Operation != old && body.Operation != expire:
		return fmt.Errorf("%w: nobody is named", source.ErrRefused)
	case now.Unix() >= with.Lease.Unix():
		return source.ErrLease
	}
	ctx, cancel := context.WithTimeout(ctx, with.Lease.Sub(now))
	defer cancel()

	body.Version, body.Source = Version, c.o.ID
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%w: the call cannot be encoded", source.ErrRefused)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(raw)) //nolint:gosec // guard judges the URL and every address
	if err != nil {
		return fmt.Errorf("%w: %w", source.ErrRefused, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Rightsdesk/1")
	sign(r.Header, c.o.Secret, with, raw, now)

	resp, err := c.http.Do(r) //nolint:gosec // as above
	if err != nil {
		return transport(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if err := judge(resp.StatusCode); err != nil {
		return err
	}
	raw, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return transport(err)
	}
	if len(raw) > maxAnswer {
		return fmt.Errorf("%w: the answer is larger than %d bytes; the hook must make smaller pages", source.ErrRefused, maxAnswer)
	}
	if err := decode(raw, answer); err != nil {
		return fmt.Errorf("%w: the answer is %w", source.ErrRefused, err)
	}
	return nil
}

// transport sorts what kept an answer from arriving: all of it passes, but for
// an address we must not call and a certificate we must not believe.
func transport(err error) error {
	if _, bad := errors.AsType[*tls.CertificateVerificationError](err); bad {
		return fmt.Errorf("%w: the hook's certificate is not good: %w", source.ErrRefused, err)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the URL, whose query may hold a token
	}
	if errors.Is(err, source.ErrRefused) {
		return err
	}
	return fmt.Errorf("%w: %w", source.ErrLater, err)
}

// judge maps a status. What is not 200 is no answer, whatever its body says.
func judge(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status >= 500, status == http.StatusConflict, status == http.StatusTooEarly,
		status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return fmt.Errorf("%w: %w", source.ErrLater, statusError(status))
	}
	return fmt.Errorf("%w: %w", source.ErrRefused, statusError(status))
}

// statusError is a status that is no answer.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("the hook answered %d", int(s)) }
