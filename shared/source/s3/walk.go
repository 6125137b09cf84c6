package s3source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rightsdesk/shared/source"
)

// entry is one version of an object, or one delete marker.
type entry struct {
	key, version   string
	marker, latest bool
	at             time.Time
	size           int64
	class          types.ObjectStorageClass // a version can have each of an object's

	owned  bool              // it is the person's
	tags   map[string]string // of a leg by tags
	locked bool              // the bucket does not let it go
}

// unversioned is the version of what was written without versions.
const unversioned = "null"

// order puts the newest first, and tells entries of one second apart.
func (e entry) order(o entry) int {
	return cmp.Or(o.at.Compare(e.at), cmp.Compare(e.version, o.version))
}

// group is what the bucket holds under one key, the newest first.
type group struct {
	key     string
	entries []entry
}

// walk is a way through all versions below a prefix, in the order of keys.
type walk struct {
	s            *Source
	prefix       string
	key, version string  // where the service goes on
	open         []entry // of the last key, of which there may be more
	done         bool
}

// walk begins where a look has come to.
func (s *Source) walk(prefix string, at position) *walk {
	w := &walk{s: s, prefix: prefix}
	if at.Begun {
		w.key = prefix + at.After
	}
	return w
}

// next makes one list and returns the keys that are whole by then.
func (w *walk) next(ctx context.Context) ([]group, error) {
	in := &s3.ListObjectVersionsInput{
		Bucket: &w.s.m.Bucket, Prefix: &w.prefix,
		EncodingType: types.EncodingTypeUrl, // XML cannot hold every key
	}
	if w.key != "" {
		in.KeyMarker = &w.key
	}
	if w.version != "" {
		in.VersionIdMarker = &w.version
	}
	out, err := w.s.o.Client.ListObjectVersions(ctx, in)
	if err != nil {
		return nil, sorted(err)
	}
	entries := w.open
	for _, v := range out.Versions {
		entries = append(entries, entry{
			key: aws.ToString(v.Key), version: aws.ToString(v.VersionId), latest: aws.ToBool(v.IsLatest),
			at: aws.ToTime(v.LastModified), size: aws.ToInt64(v.Size), class: types.ObjectStorageClass(v.StorageClass),
		})
	}
	for _, m := range out.DeleteMarkers {
		entries = append(entries, entry{
			key: aws.ToString(m.Key), version: aws.ToString(m.VersionId), latest: aws.ToBool(m.IsLatest), at: aws.ToTime(m.LastModified), marker: true,
		})
	}
	for i := len(w.open); i < len(entries); i++ {
		e := &entries[i]
		if e.key, err = url.QueryUnescape(e.key); err != nil || !strings.HasPrefix(e.key, w.prefix) || e.version == "" || e.at.IsZero() {
			return nil, fmt.Errorf("%w: S3 lists what was not asked for", source.ErrRefused)
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.key, b.key), a.order(b)) })
	var groups []group
	for _, e := range entries {
		if n := len(groups); n == 0 || groups[n-1].key != e.key {
			groups = append(groups, group{key: e.key})
		}
		g := &groups[len(groups)-1]
		g.entries = append(g.entries, e)
	}
	if !aws.ToBool(out.IsTruncated) {
		w.done, w.open = true, nil
		return groups, nil
	}
	key, err := url.QueryUnescape(aws.ToString(out.NextKeyMarker))
	version := aws.ToString(out.NextVersionIdMarker)
	if err != nil || key == "" || key == w.key && version == w.version {
		return nil, fmt.Errorf("%w: S3 does not say how a list goes on", source.ErrLater)
	}
	w.key, w.version, w.open = key, version, nil
	if n := len(groups); n > 0 {
		groups, w.open = groups[:n-1], groups[n-1].entries
	}
	return groups, nil
}

// id returns the record's id: what follows the prefix, if the company says that it
// is no personal data, or a hash of key and version, whose parts carry their
// lengths so that no two are the same string.
func (m Mapping) id(rest string, e entry) (string, error) {
	if m.OpenNames {
		if e.version != unversioned {
			rest += "#" + e.version
		}
		if rest == "" || len(rest) > 256 || strings.ContainsRune(rest, '@') || strings.ContainsFunc(rest, unicode.IsControl) {
			return "", errors.New("an object has no open name, or one that is too long or looks like an address")
		}
		return rest, nil
	}
	h := sha256.New()
	for _, part := range []string{e.key, e.version} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part)))) //nolint:gosec // a key has 1024 bytes at most
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}
