// Package token writes and reads the site's signed tokens.
//
// A token is a JWT (RFC 7519): three parts joined by full stops. The first
// says how it was signed, the second what is claimed, the third is the
// signature. The first two are plain text in an envelope of base64url: anybody
// who holds the token can read them, so no name and no address stands there
// (ASVS 14.2.6).
//
// A token is somebody else's input until the signature has been checked, and
// most of what has ever gone wrong with JWTs went wrong by letting the token
// say how it wants to be read. So the reader asks in a fixed order, and each
// question has one good answer that this site fixed beforehand (RFC 8725):
//
//  1. Shape: three parts of base64url, no padding, no white space, no longer
//     than a cookie can be.
//  2. Header: exactly the members alg, kid and typ, once each. alg is the one
//     algorithm of this site (§3.1); "none" is merely another wrong word. typ
//     is that of the [Use] which the reader was asked about, so that a token
//     made for another purpose opens nothing here (§3.11). kid is looked up
//     among the site's keys and used for nothing else (§3.10). A header with
//     jku, jwk, x5u or crit has a member too many.
//  3. Signature, over the bytes as they came, before a single claim is read
//     (§3.3, ASVS 9.1.1).
//  4. Claims: exactly the ones that this site writes, once each, with the
//     right types and the right spelling. encoding/json would take ROLE for
//     role and the last of two; this decoder takes neither (RFC 7519 §4).
//  5. Issuer, audience and time: for this site and this use, not before, not
//     after.
//
// The answer to a bad token is a [Problem], a word for the log. Whoever sent
// it learns only that it is no good.
//
// The cryptography is Go's own, in golang-jwt's hands where that is no dearer,
// and the arithmetic of the registered claims is golang-jwt's. The strictness
// around it is ours, because that library is lenient where RFC 8725 is not: it
// accepts unknown crit, any typ, times as strings, names in the wrong case, and
// an empty key.
package token

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
)

// MaxLength is the longest token worth looking at: what fits into a cookie.
const MaxLength = 4096

// Use is what a token is for. Each use has a typ and an aud of its own, so
// that no token opens a door that it was not made for (RFC 8725 §3.11, §3.12).
type Use int

const (
	SessionUse Use = iota // a session that is nowhere but in its token
	AccessUse             // the short token of a session that is also on record
	APIUse                // a program's access token (RFC 9068)

	uses = iota
)

var useNames = [uses]struct{ typ, audience string }{
	SessionUse: {"session+jwt", "lectern"},
	AccessUse:  {"access+jwt", "lectern-session"},
	APIUse:     {"at+jwt", "lectern-api"},
}

// Type is the typ in the header of such a token.
func (u Use) Type() string { return useNames[u].typ }

// Audience is the aud among the claims of such a token.
func (u Use) Audience() string { return useNames[u].audience }

// segment is base64url without padding, and without the spare bits at the end
// that would let one signature be written in several ways.
var segment = base64.RawURLEncoding.Strict()

// header has exactly these members; see the package comment.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// decode reads JSON as RFC 8725 wants it read: valid UTF-8, each name once and
// in the right case, no name that is not expected, no value of another type.
func decode(data []byte, into any) error {
	return json.Unmarshal(data, into, json.RejectUnknownMembers(true))
}

// encode writes one part of a token.
func encode(part any) (string, error) {
	raw, err := json.Marshal(part)
	return segment.EncodeToString(raw), err
}

// split cuts a token into its parts: the two that were signed, as they came,
// and each of the three alone.
func split(token string) (signed, head, body, signature string, ok bool) {
	if len(token) > MaxLength {
		return
	}
	head, rest, found := strings.Cut(token, ".")
	if !found {
		return
	}
	body, signature, found = strings.Cut(rest, ".")
	if !found || head == "" || body == "" || signature == "" || !alphabetic(head) || !alphabetic(body) || !alphabetic(signature) {
		return
	}
	return token[:len(head)+1+len(body)], head, body, signature, true
}

// alphabetic reports whether s is written in the base64url alphabet alone.
// encoding/base64 would pass over line breaks.
func alphabetic(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
