package session

import (
	"errors"
	"fmt"

	"github.com/gorilla/sessions"
)

// The names of the backends, as they stand in settings, forms and the API.
const (
	JWT      = "jwt"
	Memory   = "memory"
	Database = "database"
	Redis    = "redis"
	Hybrid   = "hybrid"

	Bearer = "bearer" // what the API calls a program's access token, which is no session
	None   = "none"   // what the API calls the backend of a visitor without a session
)

// Kinds are the names that a site's setting may have.
var Kinds = []string{JWT, Memory, Database, Redis, Hybrid}

// Backend is one way to keep a session.
//
// It implements gorilla's Store with these promises on top:
//
//   - New reads the cookie and the store. It returns a session that is never
//     nil. For a good cookie the session holds a record ([RecordOf]). For no
//     cookie or a bad one it holds none, the error is nil and the reason stands
//     in the request's [Trace]. The error is [ErrUnavailable] when the store
//     cannot be asked, and then only.
//   - Save with a record in a session that IsNew starts it: a new id, a new
//     cookie. Save of a session that was loaded notes the visit; it returns
//     [ErrEnded] when the session has ended meanwhile, and does not bring it
//     back. Save with Options.MaxAge below zero ends it and clears the cookie;
//     it returns ErrEnded when it had been ended before, so that of two
//     requests that want to continue one session only one can. When the store
//     cannot be asked, no cookie is sent.
//   - Get is New, once per request (gorilla's registry).
type Backend interface {
	sessions.Store
	// Name is one of the constants above.
	Name() string
	// CookieNames are the names of the cookies that it reads and writes,
	// without the prefix that https adds; the first is the one that is read
	// first. The names are fixed; the slice must not be changed.
	CookieNames() []string
	// RoleSource says where the role of its sessions is read.
	RoleSource() RoleSource
}

// RoleSource says where a session's role was read.
type RoleSource string

const (
	FromToken   RoleSource = "token"   // from the token: what was true when it was signed
	FromSession RoleSource = "session" // from the record, which a role change updates
	FromUser    RoleSource = "user"    // from the user's own row, just now
)

var (
	// ErrUnavailable: the store cannot be asked, so nobody knows whether the
	// visitor is signed in. The answer is 503; the cookie stays.
	ErrUnavailable = errors.New("session: store unavailable")
	// ErrEnded: the session ended between its loading and its saving.
	ErrEnded = errors.New("session: ended meanwhile")
	// ErrExchanged: another request of the same browser has exchanged this session
	// a moment ago.
	ErrExchanged = fmt.Errorf("%w: exchanged for another", ErrEnded)
	// ErrTooLarge: the cookie would pass 4096 bytes, and browsers drop such a
	// cookie without a word (RFC 6265bis §5.7).
	ErrTooLarge = errors.New("session: cookie larger than 4096 bytes")
	// ErrNoSession: the visitor is not signed in, so there is nothing to renew
	// or to switch.
	ErrNoSession = errors.New("session: not signed in")
	// ErrUnknownBackend: no backend has this name, or visitors may not choose.
	ErrUnknownBackend = errors.New("session: unknown backend")
)
