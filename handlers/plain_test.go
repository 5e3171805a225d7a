package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// TestPlainHTTP_isNotLedOnWhereProgramsCall asks a site, whose address begins with https,
// in clear, as a program with a mistake in its settings does: it is answered and led
// nowhere, so the mistake shows before a proxy hides it.
func TestPlainHTTP_isNotLedOnWhereProgramsCall(t *testing.T) {
	t.Attr("asvs", "4.1.2")
	s := startSite(t, session.Database, true, setting{base: "https://school.example"})
	its := s.program(ada)
	asked := 0
	for _, headers := range [][]string{nil, {"X-Forwarded-Proto", "http"}, {"Host", "school.example", "X-Forwarded-Ssl", "off"}, {"Upgrade-Insecure-Requests", "1"}} {
		for _, r := range rows {
			method, path, _ := strings.Cut(r.route, " ")
			if !strings.HasPrefix(path, "/api/") || strings.Contains(path, "/runs") {
				continue
			}
			if r.path != "" {
				path = r.path
			}
			asked++
			got := its.call(method, path, append([]string{"Content-Type", jsonType}, headers...)...)
			if got.status >= 300 && got.status < 400 || got.location != "" || got.header.Get("Refresh") != "" {
				t.Errorf("%s %s is led to %q with %d", method, path, got.location, got.status)
			}
			if strings.Contains(got.header.Get("Content-Type"), "html") {
				t.Errorf("%s %s is answered with a page", method, path)
			}
		}
		for _, path := range []string{"/healthz", "/readyz", "/.well-known/jwks.json"} {
			if got := s.browser().get(path, headers...).want(t, http.StatusOK); got.location != "" {
				t.Errorf("%s is led to %q", path, got.location)
			}
		}
		// Pages lead nowhere either, but to where they lead in any case.
		s.browser().get("/", headers...).want(t, http.StatusOK)
		if got := s.browser().get("/account", headers...).want(t, http.StatusSeeOther); got.location != "/signin?next=%2Faccount" {
			t.Errorf("a page leads to %q", got.location)
		}
	}
	if asked < 40 {
		t.Errorf("only %d calls were made", asked)
	}
}
