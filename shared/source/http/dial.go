package httpsource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/source"
)

// Resolver looks up the addresses of a host. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// guard decides which hosts are dialled. A policy file names URLs, and whoever
// may edit it must not reach the inside of the network with them: only https on
// port 443 to public addresses, unless the operator allowed the host and port.
type guard struct {
	allowed  []string // "host:port"
	resolver Resolver
	connect  func(ctx context.Context, network, address string) (net.Conn, error)
}

// check refuses a URL that is never to be called, whatever its host resolves to.
func (g *guard) check(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	switch {
	case u.Opaque != "" || host == "":
		return nil, errors.New("the URL has no host")
	case u.User != nil || u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, errors.New("the URL must not hold a user, a password or a fragment")
	case !plainHost(host):
		return nil, errors.New("the URL's host must be a name in ASCII or an address in its usual spelling")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the URL must begin with https://")
	}
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	if g.allows(net.JoinHostPort(host, port)) {
		return u, nil
	}
	if u.Scheme != "https" || port != "443" {
		return nil, errors.New("the URL must begin with https:// and use port 443, or the operator must allow its host and port")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if err := permitted(addr, false); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// plainHost refuses what different programs read as different addresses:
// 0x7f.1, 2130706433, 127.1, 0177.0.0.1, zones, and letters outside ASCII.
func plainHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}
	if strings.ContainsFunc(host, odd) || len(host) > 253 {
		return false
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := labels[len(labels)-1]
	return !slices.Contains(labels, "") && last[0] >= 'a' // a top-level name never begins with a digit
}

func (g *guard) allows(hostport string) bool { return slices.Contains(g.allowed, hostport) }

// dial resolves, judges every address, and dials the addresses it judged: were
// the name resolved again, it might say something else the second time. One bad
// address condemns the name.
func (g *guard) dial(ctx context.Context, network, hostport string) (net.Conn, error) {
	hostport = strings.ToLower(hostport)
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("%w: the host and port cannot be read", source.ErrRefused)
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else if addrs, err = g.resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return nil, fmt.Errorf("resolve the hook's host: %w", err)
	}
	allowed := g.allows(hostport)
	for _, addr := range addrs {
		if err := permitted(addr, allowed); err != nil {
			return nil, fmt.Errorf("%w: %w", source.ErrRefused, err)
		}
	}
	err = errors.New("the hook's host has no address")
	for _, addr := range addrs {
		var c net.Conn
		if c, err = g.connect(ctx, network, net.JoinHostPort(addr.Unmap().String(), port)); err == nil {
			return c, nil
		}
	}
	return nil, err
}

const dialTimeout = 5 * time.Second

var (
	errNever  = errors.New("the host has an address that is never called: link-local, metadata, multicast, unspecified or translated")
	errInside = errors.New("the host has an address that is not on the public internet, and the operator has not allowed it")
)

// permitted judges one address. allowed says that the operator allowed the host.
func permitted(addr netip.Addr, allowed bool) error {
	if addr.Zone() != "" || !addr.IsValid() {
		return errNever
	}
	addr = addr.Unmap()
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case addr.IsLoopback(): // before never, one of whose ranges holds ::1
		if !allowed {
			return errInside
		}
	case slices.ContainsFunc(never, in):
		return errNever
	case !allowed && (slices.ContainsFunc(inside, in) || addr.Is6() && !global6.Contains(addr)):
		return errInside
	}
	return nil
}

// never holds what no allow list opens: these are not hosts of a company, and
// the metadata services among them hand out the credentials of the machine.
var never = prefixes(
	"0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", // unspecified, link-local, multicast, reserved and broadcast
	"100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", // metadata of other clouds
	"::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::/32", // the last is EC2's metadata
	"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", // an IPv4 address inside: NAT64, 6to4, Teredo, compatible
)

// inside holds what is not on the public internet (the IANA special-purpose
// registries). An operator may allow a host there.
var inside = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
	"192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "192.88.99.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24",
	"fc00::/7", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "2620:4f:8000::/48",
)

// global6 is all of IPv6 that is given out as public addresses.
var global6 = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}
