// Package ses carries mail to Amazon SES, version 2 of its interface. It is an
// adapter of mail.Sender. Mail goes out in the structured form, so that SES, and
// not string handling of ours, writes the headers.
package ses

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/mail"
)

// Sender sends through one SES identity.
type Sender struct {
	client           *sesv2.Client
	from             string
	configurationSet string
	sandbox          *slog.Logger // nil: the account is expected to be out of it
}

var _ mail.Sender = (*Sender)(nil)

// New returns a sender. From is a verified identity, with a display name or
// without; the configuration set reports bounces, and may be empty.
func New(client *sesv2.Client, from, configurationSet string) *Sender {
	return &Sender{client: client, from: from, configurationSet: configurationSet}
}

// InSandbox returns a sender that knows that SES writes to verified addresses only, until
// it is told that the account may leave its sandbox. A letter to another address is
// withheld then, and not tried for ever.
func (s *Sender) InSandbox(log *slog.Logger) *Sender {
	c := *s
	c.sandbox = log
	return &c
}

// Tags that SES repeats in every event about a mail.
const (
	tagAnnouncement = "announcement"
	tagStream       = "stream"
)

// Announcement is how events about a mail name the announcement with that key.
// The key itself holds ids and does not leave the installation.
func Announcement(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Send makes one attempt. SES cannot recognise a repetition: if the answer is
// lost, the mail may have gone out, and the caller's next attempt sends it once
// more. The SDK's own attempts would add to that unseen, so they are off.
func (s *Sender) Send(ctx context.Context, m mail.Message, key string) error {
	if err := m.Valid(); err != nil {
		return err
	}
	_, err := s.client.SendEmail(ctx, s.input(m, key), func(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} })
	switch {
	case err == nil:
		return nil
	case s.sandbox != nil && unverified(err) && !names(err, s.from):
		s.sandbox.WarnContext(ctx, "the mail service is in its sandbox, and wrote to nobody; verify the address or ask to leave the sandbox", "announcement", Announcement(key))
		return fmt.Errorf("%w: SES is in its sandbox", mail.ErrWithheld)
	}
	return translate(err)
}

// names reports whether SES complains about the sender's own address: that is no sandbox
// but a mistake, which somebody has to mend.
func names(err error, from string) bool {
	address := from
	if a, err := netmail.ParseAddress(from); err == nil {
		address = a.Address
	}
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && strings.Contains(strings.ToLower(api.ErrorMessage()), strings.ToLower(address))
}

// unverified reports whether SES refused a mail because of an identity that it does not
// know. The words are all that tells this from a mail that it holds for harmful.
func unverified(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "MessageRejected" && strings.Contains(api.ErrorMessage(), "not verified")
}

func (s *Sender) input(m mail.Message, key string) *sesv2.SendEmailInput {
	content := &types.Message{
		Subject: utf8(m.Subject),
		Body:    &types.Body{Text: utf8(m.Text.Reveal())},
	}
	if html := m.HTML.Reveal(); html != "" {
		content.Body.Html = utf8(html)
	}
	for _, h := range m.Headers {
		content.Headers = append(content.Headers, types.MessageHeader{Name: aws.String(h.Name), Value: aws.String(h.Value)})
	}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(s.from),
		Destination:      &types.Destination{ToAddresses: []string{m.To.Reveal()}},
		Content:          &types.EmailContent{Simple: content},
		EmailTags: []types.MessageTag{
			{Name: aws.String(tagAnnouncement), Value: aws.String(Announcement(key))},
			{Name: aws.String(tagStream), Value: aws.String(string(m.Stream))},
		},
	}
	if reply := m.ReplyTo.Reveal(); reply != "" {
		in.ReplyToAddresses = []string{reply}
	}
	if s.configurationSet != "" {
		in.ConfigurationSetName = aws.String(s.configurationSet)
	}
	return in
}

func utf8(s string) *types.Content {
	return &types.Content{Data: aws.String(s), Charset: aws.String("UTF-8")}
}

// translate says what an error of SES means for the mail. Only what is about
// this mail is refused; what is about the account (throttled, paused, suspended,
// still in the sandbox, a wrong permission) waits until somebody has mended it,
// because the person is still owed the mail. The text of SES is not passed on:
// it repeats addresses.
func translate(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok { // no answer, or not one of SES: it may have been sent
		return fmt.Errorf("%w: no answer from SES%s", mail.ErrLater, why(err))
	}
	code := api.ErrorCode()
	verdict := mail.ErrLater
	switch code {
	case "MessageRejected":
		// In the sandbox, and for an identity that is not verified yet, SES uses the
		// same code as for a mail that it holds for harmful.
		if !unverified(err) {
			verdict = mail.ErrRefused
		}
	case "BadRequestException":
		verdict = mail.ErrRefused
	}
	return fmt.Errorf("%w: SES answered %s", verdict, code)
}

// why names what is known to hold no address.
func why(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ": " + context.DeadlineExceeded.Error()
	case errors.Is(err, context.Canceled):
		return ": " + context.Canceled.Error()
	}
	return ""
}
