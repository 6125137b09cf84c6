package dynamodbsource

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

var _ source.Sweeper = (*Source)(nil)

// Limits of a page of what is old.
const (
	maxSegments = 64
	maxScan     = 1000      // items in one answer of a scan
	maxSeen     = 20_000    // items that one page looks at: where little is due, most pages are empty
	maxHandles  = 128 << 10 // bytes of the handles of one page, which has to be remembered while it is worked on
	firstReach  = 100       // items to learn from what an item costs, where the cost is bounded
)

// Old implements source.Sweeper: by the mapping's index if that has the time that is
// asked for, by a scan otherwise. Both are eventually consistent and only propose;
// Expire reads every item again.
func (s *Source) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	ctx, cancel := age.Call.Within(ctx, s.o.Now())
	defer cancel()
	page, err := s.old(ctx, age)
	if err != nil {
		return source.Aged{}, fmt.Errorf("source %s: old: %w", s.o.ID, err)
	}
	return page, nil
}

func (s *Source) old(ctx context.Context, age source.Age) (source.Aged, error) {
	if err := age.Check(); err != nil {
		return source.Aged{}, err
	}
	w, err := s.way(age)
	if err != nil {
		return source.Aged{}, err
	}
	at, err := w.parse(age.Cursor)
	if err != nil {
		return source.Aged{}, err
	}
	limit, looked, handles, page := source.Size(age.Limit), 0, 0, source.Aged{}
	for len(page.Records) < limit && looked < maxSeen && handles < maxHandles && (age.Units == 0 || page.Units < age.Units) {
		if err := age.Call.Begins(s.o.Now()); err != nil {
			return source.Aged{}, err
		}
		items, next, units, err := s.reach(ctx, w, at, w.reach(page, age, limit, looked))
		if err != nil {
			return source.Aged{}, err
		}
		page.Units += units
		for _, it := range items {
			if len(page.Records) == limit {
				page.Cursor = at.cursor() // after the last item that was judged
				return page, nil
			}
			looked++
			at.After = s.m.key(it)
			r, is, due, err := s.judge(it, w, age)
			if err != nil {
				return source.Aged{}, refused(err)
			}
			if is {
				page.Seen++
			}
			if due {
				handles += len(r.Handle.Reveal())
				page.Records = append(page.Records, r)
			}
		}
		if at = next; at.Part == len(w.parts) {
			page.Done = true
			return page, nil
		}
	}
	page.Cursor = at.cursor()
	return page, nil
}

// reach is how many items to ask for next: as many as probably hold what is still
// wanted, and no more than may be paid for. An index is never asked for more than is
// wanted: its places are not those of the table, and a page of it cannot be cut.
func (w way) reach(page source.Aged, age source.Age, limit, looked int) int {
	n := limit - len(page.Records)
	if looked > 0 && w.index == "" {
		n = min(n*looked/max(1, len(page.Records)), maxScan)
	}
	switch {
	case age.Units == 0:
	case looked == 0 || page.Units == 0:
		n = min(n, firstReach, int(age.Units))
	default:
		n = min(n, int((age.Units-page.Units)*float64(looked)/page.Units))
	}
	return min(max(1, n), maxScan)
}

// judge says whether an item is of the category, and whether it is due. One without a
// time, or with one that cannot be read, is returned as such: it is for the caller.
func (s *Source) judge(it item, w way, age source.Age) (r source.AgedRecord, is, due bool, err error) {
	// In a look through everybody's items, one that fits no rule is no mistake.
	category, errCategory := s.m.category(it)
	if is = errCategory == nil && category == age.Category; !is {
		return r, false, false, nil
	}
	at, errAt := w.when.of(it)
	if errAt == nil {
		r.At = at
	}
	if r.Who = s.m.about(it); r.At.After(age.Until) || age.Verb == source.Anonymise && !s.m.named(it) {
		return r, true, false, nil
	}
	if r.ID, err = s.m.id(it); err != nil {
		return r, true, false, err
	}
	r.Handle = personal.MakeText(token(handle{toScalars(s.m.key(it)), s.m.whose(it)}))
	if len(r.Handle.Reveal()) > source.MaxHandle {
		return r, true, false, errors.New("an item has a key that is too long to be remembered")
	}
	return r, true, true, nil
}

// handle is how an item is found again.
type handle struct {
	scalars        // its key
	Whose   string `json:"w"`
}

