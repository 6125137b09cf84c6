package seal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
)

// Subject is a data subject as the rest of the system knows them: a random id,
// and the salt that their sealed fields hang on.
type Subject struct {
	ID         string
	Holder     Identifier // the identifier whose item holds Salt
	Salt       []byte
	Generation byte
}

// subjectSchema is the version of subjectBody.
const subjectSchema = 1

type subjectBody struct {
	Subject    string `json:"subject"`
	Salt       []byte `json:"salt"`
	Generation byte   `json:"generation"`
}

// Recovery is how long a salt that was destroyed can still be brought back, by whoever
// may restore the Keys table. The stack gives the table this recovery window; it is
// the shortest that DynamoDB has.
const Recovery = 24 * time.Hour

// Keys finds subjects in the Keys table.
type Keys struct {
	Ring  *Ring
	Table table.Table
}

func keyOf(id Identifier) table.Ref {
	return table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(id), Sort: "-"}}
}

// Contact returns the subject behind an identity, making one if there is none,
// and counts one mail to it on the day of now. ok is false if the day's mails
// are used up: the subject is returned all the same, and no mail may be sent.
// Known and unknown identities cost the same single write. Whoever comes back after
// their salt was destroyed is met anew, which costs one write more, once.
func (k Keys) Contact(ctx context.Context, i personal.Identity, now time.Time, perDay int) (s Subject, ok bool, err error) {
	id := k.Ring.Identifier(i)
	fresh, err := json.Marshal(subjectBody{Subject: NewSubjectID(), Salt: random(keySize), Generation: 1})
	if err != nil {
		return Subject{}, false, fmt.Errorf("encode a subject: %w", err)
	}
	ref := keyOf(id)
	item, err := k.Table.Count(ctx, table.Tally{
		Ref: ref, Window: now.UTC().Format(time.DateOnly), Limit: int64(perDay),
		New: table.Item{Key: ref.Key, Schema: subjectSchema, Body: fresh},
	})
	if err != nil && !errors.Is(err, table.ErrOver) {
		return Subject{}, false, fmt.Errorf("find a subject: %w", err)
	}
	s, anewErr := k.anew(ctx, id, item)
	return s, err == nil, anewErr
}

// Meet returns the subject behind an identity, making one if there is none. It
// counts no mail: it is for what is sealed, and may never be written to.
func (k Keys) Meet(ctx context.Context, i personal.Identity) (Subject, error) {
	id := k.Ring.Identifier(i)
	fresh, err := json.Marshal(subjectBody{Subject: NewSubjectID(), Salt: random(keySize), Generation: 1})
	if err != nil {
		return Subject{}, fmt.Errorf("encode a subject: %w", err)
	}
	ref := keyOf(id)
	item, err := k.Table.Get(ctx, ref)
	if errors.Is(err, table.ErrAbsent) {
		item = table.Item{Key: ref.Key, Schema: subjectSchema, Body: fresh}
		err = k.Table.Commit(ctx, table.NewID(), table.Put(table.Keys, item, table.New))
		if errors.Is(err, table.ErrConflict) { // somebody else met them in between, or we did and did not hear of it
			item, err = k.Table.Get(ctx, ref)
		}
	}
	if err != nil {
		return Subject{}, fmt.Errorf("find a subject: %w", err)
	}
	return k.anew(ctx, id, item)
}

// anew returns the subject of an item; of one whose salt was destroyed another one,
// who has nothing in common with the first but the identifier.
func (k Keys) anew(ctx context.Context, id Identifier, item table.Item) (Subject, error) {
	for try := 0; ; try++ {
		s, err := decodeSubject(id, item)
		if err != nil || len(s.Salt) > 0 {
			return s, err
		}
		if try == anewTries {
			return Subject{}, table.ErrBusy
		}
		s = Subject{ID: NewSubjectID(), Holder: id, Salt: random(keySize), Generation: max(s.Generation, s.Generation+1)} // it stays at 255
		put, err := s.put(table.Version(item.Version))
		if err != nil {
			return Subject{}, err
		}
		if err = k.Table.Commit(ctx, table.NewID(), put); err == nil {
			return s, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Subject{}, fmt.Errorf("meet somebody anew: %w", err)
		}
		if item, err = k.Table.Get(ctx, keyOf(id)); err != nil { // somebody else met them, or we did and did not hear of it
			return Subject{}, fmt.Errorf("find a subject: %w", err)
		}
	}
}

