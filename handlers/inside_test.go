package handlers_test

import (
	"net/http"
	"testing"

	"lectern/handlers/session"
)

// TestInside_isDescribedToNobody: what describes or measures a program, at the addresses
// where it usually stands, is there for nobody. Of what is meant to be open there are
// four, which say no more than they are for.
func TestInside_isDescribedToNobody(t *testing.T) {
	t.Attr("asvs", "13.4.5")
	for _, demo := range []bool{false, true} {
		s := startSite(t, session.Database, demo)
		for _, who := range []string{"", ada, grace, alan} {
			b := s.enter(who)
			for _, path := range []string{
				"/metrics", "/api/v1/metrics", "/admin/metrics", "/stats", "/status", "/server-status", "/nginx_status", "/health", "/info", "/version", "/env", "/config", "/trace",
				"/debug", "/debug/", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/vars", "/debug/requests", "/debug/events",
				"/actuator", "/actuator/env", "/actuator/health", "/.well-known/security", "/.env", "/phpinfo.php",
				"/swagger", "/swagger/", "/swagger/index.html", "/swagger.json", "/swagger-ui.html", "/openapi", "/openapi.json", "/openapi.yaml", "/api/openapi.json", "/api/v1/openapi.yaml", "/api-docs", "/v2/api-docs",
				"/api/v1/docs", "/docs", "/redoc", "/graphql", "/graphiql", "/playground", "/console", "/routes", "/api/v1/", "/api/v1/routes",
			} {
				b.get(path).want(t, http.StatusNotFound)
			}
		}
		stranger := s.browser()
		for path, want := range map[string]string{"/healthz": "alive\n", "/readyz": "ready\n", "/.well-known/jwks.json": `{"keys":[]}`} {
			if got := stranger.get(path).want(t, http.StatusOK); got.body != want {
				t.Errorf("%s says %q", path, got.body)
			}
		}
		stranger.get("/api/v1/openapi.json").want(t, http.StatusOK, `"openapi":"3.`).lacks(t, "localhost", "127.0.0.1", "sqlite", "echo/")
	}
}
