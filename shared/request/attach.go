package request

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/export"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// File is something attached to a message.
type File struct {
	Name    personal.Text
	Type    string // application/pdf, image/png, image/jpeg, text/plain
	Size    int
	Content []byte // on its way in or out; nil in a list
	Gone    bool   // its period is over, it was erased
}

// What a person can attach to one message.
const (
	MaxFiles    = 3
	MaxAttached = 1 << 20 // bytes of one file
)

const (
	maxName = 100 // characters
	// maxKept bounds what is kept of one request, calls that were broken off included.
	maxKept = maxMessages + 10
)

type fileKind struct {
	name    string
	endings []string
	is      func([]byte) bool
}

// kinds are the kinds of files that are taken, by what is in them. Whatever the
// name says, a file is saved under an ending of its kind: what an operator opens
// does nothing.
var kinds = []fileKind{
	{"application/pdf", []string{".pdf"}, func(b []byte) bool { return bytes.HasPrefix(b, []byte("%PDF-")) }},
	{"image/png", []string{".png"}, func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }},
	{"image/jpeg", []string{".jpg", ".jpeg"}, func(b []byte) bool { return bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}) }},
	{"text/plain", []string{".txt"}, func(b []byte) bool { return utf8.Valid(b) && !bytes.ContainsRune(b, 0) }},
}

// checkFiles returns the files with their kinds and names cleaned, or what is wrong
// with each.
func checkFiles(files []File) (clean []File, bad []fault.Field) {
	if len(files) > MaxFiles {
		return nil, []fault.Field{{Pointer: "/files", Text: fmt.Sprintf("must be at most %d", MaxFiles)}}
	}
	for i, f := range files {
		wrong := func(text string) {
			bad = append(bad, fault.Field{Pointer: fmt.Sprintf("/files/%d/content", i), Text: text})
		}
		k := slices.IndexFunc(kinds, func(k fileKind) bool { return k.is(f.Content) })
		switch {
		case len(f.Content) == 0:
			wrong("must not be empty")
		case len(f.Content) > MaxAttached:
			wrong("must be at most 1 MB")
		case k < 0:
			wrong("must be a PDF, a PNG or JPEG image, or plain text in UTF-8")
		default:
			clean = append(clean, File{Name: nameOf(f.Name, kinds[k].endings), Type: kinds[k].name, Size: len(f.Content), Content: f.Content})
		}
	}
	return clean, bad
}

// nameOf is a file's name without a path and without what cannot be seen.
func nameOf(name personal.Text, endings []string) personal.Text {
	s := name.Reveal()
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	s = strings.Trim(s, ". ")
	ending := path.Ext(s)
	if slices.Contains(endings, strings.ToLower(ending)) {
		s = strings.TrimSuffix(s, ending)
	} else {
		ending = endings[0]
	}
	if s == "" {
		s = "file"
	}
	if r := []rune(s); len(r) > maxName-len(ending) {
		s = string(r[:maxName-len(ending)])
	}
	return personal.MakeText(s + ending)
}

// attachments is how the keys of what a person attached begin.
func attachments(id ID) string { return prefix(id) + "messages/" }

// folder is how the keys of one message's files begin.
func (k Attached) folder(id ID) string { return attachments(id) + k.Key + "/" }

// object is where a file is kept; files are numbered from 1.
func (k Attached) object(id ID, file int) string { return k.folder(id) + strconv.Itoa(file) }

// attach keeps files ahead of the message that they come with. That they are is
// known before the first one is: should the message never come about, somebody
// still comes to erase them.
func (s *Service) attach(ctx context.Context, id ID, files []File) (Attached, error) {
	k := Attached{Key: strings.ToLower(string(table.NewID())), Until: s.now().Add(stragglers)}
	r, err := s.expect(ctx, id, k)
	if err != nil {
		return Attached{}, err
	}
	subject, err := s.Keys.Load(ctx, r.Holder)
	if errors.Is(err, seal.ErrSealed) {
		return Attached{}, ErrErased.Because(err)
	}
	if err != nil {
		return Attached{}, fmt.Errorf("seal a file: %w", err)
	}
	for i, f := range files {
		key := k.object(id, i+1)
		sealed, err := s.Keys.Ring.Seal(subject, r.place(key), f.Content)
		if err != nil {
			return Attached{}, fmt.Errorf("seal a file: %w", err)
		}
		if err := s.Exports.Put(ctx, key, bytes.NewReader(sealed), int64(len(sealed))); err != nil {
			return Attached{}, ErrBusy.Because(fmt.Errorf("keep a file: %w", err))
		}
	}
	return k, nil
}

