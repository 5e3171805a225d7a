package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lectern/db"
	"lectern/handlers/session"
)

// line is a line of the server's log, as far as it matters here.
type line struct {
	Time                                                  time.Time
	Msg, ID, Method, Path, User, Address, Session, Denied string
	Status                                                int
}

// logLines are the lines of the log, each of which has to be one object and no more.
func (s *site) logLines() (lines []line) {
	s.t.Helper()
	for text := range strings.Lines(s.log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			s.t.Errorf("a line of the log is no object: %v: %q", err, text)
		}
		lines = append(lines, l)
	}
	return lines
}

// lineOf is the line about the request that was answered so.
func (s *site) lineOf(a answer) line {
	s.t.Helper()
	for _, l := range s.logLines() {
		if l.Msg == "request" && l.ID == a.header.Get("X-Request-Id") {
			return l
		}
	}
	s.t.Fatalf("the log has no line of %s", a.header.Get("X-Request-Id"))
	return line{}
}

// TestLog_hasEveryRefusal: whoever is refused something, openly or as if there were
// nothing, stands in the log with what it was; and who only went astray does not.
func TestLog_hasEveryRefusal(t *testing.T) {
	t.Attr("asvs", "16.3.2")
	eachBackend(t, func(t *testing.T, s *site) {
		form := []string{"Content-Type", "application/x-www-form-urlencoded"}
		people := map[string]*browser{"": s.browser(), ada: s.enter(ada), rob: s.enter(rob), grace: s.enteredAt(grace, s.clock.Now().Add(-time.Hour))}
		for _, tt := range []struct {
			who, method, path string
			headers           []string
			status            int
			denied            string
		}{
			{"", http.MethodPost, "/account/profile", form, 401, "account.edit"},
			{"", http.MethodGet, "/account", nil, 303, "account.view"},
			{"", http.MethodGet, "/api/v1/me", nil, 401, "account.view"},
			{ada, http.MethodGet, "/admin/users", nil, 403, "user.view"},
			{ada, http.MethodPost, person(bea) + "/role", form, 403, "user.manage"},
			{ada, http.MethodGet, "/courses/knots/lessons/one-second", nil, 403, "lesson.view"},
			{ada, http.MethodGet, "/courses/sails", nil, 404, "course.view"},
			{rob, http.MethodPost, "/teach/courses/knots/publish", form, 403, "course.edit"},
			{rob, http.MethodGet, "/teach/courses/sails", nil, 404, "course.edit"},
			{rob, http.MethodGet, "/api/v1/courses/sails", nil, 404, "course.view"},
			{ada, http.MethodPost, "/account/profile", append([]string{"Sec-Fetch-Site", "cross-site"}, form...), 403, "cross-origin"},
			{grace, http.MethodPost, "/account/email", form, 403, "unconfirmed"},
			{ada, http.MethodGet, "/courses/nothing", nil, 404, ""},
			{ada, http.MethodGet, "/nothing", nil, 404, ""},
			{ada, http.MethodGet, "/courses/knots", nil, 200, ""},
		} {
			got := people[tt.who].send(tt.method, tt.path, "", tt.headers...).want(t, tt.status)
			l := s.lineOf(got)
			if l.Method != tt.method || l.Path != tt.path || l.Status != tt.status || l.Denied != tt.denied || l.Address != "127.0.0.1" || l.Time.IsZero() {
				t.Errorf("%s %s by %q, denied as %q: the line is %+v", tt.method, tt.path, tt.who, tt.denied, l)
			}
			// What comes from another site is refused before anybody asks who it is.
			want := ""
			if tt.who != "" && tt.denied != "cross-origin" {
				want = string(fixedID(strings.TrimSuffix(tt.who, "@school.example")))
			}
			if l.User != want {
				t.Errorf("%s %s by %q: the line has the user %q", tt.method, tt.path, tt.who, l.User)
			}
		}
		its := s.program(ada)
		if l := s.lineOf(its.call(http.MethodPut, "/api/v1/courses/sails/enrolment").want(t, 404)); l.User != string(fixedID("ada")) || l.Denied != "course.join" || l.Session != session.Bearer {
			t.Errorf("of a program the line is %+v", l)
		}
	})
}

