package auth

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"lectern/db/school"
)

// How many codes may be asked for. A whole class behind one address may ask for its first
// ones within the hour.
var (
	CodesForAccount = Limit{Name: "codes", Burst: 5, Per: time.Hour}
	CodesByAddress  = Limit{Name: "codes by address", Burst: 100, Per: time.Hour}
	// FirstCodes are those that a place has for an account whatever others asked for,
	// and FirstCodesForAccount how many of them an account has over all places.
	FirstCodes           = Limit{Name: "first codes", Burst: 2, Per: time.Hour}
	FirstCodesForAccount = Limit{Name: "first codes for an account", Burst: 30, Per: time.Hour}
)

// Requests limits how many codes are sent, which fill somebody's inbox, cost money, and
// are each worth a few more guesses (ASVS 2.4.1, 6.6.3). Of each number below as many may
// be asked for at once, and as many again in each hour, evenly:
//
//   - For each account, five codes by strangers from anywhere, of all kinds together.
//   - For each account and each place, two codes that are sent whatever the others asked
//     for. So whoever asks in somebody's name from one place keeps them from nothing in
//     another, also where they never were before. A place is wider than a network here,
//     the /24 of an IPv4 address or the /48 of an IPv6 address, so that nobody has a
//     thousand of them; and of these codes an account has thirty, so that its inbox is
//     not filled from however many.
//   - For each account and each network from which it was signed in before, five of
//     its own. So whoever asks from elsewhere never keeps the owner from getting a code
//     on their own network.
//   - For each network, a hundred over all accounts. Those who have signed in from there
//     before are not counted in it and not stopped by it.
//
// What it cannot do: somebody on a network where they never signed in, in whose name codes
// are asked for from fifteen places and more without end, waits two minutes at a time, and
// may find that another was faster; then the ways are left that need no code. And somebody
// on the owner's own network shares the owner's.
//
// A request is counted whether or not there is such an account, and with the same work.
type Requests struct {
	counts Counts
	now    func() time.Time
	log    *slog.Logger
}

// The counts of a request, beside those of a try.
const (
	isFirst = isKnown + 1 + iota // of the account, from this place, whatever others do
	ofFirst                      // of the account, over all such
)

// widely is the /24 or the /48 that a network lies in, which is what one site is given.
func widely(network netip.Prefix) netip.Prefix {
	bits := 48
	if network.Addr().Is4() {
		bits = 24
	}
	wide, err := network.Addr().Prefix(bits)
	if err != nil {
		return network
	}
	return wide
}

// NewRequests makes Requests that are counted in counts, which have to be those of the
// [Throttle], since it notes the networks from which an account was signed in. It reads
// the time from now, which is [time.Now] outside tests. The log has a line for each
// request that is told to wait.
func NewRequests(counts Counts, now func() time.Time, log *slog.Logger) *Requests {
	return &Requests{counts: counts, now: now, log: log}
}

// Take takes one code of a kind from those that an account has left, or says in a
// *[Throttled] when there will be one. The account is whatever was typed, spelled as it
// is for [Throttle.Begin]. It may also return [ErrUnavailable].
func (r *Requests) Take(ctx context.Context, kind school.Method, account string, address netip.Addr) error {
	account = accountOf(account)
	network, now := NetworkOf(address), moment(r.now)
	keys := []school.TryKey{byStrangers: {What: CodesForAccount.Name, Account: account}, byAddress: CodesByAddress.key(network)}
	if place := placeOf(network); network.IsValid() {
		keys = append(keys,
			school.TryKey{What: CodesForAccount.Name, Account: account, Network: place}, knownKey(account, network),
			school.TryKey{What: FirstCodes.Name, Account: account, Network: placeOf(widely(network))}, school.TryKey{What: FirstCodesForAccount.Name, Account: account})
	}
	var by string
	err := decide(ctx, r.counts, keys, func(counts []school.TryCount) error {
		by = "account"
		hasNetwork := len(counts) > byOwn
		if hasNetwork && counts[isKnown].Until.After(now) {
			return CodesForAccount.take(&counts[byOwn], now)
		}
		err := CodesForAccount.take(&counts[byStrangers], now)
		if hasNetwork && FirstCodes.take(&counts[isFirst], now) == nil && err != nil {
			err = FirstCodesForAccount.take(&counts[ofFirst], now)
		}
		if err != nil {
			return err
		}
		by = "address"
		return CodesByAddress.take(&counts[byAddress], now)
	})
	noteWait(ctx, r.log, "code told to wait", kind, by, address, err)
	return err
}
