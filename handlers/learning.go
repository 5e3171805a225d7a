package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/views"
)

// showLearning is a person's own list of courses.
func (s *Server) showLearning(c echo.Context) error {
	user, ctx := visitorOf(c).user.ID, c.Request().Context()
	rows, err := s.DB.Learning(ctx, user)
	if err != nil {
		return err
	}
	left, err := s.DB.Left(ctx, user)
	if err != nil {
		return err
	}
	var p views.LearningProps
	for _, row := range rows {
		course := views.LearningCourse{Course: row.Course, Enrolment: row.Enrolment, Address: asked{course: row.Course}.address()}
		if row.Next.ID == "" {
			p.Finished = append(p.Finished, course)
			continue
		}
		course.Next, course.NextAt = row.Next.Title, asked{course: row.Course}.lessonAddress(row.Next.Slug)
		p.Current = append(p.Current, course)
	}
	for _, card := range left {
		p.Left = append(p.Left, views.LearningCourse{Course: card.Course, Enrolment: card.Enrolment, Address: asked{course: card.Course}.address()})
	}
	return s.page(c, http.StatusOK, views.LearningPage(s.frame(c, "My learning", "learning"), p))
}
