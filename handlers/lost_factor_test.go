package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/handlers/policy"
)

// TestLostFactor_isReplacedByWhoProvesAsMuch: without the app there is no way in by a
// mailbox or by a recovery code alone; a first step and a recovery code together open the
// account, and another app is set up only with a proof as fresh as for the first.
func TestLostFactor_isReplacedByWhoProvesAsMuch(t *testing.T) {
	t.Attr("asvs", "6.4.4")
	eachBackend(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		_, paper := her.setUp()
		her.post("/signout").want(t, http.StatusSeeOther)
		s.clock.move(time.Hour)

		// Who reads her mail, and has found her paper but not her password.
		for _, path := range []string{"/signin/code", "/signin/forgotten"} {
			thief := s.browser()
			read := thief.post("/code", "flow", thief.flow(thief.post(path, "email", ada)), "code", s.code(ada)).want(t, http.StatusSeeOther)
			if !strings.HasPrefix(read.location, "/signin/second?") || thief.signedIn() {
				t.Errorf("a code of %s leads to %s", path, read.location)
			}
			thief.post("/signin/new-password", "flow", thief.flow(read), "new", otherPassword).want(t, http.StatusBadRequest, "This is over")
			thief.post("/signin/second/text", "flow", thief.flow(read)).want(t, http.StatusBadRequest, "This is over")
			thief.post("/account/authenticator/remove").want(t, http.StatusUnauthorized)
		}
		thief := s.browser()
		thief.post("/signin", "email", ada, "password", paper[0]).want(t, http.StatusUnprocessableEntity)
		thief.post("/signin/second", "way", "recovery-code", "code", paper[0]).want(t, http.StatusBadRequest)
		if thief.signedIn() {
			t.Fatal("somebody got in")
		}

		s.clock.move(time.Hour) // the tries are forgotten
		b := s.browser()
		b.post("/signin/second", "flow", b.flow(b.post("/signin", "email", ada, "password", password)), "way", "recovery-code", "code", paper[0]).want(t, http.StatusSeeOther)
		s.clock.move(policy.ConfirmedFor + time.Second)
		for _, form := range []string{"/account/authenticator", "/account/authenticator/remove", "/account/recovery-codes"} {
			b.post(form).want(t, http.StatusForbidden, "Confirm that it is you")
		}
		half := b.flow(b.post("/confirm", "password", password, "next", "/account/ways"))
		b.post("/account/authenticator").want(t, http.StatusForbidden)
		b.post("/signin/second", "flow", half, "way", "recovery-code", "code", paper[1]).want(t, http.StatusSeeOther)
		other, _ := b.setUp()
		s.clock.move(30 * time.Second)
		again := s.browser()
		again.post("/signin/second", "flow", again.flow(again.post("/signin", "email", ada, "password", password)), "code", other.shows(0)).want(t, http.StatusSeeOther)
		if !again.signedIn() {
			t.Error("the new app is not taken")
		}
	})
}

// TestLostFactor_takenAwayByAnAdminOpensNothing: the first step is asked for as before,
// what was lost is worth nothing, and another app wants the proof that the first one did.
func TestLostFactor_takenAwayByAnAdminOpensNothing(t *testing.T) {
	t.Attr("asvs", "6.4.4")
	eachBackend(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		lost, paper := her.setUp()
		s.clock.move(policy.ConfirmedFor + time.Second)
		s.as(alan).post(person(ada)+"/factors", "what", "authenticator").want(t, http.StatusSeeOther)
		if m := s.letter(ada); !s.wasTold(ada, "The authenticator app was removed") || m.Subject != "The second step was switched off" || strings.Contains(m.Body, "?") || sentCode.MatchString(m.Body) {
			t.Errorf("the letter is %q: %s", m.Subject, m.Body)
		}
		b := s.browser()
		for _, other := range []string{"", otherPassword, lost.shows(0), paper[0]} {
			b.post("/signin", "email", ada, "password", other).want(t, http.StatusUnprocessableEntity)
		}
		if b.signedIn() {
			t.Fatal("somebody got in without a first step")
		}
		her.post("/account/authenticator").want(t, http.StatusForbidden, "Confirm that it is you")
		s.clock.move(time.Hour) // the tries are forgotten
		s.as(ada).setUp()
		out := s.browser()
		flow := out.flow(out.post("/signin", "email", ada, "password", password))
		for _, gone := range []string{lost.shows(0), lost.shows(30 * time.Second)} {
			out.post("/signin/second", "flow", flow, "code", gone).want(t, http.StatusUnprocessableEntity)
		}
		out.post("/signin/second", "flow", flow, "way", "recovery-code", "code", paper[1]).want(t, http.StatusUnprocessableEntity)
	})
}
