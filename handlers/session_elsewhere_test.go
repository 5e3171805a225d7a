package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lectern/handlers/policy"
	"lectern/handlers/session"
)

// TestSessionElsewhere_endsByItself: a session that began with the word of another site
// goes on without it, as long as any other and no longer; signing out here asks nothing of
// that site and leads nobody there; and to come again, or to confirm, it is asked anew.
func TestSessionElsewhere_endsByItself(t *testing.T) {
	t.Attr("asvs", "7.6.1")
	eachCampus(t, func(t *testing.T, s *site) {
		const again = "/signin/with/campus-id"
		s.connect(ada, mina)
		arrive := func() *browser {
			b := s.browser()
			b.come(again, mina).want(t, http.StatusSeeOther)
			return b
		}
		asked := func(b *browser, path string) url.Values {
			t.Helper()
			to, err := url.Parse(b.sent(path))
			must(t, err)
			if b.signedIn() && strings.HasPrefix(path, again) {
				t.Error("somebody is signed in before the other site was asked")
			}
			return to.Query()
		}
		goes, left, idle := arrive(), arrive(), arrive()
		s.clock.move(policy.ConfirmedFor + time.Second)
		goes.post("/account/two-step", "on", "0").want(t, http.StatusForbidden, "Confirm that it is you", "/confirm/with/campus-id")
		if q := asked(goes, "/confirm/with/campus-id?next=/account"); q.Get("max_age") != "60" {
			t.Errorf("to confirm, the other site is asked with max_age %q", q.Get("max_age"))
		}
		goes.post("/account/two-step", "on", "0").want(t, http.StatusForbidden)
		asked(s.browser(), again)

		s.campus.Close()
		if got := left.post("/signout").want(t, http.StatusSeeOther); got.location != "/" || left.signedIn() {
			t.Errorf("signing out leads to %s", got.location)
		}
		for range 4 {
			s.clock.move(10 * time.Minute)
			if !goes.signedIn() {
				t.Fatal("a session ended with the other site")
			}
		}
		if stays := s.sessions.Site().Backend == session.JWT; idle.signedIn() != stays {
			t.Errorf("after %s without a visit somebody is signed in: %v", lifetimes.Idle, !stays)
		}
		for range int(lifetimes.Absolute / (10 * time.Minute)) {
			s.clock.move(10 * time.Minute)
			goes.get("/learning")
		}
		if goes.signedIn() {
			t.Error("a session lives longer because another site began it")
		}
	})
}
