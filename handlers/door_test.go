package handlers_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/session"
	"lectern/views"
)

// withDemoPeople adds the accounts that anybody may use.
func (s *site) withDemoPeople() {
	s.t.Helper()
	hash, err := auth.NewHasher(rand.Reader, 1).Hash(s.t.Context(), views.DemoPassword)
	must(s.t, err)
	for _, a := range views.DemoAccounts {
		must(s.t, s.db.CreateUser(s.t.Context(), school.User{
			ID: fixedID("demo" + a.Role), Email: school.Email(a.Email), Name: "Demo " + a.Name, Role: school.Role(strings.ToLower(a.Role)), Demo: true, CreatedAt: s.Now(),
		}, hash))
	}
}

// TestDemo_takesAlongWhatTheDoorHolds walks in by one press, with a kind of
// session chosen and with a form that waits.
func TestDemo_takesAlongWhatTheDoorHolds(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		s.withDemoPeople()
		adas := views.DemoAccounts[0].Email
		s.browser().get("/signin").want(t, http.StatusOK, `form="signin" name="demo" value="`+adas+`" formnovalidate`)
		b := s.browser()
		chosen := other(s.sessions.Site().Backend)
		got := b.post("/signin", "email", "", "password", "", "demo", adas, "backend", chosen, "next", "/learning").want(t, http.StatusSeeOther)
		if got.location != "/learning" || b.kind() != chosen {
			t.Errorf("leads to %q with %s, want %s", got.location, b.kind(), chosen)
		}
		refused := s.browser().post("/account/profile", "name", "Ada King").want(t, http.StatusUnauthorized)
		door := s.browser().post("/signin", append(refused.hidden(), "email", adas, "password", "not at all what it is")...).want(t, http.StatusUnprocessableEntity, "change your name")
		s.browser().post("/signin", append(door.hidden(), "demo", adas)...).want(t, http.StatusOK, `action="/account/profile"`, `value="Ada King"`)
		s.browser().post("/signin", "demo", ada).want(t, http.StatusUnprocessableEntity)
	})
}

func TestDemo_isNoWayInWhereThereIsNone(t *testing.T) {
	t.Attr("asvs", "6.3.2 15.2.3")
	s := startSite(t, session.Database, false)
	s.withDemoPeople()
	s.browser().get("/signin").want(t, http.StatusOK).lacks(t, `name="demo"`)
	s.browser().post("/signin", "demo", views.DemoAccounts[0].Email).want(t, http.StatusUnprocessableEntity)
}

// TestBusy_losesNothing signs in while the line before the door is full.
func TestBusy_losesNothing(t *testing.T) {
	s := newSite(t, session.Memory)
	ctx, leave := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for range 200 {
		crowd.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Hasher.Hash(ctx, password); errors.Is(err, auth.ErrBusy) {
					runtime.Gosched()
				}
			}
		})
	}
	defer crowd.Wait()
	defer leave()
	for range 20 {
		a := s.browser().post("/signin", "email", ada, "password", password, "kept-action", "/account/profile", "kept-name", "Ada King")
		if a.status == http.StatusServiceUnavailable {
			a.want(t, a.status, "There is a crowd at the door", `name="kept-name" value="Ada King"`)
			if a.header.Get("Retry-After") == "" {
				t.Error("it is not said when to come back")
			}
			return
		}
	}
	t.Error("there was always room")
}

func TestLog_hasWrongPresentPasswords(t *testing.T) {
	t.Attr("asvs", "16.3.1")
	s := newSite(t, session.Database)
	b := s.as(ada)
	b.post("/account/password", "current", "not it at all, sorry", "new", otherPassword)
	if e := s.lastEvent(school.ActionSignInRefused); e.Actor.Name != "Ada Byron" || !strings.Contains(e.Detail, "present password") {
		t.Errorf("the log has %+v", e)
	}
}

// TestClosed_isSaidToWhoHoldsAToken lets somebody go on with a token after
// their account has been closed.
func TestClosed_isSaidToWhoHoldsAToken(t *testing.T) {
	s := newSite(t, session.JWT)
	her := s.as(ada)
	s.as(alan).post(person(ada)+"/disable").want(t, http.StatusSeeOther)
	her.post("/session/backend", "backend", session.Database).want(t, http.StatusConflict, "This account has been closed", "gets no new session").lacks(t, "never was one")
	if her.kind() != session.JWT {
		t.Errorf("came away with %s", her.kind())
	}
}

