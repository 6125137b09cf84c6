package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Dialogue is where the messages between an operator and the person stand.
type Dialogue struct {
	N        int       `json:"n,omitempty"`        // messages so far; they are numbered from 1
	Asked    int       `json:"asked,omitempty"`    // number of the last that an operator wrote
	Answered int       `json:"answered,omitempty"` // number of the last that the person wrote
	Nudge    time.Time `json:"nudge,omitzero"`     // when the person is reminded of a question
	// Causes are what questions wait for: the answer ends that, and not what is
	// waited for outside of the messages.
	Causes   []law.Cause `json:"causes,omitempty"`
	Attached []Attached  `json:"attached,omitempty"` // what the person attached and was not erased yet
}

// Attached is the files that came with one message.
type Attached struct {
	Key     string    `json:"key"`         // of the objects, after attachments and before the number of each
	Message int       `json:"n,omitempty"` // 0: of a call that has not ended
	Until   time.Time `json:"until"`       // when they are erased at the latest
}

// Message is one letter of the dialogue.
type Message struct {
	N     int
	At    time.Time
	By    string    // an actor: ByPerson, or an operator
	Cause law.Cause // of a question that is waited for; empty: none
	Proof law.Proof // that a question asks for; empty: none
	Text  personal.Text
	Files []File

	decides bool   // it explains how something that was weighed ended
	key     string // of its files
	seq     int64  // of the audit entry it was committed with
}

// Question is what an operator asks the person.
type Question struct {
	Text personal.Text
	// Cause is why we wait for the answer; where the law stops for it, time does.
	// Empty: a message that nothing waits for.
	Cause law.Cause
	Proof law.Proof // what is asked for to show who they are; goes with law.Identity
}

// Reply is what the person writes.
type Reply struct {
	Text  personal.Text
	Files []File
}

const (
	// maxMessages is how many messages there are at most before the person is sent
	// elsewhere; operators may write some more, to bring it to an end.
	maxMessages = 50
	moreToAsk   = 20
	// nudgeAfter is how long a question may stay unanswered before the person is
	// reminded of it, once.
	nudgeAfter = 7 * 24 * time.Hour
)

// tooMany is the fault of a dialogue that has become too long.
func (s *Service) tooMany() error {
	return fault.New(fault.Conflict, "too_many_messages", "There are too many messages about this request; write to "+s.Policy.Contact.Email+" instead.")
}

func checkWords(text personal.Text, needed bool) []fault.Field {
	n := utf8.RuneCountInString(text.Reveal())
	if n > maxText || needed && strings.TrimSpace(text.Reveal()) == "" {
		return []fault.Field{{Pointer: "/text", Text: "must say something, in at most 8000 characters"}}
	}
	return nil
}

// Ask sends the person a question. What waiting for the answer does to time is
// the law's to say; that we wait is recorded also where it does nothing.
func (s *Service) Ask(ctx context.Context, by operator.Identity, id ID, q Question, c Call) (Status, error) {
	if err := mayHandle(by); err != nil {
		return "", err
	}
	if bad := q.check(); len(bad) > 0 {
		return "", fault.Input(bad...)
	}
	return s.simple(ctx, id, Ask, by.Actor(), c, func(r Request) (detail, error) {
		if !r.Can(Ask) || !r.Proof.Proven() { // who was not mailed a code yet, or never is, cannot be asked
			return detail{}, ErrNotNow
		}
		if r.Messages.N >= maxMessages+moreToAsk {
			return detail{}, s.tooMany()
		}
		if err := s.mayProve(r, q.Proof); err != nil {
			return detail{}, err
		}
		facts, err := s.write(ctx, &r, Message{By: by.Actor(), Cause: q.Cause, Proof: q.Proof, Text: q.Text})
		if err != nil {
			return detail{}, err
		}
		if q.Cause != "" {
			moved, err := s.wait(&r, q.Cause)
			if err != nil {
				return detail{}, err
			}
			facts = append(facts, moved...)
			r.Messages.Nudge = s.now().Add(nudgeAfter)
			if !slices.Contains(r.Messages.Causes, q.Cause) {
				r.Messages.Causes = append(slices.Clone(r.Messages.Causes), q.Cause)
			}
		}
		if r.Owner == "" {
			r.Owner = by.ID
		}
		return detail{r: r, facts: facts, say: []mail.Kind{mail.Asked}}, nil
	})
}

