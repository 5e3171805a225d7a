package ui_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"lectern/db/school"
	"lectern/views/ui"
)

var update = flag.Bool("update", false, "write the golden files anew")

// render gives a component as HTML, with raw HTML for its children.
func render(t *testing.T, c templ.Component, children ...string) string {
	t.Helper()
	ctx := context.Background()
	if len(children) > 0 {
		ctx = templ.WithChildren(ctx, templ.Raw(strings.Join(children, "")))
	}
	var b strings.Builder
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	hash   = regexp.MustCompile(`(/assets/[\w-]+)\.[0-9a-f]{8}\.`)
	summer = time.FixedZone("CEST", 2*60*60)
	noon   = time.Date(2026, time.October, 2, 10, 0, 0, 0, time.UTC)
	course = school.Course{
		Slug: "sessions", Title: "Sessions in depth", Summary: "Two ways to stay signed in.", Topic: "identity", Level: "second", Number: 3,
		Status: school.Published, Owner: school.Person{Name: "Grace Murray"}, Students: 1204, Lessons: 14, Minutes: 300,
	}
	draft = school.Course{Slug: "bread", Title: "The chemistry of bread", Topic: "kitchen", Level: "first", Status: school.Draft, Lessons: 1, Minutes: 45}
)

// shown is every component with props that show it.
var shown = map[string]templ.Component{
	"account-menu":         ui.AccountMenu(ui.AccountMenuProps{Name: "Ada Byron", Role: "Student", Backend: "jwt", Detail: "Student, signed in with a password at 13:50"}),
	"backend-badge":        ui.BackendBadge("database"),
	"backend-badge-none":   ui.BackendBadge("none"),
	"badge":                ui.Badge(ui.BadgeProps{Text: "Draft", Icon: "pen", State: ui.Draft}),
	"badge-plain":          ui.Badge(ui.BadgeProps{Text: "Student"}),
	"band":                 ui.Band(ui.BandProps{Header: []string{"alg EdDSA", "typ JWT"}, Payload: []string{"sub ada"}, Signature: []string{"64 bytes"}}),
	"band-picture":         ui.Band(ui.BandProps{Size: "l", Backend: "hybrid", Label: "A short token"}),
	"band-torn":            ui.Band(ui.BandProps{Torn: true, Payload: []string{"expired"}}),
	"brand":                ui.Brand(),
	"check":                ui.Check(ui.CheckProps{Name: "remember", Value: "1", Label: "Remember me", Checked: true}),
	"choice":               ui.Choice(ui.ChoiceProps{Name: "backend", Value: "jwt", Title: "Wristband", Text: "Expires on its own.", Backend: "jwt", Print: true, Checked: true}),
	"choice-many":          ui.Choice(ui.ChoiceProps{Name: "days", Value: "mon", Title: "Monday", Many: true}),
	"code":                 ui.Code("jwt.go, lines 61–78"),
	"course-card":          ui.CourseCard(ui.CourseCardProps{Course: course, Level: 3}),
	"course-card-draft":    ui.CourseCard(ui.CourseCardProps{Course: draft, Level: 2}),
	"course-card-finished": ui.CourseCard(ui.CourseCardProps{Course: course, Enrolment: school.Enrolment{JoinedAt: noon, Done: 14, FinishedAt: noon}, Level: 3}),
	"course-card-joined":   ui.CourseCard(ui.CourseCardProps{Course: course, Enrolment: school.Enrolment{JoinedAt: noon, Done: 8}, Level: 3}),
	"course-card-left":     ui.CourseCard(ui.CourseCardProps{Course: course, Enrolment: school.Enrolment{JoinedAt: noon, LeftAt: noon, Done: 3}, Level: 3}),
	"dialog":               ui.Dialog(ui.DialogProps{ID: "everywhere", Title: "Sign out everywhere?", Level: 3, Cancel: "Keep them"}),
	"empty":                ui.Empty(ui.EmptyProps{Icon: "hanger", Title: "No coats here", Text: "Nobody is signed in with a ticket.", Level: 2}),
	"field":                ui.Field(ui.FieldProps{Name: "email", Label: "E-mail", Type: "email", Value: "ada@lectern.example", Autocomplete: "username", InputMode: "email", MaxLength: 254, Required: true, Autofocus: true}),
	"field-box":            ui.Field(ui.FieldProps{Name: "summary", Label: "Summary", Value: "\nTwo ways.", Rows: 3, MaxLength: 280, Hint: "A sentence or two."}),
	"field-refused":        ui.Field(ui.FieldProps{ID: "new", Name: "password", Label: "New password", Type: "password", Value: "hunter2", Autocomplete: "new-password", Hint: "At least 15 characters.", Error: "This has seven."}),
	"gauge":                ui.Gauge(ui.GaugeProps{Label: "Cookie size", Value: 412, Limit: 4096, Unit: "bytes"}),
	"icon":                 ui.Icon("check"),
	"light-fail":           ui.Light(ui.LightProps{State: ui.Fail, Level: 3, Question: "May you do this?", Small: "authorization", Verdict: "No: student may not edit lesson.", Reason: "Role read just now.", Where: "policy.go:47"}),
	"light-none":           ui.Light(ui.LightProps{Level: 4, Question: "May you do this?", Reason: "Not asked."}),
	"light-pass":           ui.Light(ui.LightProps{State: ui.Pass, Level: 3, Question: "Who are you?", Small: "authentication", Verdict: "You are Ada Byron."}),
	"monogram":             ui.Monogram("ada byron"),
	"note":                 ui.Note(ui.NoteProps{Title: "Note", Level: 3}),
	"note-alert":           ui.Note(ui.NoteProps{State: ui.Fail, Alert: true}),
	"note-backend":         ui.Note(ui.NoteProps{Title: "About tickets", Level: 4, Backend: "redis", Icon: "hanger"}),
	"outline":              ui.Outline(ui.OutlineProps{Level: 3, Chapters: chapters}),
	"outline-s":            ui.Outline(ui.OutlineProps{Size: "s", Level: 2, Chapters: chapters}),
	"pager":                ui.Pager(ui.PagerProps{Label: "Pages of courses", Summary: "24 courses", First: "/courses?q=a", Next: "/courses?q=a&after=x"}),
	"pager-last":           ui.Pager(ui.PagerProps{Label: "Pages of courses", Summary: "1 course"}),
	"prevnext":             ui.PrevNext(ui.PrevNextProps{Label: "Lessons before and after", Previous: ui.Neighbour{Href: "/a", Note: "Previous", Title: "Fixation"}, Next: ui.Neighbour{Href: "/b", Note: "Next", Title: "Signatures"}}),
	"prevnext-first":       ui.PrevNext(ui.PrevNextProps{Label: "Lessons before and after", Next: ui.Neighbour{Href: "/b", Note: "Next", Title: "Signatures"}}),
	"print-hybrid":         ui.PrintS("hybrid"),
	"print-jwt":            ui.PrintS("jwt"),
	"print-server":         ui.PrintS("memory"),
	"progress":             ui.Progress(8, 14, "Lessons done"),
	"progress-done":        ui.Progress(14, 14, "Lessons done"),
	"scroll":               ui.Scroll("Students"),
	"select":               ui.Select(ui.SelectProps{Name: "level", Label: "Level", Value: "second", Options: levels, Hint: "How much it expects.", Error: "Choose one of the levels."}),
	"select-beside":        ui.SelectBeside(ui.SelectProps{Name: "level", Label: "Level", Options: levels}),
	"steps":                ui.Steps([]ui.Step{{Name: "Read cookie", Where: "session.go:22", Took: 3 * time.Microsecond}, {Name: "Look up", Where: "not done", Skipped: true}, {Name: "Verify", Took: 97 * time.Microsecond}}),
	"tabs":                 ui.Tabs("Course sections", []ui.Tab{{Href: "/l", Label: "Lessons", Count: "14", Current: true}, {Href: "/r", Label: "Roster"}}),
	"ticket":               ui.Ticket(ui.TicketProps{Number: "4417", Title: "Coat check", Text: "sid 4417"}),
	"ticket-torn":          ui.Ticket(ui.TicketProps{Size: "s", Backend: "hybrid", Stub: "Renew", Number: "882", Title: "Void", Torn: true, Label: "A torn ticket"}),
	"time":                 ui.Time(noon, ui.DayTime),
	"toast":                ui.Toast(ui.ToastProps{Text: "Lesson 9 marked as done"}),
}

