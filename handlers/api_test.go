package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"lectern/handlers/session"
)

const jsonType = "application/json"

// program is somebody's program: it has a token and no cookies.
type program struct {
	*browser
	token string
}

// program gets a token for somebody; without a name, it has none.
func (s *site) program(email string) *program {
	s.t.Helper()
	p := &program{browser: s.browser()}
	if email != "" {
		p.token = p.askForToken(email, password)
	}
	return p
}

// credentials is the body that asks for a token.
func credentials(email, password string) string {
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		panic(err)
	}
	return string(body)
}

func (b *browser) askForToken(email, password string) string {
	b.t.Helper()
	got := b.send(http.MethodPost, "/api/v1/tokens", credentials(email, password), "Content-Type", jsonType).want(b.t, http.StatusOK)
	var token struct {
		AccessToken string `json:"access_token"`
	}
	must(b.t, json.Unmarshal([]byte(got.body), &token))
	if token.AccessToken == "" {
		b.t.Fatalf("no token in %s", got.body)
	}
	return token.AccessToken
}

// call sends a request with the token.
func (p *program) call(method, path string, headers ...string) answer {
	p.t.Helper()
	if p.token != "" {
		headers = append(headers, "Authorization", "Bearer "+p.token)
	}
	return p.send(method, path, "", headers...)
}

// decoded is a JSON answer as the type.
func decoded[T any](t testing.TB, a answer) T {
	t.Helper()
	var into T
	if got := a.header.Get("Content-Type"); got != jsonType {
		t.Errorf("Content-Type is %q", got)
	}
	if err := json.Unmarshal([]byte(a.body), &into); err != nil {
		t.Fatalf("%v\n%s", err, a.body)
	}
	return into
}

// problem fails unless the answer is an error for a program.
func (a answer) problem(t testing.TB, status int, texts ...string) answer {
	t.Helper()
	a.want(t, status, texts...)
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("%v\n%s", err, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" || p.Type != "about:blank" || p.Title != http.StatusText(status) ||
		p.Status != status || p.Detail == "" || p.Instance != a.header.Get("X-Request-Id") {
		t.Errorf("%s is %+v", got, p)
	}
	return a
}

// withoutInstance is the body of a problem but for the number of its request.
func (a answer) withoutInstance() string {
	return strings.Replace(a.body, a.header.Get("X-Request-Id"), "", 1)
}

// TestAPI_answersTokensAsItAnswersCookies walks the API's part of the route
// table with programs.
func TestAPI_answersTokensAsItAnswersCookies(t *testing.T) {
	shared := newSite(t, session.Memory)
	people := map[string]*program{}
	for who := range (answers{}).each() {
		people[who] = shared.program(who)
	}
	for _, r := range rows {
		method, path, _ := strings.Cut(r.route, " ")
		if !strings.HasPrefix(path, "/api/") || r.json != "" {
			continue
		}
		if r.path != "" {
			path = r.path
		}
		for who, want := range r.want.each() {
			p := people[who]
			if method != http.MethodGet {
				p = newSite(t, session.Memory).program(who)
			}
			got := p.call(method, path)
			if got.status != want {
				t.Errorf("%s: %s %s by a program of %q answers %d, want %d", r.says, method, path, who, got.status, want)
			}
			challenge := strings.Join(got.header.Values("WWW-Authenticate"), ", ")
			wanted := map[int]string{
				http.StatusUnauthorized: `Session realm="Lectern", signin="/signin", Bearer realm="Lectern"`,
				http.StatusForbidden:    `Bearer realm="Lectern", error="insufficient_scope"`,
			}[want]
			if challenge != wanted {
				t.Errorf("%s: %s %s by a program of %q says %q, want %q", r.says, method, path, who, challenge, wanted)
			}
			if want >= 400 {
				got.problem(t, want)
			}
		}
	}
}

func TestAPI_isNotThereWhereNothingIsBuilt(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		for _, path := range []string{"/api/v1", "/api/v1/", "/api/", "/api/v2/me", "/api/v1/nothing", "/api/v1/lab", "/api/v1/courses/nothing", "/api/v1/courses/KNOTS", "/api/v1/courses/knots/"} {
			s.browser().get(path, "Accept", "text/html").problem(t, http.StatusNotFound)
			her.get(path).problem(t, http.StatusNotFound)
			s.program(ada).call(http.MethodGet, path).problem(t, http.StatusNotFound)
		}
		got := her.send(http.MethodPatch, "/api/v1/courses/knots/enrolment", "").problem(t, http.StatusMethodNotAllowed)
		for _, method := range []string{"PUT", "DELETE"} {
			if !strings.Contains(got.header.Get("Allow"), method) {
				t.Errorf("allows %q, which lacks %s", got.header.Get("Allow"), method)
			}
		}
	})
}

func TestAPI_tellsWhoItIs(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		want := fmt.Sprintf(`{"id":%q,"name":"Grace Murray","email":%q,"role":"instructor"}`, fixedID("grace"), grace)
		for _, got := range []answer{s.as(grace).get("/api/v1/me"), s.program(grace).call(http.MethodGet, "/api/v1/me")} {
			decoded[map[string]string](t, got.want(t, http.StatusOK))
			if strings.TrimSpace(got.body) != want {
				t.Errorf("got %s, want %s", got.body, want)
			}
			if cached := got.header.Get("Cache-Control"); cached != "no-store" {
				t.Errorf("Cache-Control is %q", cached)
			}
			if vary := strings.Join(got.header.Values("Vary"), ","); !strings.Contains(vary, "Cookie") || !strings.Contains(vary, "Authorization") {
				t.Errorf("Vary is %q", vary)
			}
		}
	})
}

// TestAPI_obeysTheCrossOriginRules: a page of another site gets nothing done,
// neither with the visitor's cookie nor with a token, which it could not send
// in any case.
func TestAPI_obeysTheCrossOriginRules(t *testing.T) {
	t.Attr("asvs", "3.4.2 3.5.1")
	eachBackend(t, func(t *testing.T, s *site) {
		her, its := s.as(ada), s.program(ada)
		foreign := [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}}
		for _, headers := range foreign {
			for _, method := range []string{http.MethodPut, http.MethodDelete} {
				her.send(method, "/api/v1/courses/knots/enrolment", "", headers...).problem(t, http.StatusForbidden, "not ours")
				its.call(method, "/api/v1/courses/knots/enrolment", headers...).problem(t, http.StatusForbidden, "not ours")
			}
			s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), append(headers, "Content-Type", jsonType)...).problem(t, http.StatusForbidden)
		}
		if course := decoded[courseAnswer](t, her.get("/api/v1/courses/knots")); course.Enrolment != nil {
			t.Error("a page of another site has joined a course")
		}
		her.send(http.MethodPut, "/api/v1/courses/knots/enrolment", "", "Sec-Fetch-Site", "same-origin").want(t, http.StatusOK)
		her.send(http.MethodPut, "/api/v1/courses/knots/enrolment", "", "Origin", s.url).want(t, http.StatusOK)

		asked := s.browser().send(http.MethodOptions, "/api/v1/me", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
		read := her.get("/api/v1/me", "Origin", "https://evil.example")
		for _, got := range []answer{asked, read} {
			for name := range got.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("another origin is told %s: %s", name, got.header.Get(name))
				}
			}
		}
	})
}
