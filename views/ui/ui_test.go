package ui_test

import (
	"context"
	"html"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"lectern/db/school"
	"lectern/views/ui"
)

// naughty is what somebody may call a course, a lesson or themselves.
var naughty = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onmouseover='alert(1)`,
	`</textarea></title><svg/onload=alert(1)>`,
	`&lt;b&gt;`,
	"{{ .Password }} ${7*7}",
	"\u202egnirts\u202c ﷽ 👩🏽‍🚀",
}

func TestComponents_writeTextAsText(t *testing.T) {
	t.Attr("asvs", "1.2.1")
	for _, s := range naughty {
		named := course
		named.Title, named.Summary, named.Owner.Name = s, s, s
		for name, c := range map[string]templ.Component{
			"account menu":   ui.AccountMenu(ui.AccountMenuProps{Name: s, Role: s, Detail: s}),
			"badge":          ui.Badge(ui.BadgeProps{Text: s, State: ui.State(s)}),
			"band":           ui.Band(ui.BandProps{Payload: []string{s}, Label: s, Size: s}),
			"check":          ui.Check(ui.CheckProps{Name: s, Value: s, Label: s}),
			"choice":         ui.Choice(ui.ChoiceProps{Name: s, Value: s, Title: s, Text: s, Backend: s}),
			"code":           ui.Code(s),
			"card":           ui.CourseCard(ui.CourseCardProps{Course: named, Level: 3}),
			"dialog":         ui.Dialog(ui.DialogProps{ID: s, Title: s, Cancel: s}),
			"empty":          ui.Empty(ui.EmptyProps{Icon: "info", Title: s, Text: s}),
			"field":          ui.Field(ui.FieldProps{Name: s, Label: s, Value: s, Hint: s, Error: s, Autocomplete: s}),
			"box":            ui.Field(ui.FieldProps{Name: s, Label: s, Value: s, Rows: 2}),
			"gauge":          ui.Gauge(ui.GaugeProps{Label: s, Unit: s}),
			"light":          ui.Light(ui.LightProps{State: ui.State(s), Question: s, Verdict: s, Reason: s, Where: s}),
			"note":           ui.Note(ui.NoteProps{Title: s, Backend: s}),
			"outline":        ui.Outline(ui.OutlineProps{Size: s, Chapters: []ui.OutlineChapter{{Title: s, Note: s, Lessons: []ui.OutlineLesson{{Title: s, Note: s}}}}}),
			"pager":          ui.Pager(ui.PagerProps{Label: s, Summary: s}),
			"previous, next": ui.PrevNext(ui.PrevNextProps{Label: s, Next: ui.Neighbour{Href: "/", Note: s, Title: s}}),
			"scroll":         ui.Scroll(s),
			"select":         ui.Select(ui.SelectProps{Name: s, Label: s, Options: []ui.Option{{Value: s, Label: s}}}),
			"steps":          ui.Steps([]ui.Step{{Name: s, Where: s}}),
			"tabs":           ui.Tabs(s, []ui.Tab{{Label: s, Count: s}}),
			"ticket":         ui.Ticket(ui.TicketProps{Stub: s, Number: s, Title: s, Text: s}),
			"toast":          ui.Toast(ui.ToastProps{Text: s}),
		} {
			got := render(t, c, "")
			for _, trick := range []string{"<script", "<img src=x", "<svg/onload", `" onmouseover`, `' onmouseover`, "</textarea></title>"} {
				if strings.Contains(got, trick) {
					t.Errorf("%s: %q became %q in\n%s", name, s, trick, got)
				}
			}
			if !strings.Contains(html.UnescapeString(got), s) {
				t.Errorf("%s: %q cannot be read in\n%s", name, s, got)
			}
		}
	}
}

