package law

import "time"

// australia has the days that are holidays in every state on the same date. What
// a state substitutes for one on a weekend is not here.
var australia = calendar{
	place:  "AU",
	source: "Fair Work Act 2009, s. 115(1)(a)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Australia Day", when: on(time.January, 26)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Anzac Day", when: on(time.April, 25)},
		{
			name: "National Day of Mourning", when: on(time.September, 22), from: 2022, to: 2022,
			source: "Public holiday of 22 September 2022, declared by every state and territory",
		},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Boxing Day", when: on(time.December, 26)},
	},
}

// newZealand: the weeks about the New Year that a statute excludes from its working
// days are no holidays; they belong to the pack of that statute.
var newZealand = calendar{
	place:  "NZ",
	source: "Holidays Act 2003, s. 44 to 45A",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: weekendTwoOn},
		{name: "Day after New Year's Day", when: on(time.January, 2), moved: weekendTwoOn},
		{name: "Waitangi Day", when: on(time.February, 6), moved: weekendMonday},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Anzac Day", when: on(time.April, 25), moved: weekendMonday},
		{name: "Sovereign's Birthday", when: after(time.June, 1, time.Monday)},
		// The moon decides; the Act lists the days.
		{name: "Matariki", when: on(time.June, 24), from: 2022, to: 2022, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 14), from: 2023, to: 2023, source: matarikiAct},
		{name: "Matariki", when: on(time.June, 28), from: 2024, to: 2024, source: matarikiAct},
		{name: "Matariki", when: on(time.June, 20), from: 2025, to: 2025, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 10), from: 2026, to: 2026, source: matarikiAct},
		{name: "Matariki", when: on(time.June, 25), from: 2027, to: 2027, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 14), from: 2028, to: 2028, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 6), from: 2029, to: 2029, source: matarikiAct},
		{name: "Matariki", when: on(time.June, 21), from: 2030, to: 2030, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 11), from: 2031, to: 2031, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 2), from: 2032, to: 2032, source: matarikiAct},
		{name: "Matariki", when: on(time.June, 24), from: 2033, to: 2033, source: matarikiAct},
		{name: "Matariki", when: on(time.July, 7), from: 2034, to: 2034, source: matarikiAct},
		{name: "Matariki", when: on(time.June, 29), from: 2035, to: 2035, source: matarikiAct},
		{
			name: "Queen Elizabeth II Memorial Day", when: on(time.September, 26), from: 2022, to: 2022,
			source: "Queen Elizabeth II Memorial Day Act 2022",
		},
		{name: "Labour Day", when: after(time.October, 22, time.Monday)},
		{name: "Christmas Day", when: on(time.December, 25), moved: weekendTwoOn},
		{name: "Boxing Day", when: on(time.December, 26), moved: weekendTwoOn},
	},
}

const matarikiAct = "Te Kāhui o Matariki Public Holiday Act 2022, Schedule 1"

// india has the three national holidays. All others are appointed each year.
var india = calendar{
	place:  "IN",
	source: "National holidays, as the Department of Personnel and Training lists them each year",
	feasts: []feast{
		{name: "Republic Day", when: on(time.January, 26)},
		{name: "Independence Day", when: on(time.August, 15)},
		{name: "Gandhi Jayanti", when: on(time.October, 2)},
	},
}
