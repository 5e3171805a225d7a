package matrix_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"lectern/handlers/matrix"
	"lectern/handlers/policy"
)

func TestRows_holdEveryAction(t *testing.T) {
	var shown []policy.Action
	for _, row := range matrix.Rows() {
		shown = append(shown, row.Action)
		if len(row.Cells) != len(matrix.Subjects) {
			t.Errorf("%s has %d cells, and there are %d people", row.Action, len(row.Cells), len(matrix.Subjects))
		}
	}
	for _, action := range policy.Actions {
		if !slices.Contains(shown, action) {
			t.Errorf("%s has no case in the matrix", action)
		}
	}
	for _, action := range shown {
		if !slices.Contains(policy.Actions, action) {
			t.Errorf("%s is in the matrix, and policy does not list it", action)
		}
	}
}

func TestPartRows_holdEveryField(t *testing.T) {
	var shown []policy.Field
	for _, row := range matrix.PartRows() {
		shown = append(shown, row.Field)
	}
	for _, field := range policy.Fields {
		if !slices.Contains(shown, field) {
			t.Errorf("%s is not in the matrix", field)
		}
	}
}

// TestRows_standTogether: the page begins a group where the action changes.
func TestRows_standTogether(t *testing.T) {
	var seen []policy.Action
	for _, row := range matrix.Rows() {
		if n := len(seen); n > 0 && seen[n-1] == row.Action {
			continue
		}
		if slices.Contains(seen, row.Action) {
			t.Errorf("the cases of %s do not stand together", row.Action)
		}
		seen = append(seen, row.Action)
	}
}

func TestFind_findsEachCellByItsOwnKey(t *testing.T) {
	keys := map[string]bool{}
	for _, row := range matrix.Rows() {
		for _, cell := range row.Cells {
			key := cell.Key()
			found, ok := matrix.Find(key)
			if keys[key] || !ok || found.Key() != key || found.Status != cell.Status || found.Verdict != cell.Verdict {
				t.Errorf("%s is there twice, or is not found", key)
			}
			keys[key] = true
		}
	}
	for _, key := range []string{"", "lesson.view", "lesson.view.draft", "lesson.view.draft.king", "lesson.burn.draft.student", "lesson.view.draft.student."} {
		if _, ok := matrix.Find(key); ok {
			t.Errorf("there is a cell %q", key)
		}
	}
}

// TestRows_onTheWire writes down some cells, one of each kind.
func TestRows_onTheWire(t *testing.T) {
	for key, want := range map[string]struct {
		verdict  policy.Verdict
		status   int
		toSignIn bool
	}{
		"course.view.published.visitor":    {policy.Allow, 200, false},
		"course.view.draft.visitor":        {policy.Hide, 404, false},
		"course.view.draft.owner":          {policy.Allow, 200, false},
		"course.join.published.visitor":    {policy.Forbid, 401, false},
		"course.join.published.student":    {policy.Allow, 303, false},
		"course.join.published.admin":      {policy.Forbid, 403, false},
		"course.join.draft.visitor":        {policy.Forbid, 401, false}, // and so is a course that there is not
		"course.join.draft.student":        {policy.Hide, 404, false},
		"lesson.view.locked.visitor":       {policy.Forbid, 303, true},
		"lesson.view.locked.student":       {policy.Forbid, 403, false},
		"lesson.view.locked.joined":        {policy.Allow, 200, false},
		"lesson.view.draft.joined":         {policy.Hide, 404, false},
		"account.view.page.visitor":        {policy.Forbid, 303, true},
		"account.view.program.visitor":     {policy.Forbid, 401, false},
		"password.change.demo.admin":       {policy.Forbid, 403, false},
		"course.edit.published.instructor": {policy.Forbid, 403, false},
		"course.edit.draft.instructor":     {policy.Hide, 404, false},
		"class.lead.others.instructor":     {policy.Hide, 404, false},
	} {
		cell, ok := matrix.Find(key)
		if !ok {
			t.Errorf("there is no %s", key)
			continue
		}
		if cell.Verdict != want.verdict || cell.Status != want.status || cell.ToSignIn() != want.toSignIn {
			t.Errorf("%s: %s, %d, to the door: %v", key, cell.Verdict, cell.Status, cell.ToSignIn())
		}
	}
}

