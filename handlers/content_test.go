package handlers_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"lectern/assets"
	"lectern/handlers/session"
)

// content are the types of what is no page, by its route. What the API answers is JSON,
// which is UTF-8 and has no other encoding to name (RFC 8259).
var content = map[string]string{
	"GET /account/data.json":         "application/json",
	"GET /admin/audit/log.csv":       "text/csv; charset=utf-8",
	"GET /admin/audit/log.jsonl":     "application/jsonl; charset=utf-8",
	"GET /.well-known/jwks.json":     "application/jwk-set+json",
	"GET /covers/knots.svg":          "image/svg+xml; charset=utf-8",
	"GET /healthz":                   "text/plain; charset=UTF-8",
	"GET /readyz":                    "text/plain; charset=UTF-8",
	"GET " + assets.URL("app.css"):   "text/css; charset=utf-8",
	"GET " + assets.URL("menu.js"):   "text/javascript; charset=utf-8",
	"GET " + assets.URL("icons.svg"): "image/svg+xml; charset=utf-8",
}

const page = "text/html; charset=UTF-8"

// read asks for every address of the site as each of the people, and hands on what
// is answered with anything in it.
func (s *site) read(each func(route, path, who string, b *browser, got answer), headers ...string) {
	s.t.Helper()
	asked := append(slices.Clone(rows), row{route: "GET /nothing"}, row{route: "GET /api/v1/nothing"})
	for route := range content {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.route == route }) {
			asked = append(asked, row{route: route})
		}
	}
	for _, who := range []string{"", ada, grace, alan} {
		b := s.enter(who)
		for _, r := range asked {
			method, path, _ := strings.Cut(r.route, " ")
			if method != http.MethodGet {
				continue
			}
			if r.path != "" {
				path = r.path
			}
			each(r.route, path, who, b, b.get(path, headers...))
		}
	}
}

// TestAnswers_sayWhatTheyAre asks for every address as each of the people: the type is
// that of what is there, and where it is text, the type says in which encoding.
func TestAnswers_sayWhatTheyAre(t *testing.T) {
	t.Attr("asvs", "4.1.1")
	s := withClass(t, session.Memory)
	seen := map[string]bool{}
	s.read(func(route, path, who string, _ *browser, got answer) {
		if got.body == "" {
			return
		}
		want := page
		switch {
		case strings.HasPrefix(path, "/api/") && got.status >= http.StatusBadRequest:
			want = "application/problem+json"
		case strings.HasPrefix(path, "/api/"):
			want = "application/json"
		case got.status == http.StatusOK && content[route] != "":
			want = content[route]
		}
		kind := got.header.Get("Content-Type")
		if kind != want {
			t.Errorf("%s as %q is %q, want %q", path, who, kind, want)
		}
		seen[kind] = true
		if !utf8.ValidString(got.body) {
			t.Errorf("%s as %q is no UTF-8", path, who)
		}
		is, _, _ := strings.Cut(kind, ";")
		if document := strings.HasPrefix(got.body, "<!doctype html>"); document != (is == "text/html") {
			t.Errorf("%s as %q is %q and begins %.20q", path, who, kind, got.body)
		}
		if strings.HasSuffix(is, "json") && !json.Valid([]byte(got.body)) {
			t.Errorf("%s as %q is no JSON: %.60s", path, who, got.body)
		}
	})
	if len(seen) < 9 {
		t.Errorf("only %d types were seen: %v", len(seen), seen)
	}
}

// TestAnswers_areNoPagesUnlessTheyArePages opens in a tab, as a link on another site
// would, what is no page.
func TestAnswers_areNoPagesUnlessTheyArePages(t *testing.T) {
	t.Attr("asvs", "3.2.1")
	s := withClass(t, session.Memory)
	seen := map[string]bool{}
	s.read(func(route, path, who string, _ *browser, got answer) {
		if got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s as %q may be guessed at", path, who)
		}
		if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") && !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("%s as %q may run what is in it: %q", path, who, policy)
		}
		if content[route] == "" && !strings.HasPrefix(path, "/api/") || got.status != http.StatusOK {
			return
		}
		seen[route] = true
		if strings.Contains(got.header.Get("Content-Type"), "html") || strings.Contains(got.body, "<script") {
			t.Errorf("%s as %q can be opened as a page", path, who)
		}
		saved := strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment; filename=")
		if export := strings.HasPrefix(path, "/admin/audit/log.") || path == "/account/data.json"; export != saved {
			t.Errorf("%s as %q is opened as %q", path, who, got.header.Get("Content-Disposition"))
		}
	}, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Dest", "document", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site")
	if len(seen) < 15 {
		t.Errorf("only %d were seen: %v", len(seen), seen)
	}
}

// TestAPI_wrapsNothingInACall asks for JSON in the manner in which pages of other sites
// once had it run as a script.
func TestAPI_wrapsNothingInACall(t *testing.T) {
	t.Attr("asvs", "3.5.6")
	s := withClass(t, session.Memory)
	asked := 0
	s.read(func(route, path, who string, b *browser, got answer) {
		if !strings.Contains(got.header.Get("Content-Type"), "json") {
			return
		}
		asked++
		for _, accept := range []string{"*/*", "text/javascript", "application/javascript"} {
			called := b.get(path+"?callback=zzcalled&jsonp=zzcalled&cb=zzcalled&_callback=zzcalled&format=jsonp", "Accept", accept, "Sec-Fetch-Dest", "script")
			if called.status != got.status || called.header.Get("Content-Type") != got.header.Get("Content-Type") || strings.Contains(called.body, "zzcalled") {
				t.Errorf("%s as %q answers %d, %q: %.60s", path, who, called.status, called.header.Get("Content-Type"), called.body)
			}
		}
	})
	if asked < 30 {
		t.Errorf("only %d answers were JSON", asked)
	}
}

// TestScripts_areTheSameForEverybody fetches every script as a visitor and as each of
// the people: nothing of anybody's is in one.
func TestScripts_areTheSameForEverybody(t *testing.T) {
	t.Attr("asvs", "3.5.7")
	eachBackend(t, func(t *testing.T, s *site) {
		entries, err := os.ReadDir("../assets/js")
		must(t, err)
		scripts := 0
		for _, entry := range entries {
			if !strings.HasSuffix(entry.Name(), ".js") {
				continue
			}
			scripts++
			address := assets.URL(entry.Name())
			first := s.browser().get(address).want(t, http.StatusOK)
			for _, who := range []string{ada, grace, alan} {
				got := s.enter(who).get(address).want(t, http.StatusOK)
				if got.body != first.body || got.header.Get("ETag") != first.header.Get("ETag") || len(got.header["Set-Cookie"]) > 0 {
					t.Errorf("%s is another for %s", entry.Name(), who)
				}
			}
		}
		if scripts < 10 {
			t.Errorf("only %d scripts were found", scripts)
		}
		// And what is no file is no script.
		s.read(func(route, path, who string, _ *browser, got answer) {
			if strings.Contains(got.header.Get("Content-Type"), "javascript") && !strings.HasPrefix(path, "/assets/") {
				t.Errorf("%s as %q is a script", path, who)
			}
		})
	})
}