var levels = []ui.Option{{Value: "", Label: "Any level"}, {Value: "second", Label: "Second course"}}

var chapters = []ui.OutlineChapter{
	{Title: "The stateless web", Note: "1 of 4", Lessons: []ui.OutlineLesson{
		{Href: "/1", Title: "HTTP forgets you", Kind: school.Reading, Minutes: 12, State: ui.LessonDone},
		{Href: "/2", Title: "The cookie", Kind: school.Lab, Minutes: 18, State: ui.LessonNotYet, Current: true},
		{Href: "/3", Title: "Check yourself", Kind: school.Quiz, Minutes: 8, State: ui.LessonNotYet, Note: "Draft"},
		{Title: "Fixation", Kind: school.Reading, Minutes: 75, State: ui.LessonLocked},
	}},
	{Title: "The wristband", Note: "0 of 2"},
}

// TestMain puts the site into a time zone, which is its machine's otherwise.
func TestMain(m *testing.M) {
	time.Local = summer
	os.Exit(m.Run())
}

func TestComponents(t *testing.T) {
	for name, component := range shown {
		t.Run(name, func(t *testing.T) {
			got := hash.ReplaceAllString(render(t, component, "<i>children</i>"), "$1.") + "\n"
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s is missing: run go test -update and read what it wrote", file)
			} else if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestComponents_keepTheContentPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<[^>]*\s(style|on[a-z]+)=|<script|<style`)
	for name, component := range shown {
		if found := forbidden.FindString(render(t, component, "")); found != "" {
			t.Errorf("%s has %s", name, found)
		}
	}
}

func TestGoldenFiles_areAllUsed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := shown[strings.TrimSuffix(filepath.Base(file), ".html")]; !ok {
			t.Errorf("%s belongs to no component", file)
		}
	}
}
