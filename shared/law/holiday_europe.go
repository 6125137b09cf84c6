package law

import "time"

// Where a period of Union law ends on one of these days it rolls: Article 3(4) of
// Regulation 1182/71. Which days are public holidays, the Member State's law says
// (Article 2), so each calendar names that law. Some list Easter Sunday and
// Pentecost among their holidays and some do not; nothing hangs on it.

var austria = calendar{
	place:  "AT",
	source: "§ 7(2) Arbeitsruhegesetz (BGBl. Nr. 144/1983)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "Corpus Christi", when: easterly(corpusChristi)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "National Day", when: on(time.October, 26)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Immaculate Conception", when: on(time.December, 8)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Saint Stephen's Day", when: on(time.December, 26)},
	},
}

var belgium = calendar{
	place:  "BE",
	source: "Arrêté royal du 18 avril 1974, art. 1",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "National Day", when: on(time.July, 21)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Armistice Day", when: on(time.November, 11)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

// bulgaria: a holiday on a weekend, except Easter, gives the first working day
// after it, two holidays the first two (Article 154(2)). Days that the Council of
// Ministers declares under Article 154(3) are not here.
var bulgaria = calendar{
	place:  "BG",
	source: "Кодекс на труда, чл. 154",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: weekendMonday},
		{name: "Liberation Day", when: on(time.March, 3), moved: weekendMonday},
		{name: "Good Friday", when: orthodoxly(goodFriday)},
		{name: "Holy Saturday", when: orthodoxly(-1)},
		{name: "Easter Sunday", when: orthodoxly(0)},
		{name: "Easter Monday", when: orthodoxly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1), moved: pastEaster},
		{name: "Saint George's Day", when: on(time.May, 6), moved: pastEaster},
		{name: "Day of Saints Cyril and Methodius", when: on(time.May, 24), moved: weekendMonday},
		{name: "Unification Day", when: on(time.September, 6), moved: weekendMonday},
		{name: "Independence Day", when: on(time.September, 22), moved: weekendMonday},
		{name: "Christmas Eve", when: on(time.December, 24), moved: christmasEve},
		{name: "Christmas Day", when: on(time.December, 25), moved: christmasDay},
		{name: "Second Day of Christmas", when: on(time.December, 26), moved: weekendTwoOn},
	},
}

var croatia = calendar{
	place:  "HR",
	source: "Zakon o blagdanima, spomendanima i neradnim danima u Republici Hrvatskoj (NN 110/2019), čl. 1",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Statehood Day", when: on(time.May, 30)},
		{name: "Corpus Christi", when: easterly(corpusChristi)},
		{name: "Anti-Fascist Struggle Day", when: on(time.June, 22)},
		{name: "Victory and Homeland Thanksgiving Day", when: on(time.August, 5)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Remembrance Day", when: on(time.November, 18)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Saint Stephen's Day", when: on(time.December, 26)},
	},
}

