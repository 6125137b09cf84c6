package receipt

import (
	"rightsdesk/shared/consent"
	"rightsdesk/shared/policy"
)

// methods says how a choice was made, so that somebody who has never seen a method
// of ours knows what it means.
var methods = map[consent.Method]policy.Text{
	consent.Form:          {"en": "A form or a switch that the person set", "fr": "Un formulaire ou un interrupteur réglé par la personne"},
	consent.Banner:        {"en": "A button in a banner", "fr": "Un bouton dans un bandeau"},
	consent.Spoken:        {"en": "In a conversation, taken down by the company", "fr": "De vive voix, noté par l'entreprise"},
	consent.Written:       {"en": "A letter or a signed paper", "fr": "Une lettre ou un papier signé"},
	consent.DoubleOptIn:   {"en": "A form, and then the button in a mail to the address", "fr": "Un formulaire, puis le bouton d'un courriel envoyé à l'adresse"},
	consent.OneClick:      {"en": "The unsubscribe button of a mail program (RFC 8058)", "fr": "Le bouton de désabonnement d'une messagerie (RFC 8058)"},
	consent.Preferences:   {"en": "The page of one's own choices", "fr": "La page de ses propres choix"},
	consent.Request:       {"en": "A request to exercise a right", "fr": "Une demande d'exercice d'un droit"},
	consent.Signal:        {"en": "A signal that the browser sent by itself", "fr": "Un signal envoyé par le navigateur"},
	consent.Imported:      {"en": "Taken over from another system, which has the evidence", "fr": "Repris d'un autre système, qui en détient la preuve"},
	consent.Ticked:        {"en": "A box that was ticked beforehand", "fr": "Une case cochée d'avance"},
	consent.ContinuedUse:  {"en": "Use was continued", "fr": "L'utilisation s'est poursuivie"},
	consent.MailFeedback:  {"en": "A mail came back, or its reader called it spam", "fr": "Un courriel est revenu, ou son lecteur l'a signalé comme indésirable"},
	consent.OperatorsWord: {"en": "Noted by a person at the company", "fr": "Noté par une personne de l'entreprise"},
	consent.Lapse:         {"en": "Its time was over", "fr": "Son délai était écoulé"},
}

var (
	untilWithdrawn = policy.Text{"en": "Until it is withdrawn", "fr": "Jusqu'à son retrait"}
	untilChosen    = policy.Text{"en": "Until the person chooses otherwise", "fr": "Jusqu'à ce que la personne en décide autrement"}
	untilConfirmed = policy.Text{"en": "Until it is confirmed by the mail that was sent", "fr": "Jusqu'à sa confirmation par le courriel envoyé"}
	untilNeedless  = policy.Text{
		"en": "Until it is no longer needed for this purpose; erasure, where it is asked for, ends it earlier",
		"fr": "Jusqu'à ce qu'elles ne soient plus nécessaires à cette fin ; un effacement, s'il est demandé, y met fin plus tôt",
	}
	orWithdrawn = policy.Text{"en": "%s, or earlier if it is withdrawn at %s", "fr": "%s, ou plus tôt en cas de retrait sur %s"}
	asNotified  = policy.Text{"en": "As the notice of the time says", "fr": "Telles que les nomme l'avis de l'époque"}
	noPhone     = policy.Text{"en": "None; please write to %s", "fr": "Aucun ; écrivez à %s"}
	ended       = policy.Text{"en": "Withdrawn on %s", "fr": "Retiré le %s"}
	overSince   = policy.Text{"en": "Expired on %s", "fr": "Expiré le %s"}
	neverBegan  = policy.Text{"en": "No consent; none to end", "fr": "Pas de consentement ; rien à retirer"}
)