func (q Question) check() []fault.Field {
	bad := checkWords(q.Text, true)
	if q.Cause != "" && !slices.Contains(law.Causes, q.Cause) {
		bad = append(bad, causeField("/cause"))
	}
	if q.Proof != "" && q.Cause != law.Identity {
		bad = append(bad, fault.Field{Pointer: "/proof", Text: "goes with the cause identity only"})
	}
	return bad
}

// mayProve refuses a proof that the policy does not name for the right, or that
// the law forbids.
func (s *Service) mayProve(r Request, p law.Proof) error {
	if p == "" {
		return nil
	}
	if refusal, no := law.Forbids(r.Law, string(r.Right), p); no {
		return fault.Input(fault.Field{Pointer: "/proof", Text: "must not be asked for under " + r.Law + " (" + refusal.Article + ")"})
	}
	allowed := s.rule(r.Right).Proof
	if p == law.NoProof || !slices.Contains(allowed, p) {
		var words []string
		for _, a := range allowed {
			if _, no := law.Forbids(r.Law, string(r.Right), a); !no && a != law.NoProof {
				words = append(words, string(a))
			}
		}
		if len(words) == 0 {
			return fault.Input(fault.Field{Pointer: "/proof", Text: "must be left out: the policy asks for no proof with this right"})
		}
		return fault.Input(fault.Field{Pointer: "/proof", Text: "must be what the policy asks for with this right: " + strings.Join(words, ", ")})
	}
	return nil
}

// Reply takes in what the person writes. The waiting for it is over then.
func (s *Service) Reply(ctx context.Context, id ID, token string, a Reply, c Call) (Status, error) {
	r, _, err := s.Authorize(ctx, id, token)
	if err != nil {
		return "", err
	}
	files, bad := checkFiles(a.Files)
	if bad = append(checkWords(a.Text, len(a.Files) == 0), bad...); len(bad) > 0 {
		return "", fault.Input(bad...)
	}
	if p, ok, err := s.replayed(r, Answer, c); err != nil || ok {
		return p.Status, err
	}
	var kept Attached
	if len(files) > 0 {
		if kept, err = s.attach(ctx, id, files); err != nil {
			return "", err
		}
	}
	return s.simple(ctx, id, Answer, ByPerson, c, func(r Request) (detail, error) {
		if err := s.answerable(r); err != nil {
			return detail{}, err
		}
		m := Message{By: ByPerson, Text: a.Text, Files: files, key: kept.Key}
		facts, err := s.write(ctx, &r, m)
		if err != nil {
			return detail{}, err
		}
		if len(files) > 0 {
			if err := r.keepFor(kept, s.now(), s.Policy.Verification.AttachmentPeriod); err != nil {
				return detail{}, err
			}
		}
		r.Messages.Nudge = time.Time{}
		moved, err := s.goOn(&r, r.Messages.Causes...)
		return detail{r: r, facts: append(facts, moved...)}, err
	})
}

// answerable returns nil if the person can write now.
func (s *Service) answerable(r Request) error {
	switch {
	case !r.Can(Answer):
		return ErrNotNow
	case r.Messages.N >= maxMessages:
		return s.tooMany()
	}
	return nil
}

const messagePrefix = "message#"

func messageSort(n int) string { return fmt.Sprintf("%s%06d", messagePrefix, n) }

func (id ID) messageRef(n int) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: id.Partition(), Sort: messageSort(n)}}
}

