package courseware

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"lectern/db/school"
)

const (
	// maxFrontMatter also bounds how deep the YAML in it can nest, and with
	// that the parser's stack and time.
	maxFrontMatter = 16 << 10 // bytes
	maxNumber      = 9999
)

// keys are what a file's front matter may hold, each with an example of what
// would be right. Those in the optional list may be left out.
type keys struct {
	examples map[string]string
	optional []string
}

var (
	courseKeys = keys{examples: map[string]string{
		"title":      "title: The chemistry of bread",
		"summary":    "summary: Gluten, gas and browning.",
		"topic":      "topic: kitchen",
		"level":      "level: first",
		"instructor": "instructor: raymond@lectern.example",
		"status":     "status: published",
		"number":     "number: 11",
		"learn":      "learn:\n  - Say why a wet dough rises higher than a dry one.",
	}}
	chapterKeys = keys{examples: map[string]string{
		"title": "title: Flour and water",
	}}
	lessonKeys = keys{
		examples: map[string]string{
			"title":   "title: What gluten is",
			"kind":    "kind: reading",
			"preview": "preview: true",
			"status":  "status: draft",
		},
		optional: []string{"preview", "status"},
	}
)

// front is one file, taken apart.
type front struct {
	file   string
	keys   keys
	values map[string]ast.Node
	lines  map[string]int // of the file, where each key stands
	text   string         // after the front matter
	whole  bool           // the file could be read and taken apart
	report func(file string, line int, format string, args ...any)
}

// open reads a file and takes it apart. What is returned can always be asked;
// it has complained already when it has nothing to say.
func (r *reader) open(file string, k keys) *front {
	f := &front{file: file, keys: k, report: r.problem}
	if text, ok := r.text(file); ok {
		f.parse(text)
	}
	return f
}

func (f *front) parse(text string) {
	matter, rest, ok := split(text)
	if !ok {
		f.report(f.file, 1, "begins with front matter between two lines of ---")
		return
	}
	if len(matter) > maxFrontMatter {
		f.report(f.file, 1, "has front matter of more than %d bytes", maxFrontMatter)
		return
	}
	if err := f.mapping(matter); err != nil {
		f.report(f.file, lineOf(err), "%s", messageOf(err))
		return
	}
	f.text, f.whole = rest, true
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		if _, known := f.keys.examples[key]; !known {
			f.report(f.file, f.lines[key], "unknown key %q; known here: %s", key, strings.Join(slices.Sorted(maps.Keys(f.keys.examples)), ", "))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f.keys.examples)) {
		if !f.has(key) && !slices.Contains(f.keys.optional, key) {
			f.report(f.file, 1, "%s is missing; for example:\n%s", key, f.keys.examples[key])
		}
	}
}

// split cuts a file into its front matter and the rest.
func split(text string) (matter, rest string, ok bool) {
	text = school.Text(strings.TrimPrefix(text, "\uFEFF"))
	text, ok = strings.CutPrefix(text, "---\n")
	if !ok {
		return "", "", false
	}
	if rest, ok = strings.CutPrefix(text, "---\n"); ok {
		return "", rest, true
	}
	matter, rest, ok = strings.Cut(text+"\n", "\n---\n")
	return matter + "\n", rest, ok
}

// badYAML is a mistake on a line of the front matter, counted from one.
type badYAML struct {
	line    int
	message string
}

func (e *badYAML) Error() string { return e.message }

// mapping reads front matter as a tree and takes the values by their keys.
// The tree is never turned into Go values by the library, so that an alias is
// a node that nobody wants and not a thing that multiplies.
func (f *front) mapping(matter string) (err error) {
	// A parser for a language as large as YAML meets text here that it was
	// not tested with; a course that trips it is a mistake like another.
	defer func() {
		if p := recover(); p != nil {
			err = &badYAML{1, "front matter cannot be read"}
		}
	}()
	tree, err := parser.ParseBytes([]byte(matter), 0)
	if err != nil {
		return err
	}
	if len(tree.Docs) > 1 {
		return &badYAML{1, "front matter is one document"}
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return nil
	}
	var pairs []*ast.MappingValueNode
	switch body := tree.Docs[0].Body.(type) {
	case *ast.MappingNode:
		pairs = body.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{body}
	default:
		return &badYAML{position(body), "front matter is lines of the form key: value"}
	}
	values, lines := map[string]ast.Node{}, map[string]int{}
	for _, pair := range pairs {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return &badYAML{position(pair), "a key is a plain word"}
		}
		if _, twice := values[key.Value]; twice {
			return &badYAML{position(key), fmt.Sprintf("%q is there twice", key.Value)}
		}
		values[key.Value], lines[key.Value] = pair.Value, position(key)+1
	}
	f.values, f.lines = values, lines
	return nil
}

