package handlers

import (
	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// taught is what a route of the desk is about: always a course, and where the
// address names one, a chapter or a lesson of it.
type taught struct {
	course  school.Course
	chapter school.Chapter
	lesson  school.Lesson
}

const taughtKey = "taught"

// taughtOf returns what the route's requirement has loaded.
func taughtOf(c echo.Context) taught {
	t, _ := c.Get(taughtKey).(taught)
	return t
}

// teach keeps t for the handler and says of it what policy asks for. What lies
// in a bin is nobody's business but its owner's, like a draft.
func teach(c echo.Context, t taught, binned bool) (policy.Object, error) {
	c.Set(taughtKey, t)
	return policy.Object{
		Owner: t.course.Owner.ID,
		Draft: binned || t.course.Status == school.Draft || t.lesson.Status == school.Draft,
	}, nil
}

func (s *Server) taughtCourse(c echo.Context) (policy.Object, error) {
	slug, err := school.ParseSlug(c.Param("course"))
	if err != nil {
		return policy.Object{}, err
	}
	course, err := s.DB.CourseBySlug(c.Request().Context(), slug)
	if err != nil {
		return policy.Object{}, err
	}
	return teach(c, taught{course: course}, false)
}

func (s *Server) binnedCourse(c echo.Context) (policy.Object, error) {
	slug, err := school.ParseSlug(c.Param("course"))
	if err != nil {
		return policy.Object{}, err
	}
	course, err := s.DB.DeletedCourseBySlug(c.Request().Context(), slug)
	if err != nil {
		return policy.Object{}, err
	}
	return teach(c, taught{course: course}, true)
}

func (s *Server) taughtChapter(c echo.Context) (policy.Object, error) { return s.chapterOf(c, false) }
func (s *Server) binnedChapter(c echo.Context) (policy.Object, error) { return s.chapterOf(c, true) }
func (s *Server) taughtLesson(c echo.Context) (policy.Object, error)  { return s.lessonOf(c, false) }
func (s *Server) binnedLesson(c echo.Context) (policy.Object, error)  { return s.lessonOf(c, true) }

func (s *Server) chapterOf(c echo.Context, binned bool) (policy.Object, error) {
	id, err := school.ParseID(c.Param("id"))
	if err != nil {
		return policy.Object{}, err
	}
	ctx, find := c.Request().Context(), s.DB.Chapter
	if binned {
		find = s.DB.DeletedChapter
	}
	chapter, err := find(ctx, id)
	if err != nil {
		return policy.Object{}, err
	}
	course, err := s.DB.CourseByID(ctx, chapter.CourseID)
	if err != nil {
		return policy.Object{}, err
	}
	return teach(c, taught{course: course, chapter: chapter}, binned)
}

func (s *Server) lessonOf(c echo.Context, binned bool) (policy.Object, error) {
	id, err := school.ParseID(c.Param("id"))
	if err != nil {
		return policy.Object{}, err
	}
	ctx, find := c.Request().Context(), s.DB.Lesson
	if binned {
		find = s.DB.DeletedLesson
	}
	lesson, err := find(ctx, id)
	if err != nil {
		return policy.Object{}, err
	}
	course, err := s.DB.CourseByID(ctx, lesson.CourseID)
	if err != nil {
		return policy.Object{}, err
	}
	return teach(c, taught{course: course, lesson: lesson}, binned)
}
