package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
)

var errCounts = errors.New("the counts are away")

// watched are counts that note what is asked of them, and are away when a test says so.
type watched struct {
	inner           auth.Counts
	asked           []string
	noRead, noWrite bool
}

func (w *watched) Counts(ctx context.Context, keys []school.TryKey) ([]school.TryCount, error) {
	w.asked = append(w.asked, fmt.Sprintf("read %d", len(keys)))
	if w.noRead {
		return nil, errCounts
	}
	return w.inner.Counts(ctx, keys)
}

func (w *watched) ChangeCounts(ctx context.Context, keys []school.TryKey, change func([]school.TryCount) error) error {
	changed := 0
	defer func() { w.asked = append(w.asked, fmt.Sprintf("change %d of %d", changed, len(keys))) }()
	if w.noWrite {
		return errCounts
	}
	return w.inner.ChangeCounts(ctx, keys, func(counts []school.TryCount) error {
		before := slices.Clone(counts)
		err := change(counts)
		for i := range counts {
			if counts[i] != before[i] {
				changed++
			}
		}
		return err
	})
}

func TestThrottle_withoutCountsNobodyIsLetThrough(t *testing.T) {
	t.Attr("asvs", "16.5.3")
	for _, row := range []struct {
		says            string
		noRead, noWrite bool
	}{{"they cannot be read", true, false}, {"they cannot be written", false, true}} {
		t.Run(row.says, func(t *testing.T) {
			d := newDoor(t)
			counts := &watched{inner: auth.NewMemory()}
			d.use(counts)
			if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
				t.Fatal(err)
			}
			counts.noRead, counts.noWrite = row.noRead, row.noWrite
			user, hashes, err := d.signIn(t, ada, goodPassword)
			if !errors.Is(err, auth.ErrUnavailable) || !errors.Is(err, errCounts) || hashes != 0 || user != (school.User{}) {
				t.Errorf("got %v, %v after %d hashes; want nobody, %v after none", user, err, hashes, auth.ErrUnavailable)
			}
			counts.noRead, counts.noWrite = false, false
			if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
				t.Errorf("when they are back: %v", err)
			}
		})
	}
}

// TestPasswords_withoutCountsARightPasswordIsNotEnough has the counts go away while the
// password is looked at.
func TestPasswords_withoutCountsARightPasswordIsNotEnough(t *testing.T) {
	d := newDoor(t)
	counts := &watched{inner: auth.NewMemory()}
	d.use(counts)
	d.hasher.OnHash(func() { counts.noWrite = true })
	if user, _, err := d.signIn(t, ada, goodPassword); !errors.Is(err, auth.ErrUnavailable) || user != (school.User{}) {
		t.Errorf("got %v, %v; want nobody, %v", user, err, auth.ErrUnavailable)
	}
}

func TestThrottle_whatCannotBeTakenBackStaysCountedAndIsSaid(t *testing.T) {
	c, counts, log := newClock(), &watched{inner: auth.NewMemory()}, &bytes.Buffer{}
	throttle := auth.NewThrottle(counts, c.Now, slog.New(slog.NewTextHandler(log, nil)))
	for range 5 {
		try, err := throttle.Begin(t.Context(), school.Password, ada, home)
		must(t, err)
		counts.noWrite = true
		try.Cancel(t.Context())
		counts.noWrite = false
	}
	if d := wait(t, throttle, ada, home); d != time.Second {
		t.Errorf("wait of %s, want 1s", d)
	}
	if said := log.String(); strings.Count(said, "try not taken back") != 5 || !strings.Contains(said, errCounts.Error()) {
		t.Errorf("the log says %s", said)
	}
}

func TestThrottle_allMethodsCountTogether(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		log := &bytes.Buffer{}
		throttle := auth.NewThrottle(open(t), newClock().Now, slog.New(slog.NewTextHandler(log, nil)))
		methods := []school.Method{school.Password, school.EmailCode, school.TextCode, school.Authenticator, school.RecoveryCode, school.ByPasskey, school.ByProvider, school.Reset}
		for i, method := range methods {
			_, err := throttle.Begin(t.Context(), method, ada, stranger(1))
			if d := waitOf(t, err); (d == 0) != (i < 5) {
				t.Errorf("try %d, by %s: wait of %s", i+1, method, d)
			}
		}
		for i, method := range methods {
			line := fmt.Sprintf(`msg="try told to wait" method=%s by=account address=203.0.0.1 wait=1s`, method)
			if said := strings.Contains(log.String(), line); said != (i >= 5) {
				t.Errorf("the log says of %s: %v\n%s", method, said, log)
			}
		}
		if strings.Contains(log.String(), "ada") {
			t.Errorf("the log says what was typed: %s", log)
		}
	})
}