// about returns whom an item is about: every identity that it is found by or ties.
func (m Mapping) about(it item) []personal.Identity {
	var who []personal.Identity
	add := func(kind personal.Kind, attribute, prefix string) {
		v, has := text(it[attribute])
		v, fits := strings.CutPrefix(v, prefix)
		if has && fits && v != "" {
			if id := personal.MakeIdentity(kind, v); !slices.Contains(who, id) {
				who = append(who, id)
			}
		}
	}
	for _, l := range m.FindBy {
		add(l.Identity, l.Attribute, l.Prefix)
	}
	for _, t := range m.Ties {
		add(t.Identity, t.Attribute, "")
	}
	return who
}

// named reports whether somebody can be found by an item: not, once it is anonymised.
func (m Mapping) named(it item) bool {
	return slices.ContainsFunc(m.FindBy, func(l Lookup) bool { return it[l.Attribute] != nil })
}

// whose tells the items of people apart, by everything that names them.
func (m Mapping) whose(it item) string {
	h := sha256.New()
	add := func(attribute string) {
		v := bytesOf(it[attribute])
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(v)))) //nolint:gosec // an item has 400 KB at most
		h.Write(v)
	}
	for _, l := range m.FindBy {
		add(l.Attribute)
	}
	for _, t := range m.Ties {
		add(t.Attribute)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// way is how a category is gone through: the parts of an index, or of the table.
type way struct {
	parts []string // the values of the index's partition key; of a scan its segments, which have no names
	index string
	when  Instant
	until types.AttributeValue
}

// way returns how what is asked for is found.
func (s *Source) way(age source.Age) (way, error) {
	sweep := s.m.Sweep
	w := way{when: sweep.Time}
	if err := s.expires(age.Verb, age.Category); err != nil {
		return way{}, err
	}
	if age.By != sweep.Hand {
		// Where no item says when it was collected, all are without a time: nothing is due,
		// but a walk that goes by whom items are about finds them.
		if w.when = s.m.CollectedAt; age.By != source.Collected {
			return way{}, fmt.Errorf("%w: %w: the mapping does not say when items were last used", source.ErrRefused, source.ErrNotSwept)
		}
	}
	w.parts = slices.DeleteFunc(slices.Clone(sweep.Equals), func(v string) bool { return !s.m.mayHold(sweep.Attribute, v, age.Category) })
	if age.By != sweep.Hand || sweep.Index == "" || age.Whole || len(w.parts) == 0 { // what has no time is in no index
		w.parts = make([]string, max(1, sweep.Segments))
		return w, nil
	}
	w.index = sweep.Index
	w.until = bound(w.when.Format, age.Until)
	return w, nil
}

// expires refuses what cannot be done to a category by its age.
func (s *Source) expires(verb source.Verb, category string) error {
	switch {
	case !slices.ContainsFunc(s.m.Items, func(r Rule) bool { return r.Category == category }):
		return fmt.Errorf("%w: the mapping has no such category", source.ErrRefused)
	case verb == source.Archive:
		return refused(errors.New("a table has no place to archive to; declare delete or anonymise"))
	case verb == source.Anonymise && s.m.nameIsKey():
		return refused(errors.New("what names the person is the item's key and cannot be masked; declare delete"))
	}
	return nil
}

// mayHold reports whether items of a category can have a value in an attribute. It
// can be told only where that attribute decides about every category.
func (m Mapping) mayHold(attribute, value, category string) bool {
	for _, r := range m.Items {
		if r.Attribute != attribute {
			return true
		}
		if r.Equals == value || r.Prefix != "" && strings.HasPrefix(value, r.Prefix) || r.Equals+r.Prefix == "" {
			return r.Category == category
		}
	}
	return true
}

// bound is the last place in an index at which something can be that is not younger.
// What it lets through is judged by its time all the same.
func bound(f Format, until time.Time) types.AttributeValue {
	switch f {
	case UnixSeconds:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(until.Unix())}
	case UnixMillis:
		return &types.AttributeValueMemberN{Value: fmt.Sprint(until.UnixMilli())}
	case RFC3339:
	}
	return &types.AttributeValueMemberS{Value: until.UTC().Format("2006-01-02T15:04:05") + "~"} // after fractions, Z and every offset
}

// reached is how far a look for what is old has come.
type reached struct {
	Part  int  `json:"part"`
	After item `json:"-"`
}

type reachedCursor struct {
	reached
	Index bool `json:"index"`
	Parts int  `json:"parts"`
	scalars
}

func (r reachedCursor) cursor() string {
	r.scalars = toScalars(r.After)
	return token(r)
}

