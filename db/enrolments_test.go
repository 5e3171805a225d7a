package db_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"lectern/db/school"
)

func TestJoin_refuses(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	draft, _ := s.draft(teacher, "Draft", 1)
	gone, _ := s.course(teacher, "Gone", 1)
	must(t, s.DeleteCourse(ctx, gone.ID, noon))
	wantError(t, s.Join(ctx, ada, draft.ID, noon), school.ErrNotPublished)
	wantError(t, s.Join(ctx, ada, gone.ID, noon), school.ErrNotFound)
	wantError(t, s.Join(ctx, ada, nobody, noon), school.ErrNotFound)
	c, _ := s.course(teacher, "Course", 1)
	if err := s.Join(ctx, nobody, c.ID, noon); err == nil {
		t.Error("somebody who has no account joined")
	}
	_, err := s.Enrolment(ctx, ada, c.ID)
	wantError(t, err, school.ErrNotFound)
	s.check()
}

func TestComplete_refuses(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	c, lessons := s.course(teacher, "Course", 3)
	try := func(lesson school.ID, want error) {
		t.Helper()
		_, err := s.Complete(ctx, ada, lesson, noon)
		wantError(t, err, want)
		_, err = s.Uncomplete(ctx, ada, lesson, noon)
		wantError(t, err, want)
	}
	try(lessons[0], school.ErrNotEnrolled)
	try(nobody, school.ErrNotFound)
	must(t, s.Join(ctx, ada, c.ID, noon))
	must(t, s.DeleteLesson(ctx, lessons[1], noon))
	try(lessons[1], school.ErrNotFound)
	must(t, s.UnpublishLesson(ctx, lessons[2], noon))
	try(lessons[2], school.ErrNotPublished)
	must(t, s.UnpublishCourse(ctx, c.ID, noon))
	try(lessons[0], school.ErrNotPublished)
	must(t, s.PublishCourse(ctx, c.ID, noon))
	must(t, s.Leave(ctx, ada, c.ID, noon))
	try(lessons[0], school.ErrNotEnrolled)
	done, err := s.Completed(ctx, ada, c.ID)
	must(t, err)
	if len(done) != 0 {
		t.Errorf("completed %v", done)
	}
	s.check()
}

