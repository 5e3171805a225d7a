package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/handlers/session"
	"lectern/handlers/session/sessiontest"
	"lectern/views"
)

// showKinds shows what each kind of session can and cannot do: which checks of
// the suite that all of them are put to it passes, and why it cannot pass the
// rest. The page is drawn from the lists that the tests assert.
func (s *Server) showKinds(c echo.Context) error {
	checks := atOnce(sessiontest.Checks())
	p := views.KindsProps{Checks: len(checks)}
	failing := map[string]bool{}
	for _, power := range s.allPowers() {
		limits, examined := sessiontest.LimitsOf(power.Backend, power.Revocation)
		if !examined {
			continue
		}
		kind := views.ExaminedKind{
			Kind: kindOf(power), Passes: len(checks), Cannot: map[string]string{}, Late: map[string]bool{}, Lag: span(power.Life),
			Read: power.Read && power.Revocation == s.powerOf(power.Backend).Revocation,
		}
		fails := map[string]string{}
		for _, limit := range limits {
			fails[limit.Check] = limit.Why
		}
		for _, check := range checks {
			why, cannot := fails[check]
			if !cannot {
				continue
			}
			kind.Passes--
			kind.Cannot[check], failing[check] = why, true
			if late, ok := sessiontest.Late(check); ok && fails[late] == "" {
				kind.Late[check] = true
			}
		}
		p.Kinds = append(p.Kinds, kind)
	}
	for _, check := range checks {
		if failing[check] {
			p.Differ = append(p.Differ, views.Check{Name: check, Meaning: sessiontest.Meaning(check)})
		} else {
			p.Alike = append(p.Alike, check)
		}
	}
	return s.page(c, http.StatusOK, views.KindsPage(s.frame(c, "What each kind of session can do", ""), p))
}

// atOnce leaves out the checks that are made once more after a wait.
func atOnce(checks []string) []string {
	waiting := map[string]bool{}
	for _, check := range checks {
		if late, ok := sessiontest.Late(check); ok {
			waiting[late] = true
		}
	}
	return slices.DeleteFunc(checks, func(check string) bool { return waiting[check] })
}

// allPowers are what can be done to the sessions of each kind on offer, tokens
// once for each rung of the ladder.
func (s *Server) allPowers() []session.Power {
	powers, rungs := s.Sessions.Powers(), s.Sessions.RungPowers()
	at := slices.IndexFunc(powers, func(p session.Power) bool { return len(rungs) > 0 && p.Backend == rungs[0].Backend })
	if at < 0 {
		return powers
	}
	return slices.Concat(powers[:at], rungs, powers[at+1:])
}
