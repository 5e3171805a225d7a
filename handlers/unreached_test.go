package handlers_test

import (
	"net/http"
	"testing"

	"lectern/handlers/session"
	"lectern/handlers/session/redistest"
)

// withRedisAway is a site that keeps its sessions in the database, beside a Redis
// that is not there.
func withRedisAway(t *testing.T, choose bool) (*site, *redistest.Server) {
	t.Helper()
	server := redistest.Start(t)
	s := startSite(t, session.Database, choose, setting{redis: server.URL()})
	return s, server
}

// TestUnreached_theOfficeStaysOpen looks for the way out of a kind whose store is
// away, and is not let into one.
func TestUnreached_theOfficeStaysOpen(t *testing.T) {
	for _, choose := range []bool{true, false} {
		s, server := withRedisAway(t, choose)
		admin := s.as(alan)
		server.Stop()
		admin.get("/admin/sessions").want(t, http.StatusOK, "the store does not answer")
		refused := admin.post("/admin/sessions", "backend", session.Redis, "existing", "carry").
			want(t, http.StatusServiceUnavailable, "Redis does not answer", "Nothing was changed")
		if refused.header.Get("Retry-After") == "" || s.sessions.Site().Backend != session.Database {
			t.Errorf("Retry-After %q, and the site has %s", refused.header.Get("Retry-After"), s.sessions.Site().Backend)
		}
		admin.post("/admin/sessions", "backend", session.Memory, "existing", "carry").want(t, http.StatusSeeOther)
		admin.get("/admin/sessions").want(t, http.StatusOK)
	}
}

// TestUnreached_onesOwnSessionsAreShown as far as they can be, and ended as far as
// they can be, with a word about the rest.
func TestUnreached_onesOwnSessionsAreShown(t *testing.T) {
	s, server := withRedisAway(t, true)
	own, phone, coat := s.as(ada), s.as(ada), s.browser()
	coat.post("/signin", "email", ada, "password", password, "backend", session.Redis).want(t, http.StatusSeeOther)
	copied := coat.copied()
	server.Stop()
	own.get("/account/sessions").want(t, http.StatusOK, "Redis does not answer just now")
	changed := own.post("/account/password", "current", password, "new", otherPassword, "end_others", "1").want(t, http.StatusSeeOther)
	own.get(changed.location).want(t, http.StatusOK, "Password changed", "Redis does not answer, and what it keeps of these is refused as soon as it does")
	phone.still(t, false, "the session that could be reached")
	server.Restart()
	coat.soon("/account", http.StatusSeeOther)
	copied.still(t, false, "a copy of what could not be reached")
	own.get("/account").want(t, http.StatusOK)
}

// TestUnreached_aClosedAccountIsClosed also for a session whose store was away
// when it was closed.
func TestUnreached_aClosedAccountIsClosed(t *testing.T) {
	s, server := withRedisAway(t, true)
	admin, coat := s.as(alan), s.browser()
	coat.post("/signin", "email", ada, "password", password, "backend", session.Redis).want(t, http.StatusSeeOther)
	copied := coat.copied()
	server.Stop()
	done := admin.post(person(ada)+"/disable").want(t, http.StatusSeeOther)
	admin.get(done.location).want(t, http.StatusOK, "Account closed", "Redis does not answer")
	server.Restart()
	coat.soon("/account", http.StatusSeeOther)
	copied.still(t, false, "a copy of the cookie")
	if tr := copied.trace(); tr.Authentication.OK {
		t.Error("somebody whose account is closed is at work")
	}
}

// TestUnreached_aNewRoleIsCaughtUpOn by a session whose store was away when the
// role changed.
func TestUnreached_aNewRoleIsCaughtUpOn(t *testing.T) {
	s, server := withRedisAway(t, true)
	admin, coat := s.as(alan), s.browser()
	coat.post("/signin", "email", grace, "password", password, "backend", session.Redis).want(t, http.StatusSeeOther)
	server.Stop()
	done := admin.post(person(grace)+"/role", "role", "student").want(t, http.StatusSeeOther)
	admin.get(done.location).want(t, http.StatusOK, "Redis does not answer, and its sessions are told as soon as it does")
	server.Restart()
	coat.soon("/account", http.StatusOK)
	coat.post(knotsLesson, "title", "Bends", "kind", "reading", "body", "Text.", "version", "1").want(t, http.StatusForbidden)
	if tr := coat.trace(); tr.Authorization.Role != "student" || tr.Authorization.RoleFrom != "session" {
		t.Errorf("the role is %q, from the %s", tr.Authorization.Role, tr.Authorization.RoleFrom)
	}
}
