package sessiontest

import (
	"context"
	"sync"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

func storeAway(w *world) {
	if w.Away == nil {
		return
	}
	ada := w.arrive(Ada)
	w.Away(true)
	if w.lag() > 0 {
		w.in(ada.Visit(), "a session that asks nobody yet is over while the store is away")
		w.away(ada.Do(w.manager.End), "signing out before anybody has to be asked")
		w.clock.Move(w.lag())
	}
	w.away(ada.Visit(), "loading a page")
	w.away(ada.Fetch(), "loading in the background")
	w.away(ada.Do(w.manager.End), "signing out")
	w.away(w.browser().Do(w.site.SignIn(Grace, session.StartOptions{})), "signing in")
	w.out(w.browser().Visit(), "a stranger is signed in while the store is away")
	if ended, err := w.manager.EndUser(w.ctx, Ada); err == nil && len(ended.Unreached) == 0 {
		w.wrong("ending a person's sessions seems to work while the store is away")
	}
	w.Away(false)
	w.in(ada.Visit(), "somebody is signed out when the store is back")
}

func storeGoesAway(w *world) {
	if w.Away == nil {
		return
	}
	ada := w.arrive(Ada)
	gone := func() { w.Away(true) }
	for what, act := range map[string]Act{
		"signing out":              after(gone, w.manager.End),
		"renewing":                 after(gone, w.manager.Renew),
		"signing in":               after(gone, w.site.SignIn(Ada, session.StartOptions{})),
		"saving":                   w.save(gone),
		"ending by Options.MaxAge": w.discard(gone),
	} {
		w.away(ada.Do(act), what)
		w.Away(false)
		w.in(ada.Visit(), what+" while the store is away ends the session")
	}
	w.clock.Move(5 * time.Minute)
	w.Away(true)
	w.away(ada.Visit(), "noting a visit")
	w.Away(false)
	w.in(ada.Visit(), "somebody is signed out when the store is back")
}

func anotherServer(w *world) {
	if w.Twin == nil {
		return
	}
	ada := w.arrive(Ada)
	a := w.elsewhere(ada).Visit()
	if w.in(a, "another server does not know the session") && a.Record.UserID != Ada {
		w.wrong("another server takes the visitor for %s", a.Record.UserID)
	}
}

func endOnAnotherServer(w *world) {
	if w.Twin == nil {
		return
	}
	ada := w.arrive(Ada)
	thief := ada.Copy()
	w.in(thief.Visit(), "a copy of the cookie does not work")
	w.elsewhere(ada).Do(w.twin.Manager.End)
	w.settle()
	w.out(thief.Visit(), "a session goes on here that was ended on another server")
}

// changeOfKeys puts a new key in front of the old one, as is done every few weeks
// on a quiet day. Nobody should notice.
func changeOfKeys(w *world) {
	if w.Rekeyed == nil {
		return
	}
	ada := ledTo(w.rekeyed, w.arrive(Ada))
	w.in(ada.Visit(), "a planned change of keys signs somebody out")
	w.clock.Move(w.lag())
	w.in(ada.Visit(), "somebody is signed out a while after a planned change of keys")
	grace := ledTo(w.rekeyed, w.browser())
	w.in(grace.Do(w.rekeyed.SignIn(Grace, session.StartOptions{})), "nobody can sign in after a planned change of keys")
	w.in(grace.Visit(), "nobody is signed in on the request after signing in with a new key")
}

// manyAtOnce has many people come and go at the same time. Run it under the
// race detector.
func manyAtOnce(w *world) {
	const browsers, visits = 8, 12
	people := []school.ID{Ada, Grace, Alan}
	answers := make(chan Answer, browsers*visits)
	var wg sync.WaitGroup
	for i := range browsers {
		wg.Go(func() {
			who := people[i%len(people)]
			b := w.browser()
			b.Do(w.site.SignIn(who, session.StartOptions{}))
			for n := range visits {
				var a Answer
				switch n % 4 {
				case 1:
					a = b.Do(w.manager.Renew)
				case 2:
					a = b.Do(w.save(nothing))
				default:
					a = b.Visit()
				}
				if a.SignedIn && a.Record.UserID != who {
					a.SignedIn = false
				}
				answers <- a
			}
		})
	}
	wg.Wait()
	close(answers)
	for a := range answers {
		if !w.in(a, "somebody is signed out, or taken for another, when many come at once") {
			return
		}
	}
	w.counts(browsers, "after many came at once")
}

// sweeper is a backend with records to sweep away.
type sweeper interface {
	Sweep(ctx context.Context) (int, error)
}

func sweep(w *world) {
	s, ok := w.Backend.(sweeper)
	if !ok {
		return
	}
	w.arrive(Ada)
	w.arrive(Ada)
	grace := w.browser()
	grace.Do(w.site.SignIn(Grace, session.StartOptions{Remember: true}))
	w.clock.Move(Lifetimes.Idle - tick)
	alan := w.arrive(Alan)
	n, err := s.Sweep(w.ctx)
	if w.done(err, "sweeping"); n != 0 {
		w.wrong("sweeping removes %d sessions one millisecond before their end", n)
	}
	w.clock.Move(tick)
	n, err = s.Sweep(w.ctx)
	if w.done(err, "sweeping"); n != 2 {
		w.wrong("sweeping removes %d sessions, not the 2 that are over", n)
	}
	w.in(grace.Visit(), "sweeping ends a remembered session")
	w.in(alan.Visit(), "sweeping ends a session that is not over")
	w.counts(2, "after sweeping")
}