const anewTries = 4

// put is the write of a subject's item.
func (s Subject) put(pre table.Precondition) (table.Write, error) {
	body, err := json.Marshal(subjectBody{Subject: s.ID, Salt: s.Salt, Generation: s.Generation})
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a subject: %w", err)
	}
	return table.Put(table.Keys, table.Item{Key: keyOf(s.Holder).Key, Schema: subjectSchema, Body: body}, pre), nil
}

// Standing is the state of an identifier's salt. It holds nothing of the salt.
type Standing struct {
	Subject    string // random id; of whoever was destroyed, if nobody was met since
	Generation byte   // of the salt; 0: there never was one
	Destroyed  bool
	Contacted  string // the day on which a mail was counted last; empty: never
}

// Stands returns the state of an identifier's salt.
func (k Keys) Stands(ctx context.Context, id Identifier) (Standing, error) {
	item, err := k.Table.Get(ctx, keyOf(id))
	if errors.Is(err, table.ErrAbsent) {
		return Standing{Destroyed: true}, nil
	}
	if err != nil {
		return Standing{}, fmt.Errorf("look at a salt: %w", err)
	}
	s, err := decodeSubject(id, item)
	return Standing{Subject: s.ID, Generation: s.Generation, Destroyed: len(s.Salt) == 0, Contacted: item.Counted.Window}, err
}

// Destroy returns the writes that destroy an identifier's salt of a generation, or of
// an earlier one that a restored copy brought back: everything that was sealed under
// it is unreadable from then on. The item stays, so that the next salt has another
// generation. There are no writes if that salt is gone, or was followed by another:
// they conflict with whoever uses the item at the same time.
func (k Keys) Destroy(ctx context.Context, id Identifier, generation byte) ([]table.Write, error) {
	item, err := k.Table.Get(ctx, keyOf(id))
	pre := table.New
	switch {
	case errors.Is(err, table.ErrAbsent):
		item = table.Item{}
	case err != nil:
		return nil, fmt.Errorf("look at a salt: %w", err)
	default:
		pre = table.Version(item.Version)
	}
	s := Subject{Holder: id}
	if item.Version > 0 {
		if s, err = decodeSubject(id, item); err != nil {
			return nil, err
		}
	}
	if s.Generation > generation || s.Generation == generation && len(s.Salt) == 0 {
		return nil, nil
	}
	s.Salt, s.Generation = nil, generation
	put, err := s.put(pre)
	return []table.Write{put}, err
}

// Again counts one more mail to an identity that is known by its hash, and
// reports whether it may be sent.
func (k Keys) Again(ctx context.Context, holder Identifier, now time.Time, perDay int) (bool, error) {
	_, err := k.Table.Count(ctx, table.Tally{Ref: keyOf(holder), Window: now.UTC().Format(time.DateOnly), Limit: int64(perDay)})
	if errors.Is(err, table.ErrOver) || errors.Is(err, table.ErrAbsent) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("count a mail: %w", err)
	}
	return true, nil
}

// Load returns the subject whose salt an identifier holds. Without it, or once
// the salt is destroyed, it returns ErrSealed.
func (k Keys) Load(ctx context.Context, holder Identifier) (Subject, error) {
	item, err := k.Table.Get(ctx, keyOf(holder))
	if errors.Is(err, table.ErrAbsent) {
		return Subject{}, ErrSealed
	}
	if err != nil {
		return Subject{}, fmt.Errorf("load a subject: %w", err)
	}
	s, err := decodeSubject(holder, item)
	if err == nil && len(s.Salt) == 0 {
		return Subject{}, ErrSealed
	}
	return s, err
}

// NewSubjectID returns a random id of 160 bits.
func NewSubjectID() string { return "s" + base32Lower.EncodeToString(random(20)) }

func decodeSubject(holder Identifier, item table.Item) (Subject, error) {
	if item.Schema != subjectSchema {
		return Subject{}, fmt.Errorf("seal: a subject has schema %d, this version reads %d", item.Schema, subjectSchema)
	}
	var b subjectBody
	if err := json.Unmarshal(item.Body, &b); err != nil {
		return Subject{}, fmt.Errorf("decode a subject: %w", err)
	}
	return Subject{ID: b.Subject, Holder: holder, Salt: b.Salt, Generation: b.Generation}, nil
}
