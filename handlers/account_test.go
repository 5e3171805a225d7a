package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"lectern/db/school"
	"lectern/handlers/session"
)

const otherPassword = "seven wet geese in June"

// at is the person's browser after they chose a kind of session for themselves.
func (s *site) at(email, backend string) *browser {
	s.t.Helper()
	b := s.as(email)
	b.post("/session/backend", "backend", backend).want(s.t, http.StatusSeeOther)
	return b
}

// kind is what this very browser is signed in with, as the API tells it.
func (b *browser) kind() string {
	b.t.Helper()
	body := b.get("/api/v1/session").want(b.t, http.StatusOK).body
	_, rest, _ := strings.Cut(body, `"backend":"`)
	kind, _, _ := strings.Cut(rest, `"`)
	return kind
}

func (b *browser) signedIn() bool { return b.kind() != session.None }

func TestAccount_isForItsOwnerOnly(t *testing.T) {
	t.Attr("asvs", "8.2.1")
	eachBackend(t, func(t *testing.T, s *site) {
		visitor := s.browser()
		if got := visitor.get("/account").want(t, http.StatusSeeOther).location; got != "/signin?next=%2Faccount" {
			t.Errorf("a visitor is sent to %q", got)
		}
		visitor.post("/account/profile", "name", "Nobody").want(t, http.StatusUnauthorized)
		visitor.post("/account/password", "current", password, "new", otherPassword).want(t, http.StatusUnauthorized).lacks(t, otherPassword)
		s.as(ada).get("/account").want(t, http.StatusOK, "Ada Byron", ada, "password").lacks(t, bea)
	})
}

func TestAccount_changesTheNameEverywhere(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		b.post("/account/profile", "name", "  ").want(t, http.StatusUnprocessableEntity, `aria-invalid="true"`)
		b.post("/account/profile", "name", strings.Repeat("x", 81)).want(t, http.StatusUnprocessableEntity, "at most 80")
		b.post("/account/profile", "name", "Ada King").want(t, http.StatusSeeOther)
		b.get("/account?said=renamed").want(t, http.StatusOK, "Ada King", "Your new name")
	})
}

func TestPassword_isNotChangedWithoutTheOldOne(t *testing.T) {
	t.Attr("asvs", "6.2.3")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		for _, row := range []struct{ name, current, wanted, says string }{
			{"a wrong present password", "not it at all, sorry", otherPassword, "not your present password"},
			{"a short new one", password, "too short", "15"},
			{"one made of the name", password, "Ada Byron Ada Byron", "name"},
			{"the same again", password, password, "the password you have now"},
		} {
			a := b.post("/account/password", "current", row.current, "new", row.wanted, "end_others", "1")
			a.want(t, http.StatusUnprocessableEntity, row.says).lacks(t, row.current, row.wanted)
		}
		s.as(ada)
	})
}

func TestPassword_guessingIsSlowedDown(t *testing.T) {
	t.Attr("asvs", "6.3.1")
	s := newSite(t, session.Database)
	b := s.as(ada)
	var last answer
	for range 8 {
		last = b.post("/account/password", "current", "not it at all, sorry", "new", otherPassword)
	}
	last.want(t, http.StatusTooManyRequests, "Too many tries")
	if last.header.Get("Retry-After") == "" {
		t.Error("it is not said when to come back")
	}
}

func TestPassword_ofADemoAccountStays(t *testing.T) {
	s := newSite(t, session.Database)
	demo := fixedID("visitor")
	must(t, s.db.CreateUser(t.Context(), school.User{ID: demo, Email: "v@school.example", Name: "Vee", Role: school.Student, Demo: true, CreatedAt: s.Now()}, passwordHash()))
	b := s.as("v@school.example")
	b.get("/account").want(t, http.StatusOK, "The password of a demo account stays").lacks(t, `name="current"`)
	b.post("/account/password", "current", password, "new", otherPassword).want(t, http.StatusForbidden, "demo accounts keep theirs")
	s.as("v@school.example")
}

func TestPassword_endsTheOtherSessionsThatCanBeEnded(t *testing.T) {
	t.Attr("asvs", "6.2.2 7.4.3")
	eachBackend(t, func(t *testing.T, s *site) {
		here, phone := s.as(ada), s.as(ada)
		before := here.cookie(cookieOf(here.kind()))
		here.get("/account").want(t, http.StatusOK, `name="end_others" value="1" checked`)
		done := here.post("/account/password", "current", password, "new", otherPassword, "end_others", "1").want(t, http.StatusSeeOther)
		page := here.get(done.location).want(t, http.StatusOK, "Password changed")
		s.clock.move(lagOf(here.kind()))
		if !here.signedIn() || here.cookie(cookieOf(here.kind())) == before {
			t.Error("this browser should be signed in with a new session")
		}
		if here.kind() == session.JWT {
			page.want(t, http.StatusOK, "0 other sessions on the server ended", "tokens issued before stay good")
			if !phone.signedIn() {
				t.Error("nothing could have ended the token on the telephone")
			}
		} else {
			page.want(t, http.StatusOK, "1 other session on the server ended")
			if phone.signedIn() {
				t.Error("the telephone is still signed in")
			}
		}
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusUnprocessableEntity)
		s.browser().post("/signin", "email", ada, "password", otherPassword).want(t, http.StatusSeeOther)
		s.as(bea).get(done.location).want(t, http.StatusOK).lacks(t, "Password changed")
	})
}

func TestPassword_leavesTheOthersAloneWhenAsked(t *testing.T) {
	s := newSite(t, session.Database)
	here, phone := s.as(ada), s.as(ada)
	done := here.post("/account/password", "current", password, "new", otherPassword).want(t, http.StatusSeeOther)
	here.get(done.location).want(t, http.StatusOK, "other sessions go on")
	if !phone.signedIn() {
		t.Error("the telephone was signed out, though nobody asked for it")
	}
}

// cookieOf is the cookie that a kind of session is read from first.
func cookieOf(backend string) string { return cookiesOf(backend)[0] }

// cookiesOf are the cookies that a kind of session travels in.
func cookiesOf(backend string) []string {
	switch backend {
	case session.JWT:
		return []string{"lectern-jwt"}
	case session.Hybrid:
		return []string{"lectern-access", "lectern-refresh"}
	}
	return []string{"lectern-sid"}
}

// TestXRayLink_opensThisVeryPage keeps what the page was asked for, and leads
// nowhere that only takes forms.
func TestXRayLink_opensThisVeryPage(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.as(ada)
	b.get("/courses?q=knots&said=x").want(t, http.StatusOK, `href="/courses?q=knots&amp;xray=open"`)
	b.post("/account/password", "current", password, "new", "short").want(t, http.StatusUnprocessableEntity, `href="/?xray=open"`, `href="/account?xray=open#xray"`)
}
