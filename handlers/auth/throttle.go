package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"lectern/db/school"
)

// The pace of guessing (ASVS 6.1.1 asks that it be written down).
const (
	freeTries = 5                // tries before the first delay
	ownTries  = 3                // of them, tries that a network has whatever others do
	maxDelay  = 15 * time.Minute // delays double from one second up to this
	forgetOne = 30 * time.Minute // quiet time after which one try is forgotten
	maxTries  = freeTries + 11   // more would lengthen nothing but the memory of it

	knownNetworks = 8                    // networks remembered for one account
	knownFor      = 180 * 24 * time.Hour // after the last sign-in from there
)

// The limits of the forms that a stranger can send, for each address. A whole class behind one address may open its accounts
// within the hour.
var (
	SignInByAddress = Limit{Name: "sign-in", Burst: 30, Per: 10 * time.Minute}
	SignUpByAddress = Limit{Name: "sign-up", Burst: 100, Per: time.Hour}
)

// Throttle slows down the guessing of passwords and codes (ASVS 6.3.1, 2.4.1; NIST SP
// 800-63B-4 §3.2.2). It keeps three kinds of count, where its [Counts] are: in the
// database they outlive the process, and hold over all servers on it.
//
//   - For each account, one count of the tries by strangers from anywhere, over all
//     methods together, so that nobody who waits for one goes on with the next
//     (ASVS 6.3.4). Five are free; then each next one has to wait 1 s, 2 s, 4 s and so
//     on up to 15 minutes. Every half hour of quiet forgets one. But the first three
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
// shares the owner's count.
//
// A try that is let through writes once when it begins, and once more when it is taken
// back; one that is told to wait only reads. Where the counts cannot be read or
// written, nobody is let through, whoever it is. What is kept is bounded, and a flood
// of invented accounts pushes out its own single tries and not the long count of an
// account under attack; see [Memory] and the database's own.
type Throttle struct {
	counts Counts
	now    func() time.Time
	log    *slog.Logger
}

// NewThrottle makes a Throttle that keeps its counts in counts and reads the time from
// now, which is [time.Now] outside tests. The log has a line for each try that is told
// to wait: by which method, from where, and which count it was.
func NewThrottle(counts Counts, now func() time.Time, log *slog.Logger) *Throttle {
	return &Throttle{counts: counts, now: now, log: log}
}

// The counts of a try, in the order of their keys. From a connection without a network
// there are only the first two.
const (
	byStrangers = iota // of the account, from anywhere
	byAddress          // of the network, on any account
	byOwn              // of the account, from this network
	isKnown            // not a count: whether the account was signed in from this network
)

func triesKeys(account string, network netip.Prefix) []school.TryKey {
	keys := []school.TryKey{byStrangers: {What: "tries", Account: account}, byAddress: SignInByAddress.key(network)}
	if network.IsValid() {
		keys = append(keys, school.TryKey{What: "tries", Account: account, Network: placeOf(network)}, knownKey(account, network))
	}
	return keys
}

func knownKey(account string, network netip.Prefix) school.TryKey {
	return school.TryKey{What: "known", Account: account, Network: placeOf(network), Latest: knownNetworks}
}

