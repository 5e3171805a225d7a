package hybrid

import (
	"context"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
)

const refreshing = "handlers/session/hybrid/refresh.go"

var (
	hashNumber  = session.Work{Name: "Hash the number", Kind: session.CPU, Where: refreshing}
	checkSecret = session.Work{Name: "Check expiry and secret", Kind: session.CPU, Where: refreshing}
	signNext    = session.Work{Name: "Sign token", Kind: session.CPU, Where: refreshing}
)

// grace is how long a secret that was exchanged is still given its successor:
// long enough for the requests that a browser had under way with it, and for one
// that is sent again because the answer got lost; short enough that a thief has to
// come within it to pass for one of them. RFC 9700 §4.14.2 leaves the length open.
const grace = 30 * time.Second

// grace is less where a short token lives no longer: only the last exchange is
// remembered, and the next may come as soon as the token has expired.
func (b *Backend) grace() time.Duration { return min(grace, b.lifetimes.Access) }

// exchange is what a session that is Due brings to its Save: the ticket that the
// browser came with, and whether nobody has exchanged it yet.
type exchange struct {
	ticket  ticket
	current bool
}

type exchangeKey struct{}

// Due reports whether the ticket of a loaded session has to be exchanged before
// the response is written.
func (b *Backend) Due(s *sessions.Session) bool {
	_, due := s.Values[exchangeKey{}]
	return due
}

// lookUp finds the family of a ticket, and what is to be done about its secret.
func (b *Backend) lookUp(ctx context.Context, text string, trace *session.Trace) (*session.Record, *exchange, session.Reason, error) {
	t, ok := parseTicket(text)
	if !ok {
		return nil, nil, session.Malformed, nil
	}
	hash := t.familyHash()
	trace.Done(&hashNumber)
	family, found, err := b.find(ctx, hash, trace)
	if err != nil {
		return nil, nil, "", err
	}
	if !found {
		trace.LeadsTo(hash.String())
		return nil, nil, session.Unknown, nil
	}
	rec, now := &family.Record, b.now()
	rec.Handle = hash.String()
	switch {
	case !now.Before(rec.ExpiresAt):
		return nil, nil, session.Expired, nil
	case !now.Before(rec.IdleUntil):
		return nil, nil, session.Idle, nil
	case rec.CreatedAt.Before(b.cutAt()):
		return nil, nil, session.EndedForAll, nil
	}
	current := family.isCurrent(t)
	if !current && !family.isPrevious(t, now, b.grace()) {
		return nil, nil, session.Reused, b.endFamily(ctx, hash, trace)
	}
	trace.Done(&checkSecret)
	return rec, &exchange{t, current}, "", nil
}

// refresh gives the browser a new token and a new ticket for the one that it came
// with.
func (b *Backend) refresh(w http.ResponseWriter, r *http.Request, s *sessions.Session, rec *session.Record, due *exchange) error {
	trace, now := session.TraceFrom(r.Context()), b.now()
	signed, err := b.sign(rec, now)
	if err != nil {
		return err
	}
	trace.Done(&signNext)
	next, reason, err := b.exchange(r.Context(), rec, due, now, trace)
	if err != nil {
		return err
	}
	if reason != "" {
		trace.Refuse(reason)
		return session.ErrEnded
	}
	delete(s.Values, exchangeKey{})
	return b.send(w, rec, signed, next, now, trace)
}

// exchange returns the successor of a ticket, or the reason why there is none. Of
// several that come with the same ticket at once, one writes the successor down
// and the others find it.
func (b *Backend) exchange(ctx context.Context, rec *session.Record, due *exchange, now time.Time, trace *session.Trace) (ticket, session.Reason, error) {
	hash := due.ticket.familyHash()
	if due.current {
		salt, err := newSalt(b.random)
		if err != nil {
			return ticket{}, "", err
		}
		next, idleUntil := due.ticket.successor(salt), b.lifetimes.IdleEnd(now, rec)
		first, err := b.store.Rotate(ctx, hash, due.ticket.secretHash(), Rotation{Current: next.secretHash(), Salt: salt, At: now, IdleUntil: idleUntil})
		trace.Wrote()
		trace.Done(&b.exchangeIn)
		if err != nil {
			return ticket{}, "", serverstore.Away(err)
		}
		if first {
			rec.SeenAt, rec.IdleUntil = now, idleUntil
			return next, "", nil
		}
	}
	family, found, err := b.find(ctx, hash, trace)
	switch {
	case err != nil:
		return ticket{}, "", err
	case !found:
		return ticket{}, session.Unknown, nil
	case !family.isPrevious(due.ticket, now, b.grace()):
		return ticket{}, session.Reused, b.endFamily(ctx, hash, trace)
	}
	rec.SeenAt, rec.IdleUntil = family.SeenAt, family.IdleUntil
	return due.ticket.successor(family.Salt), "", nil
}

func (b *Backend) find(ctx context.Context, hash serverstore.Hash, trace *session.Trace) (Family, bool, error) {
	family, found, err := b.store.Find(ctx, hash)
	trace.Read()
	trace.Done(&b.lookUpIn)
	return family, found, serverstore.Away(err)
}

// endFamily ends the session of a ticket that is in two hands.
func (b *Backend) endFamily(ctx context.Context, hash serverstore.Hash, trace *session.Trace) error {
	_, err := b.store.Delete(ctx, hash)
	trace.Wrote()
	trace.Done(&b.endFamilyIn)
	return serverstore.Away(err)
}

// Recall reads what an access token does not say: when the session was last
// visited, and where it was started. It returns session.ErrEnded when there is no
// record any more.
func (b *Backend) Recall(ctx context.Context, rec *session.Record) error {
	if !rec.SeenAt.IsZero() {
		return nil // it was read in full for this request
	}
	family, found, err := b.find(ctx, serverstore.ParseHash(rec.Handle), session.TraceFrom(ctx))
	if err != nil {
		return err
	}
	if !found {
		return session.ErrEnded
	}
	handle, until := rec.Handle, rec.TokenUntil
	*rec = family.Record
	rec.Handle, rec.TokenUntil = handle, until
	return nil
}
