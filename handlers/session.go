package handlers

import (
	"errors"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/session"
)

// switchBackend hands the visitor the other kind of session. Somebody who is
// signed in stays signed in; somebody who is not chooses for the next time.
func (s *Server) switchBackend(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	v := visitorOf(c)
	from, name := v.visit.Trace.Backend, f.get("backend")
	toTheEnd(c)
	switch err := s.Sessions.Switch(c.Response(), c.Request(), name); {
	case errors.Is(err, session.ErrExchanged):
		// Pressed twice: the first press has given the browser the new one.
		return seeOther(c, localPath(f.get("next")))
	case err != nil:
		return s.whyNot(c, err)
	}
	next := withQuery(localPath(f.get("next")), "xray", "open")
	if !v.SignedIn() {
		return seeOther(c, withQuery(next, "said", "chosen"))
	}
	if from != name {
		s.record(c, school.ActionSwitch, v.user.Name, from+" → "+name)
	}
	return seeOther(c, withQuery(next, "said", "switched"))
}
