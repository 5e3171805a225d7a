// Package cookiejwt is the stateless session: a signed token in a cookie.
//
// It is the festival wristband. At the door somebody checks who you are and
// prints a band that says so, until when it is good, and that nobody but the
// box office can have printed it. Every later door reads the band and asks
// nobody. Nothing is stored, so there is nothing to look up, nothing to share
// between servers, nothing to lose; and nothing to tear up. When the wearer
// goes home, loses the band, or is no longer welcome, the band does not know.
//
// The token is a JWT (RFC 7519): three parts joined by full stops. The first
// says how it was signed, the second what is claimed, the third is the
// signature. The first two are plain text in an envelope of base64url: anybody
// who holds the token can read them, so no name and no address stands there
// (ASVS 14.2.6).
//
// A token is somebody else's input until the signature has been checked, and
// most of what has ever gone wrong with JWTs went wrong by letting the token
// say how it wants to be read. So the reader asks in a fixed order, and each
// question has one good answer that this site fixed beforehand (RFC 8725):
//
//  1. Shape: three parts of base64url, no padding, no white space, no longer
//     than a cookie can be.
//  2. Header: exactly the members alg, kid and typ, once each. alg is the one
//     algorithm of this site (§3.1); "none" is merely another wrong word. typ
//     is session+jwt, so that a token made for another purpose opens nothing
//     here (§3.11). kid is looked up in a map and used for nothing else
//     (§3.10). A header with jku, jwk, x5u or crit has a member too many.
//  3. Signature, over the bytes as they came, before a single claim is read
//     (§3.3, ASVS 9.1.1).
//  4. Claims: exactly the ones that [Backend] writes, once each, with the
//     right types and the right spelling. encoding/json would take ROLE for
//     role and the last of two; this decoder takes neither (RFC 7519 §4).
//  5. Issuer, audience and time: for this site, not before, not after.
//
// The cryptography and the arithmetic of the registered claims are
// golang-jwt's. The strictness around it is ours, because that library is
// lenient where RFC 8725 is not: it accepts unknown crit, any typ, times as
// strings, names in the wrong case, and an empty key.
//
// What this backend cannot do is visible in its type: it has no EndUser, no
// SetRole, no Count. It can only refuse everything issued before a moment
// ([Backend.RefuseBefore]), which is one number for the whole site.
package cookiejwt

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/sessions"

	"lectern/handlers/session"
)

const (
	cookieName = "lectern-jwt"
	audience   = "lectern"
	here       = "handlers/session/cookiejwt/cookiejwt.go"
)

// What the traces of requests say of this package's work.
var (
	readCookie  = session.Work{Name: "Read cookie", Kind: session.CPU, Where: here}
	readHeader  = session.Work{Name: "Read header", Kind: session.CPU, Where: reading}
	verify      = session.Work{Name: "Verify signature", Kind: session.CPU, Where: reading}
	readClaims  = session.Work{Name: "Read claims", Kind: session.CPU, Where: reading}
	checkClaims = session.Work{Name: "Check issuer and expiry", Kind: session.CPU, Where: reading}
	signToken   = session.Work{Name: "Sign token", Kind: session.CPU, Where: here}
)

var cookieNames = []string{cookieName}

// Backend keeps sessions in signed cookies. It is safe for concurrent use.
type Backend struct {
	keys      Keys
	issuer    string
	cookies   session.Cookies
	lifetimes session.Lifetimes
	now       func() time.Time
	random    io.Reader
	validator *jwt.Validator
	cut       atomic.Int64 // Unix seconds: tokens issued before are refused
}

// Config is what a Backend is made of.
type Config struct {
	Keys      Keys
	Issuer    string // the site's base URL
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
	Random    io.Reader
}

