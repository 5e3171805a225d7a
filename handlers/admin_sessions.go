package handlers

import (
	"cmp"
	"errors"
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
	counts := s.Sessions.Counts(ctx)
	last, err := s.DB.Events(ctx, db.EventQuery{Action: school.ActionSiteSwitch, Limit: 1})
	if err != nil {
		return err
	}
	p := views.SessionsProps{
		Backend: site.Backend, Chosen: chosen, Error: wrong, Carried: s.Sessions.Carried(), Choice: s.Sessions.Choice(),
		Rungs: s.rungs(), Algorithm: string(s.Keys.Algorithm()), Keys: s.keysInForce(),
	}
	for _, power := range s.Sessions.Powers() {
		count, reached := counts[power.Backend]
		kind := views.SessionKind{
			Backend: power.Backend, Counted: power.Counts, Reached: reached, Count: count,
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
	switch {
	case len(last.Events) == 0:
	case site.SwitchedAt.IsZero():
		p.Replaced = true
	default:
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
	if errors.Is(err, session.ErrUnavailable) && s.Sessions.Site().Backend == from && from != name {
		c.Response().Header().Set(echo.HeaderRetryAfter, busyFor)
		return s.sessionsPage(c, http.StatusServiceUnavailable, name, ui.BackendLabel(name)+" does not answer, and to switch to it now would shut everybody out. Nothing was changed.")
	}
	if err != nil {
		if s.Sessions.Site().Backend == name {
			s.record(c, school.ActionSiteSwitch, "everybody’s session", detail+"; not finished")
		}
		return err
	}
	event := s.record(c, school.ActionSiteSwitch, "everybody’s session", detail)
	s.Log.Info("site switched", "id", requestID(c), "from", from, "to", name, "existing", existing, "ended", done.Ended, "waiting", done.Waiting, "unreached", done.Unreached)
	return seeOther(c, withEvent("/admin/sessions", event))
}

// switchWords say what a switch did, and what nobody can count.
func switchWords(done session.Switched, existing session.Existing) string {
	if existing == session.EndThem {
		words := ui.Count(done.Ended, "session", "sessions") + " on the server ended"
		if done.Tokens {
			words += "; all tokens refused from then on, nobody knows how many"
		}
		return words + awayWords(done.Unreached, "what it keeps is refused")
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
		return "On their next visit people hand in the band and get " + handedOutIn(to) + "; they notice nothing. " + bandLeftBehind
	case to == session.JWT:
		return "On their next visit people hand in what they have, its record is deleted, and they get a band. What can end it before it expires is chosen below."
	case to == session.Hybrid:
		return "On their next visit people hand in the ticket, its record in " + storePlace(from) + " is deleted, and they get a band for a short time, with a ticket that fetches the next one. The record behind it is in the database."
	case from == session.Hybrid:
		return "On their next visit people hand in the short band and its ticket and get a lasting ticket, whose record is in " + storePlace(to) + ". " + afterRestart[to]
	}
	return "On their next visit the record moves from " + storePlace(from) + " into " + storePlace(to) + ", under a new number. " + afterRestart[to]
}

const bandLeftBehind = "A copy of the band can still be exchanged in the same way until it expires, unless it can be ended before."

// handedOut is what somebody is given in a kind.
var handedOut = map[string]string{
	session.JWT:      "a band",
	session.Memory:   "a ticket whose record is in this server’s memory",
	session.Database: "a ticket whose record is in the database",
	session.Redis:    "a ticket whose record is in Redis",
	session.Hybrid:   "a band for a short time, with a ticket that fetches the next one",
}

func handedOutIn(kind string) string {
	return cmp.Or(handedOut[kind], "a session of the kind "+ui.BackendLabel(kind))
}

func storePlace(kind string) string {
	return cmp.Or(placeWords[kind], "the store of "+ui.BackendLabel(kind))
}

// placeWords say where the records of a kind are.
var placeWords = map[string]string{
	session.Memory: "this server’s memory", session.Database: "the database", session.Redis: "Redis", session.Hybrid: "the database",
}

// afterRestart says what a restart of the server does to the records of a kind.
var afterRestart = map[string]string{
	session.Memory:   "A restart of the server then signs them out.",
	session.Database: "It then survives a restart.",
	session.Redis:    "It then survives a restart of the server, and one of Redis as far as Redis is set to keep what it holds.",
}

// endWords say what ending does.
func endWords(from, to string) string {
	words := "Everybody but you signs in again, and gets " + handedOutIn(to) + "."
	if from == session.JWT {
		return words + " The bands out there are refused by their date, all at one stroke; whoever comes with one is shown the door."
	}
	return words + " The records are deleted at once."
}
