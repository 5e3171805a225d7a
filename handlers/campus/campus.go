// Package campus is the demo's own sign-in provider, "Campus ID": another house, at
// another address, that says who somebody is. With it the whole of a sign-in by
// OpenID Connect can be tried and watched without a network and without an account
// anywhere.
//
// The protocol is a certified library's (zitadel/oidc). What stands here is what a
// provider has to decide for itself, in the order of a sign-in. A site sends a browser
// to /id/authorize; protocol.go refuses what is not exactly as it was registered. The
// person says who they are and what may be told (pages.go), each time anew, because
// nothing is remembered about them. The site exchanges its code, once and within a
// minute, and is told that and no more.
//
// It knows nothing of the application: no account, no session, no shared page. Its
// people are invented, so nobody needs a password. All that it keeps is in memory
// (store.go).
package campus

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// Site is one that may ask who somebody is. It has been registered: only it knows the
// secret, and people are sent back to its one address and to no other.
type Site struct {
	ID, Secret string
	Name       string // for people
	Home       string // where people find it
	Redirect   string
}

// Config is what a Provider is made of.
type Config struct {
	// Issuer is the address at which browsers and sites reach it, and by which it
	// calls itself.
	Issuer string
	Sites  []Site
	Log    *slog.Logger
	Now    func() time.Time
	Random io.Reader
}

// Provider is the whole of Campus ID. It is safe for concurrent use.
type Provider struct {
	issuer  string
	log     *slog.Logger
	store   *store
	op      *op.Provider
	origins *http.CrossOriginProtection
	mux     *http.ServeMux
	policy  string
}

// New makes a Provider, with keys of its own that nobody has seen before.
func New(c Config) (*Provider, error) {
	s, err := newStore(c)
	if err != nil {
		return nil, err
	}
	config := &op.Config{CodeMethodS256: true, SupportedScopes: scopes, SupportedClaims: claims}
	if _, err := io.ReadFull(c.Random, config.CryptoKey[:]); err != nil {
		return nil, fmt.Errorf("campus: randomness: %w", err)
	}
	library, err := op.NewProvider(config, s, op.StaticIssuer(c.Issuer), op.WithAllowInsecure(),
		op.WithCustomAuthEndpoint(op.NewEndpoint(authorizePath)), op.WithCustomTokenEndpoint(op.NewEndpoint(tokenPath)),
		op.WithCustomUserinfoEndpoint(op.NewEndpoint(userPath)), op.WithCustomKeysEndpoint(op.NewEndpoint(keysPath)))
	if err != nil {
		return nil, fmt.Errorf("campus: %w", err)
	}
	p := &Provider{issuer: c.Issuer, log: c.Log, store: s, op: library, origins: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	if err := p.setPolicy(c.Sites); err != nil {
		return nil, err
	}
	p.route()
	return p, nil
}

// Where the protocol is spoken. Everything that a browser comes to is below /id, and
// so is the cookie.
const (
	authorizePath = "/id/authorize"
	tokenPath     = "/token"
	userPath      = "/userinfo"
	keysPath      = "/keys"
)

func (p *Provider) route() {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /.well-known/openid-configuration": p.describe,
		"GET " + keysPath:                       p.keys,
		"GET " + authorizePath:                  p.authorize,
		"POST " + tokenPath:                     p.token,
		"GET " + userPath:                       p.user,

		"GET /{$}":                        p.toHome,
		"GET /id/{$}":                     p.showHome,
		"GET /id/campus.css":              serveStyle,
		"GET /id/requests/{id}":           p.showPeople,
		"POST /id/requests/{id}/person":   p.choosePerson,
		"GET /id/requests/{id}/consent":   p.showConsent,
		"POST /id/requests/{id}/answer":   p.answer,
		"POST /id/requests/{id}/withdraw": p.withdraw,
		"/":                               p.showNothing,
	} {
		p.mux.HandleFunc(pattern, handler)
	}
}

// setPolicy allows forms to lead to us and, by way of us, back to the sites: browsers
// hold a form to this even after a redirect.
func (p *Provider) setPolicy(sites []Site) error {
	places := []string{"'self'"}
	for _, s := range sites {
		u, err := url.Parse(s.Redirect)
		if err != nil || u.Host == "" {
			return fmt.Errorf("campus: %q is no address to come back to", s.Redirect)
		}
		places = append(places, u.Scheme+"://"+u.Host)
	}
	p.policy = "default-src 'none'; style-src 'self'; form-action " + strings.Join(places, " ") + "; base-uri 'none'; frame-ancestors 'none'"
	return nil
}

// ServeHTTP answers a browser or a site.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin") // the addresses hold what was asked
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	p.mux.ServeHTTP(w, r.WithContext(p.context(r.Context())))
}

// context carries the issuer, which the library looks for there.
func (p *Provider) context(ctx context.Context) context.Context {
	return op.ContextWithIssuer(ctx, p.issuer)
}
