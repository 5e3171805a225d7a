// Package hybrid is the session in two halves: a token that is believed for a
// minute, and a record that is asked once a minute.
//
// It is the wristband that fades. At the door you get a band, good for a minute,
// and the stub of a coat-check ticket. Every later door reads the band and asks
// nobody. When the band has faded, you show the stub at the cloakroom: if your
// coat still hangs there you get a fresh band, and a new stub for the old one. So
// most requests cost what they cost in package cookiejwt, and an end reaches
// everybody as in package serverstore, only a little late: who is put out goes on
// until the band has faded. That little is the whole of the bargain; it is called
// Lag here, and the site says it wherever it offers to end something.
//
// How a request is answered:
//
//  1. A good access token ("lectern-access") is enough. Nobody is asked, the role
//     is what the token says, and the visit is not noted.
//  2. Otherwise the refresh ticket ("lectern-refresh") is looked at: the number of
//     a family, and a secret. The family is this session, called so because it has
//     had many secrets, each made out of the one before.
//  3. The store is asked for the SHA-256 of the number. The record says until
//     when, as in package serverstore, and keeps the SHA-256 of the secret that is
//     good now.
//  4. The secret is exchanged for its successor, by an update that changes nothing
//     unless that secret is still the current one, and the browser gets the new
//     ticket together with a new token (RFC 9700 §4.14.2). This is also how the
//     visit is noted.
//
// A secret that was exchanged before is in two hands: the browser's, which has
// gone on to the next, and somebody else's. Nobody can tell which of the two has
// just come, so the family is deleted and both have to sign in again
// (session.Reused). A thief who copies a ticket is thus found out as soon as both
// have used it.
//
// Two tabs that load at the same time come with the same ticket and are no
// thieves; nor is a browser that asks again because the answer was lost. So for a
// short while ([grace]) the secret before is given the very successor that it was
// given first. The successor is an HMAC of a random salt under the old secret. The
// salt is kept, the old secret is not: who has the table cannot make the
// successor, nor can who has an old ticket without the table.
package hybrid

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

const (
	accessCookie  = "lectern-access"
	refreshCookie = "lectern-refresh"
	here          = "handlers/session/hybrid/hybrid.go"
)

// What the traces of requests say of this package's work.
var (
	readCookies = session.Work{Name: "Read cookies", Kind: session.CPU, Where: here}
	signFirst   = session.Work{Name: "Sign token", Kind: session.CPU, Where: here}
)

var cookieNames = []string{accessCookie, refreshCookie}

// Backend keeps sessions in short tokens and a store. It is safe for concurrent
// use. What can be done to sessions from outside is the same as in package
// serverstore: its Register.
type Backend struct {
	serverstore.Register
	tokens    *token.Issuer
	store     Store
	cookies   session.Cookies
	lifetimes session.Lifetimes
	now       func() time.Time
	random    io.Reader
	cut       atomic.Int64 // Unix seconds: sessions that began before are refused

	lookUpIn, exchangeIn, writeTo, deleteFrom, endFamilyIn session.Work // with the store's name in it
}

// Config is what a Backend is made of.
type Config struct {
	Tokens    *token.Issuer
	Store     Store
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
	Random    io.Reader
}

// New makes the backend.
func New(c Config) *Backend {
	place := c.Store.Place()
	return &Backend{
		Register: serverstore.NewRegister(c.Store, c.Now),
		tokens:   c.Tokens, store: c.Store, cookies: c.Cookies, lifetimes: c.Lifetimes, now: c.Now, random: c.Random,
		lookUpIn:    session.Work{Name: "Look up in " + place, Kind: session.Store, Where: refreshing},
		exchangeIn:  session.Work{Name: "Exchange the secret in " + place, Kind: session.Store, Where: refreshing},
		writeTo:     session.Work{Name: "Write to " + place, Kind: session.Store, Where: here},
		deleteFrom:  session.Work{Name: "Delete from " + place, Kind: session.Store, Where: here},
		endFamilyIn: session.Work{Name: "End the family in " + place, Kind: session.Store, Where: refreshing},
	}
}

// Name is session.Hybrid.
func (b *Backend) Name() string { return session.Hybrid }

