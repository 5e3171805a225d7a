package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/openapi"
	"lectern/handlers/policy"
	"lectern/views"
)

// apiPath is under which the API for programs lies.
const apiPath = "/api/v1"

// inAPI reports whether a request is a program's.
func inAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }

// operation is one line of the API: a route, and what its description says of
// it. Both are made from here, so there is no route that is not described.
type operation struct {
	method  string
	path    string
	needs   requirement
	handler func(*Server, echo.Context) error

	id      string
	summary string
	says    string
	query   []openapi.Parameter
	body    any
	answer  openapi.Answer
	// refuses lists the statuses of its own errors. Those that all have are not
	// in it.
	refuses []int
}

// operations is the API.
var operations = []operation{
	{
		http.MethodPost, "/api/v1/tokens", to(policy.Browse), (*Server).issueToken,
		"createToken", "Get an access token for a password",
		"The tries pass through the same throttle as those at the sign-in page. A token is good for an hour at most. It stops being good when all sessions of the person are ended, when their account is closed, and when an admin ends everybody's sessions; it goes on saying the role that the person had when it was issued.",
		nil, credentialsJSON{},
		openapi.Answer{Status: http.StatusOK, Says: "The token. Send it as Authorization: Bearer.", Body: tokenJSON{}},
		[]int{http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests},
	},
	{
		http.MethodGet, "/api/v1/me", to(policy.AccountView), (*Server).showMe,
		"getMe", "Who the credential stands for", "The role is the one that the credential says.",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "The person.", Body: meJSON{}},
		[]int{http.StatusForbidden},
	},
	{
		http.MethodGet, "/api/v1/session", to(policy.SessionRead), (*Server).sessionJSON,
		"getSession", "What it took to find out who is asking", "The trace of this very request, also for visitors.",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "The trace.", Body: traceJSON{}},
		nil,
	},
	{
		http.MethodGet, "/api/v1/courses", to(policy.Browse), (*Server).listCourses,
		"listCourses", "The published courses", "A page of them. To have the next one, send its next as after, with the same other parameters.",
		[]openapi.Parameter{
			{Name: "q", Of: "", Max: school.MaxQuery, Says: "the beginnings of words of title, summary or instructor"},
			{Name: "topic", Of: school.Topic(""), Says: "the shelf"},
			{Name: "level", Of: school.Level(""), Says: "how much is expected of the reader"},
			{Name: "status", Of: "", Words: views.CatalogueStatuses, Says: "how you stand to the course, for who is signed in"},
			{Name: "sort", Of: "", Words: views.CatalogueSorts, Says: "the order; the editor's own if it is left out"},
			{Name: "after", Of: "", Max: maxCursor, Says: "the next of the page before"},
		}, nil,
		openapi.Answer{Status: http.StatusOK, Says: "The page.", Body: courseListJSON{}},
		[]int{http.StatusUnprocessableEntity},
	},
	{
		http.MethodGet, "/api/v1/courses/:course", on(policy.CourseView, (*Server).courseAsked), (*Server).readCourse,
		"getCourse", "One course, with its outline", "Drafts are there for those who may edit them.",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "The course.", Body: outlinedCourseJSON{}},
		[]int{http.StatusNotFound},
	},
	{
		http.MethodPut, "/api/v1/courses/:course/enrolment", on(policy.CourseJoin, (*Server).courseAsked), (*Server).enrol,
		"join", "Join a course", "Who has joined already stays as they are, and gets the same answer.",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "Your place in the course.", Body: enrolmentJSON{}},
		[]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	},
	{
		http.MethodDelete, "/api/v1/courses/:course/enrolment", on(policy.CourseJoin, (*Server).courseAsked), (*Server).unenrol,
		"leave", "Leave a course", "Your progress is kept, for when you join again. Who is not in the course stays as they are.",
		nil, nil,
		openapi.Answer{Status: http.StatusNoContent, Says: "You are not in the course."},
		[]int{http.StatusForbidden, http.StatusNotFound},
	},
	{
		http.MethodGet, "/api/v1/openapi.json", to(policy.Browse), (*Server).showDescription,
		"getDescription", "This description", "",
		nil, nil,
		openapi.Answer{Status: http.StatusOK, Says: "The description.", Body: map[string]any{}},
		nil,
	},
}

// api is what this site has of it: all, but where there is no lab.
func (s *Server) api() []operation {
	if s.Lab == nil {
		return operations
	}
	return slices.Concat(operations, labOperations)
}

// apiRoutes are the lines of the table that are the API's.
func (s *Server) apiRoutes() []route {
	api := s.api()
	all := make([]route, len(api))
	for i, o := range api {
		all[i] = route{o.method, o.path, o.needs, o.handler}
	}
	return all
}