// TestLog_isWrittenByTheSiteAlone sends what would be a line of somebody's own, in every
// place from which something comes into the log: there is one line to a request, it is
// an object, and what it says is what the site found.
func TestLog_isWrittenByTheSiteAlone(t *testing.T) {
	t.Attr("asvs", "16.4.1")
	s := newSite(t, session.Database)
	const forged = `{"id":"forged","user":"queen"}`
	b, admin := s.browser(), s.enter(alan)
	before := len(s.logLines())
	sent := 0
	for _, end := range []string{"\n", "\r\n", "\r", "\x00", "\x1b[2K\x1b[1A", "\u2028", "\u0085", "\u009b2K", `"}` + "\n", `","status":200,"user":"queen","x":"`, `\`, "\xff"} {
		text := "x" + end + forged
		path := "/" + url.PathEscape(text)
		got := b.get(path).want(t, http.StatusNotFound)
		l := s.lineOf(got)
		if l.Path != path || l.Status != http.StatusNotFound || l.User != "" {
			t.Errorf("of %q the line is %+v", text, l)
		}
		b.get("/courses/"+url.PathEscape(text)).want(t, http.StatusNotFound)
		b.get("/courses?q="+url.QueryEscape(text)).want(t, http.StatusOK)
		b.post("/signin/code", "email", text).want(t, http.StatusUnprocessableEntity)
		b.post("/signup", "name", text, "email", text, "password", text).want(t, http.StatusUnprocessableEntity)
		b.send(http.MethodPost, "/api/v1/tokens", credentials(strings.ToValidUTF8(text, "?"), "no"), "Content-Type", jsonType).want(t, http.StatusUnauthorized)
		admin.post("/account/profile", "name", text).want(t, http.StatusSeeOther)
		sent += 7
		s.clock.move(time.Minute) // so that nobody is slowed down
	}
	for _, header := range []string{"User-Agent", "X-Request-Id", "Referer", "Cookie", "X-Forwarded-For", "Origin", "Sec-Fetch-Site", "Authorization"} {
		got := b.get("/api/v1/session", header, `x","status":200,"user":"queen","y":"`+forged)
		if id := got.header.Get("X-Request-Id"); strings.Contains(id, "forged") {
			t.Errorf("a request may choose its own number: %s", id)
		}
		if l := s.lineOf(got); l.User != "" || l.Status != got.status || l.Address != "127.0.0.1" {
			t.Errorf("with %s the line is %+v", header, l)
		}
		sent++
	}
	lines := s.logLines()[before:]
	if len(lines) != sent {
		t.Errorf("of %d requests there are %d lines", sent, len(lines))
	}
	for _, l := range lines {
		if l.ID == "forged" || l.User == "queen" {
			t.Errorf("somebody has written %+v", l)
		}
	}
	if strings.ContainsAny(s.log.String(), "\x00\x1b\r\u2028\u0085\u009b") {
		t.Error("the log does something to whoever looks at it")
	}

	// Nor into the audit log, which is read line by line as well.
	events, err := s.db.Events(t.Context(), db.EventQuery{Limit: 100})
	must(t, err)
	written := strings.Split(strings.TrimSuffix(s.enter(alan).get("/admin/audit/log.jsonl").want(t, http.StatusOK).body, "\n"), "\n")
	if len(written) < len(events.Events) {
		t.Errorf("%d events are %d lines", len(events.Events), len(written))
	}
	for _, text := range written {
		var e struct{ ID, Actor, Subject string }
		if err := json.Unmarshal([]byte(text), &e); err != nil || e.ID == "forged" || strings.ContainsAny(e.Actor+e.Subject, "\r\n\x00\x1b\u2028") {
			t.Errorf("a line of the audit log is %q: %v", text, err)
		}
	}
}
