package law

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// difference is where a calendar departs from the witness, and why. It stands for
// days of one place: "2026-07-03", "12-26" in each year, or "easter+1".
type difference struct {
	place  string
	ours   string // holidays that only the calendar has
	theirs string // holidays that only the witness has
	reason string
	source string // primary
}

// differences is complete: a day that is not here fails, and so does a row that
// excuses nothing.
var differences = []difference{
	{
		place: "US-CA", theirs: "02-15",
		reason: "Susan B. Anthony Day is no holiday of the state: neither list has it",
		source: "Cal. Gov. Code § 6700, 19853(a)",
	},
	{
		place: "US-CA", theirs: "06-19 2021-06-18 2022-06-20 2027-06-18 2032-06-18 2033-06-20",
		reason: "on Juneteenth the state works; an employee may elect to take it instead of a personal holiday",
		source: "Cal. Gov. Code § 19853(a), as amended by Stats. 2022, ch. 753 (AB 1655)",
	},
	{
		place: "US-CA", theirs: "2026-11-08 2027-10-29 2028-10-17 2029-11-05 2030-10-26 2031-11-14 2032-11-02 2033-10-22 2034-11-10 2035-10-30",
		reason: "on Diwali the state works; an employee may elect to take it instead of a personal holiday",
		source: "Cal. Gov. Code § 19853, as amended by Stats. 2025, ch. 358 (AB 268)",
	},
	{
		place: "US-CA", theirs: "2020-07-03 2026-07-03 2021-12-24 2027-12-24 2032-12-24 2021-12-31 2027-12-31 2032-12-31",
		reason: "only Veterans Day moves from a Saturday to Friday; for the others employees are credited a day",
		source: "Cal. Gov. Code § 6701, 19853(b)",
	},
	{
		place: "CA", ours: "easter+1",
		reason: "Easter Monday is a holiday of every federal statute; the witness lists the Labour Code's",
		source: "Interpretation Act (R.S.C. 1985, c. I-21), s. 35(1)",
	},
	{
		place: "CA", theirs: "12-26 2020-12-28 2021-12-28 2022-12-27 2026-12-28 2027-12-28 2032-12-28 2033-12-27",
		reason: "Boxing Day is a day off under the Labour Code only",
		source: "Interpretation Act, s. 35(1); Canada Labour Code (R.S.C. 1985, c. L-2), s. 166",
	},
	{
		place:  "CA",
		theirs: "2021-12-27 2022-01-03 2023-01-02 2023-07-03 2023-10-02 2023-11-13 2027-12-27 2028-01-03 2028-07-03 2028-10-02 2028-11-13 2029-10-01 2029-11-12 2032-12-27 2033-01-03 2034-01-02 2034-07-03 2034-10-02 2034-11-13 2035-10-01 2035-11-12",
		reason: "a holiday on a weekend has no substitute, but for Canada Day on a Sunday; what the Labour Code gives is the working day before or after, at the employer's choice",
		source: "Interpretation Act, s. 35(1); Holidays Act (R.S.C. 1985, c. H-5), s. 2(2); Canada Labour Code, s. 193(2)",
	},
	{
		place:  "CA-AB",
		theirs: "2021-12-27 2022-01-03 2022-12-26 2023-01-02 2023-11-13 2027-12-27 2028-01-03 2028-11-13 2029-11-12 2032-12-27 2033-01-03 2033-12-26 2034-01-02 2034-11-13 2035-11-12",
		reason: "the Code names the days, and a substitute for Canada Day on a Sunday only",
		source: "Employment Standards Code (R.S.A. 2000, c. E-9), s. 25(1)",
	},
	{
		place: "CA-BC", ours: "easter+1 12-26",
		reason: "Easter Monday and 26 December are holidays of every statute; the witness lists those of the Employment Standards Act",
		source: "Interpretation Act (R.S.B.C. 1996, c. 238), s. 29",
	},
	{
		place:  "CA-BC",
		theirs: "2021-12-27 2022-01-03 2023-01-02 2023-10-02 2027-12-27 2028-01-03 2028-10-02 2029-10-01 2032-12-27 2033-01-03 2034-01-02 2034-10-02 2035-10-01",
		reason: "the Act names the days and no substitutes",
		source: "Interpretation Act (R.S.B.C. 1996, c. 238), s. 29",
	},
	{
		place: "CA-BC", theirs: "2022-09-19",
		reason: "the day of the Queen's funeral, on which only some employers were told to close",
		source: "Interpretation Act (R.S.B.C. 1996, c. 238), s. 29",
	},
	{
		place: "CA-ON", ours: "easter+1 11-11",
		reason: "Easter Monday and Remembrance Day are holidays of every statute; the witness lists those of the Employment Standards Act, 2000",
		source: "Legislation Act, 2006, s. 88(2)",
	},
	{
		place: "CA-ON", ours: "2029-07-02 2035-07-02 2022-12-27 2033-12-27",
		reason: "Canada Day on a Sunday, and Christmas Day on a Sunday before Boxing Day, have substitutes",
		source: "Legislation Act, 2006, s. 88(4) and (5)",
	},
	{
		place: "CA-ON", theirs: "2022-01-03 2028-01-03 2033-01-03 2020-12-28 2021-12-28 2026-12-28 2027-12-28 2032-12-28",
		reason: "New Year's Day on a Saturday and Boxing Day on a weekend have none that we could verify",
		source: "Legislation Act, 2006, s. 88(3) to (5)",
	},
	{
		place: "CA-QC", ours: "easter+1",
		reason: "Easter Monday is a holiday of every statute; under the law on labour standards it is one or Good Friday, at the employer's choice",
		source: "Loi d'interprétation (RLRQ, c. I-16), art. 61, par. 23° d)",
	},
	{
		place:  "CA-QC",
		theirs: "2021-12-27 2022-01-03 2022-12-26 2023-01-02 2027-12-27 2028-01-03 2029-06-25 2032-12-27 2033-01-03 2033-12-26 2034-01-02 2035-06-25",
		reason: "the Act names the days, and a substitute for 1 July only",
		source: "Loi d'interprétation (RLRQ, c. I-16), art. 61, par. 23°",
	},
	{
		place: "NL", ours: "05-05",
		reason: "5 May is a holiday in every year; each fifth is the practice of collective agreements",
		source: "Algemene termijnenwet, art. 3(1)",
	},
	{
		place: "BG", theirs: "2025-12-31 2026-01-02",
		reason: "declared by the government for one year, not by the Code",
		source: "Кодекс на труда, чл. 154(1) and (3)",
	},
	{
		place: "GR", theirs: "2022-05-02 2027-05-04 2032-05-04 2033-05-02",
		reason: "1 May moves by a decision of the minister for one year, which can fail to come (2013)",
		source: "ν. 1157/1981, άρθρο 1, παρ. 11",
	},
	{
		place:  "HU",
		theirs: "2020-08-21 2020-12-24 2021-12-24 2022-03-14 2022-10-31 2024-08-19 2024-12-24 2024-12-27 2025-05-02 2025-10-24 2025-12-24 2026-01-02 2026-08-21",
		reason: "days of rest that were swapped with a Saturday by decree are not holidays",
		source: "2012. évi I. törvény, § 102(1) and (5)",
	},
	{
		place:  "LV",
		theirs: "2020-06-22 2021-05-03 2021-06-25 2021-11-19 2023-05-05 2024-12-23 2024-12-30 2025-05-02 2025-11-17 2026-01-02 2026-06-22",
		reason: "days of rest that were swapped with a Saturday by order of the cabinet are not holidays",
		source: "Likums Par svētku, atceres un atzīmējamām dienām, 1. pants",
	},
	{
		place: "LV", theirs: "2023-05-29 2023-07-10",
		reason: "a day given for a victory in ice hockey, and the day after the song festival: of 2023 alone",
		source: "Likums Par svētku, atceres un atzīmējamām dienām, 1. pants",
	},
	{
		place: "LI", theirs: "02-02 03-19",
		reason: "Candlemas and Saint Joseph's Day are free by collective agreements",
		source: "Art. 18(2) Arbeitsgesetz, as amended by LGBl. 1986 Nr. 85",
	},
	{
		place: "LI", theirs: "easter+0 easter+49",
		reason: "Sundays, which the law does not name",
		source: "Art. 18(2) Arbeitsgesetz, as amended by LGBl. 1986 Nr. 85",
	},
	{
		place: "SI", theirs: "2023-08-14",
		reason: "a day given for the floods of 2023 alone",
		source: "Zakon o praznikih in dela prostih dnevih v Republiki Sloveniji, 1. in 2. člen",
	},
}

