package session

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxCookie is the most that a cookie may have, name and value together, in
// bytes: a longer one browsers ignore silently (RFC 6265bis §5.7).
const MaxCookie = 4096

// maxCandidates bounds how many cookies of one name are looked at.
const maxCandidates = 4

// Cookies is the site's one policy for cookies: always HttpOnly (no script
// reads them), SameSite=Lax (no foreign form sends them), Path=/, no Domain.
// Over https they are also Secure and their names begin with "__Host-", which
// makes the browser refuse the same name from a neighbouring host (RFC 6265bis
// §4.1.3.2, ASVS 3.3.1 to 3.3.4).
type Cookies struct {
	Secure bool
}

// Name is the full name of a cookie.
func (c Cookies) Name(base string) string {
	if c.Secure {
		return "__Host-" + base
	}
	return base
}

// Values returns the values of every cookie with this name. There should be
// one. A neighbouring host can plant another in front of it where the name has
// no "__Host-" prefix; a backend tries each, so that junk in front signs
// nobody out.
func (c Cookies) Values(r *http.Request, base string) []string {
	found := r.CookiesNamed(c.Name(base))
	if len(found) == 0 {
		return nil
	}
	values := make([]string, 0, 1)
	for _, cookie := range found[:min(len(found), maxCandidates)] {
		if cookie.Value != "" {
			values = append(values, cookie.Value)
		}
	}
	return values
}

// ChoiceCookie is the full name of the cookie with a visitor's choice of backend.
func (m *Manager) ChoiceCookie() string { return m.cookies.Name(choiceCookie) }

// CookieNamesOf are the full names of the cookies of a backend; none for one that
// there is not.
func (m *Manager) CookieNamesOf(backend string) []string {
	var names []string
	if b := m.backend(backend); b != nil {
		for _, base := range b.CookieNames() {
			names = append(names, m.cookies.Name(base))
		}
	}
	return names
}

// CookieNames are the full names of the cookies that carry sessions here.
func (m *Manager) CookieNames() []string {
	var names []string
	for _, b := range m.backends() {
		for _, base := range b.CookieNames() {
			if name := m.cookies.Name(base); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Fits returns ErrTooLarge for a cookie that a browser would drop. A backend
// that writes something down before it sends the cookie asks beforehand.
func (c Cookies) Fits(base, value string) error {
	if len(c.Name(base))+len(value) > MaxCookie {
		return ErrTooLarge
	}
	return nil
}

// Set sends a cookie. A zero until makes it end with the browser's session.
// It returns ErrTooLarge instead of sending what a browser would drop.
func (c Cookies) Set(w http.ResponseWriter, base, value string, now, until time.Time) error {
	if err := c.Fits(base, value); err != nil {
		return err
	}
	cookie := c.cookie(c.Name(base), value)
	if !until.IsZero() {
		cookie.MaxAge = max(1, int(until.Sub(now)/time.Second))
	}
	replace(w, cookie)
	return nil
}

// Clear tells the browser to forget a cookie.
func (c Cookies) Clear(w http.ResponseWriter, base string) {
	cookie := c.cookie(c.Name(base), "")
	cookie.MaxAge = -1
	replace(w, cookie)
}

// sets reports whether the answer has a line for a cookie so far.
func (c Cookies) sets(w http.ResponseWriter, base string) bool {
	return slices.ContainsFunc(w.Header()["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, c.Name(base)+"=") })
}

func (c Cookies) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: c.Secure, SameSite: http.SameSiteLaxMode}
}

// replace sends the cookie in place of an earlier one of the same name in this
// response, because a server must not send a name twice (RFC 6265bis §4.1.1).
func replace(w http.ResponseWriter, cookie *http.Cookie) {
	earlier := w.Header()["Set-Cookie"]
	kept := earlier[:0]
	for _, line := range earlier {
		if len(line) <= len(cookie.Name) || line[:len(cookie.Name)+1] != cookie.Name+"=" {
			kept = append(kept, line)
		}
	}
	if len(earlier) > 0 {
		w.Header()["Set-Cookie"] = kept
	}
	http.SetCookie(w, cookie)
}
