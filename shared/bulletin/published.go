package bulletin

// Type is one kind of event: the detail-type by which a rule on the bus chooses.
type Type struct {
	Name  string
	About []string // what the chain of the entry is about: request, closure, ...
	Does  []string // the actions of entries that make it
	Says  string   // what happened, for docs and schema
	Facts []Fact
}

// Fact is one detail of an event that an entry may tell.
type Fact struct {
	Name string // in the event
	Kind Kind
	Says string
	Of   string // name in the entry, if another
}

func (f Fact) from() string {
	if f.Of != "" {
		return f.Of
	}
	return f.Name
}

// The facts that several types tell.
var (
	right     = Fact{Name: "right", Kind: Word, Says: "What was asked for, as the policy spells it."}
	respondBy = Fact{Name: "respond_by", Kind: Instant, Says: "By when the law wants an answer."}
	work      = Fact{Name: "request", Kind: Name, Says: "The request that does the work."}
	purpose   = Fact{Name: "purpose", Kind: Word, Says: "The purpose of the policy."}
	act       = Fact{Name: "act", Kind: Word, Says: "The act of that purpose; without it, all of it."}
	method    = Fact{Name: "method", Kind: Word, Says: "How it was said: form, preferences, signal, import, and so on."}
	until     = Fact{Name: "until", Kind: Instant, Says: "Until when it stands."}
	stop      = Fact{Name: "stop", Kind: Word, Says: "What was stopped: opt_out_sale, marketing_opt_out, bounce, complaint, and so on."}
	effect    = Fact{Name: "effect", Kind: Word, Says: "none: a later choice stands already."}
	scope     = Fact{Name: "scope", Kind: Word, Says: "What is held: everything of a person, a request, a category, an item."}
	source    = Fact{Name: "source", Kind: Word, Says: "The data store, as the policy names it."}
	category  = Fact{Name: "category", Kind: Word, Says: "The category of data, as the policy names it."}
	version   = Fact{Name: "version", Kind: Version, Says: "The version of the rule."}
	run       = Fact{Name: "run", Kind: Name, Says: "The run."}
	cause     = Fact{Name: "cause", Kind: Word, Says: "What is waited for."}
)

