package handlers_test

import (
	"html"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"lectern/handlers/session"
	"lectern/handlers/session/sessiontest"
)

// TestKinds_areTheListThatIsAsserted reads the page against the lists that the
// tests of the backends assert, for every kind on offer.
func TestKinds_areTheListThatIsAsserted(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		page := s.browser().get("/sessions").want(t, http.StatusOK)
		_, table, _ := strings.Cut(page.body, "Checks that not every kind passes")
		table, _, _ = strings.Cut(table, "</table>")
		waits := map[string]bool{} // the checks that are others, made after a wait
		for _, check := range sessiontest.Checks() {
			if late, ok := sessiontest.Late(check); ok {
				waits[late] = true
			}
		}
		checks := len(sessiontest.Checks()) - len(waits)
		refused, late := 0, 0
		powers := append(s.sessions.RungPowers(), s.sessions.Powers()...)
		seen := map[[2]string]bool{}
		for _, p := range powers {
			if seen[[2]string{p.Backend, p.Revocation}] {
				continue
			}
			seen[[2]string{p.Backend, p.Revocation}] = true
			limits, examined := sessiontest.LimitsOf(p.Backend, p.Revocation)
			if !examined {
				t.Errorf("nothing is known of %s %s", p.Backend, p.Revocation)
			}
			fails := map[string]bool{}
			for _, limit := range limits {
				fails[limit.Check] = true
			}
			passes := checks
			for _, limit := range limits {
				if waits[limit.Check] {
					continue
				}
				passes--
				page.want(t, http.StatusOK, html.EscapeString(limit.Check), html.EscapeString(limit.Why))
				if after, ok := sessiontest.Late(limit.Check); ok && !fails[after] {
					late++
				} else {
					refused++
				}
			}
			if len(limits) > 0 {
				page.want(t, http.StatusOK, strconv.Itoa(passes)+" of "+strconv.Itoa(checks))
			}
		}
		if got := strings.Count(table, `class="can late"`); got != late {
			t.Errorf("the table says %d times that it takes a while, the lists %d times", got, late)
		}
		if got := strings.Count(table, `class="can fail"`); got != refused {
			t.Errorf("the table says no %d times, the lists %d times", got, refused)
		}
		for _, check := range sessiontest.Checks() {
			if !waits[check] && !strings.Contains(page.main(), html.EscapeString(check)) {
				t.Errorf("the check %q is not on the page", check)
			}
		}
		if got := strings.Count(page.body, "not in use"); got != 2 {
			t.Errorf("%d kinds are not in use, want the two rungs that were not chosen", got)
		}
	})
	startSite(t, session.Database, false).browser().get("/sessions").want(t, http.StatusOK, "in use")
}

// TestKinds_areLinkedTo from where somebody would ask.
func TestKinds_areLinkedTo(t *testing.T) {
	b := newSite(t, session.Database).as(alan)
	for _, path := range []string{"/", "/account/sessions", "/admin/sessions"} {
		b.get(path).want(t, http.StatusOK, `href="/sessions"`)
	}
}
