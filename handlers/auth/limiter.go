package auth

import (
	"net/netip"
	"sync"
	"time"
)

const maxNetworks = 1 << 15

// Limit says how often something may be done from one network: Burst times at
// once, and as often again in each Per, evenly.
type Limit struct {
	Name  string // for the log
	Burst int
	Per   time.Duration
}

// Limiter keeps one [Limit] for every network: an IPv4 address, or the /64 of
// an IPv6 address, which is the least that one household is given. The address
// has to be the one of the connection, or one that a trusted proxy wrote; a
// header that the visitor can write would make the limit a matter of choice
// (ASVS 2.4.1).
type Limiter struct {
	limit Limit
	now   func() time.Time

	mu   sync.Mutex
	used bounded[netip.Prefix, time.Time] // when the network will have all of its Burst again
}

// NewLimiter makes a Limiter that reads the time from now, which is
// [time.Now] outside tests.
func NewLimiter(limit Limit, now func() time.Time) *Limiter {
	return &Limiter{limit: limit, now: now, used: bounded[netip.Prefix, time.Time]{
		limit: maxNetworks,
		rows:  map[netip.Prefix]time.Time{},
		worth: func(full, now time.Time) int64 { return int64(full.Sub(now)) },
	}}
}

// Take takes one from what the address's network has left, or says in a
// *[Throttled] when there will be one.
func (l *Limiter) Take(address netip.Addr) error {
	network, now := networkOf(address), l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.used.rows[network]
	if full.Before(now) {
		full = now
	}
	full = full.Add(l.each())
	if wait := full.Sub(now) - l.limit.Per; wait > 0 {
		return &Throttled{RetryAfter: wait}
	}
	l.used.put(network, full, now)
	return nil
}

// Return gives one back that turned out not to count.
func (l *Limiter) Return(address netip.Addr) {
	network := networkOf(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.used.rows[network]; ok {
		l.used.rows[network] = full.Add(-l.each())
	}
}

func (l *Limiter) each() time.Duration { return l.limit.Per / time.Duration(l.limit.Burst) }

// networkOf is what is counted as one place. It is not valid for an address
// that is not valid, as on a Unix socket; all of those are one place.
func networkOf(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := 64
	if address.Is4() {
		bits = 32
	}
	network, err := address.Prefix(bits) // drops the zone, too
	if err != nil {
		return netip.Prefix{}
	}
	return network
}

// bounded is a map that never has more than limit rows.
type bounded[K comparable, V any] struct {
	limit int
	rows  map[K]V
	worth func(v V, now time.Time) int64
}

// put writes a row. For a new one in a full map it drops the least worthy of
// a few, which costs the same however large the map is.
func (b *bounded[K, V]) put(k K, v V, now time.Time) {
	if _, ok := b.rows[k]; !ok && len(b.rows) >= b.limit {
		b.drop(now)
	}
	b.rows[k] = v
}

func (b *bounded[K, V]) drop(now time.Time) {
	const handful = 8
	var (
		worst K
		least int64
		seen  int
	)
	for k, v := range b.rows {
		if w := b.worth(v, now); seen == 0 || w < least {
			worst, least = k, w
		}
		if seen++; seen == handful {
			break
		}
	}
	delete(b.rows, worst)
}
