package consent

import (
	"context"

	"rightsdesk/shared/personal"
)

// MailLink mails a link to their preferences to whoever owns the address. Whether
// the address is known is told to nobody.
func (s *Service) MailLink(ctx context.Context, to personal.Email, locale, from string) error {
	return errUnwritten
}
