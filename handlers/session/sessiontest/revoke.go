package sessiontest

import (
	"errors"
	"net/http"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

func endOthers(w *world) {
	here, phone, grace := w.arrive(Ada), w.arrive(Ada), w.arrive(Grace)
	var ended session.Ended
	a := here.Do(func(rw http.ResponseWriter, r *http.Request) (err error) {
		ended, err = w.manager.EndOthers(rw, r)
		return err
	})
	w.done(a.Err, "ending the others")
	w.ended(ended, 1)
	w.settle()
	w.out(phone.Visit(), "another session of the same person goes on")
	w.in(here.Visit(), "ending the others ends this one")
	w.in(grace.Visit(), "ending one's own other sessions ends somebody else's")
	a = w.browser().Do(func(rw http.ResponseWriter, r *http.Request) error {
		_, err := w.manager.EndOthers(rw, r)
		return err
	})
	if !errors.Is(a.Err, session.ErrNoSession) {
		w.wrong("a stranger ends other sessions: the error is %v and not ErrNoSession", a.Err)
	}
}

func endUser(w *world) {
	one, two, grace := w.arrive(Ada), w.arrive(Ada), w.arrive(Grace)
	ended, err := w.manager.EndUser(w.ctx, Ada)
	w.done(err, "ending a person's sessions")
	w.ended(ended, 2)
	w.settle()
	w.out(one.Visit(), "a person's session goes on after an admin ended it")
	w.out(two.Visit(), "a person's second session goes on after an admin ended it")
	w.in(grace.Visit(), "ending one person's sessions ends another's")
}

// ended holds where the report of an end is true.
func (w *world) ended(e session.Ended, n int) {
	_, revokes := w.Backend.(session.Revoker)
	if _, heeds := w.Backend.(session.Heeder); heeds && !revokes {
		n = 0 // they end, but nobody knows how many there were
	} else if !revokes {
		if e.Sessions != 0 || !e.Until.After(w.clock.Now()) {
			w.wrong("nothing can be ended here, but the report says %d and %v", e.Sessions, e.Until)
		}
		return
	}
	var until time.Time
	if w.lag() > 0 {
		until = w.clock.Now().Add(w.lag())
	}
	if e.Sessions != n || !e.Until.Equal(until) {
		w.wrong("the report says that %d sessions were ended and go on until %v; it should be %d, and %v", e.Sessions, e.Until, n, until)
	}
}

func endAll(w *world) {
	ada, grace, alan := w.arrive(Ada), w.arrive(Grace), w.arrive(Alan)
	a := alan.Do(func(rw http.ResponseWriter, r *http.Request) error {
		_, err := w.manager.SwitchSite(rw, r, w.Backend.Name(), session.EndThem)
		return err
	})
	w.done(a.Err, "ending everybody's sessions")
	w.out(ada.Visit(), "a student's session goes on after all were ended")
	w.out(grace.Visit(), "an instructor's session goes on after all were ended")
	w.in(alan.Visit(), "the admin who ended all sessions is signed out")
	w.in(w.arrive(Ada).Visit(), "nobody can sign in right after all sessions were ended")
}

func roleChange(w *world) {
	ada, grace := w.arrive(Ada), w.arrive(Grace)
	_, err := w.manager.ChangeRole(w.ctx, Ada, school.Student, school.Instructor)
	w.done(err, "changing a role")
	w.settle()
	if a := ada.Visit(); w.in(a, "a role change signs out") && a.Record.Role != school.Instructor {
		w.wrong("after a change of role the session still says %s", a.Record.Role)
	}
	_, err = w.manager.ChangeRole(w.ctx, Grace, school.Instructor, school.Student)
	w.done(err, "changing a role")
	w.settle()
	if a := grace.Visit(); a.Record.Role == school.Instructor {
		w.wrong("somebody who was demoted is still an instructor")
	}
}
