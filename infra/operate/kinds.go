package operate

import (
	"strings"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// kind is one kind of item, and what becomes of it when a company leaves. Every kind
// that a package of the domain declares in its comment has a line here; a test compares.
type kind struct {
	table  table.Name
	prefix string // of the partition, or the whole of it if alone
	alone  bool
	sort   string // of the sort part, or the whole of it if it does not end in #
	file   string // it is exported into; empty: left out
	why    string // it is left out
	// chain names the audit chain whose head the item remembers.
	chain func(k table.Key, body map[string]any) string
	// sealed are the fields that are opened.
	sealed func(k table.Key, body map[string]any) []sealed
	// drops are fields that nobody can use who is not this installation.
	drops []string
	// raw writes what is no JSON into a file of its own, below the file's name.
	raw bool
}

// sealed is a field of an item that can be opened with somebody's salt.
type sealed struct {
	name   string // in what is exported
	within map[string]any
	field  string
	holder seal.Identifier // empty: that of the item "-" of the same partition
	place  seal.Place
}

func ownPartition(k table.Key, _ map[string]any) string { return k.Partition }

func word(body map[string]any, name string) string {
	s, _ := body[name].(string)
	return s
}

const (
	counter  = "a counter of an hour, under a keyed hash of a network address; it says nothing once that hour is over"
	derived  = "made again from the holds, which are exported"
	underway = "work that is under way; what came of it stands in the audit"
	key      = "a key: what was sealed under it is exported in clear, and copies of it would outlive the people they protect"
)

// kinds are asked in this order.
var kinds = []kind{
	{
		table: table.State, prefix: "request#", sort: "-", file: "requests.ndjson", chain: ownPartition, sealed: fields("holder", "person", "ties"),
		drops: []string{"looks.cursor", "steps.cursor"},
	},
	{table: table.State, prefix: "request#", sort: "plan", file: "plans.ndjson"},
	{table: table.State, prefix: "request#", sort: "message#", file: "messages.ndjson", sealed: words},
	{table: table.State, prefix: "limit#", why: counter},
	{table: table.State, prefix: "operator#", sort: "-", file: "operators.ndjson", chain: ownPartition},

	{table: table.State, prefix: "consent#link#", why: "a link that is about to be mailed, gone within minutes"},
	{
		table: table.State, prefix: "consent#", sort: "-", file: "consents.ndjson", sealed: chosen,
		chain: func(_ table.Key, body map[string]any) string { return "consent#" + word(body, "subject") },
	},
	{table: table.State, prefix: "wording#", sort: "-", file: "wordings.ndjson"},
	{table: table.State, prefix: "asker#", why: counter},
	{table: table.State, prefix: "halt", alone: true, file: "installation.ndjson", chain: ownPartition},

	{table: table.State, prefix: "closure#", sort: "-", file: "closures.ndjson", chain: ownPartition, sealed: fields("holder", "who")},
	{table: table.State, prefix: "closing#", why: "it points to the closure that is under way, which is exported"},
	{table: table.State, prefix: "closer#", why: counter},
	{
		table: table.State, prefix: "life#", sort: "-", file: "lives.ndjson", sealed: fields("holder", "who"),
		chain: func(_ table.Key, body map[string]any) string { return "life#" + word(body, "id") },
	},
	{table: table.State, prefix: "intake#", file: "intake.ndjson"},

	{
		table: table.State, prefix: "holds", alone: true, file: "holds.ndjson",
		chain: func(k table.Key, _ map[string]any) string { return "hold#" + k.Sort },
	},
	{table: table.State, prefix: "held", alone: true, why: derived},
	{table: table.State, prefix: "fence#", why: derived},
	{table: table.State, prefix: "claim#", why: underway},
	{table: table.State, prefix: "waiting#", why: derived},

	{table: table.State, prefix: "erased#", sort: "-", file: "erasures.ndjson", chain: ownPartition},
	{table: table.State, prefix: "salts", alone: true, file: "installation.ndjson", chain: ownPartition},
	{table: table.State, prefix: "sweep#", sort: "-", file: "rules.ndjson", chain: ownPartition, drops: []string{"cursor"}},
	{table: table.State, prefix: "sweep#", sort: "page", why: underway},
	{table: table.State, prefix: "replay", alone: true, file: "installation.ndjson", chain: ownPartition},
	{table: table.State, prefix: "page#", why: underway},
	{table: table.State, prefix: "digest#", chain: ownPartition, why: "lines of a letter to operators, about what is exported"},

	{table: table.State, prefix: "policy", alone: true, sort: "active", file: "installation.ndjson", chain: ownPartition},
	{table: table.State, prefix: "policy", alone: true, sort: "edition#", file: "editions.ndjson"},
	{table: table.State, prefix: "policy", alone: true, sort: "file#", file: "policies", raw: true},
	{table: table.State, prefix: "policy", alone: true, sort: "refused", file: "installation.ndjson"},
	{table: table.State, prefix: "checkpoint", alone: true, file: "installation.ndjson", chain: ownPartition},
	{table: table.State, prefix: "checkpoint#batch", alone: true, why: "a note that entries wait to be sealed; the entries are exported"},
	{table: table.State, prefix: "bulletin#untold", alone: true, why: "a note that entries wait to be told to the event bus; the entries are exported"},

	{table: table.Keys, prefix: "id#", why: key},
	{table: table.Keys, prefix: "sweep#", why: key},
	{table: table.Keys, prefix: "ring", alone: true, why: "the key ring; of it the key of identifiers and the public keys are exported"},
}

// kindOf returns what is known of an item.
func kindOf(name table.Name, k table.Key) (kind, bool) {
	for _, x := range kinds {
		if x.table == name && x.takes(k) {
			return x, true
		}
	}
	return kind{}, false
}

func (x kind) takes(k table.Key) bool {
	if x.alone && k.Partition != x.prefix || !strings.HasPrefix(k.Partition, x.prefix) {
		return false
	}
	if strings.HasSuffix(x.sort, "#") {
		return strings.HasPrefix(k.Sort, x.sort)
	}
	return x.sort == "" || k.Sort == x.sort
}

// named is how a report calls a kind.
func (x kind) named() string {
	s := string(x.table) + " " + x.prefix
	if x.sort != "" && x.sort != "-" {
		s += " " + x.sort
	}
	return s
}

// fields are sealed under the item's partition and their own names.
func fields(holder string, names ...string) func(table.Key, map[string]any) []sealed {
	return func(k table.Key, body map[string]any) []sealed {
		var all []sealed
		for _, n := range names {
			all = append(all, sealed{n, body, n, seal.Identifier(word(body, holder)), seal.Place{Item: k.Partition, Field: n}})
		}
		return all
	}
}

// words are those of a message, sealed for whoever the request is about.
func words(k table.Key, body map[string]any) []sealed {
	return []sealed{{"words", body, "words", "", seal.Place{Item: k.Partition, Field: k.Sort}}}
}

// chosen is whom a letter about choices goes to, and by whom sources know somebody.
func chosen(_ table.Key, body map[string]any) []sealed {
	at := func(holder, field string) seal.Place { return seal.Place{Item: "consent#" + holder, Field: field} }
	holder := word(body, "holder")
	all := []sealed{{"address", body, "address", seal.Identifier(holder), at(holder, "address")}}
	for _, list := range []string{"tell", "reach"} {
		parts, _ := body[list].([]any)
		for _, p := range parts {
			if within, ok := p.(map[string]any); ok {
				h := word(within, "h")
				all = append(all, sealed{list, within, "w", seal.Identifier(h), at(h, "who")})
			}
		}
	}
	return all
}
