package handlers_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/token"
)

// TestToken_isWhatItShouldBe reads a token as anybody can.
func TestToken_isWhatItShouldBe(t *testing.T) {
	t.Attr("asvs", "14.2.6")
	s := newSite(t, session.Memory)
	got := s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), "Content-Type", jsonType+"; charset=UTF-8").want(t, http.StatusOK)
	if len(got.header["Set-Cookie"]) > 0 || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer sets %q and has Cache-Control %q", got.header["Set-Cookie"], got.header.Get("Cache-Control"))
	}
	answered := decoded[map[string]any](t, got)
	if len(answered) != 3 || answered["token_type"] != "Bearer" || answered["expires_in"] != 3600.0 {
		t.Errorf("answered %v", answered)
	}
	parts := strings.Split(answered["access_token"].(string), ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	read := func(part string) (members map[string]any) {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		must(t, err)
		must(t, json.Unmarshal(raw, &members))
		return members
	}
	if header := read(parts[0]); header["typ"] != "at+jwt" {
		t.Errorf("header %v", header)
	}
	claims, now := read(parts[1]), float64(s.clock.Now().Unix())
	for name, want := range map[string]any{
		"iss": s.url, "aud": "lectern-api", "sub": string(fixedID("ada")), "client_id": "lectern-password",
		"iat": now, "exp": now + 3600, "auth_time": now, "role": "student",
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if id, _ := claims["jti"].(string); len(id) != 22 {
		t.Errorf("jti is %v", claims["jti"])
	}
	for _, person := range []string{"Ada", "Byron", ada} {
		if raw, _ := base64.RawURLEncoding.DecodeString(parts[1]); strings.Contains(string(raw), person) {
			t.Errorf("the token tells %q", person)
		}
	}
	if e := s.lastEvent(school.ActionSignIn); e.Session != session.Bearer || e.Actor.ID != fixedID("ada") || e.Address != "127.0.0.1" {
		t.Errorf("the audit log has %+v", e)
	}
}

// TestToken_isGivenToNobodyElse: an unknown address, a wrong password and a
// closed account get one and the same answer.
func TestToken_isGivenToNobodyElse(t *testing.T) {
	t.Attr("asvs", "6.3.8")
	s := newSite(t, session.Memory)
	must(t, s.db.Disable(t.Context(), fixedID("bea"), s.clock.Now()))
	said := map[string]bool{}
	for what, body := range map[string]string{
		"a wrong password":   credentials(ada, "a loud violet tractor"),
		"no password":        credentials(ada, ""),
		"an unknown address": credentials("nobody@school.example", password),
		"no address":         credentials("", password),
		"a closed account":   credentials(bea, password),
	} {
		got := s.browser().send(http.MethodPost, "/api/v1/tokens", body, "Content-Type", jsonType).problem(t, http.StatusUnauthorized)
		said[got.withoutInstance()+strings.Join(got.header.Values("WWW-Authenticate"), ";")] = true
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control is %q", what, got.header.Get("Cache-Control"))
		}
	}
	if len(said) != 1 {
		t.Errorf("the answers differ: %v", said)
	}
	if e := s.lastEvent(school.ActionSignInRefused); e.Session != session.Bearer || strings.Contains(e.Subject, "nobody@") {
		t.Errorf("the audit log has %+v", e)
	}
}

func TestToken_isAskedForAtTheSameThrottle(t *testing.T) {
	t.Attr("asvs", "2.4.1 6.3.1")
	s := newSite(t, session.Memory)
	b := s.browser()
	for range 3 {
		b.post("/signin", "email", ada, "password", "no").want(t, http.StatusUnprocessableEntity)
	}
	var got answer
	for range 30 {
		if got = b.send(http.MethodPost, "/api/v1/tokens", credentials(ada, "no"), "Content-Type", jsonType); got.status != http.StatusUnauthorized {
			break
		}
	}
	got.problem(t, http.StatusTooManyRequests)
	if after := got.header.Get("Retry-After"); after == "" || after == "0" {
		t.Errorf("Retry-After is %q", after)
	}
	b.post("/signin", "email", ada, "password", password).want(t, http.StatusTooManyRequests)
}

