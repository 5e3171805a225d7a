package db_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"lectern/db/school"
)

func TestCourses_thatAreNotThere(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	gone, goneLessons := s.course(teacher, "Gone", 1)
	goneChapter := s.chapterOf(goneLessons[0])
	must(t, s.DeleteCourse(ctx, gone.ID, noon))
	c, lessons := s.course(teacher, "Here", 2)
	goneLesson := lessons[1]
	must(t, s.DeleteLesson(ctx, goneLesson, noon))
	inBin := s.chapter(c.ID, "In the bin", 1, teacher)[0]
	binChapter := s.chapterOf(inBin)
	must(t, s.DeleteChapter(ctx, binChapter, noon))

	for what, err := range map[string]error{
		"CourseByID":                     second(s.CourseByID(ctx, nobody)),
		"CourseByID of a deleted one":    second(s.CourseByID(ctx, gone.ID)),
		"CourseBySlug of a deleted one":  second(s.CourseBySlug(ctx, gone.Slug)),
		"DeletedCourseBySlug of another": second(s.DeletedCourseBySlug(ctx, c.Slug)),
		"UpdateCourse of a deleted one":  second(s.UpdateCourse(ctx, gone, gone.Version, noon)),
		"PublishCourse of a deleted one": s.PublishCourse(ctx, gone.ID, noon),
		"UnpublishCourse":                s.UnpublishCourse(ctx, nobody, noon),
		"DeleteCourse twice":             s.DeleteCourse(ctx, gone.ID, noon),
		"RestoreCourse of one that is":   s.RestoreCourse(ctx, c.ID, noon),
		"CreateChapter in a deleted one": second(s.CreateChapter(ctx, gone.ID, "Title", noon)),

		"Chapter of a deleted course":     second(s.Chapter(ctx, goneChapter)),
		"Chapter in the bin":              second(s.Chapter(ctx, binChapter)),
		"DeletedChapter of one that is":   second(s.DeletedChapter(ctx, s.chapterOf(lessons[0]))),
		"RenameChapter":                   s.RenameChapter(ctx, binChapter, "Title", noon),
		"MoveChapter":                     s.MoveChapter(ctx, binChapter, 0, noon),
		"DeleteChapter twice":             s.DeleteChapter(ctx, binChapter, noon),
		"RestoreChapter of one that is":   s.RestoreChapter(ctx, s.chapterOf(lessons[0]), noon),
		"CreateLesson in a deleted one":   second(s.CreateLesson(ctx, binChapter, school.Lesson{}, teacher, noon)),
		"Lesson of a deleted course":      second(s.Lesson(ctx, goneLessons[0])),
		"Lesson of a deleted chapter":     second(s.Lesson(ctx, inBin)),
		"Lesson in the bin":               second(s.Lesson(ctx, goneLesson)),
		"DeletedLesson of one that is":    second(s.DeletedLesson(ctx, lessons[0])),
		"LessonBySlug in the bin":         second(s.LessonBySlug(ctx, c.ID, "chapter-lesson-1")),
		"LessonBySlug of another course":  second(s.LessonBySlug(ctx, nobody, "chapter-lesson-0")),
		"UpdateLesson in the bin":         second(s.UpdateLesson(ctx, school.Lesson{LessonHead: school.LessonHead{ID: goneLesson}}, 1, teacher, noon)),
		"PublishLesson in the bin":        s.PublishLesson(ctx, goneLesson, noon),
		"UnpublishLesson in the bin":      s.UnpublishLesson(ctx, goneLesson, noon),
		"MoveLesson in the bin":           s.MoveLesson(ctx, goneLesson, s.chapterOf(lessons[0]), 0, noon),
		"MoveLesson to a deleted chapter": s.MoveLesson(ctx, lessons[0], binChapter, 0, noon),
		"DeleteLesson twice":              s.DeleteLesson(ctx, goneLesson, noon),
		"RestoreLesson of one that is":    s.RestoreLesson(ctx, lessons[0], noon),
		"RestoreLesson before chapter":    s.RestoreLesson(ctx, inBin, noon),
	} {
		if !errors.Is(err, school.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", what, err)
		}
	}
	s.check()
}

func (s *testSchool) chapterOf(lesson school.ID) school.ID {
	s.t.Helper()
	l, err := s.Lesson(s.t.Context(), lesson)
	must(s.t, err)
	return l.ChapterID
}

