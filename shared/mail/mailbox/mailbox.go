// Package mailbox keeps mail instead of sending it, and shows it on a page: it
// is the post office of a local run. It is a mail.Sender, so that everything up
// to the sending runs on a laptop as it does in AWS.
//
// It is for local runs only: whoever opens the page reads everybody's codes.
package mailbox

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
)

// Mailbox keeps mail in a file, so that it is still there after a restart.
type Mailbox struct {
	db  *bbolt.DB
	now func() time.Time
}

// Open opens the file, and makes it if it is not there. Only one process at a
// time can have it open.
func Open(path string, now func() time.Time) (*Mailbox, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{mails, keys} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		_ = db.Close() // the first error is the one to tell
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	return &Mailbox{db, now}, nil
}

// Close closes the file.
func (m *Mailbox) Close() error { return m.db.Close() }

// The buckets of the file.
var (
	mails = []byte("mails") // number -> stored
	keys  = []byte("keys")  // idempotency key -> number
)

// stored is a mail as it stands in the file.
type stored struct {
	N        int       `json:"n"`
	At       time.Time `json:"at"`
	To       string    `json:"to"`
	ReplyTo  string    `json:"reply_to,omitempty"`
	Subject  string    `json:"subject"`
	Text     string    `json:"text"`
	HTML     string    `json:"html"`
	Stream   string    `json:"stream"`
	Language string    `json:"language"`
}

var _ mail.Sender = (*Mailbox)(nil)

// Send keeps the mail. The same key twice is kept once.
func (m *Mailbox) Send(ctx context.Context, msg mail.Message, key string) error {
	if err := msg.Valid(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", mail.ErrLater, err)
	}
	err := m.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(keys).Get([]byte(key)) != nil {
			return nil
		}
		n, err := tx.Bucket(mails).NextSequence()
		if err != nil {
			return err
		}
		body, err := json.Marshal(stored{
			N: int(n), At: m.now().UTC(), To: msg.To.Reveal(), ReplyTo: msg.ReplyTo.Reveal(), Subject: msg.Subject, // #nosec G115 -- counts mails
			Text: msg.Text.Reveal(), HTML: msg.HTML.Reveal(), Stream: string(msg.Stream), Language: msg.Language,
		})
		if err != nil {
			return err
		}
		if err := tx.Bucket(mails).Put(number(n), body); err != nil {
			return err
		}
		return tx.Bucket(keys).Put([]byte(key), number(n))
	})
	if err != nil {
		return fmt.Errorf("%w: keep mail: %w", mail.ErrLater, err)
	}
	return nil
}

// number is how a mail's number is written, so that it sorts.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// list returns the mails to an address, to anybody if it is empty, newest first,
// at most limit of them.
func (m *Mailbox) list(to string, limit int) ([]stored, error) {
	if address, ok := personal.ParseEmail(to); ok {
		to = address.Reveal() // people type capitals
	}
	found := []stored{}
	err := m.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(mails).Cursor()
		for k, v := c.Last(); k != nil && len(found) < limit; k, v = c.Prev() {
			var s stored
			if err := json.Unmarshal(v, &s); err != nil {
				return fmt.Errorf("mail %d: %w", binary.BigEndian.Uint64(k), err)
			}
			if to == "" || s.To == to {
				found = append(found, s)
			}
		}
		return nil
	})
	return found, err
}

// To returns whom a mail is addressed to, by its number.
func (m *Mailbox) To(n uint64) (to personal.Email, found bool, err error) {
	s, found, err := m.get(n)
	if err != nil || !found {
		return personal.Email{}, false, err
	}
	to, found = personal.ParseEmail(s.To)
	return to, found, nil
}

// get returns a mail by its number.
func (m *Mailbox) get(n uint64) (s stored, found bool, err error) {
	err = m.db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket(mails).Get(number(n)); v != nil {
			found = true
			return json.Unmarshal(v, &s)
		}
		return nil
	})
	return s, found, err
}
