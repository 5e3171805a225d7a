package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/views"
	"lectern/views/ui"
)

// showCourse is a course's own page.
func (s *Server) showCourse(c echo.Context) error {
	v, a, ctx := visitorOf(c), askedOf(c), c.Request().Context()
	edits := s.may(c, policy.CourseEdit, a.object())
	chapters, err := s.DB.Outline(ctx, a.course.ID, s.shows(c, policy.CourseDrafts, a.object()))
	if err != nil {
		return err
	}
	p := views.CourseProps{
		Course: a.course, Enrolment: a.enrolment, Address: a.address(), Chapters: len(chapters),
		SignedIn: v.SignedIn(), CanJoin: s.may(c, policy.CourseJoin, a.object()), CanEdit: edits,
		About: s.rendered(a.course.Description).HTML,
	}
	var done map[school.ID]time.Time
	if a.enrolment.Joined() {
		if done, err = s.DB.Completed(ctx, v.user.ID, a.course.ID); err != nil {
			return err
		}
		next, err := s.DB.NextLesson(ctx, v.user.ID, a.course.ID)
		switch {
		case err == nil:
			p.Next, p.NextAt = next, a.lessonAddress(next.Slug)
		case !errors.Is(err, school.ErrNotFound):
			return err
		}
	}
	p.Done = doneNotice(c, a, chapters, done)
	o := outline{asked: a, done: done, edits: edits, current: p.Next.ID}
	p.Outline = ui.OutlineProps{Level: 3, Chapters: o.chapters(chapters)}
	return s.page(c, http.StatusOK, views.CoursePage(s.frame(c, a.course.Title, "courses"), p))
}

// outline says how a reader stands to the lessons of a course.
type outline struct {
	asked
	done    map[school.ID]time.Time // nil for who has not joined
	edits   bool
	current school.ID // the lesson that is shown, or to go on with
	open    school.ID // the only chapter that shows its lessons; empty for all
}

func (o outline) chapters(chapters []school.Chapter) []ui.OutlineChapter {
	all := make([]ui.OutlineChapter, 0, len(chapters))
	for _, chapter := range chapters {
		oc := ui.OutlineChapter{Title: chapter.Title}
		done, published := 0, 0
		for _, lesson := range chapter.Lessons {
			if lesson.Status == school.Published {
				published++
				if _, ok := o.done[lesson.ID]; ok {
					done++
				}
			}
			if o.open == "" || o.open == chapter.ID {
				oc.Lessons = append(oc.Lessons, o.lesson(lesson))
			}
		}
		if o.enrolment.Joined() {
			oc.Note = ui.Number(done) + " of " + ui.Number(published)
		}
		all = append(all, oc)
	}
	return all
}

func (o outline) lesson(l school.LessonHead) ui.OutlineLesson {
	line := ui.OutlineLesson{Title: l.Title, Kind: l.Kind, Minutes: l.Minutes, Current: l.ID == o.current}
	_, done := o.done[l.ID]
	joined := o.enrolment.Joined()
	switch {
	case done:
		line.State = ui.LessonDone
	case joined && l.Status == school.Published:
		line.State = ui.LessonNotYet
	case !joined && !l.Preview && !o.edits:
		line.State = ui.LessonLocked
	}
	switch {
	case l.Status != school.Published:
		line.Note = "Draft"
	case l.Preview && !joined && !o.edits:
		line.Note = "Preview"
	}
	if line.State != ui.LessonLocked {
		line.Href = o.lessonAddress(l.Slug)
	}
	return line
}

// joinCourse puts the visitor into the course. Who has joined stays as they
// are.
func (s *Server) joinCourse(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	a := askedOf(c)
	if err := s.joined(c, a); err != nil {
		return err
	}
	next := a.address()
	if slug, err := school.ParseSlug(f.get("lesson")); err == nil {
		next = a.lessonAddress(slug)
	}
	return seeOther(c, withQuery(next, "said", "joined"))
}

// leaveCourse takes the visitor out of the course and keeps their progress.
func (s *Server) leaveCourse(c echo.Context) error {
	v, a := visitorOf(c), askedOf(c)
	if err := s.DB.Leave(c.Request().Context(), v.user.ID, a.course.ID, s.Now()); err != nil {
		return err
	}
	return seeOther(c, withQuery(a.address(), "said", "left"))
}
