package operate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strings"

	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// mail looks at the mail service and at the DNS records of the sender's domain. What
// is missing there only whoever keeps the domain can add.
func (a *Account) mail(ctx context.Context, r *Report, settings map[string]string, send bool) {
	mode, known := settings[string(topology.MailMode)]
	if !known {
		r.Bad("mail", "it could not be looked at: no function told how it writes", "see to the functions above, and look again")
		return
	}
	if mode == "off" {
		r.Note("mail", "it is off: nobody is written to", "")
		return
	}
	sender := settings[string(topology.Sender)]
	from, err := mail.ParseAddress(sender)
	if sender == "" || sender == topology.NoValue || err != nil {
		r.Bad("mail", "there is no sender", "set the stack's parameter Sender, or MailMode to off")
		return
	}
	client := sesv2.NewFromConfig(a.AWS)
	a.mailAccount(ctx, r, client, mode)
	a.mailIdentity(ctx, r, client, from.Address)
	a.mailSet(ctx, r, client, settings[string(topology.ConfigurationSet)])
	if send {
		a.simulate(ctx, r, client, sender, settings[string(topology.ConfigurationSet)])
	}
}

func (a *Account) mailAccount(ctx context.Context, r *Report, client *sesv2.Client, mode string) {
	const what = "mail service"
	out, err := client.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		r.Failed(what, err)
		return
	}
	const ask = "aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url <yours> --region "
	switch {
	case !out.ProductionAccessEnabled && mode == "sandbox":
		r.Note(what, "it is in its sandbox, as MailMode says: only verified addresses are written to", ask+a.AWS.Region)
	case !out.ProductionAccessEnabled:
		r.Bad(what, "it is in its sandbox: only verified addresses are written to", ask+a.AWS.Region+"; until it is granted, set MailMode to sandbox")
	case mode == "sandbox":
		r.Bad(what, "it has left its sandbox, and MailMode still says sandbox", "set the stack's parameter MailMode to on")
	default:
		r.Good(what, "out of its sandbox")
	}
	if !out.SendingEnabled {
		r.Bad(what, "sending is switched off", "see the account's reputation in the SES console; AWS says there why")
	}
	if s := aws.ToString(out.EnforcementStatus); s != "" && s != "HEALTHY" {
		r.Bad(what, "AWS has put the account under "+s, "too many bounces or complaints, also of other programs in this account; answer AWS's mail about it")
	}
	if q := out.SendQuota; q != nil && q.Max24HourSend > 0 {
		used := fmt.Sprintf("%.0f of %.0f mails of 24 hours are used, %.0f a second", q.SentLast24Hours, q.Max24HourSend, q.MaxSendRate)
		if q.SentLast24Hours > 0.8*q.Max24HourSend {
			r.Bad("mail quota", used, "ask for more in Service Quotas: what is over the quota waits until tomorrow")
		} else {
			r.Good("mail quota", used)
		}
	}
}

// mailIdentity looks for the address itself first and then for its domain, as the
// service does.
func (a *Account) mailIdentity(ctx context.Context, r *Report, client *sesv2.Client, address string) {
	_, domain, _ := strings.Cut(address, "@")
	name := address
	out, err := client.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
	if code(err) == "NotFoundException" {
		name = domain
		out, err = client.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
	}
	if code(err) == "NotFoundException" {
		r.Bad("mail identity", "neither "+address+" nor "+domain+" is one", "verify the domain in SES, or set SenderIdentity to create")
		return
	}
	if err != nil {
		r.Failed("mail identity", err)
		return
	}
	if out.VerifiedForSendingStatus {
		r.Good("mail identity", name+" is verified")
	} else {
		r.Bad("mail identity", name+" is not verified", "make the DNS records below; the service looks for them for 72 hours, then start it again in the SES console")
	}
	if d := out.DkimAttributes; d != nil {
		a.dkim(ctx, r, d, domain)
	}
	if m := out.MailFromAttributes; m != nil && aws.ToString(m.MailFromDomain) != "" {
		a.mailFrom(ctx, r, *m.MailFromDomain)
	}
	a.dmarc(ctx, r, domain)
}

