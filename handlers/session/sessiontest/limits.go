package sessiontest

import "lectern/handlers/session"

// Limit is a check that a kind of backend cannot pass, and the reason.
type Limit struct {
	Check string // as in Checks
	Why   string // a sentence for a reader
}

// LimitsOf lists what a kind of backend cannot do; a token is asked for by its
// rung of the ladder as well, and every other kind by an empty one. It reports
// false for a kind that the suite has never been put to, about which nothing may
// be claimed. What a page says of a kind and what the tests assert of it is this
// list, and no other.
func LimitsOf(backend, revocation string) ([]Limit, bool) {
	switch [2]string{backend, revocation} {
	case [2]string{session.JWT, session.RevokeNone}:
		return StatelessLimits(), true
	case [2]string{session.JWT, session.RevokeCutoff}:
		return CutoffLimits(), true
	case [2]string{session.JWT, session.RevokeDenylist}:
		return DenylistLimits(), true
	case [2]string{session.Memory, ""}:
		return MemoryLimits(), true
	case [2]string{session.Database, ""}, [2]string{session.Redis, ""}:
		return nil, true
	}
	return nil, false
}

// meanings say what a check asks, for a reader who has never seen the suite.
// Every check has one that some kind cannot pass.
var meanings = map[string]string{
	"the old id is dead after renew":                 "A session was given a new number or token; the one before opens nothing any more.",
	"a copy is dead after the end":                   "Somebody has copied the cookie. Its owner signs out, and the copy opens nothing any more.",
	"start ends the session before it":               "Whoever signs in again in the same browser leaves no earlier session behind.",
	"idle timeout":                                   "Whoever stays away for half an hour is signed out.",
	"activity keeps alive for hours":                 "Whoever keeps coming by stays signed in, up to twelve hours after signing in.",
	"end others":                                     "A person signs out everywhere else, and it is so from the next request on.",
	"end user":                                       "An admin ends one person’s sessions, and it is so from the next request on.",
	"a role change acts on the next request":         "A person is given another role, stays signed in, and has it on the next request.",
	"a slow save does not bring back what has ended": "A request was under way while its session ended; it does not start it again.",
	"a slow renew does not continue what has ended":  "A request was under way while its session ended; it does not get a new one for it.",
	"another server knows the session":               "A second server stands beside the first; whoever signed in at one is known to the other.",
	"an end is seen on another server":               "A session is ended at one server, and is over at the other as well.",
}

// Meaning is what a check asks, in a sentence; empty for one that every kind
// passes.
func Meaning(check string) string { return meanings[check] }

// StatelessLimits lists what a backend that keeps nothing cannot do. It fails
// these checks and no others.
func StatelessLimits() []Limit {
	return []Limit{
		{"the old id is dead after renew", "The site forgets each token as soon as it is signed, so it cannot tell the old one from the new one: both are good until they expire."},
		{"a copy is dead after the end", "Signing out deletes the browser's copy. Nobody writes down that it happened, so every other copy stays good until it expires."},
		{"start ends the session before it", "The token of the sign-in before was never noted down, so there is nothing to cross out."},
		{"idle timeout", "Nobody notes a visit, so nobody knows that there was none: a token ends when it says, not when its wearer falls asleep."},
		{"activity keeps alive for hours", "A token's end is written in it. Putting it off takes a new token on every visit, which this site does not send."},
		{"end others", "There is no list of a person's tokens, so there are no others to end."},
		{"end user", "There is no list of a person's tokens, so an admin cannot end them one person at a time."},
		{"a role change acts on the next request", "The token goes on saying the role that was true when it was signed."},
		{"a slow save does not bring back what has ended", "Nothing has ended: the token that the slow request came with was good all along."},
		{"a slow renew does not continue what has ended", "The token that the slow request came with is still good, so it buys another one."},
		{"an end is seen on another server", "No server tells another, because none of them knows."},
	}
}

// CutoffLimits lists what a token cannot do whose person's sessions can be ended
// at one stroke.
func CutoffLimits() []Limit {
	return []Limit{
		{"the old id is dead after renew", "The moment that is asked for is the person's and not the token's. To end the old token with it would end all the others too."},
		{"start ends the session before it", "The same: one token alone cannot be ended."},
		{"idle timeout", "Asking is not noting: nobody writes down that a token was shown, so nobody knows that it was not."},
		{"activity keeps alive for hours", "A token's end is written in it. Putting it off takes a new token on every visit, which this site does not send."},
		{"a role change acts on the next request", "The role is in the token. So the token is ended with the old role, and the person signs in again with the new one."},
	}
}

// DenylistLimits lists what a token cannot do that can be ended alone and with
// all others of its person.
func DenylistLimits() []Limit {
	return []Limit{
		{"idle timeout", "The list has what was ended, not what was seen: nobody writes down a visit, so nobody knows that there was none."},
		{"activity keeps alive for hours", "A token's end is written in it. Putting it off takes a new token on every visit, which this site does not send."},
		{"a role change acts on the next request", "The role is in the token. So the token is ended with the old role, and the person signs in again with the new one."},
	}
}

// MemoryLimits lists what a backend cannot do that keeps its records in the
// memory of one server.
func MemoryLimits() []Limit {
	return []Limit{
		{"another server knows the session", "The records are in the memory of one server. A second server has a memory of its own, and has never heard of them."},
		{"an end is seen on another server", "Neither server can look into the other’s memory, so the second one has nothing to end, and on the first the session goes on."},
	}
}
