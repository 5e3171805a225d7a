package sessiontest

import (
	"time"

	"lectern/handlers/session"
)

const tick = time.Millisecond

func idleTimeout(w *world) {
	near, late := w.arrive(Ada), w.arrive(Ada)
	w.clock.Move(Lifetimes.Idle - tick)
	w.in(near.Visit(), "a session is over one millisecond before its idle end")
	w.clock.Move(tick)
	a := late.Visit()
	if w.out(a, "a session goes on at its idle end") && a.Trace.Reason != session.Idle {
		w.wrong("a session without a visit is refused because of %q", a.Trace.Reason)
	}
	w.in(near.Visit(), "a visit does not put off the idle end")
}

func activityKeepsAlive(w *world) {
	ada := w.arrive(Ada)
	begin := w.clock.Now()
	for w.clock.Now().Sub(begin) < Lifetimes.Absolute-Lifetimes.Idle {
		w.clock.Move(Lifetimes.Idle - 2*time.Minute)
		if !w.in(ada.Fetch(), "somebody who comes by all the time is signed out") {
			return
		}
	}
	w.clock.Move(begin.Add(Lifetimes.Absolute - tick).Sub(w.clock.Now()))
	w.in(ada.Visit(), "a busy session is over one millisecond before its absolute end")
}

func absoluteEnd(w *world) {
	ada := w.arrive(Ada)
	for range Lifetimes.Absolute / (10 * time.Minute) {
		ada.Fetch()
		w.clock.Move(10 * time.Minute)
	}
	a := ada.Visit()
	if w.out(a, "a busy session goes on at its absolute end") && a.Trace.Reason != session.Expired {
		w.wrong("a session whose time is over is refused because of %q", a.Trace.Reason)
	}
	w.counts(0, "at the absolute end of the only session")
}

func rememberMe(w *world) {
	grace, ada := w.arrive(Grace), w.browser()
	a := ada.Do(w.site.SignIn(Ada, session.StartOptions{Remember: true}))
	w.in(a, "signing in with remember me does not sign in")
	left := w.clock.Now().Add(Lifetimes.Remember)
	grace.Restart()
	w.out(grace.Visit(), "a session that nobody asked to remember outlives the browser")
	ada.Restart()
	w.in(ada.Visit(), "a remembered session does not outlive the browser")
	w.clock.Move(20 * 24 * time.Hour)
	back := ada.Visit()
	w.in(back, "a remembered session is over after 20 days away")
	if !back.Record.Remember {
		w.wrong("the backend forgets that it was asked to remember")
	}
	w.clock.Move(left.Sub(w.clock.Now()) - time.Second)
	w.in(ada.Visit(), "a remembered session is over one second before its end")
	thief := w.forever(ada)
	w.clock.Move(time.Second)
	w.out(thief.Visit(), "a remembered session goes on at its end")
}

func clockMovedBack(w *world) {
	ada := w.arrive(Ada)
	w.clock.Move(-3 * time.Second)
	w.in(ada.Visit(), "somebody is signed out when the clock is set back three seconds")
	w.in(w.arrive(Grace).Visit(), "nobody can sign in after the clock was set back")
	w.clock.Move(3 * time.Second)
	w.in(ada.Visit(), "somebody is signed out when the clock goes on again")
	thief := ada.Copy()
	w.clock.Move(-48 * time.Hour)
	if a := thief.Fetch(); a.Err != nil {
		w.wrong("a clock that is two days late is an error: %v", a.Err)
	}
	w.clock.Move(48 * time.Hour)
	w.in(ada.Visit(), "somebody is signed out when the clock is right again")
}
