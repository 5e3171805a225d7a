package handlers

import (
	"github.com/labstack/echo/v4"

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
		if policy.NeedsSignIn(q.action) && !v.SignedIn() {
			v.decision = policy.Decide(policy.Actor{}, q.action, policy.Object{})
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
	v.decision = policy.Decide(v.actor(), action, object)
	switch {
	case v.decision.Allowed() && policy.NeedsConfirming(action) && !s.justConfirmed(c):
		return errConfirm
	case v.decision.Allowed():
		return next(c)
	case v.decision.Verdict == policy.Hide:
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

// may asks policy about something that the page shows or leaves out.
func (s *Server) may(c echo.Context, action policy.Action, object policy.Object) bool {
	return policy.Decide(visitorOf(c).actor(), action, object).Allowed()
}
