package sessiontest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"lectern/handlers/session"
)

// Browser visits a site and keeps its cookies, as strictly as RFC 6265bis asks
// of the real ones. net/http/cookiejar is more lenient: it keeps cookies of any
// length and knows nothing of "__Host-", so a test with it passes where a
// person is signed out.
type Browser struct {
	site  http.Handler
	https bool
	now   func() time.Time
	jar   []kept
}

// kept is one cookie in the jar.
type kept struct {
	name, value string
	until       time.Time // zero for one that goes when the browser is closed
}

// NewBrowser opens a browser with an empty jar, by https or by plain http.
func NewBrowser(site http.Handler, https bool, now func() time.Time) *Browser {
	return &Browser{site: site, https: https, now: now}
}

// Answer is what a request came back with.
type Answer struct {
	Status   int
	SignedIn bool
	Record   session.Record
	Trace    session.Trace
	Err      error          // what the site could not do
	Cookies  []*http.Cookie // each Set-Cookie line, before the browser's own judgement
}

// Visit loads a page.
func (b *Browser) Visit() Answer { return b.send(http.MethodGet, "navigate", nil) }

// Fetch loads something in the background of a page.
func (b *Browser) Fetch() Answer { return b.send(http.MethodGet, "cors", nil) }

// Do sends a form.
func (b *Browser) Do(act Act) Answer { return b.send(http.MethodPost, "navigate", act) }

// Copy is another browser with the same cookies: what a thief would have.
func (b *Browser) Copy() *Browser {
	thief := *b
	thief.jar = slices.Clone(b.jar)
	return &thief
}

// Restart closes the browser and opens it again: cookies that were to end with
// the browser are gone.
func (b *Browser) Restart() {
	b.jar = slices.DeleteFunc(b.jar, func(c kept) bool { return c.until.IsZero() })
}

// Cookie is the value of a cookie in the jar, empty if there is none.
func (b *Browser) Cookie(name string) string {
	for _, c := range b.jar {
		if c.name == name {
			return c.value
		}
	}
	return ""
}

// Plant puts a cookie in front of all others, even of one with the same name,
// as a neighbouring host can by a longer path.
func (b *Browser) Plant(name, value string) {
	b.jar = slices.Insert(b.jar, 0, kept{name: name, value: value})
}

func (b *Browser) send(method, mode string, act Act) Answer {
	var answer Answer
	ctx := context.WithValue(context.Background(), errandKey{}, errand{act, &answer})
	r := httptest.NewRequestWithContext(ctx, method, "/", nil)
	r.Header.Set("Sec-Fetch-Mode", mode)
	if header := b.header(); header != "" {
		r.Header.Set("Cookie", header)
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	answer.Status, answer.Cookies = w.Code, w.Result().Cookies()
	for _, c := range answer.Cookies {
		b.receive(c)
	}
	return answer
}

func (b *Browser) header() string {
	now := b.now()
	b.jar = slices.DeleteFunc(b.jar, func(c kept) bool { return !c.until.IsZero() && !now.Before(c.until) })
	pairs := make([]string, len(b.jar))
	for i, c := range b.jar {
		pairs[i] = c.name + "=" + c.value
	}
	return strings.Join(pairs, "; ")
}

// receive keeps a cookie, or ignores it without a word (RFC 6265bis §5.7).
func (b *Browser) receive(c *http.Cookie) {
	host := strings.HasPrefix(c.Name, "__Host-")
	switch {
	case len(c.Name)+len(c.Value) > session.MaxCookie,
		c.Secure && !b.https,
		host && (!c.Secure || c.Path != "/" || c.Domain != ""):
		return
	}
	b.jar = slices.DeleteFunc(b.jar, func(k kept) bool { return k.name == c.Name })
	switch {
	case c.MaxAge > 0:
		b.jar = append(b.jar, kept{c.Name, c.Value, b.now().Add(time.Duration(c.MaxAge) * time.Second)})
	case c.MaxAge == 0:
		b.jar = append(b.jar, kept{name: c.Name, value: c.Value})
	}
}
