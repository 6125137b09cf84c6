package law

import "time"

// californianState has the days on which the state's offices are closed: Cal. Gov.
// Code § 19853 lists them for the state's employees. § 6700 names more "holidays in
// this state" (Lunar New Year, 12 February, Genocide Remembrance Day, Juneteenth,
// Admission Day, Native American Day, Columbus Day, Diwali), on which offices are
// open; "business day" in 11 CCR § 7021 and 7026 is defined nowhere. To take the
// longer list would make dates late.
//
// A holiday on a Sunday moves to Monday (§ 6701). On a Saturday it does not move,
// but for Veterans Day, which goes back to Friday.
var californianState = calendar{
	place:  "US-CA",
	source: "Cal. Gov. Code § 6700, 6701, 19853",
	feasts: []feast{
		{name: "New Year's Day", when: when{month: time.January, day: 1}, moved: sundayMonday},
		{name: "Martin Luther King, Jr. Day", when: when{anchor: onOrAfter, month: time.January, day: 15, weekday: time.Monday}},
		{name: "Presidents' Day", when: when{anchor: onOrAfter, month: time.February, day: 15, weekday: time.Monday}},
		{name: "Cesar Chavez Day", when: when{month: time.March, day: 31}, moved: sundayMonday},
		{name: "Memorial Day", when: when{anchor: onOrAfter, month: time.May, day: 25, weekday: time.Monday}},
		{name: "Independence Day", when: when{month: time.July, day: 4}, moved: sundayMonday},
		{name: "Labor Day", when: when{anchor: onOrAfter, month: time.September, day: 1, weekday: time.Monday}},
		{name: "Veterans Day", when: when{month: time.November, day: 11}, moved: veterans},
		{name: "Thanksgiving Day", when: when{anchor: onOrAfter, month: time.November, day: 22, weekday: time.Thursday}},
		{name: "Day after Thanksgiving", when: when{anchor: onOrAfter, month: time.November, day: 23, weekday: time.Friday}},
		{name: "Christmas Day", when: when{month: time.December, day: 25}, moved: sundayMonday},
	},
}
