package bundle

import (
	"maps"
	"slices"
	"strings"
)

// BuildType names how a release is built; CONTRIBUTING and the Makefile say it in full.
const BuildType = "rightsdesk/release/v1"

// The provenance, as an in-toto statement with SLSA's predicate. It holds no time and no name of
// a machine, so that whoever builds the same source has the same file to compare.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	Build buildDefinition `json:"buildDefinition"`
	Run   runDetails      `json:"runDetails"`
}

type buildDefinition struct {
	Type         string            `json:"buildType"`
	External     map[string]string `json:"externalParameters"`
	Internal     map[string]string `json:"internalParameters"`
	Dependencies []subject         `json:"resolvedDependencies"`
}

type runDetails struct {
	Builder map[string]string `json:"builder"`
}

func provenance(r Release, files map[string][]byte) ([]byte, error) {
	out := statement{Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1"}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".zip") || r.Templates[name] != nil {
			out.Subject = append(out.Subject, subject{Name: name, Digest: map[string]string{"sha256": Hash(files[name])}})
		}
	}
	out.Predicate.Build = buildDefinition{
		Type:     BuildType,
		External: map[string]string{"version": r.Version, "bucket": r.Bucket},
		Internal: map[string]string{
			"target": "linux/arm64", "go": r.Source.Go,
			"flags": "CGO_ENABLED=0 -tags lambda.norpc -trimpath -buildvcs=false -ldflags '-s -w -buildid='",
		},
		Dependencies: []subject{{Name: "go.sum", Digest: map[string]string{"sha256": r.Source.Sums}}},
	}
	if r.Source.Commit != "" {
		state := "clean"
		if !r.Source.Clean {
			state = "changed"
		}
		out.Predicate.Build.Internal["source"] = state
		out.Predicate.Build.Dependencies = append(out.Predicate.Build.Dependencies,
			subject{Name: "source", Digest: map[string]string{"gitCommit": r.Source.Commit}})
	}
	out.Predicate.Run.Builder = map[string]string{"id": "whoever ran make template"}
	return Plain(out)
}
