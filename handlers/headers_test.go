package handlers_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"lectern/db"
	"lectern/handlers/session"
)

// everyAnswer is one answer of each sort that the site gives.
func everyAnswer(t *testing.T, s *site) map[string]answer {
	t.Helper()
	s.PanicAt("/bug")
	visitor, her := s.browser(), s.as(ada)
	page := visitor.get("/")
	style := between(page.body, `rel="stylesheet" href="`, `"`)
	return map[string]answer{
		"a page":                 page.want(t, 200),
		"a page for a person":    her.get("/account").want(t, 200),
		"a redirect to the door": visitor.get("/account").want(t, 303),
		"a sign-in":              s.browser().post("/signin", "email", ada, "password", password).want(t, 303),
		"a refused sign-in":      visitor.post("/signin", "email", ada, "password", "no").want(t, 422),
		"a form without session": visitor.post("/account/profile", "name", "x").want(t, 401),
		"a refused page":         her.get("/admin/users").want(t, 403),
		"an address of nothing":  visitor.get("/nothing").want(t, 404),
		"a wrong method":         visitor.send(http.MethodDelete, "/signin", "").want(t, 405),
		"a body too large":       her.send(http.MethodPost, "/account/profile", "name="+strings.Repeat("x", 5<<20), "Content-Type", "application/x-www-form-urlencoded").want(t, 413),
		"a foreign form":         her.send(http.MethodPost, "/account/profile", "name=x", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded").want(t, 403),
		"a bug":                  her.get("/bug").want(t, 500),
		"the stylesheet":         visitor.get(style).want(t, 200),
		"no such asset":          visitor.get("/assets/nothing.css").want(t, 404),
		"a cover":                visitor.get("/covers/knots.svg").want(t, 200),
		"no such cover":          visitor.get("/covers/knots.png").want(t, 404),
		"the API":                her.get("/api/v1/session").want(t, 200),
		"an error of the API":    her.get("/api/v1/nothing").want(t, 404),
		"the public keys":        visitor.get("/.well-known/jwks.json").want(t, 200),
		"the health of the site": visitor.get("/healthz").want(t, 200),
		"a HEAD":                 her.send(http.MethodHead, "/account", "").want(t, 200),
	}
}

func between(s, before, after string) string {
	_, rest, _ := strings.Cut(s, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

func TestHeaders_areOnEveryAnswer(t *testing.T) {
	t.Attr("asvs", "3.4.3 3.4.4 3.4.5 3.4.6 3.4.8 3.5.8 13.4.6")
	eachBackend(t, func(t *testing.T, s *site) {
		for name, a := range everyAnswer(t, s) {
			for header, want := range map[string]string{
				"X-Content-Type-Options":       "nosniff",
				"Referrer-Policy":              "same-origin",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin",
				"X-Frame-Options":              "DENY",
				"Strict-Transport-Security":    "",
				"Server":                       "",
				"X-Powered-By":                 "",
			} {
				if got := a.header.Get(header); got != want {
					t.Errorf("%s: %s is %q, want %q", name, header, got, want)
				}
			}
			csp := a.header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
				if !strings.Contains(csp, part) {
					t.Errorf("%s: the content policy %q lacks %s", name, csp, part)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "data:") {
				t.Errorf("%s: the content policy is loose: %q", name, csp)
			}
		}
	})
}

func TestBug_tellsTheVisitorNothing(t *testing.T) {
	t.Attr("asvs", "13.4.2 16.3.4 16.5.1 16.5.4")
	s := newSite(t, session.Memory)
	s.PanicAt("/bug")
	a := s.browser().get("/bug").want(t, 500, "it was us")
	for _, leak := range []string{"a bug", "goroutine", "panic", ".go:"} {
		if strings.Contains(a.main(), leak) {
			t.Errorf("the page of a bug tells %q", leak)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "a bug") || !strings.Contains(log, "goroutine") {
		t.Error("the log does not tell what went wrong")
	}
	s.browser().get("/").want(t, 200)
}

func TestHeaders_keepWhatIsPersonalOutOfCaches(t *testing.T) {
	t.Attr("asvs", "14.2.2 14.3.2")
	eachBackend(t, func(t *testing.T, s *site) {
		her, all := s.as(ada), everyAnswer(t, s)
		personal := map[string]answer{"the front page": her.get("/")}
		for _, name := range []string{"a page for a person", "a sign-in", "a refused page", "a bug", "the API", "an error of the API", "a HEAD"} {
			personal[name] = all[name]
		}
		for name, a := range personal {
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control is %q", name, got)
			}
			if !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Cookie") {
				t.Errorf("%s does not vary by cookie", name)
			}
		}
		for _, name := range []string{"the stylesheet", "a cover"} {
			if got := all[name].header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("%s: Cache-Control is %q", name, got)
			}
			if len(all[name].header["Set-Cookie"]) > 0 {
				t.Errorf("%s sets a cookie", name)
			}
		}
	})
}

func TestCookies_haveTheirFlags(t *testing.T) {
	t.Attr("asvs", "3.3.1 3.3.2 3.3.3 3.3.4 3.4.1")
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for base, secure := range map[string]bool{"": false, "https://school.example": true} {
		for _, backend := range backends {
			s := startSite(t, backend, true, setting{base: base})
			b := s.browser()
			in := b.send(http.MethodPost, "/signin", "email="+ada+"&password="+strings.ReplaceAll(password, " ", "+")+"&remember=1", form...).want(t, 303)
			chosen := b.send(http.MethodPost, "/session/backend", "backend="+other(backend), form...).want(t, 303)
			theme := b.send(http.MethodPost, "/appearance", "theme=dark", form...).want(t, 303)
			lines := append(append(in.header["Set-Cookie"], chosen.header["Set-Cookie"]...), theme.header["Set-Cookie"]...)
			if len(lines) < 3 {
				t.Fatalf("only %d cookies: %q", len(lines), lines)
			}
			for _, line := range lines {
				for _, flag := range []string{"; HttpOnly", "; SameSite=Lax", "; Path=/"} {
					if !strings.Contains(line, flag) {
						t.Errorf("%s: the cookie %q lacks %s", base, line, flag)
					}
				}
				if strings.Contains(line, "Domain=") {
					t.Errorf("the cookie %q is for a whole domain", line)
				}
				if strings.Contains(line, "; Secure") != secure {
					t.Errorf("%s: Secure is wrong in %q", base, line)
				}
				if strings.HasPrefix(line, "__Host-") != secure {
					t.Errorf("%s: the prefix is wrong in %q", base, line)
				}
			}
			want := ""
			if secure {
				want = "max-age=63072000; includeSubDomains"
			}
			for name, a := range map[string]answer{"a sign-in": in, "a page": b.get("/"), "an error": b.get("/nothing"), "an asset": b.get("/assets/nothing.css")} {
				if got := a.header.Get("Strict-Transport-Security"); got != want {
					t.Errorf("%s on %q: Strict-Transport-Security is %q", name, base, got)
				}
			}
		}
	}
}

func other(backend string) string {
	if backend == session.JWT {
		return session.Memory
	}
	return session.JWT
}

func TestForwardedHeaders_areBelievedFromAProxyOnly(t *testing.T) {
	t.Attr("asvs", "4.1.3 15.3.4")
	forwarded := []string{"X-Forwarded-For", "203.0.113.7", "X-Real-Ip", "203.0.113.8", "Forwarded", "for=203.0.113.9", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example"}
	for _, row := range []struct {
		says    string
		proxies []netip.Prefix
		want    string
	}{
		{"from anybody", nil, "127.0.0.1"},
		{"from somebody beside the proxy", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, "127.0.0.1"},
		{"from the proxy", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "203.0.113.7"},
	} {
		t.Run(row.says, func(t *testing.T) {
			s := startSite(t, session.Database, true, setting{proxies: row.proxies})
			s.ShowAddressAt("/where")
			if got := strings.Fields(s.browser().get("/where", forwarded...).want(t, 200).body)[0]; got != row.want {
				t.Errorf("the address is %s, want %s", got, row.want)
			}
			page := s.browser().get("/account", forwarded...).want(t, 303)
			if page.location != "/signin?next=%2Faccount" || page.header.Get("Strict-Transport-Security") != "" {
				t.Errorf("the headers were believed: %q, %q", page.location, page.header.Get("Strict-Transport-Security"))
			}
			in := s.browser().send(http.MethodPost, "/signin", "email="+ada+"&password="+strings.ReplaceAll(password, " ", "+"), append(forwarded, "Content-Type", "application/x-www-form-urlencoded")...).want(t, 303)
			for _, line := range in.header["Set-Cookie"] {
				if strings.Contains(line, "Secure") || strings.Contains(line, "__Host-") || strings.Contains(line, "evil") {
					t.Errorf("the cookie follows a forwarded header: %q", line)
				}
			}
			events, err := s.db.Events(t.Context(), db.EventQuery{})
			must(t, err)
			if got := events.Events[0].Address; got != row.want {
				t.Errorf("the log has the address %s, want %s", got, row.want)
			}
		})
	}
}

// TestForeignForms_changeNothing sends every form of the site from a page of
// another site, with an admin's cookies.
func TestForeignForms_changeNothing(t *testing.T) {
	t.Attr("asvs", "3.5.1")
	eachBackend(t, func(t *testing.T, s *site) {
		admin, owner := s.as(alan), s.as(grace)
		before := state(t, s)
		form := "application/x-www-form-urlencoded"
		for _, r := range rows {
			method, path, _ := strings.Cut(r.route, " ")
			if method == http.MethodGet {
				continue
			}
			if r.path != "" {
				path = r.path
			}
			body := ""
			for i := 0; i+1 < len(r.fields); i += 2 {
				body += r.fields[i] + "=" + strings.ReplaceAll(r.fields[i+1], " ", "+") + "&"
			}
			for _, b := range []*browser{admin, owner} {
				for says, headers := range map[string][]string{
					"a foreign site":       {"Sec-Fetch-Site", "cross-site"},
					"a neighbour":          {"Sec-Fetch-Site", "same-site"},
					"an old browser":       {"Origin", "https://evil.example"},
					"a page without name":  {"Origin", "null"},
					"another port":         {"Origin", "http://127.0.0.1:1"},
					"https on a http site": {"Origin", strings.Replace(s.url, "http:", "https:", 1) + ".evil.example"},
				} {
					if got := b.send(method, path, body, append(headers, "Content-Type", form)...); got.status != http.StatusForbidden || len(got.header["Set-Cookie"]) > 0 {
						t.Errorf("%s %s from %s answers %d and sets %q", method, path, says, got.status, got.header["Set-Cookie"])
					}
				}
			}
		}
		if after := state(t, s); after != before {
			t.Errorf("something changed:\n%s\n%s", before, after)
		}
		admin.send(http.MethodPost, "/account/profile", "name=Alan+M", "Sec-Fetch-Site", "same-origin", "Content-Type", form).want(t, 303)
		admin.send(http.MethodPost, "/account/profile", "name=Alan+T", "Origin", s.url, "Content-Type", form).want(t, 303)
	})
}

// state is what a form could have changed.
func state(t *testing.T, s *site) string {
	t.Helper()
	people, err := s.db.Users(t.Context(), db.UserQuery{})
	must(t, err)
	events, err := s.db.Events(t.Context(), db.EventQuery{Limit: 100})
	must(t, err)
	var b strings.Builder
	for _, p := range people.Users {
		b.WriteString(p.Name + " " + string(p.Role) + " " + p.DisabledAt.String() + "\n")
	}
	for _, e := range events.Events {
		b.WriteString(string(e.ID) + e.Action + "\n")
	}
	return b.String() + s.sessions.Site().Backend
}
