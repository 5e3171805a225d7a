package lab

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"lectern/handlers/session"
)

// The families of sessions that people predict for.
const (
	JWT    = "jwt"
	Server = "server"
	Hybrid = "hybrid"
)

// Families lists them in the order in which pages show them.
var Families = []string{JWT, Server, Hybrid}

// familyOf tells which family a kind of session belongs to.
func familyOf(kind string) string {
	switch kind {
	case session.JWT:
		return JWT
	case session.Hybrid:
		return Hybrid
	}
	return Server
}

// Experiment is a question, a script that answers it, and an explanation.
type Experiment struct {
	Slug   string
	Number int // its place in the order, from 1
	Title  string
	Lede   string // Markdown, one paragraph
	Group  *Group

	Predict   Prediction
	Columns   []Setup
	Script    []Step
	ScriptRaw string           // as it stands in the file
	Happened  map[string]Words // by the name of the column

	Why        string // Markdown, as are the others
	Production string
	Lines      []Lines
	Explain    Question
	Hints      []string
	Yourself   string
}

// Group is some experiments with a subject in common.
type Group struct {
	Title    string // "Revoke"
	Subtitle string // "how a session ends"
	Slugs    []string
}

// Prediction is what is asked before the run.
type Prediction struct {
	Question string
	Accepted Choice
	Refused  Choice
	// By is the measure that decides which of the two comes true; nil where it is
	// the verdict.
	By *Fact
	// Good is the verdict that is good news: a thief who is refused, an honest
	// person who is let in. It is empty where neither is.
	Good Verdict
}

// Choice is one of the two.
type Choice struct {
	Label string
	Means string
}

// Setup is how the small world of one column is set up.
type Setup struct {
	Name       string
	Label      string
	Family     string
	Kind       string // of session.Kinds
	Revocation string
	Algorithm  string
	Broken     string // the deliberate mistake in place of the kind; empty for none
	TokenLife  string // the life of a token, where it is not the usual one
	Servers    int
	Sticky     bool // the balancer leads each browser to the same server
	OwnKeys    bool // each server makes its own
	HTTPS      bool
	Laden      bool // its sessions carry what the school puts into each
	// None says why there is nothing to see in this column.
	None string
}

// Words say what a column came to.
type Words struct {
	Headline string
	Sentence string
}

// Lines are the lines of this program that decided, in one column.
type Lines struct {
	Column string
	File   string // from the top of the repository
	Func   string
	Look   string // what to look at
}

// Question asks for the reason.
type Question struct {
	Text    string
	Answers []Answer
}

// Answer is one of the reasons offered.
type Answer struct {
	Right bool
	Text  string
	Reply string
}

//go:embed experiments/*.md
var files embed.FS

// Load reads all experiments, in their order. An experiment that cannot be read is
// an error that says where. They are read once, and shared: nobody changes them.
func Load() ([]*Experiment, error) {
	all, err := embedded()
	return slices.Clone(all), err
}

var embedded = sync.OnceValues(func() ([]*Experiment, error) { return load(files) })

func load(files fs.FS) ([]*Experiment, error) {
	order, err := fs.ReadFile(files, "experiments/order.md")
	if err != nil {
		return nil, err
	}
	var all []*Experiment
	for _, g := range readOrder(string(order)) {
		for _, slug := range g.Slugs {
			text, err := fs.ReadFile(files, "experiments/"+slug+".md")
			if err != nil {
				return nil, err
			}
			e, err := readExperiment(slug, string(text))
			if err != nil {
				return nil, fmt.Errorf("experiments/%s.md: %w", slug, err)
			}
			e.Group, e.Number = g, len(all)+1
			all = append(all, e)
		}
	}
	return all, nil
}

// readOrder reads the groups.
func readOrder(text string) []*Group {
	var groups []*Group
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			title, subtitle, _ := strings.Cut(title, ": ")
			groups = append(groups, &Group{Title: title, Subtitle: subtitle})
		} else if slug, ok := strings.CutPrefix(line, "- "); ok && len(groups) > 0 {
			last := groups[len(groups)-1]
			last.Slugs = append(last.Slugs, slug)
		}
	}
	return groups
}

// Setup is the column of a name; nil if there is none.
func (e *Experiment) Setup(name string) *Setup {
	for i := range e.Columns {
		if e.Columns[i].Name == name {
			return &e.Columns[i]
		}
	}
	return nil
}

// Asked is the column that the prediction for a family is about: the first of it
// that is not left out. It is nil where the family is not predicted.
func (e *Experiment) Asked(family string) *Setup {
	for i := range e.Columns {
		if c := &e.Columns[i]; c.Family == family && c.None == "" {
			return c
		}
	}
	return nil
}

// Asks lists the families that are predicted.
func (e *Experiment) Asks() []string {
	var asked []string
	for _, family := range Families {
		if e.Asked(family) != nil {
			asked = append(asked, family)
		}
	}
	return asked
}
