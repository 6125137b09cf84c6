package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxFile is the largest policy file that is read, in bytes.
const MaxFile = 1 << 20

// load turns a file into a YAML tree of plain mappings, lists and scalars. What
// YAML can do beyond that (anchors, aliases, merge keys, tags, several
// documents) is refused: a short file could become a huge one, and the reader of
// a promise should not have to follow pointers.
func load(file []byte) (*yaml.Node, Problems) {
	if len(file) > MaxFile {
		return nil, Problems{{1, 1, "", fmt.Sprintf("the file has %d bytes; a policy file may have %d (1 MiB)", len(file), MaxFile)}}
	}
	if line, column, bad := invalidUTF8(file); bad {
		return nil, Problems{{line, column, "", "the file must be UTF-8 text"}}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, Problems{{1, 1, "", "the file is empty; start with `format: 1`, or copy a profile"}}
	case err != nil:
		return nil, Problems{syntax(err)}
	}
	root := document.Content[0]
	var ps Problems
	refuseTricks(root, &ps)
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		ps = append(ps, Problem{second.Line, second.Column, "", "a second document starts here (---); a policy file holds one"})
	} else if !errors.Is(err, io.EOF) {
		ps = append(ps, syntax(err))
	}
	return root, ps
}

// refuseTricks walks the tree without following aliases.
func refuseTricks(n *yaml.Node, ps *Problems) {
	refuse := func(text string) { *ps = append(*ps, Problem{n.Line, n.Column, "", text}) }
	switch {
	case n.Kind == yaml.AliasNode:
		refuse("aliases (*name) are not used in a policy file; write the value out")
		return
	case n.Anchor != "":
		refuse("anchors (&name) are not used in a policy file; write the value out where it is needed")
	case n.Tag == "!!merge":
		refuse("merge keys (<<) are not used in a policy file; write the keys out")
	case n.Style&yaml.TaggedStyle != 0:
		refuse("tags (!name) are not used in a policy file; write the plain value")
	}
	for _, c := range n.Content {
		refuseTricks(c, ps)
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax turns an error of the YAML parser into a problem. The parser knows the
// line only, and of some errors not even that.
func syntax(err error) Problem {
	p := Problem{Line: 1, Column: 1}
	text := err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			p.Line = line
		}
	}
	if strings.Contains(text, "cannot start any token") {
		text += " (a tab at the start of a line? indent with spaces; or a text that needs quotes)"
	}
	p.Text = "this is not YAML: " + text
	return p
}

func invalidUTF8(file []byte) (line, column int, bad bool) {
	line, column = 1, 1
	for len(file) > 0 {
		r, size := utf8.DecodeRune(file)
		if r == utf8.RuneError && size == 1 {
			return line, column, true
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
		file = file[size:]
	}
	return 0, 0, false
}
