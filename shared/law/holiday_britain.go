package law

import "time"

const bankHolidays = "Banking and Financial Dealings Act 1971, Schedule 1, and proclamations under section 1"

// unitedKingdom has the days that are bank holidays in all of its jurisdictions:
// what is known of a controller of which only the country is known.
var unitedKingdom = calendar{
	place:  "GB",
	source: bankHolidays,
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: weekendMonday},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Early May bank holiday", when: after(time.May, 1, time.Monday), to: 2019},
		{
			name: "Early May bank holiday", when: on(time.May, 8), from: 2020, to: 2020,
			source: "Royal Proclamation: moved to the 75th anniversary of VE Day",
		},
		{name: "Early May bank holiday", when: after(time.May, 1, time.Monday), from: 2021},
		{name: "Spring bank holiday", when: after(time.May, 25, time.Monday), to: 2021},
		{
			name: "Spring bank holiday", when: on(time.June, 2), from: 2022, to: 2022,
			source: "Royal Proclamation: moved to the Platinum Jubilee",
		},
		{name: "Spring bank holiday", when: after(time.May, 25, time.Monday), from: 2023},
		{
			name: "Platinum Jubilee bank holiday", when: on(time.June, 3), from: 2022, to: 2022,
			source: "Royal Proclamation for the Platinum Jubilee",
		},
		{
			name: "Bank holiday for the State Funeral of Queen Elizabeth II", when: on(time.September, 19), from: 2022, to: 2022,
			source: "Royal Proclamation of 10 September 2022",
		},
		{
			name: "Bank holiday for the coronation of King Charles III", when: on(time.May, 8), from: 2023, to: 2023,
			source: "Royal Proclamation for the coronation",
		},
		{name: "Christmas Day", when: on(time.December, 25), moved: weekendTwoOn},
		{name: "Boxing Day", when: on(time.December, 26), moved: weekendTwoOn},
	},
}

var englishAndWelsh = []feast{
	{name: "Easter Monday", when: easterly(easterMonday)},
	{name: "Summer bank holiday", when: after(time.August, 25, time.Monday)},
}

var england = calendar{place: "GB-ENG", source: bankHolidays, feasts: englishAndWelsh, besides: &unitedKingdom}

var wales = calendar{place: "GB-WLS", source: bankHolidays, feasts: englishAndWelsh, besides: &unitedKingdom}

var scotland = calendar{
	place:  "GB-SCT",
	source: bankHolidays,
	feasts: []feast{
		{name: "2nd January", when: on(time.January, 2), moved: secondOfJanuary},
		{
			name: "World Cup bank holiday", when: on(time.June, 15), from: 2026, to: 2026,
			source: "Royal Proclamation of 4 February 2026 (Scotland)",
		},
		{name: "Summer bank holiday", when: after(time.August, 1, time.Monday)},
		{
			name: "Saint Andrew's Day", when: on(time.November, 30), moved: weekendMonday,
			source: "St Andrew's Day Bank Holiday (Scotland) Act 2007",
		},
	},
	besides: &unitedKingdom,
}

var northernIreland = calendar{
	place:  "GB-NIR",
	source: bankHolidays,
	feasts: []feast{
		{name: "Saint Patrick's Day", when: on(time.March, 17), moved: weekendMonday},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Battle of the Boyne", when: on(time.July, 12), moved: weekendMonday},
		{name: "Summer bank holiday", when: after(time.August, 25, time.Monday)},
	},
	besides: &unitedKingdom,
}
