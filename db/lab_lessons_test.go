package db_test

import (
	"path/filepath"
	"strings"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

const twoExperiments = "Text.\n\n[One](/lab/one)\n\n[Two](/lab/two)\n\n[A mistake](/lab/misspelt)\n"

var knownExperiments = []string{"one", "two", "three"}

// lab is a published course with one lab lesson of two experiments.
func (s *testSchool) lab(owner school.ID, title string) (school.Course, school.Lesson) {
	s.t.Helper()
	c, lessons := s.draft(owner, title, 1)
	must(s.t, s.PublishCourse(s.t.Context(), c.ID, noon))
	l, err := s.Lesson(s.t.Context(), lessons[0])
	must(s.t, err)
	l.Kind, l.Body = school.Lab, twoExperiments
	l, err = s.UpdateLesson(s.t.Context(), l, l.Version, owner, noon)
	must(s.t, err)
	return c, l
}

// done is how many lessons of a course the person has done.
func (s *testSchool) done(user, course school.ID) int {
	s.t.Helper()
	e, err := s.Enrolment(s.t.Context(), user, course)
	must(s.t, err)
	return e.Done
}

func explained(slugs ...string) (all []db.LabProgress) {
	for _, slug := range slugs {
		all = append(all, db.LabProgress{Experiment: slug, JWT: "accepted", RunID: "abcdefghij", Asked: 1, ExplainedAt: noon, UpdatedAt: noon})
	}
	return all
}

func TestAdoptExperiments_completesWhatLackedNothingElse(t *testing.T) {
	s := newSchool(t)
	ctx, grace := t.Context(), s.user("Grace", school.Instructor)
	c, lesson := s.lab(grace, "Breaking")
	other, _ := s.lab(grace, "Elsewhere")
	ada, bea := s.user("Ada", school.Student), s.user("Bea", school.Student)
	must(t, s.Join(ctx, ada, c.ID, noon))

	must(t, s.AdoptExperiments(ctx, ada, knownExperiments, noon, explained("one")...))
	if got := s.done(ada, c.ID); got != 0 {
		t.Errorf("after one of two, %d lessons are done", got)
	}
	must(t, s.AdoptExperiments(ctx, bea, knownExperiments, noon, explained("two")...)) // somebody else's
	if got := s.done(ada, c.ID); got != 0 {
		t.Errorf("after somebody else's, %d lessons are done", got)
	}
	must(t, s.AdoptExperiments(ctx, ada, knownExperiments, minutes(1), explained("two")...))
	e, err := s.Enrolment(ctx, ada, c.ID)
	must(t, err)
	if e.Done != 1 || !e.FinishedAt.Equal(minutes(1)) {
		t.Errorf("%d lessons are done, the course at %v", e.Done, e.FinishedAt)
	}

	// What is taken back is not done again by something else.
	_, err = s.Uncomplete(ctx, ada, lesson.ID, minutes(2))
	must(t, err)
	must(t, s.AdoptExperiments(ctx, ada, knownExperiments, minutes(3), explained("three")...))
	if got := s.done(ada, c.ID); got != 0 {
		t.Errorf("another experiment completes %d lessons", got)
	}

	// Elsewhere it counts from joining on.
	must(t, s.Join(ctx, ada, other.ID, minutes(4)))
	must(t, s.CompleteLab(ctx, ada, other.ID, knownExperiments, minutes(4)))
	must(t, s.CompleteLab(ctx, ada, other.ID, knownExperiments, minutes(5)))
	if here, there := s.done(ada, c.ID), s.done(ada, other.ID); here != 0 || there != 1 {
		t.Errorf("joining completes %d lessons here and %d there", here, there)
	}
	s.check()
}

func TestAdoptExperiments_completesNothingThatDoesNotCount(t *testing.T) {
	for _, c := range []struct {
		says   string
		change func(s *testSchool, ada, grace school.ID, c school.Course, l school.Lesson) error
	}{
		{"a draft of a lesson", func(s *testSchool, _, _ school.ID, _ school.Course, l school.Lesson) error {
			return s.UnpublishLesson(s.t.Context(), l.ID, noon)
		}},
		{"a course that is a draft again", func(s *testSchool, _, _ school.ID, c school.Course, _ school.Lesson) error {
			return s.UnpublishCourse(s.t.Context(), c.ID, noon)
		}},
		{"a course that was left", func(s *testSchool, ada, _ school.ID, c school.Course, _ school.Lesson) error {
			return s.Leave(s.t.Context(), ada, c.ID, noon)
		}},
		{"a reading", func(s *testSchool, _, grace school.ID, _ school.Course, l school.Lesson) error {
			l.Kind = school.Reading
			_, err := s.UpdateLesson(s.t.Context(), l, l.Version, grace, noon)
			return err
		}},
		{"a lab of misspelt experiments", func(s *testSchool, _, grace school.ID, _ school.Course, l school.Lesson) error {
			l.Body = "[A mistake](/lab/misspelt)"
			_, err := s.UpdateLesson(s.t.Context(), l, l.Version, grace, noon)
			return err
		}},
		{"a lesson in the bin", func(s *testSchool, _, _ school.ID, _ school.Course, l school.Lesson) error {
			return s.DeleteLesson(s.t.Context(), l.ID, noon)
		}},
	} {
		t.Run(c.says, func(t *testing.T) {
			s := newSchool(t)
			grace, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
			course, lesson := s.lab(grace, "Breaking")
			must(t, s.Join(t.Context(), ada, course.ID, noon))
			must(t, c.change(s, ada, grace, course, lesson))
			must(t, s.AdoptExperiments(t.Context(), ada, knownExperiments, noon, explained("one", "two", "misspelt")...))
			done, err := s.Completed(t.Context(), ada, course.ID)
			must(t, err)
			if len(done) != 0 {
				t.Error("it is done")
			}
			s.check()
		})
	}
}

func TestLessonOfExperiment_followsTheText(t *testing.T) {
	s := newSchool(t)
	ctx, grace := t.Context(), s.user("Grace", school.Instructor)
	_, err := s.LessonOfExperiment(ctx, "", "one")
	wantError(t, err, school.ErrNotFound)
	c, l := s.lab(grace, "Breaking")
	found, err := s.LessonOfExperiment(ctx, "", "one")
	must(t, err)
	if want := (db.LabLesson{Course: c.Slug, Slug: l.Slug, Title: l.Title}); found != want {
		t.Errorf("got %+v, want %+v", found, want)
	}
	must(t, s.DeleteLesson(ctx, l.ID, noon))
	_, err = s.LessonOfExperiment(ctx, "", "one")
	wantError(t, err, school.ErrNotFound)
	must(t, s.RestoreLesson(ctx, l.ID, noon))
	_, err = s.LessonOfExperiment(ctx, "", "one")
	must(t, err)
	l.Body = "[Two](/lab/two)"
	_, err = s.UpdateLesson(ctx, l, l.Version, grace, noon)
	must(t, err)
	_, err = s.LessonOfExperiment(ctx, "", "one")
	wantError(t, err, school.ErrNotFound)
	s.check()
}

// A database from before the experiments of lessons were noted has them after it was
// opened.
func TestOpen_readsTheExperimentsOfOlderLessons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	old, err := db.OpenBefore(t.Context(), path, "lesson_experiments")
	must(t, err)
	for _, row := range []string{
		`INSERT INTO users (id, email, name, name_key, role, password_hash, created_at) VALUES ('g', 'g@school.example', 'Grace', 'grace', 'instructor', '', 0)`,
		`INSERT INTO courses (id, slug, title, title_key, summary, topic, level, number, status, owner_id, created_at, updated_at, outcomes, description)
		 VALUES ('c', 'breaking', 'Breaking', 'breaking', '', 'data', 'first', 1, 'draft', 'g', 0, 0, '', '')`,
		`INSERT INTO chapters (id, course_id, title, position) VALUES ('h', 'c', 'One', 0)`,
		`INSERT INTO lessons (id, course_id, chapter_id, slug, title, kind, status, position, created_at, updated_at, updated_by, body)
		 VALUES ('l', 'c', 'h', 'lab', 'A lab', 'lab', 'draft', 0, 0, 0, 'g', '` + twoExperiments + `'),
		        ('r', 'c', 'h', 'reading', 'A reading', 'reading', 'draft', 1, 0, 0, 'g', 'See [one](/lab/one).')`,
	} {
		_, err := old.Writer().Exec(row)
		must(t, err)
	}
	must(t, old.Writer().Close())

	d := open(t, path)
	must(t, d.PublishLesson(t.Context(), "l", noon))
	must(t, d.PublishCourse(t.Context(), "c", noon))
	found, err := d.LessonOfExperiment(t.Context(), "", "two")
	must(t, err)
	if found.Slug != "lab" {
		t.Errorf("got %+v", found)
	}
	if err := d.CheckCounts(t.Context()); err != nil && strings.Contains(err.Error(), "experiments") {
		t.Error(err)
	}
}

func TestCheckCounts_findsExperimentsThatTheTextHasNot(t *testing.T) {
	s := newSchool(t)
	_, l := s.lab(s.user("Grace", school.Instructor), "Breaking")
	_, err := s.Writer().Exec(`UPDATE lessons SET body = '[Other](/lab/other)' WHERE id = $1`, l.ID)
	must(t, err)
	if err := s.CheckCounts(t.Context()); err == nil || !strings.Contains(err.Error(), string(l.ID)) {
		t.Errorf("got %v", err)
	}
}
