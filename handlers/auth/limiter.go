package auth

import (
	"context"
	"net/netip"
	"time"

	"lectern/db/school"
)

// Limit says how often something may be done from one network: Burst times at
// once, and as often again in each Per, evenly.
type Limit struct {
	Name  string // under which it is counted, and for the log
	Burst int
	Per   time.Duration
}

func (l Limit) each() time.Duration { return l.Per / time.Duration(l.Burst) }

// take takes one from what is left, or says in a *[Throttled] when there will be one.
// The count's At is when all of Burst will be there again.
func (l Limit) take(c *school.TryCount, now time.Time) error {
	full := c.At
	if full.Before(now) || full.Sub(now) > l.Per+ahead {
		full = now
	}
	full = full.Add(l.each())
	if wait := full.Sub(now) - l.Per; wait > 0 {
		return &Throttled{RetryAfter: wait}
	}
	*c = school.TryCount{N: 1, At: full, Until: full}
	return nil
}

// giveBack undoes one take.
func (l Limit) giveBack(c *school.TryCount) {
	if *c == (school.TryCount{}) {
		return
	}
	full := c.At.Add(-l.each())
	*c = school.TryCount{N: 1, At: full, Until: full}
}

// key is under which a network is counted. All addresses that are not valid are one
// place.
func (l Limit) key(network netip.Prefix) school.TryKey {
	return school.TryKey{What: l.Name, Network: placeOf(network)}
}

// Limiter keeps one [Limit] for every network: an IPv4 address, or the /64 of
// an IPv6 address, which is the least that one household is given. The address
// has to be the one of the connection, or one that a trusted proxy wrote; a
// header that the visitor can write would make the limit a matter of choice
// (ASVS 2.4.1).
type Limiter struct {
	limit  Limit
	counts Counts
	now    func() time.Time
}

// NewLimiter makes a Limiter that counts in this process alone, which is enough where
// the limit is about this process's strength, as in the lab and its classes: after a
// new start everybody has all of it again. It reads the time from now, which is
// [time.Now] outside tests.
func NewLimiter(limit Limit, now func() time.Time) *Limiter {
	return NewSharedLimiter(limit, NewMemory(), now)
}

// NewSharedLimiter makes a Limiter that counts in counts, together with all others
// whose limit has the same name there. It is for the doors.
func NewSharedLimiter(limit Limit, counts Counts, now func() time.Time) *Limiter {
	return &Limiter{limit: limit, counts: counts, now: now}
}

// Take takes one from what the address's network has left, or says in a
// *[Throttled] when there will be one. It may also return [ErrUnavailable].
func (l *Limiter) Take(ctx context.Context, address netip.Addr) error {
	now := moment(l.now)
	return decide(ctx, l.counts, l.keys(address), func(counts []school.TryCount) error {
		return l.limit.take(&counts[0], now)
	})
}

// Return gives one back that turned out not to count. It may return [ErrUnavailable].
func (l *Limiter) Return(ctx context.Context, address netip.Addr) error {
	return change(ctx, l.counts, l.keys(address), func(counts []school.TryCount) error {
		l.limit.giveBack(&counts[0])
		return nil
	})
}

func (l *Limiter) keys(address netip.Addr) []school.TryKey {
	return []school.TryKey{l.limit.key(NetworkOf(address))}
}

// NetworkOf is what is counted as one place: an IPv4 address, or the /64 of an IPv6 address,
// which is the least that one household is given. It is not valid for an address
// that is not valid, as on a Unix socket; all of those are one place.
func NetworkOf(address netip.Addr) netip.Prefix {
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

// placeOf names a network in a key, where none at all would stand for everywhere.
func placeOf(network netip.Prefix) string {
	if !network.IsValid() {
		return "nowhere"
	}
	return network.String()
}
