package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// TestPhone_isUsedOnceItHasShownItself: no code that signs somebody in goes to a number
// from which none came back yet, and whoever sets one up is told what it is worth, on a
// page that has better ways.
func TestPhone_isUsedOnceItHasShownItself(t *testing.T) {
	t.Attr("asvs", "6.6.1")
	eachBackend(t, func(t *testing.T, s *site) {
		const number, another = "+447700900123", "+447700900456"
		b := s.as(ada)
		const risk = "A number can be moved to another card by somebody who talks well, and the codes go there"
		b.get("/account/ways").want(t, http.StatusOK, risk, `action="/account/phone"`, `action="/account/authenticator"`, "passkey")
		s.browser().get("/signin/code").want(t, http.StatusOK, "By text message", "moved to another card by somebody who talks well", "An authenticator app or a passkey shares a secret with nobody on the way")

		asked := func(b *browser) { b.post("/signin/code", "email", ada, "by", "text").want(t, http.StatusSeeOther) }
		flow := b.flow(b.post("/account/phone", "phone", number))
		begun := s.letters(number)
		asked(s.browser())
		b.post("/account/two-step", "on", "1").want(t, http.StatusConflict, "nothing yet that could be the second step")
		b.post("/code", "flow", flow, "code", wrong(s.code(number))).want(t, http.StatusUnprocessableEntity)
		b.get("/account/ways").want(t, http.StatusOK).lacks(t, number)
		asked(s.browser())
		if n := s.letters(number); begun != 1 || n != begun {
			t.Fatalf("%d messages went to a number that nobody has shown to be theirs", n-1)
		}

		b.post("/code", "flow", flow, "code", s.code(number)).want(t, http.StatusSeeOther)
		b.get("/account/ways").want(t, http.StatusOK, number, risk, `action="/account/authenticator"`)
		b.post("/account/phone", "phone", another).want(t, http.StatusSeeOther)
		in := s.browser()
		sent := in.flow(in.post("/signin/code", "email", ada, "by", "text"))
		if s.letters(another) != 1 || s.letters(number) != 2 {
			t.Errorf("%d codes went to the new number and %d to the old", s.letters(another), s.letters(number))
		}
		in.post("/code", "flow", sent, "code", s.code(number)).want(t, http.StatusSeeOther)
		if !in.signedIn() {
			t.Error("the number that was shown does not sign in")
		}
	})
}

// TestPhone_standsBesideBetterWays: whoever has an app or a passkey is offered it before
// the message, at each second step.
func TestPhone_standsBesideBetterWays(t *testing.T) {
	t.Attr("asvs", "6.6.1")
	s := startSite(t, session.Database, true, setting{base: named})
	const number = "+447700900123"
	b := s.as(ada)
	b.post("/code", "flow", b.flow(b.post("/account/phone", "phone", number)), "code", s.code(number)).want(t, http.StatusSeeOther)
	b.addPasskey(ada, "Blue key")
	b.setUp()
	out := s.browser()
	page := out.get(out.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther).location).want(t, http.StatusOK)
	key, app, text := strings.Index(page.body, "Use a passkey"), strings.Index(page.body, "Six digits"), strings.Index(page.body, `action="/signin/second/text"`)
	if key < 0 || app < 0 || text < max(key, app) {
		t.Errorf("the passkey stands at %d, the app at %d, the message at %d", key, app, text)
	}
}
