package bundle

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The software bill of materials, in CycloneDX 1.6. It says nothing that is not written
// in the programs themselves, where the compiler put it.
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     billMetadata `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type billMetadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []sum      `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type sum struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func bom(r Release) ([]byte, error) {
	product := component{Type: "application", Ref: "rightsdesk@" + r.Version, Name: "rightsdesk", Version: r.Version}
	out := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: billMetadata{product}}
	modules := map[string]component{}
	whole := dependency{Ref: product.Ref, DependsOn: []string{}}
	code := slices.SortedFunc(slices.Values(r.Code), func(a, b Code) int { return strings.Compare(a.Function, b.Function) })
	for _, c := range code {
		binary, err := program(c.Zip)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Function, err)
		}
		info, err := buildinfo.Read(bytes.NewReader(binary))
		if err != nil {
			return nil, fmt.Errorf("bundle: %s does not say what it is built of: %w", c.Function, err)
		}
		function := component{
			Type: "application", Ref: "function/" + c.Function, Name: info.Path, Version: r.Version,
			Hashes:     []sum{{"SHA-256", Hash(binary)}},
			Properties: []property{{"rightsdesk:file", c.Name}, {"go:version", info.GoVersion}},
		}
		for _, s := range info.Settings {
			function.Properties = append(function.Properties, property{"go:build:" + s.Key, s.Value})
		}
		uses := dependency{Ref: function.Ref, DependsOn: []string{}}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			name := "pkg:golang/" + m.Path + "@" + m.Version
			modules[name] = component{
				Type: "library", Ref: name, Name: m.Path, Version: m.Version, PURL: name,
				Properties: []property{{"go:sum", m.Sum}},
			}
			uses.DependsOn = append(uses.DependsOn, name)
		}
		std := "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")
		modules[std] = component{Type: "library", Ref: std, Name: "std", Version: strings.TrimPrefix(info.GoVersion, "go"), PURL: std}
		uses.DependsOn = append(uses.DependsOn, std)
		slices.Sort(uses.DependsOn)
		out.Components = append(out.Components, function)
		out.Dependencies = append(out.Dependencies, uses)
		whole.DependsOn = append(whole.DependsOn, function.Ref)
	}
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		out.Components = append(out.Components, modules[name])
	}
	out.Dependencies = append(out.Dependencies, whole)
	return Plain(out)
}