var cyprus = calendar{
	place:  "CY",
	source: "Public holidays of the Republic, as the Public Administration and Personnel Department lists them",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Green Monday", when: orthodoxly(cleanMonday)},
		{name: "Greek Independence Day", when: on(time.March, 25)},
		{name: "Cyprus National Day", when: on(time.April, 1)},
		{name: "Good Friday", when: orthodoxly(goodFriday)},
		{name: "Easter Sunday", when: orthodoxly(0)},
		{name: "Easter Monday", when: orthodoxly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Whit Monday", when: orthodoxly(whitMonday)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "Independence Day", when: on(time.October, 1)},
		{name: "Ochi Day", when: on(time.October, 28)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var czechia = calendar{
	place:  "CZ",
	source: "Zákon č. 245/2000 Sb., § 1 to 3",
	feasts: []feast{
		{name: "Restoration Day of the Independent Czech State", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Victory Day", when: on(time.May, 8)},
		{name: "Saints Cyril and Methodius Day", when: on(time.July, 5)},
		{name: "Jan Hus Day", when: on(time.July, 6)},
		{name: "Statehood Day", when: on(time.September, 28)},
		{name: "Independent Czechoslovak State Day", when: on(time.October, 28)},
		{name: "Struggle for Freedom and Democracy Day", when: on(time.November, 17)},
		{name: "Christmas Eve", when: on(time.December, 24)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var denmark = calendar{
	place:  "DK",
	source: "Forordning af 26. oktober 1770 om helligdage; lov nr. 214 af 7. marts 2023 (Great Prayer Day, until 2023)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Maundy Thursday", when: easterly(maundyThursday)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Great Prayer Day", when: easterly(26), to: 2023},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var estonia = calendar{
	place:  "EE",
	source: "Pühade ja tähtpäevade seadus, § 1 and 2",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Independence Day", when: on(time.February, 24)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Spring Day", when: on(time.May, 1)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Victory Day", when: on(time.June, 23)},
		{name: "Midsummer Day", when: on(time.June, 24)},
		{name: "Day of Restoration of Independence", when: on(time.August, 20)},
		{name: "Christmas Eve", when: on(time.December, 24)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

// finland has the days of its statute on time limits, which names the eves of
// Midsummer and Christmas too.
var finland = calendar{
	place:  "FI",
	source: "Laki säädettyjen määräaikain laskemisesta (150/1930), § 5",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "May Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Midsummer Eve", when: after(time.June, 19, time.Friday)},
		{name: "Midsummer Day", when: after(time.June, 20, time.Saturday)},
		{name: "All Saints' Day", when: after(time.October, 31, time.Saturday)},
		{name: "Independence Day", when: on(time.December, 6)},
		{name: "Christmas Eve", when: on(time.December, 24)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

// france: Alsace and Moselle have Good Friday and 26 December besides
// (art. L3134-13 Code du travail). They are not here: elsewhere they would make a
// date late.
var france = calendar{
	place:  "FR",
	source: "Art. L3133-1 Code du travail",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Victory Day", when: on(time.May, 8)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "Bastille Day", when: on(time.July, 14)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Armistice Day", when: on(time.November, 11)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

// germany has the days that are holidays in all sixteen Länder. A day that only
// some keep (Epiphany, Corpus Christi, Reformation Day) is not here.
var germany = calendar{
	place:  "DE",
	source: "Art. 2(2) Einigungsvertrag (3 October); the Feiertagsgesetze of all sixteen Länder",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "German Unity Day", when: on(time.October, 3)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

// greece: 1 May can be moved off a weekend or Holy Week, by a decision of the
// minister for one year. In 2013 none was taken: years without one are not guessed.
var greece = calendar{
	place:  "GR",
	source: "ν. 1157/1981, άρθρο 1, παρ. 11",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Clean Monday", when: orthodoxly(cleanMonday)},
		{name: "Independence Day", when: on(time.March, 25)},
		{name: "Good Friday", when: orthodoxly(goodFriday)},
		{name: "Easter Monday", when: orthodoxly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1), to: 2023},
		{name: "Labour Day", when: on(time.May, 4), from: 2021, to: 2021, source: "ΦΕΚ Β' 1661/23.4.2021"},
		{name: "Labour Day", when: on(time.May, 7), from: 2024, to: 2024, source: "ΦΕΚ Β' 1406/2024"},
		{name: "Labour Day", when: on(time.May, 1), from: 2025},
		{name: "Whit Monday", when: orthodoxly(whitMonday)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "Ochi Day", when: on(time.October, 28)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

// hungary: a minister can swap a working day with a Saturday (§ 102(5)), each year
// anew. Such days of rest are not holidays and not here.
var hungary = calendar{
	place:  "HU",
	source: "2012. évi I. törvény a munka törvénykönyvéről, § 102(1)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "National Day", when: on(time.March, 15)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "State Foundation Day", when: on(time.August, 20)},
		{name: "National Day", when: on(time.October, 23)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Christmas Eve", when: on(time.December, 24), from: 2026, source: "2026. évi LXXII. törvény"},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var iceland = calendar{
	place:  "IS",
	source: "Lög nr. 88/1971 um 40 stunda vinnuviku, 6. gr.",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Maundy Thursday", when: easterly(maundyThursday)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "First Day of Summer", when: after(time.April, 19, time.Thursday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "National Day", when: on(time.June, 17)},
		{name: "Commerce Day", when: after(time.August, 1, time.Monday)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

// ireland: what an employer gives for a holiday on a weekend is the employer's to
// choose (section 21); the holiday itself does not move.
var ireland = calendar{
	place:  "IE",
	source: "Organisation of Working Time Act 1997, Second Schedule",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Saint Brigid's Day", when: on(time.February, 1), moved: brigid, from: 2023},
		{name: "Saint Patrick's Day", when: on(time.March, 17)},
		{
			name: "Day of Remembrance and Recognition", when: on(time.March, 18), from: 2022, to: 2022,
			source: "Public holiday of 18 March 2022, appointed under the Second Schedule to the Organisation of Working Time Act 1997",
		},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "May Holiday", when: after(time.May, 1, time.Monday)},
		{name: "June Holiday", when: after(time.June, 1, time.Monday)},
		{name: "August Holiday", when: after(time.August, 1, time.Monday)},
		{name: "October Holiday", when: after(time.October, 25, time.Monday)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Saint Stephen's Day", when: on(time.December, 26)},
	},
}

var italy = calendar{
	place:  "IT",
	source: "Legge 27 maggio 1949, n. 260, art. 2",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Liberation Day", when: on(time.April, 25)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Republic Day", when: on(time.June, 2)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "Saint Francis of Assisi", when: on(time.October, 4), from: 2026, source: "Legge 8 ottobre 2025, n. 151"},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "National Unity Day", when: after(time.November, 1, time.Sunday), source: "Legge 5 marzo 1977, n. 54, art. 1"},
		{name: "Immaculate Conception", when: on(time.December, 8)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Saint Stephen's Day", when: on(time.December, 26)},
	},
}

// latvia: days of rest that the cabinet swaps with a Saturday, each year anew, are
// not holidays and not here.
var latvia = calendar{
	place:  "LV",
	source: "Likums Par svētku, atceres un atzīmējamām dienām, 1. pants",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Restoration of Independence Day", when: on(time.May, 4), moved: weekendMonday},
		{name: "Mother's Day", when: after(time.May, 8, time.Sunday)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Midsummer Eve", when: on(time.June, 23)},
		{name: "Midsummer Day", when: on(time.June, 24)},
		{name: "Proclamation Day", when: on(time.November, 18), moved: weekendMonday},
		{name: "Christmas Eve", when: on(time.December, 24)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
		{name: "New Year's Eve", when: on(time.December, 31)},
	},
}

// liechtenstein: Candlemas and Saint Joseph's Day, on which many do not work
// either, are not in the law.
var liechtenstein = calendar{
	place:  "LI",
	source: "Art. 18(2) Arbeitsgesetz (LGBl. 1967 Nr. 6, as amended by LGBl. 1986 Nr. 85)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "Corpus Christi", when: easterly(corpusChristi)},
		{name: "National Day", when: on(time.August, 15)},
		{name: "Nativity of Mary", when: on(time.September, 8)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Immaculate Conception", when: on(time.December, 8)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Saint Stephen's Day", when: on(time.December, 26)},
	},
}

var lithuania = calendar{
	place:  "LT",
	source: "Darbo kodeksas, 123 straipsnis",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Day of Restoration of the State", when: on(time.February, 16)},
		{name: "Day of Restoration of Independence", when: on(time.March, 11)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Mother's Day", when: after(time.May, 1, time.Sunday)},
		{name: "Father's Day", when: after(time.June, 1, time.Sunday)},
		{name: "Saint John's Day", when: on(time.June, 24)},
		{name: "Statehood Day", when: on(time.July, 6)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "All Souls' Day", when: on(time.November, 2)},
		{name: "Christmas Eve", when: on(time.December, 24)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var luxembourg = calendar{
	place:  "LU",
	source: "Code du travail, art. L. 232-2",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Europe Day", when: on(time.May, 9)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "National Day", when: on(time.June, 23)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Saint Stephen's Day", when: on(time.December, 26)},
	},
}

var malta = calendar{
	place:  "MT",
	source: "National Holidays and Other Public Holidays Act (Cap. 252)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Feast of Saint Paul's Shipwreck", when: on(time.February, 10)},
		{name: "Feast of Saint Joseph", when: on(time.March, 19)},
		{name: "Freedom Day", when: on(time.March, 31)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Worker's Day", when: on(time.May, 1)},
		{name: "Sette Giugno", when: on(time.June, 7)},
		{name: "Feast of Saint Peter and Saint Paul", when: on(time.June, 29)},
		{name: "Feast of the Assumption", when: on(time.August, 15)},
		{name: "Feast of Our Lady of Victories", when: on(time.September, 8)},
		{name: "Independence Day", when: on(time.September, 21)},
		{name: "Feast of the Immaculate Conception", when: on(time.December, 8)},
		{name: "Republic Day", when: on(time.December, 13)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

// netherlands has the days of its statute on time limits. It names 5 May in every
// year; that many are free in each fifth year only is for collective agreements.
var netherlands = calendar{
	place:  "NL",
	source: "Algemene termijnenwet, art. 3",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "King's Day", when: on(time.April, 27), moved: kingsDay},
		{name: "Liberation Day", when: on(time.May, 5)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var norway = calendar{
	place:  "NO",
	source: "Lov 24. februar 1995 nr. 12 om helligdager og helligdagsfred, § 2; lov 26. april 1947 nr. 1 (1 and 17 May)",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Maundy Thursday", when: easterly(maundyThursday)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Constitution Day", when: on(time.May, 17)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Whit Monday", when: easterly(whitMonday)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var poland = calendar{
	place:  "PL",
	source: "Ustawa z dnia 18 stycznia 1951 r. o dniach wolnych od pracy, art. 1",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Constitution Day", when: on(time.May, 3)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Corpus Christi", when: easterly(corpusChristi)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Independence Day", when: on(time.November, 11)},
		{name: "Christmas Eve", when: on(time.December, 24), from: 2025, source: "Dz.U. 2024 poz. 1965"},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var portugal = calendar{
	place:  "PT",
	source: "Código do Trabalho (Lei n.º 7/2009), art. 234.º",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Freedom Day", when: on(time.April, 25)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Corpus Christi", when: easterly(corpusChristi)},
		{name: "Portugal Day", when: on(time.June, 10)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "Republic Day", when: on(time.October, 5)},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Restoration of Independence Day", when: on(time.December, 1)},
		{name: "Immaculate Conception", when: on(time.December, 8)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}

var romania = calendar{
	place:  "RO",
	source: "Codul muncii (Legea nr. 53/2003), art. 139",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Day after New Year's Day", when: on(time.January, 2)},
		{name: "Epiphany", when: on(time.January, 6), from: 2024, source: "Legea nr. 52/2023"},
		{name: "Saint John the Baptist", when: on(time.January, 7), from: 2024, source: "Legea nr. 52/2023"},
		{name: "Unification Day", when: on(time.January, 24)},
		{name: "Good Friday", when: orthodoxly(goodFriday)},
		{name: "Easter Sunday", when: orthodoxly(0)},
		{name: "Easter Monday", when: orthodoxly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Children's Day", when: on(time.June, 1)},
		{name: "Pentecost", when: orthodoxly(pentecost)},
		{name: "Whit Monday", when: orthodoxly(whitMonday)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "Saint Andrew's Day", when: on(time.November, 30)},
		{name: "National Day", when: on(time.December, 1)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var slovakia = calendar{
	place:  "SK",
	source: "Zákon č. 241/1993 Z. z., § 1 and 2",
	feasts: []feast{
		{name: "Day of the Slovak Republic", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Labour Day", when: on(time.May, 1)},
		// In 2026 two holidays are working days: zákon č. 261/2025 Z. z.
		{name: "Victory over Fascism Day", when: on(time.May, 8), to: 2025},
		{name: "Victory over Fascism Day", when: on(time.May, 8), from: 2027},
		{name: "Saints Cyril and Methodius Day", when: on(time.July, 5)},
		{name: "Slovak National Uprising Day", when: on(time.August, 29)},
		{name: "Constitution Day", when: on(time.September, 1), to: 2023}, // zákon č. 530/2023 Z. z.
		{name: "Our Lady of Sorrows", when: on(time.September, 15), to: 2025},
		{name: "Our Lady of Sorrows", when: on(time.September, 15), from: 2027},
		{name: "All Saints' Day", when: on(time.November, 1)},
		{name: "Struggle for Freedom and Democracy Day", when: on(time.November, 17), to: 2024}, // zákon č. 261/2025 Z. z.
		{name: "Christmas Eve", when: on(time.December, 24)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

var slovenia = calendar{
	place:  "SI",
	source: "Zakon o praznikih in dela prostih dnevih v Republiki Sloveniji, 1. in 2. člen",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Day after New Year's Day", when: on(time.January, 2)},
		{name: "Prešeren Day", when: on(time.February, 8)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "Day of Uprising Against Occupation", when: on(time.April, 27)},
		{name: "Labour Day", when: on(time.May, 1)},
		{name: "Day after Labour Day", when: on(time.May, 2)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "Statehood Day", when: on(time.June, 25)},
		{name: "Assumption Day", when: on(time.August, 15)},
		{name: "Reformation Day", when: on(time.October, 31)},
		{name: "Day of Remembrance for the Dead", when: on(time.November, 1)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Independence and Unity Day", when: on(time.December, 26)},
	},
}

// spain has the days that every autonomous community keeps. For one on a Sunday
// each may take another day instead.
var spain = calendar{
	place:  "ES",
	source: "Art. 37.2 Estatuto de los Trabajadores; art. 45 Real Decreto 2001/1983",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1), moved: notSunday},
		{name: "Epiphany", when: on(time.January, 6), moved: notSunday},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Labour Day", when: on(time.May, 1), moved: notSunday},
		{name: "Assumption Day", when: on(time.August, 15), moved: notSunday},
		{name: "National Day", when: on(time.October, 12), moved: notSunday},
		{name: "All Saints' Day", when: on(time.November, 1), moved: notSunday},
		{name: "Constitution Day", when: on(time.December, 6), moved: notSunday},
		{name: "Immaculate Conception", when: on(time.December, 8), moved: notSunday},
		{name: "Christmas Day", when: on(time.December, 25), moved: notSunday},
	},
}

// sweden: the eves of Midsummer, Christmas and New Year count as Sundays in its
// statute on time limits (1930:173), but are not holidays of the law on holidays.
var sweden = calendar{
	place:  "SE",
	source: "Lag (1989:253) om allmänna helgdagar",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Epiphany", when: on(time.January, 6)},
		{name: "Good Friday", when: easterly(goodFriday)},
		{name: "Easter Sunday", when: easterly(0)},
		{name: "Easter Monday", when: easterly(easterMonday)},
		{name: "May Day", when: on(time.May, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "Pentecost", when: easterly(pentecost)},
		{name: "National Day", when: on(time.June, 6)},
		{name: "Midsummer Day", when: after(time.June, 20, time.Saturday)},
		{name: "All Saints' Day", when: after(time.October, 31, time.Saturday)},
		{name: "Christmas Day", when: on(time.December, 25)},
		{name: "Second Day of Christmas", when: on(time.December, 26)},
	},
}

// switzerland has the four days that are holidays in every canton.
var switzerland = calendar{
	place:  "CH",
	source: "Art. 110(3) Bundesverfassung (1 August); the cantons' laws on rest days, as the Federal Office of Justice lists them",
	feasts: []feast{
		{name: "New Year's Day", when: on(time.January, 1)},
		{name: "Ascension Day", when: easterly(ascension)},
		{name: "National Day", when: on(time.August, 1)},
		{name: "Christmas Day", when: on(time.December, 25)},
	},
}