// Types lists every kind of event.
var Types = []Type{
	{"request.received", []string{"request"}, []string{"receive"}, "Somebody asked for one of their rights.", []Fact{
		right, respondBy, {Name: "channel", Kind: Word, Says: "How it came, if an operator took it in."},
	}},
	{"request.opened", []string{"request"}, []string{"open"}, "Work began that nobody asked for in words: what the end of an account or relationship leaves.", []Fact{right, respondBy}},
	{"request.verified", []string{"request"}, []string{"verify"}, "It is known that the person asked themselves.", []Fact{
		respondBy, {Name: "how", Of: "by", Kind: Word, Says: "How: by code, by link, by the app, by an operator."},
	}},
	{"request.accepted", []string{"request"}, []string{"accept"}, "The company takes the request on.", []Fact{respondBy}},
	{"request.fulfilled", []string{"request"}, []string{"fulfil"}, "Everything is done. What there is to fetch can be fetched.", nil},
	{"request.delivered", []string{"request"}, []string{"deliver"}, "The person fetched their copy.", nil},
	{"request.denied", []string{"request"}, []string{"deny"}, "It was refused.", []Fact{{Name: "reason", Kind: Word, Says: "The code of the reason, as the law pack has it."}}},
	{"request.revoked", []string{"request"}, []string{"revoke"}, "The person took it back.", nil},
	{"request.expired", []string{"request"}, []string{"lapse"}, "Nobody confirmed it in time.", nil},
	{"request.reminded", []string{"request"}, []string{"remind"}, "A date comes near or something waits.", []Fact{
		{Name: "of", Kind: Words, Says: "Of what: T-7, T-3 and T-1 are days until the safe date; new, task, failed, answered and held wait for operators; verification and question for the person."},
	}},
	{"request.overdue", []string{"request"}, []string{"overrun"}, "The date to respond by has passed.", []Fact{{Name: "of", Kind: Words, Says: "What is told to operators."}}},
	{"request.asked", []string{"request"}, []string{"ask"}, "An operator asks the person something.", []Fact{cause, respondBy}},
	{"request.answered", []string{"request"}, []string{"answer"}, "The person wrote back.", []Fact{respondBy}},
	{"request.paused", []string{"request"}, []string{"pause"}, "Time stands still, as far as the law lets it.", []Fact{cause, respondBy}},
	{"request.resumed", []string{"request"}, []string{"resume"}, "Time goes on.", []Fact{cause, respondBy}},
	{"request.extended", []string{"request"}, []string{"extend"}, "The answer takes longer.", []Fact{
		{Name: "ground", Kind: Word, Says: "The code of the ground, as the law pack has it."}, respondBy,
	}},
	{"request.recounted", []string{"request"}, []string{"recount"}, "The dates were counted anew.", []Fact{respondBy}},

	{"closure.asked", []string{"closure"}, []string{"ask"}, "Somebody asked to close an account, and has to confirm it.", nil},
	{"closure.confirmed", []string{"closure"}, []string{"confirm", "start"}, "The owner of the account wants it closed. Until it closes they can take that back.", []Fact{
		{Name: "closes_at", Kind: Instant, Says: "When it closes."}, {Name: "gone_by", Kind: Instant, Says: "By when everything has to be gone."},
	}},
	{"closure.cancelled", []string{"closure"}, []string{"cancel"}, "The person took it back; everything is as it was.", nil},
	{"closure.lapsed", []string{"closure"}, []string{"lapse"}, "Nobody confirmed it in time.", nil},
	{"closure.closing", []string{"closure"}, []string{"begin"}, "The time to take it back is over; the data goes.", []Fact{work}},
	{"closure.closed", []string{"closure"}, []string{"close"}, "The account is closed, and what had to go is gone.", []Fact{work}},

	{"consent.given", []string{"consent"}, []string{"granted", "confirmed"}, "Somebody agreed.", []Fact{purpose, act, method, until, effect}},
	{"consent.asked", []string{"consent"}, []string{"asked"}, "Somebody agreed for an address, whose owner has to confirm it; until then it counts for nothing.", []Fact{purpose, act, method, until}},
	{"consent.refused", []string{"consent"}, []string{"denied"}, "Somebody said no.", []Fact{purpose, act, method, effect}},
	{"consent.withdrawn", []string{"consent"}, []string{"withdrawn"}, "Somebody took a consent back.", []Fact{purpose, act, method, effect}},
	{"consent.lapsed", []string{"consent"}, []string{"lapsed"}, "A consent came to its end, or was never confirmed.", []Fact{purpose, act}},
	{"consent.stopped", []string{"consent"}, []string{"stopped"}, "Somebody opted out.", []Fact{stop, method}},
	{"consent.resumed", []string{"consent"}, []string{"started"}, "An opt-out ended.", []Fact{stop, method}},
	{"consent.signalled", []string{"consent"}, []string{"signalled"}, "A browser's signal is obeyed from now on.", []Fact{stop}},
	{"consent.suppressed", []string{"consent"}, []string{"suppressed"}, "Mail to somebody came back, or was called spam.", []Fact{purpose, stop, method}},
	{"processing.halted", []string{"halt"}, []string{"halted"}, "Collection and processing were stopped, for everybody.", nil},
	{"processing.resumed", []string{"halt"}, []string{"resumed"}, "Collection and processing may go on.", nil},

	{"hold.placed", []string{"hold"}, []string{"place"}, "A legal hold begins: no covered erasure begins any more.", []Fact{scope, source, category}},
	{"hold.in_force", []string{"hold"}, []string{"in_force"}, "The last erasure from before the hold is over.", []Fact{scope, source, category}},
	{"hold.widened", []string{"hold"}, []string{"widen"}, "It covers more.", []Fact{scope, source, category}},
	{"hold.reviewed", []string{"hold"}, []string{"review"}, "Somebody looked, and it stays.", []Fact{scope, {Name: "review", Kind: Instant, Says: "When to look again."}}},
	{"hold.due", []string{"hold"}, []string{"remind"}, "It has to be looked at again.", []Fact{scope, {Name: "review", Kind: Instant, Says: "Since when."}}},
	{"hold.released", []string{"hold"}, []string{"release"}, "It is over; what was held goes its way again.", []Fact{scope, source, category}},

	{"retention.declared", []string{"sweep"}, []string{"declared", "entrusted", "watched"}, "The policy has a rule, or has it with another definition.", []Fact{version, source, category}},
	{"retention.previewed", []string{"sweep"}, []string{"previewed"}, "What the rule would take was counted.", []Fact{
		version, {Name: "total", Kind: Number, Says: "Records that there are."}, {Name: "due", Kind: Number, Says: "Of those, how many are too old."}, {Name: "held", Kind: Number, Says: "Of those, how many a hold keeps."},
	}},
	{"retention.activated", []string{"sweep"}, []string{"activated"}, "The rule is obeyed from now on.", []Fact{version}},
	{"retention.paused", []string{"sweep"}, []string{"paused"}, "The rule rests.", []Fact{version}},
	{"retention.braked", []string{"sweep"}, []string{"braked"}, "The rule would take more than a day may, and waits for an operator.", []Fact{
		version, run, {Name: "taken", Kind: Number, Says: "Records taken that day."}, {Name: "limit", Kind: Number, Says: "How many a day may take."},
	}},
	{"retention.confirmed", []string{"sweep"}, []string{"confirmed"}, "An operator lets the rule go on.", []Fact{version}},
	{"retention.swept", []string{"sweep"}, []string{"ended"}, "A run of the rule is over.", []Fact{
		run,
		{Name: "seen", Kind: Number, Says: "Records looked at."},
		{Name: "done", Kind: Number, Says: "Records that went."},
		{Name: "kept", Kind: Number, Says: "Records that another rule keeps."},
		{Name: "held", Kind: Number, Says: "Records that a hold keeps."},
		{Name: "verified", Kind: Truth, Says: "Whether a second look found them gone."},
	}},
	{"retention.retired", []string{"sweep"}, []string{"retired"}, "The policy has the rule no more.", []Fact{version}},
	{"erasure.braked", []string{"salts"}, []string{"braked"}, "More keys of erased people are due than a day may destroy; an operator has to confirm.", []Fact{
		{Name: "destroyed", Kind: Number, Says: "Keys destroyed that day."}, {Name: "allowed", Kind: Number, Says: "How many a day may destroy."},
	}},
	{"erasure.confirmed", []string{"salts"}, []string{"confirmed"}, "An operator lets it go on.", []Fact{{Name: "extra", Kind: Number, Says: "How many more."}}},

	{"policy.published", []string{"policy"}, []string{"published"}, "Another policy is in force.", []Fact{
		{Name: "version", Kind: Version, Says: "The version of the policy."},
		{Name: "was", Kind: Version, Says: "The version before it."},
		{Name: "edition", Kind: Number, Says: "The number of the edition."},
		{Name: "origin", Kind: Word, Says: "Where it came from: operator, bucket, file, settings."},
		{Name: "digest", Kind: Digest, Says: "SHA-256 of the file."},
	}},
	{"installation.opened", []string{"policy"}, []string{"opened"}, "Nothing is missing any more: people are served.", nil},
	{"installation.shut", []string{"policy"}, []string{"shut"}, "Something is missing: people are answered that it is not open yet.", []Fact{{Name: "lacks", Kind: Words, Says: "What is missing."}}},
	{"checkpoint.sealed", []string{"checkpoint"}, []string{"sealed"}, "The entries of the audit since the last checkpoint are sealed. Kept elsewhere, the digest proves that none was changed since.", []Fact{
		{Name: "n", Kind: Number, Says: "The number of the checkpoint."}, {Name: "count", Kind: Number, Says: "How many entries it seals."}, {Name: "checkpoint", Kind: Digest, Says: "SHA-256 of the checkpoint."},
	}},

	{"mail.withheld", []string{"request", "closure", "consent", "digest"}, []string{"withheld"}, "A letter was written to nobody: this installation sends no mail, or its mail service did not take the address while it is in its sandbox.", []Fact{
		{Name: "letter", Of: "mail", Kind: Word, Says: "Which letter, such as ready or denied."}, purpose,
	}},
}

