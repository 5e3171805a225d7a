package cookiejwt

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"lectern/handlers/session"
)

const (
	algorithm = "HS256"
	tokenType = "session+jwt"
	// maxToken is the longest token worth looking at: what fits into a cookie.
	maxToken = session.MaxCookie
)

// segment is base64url without padding, and without the spare bits at the end
// that would let one signature be written in several ways.
var segment = base64.RawURLEncoding.Strict()

// header has exactly these members; see the package comment.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// claims has exactly these members, times in Unix seconds.
type claims struct {
	Issuer    string   `json:"iss"`
	Audience  string   `json:"aud"`
	Subject   string   `json:"sub"`
	ID        string   `json:"jti"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
	AuthTime  int64    `json:"auth_time"`
	Role      string   `json:"role"`
	Methods   []string `json:"amr"`
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

// sign writes a token.
func sign(c claims, key Key) (string, error) {
	body, err := encode(c)
	if err != nil {
		return "", err
	}
	signed := key.head + "." + body
	signature, err := jwt.SigningMethodHS256.Sign(signed, key.secret)
	if err != nil {
		return "", err
	}
	return signed + "." + segment.EncodeToString(signature), nil
}

// split cuts a token into its parts: the two that were signed, as they came,
// and each of the three alone.
func split(token string) (signed, head, body, signature string, ok bool) {
	if len(token) > maxToken {
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

// newTokenID draws a jti of 132 random bits (RFC 7519 §4.1.7, ASVS 11.5.1).
func newTokenID(random io.Reader) (string, error) {
	var raw [18]byte
	if random == nil {
		random = rand.Reader
	}
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", err
	}
	return segment.EncodeToString(raw[:])[:22], nil
}

func seconds(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

// The methods that golang-jwt's validator asks for.

// GetExpirationTime returns exp; zero counts as missing.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return date(c.Expires), nil }

// GetIssuedAt returns iat.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return date(c.IssuedAt), nil }

// GetNotBefore returns nbf.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return date(c.NotBefore), nil }

// GetIssuer returns iss.
func (c *claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns sub.
func (c *claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns aud, which is one name here.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings{c.Audience}, nil }

func date(unix int64) *jwt.NumericDate {
	if unix == 0 {
		return nil
	}
	return &jwt.NumericDate{Time: seconds(unix)}
}