const firstWitnessed, lastWitnessed = 2020, 2035

func TestHolidaysAgreeWithTheWitness(t *testing.T) {
	t.Parallel()
	excused := excuses(t)
	used := map[int]bool{}
	compared, explained := map[string]int{}, map[string]int{}
	for _, line := range witnessed(t, "testdata/holidays.txt") {
		place, year := line[0], number(t, line[1])
		theirs := map[Date]bool{}
		for _, day := range line[2:] {
			theirs[dated(t, line[1]+day)] = true
		}
		ours := map[Date]bool{}
		for _, h := range Holidays(place, year) {
			ours[h.Date] = true
			if h.Name == "" || h.Source == "" {
				t.Errorf("%s: %s has no name or no source: %+v", place, h.Date, h)
			}
		}
		both := maps.Clone(ours)
		maps.Copy(both, theirs)
		for day := range both {
			compared[place]++
			if ours[day] == theirs[day] {
				continue
			}
			row, ok := excused[excuse{place, day, ours[day]}]
			if !ok {
				name, _ := holiday(place, day)
				t.Errorf("%s: %s is a holiday: %t (%s), the witness says %t", place, day.words(), ours[day], name, theirs[day])
				continue
			}
			used[row] = true
			explained[place]++
		}
	}
	for i, d := range differences {
		if !used[i] {
			t.Errorf("%s: no day differs any more for this reason: %s", d.place, d.reason)
		}
		if d.reason == "" || d.source == "" {
			t.Errorf("%s: a difference without a reason or a source", d.place)
		}
	}
	for _, place := range slices.Sorted(maps.Keys(compared)) {
		t.Logf("%-6s %3d holidays, %3d differ and are explained", place, compared[place], explained[place])
	}
}

