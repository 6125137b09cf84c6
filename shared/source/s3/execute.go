package s3source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/source"
)

// maxTagged is how many versions below Within one call reads the tags of. An order
// has no cursor: it must get through all of them within its lease.
const maxTagged = 10_000

// Execute implements source.Source. It is done when a fresh list shows nothing
// that the order is about.
func (s *Source) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	ctx, cancel := order.Call.Within(ctx, s.o.Now())
	defer cancel()
	done, err := s.execute(ctx, order)
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: %s: %w", s.o.ID, order.Verb, err)
	}
	return done, nil
}

func (s *Source) execute(ctx context.Context, order source.Order) (source.Done, error) {
	switch order.Verb {
	case source.Delete:
	case source.Choose:
		return source.Done{}, refused(errors.New("a bucket obeys nobody's choice; declare a hook that does"))
	case source.Anonymise, source.Correct, source.Archive:
		return source.Done{}, refused(errors.New("an object is bytes: it can be deleted, and neither masked nor corrected; declare delete"))
	default:
		return source.Done{}, refused(errors.New("the order does not say what to do"))
	}
	legs, err := s.legs(order.Identities, order.Category)
	switch {
	case err != nil:
		return source.Done{}, err
	case order.Category == "" || order.Until.IsZero() || order.Call.Key == "":
		return source.Done{}, refused(errors.New("an order needs a category, a cut-off and a key"))
	}
	p, err := s.pick(ctx, legs, order)
	if err != nil {
		return source.Done{}, err
	}
	page, err := source.RememberOrder(ctx, s.o.Pages, order, source.Page{IDs: p.ids(), Rest: len(p.going) > 0})
	if err != nil {
		return source.Done{}, err
	}
	if err := s.delete(ctx, order.Call, p.on(page)); err != nil {
		return source.Done{}, err
	}
	return p.told(page), nil
}

// target is an entry that is to go.
type target struct {
	entry
	id string
}

// picked is what a page of an order is about.
type picked struct {
	going  []target // what is to go, versions before the markers that hide them
	locked []string // ids of what the bucket does not let go
	hiding int      // markers that stay for what they hide
}

func (p picked) ids() []string {
	ids := make([]string, len(p.going))
	for i, t := range p.going {
		ids[i] = t.id
	}
	return ids
}

// on returns what is to go and on the page: what a repeated call finds behind its
// page is for another one.
func (p picked) on(page source.Page) []target {
	return slices.DeleteFunc(p.going, func(t target) bool { return !slices.Contains(page.IDs, t.id) })
}

// told returns what a call whose page was remembered did.
func (p picked) told(page source.Page) source.Done {
	done := source.Done{Removed: len(page.IDs), Retained: len(p.locked) + p.hiding, Done: !page.Rest}
	for _, id := range p.locked {
		if slices.Contains(page.IDs, id) { // it was locked while the call was under way
			done.Removed--
		}
	}
	if n := len(p.locked); n > 0 {
		done.Messages = append(done.Messages, fmt.Sprintf("%d versions are under an object lock or a legal hold of the bucket and were left.", n))
	}
	if p.hiding > 0 {
		done.Messages = append(done.Messages, fmt.Sprintf("%d delete markers were left: without them, versions that stay would come to light.", p.hiding))
	}
	return done
}

// pick works out what goes, before anything does. It ends when a page is full.
func (s *Source) pick(ctx context.Context, legs []leg, order source.Order) (picked, error) {
	var p picked
	keep := make(map[string]bool, len(order.Keep))
	for _, id := range order.Keep {
		keep[id] = true
	}
	locks, err := s.locks(ctx)
	if err != nil {
		return p, err
	}
	limit, read := source.Size(order.Limit), 0
	for i, l := range legs {
		for w := s.walk(l.prefix, position{}); !w.done; {
			if err := order.Call.Begins(s.o.Now()); err != nil {
				return p, err
			}
			groups, err := w.next(ctx)
			if err != nil {
				return p, err
			}
			n, err := s.own(ctx, legs, i, groups)
			if err != nil {
				return p, err
			}
			if read += n; read > s.maxTagged {
				return p, refused(errors.New("too many versions would have to be asked for their tags; give each person a prefix"))
			}
			if locks {
				if err := s.readLocks(ctx, groups); err != nil {
					return p, err
				}
			}
			for _, g := range groups {
				due, err := s.due(s.m.lead(l, g.key), g, order.Category, order.Until, keep)
				if err != nil {
					return p, err
				}
				if p.choose(g, due, limit); len(p.going) == limit {
					return p, nil
				}
			}
		}
	}
	return p, nil
}

