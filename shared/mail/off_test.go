package mail_test

import (
	"errors"
	"testing"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

func TestOffWritesToNobody(t *testing.T) {
	t.Parallel()
	to, _ := personal.ParseEmail("ada@example.org")
	m, err := mail.Compose(mail.Lapsed, "en", mail.Letter{To: to, Brand: "Lumen", Contact: words.Contact{Email: "dpo@lumen.example"}, Right: "access"})
	if err != nil {
		t.Fatal(err)
	}
	err = mail.Off{}.Send(t.Context(), m, "k")
	if !errors.Is(err, mail.ErrWithheld) || errors.Is(err, mail.ErrLater) || errors.Is(err, mail.ErrRefused) {
		t.Errorf("err = %v: the letter would be tried again, or the person thought to be out of reach", err)
	}
	if err := (mail.Off{}).Send(t.Context(), mail.Message{}, "k"); !errors.Is(err, mail.ErrRefused) {
		t.Errorf("a letter with a hole in it is withheld: %v", err)
	}
}
