package auth

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// The pace of guessing (ASVS 6.1.1 asks that it be written down).
const (
	freeTries = 5                // tries before the first delay
	ownTries  = 3                // of them, tries that a network has whatever others do
	maxDelay  = 15 * time.Minute // delays double from one second up to this
	forgetOne = 30 * time.Minute // quiet time after which one try is forgotten
	maxTries  = freeTries + 11   // more would lengthen nothing but the memory of it

	knownNetworks = 8 // networks remembered for one account
	maxAccounts   = 1 << 15
)

// The limits of the forms that a stranger can send, for each address. A whole class behind one address may open its accounts
// within the hour.
var (
	SignInByAddress = Limit{Name: "sign-in", Burst: 30, Per: 10 * time.Minute}
	SignUpByAddress = Limit{Name: "sign-up", Burst: 100, Per: time.Hour}
	CodesByAddress  = Limit{Name: "codes", Burst: 60, Per: time.Hour}
)

// Throttle slows down the guessing of passwords (ASVS 6.3.1, 2.4.1; NIST SP
// 800-63B-4 §3.2.2). It keeps three kinds of count, in memory:
//
//   - For each account, one count of the tries by strangers from anywhere.
//     Five are free; then each next one has to wait 1 s, 2 s, 4 s and so on up
//     to 15 minutes. Every half hour of quiet forgets one. But the first three
//     tries of any network on an account are let through whatever the others
//     did: so a flood from elsewhere never stops the owner who has just moved.
//   - For each account and each network from which it was signed in before, a
//     count of its own with the same delays. So a flood from elsewhere never
//     stops the owner on their own network, and nobody there guesses freely.
//   - For each network, 30 wrong tries in ten minutes over all accounts, which
//     stops one machine from trying one password on everybody. Those who have
//     signed in from there before are not counted in it and not stopped by it.
//
// A try is counted when it begins and taken back when it succeeds, so that a
// hundred at once are a hundred. A try that is told to wait is not counted,
// or waiting would lengthen the wait. No count is ever a lock: NIST would
// disable a password after 100 failures in a row, which anyone could do to
// anyone; here the strangers' pace falls to about a hundred a day instead.
//
// What it cannot do: an owner who types it wrong three times from a new network
// in the middle of a flood waits with the strangers, until half an hour has
// forgotten one of the three; whoever has many networks has three tries from
// each and one more in each half hour; and somebody on the owner's own network
// shares the owner's count. What is remembered is lost with the process.
//
// All tables are bounded. When one is full, what is worth least is dropped
// from a random handful, so that a flood of invented accounts pushes out its
// own single tries and not the long count of an account under attack.
type Throttle struct {
	now       func() time.Time
	byAddress *Limiter
	seed      maphash.Seed

	mu    sync.Mutex
	lanes bounded[lane, tries]
	known bounded[account, networks]
}

// account is an e-mail address as the tables know it: short whatever was
// typed, and not readable in a memory dump.
type account uint64

// lane is whose tries are counted together: one account's, from one network, or
// from all strangers together when network is zero.
type lane struct {
	account account
	network netip.Prefix
}

// tries is a count that fades.
type tries struct {
	n    int
	last time.Time
}

func (t tries) at(now time.Time) int {
	return max(t.n-int(now.Sub(t.last)/forgetOne), 0)
}

// hasOwn is when fewer than ownTries will be left of the count.
func (t tries) hasOwn() time.Time {
	return t.last.Add(time.Duration(t.n-ownTries+1) * forgetOne)
}

func (t tries) delay() time.Duration {
	if t.n < freeTries {
		return 0
	}
	return min(time.Second<<(t.n-freeTries), maxDelay)
}

// networks are the places from which one account was signed in, and when.
type networks [knownNetworks]struct {
	network netip.Prefix
	last    time.Time
}

func (ns networks) latest() (t time.Time) {
	for _, n := range ns {
		if n.last.After(t) {
			t = n.last
		}
	}
	return t
}

