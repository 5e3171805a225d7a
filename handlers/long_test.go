package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session"
)

// What browsers and servers take, and many a proxy no more of: of a cookie, of an
// address, and of all headers together.
const (
	longestCookie  = 4096
	longestAddress = 8000
	longestHeaders = 8192
)

var addressOnPage = regexp.MustCompile(`(?:href|action|formaction|src)="([^"]*)"`)

// short fails if somebody is led, or could go, to an address that is not answered.
func (a answer) short(t *testing.T, what string) {
	t.Helper()
	whole := 0
	for name, values := range a.header {
		for _, value := range values {
			whole += len(name) + len(value) + 4
		}
	}
	if whole > longestHeaders || len(a.location) > longestAddress {
		t.Errorf("%s has headers of %d bytes, and leads to an address of %d", what, whole, len(a.location))
	}
	for _, line := range a.header["Set-Cookie"] {
		if cookie, _, _ := strings.Cut(line, ";"); len(cookie) > longestCookie {
			t.Errorf("%s sets a cookie of %d bytes", what, len(cookie))
		}
	}
	if a.header.Get("Content-Type") != page {
		return
	}
	for _, found := range addressOnPage.FindAllStringSubmatch(a.body, -1) {
		if len(found[1]) > longestAddress {
			t.Errorf("%s links to an address of %d bytes: %.60s…", what, len(found[1]), found[1])
		}
	}
}

// TestAddresses_areNeverTooLong asks for every page with far more behind it than anybody
// typed, and sends every form so: whatever the site makes of it, it is answered.
func TestAddresses_areNeverTooLong(t *testing.T) {
	oneByOne(t)
	t.Attr("asvs", "4.2.5")
	s := withClass(t, session.JWT)
	tails := map[string]string{
		"letters":  "/" + strings.Repeat("long/", 500),
		"signs":    "/" + strings.Repeat("=&", 999),
		"accents":  "/" + strings.Repeat("é", 999),
		"percents": "/" + strings.Repeat("%25", 660),
		"rockets":  strings.Repeat("\U0001F680", 400),
	}
	names := []string{"q", "next", "after", "name", "whom", "from", "action", "role", "sort", "backend", "unheard-of"}
	for _, who := range []string{"", ada, alan} {
		fresh, stale := s.enter(who), s.enteredAt(who, s.clock.Now().Add(-20*time.Minute))
		for _, r := range rows {
			method, path, _ := strings.Cut(r.route, " ")
			if r.path != "" {
				path = r.path
			}
			if path == "/signout" || strings.HasPrefix(path, "/api/v1/lab/") {
				continue
			}
			for says, tail := range tails {
				values := url.Values{}
				for _, name := range names {
					values.Set(name, tail)
				}
				what := fmt.Sprintf("%s %s as %q with %s", method, path, who, says)
				switch {
				case method == http.MethodGet && !strings.Contains(path, "?"):
					fresh.get(path+"?"+values.Encode()).short(t, what)
					stale.get(path+"?"+values.Encode()).short(t, what+", who is to confirm it")
				case r.want.each()[who] >= http.StatusBadRequest:
					for i := 0; i+1 < len(r.fields); i += 2 {
						values.Set(r.fields[i], r.fields[i+1])
					}
					stale.send(method, path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded").short(t, what)
				}
			}
		}
		for says, tail := range tails {
			fresh.send(http.MethodPost, "/appearance", url.Values{"theme": {"dark"}, "next": {tail}}.Encode(), "Content-Type", "application/x-www-form-urlencoded").short(t, "light or dark with "+says)
			s.browser().post("/signin", "email", ada, "password", password, "next", tail).short(t, "a sign-in with "+says)
			s.browser().post("/signin/code", "email", ada, "next", tail).short(t, "a code with "+says)
			s.clock.move(time.Minute)
		}
	}
	var body strings.Builder
	for i := range 40 {
		fmt.Fprintf(&body, "[Another](/lab/no-such-experiment-%s-%d)\n\n", strings.Repeat("x", 4000-100*i), i)
	}
	s.enter(grace).post("/teach/preview", "body", body.String(), "kind", "lab").want(t, http.StatusOK).short(t, "a preview")
}