type excuse struct {
	place string
	day   Date
	ours  bool
}

// excuses maps each day on which a difference is allowed to its row.
func excuses(t *testing.T) map[excuse]int {
	t.Helper()
	easters := witnessedEasters(t)
	all := map[excuse]int{}
	for i, d := range differences {
		for _, day := range strings.Fields(cmp.Or(d.ours, d.theirs)) {
			for year := firstWitnessed; year <= lastWitnessed; year++ {
				var date Date
				switch offset, fromEaster := strings.CutPrefix(day, "easter+"); {
				case fromEaster:
					date = easters[year][0] + Date(number(t, offset))
				case len(day) == len("12-26"):
					date = dated(t, strconv.Itoa(year)+strings.ReplaceAll(day, "-", ""))
				default:
					date = dated(t, strings.ReplaceAll(day, "-", ""))
				}
				all[excuse{d.place, date, d.ours != ""}] = i
			}
		}
	}
	return all
}

func TestHolidaysOfEveryPlaceAreWitnessed(t *testing.T) {
	t.Parallel()
	var witnesses []string
	for _, line := range witnessed(t, "testdata/holidays.txt") {
		if number(t, line[1]) == firstWitnessed {
			witnesses = append(witnesses, line[0])
		}
	}
	if got := HolidayPlaces(); !slices.Equal(got, witnesses) || !slices.IsSorted(got) {
		t.Errorf("there are calendars of %v,\nand witnesses of %v", got, witnesses)
	}
}

// TestHolidaysOfOneYear has the days that no rule gives, and the days they displaced.
func TestHolidaysOfOneYear(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ place, day, want string }{
		{"GB-ENG", "20200504", ""},
		{"GB-WLS", "20200508", "Early May bank holiday"},
		{"GB-ENG", "20220530", ""},
		{"GB-ENG", "20220602", "Spring bank holiday"},
		{"GB-SCT", "20220603", "Platinum Jubilee bank holiday"},
		{"GB-NIR", "20220919", "Bank holiday for the State Funeral of Queen Elizabeth II"},
		{"GB", "20230508", "Bank holiday for the coronation of King Charles III"},
		{"GB-SCT", "20260615", "World Cup bank holiday"},
		{"GB-ENG", "20260615", ""},
		{"GB-SCT", "20230103", "2nd January"},
		{"GB-SCT", "20281130", "Saint Andrew's Day"},
		{"GB-NIR", "20260713", "Battle of the Boyne"},
		{"GB", "20260406", ""}, // Easter Monday, which Scotland does not keep
		{"US", "20271231", "New Year's Day"},
		{"US-CA", "20271231", ""},
		{"US-CA", "20281110", "Veterans Day"},
		{"CA", "20260406", "Easter Monday"},
		{"CA", "20200930", ""},
		{"CA", "20210930", "National Day for Truth and Reconciliation"},
		{"NZ", "20260710", "Matariki"},
		{"IE", "20300201", "Saint Brigid's Day"},
		{"IE", "20300204", ""},
		{"NL", "20310426", "King's Day"},
		{"BG", "20270504", "Labour Day"}, // 1 May is Holy Saturday, 3 May Easter Monday
		{"SK", "20260508", ""},
	} {
		name, ok := holiday(c.place, dated(t, c.day))
		if name != c.want || ok != (c.want != "") {
			t.Errorf("%s in %s is %q (%t), want %q", c.day, c.place, name, ok, c.want)
		}
	}
}

