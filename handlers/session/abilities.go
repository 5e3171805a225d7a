package session

import (
	"context"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
)

// What a backend can do beyond [Backend] is a small interface of its own, which
// its type has or has not. The Manager, and the pages, ask by type assertion; so
// nothing is promised that a type cannot keep, and a new kind of session takes
// part in all that it implements without a word being changed elsewhere.

// Ender is a backend that makes one session worthless, with all copies of its
// cookie, when it is ended by the request that carries it; at once, or after its
// Lag where it is Lagging. Without this, ending means that the browser throws its
// own copy away.
type Ender interface {
	// EndsCopies tells it apart; it does nothing.
	EndsCopies()
}

// Revoker is a backend that can end sessions whose cookies it does not hold in
// its hand. A stateless backend has nothing to end.
type Revoker interface {
	// EndUser ends all sessions of a person, except the one with the given
	// handle (which may be empty), and reports how many there were.
	EndUser(ctx context.Context, user school.ID, except string) (int, error)
	// EndAll ends everybody's sessions, except the one with the given handle.
	EndAll(ctx context.Context, except string) (int, error)
}

// Lister is a backend that can show a person their sessions, and end one of
// them by its name. It takes a place where they are written down.
type Lister interface {
	// List returns the sessions of a person that are not over, the latest first,
	// at most MaxListed of them.
	List(ctx context.Context, user school.ID) ([]Record, error)
	// EndOne ends the session of this person that has the handle. It reports
	// false when they have none of that name.
	EndOne(ctx context.Context, user school.ID, handle string) (bool, error)
}

// MaxListed is how many sessions of one person are listed at most.
const MaxListed = 100

// RoleKeeper is a backend whose sessions hold a role that can be changed from
// outside, so that a change acts on the next request.
type RoleKeeper interface {
	SetRole(ctx context.Context, user school.ID, role school.Role) (int, error)
}

// Counter is a backend that knows how many sessions there are.
type Counter interface {
	Count(ctx context.Context) (int, error)
}

// Lagging is a backend on which an end, or a new role, acts late: a session
// goes on for as long as what it carries is not asked about.
type Lagging interface {
	// Lag is how long that is at most.
	Lag() time.Duration
}

// Heeder is a backend that asks at each request when the person's sessions
// were last ended (People.EndSessions), and refuses what was issued before. It
// can so end all of a person's sessions at once, without knowing a single one.
type Heeder interface {
	// HeedsEnds tells it apart; it does nothing.
	HeedsEnds()
}

// Refresher is a backend whose sessions have to be exchanged now and then while
// they last. After New has returned a session that is Due, Save must be called
// before the response is written, unless the session ends with this request; it
// may return ErrEnded.
type Refresher interface {
	Due(s *sessions.Session) bool
}

// Recaller is a backend that does not read all of a record on each request. What
// is to be continued as a new session is read in full first.
type Recaller interface {
	// Recall completes the record of a loaded session. It returns ErrEnded when
	// the session has ended meanwhile.
	Recall(ctx context.Context, rec *Record) error
}

// Cutter is a backend that can refuse everything it issued before a moment:
// the bluntest way to end stateless sessions, all of them at once, which costs
// no look-up because the moment is one number for the whole site.
type Cutter interface {
	RefuseBefore(t time.Time)
}