func position(n ast.Node) int {
	if n == nil {
		return 1
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

// lineOf is the line of the file that an error is about: the front matter
// begins on the second.
func lineOf(err error) int {
	var bad *badYAML
	var library yaml.Error
	switch {
	case errors.As(err, &bad):
		return bad.line + 1
	case errors.As(err, &library) && library.GetToken() != nil && library.GetToken().Position != nil:
		return library.GetToken().Position.Line + 1
	}
	return 2
}

func messageOf(err error) string {
	var library yaml.Error
	if errors.As(err, &library) {
		return "front matter: " + library.GetMessage()
	}
	return err.Error()
}

func (f *front) has(key string) bool { _, ok := f.values[key]; return ok }

// wrong complains about a value, and says what would be right.
func (f *front) wrong(key, what string) { f.wrongAt(f.lines[key], key, what) }

func (f *front) wrongAt(line int, key, what string) {
	f.report(f.file, line, "%s: %s; for example:\n%s", key, what, f.keys.examples[key])
}

// scalar is the text of a value that is one.
func (f *front) scalar(line int, key string, n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode:
		f.wrongAt(line, key, "there is nothing")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		f.wrongAt(line, key, "text is wanted, and this reads as a number or as yes and no; put it in quotes")
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		f.wrongAt(line, key, "anchors, aliases and tags are not used here; put text that begins with a sign in quotes")
	default:
		f.wrongAt(line, key, "one piece of text is wanted; put text with a colon in quotes")
	}
	return "", false
}

// read takes one value through a parser of package school.
func read[T any](f *front, key string, parse func(string) (T, error)) (value T) {
	if !f.has(key) {
		return value
	}
	text, ok := f.scalar(f.lines[key], key, f.values[key])
	if !ok {
		return value
	}
	value, err := parse(text)
	if err != nil {
		f.wrong(key, reason(err))
	}
	return value
}

func (f *front) number(key string) int {
	if !f.has(key) {
		return 0
	}
	n, ok := f.values[key].(*ast.IntegerNode)
	if !ok {
		f.wrong(key, "a whole number is wanted")
		return 0
	}
	number, err := strconv.Atoi(n.GetToken().Value)
	if err != nil || number < 1 || number > maxNumber {
		f.wrong(key, fmt.Sprintf("a number from 1 to %d is wanted", maxNumber))
		return 0
	}
	return number
}

// yes is a value that is true or false, false when it is not there.
func (f *front) yes(key string) bool {
	if !f.has(key) {
		return false
	}
	b, ok := f.values[key].(*ast.BoolNode)
	if !ok {
		f.wrong(key, "true or false is wanted")
		return false
	}
	return b.Value
}

func (f *front) list(key string) []string {
	if !f.has(key) {
		return nil
	}
	sequence, ok := f.values[key].(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 {
		f.wrong(key, "a list is wanted")
		return nil
	}
	var outcomes []string
	for _, n := range sequence.Values {
		line := position(n) + 1
		text, ok := f.scalar(line, key, n)
		if !ok {
			continue
		}
		one, err := school.ParseOutcomes(school.Line(text))
		switch {
		case err != nil:
			f.wrongAt(line, key, reason(err))
		case len(one) == 0:
			f.wrongAt(line, key, "there is nothing")
		}
		outcomes = append(outcomes, one...)
	}
	if _, err := school.ParseOutcomes(strings.Join(outcomes, "\n")); err != nil {
		f.wrong(key, reason(err))
	}
	return outcomes
}

// body takes the text after the front matter through a parser of school.
func (f *front) body(parse func(string) (string, error)) string {
	body, err := parse(strings.TrimSpace(f.text))
	if err != nil {
		f.report(f.file, 0, "%s", reason(err))
	}
	return body
}

// reason is what package school says to whoever typed it.
func reason(err error) string {
	var invalid *school.Invalid
	if errors.As(err, &invalid) {
		return strings.TrimSuffix(invalid.Reason, ".")
	}
	return err.Error()
}
