package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"rightsdesk/shared/source"
)

// Parts is where the parts of a package are kept, and how they are opened.
type Parts struct {
	Store Store
	// Open undoes what the writer of the part sealed it with. Nil: parts are not sealed.
	Open func(key string, sealed []byte) ([]byte, error)
}

// PartKey is the key of one page that a source returned of one category. Pages
// count from 0; a page that is written again replaces itself.
func PartKey(request, source, category string, page int) string {
	return fmt.Sprintf("%s%s/%s/%06d", partsPrefix(request), source, category, page)
}

// partsPrefix is what the keys of all parts of a request begin with.
func partsPrefix(request string) string { return request + "/parts/" }

// partRecord is a record as a part holds it: one JSON object on one line.
type partRecord struct {
	Category string          `json:"category"`
	ID       string          `json:"id,omitempty"`
	At       time.Time       `json:"at,omitzero"`
	Fields   json.RawMessage `json:"fields,omitempty"`
}

// EncodePart returns records as JSON lines, to be sealed and put under a PartKey.
// It fails if the fields of a record are no JSON.
func EncodePart(records []source.Record) ([]byte, error) {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	for _, r := range records {
		if err := lines.Encode(partRecord(r)); err != nil {
			// The cause may quote the record, which is a person's.
			return nil, errors.New("export: a record's fields are not JSON")
		}
	}
	return b.Bytes(), nil
}

// DecodePart is the inverse of EncodePart.
func DecodePart(b []byte) ([]source.Record, error) {
	var records []source.Record
	for lines := json.NewDecoder(bytes.NewReader(b)); ; {
		var r partRecord
		switch err := lines.Decode(&r); {
		case errors.Is(err, io.EOF):
			return records, nil
		case err != nil:
			return nil, errors.New("export: a part is not the JSON lines it was written as")
		}
		records = append(records, source.Record(r))
	}
}

// read fetches, opens and decodes one part.
func (p Parts) read(ctx context.Context, key string) ([]source.Record, error) {
	body, err := p.Store.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get part %s: %w", key, err)
	}
	b, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("get part %s: %w", key, err)
	}
	if p.Open != nil {
		if b, err = p.Open(key, b); err != nil {
			return nil, fmt.Errorf("open part %s: %w", key, err)
		}
	}
	records, err := DecodePart(b)
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", key, err)
	}
	return records, nil
}

// list returns the keys that begin with prefix, in order.
func (p Parts) list(ctx context.Context, prefix string) ([]string, error) {
	var all []string
	for cursor := ""; ; {
		keys, next, err := p.Store.List(ctx, prefix, cursor)
		if err != nil {
			return nil, fmt.Errorf("list parts: %w", err)
		}
		all = append(all, keys...)
		if next == "" {
			return all, nil
		}
		cursor = next
	}
}