func TestToken_isAskedForInOneWay(t *testing.T) {
	t.Attr("asvs", "1.5.3 15.3.5 15.3.7")
	s := newSite(t, session.Memory)
	for what, body := range map[string]string{
		"nothing":                     "",
		"null":                        "null",
		"a list":                      "[" + credentials(ada, password) + "]",
		"a word":                      `"ada"`,
		"half of it":                  credentials(ada, password)[:20],
		"something behind it":         credentials(ada, password) + "{}",
		"no password":                 `{"email":"` + ada + `"}`,
		"no email":                    `{"password":"` + password + `"}`,
		"a null password":             `{"email":"` + ada + `","password":null}`,
		"a number for a password":     `{"email":"` + ada + `","password":7}`,
		"a list for an email":         `{"email":["` + ada + `"],"password":"` + password + `"}`,
		"two emails, hers last":       `{"email":"` + bea + `","email":"` + ada + `","password":"` + password + `"}`,
		"two emails, hers first":      `{"email":"` + ada + `","email":"` + bea + `","password":"` + password + `"}`,
		"Email beside email":          `{"email":"` + ada + `","Email":"` + bea + `","password":"` + password + `"}`,
		"Email in the place of email": `{"Email":"` + ada + `","password":"` + password + `"}`,
		"a member too many":           `{"email":"` + ada + `","password":"` + password + `","role":"admin"}`,
		"what is not UTF-8":           "{\"email\":\"" + ada + "\",\"password\":\"\xff\"}",
		"half a surrogate":            `{"email":"` + ada + `","password":"\ud800"}`,
		"a byte order mark":           "\ufeff" + credentials(ada, password),
		"a comment":                   "/* */" + credentials(ada, password),
		"a deep nest":                 `{"email":` + strings.Repeat("[", 7000) + strings.Repeat("]", 7000) + `,"password":"x"}`,
	} {
		if got := s.browser().send(http.MethodPost, "/api/v1/tokens", body, "Content-Type", jsonType); got.status != http.StatusBadRequest {
			t.Errorf("%s: answers %d", what, got.status)
		} else {
			got.problem(t, http.StatusBadRequest, "email, password").lacks(t, ada, password)
		}
	}
	for _, kind := range []string{"", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/problem+json", "application/json; charset=utf-16", "application/json, text/plain", "json"} {
		s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), "Content-Type", kind).problem(t, http.StatusUnsupportedMediaType, "application/json")
	}
	s.browser().post("/api/v1/tokens", "email", ada, "password", password).problem(t, http.StatusUnsupportedMediaType)
	s.browser().send(http.MethodPost, "/api/v1/tokens?email="+ada+"&password=x", "", "Content-Type", jsonType).problem(t, http.StatusBadRequest)
	s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, strings.Repeat("x", 17<<10)), "Content-Type", jsonType).problem(t, http.StatusRequestEntityTooLarge)
	if e := s.lastEvent(school.ActionSignIn); e.ID != "" {
		t.Errorf("somebody got in: %+v", e)
	}
}

