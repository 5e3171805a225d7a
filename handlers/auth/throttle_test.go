package auth_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
)

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const ada = "ada@lectern.example"

var home = netip.MustParseAddr("198.51.100.7")

// stranger is the n-th of many addresses in as many networks.
func stranger(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{203, byte(n >> 16), byte(n >> 8), byte(n)})
}

// wait is how long a try has to wait, zero if it was let through.
func wait(t *testing.T, throttle *auth.Throttle, email string, address netip.Addr) time.Duration {
	t.Helper()
	_, err := throttle.Begin(t.Context(), school.Password, email, address)
	return waitOf(t, err)
}

// opener opens a place to keep counts in, with nothing in it.
type opener func(t *testing.T) auth.Counts

// eachStore runs a test on counts in memory, and on counts in the database.
func eachStore(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) {
		t.Parallel()
		test(t, func(*testing.T) auth.Counts { return auth.NewMemory() })
	})
	t.Run("in the database", func(t *testing.T) {
		t.Parallel()
		test(t, func(t *testing.T) auth.Counts { return openTries(t, filepath.Join(t.TempDir(), "lectern.db")) })
	})
}

func openTries(t *testing.T, path string) *db.Tries {
	t.Helper()
	d, err := db.Open(t.Context(), path)
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	tries, err := db.OpenTries(t.Context(), d, rand.Reader, time.Now)
	must(t, err)
	return tries
}

func newThrottle(counts auth.Counts, c *clock) *auth.Throttle {
	return auth.NewThrottle(counts, c.Now, slog.New(slog.DiscardHandler))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func waitOf(t *testing.T, err error) time.Duration {
	t.Helper()
	var throttled *auth.Throttled
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &throttled):
		t.Fatalf("got %v, want a wait", err)
	case throttled.RetryAfter <= 0:
		t.Fatalf("a wait of %s", throttled.RetryAfter)
	}
	return throttled.RetryAfter
}

// atOnce is how many of a hundred tries at this moment are let through.
func atOnce(t *testing.T, throttle *auth.Throttle, email string, address netip.Addr) (n int) {
	t.Helper()
	for range 100 {
		if wait(t, throttle, email, address) == 0 {
			n++
		}
	}
	return n
}

func TestThrottle_strangersWaitLongerAndLonger(t *testing.T) {
	t.Attr("asvs", "2.3.2 6.3.1")
	eachStore(t, func(t *testing.T, open opener) {
		for _, tt := range []struct {
			name           string
			networks, free int
			waits          []time.Duration
		}{
			{"from one network", 1, 5, []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}},
			// The third try of the second network is let through and counted.
			{"from two in turn", 2, 6, []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := newClock()
				throttle := newThrottle(open(t), c)
				n := 0
				next := func() time.Duration {
					t.Helper()
					return wait(t, throttle, ada, stranger(n%tt.networks))
				}
				for ; n < tt.free; n++ {
					if d := next(); d != 0 {
						t.Fatalf("try %d: wait of %s, want none", n+1, d)
					}
				}
				for _, want := range tt.waits {
					want *= time.Second
					if d := next(); d != want {
						t.Fatalf("try %d: wait of %s, want %s", n+1, d, want)
					}
					c.pass(want - time.Millisecond)
					if d := next(); d != time.Millisecond {
						t.Fatalf("try %d, a moment too early: wait of %s, want 1ms", n+1, d)
					}
					c.pass(time.Millisecond)
					if d := next(); d != 0 {
						t.Fatalf("try %d, after the wait: wait of %s, want none", n+1, d)
					}
					n++
				}
			})
		}
	})
}

func TestThrottle_oneAddressInManySpellingsIsOneAccount(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for i, email := range []string{ada, "ADA@lectern.example", " ada@lectern.example", "Ada@Lectern.Example ", "\tada@LECTERN.example"} {
			if d := wait(t, throttle, email, stranger(1)); d != 0 {
				t.Fatalf("try %d: wait of %s, want none", i+1, d)
			}
		}
		if d := wait(t, throttle, "aDa@lectern.example", stranger(1)); d != time.Second {
			t.Errorf("wait of %s, want 1s", d)
		}
	})
}