// TestClosed_keepsNoWayIn: a token goes on after its account was closed, and must not be
// enough to keep a way into it, nor to do what admins alone may. What was begun before is
// not ended afterwards. The rest goes on until the token expires, as tokens do.
func TestClosed_keepsNoWayIn(t *testing.T) {
	t.Attr("asvs", "7.4.2")
	for _, kind := range []string{session.JWT, session.Hybrid} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, kind, true, setting{campus: true, clock: &clock{now: time.Now()}})
			admin, her := s.as(alan), s.as(ada)
			admin.post(person(rob)+"/role", "role", "admin").want(t, http.StatusSeeOther)
			boss := s.as(rob)
			const number, wanted = "+447700900123", "ada.new@school.example"
			toPhone := her.flow(her.post("/account/phone", "phone", number))
			toEmail := her.flow(her.post("/account/email", "email", wanted))
			toCampus := her.answersCampus(her.sent("/account/providers/campus-id"), mina, "yes")
			admin.post(person(ada)+"/disable").want(t, http.StatusSeeOther)
			admin.post(person(rob)+"/disable").want(t, http.StatusSeeOther)

			her.get("/account/ways").want(t, http.StatusOK, "This account has been closed").lacks(t, `action="/account/phone"`, `action="/account/authenticator"`)
			for _, form := range [][]string{
				{"/account/password", "current", password, "new", otherPassword},
				{"/account/email", "email", wanted},
				{"/account/phone", "phone", number},
				{"/account/authenticator"},
				{"/account/passkeys/none/rename", "name", "Key"},
				{"/account/sessions/end-others"},
				{"/account/delete", "email", ada},
				{"/code", "flow", toPhone, "code", s.code(number)},
				{"/code", "flow", toEmail, "code", s.code(wanted)},
			} {
				her.post(form[0], form[1:]...).want(t, http.StatusConflict)
			}
			her.get("/account/data.json").want(t, http.StatusConflict)
			her.back(toCampus).want(t, http.StatusConflict)
			for _, deed := range []string{"/enable", "/role"} {
				boss.post(person(rob)+deed, "role", "admin").want(t, http.StatusConflict, "This account has been closed")
			}
			if !strings.Contains(s.log.String(), `"denied":"closed"`) {
				t.Error("the log does not tell these from other conflicts")
			}
			her.post("/account/profile", "name", "Ada King").want(t, http.StatusSeeOther)
			factors, err := s.db.Factors(t.Context(), fixedID("ada"))
			must(t, err)
			if factors.Phone != "" || factors.Passkeys+factors.Identities > 0 || !factors.AuthenticatorAt.IsZero() {
				t.Errorf("she came away with %+v", factors)
			}
			if user, err := s.db.User(t.Context(), fixedID("ada")); err != nil || user.Email != ada {
				t.Errorf("she is %+v, %v", user, err)
			}
		})
	}
}

func TestLesson_isOpenedByAPageOnly(t *testing.T) {
	s := newSite(t, session.Memory)
	her := s.as(ada)
	her.post("/courses/knots/join")
	place := func() school.ID {
		e, err := s.db.Enrolment(t.Context(), fixedID("ada"), fixedID("course-knots"))
		must(t, err)
		return e.LastLesson
	}
	before := place()
	her.get("/courses/knots/lessons/two-first", "Sec-Fetch-Dest", "image").want(t, http.StatusOK)
	her.get("/courses/knots/lessons/two-first", "Sec-Fetch-Dest", "document", "Sec-Purpose", "prefetch").want(t, http.StatusOK)
	her.send(http.MethodHead, "/courses/knots/lessons/two-first", "").want(t, http.StatusOK)
	if place() != before {
		t.Error("a picture has moved the place")
	}
	her.get("/courses/knots/lessons/two-first", "Sec-Fetch-Dest", "document").want(t, http.StatusOK)
	if place() == before {
		t.Error("opening the page has not moved the place")
	}
}
