// Package logssource is the kind "logs": CloudWatch log groups that hold something
// of everybody. Nobody can be found in a log, so nobody is looked for: an answer
// says that logs are kept and for how long, and erasure is the end of that time. A
// plan therefore never asks this source, and asking it is refused rather than
// answered with "nothing".
//
// What it does is to keep that promise true: it implements source.Keeper, which
// compares every group's retention with the policy and reports what has drifted. A
// new group has no retention at all and keeps for ever.
//
// Trust. Whoever may change log groups can undo a retention; the next look reports
// it. A name that ends in * is a prefix: what an app names so later counts too.
//
// The folder is named like the kind in the policy file; the package is not, because
// it imports the SDK's package of such a name. It imports source and the SDK. boot
// imports it, and gives it the client.
package logssource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"rightsdesk/shared/source"
)

// Options declare log groups.
type Options struct {
	ID     string   // the source's id in the policy
	Groups []string // names, or prefixes that end in *
	Days   int      // how long the policy lets them keep
	Set    bool     // a group that is younger than that is given its retention
	Client *cloudwatchlogs.Client
	Now    func() time.Time
}

// Source is a source.Source in which nobody is found, and a source.Keeper.
type Source struct {
	o    Options
	want int
}

var (
	_ source.Source = (*Source)(nil)
	_ source.Keeper = (*Source)(nil)
)

// allowed are the retentions that the service knows, in days.
var allowed = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// New refuses a declaration that cannot be followed (source.ErrRefused).
func New(o Options) (*Source, error) {
	switch {
	case len(o.Groups) == 0 || slices.Contains(o.Groups, ""):
		return nil, fmt.Errorf("source %s: %w: it names no log group", o.ID, source.ErrRefused)
	case o.Days < allowed[0]:
		return nil, fmt.Errorf("source %s: %w: a log group keeps for a day at least", o.ID, source.ErrRefused)
	case o.Client == nil || o.Now == nil:
		return nil, fmt.Errorf("source %s: %w: it has no client or no clock", o.ID, source.ErrRefused)
	}
	s := &Source{o: o}
	for _, days := range allowed {
		if days <= o.Days { // the policy says how long at most
			s.want = days
		}
	}
	return s, nil
}

var errNobody = fmt.Errorf("%w: nobody can be found in log groups; they forget by their retention", source.ErrRefused)

// Find implements source.Source by refusing.
func (s *Source) Find(context.Context, source.Ask) (source.Found, error) {
	return source.Found{}, fmt.Errorf("source %s: find: %w", s.o.ID, errNobody)
}

// Execute implements source.Source by refusing.
func (s *Source) Execute(_ context.Context, order source.Order) (source.Done, error) {
	return source.Done{}, fmt.Errorf("source %s: %s: %w", s.o.ID, order.Verb, errNobody)
}

// Reach lists the groups and changes nothing: whether the service answers.
func (s *Source) Reach(ctx context.Context) error {
	if _, _, err := s.groups(ctx); err != nil {
		return fmt.Errorf("source %s: list its groups: %w", s.o.ID, err)
	}
	return nil
}

// Tend implements source.Keeper. Without an error, every group was compared.
func (s *Source) Tend(ctx context.Context, confirmed []source.Drift) (source.Tended, error) {
	groups, missing, err := s.groups(ctx)
	if err != nil {
		return source.Tended{}, fmt.Errorf("source %s: tend: %w", s.o.ID, err)
	}
	tended := source.Tended{Seen: len(groups), Drift: missing}
	for _, g := range groups {
		d, differs := s.drift(g)
		if !differs {
			continue
		}
		if slices.Contains(confirmed, d) || s.o.Set && d.Created.AddDate(0, 0, s.want).After(s.o.Now()) {
			if d.Set, err = s.set(ctx, d.Name); err != nil {
				return source.Tended{}, fmt.Errorf("source %s: set the retention of %s: %w", s.o.ID, d.Name, err)
			}
			if !d.Set {
				continue // it was deleted meanwhile
			}
		}
		tended.Drift = append(tended.Drift, d)
	}
	slices.SortFunc(tended.Drift, func(a, b source.Drift) int { return cmp.Compare(a.Name, b.Name) })
	return tended, nil
}

// drift compares a group with the policy. Keeping for less than it says is none:
// the policy says how long at most.
func (s *Source) drift(g types.LogGroup) (d source.Drift, differs bool) {
	d = source.Drift{
		Name: aws.ToString(g.LogGroupName), Days: int(aws.ToInt32(g.RetentionInDays)), Want: s.want,
		Created: time.UnixMilli(aws.ToInt64(g.CreationTime)).UTC(),
	}
	switch {
	case g.LogGroupClass == types.LogGroupClassDelivery:
		return d, false // it keeps for two days, and nobody can change that
	case d.Days == 0:
		d.Kind = source.KeptForever
	case d.Days > s.want:
		d.Kind = source.KeptLonger
	default:
		return d, false
	}
	return d, true
}

func (s *Source) set(ctx context.Context, name string) (there bool, err error) {
	_, err = s.o.Client.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{
		LogGroupName: &name, RetentionInDays: aws.Int32(int32(s.want)), //nolint:gosec // 3653 at most
	})
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "ResourceNotFoundException" {
		return false, nil
	}
	if err != nil {
		return false, sorted(err)
	}
	return true, nil
}

// maxPages bounds a list, in pages of 50 groups.
const maxPages = 400

// groups returns the groups that the policy names, each once, and the names that
// no group has.
func (s *Source) groups(ctx context.Context) (all []types.LogGroup, missing []source.Drift, err error) {
	seen := map[string]bool{}
	for _, pattern := range s.o.Groups {
		prefix, open := strings.CutSuffix(pattern, "*")
		fits := func(name string) bool { return name == pattern || open && strings.HasPrefix(name, prefix) }
		found := false
		in := &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(50)}
		if prefix != "" {
			in.LogGroupNamePrefix = &prefix
		}
		for page := 0; ; page++ {
			if page == maxPages {
				return nil, nil, fmt.Errorf("%w: the list of log groups has no end", source.ErrRefused)
			}
			out, err := s.o.Client.DescribeLogGroups(ctx, in)
			if err != nil {
				return nil, nil, sorted(err)
			}
			for _, g := range out.LogGroups {
				name := aws.ToString(g.LogGroupName)
				if !fits(name) {
					continue
				}
				if found = true; !seen[name] {
					seen[name], all = true, append(all, g)
				}
			}
			if in.NextToken = out.NextToken; aws.ToString(out.NextToken) == "" {
				break
			}
		}
		if !found {
			missing = append(missing, source.Drift{Name: pattern, Kind: source.Missing, Want: s.want})
		}
	}
	return all, missing, nil
}

// hopeless are the service's words for what no repetition mends.
var hopeless = map[string]bool{
	"AccessDeniedException": true, "AccessDenied": true, "UnrecognizedClientException": true, "InvalidSignatureException": true, "MissingAuthenticationTokenException": true,
	"InvalidParameterException": true, "ValidationException": true, "SerializationException": true,
}

// sorted says whether trying again can help.
func sorted(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	switch {
	case !ok:
		return fmt.Errorf("%w: %w", source.ErrLater, err)
	case hopeless[api.ErrorCode()]:
		return fmt.Errorf("%w: CloudWatch Logs answered %s", source.ErrRefused, api.ErrorCode())
	}
	return fmt.Errorf("%w: CloudWatch Logs answered %s", source.ErrLater, api.ErrorCode())
}
