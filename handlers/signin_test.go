package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"lectern/db"
)

func TestSignIn_refusesWithoutSayingWhy(t *testing.T) {
	t.Attr("asvs", "6.3.8 16.2.5")
	eachBackend(t, func(t *testing.T, s *site) {
		wrong := s.browser().post("/signin", "email", ada, "password", "not it at all, sorry").
			want(t, http.StatusUnprocessableEntity, "do not open an account")
		unknown := s.browser().post("/signin", "email", "bda@school.example", "password", "not it at all, sorry").
			want(t, http.StatusUnprocessableEntity, "do not open an account")
		if w, u := strings.ReplaceAll(wrong.main(), ada, ""), strings.ReplaceAll(unknown.main(), "bda@school.example", ""); w != u {
			t.Errorf("a known and an unknown address get different pages:\n%s\n%s", w, u)
		}
		if strings.Contains(s.log.String(), "not it at all") {
			t.Error("the password stands in the log")
		}
	})
}

func TestSignIn_leadsToLocalPathsOnly(t *testing.T) {
	t.Attr("asvs", "3.7.2")
	eachBackend(t, func(t *testing.T, s *site) {
		for next, want := range map[string]string{
			"/learning?x=1":            "/learning?x=1",
			"https://evil.example/":    "/",
			"//evil.example":           "/",
			`/\evil.example`:           "/",
			"/\t/evil.example":         "/",
			"/%09/evil.example":        "/",
			"/%2F/evil.example":        "/",
			"javascript:alert(1)":      "/",
			"":                         "/",
			"/courses\r\nSet-Cookie:x": "/",
		} {
			b := s.browser()
			got := b.post("/signin", "email", ada, "password", password, "next", next).want(t, http.StatusSeeOther)
			if got.location != want {
				t.Errorf("next %q leads to %q, want %q", next, got.location, want)
			}
		}
	})
}

// TestSignIn_slowsGuessingDown tries until it is told to wait: the page says
// for how long, and everything but the password is still in its form.
func TestSignIn_slowsGuessingDown(t *testing.T) {
	t.Attr("asvs", "2.4.1 6.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.browser()
		form := []string{"email", ada, "next", "/learning", "remember", "1", "kept-action", "/account/profile", "kept-name", "Ada, Countess"}
		wrong := append(form, "password", "not it at all, sorry")
		for range 5 {
			b.post("/signin", wrong...).want(t, http.StatusUnprocessableEntity)
		}
		for _, typed := range []string{"not it at all, sorry", password} {
			slow := b.post("/signin", append(form, "password", typed)...).
				want(t, http.StatusTooManyRequests, "Too many tries.", "Try again in 1 second", `value="`+ada+`"`, `name="next" value="/learning"`,
					`name="kept-action" value="/account/profile"`, `name="kept-name" value="Ada, Countess"`, `name="remember" value="1" checked`).
				lacks(t, typed)
			if got := slow.header.Get("Retry-After"); got != "1" {
				t.Errorf("Retry-After is %q", got)
			}
			if b.cookie(cookieOf(s.sessions.Site().Backend)) != "" {
				t.Error("who has to wait was let in")
			}
		}
		s.clock.move(time.Second)
		b.post("/signin", append(form, "password", password)...).want(t, http.StatusOK, "your text is here", "Ada, Countess")
	})
}

func TestSignUp_keepsWhatWasTypedButThePassword(t *testing.T) {
	t.Attr("asvs", "2.2.2 6.2.1 6.2.4 6.2.11 16.2.5")
	s := newSite(t, "memory")
	for _, row := range []struct{ says, name, email, password, reason string }{
		{"14 characters are too few", "New Person", "new@school.example", "violet tractor", "at least 15 characters; this has 14"},
		{"a commonplace password is on everybody's list", "New Person", "new@school.example", "correct horse battery staple", "on the list of passwords that many people use"},
		{"the name is tried first", "Bartholomew Featherstone", "new@school.example", "Bartholomew Featherstone", "mostly your name"},
		{"the address is tried first", "New Person", "quicksilver.weasel@school.example", "quicksilverweasel1", "mostly your name, your address"},
		{"an address is one", "Second Ada", "ada at school", otherPassword, "An e-mail address looks like"},
	} {
		t.Run(row.says, func(t *testing.T) {
			b := s.browser()
			got := b.post("/signup", "name", row.name, "email", row.email, "password", row.password).
				want(t, http.StatusUnprocessableEntity, "Not yet.", row.reason, `value="`+row.name+`"`, `value="`+row.email+`"`)
			if field := passwordField.FindString(got.body); !strings.Contains(field, `value=""`) {
				t.Errorf("the field of the password is %q", field)
			}
			if row.password != row.name {
				got.lacks(t, row.password)
			}
			if strings.Contains(s.log.String(), row.password) {
				t.Error("the password stands in the log")
			}
			b.get("/account").want(t, http.StatusSeeOther)
		})
	}
	people, err := s.db.Users(t.Context(), db.UserQuery{})
	must(t, err)
	if people.Total != 5 {
		t.Errorf("there are %d accounts, and were 5", people.Total)
	}
}

var passwordField = regexp.MustCompile(`<input[^>]* name="password"[^>]*>`)

func TestSignOut_endsTheSession(t *testing.T) {
	t.Attr("asvs", "14.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		b.get("/").want(t, http.StatusOK, "Ada Byron")
		out := b.post("/signout").want(t, http.StatusSeeOther)
		if got := out.header.Get("Clear-Site-Data"); got != `"cache"` {
			t.Errorf("Clear-Site-Data is %q", got)
		}
		b.get("/").want(t, http.StatusOK).lacks(t, "Ada Byron")
	})
}

func TestSession_endsWithItsTime(t *testing.T) {
	t.Attr("asvs", "7.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		s.clock.move(2 * time.Hour)
		b.get("/").want(t, http.StatusOK).lacks(t, "Ada Byron")
	})
}

func TestSession_livesOnWithEachVisit(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		s.clock.move(20 * time.Minute)
		b.get("/").want(t, http.StatusOK, "Ada Byron")
		s.clock.move(20 * time.Minute)
		b.get("/").want(t, http.StatusOK, "Ada Byron")
	})
}
