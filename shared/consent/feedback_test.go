package consent

import (
	"testing"
	"time"

	"rightsdesk/shared/policy"
)

// A list that is none of ours tells nobody which mail was meant: all of it ends.
func TestAComplaintAboutAnUnknownListIsAboutAllMail(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", "spring_sale", "ada@example.org", "advertising"} {
		o := openOffice(t, 0)
		who := byMail(adaAddress)
		o.grants(who, "newsletter", "survey")
		o.pass(time.Hour)
		if err := o.Heed(o.ctx(), Feedback{Address: address(t, adaAddress), Stop: policy.Complained, List: list, At: o.clock(), MessageID: "m1"}); err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []string{"newsletter", "survey"} {
			if why := o.why(who, purpose); why != "false complaint" {
				t.Errorf("%q: %s: %s", list, purpose, why)
			}
		}
		sub, _ := o.stored(who)
		if e := o.entries(ChainOf(sub.ID)); factOfEntry(e[len(e)-1], "purpose") != "" || len(sub.Lists) != 0 {
			t.Errorf("%q is kept", list)
		}
	}
}

// Whoever subscribed after a bounce wants the mail; if that bounces too, it ends
// again. The same event, or an older one, changes nothing.
func TestABounceAfterSubscribingAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	who := byMail(adaAddress)
	bounce := func(at time.Time, message string) {
		t.Helper()
		if err := o.Heed(o.ctx(), Feedback{Address: address(t, adaAddress), Stop: policy.Bounced, At: at, MessageID: message}); err != nil {
			t.Fatal(err)
		}
	}
	first := o.clock()
	bounce(first, "m1")
	o.pass(time.Hour)
	bounce(o.clock(), "m2") // the company mails on
	o.pass(time.Hour)
	o.grants(who, "newsletter")
	o.pass(time.Hour)
	bounce(first, "m1")
	bounce(first.Add(30*time.Minute), "m3") // the event was late
	if why := o.why(who, "newsletter"); why != "true consent" {
		t.Errorf("after subscribing again: %s", why)
	}
	bounce(o.clock(), "m4")
	bounce(o.clock(), "m4")
	if why := o.why(who, "newsletter"); why != "false bounce" {
		t.Errorf("after the second bounce: %s", why)
	}
	sub, _ := o.stored(who)
	if got := o.actions(ChainOf(sub.ID)); got != "suppressed granted suppressed" {
		t.Errorf("the chain: %s", got)
	}
}
