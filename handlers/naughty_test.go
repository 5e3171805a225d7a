package handlers_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// naughty are the texts that every field and parameter of the site is given.
var naughty = map[string]string{
	"nothing":            "",
	"NUL":                "a\x00b",
	"control characters": "a\x01\x02\x1b[31mb\x7f",
	"100 kB":             strings.Repeat("long ", 20_000),
	"invalid UTF-8":      "a\xff\xfe\xc3(b",
	"right to left":      "\u202eevil\u202c \u2066x\u2069 مرحبا",
	"markup":             `"><script>alert(1)</script><img src=x onerror=alert(1)>`,
	"end of a textarea":  `</textarea></title><script>alert(1)</script>`,
	"SQL":                `'; DROP TABLE users; --`,
	"LIKE and ranges":    `%_\[]^$.*+?(){}|`,
	"a path":             "../../../../etc/passwd",
	"line breaks":        "a\r\nSet-Cookie: x=1\r\n\r\nb",
	"a template":         "{{7*7}}${7*7}<%= 7*7 %>",
	"a formula":          `=HYPERLINK("http://evil.example")`,
	"emoji and accents":  "\U0001F469\u200d\U0001F680 é e\u0301",
	"a number":           "99999999999999999999",
	"a negative number":  "-1",
}

// fields are the forms of the site, each with who may send it and with values
// that are right, of which one at a time is replaced.
var fields = []struct {
	who    string
	path   string
	values url.Values
}{
	{"", "/signin", url.Values{"email": {bea}, "password": {"wrong"}, "remember": {"1"}, "next": {"/"}, "backend": {"jwt"}, "kept-action": {"/account/profile"}, "kept-name": {"x"}}},
	{"", "/signup", url.Values{"name": {"New"}, "email": {"new@school.example"}, "password": {"short"}}},
	{"", "/appearance", url.Values{"theme": {"dark"}, "next": {"/"}}},
	{ada, "/session/backend", url.Values{"backend": {"jwt"}, "next": {"/"}}},
	{ada, "/account/profile", url.Values{"name": {"Ada"}}},
	{ada, "/account/password", url.Values{"current": {"wrong"}, "new": {"short"}, "end_others": {"1"}}},
	{grace, "/teach/courses", url.Values{"title": {"T"}, "summary": {"S"}, "topic": {"design"}, "level": {"first"}, "learn": {"a"}, "description": {"d"}}},
	{grace, "/teach/courses/knots", url.Values{"title": {"T"}, "summary": {"S"}, "topic": {"design"}, "level": {"first"}, "learn": {"a"}, "description": {"d"}, "version": {"1"}}},
	{grace, "/teach/courses/knots/chapters", url.Values{"title": {"C"}}},
	{grace, "/teach/chapters/" + string(fixedID("chapter-knotsone")), url.Values{"title": {"C"}}},
	{grace, "/teach/chapters/" + string(fixedID("chapter-knotsone")) + "/move", url.Values{"to": {"1"}}},
	{grace, "/teach/chapters/" + string(fixedID("chapter-knotsone")) + "/lessons", url.Values{"title": {"L"}, "kind": {"reading"}}},
	{grace, "/teach/lessons/" + string(fixedID("lesson-knotsone-first")), url.Values{"title": {"L"}, "kind": {"reading"}, "body": {"b"}, "version": {"1"}, "preview": {"1"}}},
	{grace, "/teach/lessons/" + string(fixedID("lesson-knotsone-first")) + "/move", url.Values{"to": {"1"}, "chapter": {string(fixedID("chapter-knotsone"))}}},
	{grace, "/teach/preview", url.Values{"body": {"b"}}},
	{alan, "/admin/users/" + string(fixedID("bea")) + "/role", url.Values{"role": {"student"}}},
	{alan, "/admin/sessions", url.Values{"backend": {"memory"}, "existing": {"carry"}}},
}

// parameters are the addresses that read something out of themselves.
var parameters = []struct{ who, path, name string }{
	{"", "/courses", "q"}, {"", "/courses", "topic"}, {"", "/courses", "level"}, {"", "/courses", "status"}, {"", "/courses", "sort"}, {"", "/courses", "after"},
	{"", "/signin", "next"}, {"", "/", "said"}, {"", "/", "xray"},
	{alan, "/admin/users", "q"}, {alan, "/admin/users", "role"}, {alan, "/admin/users", "state"}, {alan, "/admin/users", "after"},
	{alan, "/admin/audit", "action"}, {alan, "/admin/audit", "name"}, {alan, "/admin/audit", "after"},
}

// paths have a part that names something.
var paths = []struct{ who, before, after string }{
	{"", "/courses/", ""}, {ada, "/courses/knots/lessons/", ""}, {"", "/covers/", ".svg"}, {"", "/assets/", ""},
	{grace, "/teach/courses/", ""}, {grace, "/teach/lessons/", ""}, {alan, "/admin/users/", ""},
}

