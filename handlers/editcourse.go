package handlers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/views"
)

// parseCourse reads the details of a course, with the reason for each field
// that cannot be accepted.
func parseCourse(f formValues) (school.Course, fieldErrors) {
	wrong := fieldErrors{}
	var course school.Course
	var err error
	for _, parse := range []func(){
		func() { course.Title, err = school.ParseTitle(f.get("title")) },
		func() { course.Summary, err = school.ParseSummary(f.get("summary")) },
		func() { course.Description, err = school.ParseDescription(f.get("description")) },
		func() { course.Outcomes, err = school.ParseOutcomes(f.get("learn")) },
		func() { course.Topic, err = school.ParseTopic(f.get("topic")) },
		func() { course.Level, err = school.ParseLevel(f.get("level")) },
	} {
		parse()
		_ = wrong.note(err) // parsing has no other errors than those about fields
	}
	return course, wrong
}

// typedCourse is the form as it was sent, to be shown again.
func typedCourse(f formValues) views.CourseForm {
	return views.CourseForm{
		Title: f.typed("title"), Summary: f.typed("summary"), Description: f.typed("description"),
		Learn: f.typed("learn"), Topic: f.get("topic"), Level: f.get("level"), Version: version(f),
	}
}

// version is the edit that a form was made from. One that cannot be read is of
// no edit at all, so that saving it shows both texts and loses none.
func version(f formValues) int {
	n, err := strconv.Atoi(f.get("version"))
	if err != nil {
		return 0
	}
	return n
}

func savedCourse(course school.Course) views.CourseForm {
	return views.CourseForm{
		Title: course.Title, Summary: course.Summary, Description: course.Description, Learn: strings.Join(course.Outcomes, "\n"),
		Topic: string(course.Topic), Level: string(course.Level), Version: course.Version,
	}
}

func (s *Server) editCourse(c echo.Context) error {
	course := taughtOf(c).course
	return s.editCoursePage(c, http.StatusOK, views.EditCourseProps{Course: course, Form: savedCourse(course)})
}

// editCoursePage completes p with the course's outline and bin.
func (s *Server) editCoursePage(c echo.Context, status int, p views.EditCourseProps) error {
	ctx := c.Request().Context()
	var err error
	if p.Chapters, err = s.DB.Outline(ctx, p.Course.ID, true); err != nil {
		return err
	}
	bin, err := s.DB.Bin(ctx, p.Course.ID)
	if err != nil {
		return err
	}
	for _, h := range bin.Chapters {
		p.Bin = append(p.Bin, views.Binned{What: "Chapter", Title: h.Title, DeletedAt: h.DeletedAt, Restore: "/teach/chapters/" + string(h.ID) + "/restore"})
	}
	for _, l := range bin.Lessons {
		p.Bin = append(p.Bin, views.Binned{What: "Lesson", Title: l.Title, DeletedAt: l.DeletedAt, Restore: "/teach/lessons/" + string(l.ID) + "/restore"})
	}
	frame := s.frame(c, "Edit: "+p.Course.Title, "teach")
	frame.Scripts = []string{"reorder.js", "guard.js"}
	return s.page(c, status, views.EditCoursePage(frame, p))
}

func (s *Server) saveCourse(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	before := taughtOf(c).course
	typed := typedCourse(f)
	course, wrong := parseCourse(f)
	if len(wrong) > 0 {
		return s.editCoursePage(c, http.StatusUnprocessableEntity, views.EditCourseProps{Course: before, Form: typed, Errors: wrong})
	}
	course.ID = before.ID
	saved, err := s.DB.UpdateCourse(c.Request().Context(), course, typed.Version, s.Now())
	if errors.Is(err, school.ErrStale) {
		return s.staleCourse(c, typed)
	}
	if err != nil {
		return err
	}
	return seeOther(c, courseDesk(saved)+"?said=course-saved")
}

// staleCourse shows what was typed beside what somebody else has saved since
// it was loaded. Sending it again is a decision then, and no accident.
func (s *Server) staleCourse(c echo.Context, typed views.CourseForm) error {
	theirs, err := s.DB.CourseByID(c.Request().Context(), taughtOf(c).course.ID)
	if err != nil {
		return err
	}
	there := savedCourse(theirs)
	typed.Version = there.Version
	conflict := &views.Conflict{At: theirs.UpdatedAt}
	for _, field := range []struct{ label, mine, theirs string }{
		{"Title", typed.Title, there.Title},
		{"Summary", typed.Summary, there.Summary},
		{"What readers will be able to do", typed.Learn, there.Learn},
		{"Description", typed.Description, there.Description},
		{"Topic", school.Topic(typed.Topic).Label(), theirs.Topic.Label()},
		{"Level", school.Level(typed.Level).Label(), theirs.Level.Label()},
	} {
		conflict.Add(field.label, field.mine, field.theirs, compareLines(field.mine, field.theirs))
	}
	return s.editCoursePage(c, http.StatusConflict, views.EditCourseProps{Course: theirs, Form: typed, Conflict: conflict})
}

func courseDesk(course school.Course) string { return "/teach/courses/" + course.Slug }

func (s *Server) publishCourse(c echo.Context) error {
	return s.changeCourse(c, s.DB.PublishCourse, school.ActionPublish, "course-published")
}

func (s *Server) unpublishCourse(c echo.Context) error {
	return s.changeCourse(c, s.DB.UnpublishCourse, school.ActionUnpublish, "course-unpublished")
}

func (s *Server) restoreCourse(c echo.Context) error {
	return s.changeCourse(c, s.DB.RestoreCourse, school.ActionCourseRestore, "course-restored")
}

func (s *Server) deleteCourse(c echo.Context) error {
	course := taughtOf(c).course
	if err := s.DB.DeleteCourse(c.Request().Context(), course.ID, s.Now()); err != nil {
		return err
	}
	s.record(c, school.ActionCourseDelete, course.Title, "")
	return seeOther(c, "/teach?said=course-deleted#bin")
}

func (s *Server) changeCourse(c echo.Context, change func(context.Context, school.ID, time.Time) error, action, said string) error {
	course := taughtOf(c).course
	if err := change(c.Request().Context(), course.ID, s.Now()); err != nil {
		return err
	}
	s.record(c, action, course.Title, "")
	return seeOther(c, courseDesk(course)+"?said="+said)
}
