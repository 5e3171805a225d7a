// Package cookiejwt is the stateless session: a signed token in a cookie.
//
// It is the festival wristband. At the door somebody checks who you are and
// prints a band that says so, until when it is good, and that nobody but the
// box office can have printed it. Every later door reads the band and asks
// nobody. Nothing is stored, so there is nothing to look up, nothing to share
// between servers, nothing to lose; and nothing to tear up. When the wearer
// goes home, loses the band, or is no longer welcome, the band does not know.
//
// How the token is written, and in what order it is doubted, stands in
// [lectern/handlers/token]. Here are the cookie, the lifetimes, and what a
// session is made of.
//
// What this backend cannot do is visible in its type: it has no EndUser, no
// SetRole, no Count. It can only refuse everything issued before a moment
// ([Backend.RefuseBefore]), which is one number for the whole site.
package cookiejwt

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/token"
)

const (
	cookieName = "lectern-jwt"
	here       = "handlers/session/cookiejwt/cookiejwt.go"
)

// What the traces of requests say of this package's work.
var (
	readCookie = session.Work{Name: "Read cookie", Kind: session.CPU, Where: here}
	signToken  = session.Work{Name: "Sign token", Kind: session.CPU, Where: here}
)

var cookieNames = []string{cookieName}

// Backend keeps sessions in signed cookies. It is safe for concurrent use.
type Backend struct {
	tokens    *token.Issuer
	cookies   session.Cookies
	lifetimes session.Lifetimes
	now       func() time.Time
	cut       atomic.Int64 // Unix seconds: tokens issued before are refused
}

// Config is what a Backend is made of.
type Config struct {
	Tokens    *token.Issuer
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
}

// New makes the backend.
func New(c Config) *Backend {
	return &Backend{tokens: c.Tokens, cookies: c.Cookies, lifetimes: c.Lifetimes, now: c.Now}
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

// Revocation is session.RevokeNone: a token is good until it expires.
func (b *Backend) Revocation() string { return session.RevokeNone }

// New reads the token in the request's cookie. It asks nobody, so it never
// fails: a token that is no good makes an anonymous session.
func (b *Backend) New(r *http.Request, name string) (*sessions.Session, error) {
	return b.open(r, name, b, askNobody)
}

func askNobody(context.Context, *session.Record, *session.Trace) (session.Reason, error) {
	return "", nil
}

// open reads the token, and asks about it what the store's rung of the ladder
// asks.
func (b *Backend) open(r *http.Request, name string, store sessions.Store, ask question) (*sessions.Session, error) {
	trace := session.TraceFrom(r.Context())
	s := sessions.NewSession(store, name)
	s.IsNew = true
	values := b.cookies.Values(r, cookieName)
	trace.Done(&readCookie)
	for _, value := range values {
		trace.Present(name, len(name)+len(value))
		rec, reason := b.read(value, trace)
		if reason == "" {
			var err error
			if reason, err = ask(r.Context(), rec, trace); err != nil {
				return s, err
			}
		}
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
	if ends(s) {
		b.cookies.Clear(w, cookieName)
		return nil
	}
	rec, ok := session.RecordOf(s)
	if !ok || !s.IsNew {
		return nil
	}
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	signed, err := b.issue(rec)
	if err != nil {
		return err
	}
	trace.Done(&signToken)
	var until time.Time
	if rec.Remember {
		until = rec.ExpiresAt
	}
	if err := b.cookies.Set(w, cookieName, signed, b.now(), until); err != nil {
		return err
	}
	s.ID = rec.Handle
	name := b.cookies.Name(cookieName)
	trace.Present(name, len(name)+len(signed))
	return nil
}

var errIssue = errors.New("session: cannot sign token")

// issue signs a token for rec and completes rec with what the token says. The
// token is dated when the session began, but not before the moment from which
// this site accepts any.
func (b *Backend) issue(rec *session.Record) (string, error) {
	id, err := b.tokens.NewID()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errIssue, err)
	}
	life := b.lifetimes.Token
	if rec.Remember {
		life = b.lifetimes.Remember
	}
	end := b.now().Add(life)
	if last := b.lifetimes.End(rec.AuthAt, rec.Remember); last.Before(end) {
		end = last
	}
	rec.Handle = id
	rec.ExpiresAt = end.Truncate(time.Second)
	rec.TokenUntil = rec.ExpiresAt
	rec.IdleUntil, rec.SeenAt = time.Time{}, time.Time{}
	signed, err := b.tokens.Sign(token.SessionUse, token.Claims{
		Common: token.Common{
			Subject:  string(rec.UserID),
			ID:       id,
			IssuedAt: max(rec.CreatedAt.Unix(), b.cut.Load()),
			Expires:  rec.ExpiresAt.Unix(),
			AuthTime: rec.AuthAt.Unix(),
			Role:     string(rec.Role),
		},
		Methods: rec.Methods,
	})
	if err != nil {
		return "", fmt.Errorf("%w: %w", errIssue, err)
	}
	return signed, nil
}

// read returns the record that a token vouches for, or the reason for which it
// is refused.
func (b *Backend) read(text string, trace *session.Trace) (*session.Record, session.Reason) {
	c, problem := b.tokens.Read(token.SessionUse, text, max(b.lifetimes.Token, b.lifetimes.Remember), Watch(trace))
	if problem != "" {
		return nil, session.Reason(problem)
	}
	identity, err := IdentityIn(c)
	if err != nil {
		return nil, session.BadClaims
	}
	if c.IssuedAt < b.cut.Load() {
		return nil, session.EndedForAll
	}
	// Whoever did not ask to be remembered is gone by the absolute end; a token
	// that lasts beyond it was asked for.
	return &session.Record{
		Identity:  identity,
		Handle:    c.ID,
		Remember:  c.Expires-c.AuthTime > int64(b.lifetimes.Absolute/time.Second),
		CreatedAt: token.Moment(c.IssuedAt),
		ExpiresAt: token.Moment(c.Expires), TokenUntil: token.Moment(c.Expires),
	}, ""
}

// IdentityIn reads from the claims of a session's token whom they vouch for. It
// returns an error where they name nobody, or no role, that a school could have.
func IdentityIn(c *token.Claims) (session.Identity, error) {
	user, err := school.ParseID(c.Subject)
	if err != nil {
		return session.Identity{}, err
	}
	role, err := school.ParseRole(c.Role)
	if err != nil {
		return session.Identity{}, err
	}
	return session.Identity{UserID: user, Role: role, Methods: c.Methods, AuthAt: token.Moment(c.AuthTime)}, nil
}
