package folder

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/export"
)

// Prefix is the path that every link begins with, and that Handler answers.
const Prefix = "/local/storage/"

// Sign implements export.Store. The link is good to the second.
func (s *Store) Sign(_ context.Context, key, filename string, now time.Time, life time.Duration) (string, error) {
	if _, err := file(key); err != nil {
		return "", err
	}
	if disposition(filename) == "" {
		return "", fmt.Errorf("folder: %q cannot be a file name", filename)
	}
	until := strconv.FormatInt(now.Add(life).Unix(), 10)
	u := url.URL{Path: Prefix + key, RawQuery: url.Values{
		"until": {until}, "name": {filename}, "sig": {s.signature(key, until, filename)},
	}.Encode()}
	return s.base + u.String(), nil
}

// signature is an HMAC over the parts, each after its length, so that a
// character cannot move from one to the next.
func (s *Store) signature(parts ...string) string {
	h := hmac.New(sha256.New, s.key)
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p) // a hash never fails to write
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// disposition is the header that makes a browser save and not show; empty if
// filename cannot be one.
func disposition(filename string) string {
	if filename == "" || strings.ContainsAny(filename, "/\\\r\n\x00") {
		return ""
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": filename})
}

// Handler serves what Sign made links to, under Prefix.
func (s *Store) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Store) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "private, no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "A download is a GET.", http.StatusMethodNotAllowed)
		return
	}
	key, q := strings.TrimPrefix(r.URL.Path, Prefix), r.URL.Query()
	until, name := q.Get("until"), q.Get("name")
	if !hmac.Equal([]byte(q.Get("sig")), []byte(s.signature(key, until, name))) {
		http.Error(w, "This link is not one of ours. Ask for a new one on your request's page.", http.StatusForbidden)
		return
	}
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !s.now().Before(time.Unix(end, 0)) {
		http.Error(w, "This link has expired. Ask for a new one on your request's page.", http.StatusGone)
		return
	}
	f, err := s.open(key)
	switch {
	case errors.Is(err, export.ErrAbsent):
		http.Error(w, "The package has expired. Make a new request to get another.", http.StatusGone)
		return
	case err != nil:
		http.Error(w, "The package cannot be read now. Try again later.", http.StatusInternalServerError)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	h.Set("Content-Disposition", disposition(name))
	h.Set("Content-Type", "application/octet-stream")
	if path.Ext(name) == ".zip" {
		h.Set("Content-Type", "application/zip")
	}
	http.ServeContent(w, r, "", time.Time{}, f)
}
