package views

import (
	"time"

	"lectern/db/school"
	"lectern/views/ui"
)

// CourseForm is what stands in the form of a course's details, as it was typed.
type CourseForm struct {
	Title       string
	Summary     string
	Description string
	Learn       string // one sentence to a line
	Topic       string
	Level       string
	Version     int
}

// LessonForm is what stands in the form of the lesson editor, as it was typed.
type LessonForm struct {
	Title   string
	Kind    string
	Body    string
	Preview bool
	Version int
}

// Tried is a small form of the outline that was refused: it is shown open,
// with what was typed and the reason.
type Tried struct {
	Form   string // which: "chapter", "rename-" or "lesson-" and the chapter's id
	Title  string
	Kind   string
	Errors map[string]string
}

// of is the form called which: its title and reason, and whether it was the
// one that was refused.
func (t Tried) of(which, otherwise string) (title, reason string, refused bool) {
	if t.Form != which {
		return otherwise, "", false
	}
	reason = t.Errors["title"]
	if reason == "" {
		reason = t.Errors["kind"]
	}
	return t.Title, reason, true
}

// Binned is a chapter or lesson that was deleted and can be put back.
type Binned struct {
	What      string // "Chapter" or "Lesson"
	Title     string
	DeletedAt time.Time
	Restore   string // where the form goes that puts it back
}

// Conflict is what two people saved, where the second did not know of the
// first.
type Conflict struct {
	By     string // who saved meanwhile; empty for the reader's own other window, or nobody known
	At     time.Time
	Fields []ConflictField // those that differ
}

// ConflictField is one field in both versions.
type ConflictField struct {
	Label  string
	Mine   string
	Theirs string
	Lines  []DiffLine
}

// Add notes a field, if it differs.
func (c *Conflict) Add(label, mine, theirs string, lines []DiffLine) {
	if mine != theirs {
		c.Fields = append(c.Fields, ConflictField{label, mine, theirs, lines})
	}
}

// DiffSide says which of two texts has a line.
type DiffSide string

// The three cases; each is also the word that stands beside the line.
const (
	InBoth   DiffSide = "both"
	InMine   DiffSide = "mine"
	InTheirs DiffSide = "theirs"
)

// DiffLine is one line of a comparison, or a number of lines that both have.
type DiffLine struct {
	In   DiffSide
	Text string
	Same int // how many lines, where In is InBoth
}

// ItemID is the id of a chapter or lesson in an outline that is being edited.
func ItemID(id school.ID) string { return "it-" + string(id) }

// LessonDesk is the address of a lesson's editor.
func LessonDesk(id school.ID) string { return "/teach/lessons/" + string(id) }

func courseDesk(slug string) string { return "/teach/courses/" + slug }

func topicOptions() []ui.Option {
	options := []ui.Option{{Value: "", Label: "Choose a topic"}}
	for _, t := range school.Topics {
		options = append(options, ui.Option{Value: string(t), Label: t.Label()})
	}
	return options
}

func kindOptions() []ui.Option {
	var options []ui.Option
	for _, k := range school.Kinds {
		options = append(options, ui.Option{Value: string(k), Label: k.Label()})
	}
	return options
}

func allLessons(chapters []school.Chapter) int {
	n := 0
	for _, h := range chapters {
		n += len(h.Lessons)
	}
	return n
}

func (t Tried) kindOf(which string) string {
	if t.Form != which || t.Kind == "" {
		return string(school.Reading)
	}
	return t.Kind
}
