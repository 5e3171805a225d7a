package broken

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
)

// denylistByHash lists the tokens that have ended by a hash of their text, and
// reads tokens as leniently as the library does unless it is told not to.
//
// What is wrong. A hash names a spelling, and a token has more than one. The 32
// bytes of an HS256 signature take 43 characters of base64url, which have room for
// two bits more than that: four different last characters stand for the same
// signature. One of the four is on the list.
//
// How it happens. Hashing what must not be kept is a good habit; here it hashes the
// envelope and not the letter. The OWASP JWT cheat sheet itself recommended a
// denylist of SHA-256 digests until 2026, when it was reported as open to
// malleability and changed to jti (OWASP/CheatSheetSeries#2235, #2242).
// golang-jwt decodes leniently unless it is given WithStrictDecoding
// (golang-jwt/jwt#259, where ES256 has sixteen spellings); the same was found in
// libjwt#284 and tink-java#82.
//
// What an attacker gets. Whoever has copied a token changes its last character and
// is in again, after every sign-out, until the token expires.
//
// The right code lists by jti, which stands inside the signed part and has one
// spelling: Deny in handlers/session/cookiejwt/denylist.go. Besides, it reads
// strictly, so that there is one spelling of the whole: segment in
// handlers/token/token.go. Either alone would do, and the first does not depend on
// a decoder.
type denylistByHash struct {
	*cookiejwt.Denylist
	cookies session.Cookies
}

// NewDenylistByHash makes a token session whose denylist can be spelled around.
func NewDenylistByHash(c Config) session.Backend { return lenient(c, byHash{c.Ledger}) }

// lenient makes a token session that reads leniently, with a list of any kind.
func lenient(c Config, list cookiejwt.Ledger) *denylistByHash {
	return &denylistByHash{cookiejwt.NewDenylist(tokens(c), list), c.Cookies}
}

// byHash is the list, with hashes in the place of numbers.
type byHash struct{ cookiejwt.Ledger }

// Denied looks for the hash of the token that is being read.
func (l byHash) Denied(ctx context.Context, _ string, user school.ID) (bool, time.Time, error) {
	return l.Ledger.Denied(ctx, hashOf(ctx), user)
}

// Deny puts the hash of the token that is being ended on the list.
func (l byHash) Deny(ctx context.Context, _ string, until time.Time) (bool, error) {
	return l.Ledger.Deny(ctx, hashOf(ctx), until)
}

// textKey is what the text of a token is kept under: in a context, and in the
// session that was read from it.
type textKey struct{}

func hashOf(ctx context.Context) string {
	text, _ := ctx.Value(textKey{}).(string)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// canonical writes a token as the site would have, whatever its signature's last
// bits say. This is what a lenient decoder sees.
func canonical(text string) string {
	end := strings.LastIndexByte(text, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(text[end:])
	if err != nil {
		return text
	}
	return text[:end] + base64.RawURLEncoding.EncodeToString(signature)
}

// Get returns the request's session, read and asked about once.
func (b *denylistByHash) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New reads the token leniently, and remembers how it was spelled.
func (b *denylistByHash) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(b, name)
	s.IsNew = true
	for _, text := range b.cookies.Values(r, b.CookieNames()[0]) {
		ctx := context.WithValue(r.Context(), textKey{}, text)
		read, err := b.Denylist.New(alone(ctx, r, name, canonical(text)), name)
		if s = own(b, read); err != nil {
			return s, err
		}
		if !s.IsNew {
			s.Values[textKey{}] = text
			break
		}
	}
	return s, nil
}

// Save asks about the session's token, or ends it, as it was spelled.
func (b *denylistByHash) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	ctx := context.WithValue(r.Context(), textKey{}, s.Values[textKey{}])
	err := b.Denylist.Save(r.WithContext(ctx), w, s)
	if err == nil && s.IsNew && !ends(s) {
		s.Values[textKey{}] = sent(w, b.cookies.Name(b.CookieNames()[0]))
	}
	return err
}

// sent is the value of a cookie that an answer sets.
func sent(w http.ResponseWriter, name string) (value string) {
	for _, line := range w.Header()["Set-Cookie"] {
		if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Name == name {
			value = cookie.Value
		}
	}
	return value
}
