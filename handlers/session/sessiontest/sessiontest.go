// Package sessiontest examines a session backend: one suite for every kind,
// for those that are here and for those that somebody will write.
//
// A contract that stands in comments alone drifts. So each sentence of package
// session's contract is a check here, and every backend is put through all of
// them ([Run]), in the manner of testing/fstest: the suite knows nothing of
// package testing and returns what it found, a sentence for each thing wrong.
// A test prints the findings; a page may show them.
//
// How a check goes:
//
//  1. A [Subject] opens the backend afresh, under a [Clock] that stands still
//     until it is moved. Nothing here ever waits.
//  2. A session.Manager is put in front of it, and a [Site] in front of that:
//     load the session, do one thing, answer.
//  3. People come with a [Browser], which keeps cookies as strictly as the real
//     ones do: what is longer than 4096 bytes or calls itself __Host- without
//     right is dropped without a word. A thief is a browser with the same
//     cookies ([Browser.Copy]).
//  4. The check does something to a session and then asks, by another request,
//     who is signed in now.
//
// A stateless backend cannot pass all of it, and should not pretend to.
// [StatelessLimits] lists by name what it cannot do, and why; [HybridLimits] does
// the same for a backend that does it late. The lists are part of the contract: a
// test asserts that a kind fails exactly these, so a limit that silently
// disappears is noticed like one that appears. Django's suite does the same for
// its cookie backend.
//
// Late is not never: what a backend may do late (session.Lagging) is put to the
// proof once more when its lag is over. For a backend without a lag that is the
// same proof twice.
package sessiontest

import (
	"fmt"
	"time"

	"lectern/handlers/session"
)

// Lifetimes are those that every check runs under.
var Lifetimes = session.Lifetimes{
	Token:    time.Hour,
	Access:   time.Minute,
	Idle:     30 * time.Minute,
	Absolute: 12 * time.Hour,
	Remember: 30 * 24 * time.Hour,
}

// Subject is a backend that wants to be examined.
type Subject struct {
	// Cookies is the policy to examine it under.
	Cookies session.Cookies
	// Open makes the backend with an empty store, once for each check.
	Open func(Terms) (Instance, error)
}

// Terms are what an instance is to be made with.
type Terms struct {
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
	// School is whom the sessions are about.
	School *School
}

// Instance is one backend, opened.
type Instance struct {
	Backend session.Backend
	// Twin is another server's backend that reaches the same store, or has the
	// same keys; nil where no other server can.
	Twin session.Backend
	// Rekeyed is the same after a planned change of keys: a new one signs, and the
	// one before is kept to read what is out there; nil where there are no keys.
	Rekeyed session.Backend
	// Challenges asks browsers what they can answer once; nil where nothing is
	// asked.
	Challenges Challenger
	// Away takes the store away, or brings it back; nil without a store.
	Away func(away bool)
	// Close frees what Open took; it may be nil.
	Close func()
}

// Finding is one thing that a backend does wrong.
type Finding struct {
	Check string // the name of the check, as in Checks
	Wrong string // a sentence
}

func (f Finding) String() string { return f.Check + ": " + f.Wrong }

// check is one sentence of the contract, and the way to put it to the proof.
type check struct {
	name string
	run  func(*world)
}

// late runs a check that waits for the backend's lag before it looks.
func late(run func(*world)) func(*world) {
	return func(w *world) {
		w.patient = true
		run(w)
	}
}

var checks = []check{
	{"start", start},
	{"load", load},
	{"load without a cookie", loadWithoutCookie},
	{"an anonymous visitor creates nothing", anonymousCreatesNothing},
	{"save", save},
	{"renew gives a new id", renewGivesNewID},
	{"the old id is dead after renew", oldIDDeadAfterRenew},
	{"the old id is dead after renew, once the lag is over", late(oldIDDeadAfterRenew)},
	{"end", end},
	{"a copy is dead after the end", copyDeadAfterEnd},
	{"a copy is dead after the end, once the lag is over", late(copyDeadAfterEnd)},
	{"start ends the session before it", startEndsPrevious},
	{"start ends the session before it, once the lag is over", late(startEndsPrevious)},

	{"idle timeout", idleTimeout},
	{"activity keeps alive for hours", activityKeepsAlive},
	{"absolute end although busy", absoluteEnd},
	{"remember me", rememberMe},
	{"a clock moved back signs nobody out", clockMovedBack},

	{"list", list},
	{"end one", endOne},
	{"end one, once the lag is over", late(endOne)},
	{"end others", endOthers},
	{"end others, once the lag is over", late(endOthers)},
	{"end user", endUser},
	{"end user, once the lag is over", late(endUser)},
	{"end all", endAll},
	{"a role change acts", roleChange},
	{"a role change acts, once the lag is over", late(roleChange)},

	{"an id that the visitor brought is never adopted", fixation},
	{"a slow save does not bring back what has ended", slowSave},
	{"a slow renew does not continue what has ended", slowRenew},
	{"a slow save undoes no change", lostUpdate},
	{"a slow save undoes no change, once the lag is over", late(lostUpdate)},
	{"a cookie of the other kind", foreignCookie},
	{"garbage in the cookie", garbageCookie},
	{"junk in front of the cookie", junkInFront},
	{"the handle opens nothing", handleOpensNothing},
	{"another spelling of an ended cookie opens nothing", otherSpelling},
	{"a ticket that comes back after its exchange ends the session", exchangedTwice},
	{"a challenge is answered once", challengeOnce},

	{"too large is refused loudly", tooLarge},
	{"cookie flags", cookieFlags},
	{"one Set-Cookie for each name", oneSetCookie},
	{"no personal data in the cookie", noPersonalData},
	{"a bad cookie is cleared on page loads only", clearedOnPageLoads},

	{"the store is away", storeAway},
	{"the store goes away in the middle", storeGoesAway},
	{"another server knows the session", anotherServer},
	{"an end is seen on another server", endOnAnotherServer},
	{"an end is seen on another server, once the lag is over", late(endOnAnotherServer)},
	{"a planned change of keys signs nobody out", changeOfKeys},
	{"many at once", manyAtOnce},
	{"sweep removes only what is over", sweep},
}

// Checks lists the names of all checks, in the order in which they run.
func Checks() []string {
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = c.name
	}
	return names
}

// Run puts the subject through every check and returns what is wrong with it.
// A check that needs what the subject does not have (a second server, a store
// that can be taken away, a ticket that is exchanged) finds nothing.
func Run(subject Subject) []Finding {
	var findings []Finding
	for _, c := range checks {
		for _, wrong := range examine(subject, c) {
			findings = append(findings, Finding{Check: c.name, Wrong: wrong})
		}
	}
	return findings
}

// examine runs one check in a world of its own. A backend that panics has a
// finding; the other checks go on.
func examine(subject Subject, c check) (wrongs []string) {
	w, err := newWorld(subject)
	if err != nil {
		return []string{fmt.Sprintf("the backend cannot be opened: %v", err)}
	}
	defer w.close()
	defer func() {
		if p := recover(); p != nil {
			wrongs = append(w.wrongs, fmt.Sprintf("it panics: %v", p))
		}
	}()
	c.run(w)
	return w.wrongs
}
