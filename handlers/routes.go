package handlers

import (
	"errors"
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
	{http.MethodPost, "/kept", to(policy.Browse), (*Server).passKept},
	{http.MethodGet, "/signup", to(policy.Browse), (*Server).showSignUp},
	{http.MethodPost, "/signup", to(policy.Browse), (*Server).signUp},
	{http.MethodPost, "/signout", to(policy.Browse), (*Server).signOut},
	{http.MethodGet, "/sessions", to(policy.Browse), (*Server).showKinds},
}

// route fills Echo's router from the table. What needs no session (assets,
// covers, public keys, health) is not in it and costs none.
func (s *Server) route() {
	for _, r := range s.table() {
		s.add(r)
	}
	static := echo.WrapHandler(assets.Handler())
	s.echo.GET("/assets/*", static)
	s.echo.HEAD("/assets/*", static)
	s.echo.GET("/covers/:file", s.showCover)
	s.echo.GET("/.well-known/jwks.json", s.showKeys)
	s.echo.HEAD("/.well-known/jwks.json", s.showKeys)
	s.echo.GET("/healthz", s.alive)
	s.echo.GET("/readyz", s.ready)
	s.echo.Use(s.knowTheLost)
}

// knowTheLost finds out who is asking also where there is no route, so that
// the page that says so has its frame. (A route for everything else would turn
// each 405 into a 404.)
func (s *Server) knowTheLost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if c.Get(visitorKey) != nil || !errors.Is(err, echo.ErrNotFound) && !errors.Is(err, echo.ErrMethodNotAllowed) {
			return err
		}
		return s.withSession(func(echo.Context) error { return err })(c)
	}
}

// table is every line that this site has.
func (s *Server) table() []route {
	table := slices.Concat(routes, learnRoutes, teachRoutes, codeRoutes, withRoutes, secondRoutes, forgottenRoutes, confirmRoutes, accountRoutes, wayRoutes, passkeyRoutes, leaveRoutes, accountSessionRoutes, adminRoutes, invitationRoutes, s.apiRoutes())
	if s.Lab != nil {
		table = slices.Concat(table, labRoutes, classRoutes)
	}
	if s.Demo {
		table = append(table, demoRoutes...)
	}
	return table
}

func (s *Server) add(r route) {
	if r.method == http.MethodGet {
		s.pagePaths = append(s.pagePaths, r.path)
	}
	handler := func(c echo.Context) error { return r.handler(s, c) }
	s.echo.Add(r.method, r.path, s.withSession(s.gate(r.needs, handler)))
	if r.method == http.MethodGet {
		s.echo.HEAD(r.path, s.withSession(s.gate(r.needs, handler)))
	}
}
