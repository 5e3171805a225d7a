package sessiontest

import (
	"slices"
	"strings"

	"lectern/handlers/session"
)

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
	case [2]string{session.Hybrid, ""}:
		return HybridLimits(), true
	}
	return nil, false
}

// meanings say what a check asks, for a reader who has never seen the suite.
// Every check has one that some kind cannot pass.
var meanings = map[string]string{
	"the old id is dead after renew":   "A session was given a new number or token; the one before opens nothing any more.",
	"a copy is dead after the end":     "Somebody has copied the cookie. Its owner signs out, and the copy opens nothing any more.",
	"start ends the session before it": "Whoever signs in again in the same browser leaves no earlier session behind.",
	"idle timeout":                     "Whoever stays away for longer than the site allows is signed out.",
	"activity keeps alive for hours":   "Whoever keeps coming by stays signed in, up to the end that the site sets in any case.",
	"list":                             "A person sees where they are signed in: in which browser, from where, and since when.",
	"end one":                          "A person picks one of their sessions off the list and ends it, and it is so from the next request on.",
	"a slow save undoes no change":     "A person is given another role while a request of theirs is under way; the request does not write the old one back.",
	"end others":                       "A person signs out everywhere else, and it is so from the next request on.",
	"end user":                         "An admin ends one person’s sessions, and it is so from the next request on.",
	"a slow save does not bring back what has ended": "A request was under way while its session ended; it does not start it again.",
	"a slow renew does not continue what has ended":  "A request was under way while its session ended; it does not get a new one for it.",
	"another server knows the session":               "A second server stands beside the first; whoever signed in at one is known to the other.",
	"an end is seen on another server":               "A session is ended at one server, and is over at the other as well.",
	"a role change acts":                             "A person is given another role, stays signed in, and has it on the next request.",
}

// Meaning is what a check asks, in a sentence, whether at once or after a wait;
// empty for one that every kind passes.
func Meaning(check string) string { return meanings[strings.TrimSuffix(check, lateSuffix)] }

// Late returns the check that is the same as this one, made once the lag is over
// with which a kind of session may act. It reports false where there is none.
func Late(check string) (string, bool) {
	late := check + lateSuffix
	return late, slices.Contains(Checks(), late)
}

// lateSuffix ends the name of a check that waits.
const lateSuffix = ", once the lag is over"

// StatelessLimits lists what a backend that keeps nothing cannot do. It fails
// these checks and no others.
func StatelessLimits() []Limit {
	return []Limit{
		{"the old id is dead after renew", "The site forgets each token as soon as it is signed, so it cannot tell the old one from the new one: both are good until they expire."},
		{"the old id is dead after renew, once the lag is over", "There is no lag that could be over: it ends when it expires."},
		{"a copy is dead after the end", "Signing out deletes the browser's copy. Nobody writes down that it happened, so every other copy stays good until it expires."},
		{"a copy is dead after the end, once the lag is over", "There is no lag that could be over: the copy ends when it expires."},
		{"start ends the session before it", "The token of the sign-in before was never noted down, so there is nothing to cross out."},
		{"start ends the session before it, once the lag is over", "There is no lag that could be over: nobody will ever cross it out."},
		{"idle timeout", "Nobody notes a visit, so nobody knows that there was none: a token ends when it says, not when its wearer falls asleep."},
		{"activity keeps alive for hours", "A token's end is written in it. Putting it off takes a new token on every visit, which this site does not send."},
		{"list", "No token is written down, so there is nothing to make a list of."},
		{"end one", "There is no list of tokens to choose one from, and nowhere to cross it out."},
		{"end one, once the lag is over", "There is no lag that could be over: a token cannot be ended by its name."},
		{"end others", "There is no list of a person's tokens, so there are no others to end."},
		{"end others, once the lag is over", "There is no lag that could be over: the others end when they expire."},
		{"end user", "There is no list of a person's tokens, so an admin cannot end them one person at a time."},
		{"end user, once the lag is over", "There is no lag that could be over: each token ends when it expires."},
		{"a role change acts", "The token goes on saying the role that was true when it was signed."},
		{"a role change acts, once the lag is over", "There is no lag that could be over: a token says one thing for as long as it lives."},
		{"a slow save does not bring back what has ended", "Nothing has ended: the token that the slow request came with was good all along."},
		{"a slow renew does not continue what has ended", "The token that the slow request came with is still good, so it buys another one."},
		{"a slow save undoes no change", "Nothing is written back; but the token says the old role all the same, with or without a slow request."},
		{"a slow save undoes no change, once the lag is over", "There is no lag that could be over: the token says the old role for as long as it lives."},
		{"an end is seen on another server", "No server tells another, because none of them knows."},
		{"an end is seen on another server, once the lag is over", "There is no lag that could be over: it is news on no server."},
	}
}

