package broken

import (
	"net/http"
	"strings"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
)

// readableCookie leaves one word out of the cookie's line: HttpOnly.
//
// What is wrong. A browser shows a cookie without that word to every script on the
// page, whoever wrote it.
//
// How it happens. The word is off unless somebody writes it: in http.Cookie of Go's
// own library, and in the Options of gorilla/sessions. And it is taken out on
// purpose where a script is to read who is signed in, or to copy the token into an
// Authorization header.
//
// What an attacker gets. One script on one page, through a comment or a library, and
// it sends home what it finds in document.cookie. From then on neither the page nor
// the victim's browser is needed any more.
//
// The right code has one policy for all cookies of the site, and the word stands in it
// (OWASP ASVS 5.0, 3.3.4): cookie in handlers/session/cookie.go. What a script is to
// know of the person, it asks the site.
type readableCookie struct{ *cookiejwt.Backend }

// NewReadableCookie makes a token whose cookie scripts can read.
func NewReadableCookie(c Config) session.Backend { return &readableCookie{tokens(c)} }

// Save signs a token and sends it in a cookie that lacks a word.
func (b *readableCookie) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if err := b.Backend.Save(r, w, s); err != nil {
		return err
	}
	lines := w.Header()["Set-Cookie"]
	for i, line := range lines {
		lines[i] = strings.Replace(line, "; HttpOnly", "", 1)
	}
	return nil
}
