package lab

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

// sections are the headings of a file, in their order.
var sections = []string{"Predict", "Columns", "Script", "What happened", "Why", "What production systems do", "Lines that decide", "Explain", "Hints", "Do it yourself"}

// readExperiment reads one file; FORMAT.md says what stands in it.
func readExperiment(slug, text string) (*Experiment, error) {
	head, parts, err := cutSections(text)
	if err != nil {
		return nil, err
	}
	e := &Experiment{Slug: slug, Happened: map[string]Words{}}
	title, lede, _ := strings.Cut(head, "\n")
	var found bool
	if e.Title, found = strings.CutPrefix(title, "# "); !found {
		return nil, errors.New("it does not begin with a title")
	}
	e.Lede = unwrap(lede)
	e.Why, e.Production, e.Yourself = parts["Why"], parts["What production systems do"], parts["Do it yourself"]
	for name, read := range map[string]func(string) error{
		"Predict": e.readPrediction, "Columns": e.readColumns, "Explain": e.readQuestion, "Hints": e.readHints, "Lines that decide": e.readLines,
	} {
		if err := read(parts[name]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if e.ScriptRaw, e.Script, err = readScript(parts["Script"], e); err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	if err := e.readHappened(parts["What happened"]); err != nil {
		return nil, fmt.Errorf("what happened: %w", err)
	}
	return e, nil
}

// cutSections takes a file apart at its headings.
func cutSections(text string) (head string, parts map[string]string, err error) {
	pieces := regexp.MustCompile(`(?m)^## `).Split(text, -1)
	parts = map[string]string{}
	for i, piece := range pieces[1:] {
		name, body, _ := strings.Cut(piece, "\n")
		name = strings.TrimSpace(name)
		if i >= len(sections) || sections[i] != name {
			return "", nil, fmt.Errorf("section %q is not where it should be; the sections are %s", name, strings.Join(sections, ", "))
		}
		parts[name] = strings.Trim(body, "\n")
	}
	if len(parts) != len(sections) {
		return "", nil, fmt.Errorf("section %q is missing", sections[len(parts)])
	}
	return strings.TrimSpace(pieces[0]), parts, nil
}

// unwrap joins the lines of paragraphs.
func unwrap(text string) string {
	return strings.Join(strings.Fields(text), " ")
}

// items reads a list: lines that begin with a dash, and those that go on below
// them. What stands before the first is returned apart.
func items(text string) (before string, list []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n ")
		item, begins := strings.CutPrefix(line, "- ")
		switch {
		case begins:
			list = append(list, item)
		case len(list) == 0:
			before += line + " "
		case strings.TrimSpace(line) != "":
			list[len(list)-1] += " " + strings.TrimSpace(line)
		}
	}
	return unwrap(before), list
}

func (e *Experiment) readPrediction(text string) error {
	question, list := items(text)
	e.Predict.Question = question
	for _, item := range list {
		name, rest, _ := strings.Cut(item, ": ")
		switch name {
		case "accepted", "refused":
			label, means := firstSentence(rest)
			choice := Choice{strings.TrimSuffix(label, "."), means}
			if name == "accepted" {
				e.Predict.Accepted = choice
			} else {
				e.Predict.Refused = choice
			}
		case "good":
			if e.Predict.Good = Verdict(rest); rest != string(Accepted) && rest != string(Refused) {
				return fmt.Errorf("%q can be no good news", rest)
			}
		case "by":
			fact, err := readFact(rest)
			if err != nil {
				return err
			}
			e.Predict.By = &fact
		default:
			return fmt.Errorf("%q is neither accepted, refused, good nor by", name)
		}
	}
	if question == "" || e.Predict.Accepted.Label == "" || e.Predict.Refused.Label == "" {
		return errors.New("the question or one of the two answers is missing")
	}
	return nil
}

// firstSentence cuts a text after its first sentence.
func firstSentence(text string) (first, rest string) {
	for i, r := range text {
		if strings.ContainsRune(".?!", r) && strings.HasPrefix(text[i+1:], " ") {
			return text[:i+1], text[i+2:]
		}
	}
	return text, ""
}

// labels of columns, where the file gives none.
var kindLabels = map[string]string{
	session.JWT: "JWT", session.Memory: "Server, in memory", session.Database: "Server, in the database", session.Redis: "Server, in Redis", session.Hybrid: "Hybrid",
}

func (e *Experiment) readColumns(text string) error {
	_, list := items(text)
	var common []string
	for _, item := range list {
		name, rest, _ := strings.Cut(item, ": ")
		if name == "all" {
			common = append(common, strings.Split(rest, ", ")...)
			continue
		}
		name, label, _ := strings.Cut(name, `, as "`)
		c := Setup{Name: name, Kind: name, Label: strings.TrimSuffix(label, `"`), Revocation: session.RevokeNone, Algorithm: string(token.HS256), Servers: 1}
		if none, ok := strings.CutPrefix(rest, "not applicable. "); ok {
			c.None, rest = none, ""
		}
		if rest != "" {
			for _, setting := range strings.Split(rest, ", ") {
				if err := c.set(setting); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
		if !slices.Contains(session.Kinds, c.Kind) {
			return fmt.Errorf("%s: %q is no kind of session", name, c.Kind)
		}
		if c.Label == "" {
			c.Label = kindLabels[c.Kind]
		}
		c.Family = familyOf(c.Kind)
		e.Columns = append(e.Columns, c)
	}
	for i := range e.Columns {
		for _, setting := range common {
			if err := e.Columns[i].set(setting); err != nil {
				return fmt.Errorf("all: %w", err)
			}
		}
	}
	if len(e.Columns) == 0 {
		return errors.New("there is none")
	}
	return nil
}

// set applies one setting of a column.
func (c *Setup) set(setting string) error {
	name, value, _ := strings.Cut(strings.TrimSpace(setting), " ")
	switch name {
	case "sessions":
		c.Kind = value
	case "revocation":
		c.Revocation = value
	case "algorithm":
		c.Algorithm = value
	case "servers":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 5 {
			return fmt.Errorf("%q is no number of servers", value)
		}
		c.Servers = n
	case "balancer":
		c.Sticky = value == "sticky"
	case "own":
		c.OwnKeys = true
	case "broken":
		c.Broken = value
	case "https":
		c.HTTPS = true
	case "laden":
		c.Laden = true
	case "token": // life 5m
		life := strings.TrimPrefix(value, "life ")
		if _, err := time.ParseDuration(life); err != nil {
			return err
		}
		c.TokenLife = life
	default:
		return fmt.Errorf("there is no setting %q", setting)
	}
	return nil
}

func (e *Experiment) readHappened(text string) error {
	_, list := items(text)
	for _, item := range list {
		name, rest, _ := strings.Cut(item, ": ")
		if e.Setup(name) == nil {
			return fmt.Errorf("there is no column %q", name)
		}
		headline, sentence, _ := strings.Cut(rest, " | ")
		e.Happened[name] = Words{headline, sentence}
	}
	for _, c := range e.Columns {
		if _, told := e.Happened[c.Name]; !told && c.None == "" {
			return fmt.Errorf("nothing is said of column %q", c.Name)
		}
	}
	return nil
}

var linesPattern = regexp.MustCompile(`^([\w, -]+): (\S+), func ([\w.]+) \| (.+)$`)

func (e *Experiment) readLines(text string) error {
	_, list := items(text)
	for _, item := range list {
		m := linesPattern.FindStringSubmatch(item)
		if m == nil {
			return fmt.Errorf("%q is not COLUMN: FILE, func NAME | WHAT TO LOOK AT", item)
		}
		e.Lines = append(e.Lines, Lines{m[1], m[2], m[3], m[4]})
	}
	return nil
}

func (e *Experiment) readQuestion(text string) error {
	question, list := items(text)
	e.Explain.Text = question
	right := 0
	for _, item := range list {
		kind, rest, _ := strings.Cut(item, ": ")
		said, reply, _ := strings.Cut(rest, " | ")
		if kind != "right" && kind != "wrong" || reply == "" {
			return fmt.Errorf("%q is not right or wrong: ANSWER | REPLY", item)
		}
		if kind == "right" {
			right++
		}
		e.Explain.Answers = append(e.Explain.Answers, Answer{kind == "right", said, reply})
	}
	if question == "" || right != 1 || len(e.Explain.Answers) < 3 {
		return errors.New("a question with one right answer and two wrong ones is wanted")
	}
	return nil
}

var numbered = regexp.MustCompile(`(?m)^\d+\. `)

func (e *Experiment) readHints(text string) error {
	for _, hint := range numbered.Split(text, -1) {
		if hint = unwrap(hint); hint != "" {
			e.Hints = append(e.Hints, hint)
		}
	}
	if len(e.Hints) == 0 {
		return errors.New("there is none")
	}
	return nil
}
