package broken

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
)

// forgottenTicket exchanges refresh tickets and forgets the old ones: rotation
// without detection of reuse.
//
// What is wrong. A ticket that was exchanged and comes back is the one sign there
// is that it has been copied. This backend looks families up by the secret that is
// good now, finds none for an old secret, and says so, as it would to somebody who
// made one up.
//
// How it happens. One row for each session, the hash of the ticket in a column, and
// UPDATE … SET hash = new WHERE hash = old: the exchange is atomic, an old ticket is
// refused, and the work looks done. django-oauth-toolkit had it so
// (django-oauth/django-oauth-toolkit#1404: the person is refused, and the malicious
// actor is still logged in), josuebrunel/ezauth until #118, and
// vstorm-co/agenticos#1519 tells of exactly this column.
//
// What an attacker gets. They copy the ticket once and exchange it before its owner
// does. The owner is signed out, blames the site, and signs in again. The attacker
// has a session of their own, and renews it for as long as sessions last.
//
// The right code keeps enough of the past to know an old ticket when it sees one,
// and ends the whole family: both have to sign in again, and only one of them can
// (RFC 9700 §4.14.2). It is lookUp and endFamily in
// handlers/session/hybrid/refresh.go.
type forgottenTicket struct {
	*hybrid.Backend
	cookies session.Cookies
}

// NewForgottenTicket makes a hybrid session in which a stolen ticket goes unnoticed.
func NewForgottenTicket(c Config) session.Backend {
	families := bySecret{c.Families, c.Now, min(overlap, c.Lifetimes.Access)}
	return &forgottenTicket{hybrid.New(hybrid.Config{
		Tokens: c.Tokens, Store: families, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: c.Random,
	}), c.Cookies}
}

// overlap is how long an old ticket is still known, for the tabs of one browser
// that come with it at once. Even naive rotation has that sooner or later, because
// people are signed out without it.
const overlap = 10 * time.Second

// Get returns the request's session, read once.
func (b *forgottenTicket) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New looks the session up by the secret of the ticket.
func (b *forgottenTicket) New(r *http.Request, name string) (*sessions.Session, error) {
	s, err := b.Backend.New(b.presenting(r), name)
	return own(b, s), err
}

// Save exchanges the ticket by its secret.
func (b *forgottenTicket) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	return b.Backend.Save(b.presenting(r), w, s)
}

type secretsKey struct{}

// presenting is the request with the hashes of the secrets that it came with.
func (b *forgottenTicket) presenting(r *http.Request) *http.Request {
	var secrets []serverstore.Hash
	for _, ticket := range b.cookies.Values(r, b.CookieNames()[1]) {
		_, secret, _ := strings.Cut(ticket, ".")
		if raw, err := base64.RawURLEncoding.DecodeString(secret); err == nil {
			secrets = append(secrets, sha256.Sum256(raw))
		}
	}
	return r.WithContext(context.WithValue(r.Context(), secretsKey{}, secrets))
}

// bySecret is a store that finds a family by its present secret.
type bySecret struct {
	hybrid.Store
	now     func() time.Time
	overlap time.Duration
}

// Find finds nothing for a secret that was exchanged.
func (b bySecret) Find(ctx context.Context, hash serverstore.Hash) (hybrid.Family, bool, error) {
	family, found, err := b.Store.Find(ctx, hash)
	secrets, presented := ctx.Value(secretsKey{}).([]serverstore.Hash)
	if !found || err != nil || !presented || b.knows(family, secrets) {
		return family, found, err
	}
	return hybrid.Family{}, false, nil
}

func (b bySecret) knows(family hybrid.Family, secrets []serverstore.Hash) bool {
	young := b.now().Sub(family.RotatedAt) <= b.overlap
	return slices.Contains(secrets, family.Current) || young && slices.Contains(secrets, family.Previous)
}
