package serverstore

import (
	"errors"
	"sync"
	"time"
)

// errResting is the answer in place of a store that has not answered lately.
var errResting = errors.New("session: the store has not answered lately, and is given a rest")

const (
	// patienceLost is how many silences in a row it takes until a store is left
	// alone. One or two may be a connection that died.
	patienceLost = 3
	// rest is how long it is left alone between one try and the next.
	rest = 500 * time.Millisecond
)

// breaker keeps requests from waiting in a row before a store that is silent.
// A store that is switched off refuses at once and costs nobody anything. One
// that hangs takes from each request all the time that it may wait, and the
// requests pile up. So after a few silences in a row nobody asks any more, but
// one request each half second, which finds out for all the others when the
// store is back.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	silences int       // in a row
	next     time.Time // when one may try again
}

// allows reports whether this request may ask the store.
func (b *breaker) allows() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silences < patienceLost {
		return true
	}
	now := b.now()
	if now.Before(b.next) {
		return false
	}
	b.next = now.Add(rest)
	return true
}

// heard notes that the store has answered, whatever it said.
func (b *breaker) heard() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silences = 0
}

// silent notes that it has not.
func (b *breaker) silent() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.silences++
	b.next = b.now().Add(rest)
}
