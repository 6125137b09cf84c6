// Package checkpoint seals the audit, so that whoever could change the Audit table
// still could not change what was recorded without being found out. Each new entry's
// chain, number and hash go into a batch, an object that is written once; every hour
// the batches become the leaves of a Merkle tree whose root is signed together with
// the hash of the checkpoint before. docs/checkpoints.md says how somebody checks the
// audit with them, without us.
//
// The objects hold names of chains, numbers and hashes, and nothing of an entry. They
// stand in a Vault:
//
//	batches/<day>/<hash>.txt         the entries that one delivery of the stream told of
//	leaves/<n>-<root>.txt            the leaves of checkpoint n
//	checkpoints/<n>.jws              the signed statement of checkpoint n, from 1
//
// Batches and leaves are lines "chain seq hash", in order. A batch is named after what
// it holds, so that writing it again changes nothing. The first writer of checkpoint n
// decides what it is: the vault keeps what it has, and whoever comes second takes that
// over. So the checkpoints are one chain, whoever makes them and however often.
//
// In the tables it owns:
//
//	table  partition         sort          body
//	state  checkpoint        -             head: the latest checkpoint, the head of the chain below
//	state  checkpoint#batch  hash          mark: a batch that no checkpoint has taken yet
//	audit  checkpoint        000000000001  one entry: sealed
//
// The tree is built from the batches, never from the Audit table, which may have been
// changed since. The package knows no store of objects and no signature: those are
// ports, implemented by checkpoint/s3, checkpoint/folder and checkpoint/jws. desk,
// boot and infra/local import it.
package checkpoint

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
)

// Vault keeps objects that are written once and never changed or removed.
type Vault interface {
	// Put writes an object, or returns ErrThere and changes nothing if there is one
	// under the key. After an error it may have been written.
	Put(ctx context.Context, key string, body []byte) error
	// Get returns an object, or ErrAbsent. What was put is got at once.
	Get(ctx context.Context, key string) ([]byte, error)
	// List returns the keys with a prefix that sort after another key, in order; some
	// of them, and none only if there are no more.
	List(ctx context.Context, prefix, after string) ([]string, error)
}

// What a Vault answers.
var (
	ErrThere  = errors.New("checkpoint: there is such an object already")
	ErrAbsent = errors.New("checkpoint: there is no such object")
)

// MaxObject is how large an object is at most, in bytes.
const MaxObject = 16 << 20

// Signer signs statements, and checks what was signed.
type Signer interface {
	// Sign wraps a document into one line, with a signature by the installation's newest key.
	Sign(document []byte) (string, error)
	Checker
}

// Checker checks what was signed.
type Checker interface {
	// Check returns the document in what Sign made. Whatever else it is given is an error.
	Check(signed string) ([]byte, error)
}

// Leaf is what is sealed of an entry.
type Leaf struct {
	Chain string
	Seq   int64
	Hash  audit.Hash
}

// LeafOf returns what is sealed of an entry.
func LeafOf(e audit.Entry) Leaf { return Leaf{e.Chain, e.Seq, e.Hash()} }

func (l Leaf) compare(m Leaf) int {
	return cmp.Or(cmp.Compare(l.Chain, m.Chain), cmp.Compare(l.Seq, m.Seq), bytes.Compare(l.Hash[:], m.Hash[:]))
}

func (l Leaf) line() string {
	return l.Chain + " " + strconv.FormatInt(l.Seq, 10) + " " + hex.EncodeToString(l.Hash[:])
}

// errLeaves is what a batch or a list of leaves is that nobody of us wrote.
var errLeaves = errors.New(`it is not made of lines "chain seq hash", in order and each once`)

