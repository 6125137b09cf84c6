package retention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func ruleOf(k table.Key) string { return k.Partition[len(prefix):] }

// load reads where a rule stands; one that nothing is stored of has version 0.
func (s *Service) load(ctx context.Context, rule string) (Sweep, error) {
	item, err := s.Table.Get(ctx, Ref(rule))
	if errors.Is(err, table.ErrAbsent) {
		return Sweep{Rule: rule}, nil
	}
	if err != nil {
		return Sweep{}, fmt.Errorf("load the sweep %s: %w", rule, err)
	}
	sw := Sweep{version: item.Version}
	if err := json.Unmarshal(item.Body, &sw); err != nil || item.Schema != schema {
		return Sweep{}, fmt.Errorf("retention: the sweep %s is stored in an unknown form", rule)
	}
	return sw, nil
}

func entryKey(chain string, seq int64) table.Key {
	return table.Key{Partition: chain, Sort: fmt.Sprintf("%012d", seq)}
}

// put is the write of a sweep.
func (sw Sweep) put(now time.Time, auditLife policy.Period) (table.Write, error) {
	body, err := json.Marshal(sw)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode the sweep %s: %w", sw.Rule, err)
	}
	condition := table.New
	if sw.version > 0 {
		condition = table.Version(sw.version)
	}
	item := table.Item{Key: Ref(sw.Rule).Key, Body: body, Schema: schema, Due: sw.Due}
	if sw.Status == Retired {
		item.Expires = auditLife.After(now) // as long as its chain
	}
	if sw.Status == replaying {
		item.Expires = now.Add(replayLife)
	}
	return table.Put(table.State, item, condition), nil
}

// save commits a sweep with its entries, in their order. The caller decides again on
// table.ErrConflict.
func (s *Service) save(ctx context.Context, commit table.ID, sw Sweep, entries []audit.Entry, more ...table.Write) (Sweep, error) {
	var writes []table.Write
	expires := s.Policy.Retention.Audit.After(s.now())
	for _, e := range entries {
		e.Commit = string(commit)
		e, sw.Head = sw.Head.Append(e)
		writes = append(writes, table.Put(table.Audit, table.Item{
			Key: entryKey(e.Chain, e.Seq), Body: e.Encode(), Schema: schema, Expires: expires,
		}, table.New))
	}
	sw.Due = s.next(sw)
	put, err := sw.put(s.now(), s.Policy.Retention.Audit)
	if err != nil {
		return sw, err
	}
	if err := s.Table.Commit(ctx, commit, append(append([]table.Write{put}, writes...), more...)...); err != nil {
		return sw, err
	}
	sw.version++
	return sw, nil
}
