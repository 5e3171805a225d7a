package sessiontest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/jar"
)

// Browser visits a site and keeps its cookies as strictly as the real ones do
// (package jar).
type Browser struct {
	*jar.Jar
	site http.Handler
}

// NewBrowser opens a browser with an empty jar, by https or by plain http.
func NewBrowser(site http.Handler, https bool, now func() time.Time) *Browser {
	return &Browser{jar.New(https, now), site}
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
func (b *Browser) Copy() *Browser { return &Browser{b.Jar.Copy(), b.site} }

// Cookie is the value of a cookie in the jar, empty if there is none.
func (b *Browser) Cookie(name string) string { return b.Value(name) }

func (b *Browser) send(method, mode string, act Act) Answer {
	var answer Answer
	ctx := context.WithValue(context.Background(), errandKey{}, errand{act, &answer})
	r := httptest.NewRequestWithContext(ctx, method, "/", nil)
	r.Header.Set("Sec-Fetch-Mode", mode)
	if header := b.Header(jar.SameSite); header != "" {
		r.Header.Set("Cookie", header)
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	answer.Status, answer.Cookies = w.Code, w.Result().Cookies()
	for _, c := range answer.Cookies {
		b.Receive(c)
	}
	return answer
}
