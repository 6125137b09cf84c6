package mailing_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/boot/mailing"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/job"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// What becomes of a letter that the mail service refuses because of its sandbox, by the
// mode of the installation.
func TestTheMailModeDecidesWhoIsWrittenTo(t *testing.T) {
	var calls atomic.Int32
	ses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.Header().Set("X-Amzn-Errortype", "MessageRejected")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"message":"Email address is not verified. The following identities failed the check in region EU-WEST-3: ada@example.org"}`))
	}))
	defer ses.Close()
	to, _ := personal.ParseEmail("ada@example.org")
	letter, err := mail.Compose(mail.Lapsed, "en", mail.Letter{To: to, Brand: "Lumen", Contact: words.Contact{Email: "dpo@lumen.example"}, Right: "access"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(string(topology.Sender), "privacy@lumen.example")
	t.Setenv(string(topology.ConfigurationSet), "set")
	for mode, want := range map[string]struct {
		err   error
		calls int32
	}{
		topology.MailOn: {mail.ErrLater, 1}, topology.MailSandbox: {mail.ErrWithheld, 1}, topology.MailOff: {mail.ErrWithheld, 0},
	} {
		t.Setenv(string(topology.MailMode), mode)
		a := &boot.Assembly{Function: topology.Relay, Desk: desk.New(desk.Ground{Log: slog.New(slog.DiscardHandler)}), AWS: aws.Config{
			Region: "eu-west-3", BaseEndpoint: &ses.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}}
		if err := mailing.Part.Fill(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		calls.Store(0)
		if err := a.Requests.Mail.Send(t.Context(), letter, "k"); !errors.Is(err, want.err) || calls.Load() != want.calls {
			t.Errorf("%s: %d calls, %v", mode, calls.Load(), err)
		}
	}
	t.Setenv(string(topology.MailMode), "loud")
	err = mailing.Part.Fill(t.Context(), &boot.Assembly{Function: topology.Relay, Desk: desk.New(desk.Ground{})})
	if err == nil || !strings.Contains(err.Error(), `"loud"`) || !strings.Contains(err.Error(), "sandbox") {
		t.Errorf("a mode that there is not: %v", err)
	}
}

// Where nobody is written to, the mail service is not asked whom it writes to no more.
func TestTheMailModeDecidesWhetherTheListIsRead(t *testing.T) {
	var calls atomic.Int32
	ses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = w.Write([]byte(`{}`))
	}))
	defer ses.Close()
	for mode, want := range map[string]bool{topology.MailOn: true, topology.MailSandbox: true, topology.MailOff: false} {
		t.Setenv(string(topology.MailMode), mode)
		a := &boot.Assembly{Function: topology.MailEvents, Desk: desk.New(desk.Ground{Now: time.Now}), AWS: aws.Config{
			Region: "eu-west-3", BaseEndpoint: &ses.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}}
		if err := mailing.Suppressions.Fill(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		calls.Store(0)
		if _, err := job.Jobs(a.Desk)["mailevents"]["suppressions"](t.Context()); err != nil || calls.Load() > 0 != want {
			t.Errorf("%s: %d calls, %v", mode, calls.Load(), err)
		}
	}
	t.Setenv(string(topology.MailMode), "loud")
	err := mailing.Suppressions.Fill(t.Context(), &boot.Assembly{Function: topology.MailEvents, Desk: desk.New(desk.Ground{})})
	if err == nil || !strings.Contains(err.Error(), `"loud"`) || !strings.Contains(err.Error(), "sandbox") {
		t.Errorf("a mode that there is not: %v", err)
	}
}
