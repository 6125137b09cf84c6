package s3source_test

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const bucketName = "company"

// version is one version of an object in the bucket of these tests.
type version struct {
	key, id string
	marker  bool
	at      time.Time
	body    []byte
	kind    string // Content-Type
	class   string
	meta    map[string]string
	tags    map[string]string
	until   time.Time // object lock
	held    bool      // legal hold
}

// bucket is a versioned bucket in memory that speaks S3's protocol as far as the
// source does, and fails a test that asks for more.
type bucket struct {
	t         *testing.T
	page      int // entries of a list
	lockable  bool
	forbidden string // an operation that the role does not allow

	// fault, if set, decides about the n-th call of an operation, from 1: whether it
	// takes effect, and the error to answer instead; "lost" is no answer at all.
	fault func(op string, n int) (apply bool, code string)
	// stuck are keys that a DeleteObjects leaves, with the code it says.
	stuck map[string]string
	cut   atomic.Bool

	mu       sync.Mutex
	versions []version // the newest of a key first
	calls    map[string]int
	next     int
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	return &bucket{t: t, page: 1000, calls: map[string]int{}, stuck: map[string]string{}}
}

// put adds a version with an id of its own, or replaces the one called null.
func (b *bucket) put(v version) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.id == "" {
		b.next++
		v.id = fmt.Sprintf("v%06d", b.next)
	}
	b.versions = slices.DeleteFunc(b.versions, func(o version) bool { return o.key == v.key && o.id == v.id })
	b.versions = append(b.versions, v)
	slices.SortStableFunc(b.versions, func(x, y version) int { return cmp.Or(cmp.Compare(x.key, y.key), y.at.Compare(x.at)) })
	return v.id
}

// left returns the keys and versions that are still there.
func (b *bucket) left() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var keys []string
	for _, v := range b.versions {
		keys = append(keys, v.key+"#"+v.id)
	}
	return keys
}

// client starts the bucket and returns a client of it.
func (b *bucket) client() *s3.Client {
	srv := httptest.NewServer(b)
	b.t.Cleanup(srv.Close)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	b.t.Cleanup(transport.CloseIdleConnections)
	return s3.New(s3.Options{
		Region: "eu-west-1", BaseEndpoint: &srv.URL, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  network{b, &http.Client{Transport: transport}},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		}),
	})
}

type network struct {
	b *bucket
	c *http.Client
}

func (n network) Do(r *http.Request) (*http.Response, error) {
	if n.b.cut.Load() {
		return nil, &url.Error{Op: r.Method, URL: r.URL.String(), Err: errors.New("the network is cut")}
	}
	return n.c.Do(r)
}

func problem(w http.ResponseWriter, code string) {
	status := map[string]int{
		"SlowDown": 503, "InternalError": 500, "AccessDenied": 403, "NoSuchBucket": 404, "NoSuchKey": 404, "NoSuchVersion": 404,
		"ObjectLockConfigurationNotFoundError": 404, "InvalidObjectState": 403, "MethodNotAllowed": 405,
	}[code]
	w.WriteHeader(cmp.Or(status, 400))
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>about canary</Message><Key>canary</Key></Error>", code)
}

func operation(r *http.Request) string {
	q := r.URL.Query()
	switch onBucket := strings.Trim(r.URL.Path, "/") == bucketName; {
	case r.Method == http.MethodGet && onBucket && q.Has("versions"):
		return "ListObjectVersions"
	case r.Method == http.MethodGet && onBucket && q.Has("object-lock"):
		return "GetObjectLockConfiguration"
	case r.Method == http.MethodPost && onBucket && q.Has("delete"):
		return "DeleteObjects"
	case r.Method == http.MethodGet && !onBucket && q.Has("tagging") && q.Has("versionId"):
		return "GetObjectTagging"
	case r.Method == http.MethodGet && !onBucket && q.Has("versionId"):
		return "GetObject"
	case r.Method == http.MethodHead && !onBucket && q.Has("versionId"):
		return "HeadObject"
	case r.Method == http.MethodDelete && !onBucket && q.Has("versionId"):
		return "DeleteObject"
	}
	return ""
}