// shown are the pages on which people see what others have written.
var shown = []struct{ who, path string }{
	{"", "/courses"}, {"", "/courses/knots"}, {grace, "/courses/knots/lessons/one-first"}, {grace, "/teach"}, {grace, "/teach/courses/knots"}, {ada, "/account"}, {alan, "/admin/users"},
}

var versionField = regexp.MustCompile(`name="version" value="([0-9]+)"`)

// TestNaughtyInput_isNeverAnErrorOfOurs gives every field, parameter and path
// every naughty text, and looks at the pages that show what was stored of it:
// the answer is never a 5xx, and markup is never markup. Each form reaches its
// handler, past the throttle and with the version that is there. One kind of
// session must do: three would take more than half a minute, and what is typed
// never comes into a session.
func TestNaughtyInput_isNeverAnErrorOfOurs(t *testing.T) {
	oneByOne(t)
	t.Attr("asvs", "1.2.1 1.2.4 2.2.1")
	t.Parallel()
	s := newSite(t, "memory")
	people := map[string]*browser{}
	as := func(who string) *browser {
		if people[who] == nil {
			people[who] = s.as(who)
		}
		return people[who]
	}
	for _, who := range []string{ada, grace, alan} {
		as(who) // before the wrong passwords slow this address down
	}
	check := func(t *testing.T, what string, got answer) {
		t.Helper()
		if got.status >= http.StatusInternalServerError {
			t.Errorf("%s: %d", what, got.status)
		}
		if strings.Contains(got.body, "<script>alert") || strings.Contains(got.body, "<img src=x") {
			t.Errorf("%s: markup came back as markup", what)
		}
		if got.header.Get("Set-Cookie") == "x=1" {
			t.Errorf("%s: a header was injected", what)
		}
	}
	for _, f := range fields {
		got := as(f.who).send(http.MethodPost, f.path, f.values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if got.status == http.StatusNotFound {
			t.Fatalf("%s is not there", f.path)
		}
	}
	tries, stored := 0, 0
	for name, text := range naughty {
		clear(people) // nobody's session outlasts the clock
		for _, f := range fields {
			for field := range f.values {
				values := url.Values{}
				for k, v := range f.values {
					values[k] = v
				}
				switch {
				case f.path == "/signin":
					s.clock.move(20 * time.Second)
					tries++
					values.Set("email", fmt.Sprintf("nobody%d@school.example", tries))
				case f.path == "/account/password":
					delete(people, f.who) // who has just proved their password is not slowed down
				case values.Has("version"):
					version := versionField.FindStringSubmatch(as(f.who).get(f.path).want(t, http.StatusOK).body)
					values.Set("version", version[1])
				}
				values.Set(field, text)
				got := as(f.who).send(http.MethodPost, f.path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
				what := f.path + " " + field + " with " + name
				check(t, what, got)
				if got.status == http.StatusTooManyRequests || got.status == http.StatusUnauthorized || got.status == http.StatusConflict && field != "version" {
					t.Errorf("%s: %d, so nobody looked at the text", what, got.status)
				}
				if values.Has("version") && got.status == http.StatusSeeOther {
					stored++
					for _, page := range shown {
						check(t, what+", at "+page.path, as(page.who).get(page.path).want(t, http.StatusOK))
					}
				}
			}
		}
		for _, p := range parameters {
			check(t, p.path+"?"+p.name+" with "+name, as(p.who).get(p.path+"?"+p.name+"="+url.QueryEscape(text)))
		}
		for _, p := range paths {
			if len(text) < 1000 {
				check(t, p.before+" with "+name, as(p.who).get(p.before+url.PathEscape(text)+p.after))
			}
		}
	}
	if stored < 4*len(naughty) {
		t.Errorf("only %d texts were stored", stored)
	}
	must(t, s.db.CheckCounts(t.Context()))
}

// TestNaughtyInput_isNotLost sends forms that are refused for one field and
// expects what was typed into the others to come back, as text.
func TestNaughtyInput_isNotLost(t *testing.T) {
	s := newSite(t, "memory")
	typed := `<b>Ünïcode</b> & "quotes" مرحبا`
	for _, row := range []struct {
		who    string
		path   string
		values []string
	}{
		{"", "/signup", []string{"name", typed, "email", "not an address", "password", "short"}},
		{grace, "/teach/courses", []string{"title", "", "summary", typed, "description", typed, "learn", typed, "topic", "design", "level", "first"}},
		{grace, "/teach/courses/knots", []string{"title", "", "summary", typed, "description", typed, "learn", typed, "topic", "design", "level", "first", "version", "1"}},
		{grace, "/teach/lessons/" + string(fixedID("lesson-knotsone-first")), []string{"title", "", "kind", "reading", "body", typed, "version", "1"}},
	} {
		got := s.as(row.who).post(row.path, row.values...).want(t, http.StatusUnprocessableEntity)
		if !strings.Contains(html.UnescapeString(got.main()), typed) {
			t.Errorf("%s: what was typed is gone\n%s", row.path, got.main())
		}
	}
}