func TestCreateCourse(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	c, err := s.CreateCourse(ctx, school.Course{
		ID:          nobody,
		Title:       "The Chemistry of Bread",
		Summary:     "Four loaves.",
		Description: "# Bread",
		Topic:       "kitchen",
		Level:       "first",
		Outcomes:    []string{"Say why.", "Say how."},
		Owner:       school.Person{ID: teacher},
		Students:    7,
	}, noon)
	must(t, err)
	got, err := s.CourseBySlug(ctx, "the-chemistry-of-bread")
	must(t, err)
	if got.ID != c.ID || got.ID == nobody || got.Status != school.Draft || got.Number != 1 || got.Version != 1 ||
		got.Owner.Name != "Grace" || got.Description != "# Bread" || strings.Join(got.Outcomes, "|") != "Say why.|Say how." ||
		got.Students != 0 || !got.CreatedAt.Equal(noon) || !got.UpdatedAt.Equal(noon) || !got.PublishedAt.IsZero() {
		t.Errorf("got %+v", got)
	}
	must(t, s.DeleteCourse(ctx, c.ID, noon)) // it keeps its slug
	for _, want := range []string{"the-chemistry-of-bread-2", "the-chemistry-of-bread-3"} {
		c, _ := s.draft(teacher, "The chemistry of bread!", 0)
		if c.Slug != want {
			t.Errorf("slug %q, want %q", c.Slug, want)
		}
	}
	next, _ := s.draft(teacher, "The", 0)
	if next.Slug != "the" || next.Number != 4 {
		t.Errorf("slug %q, number %d", next.Slug, next.Number)
	}
	s.check()
}

func TestUpdateCourse(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	c, _ := s.course(s.user("Grace", school.Instructor), "Bread", 1)
	edit := c
	edit.Title, edit.Topic, edit.Slug, edit.Status = "Cake", "kitchen", "cake", school.Draft
	_, err := s.UpdateCourse(ctx, edit, c.Version+1, noon)
	wantError(t, err, school.ErrStale)

	version := s.CatalogueVersion()
	saved, err := s.UpdateCourse(ctx, edit, c.Version, minutes(5))
	must(t, err)
	if saved.Title != "Cake" || saved.Slug != c.Slug || saved.Status != school.Published || saved.Version != c.Version+1 || !saved.UpdatedAt.Equal(minutes(5)) {
		t.Errorf("got %+v", saved)
	}
	if s.CatalogueVersion() == version {
		t.Error("the catalogue's version is the same")
	}
	_, err = s.UpdateCourse(ctx, edit, c.Version, noon) // the second of two at once
	wantError(t, err, school.ErrStale)
	if got := s.reread(c.ID); got.Version != saved.Version || !got.UpdatedAt.Equal(minutes(5)) {
		t.Errorf("a stale edit left %+v", got)
	}
	if got := s.found("cake"); got != "Cake" {
		t.Errorf("found %q", got)
	}
	if got := s.found("bread"); got != "" {
		t.Errorf("by its old title it finds %q", got)
	}
	s.check()
}

func TestPublishCourse(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	empty, _ := s.draft(teacher, "Empty", 0)
	wantError(t, s.PublishCourse(ctx, empty.ID, noon), school.ErrEmpty)

	c, lessons := s.draft(teacher, "Bread", 1)
	if got := s.found("bread"); got != "" {
		t.Errorf("a draft is found: %q", got)
	}
	must(t, s.PublishCourse(ctx, c.ID, minutes(1)))
	must(t, s.PublishCourse(ctx, c.ID, minutes(2)))
	if got := s.reread(c.ID); got.Status != school.Published || !got.PublishedAt.Equal(minutes(1)) || !got.UpdatedAt.Equal(minutes(1)) {
		t.Errorf("got %+v", got)
	}
	if got := s.found("bread"); got != "Bread" {
		t.Errorf("found %q", got)
	}
	must(t, s.UnpublishLesson(ctx, lessons[0], noon)) // the last one
	if got := s.reread(c.ID); got.Status != school.Published || got.Lessons != 0 {
		t.Errorf("got %+v", got)
	}
	must(t, s.PublishLesson(ctx, lessons[0], noon))
	s.check()

	must(t, s.UnpublishCourse(ctx, c.ID, minutes(3)))
	must(t, s.UnpublishCourse(ctx, c.ID, minutes(4)))
	if got := s.found("bread"); got != "" {
		t.Errorf("found %q", got)
	}
	must(t, s.PublishCourse(ctx, c.ID, minutes(5)))
	if got := s.reread(c.ID); !got.PublishedAt.Equal(minutes(1)) {
		t.Errorf("published at %v, want the first time", got.PublishedAt)
	}
	s.check()

	must(t, s.DeleteCourse(ctx, c.ID, minutes(6)))
	if got := s.found("bread"); got != "" {
		t.Errorf("found %q", got)
	}
	s.check()
	gone, err := s.DeletedCourseBySlug(ctx, c.Slug)
	must(t, err)
	if !gone.DeletedAt.Equal(minutes(6)) {
		t.Errorf("deleted at %v", gone.DeletedAt)
	}
	must(t, s.RestoreCourse(ctx, c.ID, minutes(7)))
	if got := s.found("bread"); got != "Bread" {
		t.Errorf("found %q", got)
	}
	s.check()
}

