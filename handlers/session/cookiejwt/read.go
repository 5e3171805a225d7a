package cookiejwt

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"lectern/db/school"
	"lectern/handlers/session"
)

const reading = "handlers/session/cookiejwt/read.go"

// maxAhead is how far the clocks of two servers of this site may disagree
// about when a token was issued: nbf is dated so much earlier, and an iat may
// lie so far ahead. Expiry has no such grace.
const maxAhead = 5 * time.Second

// read asks the five questions of the package comment, in order. It returns
// the record, or the reason for which the token is refused.
func (b *Backend) read(token string, trace *session.Trace) (*session.Record, session.Reason) {
	signed, head, body, signature, ok := split(token)
	if !ok {
		return nil, session.Malformed
	}
	key, reason := b.key(head)
	if reason != "" {
		return nil, reason
	}
	trace.Done(&readHeader)

	mac, err := segment.DecodeString(signature)
	if err != nil {
		return nil, session.BadSignature
	}
	if err := jwt.SigningMethodHS256.Verify(signed, mac, key.secret); err != nil {
		return nil, session.BadSignature
	}
	trace.Done(&verify)

	raw, err := segment.DecodeString(body)
	if err != nil {
		return nil, session.BadClaims
	}
	var c claims
	if err := decode(raw, &c); err != nil {
		return nil, session.BadClaims
	}
	trace.Done(&readClaims)

	rec, reason := b.check(&c)
	trace.Done(&checkClaims)
	return rec, reason
}

// key chooses the key by the header, of which nothing else is believed. A
// header as this site writes it is known at sight; any other has to be read.
func (b *Backend) key(head string) (Key, session.Reason) {
	if key, ok := b.keys.byHead(head); ok {
		return key, ""
	}
	raw, err := segment.DecodeString(head)
	if err != nil {
		return Key{}, session.Malformed
	}
	var h header
	if err := decode(raw, &h); err != nil {
		return Key{}, session.Malformed
	}
	if h.Algorithm != algorithm {
		return Key{}, session.BadAlgorithm
	}
	if h.Type != tokenType {
		return Key{}, session.BadType
	}
	key, ok := b.keys.find(h.KeyID)
	if !ok {
		return Key{}, session.UnknownKey
	}
	return key, ""
}

// check asks whether well-signed claims are for this site, now, and about
// somebody.
func (b *Backend) check(c *claims) (*session.Record, session.Reason) {
	if err := b.validator.Validate(c); err != nil {
		switch {
		case errors.Is(err, jwt.ErrTokenInvalidIssuer), errors.Is(err, jwt.ErrTokenInvalidAudience):
			return nil, session.WrongIssuer
		case errors.Is(err, jwt.ErrTokenNotValidYet):
			return nil, session.NotYet
		case errors.Is(err, jwt.ErrTokenExpired):
			return nil, session.Expired
		}
		return nil, session.BadClaims
	}
	// exp is bounded by what this site would ever have written, so that a
	// leaked key does not print bands for the next century.
	latest := c.IssuedAt + int64(max(b.lifetimes.Token, b.lifetimes.Remember)/time.Second)
	user, errUser := school.ParseID(c.Subject)
	role, errRole := school.ParseRole(c.Role)
	if errUser != nil || errRole != nil || c.ID == "" || len(c.Methods) == 0 ||
		c.Expires > latest || c.AuthTime <= 0 || c.AuthTime > c.IssuedAt+int64(maxAhead/time.Second) {
		return nil, session.BadClaims
	}
	if seconds(c.IssuedAt).After(b.now().Add(maxAhead)) {
		return nil, session.NotYet
	}
	if c.IssuedAt < b.cut.Load() {
		return nil, session.EndedForAll
	}
	// Whoever did not ask to be remembered is gone by the absolute end; a token
	// that lasts beyond it was asked for.
	return &session.Record{
		Identity:  session.Identity{UserID: user, Role: role, Methods: c.Methods, AuthAt: seconds(c.AuthTime)},
		Handle:    c.ID,
		Remember:  c.Expires-c.AuthTime > int64(b.lifetimes.Absolute/time.Second),
		CreatedAt: seconds(c.IssuedAt),
		ExpiresAt: seconds(c.Expires),
	}, ""
}