// encode writes leaves in order, each once.
func encode(leaves []Leaf) []byte {
	var b bytes.Buffer
	for _, l := range leaves {
		b.WriteString(l.line())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// decode is the inverse of encode, and takes nothing else.
func decode(b []byte) ([]Leaf, error) {
	leaves := make([]Leaf, 0, bytes.Count(b, []byte{'\n'}))
	for line := range bytes.Lines(b) {
		text, ended := strings.CutSuffix(string(line), "\n")
		i := strings.LastIndexByte(text, ' ')
		if !ended || i < 0 {
			return nil, errLeaves
		}
		j := strings.LastIndexByte(text[:i], ' ')
		if j <= 0 {
			return nil, errLeaves
		}
		seq, err := strconv.ParseInt(text[j+1:i], 10, 64)
		if err != nil {
			return nil, errLeaves
		}
		l := Leaf{Chain: text[:j], Seq: seq}
		sum, err := hex.DecodeString(text[i+1:])
		if err != nil || copy(l.Hash[:], sum) != len(l.Hash) || l.line() != text {
			return nil, errLeaves
		}
		if n := len(leaves); n > 0 && leaves[n-1].compare(l) >= 0 {
			return nil, errLeaves
		}
		leaves = append(leaves, l)
	}
	return leaves, nil
}

// sorted returns leaves in order, each once.
func sorted(leaves []Leaf) []Leaf {
	slices.SortFunc(leaves, Leaf.compare)
	return slices.Compact(leaves)
}

// root returns the root of the Merkle tree over the lines of leaves.
func root(leaves []Leaf) audit.Hash {
	lines := make([][]byte, len(leaves))
	for i, l := range leaves {
		lines[i] = []byte(l.line())
	}
	return merkle(lines)
}

// merkle returns the root of the tree of RFC 6962, 2.1. Pairing from the left and
// carrying what is left over is that tree, whose left half is the largest power of two.
func merkle(data [][]byte) audit.Hash {
	if len(data) == 0 {
		return sha256.Sum256(nil)
	}
	level := make([]audit.Hash, len(data))
	for i, b := range data {
		level[i] = sha256.Sum256(append([]byte{0}, b...))
	}
	for len(level) > 1 {
		next := level[:0]
		for i := 0; i < len(level); i += 2 {
			if i+1 == len(level) {
				next = append(next, level[i])
				continue
			}
			next = append(next, sha256.Sum256(slices.Concat([]byte{1}, level[i][:], level[i+1][:])))
		}
		level = next
	}
	return level[0]
}

// sum is how objects and statements name what they mean: SHA-256, in hexadecimal.
func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Version of the statement. What is added later is added beside it.
const Version = "1"

// Statement is what a checkpoint signs.
type Statement struct {
	Version  string    `json:"version"`
	N        int64     `json:"n"` // 1 for the first
	At       time.Time `json:"at"`
	Previous string    `json:"previous"` // SHA-256 of checkpoint n-1 as it stands in the vault; empty for the first
	Root     string    `json:"root"`     // of the Merkle tree over the leaves
	Count    int       `json:"count"`    // of leaves
	Leaves   string    `json:"leaves"`   // key of their object
	Batches  []string  `json:"batches"`  // keys of the batches that it took
	Keys     string    `json:"keys"`     // where the public keys are published
}

// The prefixes of keys, one for each kind of object.
const (
	batches     = "batches/"
	leafLists   = "leaves/"
	checkpoints = "checkpoints/"
)

func checkpointKey(n int64) string { return fmt.Sprintf("%s%012d.jws", checkpoints, n) }

func leavesKey(n int64, root audit.Hash) string {
	return fmt.Sprintf("%s%012d-%x.txt", leafLists, n, root)
}

// batchKey names a batch after its content and the day of its newest entry.
func batchKey(newest time.Time, body []byte) string {
	return batches + newest.UTC().Format(time.DateOnly) + "/" + sum(body) + ".txt"
}

// batchHash returns the hash in the key of a batch.
func batchHash(key string) (string, bool) {
	day, file, ok := strings.Cut(strings.TrimPrefix(key, batches), "/")
	hash, text := strings.CutSuffix(file, ".txt")
	_, err := time.Parse(time.DateOnly, day)
	return hash, ok && text && err == nil && len(hash) == 2*sha256.Size && strings.HasPrefix(key, batches)
}

// number returns the n of a checkpoint's key.
func number(key string) (int64, bool) {
	text, ok := strings.CutSuffix(strings.TrimPrefix(key, checkpoints), ".jws")
	n, err := strconv.ParseInt(text, 10, 64)
	return n, ok && err == nil && n > 0 && checkpointKey(n) == key
}

// read checks a checkpoint as it stands in the vault and returns its statement.
func read(by Checker, n int64, object []byte) (Statement, error) {
	document, err := by.Check(string(object))
	if err != nil {
		return Statement{}, err
	}
	var st Statement
	if err := json.Unmarshal(document, &st); err != nil || st.Version != Version {
		return Statement{}, errors.New("its format is unknown")
	}
	if st.N != n {
		return Statement{}, fmt.Errorf("checkpoint %d stands in its place", st.N)
	}
	return st, nil
}

// errChanged is what an object is that is not what was written.
var errChanged = errors.New("it is not what was written")

// readLeaves gets the leaves of a checkpoint, if they are what it signed. Leaves that
// are not are returned with errChanged, as far as they can be read.
func readLeaves(ctx context.Context, in Vault, st Statement) ([]Leaf, error) {
	b, err := in.Get(ctx, st.Leaves)
	if err != nil {
		return nil, err
	}
	leaves, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errChanged, err)
	}
	if is := root(leaves); len(leaves) != st.Count || hex.EncodeToString(is[:]) != st.Root {
		return leaves, errChanged
	}
	return leaves, nil
}

// readBatch gets a batch, if it is what its name says.
func readBatch(ctx context.Context, in Vault, key string) ([]Leaf, error) {
	b, err := in.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	if hash, ok := batchHash(key); !ok || sum(b) != hash {
		return nil, errChanged
	}
	return decode(b)
}