// CookieNames are two: lectern-access, which is read first, and lectern-refresh.
func (b *Backend) CookieNames() []string { return cookieNames }

// RoleSource is session.FromToken. The token had it from the record, which a
// change of role updates, at most a Lag ago.
func (b *Backend) RoleSource() session.RoleSource { return session.FromToken }

// Lag is the life of an access token: for so long nobody is asked.
func (b *Backend) Lag() time.Duration { return b.lifetimes.Access }

// RefuseBefore makes the sessions that began before t worthless at once, their
// access tokens as well as their tickets.
func (b *Backend) RefuseBefore(t time.Time) { b.cut.Store(t.Unix()) }

func (b *Backend) cutAt() time.Time { return time.Unix(b.cut.Load(), 0).UTC() }

// Get returns the request's session, read once.
func (b *Backend) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New reads the access token in the request's cookies or, where there is no good
// one, looks up what the refresh ticket leads to. It exchanges nothing: a session
// whose ticket has to be exchanged is Due. A ticket that was exchanged before ends
// its family here. The error wraps session.ErrUnavailable, or is nil.
func (b *Backend) New(r *http.Request, name string) (*sessions.Session, error) {
	trace := session.TraceFrom(r.Context())
	s := sessions.NewSession(b, name)
	s.IsNew = true
	tokens, tickets := b.cookies.Values(r, accessCookie), b.cookies.Values(r, refreshCookie)
	trace.Done(&readCookies)
	refresh := b.cookies.Name(refreshCookie)
	for _, text := range tokens {
		trace.Present(name, len(name)+len(text))
		rec, reason := b.read(text, trace)
		trace.Refuse(reason)
		if reason == "" {
			if len(tickets) > 0 {
				trace.Alongside(refresh, len(refresh)+len(tickets[0]))
			}
			keep(s, rec, nil)
			return s, nil
		}
	}
	refused := session.Reason("")
	for _, text := range tickets {
		trace.Present(refresh, len(refresh)+len(text))
		rec, due, reason, err := b.lookUp(r.Context(), text, trace)
		if err != nil {
			return s, err
		}
		if reason == "" {
			trace.Refuse("")
			keep(s, rec, due)
			return s, nil
		}
		if refused != session.Reused {
			refused = reason
		}
		trace.Refuse(refused)
	}
	return s, nil
}

func keep(s *sessions.Session, rec *session.Record, due *exchange) {
	s.IsNew, s.ID = false, rec.Handle
	session.SetRecord(s, rec)
	if due != nil {
		s.Values[exchangeKey{}] = due
	}
}

// read returns the record that an access token vouches for, or the reason for
// which it is refused. It is less than what is on record: nobody noted when this
// session was last visited, and where it was started stands in no cookie.
func (b *Backend) read(text string, trace *session.Trace) (*session.Record, session.Reason) {
	c, problem := b.tokens.Read(token.AccessUse, text, b.lifetimes.Access, cookiejwt.Watch(trace))
	if problem != "" {
		return nil, session.Reason(problem)
	}
	identity, err := cookiejwt.IdentityIn(c)
	if err != nil {
		return nil, session.BadClaims
	}
	if c.Began < b.cut.Load() {
		return nil, session.EndedForAll
	}
	return &session.Record{
		Identity:  identity,
		Handle:    c.Session,
		Remember:  c.Remember,
		CreatedAt: token.Moment(c.Began),
		ExpiresAt: token.Moment(c.Ends),

		TokenUntil: token.Moment(c.Expires),
	}, ""
}

// Save starts a family for a session that IsNew. It exchanges the ticket of one
// that is Due, and notes the visit of any other that was loaded; it returns
// session.ErrEnded if that has ended meanwhile. With Options.MaxAge below zero it
// deletes the family and clears both cookies, with session.ErrEnded if there was
// no family any more.
func (b *Backend) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.Options != nil && s.Options.MaxAge < 0 {
		return b.end(w, r, s)
	}
	rec, ok := session.RecordOf(s)
	if !ok {
		return nil
	}
	if s.IsNew {
		return b.start(w, r, s, rec)
	}
	if due, ok := s.Values[exchangeKey{}].(*exchange); ok {
		return b.refresh(w, r, s, rec, due)
	}
	now := b.now()
	alive, err := b.store.Touch(r.Context(), serverstore.ParseHash(s.ID), now, b.lifetimes.IdleEnd(now, rec))
	session.TraceFrom(r.Context()).Wrote()
	if err != nil {
		return serverstore.Away(err)
	}
	if !alive {
		return session.ErrEnded
	}
	return nil
}

