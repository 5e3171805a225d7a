package seed_test

import (
	"path/filepath"
	"strings"
	"testing"

	"lectern/db"
	"lectern/db/school"
	"lectern/seed"
)

func open(t *testing.T) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestData_isASchoolWorthLookingAt(t *testing.T) {
	data, err := seed.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	published, drafts, topics, levels := 0, 0, map[school.Topic]int{}, map[school.Level]int{}
	lessons := map[string]int{}
	for _, c := range data.Courses {
		if c.Status == school.Draft {
			drafts++
			continue
		}
		published++
		topics[c.Topic]++
		levels[c.Level]++
		for _, chapter := range c.Chapters {
			lessons[c.Slug] += len(chapter.Lessons)
		}
	}
	if published < 12 || drafts < 2 || len(topics) != len(school.Topics) || len(levels) != len(school.Levels) {
		t.Errorf("%d published courses, %d drafts, topics %v, levels %v", published, drafts, topics, levels)
	}
	for slug, least := range map[string]int{"authentication": 8, "authorization": 8, "sessions": 8, "breaking-sessions": 12} {
		if lessons[slug] < least {
			t.Errorf("%s has %d lessons, want %d or more", slug, lessons[slug], least)
		}
	}
	roles := map[school.Role]int{}
	for _, u := range data.Users {
		roles[u.Role]++
		if !u.Demo {
			t.Errorf("%s has a password that everybody knows and is no demo account", u.Email)
		}
	}
	if roles[school.Student] < 21 || len(data.Users) < 24 || roles[school.Admin] == 0 {
		t.Errorf("people: %v", roles)
	}
	progress := map[school.ID]int{}
	for _, e := range data.Enrolments {
		progress[e.User] += len(e.Done)
	}
	different := map[int]bool{}
	for _, n := range progress {
		different[n] = true
	}
	if len(different) < 10 {
		t.Errorf("people stand at only %d different places", len(different))
	}
}

// TestData_lessonsLeadIntoTheSite: each way to sign in, and the matrix, is tried out in
// the lesson that explains it, by steps in a box of their own.
func TestData_lessonsLeadIntoTheSite(t *testing.T) {
	data, err := seed.Data(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]string{} // of each lesson, the lines of its boxes
	for _, c := range data.Courses {
		for _, chapter := range c.Chapters {
			for _, l := range chapter.Lessons {
				inside := false
				for line := range strings.Lines(l.Body) {
					inside = strings.HasPrefix(line, "> [!try]") || inside && strings.HasPrefix(line, ">")
					if inside {
						steps[c.Slug+"/"+l.Slug] += line
					}
				}
			}
		}
	}
	for lesson, addresses := range map[string][]string{
		"authentication/choosing-a-password":        {"/signup", "/account#password"},
		"authentication/guessing-at-the-door":       {"/signin", "/signin/forgotten"},
		"authentication/codes-that-are-sent":        {"/signin/code", "/account/ways", "/demo/inbox"},
		"authentication/codes-that-are-computed":    {"/account/ways", "/account/sessions"},
		"authentication/what-a-fingerprint-unlocks": {"/account/ways"},
		"authentication/two-ceremonies":             {"/account/ways", "/signin"},
		"authentication/a-signed-letter":            {"/account/ways", "/signin/with/campus-id?watch=1"},
		"authentication/recovery":                   {"/signin/forgotten"},
		"authentication/ten-codes-on-paper":         {"/account/ways"},
		"authentication/asking-again":               {"/account/ways", "/confirm?next=%2Faccount%2Fways"},
		"authorization/refusing-well":               {"/lab/permissions?cell=course.view.draft.instructor#cell"},
		"authorization/down-to-the-field":           {"/lab/permissions#parts"},
		"authorization/testing-the-matrix":          {"/lab/permissions"},
	} {
		for _, address := range addresses {
			if !strings.Contains(steps[lesson], "]("+address+")") {
				t.Errorf("%s has no step that leads to %s", lesson, address)
			}
		}
	}
}

func TestFill_twiceChangesNothing(t *testing.T) {
	d := open(t)
	for range 2 {
		if err := seed.Fill(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if err := d.CheckCounts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	grace, err := d.CredentialByEmail(t.Context(), "grace@lectern.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"authentication", "authorization", "sessions", "breaking-sessions"} {
		c, err := d.CourseBySlug(t.Context(), slug)
		if err != nil || c.Owner.ID != grace.User.ID || c.Students == 0 || c.Minutes == 0 {
			t.Errorf("%s: %+v, %v", slug, c, err)
		}
	}
}

func TestReset_bringsAnEditedCourseBack(t *testing.T) {
	d := open(t)
	if err := seed.Fill(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	first, err := d.CourseBySlug(t.Context(), "sessions")
	if err != nil {
		t.Fatal(err)
	}
	edited := first
	edited.Title = "Something else"
	if _, err := d.UpdateCourse(t.Context(), edited, first.Version, first.UpdatedAt.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := seed.Reset(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	again, err := d.CourseBySlug(t.Context(), "sessions")
	if err != nil || again.Title != first.Title || again.Version != first.Version || !again.UpdatedAt.Equal(first.UpdatedAt) {
		t.Errorf("after the reset: %+v, %v", again, err)
	}
}
