package operate

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"rightsdesk/shared/export"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// open puts what is sealed in an item beside it, in clear.
func (l *leaver) open(ctx context.Context, k kind, it table.Item, body map[string]any, out *line) error {
	for _, f := range k.sealed(it.Key, body) {
		text := word(f.within, f.field)
		delete(f.within, f.field)
		if text == "" {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("%s: what is sealed as %s is no base64: %w", it.Key.Partition, f.name, err)
		}
		if f.holder == "" {
			if f.holder, err = l.holderOf(ctx, it.Key.Partition); err != nil {
				return err
			}
		}
		plain, err := l.unseal(ctx, f.holder, f.place, b)
		if errors.Is(err, seal.ErrSealed) {
			l.left.Erased++
			out.Erased = append(out.Erased, f.name)
			continue
		}
		if err != nil {
			return err
		}
		var opened any
		if json.Unmarshal(plain, &opened) != nil {
			kind, value, _ := strings.Cut(string(plain), "\n")
			opened = map[string]any{"kind": kind, "value": value}
		}
		if f.name == f.field {
			out.Personal[f.name] = opened
			continue
		}
		f.within[f.field] = opened // one of several: it stays where it was
	}
	return nil
}

// holderOf is whose salt the parts of a request hang on.
func (l *leaver) holderOf(ctx context.Context, partition string) (seal.Identifier, error) {
	if h, ok := l.holders[partition]; ok {
		return h, nil
	}
	item, err := l.b.Table.Get(ctx, table.Ref{Table: table.State, Key: table.Key{Partition: partition, Sort: "-"}})
	if err != nil && !errors.Is(err, table.ErrAbsent) {
		return "", fmt.Errorf("read %s: %w", partition, err)
	}
	var body struct{ Holder seal.Identifier }
	if err == nil {
		if err := json.Unmarshal(item.Body, &body); err != nil {
			return "", fmt.Errorf("decode %s: %w", partition, err)
		}
	}
	l.holders[partition] = body.Holder
	return body.Holder, nil
}

// unseal opens a field. People have several: a salt is read once.
func (l *leaver) unseal(ctx context.Context, holder seal.Identifier, at seal.Place, b []byte) ([]byte, error) {
	if l.b.Ring == nil || holder == "" {
		return nil, seal.ErrSealed
	}
	subject, ok := l.salts[holder]
	if !ok {
		var err error
		subject, err = seal.Keys{Ring: l.b.Ring, Table: l.b.Table}.Load(ctx, holder)
		if err != nil && !errors.Is(err, seal.ErrSealed) {
			return nil, fmt.Errorf("read a salt: %w", err)
		}
		if len(l.salts) > 50_000 {
			clear(l.salts)
		}
		l.salts[holder] = subject // without a salt if it was destroyed
	}
	return l.b.Ring.Unseal(subject, at, b)
}

// attachments writes the files that came with a request's messages.
func (l *leaver) attachments(ctx context.Context, k table.Key, body map[string]any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	var r struct {
		Holder   seal.Identifier
		Messages request.Dialogue
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return fmt.Errorf("decode %s: %w", k.Partition, err)
	}
	id, _ := request.IDOf(k)
	for _, at := range r.Messages.Attached {
		for n := 1; n <= request.MaxFiles; n++ {
			object := at.Object(id, n)
			if l.b.Files == nil {
				l.left.Missing = append(l.left.Missing, object+": the store of files was not given")
				break
			}
			in, err := l.b.Files.Get(ctx, object)
			if errors.Is(err, export.ErrAbsent) {
				break // files are numbered from 1
			}
			if err != nil {
				return fmt.Errorf("read what was attached: %w", err)
			}
			sealed, err := io.ReadAll(in)
			if err := errors.Join(err, in.Close()); err != nil {
				return fmt.Errorf("read what was attached: %w", err)
			}
			plain, err := l.unseal(ctx, r.Holder, seal.Place{Item: k.Partition, Field: object}, sealed)
			if errors.Is(err, seal.ErrSealed) {
				l.left.Erased++
				continue
			}
			if err != nil {
				return err
			}
			name := fmt.Sprintf("files/%s/message-%d-file-%d", id, at.Message, n)
			if err := l.whole(name, plain); err != nil {
				return err
			}
		}
	}
	return nil
}
