package cookiejwt

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
)

// asking is where the look-ups of the ladder are made, for the trace.
const asking = "handlers/session/cookiejwt/cutoff.go"

var (
	moveMoment = session.Work{Name: "Move the person’s moment to now", Kind: session.Store, Where: asking}
	askMoment  = session.Work{Name: "Ask when the person’s sessions were last ended", Kind: session.Store, Where: asking}
)

// Cutoff is the same token one rung up the ladder: each person has a moment,
// kept with them on the server, and what was issued to them before it counts for
// nothing. Signing out, a new password, a new role or a closed account moves the
// moment to now.
//
// It costs one look-up for each request, and it is blunt: the moment is the
// person's and not the token's, so signing out in one browser signs out in all
// of them. In return nothing grows: one number for each person, whatever the
// number of tokens.
type Cutoff struct {
	*Backend
	ledger Ledger
}

// NewCutoff puts a backend on this rung.
func NewCutoff(b *Backend, ledger Ledger) *Cutoff { return &Cutoff{b, ledger} }

// Revocation is session.RevokeCutoff.
func (c *Cutoff) Revocation() string { return session.RevokeCutoff }

// HeedsEnds says that the person's moment is asked for at each request.
func (c *Cutoff) HeedsEnds() {}

// Get returns the request's session, read and asked about once.
func (c *Cutoff) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(c, name)
}

// New reads the token in the request's cookie and asks whether it was issued
// before the person's moment. The error wraps session.ErrUnavailable, or is nil.
func (c *Cutoff) New(r *http.Request, name string) (*sessions.Session, error) {
	return c.open(r, name, c, c.ask)
}

// Save does what Backend.Save does, and more where that does nothing: a session
// that was loaded is asked about once more, and one that is ended takes all of
// the person's with it.
func (c *Cutoff) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	rec, ok := session.RecordOf(s)
	if ok && ends(s) {
		trace := session.TraceFrom(r.Context())
		trace.Begin()
		_, err := c.ledger.EndSessions(r.Context(), rec.UserID, c.now())
		trace.Wrote()
		trace.Done(&moveMoment)
		if err != nil {
			return away(err)
		}
	}
	return c.save(r, w, s, c.ask)
}

func (c *Cutoff) ask(ctx context.Context, rec *session.Record, trace *session.Trace) (session.Reason, error) {
	cut, err := c.ledger.CutOffAt(ctx, rec.UserID)
	trace.Read()
	trace.Done(&askMoment)
	switch {
	case err != nil:
		return "", away(err)
	case rec.CreatedAt.Before(cut):
		return session.CutOff, nil
	}
	return "", nil
}

// question asks about a well-signed token whether it is over before its time. It
// returns the reason, or an error when nobody can tell.
type question func(context.Context, *session.Record, *session.Trace) (session.Reason, error)

// save asks about a session before it is started or kept, so that no token is
// handed out that could not be read on the next request.
func (b *Backend) save(r *http.Request, w http.ResponseWriter, s *sessions.Session, ask question) error {
	rec, ok := session.RecordOf(s)
	if ok && !ends(s) {
		trace := session.TraceFrom(r.Context())
		trace.Begin()
		reason, err := ask(r.Context(), rec, trace)
		if err != nil {
			return err
		}
		if reason != "" {
			return session.ErrEnded
		}
	}
	return b.Save(r, w, s)
}

// ends reports whether saving s is to end it.
func ends(s *sessions.Session) bool { return s.Options != nil && s.Options.MaxAge < 0 }

// patience is how long the ledger may take to answer before it counts as away.
const patience = 1200 * time.Millisecond

func away(err error) error { return fmt.Errorf("%w: %w", session.ErrUnavailable, err) }
