// Package jar is a browser's cookie jar, as strict as the real ones.
//
// What a site can rely on is not what it sends but what browsers keep and give
// back, and they follow rules without a word (RFC 6265bis): a cookie longer than
// 4096 bytes is dropped, so is one that calls itself __Host- without right, or
// Secure on plain http; a form on another site's page does not take a
// SameSite=Lax cookie along; and a script cannot read what is HttpOnly.
// net/http/cookiejar knows few of these rules, so that a test with it passes
// where a person is signed out.
package jar

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxCookie is the most that a cookie may have, name and value together, in
// bytes (RFC 6265bis §5.7).
const maxCookie = 4096

// Origin says where a request of the browser comes from.
type Origin int

const (
	SameSite Origin = iota
	// CrossSiteLink is somebody following a link on another site's page: a GET
	// that changes what the browser shows.
	CrossSiteLink
	// CrossSite is every other request that another site's page makes.
	CrossSite
)

// Jar keeps the cookies of one site. It is not safe for concurrent use.
type Jar struct {
	https bool
	now   func() time.Time
	kept  []kept
}

// kept is one cookie in the jar.
type kept struct {
	name, value string
	until       time.Time // zero for one that goes when the browser is closed
	httpOnly    bool
	sameSite    http.SameSite
}

// New makes an empty jar, for a site by https or by plain http.
func New(https bool, now func() time.Time) *Jar { return &Jar{https: https, now: now} }

// Copy is another jar with the same cookies: what a thief would have.
func (j *Jar) Copy() *Jar {
	copied := *j
	copied.kept = slices.Clone(j.kept)
	return &copied
}

// Restart throws away what was to end with the browser.
func (j *Jar) Restart() {
	j.kept = slices.DeleteFunc(j.kept, func(c kept) bool { return c.until.IsZero() })
}

// Value is the value of a cookie, empty if there is none.
func (j *Jar) Value(name string) string {
	j.expire()
	for _, c := range j.kept {
		if c.name == name {
			return c.value
		}
	}
	return ""
}

// Plant puts a cookie in front of all others, even of one with the same name,
// as a neighbouring host can by a longer path.
func (j *Jar) Plant(name, value string) {
	j.kept = slices.Insert(j.kept, 0, kept{name: name, value: value})
}

// Replace gives a cookie another value, as somebody can who holds the jar. Without
// such a cookie it puts one in.
func (j *Jar) Replace(name, value string) {
	for i := range j.kept {
		if j.kept[i].name == name {
			j.kept[i].value = value
			return
		}
	}
	j.kept = append(j.kept, kept{name: name, value: value})
}

// Header is the Cookie header of a request; empty without cookies for it.
func (j *Jar) Header(from Origin) string {
	j.expire()
	var pairs []string
	for _, c := range j.kept {
		if c.goesFrom(from) {
			pairs = append(pairs, c.name+"="+c.value)
		}
	}
	return strings.Join(pairs, "; ")
}

func (c *kept) goesFrom(from Origin) bool {
	switch from {
	case CrossSite:
		return c.sameSite == http.SameSiteNoneMode
	case CrossSiteLink:
		return c.sameSite != http.SameSiteStrictMode
	}
	return true
}

// Readable is what a script on the site's page reads in document.cookie.
func (j *Jar) Readable() string {
	j.expire()
	var pairs []string
	for _, c := range j.kept {
		if !c.httpOnly {
			pairs = append(pairs, c.name+"="+c.value)
		}
	}
	return strings.Join(pairs, "; ")
}

// Names lists the cookies in the jar.
func (j *Jar) Names() []string {
	j.expire()
	names := make([]string, len(j.kept))
	for i, c := range j.kept {
		names[i] = c.name
	}
	return names
}

func (j *Jar) expire() {
	now := j.now()
	j.kept = slices.DeleteFunc(j.kept, func(c kept) bool { return !c.until.IsZero() && !now.Before(c.until) })
}

// Receive does what a Set-Cookie line asks, or ignores it without a word, as
// browsers do; it reports whether it did.
func (j *Jar) Receive(c *http.Cookie) bool {
	host := strings.HasPrefix(c.Name, "__Host-")
	switch {
	case len(c.Name)+len(c.Value) > maxCookie,
		c.Secure && !j.https,
		host && (!c.Secure || c.Path != "/" || c.Domain != ""):
		return false
	}
	j.kept = slices.DeleteFunc(j.kept, func(k kept) bool { return k.name == c.Name })
	next := kept{name: c.Name, value: c.Value, httpOnly: c.HttpOnly, sameSite: c.SameSite}
	switch {
	case c.MaxAge > 0:
		next.until = j.now().Add(time.Duration(c.MaxAge) * time.Second)
	case c.MaxAge < 0:
		return true
	}
	j.kept = append(j.kept, next)
	return true
}
