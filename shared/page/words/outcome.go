package words

import "time"

// Contact is who answers privacy questions for the company. Every page and every
// mail names it. Empty fields are left out.
type Contact struct {
	Name   string // a person or an office
	Email  string
	Phone  string
	Page   string // https://...
	Postal string // one line per line of the address
}

// Authority is whom a person may complain to.
type Authority struct {
	Name string
	Page string // https://...
}

// System is one of the company's systems and what was looked for in it.
type System struct {
	Name     string
	Outcomes []Outcome
}

// Outcome is what became of one category of data in one system. There is none
// for a hold: nobody is told that they are under investigation. Such a category
// is Waiting.
type Outcome struct {
	Category string // its label
	Result   Result
	Count    int // of records; zero if it was not counted
	// For Kept: why the law demands it, and when the data will go; Until may be zero.
	Duty  string
	Until time.Time
	// For Elsewhere: whose data it is, if the company knows.
	Controller string
}

// Result says what became of data.
type Result string

// The results.
const (
	Found      Result = "found"   // there are records; nothing was decided yet
	Planned    Result = "planned" // they will be erased
	ToMask     Result = "to_anonymise"
	ToCorrect  Result = "to_correct"
	Erased     Result = "erased"     // and looked for again: none left
	Anonymised Result = "anonymised" // they stay without the person
	Corrected  Result = "corrected"
	Copied     Result = "copied" // they are in the package
	Restricted Result = "restricted"
	Stopped    Result = "stopped"    // the use that was objected to has ended
	Nothing    Result = "nothing"    // the system was searched and holds nothing
	Kept       Result = "kept"       // a legal duty; see Duty and Until
	Failed     Result = "failed"     // the system did not do it yet; we try again
	Waiting    Result = "waiting"    // a person at the company has to do it
	Elsewhere  Result = "elsewhere"  // the company only processes it for somebody else
	Held       Result = "held"       // there are records; an answer says so and does not show them
	Historical Result = "historical" // not corrected: it records what was
	Done       Result = "done"       // a person at the company did it by hand
	ToTell     Result = "to_tell"    // the system will be told of a choice
	Told       Result = "told"       // the system was told of a choice, and obeys it
)

// Results lists every result.
var Results = []Result{Found, Planned, ToMask, ToCorrect, Erased, Anonymised, Corrected, Copied, Restricted, Stopped, Nothing, Kept, Failed, Waiting, Elsewhere, Held, Historical, Done, ToTell, Told}

// Outcome returns what became of the data, in a sentence without the category.
func (w Words) Outcome(o Outcome, zone *time.Location) string {
	key := "result." + string(o.Result)
	switch {
	case o.Result == Kept && o.Until.IsZero():
		return w.T("result.kept.open", "duty", o.Duty)
	case o.Result == Kept:
		return w.T(key, "duty", o.Duty, "until", w.Day(o.Until, zone))
	case o.Result == Elsewhere && o.Controller != "":
		return w.T("result.elsewhere.named", "name", Line(o.Controller))
	case o.Count > 0 && w.Has(key+".other"):
		return w.N(key, o.Count)
	}
	return w.T(key)
}
