package broken

import (
	"encoding/base64"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
)

// challengeInCookie asks a browser something and has the browser keep the question.
//
// What is wrong. A challenge is there so that an answer is worth something once. To
// know that it was answered, somebody has to remember; and this backend remembers
// nothing, because its sessions do not need it to. It seals the challenge into a
// cookie, checks the seal when the answer comes, and clears the cookie. That is
// once, for a browser that does as it is told.
//
// How it happens. The library for passkeys gives back the data of the ceremony and
// asks that it be kept until the answer is there; a session is at hand, and its
// store is a sealed cookie. The seal keeps the challenge from being forged, and
// expiry makes it short, and neither is what a challenge is for. It was so on the
// demonstration site of WebAuthn, with gorilla's CookieStore
// (duo-labs/webauthn.io#28); it was proposed as a feature, with a JWT in the
// cookie's place, in MasterKale/SimpleWebAuthn#77. go-webauthn keeps no state: it
// accepts one answer to one challenge as often as it is asked.
//
// What an attacker gets. Who has recorded one sign-in, in a log of requests or by
// a proxy, has the cookie and the answer, and sends both again: they are signed in,
// without the passkey, for as long as the seal lasts.
//
// The right code keeps the challenge on the server, whatever the kind of session,
// and gives the browser a random number to find it by. Taking it out and ending it
// are one step, DELETE … RETURNING, before the answer is looked at (Web
// Authentication, §13.4.3). What is asked of it is sessiontest.Challenger, in
// handlers/session/sessiontest/challenge.go.
type challengeInCookie struct {
	*cookiejwt.Backend
	cookies session.Cookies
	now     func() time.Time
	random  io.Reader
	seal    *securecookie.SecureCookie
}

// NewChallengeInCookie makes a token session whose challenges can be answered again.
func NewChallengeInCookie(c Config) session.Backend {
	// The seal has no clock of ours, so the expiry stands inside it.
	seal := securecookie.New(c.Secrets[0], nil).MaxAge(0).SetSerializer(securecookie.JSONEncoder{})
	return &challengeInCookie{tokens(c), c.Cookies, c.Now, c.Random, seal}
}

const (
	challengeCookie = "lectern-challenge"
	challengeBytes  = 32
	challengeLife   = 5 * time.Minute
)

// sealed is what stands in the cookie.
type sealed struct {
	Challenge string
	Until     time.Time
}

// Ask draws a challenge and has the browser keep it.
func (b *challengeInCookie) Ask(w http.ResponseWriter, _ *http.Request) (string, error) {
	var raw [challengeBytes]byte
	if _, err := io.ReadFull(b.random, raw[:]); err != nil {
		return "", err
	}
	now := b.now()
	asked := sealed{base64.RawURLEncoding.EncodeToString(raw[:]), now.Add(challengeLife)}
	value, err := b.seal.Encode(challengeCookie, asked)
	if err != nil {
		return "", err
	}
	return asked.Challenge, b.cookies.Set(w, challengeCookie, value, now, asked.Until)
}

// Take believes the browser, and tells it to forget.
func (b *challengeInCookie) Take(w http.ResponseWriter, r *http.Request) (string, error) {
	for _, value := range b.cookies.Values(r, challengeCookie) {
		var asked sealed
		if b.seal.Decode(challengeCookie, value, &asked) == nil && b.now().Before(asked.Until) {
			b.cookies.Clear(w, challengeCookie)
			return asked.Challenge, nil
		}
	}
	return "", nil
}
