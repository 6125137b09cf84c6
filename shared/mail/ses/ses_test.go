package ses_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/mail/ses"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

// service stands in for SES at the level of the wire: it records what arrives,
// which the SDK has signed and encoded, and answers as told.
type service struct {
	*httptest.Server
	answer func(w http.ResponseWriter)

	mu    sync.Mutex
	calls int
	body  map[string]any
	path  string
}

// seen returns how often SES was called.
func (s *service) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func start(t *testing.T, answer func(w http.ResponseWriter)) *service {
	t.Helper()
	s := &service{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.calls++
		s.path = r.Method + " " + r.URL.Path
		if err := json.Unmarshal(b, &s.body); err != nil {
			t.Errorf("%v: %s", err, b)
		}
		s.mu.Unlock()
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
			t.Error("the call is not signed")
		}
		s.answer(w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) sender() *ses.Sender {
	return ses.New(sesv2.New(sesv2.Options{
		Region: "eu-west-3", BaseEndpoint: aws.String(s.URL),
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}), "Lumen <privacy@lumen.example>", "rightsdesk")
}

func accepted(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"MessageId":"m-1"}`) }

func refused(status int, code, message string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
	}
}

func message(t *testing.T) mail.Message {
	t.Helper()
	to, _ := personal.ParseEmail("ada@example.org")
	m, err := mail.Compose(mail.Lapsed, "en", mail.Letter{To: to, Brand: "Lumen", Contact: words.Contact{Email: "dpo@lumen.example"}, Right: "access"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatArrivesAtSES(t *testing.T) {
	t.Parallel()
	s := start(t, accepted)
	m := message(t)
	if err := s.sender().Send(t.Context(), m, "mail#r_1#3"); err != nil {
		t.Fatal(err)
	}
	if s.path != "POST /v2/email/outbound-emails" {
		t.Errorf("the call is %s", s.path)
	}
	utf8 := func(data string) map[string]any { return map[string]any{"Charset": "UTF-8", "Data": data} }
	want := map[string]any{
		"FromEmailAddress":     "Lumen <privacy@lumen.example>",
		"ReplyToAddresses":     []any{"dpo@lumen.example"},
		"Destination":          map[string]any{"ToAddresses": []any{"ada@example.org"}},
		"ConfigurationSetName": "rightsdesk",
		"EmailTags": []any{
			map[string]any{"Name": "announcement", "Value": "c92d85c78053de1901d11e9473398c4b"},
			map[string]any{"Name": "stream", "Value": "legal"},
		},
		"Content": map[string]any{"Simple": map[string]any{
			"Subject": utf8("Your request to Lumen has ended"),
			"Body":    map[string]any{"Text": utf8(m.Text.Reveal()), "Html": utf8(m.HTML.Reveal())},
			"Headers": []any{map[string]any{"Name": "Auto-Submitted", "Value": "auto-generated"}},
		}},
	}
	got, _ := json.MarshalIndent(s.body, "", " ")
	wanted, _ := json.MarshalIndent(want, "", " ")
	if string(got) != string(wanted) {
		t.Errorf("got %s\nwant %s", got, wanted)
	}
}

func TestWhatAnErrorMeans(t *testing.T) {
	t.Parallel()
	const address = "ada@example.org"
	tests := map[string]struct {
		answer func(http.ResponseWriter)
		want   error
	}{
		"throttled":           {refused(429, "TooManyRequestsException", "Maximum sending rate exceeded."), mail.ErrLater},
		"over the day's mail": {refused(400, "LimitExceededException", "Daily message quota exceeded."), mail.ErrLater},
		"paused":              {refused(400, "SendingPausedException", "Sending is paused."), mail.ErrLater},
		"suspended":           {refused(400, "AccountSuspendedException", "Suspended."), mail.ErrLater},
		"domain not verified": {refused(400, "MailFromDomainNotVerifiedException", "Not verified."), mail.ErrLater},
		"no such set":         {refused(404, "NotFoundException", "Configuration set <x> does not exist."), mail.ErrLater},
		"no permission":       {refused(403, "AccessDeniedException", "User is not authorized to perform ses:SendEmail on "+address), mail.ErrLater},
		"their fault":         {refused(500, "InternalServiceErrorException", "Oops."), mail.ErrLater},
		"in the sandbox":      {refused(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region EU-WEST-3: "+address), mail.ErrLater},
		"held for harmful":    {refused(400, "MessageRejected", "Message contains a virus; to "+address), mail.ErrRefused},
		"impossible address":  {refused(400, "BadRequestException", "Missing final '@domain' in "+address), mail.ErrRefused},
		"the answer is lost": {func(w http.ResponseWriter) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}, mail.ErrLater},
		"half an answer": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"MessageId":`) }, mail.ErrLater},
		"not SES at all": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway); _, _ = io.WriteString(w, "<html>") }, mail.ErrLater},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.answer)
			err := s.sender().Send(t.Context(), message(t), "k")
			if !errors.Is(err, tt.want) || errors.Is(err, mail.ErrLater) == errors.Is(err, mail.ErrRefused) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if strings.Contains(err.Error(), address) {
				t.Errorf("the error names the address: %v", err)
			}
			if n := s.seen(); n != 1 {
				t.Errorf("SES was called %d times: each call may have sent the mail", n)
			}
		})
	}
}

