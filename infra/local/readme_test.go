package main

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestDocumentsWalk runs the sh blocks of each page, as somebody who copies them
// line by line into one terminal would, in a folder with a fresh .local. The one
// replacement is the address in R. A comment "# -> text" says what the answer of
// the command above it has in it.
func TestDocumentsWalk(t *testing.T) {
	t.Parallel()
	for page, least := range map[string]int{"README.md": 12, "docs/operate.md": 12, "docs/apps.md": 6} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(filepath.Join("..", "..", page))
			if err != nil {
				t.Fatal(err)
			}
			commands, wants := walkOf(string(b))
			if wants < least {
				t.Fatalf("%s says %d times what is to be seen, want %d at least", page, wants, least)
			}
			home := t.TempDir()
			data := filepath.Join(home, ".local")
			if err := os.MkdirAll(data, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(data, "clock"), []byte("0s"), 0o600); err != nil { // a newcomer's clock is right
				t.Fatal(err)
			}
			w := open(t, func(o *options) { o.Dir = data })
			for i, out := range terminal(t, home, w.URL, commands) {
				for _, want := range commands[i].wants {
					if !strings.Contains(out, want) {
						t.Errorf("%s says of\n%s\nthat it shows\n%s\nbut it shows\n%.3000s", page, commands[i].text, want, out)
					}
				}
			}
		})
	}
}

// command is one command of a page and what it must show.
type command struct {
	text  string
	wants []string
}

// walkOf cuts the sh blocks of a page into commands.
func walkOf(page string) (commands []command, wants int) {
	inside := false
	for line := range strings.SplitSeq(page, "\n") {
		want, says := strings.CutPrefix(line, "# -> ")
		switch {
		case line == "```sh":
			inside = true
		case line == "```":
			inside = false
		case inside && says:
			last := &commands[len(commands)-1]
			last.wants = append(last.wants, want)
			wants++
		case inside && strings.TrimSpace(line) != "":
			commands = append(commands, command{text: line})
		}
	}
	return commands, wants
}

// terminal runs the commands in one shell and returns what each of them wrote.
func terminal(t *testing.T, home, address string, commands []command) []string {
	t.Helper()
	const mark = "----- command "
	var script strings.Builder
	for i, c := range commands {
		script.WriteString("echo; echo '" + mark + strconv.Itoa(i) + "'\n")
		script.WriteString(strings.Replace(c.text, "R=http://127.0.0.1:8080", "R="+address, 1) + "\n")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-eu")
	// What a page keeps in /tmp is kept in the test's own folder: two may run at once.
	sh.Stdin = strings.NewReader(strings.ReplaceAll(script.String(), "/tmp/", home+"/"))
	sh.Dir = home
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%.4000s", err, out)
	}
	parts := strings.Split(string(out), "\n"+mark)
	if len(parts) != len(commands)+1 {
		t.Fatalf("%d commands left %d marks:\n%s", len(commands), len(parts)-1, out)
	}
	return parts[1:]
}

// TestDataMapNamesEveryPartition looks for the names of partitions wherever the
// program declares or makes them, and wants each on the page.
func TestDataMapNamesEveryPartition(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/data-map.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	declared := regexp.MustCompile(`(?m)^//\t(?:state|audit|keys|\s*)?\s*((?:[a-z]+#)+<[a-z]+>(?:#[a-z<>]+)?)`)
	of := regexp.MustCompile(`(?m)^//\t(state|audit|keys)\s+([a-z]+(?:#[a-z<>]+)*)(?:\s|$)`) // by table
	made := regexp.MustCompile(`"([a-z]+#)(?:"|[a-z]*#?")`)
	found, tables := map[string]bool{}, map[string]string{}
	for _, part := range strings.Split(page, "\n## ") {
		title, rows, _ := strings.Cut(part, "\n")
		tables[strings.ToLower(title)] = rows
	}
	err = filepath.WalkDir("../../shared", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "test/") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
		}
		for _, m := range of.FindAllStringSubmatch(string(text), -1) {
			if m[2] != "partition" && !strings.Contains(tables[m[1]], "`"+m[2]) {
				t.Errorf("docs/data-map.md does not say what stands under %s of the table %s", m[2], m[1])
			}
		}
		for _, m := range made.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(found, "due#") // a shard of the index, not a partition
	if len(found) < 9 {
		t.Errorf("only these were found: %v", found)
	}
	for name := range found {
		if !strings.Contains(page, "`"+name) {
			t.Errorf("docs/data-map.md does not say what stands under %s", name)
		}
	}
	if !strings.Contains(page, "`ring`") {
		t.Error("docs/data-map.md does not say what stands under ring")
	}
}

// TestDocumentsLinksLead opens every link between our own pages.
func TestDocumentsLinksLead(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	link := regexp.MustCompile(`\]\(([^()\s]+)\)`)
	n := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		pages, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			b, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(b), -1) {
				target, _, _ := strings.Cut(m[1], "#")
				if target == "" || strings.Contains(target, ":") {
					continue // on the same page, or not ours
				}
				n++
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
					t.Errorf("%s links to %s, which is not there", page, target)
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d links were found", n)
	}
}