func TestThrottle_theLogTellsAnAddressFromAnAccount(t *testing.T) {
	log := &bytes.Buffer{}
	throttle := auth.NewThrottle(auth.NewMemory(), newClock().Now, slog.New(slog.NewTextHandler(log, nil)))
	for i := range 31 {
		throttle.Begin(t.Context(), school.Password, fmt.Sprintf("u%d@lectern.example", i), home)
	}
	if said := log.String(); strings.Count(said, "told to wait") != 1 || !strings.Contains(said, "by=address") {
		t.Errorf("the log says %s", said)
	}
}

func TestThrottle_whoWaitsWritesNothing(t *testing.T) {
	counts := &watched{inner: auth.NewMemory()}
	throttle := newThrottle(counts, newClock())
	for range 5 {
		wait(t, throttle, ada, home)
	}
	counts.asked = nil
	for range 3 {
		if wait(t, throttle, ada, home) == 0 {
			t.Fatal("a try was let through")
		}
	}
	if want := []string{"read 4", "read 4", "read 4"}; !slices.Equal(counts.asked, want) {
		t.Errorf("it asks %v, want %v", counts.asked, want)
	}
}

// TestThrottle_aFailedTryWritesOnce, which is before its password is looked at.
func TestThrottle_aFailedTryWritesOnce(t *testing.T) {
	d := newDoor(t)
	counts := &watched{inner: auth.NewMemory()}
	d.use(counts)
	for _, row := range []struct {
		password string
		want     []string
	}{
		{"seven lamps over the bay", []string{"read 4", "change 3 of 4"}},
		{goodPassword, []string{"read 4", "change 3 of 4", "change 4 of 4"}},
	} {
		counts.asked = nil
		d.signIn(t, ada, row.password)
		if !slices.Equal(counts.asked, row.want) {
			t.Errorf("%q: it asks %v, want %v", row.password, counts.asked, row.want)
		}
	}
}

func TestThrottle_outlivesTheServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	c := newClock()
	start := func() (*auth.Throttle, *auth.Limiter, func()) {
		d, err := db.Open(t.Context(), path)
		must(t, err)
		tries, err := db.OpenTries(t.Context(), d, rand.Reader, c.Now)
		must(t, err)
		return newThrottle(tries, c), auth.NewSharedLimiter(auth.SignUpByAddress, tries, c.Now), func() { must(t, d.Close()) }
	}
	throttle, signUps, stop := start()
	must(t, throttle.Remember(t.Context(), ada, home))
	for range 7 {
		c.pass(wait(t, throttle, ada, stranger(1)))
		wait(t, throttle, ada, stranger(1))
	}
	before := wait(t, throttle, ada, stranger(1))
	for range 100 {
		must(t, signUps.Take(t.Context(), stranger(1)))
	}
	stop()

	throttle, signUps, stop = start()
	defer stop()
	if after := wait(t, throttle, ada, stranger(1)); before == 0 || after != before {
		t.Errorf("wait of %s before and %s after", before, after)
	}
	if n := atOnce(t, throttle, ada, home); n != 5 {
		t.Errorf("at home %d tries are let through, want 5", n)
	}
	if d := waitOf(t, signUps.Take(t.Context(), stranger(1))); d != 36*time.Second {
		t.Errorf("the next account waits %s, want 36s", d)
	}
}

