package edition

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

const (
	partition   = "policy"
	schema      = 1
	editionSort = "edition#"
	fileSort    = "file#"
	// roomFor is how many bytes of a gzipped file fit into an item, beside its names.
	roomFor = table.MaxItemSize - 1024
)

func ref(sort string) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: partition, Sort: sort}}
}

var (
	activeRef  = ref("active")
	refusedRef = ref("refused")
)

func editionRef(n int64) table.Ref { return ref(fmt.Sprintf("%s%08d", editionSort, n)) }

func fileRef(version string) table.Ref { return ref(fileSort + version) }

// digestOf names the content of a file.
func digestOf(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// Active returns what is in force. Where nothing was ever published, it lacks a policy.
func (b *Book) Active(ctx context.Context) (Active, error) {
	a, err := b.load(ctx)
	if errors.Is(err, errNone) {
		return b.none(), nil
	}
	return a, err
}

// none is how an installation begins.
func (b *Book) none() Active {
	return Active{Lacks: append([]Lack{NoPolicy}, b.Lacks...)}
}

func (b *Book) load(ctx context.Context) (Active, error) {
	item, err := b.Table.Get(ctx, activeRef)
	if errors.Is(err, table.ErrAbsent) {
		return Active{}, errNone
	}
	if err != nil {
		return Active{}, fmt.Errorf("read which policy is in force: %w", err)
	}
	var a Active
	if err := decode(item, &a); err != nil {
		return Active{}, err
	}
	a.stored = item.Version
	return a, nil
}

func decode(item table.Item, v any) error {
	if item.Schema != schema {
		return fmt.Errorf("edition: %s has schema %d, this version reads %d", item.Key.Sort, item.Schema, schema)
	}
	if err := json.Unmarshal(item.Body, v); err != nil {
		return fmt.Errorf("edition: decode %s: %w", item.Key.Sort, err)
	}
	return nil
}

func put(r table.Ref, v any, pre table.Precondition) (table.Write, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return table.Write{}, fmt.Errorf("edition: encode %s: %w", r.Key.Sort, err)
	}
	return table.Put(table.State, table.Item{Key: r.Key, Schema: schema, Body: body}, pre), nil
}

// file returns the file of a version, or ErrNotFound.
func (b *Book) file(ctx context.Context, version string) ([]byte, error) {
	item, err := b.Table.Get(ctx, fileRef(version))
	if errors.Is(err, table.ErrAbsent) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read the policy %s: %w", version, err)
	}
	file, err := unzip(item.Body)
	if err != nil {
		return nil, fmt.Errorf("read the policy %s: %w", version, err)
	}
	return file, nil
}

func zip(file []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(file); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil { // which writes what is left
		return nil, err
	}
	return out.Bytes(), nil
}

func unzip(body []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, policy.MaxFile+1))
}

// entry is the next entry of the chain, and what puts it there. Entries stay: they say
// what was promised when, and name nobody but operators by their ids. None is older than
// the one before: the clock of who made that may be ahead of ours.
func (a *Active) entry(e audit.Entry) table.Write {
	if e.Chain = Chain; e.At.Before(a.Said) {
		e.At = a.Said
	}
	a.Said = e.At
	e, a.Head = a.Head.Append(e)
	return table.Put(table.Audit, table.Item{
		Key: table.Key{Partition: Chain, Sort: fmt.Sprintf("%012d", e.Seq)}, Schema: schema, Body: e.Encode(),
	}, table.New)
}

// put is the write of what is in force, under the version at which it was read.
func (a Active) put() (table.Write, error) {
	pre := table.New
	if a.stored > 0 {
		pre = table.Version(a.stored)
	}
	return put(activeRef, a, pre)
}

// Heads returns the chain for its verification, where the zero Key is asked about.
func (b *Book) Heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	if k != (table.Key{}) {
		return nil, nil
	}
	a, err := b.load(ctx)
	if errors.Is(err, errNone) {
		return nil, nil
	}
	return []audit.Chain{{Name: Chain, Head: a.Head}}, err
}

// List returns the editions, the newest first.
func (b *Book) List(ctx context.Context) ([]Edition, error) {
	var list []Edition
	q := table.Query{Table: table.State, Partition: partition, Prefix: editionSort}
	for {
		page, err := b.Table.Query(ctx, q)
		if err != nil {
			return nil, unavailable(fmt.Errorf("list the editions: %w", err))
		}
		for _, item := range page.Items {
			var e Edition
			if err := decode(item, &e); err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	slices.Reverse(list)
	return list, nil
}

// refusal returns the file that was refused last, nil if none was.
func (b *Book) refusal(ctx context.Context) (*Refusal, int64, error) {
	item, err := b.Table.Get(ctx, refusedRef)
	if errors.Is(err, table.ErrAbsent) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read which policy was refused: %w", err)
	}
	var r Refusal
	if err := decode(item, &r); err != nil {
		return nil, 0, err
	}
	return &r, item.Version, nil
}

// unavailable turns a store that is busy, or that lost an answer, into a fault that
// asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}
