package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// accountSessionRoutes are one's own sessions. The id in an address is the
// session's handle, which opens nothing, and is looked for among the sessions of
// whoever asks and nowhere else.
var accountSessionRoutes = []route{
	{http.MethodGet, "/account/sessions", to(policy.AccountView), (*Server).showOwnSessions},
	{http.MethodPost, "/account/sessions/end-others", to(policy.SessionsEnd), (*Server).endOtherSessions},
	{http.MethodPost, "/account/sessions/:id/end", to(policy.SessionsEnd), (*Server).endOneSession},
}

// errNoSuchSession: the person has no session of that name. It may have ended
// meanwhile, or be somebody else's, which must look the same.
var errNoSuchSession = fmt.Errorf("handlers: no such session of theirs: %w", school.ErrNotFound)

// showOwnSessions lists the sessions of whoever asks, and says of each kind in
// use what the list cannot show.
func (s *Server) showOwnSessions(c echo.Context) error {
	v := visitorOf(c)
	listed, unreached := s.ownSessions(c)
	rec, _ := v.visit.Record()
	own := kindOf(s.powerOf(v.visit.Trace.Backend))
	p := views.AccountSessionsProps{
		Sessions: s.sessionRows(listed), Unlisted: s.unlistedKinds(), Reach: s.reach(), Lasts: s.lasts(),
		Unreached: backendLabels(unreached), SeenEvery: onceEvery(s.Sessions.Lifetimes().SeenEvery()), Own: own, OwnEnds: moment(rec.ExpiresAt, s.Now()),
		MayChangePassword: s.may(c, policy.PasswordChange, policy.Object{Owner: v.user.ID, Demo: v.user.Demo}),
	}
	if cappedList(listed) {
		p.Latest = strconv.Itoa(session.MaxListed)
	}
	for _, power := range s.readPowers() {
		if !power.EndsUser {
			p.BandEnds = endsAt(power, s.Now())
		}
		if power.Lists && power.Backend != own.Backend && s.Sessions.Choice() {
			p.Choices = append(p.Choices, kindOf(power))
		}
	}
	f, err := s.frameAfter(c, "Your sessions", "")
	if err != nil {
		return err
	}
	return s.page(c, http.StatusOK, views.AccountSessionsPage(f, p))
}

// ownSessions are the sessions of whoever asks that anybody knows of, this one
// first. A session that no list has is known because it came with the request.
// It also names the kinds whose list cannot be read now.
func (s *Server) ownSessions(c echo.Context) (listed []session.Listed, unreached []string) {
	v := visitorOf(c)
	listed, unreached = s.Sessions.List(c.Request().Context(), v.user.ID)
	if i := slices.IndexFunc(listed, func(l session.Listed) bool { return l.Own }); i >= 0 {
		own := listed[i]
		return slices.Insert(slices.Delete(listed, i, i+1), 0, own), unreached
	}
	rec, _ := v.visit.Record()
	if rec.Device == "" {
		rec.Device = deviceOf(c.Request().UserAgent())
	}
	return slices.Insert(listed, 0, session.Listed{Record: rec, Backend: v.visit.Trace.Backend, Own: true}), unreached
}

// cappedList reports whether some kind may have more sessions than are listed.
func cappedList(listed []session.Listed) bool {
	counts := map[string]int{}
	for _, l := range listed {
		if counts[l.Backend]++; counts[l.Backend] == session.MaxListed {
			return true
		}
	}
	return false
}

// sessionRows are sessions as a page shows them.
func (s *Server) sessionRows(listed []session.Listed) []views.SessionRow {
	now := s.Now()
	rows := make([]views.SessionRow, len(listed))
	for i, l := range listed {
		power := s.powerOf(l.Backend)
		row := views.SessionRow{
			Handle: l.Handle, Device: l.Device, Address: l.Address, Kind: kindOf(power),
			Started: moment(l.CreatedAt, now), Remembered: l.Remember, Own: l.Own,
		}
		switch {
		case l.SeenAt.IsZero():
		case l.SeenAt.Before(l.CreatedAt): // right after an end a session is dated a moment ahead
			row.Seen = row.Started
		default:
			row.Seen = moment(l.SeenAt, now)
		}
		switch {
		case !power.EndsUser:
			row.Until = moment(l.ExpiresAt, now)
		case power.Life > 0:
			row.Until = moment(now.Add(power.Life), now)
		}
		rows[i] = row
	}
	return rows
}

// unlistedKinds are the kinds in use here of which a list does not say all:
// those that nobody writes down, and those whose end is noticed late.
func (s *Server) unlistedKinds() []views.Kind {
	var kinds []views.Kind
	for _, power := range s.readPowers() {
		if !power.Lists || power.Life > 0 {
			kinds = append(kinds, kindOf(power))
		}
	}
	return kinds
}

// onceEvery is how often something is done, in words.
func onceEvery(d time.Duration) string {
	if d == time.Minute {
		return "once a minute"
	}
	return "once in " + span(d)
}

// endOneSession ends one of the visitor's sessions, which may be this one.
func (s *Server) endOneSession(c echo.Context) error {
	v, handle := visitorOf(c), c.Param("id")
	if rec, _ := v.visit.Record(); rec.Handle == handle {
		return s.signOutTo(c, "/?said=signed-out", "from the list of sessions")
	}
	listed, _ := s.ownSessions(c)
	toTheEnd(c)
	backend, err := s.Sessions.EndOne(c.Request(), handle)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return errNoSuchSession
	case err != nil:
		return s.whyNot(c, err)
	}
	event := s.record(c, school.ActionEndSessions, v.user.Name, s.endedOneWords(listed, handle, backend))
	return seeOther(c, withEvent("/account/sessions", event))
}

// endedOneWords say which session was ended, as its owner knows it.
func (s *Server) endedOneWords(listed []session.Listed, handle, backend string) string {
	power, words := s.powerOf(backend), "one"
	if i := slices.IndexFunc(listed, func(l session.Listed) bool { return l.Handle == handle }); i >= 0 && listed[i].Device != "" {
		words += " in " + listed[i].Device + ", from " + listed[i].Address
	}
	words += " (" + ui.BackendLabel(backend) + ")"
	if power.Life > 0 {
		words += "; its short token goes on until " + s.Now().Add(power.Life).Local().Format(ui.DayTime+":05") + " at the latest"
	}
	return words
}

// endOtherSessions ends all of the visitor's sessions but this one, which gets a
// new id. The line in the log stands also where some of them were not reached.
func (s *Server) endOtherSessions(c echo.Context) error {
	toTheEnd(c)
	ended, failed := s.Sessions.EndOthers(c.Response(), c.Request())
	event := s.record(c, school.ActionEndSessions, visitorOf(c).user.Name, s.endedOrNot(ended, failed, "other"))
	if failed != nil {
		return s.whyNot(c, failed)
	}
	return seeOther(c, withEvent("/account/sessions", event))
}
