package export

import (
	"strconv"
	"strings"
	"time"
)

// words is what a package says in one language.
type words struct {
	Language string // BCP 47

	Title, Intro map[Right]string
	RightName    map[Right]string

	Facts, Request, Right, Received, Made, Controller, Contact, Authority string

	Files, FileData, FileCSV, FileCSVLine                      string
	Summary, System, Category, Outcome, Records, Note          string
	Result                                                     map[Result]string
	Ignored, IgnoredWhy                                        string
	Categories, Purposes, Sources, Recipients, Retention, None string

	HeldNotShown, CredentialsHeld, CategoryHeld, NotPortable, NothingHere, SeeSummary string
	Record, Collected, AllIn, FirstOf, Skip                                           string
	Footer                                                                            string

	months []string // none: as Go names them
}

var catalogue = map[string]words{"en": english, "fr": french}

// wordsIn returns the words of a language, the English ones if there are none.
func wordsIn(language string) words {
	language, _, _ = strings.Cut(strings.ToLower(language), "-")
	if w, ok := catalogue[language]; ok {
		return w
	}
	return english
}

// Date says the day of t in the zone that t carries.
func (w words) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if w.months == nil {
		return t.Format("2 January 2006")
	}
	return strconv.Itoa(t.Day()) + " " + w.months[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

var english = words{
	Language: "en",
	Title: map[Right]string{
		Access:      "Your personal data",
		Portability: "Your data, to take with you",
		Know:        "What we know about you",
	},
	Intro: map[Right]string{
		Access:      "This package answers your request for access. It holds the personal data that we found about you, what we use it for, and who receives it.",
		Portability: "This package answers your request for portability. It holds the data that you provided or that your use of our service produced, in formats that other services can read. What we concluded about you is not part of it; a request for access shows that.",
		Know:        "This document answers your request to know. It lists the categories of personal information that we collect, where they come from, what they are for, and who receives them. It shows no specific pieces of information.",
	},
	RightName: map[Right]string{Access: "Access", Portability: "Portability", Know: "Know"},

	Facts: "The request", Request: "Request", Right: "Right", Received: "Received", Made: "Package made", Controller: "Responsible", Contact: "Contact", Authority: "Where to complain",

	Files: "What is in this package", FileData: "Everything, for programs.", FileCSV: "One table for each category, for spreadsheets. An apostrophe before = + - or @ keeps a spreadsheet from calculating the text; data.json has it without.",
	Summary: "Where we looked", System: "System", Category: "Category", Outcome: "Outcome", Records: "Records", Note: "Note",
	Result: map[Result]string{
		Found: "Found", Nothing: "Nothing found", Held: "Held, not shown", Kept: "Kept back", Apart: "Answered apart", Processor: "Held for another company",
	},
	Ignored: "What you named and we did not use", IgnoredWhy: "Nothing proved these to be yours, so we did not search with them:",
	Categories: "The data", Purposes: "Used for", Sources: "Comes from", Recipients: "Received by", Retention: "Kept for", None: "None",

	HeldNotShown: "held, not shown", CredentialsHeld: "Credentials: held, never shown.", CategoryHeld: "We hold data of this category. It may not be shown.",
	NotPortable: "This is what we concluded from other data. It is not part of this package; a request for access shows it.",
	NothingHere: "Nothing found.", SeeSummary: "Nothing of it is in this package; the table above says why.",
	Record: "Record", Collected: "Collected", AllIn: "All records, as a table:", FirstOf: "Shown here are the first %d of %d records. The rest is in the table and in data.json.", Skip: "Skip to the data",
	Footer: "This page loads nothing from the network. Keep the package where only you can read it.",
}

var french = words{
	Language: "fr",
	Title: map[Right]string{
		Access:      "Vos données personnelles",
		Portability: "Vos données, à emporter",
		Know:        "Ce que nous savons de vous",
	},
	Intro: map[Right]string{
		Access:      "Ce dossier répond à votre demande d'accès. Il contient les données personnelles que nous avons trouvées à votre sujet, leurs finalités et leurs destinataires.",
		Portability: "Ce dossier répond à votre demande de portabilité. Il contient les données que vous avez fournies ou que votre utilisation de notre service a produites, dans des formats que d'autres services peuvent lire. Ce que nous en avons déduit n'en fait pas partie ; une demande d'accès le montre.",
		Know:        "Ce document répond à votre demande d'information. Il énumère les catégories de données personnelles que nous recueillons, leurs sources, leurs finalités et leurs destinataires. Il ne montre aucune donnée particulière.",
	},
	RightName: map[Right]string{Access: "Accès", Portability: "Portabilité", Know: "Information"},

	Facts: "La demande", Request: "Demande", Right: "Droit", Received: "Reçue le", Made: "Dossier établi le", Controller: "Responsable", Contact: "Contact", Authority: "Où porter plainte",

	Files: "Contenu du dossier", FileData: "Tout, pour les programmes.", FileCSV: "Un tableau par catégorie, pour les tableurs. Une apostrophe devant = + - ou @ empêche le tableur de calculer le texte ; data.json le contient sans elle.",
	Summary: "Où nous avons cherché", System: "Système", Category: "Catégorie", Outcome: "Résultat", Records: "Enregistrements", Note: "Remarque",
	Result: map[Result]string{
		Found: "Trouvé", Nothing: "Rien trouvé", Held: "Détenu, non communiqué", Kept: "Retenu", Apart: "Réponse à part", Processor: "Détenu pour une autre entreprise",
	},
	Ignored: "Ce que vous avez indiqué et que nous n'avons pas utilisé", IgnoredWhy: "Rien n'a prouvé que cela vous appartient ; nous ne l'avons donc pas utilisé pour chercher :",
	Categories: "Les données", Purposes: "Finalités", Sources: "Sources", Recipients: "Destinataires", Retention: "Conservation", None: "Aucun",

	HeldNotShown: "détenu, non communiqué", CredentialsHeld: "Identifiants secrets : détenus, jamais communiqués.", CategoryHeld: "Nous détenons des données de cette catégorie. Elles ne peuvent pas être communiquées.",
	NotPortable: "C'est ce que nous avons déduit d'autres données. Cela ne fait pas partie de ce dossier ; une demande d'accès le montre.",
	NothingHere: "Rien trouvé.", SeeSummary: "Rien n'en figure dans ce dossier ; le tableau ci-dessus dit pourquoi.",
	Record: "Enregistrement", Collected: "Recueilli le", AllIn: "Tous les enregistrements, sous forme de tableau :", FirstOf: "Voici les %d premiers enregistrements sur %d. Les autres sont dans le tableau et dans data.json.", Skip: "Aller aux données",
	Footer: "Cette page ne charge rien depuis le réseau. Conservez ce dossier là où vous seul pouvez le lire.",

	months: []string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
}
