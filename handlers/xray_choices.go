package handlers

import (
	"cmp"

	"lectern/handlers/session"
	"lectern/views"
	"lectern/views/ui"
)

// kindTitles are what the kinds of session are called where one is chosen.
var kindTitles = map[string]string{
	session.JWT:      "Wristband (JWT)",
	session.Memory:   "Ticket (memory)",
	session.Database: "Ticket (database)",
	session.Redis:    "Ticket (Redis)",
	session.Hybrid:   "Both (hybrid)",
}

// kindTexts say what a kind means to the person who chooses it.
var kindTexts = map[string]string{
	session.Memory:   "You carry a number, this server remembers the rest. The fastest look-up; gone when the server restarts.",
	session.Database: "You carry a number, the database keeps the rest. One look-up for each request; over the moment you say so.",
	session.Redis:    "You carry a number, a Redis beside the servers keeps the rest. One look-up over the wire for each request; it forgets by itself what is over.",
}

// choices are the backends on offer, each with what would happen.
func (s *Server) choices(v *visitor) []views.BackendChoice {
	if !s.Sessions.Choice() || v.visit == nil {
		return nil
	}
	current := v.visit.Backend()
	rec, signed := v.visit.Record()
	all := make([]views.BackendChoice, 0, 5)
	for _, name := range s.Sessions.Names() {
		choice := views.BackendChoice{
			Backend: name, Title: cmp.Or(kindTitles[name], ui.BackendLabel(name)), Text: kindTexts[name], Current: name == current,
		}
		switch {
		case name == session.JWT:
			choice.Text = s.tokenText(rec, signed, choice.Current)
		case name == session.Hybrid:
			choice.Text = "A band for " + span(s.Sessions.Power(session.Hybrid).Life) + ", and a ticket that fetches the next one. No look-up on most requests; over a moment after you say so."
		}
		if signed && current == session.JWT && name != current {
			choice.Text = "One record is written. The band you wear now " + s.fateOfBand(rec)
		}
		if choice.Current {
			choice.Text = "In use. " + choice.Text
		}
		all = append(all, choice)
	}
	return all
}

// tokenText says what the stateless kind means on its present rung.
func (s *Server) tokenText(rec session.Record, signed, current bool) string {
	power := s.Sessions.Power(session.JWT)
	switch {
	case signed && !current:
		return "The record is deleted; you carry everything yourself from then on."
	case power.EndsOne:
		return "You carry everything, signed. We keep no record, but look at each request whether this band was ended."
	case power.EndsUser:
		return "You carry everything, signed. We keep no record, but look at each request whether all your bands were ended."
	case signed:
		return "You carry everything, signed. We keep no record, and cannot call this one back before it expires, " + moment(rec.ExpiresAt, s.Now()) + "."
	}
	return "You carry everything, signed. We keep no record, and cannot call it back for " + span(s.Sessions.Lifetimes().Token) + "."
}

// fateOfBand says what becomes of a token that is exchanged for another kind.
func (s *Server) fateOfBand(rec session.Record) string {
	if s.Sessions.Power(session.JWT).EndsOne {
		return "goes on the list of those that are void."
	}
	return "stays good until " + moment(rec.ExpiresAt, s.Now()) + ", wherever a copy of it is."
}
