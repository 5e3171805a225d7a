package handlers

import (
	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// requirement is what a route asks of whoever calls it: an action of package
// policy, and, where the rule depends on a thing, how that thing is found.
type requirement struct {
	action policy.Action
	// object loads what the action is about and keeps it with the request for
	// the handler. It returns school.ErrNotFound where there is nothing.
	object func(*Server, echo.Context) (policy.Object, error)
}

// to is a requirement that depends on nothing but who asks.
func to(action policy.Action) requirement { return requirement{action: action} }

// on is a requirement that depends on a thing.
func on(action policy.Action, object func(*Server, echo.Context) (policy.Object, error)) requirement {
	return requirement{action, object}
}

// gate asks policy before the handler runs. Somebody who would have to sign in
// in any case is told so before anything is looked up.
func (s *Server) gate(q requirement, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := visitorOf(c)
		if d, early := policy.Early(v.actor(), q.action); early {
			s.decided(c, d)
			return errSignIn
		}
		var object policy.Object
		if q.object != nil {
			var err error
			if object, err = q.object(s, c); err != nil {
				return err
			}
		}
		return s.decide(c, q.action, object, next)
	}
}

func (s *Server) decide(c echo.Context, action policy.Action, object policy.Object, next echo.HandlerFunc) error {
	v := visitorOf(c)
	d := policy.Decide(v.actor(), action, object)
	s.decided(c, d)
	switch {
	// A token goes on after its account was closed. What takes a fresh proof of who
	// somebody is, the ways in and what admins do above all, is not to be had with it, or
	// whoever took the account over would keep a way in.
	case d.Allowed() && policy.NeedsConfirming(action) && v.user.Disabled():
		return errClosed
	case d.Allowed() && policy.NeedsConfirming(action) && !s.justConfirmed(c):
		return errConfirm
	case d.Allowed():
		return next(c)
	case d.Verdict == policy.Hide:
		return errHidden
	case !v.SignedIn():
		return errSignIn
	}
	return errForbidden
}

// justConfirmed reports whether the visitor has just proved who they are.
func (s *Server) justConfirmed(c echo.Context) bool {
	rec, ok := visitorOf(c).visit.Record()
	return ok && s.Now().Sub(rec.AuthAt) <= policy.ConfirmedFor
}

// decided keeps an answer with the request, for the page that tells of it.
func (s *Server) decided(c echo.Context, d policy.Decision) {
	visitorOf(c).decision = d
	s.tell(c, d)
}

// tell passes an answer on to whoever watches the gate.
func (s *Server) tell(c echo.Context, d policy.Decision) {
	if s.Decided != nil {
		s.Decided(c.Request(), d)
	}
}

// may asks policy about something that the page shows or leaves out.
func (s *Server) may(c echo.Context, action policy.Action, object policy.Object) bool {
	return policy.Decide(visitorOf(c).actor(), action, object).Allowed()
}

// shows asks policy about a part of what the page shows.
func (s *Server) shows(c echo.Context, field policy.Field, object policy.Object) bool {
	return policy.Disclose(visitorOf(c).actor(), field, object).Allowed()
}

// asShown is somebody as the visitor is shown them, without what is not for them.
func (s *Server) asShown(c echo.Context, u school.User) school.User {
	if !s.shows(c, policy.AccountEmail, policy.Object{Owner: u.ID}) {
		u.Email = ""
	}
	return u
}
