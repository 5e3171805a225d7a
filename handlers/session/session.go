// Package session answers the second of the three questions of a signed-in
// site: are you still signed in?
//
// Who you are is proved once, at the door, by package auth. What you may do is
// decided at each step by package policy. Between the two lies the session:
// HTTP forgets every request as soon as it is answered, so something must
// travel with the next one and say "it is still me". That something is a
// cookie, and there are two honest ways to fill it.
//
//   - The wristband. The cookie holds the facts themselves (who, which role,
//     until when) under a signature that only this site can make: a JWT
//     (RFC 7519). The server keeps nothing and looks nothing up. It can also
//     take nothing back: a wristband is good until it expires, whoever wears
//     it, whatever has happened to its first wearer since.
//   - The coat-check ticket. The cookie holds a random number that means
//     nothing. The facts hang on the server under that number. Each request
//     costs a look-up, every server needs to reach the same cloakroom, and
//     whoever tears up the stub ends the session at that very moment.
//
// And there are ways between the two, which pay a little of each price:
//
//   - The ladder. A token can be ended before it expires if somebody is asked
//     about it after all: when were this person's sessions last ended, or is
//     this very token on a list? Each [Rung] gives back more of what a record
//     can do, and costs a look-up that the wristband was there to save.
//   - The hybrid. A wristband for a minute, and a ticket that fetches the next
//     one. Most requests ask nobody; what is ended is noticed a minute late.
//
// Each way is a [Backend]: a sub-package that implements gorilla's
// sessions.Store, so that whatever speaks gorilla can use it. What a kind of
// session cannot do is not a method that fails: it is a small interface that its
// type does not have ([Ender], [Revoker], [Lister], [RoleKeeper], [Counter] and
// the others in abilities.go), so the compiler tells the difference, and a page
// asks by type assertion.
//
// [Manager] is the only one who talks to backends. Once per request it loads
// the visitor's session ([Manager.Load]); after that there are verbs for all
// that can happen to it: [Manager.Start] on signing in, always with a new id
// (ASVS 7.2.4); [Manager.Renew] after a change of privilege; [Manager.End];
// [Manager.List], [Manager.EndOne] and [Manager.EndOthers] for the person whose
// sessions they are (ASVS 7.5.2, 7.4.3); [Manager.EndUser] and
// [Manager.ChangeRole] for an admin (ASVS 7.4.5); and [Manager.Switch], which is
// what this site is for: it hands the same person the other kind of cookie while
// they stay signed in. [Manager.SwitchSite] does that to everybody.
//
// To add a kind of session: write a package with a type that implements Backend
// and, of abilities.go, what it truly can do; name it in [Kinds]; and add one line
// where the kinds are put together (handlers/session/kinds). From then on
// it can be chosen, switched to and carried over, and is called by its name; what
// a page says of it in words of its own is in the maps of handlers/xray_choices.go
// and handlers/admin_sessions.go. A row in contract_test.go has the suite say what
// is wrong with it, and sessiontest.LimitsOf tells the site what it cannot do.
//
// Three rules hold for every backend, and package sessiontest checks them:
//
//  1. A bad cookie (forged, expired, foreign, torn) is an anonymous visitor
//     with a reason, never an error. An error means that the store cannot be
//     asked: then nobody knows whether you are signed in, the answer is 503,
//     and the cookie stays as it is.
//  2. Saving never brings back a session that has ended, however slow the
//     request that still held it.
//  3. Where the role is read is part of the contract ([RoleSource]). A token
//     goes on saying what it was told when it was signed. That is the price of
//     not asking, and the site shows it instead of hiding it.
//
// Every request carries a [Trace] of what was done to answer the question:
// the steps with their times, the reads and writes of the store, the bytes of
// the cookie. The strip at the foot of each page is drawn from it.
package session

import (
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
)

// Identity is what a session vouches for.
type Identity struct {
	UserID  school.ID
	Role    school.Role
	Methods []string  // how they proved it, as in RFC 8176: "pwd"
	AuthAt  time.Time // when they proved it
}

// Record is one session as its backend knows it. The stateless backend finds
// all of it in the cookie, the others on the server.
type Record struct {
	Identity
	// Handle names the session without opening it: the jti of a token, the
	// hash of a server-side id. It may be logged and compared.
	Handle string
	// Remember is the visitor's wish to stay signed in after the browser closes.
	Remember  bool
	CreatedAt time.Time
	// SeenAt is the last visit noted; visits are noted at most once a minute.
	SeenAt time.Time
	// IdleUntil is when it ends unless there is another visit; zero where
	// nobody can know of visits.
	IdleUntil time.Time
	// ExpiresAt is when it ends in any case.
	ExpiresAt time.Time
	// TokenUntil is when the signed token expires that vouched for it in this
	// request; zero where none did.
	TokenUntil time.Time
	Address    string // where it was started from
	Device     string // the browser that it was started in, as it calls itself
}

type recordKey struct{}

// RecordOf returns what a backend has put into a gorilla session. It reports
// false for an anonymous visitor.
func RecordOf(s *sessions.Session) (*Record, bool) {
	rec, ok := s.Values[recordKey{}].(*Record)
	return rec, ok
}

// SetRecord puts a record into a gorilla session, from where the backend's
// Save takes it. Nobody else touches the session's Values.
func SetRecord(s *sessions.Session, rec *Record) {
	s.Values[recordKey{}] = rec
}

// Lifetimes says how long sessions last. They are enforced by the server; what
// a cookie says of its own age is for the browser's convenience (NIST SP
// 800-63B-4 §5.1.1).
type Lifetimes struct {
	Token    time.Duration // of a JWT
	Access   time.Duration // of the short JWT of a hybrid session
	Idle     time.Duration // of a server-side session without a visit
	Absolute time.Duration // of any session, counted from the sign-in
	Remember time.Duration // of any session whose owner asked to be remembered
}

// End is the last moment of a session that began with a sign-in at authAt.
func (l Lifetimes) End(authAt time.Time, remember bool) time.Time {
	if remember {
		return authAt.Add(l.Remember)
	}
	return authAt.Add(l.Absolute)
}

// SeenEvery is how often a visit is noted: at most once a minute, or a tenth
// of the idle timeout where that is shorter, so that activity always keeps a
// session alive without a write per request.
func (l Lifetimes) SeenEvery() time.Duration {
	return min(time.Minute, l.Idle/10)
}

// IdleEnd is when a session that is visited now ends unless there is another
// visit. Whoever asked to be remembered may stay away as long as the session
// lasts at all.
func (l Lifetimes) IdleEnd(now time.Time, rec *Record) time.Time {
	if rec.Remember {
		return rec.ExpiresAt
	}
	if idle := now.Add(l.Idle); idle.Before(rec.ExpiresAt) {
		return idle
	}
	return rec.ExpiresAt
}
