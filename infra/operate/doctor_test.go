package operate

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"rightsdesk/shared/topology"
)

// examine looks at an account and returns the report in words.
func examine(t *testing.T, a *account, look Look) (*Report, string) {
	t.Helper()
	r, err := a.open().Doctor(t.Context(), stackName, look)
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	if err := r.Print(&s); err != nil {
		t.Fatal(err)
	}
	return r, s.String()
}

func TestAHealthyInstallationHasNothingToDealWith(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	r, said := examine(t, a, Look{})
	if r.Trouble() != 0 || !strings.Contains(said, "Everything that was looked at is as it should be.") {
		t.Errorf("a healthy installation has trouble:\n%s", said)
	}
	for _, f := range topology.All {
		if !strings.Contains(said, "✓ function "+f.Name+": 1 checks, version 3") {
			t.Errorf("nothing is said of %s:\n%s", f.Name, said)
		}
	}
	if len(a.calls) > 0 {
		t.Errorf("looking changed something: %v", a.calls)
	}
}

// What is broken is found, in words that name it, with what to do about it.
func TestWhatIsBrokenIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	fails := func(name, detail, next string) map[string]any {
		return map[string]any{
			"function": "fulfil", "policy": "7", "now": today, "ok": false,
			"checks": []any{map[string]any{"name": name, "ok": false, "detail": detail, "next": next}},
		}
	}
	for name, c := range map[string]struct {
		breaks func(*account)
		says   []string
	}{
		"an update was taken back": {func(a *account) { a.status, a.why = "UPDATE_ROLLBACK_COMPLETE", "Resource X failed" }, []string{"✗ stack: UPDATE_ROLLBACK_COMPLETE", "Resource X failed"}},
		"somebody changed a table by hand": {func(a *account) {
			a.drift = "DRIFTED"
			a.resources[0].Drift = "MODIFIED"
		}, []string{"✗ drift: changed by hand: Requests000000A0 (modified)"}},
		"a table lost its recovery":           {func(a *account) { a.tables["state-1"].recoverable = false }, []string{"✗ table state: it cannot be restored to an earlier instant"}},
		"a table lost its protection":         {func(a *account) { a.tables["audit-1"].protected = false }, []string{"✗ table audit: it may be deleted by a single call"}},
		"nothing expires":                     {func(a *account) { a.tables["keys-1"].expires = false }, []string{"✗ table keys: what has expired in it is never removed"}},
		"a table is gone":                     {func(a *account) { a.tables["state-1"].deleted = true }, []string{"✗ table state", "no such table"}},
		"the key is switched off":             {func(a *account) { a.keyState = "Disabled" }, []string{"✗ KMS key: it is Disabled", "aws kms enable-key --key-id " + masterKey}},
		"the key is about to be deleted":      {func(a *account) { a.keyState = "PendingDeletion" }, []string{"✗ KMS key: it is about to be deleted", "cancel-key-deletion"}},
		"the key is not renewed":              {func(a *account) { a.rotates = false }, []string{"✗ KMS key: it is not renewed"}},
		"a function cannot start":             {func(a *account) { a.crash["Privacy-fulfil"] = "boot: the setting X is missing" }, []string{"✗ function fulfil: it fails (Unhandled): boot: the setting X is missing", "FulfilFailing"}},
		"a function is too old for the event": {func(a *account) { a.health["Privacy-notice"] = map[string]any{} }, []string{"✗ function notice: it does not know the question"}},
		"a source's role lacks an action": {func(a *account) {
			a.health["Privacy-fulfil"] = fails("source shop", "dynamodb:Query was answered with AccessDeniedException", "allow dynamodb:Query to the role r")
		}, []string{"✗ function fulfil, source shop: dynamodb:Query was answered", "allow dynamodb:Query to the role r"}},
		"a clock is wrong":                   {func(a *account) { a.health["Privacy-relay"]["now"] = today.Add(5 * time.Minute) }, []string{"✗ clock: relay and this machine are 5m0s apart"}},
		"somebody uploaded code":             {func(a *account) { a.uploaded["Privacy-closure"] = "other" }, []string{"✗ code of closure: what was uploaded last is not what is served"}},
		"an alias leads elsewhere":           {func(a *account) { a.aliases["Privacy-retention"][1] = "2" }, []string{"✗ code of retention: its aliases lead to several versions"}},
		"a schedule is off":                  {func(a *account) { a.schedules["Privacy-clocks"] = "DISABLED" }, []string{"✗ schedule deadlines/clocks: somebody switched it off"}},
		"a schedule is gone":                 {func(a *account) { delete(a.schedules, "Privacy-steps") }, []string{"✗ schedule fulfil/steps: somebody deleted it"}},
		"an alarm rings":                     {func(a *account) { a.alarms["Privacy-RelayFailing"] = alarm{state: "ALARM"} }, []string{"✗ alarm RelayFailing1: it rings since", "docs/runbooks/"}},
		"an alarm is silenced":               {func(a *account) { a.alarms["Privacy-FulfilFailing"] = alarm{state: "OK", silent: true} }, []string{"✗ alarms: nobody would hear FulfilFailing1"}},
		"an alarm is gone":                   {func(a *account) { delete(a.alarms, "Privacy-NoticeFailing") }, []string{"✗ alarm NoticeFailing1: somebody deleted it"}},
		"nobody confirmed to be told":        {func(a *account) { a.told = []string{"PendingConfirmation"} }, []string{"✗ alarms' topic: nobody has confirmed to be told"}},
		"the topic tells nobody":             {func(a *account) { a.told = nil }, []string{"✗ alarms' topic: it tells nobody"}},
		"the operator may not see the topic": {func(a *account) { a.refuse = "sns:ListSubscriptionsByTopic" }, []string{"✗ alarms' topic: it could not be looked at"}},
		"the address leads nowhere":          {func(a *account) { a.records["gone:127.0.0.1"] = true }, []string{"✗ address: 127.0.0.1 leads nowhere"}},
		"the API fails":                      {func(a *account) { a.site["/healthz"] = answer{500, ""} }, []string{"✗ address", "/healthz answers 500"}},
		"nobody is let in yet": {func(a *account) {
			a.site["/v1/policy"] = answer{503, `{"code":"not_open_yet","detail":"It has no sender."}`}
		}, []string{"✗ open: people are turned away: It has no sender.", "InstallationNotOpen"}},
		"mail is still in its sandbox":        {func(a *account) { a.ses["ProductionAccessEnabled"] = false }, []string{"✗ mail service: it is in its sandbox", "put-account-details", "eu-west-3"}},
		"the mode forgot that it left":        {func(a *account) { a.settings["RIGHTSDESK_MAIL"] = "sandbox" }, []string{"✗ mail service: it has left its sandbox"}},
		"sending is off":                      {func(a *account) { a.ses["SendingEnabled"] = false }, []string{"✗ mail service: sending is switched off"}},
		"the account is on probation":         {func(a *account) { a.ses["EnforcementStatus"] = "PROBATION" }, []string{"✗ mail service: AWS has put the account under PROBATION"}},
		"the quota is nearly used":            {func(a *account) { a.ses["SendQuota"] = map[string]any{"Max24HourSend": 200, "SentLast24Hours": 190} }, []string{"✗ mail quota: 190 of 200"}},
		"there is no sender":                  {func(a *account) { a.settings["RIGHTSDESK_SENDER"] = "-" }, []string{"✗ mail: there is no sender"}},
		"the sender is no identity":           {func(a *account) { clear(a.identities) }, []string{"✗ mail identity: neither privacy@example.org nor example.org is one"}},
		"the identity is not verified":        {func(a *account) { a.identities["example.org"]["VerifiedForSendingStatus"] = false }, []string{"✗ mail identity: example.org is not verified"}},
		"a DKIM record is missing":            {func(a *account) { delete(a.records, "t2._domainkey.example.org") }, []string{"✗ DNS t2._domainkey.example.org: the record is not there", "CNAME t2.dkim.amazonses.com"}},
		"a DKIM record leads elsewhere":       {func(a *account) { a.records["t1._domainkey.example.org"] = "old.example.net." }, []string{"✗ DNS t1._domainkey.example.org: it leads to old.example.net"}},
		"the bounce domain has no MX":         {func(a *account) { delete(a.records, "mx:bounce.example.org") }, []string{"✗ DNS bounce.example.org", "MX 10 feedback-smtp.eu-west-3.amazonses.com"}},
		"the bounce domain has no SPF":        {func(a *account) { delete(a.records, "bounce.example.org") }, []string{`TXT "v=spf1 include:amazonses.com ~all"`}},
		"there is no DMARC":                   {func(a *account) { delete(a.records, "_dmarc.example.org") }, []string{"✗ DNS _dmarc.example.org"}},
		"nobody tells of bounces":             {func(a *account) { a.events = []string{"COMPLAINT"} }, []string{"✗ bounces and complaints: the service does not tell us"}},
		"the event destination is off":        {func(a *account) { a.deaf = true }, []string{"✗ bounces and complaints: the service does not tell us"}},
		"the operator may not invoke":         {func(a *account) { a.refuse = "lambda:InvokeFunction" }, []string{"✗ function requests: it could not be looked at", "credentials that may look at this", "✗ mail: it could not be looked at"}},
		"an older stack has no such output":   {func(a *account) { clear(a.outputs) }, []string{"✗ table state: the stack Privacy has no output StateTableName", "✗ KMS key", "✗ address", "✗ alarms' topic"}},
		"the operator may not see tables":     {func(a *account) { a.refuse = "dynamodb:DescribeTable" }, []string{"✗ table state: it could not be looked at"}},
		"the operator may not see mail":       {func(a *account) { a.refuse = "ses:GetAccount" }, []string{"✗ mail service: it could not be looked at"}},
		"the operator may not see schedules":  {func(a *account) { a.refuse = "scheduler:GetSchedule" }, []string{"✗ schedule relay/announcements: it could not be looked at"}},
		"the operator may not read the audit": {func(a *account) { a.refuse = "kms:DescribeKey" }, []string{"✗ KMS key: it could not be looked at"}},
		"a function was taken out of the stack": {func(a *account) {
			a.resources = a.resources[1:]
		}, []string{"✗ function requests: the stack has none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := healthy(t)
			c.breaks(a)
			r, said := examine(t, a, Look{})
			if r.Trouble() == 0 {
				t.Errorf("nobody noticed:\n%s", said)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("the report does not say %q:\n%s", want, said)
				}
			}
			for _, f := range r.Findings {
				if f.Bad && f.Next == "" {
					t.Errorf("%s: %s, and nobody says what to do", f.What, f.Detail)
				}
			}
		})
	}
}

