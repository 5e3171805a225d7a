package auth_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	_, err := throttle.Begin(email, address)
	return waitOf(t, err)
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

func TestThrottle_strangersWaitLongerAndLonger(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for i := range 5 {
		if d := wait(t, throttle, ada, stranger(i)); d != 0 {
			t.Fatalf("try %d: wait of %s, want none", i+1, d)
		}
	}
	n := 5
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		want *= time.Second
		n++
		if d := wait(t, throttle, ada, stranger(n)); d != want {
			t.Fatalf("try %d: wait of %s, want %s", n, d, want)
		}
		c.pass(want - time.Nanosecond)
		if d := wait(t, throttle, ada, stranger(n)); d != time.Nanosecond {
			t.Fatalf("try %d, a moment too early: wait of %s, want 1ns", n, d)
		}
		c.pass(time.Nanosecond)
		if d := wait(t, throttle, ada, stranger(n)); d != 0 {
			t.Fatalf("try %d, after the wait: wait of %s, want none", n, d)
		}
	}
}

func TestThrottle_oneAddressInManySpellingsIsOneAccount(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for i, email := range []string{ada, "ADA@lectern.example", " ada@lectern.example", "Ada@Lectern.Example ", "\tada@LECTERN.example"} {
		if d := wait(t, throttle, email, stranger(i)); d != 0 {
			t.Fatalf("try %d: wait of %s, want none", i+1, d)
		}
	}
	if d := wait(t, throttle, "aDa@lectern.example", stranger(6)); d != time.Second {
		t.Errorf("wait of %s, want 1s", d)
	}
}

func TestThrottle_waitingIsNotCounted(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for range 5 {
		wait(t, throttle, ada, stranger(1))
	}
	for range 1000 {
		if d := wait(t, throttle, ada, stranger(1)); d != time.Second {
			t.Fatalf("wait of %s, want 1s however often one asks", d)
		}
	}
}

func TestThrottle_quietIsForgiven(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
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
}

func TestThrottle_aFloodDoesNotStopTheOwnerAtHome(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	throttle.Remember(ada, home)
	for i := range 10_000 {
		wait(t, throttle, ada, stranger(i))
		c.pass(100 * time.Millisecond)
	}
	if d := wait(t, throttle, ada, stranger(1)); d == 0 {
		t.Fatal("the flood is not slowed at all")
	}
	try, err := throttle.Begin("  ADA@lectern.example", home)
	if err != nil {
		t.Fatalf("the owner at home: %v", err)
	}
	try.Succeed()
	if d := wait(t, throttle, ada, stranger(1)); d == 0 {
		t.Error("the owner's success let the strangers go on")
	}
}

func TestThrottle_aSuccessOnANewNetworkDoesNotFreeTheStrangers(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for i := range 5 {
		wait(t, throttle, ada, stranger(i))
	}
	c.pass(time.Second)
	try, err := throttle.Begin(ada, home)
	if err != nil {
		t.Fatal(err)
	}
	try.Succeed()
	if d := wait(t, throttle, ada, stranger(6)); d != time.Second {
		t.Errorf("the next stranger: wait of %s, want 1s", d)
	}
}

func TestThrottle_aKnownNetworkGuessesNoMoreFreely(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	throttle.Remember(ada, home)
	for range 5 {
		wait(t, throttle, ada, home)
	}
	if d := wait(t, throttle, ada, home); d != time.Second {
		t.Errorf("wait of %s, want 1s", d)
	}
	c.pass(time.Second)
	try, err := throttle.Begin(ada, home)
	if err != nil {
		t.Fatal(err)
	}
	try.Succeed()
	for i := range 5 {
		if d := wait(t, throttle, ada, home); d != 0 {
			t.Fatalf("after a success, try %d: wait of %s, want none", i+1, d)
		}
	}
}

func TestThrottle_aSuccessMakesTheNetworkKnown(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	try, err := throttle.Begin(ada, home)
	if err != nil {
		t.Fatal(err)
	}
	try.Succeed()
	for i := range 10 {
		wait(t, throttle, ada, stranger(i))
	}
	if d := wait(t, throttle, ada, home); d != 0 {
		t.Errorf("at home: wait of %s, want none", d)
	}
	if d := wait(t, throttle, "alan@lectern.example", home); d != 0 {
		t.Errorf("another account from there: wait of %s, want none", d)
	}
	for i := range 10 {
		wait(t, throttle, "alan@lectern.example", stranger(i))
	}
	if d := wait(t, throttle, "alan@lectern.example", home); d == 0 {
		t.Error("a network known for one account is known for another")
	}
}

