package handlers

import (
	"lectern/handlers/session"
	"lectern/handlers/token"
	"lectern/views"
	"lectern/views/ui"
)

// signatures say what the third part of a token is, by algorithm.
var signatures = map[token.Algorithm][]string{
	token.HS256: {"32 bytes", "HMAC-SHA256"},
	token.EdDSA: {"64 bytes", "Ed25519"},
}

// revocationWords say of a good token what was asked about it.
var revocationWords = map[string]string{
	session.RevokeNone:     "The band has not expired. Nobody was asked whether you signed out.",
	session.RevokeCutoff:   "The band has not expired, and it was printed after your sessions were last ended, for which one look-up was made.",
	session.RevokeDenylist: "The band has not expired, is not on the list of those that were ended, and was printed after your sessions were last ended: one look-up for both.",
}

func (s *Server) xrayToken(x *views.XRay, v *visitor, rec session.Record) {
	revocation := s.Sessions.Power(session.JWT).Revocation
	x.Credential = "JWT, expires " + moment(rec.ExpiresAt, s.Now())
	x.Who = s.signedLight(v)
	x.Session = ui.LightProps{State: ui.Pass, Level: 3, Question: "Are you still signed in?", Small: "session",
		Verdict: "Yes, until " + moment(rec.ExpiresAt, s.Now()) + ".",
		Reason:  revocationWords[revocation],
		Where:   "handlers/session/cookiejwt"}
	x.Band = s.band(rec, token.SessionUse)
	x.RoleFrom = "the token itself, written " + ago(s.Now().Sub(rec.CreatedAt))
	x.OnServer = onServer[revocation]
	endOfBand(x, v, "nothing to look up")
}

// onServer says what is kept of a token.
var onServer = map[string]string{
	session.RevokeNone:     "no session record: there is no coat. The audit log has a line that you signed in.",
	session.RevokeCutoff:   "no session record, but a moment beside your name: bands from before it are void.",
	session.RevokeDenylist: "no session record, but a list of bands that were ended before their time, and a moment beside your name.",
}

// signedLight is the light of somebody who showed a token.
func (s *Server) signedLight(v *visitor) ui.LightProps {
	return ui.LightProps{State: ui.Pass, Level: 3, Question: "Who are you?", Small: "authentication",
		Verdict: "You are " + v.user.Name + ".",
		Reason:  "The signature was made with our key, so we believe the id in the token.",
		Where:   "handlers/token"}
}

// band is a token, drawn.
func (s *Server) band(rec session.Record, use token.Use) *ui.BandProps {
	now := s.Now()
	return &ui.BandProps{Size: "l", Backend: session.JWT,
		Header:    []string{"alg " + string(s.Keys.Algorithm()), "typ " + use.Type()},
		Payload:   []string{"sub " + short(string(rec.UserID)) + ", role " + string(rec.Role), "iat " + moment(rec.CreatedAt, now), "exp " + moment(rec.TokenUntil, now)},
		Signature: signatures[s.Keys.Algorithm()],
		Label:     "A wristband of three segments: header, payload and signature of your token"}
}

// places say where the records of a kind hang.
var places = map[string]string{
	session.Memory:   "this server’s memory",
	session.Database: "the database, table sessions",
	session.Redis:    "Redis, key lectern:session:…",
	session.Hybrid:   "the database, table refresh_sessions",
}

