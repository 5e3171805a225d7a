package cookiejwt

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
)

// lateClock is how much longer than its token an entry stands, for servers whose
// clock is late.
const lateClock = time.Minute

const listing = "handlers/session/cookiejwt/denylist.go"

var (
	denyToken  = session.Work{Name: "Put the token on the denylist", Kind: session.Store, Where: listing}
	lookAtList = session.Work{Name: "Look at the denylist", Kind: session.Store, Where: listing}
)

// Denylist is the token on the top rung of the ladder: a list of the tokens that
// are over before their time, by their jti, beside the moment that [Cutoff]
// keeps. Signing out puts one token on the list and leaves the person's others
// alone. An entry is dropped when its token would have expired anyway, so the
// list holds what was ended lately and not everything that was ever issued.
//
// The list alone could not end a token whose number nobody wrote down, which is
// every token that is in somebody else's hands; so the moment is asked for in
// the same question.
//
// Entries are kept by jti, never by the token or a hash of it: one signature can
// be written in more than one way, and then the same token has two hashes (see
// package token).
//
// A list that cannot be read refuses. To wave through what may have been ended
// would make every outage of the list a return of all that was put on it.
type Denylist struct {
	*Backend
	ledger Ledger
}

// NewDenylist puts a backend on this rung.
func NewDenylist(b *Backend, ledger Ledger) *Denylist { return &Denylist{b, ledger} }

// Revocation is session.RevokeDenylist.
func (d *Denylist) Revocation() string { return session.RevokeDenylist }

// HeedsEnds says that the person's moment is asked for at each request.
func (d *Denylist) HeedsEnds() {}

// EndsCopies says that an end makes every copy of the token worthless.
func (d *Denylist) EndsCopies() {}

// Get returns the request's session, read and asked about once.
func (d *Denylist) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(d, name)
}

// New reads the token in the request's cookie and asks, in one look-up, whether
// it is on the list and whether the person's sessions were ended since. The
// error wraps session.ErrUnavailable, or is nil.
func (d *Denylist) New(r *http.Request, name string) (*sessions.Session, error) {
	return d.open(r, name, d, d.ask)
}

// Save does what Backend.Save does, and more where that does nothing: a session
// that was loaded is asked about once more, and one that is ended is put on the
// list. It returns session.ErrEnded for one that was there already.
func (d *Denylist) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	rec, ok := session.RecordOf(s)
	if !ok || !ends(s) {
		return d.save(r, w, s, d.ask)
	}
	trace := session.TraceFrom(r.Context())
	trace.Begin()
	added, err := d.ledger.Deny(r.Context(), rec.Handle, rec.ExpiresAt.Add(lateClock))
	trace.Wrote()
	trace.Done(&denyToken)
	if err != nil {
		return away(err)
	}
	if err := d.Backend.Save(r, w, s); err != nil {
		return err
	}
	if !added {
		return session.ErrEnded
	}
	return nil
}

func (d *Denylist) ask(ctx context.Context, rec *session.Record, trace *session.Trace) (session.Reason, error) {
	denied, cut, err := d.ledger.Denied(ctx, rec.Handle, rec.UserID)
	trace.Read()
	trace.Done(&lookAtList)
	switch {
	case err != nil:
		return "", away(err)
	case denied:
		return session.Denied, nil
	case rec.CreatedAt.Before(cut):
		return session.CutOff, nil
	}
	return "", nil
}
