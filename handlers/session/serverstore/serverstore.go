// Package serverstore is the stateful session: a random number in the cookie
// and a record on the server.
//
// It is the coat check. At the door somebody checks who you are, hangs your
// coat on a hook and gives you a ticket with a number. The number means
// nothing and proves nothing; it leads to the hook. Whoever asks about you has
// to walk to the cloakroom, on every request. In return the cloakroom always
// knows: who is here, since when, and as what. A new role is pinned to the
// coat and counts at once. Tear up the stub, and the ticket is a piece of
// paper.
//
// How a request is answered:
//
//  1. The cookie holds 192 random bits (ASVS 7.2.3 asks for 128). Anything of
//     another shape is no ticket of ours, and the store is not asked.
//  2. The store is asked for the SHA-256 of the number, because only that is
//     kept: who steals the table holds no tickets. A plain hash will do, since
//     nobody can try 2^192 numbers; slow hashes are for what people can guess.
//  3. No record: signed out, ended, or never issued. The number is not adopted:
//     a session begins with a new one, always (session fixation).
//  4. The record says until when: an idle limit that visits push back, and an
//     absolute one that nothing does (ASVS 7.3.1, 7.3.2).
//  5. The visit is noted, at most once a minute, by an update that touches
//     nothing when the record is gone. A slow request can so never bring back
//     a session that has ended meanwhile. A store at the other end of a wire
//     does it on the same way as the look-up ([Visitor]).
//
// Where the records hang is a [Store]: [Memory] in this process, [SQL] in the
// school's database, [Redis] in a house of its own. They differ in who else can
// reach them, in what outlives a restart, and in how long the walk is; to the
// visitor they are the same ticket, and so the cookie has the same name for all
// three. A site that moves its records from one store to another exchanges the
// number in it.
//
// A store says "not found" without an error, and an error only when it cannot
// be asked; the backend passes that on as session.ErrUnavailable, and the
// visitor's cookie stays as it is. Trouble shall be short: each store gives up
// so early that a visitor hears "not now" within two seconds, and one that is
// silent is not asked by everybody.
package serverstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
)

const (
	cookieName = "lectern-sid"
	here       = "handlers/session/serverstore/serverstore.go"

	idBytes  = 24
	idLength = 32 // of 24 bytes in base64url
)

// Patience is how long the database may take to answer before it counts as
// away, with the wait for whoever else is writing.
const Patience = 1200 * time.Millisecond

// What the traces of requests say of this package's work.
var (
	readCookie  = session.Work{Name: "Read cookie", Kind: session.CPU, Where: here}
	hashNumber  = session.Work{Name: "Hash the number", Kind: session.CPU, Where: here}
	checkExpiry = session.Work{Name: "Check expiry", Kind: session.CPU, Where: here}
	noteVisit   = session.Work{Name: "Note the visit", Kind: session.Store, Where: here}

	// notedAlready tells of a visit that was noted by a Visitor.
	notedAlready = session.Work{Name: "Note the visit: done with the look-up", Kind: session.Store, Where: here}
	// notNoted tells of a visit that was not. The session is good all the same:
	// a store that reads and does not write for a moment signs nobody out.
	notNoted = session.Work{Name: "Note the visit: not possible now", Kind: session.Store, Where: here}
)

var cookieNames = []string{cookieName}

// Backend keeps sessions in a store. It is safe for concurrent use.
type Backend struct {
	Register
	name      string
	store     Store
	visitor   Visitor // the same store, if it can do both at once
	cookies   session.Cookies
	lifetimes session.Lifetimes
	now       func() time.Time
	random    io.Reader

	lookUpIn, writeTo, deleteFrom session.Work // with the store's name in it
}

// Config is what a Backend is made of.
type Config struct {
	Name      string // session.Memory, session.Database or session.Redis
	Store     Store
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
	Random    io.Reader
}

// New makes the backend.
func New(c Config) *Backend {
	visitor, _ := c.Store.(Visitor)
	place := c.Store.Place()
	return &Backend{
		Register: NewRegister(c.Store, c.Now),
		name:     c.Name, store: c.Store, visitor: visitor, cookies: c.Cookies, lifetimes: c.Lifetimes, now: c.Now, random: c.Random,
		lookUpIn:   session.Work{Name: "Look up in " + place, Kind: session.Store, Where: here},
		writeTo:    session.Work{Name: "Write to " + place, Kind: session.Store, Where: here},
		deleteFrom: session.Work{Name: "Delete from " + place, Kind: session.Store, Where: here},
	}
}

// Name is the name that the backend was made with.
func (b *Backend) Name() string { return b.name }

// CookieNames are one: lectern-sid, whatever the store.
func (b *Backend) CookieNames() []string { return cookieNames }

// RoleSource is session.FromSession: a change of role is written into the
// record.
func (b *Backend) RoleSource() session.RoleSource { return session.FromSession }

// Get returns the request's session, looked up once.
func (b *Backend) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New looks up the session of the number in the request's cookie, and notes
// the visit if the last one noted is long enough ago. The error wraps
// session.ErrUnavailable, or is nil.
func (b *Backend) New(r *http.Request, name string) (*sessions.Session, error) {
	trace := session.TraceFrom(r.Context())
	s := sessions.NewSession(b, name)
	s.IsNew = true
	values := b.cookies.Values(r, cookieName)
	trace.Done(&readCookie)
	for _, id := range values {
		trace.Present(name, len(name)+len(id))
		rec, reason, err := b.lookUp(r.Context(), id, trace)
		if err != nil {
			return s, err
		}
		trace.Refuse(reason)
		if reason == "" {
			s.IsNew = false
			s.ID = id
			session.SetRecord(s, rec)
			break
		}
	}
	return s, nil
}