func TestJoin_leaveAndJoinAgain(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	c, lessons := s.course(teacher, "Course", 3)
	must(t, s.Leave(ctx, ada, c.ID, noon)) // never joined
	version := s.CatalogueVersion()
	must(t, s.Join(ctx, ada, c.ID, minutes(1)))
	if s.CatalogueVersion() == version {
		t.Error("the catalogue's version is the same")
	}
	version = s.CatalogueVersion()
	must(t, s.Join(ctx, ada, c.ID, minutes(2)))
	if s.CatalogueVersion() != version {
		t.Error("the catalogue's version went up for nothing")
	}
	must(t, second(s.Complete(ctx, ada, lessons[0], minutes(3))))
	must(t, second(s.Complete(ctx, ada, lessons[1], minutes(4))))
	must(t, s.OpenLesson(ctx, ada, lessons[2], minutes(5)))
	must(t, s.Leave(ctx, ada, c.ID, minutes(6)))
	must(t, s.Leave(ctx, ada, c.ID, minutes(7)))
	want := school.Enrolment{CourseID: c.ID, JoinedAt: minutes(1), LeftAt: minutes(6), Done: 2, LastLesson: lessons[2]}
	if got := s.enrolment(ada, c.ID); got != want || got.Joined() {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := s.reread(c.ID).Students; got != 0 {
		t.Errorf("%d students", got)
	}
	must(t, s.UnpublishLesson(ctx, lessons[0], noon))
	must(t, s.Join(ctx, ada, c.ID, minutes(8)))
	want.LeftAt, want.Done = time.Time{}, 1
	if got := s.enrolment(ada, c.ID); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := s.reread(c.ID).Students; got != 1 {
		t.Errorf("%d students", got)
	}
	s.check()
}

func TestComplete_andTakeBack(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	c, lessons := s.course(teacher, "Course", 2)
	must(t, s.Join(ctx, ada, c.ID, noon))
	for _, step := range []struct {
		complete bool
		lesson   int
		at       int
		done     int
		finished time.Time
	}{
		{true, 0, 1, 1, time.Time{}},
		{true, 0, 2, 1, time.Time{}},
		{true, 1, 3, 2, minutes(3)},
		{true, 0, 4, 2, minutes(3)},
		{false, 0, 5, 1, time.Time{}},
		{false, 0, 6, 1, time.Time{}},
		{true, 0, 7, 2, minutes(7)},
	} {
		act := s.Uncomplete
		if step.complete {
			act = s.Complete
		}
		e, err := act(ctx, ada, lessons[step.lesson], minutes(step.at))
		must(t, err)
		if e.Done != step.done || !e.FinishedAt.Equal(step.finished) {
			t.Errorf("at %d: done %d, finished %v; want %d, %v", step.at, e.Done, e.FinishedAt, step.done, step.finished)
		}
		if read := s.enrolment(ada, c.ID); read != e {
			t.Errorf("read %+v, returned %+v", read, e)
		}
		s.check()
	}
	done, err := s.Completed(ctx, ada, c.ID)
	must(t, err)
	if want := map[school.ID]time.Time{lessons[0]: minutes(7), lessons[1]: minutes(3)}; !maps.Equal(done, want) {
		t.Errorf("completed %v, want %v", done, want)
	}
}

// Whatever happens to a course's lessons, its readers' progress follows.
func TestProgress_followsTheLessons(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada, alan := s.user("Grace", school.Instructor), s.user("Ada", school.Student), s.user("Alan", school.Student)
	c, first := s.course(teacher, "Course", 2)
	second := s.chapter(c.ID, "Second", 2, teacher)
	for _, user := range []school.ID{ada, alan} {
		must(t, s.Join(ctx, user, c.ID, noon))
	}
	for i, lesson := range append(slices.Clone(first), second[0]) {
		_, err := s.Complete(ctx, ada, lesson, minutes(i+1))
		must(t, err)
	}
	_, err := s.Complete(ctx, alan, second[1], minutes(9))
	must(t, err)
	chapter := s.chapterOf(second[0])
	for _, step := range []struct {
		what     string
		do       func() error
		done     int
		finished time.Time
	}{
		{"unpublish the one not done", func() error { return s.UnpublishLesson(ctx, second[1], noon) }, 3, minutes(3)},
		{"publish it again", func() error { return s.PublishLesson(ctx, second[1], noon) }, 3, time.Time{}},
		{"delete the chapter", func() error { return s.DeleteChapter(ctx, chapter, noon) }, 2, minutes(2)},
		{"restore it", func() error { return s.RestoreChapter(ctx, chapter, noon) }, 3, time.Time{}},
		{"delete the one not done", func() error { return s.DeleteLesson(ctx, second[1], noon) }, 3, minutes(3)},
		{"delete one that is done", func() error { return s.DeleteLesson(ctx, first[1], noon) }, 2, minutes(3)},
		{"restore it", func() error { return s.RestoreLesson(ctx, first[1], noon) }, 3, minutes(3)},
		{"restore the other", func() error { return s.RestoreLesson(ctx, second[1], noon) }, 3, time.Time{}},
		{"unpublish the course", func() error { return s.UnpublishCourse(ctx, c.ID, noon) }, 3, time.Time{}},
		{"delete the course", func() error { return s.DeleteCourse(ctx, c.ID, noon) }, 3, time.Time{}},
	} {
		must(t, step.do())
		e := s.enrolment(ada, c.ID)
		if e.Done != step.done || !e.FinishedAt.Equal(step.finished) {
			t.Errorf("%s: done %d, finished %v; want %d, %v", step.what, e.Done, e.FinishedAt, step.done, step.finished)
		}
		s.check()
	}
}

func TestOpenLesson(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	c, lessons := s.course(teacher, "Course", 3)
	must(t, s.OpenLesson(ctx, ada, lessons[0], noon))
	must(t, s.OpenLesson(ctx, ada, nobody, noon))
	must(t, s.Join(ctx, ada, c.ID, noon))
	must(t, s.UnpublishLesson(ctx, lessons[2], noon))
	seen := func() time.Time {
		t.Helper()
		var ms int64
		must(t, s.Reader().QueryRow(`SELECT seen_at FROM enrolments WHERE user_id = $1`, ada).Scan(&ms))
		return time.UnixMilli(ms).UTC()
	}
	for _, step := range []struct {
		lesson   int
		at       time.Time
		wantLast int
		wantSeen time.Time
	}{
		{0, minutes(1), 0, minutes(1)},
		{0, minutes(1).Add(59 * time.Second), 0, minutes(1)},
		{0, minutes(2), 0, minutes(2)},
		{1, minutes(2).Add(time.Second), 1, minutes(2).Add(time.Second)},
		{2, minutes(4), 1, minutes(2).Add(time.Second)},
	} {
		must(t, s.OpenLesson(ctx, ada, lessons[step.lesson], step.at))
		if got := s.enrolment(ada, c.ID).LastLesson; got != lessons[step.wantLast] || !seen().Equal(step.wantSeen) {
			t.Errorf("lesson %d at %v: last %s, seen %v", step.lesson, step.at, got, seen())
		}
	}
	must(t, s.Leave(ctx, ada, c.ID, minutes(5)))
	must(t, s.OpenLesson(ctx, ada, lessons[0], minutes(9)))
	if got := s.enrolment(ada, c.ID).LastLesson; got != lessons[1] {
		t.Error("who has left is still followed")
	}
}

func TestLearning(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	var courses []school.Course
	var lessons [][]school.ID
	for _, title := range []string{"Left", "Finished", "Resumed", "New", "Draft"} {
		c, ids := s.course(teacher, title, 3)
		courses, lessons = append(courses, c), append(lessons, ids)
		must(t, s.Join(ctx, ada, c.ID, minutes(len(courses))))
	}
	must(t, s.Leave(ctx, ada, courses[0].ID, noon))
	for _, id := range lessons[1] {
		must(t, second(s.Complete(ctx, ada, id, minutes(3))))
	}
	must(t, s.OpenLesson(ctx, ada, lessons[2][1], minutes(20)))
	must(t, s.UnpublishLesson(ctx, lessons[3][0], noon))
	must(t, s.UnpublishCourse(ctx, courses[4].ID, noon))

	wantNext := map[string]school.ID{"Resumed": lessons[2][1], "New": lessons[3][1], "Finished": ""}
	rows, err := s.Learning(ctx, ada)
	must(t, err)
	var titles []string
	for _, r := range rows {
		titles = append(titles, r.Title)
		if r.Next.ID != wantNext[r.Title] {
			t.Errorf("%s goes on with %q", r.Title, r.Next.ID)
		}
		if got := s.enrolment(ada, r.ID); got != r.Enrolment {
			t.Errorf("%s: %+v, want %+v", r.Title, r.Enrolment, got)
		}
		next, err := s.NextLesson(ctx, ada, r.ID)
		if r.Title == "Finished" {
			wantError(t, err, school.ErrNotFound)
		} else if must(t, err); next != r.Next {
			t.Errorf("%s: next %+v, listed %+v", r.Title, next, r.Next)
		}
	}
	if want := []string{"Resumed", "New", "Finished"}; !slices.Equal(titles, want) {
		t.Errorf("got %q, want %q", titles, want)
	}
	if got, err := s.Resume(ctx, ada); err != nil || !reflect.DeepEqual(got, rows[0]) {
		t.Errorf("resumes with %+v, %v; want %+v", got, err, rows[0])
	}
	must(t, second(s.Complete(ctx, ada, lessons[2][1], minutes(21)))) // the one last opened
	next, err := s.NextLesson(ctx, ada, courses[2].ID)
	must(t, err)
	if next.ID != lessons[2][0] {
		t.Errorf("next is %+v, want the first that is not done", next)
	}
	_, err = s.NextLesson(ctx, ada, courses[0].ID)
	wantError(t, err, school.ErrNotFound)
	_, err = s.NextLesson(ctx, teacher, courses[2].ID)
	wantError(t, err, school.ErrNotFound)
	rows, err = s.Learning(ctx, teacher)
	must(t, err)
	if len(rows) != 0 {
		t.Errorf("got %+v", rows)
	}
}

func TestCounts_whenEverythingHappensAtOnce(t *testing.T) {
	s := newSchool(t)
	teacher := s.user("Grace", school.Instructor)
	var users []school.ID
	for range 10 {
		users = append(users, s.user("Student", school.Student))
	}
	c, lessons := s.course(teacher, "Course", 4)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 200 {
		random := rand.New(rand.NewPCG(1, uint64(i)))
		wg.Go(func() {
			user, lesson := users[random.IntN(len(users))], lessons[random.IntN(len(lessons))]
			must := func(err error) {
				if err != nil {
					t.Error(err)
				}
			}
			switch i % 8 {
			case 0, 1:
				must(s.Join(ctx, user, c.ID, noon))
			case 2:
				must(s.Leave(ctx, user, c.ID, noon))
			case 3:
				must(s.UnpublishLesson(ctx, lesson, noon))
			case 4:
				must(s.PublishLesson(ctx, lesson, noon))
			default: // may come before the join, or after the unpublishing
				s.Complete(ctx, user, lesson, minutes(i))
			}
		})
	}
	wg.Wait()
	s.check()
}

func TestCheckCounts_findsWhatIsWrong(t *testing.T) {
	for _, wrong := range []string{
		`UPDATE courses SET students = students + 1`,
		`UPDATE courses SET lessons = lessons + 1`,
		`UPDATE courses SET minutes = minutes + 1`,
		`UPDATE courses SET listed = 0`,
		`UPDATE course_counts SET listed = listed + 1`,
		`DELETE FROM course_counts`,
		`UPDATE user_counts SET people = people + 1`,
		`DELETE FROM user_counts`,
		`UPDATE enrolments SET done = done + 1`,
		`UPDATE enrolments SET finished_at = 1`,
		`UPDATE enrolments SET finished_at = NULL`,
		`UPDATE lessons SET visible = 0`,
		`UPDATE lessons SET position = 7`,
		`UPDATE chapters SET position = 7`,
		`DELETE FROM enrolments`,
		`UPDATE courses SET status = 'draft', listed = 0; DELETE FROM course_counts`,
	} {
		t.Run(wrong, func(t *testing.T) {
			s := newSchool(t)
			ada := s.user("Ada", school.Student)
			c, lessons := s.course(s.user("Grace", school.Instructor), "Course", 1)
			must(t, s.Join(t.Context(), ada, c.ID, noon))
			must(t, second(s.Complete(t.Context(), ada, lessons[0], noon)))
			s.check()
			must(t, second(s.Writer().Exec(wrong)))
			if err := s.CheckCounts(t.Context()); err == nil {
				t.Error("not found")
			}
		})
	}
}