// TestBearer_aBadTokenIsRefusedEverywhere sends what is no good token, and
// wants one and the same answer to all of it, also where visitors are welcome.
func TestBearer_aBadTokenIsRefusedEverywhere(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		good := s.program(ada).token
		foreign := newSite(t, session.Memory).program(ada).token
		gone := s.program(bea).token
		_, err := s.db.Writer().ExecContext(t.Context(), `DELETE FROM users WHERE email = $1`, bea)
		must(t, err)
		said := map[string]bool{}
		for what, row := range map[string]struct{ token, reason string }{
			"cut short":                {good[:len(good)-7], "signature"},
			"altered":                  {good[:len(good)-7] + "AAAAAAA", "signature"},
			"padded":                   {good + "=", "malformed"},
			"rubbish":                  {"rubbish", "malformed"},
			"very long":                {strings.Repeat("a", 5000), "malformed"},
			"another site's":           {foreign, "key"},
			"of somebody who is gone":  {gone, "no-such-user"},
			"with three parts of dots": {"...", "malformed"},
		} {
			for _, path := range []string{"/api/v1/me", "/api/v1/session", "/api/v1/courses", "/api/v1/courses/knots", "/api/v1/openapi.json", "/api/v1/nothing"} {
				before := len(s.log.String())
				p := &program{s.browser(), row.token}
				got := p.call(http.MethodGet, path).problem(t, http.StatusUnauthorized)
				if challenge := got.header.Values("WWW-Authenticate"); len(challenge) != 1 || challenge[0] != `Bearer realm="Lectern", error="invalid_token"` {
					t.Errorf("%s: %s challenges with %q", what, path, challenge)
				}
				said[got.withoutInstance()] = true
				log := s.log.String()[before:]
				if strings.Count(log, "\n") != 1 || !strings.Contains(log, `"refused":"`+row.reason+`"`) || !strings.Contains(log, `"session":"none"`) {
					t.Errorf("%s: the log says %s, want one line with the reason %s", what, log, row.reason)
				}
			}
			if len(row.token) > 20 && strings.Contains(s.log.String(), row.token[5:20]) {
				t.Errorf("%s: the token stands in the log", what)
			}
		}
		if len(said) != 1 {
			t.Errorf("the answers differ: %v", said)
		}
		if strings.Contains(s.log.String(), good[40:60]) {
			t.Error("a good token stands in the log")
		}
	})
}

// TestBearer_isInNoCache: what was answered to a program is nobody else's.
func TestBearer_isInNoCache(t *testing.T) {
	s := newSite(t, session.Memory)
	for _, path := range []string{"/api/v1/me", "/api/v1/courses", "/api/v1/session"} {
		got := s.program(ada).call(http.MethodGet, path).want(t, http.StatusOK)
		if cache, vary := got.header.Get("Cache-Control"), strings.Join(got.header.Values("Vary"), ", "); cache != "no-store" || !strings.Contains(vary, "Authorization") || !strings.Contains(vary, "Cookie") {
			t.Errorf("%s: Cache-Control %q, Vary %q", path, cache, vary)
		}
	}
}

// TestBearer_expires an hour after it was issued, to the second.
func TestBearer_expires(t *testing.T) {
	t.Attr("asvs", "9.2.1")
	s := newSite(t, session.Memory)
	p := s.program(ada)
	s.clock.move(time.Hour - time.Second)
	p.call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
	s.clock.move(time.Second)
	p.call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
	if !strings.Contains(s.log.String(), `"refused":"expired"`) {
		t.Error("the log does not say that it expired")
	}
}

// TestBearer_isNoSessionCookie puts a token into the cookies of every kind.
func TestBearer_isNoSessionCookie(t *testing.T) {
	t.Attr("asvs", "9.2.2")
	eachBackend(t, func(t *testing.T, s *site) {
		token := s.program(ada).token
		garbage := s.browser().get("/api/v1/me", "Cookie", cookieOf(s.sessions.Site().Backend)+"=garbage").problem(t, http.StatusUnauthorized)
		for _, name := range s.sessions.CookieNames() {
			for _, path := range []string{"/api/v1/me", "/account"} {
				got := s.browser().get(path, "Cookie", name+"="+token)
				if path == "/account" {
					if got.status != http.StatusSeeOther {
						t.Errorf("%s with a bearer token opens the account: %d", name, got.status)
					}
					continue
				}
				got.problem(t, http.StatusUnauthorized)
				if got.withoutInstance() != garbage.withoutInstance() {
					t.Errorf("%s: the answer to a bearer token in a cookie is not that to any bad cookie: %s", name, got.body)
				}
			}
		}
		if reason := `"refused":"type"`; s.sessions.Site().Backend == session.JWT && !strings.Contains(s.log.String(), reason) {
			t.Errorf("the log has no %s", reason)
		}
	})
}