// New makes the backend. Keys come from ParseKeys or LoadKeys, which refuse
// weak ones.
func New(c Config) *Backend {
	return &Backend{
		keys:      c.Keys,
		issuer:    c.Issuer,
		cookies:   c.Cookies,
		lifetimes: c.Lifetimes,
		now:       c.Now,
		random:    c.Random,
		validator: jwt.NewValidator(
			jwt.WithIssuer(c.Issuer),
			jwt.WithAudience(audience),
			jwt.WithExpirationRequired(),
			jwt.WithNotBeforeRequired(),
			jwt.WithTimeFunc(c.Now),
		),
	}
}

// Name is session.JWT.
func (b *Backend) Name() string { return session.JWT }

// CookieNames are one: lectern-jwt.
func (b *Backend) CookieNames() []string { return cookieNames }

// RoleSource is session.FromToken: the role is what it was when the token was
// signed.
func (b *Backend) RoleSource() session.RoleSource { return session.FromToken }

// RefuseBefore makes all tokens issued before t worthless at once.
func (b *Backend) RefuseBefore(t time.Time) { b.cut.Store(t.Unix()) }

// Get returns the request's session, read once.
func (b *Backend) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New reads the token in the request's cookie. It asks nobody, so it never
// fails: a token that is no good makes an anonymous session.
func (b *Backend) New(r *http.Request, name string) (*sessions.Session, error) {
	trace := session.TraceFrom(r.Context())
	s := sessions.NewSession(b, name)
	s.IsNew = true
	values := b.cookies.Values(r, cookieName)
	trace.Done(&readCookie)
	for _, value := range values {
		trace.Present(name, len(name)+len(value))
		rec, reason := b.read(value, trace)
		trace.Refuse(reason)
		if reason == "" {
			s.IsNew = false
			s.ID = rec.Handle
			session.SetRecord(s, rec)
			break
		}
	}
	return s, nil
}

// Save signs a token for a session that IsNew and puts it into the cookie. A
// session that was read from a token has nowhere to be saved, so nothing
// happens. With Options.MaxAge below zero the cookie is cleared; whoever has a
// copy of the token keeps a good token.
func (b *Backend) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.Options != nil && s.Options.MaxAge < 0 {
		b.cookies.Clear(w, cookieName)
		return nil
	}
	rec, ok := session.RecordOf(s)
	if !ok || !s.IsNew {
		return nil
	}
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	token, err := b.issue(rec)
	if err != nil {
		return err
	}
	trace.Done(&signToken)
	var until time.Time
	if rec.Remember {
		until = rec.ExpiresAt
	}
	if err := b.cookies.Set(w, cookieName, token, b.now(), until); err != nil {
		return err
	}
	s.ID = rec.Handle
	name := b.cookies.Name(cookieName)
	trace.Present(name, len(name)+len(token))
	return nil
}

var errIssue = errors.New("session: cannot sign token")

// issue signs a token for rec and completes rec with what the token says.
func (b *Backend) issue(rec *session.Record) (string, error) {
	id, err := newTokenID(b.random)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errIssue, err)
	}
	now := b.now()
	life := b.lifetimes.Token
	if rec.Remember {
		life = b.lifetimes.Remember
	}
	end := now.Add(life)
	if last := b.lifetimes.End(rec.AuthAt, rec.Remember); last.Before(end) {
		end = last
	}
	rec.Handle = id
	rec.ExpiresAt = end.Truncate(time.Second)
	rec.IdleUntil, rec.SeenAt = time.Time{}, time.Time{}
	token, err := sign(claims{
		Issuer:    b.issuer,
		Audience:  audience,
		Subject:   string(rec.UserID),
		ID:        id,
		IssuedAt:  max(now.Unix(), b.cut.Load()),
		NotBefore: now.Add(-maxAhead).Unix(),
		Expires:   rec.ExpiresAt.Unix(),
		AuthTime:  rec.AuthAt.Unix(),
		Role:      string(rec.Role),
		Methods:   rec.Methods,
	}, b.keys.signing())
	if err != nil {
		return "", fmt.Errorf("%w: %w", errIssue, err)
	}
	return token, nil
}
