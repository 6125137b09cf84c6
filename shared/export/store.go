// Package export makes the package that answers an access request: the parts
// that steps gather, and the ZIP that a person downloads. Store is the port to
// where both are kept; export/folder implements it on a disk, export/s3 on a bucket.
//
// It knows nothing of requests or of sources: it is told what to write. It
// imports personal, source (for records), page/words and the standard library.
package export

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrAbsent says that there is nothing under a key.
var ErrAbsent = errors.New("export: there is no such object")

// Store keeps objects under keys such as "r1/parts/shop/orders/000001". A key
// holds nothing personal. Putting a key again replaces the object whole; readers
// see the old or the new one, never a mixture. Get and List see every Put and
// Delete that returned before they began.
type Store interface {
	// Put stores size bytes of body.
	Put(ctx context.Context, key string, body io.Reader, size int64) error
	// Get opens an object, or returns ErrAbsent.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Delete removes objects; what is not there is no error.
	Delete(ctx context.Context, keys ...string) error
	// List returns up to 1000 keys that begin with prefix, in order, and the
	// cursor of the next page, empty on the last.
	List(ctx context.Context, prefix, cursor string) (keys []string, next string, err error)

	Signer
}

// Signer lets a person download an object. A function that hands out links and
// keeps nothing needs no more of a Store.
type Signer interface {
	// Sign returns a URL that downloads the object under the given file name until
	// now+life, without any other credential.
	Sign(ctx context.Context, key, filename string, now time.Time, life time.Duration) (string, error)
}
