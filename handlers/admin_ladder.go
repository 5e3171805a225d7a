package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/views"
)

// rungTitles say in a few words what each rung of the ladder can end.
var rungTitles = map[string]string{
	session.RevokeNone:     "Nothing: a band is good until it expires",
	session.RevokeCutoff:   "All bands of a person at once",
	session.RevokeDenylist: "A single band, too",
}

// rungTexts say what each rung costs, and what it gives back.
var rungTexts = map[string]string{
	session.RevokeNone: "Nobody is asked, so nothing is looked up. After signing out, a copy of the band still opens the door. " +
		"This is the pure form, and it does not meet ASVS 7.4.1, which wants a session to be worthless once it has ended.",
	session.RevokeCutoff: "One look-up for each request: when were this person’s sessions last ended? Bands from before are void. " +
		"It is blunt: signing out in one browser signs out in all of them, and a new role means signing in again. " +
		"What it cannot end is one band alone, such as one that was exchanged for another kind. Signing out, it meets ASVS 7.4.1.",
	session.RevokeDenylist: "One look-up for each request: is this band on the list, and what the rung above asks, in one question. " +
		"Signing out ends one band and leaves the others. The list grows with what is ended and shrinks as it expires. A list that cannot be read lets nobody in. It meets ASVS 7.4.1.",
}

// rungs are the rungs of the ladder, from the lowest, with what each means.
func (s *Server) rungs() []views.Rung {
	chosen := s.Sessions.Site().Revocation
	all := make([]views.Rung, 0, 3)
	above := false
	for _, name := range s.Sessions.Rungs() {
		all = append(all, views.Rung{Name: name, Title: rungTitles[name], Text: rungTexts[name], Current: name == chosen, Below: !above && name != chosen})
		above = above || name == chosen
	}
	return all
}

// changeRevocation chooses the rung on which tokens stand.
func (s *Server) changeRevocation(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	from, to := s.Sessions.Site().Revocation, f.get("revocation")
	if !slices.Contains(s.Sessions.Rungs(), to) {
		return s.sessionsPage(c, http.StatusUnprocessableEntity, s.Sessions.Site().Backend, "Choose one of the ways to end a band. Nothing was changed.")
	}
	if from == to {
		return seeOther(c, "/admin/sessions")
	}
	if err := s.Sessions.Climb(toTheEnd(c), to); err != nil {
		return err
	}
	event := s.record(c, school.ActionRevocation, "everybody’s tokens", from+" → "+to)
	return seeOther(c, withEvent("/admin/sessions", event))
}

// keysInForce lists the keys that tokens are signed with, by name.
func (s *Server) keysInForce() []views.SigningKey {
	var all []views.SigningKey
	for _, key := range s.Keys.Keys() {
		all = append(all, views.SigningKey{ID: key.ID, Signs: key.Signs})
	}
	return all
}
