package handlers

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/assets"
	"lectern/handlers/policy"
)

// route is one line of the table: a method, a path, what it requires, and who
// answers.
type route struct {
	method  string
	path    string
	needs   requirement
	handler func(*Server, echo.Context) error
}

// routes is the site. Every route that knows a session is here, with what it
// requires; a test walks the table for each kind of person.
var routes = []route{
	{http.MethodGet, "/", to(policy.Browse), (*Server).showHome},
	{http.MethodPost, "/appearance", to(policy.Browse), (*Server).changeAppearance},

	{http.MethodGet, "/signin", to(policy.Browse), (*Server).showSignIn},
	{http.MethodPost, "/signin", to(policy.Browse), (*Server).signIn},
	{http.MethodGet, "/signup", to(policy.Browse), (*Server).showSignUp},
	{http.MethodPost, "/signup", to(policy.Browse), (*Server).signUp},
	{http.MethodPost, "/signout", to(policy.Browse), (*Server).signOut},
	{http.MethodPost, "/session/backend", to(policy.SessionSwitch), (*Server).switchBackend},
	{http.MethodGet, "/api/v1/session", to(policy.SessionRead), (*Server).sessionJSON},
}

// demoRoutes are there only where the site is a demonstration (ASVS 15.2.3).
var demoRoutes = []route{}

// route fills Echo's router from the table. What needs no session (assets,
// covers, health) is not in it and costs none.
func (s *Server) route() {
	table := slices.Concat(routes, teachRoutes)
	if s.Demo {
		table = append(table[:len(table):len(table)], demoRoutes...)
	}
	for _, r := range table {
		s.add(r)
	}
	static := echo.WrapHandler(assets.Handler())
	s.echo.GET("/assets/*", static)
	s.echo.HEAD("/assets/*", static)
	s.echo.GET("/covers/:file", s.showCover)
	s.echo.GET("/healthz", s.alive)
	s.echo.GET("/readyz", s.ready)
	s.echo.RouteNotFound("/*", s.withSession(func(echo.Context) error { return echo.ErrNotFound }))
}

func (s *Server) add(r route) {
	handler := func(c echo.Context) error { return r.handler(s, c) }
	s.echo.Add(r.method, r.path, s.withSession(s.gate(r.needs, handler)))
	if r.method == http.MethodGet {
		s.echo.HEAD(r.path, s.withSession(s.gate(r.needs, handler)))
	}
}
