package handlers_test

import (
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/redistest"
)

// onRedis is a site that keeps its sessions in a Redis which can be brought
// into trouble.
func onRedis(t *testing.T) (*site, *redistest.Server) {
	t.Helper()
	server := redistest.Start(t)
	return startSite(t, session.Redis, true, setting{redis: server.URL()}), server
}

// soon asks again until the answer is the one that is waited for, as a person
// would who was told to.
func (b *browser) soon(path string, status int, texts ...string) {
	b.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	got := b.get(path)
	for got.status != status && time.Now().Before(deadline) {
		got = b.get(path)
	}
	got.want(b.t, status, texts...)
}

// TestRedis_outOfReach stops and pauses Redis: who is signed in, or wants to
// be, hears in time that it cannot be known now, and keeps their cookie; the
// others notice nothing. When it is back, all is as before.
func TestRedis_outOfReach(t *testing.T) {
	t.Parallel()
	for _, trouble := range []struct {
		says       string
		begin, end func(*redistest.Server)
	}{
		{"stopped, and started again", (*redistest.Server).Stop, (*redistest.Server).Restart},
		{"paused, and resumed", (*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(trouble.says, func(t *testing.T) {
			t.Parallel()
			s, server := onRedis(t)
			her, visitor := s.as(ada).impatient(), s.browser().impatient()
			number := her.cookie("lectern-sid")
			visitor.get("/readyz").want(t, http.StatusOK, "ready")
			trouble.begin(server)
			her.get("/learning").notNow(t, "Not now, but soon", "You are not signed out")
			visitor.post("/signin", "email", bea, "password", password).notNow(t, "We know you, and cannot sign you in just now", bea)
			her.post("/account/profile", "name", "Ada, Countess").notNow(t, "What you wrote is still here", "Ada, Countess")
			her.post("/signout").notNow(t)
			her.post("/session/backend", "backend", session.JWT).notNow(t)
			her.get("/api/v1/session").notNow(t, `"status":503`)
			visitor.get("/readyz").want(t, http.StatusServiceUnavailable, "redis: not reachable").lacks(t, "database")
			visitor.get("/").want(t, http.StatusOK)
			visitor.get("/courses").want(t, http.StatusOK, "Knots")
			other := s.browser().impatient()
			other.post("/signin", "email", grace, "password", password, "backend", session.JWT).want(t, http.StatusSeeOther)
			other.get("/teach").want(t, http.StatusOK, "Grace Murray")
			trouble.end(server)
			her.soon("/learning", http.StatusOK, "Ada Byron")
			if her.cookie("lectern-sid") != number {
				t.Error("the session is another one")
			}
			visitor.get("/readyz").want(t, http.StatusOK, "ready")
			s.as(bea)
		})
	}
}

// TestRedis_flushed has lost everything that Redis held: everybody is signed
// out, which is no error, and can sign in again.
func TestRedis_flushed(t *testing.T) {
	t.Parallel()
	s, server := onRedis(t)
	her, editor, program := s.as(ada).impatient(), s.as(ada).impatient(), s.as(ada).impatient()
	server.Flush()
	editor.post("/account/profile", "name", "Ada, Countess").want(t, http.StatusUnauthorized, "Ada, Countess")
	if tr := program.trace(); tr.Session.OK || tr.Session.Refused != string(session.Unknown) {
		t.Errorf("trace: %+v", tr)
	}
	if got := her.get("/account").want(t, http.StatusSeeOther).location; got != "/signin?next=%2Faccount" {
		t.Errorf("she is sent to %q", got)
	}
	if her.cookie("lectern-sid") != "" {
		t.Error("the number that leads nowhere stays in the browser")
	}
	her.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
	her.get("/account").want(t, http.StatusOK, "Ada Byron")
}

// TestRedis_full has no room for one session more: who is signed in stays so
// and can leave, and who comes to the door is told.
func TestRedis_full(t *testing.T) {
	t.Parallel()
	s, server := onRedis(t)
	her, him := s.as(ada).impatient(), s.as(alan).impatient()
	server.Fill()
	her.get("/learning").want(t, http.StatusOK, "Ada Byron")
	s.clock.move(10 * time.Minute)
	her.get("/learning").want(t, http.StatusOK, "Ada Byron", "not possible now")
	visitor := s.browser().impatient()
	visitor.post("/signin", "email", bea, "password", password).notNow(t, "We know you, and cannot sign you in just now", bea)
	flow := visitor.flow(visitor.post("/signup", "name", "Cleo Sand", "email", "cleo@school.example", "password", otherPassword))
	visitor.post("/code", "flow", flow, "code", s.code("cleo@school.example")).notNow(t, "We know you", "cleo@school.example")
	him.post("/signout").want(t, http.StatusSeeOther)
	him.get("/account").want(t, http.StatusSeeOther)
	server.Drain()
	visitor.post("/signin", "email", "cleo@school.example", "password", otherPassword).want(t, http.StatusSeeOther)
	her.get("/learning").want(t, http.StatusOK, "Ada Byron").lacks(t, "not possible now")
}

// TestRedis_aHundredBeforeASilentOne come at once while Redis hangs: each is
// answered in time, and nothing of them is left behind.
func TestRedis_aHundredBeforeASilentOne(t *testing.T) {
	s, server := onRedis(t)
	her := s.as(ada).impatient()
	her.get("/learning").want(t, http.StatusOK)
	her.client.CloseIdleConnections()
	before := runtime.NumGoroutine()
	server.Pause()
	for range 3 {
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { her.get("/learning").notNow(t) })
		}
		all.Wait()
	}
	her.client.CloseIdleConnections()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("there were %d goroutines, and there are %d", before, now)
	}
	server.Resume()
	her.soon("/learning", http.StatusOK, "Ada Byron")
}