// TestHolidaysOfCaliforniaLeaveOutLincolnDay: ten business days after 10 February
// 2026, with Presidents' Day between, end on the 25th. 12 February is in the list of
// § 6700 of the Government Code, but not in that of § 19853(a), by which the state
// closes its offices; to count it as a holiday would give a day too many.
func TestHolidaysOfCaliforniaLeaveOutLincolnDay(t *testing.T) {
	t.Parallel()
	day := dated(t, "20260210")
	for left := 10; left > 0; {
		day++
		if _, free := holiday("US-CA", day); !free && !day.weekend() {
			left--
		}
	}
	if want := dated(t, "20260225"); day != want {
		t.Errorf("the tenth business day is %s, want %s", day, want)
	}
}

func TestHolidaysOfAPart(t *testing.T) {
	t.Parallel()
	unity := dated(t, "20251003")
	for place, want := range map[string]struct{ known, free bool }{
		"DE": {true, true}, "DE-BE": {true, true}, "DE-": {true, true}, "D": {}, "": {}, "XX": {}, "XX-DE": {}, "de": {}, "US-NY": {true, false},
	} {
		if got := calendarOf(place) != nil; got != want.known {
			t.Errorf("holidays of %q are known: %t", place, got)
		}
		if _, got := holiday(place, unity); got != want.free {
			t.Errorf("German Unity Day is free in %q: %t", place, got)
		}
		if got := Holidays(place, 2025); (len(got) > 0) != want.known {
			t.Errorf("%q has %d holidays in a year", place, len(got))
		}
	}
}

// TestHolidayOverlooksNothing asks every feast about every day, without the
// shortcuts that leave out feasts that are far away and years that are not the day's.
func TestHolidayOverlooksNothing(t *testing.T) {
	t.Parallel()
	for _, c := range calendars {
		for d := Day(2020, time.January, 1); d < Day(2060, time.January, 1); d++ {
			year, month, day := d.Civil()
			var want bool
			for part := c; part != nil; part = part.besides {
				for i := range part.feasts {
					for near := year - 1; near <= year+1; near++ {
						want = want || part.feasts[i].falls(&question{day: d, year: near, at: int(month)*31 + day})
					}
				}
			}
			if got := c.feast(d) != nil; got != want {
				t.Fatalf("%s: %s is a holiday: %t, want %t", c.place, d.words(), got, want)
			}
		}
	}
}

func TestHolidayAllocatesNothing(t *testing.T) {
	day := Day(2026, time.March, 30)
	for _, place := range []string{"DE", "DE-BE", "BG", "GB-SCT", "US-CA", "XX"} {
		if n := testing.AllocsPerRun(100, func() { holiday(place, day) }); n != 0 {
			t.Errorf("a question about %s allocates %v times", place, n)
		}
	}
}

func BenchmarkHoliday(b *testing.B) {
	first := Day(2026, time.January, 1)
	for _, place := range []string{"DE", "DE-BE", "FR", "GB-SCT", "US-CA", "CA", "NZ", "BG"} {
		b.Run(place, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				holiday(place, first+Date(i%365))
			}
		})
	}
}

func dated(t *testing.T, yyyymmdd string) Date {
	t.Helper()
	day, err := time.Parse("20060102", yyyymmdd)
	if err != nil {
		t.Fatal(err)
	}
	return DateOf(day, time.UTC)
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
