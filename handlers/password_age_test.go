package handlers_test

import (
	"net/http"
	"testing"
	"time"
)

// TestPassword_growsNoOlder: after more than a year it is good as on the first day, and
// nobody is led to, asked for or written to about another one.
func TestPassword_growsNoOlder(t *testing.T) {
	t.Attr("asvs", "6.2.10")
	eachBackend(t, func(t *testing.T, s *site) {
		s.as(ada).post("/signout").want(t, http.StatusSeeOther)
		letters := s.letters(ada)
		for range 4 {
			s.clock.move(100 * 24 * time.Hour)
			b := s.browser()
			if got := b.post("/signin", "email", ada, "password", password, "next", "/learning").want(t, http.StatusSeeOther); got.location != "/learning" {
				t.Errorf("an old password leads to %s", got.location)
			}
			for _, path := range []string{"/learning", "/", "/account", "/account/ways"} {
				b.get(path).want(t, http.StatusOK, "Ada Byron").lacks(t, "password has expired", "password is too old", "time to change")
			}
			b.post("/account/profile", "name", "Ada Byron").want(t, http.StatusSeeOther)
			b.post("/signout").want(t, http.StatusSeeOther)
			b.send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), "Content-Type", jsonType).want(t, http.StatusOK)
		}
		if s.wasTold(ada, "Your password was changed") || s.wasTold(ada, "Please choose a new password") || s.letters(ada) > letters+4 {
			t.Errorf("she got %d letters, the last about %q", s.letters(ada)-letters, s.letter(ada).Subject)
		}
	})
}
