package token

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxAhead is how far the clocks of two servers of this site may disagree
// about when a token was issued: nbf is dated so much earlier, and an iat may
// lie so far ahead. Expiry has no such grace.
const maxAhead = 5 * time.Second

// Problem is a word for the log that says why a token is refused; empty for a
// good one.
type Problem string

const (
	Malformed    Problem = "malformed" // not in the shape that this site issues
	BadAlgorithm Problem = "algorithm" // signed in a way that this site does not (RFC 8725 §3.1)
	BadType      Problem = "type"      // a token, but for another purpose (RFC 8725 §3.11)
	UnknownKey   Problem = "key"       // signed with a key that is not, or no longer, ours
	BadSignature Problem = "signature" // altered, or not signed by us
	BadClaims    Problem = "claims"    // signed by us, but it does not say what it must
	WrongIssuer  Problem = "issuer"    // for another site, or another use
	NotYet       Problem = "not-yet"   // issued in the future
	Expired      Problem = "expired"   // its time is over
)

// Reading is the source file that reads, from the top of the repository.
const Reading = "handlers/token/read.go"

// Step is a part of the reading that took nothing but the processor's time.
type Step int

const (
	ReadHeader Step = iota
	VerifySignature
	ReadClaims
	CheckClaims

	Steps = iota // how many there are
)

var stepNames = [Steps]string{"Read header", "Verify signature", "Read claims", "Check issuer and expiry"}

// Name is what the step is called where a reading is told.
func (s Step) Name() string { return stepNames[s] }

// Watcher is told of each step of the reading, when it is done.
type Watcher interface {
	Done(step Step)
}

// Read asks the five questions of the package comment about a session's
// token, in order. It returns the claims, or the problem for which the token
// is refused. longest is the longest life that this site would have given such
// a token; watcher may be nil.
func (i *Issuer) Read(use Use, token string, longest time.Duration, watcher Watcher) (*Claims, Problem) {
	var c Claims
	problem := i.read(use, token, &c, watcher)
	if problem == "" {
		problem = i.check(use, &c.Common, longest)
		if problem == "" && (len(c.Methods) == 0 || !c.onRecord(use)) {
			problem = BadClaims
		}
		note(watcher, CheckClaims)
	}
	if problem != "" {
		return nil, problem
	}
	return &c, ""
}

// onRecord holds where an access token, and no other, says which session it is
// short for, and does not outlast it.
func (c *Claims) onRecord(use Use) bool {
	if use != AccessUse || c.OnRecord == nil {
		return use != AccessUse && c.OnRecord == nil
	}
	return c.Session != "" && c.Began > 0 && c.Expires <= c.Ends
}

// ReadAPI does the same with a program's access token.
func (i *Issuer) ReadAPI(token string, longest time.Duration, watcher Watcher) (*APIClaims, Problem) {
	var c APIClaims
	problem := i.read(APIUse, token, &c, watcher)
	if problem == "" {
		problem = i.check(APIUse, &c.Common, longest)
		if problem == "" && c.ClientID == "" {
			problem = BadClaims
		}
		note(watcher, CheckClaims)
	}
	if problem != "" {
		return nil, problem
	}
	return &c, ""
}

// read asks the first four questions.
func (i *Issuer) read(use Use, token string, claims any, watcher Watcher) Problem {
	signed, head, body, signature, ok := split(token)
	if !ok {
		return Malformed
	}
	key, problem := i.key(use, head)
	if problem != "" {
		return problem
	}
	note(watcher, ReadHeader)

	raw, err := segment.DecodeString(signature)
	if err != nil {
		return BadSignature
	}
	if err := key.method.Verify(signed, raw, key.verifies); err != nil {
		return BadSignature
	}
	note(watcher, VerifySignature)

	raw, err = segment.DecodeString(body)
	if err != nil {
		return BadClaims
	}
	if err := decode(raw, claims); err != nil {
		return BadClaims
	}
	note(watcher, ReadClaims)
	return ""
}

// key chooses the key by the header, of which nothing else is believed. A
// header as this site writes it is known at sight; any other has to be read.
func (i *Issuer) key(use Use, head string) (*Key, Problem) {
	keys := i.keys.current()
	if key := keys.byHead(use, head); key != nil {
		return key, ""
	}
	raw, err := segment.DecodeString(head)
	if err != nil {
		return nil, Malformed
	}
	var h header
	if err := decode(raw, &h); err != nil {
		return nil, Malformed
	}
	if h.Algorithm != string(keys.Algorithm()) {
		return nil, BadAlgorithm
	}
	if h.Type != use.Type() {
		return nil, BadType
	}
	key := i.keys.find(keys, h.KeyID)
	if key == nil {
		return nil, UnknownKey
	}
	return key, ""
}

// check asks the fifth question: whether well-signed claims are for this site
// and this use, now, and about somebody.
func (i *Issuer) check(use Use, c *Common, longest time.Duration) Problem {
	if err := i.validators[use].Validate((*registered)(c)); err != nil {
		switch {
		case errors.Is(err, jwt.ErrTokenInvalidIssuer), errors.Is(err, jwt.ErrTokenInvalidAudience):
			return WrongIssuer
		case errors.Is(err, jwt.ErrTokenNotValidYet):
			return NotYet
		case errors.Is(err, jwt.ErrTokenExpired):
			return Expired
		}
		return BadClaims
	}
	// exp is bounded by what this site would ever have written, so that a
	// leaked key does not print bands for the next century.
	latest := c.IssuedAt + int64(longest/time.Second)
	if c.Subject == "" || c.Role == "" || c.ID == "" || c.Expires > latest || c.AuthTime <= 0 || c.AuthTime > c.IssuedAt+int64(maxAhead/time.Second) {
		return BadClaims
	}
	if c.IssuedAt > i.now().Add(maxAhead).Unix() {
		return NotYet
	}
	return ""
}

func note(watcher Watcher, step Step) {
	if watcher != nil {
		watcher.Done(step)
	}
}