// dkim looks each record up: what the service saw last may be days old.
func (a *Account) dkim(ctx context.Context, r *Report, d *types.DkimAttributes, domain string) {
	if !d.SigningEnabled {
		r.Bad("DKIM", "mail is not signed", "switch DKIM on for the identity in SES")
	}
	zone := strings.TrimSuffix(aws.ToString(d.SigningHostedZone), ".")
	if zone == "" {
		zone = "dkim.amazonses.com"
	}
	for _, token := range d.Tokens {
		host, want := token+"._domainkey."+domain, token+"."+zone
		got, err := a.names().LookupCNAME(ctx, host)
		if got = strings.TrimSuffix(strings.ToLower(got), "."); err == nil && got == strings.ToLower(want) {
			r.Good("DNS "+host, "CNAME "+want)
			continue
		}
		r.Bad("DNS "+host, found(got, err), "add the record: CNAME "+want)
	}
	if len(d.Tokens) > 0 && d.Status != types.DkimStatusSuccess {
		r.Note("DKIM", "the service has it as "+string(d.Status), "once the records are there it looks again by itself")
	}
}

func (a *Account) mailFrom(ctx context.Context, r *Report, domain string) {
	want := "feedback-smtp." + a.AWS.Region + ".amazonses.com"
	mx, err := a.names().LookupMX(ctx, domain)
	if slices.ContainsFunc(mx, func(m *net.MX) bool { return strings.EqualFold(strings.TrimSuffix(m.Host, "."), want) }) {
		r.Good("DNS "+domain, "MX "+want)
	} else {
		r.Bad("DNS "+domain, found("", err), "add the record: MX 10 "+want)
	}
	txt, err := a.names().LookupTXT(ctx, domain)
	if slices.ContainsFunc(txt, func(t string) bool {
		return strings.HasPrefix(t, "v=spf1 ") && strings.Contains(t, "include:amazonses.com")
	}) {
		r.Good("DNS "+domain, "SPF includes the service")
	} else {
		r.Bad("DNS "+domain, found("", err), `add the record: TXT "v=spf1 include:amazonses.com ~all"`)
	}
}

func (a *Account) dmarc(ctx context.Context, r *Report, domain string) {
	host := "_dmarc." + domain
	txt, err := a.names().LookupTXT(ctx, host)
	if slices.ContainsFunc(txt, func(t string) bool { return strings.HasPrefix(t, "v=DMARC1") }) {
		r.Good("DNS "+host, "DMARC")
		return
	}
	r.Bad("DNS "+host, found("", err), `large receivers refuse mail of domains without it; add the record: TXT "v=DMARC1; p=none"`)
}

// found says what a look-up gave instead of what was wanted.
func found(got string, err error) string {
	none, ok := errors.AsType[*net.DNSError](err)
	switch {
	case ok && none.IsNotFound, err == nil && got == "":
		return "the record is not there"
	case err != nil:
		return "it could not be looked up: " + err.Error()
	}
	return "it leads to " + got
}

// mailSet sees that the service tells us what became of mail.
func (a *Account) mailSet(ctx context.Context, r *Report, client *sesv2.Client, set string) {
	const what = "bounces and complaints"
	out, err := client.GetConfigurationSetEventDestinations(ctx, &sesv2.GetConfigurationSetEventDestinationsInput{ConfigurationSetName: &set})
	if err != nil {
		r.Failed(what, err)
		return
	}
	told := map[types.EventType]bool{}
	for _, d := range out.EventDestinations {
		if !d.Enabled || d.EventBridgeDestination == nil {
			continue
		}
		for _, t := range d.MatchingEventTypes {
			told[t] = true
		}
	}
	if told[types.EventTypeBounce] && told[types.EventTypeComplaint] {
		r.Good(what, "the service tells us")
		return
	}
	r.Bad(what, "the service does not tell us", "deploy again: the configuration set "+set+" has lost its event destination")
}

// simulate writes to the service's own simulator, which costs no reputation.
func (a *Account) simulate(ctx context.Context, r *Report, client *sesv2.Client, sender, set string) {
	for _, who := range []string{"success", "bounce", "complaint"} {
		to := who + "@simulator.amazonses.com"
		text := func(s string) *types.Content { return &types.Content{Data: &s} }
		_, err := client.SendEmail(ctx, &sesv2.SendEmailInput{
			FromEmailAddress: &sender, ConfigurationSetName: &set, Destination: &types.Destination{ToAddresses: []string{to}},
			Content: &types.EmailContent{Simple: &types.Message{Subject: text("doctor"), Body: &types.Body{Text: text("This is a test of the mail service.")}}},
		})
		if err != nil {
			r.Failed("mail to "+to, err)
			continue
		}
		r.Good("mail to "+to, "taken by the service")
	}
	r.Note("mail to the simulator", "what comes back is heard by mailevents", "in a few minutes no alarm MailEventsFailing or MailEventsParked must ring")
}