func TestWhatIsOnlyWorthKnowingIsNoTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changes func(*account)
		says    string
	}{
		"mail is off":                    {func(a *account) { a.settings["RIGHTSDESK_MAIL"] = "off" }, "– mail: it is off"},
		"the sandbox, and said so":       {func(a *account) { a.settings["RIGHTSDESK_MAIL"] = "sandbox"; a.ses["ProductionAccessEnabled"] = false }, "– mail service: it is in its sandbox, as MailMode says"},
		"nobody looked for drift":        {func(a *account) { a.drift = "NOT_CHECKED" }, "detect-stack-drift"},
		"the stack is not protected":     {func(a *account) { a.protected = false }, "– stack: it may be deleted by a single call"},
		"a new edition is on its way":    {func(a *account) { a.health["Privacy-relay"]["policy"] = "8" }, "– policy: functions go by several: 7 in "},
		"something that cannot be tried": {func(a *account) { a.health["Privacy-relay"]["untried"] = []string{"sending mail"} }, "– not tried: sending mail"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := healthy(t)
			c.changes(a)
			if r, said := examine(t, a, Look{}); r.Trouble() > 0 || !strings.Contains(said, c.says) {
				t.Errorf("want %q and no trouble:\n%s", c.says, said)
			}
		})
	}
}

