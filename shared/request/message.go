package request

import (
	"context"
	"time"

	"rightsdesk/shared/law"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
)

// Dialogue is where the messages between an operator and the person stand.
type Dialogue struct {
	N        int       `json:"n,omitempty"`        // messages so far; they are numbered from 1
	Asked    int       `json:"asked,omitempty"`    // number of the last that an operator wrote
	Answered int       `json:"answered,omitempty"` // number of the last that the person wrote
	Nudge    time.Time `json:"nudge,omitzero"`     // when the person is reminded of a question
	Attached time.Time `json:"attached,omitzero"`  // since when something that they attached is kept; zero: nothing is
	Shred    time.Time `json:"shred,omitzero"`     // when that is erased at the latest
	Shredded int       `json:"shredded,omitempty"` // what came with messages up to this one was erased
}

// attachments is how the keys of what a person attached begin.
func attachments(id ID) string { return prefix(id) + "messages/" }

// Message is one letter of the dialogue.
type Message struct {
	N     int
	At    time.Time
	By    string    // an actor: ByPerson, or an operator
	Cause law.Cause // of a question that is waited for; empty: none
	Proof law.Proof // that a question asks for; empty: none
	Text  personal.Text
	Files []File
}

// File is something attached to a message.
type File struct {
	Name    personal.Text
	Type    string // application/pdf, image/png, image/jpeg, text/plain
	Size    int
	Content []byte // on its way in or out; nil in a list
	Gone    bool   // its period is over, it was erased
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

// Ask sends the person a question.
func (s *Service) Ask(ctx context.Context, by operator.Identity, id ID, q Question, c Call) (Status, error) {
	return "", ErrNotNow
}

// Reply takes in what the person writes. The waiting for it is over then.
func (s *Service) Reply(ctx context.Context, id ID, token string, a Reply, c Call) (Status, error) {
	return "", ErrNotNow
}

// Messages returns the dialogue for the person.
func (s *Service) Messages(ctx context.Context, id ID, token string) ([]Message, error) {
	return nil, ErrNotNow
}

// MessagesFor returns the dialogue for an operator. That they read it is recorded before.
func (s *Service) MessagesFor(ctx context.Context, by operator.Identity, id ID) ([]Message, error) {
	return nil, ErrNotNow
}

// Attachment returns a file of a message for an operator, files being numbered from 1.
// That they read it is recorded before.
func (s *Service) Attachment(ctx context.Context, by operator.Identity, id ID, message, file int) (File, error) {
	return File{}, ErrNotFound
}

// write adds a message to r, to be committed with it.
func (s *Service) write(ctx context.Context, r *Request, by string, text personal.Text) error {
	return nil
}

// lastQuestion is what an operator wrote last.
func (s *Service) lastQuestion(ctx context.Context, r Request) (personal.Text, error) {
	return personal.Text{}, nil
}