func TestThrottle_waitingIsNotCounted(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for range 5 {
			wait(t, throttle, ada, stranger(1))
		}
		for range 1000 {
			if d := wait(t, throttle, ada, stranger(1)); d != time.Second {
				t.Fatalf("wait of %s, want 1s however often one asks", d)
			}
		}
	})
}

func TestThrottle_quietIsForgiven(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for range 5 {
			wait(t, throttle, ada, stranger(1))
		}
		c.pass(30 * time.Minute)
		if d := wait(t, throttle, ada, stranger(1)); d != 0 {
			t.Fatalf("wait of %s, want none", d)
		}
		if d := wait(t, throttle, ada, stranger(1)); d != time.Second {
			t.Errorf("after half an hour one try was forgiven: wait of %s, want 1s", d)
		}
		c.pass(3 * time.Hour)
		for i := range 5 {
			if d := wait(t, throttle, ada, stranger(1)); d != 0 {
				t.Fatalf("after three hours, try %d: wait of %s, want none", i+1, d)
			}
		}
	})
}

func TestThrottle_aFloodDoesNotStopTheOwnerAtHome(t *testing.T) {
	t.Attr("asvs", "6.3.1")
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		must(t, throttle.Remember(t.Context(), ada, home))
		for i := range 10_000 {
			wait(t, throttle, ada, stranger(i%10))
			c.pass(100 * time.Millisecond)
		}
		if d := wait(t, throttle, ada, stranger(1)); d == 0 {
			t.Fatal("the flood is not slowed at all")
		}
		try, err := throttle.Begin(t.Context(), school.Password, "  ADA@lectern.example", home)
		if err != nil {
			t.Fatalf("the owner at home: %v", err)
		}
		must(t, try.Succeed(t.Context()))
		if d := wait(t, throttle, ada, stranger(1)); d == 0 {
			t.Error("the owner's success let the strangers go on")
		}
		if n := atOnce(t, throttle, ada, home); n != 5 {
			t.Errorf("at home %d tries were let through, want 5", n)
		}
	})
}

func TestThrottle_aFloodDoesNotStopTheOwnerOnTheMove(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		flood := func() {
			for i := range 1000 {
				wait(t, throttle, ada, stranger(i%200))
			}
		}
		begin := func(n int) *auth.Try {
			t.Helper()
			try, err := throttle.Begin(t.Context(), school.Password, ada, home)
			if err != nil {
				t.Fatalf("try %d of the owner: %v", n, err)
			}
			return try
		}
		flood()
		begin(1) // wrong
		flood()
		begin(2) // wrong
		flood()
		must(t, begin(3).Succeed(t.Context()))
		if n := atOnce(t, throttle, ada, home); n != 5 {
			t.Errorf("once the network is known, %d tries were let through, want 5", n)
		}
		if d := wait(t, throttle, ada, stranger(1)); d == 0 {
			t.Error("the owner's success let the strangers go on")
		}
	})
}

func TestThrottle_threeWrongTriesOnTheMoveAreNotTheEnd(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for i := range 100 {
			wait(t, throttle, ada, stranger(i))
		}
		if n := atOnce(t, throttle, ada, home); n != 3 {
			t.Fatalf("%d tries of the owner were let through, want 3", n)
		}
		// Those who have networks enough take every turn of the strangers.
		for i := range 29 {
			c.pass(time.Minute)
			wait(t, throttle, ada, stranger(100+i))
		}
		if d := wait(t, throttle, ada, home); d != time.Minute {
			t.Errorf("after 29 minutes: wait of %s, want 1m", d)
		}
		c.pass(time.Minute)
		wait(t, throttle, ada, stranger(200))
		if n := atOnce(t, throttle, ada, home); n != 1 {
			t.Errorf("after half an hour %d were let through, want 1", n)
		}
	})
}

func TestThrottle_manyNetworksHaveThreeTriesEach(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		const networks = 50
		c := newClock()
		throttle := newThrottle(open(t), c)
		for i := range networks {
			want := 3
			if i == 0 {
				want = 5 // that nobody has used yet
			}
			if n := atOnce(t, throttle, ada, stranger(i)); n != want {
				t.Errorf("network %d: %d were let through, want %d", i, n, want)
			}
		}
		all := func() (n int) {
			for i := range networks {
				n += atOnce(t, throttle, ada, stranger(i))
			}
			return n
		}
		c.pass(15*time.Minute - time.Millisecond)
		if n := all(); n != 0 {
			t.Errorf("a moment too early %d were let through, want none", n)
		}
		c.pass(time.Millisecond)
		if n := all(); n != 1 {
			t.Errorf("after the wait %d of all networks were let through, want 1", n)
		}
	})
}

