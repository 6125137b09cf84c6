package law

import "time"

// unitedStates has the holidays of the federation, which its agencies keep.
var unitedStates = calendar{
	place:  "US",
	source: "5 U.S.C. § 6103; Executive Order 11582",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: nearest},
		{name: "Martin Luther King, Jr. Day", when: after(time.January, 15, time.Monday)},
		{name: "Washington's Birthday", when: after(time.February, 15, time.Monday)},
		{name: "Memorial Day", when: after(time.May, 25, time.Monday)},
		{name: "Juneteenth", when: on(time.June, 19), moved: nearest, from: 2021, source: "Public Law 117-17"},
		{name: "Independence Day", when: on(time.July, 4), moved: nearest},
		{name: laborDay, when: after(time.September, 1, time.Monday)},
		{name: "Columbus Day", when: after(time.October, 8, time.Monday)},
		{name: "Veterans Day", when: on(time.November, 11), moved: nearest},
		{name: "Thanksgiving Day", when: after(time.November, 22, time.Thursday)},
		{name: "Christmas Day", when: on(time.December, 25), moved: nearest},
	},
}

const laborDay = "Labor Day" //nolint:misspell // so it is written where it is kept

// californianState has the days on which the state's offices are closed: the list
// of § 19853(a). "Business day" in 11 CCR § 7021 and 7026 is not defined, and there
// is a longer list that can be meant: § 6700, through § 7 and 9 of the Civil Code,
// which the CCPA is a part of. On the days that only § 6700 names (Lunar New Year,
// Lincoln Day on 12 February, Genocide Remembrance Day, Juneteenth, Admission Day,
// Native American Day, Columbus Day, Diwali) the state works, but for those of its
// employees who take one of them instead of another day. Of the two lists the
// shorter never makes a date late. Whether Saturday is a business day, as § 9 of the
// Civil Code has it, is no matter of holidays.
//
// A holiday on a Sunday is kept on Monday; one on a Saturday is not moved, but for
// Veterans Day (§ 19853(b), 6701).
var californianState = calendar{
	place:  "US-CA",
	source: "Cal. Gov. Code § 19853(a) and (b); § 6700, 6701",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: sundayMonday},
		{name: "Martin Luther King, Jr. Day", when: after(time.January, 15, time.Monday)},
		{name: "Presidents' Day", when: after(time.February, 15, time.Monday)},
		// § 19853(a) does not name it, and in 2026 the Legislature set out to rename it.
		{name: "State holiday of 31 March", when: on(time.March, 31), moved: sundayMonday},
		{name: "Memorial Day", when: after(time.May, 25, time.Monday)},
		{name: "Independence Day", when: on(time.July, 4), moved: sundayMonday},
		{name: laborDay, when: after(time.September, 1, time.Monday)},
		{name: "Veterans Day", when: on(time.November, 11), moved: nearest},
		{name: "Thanksgiving Day", when: after(time.November, 22, time.Thursday)},
		{name: "Day after Thanksgiving", when: after(time.November, 23, time.Friday)},
		{name: "Christmas Day", when: on(time.December, 25), moved: sundayMonday},
	},
}

