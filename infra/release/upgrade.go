package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"rightsdesk/infra/release/bundle"
	"rightsdesk/infra/release/change"
	"rightsdesk/infra/release/formation"
)

// upgrade says what CloudFormation would do, and fails if somebody has to decide first.
func upgrade(_ context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("upgrade: give the template that is installed, and the one to come")
	}
	var templates [2]*formation.Template
	for i := range templates {
		var err error
		if templates[i], err = formation.Read(flags.Arg(i)); err != nil {
			return err
		}
	}
	findings, err := change.Compare(templates[0], templates[1])
	if err != nil {
		return err
	}
	grave := 0
	for _, f := range findings {
		tell(out, f.Text)
		if f.Grave {
			grave++
		}
	}
	if grave > 0 {
		return fmt.Errorf("upgrade: %d of these lose something or ask something: read docs/upgrade.md before", grave)
	}
	tell(out, "Nothing that holds something is replaced or deleted.")
	return nil
}

// adopt writes what a change set of the type IMPORT needs.
func adopt(_ context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	dir := flags.String("out", "dist/adopt", "folder for the two files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("adopt: give the template, and for each thing that is there NAME=its physical id")
	}
	template, err := os.ReadFile(flags.Arg(0)) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	t, err := formation.Parse(template)
	if err != nil {
		return err
	}
	physical, parameters := map[string]string{}, map[string]string{}
	for _, pair := range flags.Args()[1:] {
		name, id, ok := strings.Cut(pair, "=")
		if !ok || id == "" {
			return fmt.Errorf("adopt: %q is not NAME=PHYSICAL-ID", pair)
		}
		if _, ok := t.Parameters[name]; ok {
			parameters[name] = id
			continue
		}
		physical[name] = id
	}
	a, err := change.Adopt(template, physical, parameters)
	if err != nil {
		return err
	}
	if err := writeAll(*dir, map[string]any{"adopt.json": a.Template, "resources.json": a.Resources}); err != nil {
		return err
	}
	tellf(out, "%d resources to take over, in %s. docs/upgrade.md says how to go on.\n", len(a.Resources), *dir)
	return nil
}

// replace writes the steps in which another table takes the place of one of a stack.
func replace(_ context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	dir := flags.String("out", "dist/replace", "folder for the files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 2 {
		return errors.New("replace: give the template that is installed, and StateTable=the new table's name")
	}
	template, err := os.ReadFile(flags.Arg(0)) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	names, streams := map[string]string{}, map[string]string{}
	for _, pair := range flags.Args()[1:] {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			return fmt.Errorf("replace: %q is not NAME=VALUE", pair)
		}
		if table, ok := strings.CutSuffix(name, ".StreamArn"); ok {
			streams[table] = value
			continue
		}
		names[name] = value
	}
	r, err := change.Replace(template, names, streams)
	if err != nil {
		return err
	}
	if err := writeAll(*dir, map[string]any{"1-let-go.json": r.Without, "2-take-in.json": r.With, "resources.json": r.Resources}); err != nil {
		return err
	}
	tellf(out, "%d tables to replace, in %s. docs/upgrade.md says how to go on.\n", len(r.Resources), *dir)
	return nil
}

func writeAll(dir string, files map[string]any) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // nothing in it is secret
		return err
	}
	for name, v := range files {
		b, err := bundle.Plain(v)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil { //nolint:gosec // the same
			return err
		}
	}
	return nil
}