func TestThrottle_aHouseholdIsOneNetwork(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for range 10 {
			wait(t, throttle, ada, stranger(1))
		}
		through := 0
		for i := range 100 {
			address := netip.MustParseAddr(fmt.Sprintf("2001:db8:0:1::%x", i+1))
			if wait(t, throttle, ada, address) == 0 {
				through++
			}
		}
		if through != 3 {
			t.Errorf("%d tries of one /64 were let through, want 3", through)
		}
		if n := atOnce(t, throttle, ada, netip.MustParseAddr("2001:db8:0:2::1")); n != 3 {
			t.Errorf("%d tries of the next /64 were let through, want 3", n)
		}
		if n := atOnce(t, throttle, ada, netip.MustParseAddr("::ffff:203.0.0.1")); n != 0 {
			t.Errorf("%d tries of an IPv4 address spelled as IPv6 were let through, want none", n)
		}
	})
}

func TestThrottle_connectionsWithoutAnAddressAreStrangers(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for range 20 {
			try, err := throttle.Begin(t.Context(), school.Password, ada, netip.Addr{})
			if err != nil {
				t.Fatal(err)
			}
			try.Cancel(t.Context())
		}
		for range 4 {
			wait(t, throttle, ada, netip.Addr{})
		}
		for range 2 {
			try, err := throttle.Begin(t.Context(), school.Password, ada, netip.Addr{})
			if err != nil {
				t.Fatal(err)
			}
			must(t, try.Succeed(t.Context())) // takes back its own, and no more
		}
		if n := atOnce(t, throttle, ada, netip.Addr{}); n != 1 {
			t.Errorf("%d tries were let through, want 1", n)
		}
	})
}

func TestThrottle_aSuccessOnANewNetworkDoesNotFreeTheStrangers(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		for _, later := range []time.Duration{0, time.Second} {
			c := newClock()
			throttle := newThrottle(open(t), c)
			for range 5 {
				wait(t, throttle, ada, stranger(1))
			}
			c.pass(later)
			try, err := throttle.Begin(t.Context(), school.Password, ada, home)
			if err != nil {
				t.Fatal(err)
			}
			must(t, try.Succeed(t.Context()))
			if d := wait(t, throttle, ada, stranger(1)); d != time.Second {
				t.Errorf("the next stranger, %s later: wait of %s, want 1s", later, d)
			}
		}
	})
}

func TestThrottle_aKnownNetworkGuessesNoMoreFreely(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		must(t, throttle.Remember(t.Context(), ada, home))
		for range 5 {
			wait(t, throttle, ada, home)
		}
		if d := wait(t, throttle, ada, home); d != time.Second {
			t.Errorf("wait of %s, want 1s", d)
		}
		c.pass(time.Second)
		try, err := throttle.Begin(t.Context(), school.Password, ada, home)
		if err != nil {
			t.Fatal(err)
		}
		must(t, try.Succeed(t.Context()))
		for i := range 5 {
			if d := wait(t, throttle, ada, home); d != 0 {
				t.Fatalf("after a success, try %d: wait of %s, want none", i+1, d)
			}
		}
	})
}

func TestThrottle_aSuccessMakesTheNetworkKnown(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		try, err := throttle.Begin(t.Context(), school.Password, ada, home)
		if err != nil {
			t.Fatal(err)
		}
		must(t, try.Succeed(t.Context()))
		const alan = "alan@lectern.example"
		for i := range 20 {
			wait(t, throttle, ada, stranger(i%4))
			wait(t, throttle, alan, stranger(i%4))
		}
		if n := atOnce(t, throttle, ada, home); n != 5 {
			t.Errorf("at home %d tries were let through, want 5", n)
		}
		if n := atOnce(t, throttle, alan, home); n != 3 {
			t.Errorf("on another account %d tries were let through from there, want 3 as from anywhere", n)
		}
	})
}