// expect notes that files are about to be kept.
func (s *Service) expect(ctx context.Context, id ID, k Attached) (Request, error) {
	for try := range conflictTries {
		r, err := s.load(ctx, id)
		if err != nil {
			return Request{}, err
		}
		if err := s.answerable(r); err != nil {
			return Request{}, err
		}
		if len(r.Messages.Attached) >= maxKept {
			return Request{}, ErrBusy // broken calls go after a while
		}
		r.Messages.Attached = append(slices.Clone(r.Messages.Attached), k)
		r, err = s.keep(ctx, r)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Request{}, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Request{}, err
		}
	}
	return Request{}, ErrBusy
}

// keepFor makes what was expected part of the latest message, for its period. A call
// that took too long comes too late: its files are about to be erased.
func (r *Request) keepFor(k Attached, now time.Time, period time.Duration) error {
	i := slices.IndexFunc(r.Messages.Attached, func(x Attached) bool { return x.Key == k.Key })
	if i < 0 || now.After(k.Until.Add(-stragglers/2)) {
		return ErrBusy
	}
	r.Messages.Attached = slices.Clone(r.Messages.Attached)
	r.Messages.Attached[i] = Attached{Key: k.Key, Message: r.Messages.N, Until: now.Add(period)}
	return nil
}

// shredAt is when the next of what the person attached is erased: when its period is
// over, or the request is and whoever was still putting something away has ended.
// The zero time: there is nothing.
func (r Request) shredAt() (next time.Time) {
	for _, k := range r.Messages.Attached {
		at := k.Until
		if end := r.Closed.Add(stragglers); r.Status.Final() && end.Before(at) {
			at = end
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// shreds tells apart what is to be erased by now and what stays.
func (r Request) shreds(now time.Time) (gone, stay []Attached) {
	over := r.Status.Final() && !now.Before(r.Closed.Add(stragglers))
	for _, k := range r.Messages.Attached {
		if over || !now.Before(k.Until) {
			gone = append(gone, k)
		} else {
			stay = append(stay, k)
		}
	}
	return gone, stay
}

// shredded is the request without what is to be erased by now, and what the audit
// is told: whose files those are, by the number of the message.
func (r Request) shredded(now time.Time) (Request, []audit.Fact) {
	gone, stay := r.shreds(now)
	r.Messages.Attached = stay
	var numbers []string
	for _, k := range gone {
		if k.Message > 0 {
			numbers = append(numbers, strconv.Itoa(k.Message))
		}
	}
	return r, []audit.Fact{{Name: "messages", Value: strings.Join(numbers, ",")}}
}

// shred erases what is to be erased by now.
func (s *Service) shred(ctx context.Context, r Request, now time.Time) error {
	gone, stay := r.shreds(now)
	if len(stay) == 0 && r.Status.Final() {
		return s.erase(ctx, attachments(r.ID))
	}
	for _, k := range gone {
		if err := s.erase(ctx, k.folder(r.ID)); err != nil {
			return err
		}
	}
	return nil
}

// Faults of looking at a file.
var (
	ErrNoFile   = fault.New(fault.NotFound, "file_not_found", "There is no such file; GET the messages of the request to see what came with them.")
	ErrFileGone = fault.New(fault.Gone, "file_gone", "The file was erased: its period is over, or the request is.")
)

// Attachment returns a file of a message for an operator, files being numbered from 1.
// That they read it is recorded before.
func (s *Service) Attachment(ctx context.Context, by operator.Identity, id ID, message, file int) (File, error) {
	if err := mayHandle(by); err != nil {
		return File{}, err
	}
	r, err := s.load(ctx, id)
	if err != nil {
		return File{}, err
	}
	subject, err := s.salted(ctx, r)
	if err != nil {
		return File{}, err
	}
	m, err := s.message(ctx, r, subject, message)
	if errors.Is(err, table.ErrAbsent) || err == nil && (file < 1 || file > len(m.Files)) {
		return File{}, ErrNoFile
	}
	if err != nil {
		return File{}, fmt.Errorf("read message %d of request %s: %w", message, id, err)
	}
	f := m.Files[file-1]
	if f.Gone {
		return File{}, ErrFileGone
	}
	err = s.recordRead(ctx, by, id, audit.Fact{Name: "message", Value: strconv.Itoa(message)}, audit.Fact{Name: "file", Value: strconv.Itoa(file)})
	if err != nil {
		return File{}, unavailable(err)
	}
	f.Content, err = s.open(ctx, r, subject, Attached{Key: m.key}.object(id, file))
	if errors.Is(err, export.ErrAbsent) || errors.Is(err, seal.ErrSealed) {
		return File{}, ErrFileGone.Because(err)
	}
	return f, err
}

// open reads a file.
func (s *Service) open(ctx context.Context, r Request, subject seal.Subject, key string) ([]byte, error) {
	body, err := s.Exports.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("open a file: %w", err)
	}
	sealed, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	return s.Keys.Ring.Unseal(subject, r.place(key), sealed)
}
