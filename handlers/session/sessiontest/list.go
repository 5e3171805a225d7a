package sessiontest

import (
	"errors"
	"net/http"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// listOf asks, in a person's own browser, what sessions they have.
func (w *world) listOf(b *Browser) []session.Listed {
	var all []session.Listed
	var unreached []string
	a := b.Do(func(_ http.ResponseWriter, r *http.Request) error {
		all, unreached = w.manager.List(r.Context(), session.VisitFrom(r.Context()).UserID())
		return nil
	})
	if w.done(a.Err, "listing a person's sessions"); len(unreached) > 0 {
		w.wrong("the list of a person's sessions cannot be read")
	}
	return all
}

// list holds where a person sees all of their sessions and nobody else's.
func list(w *world) {
	const device, address = "Netscape Navigator", "198.51.100.7"
	here := w.arrive(Ada)
	w.arrive(Grace)
	w.clock.Move(time.Minute)
	phone := w.browser()
	phone.Do(w.site.SignIn(Ada, session.StartOptions{Device: device, Address: address}))
	all := w.listOf(here)
	if len(all) != 2 {
		w.wrong("somebody who signed in twice has a list of %d sessions", len(all))
		return
	}
	for i, s := range all {
		if s.UserID != Ada || s.Backend != w.Backend.Name() || s.Handle == "" {
			w.wrong("the list has a session of %s, in %s, called %q", s.UserID, s.Backend, s.Handle)
		}
		if s.Own != (i == 1) {
			w.wrong("session %d of the list is said to be one's own: %v; the latest should come first", i, s.Own)
		}
	}
	if latest := all[0]; latest.Device != device || latest.Address != address || !latest.CreatedAt.After(all[1].CreatedAt) {
		w.wrong("the list says of the latest session that it was started with %q from %q at %v", latest.Device, latest.Address, latest.CreatedAt)
	}
	phone.Do(w.manager.End)
	if left := w.listOf(here); len(left) != 1 || !left[0].Own {
		w.wrong("after the other one was signed out, the list has %d sessions", len(left))
	}
	w.clock.Move(Lifetimes.Absolute)
	again := w.arrive(Ada)
	if left := w.listOf(again); len(left) != 1 {
		w.wrong("the list has %d sessions, and all but one are over", len(left))
	}
}

// endOne ends a session by its name, from another browser of the same person.
func endOne(w *world) {
	here, phone, grace := w.arrive(Ada), w.arrive(Ada), w.arrive(Grace)
	thief := phone.Copy()
	end := func(b *Browser, handle string) error {
		return b.Do(func(_ http.ResponseWriter, r *http.Request) error {
			_, err := w.manager.EndOne(r, handle)
			return err
		}).Err
	}
	name := phone.Visit().Record.Handle
	for what, err := range map[string]error{
		"somebody else's session":      end(here, grace.Visit().Record.Handle),
		"one's own, as another person": end(grace, name),
		"a session that there is not":  end(here, "no such session"),
		"a session without a name":     end(here, ""),
	} {
		if !errors.Is(err, school.ErrNotFound) {
			w.wrong("ending %s gives %v and not ErrNotFound", what, err)
		}
	}
	if err := end(w.browser(), name); !errors.Is(err, session.ErrNoSession) {
		w.wrong("a stranger who ends a session is told %v and not ErrNoSession", err)
	}
	w.in(phone.Visit(), "a session has ended that should not have")
	w.done(end(here, name), "ending one session by its name")
	w.settle()
	w.out(phone.Visit(), "a session goes on that was ended by its name")
	w.out(thief.Visit(), "a copy of a session goes on that was ended by its name")
	w.in(here.Visit(), "ending another session ends this one")
	w.in(grace.Visit(), "ending one's own session ends somebody else's")
	if err := end(here, name); !errors.Is(err, school.ErrNotFound) {
		w.wrong("ending it twice gives %v and not ErrNotFound", err)
	}
}

// lostUpdate plays the request that was under way while something about its
// session was changed: it must not write the old state back.
func lostUpdate(w *world) {
	ada := w.arrive(Ada)
	slow := ada.Copy()
	w.clock.Move(5 * time.Minute)
	slow.Do(w.save(func() {
		_, err := w.manager.ChangeRole(w.ctx, Ada, school.Student, school.Instructor)
		w.done(err, "changing a role")
	}))
	w.settle()
	if a := ada.Visit(); a.SignedIn && a.Record.Role != school.Instructor {
		w.wrong("a slow request has written back the role that somebody had before: %s", a.Record.Role)
	}
}