func TestComponents_doNotLinkToScripts(t *testing.T) {
	t.Attr("asvs", "1.2.2")
	const href = "javascript:alert(1)"
	for name, c := range map[string]templ.Component{
		"outline":        ui.Outline(ui.OutlineProps{Chapters: []ui.OutlineChapter{{Lessons: []ui.OutlineLesson{{Href: href}}}}}),
		"pager":          ui.Pager(ui.PagerProps{First: href, Next: href}),
		"previous, next": ui.PrevNext(ui.PrevNextProps{Next: ui.Neighbour{Href: href}, Previous: ui.Neighbour{Href: href}}),
		"tabs":           ui.Tabs("", []ui.Tab{{Href: href}}),
	} {
		if got := render(t, c); strings.Contains(got, "javascript:") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestField_saysWhatBelongsToIt(t *testing.T) {
	for name, c := range map[string]struct {
		hint, reason     string
		want, wantAbsent []string
	}{
		"nothing": {"", "", nil, []string{"aria-describedby", "aria-invalid", `class="hint"`, `class="error"`}},
		"a hint":  {"Up to 80.", "", []string{`aria-describedby="f-name-hint"`, `<p class="hint" id="f-name-hint">`}, []string{"aria-invalid", `class="error"`}},
		"a fault": {"", "Needed.", []string{`aria-describedby="f-name-error"`, `aria-invalid="true"`, `<p class="error" id="f-name-error">`}, []string{`class="hint"`}},
		"both":    {"Up to 80.", "Needed.", []string{`aria-describedby="f-name-hint f-name-error"`, `aria-invalid="true"`}, nil},
	} {
		for kind, component := range map[string]templ.Component{
			"line": ui.Field(ui.FieldProps{Name: "name", Label: "Name", Hint: c.hint, Error: c.reason}),
			"box":  ui.Field(ui.FieldProps{Name: "name", Label: "Name", Hint: c.hint, Error: c.reason, Rows: 4}),
			"menu": ui.Select(ui.SelectProps{Name: "name", Label: "Name", Hint: c.hint, Error: c.reason}),
		} {
			t.Run(kind+" with "+name, func(t *testing.T) {
				got := render(t, component)
				for _, want := range append(c.want, `<label for="f-name">Name</label>`, `id="f-name"`, `name="name"`) {
					if !strings.Contains(got, want) {
						t.Errorf("lacks %s:\n%s", want, got)
					}
				}
				for _, absent := range c.wantAbsent {
					if strings.Contains(got, absent) {
						t.Errorf("has %s:\n%s", absent, got)
					}
				}
			})
		}
	}
}

func TestField_neverWritesAPasswordBack(t *testing.T) {
	if got := render(t, ui.Field(ui.FieldProps{Name: "password", Type: "password", Value: "open sesame"})); strings.Contains(got, "sesame") {
		t.Error(got)
	}
}

// HTML drops the first line feed of a textarea, so another stands before it.
func TestField_keepsAnEmptyFirstLine(t *testing.T) {
	if got := render(t, ui.Field(ui.FieldProps{Name: "body", Value: "\nfirst", Rows: 3})); !strings.Contains(got, ">\n\nfirst</textarea>") {
		t.Error(got)
	}
}

func TestHeadings_followThePage(t *testing.T) {
	for level, want := range map[int]string{-1: "<h2>", 0: "<h2>", 2: "<h2>", 3: "<h3>", 6: "<h6>", 7: "<h6>"} {
		for name, c := range map[string]templ.Component{
			"note":    ui.Note(ui.NoteProps{Title: "x", Level: level}),
			"empty":   ui.Empty(ui.EmptyProps{Icon: "info", Title: "x", Level: level}),
			"light":   ui.Light(ui.LightProps{Question: "x", Level: level}),
			"card":    ui.CourseCard(ui.CourseCardProps{Course: course, Level: level}),
			"outline": ui.Outline(ui.OutlineProps{Chapters: chapters, Level: level}),
		} {
			if got := render(t, c); !strings.Contains(got, want) || !strings.Contains(got, strings.Replace(want, "<", "</", 1)) {
				t.Errorf("%s at level %d lacks %s:\n%s", name, level, want, got)
			}
		}
	}
}

func TestProgress_isFullOnlyWhenNothingIsMissing(t *testing.T) {
	for _, c := range []struct {
		done, total int
		want        string
	}{
		{0, 0, "v0"}, {-1, 5, "v0"}, {0, 14, "v0"}, {8, 14, "v57"}, {999, 1000, "v99"}, {14, 14, "v100"}, {15, 14, "v100"},
	} {
		got := render(t, ui.Progress(c.done, c.total, "Lessons done"))
		if !strings.Contains(got, `class="bar `+c.want+`"`) {
			t.Errorf("%d of %d: want %s in %s", c.done, c.total, c.want, got)
		}
	}
}

func TestSteps_shareTheWholeTime(t *testing.T) {
	got := render(t, ui.Steps([]ui.Step{{Name: "one", Took: 25}, {Name: "two", Took: 75}, {Name: "three", Skipped: true}}))
	for _, want := range []string{`class="t v25"`, `class="t v75"`, "<li data-skip>", "not done"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %s:\n%s", want, got)
		}
	}
	if got := render(t, ui.Steps([]ui.Step{{Name: "none"}})); !strings.Contains(got, `class="t v0"`) {
		t.Errorf("steps without time: %s", got)
	}
}

func TestIcon_refusesAMisspeltName(t *testing.T) {
	if err := ui.Icon("chekc").Render(context.Background(), io.Discard); err == nil {
		t.Error("it drew something")
	}
}

func TestTime_isNothingForTheZeroTime(t *testing.T) {
	if got := render(t, ui.Time(time.Time{}, ui.Day)); got != "" {
		t.Error(got)
	}
}

func TestMonogram(t *testing.T) {
	for name, want := range map[string]string{"ada": "A", "Émile": "É", "李小龍": "李", " «grace»": "G", "3rd": "3", "": "?", "👩🏽‍🚀": "👩"} {
		if got := render(t, ui.Monogram(name)); !strings.Contains(got, ">"+want+"<") {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestFamily(t *testing.T) {
	for backend, want := range map[string]string{
		"jwt": "jwt", "bearer": "jwt", "memory": "server", "database": "server", "redis": "server", "hybrid": "hybrid",
		"none": "none", "": "none", "JWT": "none",
	} {
		if got := ui.Family(backend); got != want {
			t.Errorf("Family(%q) = %q, want %q", backend, got, want)
		}
		if ui.BackendLabel(backend) == "" {
			t.Errorf("%q has no label", backend)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{ui.Number(0), "0"}, {ui.Number(999), "999"}, {ui.Number(1204), "1,204"}, {ui.Number(1234567), "1,234,567"}, {ui.Number(-1204), "−1,204"},
		{ui.Count(0, "lesson", "lessons"), "0 lessons"}, {ui.Count(1, "lesson", "lessons"), "1 lesson"}, {ui.Count(3380, "reader", "readers"), "3,380 readers"},
		{ui.Minutes(0), "0 min"}, {ui.Minutes(45), "45 min"}, {ui.Minutes(60), "1 h"}, {ui.Minutes(80), "1 h 20 min"}, {ui.Minutes(300), "5 h"},
		{ui.Took(0), "0 µs"}, {ui.Took(400), "0.4 µs"}, {ui.Took(9800), "9.8 µs"}, {ui.Took(9960), "10 µs"}, {ui.Took(84 * time.Microsecond), "84 µs"},
		{ui.Took(1200 * time.Microsecond), "1.2 ms"}, {ui.Took(31 * time.Millisecond), "31 ms"}, {ui.Took(3 * time.Second), "3 s"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// The menu's name for those who listen has to hold what the others can see.
func TestAccountMenu_isNamedByWhatIsSeen(t *testing.T) {
	got := render(t, ui.AccountMenu(ui.AccountMenuProps{Name: "Ada", Role: "Student", Backend: "jwt"}))
	summary, _, _ := strings.Cut(got, "</summary>")
	if strings.Contains(summary, "aria-label") {
		t.Errorf("a label hides the words: %s", summary)
	}
}

func TestCourseCard_doesNotCountForWhoLeft(t *testing.T) {
	got := render(t, ui.CourseCard(ui.CourseCardProps{Course: course, Enrolment: school.Enrolment{JoinedAt: noon, LeftAt: noon, Done: 3}, Level: 3}))
	if strings.Contains(got, "progressbar") || !strings.Contains(got, "3 finished lessons are kept") {
		t.Error(got)
	}
}