// accountOf is an account as it is counted.
func accountOf(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// fading is a count of tries of which one is forgotten in each half hour of quiet.
type fading struct {
	n    int
	last time.Time
}

func fadingOf(c school.TryCount, now time.Time) fading {
	if c.At.Sub(now) > ahead {
		return fading{}
	}
	return fading{c.N, c.At}
}

func (f fading) at(now time.Time) int {
	return max(f.n-max(int(now.Sub(f.last)/forgetOne), 0), 0)
}

func (f fading) delay() time.Duration {
	if f.n < freeTries {
		return 0
	}
	return min(time.Second<<(f.n-freeTries), maxDelay)
}

// hasOwn is when fewer than ownTries will be left of the count.
func (f fading) hasOwn() time.Time {
	return f.last.Add(time.Duration(f.n-ownTries+1) * forgetOne)
}

// Try is one try that the Throttle has let through. It counts as failed
// unless [Try.Succeed] or [Try.Cancel] is called.
type Try struct {
	throttle *Throttle
	keys     []school.TryKey
	counted  [isKnown]bool // which of them grew
}

// Begin asks whether a try on this account by this method from this address may be
// made now, and counts it. The account is whatever was typed, an e-mail address
// wherever there is one; whether it exists plays no part. The error is a
// *[Throttled], or [ErrUnavailable].
func (t *Throttle) Begin(ctx context.Context, method school.Method, account string, address netip.Addr) (*Try, error) {
	try := &Try{throttle: t, keys: triesKeys(accountOf(account), NetworkOf(address))}
	now := moment(t.now)
	var by string
	err := decide(ctx, t.counts, try.keys, func(counts []school.TryCount) (err error) {
		by, err = try.admit(counts, now)
		return err
	})
	noteWait(ctx, t.log, "try told to wait", method, by, address, err)
	if err != nil {
		return nil, err
	}
	return try, nil
}

// noteWait logs who is told to wait. It names no account, since what was typed may be
// a password in the wrong box.
func noteWait(ctx context.Context, log *slog.Logger, what string, method school.Method, by string, address netip.Addr, err error) {
	if throttled, ok := errors.AsType[*Throttled](err); ok {
		log.InfoContext(ctx, what, "method", method, "by", by, "address", address, "wait", throttled.RetryAfter)
	}
}

// admit counts the try, or refuses it and says which count it was.
func (try *Try) admit(counts []school.TryCount, now time.Time) (by string, err error) {
	try.counted = [isKnown]bool{}
	lane, known, hasNetwork := byStrangers, false, len(counts) > byOwn
	if hasNetwork && counts[isKnown].Until.After(now) {
		lane, known = byOwn, true
	}
	seen := fadingOf(counts[lane], now)
	wait := seen.last.Add(seen.delay()).Sub(now)
	if hasNetwork {
		own := fadingOf(counts[byOwn], now)
		if own.at(now) < ownTries {
			wait = 0
		}
		wait = min(wait, own.hasOwn().Sub(now))
	}
	if wait > 0 {
		return "account", &Throttled{RetryAfter: wait}
	}
	if !known {
		if err := SignInByAddress.take(&counts[byAddress], now); err != nil {
			return "address", err
		}
		try.counted[byAddress] = true
	}
	if hasNetwork && !known {
		try.count(counts, byOwn, now)
	}
	try.count(counts, lane, now)
	return "", nil
}

// count notes what it added, since a full count cannot grow: many tries at once
// that are all taken back must not take more than they gave.
func (try *Try) count(counts []school.TryCount, which int, now time.Time) {
	n := fadingOf(counts[which], now).at(now)
	if n < maxTries {
		n++
		try.counted[which] = true
	}
	counts[which] = school.TryCount{N: n, At: now, Until: now.Add(time.Duration(n) * forgetOne)}
}

// takeBack makes the counts as if the try had not happened.
func (try *Try) takeBack(counts []school.TryCount) {
	for which, counted := range try.counted {
		if !counted {
			continue
		}
		switch c := &counts[which]; {
		case which == byAddress:
			SignInByAddress.giveBack(c)
		case c.N <= 1:
			*c = school.TryCount{}
		default:
			c.N--
		}
	}
}

// Remember notes that the account's owner was seen at this address, as after
// signing up, and clears the count of this account there. A successful try does
// so by itself. It may return [ErrUnavailable].
func (t *Throttle) Remember(ctx context.Context, account string, address netip.Addr) error {
	return (&Try{throttle: t, keys: triesKeys(accountOf(account), NetworkOf(address))}).Succeed(ctx)
}

// Succeed says that it was the right password or code: the try did not happen, the
// count of this account at this network is cleared, and the network is known from
// now on. The strangers' count keeps their own tries. Who hangs up has succeeded all
// the same. Where it returns [ErrUnavailable] nobody is to be let in, and the try
// stays counted.
func (try *Try) Succeed(ctx context.Context) error {
	now := moment(try.throttle.now)
	return change(context.WithoutCancel(ctx), try.throttle.counts, try.keys, func(counts []school.TryCount) error {
		try.takeBack(counts)
		if len(counts) > byOwn {
			counts[byOwn] = school.TryCount{}
			counts[isKnown] = school.TryCount{N: 1, At: now, Until: now.Add(knownFor)}
		}
		return nil
	})
}

// Cancel says that the try was never decided, as when the database is away or the
// visitor has hung up. If that cannot be noted the try stays counted, and the log says so.
func (try *Try) Cancel(ctx context.Context) {
	err := change(context.WithoutCancel(ctx), try.throttle.counts, try.keys, func(counts []school.TryCount) error {
		try.takeBack(counts)
		return nil
	})
	if err != nil {
		try.throttle.log.WarnContext(ctx, "try not taken back", "err", err)
	}
}
