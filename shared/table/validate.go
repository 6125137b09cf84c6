package table

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrMalformed is in the chain of every error that means the call was wrong: a
// bug of the caller, which no retry mends.
var ErrMalformed = errors.New("table: malformed call")

// MaxKeyPart is the longest part of a key, subject, window or commit id, in bytes.
const MaxKeyPart = 512

// ValidateRef reports whether ref names a place where an item can be. Engines
// call it, and the three below, before they do anything else; that is how they
// come to refuse the same calls.
func ValidateRef(ref Ref) error {
	switch ref.Table {
	case State, Audit, Keys:
	default:
		return malformed("there is no table %q", ref.Table)
	}
	if ref.Key.Partition == "" || ref.Key.Sort == "" {
		return malformed("both parts of the key %s must be given", ref)
	}
	return errors.Join(validText("partition", ref.Key.Partition), validText("sort", ref.Key.Sort))
}

// ValidateQuery reports whether q can be asked.
func ValidateQuery(q Query) error {
	if err := ValidateRef(Ref{q.Table, Key{q.Partition, "any"}}); err != nil {
		return err
	}
	if q.Index != Primary && q.Table != State {
		return malformed("table %s has no %s index", q.Table, q.Index)
	}
	if q.Index != Primary && q.Prefix != "" {
		return malformed("a prefix belongs to the primary index")
	}
	if q.Index != Due && !q.Until.IsZero() {
		return malformed("an end belongs to the due-index")
	}
	return validText("prefix", q.Prefix)
}

// PageSize is the number of items that a page of q holds at most.
func (q Query) PageSize() int {
	if q.Limit <= 0 || q.Limit > 1000 {
		return 1000
	}
	return q.Limit
}

// ValidateTally reports whether t can be counted. Its limit is at least 1:
// where nothing is allowed, nothing is counted either.
func ValidateTally(t Tally) error {
	if err := ValidateRef(t.Ref); err != nil {
		return err
	}
	if t.Ref.Table == Audit {
		return malformed("nothing in %s is counted: it is append-only", Audit)
	}
	if t.Limit < 1 || t.Total < 0 {
		return malformed("count %s: a limit is at least 1", t.Ref)
	}
	if err := validText("window", t.Window); err != nil || t.New.Schema == 0 {
		return err
	}
	return validItem(t.Ref, t.New)
}

// ValidateCommit reports whether a commit is well formed and within the limits;
// beyond them it is ErrTooLarge.
func ValidateCommit(id ID, writes []Write) error {
	if id == "" || len(writes) == 0 {
		return malformed("a commit has an id and at least one write")
	}
	if err := validText("commit id", string(id)); err != nil {
		return err
	}
	if len(writes) > MaxWrites {
		return fmt.Errorf("%w: %d writes", ErrTooLarge, len(writes))
	}
	seen := make(map[Ref]bool, len(writes))
	total := 0
	for _, w := range writes {
		if err := validWrite(w); err != nil {
			return err
		}
		if seen[w.Ref] {
			return malformed("a commit names %s twice", w.Ref)
		}
		seen[w.Ref] = true
		if w.Verb != PutItem {
			continue
		}
		size := w.Stored(id, Item{}).Size()
		if size > MaxItemSize {
			return fmt.Errorf("%w: %s has %d bytes", ErrTooLarge, w.Ref, size)
		}
		total += size
	}
	if total > MaxCommitSize {
		return fmt.Errorf("%w: %d bytes in all", ErrTooLarge, total)
	}
	return nil
}

func validWrite(w Write) error {
	if err := ValidateRef(w.Ref); err != nil {
		return err
	}
	if n, ok := w.If.AtVersion(); w.If == (Precondition{}) || ok && n < 0 {
		return malformed("the write of %s has no precondition that could hold", w.Ref)
	}
	switch w.Verb {
	case PutItem:
		if w.Ref.Table == Audit && !w.If.Holds(0) {
			return malformed("%s is append-only: put %s as New", Audit, w.Ref)
		}
		if w.Ref.Key != w.Item.Key {
			return malformed("the item put at %s has another key", w.Ref)
		}
		return validItem(w.Ref, w.Item)
	case DeleteItem:
		if w.Ref.Table == Audit {
			return malformed("%s is append-only: %s cannot be deleted", Audit, w.Ref)
		}
		if w.If.Holds(0) {
			return malformed("delete %s: what is absent cannot be deleted", w.Ref)
		}
		return nil
	case CheckItem:
		return nil
	}
	return malformed("there is no verb %d", w.Verb)
}

func validItem(ref Ref, it Item) error {
	if it.Schema < 1 {
		return malformed("the item %s does not say its schema", ref)
	}
	if ref.Table != State && (!it.Due.IsZero() || it.Subject != "") {
		return malformed("%s: only items of %s are indexed", ref, State)
	}
	if !validTime(it.Due) || !validTime(it.Expires) {
		return malformed("%s: due and expires are after the first second of 1970 and before the year 10000", ref)
	}
	return validText("subject", it.Subject)
}

func validTime(t time.Time) bool {
	return t.IsZero() || t.Unix() > 0 && t.Year() < 10000
}

// validText refuses what an engine could not store as it is: NUL separates the
// parts of a key in the embedded file, and JSON, which DynamoDB speaks, holds
// nothing but UTF-8.
func validText(what, s string) error {
	if len(s) > MaxKeyPart || !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return malformed("a %s is at most %d bytes of UTF-8 without NUL", what, MaxKeyPart)
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

func (ix Index) String() string {
	switch ix {
	case Primary:
		return "primary"
	case Due:
		return "due"
	case Subject:
		return "subject"
	}
	return fmt.Sprintf("Index(%d)", int(ix))
}