// silence is what is not told, and why.
type silence struct {
	about string
	does  []string // nil: everything
	why   string
}

var silent = []silence{
	{"request", []string{"look", "work", "retry"}, "how the work goes on is of use to operators only, who see it"},
	{"request", []string{"resend", "confirm", "said"}, "letters and codes are between the person and us"},
	{"request", []string{"assign"}, "it names an operator"},
	{"request", []string{"clear", "shred"}, "a copy's period is over, as was told when it was made"},
	{"request", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"closure", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"consent", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"consent", []string{"told"}, "a letter about a consent that ends"},
	{"consent", []string{"linked", "forgotten"}, "who is who is nobody else's to know"},
	{"consent", []string{"passed_on", "not_passed_on"}, "the stores were told themselves"},
	{"halt", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"hold", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"sweep", []string{"began"}, "its end is told"},
	{"sweep", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"salts", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"policy", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"checkpoint", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"digest", []string{"restored"}, "a replay after a restore tells nothing new"},
	{"erased", nil, "its chain is named by a keyed hash of an identity"},
	{"life", nil, "the company's own systems told us of it"},
	{"operator", nil, "it names an operator"},
	{"replay", nil, "operators began it, and see how it goes on"},
	{"digest", []string{"send", "park"}, "a letter to operators, or an alarm"},
}

type move struct{ about, action string }

// made are the types by what makes them.
var made = func() map[move]Type {
	all := map[move]Type{}
	for _, t := range Types {
		for _, about := range t.About {
			for _, action := range t.Does {
				all[move{about, action}] = t
			}
		}
	}
	return all
}()

// kept reports whether it was decided that an entry is not told.
func kept(about, action string) bool {
	for _, s := range silent {
		if s.about != about {
			continue
		}
		if s.does == nil {
			return true
		}
		for _, a := range s.does {
			if a == action {
				return true
			}
		}
	}
	return false
}

// Silent lists what is not told though it is recorded, by what it is about. Where it is
// everything the list is empty.
func Silent() map[string][]string {
	all := map[string][]string{}
	for _, s := range silent {
		all[s.about] = append(all[s.about], s.does...)
	}
	return all
}