// TestThrottle_holdsOverServers sends a hundred tries at once to each of two servers on
// one database.
func TestThrottle_holdsOverServers(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "lectern.db"), newClock()
	here, there := openTries(t, path), openTries(t, path)
	for _, row := range []struct {
		says string
		want int64
		try  func(auth.Counts) error
	}{
		{"tries", 5, func(counts auth.Counts) error {
			_, err := newThrottle(counts, c).Begin(t.Context(), school.Password, ada, stranger(1))
			return err
		}},
		{"accounts opened", 100, func(counts auth.Counts) error {
			return auth.NewSharedLimiter(auth.SignUpByAddress, counts, c.Now).Take(t.Context(), stranger(1))
		}},
		{"codes", 5, func(counts auth.Counts) error {
			return auth.NewRequests(counts, c.Now, slog.New(slog.DiscardHandler)).Take(t.Context(), school.EmailCode, ada, stranger(1))
		}},
	} {
		var through atomic.Int64
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				counts := []auth.Counts{here, there}[i%2]
				err := row.try(counts)
				// One who waited in vain for the other server asks again.
				for errors.Is(err, school.ErrBusy) {
					err = row.try(counts)
				}
				if err == nil {
					through.Add(1)
				} else {
					waitOf(t, err)
				}
			})
		}
		all.Wait()
		if n := through.Load(); n != row.want {
			t.Errorf("%s: %d of 200 were let through, want %d", row.says, n, row.want)
		}
	}
}

// TestThrottle_aClockThatWasWrongLocksNobodyOut has a server count whose clock is a
// year ahead, and then another whose clock is right.
func TestThrottle_aClockThatWasWrongLocksNobodyOut(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		counts, right := open(t), newClock()
		wrong := &clock{now: right.now.AddDate(1, 0, 0)}
		for range 40 {
			wait(t, newThrottle(counts, wrong), ada, stranger(1))
		}
		limit := auth.Limit{Name: "test", Burst: 2, Per: time.Hour}
		for range 2 {
			must(t, auth.NewSharedLimiter(limit, counts, wrong.Now).Take(t.Context(), stranger(1)))
		}
		if n := atOnce(t, newThrottle(counts, right), ada, stranger(1)); n != 5 {
			t.Errorf("%d tries were let through, want 5", n)
		}
		if err := auth.NewSharedLimiter(limit, counts, right.Now).Take(t.Context(), stranger(1)); err != nil {
			t.Error(err)
		}
	})
}

// TestThrottle_clocksAreALittleApart and the counts are the same.
func TestThrottle_clocksAreALittleApart(t *testing.T) {
	counts, c := auth.NewMemory(), newClock()
	fast := &clock{now: c.now.Add(10 * time.Second)}
	for range 5 {
		wait(t, newThrottle(counts, fast), ada, stranger(1))
	}
	if d := wait(t, newThrottle(counts, c), ada, stranger(1)); d != 11*time.Second {
		t.Errorf("wait of %s, want 1s after the other's time", d)
	}
	c.pass(11 * time.Second)
	if n := atOnce(t, newThrottle(counts, c), ada, stranger(1)); n != 1 {
		t.Errorf("%d tries were let through, want 1", n)
	}
}

func TestThrottle_aNetworkIsKnownForHalfAYear(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		for _, row := range []struct {
			later time.Duration
			want  int
		}{{180*24*time.Hour - time.Millisecond, 5}, {180 * 24 * time.Hour, 3}} {
			c := newClock()
			throttle := newThrottle(open(t), c)
			must(t, throttle.Remember(t.Context(), ada, home))
			c.pass(row.later)
			for i := range 20 {
				wait(t, throttle, ada, stranger(i))
			}
			if n := atOnce(t, throttle, ada, home); n != row.want {
				t.Errorf("%s later %d tries were let through, want %d", row.later, n, row.want)
			}
		}
	})
}

