// Package policy answers the third of the three questions of a signed-in site:
// may you do this?
//
// A question has three parts: who asks ([Actor]), what they want to do
// ([Action]), and to what ([Object]). [Decide] puts them together and gives
// one of three answers. Allow. Forbid: we know you, or know that you are
// nobody, and it is no; the page says what would be needed. Hide: as Forbid,
// but the page answers as if there were nothing, because even the existence of
// the thing is not for you (a course that is still a draft).
//
// The package is pure. It reads no database, no clock and no request; whatever
// a rule needs stands in the Object, which the caller has loaded. So the whole
// truth fits into a table, and the test of this package is that table.
//
// Some of a thing may be for fewer people than the thing: whoever sees a course
// does not see its drafts. [Disclose] decides about such a [Field], by rules of the
// same form (fields.go).
//
// Everything that is not allowed by a rule is forbidden, and a rule is one
// short function with the sentence that a person is shown. The role in Actor
// is what the session says it is: with a session that reads it from a token,
// an old role is decided upon as if it were true, until the token expires.
package policy

import (
	"time"

	"lectern/db/school"
)

// Actor is who asks. The zero Actor is a visitor who is not signed in.
type Actor struct {
	User school.ID
	Role school.Role
}

// SignedIn reports whether the actor is anybody.
func (a Actor) SignedIn() bool { return a.User != "" }

// Object is what the action is about: as much of it as the rules ask for.
type Object struct {
	Owner   school.ID // of the course, or of the account
	Draft   bool      // the course or the lesson is not published
	Preview bool      // the lesson may be read without joining
	Joined  bool      // the actor is in the course now
	Demo    bool      // the account is one of the demo accounts
}

// Verdict is one of the three answers.
type Verdict int

const (
	Forbid Verdict = iota // the zero value: what no rule allows is forbidden
	Allow
	Hide
)

// String is the verdict in one word.
func (v Verdict) String() string {
	switch v {
	case Allow:
		return "allow"
	case Hide:
		return "hide"
	}
	return "forbid"
}

// Decision is an answer with its reason.
type Decision struct {
	Verdict Verdict
	// Action is what was asked about; empty where it was a Field.
	Action Action
	Field  Field
	// Rule is the sentence that decided, for the person who asked:
	// "Instructors edit their own courses."
	Rule string
}

// Allowed reports whether the answer is Allow.
func (d Decision) Allowed() bool { return d.Verdict == Allow }

// Decide answers whether actor may do action to object. An unknown action is
// forbidden, and a role without a person counts for nothing.
func Decide(actor Actor, action Action, object Object) Decision {
	if !actor.SignedIn() {
		actor = Actor{}
	}
	d := Decision{Action: action, Rule: "No rule allows this."}
	if r, ok := rules[action]; ok {
		d.Rule = r.sentence
		d.Verdict = r.decide(actor, object)
	}
	return d
}

// Early is the answer that can be given before anything is looked up: no, to a
// visitor who wants what no visitor may ever do. Where it is not early, the object
// has to be looked at.
func Early(actor Actor, action Action) (d Decision, early bool) {
	if actor.SignedIn() || !NeedsSignIn(action) {
		return Decision{}, false
	}
	return Decide(Actor{}, action, Object{}), true
}

// NeedsSignIn reports whether no visitor may ever do this, so that the answer
// to one is "sign in" before anything is looked up.
func NeedsSignIn(action Action) bool {
	r, ok := rules[action]
	return !ok || r.signIn
}

// ConfirmedFor is how long somebody who has proved who they are counts as having just
// done so (ASVS 7.5.1).
const ConfirmedFor = 10 * time.Minute

// NeedsConfirming reports whether this is only for somebody who has just proved who
// they are, whoever they are: what is at stake outlives the session, so that a session
// that was left open, or stolen, must not be enough.
func NeedsConfirming(action Action) bool { return rules[action].confirm }