func TestTaughtBy(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	grace, raymond := s.user("Grace", school.Instructor), s.user("Raymond", school.Instructor)
	_, lessons := s.course(grace, "First", 1)
	second, _ := s.draft(grace, "Second", 0)
	third, _ := s.draft(raymond, "Third", 0)
	gone, _ := s.draft(grace, "Gone", 0)
	must(t, s.DeleteCourse(ctx, gone.ID, minutes(1)))
	for i, c := range []school.Course{third, second} {
		_, err := s.UpdateCourse(ctx, c, c.Version, minutes(i+1))
		must(t, err)
	}
	must(t, s.DeleteLesson(ctx, lessons[0], minutes(9)))
	for _, q := range []struct {
		list func() ([]school.Course, error)
		want string
	}{
		{func() ([]school.Course, error) { return s.TaughtBy(ctx, grace, false) }, "First Second"},
		{func() ([]school.Course, error) { return s.TaughtBy(ctx, grace, true) }, "First Second Third"},
		{func() ([]school.Course, error) { return s.TaughtBy(ctx, nobody, false) }, ""},
		{func() ([]school.Course, error) { return s.DeletedCourses(ctx, grace, false) }, "Gone"},
		{func() ([]school.Course, error) { return s.DeletedCourses(ctx, raymond, false) }, ""},
		{func() ([]school.Course, error) { return s.DeletedCourses(ctx, raymond, true) }, "Gone"},
	} {
		courses, err := q.list()
		must(t, err)
		var titles []string
		for _, c := range courses {
			titles = append(titles, c.Title)
		}
		if got := strings.Join(titles, " "); got != q.want {
			t.Errorf("got %q, want %q", got, q.want)
		}
	}
}

func TestChapters(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	c, _ := s.draft(teacher, "Bread", 0)
	first := s.firstChapter(c.ID)
	must(t, s.RenameChapter(ctx, first, "A", noon))
	ids := map[string]school.ID{"A": first}
	for _, title := range []string{"B", "C", "D"} {
		h, err := s.CreateChapter(ctx, c.ID, title, noon)
		must(t, err)
		ids[title] = h.ID
	}
	for _, step := range []struct {
		chapter string
		to      int
		want    string
	}{
		{"A", 0, "A: ; B: ; C: ; D: "},
		{"A", 2, "B: ; C: ; A: ; D: "},
		{"D", 0, "D: ; B: ; C: ; A: "},
		{"B", 99, "D: ; C: ; A: ; B: "},
		{"B", -1, "B: ; D: ; C: ; A: "},
		{"D", math.MaxInt, "B: ; C: ; A: ; D: "},
		{"D", math.MinInt, "D: ; B: ; C: ; A: "},
		{"B", 2, "D: ; C: ; B: ; A: "},
		{"B", 1, "D: ; B: ; C: ; A: "},
	} {
		must(t, s.MoveChapter(ctx, ids[step.chapter], step.to, noon))
		if got := s.outline(c.ID, true); got != step.want {
			t.Fatalf("%s to %d: got %q, want %q", step.chapter, step.to, got, step.want)
		}
	}
	must(t, s.DeleteChapter(ctx, ids["B"], noon))
	must(t, s.DeleteChapter(ctx, ids["D"], minutes(1)))
	if got, want := s.outline(c.ID, true), "C: ; A: "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	bin, err := s.Bin(ctx, c.ID)
	must(t, err)
	if len(bin.Chapters) != 2 || bin.Chapters[0].Title != "D" || !bin.Chapters[0].DeletedAt.Equal(minutes(1)) {
		t.Errorf("in the bin: %+v", bin.Chapters)
	}
	must(t, s.RestoreChapter(ctx, ids["D"], noon))
	must(t, s.RestoreChapter(ctx, ids["B"], noon))
	if got, want := s.outline(c.ID, true), "D: ; B: ; C: ; A: "; got != want {
		t.Errorf("restored: got %q, want %q", got, want)
	}
	if got := s.outline(c.ID, false); got != "" {
		t.Errorf("readers see %q", got)
	}
	s.check()
}