// NewThrottle makes a Throttle that reads the time from now, which is
// [time.Now] outside tests.
func NewThrottle(now func() time.Time) *Throttle {
	return &Throttle{
		now:       now,
		byAddress: NewLimiter(SignInByAddress, now),
		seed:      maphash.MakeSeed(),
		lanes: bounded[lane, tries]{limit: maxAccounts, rows: map[lane]tries{}, worth: func(t tries, now time.Time) int64 {
			return int64(t.at(now))
		}},
		known: bounded[account, networks]{limit: maxAccounts, rows: map[account]networks{}, worth: func(ns networks, _ time.Time) int64 {
			return ns.latest().Unix()
		}},
	}
}

// Try is one try that the Throttle has let through. It counts as failed
// unless [Try.Succeed] or [Try.Cancel] is called.
type Try struct {
	throttle *Throttle
	lane     lane // the one whose delay counts
	own      lane // that of the account and this network alone
	counted  []lane
	address  netip.Addr
}

// Begin asks whether a try on this account from this address may be made now,
// and counts it. The account is whatever was typed; whether it exists plays no
// part. The error is a *[Throttled].
func (t *Throttle) Begin(email string, address netip.Addr) (*Try, error) {
	account, network, now := t.account(email), networkOf(address), t.now()
	try := &Try{throttle: t, lane: lane{account: account}, own: lane{account: account, network: network}, address: address}

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.knows(account, network) {
		try.lane = try.own
	}
	seen, own := t.lanes.rows[try.lane], t.lanes.rows[try.own]
	first := network.IsValid() && own.at(now) < ownTries
	if wait := seen.last.Add(seen.delay()).Sub(now); wait > 0 && !first {
		return nil, &Throttled{RetryAfter: min(wait, own.hasOwn().Sub(now))}
	}
	if !try.known() {
		if err := t.byAddress.Take(address); err != nil {
			return nil, err
		}
	}
	if try.own != try.lane {
		try.count(try.own, own, now)
	}
	try.count(try.lane, seen, now)
	return try, nil
}

// count notes what it added, since a full count cannot grow: many tries at once
// that are all taken back must not take more than they gave.
func (try *Try) count(l lane, seen tries, now time.Time) {
	n := seen.at(now)
	if n < maxTries {
		n++
		try.counted = append(try.counted, l)
	}
	try.throttle.lanes.put(l, tries{n: n, last: now}, now)
}

// Remember notes that the account's owner was seen at this address, as after
// signing up, and clears the count of this account there. A successful try does
// so by itself.
func (t *Throttle) Remember(email string, address netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remember(t.account(email), networkOf(address))
}

// Succeed says that the password was right: the try did not happen, the count
// of this account at this network is cleared, and the network is known from
// now on. The strangers' count keeps their own tries.
func (try *Try) Succeed() {
	t := try.throttle
	t.mu.Lock()
	defer t.mu.Unlock()
	try.cancel()
	t.remember(try.lane.account, networkOf(try.address))
}

// Cancel says that the try was never decided, as when the database is away.
func (try *Try) Cancel() {
	try.throttle.mu.Lock()
	defer try.throttle.mu.Unlock()
	try.cancel()
}

func (try *Try) cancel() {
	if !try.known() {
		try.throttle.byAddress.Return(try.address)
	}
	for _, l := range try.counted {
		try.throttle.uncount(l)
	}
}

func (t *Throttle) uncount(l lane) {
	if seen, ok := t.lanes.rows[l]; ok {
		seen.n = max(seen.n-1, 0)
		t.lanes.rows[l] = seen
	}
}

func (try *Try) known() bool { return try.lane == try.own && try.own.network.IsValid() }

func (t *Throttle) account(email string) account {
	return account(maphash.String(t.seed, strings.ToLower(strings.TrimSpace(email))))
}

func (t *Throttle) knows(a account, network netip.Prefix) bool {
	if !network.IsValid() {
		return false
	}
	for _, n := range t.known.rows[a] {
		if n.network == network {
			return true
		}
	}
	return false
}

func (t *Throttle) remember(a account, network netip.Prefix) {
	if !network.IsValid() {
		return
	}
	delete(t.lanes.rows, lane{account: a, network: network})
	now := t.now()
	ns := t.known.rows[a]
	oldest := 0
	for i, n := range ns {
		if n.network == network {
			oldest = i
			break
		}
		if n.last.Before(ns[oldest].last) {
			oldest = i
		}
	}
	ns[oldest].network, ns[oldest].last = network, now
	t.known.put(a, ns, now)
}
