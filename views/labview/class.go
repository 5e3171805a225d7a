package labview

import (
	"strconv"
	"strings"

	"lectern/views/ui"
)

// ClassScripts are the modules that the screens of a class load.
var ClassScripts = []string{"class.js"}

// ClassPhase is how far a class has come with what it was asked.
type ClassPhase string

const (
	ClassWaiting ClassPhase = "waiting"
	ClassAsking  ClassPhase = "asking"
	ClassRunning ClassPhase = "running"
	ClassRan     ClassPhase = "ran"
)

// ClassFamily is a family of sessions that a class predicts for.
type ClassFamily struct {
	Name    string // "jwt", "server" or "hybrid": the name of the field
	Label   string
	Backend string // the kind of session
}

// Split is how many predicted what for one family.
type Split struct{ Accepted, Refused int }

// part is how much of a split somebody said, from 0 to 100.
func (s Split) part(n int) int {
	if all := s.Accepted + s.Refused; all > 0 {
		return (n*100 + all/2) / all
	}
	return 0
}

// ExperimentGroup is some experiments to choose from.
type ExperimentGroup struct {
	Title   string
	Options []ui.Option
}

// ClassesProps are those of the page on which classes are opened.
type ClassesProps struct {
	Open        []OpenClass
	Most        int // how many one may have open
	TooMany     bool
	Experiments []ExperimentGroup
	Chosen      string
}

// OpenClass is a class that can be gone on with.
type OpenClass struct {
	Code     string
	Lead     string // where it is led, and where joined
	Join     string
	Since    string // "14:05"
	Asked    string // the title of the experiment
	Learners int
}

// LeadProps are those of the screen in front of a class.
type LeadProps struct {
	Code    string
	Lead    string // the address of this screen
	Door    string // what is typed: "lectern.example/c"
	Address string // "lectern.example/c/K7M3P"
	// OnlyHere: the address leads nowhere from another machine.
	OnlyHere bool
	QRSize   int // how many modules a side has
	QRPath   string

	Version string
	Over    bool
	Phase   ClassPhase
	Round   int

	Title    string
	Place    string // "Revoke, experiment 11 of 26"
	Lede     string
	Question string
	Accepted Outcome
	Refused  Outcome
	Page     string // the experiment's own page, with the run if there is one

	Learners int // who have predicted
	Hidden   bool
	Families []FamilyTally
	Columns  []RunColumn
	Lanes    []ClassLane

	Experiments []ExperimentGroup
	Next        string // the experiment after this one
}

// FamilyTally is what is predicted for a family.
type FamilyTally struct {
	ClassFamily
	Split Split
}

// ClassLane is what one column came to, and what the class had said of it.
type ClassLane struct {
	Lane
	Said    *Split // nil where nothing was asked of it
	Outcome Verdict
}

// right is how many had it right.
func (l ClassLane) right() int {
	if l.Outcome == Accepted {
		return l.Said.Accepted
	}
	return l.Said.Refused
}

// verdicts of the class on itself.
func (l ClassLane) badge() ui.BadgeProps {
	all := l.Said.Accepted + l.Said.Refused
	b := ui.BadgeProps{Text: strconv.Itoa(l.right()) + " of " + strconv.Itoa(all) + " said so", Icon: "check", State: ui.Pass}
	switch {
	case all == 0:
		return ui.BadgeProps{Text: "Nobody predicted this"}
	case l.right() == 0:
		b.Text, b.Icon, b.State = "None of "+strconv.Itoa(all)+" said so", "cross", ui.Fail
	case l.right() == all:
		b.Text = "All " + strconv.Itoa(all) + " said so"
	case l.right()*2 < all:
		b.Text, b.Icon, b.State = "Only "+b.Text, "cross", ui.Fail
	}
	return b
}

// Heading is the title of the page.
func (p LeadProps) Heading() string {
	switch {
	case p.Over:
		return "The class is over"
	case p.Phase == ClassWaiting:
		return "Class " + p.Code
	}
	return p.Title
}

func (p LeadProps) at(action string) templURL { return templURL(p.Lead + action) }

// started says whether predictions can be had at all.
func (p LeadProps) asked() bool { return !p.Over && p.Phase != ClassWaiting }

// broken are the lanes that did not do what is said of them.
func (p LeadProps) broken() []Lane {
	var all []Lane
	for _, l := range p.Lanes {
		if len(l.Wrongs) > 0 {
			all = append(all, l.Lane)
		}
	}
	return all
}

// have is the word after the number of learners.
func have(n int) string {
	if n == 1 {
		return "has predicted"
	}
	return "have predicted"
}

// spelled is a code for those who listen.
func spelled(code string) string { return strings.Join(strings.Split(code, ""), " ") }

// LearnerProps are those of a class on a telephone.
type LearnerProps struct {
	Code    string
	At      string // the address of this page
	Version string
	Over    bool
	Phase   ClassPhase
	Round   int
	Refused string // why what was sent did not count; empty where nothing was refused

	Title    string
	Lede     string
	Page     string // the experiment's own page, with the run if there is one
	Question PredictProps
	Families []ClassFamily

	Lanes          []Lane
	Asked, Guessed int
	Why            string // HTML
}

// Heading is the title of the page.
func (p LearnerProps) Heading() string {
	switch {
	case p.Over:
		return "The class is over"
	case p.Phase == ClassWaiting:
		return "You are in"
	}
	return p.Title
}

// stands says what has been predicted on this telephone.
func (p LearnerProps) stands() string {
	n, all := p.Question.standing(), len(p.Question.Families)
	switch {
	case n == 0:
		return "Nothing predicted yet. One tap each; a wrong guess is remembered best."
	case n < all:
		return strconv.Itoa(n) + " of " + strconv.Itoa(all) + " predicted."
	}
	return predictionStands
}

const predictionStands = "Your prediction stands. You may change it until the run; what came out will show here by itself."

// guessed says how it went.
func (p LearnerProps) guessed() string {
	switch {
	case p.Asked == 0:
		return "You predicted nothing this time."
	case p.Guessed == p.Asked && p.Asked > 1:
		return "You had all " + strconv.Itoa(p.Asked) + " right."
	}
	return "You had " + strconv.Itoa(p.Guessed) + " of " + strconv.Itoa(p.Asked) + " right."
}

// DoorProps are those of the page on which a code is typed.
type DoorProps struct {
	Typed string
	Error string
	Leads bool // whoever is here may open a class
}