func (s *Server) xrayTicket(x *views.XRay, v *visitor, rec session.Record) {
	number := ticketNumber(rec.Handle)
	x.Credential = "Ticket " + number
	x.Place = places[x.Backend]
	x.Who = ui.LightProps{State: ui.Pass, Level: 3, Question: "Who are you?", Small: "authentication",
		Verdict: "Ticket " + number + ", which is " + v.user.Name + "’s.",
		Reason:  "The number proves nothing; the record that it leads to does.",
		Where:   "handlers/session/serverstore"}
	x.Session = ui.LightProps{State: ui.Pass, Level: 3, Question: "Are you still signed in?", Small: "session",
		Verdict: "Yes: the coat still hangs.",
		Reason:  "The record was found, and its time is not over. Tear the ticket, and it is.",
		Where:   "handlers/session/serverstore"}
	x.Ticket = &ui.TicketProps{Size: "l", Number: number, Title: "Coat check, Lectern",
		Text:  "192 random bits, kept here as a hash",
		Label: "A coat-check ticket, number " + number}
	x.Hook = s.hook(rec)
	x.RoleFrom = "the record on the server, just now"
	if v.visit.Trace.CarriedFrom != "" {
		carriedOver(x, v.visit.Trace.CarriedFrom)
		return
	}
	x.Steps = append([]ui.Step{x.Steps[0], {Name: "Verify signature", Where: "nothing is signed", Skipped: true}}, x.Steps[1:]...)
}

// hook is what hangs on the server.
func (s *Server) hook(rec session.Record) []views.Fact {
	now := s.Now()
	return []views.Fact{
		{Name: "user", Value: short(string(rec.UserID)) + ", role " + string(rec.Role)},
		{Name: "created", Value: moment(rec.CreatedAt, now) + ", " + methodsLabel(rec.Methods)},
		{Name: "last visit noted", Value: moment(rec.SeenAt, now)},
		{Name: "started from", Value: startedFrom(rec)},
		{Name: "ends", Value: endOf(rec, now)},
	}
}

// xrayHybrid shows both halves: the short band that was read, and the ticket
// behind it that is asked for when the band has expired.
func (s *Server) xrayHybrid(x *views.XRay, v *visitor, rec session.Record) {
	lag, number := span(s.Sessions.Power(session.Hybrid).Life), ticketNumber(rec.Handle)
	asked := !rec.IdleUntil.IsZero()
	x.Credential = "Short JWT, ticket " + number
	x.Place = places[session.Hybrid]
	x.Who = s.signedLight(v)
	x.Session = ui.LightProps{State: ui.Pass, Level: 3, Question: "Are you still signed in?", Small: "session",
		Verdict: "Yes: the band is still good.",
		Reason:  "It lasts " + lag + ". Until it expires nobody asks whether the ticket behind it still is.",
		Where:   "handlers/session/hybrid"}
	x.Band = s.band(rec, token.AccessUse)
	x.Ticket = &ui.TicketProps{Number: number, Title: "Refresh ticket, Lectern",
		Text:  "good for one more band",
		Label: "A coat-check ticket, number " + number + ", for the next band"}
	x.RoleFrom = "the token, at most " + lag + " old"
	if asked {
		x.Session.Verdict = "Yes: the coat still hangs."
		x.Session.Reason = "There was no good band, so the ticket was asked: its record was found, and you were given a new band for " + lag + " and a new ticket."
		x.Hook = s.hook(rec)
		x.RoleFrom = "the record on the server, just now; it goes into the new band"
	} else {
		x.OnServer = "one record, in " + places[session.Hybrid] + ". Nobody asked it whether you are still signed in."
	}
	endOfBand(x, v, "not before the band expires")
}

// endOfBand tells of a band that was exchanged for this session, or shows the
// look-up that this band saved, and why.
func endOfBand(x *views.XRay, v *visitor, why string) {
	if v.visit.Trace.CarriedFrom != "" {
		carriedOver(x, v.visit.Trace.CarriedFrom)
		return
	}
	if x.Reads == 0 {
		last := len(x.Steps) - 1
		x.Steps = append(x.Steps[:last:last], ui.Step{Name: "Store look-up", Where: why, Skipped: true}, x.Steps[last])
	}
}

// roleSourceWords say where the role of this visitor's session was read.
func (s *Server) roleSourceWords(v *visitor) string {
	switch {
	case v.visit.RoleSource() != session.FromToken:
		return "read from the record just now"
	case v.visit.Backend() == session.Hybrid:
		return "which is what a token says that is at most " + span(s.Sessions.Power(session.Hybrid).Life) + " old"
	}
	return "which is what the token says, true or not by now"
}
