package httpsource

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/source"
)

// names is a resolver that knows a few names.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, s := range n[strings.TrimSuffix(host, ".")] {
		out = append(out, netip.MustParseAddr(s))
	}
	if out == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, nil
}

var errDialled = errors.New("dialled")

// watched returns a guard that connects nowhere and remembers where it would have.
func watched(r Resolver, allowed ...string) (*guard, *[]string) {
	var dialled []string
	return &guard{allowed: allowed, resolver: r, connect: func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return nil, errDialled
	}}, &dialled
}

// try does what New and the transport do with a URL.
func (g *guard) try(ctx context.Context, raw string) error {
	u, err := g.check(raw)
	if err != nil {
		return errors.Join(source.ErrRefused, err)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	_, err = g.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	return err
}

var resolver = names{
	"localhost": {"127.0.0.1", "::1"}, "loop.example.com": {"127.0.0.1"}, "ten.example.com": {"10.0.0.5"},
	"metadata.google.internal": {"169.254.169.254"}, "meta6.example.com": {"fd00:ec2::254"}, "mapped.example.com": {"::ffff:10.0.0.1"},
	"nat64.example.com": {"64:ff9b::a9fe:a9fe"}, "mixed.example.com": {"1.1.1.1", "192.168.1.1"}, "zero.example.com": {"0.0.0.0"},
	"public.example.com": {"1.1.1.1"}, "public6.example.com": {"2606:4700::1111"}, "cgnat.example.com": {"100.64.0.9"},
	"127.0.0.1.nip.example.com": {"127.0.0.1"}, "inside.example.com": {"10.1.2.3"}, "linklocal.example.com": {"169.254.10.10"},
}

func TestNothingInsideIsDialled(t *testing.T) {
	t.Parallel()
	hostile := []string{
		// plain addresses
		"https://127.0.0.1/", "https://127.255.255.254/", "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/",
		"https://192.168.0.1/", "https://100.64.0.1/", "https://100.127.255.255/", "https://169.254.169.254/latest/meta-data/",
		"https://169.254.170.2/v2/credentials", "https://0.0.0.0/", "https://0.1.2.3/", "https://224.0.0.1/", "https://239.255.255.250/",
		"https://240.0.0.1/", "https://255.255.255.255/", "https://192.0.0.192/", "https://192.0.2.1/", "https://198.18.0.1/",
		"https://198.51.100.7/", "https://203.0.113.7/", "https://192.88.99.1/", "https://100.100.100.200/", "https://168.63.129.16/",
		// IPv6, and IPv4 inside it
		"https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fec0::1]/", "https://[fc00::1]/",
		"https://[fd12:3456::1]/", "https://[fd00:ec2::254]/", "https://[fd00:ec2::23]/", "https://[ff02::1]/", "https://[::ffff:127.0.0.1]/",
		"https://[::ffff:a9fe:a9fe]/", "https://[::ffff:0:127.0.0.1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::169.254.169.254]/",
		"https://[64:ff9b:1::a00:1]/", "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/", "https://[2001::1]/", "https://[2001:db8::1]/",
		"https://[100::1]/", "https://[3fff::1]/", "https://[5f00::1]/", "https://[2620:4f:8000::1]/",
		// spellings
		"https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.0.1./",
		"https://127.0.0.01/", "https://①②⑦.0.0.1/", "https://127。0。0。1/", "https://%31%32%37.0.0.1/", "https://[::ffff:7f00:1]./",
		// names that lead inside
		"https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://loop.example.com/", "https://ten.example.com/",
		"https://metadata.google.internal/", "https://meta6.example.com/", "https://mapped.example.com/", "https://nat64.example.com/",
		"https://mixed.example.com/", "https://zero.example.com/", "https://cgnat.example.com/", "https://127.0.0.1.nip.example.com/",
		// other schemes, ports and parts
		"http://public.example.com/", "https://public.example.com:22/", "https://public.example.com:8443/", "ftp://public.example.com/",
		"file:///etc/passwd", "gopher://public.example.com/", "javascript:alert(1)", "https:public.example.com", "//public.example.com/",
		"https://user:pass@public.example.com/", "https://public.example.com@127.0.0.1/", "https://127.0.0.1#@public.example.com/",
		"https://public.example.com\\@127.0.0.1/", "https://public.example.com/#x", "https://", "https:///x", "", " https://public.example.com/",
		"https://public.example.com:443443/", "https://pub lic.example.com/", "https://public..example.com/", "https://.example.com/",
		"https://public.example.com\r\nHost: localhost/", "unix:///var/run/docker.sock", "https://public.example.com:0/",
	}
	t.Logf("%d URLs", len(hostile))
	for _, raw := range hostile {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			g, dialled := watched(resolver)
			if err := g.try(t.Context(), raw); !errors.Is(err, source.ErrRefused) || len(*dialled) != 0 {
				t.Errorf("%v, dialled %v; want ErrRefused", err, *dialled)
			}
		})
	}
}

