package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/views"
)

// showDeletePerson says what deleting somebody's account comes to. Admins delete their
// own where everybody does.
func (s *Server) showDeletePerson(c echo.Context) error {
	user, err := s.personAsked(c)
	if err != nil {
		return err
	}
	if user.ID == visitorOf(c).user.ID {
		return seeOther(c, "/account/delete")
	}
	return s.deletePersonPage(c, http.StatusOK, user, views.DeletePersonProps{})
}

func (s *Server) deletePersonPage(c echo.Context, status int, user school.User, p views.DeletePersonProps) error {
	legacy, err := s.DB.LegacyOf(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	p.User, p.Courses, p.Heir = user, legacy.Courses, legacy.Heir.Name
	return s.adminPage(c, "Delete an account", func(f views.Frame) error { return s.page(c, status, views.DeletePersonPage(f, p)) })
}

// deletePerson deletes an account, once its address has been typed, which is hard to do
// by mistake.
func (s *Server) deletePerson(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user, err := s.otherPerson(c)
	if err != nil {
		return err
	}
	if typed, err := school.ParseEmail(f.get("email")); err != nil || typed != user.Email {
		return s.deletePersonPage(c, http.StatusUnprocessableEntity, user, views.DeletePersonProps{Typed: f.typed("email"), Wrong: true})
	}
	legacy, err := s.DB.LegacyOf(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if err := s.DB.DeleteUser(toTheEnd(c), user.ID); err != nil {
		return err
	}
	detail := "they owned no courses"
	if legacy.Courses > 0 {
		detail = "their courses passed to " + legacy.Heir.Name
	}
	event := s.recordAbout(c, school.ActionAccountDelete, user, detail)
	// The person is gone, and with them the right to every session; those that lie
	// elsewhere are cleared away as well.
	if _, err := s.Sessions.EndUser(detached(c), user.ID); err != nil && !errors.Is(err, school.ErrNotFound) {
		s.Log.Error("sessions of a deleted account not ended", "id", requestID(c), "err", err)
	}
	gone := user
	gone.ID = "" // the letter is about an account that is not there any more
	s.notifyByAdmin(c, gone, noticeOfDeletion)
	return seeOther(c, withEvent("/admin/users", event))
}