// HybridLimits lists what a backend cannot do at once that is not asked for as
// long as its short token lives. It fails these checks and no others: each of them
// holds once the lag is over.
func HybridLimits() []Limit {
	return []Limit{
		{"the old id is dead after renew", "The record of the old session is gone, but its short token asks nobody until it expires."},
		{"a copy is dead after the end", "The record is deleted, so no copy gets another token; the one that it has is good until it expires, which is soon."},
		{"start ends the session before it", "The record of the sign-in before is deleted; its short token does not know."},
		{"end one", "The record is deleted, and the short token that goes with it lasts until it expires."},
		{"end others", "The records of the others are deleted at once, and their short tokens last until they expire."},
		{"end user", "A person's records are deleted at once, and their short tokens last until they expire."},
		{"a role change acts", "The new role stands in the record at once, and in the token from the next exchange on."},
		{"an end is seen on another server", "The other server reads the same records, but it too believes a short token without asking."},
	}
}

// CutoffLimits lists what a token cannot do whose person's sessions can be ended
// at one stroke.
func CutoffLimits() []Limit {
	return []Limit{
		{"the old id is dead after renew", "The moment that is asked for is the person's and not the token's. To end the old token with it would end all the others too."},
		{"the old id is dead after renew, once the lag is over", "The same, however long one waits, until it expires."},
		{"start ends the session before it", "The same: one token alone cannot be ended."},
		{"start ends the session before it, once the lag is over", "The same: one token alone cannot be ended."},
		{"list", "What was issued is not written down, so there is nothing to make a list of."},
		{"end one", "There is no list to choose a session from, so none can be ended by its name from another browser."},
		{"end one, once the lag is over", "The same: there is no list to choose from."},
		{"idle timeout", "Asking is not noting: nobody writes down that a token was shown, so nobody knows that it was not."},
		{"activity keeps alive for hours", "A token's end is written in it. Putting it off takes a new token on every visit, which this site does not send."},
		{"a role change acts", "The role is in the token. So the token is ended with the old role, and the person signs in again with the new one."},
		{"a role change acts, once the lag is over", "The same: the token with the old role is ended, and not told of the new one."},
	}
}

// DenylistLimits lists what a token cannot do that can be ended alone and with
// all others of its person.
func DenylistLimits() []Limit {
	return []Limit{
		{"list", "What was issued is not written down, so there is nothing to make a list of."},
		{"end one", "There is no list to choose a session from, so none can be ended by its name from another browser."},
		{"end one, once the lag is over", "The same: there is no list to choose from."},
		{"idle timeout", "The list has what was ended, not what was seen: nobody writes down a visit, so nobody knows that there was none."},
		{"activity keeps alive for hours", "A token's end is written in it. Putting it off takes a new token on every visit, which this site does not send."},
		{"a role change acts", "The role is in the token. So the token is ended with the old role, and the person signs in again with the new one."},
		{"a role change acts, once the lag is over", "The same: the token with the old role is ended, and not told of the new one."},
	}
}

// MemoryLimits lists what a backend cannot do that keeps its records in the
// memory of one server.
func MemoryLimits() []Limit {
	return []Limit{
		{"another server knows the session", "The records are in the memory of one server. A second server has a memory of its own, and has never heard of them."},
		{"an end is seen on another server", "Neither server can look into the other’s memory, so the second one has nothing to end, and on the first the session goes on."},
		{"an end is seen on another server, once the lag is over", "The same: there is no lag, there are two memories."},
	}
}
