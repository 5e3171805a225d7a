package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

func TestData_isHandedToItsOwnerWithoutSecrets(t *testing.T) {
	t.Attr("asvs", "14.2.6 15.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		app, paper := b.setUp()
		b.post("/courses/knots/join").want(t, http.StatusSeeOther)
		got := b.get("/account/data.json").want(t, http.StatusOK)
		if got.header.Get("Content-Disposition") != `attachment; filename="lectern-account.json"` || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the headers are %v", got.header)
		}
		var data struct {
			Person  struct{ Email, Name string }
			Courses []struct{ Slug string }
			Places  []struct{ Device string }
			Log     []struct{ Action string }
		}
		must(t, json.Unmarshal([]byte(got.body), &data))
		if data.Person.Email != ada || len(data.Courses) != 1 || data.Courses[0].Slug != "knots" || len(data.Log) < 3 || len(data.Places) != 1 {
			t.Errorf("it is %+v", data)
		}
		got.lacks(t, "argon2id", app.secret, paper[0], bea, b.cookie(cookieOf(s.sessions.Site().Backend)))
		s.clock.move(11 * time.Minute)
		if got := b.get("/account/data.json").want(t, http.StatusSeeOther); !strings.HasPrefix(got.location, "/confirm?") {
			t.Errorf("an old session leads to %s", got.location)
		}
	})
}

func TestDelete_passesCoursesOnAndLeavesNothingElse(t *testing.T) {
	t.Attr("asvs", "7.4.2")
	eachBackend(t, func(t *testing.T, s *site) {
		b, elsewhere := s.as(grace), s.as(grace)
		b.post("/courses/stars/join").want(t, http.StatusSeeOther)
		b.get("/account/delete").want(t, http.StatusOK, "2 courses are", "Alan Mathison")
		b.post("/account/delete", "email", ada).want(t, http.StatusUnprocessableEntity, "Not deleted.")
		b.post("/account/delete", "email", grace).want(t, http.StatusSeeOther)
		b.get("/?said=account-deleted").want(t, http.StatusOK, "Your account is deleted")
		for _, who := range []*browser{b, elsewhere} {
			if who.signedIn() {
				t.Error("somebody is signed in who is not there")
			}
		}
		s.browser().post("/signin", "email", grace, "password", password).want(t, http.StatusUnprocessableEntity)
		s.browser().get("/courses/knots").want(t, http.StatusOK, "Alan Mathison").lacks(t, "Grace Murray")
		must(t, s.db.CheckCounts(t.Context()))
		events, err := s.db.Events(t.Context(), db.EventQuery{Action: school.ActionAccountDelete})
		must(t, err)
		if len(events.Events) != 1 || events.Events[0].Actor.Name != "Grace Murray" {
			t.Errorf("the log has %+v", events.Events)
		}
		s.as(alan).post("/account/delete", "email", alan).want(t, http.StatusConflict, "last admin")
	})
}

func TestNewPlace_isTold(t *testing.T) {
	t.Attr("asvs", "6.3.5")
	eachBackend(t, func(t *testing.T, s *site) {
		from := func(browser string) {
			t.Helper()
			s.browser().send(http.MethodPost, "/signin", "email="+ada+"&password="+strings.ReplaceAll(password, " ", "+"), "Content-Type", "application/x-www-form-urlencoded", "User-Agent", browser).want(t, http.StatusSeeOther)
		}
		from("Firefox/140.0")
		from("Firefox/141.0")
		if n := s.letters(ada); n != 0 {
			t.Errorf("she got %d letters for the places that she began with", n)
		}
		from("Chrome/140.0")
		from("Chrome/140.0")
		if n := s.letters(ada); n != 1 || s.letter(ada).Subject != "A new sign-in" || !strings.Contains(s.letter(ada).Body, "Chromium") {
			t.Errorf("she got %d letters", n)
		}
	})
}
