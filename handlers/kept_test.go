package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session"
)

// TestKept_saysAllThatItWouldDo lets an admin sign in over a form that somebody
// else has made: they see what it is.
func TestKept_saysAllThatItWouldDo(t *testing.T) {
	s := newSite(t, session.Database)
	back := s.browser().post("/signin", "email", alan, "password", password, "kept-action", "/admin/users/x/role", "kept-role", "admin")
	back.want(t, http.StatusOK, "what you sent is here", "change somebody’s role", "<code>/admin/users/x/role</code>", "<dt>role</dt><dd>admin</dd>", `name="role" value="admin"`).lacks(t, "your text")
	s.browser().post("/courses/knots/join").want(t, http.StatusUnauthorized, "join the course").lacks(t, "keep my text")
}

// TestKept_waitsForAWayThatLeadsElsewhere: somebody who has no password sends a form
// without a session, signs in in another tab, and finds it where they left it.
func TestKept_waitsForAWayThatLeadsElsewhere(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.post("/account/profile", "name", "Bea the First").want(t, http.StatusUnauthorized, "What you sent is safe", `formaction="/kept"`)
		b.post("/kept").want(t, http.StatusSeeOther)
		kept := []string{"email", bea, "kept-action", "/account/profile", "kept-name", "Bea the First"}
		door := b.post("/kept", kept...).want(t, http.StatusOK, "What you sent is safe", `name="kept-name" value="Bea the First"`, `value="`+bea+`"`, `target="_blank"`, "I am signed in now")
		// Enter presses the first button of a form.
		if _, form, _ := strings.Cut(door.body, `action="/signin" id="signin"`); strings.Index(form, "Sign in</button>") > strings.Index(form, "/kept") {
			t.Error("Enter does not sign in")
		}

		flow := b.flow(b.post("/signin/code", "email", bea))
		b.post("/code", "flow", flow, "code", s.code(bea)).want(t, http.StatusSeeOther)
		b.post("/kept", kept...).want(t, http.StatusOK, "You are signed in, and your text is here", `action="/account/profile"`, `value="Bea the First"`)
		b.post("/account/profile", "name", "Bea the First").want(t, http.StatusSeeOther)
	})
}

// TestKept_waitsForACode: what needs a confirmation waits for one that comes by mail.
func TestKept_waitsForACode(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.enteredAt(bea, s.clock.Now().Add(-time.Hour))
		const wanted = "bea.new@school.example"
		b.post("/account/email", "email", wanted).want(t, http.StatusForbidden, "What you sent is safe", `name="kept-email" value="`+wanted+`"`)
		page := b.post("/confirm/code", "next", "/account/ways", "kept-action", "/account/email", "kept-email", wanted).
			want(t, http.StatusOK, "Confirm that it is you", `name="kept-email" value="`+wanted+`"`)
		flow := flowInForm.FindStringSubmatch(page.body)[1]
		b.post("/code", "flow", flow, "code", s.code(bea), "kept-action", "/account/email", "kept-email", wanted).
			want(t, http.StatusOK, "change your address", `action="/account/email"`, `name="email" value="`+wanted+`"`)
		b.post("/account/email", "email", wanted).want(t, http.StatusSeeOther)
	})
}

// TestDoor_choicesHoldForEveryWay: the kind of session that was chosen is the one that
// comes of it, also by a code, and after a password that was wrong.
func TestDoor_choicesHoldForEveryWay(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.browser()
	const jwt, usual = `value="jwt" checked form="signin`, `value="database" checked form="signin`
	b.get("/signin").want(t, http.StatusOK, usual).lacks(t, jwt)
	b.post("/signin", "email", bea, "password", otherPassword, "backend", session.JWT).want(t, http.StatusUnprocessableEntity, jwt).lacks(t, usual)
	b.get("/signin/code?backend=jwt&remember=1").want(t, http.StatusOK, jwt, `name="remember" value="1" checked`)
	b.get("/signin/code?backend=abacus").want(t, http.StatusOK, usual)
	b.post("/signin/code", "email", "nobody", "backend", session.JWT).want(t, http.StatusUnprocessableEntity, jwt)
	flow := b.flow(b.post("/signin/code", "email", bea, "backend", session.JWT))
	b.post("/code", "flow", flow, "code", s.code(bea)).want(t, http.StatusSeeOther)
	if got := b.kind(); got != session.JWT {
		t.Errorf("the session is one of %s", got)
	}
}

