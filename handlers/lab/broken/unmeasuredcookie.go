package broken

import (
	"errors"
	"net/http"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/token"
)

// unmeasuredCookie sends its token however long it has become.
//
// What is wrong. A browser ignores a cookie whose name and value are longer together
// than 4096 bytes, and tells nobody (RFC 6265bis, sections 5.6 and 5.7). The site
// says that somebody is signed in, and with the next request they are a stranger.
//
// How it happens. Nobody counts. http.SetCookie takes a value of any length, a test
// with net/http/cookiejar keeps it, and the first person whose token is too long has
// been at the school for years.
//
// What is lost. Nothing is broken into; somebody is shut out of their account, with
// the right password, as often as they try. Whoever can add to what a token carries,
// by inviting a person to one more group, shuts out whom they like.
//
// The right code measures first and refuses loudly (OWASP ASVS 5.0, 3.3.5): Set in
// handlers/session/cookie.go.
type unmeasuredCookie struct {
	*cookiejwt.Backend
	config Config
}

// NewUnmeasuredCookie makes a token that is sent whether or not a browser keeps it.
func NewUnmeasuredCookie(c Config) session.Backend { return &unmeasuredCookie{tokens(c), c} }

// Save signs a token and sends it.
func (b *unmeasuredCookie) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	err := b.Backend.Save(r, w, s)
	rec, ok := session.RecordOf(s)
	if !errors.Is(err, session.ErrTooLarge) || !ok {
		return err
	}
	signed, err := b.config.Tokens.Sign(token.SessionUse, token.Claims{
		Common: token.Common{
			Subject: string(rec.UserID), ID: rec.Handle, Role: string(rec.Role),
			IssuedAt: rec.CreatedAt.Unix(), Expires: rec.ExpiresAt.Unix(), AuthTime: rec.AuthAt.Unix(),
		},
		Methods: rec.Methods,
	})
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: b.config.Cookies.Name(b.CookieNames()[0]), Value: signed,
		Path: "/", HttpOnly: true, Secure: b.config.Cookies.Secure, SameSite: http.SameSiteLaxMode,
	})
	s.ID = rec.Handle
	return nil
}
