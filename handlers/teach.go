package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/views"
)

// teachRoutes are the desk: courses, chapters and lessons as those who write
// them see them.
var teachRoutes = []route{
	{http.MethodGet, "/teach", to(policy.TeachView), (*Server).showDesk},
	{http.MethodGet, "/teach/new", to(policy.CourseCreate), (*Server).showNewCourse},
	{http.MethodPost, "/teach/courses", to(policy.CourseCreate), (*Server).createCourse},
	{http.MethodPost, "/teach/preview", to(policy.TeachView), (*Server).previewText},

	{http.MethodGet, "/teach/courses/:course", on(policy.CourseEdit, (*Server).taughtCourse), (*Server).editCourse},
	{http.MethodPost, "/teach/courses/:course", on(policy.CourseEdit, (*Server).taughtCourse), (*Server).saveCourse},
	{http.MethodPost, "/teach/courses/:course/publish", on(policy.CourseEdit, (*Server).taughtCourse), (*Server).publishCourse},
	{http.MethodPost, "/teach/courses/:course/unpublish", on(policy.CourseEdit, (*Server).taughtCourse), (*Server).unpublishCourse},
	{http.MethodPost, "/teach/courses/:course/delete", on(policy.CourseEdit, (*Server).taughtCourse), (*Server).deleteCourse},
	{http.MethodPost, "/teach/courses/:course/restore", on(policy.CourseEdit, (*Server).binnedCourse), (*Server).restoreCourse},

	{http.MethodPost, "/teach/courses/:course/chapters", on(policy.CourseEdit, (*Server).taughtCourse), (*Server).createChapter},
	{http.MethodPost, "/teach/chapters/:id", on(policy.CourseEdit, (*Server).taughtChapter), (*Server).renameChapter},
	{http.MethodPost, "/teach/chapters/:id/move", on(policy.CourseEdit, (*Server).taughtChapter), (*Server).moveChapter},
	{http.MethodPost, "/teach/chapters/:id/delete", on(policy.CourseEdit, (*Server).taughtChapter), (*Server).deleteChapter},
	{http.MethodPost, "/teach/chapters/:id/restore", on(policy.CourseEdit, (*Server).binnedChapter), (*Server).restoreChapter},
	{http.MethodPost, "/teach/chapters/:id/lessons", on(policy.CourseEdit, (*Server).taughtChapter), (*Server).createLesson},

	{http.MethodGet, "/teach/lessons/:id", on(policy.CourseEdit, (*Server).taughtLesson), (*Server).editLesson},
	{http.MethodPost, "/teach/lessons/:id", on(policy.CourseEdit, (*Server).taughtLesson), (*Server).saveLesson},
	{http.MethodPost, "/teach/lessons/:id/move", on(policy.CourseEdit, (*Server).taughtLesson), (*Server).moveLesson},
	{http.MethodPost, "/teach/lessons/:id/publish", on(policy.CourseEdit, (*Server).taughtLesson), (*Server).publishLesson},
	{http.MethodPost, "/teach/lessons/:id/unpublish", on(policy.CourseEdit, (*Server).taughtLesson), (*Server).unpublishLesson},
	{http.MethodPost, "/teach/lessons/:id/delete", on(policy.CourseEdit, (*Server).taughtLesson), (*Server).deleteLesson},
	{http.MethodPost, "/teach/lessons/:id/restore", on(policy.CourseEdit, (*Server).binnedLesson), (*Server).restoreLesson},
}

// teachSentences are what the pages of the desk say about what has just been
// done; see sentences.
var teachSentences = map[string]string{
	"course-created":     "The course is here, as a draft. Only you and the admins see it until you publish it.",
	"course-saved":       "The details are saved.",
	"course-published":   "Published. The course stands in the catalogue now.",
	"course-unpublished": "The course is a draft again. Nobody sees it, and everybody’s progress is kept.",
	"course-deleted":     "The course lies in the bin at the foot of this page. Everybody’s progress is kept, and you can put it back.",
	"course-restored":    "The course is back where it was, with everybody’s progress.",
	"chapter-added":      "The chapter is there.",
	"chapter-renamed":    "The chapter has its new name.",
	"chapter-deleted":    "The chapter and its lessons lie in the bin at the foot of this page. Everybody’s progress is kept, and you can put them back.",
	"chapter-restored":   "The chapter is back where it was, with its lessons.",
	"moved":              "Moved.",
	"lesson-created":     "The lesson is here, as a draft. Write, and publish it when it is ready.",
	"lesson-saved":       "The lesson is saved.",
	"lesson-published":   "The lesson is published.",
	"lesson-unpublished": "The lesson is a draft again. Whoever had finished it keeps that for when it comes back.",
	"lesson-deleted":     "The lesson lies in the bin at the foot of this page. Everybody’s progress is kept, and you can put it back.",
	"lesson-restored":    "The lesson is back where it was.",
}

// showDesk lists one's own courses, an admin's everybody's, and those deleted.
func (s *Server) showDesk(c echo.Context) error {
	ctx, actor := c.Request().Context(), visitorOf(c).actor()
	everybody := actor.Role == school.Admin
	courses, err := s.DB.TaughtBy(ctx, actor.User, everybody)
	if err != nil {
		return err
	}
	deleted, err := s.DB.DeletedCourses(ctx, actor.User, everybody)
	if err != nil {
		return err
	}
	return s.page(c, http.StatusOK, views.DeskPage(s.frame(c, "Teach", "teach"), views.DeskProps{
		Courses: courses, Deleted: deleted, Everybody: everybody, CanCreate: s.may(c, policy.CourseCreate, policy.Object{}),
	}))
}

func (s *Server) showNewCourse(c echo.Context) error {
	return s.newCoursePage(c, http.StatusOK, views.CourseForm{}, nil)
}

func (s *Server) newCoursePage(c echo.Context, status int, typed views.CourseForm, wrong fieldErrors) error {
	return s.page(c, status, views.NewCoursePage(s.frame(c, "New course", "teach"), typed, wrong))
}

func (s *Server) createCourse(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	course, wrong := parseCourse(f)
	if len(wrong) > 0 {
		return s.newCoursePage(c, http.StatusUnprocessableEntity, typedCourse(f), wrong)
	}
	course.Owner = visitorOf(c).person()
	course, err = s.DB.CreateCourse(c.Request().Context(), course, s.Now())
	if err != nil {
		return err
	}
	return seeOther(c, "/teach/courses/"+course.Slug+"?said=course-created")
}
