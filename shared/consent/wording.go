package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// Wording is what was shown, kept once by its hash.
type Wording struct {
	Text     string    `json:"text"`
	Language string    `json:"language"`
	Purpose  string    `json:"purpose"`
	Policy   string    `json:"policy"` // version that it was first seen under
	Since    time.Time `json:"since"`
}

const wordingSchema = 1

var hashPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func wordingRef(hash string) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: "wording#" + hash, Sort: "-"}}
}

// wordingCache remembers which wordings are stored, so that an instance asks once.
type wordingCache struct {
	mu     sync.Mutex
	stored map[string]bool
}

// maxWordings is how many are remembered: an app may show one of its own to everybody.
const maxWordings = 10_000

func (c *wordingCache) has(hash string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored[hash]
}

func (c *wordingCache) put(hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stored == nil || len(c.stored) >= maxWordings {
		c.stored = map[string]bool{}
	}
	c.stored[hash] = true
}

// inForce finds a wording of the policy in force by its hash.
func inForce(rule policy.Consent, hash string) (text, language string, ok bool) {
	for _, language := range slices.Sorted(maps.Keys(rule.Wording)) {
		if text := rule.Wording[language]; policy.WordingHash(text) == hash {
			return text, language, true
		}
	}
	return "", "", false
}

// keeping returns the write that keeps a wording, or none if it is kept already.
func (s *Service) keeping(ctx context.Context, hash string, w Wording) ([]table.Write, error) {
	if s.seen.has(hash) {
		return nil, nil
	}
	_, err := s.Table.Get(ctx, wordingRef(hash))
	if err == nil {
		s.seen.put(hash)
		return nil, nil
	}
	if !errors.Is(err, table.ErrAbsent) {
		return nil, fmt.Errorf("look for a wording: %w", err)
	}
	body, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encode a wording: %w", err)
	}
	return []table.Write{table.Put(table.State, table.Item{Key: wordingRef(hash).Key, Body: body, Schema: wordingSchema}, table.New)}, nil
}

// WordingOf returns what was shown, by its hash.
func (s *Service) WordingOf(ctx context.Context, hash string) (Wording, error) {
	if !hashPattern.MatchString(hash) {
		return Wording{}, ErrNotFound
	}
	item, err := s.Table.Get(ctx, wordingRef(hash))
	if err == nil {
		var w Wording
		if err := json.Unmarshal(item.Body, &w); err != nil || item.Schema != wordingSchema {
			return Wording{}, errors.New("consent: a wording is stored in an unknown form")
		}
		return w, nil
	}
	if !errors.Is(err, table.ErrAbsent) {
		return Wording{}, unavailable(fmt.Errorf("load a wording: %w", err))
	}
	for _, rule := range s.Policy.Consents { // shown by now, and nobody chose yet
		if text, language, ok := inForce(rule, hash); ok {
			return Wording{Text: text, Language: language, Purpose: rule.Purpose, Policy: s.Policy.Version}, nil
		}
	}
	return Wording{}, ErrNotFound
}

// Offer is a purpose as a website shows it.
type Offer struct {
	Purpose  string
	Label    string
	Text     string // the purpose
	Wording  string
	Hash     string
	Required bool
	Loss     string
	Default  policy.Default // where the visitor lives, as far as that is told
}

// Offers lists what a website can ask about, in a language.
func (s *Service) Offers(language, residence string) []Offer {
	list := make([]Offer, 0, len(s.Policy.Consents))
	for _, rule := range s.Policy.Consents {
		use, _ := s.Policy.Purpose(rule.Purpose) // a policy has rules for its own purposes only
		wording := rule.Wording.In(language)
		o := Offer{
			Purpose: rule.Purpose, Label: rule.Label.In(language), Text: use.Text.In(language),
			Wording: wording, Hash: policy.WordingHash(wording), Required: rule.Required, Default: policy.Off,
		}
		if rule.Required {
			o.Loss, o.Default = rule.Loss.In(language), policy.On
		}
		if rule.Default == policy.On && mayDefault(s.Policy, rule, residence) {
			o.Default = policy.On
		}
		list = append(list, o)
	}
	return list
}
