package handlers

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// reach says, kind by kind, how long old rights last once somebody acts on
// another session: at once where there is a record, and where there is only a
// token, when it expires.
func (s *Server) reach() []views.Reach {
	now := s.Now()
	powers := s.Sessions.Powers()
	all := make([]views.Reach, len(powers))
	for i, p := range powers {
		r := views.Reach{Backend: p.Backend, Ends: "at once", Role: "at once"}
		switch {
		case p.Life > 0:
			r.Ends, r.Role = lastsUntil(p, now), lastsUntil(p, now)
		case !p.KeepsRole:
			r.Role = "at once: it ends, and they sign in again"
		}
		all[i] = r
	}
	return all
}

func lastsUntil(p session.Power, now time.Time) string {
	until := "when the token expires: at " + moment(now.Add(p.Life), now) + " at the latest"
	if p.Longest > p.Life {
		until += ", or " + moment(now.Add(p.Longest), now) + " if they asked to be remembered"
	}
	return until
}

// endedWords is what ending sessions did, for the log and for the page.
func endedWords(e session.Ended, what string) string {
	words := ui.Count(e.Sessions, strings.TrimSpace(what+" session"), strings.TrimSpace(what+" sessions")) + " on the server ended"
	if !e.Until.IsZero() {
		words += "; tokens issued before stay good until they expire, " + e.Until.Local().Format(ui.DayTime) + " at the latest"
	}
	return words
}

// withEvent is an address that says what has just been done. It carries the
// number of the line in the audit log, and the page takes the words from
// there, so that a forged address can make it say nothing that did not happen.
func withEvent(path string, event school.ID) string { return withQuery(path, "event", string(event)) }

// eventTime is how long the page goes on saying it.
const eventTime = 10 * time.Minute

// justDone is what the visitor has just done, as the audit log tells it; empty
// for anybody else's line and for an old one.
func (s *Server) justDone(c echo.Context) (string, error) {
	id, err := school.ParseID(c.QueryParam("event"))
	if err != nil {
		return "", nil
	}
	e, err := s.DB.Event(c.Request().Context(), id)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case e.Actor.ID != visitorOf(c).user.ID, s.Now().Sub(e.At) > eventTime:
		return "", nil
	}
	said := doneWords[e.Action]
	if said == "" {
		return "", nil
	}
	if e.Subject != e.Actor.Name && e.Subject != "" {
		said += ", " + ui.Isolate(e.Subject)
	}
	if e.Detail != "" {
		said += ": " + e.Detail
	}
	return said + ".", nil
}

// doneWords begin the sentence that a page says about a line of the log.
var doneWords = map[string]string{
	school.ActionPasswordChange: "Password changed",
	school.ActionRoleChange:     "Role changed",
	school.ActionDisable:        "Account closed",
	school.ActionEnable:         "Account opened again",
	school.ActionEndSessions:    "Sessions ended",
	school.ActionSiteSwitch:     "Switched",
	school.ActionRevocation:     "How tokens can be ended was changed",
}

// detached is a context for what must still happen when the visitor has gone:
// half a change of rights would be worse than none.
func detached(c echo.Context) context.Context { return context.WithoutCancel(c.Request().Context()) }

// toTheEnd makes the rest of the request go on without the visitor, and returns
// its context. It is called before the first half of a deed whose second half
// must follow, also where that half takes the request itself.
func toTheEnd(c echo.Context) context.Context {
	ctx := detached(c)
	c.SetRequest(c.Request().WithContext(ctx))
	return ctx
}
