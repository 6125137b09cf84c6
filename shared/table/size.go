package table

import "strconv"

// The names of the stored attributes count towards an item's size, so they are
// short. Package dynamo documents the layout and tests that it is this one.
const (
	nameKeyPart  = 1 // p, s
	nameVersion  = 1 // v
	nameSchema   = 1 // z
	nameBody     = 1 // b
	nameCommit   = 1 // c
	nameExpires  = 1 // x
	nameSubject  = 1 // u
	nameDuePart  = 2 // dp
	nameDue      = 2 // ds
	nameWindow   = 2 // cw
	nameN        = 2 // cn
	nameTotal    = 2 // ct
	dueShardSize = len("due#00")
)

// Size is the item's size in bytes as DynamoDB counts it: the names and the
// values of its attributes; a string is as long as its UTF-8, a number takes a
// byte and one for every two significant digits.
func (it Item) Size() int {
	n := it.keySize() + nameBody + len(it.Body) +
		nameVersion + numberSize(it.Version) + nameSchema + numberSize(int64(it.Schema))
	if it.CommitID != "" {
		n += nameCommit + len(it.CommitID)
	}
	if !it.Due.IsZero() {
		n += it.dueSize()
	}
	if it.Subject != "" {
		n += nameSubject + len(it.Subject)
	}
	if !it.Expires.IsZero() {
		n += it.expiresSize()
	}
	if it.Counted.Total > 0 {
		n += nameWindow + len(it.Counted.Window) +
			nameN + numberSize(it.Counted.N) + nameTotal + numberSize(it.Counted.Total)
	}
	return n
}

// EntrySize is the size of the item's entry in an index, which holds the keys
// and the expiry, and 0 if the index does not hold the item. The primary index
// holds all of it.
func (it Item) EntrySize(ix Index) int {
	n := it.keySize()
	switch ix {
	case Primary:
		return it.Size()
	case Due:
		if it.Due.IsZero() {
			return 0
		}
		n += it.dueSize()
	case Subject:
		if it.Subject == "" {
			return 0
		}
		n += nameSubject + len(it.Subject)
	}
	if !it.Expires.IsZero() {
		n += it.expiresSize()
	}
	return n
}

func (it Item) keySize() int {
	return 2*nameKeyPart + len(it.Key.Partition) + len(it.Key.Sort)
}

func (it Item) dueSize() int {
	return nameDuePart + dueShardSize + nameDue + numberSize(it.Due.UnixMilli())
}

func (it Item) expiresSize() int { return nameExpires + numberSize(it.Expires.Unix()) }

// numberSize is the size of a non-negative whole number. Zeros at its end are
// not significant: 1000 is as small as 1.
func numberSize(n int64) int {
	if n == 0 {
		return 1
	}
	for n%10 == 0 {
		n /= 10
	}
	return 1 + (len(strconv.FormatInt(n, 10))+1)/2
}
