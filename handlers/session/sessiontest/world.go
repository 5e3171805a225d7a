package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// world is where one check takes place: a backend, a site in front of it, and
// people.
type world struct {
	Instance
	site    Site
	twin    Site // the other server, where there is one
	rekeyed Site // the same with new keys, where there are any
	manager *session.Manager
	clock   *Clock
	cookies session.Cookies
	cookie  string   // the full name of the backend's first cookie
	names   []string // and of all of them
	patient bool     // whether the check waits for the backend's lag
	ctx     context.Context
	wrongs  []string
}

func newWorld(subject Subject) (*world, error) {
	w := &world{ctx: context.Background(), clock: NewClock(), cookies: subject.Cookies}
	people := NewSchool()
	instance, err := subject.Open(Terms{Cookies: subject.Cookies, Lifetimes: Lifetimes, Now: w.clock.Now, School: people})
	if err != nil {
		return nil, err
	}
	w.Instance = instance
	for _, name := range instance.Backend.CookieNames() {
		w.names = append(w.names, subject.Cookies.Name(name))
	}
	w.cookie = w.names[0]
	open := func(b session.Backend) (Site, error) {
		m, err := session.NewManager(w.ctx, session.Config{
			Backends:  []session.Backend{b},
			Default:   b.Name(),
			Cookies:   subject.Cookies,
			Lifetimes: Lifetimes,
			People:    people,
			Settings:  people,
			Now:       w.clock.Now,
		})
		return Site{Manager: m, School: people, Clock: w.clock}, err
	}
	if w.site, err = open(instance.Backend); err == nil && instance.Twin != nil {
		w.twin, err = open(instance.Twin)
	}
	if err == nil && instance.Rekeyed != nil {
		w.rekeyed, err = open(instance.Rekeyed)
	}
	w.manager = w.site.Manager
	if err != nil {
		w.close()
	}
	return w, err
}

func (w *world) close() {
	if w.Close != nil {
		w.Close()
	}
}

// browser opens a browser that has never been here.
func (w *world) browser() *Browser {
	return NewBrowser(w.site, w.cookies.Secure, w.clock.Now)
}

// elsewhere is a browser with the same cookies that is led to the other server.
func (w *world) elsewhere(b *Browser) *Browser { return ledTo(w.twin, b) }

// ledTo is a browser with the same cookies that is led to another site.
func ledTo(site Site, b *Browser) *Browser {
	other := b.Copy()
	other.site = site
	return other
}

// arrive opens a browser and signs a person in.
func (w *world) arrive(id school.ID) *Browser {
	b := w.browser()
	w.in(b.Do(w.site.SignIn(id, session.StartOptions{})), "signing in does not sign in")
	return b
}

// lag is how late the backend may notice an end, or a new role.
func (w *world) lag() time.Duration {
	if lagging, ok := w.Backend.(session.Lagging); ok {
		return lagging.Lag()
	}
	return 0
}

// settle lets the backend's lag go by, in a check that waits for it.
func (w *world) settle() {
	if w.patient {
		w.clock.Move(w.lag())
	}
}

// values are the browser's cookies of this backend, by name.
func (w *world) values(b *Browser) map[string]string {
	values := map[string]string{}
	for _, name := range w.names {
		values[name] = b.Cookie(name)
	}
	return values
}

// forever is a copy of a browser that throws none of its cookies away.
func (w *world) forever(b *Browser) *Browser {
	copied := w.browser()
	for name, value := range w.values(b) {
		copied.Plant(name, value)
	}
	return copied
}

// wrong notes what is wrong, in a sentence.
func (w *world) wrong(format string, args ...any) {
	w.wrongs = append(w.wrongs, fmt.Sprintf(format, args...))
}

// in holds where the answer is for somebody who is signed in.
func (w *world) in(a Answer, wrong string) bool {
	switch {
	case a.Err != nil:
		w.wrong("%s: %v", wrong, a.Err)
	case !a.SignedIn:
		w.wrong("%s (reason %q)", wrong, a.Trace.Reason)
	default:
		return true
	}
	return false
}

// out holds where the answer is for a stranger.
func (w *world) out(a Answer, wrong string) bool {
	switch {
	case a.Err != nil:
		w.wrong("a bad cookie is an error instead of a stranger: %v", a.Err)
	case a.SignedIn:
		w.wrong("%s", wrong)
	default:
		return true
	}
	return false
}

// done holds where the site did what was asked.
func (w *world) done(err error, what string) bool {
	if err != nil {
		w.wrong("%s fails: %v", what, err)
	}
	return err == nil
}

// away holds where the site says that the store is away, and leaves the
// visitor's cookies as they are.
func (w *world) away(a Answer, what string) {
	if !errors.Is(a.Err, session.ErrUnavailable) {
		w.wrong("%s while the store is away: the error is %v and not ErrUnavailable", what, a.Err)
	}
	if len(a.Cookies) > 0 {
		w.wrong("%s while the store is away touches the cookie %s", what, a.Cookies[0].Name)
	}
}

// count is the number of sessions, if the backend knows it.
func (w *world) count() (int, bool) {
	counter, ok := w.Backend.(session.Counter)
	if !ok {
		return 0, false
	}
	n, err := counter.Count(w.ctx)
	return n, w.done(err, "counting")
}

// counts holds where there are n sessions, or nobody can tell.
func (w *world) counts(n int, when string) {
	if got, ok := w.count(); ok && got != n {
		w.wrong("%s, the backend counts %d sessions, not %d", when, got, n)
	}
}
