package sessiontest

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// Challenger asks a browser something that it may answer once, a short while
// later: the challenge that a passkey signs, say. The answer is worth a sign-in,
// and whoever has seen it go by can send it again. That it is worth something once
// only is up to the site, because a signature stays right for ever.
//
// It has nothing to do with the kind of session: a visitor who is asked has none
// yet. A site that keeps its sessions in tokens has to remember this all the same.
type Challenger interface {
	// Ask draws a challenge for the browser of this request.
	Ask(w http.ResponseWriter, r *http.Request) (challenge string, err error)
	// Take returns the challenge that this browser was asked and has not answered
	// yet, which counts as answered from then on; it is empty where there is none.
	Take(w http.ResponseWriter, r *http.Request) (challenge string, err error)
}

// challengeOnce plays the thief who has listened: who has the cookies of the
// browser that was asked, and the answer that it gave.
func challengeOnce(w *world) {
	if w.Challenges == nil {
		return
	}
	ada, grace := w.browser(), w.browser()
	asked := w.ask(ada)
	if other := w.ask(grace); asked == "" || other == asked {
		w.wrong("two browsers are asked %q and %q", asked, other)
	}
	thief := ada.Copy()
	if w.take(w.browser()) != "" {
		w.wrong("a browser that was asked nothing can answer")
	}
	if got := w.take(ada); got != asked {
		w.wrong("a browser was asked %q and is to answer %q", asked, got)
	}
	if w.take(ada) != "" {
		w.wrong("a browser can answer twice")
	}
	if w.take(thief) != "" {
		w.wrong("an answer that was given already counts again, with a copy of the cookies")
	}
	w.answeredAtOnce()
	slow := w.browser()
	w.ask(slow)
	w.clock.Move(Lifetimes.Absolute)
	if w.take(slow) != "" {
		w.wrong("a challenge can be answered half a day later")
	}
}

// answeredAtOnce sends one answer many times at the same moment.
func (w *world) answeredAtOnce() {
	const copies = 8
	ada := w.browser()
	w.ask(ada)
	var wg sync.WaitGroup
	var taken, failed atomic.Int32
	for range copies {
		b := ada.Copy()
		wg.Go(func() {
			challenge := ""
			a := b.Do(func(rw http.ResponseWriter, r *http.Request) (err error) {
				challenge, err = w.Challenges.Take(rw, r)
				return err
			})
			switch {
			case a.Err != nil:
				failed.Add(1)
			case challenge != "":
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 || failed.Load() > 0 {
		w.wrong("of %d answers to one challenge that come at once %d count, and %d fail", copies, taken.Load(), failed.Load())
	}
}

func (w *world) ask(b *Browser) (challenge string) {
	a := b.Do(func(rw http.ResponseWriter, r *http.Request) (err error) {
		challenge, err = w.Challenges.Ask(rw, r)
		return err
	})
	w.done(a.Err, "asking a browser something")
	return challenge
}

func (w *world) take(b *Browser) (challenge string) {
	a := b.Do(func(rw http.ResponseWriter, r *http.Request) (err error) {
		challenge, err = w.Challenges.Take(rw, r)
		return err
	})
	w.done(a.Err, "answering a challenge")
	return challenge
}
