// Package digest is the letter that operators, and the policy's contact, get
// about everything that needs them: once a day, or soon where a date is near.
//
// A line is written in the commit of what it tells of, into the next digest that
// has not been sent; so it is told exactly once, whatever comes twice, late or
// not at all. The letter itself may arrive twice where the answer of the mail
// service was lost, and the digest's audit chain says so.
//
//	table  partition                       sort          body
//	state  digest#<audience>#<when>        -             Digest; due at <when>
//	state  digest#<audience>#<when>        <request>...  Line
//	audit  digest#<audience>#<when>        000000000001  one entry
//
// Nothing in a digest is personal. It imports table, audit, mail and policy;
// request, job, boot and infra/local import it.
package digest

import (
	"context"
	"strings"
	"time"

	"rightsdesk/shared/table"
)

// Audience is who reads a digest.
type Audience string

// The audiences.
const (
	Operators Audience = "operators" // whoever works on requests
	Contact   Audience = "contact"   // the policy's contact: what is overdue escalates to them
)

// Why is what a line tells of a request.
type Why string

// The reasons, those of the clock first.
const (
	SevenDays    Why = "T-7" // until the safe date
	ThreeDays    Why = "T-3"
	OneDay       Why = "T-1"
	Overdue      Why = "overdue"       // the date that binds has passed
	StillOverdue Why = "still_overdue" // every week after that
	StillWaiting Why = "still_waiting" // time stands still, for another week
	New          Why = "new"           // it waits to be accepted or denied
	Task         Why = "task"          // something is to be done by hand
	Failed       Why = "failed"        // a step failed and waits for a retry
	Answered     Why = "answered"      // the person wrote back
)

// Join says several reasons in one fact of an audit entry.
func Join(why []Why) string {
	words := make([]string, len(why))
	for i, w := range why {
		words[i] = string(w)
	}
	return strings.Join(words, ",")
}

// Line is what a digest tells of one request.
type Line struct {
	Request   string    `json:"request"`
	Right     string    `json:"right"`
	RespondBy time.Time `json:"respond_by"`
	SafeBy    time.Time `json:"safe_by"`
	Why       []Why     `json:"why"`
}

// Book writes digests and sends them.
type Book struct {
	Table table.Table
	Now   func() time.Time
}

// Note returns the writes that put a line into the next digest of an audience. They
// belong into the commit of what the line tells of; if that digest is sent in the
// meantime, the commit conflicts, and Note is to be asked again.
func (b *Book) Note(ctx context.Context, to Audience, line Line) ([]table.Write, error) {
	return nil, nil
}
