// Package auth answers the first of the three questions that this site keeps
// apart: who are you? It says nothing about whether you are still signed in
// (package session) nor about what you may do (package policy). It knows no
// cookies, no pages and no database; what it needs of the school's records is
// the methods of [Store] and [Counts].
//
// There is one file for each way to sign in. Those that take more than one request
// are held together by a [Flow]; what a passkey is stands at [Passkeys], and how
// another site vouches at [Provider]. Of the password, this is the idea in order.
//
// A password is kept only as a hash that is slow and wants memory
// ([Hasher], argon2id), so that whoever steals the table has to pay for each
// guess. The same price falls on us, so only as many hashes run at once as
// there are processors; the rest stand in a line, and when the line is too
// long the answer is [ErrBusy] rather than a machine without memory.
//
// A new password has to be long and not commonplace ([CheckNew]). It need not
// have a digit, a capital or a sign, it may have spaces and any alphabet, and
// it never has to be changed because time has passed: such rules make people
// write worse passwords, which is why NIST forbids them.
//
// To sign in ([Passwords.SignIn]) is then five steps. Read the e-mail address.
// Ask the [Throttle] whether this try may be made at all. Look the account up.
// Compute one hash and compare. Say yes, or say no in a way that teaches a
// stranger nothing: an unknown address, a wrong password and a closed account
// cost the same work and give the same [ErrRefused], because otherwise the
// sign-in form would be a list of members for anyone with patience.
//
// Guessing is slowed and never answered with a lock, since a lock is a thing
// that anybody could put on somebody else's door. Wrong tries on an account
// make the next stranger wait, up to a quarter of an hour. The owner, coming
// from a network where this account was signed in before, stands in a line of
// their own, and a flood from elsewhere does not lengthen it; and on a network
// never seen they have three tries whatever strangers elsewhere did. The tries of all
// methods count together, and are kept where all servers on one database see them.
// How many codes are sent is bounded in the same manner ([Requests]).
//
// The word of somebody else is another way ([Provider]): an OpenID provider, or
// GitHub, says who it is, and we check that it is they who say so, that they say it to
// us, and that this browser asked for it.
//
// Sources: NIST SP 800-63B-4 §3.1.1 (passwords) and §3.2.2 (rate limiting);
// OWASP ASVS 5.0 chapter 6 and 2.4.1; RFC 9106 (Argon2).
package auth

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrRefused: the address and the password do not belong together, or a
	// passkey's answer is not one (401). It is the same value for an unknown
	// address, a wrong password and a closed account, and a page must not guess
	// which (ASVS 6.3.8). What it may be wrapped in is for the log.
	ErrRefused = errors.New("auth: refused")
	// ErrBusy: too many people are signing in at this moment (503).
	ErrBusy = errors.New("auth: busy")
)

// Throttled says that there were too many tries, and after how long the next
// one will be looked at (429 and Retry-After).
type Throttled struct {
	RetryAfter time.Duration
}

func (e *Throttled) Error() string {
	return fmt.Sprintf("auth: too many tries, the next in %s", e.RetryAfter)
}
