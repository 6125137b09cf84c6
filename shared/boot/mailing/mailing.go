// Package mailing lets a function send mail through Amazon SES. Mains import it.
package mailing

import (
	"context"

	"rightsdesk/shared/boot"
	"rightsdesk/shared/mail/ses"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
)

// Part is for functions whose topology entry sends mail.
var Part = boot.Part{
	Name:   "mailing",
	Grants: func(f topology.Function) bool { return f.SendsMail },
	Fill: func(_ context.Context, a *boot.Assembly) error {
		a.Send(ses.New(sesv2.NewFromConfig(a.AWS), a.Setting(topology.Sender), a.Setting(topology.ConfigurationSet)))
		return nil
	},
}