// TestPasswords_theWorkIsTheSame counts what a refusal costs, whoever it is about: the
// hashes, what is asked of the counts and how much of it is changed, and the looks into
// the school. So no clock can tell them apart.
func TestPasswords_theWorkIsTheSame(t *testing.T) {
	t.Attr("asvs", "6.3.8")
	emails := []string{ada, "closed@lectern.example", "bare@lectern.example", "nobody@lectern.example", "nobody.at.all.who.has.a.very.long.address@lectern.example"}
	for round, says := range []string{"the first", "the second", "the third", "the fourth", "the fifth", "one told to wait"} {
		var want string
		for i, email := range emails {
			d := newDoor(t)
			counts := &watched{inner: openTries(t, filepath.Join(t.TempDir(), "lectern.db"))}
			d.use(counts)
			for range round {
				d.signIn(t, email, "seven lamps over the bay")
			}
			counts.asked, d.accounts.asked = nil, 0
			_, hashes, err := d.signIn(t, email, "seven lamps over the bay")
			work := fmt.Sprintf("%d hashes, %d looks, %v, %v", hashes, d.accounts.asked, counts.asked, err)
			if i == 0 {
				want = work
			}
			if work != want {
				t.Errorf("%s try on %s: %s; on %s: %s", says, email, work, emails[0], want)
			}
		}
		if through := strings.Contains(want, "1 hashes, 1 looks, [read 4 change 3 of 4]"); through != (round < 5) {
			t.Errorf("%s try: %s", says, want)
		}
	}
}

// codes is how many of twenty codes that are asked for at this moment are let through.
func codes(t *testing.T, requests *auth.Requests, account string, address netip.Addr) (n int) {
	t.Helper()
	for range 20 {
		if waitOf(t, requests.Take(t.Context(), school.EmailCode, account, address)) == 0 {
			n++
		}
	}
	return n
}

func newRequests(counts auth.Counts, c *clock) *auth.Requests {
	return auth.NewRequests(counts, c.Now, slog.New(slog.DiscardHandler))
}

func TestRequests_strangersHaveFiveInAnHourTogether(t *testing.T) {
	t.Attr("asvs", "2.3.2 2.4.1")
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		requests := newRequests(open(t), c)
		kinds := []school.Method{school.EmailCode, school.TextCode, school.Reset}
		for i := range 5 {
			must(t, requests.Take(t.Context(), kinds[i%3], []string{ada, " ADA@lectern.example"}[i%2], stranger(20)))
		}
		for _, kind := range kinds {
			if d := waitOf(t, requests.Take(t.Context(), kind, ada, stranger(20))); d != 12*time.Minute {
				t.Errorf("%s: wait of %s, want 12m", kind, d)
			}
		}
		must(t, requests.Take(t.Context(), school.EmailCode, "grace@lectern.example", stranger(1)))
		c.pass(12*time.Minute - time.Millisecond)
		if n := codes(t, requests, ada, stranger(20)); n != 0 {
			t.Errorf("a moment too early %d were let through", n)
		}
		c.pass(time.Millisecond)
		if n := codes(t, requests, ada, stranger(20)); n != 1 {
			t.Errorf("after the wait %d were let through, want 1", n)
		}
		c.pass(time.Hour)
		if n := codes(t, requests, ada, stranger(20)); n != 5 {
			t.Errorf("an hour later %d were let through, want 5", n)
		}
	})
}

func TestRequests_nobodyStopsTheOwnerAtHome(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c, counts := newClock(), open(t)
		throttle, requests := newThrottle(counts, c), newRequests(counts, c)
		try, err := throttle.Begin(t.Context(), school.EmailCode, ada, home)
		must(t, err)
		must(t, try.Succeed(t.Context()))
		for i := range 10 {
			codes(t, requests, ada, stranger(i))
		}
		if n := codes(t, requests, ada, home); n != 5 {
			t.Errorf("at home %d were let through, want 5", n)
		}
		// And the other way round: what the owner asks for is not the strangers'.
		c.pass(2 * time.Hour)
		codes(t, requests, ada, home)
		if n := codes(t, requests, ada, stranger(1)); n != 5 {
			t.Errorf("%d strangers were let through, want 5", n)
		}
	})
}

// TestRequests_nobodyStopsTheOwnerOnTheMove: who has never been in this place gets a code,
// however many were asked for from elsewhere, until that is done from many places; then
// it takes two minutes.
func TestRequests_nobodyStopsTheOwnerOnTheMove(t *testing.T) {
	t.Attr("asvs", "6.3.1")
	place := func(n int) netip.Addr { return stranger(n << 8) }
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		requests := newRequests(open(t), c)
		if n := codes(t, requests, ada, place(0)); n != 5 {
			t.Fatalf("%d strangers were let through, want 5", n)
		}
		for i := range 15 {
			if n := codes(t, requests, ada, place(1+i)); n != 2 {
				t.Fatalf("place %d has %d codes, want 2", i, n)
			}
		}
		if d := waitOf(t, requests.Take(t.Context(), school.Reset, ada, place(40))); d != 2*time.Minute {
			t.Errorf("after 30 the wait is %s, want 2m", d)
		}
		c.pass(2 * time.Minute)
		must(t, requests.Take(t.Context(), school.Reset, ada, place(40)))
		must(t, requests.Take(t.Context(), school.Reset, "grace@lectern.example", place(41)))
	})
}

