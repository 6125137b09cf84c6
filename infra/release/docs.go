package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"rightsdesk/infra/release/cost"
	"rightsdesk/infra/release/document"
	"rightsdesk/infra/release/formation"
)

// golden is the template of a release, which has all that a checkout's has; a test of infra/stack holds it to what is
// synthesised.
const golden = "infra/stack/testdata/release.golden.json"

func sources(template string) (document.Sources, error) {
	t, err := formation.Read(template)
	if err != nil {
		return document.Sources{}, err
	}
	units, err := cost.Journey(".")
	return document.Sources{Template: t, Units: units}, err
}

// docs writes the documents that are made of the template.
func docs(ctx context.Context, flags *flag.FlagSet, args []string, out, log io.Writer) error {
	check := flags.Bool("check", false, "write nothing, and fail if a document is not as it would be")
	template := flags.String("template", golden, "template that the documents are about")
	dir := flags.String("out", "docs", "folder of the documents")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := sources(*template)
	if err != nil {
		return err
	}
	files, err := document.Files(s)
	if err != nil {
		return err
	}
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(*dir, name)
		old, err := os.ReadFile(path) //nolint:gosec // the name is one of ours
		if err == nil && bytes.Equal(old, files[name]) {
			continue
		}
		stale = append(stale, name)
		if *check {
			continue
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil { //nolint:gosec // everybody may read a document
			return err
		}
		tell(out, path)
	}
	if *check && len(stale) > 0 {
		return fmt.Errorf("docs: %s: not as the template has it; write anew: go run ./infra/release docs", strings.Join(stale, ", "))
	}
	if *check {
		return nil
	}
	picture, drawing := filepath.Join(*dir, "architecture.png"), files["architecture.svg"]
	if old, err := os.ReadFile(picture); err == nil && document.Shows(old, drawing) { //nolint:gosec // the name is ours
		return nil
	}
	if err := photograph(ctx, filepath.Join(*dir, "architecture.svg"), picture); err != nil {
		tell(log, "NOTE:", err)
		return nil
	}
	taken, err := os.ReadFile(picture) //nolint:gosec // the same
	if err != nil {
		return err
	}
	if taken, err = document.Label(taken, drawing); err != nil {
		return err
	}
	if err := os.WriteFile(picture, taken, 0o644); err != nil { //nolint:gosec // everybody may see it
		return err
	}
	tell(out, picture)
	return nil
}

// photograph makes a picture of a drawing, in the size in which it is drawn.
func photograph(ctx context.Context, drawing, picture string) error {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		return errors.New("there is no Chromium: the picture stays as it was")
	}
	from, err := filepath.Abs(drawing)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(picture)
	if err != nil {
		return err
	}
	//nolint:gosec // the arguments are ours
	b, err := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
		fmt.Sprintf("--window-size=%d,%d", document.Width, document.Height), "--screenshot="+to, "file://"+from).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the browser: %w\n%s", err, b)
	}
	return nil
}

// bill says what a month costs.
func bill(_ context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	template := flags.String("template", golden, "template of the installation")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := sources(*template)
	if err != nil {
		return err
	}
	g, err := s.Template.Give(nil)
	if err != nil {
		return err
	}
	for _, requests := range []float64{0, 1e3, 1e6, 1e9} {
		b, err := cost.MonthOf(g, s.Units, requests)
		if err != nil {
			return err
		}
		list, net := b.Total()
		tellf(out, "%13.0f requests a month: $%.2f, and $%.2f after what is free for ever\n", requests, list, net)
	}
	return nil
}