// TestSignUp_goesOnToWhatWasWanted, which is why somebody opened an account.
func TestSignUp_goesOnToWhatWasWanted(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.browser()
	const wanted = "/courses/knots"
	b.get("/signin?next="+wanted).want(t, http.StatusOK, `href="/signup?next=%2Fcourses%2Fknots"`)
	b.get("/signup?next="+wanted).want(t, http.StatusOK, `name="next" value="`+wanted+`"`, `href="/signin?next=%2Fcourses%2Fknots"`)
	b.post("/signup", "name", "New", "email", "new", "password", otherPassword, "next", wanted).want(t, http.StatusUnprocessableEntity, `name="next" value="`+wanted+`"`)
	flow := b.flow(b.post("/signup", "name", "New", "email", "new@school.example", "password", otherPassword, "next", wanted))
	if got := b.post("/code", "flow", flow, "code", s.code("new@school.example")).want(t, http.StatusSeeOther); got.location != wanted {
		t.Errorf("it leads to %s", got.location)
	}
	mute := startSite(t, session.Database, true, setting{mute: true})
	got := mute.browser().post("/signup", "name", "New", "email", "new@school.example", "password", otherPassword, "next", "//elsewhere.example/")
	if got.want(t, http.StatusSeeOther); got.location != "/learning?said=welcome" {
		t.Errorf("it leads to %s", got.location)
	}
}

// TestKept_isNoFormWithASecret: what is left of it without the password would do nothing,
// so it is said that it was not kept, and the way leads back to the form.
func TestKept_isNoFormWithASecret(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		change := url.Values{"current": {password}, "new": {otherPassword}, "end_others": {"1"}}
		s.browser().form("/account/password", change, "Referer", s.url+"/account").
			want(t, http.StatusUnauthorized, "what you sent was not kept", `href="/signin?next=%2Faccount"`).lacks(t, "What you sent is safe", "kept-end_others")
		s.enteredAt(ada, s.clock.Now().Add(-time.Hour)).form("/account/password", change, "Referer", s.url+"/account").
			want(t, http.StatusForbidden, "what you sent was not kept", `name="next" value="/account"`).lacks(t, "What you sent is safe", "kept-end_others")
	})
}

// TestKept_leadsBackToAPage: the address in the browser's bar may be that of a form, where
// there is no page to come back to.
func TestKept_leadsBackToAPage(t *testing.T) {
	s := newSite(t, session.Database)
	change := url.Values{"current": {password}, "new": {otherPassword}}
	for from, want := range map[string]string{"/account/password": "/account", "/kept": "/account", "/account/ways?said=x": "/account/ways?said=x", "/courses/knots#top": "/courses/knots"} {
		s.browser().form("/account/password", change, "Referer", s.url+from).want(t, http.StatusUnauthorized, `href="/signin?next=`+url.QueryEscape(want)+`"`)
	}
	for next, want := range map[string]string{"/signout": "/", "/account/password": "/", "/nowhere/at/all": "/", "/courses/": "/", "/courses/knots?x=1": "/courses/knots?x=1", "/": "/"} {
		if got := s.browser().post("/signin", "email", ada, "password", password, "next", next).want(t, http.StatusSeeOther); got.location != want {
			t.Errorf("%s leads to %s, want %s", next, got.location, want)
		}
	}
}

// TestKept_outlivesBeingToldToWait: nothing of the form that waits is lost on a page that
// says no to the one in its way.
func TestKept_outlivesBeingToldToWait(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.enteredAt(bea, s.clock.Now().Add(-time.Hour))
	kept := []string{"kept-action", "/account/email", "kept-email", "bea.new@school.example"}
	for range 10 {
		if got := b.post("/confirm/code", kept...); got.status != http.StatusOK {
			got.want(t, http.StatusTooManyRequests, "What you sent before is safe", "change your address", `action="/kept"`, `name="kept-email" value="bea.new@school.example"`)
			b.post("/kept", kept...).want(t, http.StatusOK, `name="email" value="bea.new@school.example"`)
			return
		}
	}
	t.Error("nobody is ever told to wait")
}

// TestKept_isNotPromisedWhereNothingCanBeAsked: the only way on leads through the door,
// and the form is lost on it.
func TestKept_isNotPromisedWhereNothingCanBeAsked(t *testing.T) {
	s := startSite(t, session.Database, true, setting{mute: true})
	must(t, s.db.UpdatePassword(t.Context(), fixedID("bea"), ""))
	s.enteredAt(bea, s.clock.Now().Add(-time.Hour)).post("/account/phone", "phone", "+44 7700 900123", "name", "What I had written").
		want(t, http.StatusForbidden, "Nothing of yours can be asked from here", "What I had written").lacks(t, "What you sent is safe")
}

// TestConfirm_countsFromTheCode that was read, however often it was sent.
func TestConfirm_countsFromTheCode(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.enteredAt(bea, s.clock.Now().Add(-5*time.Minute))
		flow := b.flow(b.post("/confirm/code"))
		s.clock.move(9 * time.Minute)
		flow = b.flow(b.post("/code/again", "flow", flow))
		s.clock.move(2 * time.Minute)
		b.post("/code", "flow", flow, "code", s.code(bea)).want(t, http.StatusSeeOther)
		b.post("/account/email", "email", "bea.new@school.example").want(t, http.StatusSeeOther)
	})
}
