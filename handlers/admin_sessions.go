package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// showSessions is where an admin chooses what keeps everybody signed in.
func (s *Server) showSessions(c echo.Context) error {
	return s.sessionsPage(c, http.StatusOK, s.Sessions.Site().Backend, "")
}

func (s *Server) sessionsPage(c echo.Context, status int, chosen, wrong string) error {
	ctx, site, now := c.Request().Context(), s.Sessions.Site(), s.Now()
	counts, err := s.Sessions.Counts(ctx)
	if err != nil {
		return err
	}
	last, err := s.DB.Events(ctx, db.EventQuery{Action: school.ActionSiteSwitch, Limit: 1})
	if err != nil {
		return err
	}
	p := views.SessionsProps{Backend: site.Backend, Chosen: chosen, Error: wrong, Carried: s.Sessions.Carried(), Choice: s.Sessions.Choice()}
	for _, power := range s.Sessions.Powers() {
		kind := views.SessionKind{
			Backend: power.Backend, Counted: power.Counts, Count: counts[power.Backend],
			Current: power.Backend == site.Backend, CarriedFrom: slices.Contains(site.CarryFrom, power.Backend),
		}
		if kind.CarriedFrom {
			p.Waiting += kind.Count
			p.WaitingTokens = p.WaitingTokens || !power.Counts
		}
		kind.Carry, kind.End = carryWords(site.Backend, power.Backend), endWords(site.Backend, power.Backend)
		p.Kinds = append(p.Kinds, kind)
	}
	if !site.SwitchedAt.IsZero() {
		p.SwitchedAt = moment(site.SwitchedAt, now)
	}
	if !site.EndedAt.IsZero() {
		p.EndedAt = moment(site.EndedAt, now)
	}
	if len(last.Events) > 0 && !site.SwitchedAt.IsZero() {
		p.Last = &last.Events[0]
	}
	return s.adminPage(c, "Sessions", func(f views.Frame) error { return s.page(c, status, views.SessionsPage(f, p)) })
}

// switchSite changes what keeps everybody signed in. The admin stays signed
// in, in the new kind, in this same answer.
func (s *Server) switchSite(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	from, name, existing := s.Sessions.Site().Backend, f.get("backend"), session.Existing(f.get("existing"))
	if !slices.Contains(s.Sessions.Names(), name) {
		return s.sessionsPage(c, http.StatusUnprocessableEntity, from, "Choose one of the kinds on offer. Nothing was changed.")
	}
	if existing != session.Carry && existing != session.EndThem {
		return s.sessionsPage(c, http.StatusUnprocessableEntity, name, "Say what becomes of those who are signed in. Nothing was changed.")
	}
	toTheEnd(c)
	done, err := s.Sessions.SwitchSite(c.Response(), c.Request(), name, existing)
	detail := from + " → " + name + "; " + switchWords(done, existing)
	if err != nil {
		if s.Sessions.Site().Backend == name {
			s.record(c, school.ActionSiteSwitch, "everybody’s session", detail+"; not finished")
		}
		return err
	}
	event := s.record(c, school.ActionSiteSwitch, "everybody’s session", detail)
	return seeOther(c, withEvent("/admin/sessions", event))
}

// switchWords say what a switch did, and what nobody can count.
func switchWords(done session.Switched, existing session.Existing) string {
	if existing == session.EndThem {
		words := ui.Count(done.Ended, "session", "sessions") + " on the server ended"
		if done.Tokens {
			words += "; all tokens refused from then on, nobody knows how many"
		}
		return words
	}
	words := ui.Count(done.Waiting, "session waits", "sessions wait") + " to be carried over"
	if done.Tokens {
		words += ", and tokens that nobody counts"
	}
	return words
}

// carryWords say what carrying does to a person who comes with one kind and
// leaves with another.
func carryWords(from, to string) string {
	switch {
	case from == to:
		return "Everybody who has this kind keeps it. Those of an earlier kind go on being carried over to it."
	case from == session.JWT:
		return "On their next visit people hand in the band and get a ticket; they notice nothing. The band itself is not called back: a copy of it can still be exchanged for a ticket until it expires."
	case to == session.JWT:
		return "On their next visit people hand in the ticket, its record is deleted, and they get a band. From then on nothing can call their session back before it expires."
	}
	return "On their next visit the record moves from " + placeWords[from] + " into " + placeWords[to] + ", under a new number. " + afterRestart[to]
}

// placeWords say where the records of a kind are.
var placeWords = map[string]string{session.Memory: "this server’s memory", session.Database: "the database", session.Redis: "Redis"}

// afterRestart says what a restart of the server does to the records of a kind.
var afterRestart = map[string]string{
	session.Memory:   "A restart of the server then signs them out.",
	session.Database: "It then survives a restart.",
	session.Redis:    "It then survives a restart of the server, and one of Redis as far as Redis is set to keep what it holds.",
}

// endWords say what ending does.
func endWords(from, to string) string {
	words := "Everybody but you signs in again, and gets "
	if to == session.JWT {
		words += "a band."
	} else {
		words += "a ticket whose record is in " + placeWords[to] + "."
	}
	if from == session.JWT {
		return words + " The bands out there are refused by their date, all at one stroke; whoever comes with one is shown the door."
	}
	return words + " The records are deleted at once."
}