func TestPublicHostsAreDialledByTheirAddress(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://public.example.com/hook":      "1.1.1.1:443",
		"https://PUBLIC.example.com:443/hook":  "1.1.1.1:443",
		"https://public6.example.com/hook?a=b": "[2606:4700::1111]:443",
		"https://9.9.9.9/":                     "9.9.9.9:443",
		"https://[2606:4700::1]/":              "[2606:4700::1]:443",
	} {
		g, dialled := watched(resolver)
		if err := g.try(t.Context(), raw); !errors.Is(err, errDialled) || !slices.Equal(*dialled, []string{want}) {
			t.Errorf("%s: %v, dialled %v; want %s", raw, err, *dialled, want)
		}
	}
}

// The operator's word opens a host of the company's; it never opens the services
// that hand out the machine's own credentials.
func TestWhatAnOperatorAllows(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"127.0.0.1:8080", "inside.example.com:8443", "[::1]:80", "localhost:80", "169.254.169.254:80", "[fd00:ec2::254]:80",
		"linklocal.example.com:443", "nat64.example.com:443", "0.0.0.0:80", "[::ffff:169.254.169.254]:80",
	}
	for raw, want := range map[string]bool{
		"http://127.0.0.1:8080/hook":              true,
		"https://inside.example.com:8443/":        true,
		"https://INSIDE.example.com:8443/":        true,
		"http://[::1]/":                           true,
		"http://localhost/":                       true,
		"http://127.0.0.1:8081/hook":              false,
		"https://inside.example.com/":             false,
		"http://169.254.169.254/latest/meta-data": false,
		"http://[::ffff:169.254.169.254]/":        false,
		"http://[fd00:ec2::254]/":                 false,
		"https://linklocal.example.com/":          false,
		"https://nat64.example.com/":              false,
		"http://0.0.0.0/":                         false,
		"https://user@inside.example.com:8443/":   false,
	} {
		g, dialled := watched(resolver, allowed...)
		if err := g.try(t.Context(), raw); errors.Is(err, errDialled) != want || (len(*dialled) > 0) != want {
			t.Errorf("%s: %v, dialled %v; want dialled: %v", raw, err, *dialled, want)
		}
	}
}

// A name server that says "public" to whoever checks and "127.0.0.1" to whoever
// connects. It is a real one, and Go's own resolver asks it.
func TestARebindingNameServerGetsNothing(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	var asked atomic.Int32
	go rebind(server, &asked)
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()

	g, dialled := watched(r)
	if err := g.try(ctx, "https://rebind.example.com/"); !errors.Is(err, errDialled) || !slices.Equal(*dialled, []string{"1.1.1.1:443"}) {
		t.Errorf("the first time: %v, dialled %v; want the address that was judged", err, *dialled)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the name was resolved %d times for one connection", n)
	}
	*dialled = nil
	if err := g.try(ctx, "https://rebind.example.com/"); !errors.Is(err, source.ErrRefused) || len(*dialled) != 0 {
		t.Errorf("the second time: %v, dialled %v; want ErrRefused", err, *dialled)
	}
}

// rebind answers the first question for an IPv4 address with 1.1.1.1 and all
// later ones with 127.0.0.1; of IPv6 it knows nothing.
func rebind(server net.PacketConn, asked *atomic.Int32) {
	question := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(question)
		if err != nil {
			return
		}
		q := question[:n]
		end := 12
		for q[end] != 0 {
			end += int(q[end]) + 1
		}
		end += 5 // the root label, type and class
		answer := slices.Clone(q[:end])
		answer[2], answer[3] = 0x81, 0x80            // an answer, recursion available, no error
		binary.BigEndian.PutUint16(answer[10:], 0)   // no additional records
		if binary.BigEndian.Uint16(q[end-4:]) == 1 { // type A
			address := []byte{127, 0, 0, 1}
			if asked.Add(1) == 1 {
				address = []byte{1, 1, 1, 1}
			}
			binary.BigEndian.PutUint16(answer[6:], 1)
			answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4) // the name again, A, IN, no caching, 4 bytes
			answer = append(answer, address...)
		}
		_, _ = server.WriteTo(answer, from) // the resolver gave up
	}
}
