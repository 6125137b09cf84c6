// Package s3test is a bucket in memory that speaks S3's protocol as far as
// export/s3 and checkpoint/s3 do, checks links as S3 does, and fails when told to.
// Only tests import it.
package s3test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Name is the name of the bucket.
const Name = "packages"

// Bucket is an http.Handler. The zero value but for Objects is ready.
type Bucket struct {
	Secret string           // that links are signed with
	Now    func() time.Time // judges links; nil: none is good
	Page   int              // objects on a page of a list; 0: 1000
	// Fault, if set, decides about the n-th call, from 1: whether it takes effect,
	// and the status to answer instead, 0 for none, -1 for a lost answer.
	Fault func(n int) (apply bool, status int)
	// Locked cannot be deleted, Broken breaks off while it is read.
	Locked, Broken string

	mu      sync.Mutex
	Objects map[string][]byte
	Calls   int
}

// ServeHTTP answers one call.
func (b *Bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Calls++
	if b.Fault != nil {
		if apply, status := b.Fault(b.Calls); status != 0 {
			if apply {
				b.serve(httptest.NewRecorder(), r)
			}
			if status < 0 {
				panic(http.ErrAbortHandler)
			}
			problem(w, status, map[int]string{503: "SlowDown", 403: "AccessDenied", 404: "NoSuchBucket"}[status])
			return
		}
	}
	b.serve(w, r)
}

func problem(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func (b *Bucket) serve(w http.ResponseWriter, r *http.Request) {
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // below the bucket's own name
	switch {
	case !b.admitted(r):
		problem(w, http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut:
		b.put(w, r, key)
	case r.Method == http.MethodPost:
		b.delete(w, r)
	case r.URL.Query().Get("list-type") == "2":
		b.list(w, r)
	default:
		b.get(w, r, key)
	}
}

// admitted reports whether a call carries a credential. That of a header is not
// checked, the SDK sees to it; that of a link is.
func (b *Bucket) admitted(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		return true
	}
	if b.Now == nil {
		return false
	}
	q := r.URL.Query()
	from, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	life, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || b.Now().After(from.Add(time.Duration(life)*time.Second)) {
		return false
	}
	link := *r.URL
	link.Host = r.Host
	return q.Get("X-Amz-Signature") == Signature(b.Secret, &link)
}

func (b *Bucket) put(w http.ResponseWriter, r *http.Request, key string) {
	body, err := io.ReadAll(r.Body)
	sum := sha256.Sum256(body)
	if err != nil || key == "" || r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
		problem(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
		return
	}
	if _, there := b.Objects[key]; there && r.Header.Get("If-None-Match") == "*" {
		problem(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	b.Objects[key] = body
}

func (b *Bucket) get(w http.ResponseWriter, r *http.Request, key string) {
	body, ok := b.Objects[key]
	if !ok {
		problem(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	for parameter, header := range map[string]string{
		"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
	} {
		if v := r.URL.Query().Get(parameter); v != "" {
			w.Header().Set(header, v)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if key == b.Broken {
		body = body[:1]
	}
	_, _ = w.Write(body) // the client went away
}

func (b *Bucket) delete(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Object []struct{ Key string }
	}
	if err := xml.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Object) > 1000 {
		problem(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	type refusal struct{ Key, Code string }
	var out struct {
		XMLName xml.Name  `xml:"DeleteResult"`
		Error   []refusal `xml:"Error"`
	}
	for _, o := range in.Object {
		if o.Key == b.Locked {
			out.Error = append(out.Error, refusal{o.Key, "AccessDenied"})
			continue
		}
		delete(b.Objects, o.Key)
	}
	_ = xml.NewEncoder(w).Encode(out) // the client went away
}

func (b *Bucket) list(w http.ResponseWriter, r *http.Request) {
	type content struct{ Key string }
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Contents              []content
		NextContinuationToken string `xml:",omitempty"`
	}
	size := b.Page
	if size == 0 {
		size = 1000
	}
	q := r.URL.Query()
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= max(q.Get("continuation-token"), q.Get("start-after")) {
			continue
		}
		if len(out.Contents) == size {
			out.NextContinuationToken = out.Contents[size-1].Key
			break
		}
		out.Contents = append(out.Contents, content{key})
	}
	_ = xml.NewEncoder(w).Encode(out) // the client went away
}