// canadian has the holidays of every federal statute, PIPEDA among them. Easter
// Monday is one; Boxing Day is none, nor is any substitute but for Canada Day:
// those are days off work under the Canada Labour Code, which sets no period of
// time for an answer.
var canadian = calendar{
	place:  "CA",
	source: "Interpretation Act (R.S.C. 1985, c. I-21), s. 35(1) \"holiday\"",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Victoria Day", when: after(time.May, 18, time.Monday)},
		{name: "Canada Day", when: on(time.July, 1), moved: sundayMonday, source: "Holidays Act (R.S.C. 1985, c. H-5), s. 2"},
		{name: "Labour Day", when: after(time.September, 1, time.Monday)},
		{
			name: "National Day for Truth and Reconciliation", when: on(time.September, 30), from: 2021,
			source: "Interpretation Act, s. 35(1) as amended by S.C. 2021, c. 11, s. 3",
		},
		{name: "Thanksgiving Day", when: after(time.October, 8, time.Monday), source: "Interpretation Act, s. 35(1); Proclamation of 31 January 1957"},
		{name: "Remembrance Day", when: on(time.November, 11)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

var alberta = calendar{
	place:  "CA-AB",
	source: "Employment Standards Code (R.S.A. 2000, c. E-9), s. 25(1)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Alberta Family Day", when: after(time.February, 15, time.Monday)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Victoria Day", when: after(time.May, 18, time.Monday)},
		{name: "Canada Day", when: on(time.July, 1), moved: sundayMonday},
		{name: "Labour Day", when: after(time.September, 1, time.Monday)},
		{name: "Thanksgiving Day", when: after(time.October, 8, time.Monday)},
		{name: "Remembrance Day", when: on(time.November, 11)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

// britishColumbia: "day" in its Personal Information Protection Act is neither a
// Saturday nor a holiday, so these count for every period there.
var britishColumbia = calendar{
	place:  "CA-BC",
	source: "Interpretation Act (R.S.B.C. 1996, c. 238), s. 29 \"holiday\"",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Family Day", when: after(time.February, 15, time.Monday)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Victoria Day", when: after(time.May, 18, time.Monday)},
		{name: "Canada Day", when: on(time.July, 1), moved: sundayMonday},
		{name: "British Columbia Day", when: after(time.August, 1, time.Monday)},
		{name: "Labour Day", when: after(time.September, 1, time.Monday)},
		{name: "National Day for Truth and Reconciliation", when: on(time.September, 30), from: 2023},
		{name: "Thanksgiving Day", when: after(time.October, 8, time.Monday)},
		{name: "Remembrance Day", when: on(time.November, 11)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Boxing Day", when: on(time.December, 26)},
	},
}

var ontario = calendar{
	place:  "CA-ON",
	source: "Legislation Act, 2006 (S.O. 2006, c. 21, Sched. F), s. 88",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: sundayMonday},
		{name: "Family Day", when: after(time.February, 15, time.Monday)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Victoria Day", when: after(time.May, 18, time.Monday)},
		{name: "Canada Day", when: on(time.July, 1), moved: sundayMonday},
		{name: "Labour Day", when: after(time.September, 1, time.Monday)},
		{name: "Thanksgiving Day", when: after(time.October, 8, time.Monday)},
		{name: "Remembrance Day", when: on(time.November, 11)},
		{name: "Christmas Day", when: on(time.December, 25), moved: weekendTwoOn},
		{name: "Boxing Day", when: on(time.December, 26)},
	},
}

var quebec = calendar{
	place:  "CA-QC",
	source: "Loi d'interprétation (RLRQ, c. I-16), art. 61, par. 23°",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "National Patriots' Day", when: after(time.May, 18, time.Monday)},
		{name: "National Holiday", when: on(time.June, 24)},
		{name: "Canada Day", when: on(time.July, 1), moved: sundayMonday},
		{name: "Labour Day", when: after(time.September, 1, time.Monday)},
		{name: "Thanksgiving Day", when: after(time.October, 8, time.Monday)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

// brazil: Good Friday is a holiday by each municipality's law (Lei 9.093/1995,
// art. 2), and in the ordinance that lists the national ones each year.
var brazil = calendar{
	place:  "BR",
	source: "Lei n. 662/1949; Lei n. 6.802/1980; Lei n. 9.093/1995",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Tiradentes' Day", when: on(time.April, 21)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Independence Day", when: on(time.September, 7)},
		{name: "Our Lady of Aparecida", when: on(time.October, 12)},
		{name: "All Souls' Day", when: on(time.November, 2)},
		{name: "Republic Day", when: on(time.November, 15)},
		{name: "Black Awareness Day", when: on(time.November, 20), from: 2024, source: "Lei n. 14.759/2023"},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}