// ServeHTTP answers one call.
func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	op := operation(r)
	b.calls[op]++
	if !strings.HasPrefix(r.URL.Path, "/"+bucketName) || r.Header.Get("Authorization") == "" || op == "" {
		b.t.Errorf("the source asks S3 for what no role of its would allow: %s %s?%s", r.Method, r.URL.Path, r.URL.RawQuery)
		problem(w, "AccessDenied")
		return
	}
	if op == b.forbidden {
		problem(w, "AccessDenied")
		return
	}
	if b.fault != nil {
		if apply, code := b.fault(op, b.calls[op]); code != "" {
			if apply {
				b.serve(op, httptest.NewRecorder(), r)
			}
			if code == "lost" {
				panic(http.ErrAbortHandler)
			}
			problem(w, code)
			return
		}
	}
	b.serve(op, w, r)
}

func (b *bucket) serve(op string, w http.ResponseWriter, r *http.Request) {
	key, id := strings.TrimPrefix(r.URL.Path, "/"+bucketName+"/"), r.URL.Query().Get("versionId")
	i := slices.IndexFunc(b.versions, func(v version) bool { return v.key == key && v.id == id })
	switch op {
	case "ListObjectVersions":
		b.list(w, r.URL.Query())
		return
	case "GetObjectLockConfiguration":
		if !b.lockable {
			problem(w, "ObjectLockConfigurationNotFoundError")
			return
		}
		_, _ = io.WriteString(w, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")
		return
	case "DeleteObjects":
		b.deleteAll(w, r)
		return
	case "DeleteObject":
		b.remove(key, id)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if i < 0 {
		problem(w, "NoSuchVersion")
		return
	}
	v := b.versions[i]
	if v.marker {
		problem(w, "MethodNotAllowed")
		return
	}
	if op == "GetObjectTagging" {
		type tag struct{ Key, Value string }
		var out struct {
			XMLName xml.Name `xml:"Tagging"`
			TagSet  struct {
				Tag []tag `xml:"Tag"`
			}
		}
		for k, value := range v.tags {
			out.TagSet.Tag = append(out.TagSet.Tag, tag{k, value})
		}
		_ = xml.NewEncoder(w).Encode(out)
		return
	}
	if op == "GetObject" && (v.class == "GLACIER" || v.class == "ARCHIVED_BY_ITSELF") {
		problem(w, "InvalidObjectState")
		return
	}
	h := w.Header()
	h.Set("Last-Modified", v.at.UTC().Format(http.TimeFormat))
	h.Set("Content-Type", cmp.Or(v.kind, "application/octet-stream"))
	h.Set("Content-Length", strconv.Itoa(len(v.body)))
	for k, value := range v.meta {
		h.Set("X-Amz-Meta-"+k, value)
	}
	if len(v.tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(v.tags)))
	}
	if !v.until.IsZero() {
		h.Set("X-Amz-Object-Lock-Mode", "COMPLIANCE")
		h.Set("X-Amz-Object-Lock-Retain-Until-Date", v.until.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if v.held {
		h.Set("X-Amz-Object-Lock-Legal-Hold", "ON")
	}
	if op == "GetObject" {
		_, _ = w.Write(v.body)
	}
}

func (b *bucket) remove(key, id string) {
	b.versions = slices.DeleteFunc(b.versions, func(v version) bool { return v.key == key && v.id == id })
}

func (b *bucket) deleteAll(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Quiet  bool
		Object []struct{ Key, VersionId string }
	}
	raw, err := io.ReadAll(r.Body)
	sum := md5.Sum(raw)
	if err != nil || r.Header.Get("Content-Md5") != base64.StdEncoding.EncodeToString(sum[:]) && r.Header.Get("X-Amz-Checksum-Crc32") == "" {
		problem(w, "InvalidRequest")
		return
	}
	if err := xml.Unmarshal(raw, &in); err != nil || len(in.Object) == 0 || len(in.Object) > 1000 {
		problem(w, "MalformedXML")
		return
	}
	type deleted struct{ Key, VersionId string }
	type refusal struct{ Key, Code, Message string }
	var out struct {
		XMLName xml.Name  `xml:"DeleteResult"`
		Deleted []deleted `xml:"Deleted"`
		Error   []refusal `xml:"Error"`
	}
	for _, o := range in.Object {
		if o.VersionId == "" {
			b.t.Error("a delete without a version would only hide the object")
		}
		i := slices.IndexFunc(b.versions, func(v version) bool { return v.key == o.Key && v.id == o.VersionId })
		switch {
		case b.stuck[o.Key] != "":
			out.Error = append(out.Error, refusal{o.Key, b.stuck[o.Key], "about canary"})
			continue
		case i >= 0 && (b.versions[i].held || b.versions[i].until.After(now)):
			out.Error = append(out.Error, refusal{o.Key, "AccessDenied", "Access Denied because object protected by object lock."})
			continue
		}
		if i >= 0 && b.versions[i].marker && slices.ContainsFunc(b.versions[i+1:], func(v version) bool { return v.key == o.Key && !v.marker && !v.at.After(b.versions[i].at) }) {
			b.t.Errorf("the marker of %s goes while it hides something", o.Key)
		}
		b.remove(o.Key, o.VersionId)
		out.Deleted = append(out.Deleted, deleted{o.Key, o.VersionId})
	}
	if in.Quiet {
		out.Deleted = nil
	}
	_ = xml.NewEncoder(w).Encode(out)
}

func (b *bucket) list(w http.ResponseWriter, q url.Values) {
	if q.Get("encoding-type") != "url" {
		b.t.Error("a list that is not encoded cannot hold every key")
	}
	type entry struct {
		XMLName                      xml.Name
		Key, VersionId, LastModified string
		IsLatest                     bool
		Size                         int    `xml:",omitempty"`
		StorageClass                 string `xml:",omitempty"`
	}
	var out struct {
		XMLName             xml.Name `xml:"ListVersionsResult"`
		IsTruncated         bool
		NextKeyMarker       string `xml:",omitempty"`
		NextVersionIdMarker string `xml:",omitempty"`
		Entries             []entry
	}
	marker, after := q.Get("key-marker"), q.Get("version-id-marker")
	passed := after == "" // the marked version
	last, latest, n := version{}, "", 0
	for _, v := range b.versions {
		first := v.key != latest
		latest = v.key
		switch {
		case !strings.HasPrefix(v.key, q.Get("prefix")) || v.key < marker || v.key == marker && after == "":
			continue
		case v.key == marker && !passed:
			passed = v.id == after
			continue
		}
		if n++; n > b.page {
			out.IsTruncated, out.NextKeyMarker, out.NextVersionIdMarker = true, url.QueryEscape(last.key), last.id
			break
		}
		last = v
		name := "Version"
		if v.marker {
			name = "DeleteMarker"
		}
		out.Entries = append(out.Entries, entry{
			xml.Name{Local: name}, url.QueryEscape(v.key), v.id, v.at.UTC().Format("2006-01-02T15:04:05.000Z"), first, len(v.body), v.class,
		})
	}
	_ = xml.NewEncoder(w).Encode(out)
}

// memory is a Pages in memory.
type memory struct {
	mu    sync.Mutex
	pages map[string][]byte
}

func (m *memory) Remember(_ context.Context, key string, page []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pages == nil {
		m.pages = map[string][]byte{}
	}
	if _, known := m.pages[key]; !known {
		m.pages[key] = page
	}
	return m.pages[key], nil
}