// TestBearer_noSessionCookieIsOne puts each kind's cookie into the header.
func TestBearer_noSessionCookieIsOne(t *testing.T) {
	t.Attr("asvs", "9.2.2 10.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		backend := s.sessions.Site().Backend
		for _, name := range cookiesOf(backend) {
			isNoBearer(t, s, name)
		}
	})
}

func isNoBearer(t *testing.T, s *site, name string) {
	t.Helper()
	cookie := s.as(ada).cookie(name)
	if cookie == "" {
		t.Fatal("no cookie")
	}
	bad := (&program{s.browser(), "garbage"}).call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
	got := (&program{s.browser(), cookie}).call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
	if got.withoutInstance() != bad.withoutInstance() || got.header.Get("WWW-Authenticate") != bad.header.Get("WWW-Authenticate") {
		t.Errorf("the answer to a session's cookie is not that to any bad token: %s", got.body)
	}
	want := `"refused":"malformed"`
	if name == "lectern-jwt" || name == "lectern-access" {
		want = `"refused":"type"`
	}
	if lines := strings.Split(strings.TrimSpace(s.log.String()), "\n"); !strings.Contains(lines[len(lines)-1], want) {
		t.Errorf("the log ends with %s, want %s", lines[len(lines)-1], want)
	}
}

// TestBearer_isTakenFromTheHeaderAlone: RFC 6750 knows the form and the query
// as well.
func TestBearer_isTakenFromTheHeaderAlone(t *testing.T) {
	t.Attr("asvs", "14.2.1 16.2.5")
	s := newSite(t, session.Memory)
	token := s.program(ada).token
	s.browser().get("/api/v1/me?access_token="+token).problem(t, http.StatusUnauthorized)
	s.browser().send(http.MethodPut, "/api/v1/courses/knots/enrolment", url.Values{"access_token": {token}}.Encode(), "Content-Type", "application/x-www-form-urlencoded").problem(t, http.StatusUnauthorized)
	s.browser().get("/api/v1/me", "X-Access-Token", token, "Proxy-Authorization", "Bearer "+token).problem(t, http.StatusUnauthorized)
	if strings.Contains(s.log.String(), token[40:60]) {
		t.Error("a token stands in the log")
	}
}

// TestBearer_opensNoPage: pages know cookies alone.
func TestBearer_opensNoPage(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		p := s.program(alan)
		for _, path := range []string{"/account", "/learning", "/admin/users"} {
			p.call(http.MethodGet, path).want(t, http.StatusSeeOther)
		}
		p.call(http.MethodPost, "/courses/knots/join").want(t, http.StatusUnauthorized)
	})
}

// sendRaw sends Authorization headers as they are given.
func (b *browser) sendRaw(path string, values ...string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.site.url+path, nil)
	must(b.t, err)
	r.Header["Authorization"] = values
	response, err := b.client.Do(r)
	must(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(b.t, err)
	return answer{response.StatusCode, string(text), response.Header, ""}
}

