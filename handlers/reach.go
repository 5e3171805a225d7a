package handlers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// reach says, kind by kind, how long old rights last once somebody acts on
// another session: at once where somebody is asked at each request, and else
// when what the browser carries expires. Kinds that this site does not read are
// left out, because their cookies open nothing here.
func (s *Server) reach() []views.Reach {
	now := s.Now()
	var all []views.Reach
	for _, p := range s.readPowers() {
		r := views.Reach{Kind: kindOf(p), Ends: "at once", Role: "at once"}
		switch {
		case p.Life > 0:
			r.Ends, r.Role = lastsUntil(p, now), lastsUntil(p, now)
		case !p.KeepsRole:
			r.Role = "at once: they are signed out, and sign in again with the new role"
		}
		all = append(all, r)
	}
	return all
}

// readPowers are what can be done to the sessions that this site looks at.
func (s *Server) readPowers() []session.Power {
	return slices.DeleteFunc(s.Sessions.Powers(), func(p session.Power) bool { return !p.Read })
}

// powerOf is what can be done to the sessions of one backend.
func (s *Server) powerOf(backend string) session.Power {
	for _, p := range s.Sessions.Powers() {
		if p.Backend == backend {
			return p
		}
	}
	return session.Power{Backend: backend}
}

// kindOf is a kind of session as pages call it.
func kindOf(p session.Power) views.Kind {
	k := views.Kind{Backend: p.Backend, Revocation: p.Revocation, Ends: p.EndsUser, Lists: p.Lists}
	if p.EndsUser && p.Life > 0 {
		k.Lag = span(p.Life)
	}
	return k
}

func lastsUntil(p session.Power, now time.Time) string {
	if p.EndsUser {
		return "within " + span(p.Life) + ": at " + moment(now.Add(p.Life), now) + " at the latest"
	}
	return "when the token expires: at " + endsAt(p, now)
}

// endsAt is the end of a session that is issued now.
func endsAt(p session.Power, now time.Time) string {
	until := moment(now.Add(p.Life), now) + " at the latest"
	if p.Longest > p.Life {
		until += ", or " + moment(now.Add(p.Longest), now) + " with “remember me”"
	}
	return until
}

// lasts says in a sentence, before anybody presses a button, how long old rights
// can go on afterwards.
func (s *Server) lasts() string {
	now, words, atOnce := s.Now(), "", false
	for _, p := range s.readPowers() {
		if p.Life == 0 {
			atOnce = true
			continue
		}
		words += views.KindLabel(kindOf(p)) + " sessions go on until " + moment(now.Add(p.Life), now) + " at the latest"
		if p.Longest > p.Life {
			words += " (" + moment(now.Add(p.Longest), now) + " with “remember me”)"
		}
		words += ". "
	}
	switch {
	case words == "":
		return "It acts at once on every kind of session that this site reads."
	case atOnce:
		return words + "On all others it acts at once."
	}
	return strings.TrimSpace(words)
}

// endsSessions says in a sentence what ending all of somebody's sessions comes to, whenever
// it is done.
func (s *Server) endsSessions() string {
	words := ""
	for _, p := range s.readPowers() {
		if p.Life == 0 {
			continue
		}
		words += "; a " + views.KindLabel(kindOf(p)) + " session goes on for " + span(p.Life) + " at most"
		if p.Longest > p.Life {
			words += ", or " + span(p.Longest) + " with “remember me”"
		}
	}
	if words == "" {
		return "That ends all your sessions at once."
	}
	return "That ends your sessions on the server at once" + words + "."
}

// roleLasts says the same of a new role, which ends the sessions that cannot be
// told of it.
func (s *Server) roleLasts() string {
	words := s.lasts()
	for _, p := range s.readPowers() {
		if p.EndsUser && !p.KeepsRole {
			words += " Whoever has a " + views.KindLabel(kindOf(p)) + " session is signed out, and signs in again with the new role."
		}
	}
	return words
}

// endedWords is what ending sessions did, for the log and for the page.
func (s *Server) endedWords(e session.Ended, what string) string {
	words := ui.Count(e.Sessions, strings.TrimSpace(what+" session"), strings.TrimSpace(what+" sessions")) + " on the server ended"
	words += s.tokenWords(e, "tokens issued before are refused, and nobody knows how many there were", "tokens issued before stay good until they expire, ")
	return words + awayWords(e.Unreached, "what it keeps of these is refused")
}

// awayWords name the kinds whose store could not be asked, and what happens as
// soon as it can be.
func awayWords(unreached []string, then string) string {
	words := ""
	for _, kind := range backendLabels(unreached) {
		words += "; " + kind + " does not answer, and " + then + " as soon as it does"
	}
	return words
}

// backendLabels are kinds of session by the names that pages have for them.
func backendLabels(names []string) []string {
	var labels []string
	for _, name := range names {
		labels = append(labels, ui.BackendLabel(name))
	}
	return labels
}

// tokenWords say what became of those that nobody can count: refused, or good
// until some moment.
func (s *Server) tokenWords(e session.Ended, refused, good string) string {
	words, last, layout := "", "", ui.DayTime
	for _, p := range s.readPowers() {
		switch {
		case !p.EndsUser:
			last = good
		case p.Life > 0 && last == "":
			last, layout = "the short tokens of hybrid sessions go on until ", ui.DayTime+":05"
		case !p.Counts:
			words += "; " + refused
		}
	}
	if e.Until.IsZero() || last == "" {
		return words
	}
	if last == good {
		layout = ui.DayTime
	}
	return words + "; " + last + e.Until.Local().Format(layout) + " at the latest"
}

// withEvent is an address that says what has just been done. It carries the
// number of the line in the audit log, and the page takes the words from
// there, so that a forged address can make it say nothing that did not happen.
func withEvent(path string, event school.ID) string { return withQuery(path, "event", string(event)) }

// eventTime is how long the page goes on saying it.
const eventTime = 10 * time.Minute

// frameAfter is the frame of a page, with a word about what was just done.
func (s *Server) frameAfter(c echo.Context, title, section string) (views.Frame, error) {
	f := s.frame(c, title, section)
	done, err := s.justDone(c)
	if done != "" {
		f.Said = done
	}
	return f, err
}

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
	case !s.shows(c, policy.AuditLine, policy.Object{Owner: e.Actor.ID}), e.Actor.ID != visitorOf(c).user.ID, s.Now().Sub(e.At) > eventTime:
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
	school.ActionPasswordReset:  "Your new password is set",
	school.ActionRoleChange:     "Role changed",
	school.ActionDisable:        "Account closed",
	school.ActionEnable:         "Account opened again",
	school.ActionEndSessions:    "Sessions ended",
	school.ActionFactorRemove:   "Taken away",
	school.ActionResetSend:      "A new password was asked for",
	school.ActionAccountDelete:  "Account deleted",
	school.ActionInvite:         "Invited",
	school.ActionInviteRevoke:   "Invitation taken back",
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