// TestRequests_aPlaceIsWide: whoever is given a thousand networks has two codes with them.
func TestRequests_aPlaceIsWide(t *testing.T) {
	for says, place := range map[string]func(i int) netip.Addr{
		"a /24 of IPv4": stranger,
		"a /48 of IPv6": func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8:1:%x::1", i)) },
	} {
		requests := newRequests(auth.NewMemory(), newClock())
		codes(t, requests, ada, home)
		n := 0
		for i := range 20 {
			n += codes(t, requests, ada, place(i))
		}
		if n != 2 {
			t.Errorf("%s has %d codes, want 2", says, n)
		}
	}
}

// TestRequests_oneNetworkHasAHundred over all accounts, and who is known there is not
// stopped when they are gone.
func TestRequests_oneNetworkHasAHundred(t *testing.T) {
	log := &bytes.Buffer{}
	c, counts := newClock(), auth.NewMemory()
	must(t, newThrottle(counts, c).Remember(t.Context(), ada, home))
	requests := auth.NewRequests(counts, c.Now, slog.New(slog.NewTextHandler(log, nil)))
	for i := range 100 {
		must(t, requests.Take(t.Context(), school.EmailCode, fmt.Sprintf("u%d@lectern.example", i), home))
	}
	if d := waitOf(t, requests.Take(t.Context(), school.TextCode, "u101@lectern.example", home)); d != 36*time.Second {
		t.Errorf("number 101: wait of %s, want 36s", d)
	}
	must(t, requests.Take(t.Context(), school.EmailCode, ada, home))
	if d := waitOf(t, requests.Take(t.Context(), school.TextCode, "u101@lectern.example", stranger(1))); d != 0 {
		t.Errorf("from elsewhere: wait of %s, want none", d)
	}
	if said := log.String(); strings.Count(said, "code told to wait") != 1 || !strings.Contains(said, "method=text-code by=address address=198.51.100.7 wait=36s") {
		t.Errorf("the log says %s", said)
	}
	// Whom the network's limit stops has taken none of the account's.
	for range 20 {
		requests.Take(t.Context(), school.EmailCode, "grace@lectern.example", home)
	}
	if n := codes(t, requests, "grace@lectern.example", stranger(2)); n != 5 {
		t.Errorf("%d were let through, want 5", n)
	}
}

func TestRequests_connectionsWithoutAnAddressAreStrangers(t *testing.T) {
	if n := codes(t, newRequests(auth.NewMemory(), newClock()), ada, netip.Addr{}); n != 5 {
		t.Errorf("%d were let through, want 5", n)
	}
}

func TestRequests_withoutCountsNoCodeIsSent(t *testing.T) {
	t.Attr("asvs", "16.5.3")
	c := newClock()
	for _, counts := range []*watched{{inner: auth.NewMemory(), noRead: true}, {inner: auth.NewMemory(), noWrite: true}} {
		if err := newRequests(counts, c).Take(t.Context(), school.EmailCode, ada, home); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("got %v, want %v", err, auth.ErrUnavailable)
		}
	}
}

// TestRequests_askNobodyButTheCounts, neither whether there is such an account; and who
// is told to wait writes nothing.
func TestRequests_askNobodyButTheCounts(t *testing.T) {
	counts := &watched{inner: auth.NewMemory()}
	requests := newRequests(counts, newClock())
	for range 6 {
		requests.Take(t.Context(), school.EmailCode, ada, stranger(1))
	}
	want := slices.Repeat([]string{"read 6", "change 3 of 6"}, 2)
	want = append(want, slices.Repeat([]string{"read 6", "change 2 of 6"}, 3)...)
	if want = append(want, "read 6"); !slices.Equal(counts.asked, want) {
		t.Errorf("it asks %v, want %v", counts.asked, want)
	}
}
