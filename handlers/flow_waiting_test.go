package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"lectern/handlers/session"
)

// told asks until the answer is to wait.
func told(t *testing.T, ask func() answer) {
	t.Helper()
	for range 200 {
		if got := ask(); got.status == http.StatusTooManyRequests {
			if got.header.Get("Retry-After") == "" {
				t.Error("it is not said how long")
			}
			return
		}
	}
	t.Fatal("nobody is ever told to wait")
}

// TestFlow_bearsWaiting: whoever is told to wait has answered nothing, so none of the tries
// is gone, and the flow waits on.
func TestFlow_bearsWaiting(t *testing.T) {
	t.Attr("asvs", "2.4.1")
	t.Run("at the second step", func(t *testing.T) {
		t.Parallel()
		for way, right := range map[string]func(a app, paper []string) string{
			"authenticator": func(a app, _ []string) string { return a.shows(0) },
			"recovery-code": func(_ app, paper []string) string { return paper[0] },
		} {
			s := newSite(t, session.Database)
			b, flow, a, paper := s.byApp()
			thief := s.browser()
			told(t, func() answer {
				stolen := thief.flow(thief.post("/signin", "email", ada, "password", password))
				return thief.post("/signin/second", "flow", stolen, "way", way, "code", "000000")
			})
			for range 10 {
				b.post("/signin/second", "flow", flow, "way", way, "code", right(a, paper)).want(t, http.StatusTooManyRequests)
			}
			b.get("/signin/second?flow="+flow).want(t, http.StatusOK, "One more step")
			s.clock.move(5 * time.Minute)
			b.post("/signin/second", "flow", flow, "way", way, "code", "000000").want(t, http.StatusUnprocessableEntity, "4 tries are left")
			s.clock.move(4 * time.Minute)
			b.post("/signin/second", "flow", flow, "way", way, "code", right(a, paper)).want(t, http.StatusSeeOther)
			if !b.signedIn() {
				t.Errorf("%s: she is not signed in", way)
			}
		}
	})
	t.Run("at another code", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, session.Database)
		b := s.browser()
		flow := b.flow(b.post("/signin/code", "email", ada))
		code := s.code(ada)
		told(t, func() answer { return b.post("/code/again", "flow", flow) })
		sent := s.letters(ada)
		b.post("/code/again", "flow", flow).want(t, http.StatusTooManyRequests)
		if s.letters(ada) != sent {
			t.Error("it is sent all the same")
		}
		b.post("/code", "flow", flow, "code", wrong(code)).want(t, http.StatusUnprocessableEntity, "4 tries are left")
		b.post("/code", "flow", flow, "code", code).want(t, http.StatusSeeOther)
	})
	t.Run("at a message", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, session.Database)
		b, second := s.byText("+447700900123")
		told(t, func() answer { return b.post("/signin/second/text", "flow", second) })
		s.clock.move(9 * time.Minute)
		told(t, func() answer { return b.post("/signin/second/text", "flow", second) })
		b.get("/signin/second?flow="+second).want(t, http.StatusOK, "One more step")
	})
	t.Run("at a passkey", func(t *testing.T) {
		t.Parallel()
		s := startSite(t, session.Database, true, setting{base: named})
		her := s.as(ada)
		key := her.addPasskey(ada, "Blue key")
		her.post("/account/two-step", "on", "1").want(t, http.StatusOK)
		b := s.browser()
		second := b.flow(b.post("/signin", "email", ada, "password", password))
		told(t, func() answer { return b.post("/signin/second/passkey/options", "flow", second) })
		s.clock.move(2 * time.Minute)
		options, flow := b.asked("/signin/second/passkey/options", "flow", second)
		b.post("/signin/second/passkey", "flow", flow, "passkey-answer", key.sign(t, options)).want(t, http.StatusSeeOther)
	})
	t.Run("at the name of a newcomer", func(t *testing.T) {
		t.Parallel()
		s := withCampus(t, session.Database)
		const open = "/signin/with/campus-id/new"
		b := s.browser()
		flow := b.flow(b.come("/signin/with/campus-id", mina))
		told(t, func() answer { return s.browser().post("/signup") })
		b.post(open, "flow", flow, "name", "Mina", "email", "mina@school.example").want(t, http.StatusTooManyRequests)
		s.clock.move(5 * time.Minute)
		mine := b.flow(b.post(open, "flow", flow, "name", "Mina", "email", "mina@school.example"))
		b.post("/code", "flow", mine, "code", s.code("mina@school.example")).want(t, http.StatusSeeOther)
	})
}
