package broken

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
)

// resurrection writes a session's record anew when a visit is to be noted and the
// record is gone.
//
// What is wrong. That there is no record is how a store says that the session has
// ended. A save that creates what it does not find takes it for an accident and
// repairs it.
//
// How it happens. The request reads the session at its beginning and saves it at
// its end, and "save" is the store's one verb for both: SET in Redis, INSERT … ON
// CONFLICT DO UPDATE, os.Create. Between the two the person signs out. Reported and
// reproduced in boj/redistore#2 (2013, closed as wontfix), tj/connect-redis#328,
// expressjs/session#632; in Rack it was GHSA-vpfw-47h7-xj4g; Django fixed it in
// ticket 21608 (django/django#5950), where the reviewer's sentence is the whole
// lesson: save was an upsert and has to be an update, because signed out is the
// absence of a record.
//
// What an attacker gets. The session that its owner has just ended, because they
// saw a stranger in it. It takes no skill: a page that polls, or a report that
// takes ten seconds, will do it for them.
//
// The right code updates and looks how many rows that was: Touch of
// serverstore.Store "never creates", and Save in
// handlers/session/serverstore/serverstore.go answers session.ErrEnded.
//
// To see it happen, hold a request up when the store has found its record, sign
// out, and let it go on.
type resurrection struct{ *serverstore.Backend }

// NewResurrection makes a database session that a slow request brings back.
func NewResurrection(c Config) session.Backend {
	return &resurrection{ids(c, upserting{c.Store}, c.Random)}
}

// Get returns the request's session, looked up once.
func (b *resurrection) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New looks the session up and keeps what was found at hand, for the note of the
// visit.
func (b *resurrection) New(r *http.Request, name string) (*sessions.Session, error) {
	s, err := b.Backend.New(holding(r, &session.Record{}), name)
	return own(b, s), err
}

// Save notes the visit with what was found at the beginning of the request.
func (b *resurrection) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if rec, ok := session.RecordOf(s); ok && !s.IsNew && !ends(s) {
		r = holding(r, rec)
	}
	return b.Backend.Save(r, w, s)
}

// upserting is a store in which a note is never in vain.
type upserting struct{ serverstore.Store }

// Find keeps the record at hand.
func (u upserting) Find(ctx context.Context, hash serverstore.Hash) (session.Record, bool, error) {
	rec, found, err := u.Store.Find(ctx, hash)
	if held, ok := ctx.Value(heldKey{}).(*session.Record); ok && found {
		*held = rec
	}
	return rec, found, err
}

// Touch notes the visit: UPDATE, and where there was nothing to update, INSERT.
func (u upserting) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	alive, err := u.Store.Touch(ctx, hash, seenAt, idleUntil)
	held, ok := ctx.Value(heldKey{}).(*session.Record)
	if alive || err != nil || !ok {
		return alive, err
	}
	rec := *held
	rec.Handle, rec.SeenAt, rec.IdleUntil = "", seenAt, idleUntil
	return true, u.Store.Create(ctx, hash, rec)
}

type heldKey struct{}

func holding(r *http.Request, rec *session.Record) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), heldKey{}, rec))
}
