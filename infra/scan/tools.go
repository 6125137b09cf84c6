package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
)

// fewest is how many rules of cfn-guard have to have looked: fewer means that it
// did not find them.
const fewest = 200

// scan runs every tool, side by side. Tools is the folder into which .ci/scan put them.
func scan(ctx context.Context, tools string, templates []string) ([]finding, error) {
	tools, err := filepath.Abs(tools)
	if err != nil {
		return nil, err
	}
	runs := []func() ([]finding, error){
		func() ([]finding, error) {
			out, err := start(ctx, "NODE_PATH="+filepath.Join(tools, "node_modules"), "node", append([]string{".ci/scanners/nag.cjs"}, templates...)...)
			if err != nil {
				return nil, err
			}
			return readLines(out)
		},
		func() ([]finding, error) {
			args := append([]string{"--include-checks", "I", "--format", "json", "--regions"}, regions...)
			out, err := start(ctx, "", filepath.Join(tools, "python", "bin", "cfn-lint"), append(append(args, "--"), templates...)...)
			if err != nil {
				return nil, err
			}
			return readLint(out)
		},
		func() ([]finding, error) {
			guard := filepath.Join(tools, "node_modules", "@cdklabs", "cdk-validator-cfnguard")
			args := []string{"validate", "--structured", "--output-format", "json", "--show-summary", "none", "--rules", filepath.Join(guard, "rules", "control-tower", "cfn-guard"), "--data"}
			out, err := start(ctx, "", filepath.Join(guard, "bin", platform(), "cfn-guard"), append(args, templates...)...)
			if err != nil {
				return nil, err
			}
			return readGuard(out, templates)
		},
	}
	found, failed := make([][]finding, len(runs)), make([]error, len(runs))
	var all sync.WaitGroup
	for i, run := range runs {
		all.Go(func() { found[i], failed[i] = run() })
	}
	all.Wait()
	return slices.Concat(found...), errors.Join(failed...)
}

// platform is where the package has the program for this machine.
func platform() string {
	system, machine := "ubuntu", "x86_64"
	if runtime.GOOS == "darwin" {
		system = "macos"
	}
	if runtime.GOARCH == "arm64" {
		machine = "aarch64"
	}
	return filepath.Join(system, machine)
}

// start runs a tool and returns what it says. That it ends with an error means no
// more than that it found something: what it says is read, or is not of its form.
func start(ctx context.Context, setting, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the tools of .ci/scan, with our own templates
	if setting != "" {
		cmd.Env = append(cmd.Environ(), setting)
	}
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || !exit.Exited()) || said.Len() == 0 {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is not there: run make scan, which installs it", name)
		}
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, complained.Bytes())
	}
	return said.Bytes(), nil
}

// readLines reads what nag.cjs writes. If it broke off it said so nowhere else than at its end.
func readLines(out []byte) (found []finding, err error) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	ended := false
	for lines.Scan() {
		if string(lines.Bytes()) == `"end"` {
			ended = true
			continue
		}
		var f finding
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, fmt.Errorf("nag.cjs: %w: %s", err, lines.Bytes())
		}
		found = append(found, f)
	}
	if !ended {
		return nil, errors.New("nag.cjs did not come to its end: run it with NODE_PATH=.bin/scanners/node_modules node .ci/scanners/nag.cjs TEMPLATE")
	}
	return found, lines.Err()
}

func readLint(out []byte) (found []finding, err error) {
	var said []struct {
		Filename, Message string
		Rule              struct{ ID string }
		Location          struct{ Path []any }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, fmt.Errorf("cfn-lint: %w: %.300s", err, out)
	}
	for _, s := range said {
		where := ""
		if path := s.Location.Path; len(path) > 1 {
			where = fmt.Sprint(path[1])
			if path[0] != "Resources" {
				where = fmt.Sprint(path[0], ".", path[1])
			}
		}
		found = append(found, finding{"cfn-lint", s.Rule.ID, s.Filename, where, s.Message})
	}
	return found, nil
}

var (
	control  = regexp.MustCompile(`\[(CT\.[A-Z0-9]+\.PR\.[0-9]+)\]: ([^\n]*)`)
	resource = regexp.MustCompile(`/Resources/(\w+)`)
)

// readGuard reads what cfn-guard says: of each rule that failed a tree, in which the
// messages name the control and the paths name the resources.
func readGuard(out []byte, templates []string) (found []finding, err error) {
	var said []struct {
		Name          string
		NotCompliant  []any `json:"not_compliant"`
		Compliant     []string
		NotApplicable []string `json:"not_applicable"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, fmt.Errorf("cfn-guard: %w: %.300s", err, out)
	}
	if len(said) != len(templates) {
		return nil, fmt.Errorf("cfn-guard judged %d templates, want %d", len(said), len(templates))
	}
	for _, s := range said {
		if n := len(s.NotCompliant) + len(s.Compliant) + len(s.NotApplicable); n < fewest {
			return nil, fmt.Errorf("cfn-guard: only %d rules looked at %s", n, s.Name)
		}
		i := slices.IndexFunc(templates, func(t string) bool { return filepath.Base(t) == filepath.Base(s.Name) })
		if i < 0 {
			return nil, fmt.Errorf("cfn-guard speaks of %s, which nobody gave it", s.Name)
		}
		for _, failed := range s.NotCompliant {
			f := finding{Tool: "cfn-guard", Rule: "?", Template: templates[i]}
			seen := map[string]bool{}
			walk(failed, func(text string) {
				if m := control.FindStringSubmatch(text); m != nil {
					f.Rule, f.Message = m[1], m[2]
				}
				for _, m := range resource.FindAllStringSubmatch(text, -1) {
					seen[m[1]] = true
				}
			})
			if len(seen) == 0 {
				seen[""] = true // of no resource: still a finding
			}
			for f.Resource = range seen {
				found = append(found, f)
			}
		}
	}
	slices.SortFunc(found, compare)
	return found, nil
}

func compare(a, b finding) int {
	for _, c := range [][2]string{{a.Template, b.Template}, {a.Rule, b.Rule}, {a.Resource, b.Resource}} {
		if c[0] != c[1] {
			if c[0] < c[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// walk calls f with every text in decoded JSON.
func walk(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, e := range v {
			walk(e, f)
		}
	case map[string]any:
		for _, e := range v {
			walk(e, f)
		}
	}
}
