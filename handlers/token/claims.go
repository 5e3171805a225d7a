package token

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Common are the claims that every token of this site has, times in Unix
// seconds. [Issuer] fills in iss, aud and nbf itself.
type Common struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Subject   string `json:"sub"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
	AuthTime  int64  `json:"auth_time"`
	Role      string `json:"role"`
}

// Claims are those of a session's token, for SessionUse and AccessUse. It has
// exactly these members: those of OnRecord in an access token, which must have
// them, and in no other.
type Claims struct {
	Common
	Methods []string `json:"amr"`
	*OnRecord
}

// OnRecord is what an access token says of the session that it is short for.
// That session is written down somewhere, so it has a name, and a beginning and
// an end of its own, times in Unix seconds.
type OnRecord struct {
	Session  string `json:"sid"` // its name, which opens nothing (the claim is OpenID Connect's)
	Began    int64  `json:"session_start"`
	Ends     int64  `json:"session_end"`
	Remember bool   `json:"remember"`
}

// APIClaims are those of a program's access token, for APIUse: the ones that
// RFC 9068 §2.2 asks for, and exactly these.
type APIClaims struct {
	Common
	ClientID string `json:"client_id"`
}

// registered are the claims as golang-jwt's validator asks for them.
type registered Common

// GetExpirationTime returns exp; zero counts as missing.
func (c *registered) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires), nil }

// GetIssuedAt returns iat.
func (c *registered) GetIssuedAt() (*jwt.NumericDate, error) { return date(c.IssuedAt), nil }

// GetNotBefore returns nbf.
func (c *registered) GetNotBefore() (*jwt.NumericDate, error) { return date(c.NotBefore), nil }

// GetIssuer returns iss.
func (c *registered) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns sub.
func (c *registered) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns aud, which is one name here.
func (c *registered) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

func date(unix int64) *jwt.NumericDate {
	if unix == 0 {
		return nil
	}
	return &jwt.NumericDate{Time: Moment(unix)}
}

// Moment is the time that a claim such as exp or iat tells: seconds since 1970,
// which RFC 7519 §2 calls a NumericDate.
func Moment(numericDate int64) time.Time { return time.Unix(numericDate, 0).UTC() }