func TestTheSimulatorIsWrittenToWhenAsked(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	_, said := examine(t, a, Look{Send: true})
	for _, who := range []string{"success", "bounce", "complaint"} {
		if !a.did("ses:SendEmail privacy@example.org " + who + "@simulator.amazonses.com set-1") {
			t.Errorf("%s was not written to: %v\n%s", who, a.calls, said)
		}
	}
}

func TestAStackThatIsNotThereIsSaidSo(t *testing.T) {
	t.Parallel()
	if _, err := healthy(t).open().Doctor(t.Context(), "Nothing", Look{}); err == nil || !strings.Contains(err.Error(), "there is no stack Nothing in eu-west-3") {
		t.Errorf("err = %v", err)
	}
}

// Whoever gives somebody credentials for doctor reads on the page what they need.
func TestThePageNamesEveryCallOfDoctor(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	var mu sync.Mutex
	account := healthy(t).open()
	account.AWS.APIOptions = append(account.AWS.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Calls", func( //nolint:misspell // the SDK spells it so
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			mu.Lock()
			made[awsmiddleware.GetOperationName(ctx)] = true
			mu.Unlock()
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	})
	if _, err := account.Doctor(t.Context(), stackName, Look{Send: true}); err != nil {
		t.Fatal(err)
	}
	for operation := range made {
		if operation == "Invoke" {
			operation = "InvokeFunction" // as IAM calls it
		}
		if !strings.Contains(string(page), operation) {
			t.Errorf("docs/operate.md does not name %s", operation)
		}
	}
	if len(made) < 14 {
		t.Errorf("only %v were made", made)
	}
}