func (b *Backend) end(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	alive, err := b.store.Delete(r.Context(), serverstore.ParseHash(s.ID))
	trace.Wrote()
	trace.Done(&b.deleteFrom)
	if err != nil {
		return serverstore.Away(err)
	}
	for _, name := range cookieNames {
		b.cookies.Clear(w, name)
	}
	if !alive {
		return session.ErrEnded
	}
	return nil
}

func (b *Backend) start(w http.ResponseWriter, r *http.Request, s *sessions.Session, rec *session.Record) error {
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	t, err := newTicket(b.random)
	if err != nil {
		return err
	}
	now := b.now()
	if first := b.cutAt(); rec.CreatedAt.Before(first) {
		rec.CreatedAt = first
	}
	rec.ExpiresAt = b.lifetimes.End(rec.AuthAt, rec.Remember)
	rec.SeenAt, rec.IdleUntil = now, b.lifetimes.IdleEnd(now, rec)
	hash := t.familyHash()
	rec.Handle = hash.String()
	signed, err := b.sign(rec, now)
	if err != nil {
		return err
	}
	trace.Done(&signFirst)
	err = b.store.Create(r.Context(), hash, Family{Record: *rec, Current: t.secretHash(), RotatedAt: now})
	trace.Wrote()
	trace.Done(&b.writeTo)
	if err != nil {
		return serverstore.Away(err)
	}
	s.ID = rec.Handle
	return b.send(w, rec, signed, t, now, trace)
}

// sign writes an access token for a session on record, one that fits into its
// cookie, and notes in the record until when it is good. It ends with the session
// at the latest.
func (b *Backend) sign(rec *session.Record, now time.Time) (string, error) {
	id, err := b.tokens.NewID()
	if err != nil {
		return "", fmt.Errorf("session: cannot name token: %w", err)
	}
	end := now.Add(b.lifetimes.Access)
	if rec.ExpiresAt.Before(end) {
		end = rec.ExpiresAt
	}
	rec.TokenUntil = end.Truncate(time.Second)
	signed, err := b.tokens.Sign(token.AccessUse, token.Claims{
		Common: token.Common{
			Subject:  string(rec.UserID),
			ID:       id,
			IssuedAt: now.Unix(),
			Expires:  rec.TokenUntil.Unix(),
			AuthTime: rec.AuthAt.Unix(),
			Role:     string(rec.Role),
		},
		Methods: rec.Methods,
		OnRecord: &token.OnRecord{
			Session:  rec.Handle,
			Began:    rec.CreatedAt.Unix(),
			Ends:     rec.ExpiresAt.Unix(),
			Remember: rec.Remember,
		},
	})
	if err != nil {
		return "", fmt.Errorf("session: cannot sign token: %w", err)
	}
	return signed, b.cookies.Fits(accessCookie, signed)
}

// send sets both cookies. Both stay as long as the session may last where its
// owner asked to be remembered, though the token is good for a minute: a cookie
// that the browser has forgotten could not be told from one that never was.
func (b *Backend) send(w http.ResponseWriter, rec *session.Record, signed string, t ticket, now time.Time, trace *session.Trace) error {
	var until time.Time
	if rec.Remember {
		until = rec.ExpiresAt
	}
	text := t.String()
	if err := b.cookies.Set(w, accessCookie, signed, now, until); err != nil {
		return err
	}
	if err := b.cookies.Set(w, refreshCookie, text, now, until); err != nil {
		return err
	}
	access, refresh := b.cookies.Name(accessCookie), b.cookies.Name(refreshCookie)
	trace.Alongside(access, len(access)+len(signed))
	trace.Present(refresh, len(refresh)+len(text))
	return nil
}
