// Package audit is the record of what was done: append-only entries, chained by
// hash, one chain per aggregate. It is pure: it encodes, hashes and verifies, and
// leaves storing to the caller, who commits an entry together with the change it
// records and keeps the chain's head in the aggregate.
//
// An entry holds nothing personal in clear: an actor is a role or an operator's
// id, a fact is a status, a count, an instant, or a keyed hash. The encoding is
// version 1 and fixed for ever: other versions are added beside it, because a
// changed byte would break every chain that was ever written.
//
// It imports the standard library only; every package of the domain may import it.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Hash is the SHA-256 of an entry's encoding.
type Hash [sha256.Size]byte

// MarshalText writes the hash in base64, for the aggregate that remembers it.
func (h Hash) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, h[:]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) error {
	d, err := base64.RawStdEncoding.DecodeString(string(b))
	if err != nil || len(d) != len(h) {
		return errors.New("audit: not a hash")
	}
	copy(h[:], d)
	return nil
}

// Head is the end of a chain as its aggregate remembers it. The zero Head is an
// empty chain.
type Head struct {
	Seq  int64
	Hash Hash
}

// Chain is a chain as its aggregate remembers it.
type Chain struct {
	Name string `json:"name"`
	Head Head   `json:"head"`
	// Since is the instant that the time of all entries is counted from, so that they expire
	// together unless the policy was changed in between. The aggregate knows it and does not
	// store it here. Zero: each entry's time is counted from when it was written, or later.
	Since time.Time `json:"-"`
}

// Fact is one detail of an entry.
type Fact struct{ Name, Value string }

// Entry is one thing that was done.
type Entry struct {
	Chain  string    // names the aggregate
	Seq    int64     // 1 for the first entry of a chain
	At     time.Time // whole milliseconds, UTC
	Actor  string    // "person", "policy", "clock", or "operator:" and an id
	Action string    // in the past tense: "verified"
	Commit string    // id of the commit that wrote it
	Facts  []Fact    // in the order in which they are told
	Prev   Hash      // of the entry before; zero for the first
}

// Append returns e as the next entry after h, and the head after it.
func (h Head) Append(e Entry) (Entry, Head) {
	e.Seq, e.Prev = h.Seq+1, h.Hash
	e.At = e.At.UTC().Truncate(time.Millisecond)
	return e, Head{Seq: e.Seq, Hash: e.Hash()}
}

// Hash returns the hash of e's encoding.
func (e Entry) Hash() Hash { return sha256.Sum256(e.Encode()) }

// version1 is the first byte of the only encoding so far.
const version1 = 1

// Limits of an encoded entry; a longer one is refused when decoded.
const (
	maxText  = 1 << 16
	maxFacts = 1 << 10
)

// Encode returns the entry in version 1: the version byte, then chain, seq,
// milliseconds since 1970, actor, action, commit, the previous hash, the number
// of facts and each fact's name and value. Texts are prefixed with their length;
// numbers are unsigned varints.
func (e Entry) Encode() []byte {
	b := []byte{version1}
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(e.Chain)
	b = binary.AppendUvarint(b, uint64(e.Seq))            //nolint:gosec // a sequence number counts up from 1
	b = binary.AppendUvarint(b, uint64(e.At.UnixMilli())) // nothing was recorded before 1970
	text(e.Actor)
	text(e.Action)
	text(e.Commit)
	b = append(b, e.Prev[:]...)
	b = binary.AppendUvarint(b, uint64(len(e.Facts)))
	for _, f := range e.Facts {
		text(f.Name)
		text(f.Value)
	}
	return b
}

var errEncoding = errors.New("audit: not an entry")

// Decode is the inverse of Encode. It accepts only what Encode writes, byte for
// byte, so that two different encodings of one entry cannot exist.
func Decode(b []byte) (Entry, error) {
	if len(b) == 0 || b[0] != version1 {
		return Entry{}, errEncoding
	}
	d := decoder{rest: b[1:]}
	e := Entry{Chain: d.text(), Seq: d.number(), At: time.UnixMilli(d.number()).UTC(), Actor: d.text(), Action: d.text(), Commit: d.text()}
	copy(e.Prev[:], d.take(len(e.Prev)))
	n := d.number()
	if n > maxFacts {
		return Entry{}, errEncoding
	}
	for range n {
		e.Facts = append(e.Facts, Fact{Name: d.text(), Value: d.text()})
	}
	if d.bad || len(d.rest) > 0 || !bytes.Equal(e.Encode(), b) {
		return Entry{}, errEncoding
	}
	return e, nil
}

type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n > len(d.rest) {
		d.bad = true
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) number() int64 {
	n, size := binary.Uvarint(d.rest)
	if d.bad || size <= 0 || n > 1<<62 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return int64(n)
}

func (d *decoder) text() string {
	n := d.number()
	if n > maxText {
		d.bad = true
		return ""
	}
	return string(d.take(int(n)))
}

// Break says where a chain is broken.
type Break struct {
	Chain string
	Seq   int64 // of the first entry that is wrong or missing
	Why   string
}

func (b *Break) Error() string {
	return fmt.Sprintf("audit: chain %s breaks at %d: %s", b.Chain, b.Seq, b.Why)
}

// Verify walks a chain's encoded entries, in order, against the head that its
// aggregate remembers, and returns how many entries are good. A chain may be
// ahead of its head by nothing: entry and head are one commit.
func Verify(chain string, head Head, entries iter.Seq2[[]byte, error]) (int64, error) {
	return VerifyKept(chain, head, entries, func(Entry) (bool, error) { return false, nil })
}

// VerifyKept is Verify for a chain whose first entries may have expired. It asks expired
// about the first entry that is left whether those before it had their time, and if they
// had goes on from there. A missing entry anywhere else is a Break whatever it says.
func VerifyKept(chain string, head Head, entries iter.Seq2[[]byte, error], expired func(first Entry) (bool, error)) (int64, error) {
	var at Head
	var gone int64
	for b, err := range entries {
		if err != nil {
			return at.Seq - gone, err
		}
		e, err := Decode(b)
		if err != nil {
			return at.Seq - gone, &Break{chain, at.Seq + 1, "the entry cannot be read"}
		}
		if e.Chain != chain {
			return at.Seq - gone, &Break{chain, at.Seq + 1, "the entry belongs to another chain"}
		}
		if at.Seq == 0 && e.Seq > 1 {
			switch ok, err := expired(e); {
			case err != nil:
				return 0, err
			case !ok:
				return 0, &Break{chain, 1, fmt.Sprintf("entry %d is the first that is left, and nothing shows that those before had their time", e.Seq)}
			}
			gone = e.Seq - 1
			at = Head{Seq: gone, Hash: e.Prev}
		}
		switch {
		case e.Seq != at.Seq+1:
			return at.Seq - gone, &Break{chain, at.Seq + 1, fmt.Sprintf("entry %d stands in its place", e.Seq)}
		case e.Prev != at.Hash:
			return at.Seq - gone, &Break{chain, e.Seq, "it does not follow from the entry before"}
		}
		at = Head{Seq: e.Seq, Hash: sha256.Sum256(b)}
	}
	if at != head {
		if at.Seq < head.Seq {
			return at.Seq - gone, &Break{chain, at.Seq + 1, fmt.Sprintf("the aggregate remembers %d entries", head.Seq)}
		}
		return at.Seq - gone, &Break{chain, head.Seq, "the aggregate remembers another entry"}
	}
	return at.Seq - gone, nil
}