func TestBearer_aHeaderThatCannotBeReadIsABadRequest(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		token, her := s.program(ada).token, s.as(bea)
		for what, values := range map[string][]string{
			"twice the same":        {"Bearer " + token, "Bearer " + token},
			"a token and another":   {"Bearer " + token, "Bearer x"},
			"a password and token":  {"Basic YTpi", "Bearer " + token},
			"no token":              {"Bearer"},
			"a space for a token":   {"Bearer "},
			"two tokens in one":     {"Bearer " + token + " " + token},
			"two, with a comma":     {"Bearer " + token + ",Bearer " + token},
			"quotes":                {`Bearer "` + token + `"`},
			"a parameter":           {"Bearer token=" + token},
			"a tab in between":      {"Bearer \t" + token},
			"letters of elsewhere":  {"Bearer tökën"},
			"nothing but equals":    {"Bearer ==="},
			"equals in the middle":  {"Bearer a=b"},
			"lower case, two times": {"bearer " + token, "bearer " + token},
		} {
			for _, b := range []*browser{s.browser(), her} {
				got := b.sendRaw("/api/v1/me", values...).problem(t, http.StatusBadRequest, "Send one Authorization header")
				if challenge := got.header.Values("WWW-Authenticate"); len(challenge) != 1 || challenge[0] != `Bearer realm="Lectern", error="invalid_request"` {
					t.Errorf("%s: challenges with %q", what, challenge)
				}
			}
		}
		for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "Bearer   "} {
			s.browser().sendRaw("/api/v1/me", scheme+token).want(t, http.StatusOK, "Ada Byron")
		}
		her.sendRaw("/api/v1/me", "Basic YTpi").want(t, http.StatusOK, "Bea Okoye")
		her.sendRaw("/api/v1/me", "Bearerx y").want(t, http.StatusOK, "Bea Okoye")
	})
}

// TestBearer_isLookedAtInsteadOfTheCookie: one request speaks for one person.
func TestBearer_isLookedAtInsteadOfTheCookie(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		her, its := s.as(bea), s.program(ada)
		both := func(path, token string) answer { return her.get(path, "Authorization", "Bearer "+token) }
		both("/api/v1/me", its.token).want(t, http.StatusOK, "Ada Byron")
		got := both("/api/v1/me", "garbage").problem(t, http.StatusUnauthorized)
		if len(got.header["Set-Cookie"]) > 0 {
			t.Errorf("a bad token clears a cookie: %q", got.header["Set-Cookie"])
		}
		tr := decoded[trace](t, both("/api/v1/session", its.token).want(t, http.StatusOK))
		now, end := s.clock.Now(), s.clock.Now().Add(time.Hour)
		if tr.Backend != session.Bearer || !tr.Authentication.OK || tr.Authentication.User != string(fixedID("ada")) || !tr.Authentication.At.Equal(now) || len(tr.Authentication.Methods) != 0 {
			t.Errorf("authentication: %+v", tr)
		}
		if !tr.Session.OK || !tr.Session.ExpiresAt.Equal(end) || tr.Session.IdleExpiresAt != nil || tr.Authorization.Role != "student" || tr.Authorization.RoleFrom != "token" {
			t.Errorf("session and authorization: %+v", tr)
		}
		if tr.Cookie.Name != "" || tr.Cookie.Bytes != 0 || tr.Cookie.Limit != 4096 || tr.Cookies == nil || len(tr.Cookies) != 0 || tr.Store.Reads != 1 || tr.Store.Writes != 0 {
			t.Errorf("cookies and store: %+v", tr)
		}
		var steps []string
		for _, step := range tr.Steps {
			steps = append(steps, step.Kind+" "+step.Name)
		}
		if got, want := strings.Join(steps, ", "), "cpu Read Authorization header, cpu Read header, cpu Verify signature, cpu Read claims, cpu Check issuer and expiry, store Look up the person"; got != want {
			t.Errorf("steps: %s", got)
		}
		if !her.signedIn() {
			t.Error("the cookie is not good any more")
		}
	})
}

