package token

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Issuer signs the tokens of one site and reads them back. It is safe for
// concurrent use.
type Issuer struct {
	keys       *Keyring
	site       string
	now        func() time.Time
	random     io.Reader
	validators [uses]*jwt.Validator
}

// Config is what an Issuer is made of.
type Config struct {
	Keys   *Keyring
	Site   string // the site's base URL, which is the iss of its tokens
	Now    func() time.Time
	Random io.Reader
}

// NewIssuer makes an Issuer.
func NewIssuer(c Config) *Issuer {
	i := &Issuer{keys: c.Keys, site: c.Site, now: c.Now, random: c.Random}
	if i.random == nil {
		i.random = rand.Reader
	}
	for use := range Use(uses) {
		i.validators[use] = jwt.NewValidator(
			jwt.WithIssuer(c.Site),
			jwt.WithAudience(use.Audience()),
			jwt.WithExpirationRequired(),
			jwt.WithNotBeforeRequired(),
			jwt.WithTimeFunc(c.Now),
		)
	}
	return i
}

// NewID draws a jti of 132 random bits (RFC 7519 §4.1.7, ASVS 11.5.1).
func (i *Issuer) NewID() (string, error) {
	var raw [18]byte
	if _, err := io.ReadFull(i.random, raw[:]); err != nil {
		return "", err
	}
	return segment.EncodeToString(raw[:])[:22], nil
}

// Sign writes a session's token. The token says that it is of this site, for
// this use, and good from now on.
func (i *Issuer) Sign(use Use, c Claims) (string, error) {
	i.complete(use, &c.Common)
	return i.sign(use, c)
}

// SignAPI writes a program's access token.
func (i *Issuer) SignAPI(c APIClaims) (string, error) {
	i.complete(APIUse, &c.Common)
	return i.sign(APIUse, c)
}

func (i *Issuer) complete(use Use, c *Common) {
	c.Issuer, c.Audience = i.site, use.Audience()
	c.NotBefore = i.now().Add(-maxAhead).Unix()
}

func (i *Issuer) sign(use Use, claims any) (string, error) {
	body, err := encode(claims)
	if err != nil {
		return "", err
	}
	key := i.keys.current().signing()
	signed := key.heads[use] + "." + body
	signature, err := key.method.Sign(signed, key.signs)
	if err != nil {
		return "", err
	}
	return signed + "." + segment.EncodeToString(signature), nil
}
