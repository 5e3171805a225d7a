package sessiontest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
)

func start(w *world) {
	ada := w.browser()
	first := ada.Do(w.site.SignIn(Ada, session.StartOptions{}))
	w.in(first, "signing in does not sign in")
	if len(first.Cookies) != len(w.names) || slices.ContainsFunc(first.Cookies, func(c *http.Cookie) bool { return !slices.Contains(w.names, c.Name) }) {
		w.wrong("signing in sends %v and not the cookies %v", first.Cookies, w.names)
	}
	w.clock.Move(10 * time.Second)
	next := ada.Visit()
	if !w.in(next, "nobody is signed in on the request after signing in") {
		return
	}
	rec := next.Record
	if rec.UserID != Ada || rec.Role != school.Student || !slices.Equal(rec.Methods, []string{"pwd"}) {
		w.wrong("it is somebody else: %s, %s, by %v", rec.UserID, rec.Role, rec.Methods)
	}
	for name, at := range map[string]time.Time{"sign-in": rec.AuthAt, "start": rec.CreatedAt} {
		if d := w.clock.Now().Add(-10 * time.Second).Sub(at); d < 0 || d >= time.Second {
			w.wrong("the time of the %s is remembered as %v", name, at)
		}
	}
	if rec.Handle == "" || rec.Handle != first.Record.Handle {
		w.wrong("the session is called %q at the start and %q later", first.Record.Handle, rec.Handle)
	}
	sent := 0
	for _, c := range next.Trace.Cookies() {
		sent += c.Bytes
	}
	for name, value := range w.values(ada) {
		sent -= len(name) + len(value)
	}
	if sent != 0 || len(next.Trace.Cookies()) != len(w.names) {
		w.wrong("the trace speaks of the cookies %v, which is %d bytes too many", next.Trace.Cookies(), sent)
	}
	if next.Trace.Backend != w.Backend.Name() || next.Trace.Cookie != w.cookie || next.Trace.Bytes != len(w.cookie)+len(ada.Cookie(w.cookie)) {
		w.wrong("the trace speaks of backend %q, cookie %q, %d bytes", next.Trace.Backend, next.Trace.Cookie, next.Trace.Bytes)
	}
	if len(next.Trace.Steps()) < 2 {
		w.wrong("the trace has only %d steps", len(next.Trace.Steps()))
	}
}

func load(w *world) {
	ada, grace := w.arrive(Ada), w.arrive(Grace)
	one, two, other := ada.Visit(), ada.Fetch(), grace.Visit()
	w.in(one, "a signed-in visitor is a stranger")
	w.in(two, "a signed-in visitor is a stranger on the second request")
	if one.Record.Handle != two.Record.Handle || one.Record.Handle == other.Record.Handle {
		w.wrong("a session does not keep a name of its own from request to request")
	}
	if one.Record.UserID != Ada || other.Record.UserID != Grace {
		w.wrong("two visitors are mixed up")
	}
	if len(one.Cookies)+len(two.Cookies) > 0 {
		w.wrong("loading a page sends a cookie")
	}
	if one.Trace.Writes > 0 {
		w.wrong("a request right after signing in writes to the store")
	}
}

func loadWithoutCookie(w *world) {
	a := w.browser().Visit()
	w.out(a, "somebody without a cookie is signed in")
	if a.Trace.Reason != "" {
		w.wrong("somebody without a cookie is refused because of %q", a.Trace.Reason)
	}
	if len(a.Cookies) > 0 || a.Trace.Reads+a.Trace.Writes > 0 || a.Trace.Backend != session.None {
		w.wrong("somebody without a cookie costs %d cookies, %d reads and %d writes", len(a.Cookies), a.Trace.Reads, a.Trace.Writes)
	}
}

func anonymousCreatesNothing(w *world) {
	stranger := w.browser()
	for range 3 {
		stranger.Visit()
		stranger.Do(w.save(nothing))
	}
	if len(stranger.Names()) > 0 {
		w.wrong("a stranger is given the cookie %s", stranger.Names()[0])
	}
	for _, name := range w.names {
		for _, planted := range wellFormed {
			stranger.Plant(name, planted)
			stranger.Visit()
		}
	}
	w.counts(0, "after strangers came by")
}

