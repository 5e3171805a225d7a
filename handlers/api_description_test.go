package handlers_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"lectern/handlers/session"
)

// description is the API's own description, read by somebody else's reader.
func description(t *testing.T, s *site) *openapi3.T {
	t.Helper()
	got := s.browser().get("/api/v1/openapi.json").want(t, http.StatusOK)
	if kind := got.header.Get("Content-Type"); kind != jsonType {
		t.Errorf("Content-Type is %q", kind)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
	must(t, err)
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the description is not valid: %v\n%s", err, got.body)
	}
	return doc
}

// TestDescription_isOfWhatIsServed compares both ways.
func TestDescription_isOfWhatIsServed(t *testing.T) {
	s := newSite(t, session.Memory)
	doc := description(t, s)
	var described, served []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+doc.Servers[0].URL+path)
		}
	}
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, route := range s.Served() {
		if method, path, _ := strings.Cut(route, " "); strings.HasPrefix(path, "/api/") && method != http.MethodHead {
			served = append(served, method+" "+parameter.ReplaceAllString(path, "{$1}"))
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described: %q\nserved:    %q", described, served)
	}
	if len(served) < 8 {
		t.Errorf("only %d are served", len(served))
	}
}

// TestDescription_saysWhoMayCome: an operation that is described as one for
// everybody does not answer 401 to a visitor, and the others do.
func TestDescription_saysWhoMayCome(t *testing.T) {
	for base, want := range map[string][]string{
		"":                       {"bearer", "lectern-access", "lectern-jwt", "lectern-refresh", "lectern-sid"},
		"https://school.example": {"__Host-lectern-access", "__Host-lectern-jwt", "__Host-lectern-refresh", "__Host-lectern-sid", "bearer"},
	} {
		s := startSite(t, session.Memory, true, setting{base: base})
		doc := description(t, s)
		var schemes []string
		for name := range doc.Components.SecuritySchemes {
			schemes = append(schemes, name)
		}
		if slices.Sort(schemes); !slices.Equal(schemes, want) {
			t.Errorf("%s: one can come with %q, want %q", base, schemes, want)
		}
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				open := slices.ContainsFunc(*operation.Security, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })
				body := ""
				if operation.RequestBody != nil {
					body = "{}"
				}
				got := s.browser().send(method, doc.Servers[0].URL+strings.NewReplacer("{course}", "knots", "{experiment}", "steal-the-cookie").Replace(path), body, "Content-Type", jsonType)
				if refused := got.status == http.StatusUnauthorized; refused == open {
					t.Errorf("%s %s answers a visitor %d, and is described as for everybody: %v", method, path, got.status, open)
				}
			}
		}
	}
}

// reader checks real answers against the description.
type reader struct {
	t      *testing.T
	router routers.Router
	seen   map[string]bool
}

func (rd *reader) reads(says, method, path, body string, got answer) {
	rd.t.Helper()
	r, err := http.NewRequestWithContext(rd.t.Context(), method, path, strings.NewReader(body))
	must(rd.t, err)
	r.Header.Set("Content-Type", jsonType)
	route, params, err := rd.router.FindRoute(r)
	if err != nil {
		rd.t.Errorf("%s: %s %s is not described: %v", says, method, path, err)
		return
	}
	rd.seen[route.Operation.OperationID] = rd.seen[route.Operation.OperationID] || got.status < 400
	options := &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if got.status < 400 {
		if err := openapi3filter.ValidateRequest(rd.t.Context(), request); err != nil {
			rd.t.Errorf("%s: %s %s was accepted, and is not as described: %v", says, method, path, err)
		}
	}
	if err := openapi3filter.ValidateResponse(rd.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: got.status, Header: got.header, Body: io.NopCloser(bytes.NewReader([]byte(got.body))), Options: options,
	}); err != nil {
		rd.t.Errorf("%s: the answer %d to %s %s is not as described: %v\n%s", says, got.status, method, path, err, got.body)
	}
}

// TestDescription_isTrue holds what really comes back against it, of every
// operation and of its errors.
func TestDescription_isTrue(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		doc := description(t, s)
		router, err := legacy.NewRouter(doc)
		must(t, err)
		rd := &reader{t, router, map[string]bool{}}
		get, put, del, post := http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPost
		visitor, her, its, admin := s.browser(), s.as(ada), s.program(ada), s.program(alan)
		her.post("/courses/stars/join")
		her.post("/courses/stars/lessons/one-first/done")
		for _, path := range []string{"/me", "/session", "/courses", "/courses?q=k&topic=design&level=first&sort=title", "/courses?status=open", "/courses?topic=x", "/courses/knots", "/courses/stars", "/courses/sails", "/courses/none", "/lab/experiments", "/openapi.json"} {
			path = "/api/v1" + path
			rd.reads("a visitor", get, path, "", visitor.get(path))
			rd.reads("a person", get, path, "", her.get(path))
			rd.reads("a program", get, path, "", its.call(get, path))
			rd.reads("the owner", get, path, "", s.as(grace).get(path))
			rd.reads("a bad token", get, path, "", visitor.sendRaw(path, "Bearer x"))
			rd.reads("two tokens", get, path, "", visitor.sendRaw(path, "Bearer x", "Bearer y"))
			rd.reads("a bad cookie", get, path, "", visitor.get(path, "Cookie", cookieOf(s.sessions.Site().Backend)+"=x"))
		}
		for _, path := range []string{"/api/v1/courses/knots/enrolment", "/api/v1/courses/sails/enrolment"} {
			for _, method := range []string{put, put, del, del} {
				rd.reads("a visitor", method, path, "", visitor.send(method, path, ""))
				rd.reads("a person", method, path, "", her.send(method, path, ""))
				rd.reads("a program", method, path, "", its.call(method, path))
				rd.reads("an admin's program", method, path, "", admin.call(method, path))
				rd.reads("another site's page", method, path, "", her.send(method, path, "", "Sec-Fetch-Site", "cross-site"))
			}
		}
		for _, slug := range []string{"steal-the-cookie", "lose-the-store", "alchemy"} {
			path := "/api/v1/lab/experiments/" + slug + "/runs"
			rd.reads("a visitor", post, path, "", visitor.send(post, path, ""))
			rd.reads("a program", post, path, "", its.call(post, path))
		}
		const tokens = "/api/v1/tokens"
		for says, body := range map[string]string{
			"the right password": credentials(ada, password), "a wrong one": credentials(ada, "no"), "no body": "", "too much": credentials(ada, strings.Repeat("x", 20<<10)),
		} {
			rd.reads(says, post, tokens, body, visitor.send(post, tokens, body, "Content-Type", jsonType))
		}
		rd.reads("a form", post, tokens, "", visitor.post(tokens, "email", ada))
		for range 30 {
			got := visitor.send(post, tokens, credentials(bea, "no"), "Content-Type", jsonType)
			rd.reads("again and again", post, tokens, "", got)
		}
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				if !rd.seen[operation.OperationID] {
					t.Errorf("%s %s was never answered well", method, path)
				}
			}
		}
	})
}