// storedMessage is Message as it is stored. What people wrote is sealed.
type storedMessage struct {
	At      time.Time    `json:"at"`
	By      string       `json:"by"`
	Cause   law.Cause    `json:"cause,omitempty"`
	Proof   law.Proof    `json:"proof,omitempty"`
	Words   []byte       `json:"words"` // sealed: storedWords
	Files   []storedFile `json:"files,omitempty"`
	Key     string       `json:"key,omitempty"`
	Decides bool         `json:"decides,omitempty"`
	Seq     int64        `json:"seq"`
}

type storedFile struct {
	Type string `json:"type"`
	Size int    `json:"size"`
}

type storedWords struct {
	Text  string   `json:"text"`
	Names []string `json:"names,omitempty"` // of the files
}

const messageSchema = 1

// write adds a message to r, to be committed with it, and returns what the audit
// is told of it: numbers, and nothing of what it says.
func (s *Service) write(ctx context.Context, r *Request, m Message) ([]audit.Fact, error) {
	subject, err := s.Keys.Load(ctx, r.Holder)
	if errors.Is(err, seal.ErrSealed) {
		return nil, ErrErased.Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	r.Messages.N++
	n := r.Messages.N
	words := storedWords{Text: m.Text.Reveal()}
	stored := storedMessage{
		At: s.now(), By: m.By, Cause: m.Cause, Proof: m.Proof, Key: m.key, Decides: m.decides, Seq: r.Head.Seq + 1,
	}
	for _, f := range m.Files {
		words.Names = append(words.Names, f.Name.Reveal())
		stored.Files = append(stored.Files, storedFile{f.Type, f.Size})
	}
	plain, err := json.Marshal(words)
	if err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	if stored.Words, err = s.Keys.Ring.Seal(subject, r.place(messageSort(n)), plain); err != nil {
		return nil, fmt.Errorf("seal a message: %w", err)
	}
	body, err := json.Marshal(stored)
	if err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	r.also = append(slices.Clone(r.also), table.Put(table.State, table.Item{Key: r.ID.messageRef(n).Key, Schema: messageSchema, Body: body}, table.New))
	if m.By == ByPerson {
		r.Messages.Answered = n
	} else {
		r.Messages.Asked = n
	}
	facts := []audit.Fact{{Name: "message", Value: strconv.Itoa(n)}}
	if m.Proof != "" {
		facts = append(facts, audit.Fact{Name: "proof", Value: string(m.Proof)})
	}
	if len(m.Files) > 0 {
		facts = append(facts, audit.Fact{Name: "files", Value: strconv.Itoa(len(m.Files))})
	}
	return facts, nil
}

// readMessage decodes a message. Once the person's salt is destroyed it has no words.
func (s *Service) readMessage(r Request, subject seal.Subject, item table.Item) (Message, error) {
	number, ok := strings.CutPrefix(item.Key.Sort, messagePrefix)
	n, err := strconv.Atoi(number)
	if !ok || err != nil || item.Schema != messageSchema {
		return Message{}, fmt.Errorf("request: item %s %s has schema %d, this version reads %d", item.Key.Partition, item.Key.Sort, item.Schema, messageSchema)
	}
	var stored storedMessage
	if err := json.Unmarshal(item.Body, &stored); err != nil {
		return Message{}, fmt.Errorf("decode message %d of request %s: %w", n, r.ID, err)
	}
	m := Message{
		N: n, At: stored.At, By: stored.By, Cause: stored.Cause, Proof: stored.Proof,
		key: stored.Key, decides: stored.Decides, seq: stored.Seq,
	}
	var words storedWords
	plain, err := s.Keys.Ring.Unseal(subject, r.place(item.Key.Sort), stored.Words)
	if err == nil {
		err = json.Unmarshal(plain, &words)
	}
	if err != nil && !errors.Is(err, seal.ErrSealed) {
		return Message{}, fmt.Errorf("open message %d of request %s: %w", n, r.ID, err)
	}
	m.Text = personal.MakeText(words.Text)
	there := slices.ContainsFunc(r.Messages.Attached, func(k Attached) bool { return k.Message == n })
	for i, f := range stored.Files {
		file := File{Type: f.Type, Size: f.Size, Gone: !there}
		if i < len(words.Names) {
			file.Name = personal.MakeText(words.Names[i])
		}
		m.Files = append(m.Files, file)
	}
	return m, nil
}

// salted is whoever's salt the request's words hang on, without one if it is destroyed.
func (s *Service) salted(ctx context.Context, r Request) (seal.Subject, error) {
	subject, err := s.Keys.Load(ctx, r.Holder)
	if errors.Is(err, seal.ErrSealed) {
		return seal.Subject{}, nil
	}
	return subject, err
}

// messageItems yields the messages as they are stored.
func (s *Service) messageItems(ctx context.Context, r Request) (items []table.Item, err error) {
	if r.Messages.N == 0 {
		return nil, nil
	}
	q := table.Query{Table: table.State, Partition: r.ID.Partition(), Prefix: messagePrefix}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read the messages of request %s: %w", r.ID, err)
		}
		items = append(items, page.Items...)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return items, nil
		}
	}
}

