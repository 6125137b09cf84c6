package policy

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Particulars are what a ready profile cannot know: whose it is.
type Particulars struct {
	LegalName string // of the controller
	Address   string // its postal address; empty: questions go to Contact alone
	Contact   string // the mail address for questions about privacy
	URL       string // where the policy is published; empty: left as it is
}

// ParticularsOf reads a controller as somebody types it into one line: its legal
// name and, after a semicolon, its postal address.
func ParticularsOf(controller, contact, url string) Particulars {
	name, address, _ := strings.Cut(controller, ";")
	return Particulars{
		LegalName: strings.TrimSpace(name), Address: strings.TrimSpace(address), Contact: strings.TrimSpace(contact), URL: url,
	}
}

// Fill puts the particulars into a policy file that was written for somebody else,
// and leaves all else, comments too, as it is: the names of the controller wherever a
// text has them, how to reach it, and where the policy is. Other addresses of the
// example stay; Examples lists them.
func Fill(file []byte, with Particulars) ([]byte, error) {
	root, problems := load(file)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	names := []string{valueOf(root, "controller", "legal_name"), valueOf(root, "controller", "trade_name"), valueOf(root, "document", "brand")}
	for _, name := range names {
		if name != "" {
			rename(root, regexp.MustCompile(`(?i)`+regexp.QuoteMeta(name)), with.LegalName)
		}
	}
	address := with.Address
	if address == "" {
		address = with.Contact // which is a contact all the same
	}
	set(root, address, "controller", "postal_address")
	set(root, with.Contact, "contact", "email")
	set(root, address, "contact", "postal_address")
	set(root, with.LegalName, "contact", "person")
	drop(root, "contact", "page")
	drop(root, "operators", "mail") // digests go to the contact
	if with.URL != "" {
		set(root, with.URL, "document", "url")
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, fmt.Errorf("write the policy file: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("write the policy file: %w", err)
	}
	filled := out.Bytes()
	if _, err := Parse(filled); err != nil {
		return nil, fmt.Errorf("the policy with the particulars of this installation: %w", err)
	}
	return filled, nil
}

// at returns what stands under a path of keys, nil if nothing does.
func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		i := indexOf(n, key)
		if i < 0 {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

func indexOf(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

func valueOf(root *yaml.Node, path ...string) string {
	if n := at(root, path...); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// set changes a value that is there.
func set(root *yaml.Node, value string, path ...string) {
	if n := at(root, path...); n != nil && n.Kind == yaml.ScalarNode {
		n.SetString(value)
	}
}

// drop takes a key out of a mapping, which keeps one at least.
func drop(root *yaml.Node, path ...string) {
	in := at(root, path[:len(path)-1]...)
	if in == nil || in.Kind != yaml.MappingNode || len(in.Content) <= 2 {
		return
	}
	if i := indexOf(in, path[len(path)-1]); i >= 0 {
		in.Content = slices.Delete(in.Content, i, i+2)
	}
}

// rename puts a name in place of another in every value. Keys are no prose.
func rename(n *yaml.Node, old *regexp.Regexp, name string) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!str" && old.MatchString(n.Value) {
			n.Value = old.ReplaceAllLiteralString(n.Value, name)
		}
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			rename(n.Content[i], old, name)
		}
	case yaml.SequenceNode, yaml.DocumentNode, yaml.AliasNode:
		for _, c := range n.Content {
			rename(c, old, name)
		}
	}
}

// Foreign lists where a file still names somebody else as who answers for the data:
// the controller of a ready profile, or a mail address that nobody can have (RFC 2606,
// RFC 6761). Requests that people make under such a policy would reach nobody.
func Foreign(file []byte) Problems {
	root, problems := load(file)
	if len(problems) > 0 {
		return problems.sorted()
	}
	refuse := func(n *yaml.Node, path, text string) {
		problems = append(problems, Problem{n.Line, n.Column, path, text})
	}
	if n := at(root, "controller", "legal_name"); n != nil && slices.Contains(profileControllers(), strings.ToLower(strings.TrimSpace(n.Value))) {
		refuse(n, "controller.legal_name", "is the example's of a ready profile; put in the legal name of who decides about the data")
	}
	for _, path := range [][]string{{"contact", "email"}, {"operators", "mail"}} {
		if n := at(root, path...); n != nil && Reserved(n.Value) {
			refuse(n, strings.Join(path, "."), "is an address at a domain that is reserved for examples; put in one that somebody reads")
		}
	}
	return problems.sorted()
}

// profileControllers are the legal names in the ready profiles.
var profileControllers = sync.OnceValue(func() (names []string) {
	for _, name := range ProfileNames() {
		file, _ := Profile(name)
		if root, problems := load(file); len(problems) == 0 {
			names = append(names, strings.ToLower(valueOf(root, "controller", "legal_name")))
		}
	}
	return names
})

// Examples lists the addresses in a file that are reserved for examples. They break
// no promise, but lead nobody anywhere.
func Examples(file []byte) (list Problems) {
	root, problems := load(file)
	if len(problems) > 0 {
		return nil
	}
	examples(root, "", &list)
	return list.sorted()
}

func examples(n *yaml.Node, path string, list *Problems) {
	switch n.Kind {
	case yaml.ScalarNode:
		if slices.ContainsFunc(strings.Fields(n.Value), Reserved) {
			*list = append(*list, Problem{n.Line, n.Column, path, "is an address that is reserved for examples"})
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			examples(n.Content[i+1], join(path, shown(n.Content[i].Value)), list)
		}
	case yaml.SequenceNode, yaml.DocumentNode, yaml.AliasNode:
		for i, c := range n.Content {
			examples(c, fmt.Sprintf("%s[%d]", path, i), list)
		}
	}
}

// Reserved reports whether a mail or web address is at a domain that is reserved for
// examples and tests (RFC 2606, RFC 6761): nothing sent there arrives.
func Reserved(address string) bool {
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Hostname()
	} else if i := strings.LastIndexByte(address, '@'); i >= 0 {
		host = address[i+1:]
	} else {
		return false
	}
	host = "." + strings.ToLower(strings.Trim(host, ".> "))
	return slices.ContainsFunc(reserved, func(domain string) bool { return strings.HasSuffix(host, domain) })
}

var reserved = []string{".example.com", ".example.net", ".example.org", ".example", ".invalid", ".test", ".localhost"}