func (s *testSchool) firstChapter(course school.ID) school.ID {
	s.t.Helper()
	chapters, err := s.Outline(s.t.Context(), course, true)
	must(s.t, err)
	return chapters[0].ID
}

func TestCreateLesson(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	c, _ := s.draft(teacher, "Bread", 0)
	h := s.firstChapter(c.ID)
	for _, want := range []string{"why-dough-rises", "why-dough-rises-2", "why-dough-rises-3"} {
		l, err := s.CreateLesson(ctx, h, school.Lesson{
			LessonHead: school.LessonHead{Title: "Why dough rises", Kind: school.Quiz, Preview: true, Status: school.Published},
			Body:       "Yeast.",
		}, teacher, minutes(1))
		must(t, err)
		if l.Slug != want || l.Kind != school.Quiz || !l.Preview || l.Status != school.Draft || l.Minutes != 1 || l.Version != 1 ||
			l.Body != "Yeast." || l.CourseID != c.ID || l.ChapterID != h || l.UpdatedBy.Name != "Grace" || !l.UpdatedAt.Equal(minutes(1)) {
			t.Errorf("got %+v", l)
		}
		bySlug, err := s.LessonBySlug(ctx, c.ID, want)
		must(t, err)
		if bySlug != l {
			t.Errorf("by slug %+v, want %+v", bySlug, l)
		}
		must(t, s.DeleteLesson(ctx, l.ID, noon)) // its slug stays taken
	}
	if !s.reread(c.ID).UpdatedAt.Equal(noon) {
		t.Error("the course was not touched by the last change")
	}
	s.check()
}

func TestUpdateLesson(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	grace, raymond := s.user("Grace", school.Instructor), s.user("Raymond", school.Admin)
	c, lessons := s.course(grace, "Bread", 1)
	edit, err := s.Lesson(ctx, lessons[0])
	must(t, err)
	read := edit.Version
	edit.Title, edit.Kind, edit.Body, edit.Preview, edit.Minutes = "Crust", school.Lab, "Brown.", true, 30
	_, err = s.UpdateLesson(ctx, edit, read+1, raymond, noon)
	wantError(t, err, school.ErrStale)
	saved, err := s.UpdateLesson(ctx, edit, read, raymond, minutes(3))
	must(t, err)
	want := edit
	want.Version, want.UpdatedAt, want.UpdatedBy = read+1, minutes(3), school.Person{ID: raymond, Name: "Raymond"}
	if saved != want {
		t.Errorf("got %+v, want %+v", saved, want)
	}
	_, err = s.UpdateLesson(ctx, edit, read, grace, noon)
	wantError(t, err, school.ErrStale)
	if got := s.reread(c.ID); got.Minutes != 30 || !got.UpdatedAt.Equal(minutes(3)) {
		t.Errorf("the course has %d minutes, edited at %v", got.Minutes, got.UpdatedAt)
	}
	s.check()
}

// The text and whether it is published are saved together or not at all.
func TestUpdateLesson_withAStatus(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	grace := s.user("Grace", school.Instructor)
	c, lessons := s.course(grace, "Bread", 2)
	for i, step := range []struct{ asked, want school.Status }{
		{"", school.Published},
		{school.Draft, school.Draft},
		{school.Draft, school.Draft},
		{"", school.Draft},
		{school.Published, school.Published},
	} {
		before, err := s.Lesson(ctx, lessons[0])
		must(t, err)
		edit := before
		edit.Status, edit.Body = step.asked, fmt.Sprint("Text ", i)
		_, err = s.UpdateLesson(ctx, edit, before.Version-1, grace, noon)
		wantError(t, err, school.ErrStale)
		if got, err := s.Lesson(ctx, lessons[0]); err != nil || got != before {
			t.Errorf("refused, and yet it is %+v, %v", got, err)
		}
		saved, err := s.UpdateLesson(ctx, edit, before.Version, grace, noon)
		must(t, err)
		if saved.Status != step.want || saved.Body != edit.Body {
			t.Errorf("%d: got %+v", i, saved)
		}
		visible := 1
		if step.want == school.Published {
			visible = 2
		}
		if got := s.reread(c.ID).Lessons; got != visible {
			t.Errorf("%d: the course has %d lessons, want %d", i, got, visible)
		}
		s.check()
	}
	s.refuse(`BEFORE UPDATE OF visible ON lessons`)
	edit, err := s.Lesson(ctx, lessons[0])
	must(t, err)
	before := edit
	edit.Status, edit.Body = school.Draft, "Half"
	if _, err := s.UpdateLesson(ctx, edit, edit.Version, grace, noon); err == nil {
		t.Error("it was saved")
	}
	if got, err := s.Lesson(ctx, lessons[0]); err != nil || got != before {
		t.Errorf("half of it was saved: %+v, %v", got, err)
	}
}