func TestThrottle_eightNetworksAreRemembered(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for i := range 9 {
			must(t, throttle.Remember(t.Context(), ada, stranger(i)))
			c.pass(time.Second)
		}
		for range 20 {
			wait(t, throttle, ada, home)
		}
		for i := range 9 {
			want := 5
			if i == 0 {
				want = 3 // as from a network never seen
			}
			if n := atOnce(t, throttle, ada, stranger(i)); n != want {
				t.Errorf("network %d: %d were let through, want %d", i, n, want)
			}
		}
	})
}

func TestThrottle_oneNetworkOnManyAccounts(t *testing.T) {
	t.Attr("asvs", "6.3.1")
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		must(t, throttle.Remember(t.Context(), ada, home))
		for i := range 30 {
			if d := wait(t, throttle, fmt.Sprintf("u%d@lectern.example", i), home); d != 0 {
				t.Fatalf("try %d: wait of %s, want none", i+1, d)
			}
		}
		if d := wait(t, throttle, "u31@lectern.example", home); d != 20*time.Second {
			t.Errorf("try 31: wait of %s, want 20s", d)
		}
		if d := wait(t, throttle, ada, home); d != 0 {
			t.Errorf("one who is known there: wait of %s, want none", d)
		}
		if d := wait(t, throttle, "u31@lectern.example", stranger(1)); d != 0 {
			t.Errorf("from elsewhere: wait of %s, want none", d)
		}
	})
}

func TestThrottle_aClassSignsInAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for i := range 200 {
			try, err := throttle.Begin(t.Context(), school.Password, fmt.Sprintf("u%d@lectern.example", i), home)
			if err != nil {
				t.Fatalf("person %d: %v", i+1, err)
			}
			must(t, try.Succeed(t.Context()))
		}
	})
}

func TestThrottle_whatWasNeverDecidedIsNotCounted(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		throttle := newThrottle(open(t), c)
		for i := range 100 {
			try, err := throttle.Begin(t.Context(), school.Password, ada, home)
			if err != nil {
				t.Fatalf("try %d: %v", i+1, err)
			}
			try.Cancel(t.Context())
		}
	})
}

// Whoever hangs up before the answer must not shorten the strangers' wait, also
// when the count is as long as it gets.
func TestThrottle_takingBackGivesNoMoreThanWasTaken(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		for _, before := range []int{5, 10, 15, 60} {
			c := newClock()
			throttle := newThrottle(open(t), c)
			for i := range before {
				wait(t, throttle, ada, stranger(i/5)) // 5 of the first, then 3 of each
			}
			want := wait(t, throttle, ada, stranger(0))
			var tries []*auth.Try
			for i := range 90 {
				try, err := throttle.Begin(t.Context(), school.Password, ada, stranger(100+i/3))
				if err != nil {
					t.Fatal(err)
				}
				tries = append(tries, try)
			}
			for i, try := range tries {
				if i%2 == 0 {
					try.Cancel(t.Context())
				} else {
					must(t, try.Succeed(t.Context()))
				}
			}
			if got := wait(t, throttle, ada, stranger(0)); got != want {
				t.Errorf("after %d tries: wait of %s, and %s once others were taken back", before, want, got)
			}
		}
	})
}

func TestThrottle_aHundredAtOnceAreAHundred(t *testing.T) {
	t.Attr("asvs", "15.4.2")
	eachStore(t, func(t *testing.T, open opener) {
		throttle := newThrottle(open(t), newClock())
		hundred := func(address netip.Addr) int64 {
			var through atomic.Int64
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					if _, err := throttle.Begin(t.Context(), school.Password, ada, address); err == nil {
						through.Add(1)
					}
				})
			}
			wg.Wait()
			return through.Load()
		}
		if n := hundred(stranger(1)); n != 5 {
			t.Errorf("%d of 100 were let through, want 5", n)
		}
		if n := hundred(stranger(2)); n != 3 {
			t.Errorf("%d of 100 from the next network were let through, want 3", n)
		}
	})
}

func TestThrottle_inventedAccountsFillNothing(t *testing.T) {
	c, memory := newClock(), auth.NewMemory()
	throttle := newThrottle(memory, c)
	for range 20 {
		wait(t, throttle, ada, stranger(1))
		c.pass(10 * time.Second)
	}
	before := wait(t, throttle, ada, stranger(1))
	limit, _ := memory.Rows()
	for i := range 3 * limit {
		wait(t, throttle, fmt.Sprintf("u%d@lectern.example", i), stranger(i))
	}
	if _, rows := memory.Rows(); rows > limit {
		t.Errorf("%d rows, want at most %d", rows, limit)
	}
	if after := wait(t, throttle, ada, stranger(1)); before == 0 || after != before {
		t.Errorf("the account under attack waited %s before the flood and %s after it", before, after)
	}
}