func save(w *world) {
	ada := w.arrive(Ada)
	w.clock.Move(5 * time.Minute)
	if _, ok := w.Backend.(session.Refresher); ok {
		w.in(ada.Visit(), "a session that has to be exchanged is over")
	}
	before := w.values(ada)
	a := ada.Do(w.save(nothing))
	w.in(a, "saving signs out")
	if !maps.Equal(w.values(ada), before) {
		w.wrong("saving changes the cookie")
	}
	w.in(ada.Visit(), "nobody is signed in after saving")
	w.counts(1, "after saving")
}

// save is what gorilla's users do: Get, something slow, Save.
func (w *world) save(meanwhile func()) Act {
	return w.getAndSave(func(*sessions.Session) { meanwhile() })
}

// discard is how gorilla's users end a session.
func (w *world) discard(meanwhile func()) Act {
	return w.getAndSave(func(s *sessions.Session) {
		meanwhile()
		s.Options = &sessions.Options{MaxAge: -1}
	})
}

func (w *world) getAndSave(between func(*sessions.Session)) Act {
	return func(rw http.ResponseWriter, r *http.Request) error {
		s, err := w.Backend.Get(r, w.cookie)
		if err != nil {
			return err
		}
		between(s)
		return w.Backend.Save(r, rw, s)
	}
}

func nothing() {}

func renewGivesNewID(w *world) {
	ada := w.arrive(Ada)
	before, cookies := ada.Visit(), w.values(ada)
	w.clock.Move(time.Minute)
	w.site.School.Change(Ada, func(u *school.User) { u.Role = school.Instructor })
	w.in(ada.Do(w.manager.Renew), "renewing signs out")
	after := ada.Visit()
	w.in(after, "nobody is signed in after renewing")
	for name, value := range w.values(ada) {
		if value == cookies[name] || after.Record.Handle == before.Record.Handle {
			w.wrong("renewing keeps the id")
		}
	}
	if after.Record.UserID != Ada || !after.Record.AuthAt.Equal(before.Record.AuthAt) {
		w.wrong("renewing changes who signed in, or when")
	}
	if after.Record.Role != school.Instructor {
		w.wrong("renewing keeps the role of before: %s", after.Record.Role)
	}
	if a := w.browser().Do(w.manager.Renew); !errors.Is(a.Err, session.ErrNoSession) || len(a.Cookies) > 0 {
		w.wrong("a stranger's session is renewed: the error is %v and not ErrNoSession", a.Err)
	}
}

func oldIDDeadAfterRenew(w *world) {
	ada := w.arrive(Ada)
	thief := ada.Copy()
	ada.Do(w.manager.Renew)
	w.settle()
	w.out(thief.Visit(), "the old id still works after renewing")
	w.in(ada.Visit(), "the new id does not work after renewing")
	w.counts(1, "after renewing")
}

func end(w *world) {
	ada, grace, alan := w.arrive(Ada), w.arrive(Grace), w.arrive(Alan)
	w.out(ada.Do(w.manager.End), "signing out leaves the visitor signed in")
	w.leftNone(ada, "signing out")
	w.out(ada.Visit(), "somebody is signed in after signing out")
	w.out(ada.Do(w.manager.End), "signing out twice signs in")
	w.done(alan.Do(w.discard(nothing)).Err, "ending by Options.MaxAge")
	w.leftNone(alan, "ending by Options.MaxAge")
	w.in(grace.Visit(), "one person's signing out signs another out")
}

// leftNone holds where none of the session's cookies is in the browser.
func (w *world) leftNone(b *Browser, after string) {
	for _, name := range w.names {
		if b.Cookie(name) != "" {
			w.wrong("%s leaves the cookie %s in the browser", after, name)
		}
	}
}

func copyDeadAfterEnd(w *world) {
	ada := w.arrive(Ada)
	thief := ada.Copy()
	ada.Do(w.manager.End)
	w.settle()
	w.out(thief.Visit(), "a copy of the cookie still works after signing out")
	w.counts(0, "after signing out")
}

func startEndsPrevious(w *world) {
	ada := w.arrive(Ada)
	before := ada.Copy()
	w.in(ada.Do(w.site.SignIn(Grace, session.StartOptions{})), "signing in over a session fails")
	if a := ada.Visit(); a.Record.UserID != Grace {
		w.wrong("after signing in as another, one is still %s", a.Record.UserID)
	}
	w.settle()
	w.out(before.Visit(), "the session of before still works after signing in anew")
	w.counts(1, "after signing in twice in one browser")
}