// In its sandbox SES writes to addresses that it knows only. Nobody is owed another try
// then, unless it is the sender whom SES does not know.
func TestInTheSandboxALetterToAStrangerIsWithheld(t *testing.T) {
	t.Parallel()
	const failed = "Email address is not verified. The following identities failed the check in region EU-WEST-3: "
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		want   error
	}{
		"a stranger":     {refused(400, "MessageRejected", failed+"ada@example.org"), mail.ErrWithheld},
		"the sender":     {refused(400, "MessageRejected", failed+"privacy@lumen.example"), mail.ErrLater},
		"both":           {refused(400, "MessageRejected", failed+"Privacy@Lumen.example, ada@example.org"), mail.ErrLater},
		"a virus":        {refused(400, "MessageRejected", "Message contains a virus"), mail.ErrRefused},
		"over the quota": {refused(400, "LimitExceededException", "Daily message quota exceeded."), mail.ErrLater},
		"somebody known": {accepted, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			s := start(t, tt.answer)
			err := s.sender().InSandbox(slog.New(slog.NewTextHandler(&log, nil))).Send(t.Context(), message(t), "k")
			if !errors.Is(err, tt.want) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
			if warned := strings.Contains(log.String(), "level=WARN msg=\"the mail service is in its sandbox"); warned != errors.Is(tt.want, mail.ErrWithheld) {
				t.Errorf("the log says %q", log.String())
			}
			if strings.Contains(log.String(), "ada") || err != nil && strings.Contains(err.Error(), "ada") {
				t.Errorf("an address is told: %v, %s", err, log.String())
			}
		})
	}
}

func TestAnImpatientCallerMaySendAgain(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := start(t, func(http.ResponseWriter) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.sender().Send(ctx, message(t), "k"); !errors.Is(err, mail.ErrLater) {
		t.Errorf("err = %v, want ErrLater", err)
	}
}

func TestWhatCannotBeSentDoesNotLeave(t *testing.T) {
	t.Parallel()
	s := start(t, accepted)
	m := message(t)
	m.Headers = []mail.Header{{Name: "X-A", Value: "a\r\nBcc: eve@example.net"}}
	if err := s.sender().Send(t.Context(), m, "k"); !errors.Is(err, mail.ErrRefused) || s.seen() != 0 {
		t.Errorf("err = %v after %d calls, want ErrRefused and none", err, s.seen())
	}
}

func TestAnAnnouncementHasOneName(t *testing.T) {
	t.Parallel()
	if ses.Announcement("a") == ses.Announcement("b") {
		t.Error("the name does not tell announcements apart")
	}
	if name := ses.Announcement("mail#r_1#3"); strings.Contains(name, "r_1") || len(name) != 32 {
		t.Errorf("got %q", name)
	}
}