// due returns what of a group is the person's, of the category, up to the cut-off
// and not to be kept.
func (s *Source) due(lead string, g group, category string, until time.Time, keep map[string]bool) ([]target, error) {
	var due []target
	for _, e := range g.entries {
		if !e.owned {
			continue
		}
		r, wanted, err := s.record(lead, e, category, until)
		if err != nil {
			return nil, refused(err)
		}
		if wanted && !keep[r.ID] {
			due = append(due, target{e, r.ID})
		}
	}
	return due, nil
}

// choose adds to p what of one key goes: versions that are not locked, then the
// markers under which nothing stays. A full page is cut between them.
func (p *picked) choose(g group, due []target, limit int) {
	stays := map[string]bool{}
	for _, e := range g.entries {
		stays[e.version] = !e.marker
	}
	for _, t := range due {
		switch {
		case t.marker || len(p.going) == limit:
		case t.locked:
			p.locked = append(p.locked, t.id)
		default:
			stays[t.version] = false
			p.going = append(p.going, t)
		}
	}
	for _, t := range due {
		switch {
		case !t.marker || len(p.going) == limit:
		case slices.ContainsFunc(g.entries, func(e entry) bool { return stays[e.version] && e.order(t.entry) > 0 }):
			p.hiding++
		default:
			p.going = append(p.going, t)
		}
	}
}

// locks reports whether the bucket can lock objects at all, so that only then each
// is asked.
func (s *Source) locks(ctx context.Context) (bool, error) {
	_, err := s.o.Client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &s.m.Bucket})
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "ObjectLockConfigurationNotFoundError" {
		return false, nil
	}
	if err != nil {
		return false, sorted(err)
	}
	return true, nil
}

// readLocks marks the person's versions that the bucket does not let go.
func (s *Source) readLocks(ctx context.Context, groups []group) error {
	var ask []*entry
	for _, g := range groups {
		for i := range g.entries {
			if e := &g.entries[i]; e.owned && !e.marker {
				ask = append(ask, e)
			}
		}
	}
	return each(ask, func(e *entry) error {
		_, err := s.head(ctx, e)
		return err
	})
}

// head asks whether a version is there, and marks one that the bucket does not let go.
func (s *Source) head(ctx context.Context, e *entry) (there bool, err error) {
	out, err := s.o.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.m.Bucket, Key: &e.key, VersionId: &e.version})
	if isGone(err) {
		return false, nil
	}
	if err != nil {
		return false, sorted(err)
	}
	e.at = aws.ToTime(out.LastModified)
	e.locked = out.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn || aws.ToTime(out.ObjectLockRetainUntilDate).After(s.o.Now())
	return true, nil
}

// deleteBatch is how many versions one call of the service deletes at most.
const deleteBatch = 1000

// delete deletes versions, and after them the markers that hid them.
func (s *Source) delete(ctx context.Context, call source.Call, list []target) error {
	var versions, markers []target
	for _, t := range list {
		if t.marker {
			markers = append(markers, t)
		} else {
			versions = append(versions, t)
		}
	}
	for _, part := range [][]target{versions, markers} {
		for batch := range slices.Chunk(part, deleteBatch) {
			if err := call.Begins(s.o.Now()); err != nil {
				return err
			}
			if err := s.deleteBatch(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Source) deleteBatch(ctx context.Context, batch []target) error {
	objects := make([]types.ObjectIdentifier, 0, len(batch))
	for i := range batch {
		if !inXML(batch[i].key) {
			if _, err := s.o.Client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.m.Bucket, Key: &batch[i].key, VersionId: &batch[i].version}); err != nil {
				return sorted(err)
			}
			continue
		}
		objects = append(objects, types.ObjectIdentifier{Key: &batch[i].key, VersionId: &batch[i].version})
	}
	if len(objects) == 0 {
		return nil
	}
	out, err := s.o.Client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &s.m.Bucket, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(false)},
	})
	if err != nil {
		return sorted(err)
	}
	// The call as a whole succeeds whatever becomes of each.
	kind := source.ErrLater
	for _, e := range out.Errors {
		if hopeless[aws.ToString(e.Code)] {
			kind = source.ErrRefused
		}
	}
	if n := len(objects) - len(out.Deleted); n > 0 || len(out.Errors) > 0 {
		code := "nothing about them"
		if len(out.Errors) > 0 {
			code = aws.ToString(out.Errors[0].Code)
		}
		return fmt.Errorf("%w: %d of %d versions are still there, S3 answered %s", kind, max(n, len(out.Errors)), len(objects), code)
	}
	return nil
}

// inXML reports whether XML can hold a key; a key can hold every character.
func inXML(key string) bool {
	if !utf8.ValidString(key) {
		return false
	}
	for _, r := range key {
		if r < 0x20 || r == 0xFFFE || r == 0xFFFF || r == 0x7F {
			return false
		}
	}
	return true
}