// TestPartRows_saysWhoIsShown is the second matrix, written down.
func TestPartRows_saysWhoIsShown(t *testing.T) {
	want := map[string]string{ // visitor, student, joined, other instructor, owner, admin
		"account.email own":       ".*****",
		"account.email other":     ".....*",
		"course.drafts published": "....**",
		"audit.line own":          ".*****",
		"audit.line other":        ".....*",
	}
	for _, row := range matrix.PartRows() {
		var got strings.Builder
		for _, cell := range row.Cells {
			got.WriteString(map[bool]string{true: "*", false: "."}[cell.Allowed()])
		}
		if name := string(row.Field) + " " + row.State; got.String() != want[name] {
			t.Errorf("%s is shown to %s, want %s", name, got.String(), want[name])
		}
	}
}

func rules(t *testing.T) *matrix.Source {
	t.Helper()
	text, err := os.ReadFile("../policy/rules.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := matrix.ReadSource(text)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// TestSource_comesToWhatPolicyDecides follows the text of the rules for every cell.
func TestSource_comesToWhatPolicyDecides(t *testing.T) {
	source := rules(t)
	for _, row := range matrix.Rows() {
		for _, cell := range row.Cells {
			d, err := source.Decide(cell.Asker(), cell.Case.Action, cell.Asked())
			if err != nil {
				t.Errorf("%s: %v", cell.Key(), err)
			} else if d.Verdict != cell.Verdict {
				t.Errorf("%s: by the text %s, by the program %s (line %d)", cell.Key(), d.Verdict, cell.Verdict, d.Line)
			}
		}
	}
}

func TestSource_findsTheLine(t *testing.T) {
	text, err := os.ReadFile("../policy/rules.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	source := rules(t)
	for key, want := range map[string]struct{ function, entry, line string }{
		"lesson.view.draft.joined":     {"lessonView", "LessonView:", "return Hide"},
		"lesson.view.locked.joined":    {"lessonView", "LessonView:", "return when(o.Preview || o.Joined)"},
		"lesson.view.locked.owner":     {"lessonView", "LessonView:", "return Allow"},
		"course.join.draft.student":    {"courseJoin", "CourseJoin:", "return Hide"},
		"user.view.list.student":       {"admins", "UserView:", "return when(a.Role == school.Admin)"},
		"class.lead.others.instructor": {"classLead", "ClassLead:", "return Hide"},
	} {
		cell, _ := matrix.Find(key)
		d, err := source.Decide(cell.Asker(), cell.Case.Action, cell.Asked())
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if d.Func != want.function || !strings.Contains(lines[d.Entry-1], want.entry) || !strings.Contains(lines[d.Line-1], want.line) {
			t.Errorf("%s is decided by %s, %q, on %q", key, d.Func, lines[d.Entry-1], lines[d.Line-1])
		}
	}
}

func TestSource_saysWhatItCannotFollow(t *testing.T) {
	const head = "package policy\nconst CourseView Action = \"course.view\"\nvar rules = map[Action]rule{CourseView: {\"Never.\", false, view}}\n"
	for _, text := range []string{"", "package policy", "package"} {
		if _, err := matrix.ReadSource([]byte(text)); err == nil {
			t.Errorf("%q is read as rules", text)
		}
	}
	for _, body := range []string{"", "for {}", "return elsewhere(a)", "if x := o.Draft; x { return Hide }; return Allow", "return a.Nothing", "return when(o.Draft)", "return o.Draft", "switch a.Role { default: return Allow }", "return 1 + 1"} {
		source, err := matrix.ReadSource([]byte(head + "func view(a Actor, o Object) Verdict {\n" + body + "\n}\n"))
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		if d, err := source.Decide(policy.Actor{}, policy.CourseView, policy.Object{}); err == nil {
			t.Errorf("%q is followed to %s", body, d.Verdict)
		}
		if _, err := source.Decide(policy.Actor{}, policy.Browse, policy.Object{}); err == nil {
			t.Error("an action without a rule has one")
		}
	}
}
