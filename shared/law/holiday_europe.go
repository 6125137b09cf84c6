package law

import "time"

// germany has the days that are holidays in all sixteen Länder. A day that only
// some have (Epiphany, Corpus Christi, Reformation Day) would make a date late in
// the others; Sundays, which Brandenburg lists by name, need no rule.
var germany = calendar{
	place:  "DE",
	source: "Art. 2(2) Einigungsvertrag (3 October) and the Feiertagsgesetze of all Länder, e.g. § 1 FeiertG Berlin",
	feasts: []feast{
		{name: "Neujahr", when: when{month: time.January, day: 1}},
		{name: "Karfreitag", when: when{anchor: western, day: -2}},
		{name: "Ostermontag", when: when{anchor: western, day: 1}},
		{name: "Tag der Arbeit", when: when{month: time.May, day: 1}},
		{name: "Christi Himmelfahrt", when: when{anchor: western, day: 39}},
		{name: "Pfingstmontag", when: when{anchor: western, day: 50}},
		{name: "Tag der Deutschen Einheit", when: when{month: time.October, day: 3}},
		{name: "Erster Weihnachtstag", when: when{month: time.December, day: 25}},
		{name: "Zweiter Weihnachtstag", when: when{month: time.December, day: 26}},
	},
}
