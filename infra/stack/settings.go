package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Settings are parameters that whoever deploys from source has fixed, by their names.
// They become literals of the template: CloudFormation prefers the value that a
// parameter had before to a default that changed. What is not fixed stays a parameter.
type Settings map[string]string

// ours matches names that we take for settings. What the CDK itself puts into its
// context has other signs in its names.
var ours = regexp.MustCompile(`^[A-Za-z]+$`)

// ReadSettings reads settings from a YAML file, which need not be there, and from the
// CDK's context, which wins. It refuses what it does not know, so that a misspelt
// name is found before anything is deployed.
func ReadSettings(path string, context map[string]any) (Settings, error) {
	settings, err := readFile(path)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		if !ours.MatchString(name) {
			continue
		}
		value, err := textOf(context[name])
		if err != nil {
			return nil, fmt.Errorf("-c %s: %w", name, err)
		}
		settings[name] = value
	}
	return settings, settings.Check()
}

func readFile(path string) (Settings, error) {
	settings := Settings{}
	file, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if errors.Is(err, fs.ErrNotExist) {
		return settings, nil
	}
	if err != nil {
		return nil, err
	}
	// Nodes and not values, because YAML takes "off" for a truth value.
	lines := map[string]yaml.Node{}
	if err := yaml.Unmarshal(file, &lines); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for name, node := range lines {
		if settings[name], err = scalars(node); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", path, node.Line, name, err)
		}
	}
	return settings, nil
}

var errNoText = errors.New("write one value, or a list of values")

func scalars(node yaml.Node) (string, error) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return "", nil
	case node.Kind == yaml.ScalarNode:
		return node.Value, nil
	case node.Kind != yaml.SequenceNode:
		return "", errNoText
	}
	var values []string
	for _, item := range node.Content {
		if item.Kind != yaml.ScalarNode {
			return "", errNoText
		}
		values = append(values, item.Value)
	}
	return strings.Join(values, ","), nil
}

// textOf is a value of the CDK's context: of the command line a text, of cdk.json
// whatever JSON has.
func textOf(value any) (string, error) {
	switch value := value.(type) {
	case string:
		return value, nil
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), nil
	case []any:
		var values []string
		for _, item := range value {
			text, ok := item.(string)
			if !ok {
				return "", errNoText
			}
			values = append(values, text)
		}
		return strings.Join(values, ","), nil
	}
	return "", errNoText
}

// Check says what is wrong with settings, all at once.
func (s Settings) Check() error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if err := s.checkOne(name); err != nil {
			problems = append(problems, err)
		}
	}
	for _, r := range rules {
		if _, broken := r.open(s); broken && !r.release {
			problems = append(problems, errors.New(r.says))
		}
	}
	// CloudFormation's rules cannot look into an ARN.
	if s["EdgeWebAclArn"] != "" && s["CertificateArn"] != "" && !strings.Contains(s["CertificateArn"], ":acm:us-east-1:") {
		problems = append(problems, errors.New("CertificateArn: with EdgeWebAclArn the certificate has to be in us-east-1, where the edge looks for it"))
	}
	return errors.Join(problems...)
}

func (s Settings) checkOne(name string) error {
	for _, p := range catalogue {
		switch {
		case p.name == name && p.release:
			return fmt.Errorf("%s is a parameter of releases; what is deployed from source brings its own code: leave it out", name)
		case p.name == name:
			return p.check(s[name])
		case strings.EqualFold(p.name, name):
			return fmt.Errorf("%s is not a setting: write %s", name, p.name)
		}
	}
	var known []string
	for _, p := range catalogue {
		if !p.release {
			known = append(known, p.name)
		}
	}
	return fmt.Errorf("%s is not a setting: there are %s", name, strings.Join(known, ", "))
}

// check says what is wrong with a value, as CloudFormation would.
func (p parameter) check(value string) error {
	refused := fmt.Errorf("%s: %q is not possible: %s", p.name, value, p.hint)
	switch {
	case p.high > 0:
		if n, err := strconv.Atoi(value); err != nil || n < p.low || n > p.high || strconv.Itoa(n) != value {
			return refused
		}
	case len(p.allowed) > 0:
		if !slices.Contains(p.allowed, value) {
			return refused
		}
	default:
		values := []string{value}
		if p.list {
			values = strings.Split(value, ",")
		}
		for _, v := range values {
			if !regexp.MustCompile(p.whole()).MatchString(v) {
				return refused
			}
		}
	}
	return nil
}