func (b *Backend) lookUp(ctx context.Context, id string, trace *session.Trace) (*session.Record, session.Reason, error) {
	if !wellFormed(id) {
		return nil, session.Malformed, nil
	}
	hash := hashOf(id)
	trace.Done(&hashNumber)
	now := b.now()
	rec, found, noted, err := b.find(ctx, hash, now)
	trace.Read()
	trace.Done(&b.lookUpIn)
	if err != nil {
		return nil, "", Away(err)
	}
	if !found {
		trace.LeadsTo(hash.String())
		return nil, session.Unknown, nil
	}
	rec.Handle = hash.String()
	switch {
	case !now.Before(rec.ExpiresAt):
		return nil, session.Expired, nil
	case !now.Before(rec.IdleUntil):
		return nil, session.Idle, nil
	}
	trace.Done(&checkExpiry)
	switch {
	case noted:
		trace.Wrote()
		trace.Done(&notedAlready)
	case now.Sub(rec.SeenAt) < b.lifetimes.SeenEvery():
	case b.visitor != nil:
		trace.Wrote()
		trace.Done(&notNoted)
	case !b.note(ctx, hash, &rec, now, trace):
		return nil, session.Unknown, nil
	}
	return &rec, "", nil
}

// find finds the record, and notes the visit at the same time where the store
// can do both at once.
func (b *Backend) find(ctx context.Context, hash Hash, now time.Time) (rec session.Record, found, noted bool, err error) {
	if b.visitor != nil {
		return b.visitor.Visit(ctx, hash, now, b.lifetimes.SeenEvery(), b.lifetimes.Idle)
	}
	rec, found, err = b.store.Find(ctx, hash)
	return rec, found, false, err
}

// note notes a visit that is due. It reports false when the record is gone.
func (b *Backend) note(ctx context.Context, hash Hash, rec *session.Record, now time.Time, trace *session.Trace) bool {
	brief, cancel := context.WithTimeout(ctx, Patience/8)
	defer cancel()
	idleUntil := b.lifetimes.IdleEnd(now, rec)
	alive, err := b.store.Touch(brief, hash, now, idleUntil)
	trace.Wrote()
	if err != nil {
		trace.Done(&notNoted)
		return true
	}
	trace.Done(&noteVisit)
	rec.SeenAt, rec.IdleUntil = now, idleUntil
	return alive
}

// Save starts a session that IsNew under a new number; notes the visit of one
// that was loaded, and returns session.ErrEnded if it has ended meanwhile;
// and with Options.MaxAge below zero deletes the record and clears the cookie,
// with session.ErrEnded if there was no record any more.
func (b *Backend) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	ctx, trace := r.Context(), session.TraceFrom(r.Context())
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
	now := b.now()
	alive, err := b.store.Touch(ctx, hashOf(s.ID), now, b.lifetimes.IdleEnd(now, rec))
	trace.Wrote()
	if err != nil {
		return Away(err)
	}
	if !alive {
		return session.ErrEnded
	}
	return nil
}

func (b *Backend) end(w http.ResponseWriter, r *http.Request, s *sessions.Session) error {
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	alive, err := b.store.Delete(r.Context(), hashOf(s.ID))
	trace.Wrote()
	trace.Done(&b.deleteFrom)
	if err != nil {
		return Away(err)
	}
	b.cookies.Clear(w, cookieName)
	if !alive {
		return session.ErrEnded
	}
	return nil
}

func (b *Backend) start(w http.ResponseWriter, r *http.Request, s *sessions.Session, rec *session.Record) error {
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	id, err := newID(b.random)
	if err != nil {
		return err
	}
	now := b.now()
	rec.ExpiresAt = b.lifetimes.End(rec.AuthAt, rec.Remember)
	rec.SeenAt, rec.IdleUntil, rec.TokenUntil = now, b.lifetimes.IdleEnd(now, rec), time.Time{}
	hash := hashOf(id)
	rec.Handle = hash.String()
	err = b.store.Create(r.Context(), hash, *rec)
	trace.Wrote()
	trace.Done(&b.writeTo)
	if err != nil {
		return Away(err)
	}
	var until time.Time
	if rec.Remember {
		until = rec.ExpiresAt
	}
	if err := b.cookies.Set(w, cookieName, id, now, until); err != nil {
		return err
	}
	s.ID = id
	name := b.cookies.Name(cookieName)
	trace.Present(name, len(name)+len(id))
	return nil
}

// Reach asks whether a store at the other end of a wire answers. One that is
// nearer has no wire to be cut.
func (b *Backend) Reach(ctx context.Context) error {
	distant, ok := b.store.(interface{ Ping(context.Context) error })
	if !ok {
		return nil
	}
	return Away(distant.Ping(ctx))
}

// Hash is the SHA-256 of a session's number: what a store keeps it under.
type Hash [sha256.Size]byte

func hashOf(id string) Hash { return sha256.Sum256([]byte(id)) }

// String is the hash in hexadecimal, which names a session in logs without
// opening it.
func (h Hash) String() string {
	var text [2 * len(h)]byte
	hex.Encode(text[:], h[:])
	return string(text[:])
}

func newID(random io.Reader) (string, error) {
	var raw [idBytes]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", fmt.Errorf("session: cannot draw a number: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// wellFormed reports whether id could be one of ours. 32 characters of
// base64url have no spare bits, so each id has one spelling.
func wellFormed(id string) bool {
	if len(id) != idLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