// parse reads a cursor; one of a mapping that was different is none.
func (w way) parse(s string) (reachedCursor, error) {
	c := reachedCursor{Index: w.index != "", Parts: len(w.parts)}
	if s == "" {
		return c, nil
	}
	var was reachedCursor
	if !parseToken(s, &was) || was.Index != c.Index || was.Parts != c.Parts || was.Part < 0 || was.Part >= c.Parts {
		return c, errCursor
	}
	was.After = was.item()
	return was, nil
}

// reach reads at most n items of the part that a look is in. Beyond the last part
// the look is over.
func (s *Source) reach(ctx context.Context, w way, at reachedCursor, n int) (items []item, next reachedCursor, units float64, err error) {
	var last item
	if w.index == "" {
		items, last, units, err = s.scan(ctx, w, at, n)
	} else {
		items, last, units, err = s.query(ctx, w, at, n)
	}
	if err != nil {
		return nil, at, units, err
	}
	if next = at; len(last) > 0 {
		next.After = last
	} else {
		next.Part, next.After = at.Part+1, nil
	}
	return items, next, units, nil
}

func (s *Source) scan(ctx context.Context, w way, at reachedCursor, n int) ([]item, item, float64, error) {
	in := &dynamodb.ScanInput{
		TableName: &s.m.Table, ExclusiveStartKey: at.After, Limit: aws.Int32(int32(n)), //nolint:gosec // at most maxScan
		ReturnConsumedCapacity:   types.ReturnConsumedCapacityTotal,
		ExpressionAttributeNames: map[string]string{},
	}
	in.ProjectionExpression = project(in.ExpressionAttributeNames, s.m.needed(w)...)
	if len(w.parts) > 1 {
		in.Segment, in.TotalSegments = aws.Int32(int32(at.Part)), aws.Int32(int32(len(w.parts))) //nolint:gosec // at most maxSegments
	}
	out, err := s.o.Client.Scan(ctx, in)
	if err != nil {
		return nil, nil, 0, sorted(err)
	}
	return itemsOf(out.Items), out.LastEvaluatedKey, consumed(out.ConsumedCapacity), nil
}

// query asks for one entry more than is wanted: otherwise a page that ends with what
// is due would have to be followed by one with nothing.
func (s *Source) query(ctx context.Context, w way, at reachedCursor, n int) ([]item, item, float64, error) {
	q := &dynamodb.QueryInput{
		TableName: &s.m.Table, IndexName: &w.index, ExclusiveStartKey: at.After, Limit: aws.Int32(int32(n + 1)), //nolint:gosec // at most maxScan
		KeyConditionExpression:    aws.String("#part = :part AND #time <= :until"),
		ExpressionAttributeNames:  map[string]string{"#part": s.m.Sweep.Attribute, "#time": w.when.Attribute},
		ExpressionAttributeValues: item{":part": &types.AttributeValueMemberS{Value: w.parts[at.Part]}, ":until": w.until},
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	}
	q.ProjectionExpression = project(q.ExpressionAttributeNames, s.m.Key.Partition, s.m.Key.Sort, s.m.Sweep.Attribute, w.when.Attribute)
	out, err := s.o.Client.Query(ctx, q)
	if err != nil {
		return nil, nil, 0, sorted(err)
	}
	entries, last := itemsOf(out.Items), item(out.LastEvaluatedKey)
	if len(entries) > n {
		entries, last = entries[:n], entries[n-1]
	}
	keys := make([]item, len(entries))
	for i, e := range entries {
		keys[i] = s.m.key(e)
	}
	items, units, err := s.reread(ctx, keys, false)
	return items, last, units + consumed(out.ConsumedCapacity), err
}

// needed are the attributes that have to be known of an item to judge it.
func (m Mapping) needed(w way) []string {
	attributes := []string{m.Key.Partition, m.Key.Sort, m.RecordID, w.when.Attribute}
	for _, r := range m.Items {
		attributes = append(attributes, r.Attribute)
	}
	for _, l := range m.FindBy {
		attributes = append(attributes, l.Attribute)
	}
	for _, t := range m.Ties {
		attributes = append(attributes, t.Attribute)
	}
	return attributes
}

// project asks for attributes, each once and by a placeholder in names.
func project(names map[string]string, attributes ...string) *string {
	slices.Sort(attributes)
	var refs []string
	for i, a := range slices.Compact(attributes) {
		if a == "" {
			continue
		}
		refs = append(refs, fmt.Sprintf("#a%d", i))
		names[refs[len(refs)-1]] = a
	}
	return aws.String(strings.Join(refs, ", "))
}

func itemsOf(raw []map[string]types.AttributeValue) []item {
	items := make([]item, len(raw))
	for i := range raw {
		items[i] = raw[i]
	}
	return items
}

func consumed(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}
