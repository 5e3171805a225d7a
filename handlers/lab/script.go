package lab

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Step is one line of a script, with what it must come to.
type Step struct {
	// Line is the step as it stands in the file.
	Line string
	// Only names the columns in which it happens; empty for all.
	Only []string
	// Decides marks a request off which the verdict is read.
	Decides bool
	Expects []Expectation

	actor  string
	do     action
	admits bool // it says who is there, and is nothing that happens
}

// in reports whether the step happens in a column.
func (s *Step) in(column string) bool { return len(s.Only) == 0 || slices.Contains(s.Only, column) }

// Expectation is what a step must come to.
type Expectation struct {
	Line  string
	Only  []string // columns; empty for all
	Facts []Fact
}

// action is what a step does in a small world. Who does it is nil for what
// happens by itself.
type action func(w *world, who *actor) error

const decides = " (decides)"

var (
	onColumns  = regexp.MustCompile(`^on ([\w, -]+?): (.+)$`)
	someone    = regexp.MustCompile(`^([a-z]+): (.+)$`)
	declared   = regexp.MustCompile(`^(browser|program) ([a-z]+)$`)
	expecting  = regexp.MustCompile(`^expect (.+)$`)
	indentedBy = "    "
)

// readScript reads the lines of a script.
func readScript(text string, e *Experiment) (raw string, steps []Step, err error) {
	var lines []string
	known := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n ")
		if line == "" {
			lines = append(lines, "")
			continue
		}
		line, ok := strings.CutPrefix(line, indentedBy)
		if !ok {
			return "", nil, fmt.Errorf("%q is not indented by four spaces", line)
		}
		lines = append(lines, line)
		if err := readLine(strings.TrimSpace(line), e, known, &steps); err != nil {
			return "", nil, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
	}
	if len(steps) == 0 {
		return "", nil, errors.New("there is none")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n"), steps, nil
}

func readLine(line string, e *Experiment, known map[string]bool, steps *[]Step) error {
	if m := declarations(line); m != nil {
		for name := range m {
			known[name] = true
		}
		*steps = append(*steps, Step{Line: line, admits: true, do: func(w *world, _ *actor) error { return w.admit(m) }})
		return nil
	}
	if m := expecting.FindStringSubmatch(line); m != nil {
		if len(*steps) == 0 {
			return errors.New("nothing has happened yet")
		}
		expected, err := readExpectations(m[1], e)
		if err != nil {
			return err
		}
		last := &(*steps)[len(*steps)-1]
		last.Expects = append(last.Expects, expected...)
		return nil
	}
	step := Step{Line: line}
	if m := onColumns.FindStringSubmatch(line); m != nil {
		step.Only, line = strings.Split(m[1], ", "), m[2]
		for _, name := range step.Only {
			if e.Setup(name) == nil {
				return fmt.Errorf("there is no column %q", name)
			}
		}
	}
	line, step.Decides = strings.CutSuffix(line, decides)
	if m := someone.FindStringSubmatch(line); m != nil && known[m[1]] {
		step.actor, line = m[1], m[2]
	}
	if err := step.understand(line); err != nil {
		return err
	}
	*steps = append(*steps, step)
	return nil
}

// understand finds the verb of a step.
func (s *Step) understand(line string) error {
	for _, v := range verbs() {
		if v.who != (s.actor != "") {
			continue
		}
		if m := v.pattern.FindStringSubmatch(line); m != nil {
			do, err := v.make(m)
			s.do = do
			return err
		}
	}
	return errors.New("nobody knows how to do that; see FORMAT.md")
}

// declarations reads "browser ada, program thief".
func declarations(line string) map[string]bool {
	programs := map[string]bool{}
	for _, part := range strings.Split(line, ", ") {
		m := declared.FindStringSubmatch(part)
		if m == nil {
			return nil
		}
		programs[m[2]] = m[1] == "program"
	}
	return programs
}

// readExpectations reads what stands behind expect: facts, or facts for some of
// the columns.
func readExpectations(text string, e *Experiment) ([]Expectation, error) {
	var all []Expectation
	for _, part := range cutOutsideQuotes(text, "; ") {
		x := Expectation{Line: part}
		if names, rest, ok := strings.Cut(part, ": "); ok {
			if columns := strings.Split(names, ", "); !slices.ContainsFunc(columns, func(name string) bool { return e.Setup(name) == nil }) {
				x.Only, part = columns, rest
			}
		}
		for _, text := range cutOutsideQuotes(strings.ReplaceAll(part, " · ", ", "), ", ") {
			fact, err := readFact(text)
			if err != nil {
				return nil, err
			}
			x.Facts = append(x.Facts, fact)
		}
		all = append(all, x)
	}
	return all, nil
}

// cutOutsideQuotes splits a text where a separator stands outside "…".
func cutOutsideQuotes(text, separator string) []string {
	var parts []string
	quoted, from := false, 0
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case !quoted && i >= from && strings.HasPrefix(text[i:], separator):
			parts = append(parts, text[from:i])
			from = i + len(separator)
		}
	}
	return append(parts, text[from:])
}
