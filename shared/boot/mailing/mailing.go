// Package mailing lets a function send mail through Amazon SES, or to nobody if the
// installation sends none, and read to whom SES writes no more. Mains import it.
package mailing

import (
	"context"
	"fmt"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/mail/ses"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
)

// Part is for functions whose topology entry sends mail.
var Part = boot.Part{
	Name:   "mailing",
	Grants: func(f topology.Function) bool { return f.SendsMail },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		by := ses.New(sesv2.NewFromConfig(a.AWS), a.Setting(topology.Sender), a.Setting(topology.ConfigurationSet))
		switch mode := a.Setting(topology.MailMode); mode {
		case topology.MailOn:
			a.Send(by)
		case topology.MailSandbox:
			a.Send(by.InSandbox(a.Log))
		case topology.MailOff:
			a.Send(mail.Off{})
		default:
			return unknown(mode)
		}
		return nil
	},
}

// Suppressions is for functions whose topology entry reads the list of SES. Where
// nobody is written to there is none to read: SES is not in every region.
var Suppressions = boot.Part{
	Name:   "suppressions",
	Grants: func(f topology.Function) bool { return f.Suppressions },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		switch mode := a.Setting(topology.MailMode); mode {
		case topology.MailOn, topology.MailSandbox:
			a.Consents.Suppressions = ses.SuppressionsOf(sesv2.NewFromConfig(a.AWS))
		case topology.MailOff:
			a.Consents.Suppressions = mail.Off{}
		default:
			return unknown(mode)
		}
		return nil
	},
}

func unknown(mode string) error {
	return fmt.Errorf("%s is %q; it may be %s, %s or %s", topology.MailMode, mode, topology.MailOn, topology.MailSandbox, topology.MailOff)
}
