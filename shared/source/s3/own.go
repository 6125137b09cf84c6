package s3source

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"rightsdesk/shared/personal"
)

// own marks the entries that are the person's on a leg, and not on an earlier one
// too, and returns how many tags it read. What lies below a prefix is theirs; what
// has a tag is theirs version by version, and a delete marker is if one of the
// versions that it may hide is.
func (s *Source) own(ctx context.Context, legs []leg, index int, groups []group) (read int, err error) {
	l := legs[index]
	var ask []*entry
	for _, g := range groups {
		if slices.ContainsFunc(legs[:index], func(earlier leg) bool { return earlier.tagged == nil && strings.HasPrefix(g.key, earlier.prefix) }) {
			continue
		}
		for i := range g.entries {
			if g.entries[i].owned = l.tagged == nil; !g.entries[i].owned && !g.entries[i].marker {
				ask = append(ask, &g.entries[i])
			}
		}
	}
	if len(ask) == 0 {
		return 0, nil
	}
	err = each(ask, func(e *entry) error {
		if err := s.readTags(ctx, e); err != nil {
			return err
		}
		e.owned = slices.ContainsFunc(s.m.tagged(e.tags), func(id personal.Identity) bool { return slices.Contains(l.tagged, id) })
		return nil
	})
	for _, g := range groups {
		if slices.ContainsFunc(g.entries, func(e entry) bool { return e.owned }) {
			for i := range g.entries {
				g.entries[i].owned = g.entries[i].owned || g.entries[i].marker
			}
		}
	}
	return len(ask), err
}

// readTags reads the tags of a version. One that is gone by now has none.
func (s *Source) readTags(ctx context.Context, e *entry) error {
	out, err := s.o.Client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &s.m.Bucket, Key: &e.key, VersionId: &e.version})
	if isGone(err) {
		return nil
	}
	if err != nil {
		return sorted(err)
	}
	e.tags = map[string]string{}
	for _, t := range out.TagSet {
		e.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return nil
}

// tagged returns whom tags name.
func (m Mapping) tagged(tags map[string]string) []personal.Identity {
	var who []personal.Identity
	for kind, name := range m.Tag {
		if v := tags[name]; v != "" {
			who = append(who, personal.MakeIdentity(kind, v))
		}
	}
	return who
}

// atOnce is how many objects are asked for at the same time.
const atOnce = 16

// each does something with every element, several at once, and returns one error
// if any failed.
func each[T any](list []T, do func(T) error) error {
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for part := range slices.Chunk(list, max(1, (len(list)+atOnce-1)/atOnce)) {
		wg.Go(func() {
			for _, v := range part {
				if err := do(v); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}
