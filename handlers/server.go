// Package handlers is the site: it turns requests into questions for the other
// packages and their answers into pages.
//
// A request's way is the order of the files. The table in routes.go says which
// paths there are and what each requires. middleware.go is what every request
// passes through. identity.go finds out who is asking (package session) and
// gate.go whether they may (package policy). Then comes one function in the
// file of the resource, which parses what was typed, asks the database, fills
// the props of a view, and gives them to render.go. Whatever goes wrong
// travels up as an error, and errors.go alone makes an answer out of it.
//
// The session lab (lab.go and the files that begin with lab_) is pages like all
// others; what it runs, small sites of their own, is made in small_world.go. The
// matrix of who may do what (permissions.go) is laid out by package matrix.
//
// Programs go the same way. Their table is in api.go; beside the routes, the
// description of the API is made from it.
package handlers

import (
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/assets"
	"lectern/db"
	"lectern/handlers/auth"
	"lectern/handlers/bearer"
	"lectern/handlers/lab"
	"lectern/handlers/lab/othersite"
	"lectern/handlers/markdown"
	"lectern/handlers/message"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// Config is what a Server is made of.
type Config struct {
	DB       *db.DB
	Sessions *session.Manager
	// Ways are those to prove who one is.
	auth.Ways
	// Messages are where mails and text messages are sent from.
	Messages *message.Outbox
	// Tokens are the access tokens of programs.
	Tokens *bearer.Tokens
	// Keys are those that tokens are signed with.
	Keys *token.Keyring
	// SignUps limits how many accounts one address may open, over all servers.
	SignUps *auth.Limiter
	// PasskeyAsks limits how many questions to passkeys one address may ask for, here.
	PasskeyAsks *auth.Limiter
	// Lab runs the experiments; nil in its own small worlds, which have none.
	Lab *lab.Lab
	// LabRedis is where the lab keeps sessions of that kind; nil where there is no Redis.
	LabRedis *serverstore.Redis
	// LabRuns limits how often one address may run them here.
	LabRuns *auth.Limiter
	// ClassCodes limits how many codes of classes one address may try that lead
	// nowhere, and ClassForms how often it may predict in a class, here.
	ClassCodes, ClassForms *auth.Limiter
	// OtherSite is where the lab's other site is, which attacks this one.
	OtherSite othersite.Place
	// Providers are those whose word somebody can sign in by, in the order in which
	// they are offered.
	Providers []*auth.Provider
	Log       *slog.Logger
	Now       func() time.Time
	Random    io.Reader
	// BaseURL is the address that people see.
	BaseURL *url.URL
	// Demo shows the demo accounts and their inbox, the components page, and the
	// choice of backend to everybody.
	Demo bool
	// Proxies are the addresses whose forwarded headers are believed.
	Proxies []netip.Prefix
	// Watch is shown the session of each request as soon as it was looked for; nil
	// where nobody watches. What the request does to it later stands in it later.
	Watch func(*http.Request, *session.Visit)
	// Decided is told what policy answers to each request; nil where nobody asks.
	Decided func(*http.Request, policy.Decision)
}

// Server answers every request of the site. It is safe for concurrent use.
type Server struct {
	Config
	echo     *echo.Echo
	origins  *http.CrossOriginProtection
	markdown *markdown.Renderer

	description []byte // of the API

	pages      pageCache
	pagePaths  []string // of the routes that can be looked at
	renderings renderings
	classRuns  classRuns
	classPace  pace
	hall       *hall
	attempts   attempts
	// attemptNames are those by which the browsers are known that attempts come from.
	attemptNames *attemptNames
}

// New puts the site together. It returns an error when a setting cannot be.
func New(c Config) (*Server, error) {
	s := &Server{Config: c, echo: echo.New(), origins: http.NewCrossOriginProtection(), markdown: markdown.New(markdown.WithIcons(icon))}
	origin := url.URL{Scheme: c.BaseURL.Scheme, Host: c.BaseURL.Host}
	if err := s.origins.AddTrustedOrigin(origin.String()); err != nil {
		return nil, err
	}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = s.answerError
	s.echo.IPExtractor = addressOf(c.Proxies)
	s.echo.Logger.SetOutput(io.Discard)
	var err error
	if s.description, err = s.describe(); err != nil {
		return nil, err
	}
	s.hall = newHall(s.readClassNews, hallTick)
	s.attemptNames = newAttemptNames()
	s.use()
	s.route()
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// textIcons are the drawings that a lesson's text may hold, by what the text
// calls them.
var textIcons = map[string]string{"note": "i-info", "tip": "i-check", "try": "i-play", "warning": "i-warn", "up": "i-up"}

// icon is a drawing for a lesson's text, as the views draw it.
func icon(name string) string {
	symbol, err := assets.Symbol(textIcons[name])
	if err != nil {
		return ""
	}
	return `<svg class="i" aria-hidden="true"><use href="` + symbol + `"></use></svg>`
}
