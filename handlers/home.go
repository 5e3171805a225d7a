package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/handlers/policy"
	"lectern/views"
	"lectern/views/ui"
)

// coursesAtHome is one row of cards.
const coursesAtHome = 3

// showHome says what this is; somebody who is signed in is shown their next
// step.
func (s *Server) showHome(c echo.Context) error {
	v := visitorOf(c)
	page, err := s.DB.Courses(c.Request().Context(), db.CourseQuery{Limit: coursesAtHome, Reader: v.user.ID})
	if err != nil {
		return err
	}
	p := views.HomeProps{Total: page.Total, SignedIn: v.SignedIn(), Teaches: s.may(c, policy.TeachView, policy.Object{}), Demo: s.Demo}
	for _, course := range page.Courses {
		p.Courses = append(p.Courses, ui.CourseCardProps{Course: course.Course, Enrolment: course.Enrolment, Level: 3})
	}
	if v.SignedIn() {
		if p.Resume, err = s.resume(c); err != nil {
			return err
		}
	}
	return s.page(c, http.StatusOK, views.HomePage(s.frame(c, "Home", ""), p))
}