func (s *Service) messages(ctx context.Context, r Request) ([]Message, error) {
	items, err := s.messageItems(ctx, r)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	subject, err := s.salted(ctx, r)
	if err != nil {
		return nil, err
	}
	list := make([]Message, 0, len(items))
	for _, item := range items {
		m, err := s.readMessage(r, subject, item)
		if err != nil {
			return nil, err
		}
		if m.N <= r.Messages.N { // a later one was committed after the request was read
			list = append(list, m)
		}
	}
	return list, nil
}

// Messages returns the dialogue for the person.
func (s *Service) Messages(ctx context.Context, id ID, token string) ([]Message, error) {
	r, _, err := s.Authorize(ctx, id, token)
	if err != nil {
		return nil, err
	}
	return s.messages(ctx, r)
}

// MessagesFor returns the dialogue for an operator. That they read it is recorded before.
func (s *Service) MessagesFor(ctx context.Context, by operator.Identity, id ID) ([]Message, error) {
	if err := mayHandle(by); err != nil {
		return nil, err
	}
	r, err := s.load(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.recordRead(ctx, by, id); err != nil {
		return nil, unavailable(err)
	}
	return s.messages(ctx, r)
}

// message reads one message.
func (s *Service) message(ctx context.Context, r Request, subject seal.Subject, n int) (Message, error) {
	if n < 1 || n > r.Messages.N {
		return Message{}, table.ErrAbsent
	}
	item, err := s.Table.Get(ctx, r.ID.messageRef(n))
	if err != nil {
		return Message{}, err
	}
	return s.readMessage(r, subject, item)
}

// quoted is what a letter repeats of the dialogue: what an operator wrote last when
// the letter was promised. A reminder repeats the question that waits, the answer to
// what was weighed its explanation, whatever was written since.
func (s *Service) quoted(ctx context.Context, r Request, a Announcement) (personal.Text, error) {
	subject, err := s.salted(ctx, r)
	if err != nil {
		return personal.Text{}, err
	}
	for n := r.Messages.Asked; n > 0; n-- {
		m, err := s.message(ctx, r, subject, n)
		if errors.Is(err, table.ErrAbsent) {
			continue // a restore has lost it
		}
		if err != nil {
			return personal.Text{}, fmt.Errorf("read message %d of request %s: %w", n, r.ID, err)
		}
		switch {
		case m.By == ByPerson, m.seq > a.Seq, a.Kind == mail.StillAsked && m.Cause == "", a.Kind == mail.Decided && !m.decides:
			continue
		}
		return m.Text, nil
	}
	return personal.Text{}, nil
}