func TestThrottle_eightNetworksAreRemembered(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for i := range 9 {
		throttle.Remember(ada, stranger(i))
		c.pass(time.Second)
	}
	for range 20 {
		wait(t, throttle, ada, home)
	}
	for i := range 9 {
		known := wait(t, throttle, ada, stranger(i)) == 0
		if want := i > 0; known != want {
			t.Errorf("network %d: known %v, want %v", i, known, want)
		}
	}
}

func TestThrottle_oneNetworkOnManyAccounts(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	throttle.Remember(ada, home)
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
}

func TestThrottle_aClassSignsInAtOnce(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for i := range 200 {
		try, err := throttle.Begin(fmt.Sprintf("u%d@lectern.example", i), home)
		if err != nil {
			t.Fatalf("person %d: %v", i+1, err)
		}
		try.Succeed()
	}
}

func TestThrottle_whatWasNeverDecidedIsNotCounted(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for i := range 100 {
		try, err := throttle.Begin(ada, home)
		if err != nil {
			t.Fatalf("try %d: %v", i+1, err)
		}
		try.Cancel()
	}
}

func TestThrottle_aHundredAtOnceAreAHundred(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	var through atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := throttle.Begin(ada, stranger(i)); err == nil {
				through.Add(1)
			}
		})
	}
	wg.Wait()
	if through.Load() != 5 {
		t.Errorf("%d of 100 were let through, want 5", through.Load())
	}
}

func TestThrottle_inventedAccountsFillNothing(t *testing.T) {
	c := newClock()
	throttle := auth.NewThrottle(c.Now)
	for range 20 {
		wait(t, throttle, ada, stranger(1))
		c.pass(10 * time.Second)
	}
	before := wait(t, throttle, ada, stranger(1))
	limit, _ := throttle.Rows()
	for i := range 3 * limit {
		wait(t, throttle, fmt.Sprintf("u%d@lectern.example", i), stranger(i))
	}
	if _, rows := throttle.Rows(); rows > limit {
		t.Errorf("%d rows, want at most %d", rows, limit)
	}
	if after := wait(t, throttle, ada, stranger(1)); before == 0 || after != before {
		t.Errorf("the account under attack waited %s before the flood and %s after it", before, after)
	}
}

func TestLimiter(t *testing.T) {
	c := newClock()
	limiter := auth.NewLimiter(auth.SignUpByAddress, c.Now)
	for i := range 10 {
		if err := limiter.Take(home); err != nil {
			t.Fatalf("%d: %v", i+1, err)
		}
	}
	if d := waitOf(t, limiter.Take(home)); d != 6*time.Minute {
		t.Errorf("the eleventh: wait of %s, want 6m", d)
	}
	c.pass(6 * time.Minute)
	if d := waitOf(t, limiter.Take(home)); d != 0 {
		t.Errorf("six minutes later: wait of %s, want none", d)
	}
	limiter.Return(home)
	if d := waitOf(t, limiter.Take(home)); d != 0 {
		t.Errorf("after one was given back: wait of %s, want none", d)
	}
	c.pass(24 * time.Hour)
	for range 10 {
		limiter.Return(home)
	}
	for i := range 11 {
		if d := waitOf(t, limiter.Take(home)); (d == 0) != (i < 10) {
			t.Errorf("a day later, %d: wait of %s", i+1, d)
		}
	}
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
			if err := limiter.Take(netip.MustParseAddr(tt.one)); err != nil {
				t.Fatal(err)
			}
			if same := limiter.Take(netip.MustParseAddr(tt.other)) != nil; same != tt.same {
				t.Errorf("same: %v, want %v", same, tt.same)
			}
		})
	}
	limiter := auth.NewLimiter(auth.Limit{Name: "test", Burst: 1, Per: time.Hour}, newClock().Now)
	if limiter.Take(netip.Addr{}) != nil || limiter.Take(netip.Addr{}) == nil {
		t.Error("connections without an address are not limited together")
	}
}

func BenchmarkThrottle(b *testing.B) {
	throttle := auth.NewThrottle(time.Now)
	i := 0
	for b.Loop() {
		i++
		if try, err := throttle.Begin(fmt.Sprintf("u%d@lectern.example", i), stranger(i)); err == nil {
			_ = try
		}
	}
}
