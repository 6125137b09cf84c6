package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/infra/release/bundle"
	"rightsdesk/infra/stack"
	"rightsdesk/shared/topology"
)

// template makes a release: builds every function, synthesises the templates, and writes
// all of it with what proves it.
func template(ctx context.Context, flags *flag.FlagSet, args []string, out, log io.Writer) error {
	r := bundle.Release{Regions: stack.Regions()}
	flags.StringVar(&r.Version, "version", "", "version of the release, such as 1.2.3")
	flags.StringVar(&r.Bucket, "bucket", "", "what the names of the buckets begin with: the region and -an follow")
	dist := flags.String("out", "dist", "folder in which the release lies as it will in the buckets")
	key := flags.String("key", "", "file of the Ed25519 key that signs; without it nothing is signed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := bundle.CheckVersion(r.Version); err != nil {
		return err
	}
	bucket, err := bundle.BucketOf(r.Bucket)
	if err != nil {
		return err
	}
	if *key != "" {
		if r.Key, err = bundle.PrivateKey(*key); err != nil {
			return err
		}
	}
	if r.Source, err = source(ctx); err != nil {
		return err
	}
	if err := synthesise(&r, stack.Release{Version: r.Version, Bucket: bucket, Prefix: bundle.PrefixOf(r.Version)}); err != nil {
		return err
	}
	dir := filepath.Join(*dist, filepath.FromSlash(path.Clean(bundle.PrefixOf(r.Version))))
	names, err := bundle.Write(dir, r)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(dir, bundle.Sums)) //nolint:gosec // what was just written
	if err != nil {
		return err
	}
	tellf(out, "%s%d files in %s\n", sums, len(names), dir)
	switch {
	case r.Source.Commit == "":
		tell(log, "NOTE: this folder is no clone: the provenance names no commit")
	case !r.Source.Clean:
		tell(log, "NOTE: there are changes that are not committed: the provenance says so")
	}
	if r.Key == nil {
		tell(log, "NOT SIGNED: give KEY=FILE; openssl genpkey -algorithm ed25519 makes one")
	}
	return nil
}

// synthesise fills in templates and code.
func synthesise(r *bundle.Release, release stack.Release) error {
	work, err := os.MkdirTemp("", "rightsdesk-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a leftover in the temporary folder
	zips, assembly := filepath.Join(work, "zips"), filepath.Join(work, "assembly")
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &assembly, AnalyticsReporting: jsii.Bool(false), Context: stack.Context()})
	stack.NewRelease(app, release, stack.GoBuild(".", zips))
	stack.NewEdge(app, release)
	stack.NewSourceRole(app, release)
	app.Synth(nil)
	r.Templates = map[string][]byte{}
	for file, name := range map[string]string{"Rightsdesk": bundle.Template, "RightsdeskEdge": bundle.Edge, "RightsdeskSource": bundle.SourceRole} {
		raw, err := os.ReadFile(filepath.Join(assembly, file+".template.json")) //nolint:gosec // what was just written
		if err != nil {
			return err
		}
		if r.Templates[name], err = bundle.Normal(raw); err != nil {
			return err
		}
	}
	keys, err := assetsOf(filepath.Join(assembly, "Rightsdesk.assets.json"))
	if err != nil {
		return err
	}
	for _, f := range topology.All {
		zip, err := os.ReadFile(filepath.Join(zips, f.Name+".zip")) //nolint:gosec // what was just built
		if err != nil {
			return err
		}
		name, ok := keys[bundle.Hash(zip)]
		if !ok {
			return fmt.Errorf("the code of %s is in no asset of the stack", f.Name)
		}
		r.Code = append(r.Code, bundle.Code{Function: f.Name, Name: name, Zip: zip})
	}
	return nil
}

// assetsOf returns under which name the stack looks for which bytes.
func assetsOf(manifest string) (map[string]string, error) {
	b, err := os.ReadFile(manifest) //nolint:gosec // what was just written
	if err != nil {
		return nil, err
	}
	var assets struct {
		Files map[string]struct {
			Source       struct{ Path string }
			Destinations map[string]struct{ ObjectKey string }
		}
	}
	if err := json.Unmarshal(b, &assets); err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, file := range assets.Files {
		if !strings.HasSuffix(file.Source.Path, ".zip") {
			continue
		}
		zip, err := os.ReadFile(filepath.Join(filepath.Dir(manifest), file.Source.Path))
		if err != nil {
			return nil, err
		}
		for _, d := range file.Destinations {
			names[bundle.Hash(zip)] = path.Base(d.ObjectKey)
		}
	}
	return names, nil
}

// source says what is built.
func source(ctx context.Context) (bundle.Source, error) {
	sums, err := os.ReadFile("go.sum")
	if errors.Is(err, os.ErrNotExist) {
		return bundle.Source{}, errors.New("run it from the top of the repository: there is no go.sum here")
	}
	if err != nil {
		return bundle.Source{}, err
	}
	s := bundle.Source{Go: runtime.Version(), Sums: bundle.Hash(sums)}
	git := func(args ...string) (string, bool) {
		b, err := exec.CommandContext(ctx, "git", args...).Output() //nolint:gosec // the arguments are those below
		return strings.TrimSpace(string(b)), err == nil
	}
	commit, ok := git("rev-parse", "HEAD")
	if !ok {
		return s, nil // no clone, or no git: the provenance names no commit
	}
	changes, ok := git("status", "--porcelain", "--untracked-files=no")
	strangers, sure := git("ls-files", "--others", "--exclude-standard", "functions", "infra", "shared") // are built too
	s.Commit, s.Clean = commit, ok && sure && changes+strangers == ""
	return s, nil
}
