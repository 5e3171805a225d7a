package handlers

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/bearer"
	"lectern/handlers/policy"
	"lectern/handlers/session"
)

// visitor is who is asking, for the length of one request.
type visitor struct {
	visit *session.Visit
	// access is what a program's token says; nil for everybody else. Its visit
	// holds no session, so that nothing can be made of it that a session can do.
	access *bearer.Access
	// user is the person's own row, for their name. What they may do is decided
	// by the role of the session, which is actor's.
	user     school.User
	decision policy.Decision
	// looked is how long reading the user's row took.
	looked time.Duration
}

// SignedIn reports whether there is a session.
func (v *visitor) SignedIn() bool { return v.user.ID != "" }

// actor is the visitor as policy sees them: with the role that the session
// says they have, which may be an old one.
func (v *visitor) actor() policy.Actor {
	if v.access != nil {
		return policy.Actor{User: v.access.User, Role: v.access.Role}
	}
	rec, ok := v.visit.Record()
	if !ok || !v.SignedIn() {
		return policy.Actor{}
	}
	return policy.Actor{User: rec.UserID, Role: rec.Role}
}

// person is the visitor as other people are shown them.
func (v *visitor) person() school.Person { return school.Person{ID: v.user.ID, Name: v.user.Name} }

const visitorKey = "visitor"

// visitorOf returns who is asking; an anonymous visitor before the session was
// loaded.
func visitorOf(c echo.Context) *visitor {
	if v, ok := c.Get(visitorKey).(*visitor); ok {
		return v
	}
	return &visitor{}
}

// withSession finds out who is asking.
func (s *Server) withSession(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Before(func() { noStore(c) })
		if inAPI(c.Request()) && bearer.Presented(c.Request()) {
			return s.withToken(c, next)
		}
		if err := s.recognise(c); err != nil {
			return err
		}
		return next(c)
	}
}

// patience is how long somebody waits until they are told that what has to be
// asked to know who they are does not answer.
const patience = 1800 * time.Millisecond

// recognise loads the visitor's session and reads the person's row. A token can
// outlive the person it speaks of, and a record the right to it, if its store was
// away when that was taken; then the visitor is nobody, and the cookie is cleared.
func (s *Server) recognise(c echo.Context) error {
	whole := c.Request()
	ctx, cancel := context.WithTimeout(whole.Context(), patience)
	defer cancel()
	r, visit, err := s.Sessions.Load(c.Response(), whole.WithContext(ctx))
	// What comes afterwards has the request's own time.
	c.SetRequest(whole.WithContext(session.WithVisit(whole.Context(), visit)))
	v := &visitor{visit: visit}
	c.Set(visitorKey, v)
	if s.Watch != nil {
		s.Watch(whole, visit)
	}
	rec, ok := visit.Record()
	if err != nil || !ok {
		return err
	}
	start := time.Now()
	user, err := s.DB.User(ctx, rec.UserID)
	v.looked = time.Since(start)
	reason, over := s.Sessions.Over(visit, user)
	if errors.Is(err, school.ErrNotFound) {
		reason, over, err = session.NoSuchUser, true, nil
	}
	switch {
	case err != nil:
		return err
	case over:
		err = s.Sessions.End(c.Response(), r)
		visit.Forget(reason)
		return err
	}
	v.user = user
	return s.Sessions.CatchUp(ctx, visit, user)
}

// noStore keeps what was made for one person out of every cache (ASVS 14.3.2).
// An answer to a visitor who says nothing of themselves may be kept, if it is asked for again.
func noStore(c echo.Context) {
	h, r := c.Response().Header(), c.Request()
	personal := len(r.Header["Cookie"]) > 0 || inAPI(r) && len(r.Header["Authorization"]) > 0
	if h.Get(echo.HeaderCacheControl) != "" && !personal {
		return
	}
	h.Add(echo.HeaderVary, echo.HeaderCookie)
	if inAPI(r) {
		h.Add(echo.HeaderVary, echo.HeaderAuthorization)
	}
	if personal || len(h["Set-Cookie"]) > 0 {
		h.Set(echo.HeaderCacheControl, "no-store")
		return
	}
	h.Set(echo.HeaderCacheControl, "no-cache")
}

// address is where the request comes from; see addressOf.
func address(c echo.Context) netip.Addr {
	addr, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return netip.IPv6Unspecified()
	}
	return addr.Unmap()
}

// record writes a line into the audit log about what this request did. What
// was done stays done when the log cannot be written; that is an error of the
// operator's, and stands in the server's log. Hanging up early keeps nobody out
// of the log. It returns the line's id.
func (s *Server) record(c echo.Context, action, subject, detail string) school.ID {
	v := visitorOf(c)
	return s.recordAs(c, v.person(), action, subject, detail)
}

func (s *Server) recordAs(c echo.Context, actor school.Person, action, subject, detail string) school.ID {
	return s.recordOf(c, visitorOf(c).visit.Trace.Backend, actor, action, subject, detail)
}

// recordAbout writes a line about what was done to somebody's account by somebody else.
func (s *Server) recordAbout(c echo.Context, action string, user school.User, detail string) school.ID {
	v := visitorOf(c)
	event := school.Event{Action: action, Actor: v.person(), Subject: user.Name, Detail: detail, Session: v.visit.Trace.Backend}
	if user.ID != v.user.ID {
		event.SubjectID = user.ID
	}
	return s.recordEvent(c, event)
}

// recordOf writes a line about a kind of session that the request did not come
// with.
func (s *Server) recordOf(c echo.Context, kind string, actor school.Person, action, subject, detail string) school.ID {
	return s.recordEvent(c, school.Event{Action: action, Actor: actor, Subject: subject, Detail: detail, Session: kind})
}

// recordEvent writes a line of which the id, the time and the address are missing.
func (s *Server) recordEvent(c echo.Context, event school.Event) school.ID {
	event.ID, event.At, event.Address = school.MustNewID(), s.Now(), address(c).String()
	if err := s.DB.Record(detached(c), event); err != nil {
		s.Log.Error("audit event not written", "id", requestID(c), "action", event.Action, "err", err)
	}
	return event.ID
}
