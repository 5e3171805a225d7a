package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/handlers/openapi"
	"lectern/handlers/policy"
	"lectern/handlers/session"
)

// showDescription answers with the description of the API.
func (s *Server) showDescription(c echo.Context) error {
	return c.JSONBlob(http.StatusOK, s.description)
}

// describe writes the description from the table of operations.
func (s *Server) describe() ([]byte, error) {
	d := openapi.New("Lectern", "1", "The course site for programs. Errors are RFC 9457 problems.", apiPath)
	openapi.Words(d, school.Roles)
	openapi.Words(d, school.Topics)
	openapi.Words(d, school.Levels)
	openapi.Words(d, school.Kinds)
	openapi.Words(d, []school.Status{school.Draft, school.Published})
	openapi.Words(d, []session.RoleSource{session.FromToken, session.FromSession, session.FromUser})
	openapi.Words(d, []lab.Verdict{lab.Accepted, lab.Refused, lab.Unavailable, lab.NotApplicable})
	openapi.Words(d, []session.StepKind{session.CPU, session.Store})

	d.Secure("bearer", openapi.Scheme{Type: "http", Scheme: "bearer", Format: "JWT", Says: "An access token from POST /tokens. It is taken from the Authorization header alone, and where there is one, no cookie is looked at. A bad one is refused everywhere, also where none is needed."})
	ways := []string{"bearer"}
	for _, name := range s.Sessions.CookieNames() {
		d.Secure(name, openapi.Scheme{Type: "apiKey", In: "cookie", Name: name, Says: "The cookie of somebody who signed in with a browser. Which one counts depends on the kind of their session."})
		ways = append(ways, name)
	}
	for _, o := range s.api() {
		d.Add(o.method, o.path, openapi.Operation{
			ID: o.id, Summary: o.summary, Says: o.says, Query: o.query, Body: o.body,
			Path:     map[string]string{"course": "the course as its address names it", "experiment": "the experiment as its address names it"},
			Answers:  o.answers(),
			Security: o.security(ways),
		})
	}
	return d.JSON()
}

// security lists who may come: everybody, or those who say who they are.
func (o operation) security(ways []string) []string {
	if policy.NeedsSignIn(o.needs.action) {
		return ways
	}
	return append([]string{""}, ways...)
}

// refusalWords say what the errors of the API mean.
var refusalWords = map[int]string{
	http.StatusBadRequest:            "The request cannot be read: its Authorization header, or its body.",
	http.StatusUnauthorized:          "Nobody is signed in with what was sent.",
	http.StatusForbidden:             "That is not for you, or a page of another site sent it.",
	http.StatusNotFound:              "There is nothing here, or nothing for you.",
	http.StatusConflict:              "Not as things stand.",
	http.StatusRequestEntityTooLarge: "The body is larger than this address takes.",
	http.StatusUnsupportedMediaType:  "The body is not application/json.",
	http.StatusUnprocessableEntity:   "A value is not one of those on offer.",
	http.StatusTooManyRequests:       "Too many tries.",
	http.StatusInternalServerError:   "A mistake of ours.",
	http.StatusServiceUnavailable:    "Something that is needed does not answer. You are not signed out.",
}

// answers lists what an operation can answer: what was asked for, its own
// errors, and those that every operation has.
func (o operation) answers() []openapi.Answer {
	all := []openapi.Answer{o.answer}
	common := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusInternalServerError, http.StatusServiceUnavailable}
	for _, status := range append(common, o.refuses...) {
		a := openapi.Answer{Status: status, Says: refusalWords[status], Type: problemType, Body: problemJSON{}}
		switch status {
		case http.StatusUnauthorized:
			a.Headers = map[string]string{echo.HeaderWWWAuthenticate: "how to say who you are (RFC 6750)"}
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			a.Headers = map[string]string{echo.HeaderRetryAfter: "after how many seconds to try again"}
		}
		all = append(all, a)
	}
	return all
}