func TestThrottle_manyNetworksFillNothing(t *testing.T) {
	c, memory := newClock(), auth.NewMemory()
	throttle := newThrottle(memory, c)
	must(t, throttle.Remember(t.Context(), ada, home))
	limit, _ := memory.Rows()
	for i := range 3 * limit {
		wait(t, throttle, ada, stranger(i/2))
	}
	if _, rows := memory.Rows(); rows != limit {
		t.Errorf("%d rows, want %d", rows, limit)
	}
	last := stranger(2 * limit)
	if n := atOnce(t, throttle, ada, last); n != 3 {
		t.Errorf("from one network more %d tries were let through, want 3", n)
	}
	if d := wait(t, throttle, ada, last); d != 15*time.Minute {
		t.Errorf("the strangers wait %s, want 15m", d)
	}
	if n := atOnce(t, throttle, ada, home); n != 5 {
		t.Errorf("at home %d tries were let through, want 5", n)
	}
}

func TestLimiter(t *testing.T) {
	eachStore(t, func(t *testing.T, open opener) {
		c := newClock()
		limiter := auth.NewSharedLimiter(auth.SignUpByAddress, open(t), c.Now)
		for i := range 100 {
			if err := limiter.Take(t.Context(), home); err != nil {
				t.Fatalf("%d: %v", i+1, err)
			}
		}
		if d := waitOf(t, limiter.Take(t.Context(), home)); d != 36*time.Second {
			t.Errorf("number 101: wait of %s, want 36s", d)
		}
		c.pass(36 * time.Second)
		if d := waitOf(t, limiter.Take(t.Context(), home)); d != 0 {
			t.Errorf("36 seconds later: wait of %s, want none", d)
		}
		must(t, limiter.Return(t.Context(), home))
		if d := waitOf(t, limiter.Take(t.Context(), home)); d != 0 {
			t.Errorf("after one was given back: wait of %s, want none", d)
		}
		c.pass(24 * time.Hour)
		for range 100 {
			must(t, limiter.Return(t.Context(), home))
		}
		for i := range 101 {
			if d := waitOf(t, limiter.Take(t.Context(), home)); (d == 0) != (i < 100) {
				t.Errorf("a day later, %d: wait of %s", i+1, d)
			}
		}
	})
}

func TestLimiter_whatIsOneNetwork(t *testing.T) {
	for _, tt := range []struct {
		name, one, other string
		same             bool
	}{
		{"two IPv4 addresses", "198.51.100.7", "198.51.100.8", false},
		{"two IPv6 networks", "2001:db8:0:1::7", "2001:db8:0:2::7", false},
		{"two IPv6 addresses of one household", "2001:db8:0:1::7", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
		{"an IPv4 address in the form of IPv6", "198.51.100.7", "::ffff:198.51.100.7", true},
		{"two zones", "fe80::1%eth0", "fe80::1%eth1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			limiter := auth.NewLimiter(auth.Limit{Name: "test", Burst: 1, Per: time.Hour}, newClock().Now)
			if err := limiter.Take(t.Context(), netip.MustParseAddr(tt.one)); err != nil {
				t.Fatal(err)
			}
			if same := limiter.Take(t.Context(), netip.MustParseAddr(tt.other)) != nil; same != tt.same {
				t.Errorf("same: %v, want %v", same, tt.same)
			}
		})
	}
	limiter := auth.NewLimiter(auth.Limit{Name: "test", Burst: 1, Per: time.Hour}, newClock().Now)
	if limiter.Take(t.Context(), netip.Addr{}) != nil || limiter.Take(t.Context(), netip.Addr{}) == nil {
		t.Error("connections without an address are not limited together")
	}
}

func BenchmarkThrottle(b *testing.B) {
	throttle := auth.NewThrottle(auth.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
	i := 0
	for b.Loop() {
		i++
		if try, err := throttle.Begin(b.Context(), school.Password, fmt.Sprintf("u%d@lectern.example", i), stranger(i)); err == nil {
			_ = try
		}
	}
}