// TestBearer_heedsEnds: what ends all of a person's sessions ends their
// programs' tokens, in every kind, at once; what is issued afterwards is good,
// be it in the same second.
func TestBearer_heedsEnds(t *testing.T) {
	for what, row := range map[string]struct {
		end    func(t *testing.T, s *site)
		reason string
		again  bool // whether a new token can be had
	}{
		"an admin ends their sessions": {func(t *testing.T, s *site) { s.as(alan).post(person(ada)+"/end-sessions").want(t, http.StatusSeeOther) }, "cut-off", true},
		"an admin closes the account":  {func(t *testing.T, s *site) { s.as(alan).post(person(ada)+"/disable").want(t, http.StatusSeeOther) }, "closed", false},
		"an admin ends everybody's": {func(t *testing.T, s *site) {
			s.as(alan).post("/admin/sessions", "backend", session.Memory, "existing", "end").want(t, http.StatusSeeOther)
		}, "ended-for-all", true},
	} {
		t.Run(what, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, s *site) {
				p, other := s.program(ada), s.program(bea)
				p.call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
				row.end(t, s)
				p.call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
				if !strings.Contains(s.log.String(), `"refused":"`+row.reason+`"`) {
					t.Errorf("the log has no reason %s", row.reason)
				}
				if row.reason != "ended-for-all" {
					other.call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
				}
				if !row.again {
					s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), "Content-Type", jsonType).problem(t, http.StatusUnauthorized)
					s.as(alan).post(person(ada)+"/enable").want(t, http.StatusSeeOther)
				}
				for range 3 {
					s.program(ada).call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
					s.clock.move(400 * time.Millisecond)
				}
				if row.again {
					p.call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
				}
			})
		})
	}
}

// TestBearer_endsWithTheOtherSessions: who changes their password and ends the
// others ends their programs' tokens too.
func TestBearer_endsWithTheOtherSessions(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		p, her := s.program(ada), s.as(ada)
		s.clock.move(2 * time.Second)
		her.post("/account/password", "current", password, "new", otherPassword, "end_others", "1").want(t, http.StatusSeeOther)
		p.call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
		p.token = p.askForToken(ada, otherPassword)
		p.call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
	})
}

// TestBearer_saysTheRoleItWasIssuedWith: the role is as old as the token.
func TestBearer_saysTheRoleItWasIssuedWith(t *testing.T) {
	t.Attr("asvs", "10.3.2")
	s := newSite(t, session.Memory)
	p := s.program(bea)
	s.as(alan).post(person(bea)+"/role", "role", "admin").want(t, http.StatusSeeOther)
	p.call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK, `"role":"student"`)
	s.program(bea).call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK, `"role":"admin"`)
	p.call(http.MethodPut, "/api/v1/courses/knots/enrolment").want(t, http.StatusOK)
	s.program(bea).call(http.MethodPut, "/api/v1/courses/knots/enrolment").problem(t, http.StatusForbidden)
}

// TestBearer_aDatabaseThatIsAwayIsNoBadToken keeps every reader busy: nobody
// knows whether the token is still good, so it is neither taken nor refused.
func TestBearer_aDatabaseThatIsAwayIsNoBadToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Memory)
	p := s.program(ada)
	var busy []*sql.Conn
	for range s.db.Reader().Stats().MaxOpenConnections {
		conn, err := s.db.Reader().Conn(t.Context())
		must(t, err)
		busy = append(busy, conn)
	}
	got := p.call(http.MethodGet, "/api/v1/me").problem(t, http.StatusServiceUnavailable)
	if retry := got.header.Get("Retry-After"); retry != "5" || got.header.Get("WWW-Authenticate") != "" {
		t.Errorf("Retry-After is %q, the challenge %q", retry, got.header.Get("WWW-Authenticate"))
	}
	for _, conn := range busy {
		must(t, conn.Close())
	}
	p.call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
}

// TestBearer_isSignedAsTheSiteSigns: a token is good whatever the site's
// algorithm, and a session's is none under either.
func TestBearer_isSignedAsTheSiteSigns(t *testing.T) {
	for _, algorithm := range []token.Algorithm{token.HS256, token.EdDSA} {
		s := startSite(t, session.JWT, true, setting{algorithm: algorithm})
		s.program(ada).call(http.MethodGet, "/api/v1/me").want(t, http.StatusOK)
		(&program{s.browser(), s.as(ada).cookie("lectern-jwt")}).call(http.MethodGet, "/api/v1/me").problem(t, http.StatusUnauthorized)
	}
}
