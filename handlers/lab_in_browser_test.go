package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/handlers/lab/othersite"
	"lectern/handlers/session"
)

const (
	theftPage = "/lab/steal-by-script"
	postPage  = "/lab/post-from-another-site"
	decoyName = "lectern-lab-decoy"
)

var elsewhere = othersite.Place{Apart: "http://localhost:8082", NextDoor: "http://127.0.0.1:8082"}

// besideAnother is a site with the lab's other site beside it.
func besideAnother(t *testing.T, backend string) *site {
	t.Helper()
	return startSite(t, backend, true, setting{other: elsewhere})
}

// attemptOf is the name of a browser's attempts, as the links to the other site have it.
func attemptOf(t *testing.T, b *browser) string {
	t.Helper()
	id := between(b.get(postPage).want(t, 200).body, elsewhere.Apart+"/?attempt=", `"`)
	if !othersite.IsAttempt(id) {
		t.Fatalf("the other site is visited as %q", id)
	}
	return id
}

// fromElsewhere sends the form of the other site, as a browser does.
func (b *browser) fromElsewhere(t *testing.T, attempt, origin, fetchSite string) answer {
	t.Helper()
	return b.send(http.MethodPost, "/account/profile?attempt="+attempt, "name=Mallory", "Origin", origin, "Sec-Fetch-Site", fetchSite, "Content-Type", "application/x-www-form-urlencoded")
}

func TestInBrowser_saysWhatArrivedToTheBrowserItCameFrom(t *testing.T) {
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := besideAnother(t, backend)
			her, other := s.as(ada), s.as(bea)
			attempt := attemptOf(t, her)
			her.get(postPage).want(t, 200, "Nothing has come from there yet").lacks(t, "Refused, ", "You are not signed in")

			// What a browser does with SameSite=Lax is not ours to say, so both are sent by hand.
			s.browser().fromElsewhere(t, attempt, elsewhere.Apart, "cross-site").want(t, 403, "That came from another site", `href="`+postPage+`#in-browser"`)
			her.get(postPage).want(t, 200, "Refused, and no cookie came along", ">cross-site<", "stayed at home", "Nothing has come from there yet")
			her.fromElsewhere(t, attempt, elsewhere.NextDoor, "same-site").want(t, 403)
			page := her.get(postPage).want(t, 200, "Refused, and no cookie came along", "Refused, although the cookie came along", ">same-site<", "<mark>came along</mark>").
				lacks(t, "Nothing has come from there yet", "Let in")
			for _, cookie := range her.client.Jar.Cookies(s.address()) {
				if cookie.Name != decoyName && len(cookie.Value) > 8 && strings.Contains(page.body, cookie.Value) {
					t.Errorf("the page shows the value of %s", cookie.Name)
				}
			}
			other.get(postPage).want(t, 200, "Nothing has come from there yet").lacks(t, "came along")
			her.get("/account").want(t, 200, "Ada").lacks(t, "Mallory")

			s.clock.move(16 * time.Minute)
			her.get(postPage).lacks(t, "came along")
		})
	}
}

