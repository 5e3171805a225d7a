package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// learnRoutes are the pages of those who browse and learn.
var learnRoutes = []route{
	{http.MethodGet, "/courses", to(policy.Browse), (*Server).showCourses},
	{http.MethodGet, "/courses/:course", on(policy.CourseView, (*Server).courseAsked), (*Server).showCourse},
	{http.MethodPost, "/courses/:course/join", on(policy.CourseJoin, (*Server).courseAsked), (*Server).joinCourse},
	{http.MethodPost, "/courses/:course/leave", on(policy.CourseJoin, (*Server).courseAsked), (*Server).leaveCourse},
	{http.MethodGet, "/courses/:course/lessons/:lesson", on(policy.LessonView, (*Server).lessonAsked), (*Server).showLesson},
	{http.MethodPost, "/courses/:course/lessons/:lesson/done", on(policy.LessonComplete, (*Server).lessonAsked), (*Server).finishLesson},
	{http.MethodPost, "/courses/:course/lessons/:lesson/undone", on(policy.LessonComplete, (*Server).lessonAsked), (*Server).unfinishLesson},
	{http.MethodGet, "/learning", to(policy.LearningView), (*Server).showLearning},
}

// learnSentences are what these pages say about what has just been done.
var learnSentences = map[string]string{
	"joined": "You have joined. Lessons count from here on; you may leave whenever you like, and your progress is kept.",
	"left":   "You have left the course. What you had finished is kept, and is back as soon as you join again.",
	"undone": "Taken back: this lesson counts as not done.",

	"lab-undone": "Taken back: this lesson counts as not done. What you predicted, ran and explained is kept; to do an experiment anew, reset it.",
}

// asked is what a request is about: a course, the place that the visitor has
// in it, and for some addresses one of its lessons.
type asked struct {
	course    school.Course
	lesson    school.Lesson
	enrolment school.Enrolment // zero for who never joined
}

const askedKey = "asked"

func askedOf(c echo.Context) asked {
	a, _ := c.Get(askedKey).(asked)
	return a
}

// address is the page of the course.
func (a asked) address() string { return "/courses/" + a.course.Slug }

// lessonAddress is the page of one of the course's lessons.
func (a asked) lessonAddress(slug string) string { return a.address() + "/lessons/" + slug }

// object is the course as policy sees it.
func (a asked) object() policy.Object {
	return policy.Object{Owner: a.course.Owner.ID, Draft: a.course.Status != school.Published, Joined: a.enrolment.Joined()}
}

// courseAsked finds the course that the address names.
func (s *Server) courseAsked(c echo.Context) (policy.Object, error) {
	a, err := s.findCourse(c)
	if err != nil {
		return policy.Object{}, err
	}
	c.Set(askedKey, a)
	return a.object(), nil
}

// lessonAsked finds the lesson that the address names.
func (s *Server) lessonAsked(c echo.Context) (policy.Object, error) {
	a, err := s.findCourse(c)
	if err != nil {
		return policy.Object{}, err
	}
	slug, err := school.ParseSlug(c.Param("lesson"))
	if err != nil {
		return policy.Object{}, err
	}
	if a.lesson, err = s.DB.LessonBySlug(c.Request().Context(), a.course.ID, slug); err != nil {
		return policy.Object{}, err
	}
	c.Set(askedKey, a)
	o := a.object()
	o.Draft = o.Draft || a.lesson.Status != school.Published
	o.Preview = a.lesson.Preview
	return o, nil
}

func (s *Server) findCourse(c echo.Context) (a asked, err error) {
	slug, err := school.ParseSlug(c.Param("course"))
	if err != nil {
		return a, err
	}
	if a.course, err = s.DB.CourseBySlug(c.Request().Context(), slug); err != nil {
		return a, err
	}
	if v := visitorOf(c); v.SignedIn() {
		a.enrolment, err = s.DB.Enrolment(c.Request().Context(), v.user.ID, a.course.ID)
		if errors.Is(err, school.ErrNotFound) {
			err = nil
		}
	}
	return a, err
}
