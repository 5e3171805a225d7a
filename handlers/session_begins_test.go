package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestSession_beginsWithSomebodysDoing: no page that is looked at begins a session, and no
// answer of another site does that this very browser has not asked for; a beginning that
// another site proposes leads to the door.
func TestSession_beginsWithSomebodysDoing(t *testing.T) {
	t.Attr("asvs", "7.6.2")
	eachCampus(t, func(t *testing.T, s *site) {
		const path = "/signin/with/campus-id"
		s.connect(ada, mina)
		admin := s.as(alan)
		admin.invite(cleo, "student").want(t, http.StatusSeeOther)
		b := s.browser()
		outside := func(what string, b *browser) {
			t.Helper()
			for _, name := range cookiesOf(s.sessions.Site().Backend) {
				if b.cookie(name) != "" {
					t.Errorf("%s: there is a cookie %s", what, name)
				}
			}
			if b.signedIn() {
				t.Errorf("%s: a session has begun", what)
			}
		}
		b.get(s.invited(cleo)).want(t, http.StatusOK)
		for _, r := range rows {
			method, address, _ := strings.Cut(r.route, " ")
			if r.path != "" {
				address = r.path
			}
			if method == http.MethodGet {
				b.get(address)
			}
		}
		outside("every page", b)

		began := s.browser()
		back := began.answersCampus(began.sent(path), mina, "yes")
		for _, from := range []string{"cross-site", "none", "same-origin"} {
			pushed := s.browser()
			pushed.get(back, "Sec-Fetch-Site", from).want(t, http.StatusBadRequest, "This is over")
			pushed.get(path+"?code=x&state=x&iss="+url.QueryEscape(s.campus.URL), "Sec-Fetch-Site", from).want(t, http.StatusBadRequest, "This is over")
			outside("an answer that nobody here asked for, "+from, pushed)
		}
		proposed := s.browser()
		hint := "?" + url.Values{"iss": {s.campus.URL}, "login_hint": {mina}, "target_link_uri": {s.url + "/learning"}}.Encode()
		if got := proposed.get(path+hint, "Sec-Fetch-Site", "cross-site").want(t, http.StatusSeeOther); got.location != "/signin" || proposed.cookie("lectern-flow") != "" {
			t.Errorf("a beginning that another site proposes leads to %s", got.location)
		}
		outside("a beginning that another site proposes", proposed)
		began.back(back).want(t, http.StatusSeeOther)
		if !began.signedIn() {
			t.Error("whoever began is not signed in")
		}
	})
}
