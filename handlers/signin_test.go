package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSignIn_refusesWithoutSayingWhy(t *testing.T) {
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
	s := newSite(t, "memory")
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
}

func TestSignOut_endsTheSession(t *testing.T) {
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