func TestInBrowser_notesNothingElse(t *testing.T) {
	s := besideAnother(t, session.Database)
	visitor := s.browser()
	attempt := attemptOf(t, visitor)
	nothing := func(says string) {
		t.Helper()
		if page := visitor.get(postPage); strings.Count(page.body, "Nothing has come from there yet") != 2 {
			t.Errorf("something is noted of %s", says)
		}
	}
	visitor.fromElsewhere(t, attempt, "https://evil.example", "cross-site").want(t, 403).lacks(t, "Back to the experiment")
	nothing("another site that is not the lab's")
	visitor.fromElsewhere(t, "nonsense", elsewhere.Apart, "cross-site").want(t, 403)
	nothing("an attempt that cannot be")
	for _, madeUp := range []string{strings.Repeat("A", 26), attempt[13:] + attempt[:13]} {
		by := s.browser()
		by.client.Jar.SetCookies(s.address(), []*http.Cookie{{Name: decoyName, Value: madeUp}})
		by.fromElsewhere(t, madeUp, elsewhere.Apart, "cross-site").want(t, 403)
		if page := by.get(postPage).want(t, 200); strings.Contains(page.body, madeUp) || strings.Count(page.body, "Nothing has come from there yet") != 2 {
			t.Errorf("%s, which was not handed out here, counts", madeUp)
		}
	}
	if n := s.AttemptsKept(); n != 0 {
		t.Errorf("%d are kept of browsers that were given no name here", n)
	}
	visitor.send(http.MethodGet, "/account/profile?attempt="+attempt, "", "Origin", elsewhere.Apart)
	nothing("a page that is looked at")
	visitor.send(http.MethodPost, "/account/profile?attempt="+attempt, "", "Sec-Fetch-Site", "cross-site").want(t, 403)
	nothing("a form that does not say its origin")

	visitor.fromElsewhere(t, attempt, elsewhere.Apart, "<b>").want(t, 403)
	visitor.get(postPage).want(t, 200, "Refused, ", "not said").lacks(t, "&lt;b&gt;")
	visitor.post(postPage+"/reset").want(t, 303)
	if again := attemptOf(t, visitor); again == attempt {
		t.Error("a reset leaves the old attempts to be found")
	}
	nothing("what was reset")
}

func TestInBrowser_lendsWhoHasNoSession(t *testing.T) {
	s := besideAnother(t, session.JWT)
	visitor := s.browser()
	page := visitor.get(theftPage).want(t, 200, "You are not signed in", `data-hidden="`+decoyName+`"`, `data-arrived=""`, "<noscript>", "No script, no theft by script")
	line := page.header.Get("Set-Cookie")
	for _, word := range []string{decoyName + "=", "Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=1800"} {
		if !strings.Contains(line, word) {
			t.Errorf("the decoy lacks %s: %s", word, line)
		}
	}
	visitor.get(theftPage).want(t, 200, `data-arrived="`+decoyName+`"`)
	her := s.as(ada)
	if page := her.get(theftPage).want(t, 200, `data-hidden="lectern-jwt"`, `data-arrived="lectern-jwt"`).lacks(t, "You are not signed in"); len(page.header["Set-Cookie"]) > 0 {
		t.Errorf("who has a session is lent another: %s", page.header["Set-Cookie"])
	}
	if page := her.get("/lab/issue-a-session").want(t, 200); strings.Contains(page.body, "in-browser") || strings.Contains(page.body, "In your own browser") {
		t.Error("another experiment has a part in the browser")
	}
}

func TestInBrowser_saysWhyThereIsNoOtherSite(t *testing.T) {
	for reason, says := range map[othersite.Reason]string{
		othersite.Off:        "Nobody has asked for one",
		othersite.Taken:      "Its address was in use",
		othersite.OutOfReach: "It listens where your browser cannot come",
	} {
		s := startSite(t, session.Database, true, setting{other: othersite.Place{Missing: reason}})
		visitor := s.browser()
		if page := visitor.get(postPage).want(t, 200, says).lacks(t, "data-door"); len(page.header["Set-Cookie"]) > 0 {
			t.Errorf("%q: a cookie is set for nothing", reason)
		}
		s.browser().fromElsewhere(t, strings.Repeat("A", 26), "http://localhost:8082", "cross-site").want(t, 403).lacks(t, "Back to the experiment")
	}
}

func TestInBrowser_sendsWhoCameByAnotherNameHome(t *testing.T) {
	s := startSite(t, session.Database, true, setting{other: elsewhere, base: "http://localhost:8080"})
	s.browser().get(postPage).want(t, 200, "You have come by another", `href="http://localhost:8080`+postPage+`#in-browser"`).lacks(t, "data-door")
}
