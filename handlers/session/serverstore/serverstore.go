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
//     a session that has ended meanwhile.
//
// Where the records hang is a [Store]: [Memory] in this process, [SQL] in the
// school's database. A store says "not found" without an error, and an error
// only when it cannot be asked; the backend passes that on as
// session.ErrUnavailable, and the visitor's cookie stays as it is.
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

	"lectern/db/school"
	"lectern/handlers/session"
)

const (
	cookieName = "lectern-sid"
	here       = "handlers/session/serverstore/serverstore.go"

	idBytes  = 24
	idLength = 32 // of 24 bytes in base64url
)

// patience is how long a store may take to answer before it counts as away.
const patience = 2 * time.Second

// What the traces of requests say of this package's work.
var (
	readCookie  = session.Work{Name: "Read cookie", Kind: session.CPU, Where: here}
	hashNumber  = session.Work{Name: "Hash the number", Kind: session.CPU, Where: here}
	checkExpiry = session.Work{Name: "Check expiry", Kind: session.CPU, Where: here}
	noteVisit   = session.Work{Name: "Note the visit", Kind: session.Store, Where: here}
	notNoted    = session.Work{Name: "Note the visit: not possible now", Kind: session.Store, Where: here}
)

var cookieNames = []string{cookieName}

// Backend keeps sessions in a store. It is safe for concurrent use.
type Backend struct {
	name      string
	store     Store
	cookies   session.Cookies
	lifetimes session.Lifetimes
	now       func() time.Time
	random    io.Reader

	lookUpIn, writeTo, deleteFrom session.Work // with the store's name in it
}

// Config is what a Backend is made of.
type Config struct {
	Name      string // session.Memory or session.Database
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
		name: c.Name, store: c.Store, cookies: c.Cookies, lifetimes: c.Lifetimes, now: c.Now, random: c.Random,
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
	rec, found, err := b.store.Find(ctx, hash)
	trace.Read()
	trace.Done(&b.lookUpIn)
	if err != nil {
		return nil, "", away(err)
	}
	if !found {
		trace.LeadsTo(hash.String())
		return nil, session.Unknown, nil
	}
	rec.Handle = hash.String()
	now := b.now()
	switch {
	case !now.Before(rec.ExpiresAt):
		return nil, session.Expired, nil
	case !now.Before(rec.IdleUntil):
		return nil, session.Idle, nil
	}
	trace.Done(&checkExpiry)
	if now.Sub(rec.SeenAt) < b.lifetimes.SeenEvery() {
		return &rec, "", nil
	}
	// The record is good whether or not the visit can be noted: a store that
	// reads and does not write for a moment signs nobody out.
	brief, cancel := context.WithTimeout(ctx, patience/8)
	defer cancel()
	idleUntil := b.idleUntil(now, &rec)
	alive, err := b.store.Touch(brief, hash, now, idleUntil)
	trace.Wrote()
	if err != nil {
		trace.Done(&notNoted)
		return &rec, "", nil
	}
	trace.Done(&noteVisit)
	if !alive {
		return nil, session.Unknown, nil
	}
	rec.SeenAt, rec.IdleUntil = now, idleUntil
	return &rec, "", nil
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
	alive, err := b.store.Touch(ctx, hashOf(s.ID), now, b.idleUntil(now, rec))
	trace.Wrote()
	if err != nil {
		return away(err)
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
		return away(err)
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
	rec.SeenAt, rec.IdleUntil = now, b.idleUntil(now, rec)
	hash := hashOf(id)
	rec.Handle = hash.String()
	err = b.store.Create(r.Context(), hash, *rec)
	trace.Wrote()
	trace.Done(&b.writeTo)
	if err != nil {
		return away(err)
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

// idleUntil is when the session ends unless there is another visit. Whoever
// asked to be remembered may stay away as long as the session lasts at all.
func (b *Backend) idleUntil(now time.Time, rec *session.Record) time.Time {
	if rec.Remember {
		return rec.ExpiresAt
	}
	if idle := now.Add(b.lifetimes.Idle); idle.Before(rec.ExpiresAt) {
		return idle
	}
	return rec.ExpiresAt
}

// EndsCopies says that an end makes every copy of the cookie worthless.
func (b *Backend) EndsCopies() {}

// List returns a person's sessions that are not over, the latest first.
func (b *Backend) List(ctx context.Context, user school.ID) ([]session.Record, error) {
	all, err := b.store.List(ctx, user, b.now(), session.MaxListed)
	return all, away(err)
}

// EndOne ends the session of this person that has the handle.
func (b *Backend) EndOne(ctx context.Context, user school.ID, handle string) (bool, error) {
	found, err := b.store.DeleteOne(ctx, user, parseHash(handle))
	return found, away(err)
}

// EndUser ends the sessions of one person.
func (b *Backend) EndUser(ctx context.Context, user school.ID, except string) (int, error) {
	n, err := b.store.DeleteUser(ctx, user, parseHash(except))
	return n, away(err)
}

// EndAll ends everybody's sessions.
func (b *Backend) EndAll(ctx context.Context, except string) (int, error) {
	n, err := b.store.DeleteAll(ctx, parseHash(except))
	return n, away(err)
}

// SetRole writes a person's role into all their records.
func (b *Backend) SetRole(ctx context.Context, user school.ID, role school.Role) (int, error) {
	n, err := b.store.SetRole(ctx, user, role)
	return n, away(err)
}

// Count is the number of sessions that have not ended.
func (b *Backend) Count(ctx context.Context) (int, error) {
	n, err := b.store.Count(ctx, b.now())
	return n, away(err)
}

// Sweep deletes records whose time is over, a batch at a time, until the store
// finds no full batch any more or ctx ends; a store may look at a part of its
// records each time. It reports how many it deleted.
func (b *Backend) Sweep(ctx context.Context) (int, error) {
	const batch = 500
	total := 0
	for {
		n, err := b.store.Sweep(ctx, b.now(), batch)
		total += n
		if err != nil || n < batch {
			return total, away(err)
		}
	}
}

func away(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
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

// parseHash reads what String wrote; anything else is the hash of no session.
func parseHash(s string) Hash {
	var h Hash
	if raw, err := hex.DecodeString(s); err == nil && len(raw) == len(h) {
		copy(h[:], raw)
	}
	return h
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