// refuse makes the database fail from here on.
func (s *testSchool) refuse(event string) {
	s.t.Helper()
	must(s.t, second(s.Writer().Exec("CREATE TRIGGER refuse "+event+" BEGIN SELECT RAISE(ABORT, 'refused'); END")))
}

func TestMoveLesson(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	c, a := s.course(teacher, "Bread", 3)
	b := s.chapter(c.ID, "B", 1, teacher)
	for i, id := range append(a, b...) {
		l, err := s.Lesson(ctx, id)
		must(t, err)
		l.Title = string(rune('p' + i))
		must(t, second(s.UpdateLesson(ctx, l, l.Version, teacher, noon)))
	}
	_, elsewhere := s.course(teacher, "Cake", 1)
	wantError(t, s.MoveLesson(ctx, a[0], s.chapterOf(elsewhere[0]), 0, noon), school.ErrNotFound)
	wantError(t, s.MoveLesson(ctx, a[0], nobody, 0, noon), school.ErrNotFound)
	first, last := s.chapterOf(a[0]), s.chapterOf(b[0])
	for _, step := range []struct {
		lesson, chapter school.ID
		to              int
		want            string
	}{
		{a[0], first, 1, "Chapter: q, p, r; B: s"},
		{a[2], first, 0, "Chapter: r, q, p; B: s"},
		{a[2], last, 0, "Chapter: q, p; B: r, s"},
		{a[1], last, 1, "Chapter: p; B: r, q, s"},
		{a[0], last, 77, "B: r, q, s, p"},
		{b[0], first, -5, "Chapter: s; B: r, q, p"},
	} {
		must(t, s.MoveLesson(ctx, step.lesson, step.chapter, step.to, noon))
		if got := s.outline(c.ID, false); got != step.want {
			t.Fatalf("got %q, want %q", got, step.want)
		}
		s.check()
	}
}

func TestLessons_inAndOutOfTheBin(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher := s.user("Grace", school.Instructor)
	c, a := s.course(teacher, "Bread", 3)
	b := s.chapter(c.ID, "B", 2, teacher)
	must(t, s.DeleteLesson(ctx, a[1], minutes(1)))
	must(t, s.DeleteLesson(ctx, b[0], minutes(2)))
	must(t, s.DeleteChapter(ctx, s.chapterOf(b[1]), minutes(3)))
	if got := s.reread(c.ID); got.Lessons != 2 || got.Minutes != 1+3 {
		t.Errorf("%d lessons of %d minutes, want 2 of 4", got.Lessons, got.Minutes)
	}
	s.check()
	bin, err := s.Bin(ctx, c.ID)
	must(t, err)
	if len(bin.Chapters) != 1 || len(bin.Lessons) != 1 || bin.Lessons[0].ID != a[1] || !bin.Lessons[0].DeletedAt.Equal(minutes(1)) {
		t.Errorf("in the bin: %+v", bin)
	}
	l, err := s.DeletedLesson(ctx, a[1])
	must(t, err)
	if l.CourseID != c.ID {
		t.Errorf("got %+v", l)
	}
	h, err := s.DeletedChapter(ctx, bin.Chapters[0].ID)
	must(t, err)
	must(t, s.RestoreChapter(ctx, h.ID, noon))
	must(t, s.RestoreLesson(ctx, b[0], noon))
	must(t, s.RestoreLesson(ctx, a[1], noon))
	want := "Chapter: Chapter, lesson 0, Chapter, lesson 1, Chapter, lesson 2; B: B, lesson 0, B, lesson 1"
	if got := s.outline(c.ID, false); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := s.reread(c.ID); got.Lessons != 5 || got.Minutes != 1+2+3+1+2 {
		t.Errorf("%d lessons of %d minutes", got.Lessons, got.Minutes)
	}
	s.check()
}
