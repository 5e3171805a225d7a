// Package broken holds deliberate mistakes, each in a file of its own that is
// named for what it breaks.
//
// They are what this site would be if one line of it had been written as it often
// is. Each is a real backend of package session with that one thing done wrong, and
// everything else as it should be; so whatever goes wrong in a lab that runs one
// goes wrong because of the mistake. Each of them signs people in and out without
// fault. That is what they have in common with their models in the world: nothing
// is to be seen until somebody comes who means it.
//
// [All] lists them. Package sessiontest finds each of them out, by exactly the
// check that is named there, beside what the kind that it is made of cannot do
// anyway; a test asserts it. To see how a mistake is told from the right code, read
// the top of its file, and then the file that it names.
//
// Nothing but the lab imports this package, and a test says so.
package broken

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// Config is what all of them are made of. Each takes what its kind needs and
// leaves the rest.
type Config struct {
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
	Random    io.Reader

	// Store is where a kind with a record on the server keeps it. Whoever holds a
	// request up in it sees the races.
	Store serverstore.Store
	// Families is the same for a kind whose tickets are exchanged.
	Families hybrid.Store
	// Tokens signs and reads the tokens of a kind that has some, and Ledger is the
	// list of those that are over.
	Tokens *token.Issuer
	Ledger cookiejwt.Ledger
	// Secrets seal cookies where a mistake is one about sealing: the newest first,
	// 32 bytes each.
	Secrets [][]byte
}

// Mistake is one of them.
type Mistake struct {
	Name   string // in lower-case words joined by hyphens, for an address
	Breaks string // what it breaks, in a sentence
	// Kind and Revocation name the kind of session that it is made of, as
	// sessiontest.LimitsOf wants them.
	Kind, Revocation string
	Check            string // of package sessiontest: the one that finds it
	Where            string // the source file, from the top of the repository
	New              func(Config) session.Backend
}

// All are the mistakes there are, in the order in which a page lists them.
var All = []Mistake{
	{
		Name: "adopted-id", Kind: session.Database, New: NewAdoptedID, Where: "handlers/lab/broken/adoptedid.go",
		Breaks: "A session id that the visitor brought along is adopted when they sign in, so whoever planted it is signed in with them.",
		Check:  "an id that the visitor brought is never adopted",
	},
	{
		Name: "resurrection", Kind: session.Database, New: NewResurrection, Where: "handlers/lab/broken/resurrection.go",
		Breaks: "Noting a visit writes the record anew if it is gone, so a slow request brings back a session that was signed out meanwhile.",
		Check:  "a slow save does not bring back what has ended",
	},
	{
		Name: "denylist-by-hash", Kind: session.JWT, Revocation: session.RevokeDenylist, New: NewDenylistByHash, Where: "handlers/lab/broken/denylistbyhash.go",
		Breaks: "An ended token is listed by a hash of its text, so the same token, spelled in another way, is not on the list.",
		Check:  "another spelling of an ended cookie opens nothing",
	},
	{
		Name: "forgotten-ticket", Kind: session.Hybrid, New: NewForgottenTicket, Where: "handlers/lab/broken/forgottenticket.go",
		Breaks: "A refresh ticket that was exchanged is simply forgotten, so a thief who exchanges it first goes on unnoticed when its owner is refused.",
		Check:  "a ticket that comes back after its exchange ends the session",
	},
	{
		Name: "challenge-in-a-cookie", Kind: session.JWT, Revocation: session.RevokeNone, New: NewChallengeInCookie, Where: "handlers/lab/broken/challengeincookie.go",
		Breaks: "A one-time challenge is kept in the browser’s own cookie, so whoever has copied the cookie and the answer can give it again.",
		Check:  "a challenge is answered once",
	},
	{
		Name: "mixed-up-keys", Kind: session.Database, New: NewMixedUpKeys, Where: "handlers/lab/broken/mixedupkeys.go",
		Breaks: "The old key is passed where the library expects an encryption key, so the first planned change of keys signs everybody out.",
		Check:  "a planned change of keys signs nobody out",
	},
	{
		Name: "readable-cookie", Kind: session.JWT, Revocation: session.RevokeNone, New: NewReadableCookie, Where: "handlers/lab/broken/readablecookie.go",
		Breaks: "The cookie lacks the word HttpOnly, so whatever script runs on the page can read the token and send it away.",
		Check:  "cookie flags",
	},
	{
		Name: "unmeasured-cookie", Kind: session.JWT, Revocation: session.RevokeNone, New: NewUnmeasuredCookie, Where: "handlers/lab/broken/unmeasuredcookie.go",
		Breaks: "A token is sent however long it is, so that a browser drops it without a word and somebody stands outside with the right password.",
		Check:  "too large is refused loudly",
	},
}

// ids is the kind that keeps a record on the server, as it should be.
func ids(c Config, store serverstore.Store, random io.Reader) *serverstore.Backend {
	return serverstore.New(serverstore.Config{
		Name: session.Database, Store: store, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: random,
	})
}

// tokens is the kind that keeps a signed token, as it should be.
func tokens(c Config) *cookiejwt.Backend {
	return cookiejwt.New(cookiejwt.Config{Tokens: c.Tokens, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now})
}

// own has a session that a real backend loaded come back to the mistaken one when
// it is saved.
func own(store sessions.Store, s *sessions.Session) *sessions.Session {
	mine := sessions.NewSession(store, s.Name())
	mine.ID, mine.IsNew, mine.Values, mine.Options = s.ID, s.IsNew, s.Values, s.Options
	return mine
}

// ends reports whether saving s is to end it.
func ends(s *sessions.Session) bool { return s.Options != nil && s.Options.MaxAge < 0 }

// alone is a request with one cookie and no other.
func alone(ctx context.Context, r *http.Request, name, value string) *http.Request {
	one := r.WithContext(ctx)
	one.Header = http.Header{"Cookie": {name + "=" + value}}
	return one
}
