// Package bearer is how a program says who it acts for: an access token in the
// Authorization header (RFC 6750).
//
// A program has no cookie jar that anybody looks after, and no page on which
// it could be asked again. So it asks once, with its person's password, and is
// given a token, a JWT in the shape of RFC 9068. It is a wristband like that of
// a session, from another printer: whoever holds it is let in ("bearer"), and
// the doors tell the two apart. The typ of an access token is at+jwt and its
// audience lectern-api, so it is no session in any cookie; and no session's
// token is good in the header. Programs that follow a link with a browser's
// cookie, and browsers that follow one with a program's token, are both nobody.
//
// Three things keep a stolen token small. It lives an hour at most
// ([Life], RFC 6750 §5.3). It says nothing about its person but an opaque id and
// a role. And it heeds ends: at each request the person's own row is read, since
// their name is needed anyway, and a token that goes back to before the account
// was closed, or before all sessions were ended, is refused ([Access.EndedBy]).
// The role alone is as old as the token, like that of every token.
//
// A token is taken from the Authorization header and from nowhere else
// ([FromHeader]). RFC 6750 knows two more places, the form and the query; what
// stands in an address ends up in logs, histories and Referer headers.
package bearer

import (
	"time"

	"lectern/db/school"
	"lectern/handlers/token"
)

// Life is how long a token is good.
const Life = time.Hour

// clientID is the client of every token (RFC 9068 §2.2). Programs are not
// registered here: each comes with the password of the person it acts for.
const clientID = "lectern-password"

// Access is what a token says.
type Access struct {
	ID        string // the jti, which may be logged
	User      school.ID
	Role      school.Role // as it was when the token was signed
	AuthAt    time.Time   // when the password was asked for
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Tokens issues and reads access tokens. It is safe for concurrent use.
type Tokens struct {
	issuer *token.Issuer
	now    func() time.Time
}

// New makes Tokens that the issuer signs.
func New(issuer *token.Issuer, now func() time.Time) *Tokens { return &Tokens{issuer, now} }

// Issue signs a token for somebody who was asked for their password at asked.
// Nothing counts that is dated before from, the moment at which all that they had
// was last ended; it may lie a little ahead, since ends reach to a whole second.
func (t *Tokens) Issue(user school.User, asked, from time.Time) (string, error) {
	id, err := t.issuer.NewID()
	if err != nil {
		return "", err
	}
	now := t.now()
	if asked.Before(from) {
		asked = from
	}
	return t.issuer.SignAPI(token.APIClaims{
		Common: token.Common{
			Subject:  string(user.ID),
			ID:       id,
			IssuedAt: now.Unix(),
			Expires:  now.Add(Life).Unix(),
			AuthTime: asked.Unix(),
			Role:     string(user.Role),
		},
		ClientID: clientID,
	})
}

// Read returns what a token says, or the problem for which it is refused. The
// watcher may be nil.
func (t *Tokens) Read(text string, watcher token.Watcher) (Access, token.Problem) {
	claims, problem := t.issuer.ReadAPI(text, Life, watcher)
	if problem != "" {
		return Access{}, problem
	}
	user, errUser := school.ParseID(claims.Subject)
	role, errRole := school.ParseRole(claims.Role)
	if errUser != nil || errRole != nil || claims.ClientID != clientID {
		return Access{}, token.BadClaims
	}
	return Access{
		ID: claims.ID, User: user, Role: role,
		AuthAt: token.Moment(claims.AuthTime), IssuedAt: token.Moment(claims.IssuedAt), ExpiresAt: token.Moment(claims.Expires),
	}, ""
}

// EndedBy reports whether the token goes back to before from. What counts is
// when the password was asked for: a token can be signed a moment after all was
// ended for somebody who had typed an old password before.
func (a Access) EndedBy(from time.Time) bool { return a.AuthAt.Before(from) }
