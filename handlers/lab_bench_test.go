package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rounds is how often the two that are compared take turns, so that a slow moment of the
// machine falls on both.
const rounds = 6

// BenchmarkCatalogue_whileTheLabIsFull measures how long the catalogue takes, by turns
// alone and with more people running experiments than the lab takes at once. The ratio
// of the two is what the bounds of the lab are for: at most 3.
func BenchmarkCatalogue_whileTheLabIsFull(b *testing.B) {
	s := startSite(b, "database", true, setting{rest: 3}) // as the program has it
	reader := s.enter(ada)
	cookie := "lectern-sid=" + reader.cookie("lectern-sid")
	// Somebody looks at the catalogue every few milliseconds, whatever is going on.
	look := func() []time.Duration {
		var took []time.Duration
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range max(b.N, 1200) / rounds {
			<-tick.C
			r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, s.url+"/courses", nil)
			r.Header.Set("Cookie", cookie)
			w := httptest.NewRecorder()
			begun := time.Now()
			s.ServeHTTP(w, r)
			took = append(took, time.Since(begun))
			if w.Code != http.StatusOK {
				b.Fatalf("the catalogue answers %d", w.Code)
			}
		}
		return took
	}
	var alone, full []time.Duration
	var addresses atomic.Uint32
	var answered [600]atomic.Int64
	for range rounds {
		alone = append(alone, look()...)
		goHome := crowd(b.Context(), s, &addresses, &answered)
		full = append(full, look()...)
		goHome()
	}

	b.ReportMetric(p99(alone), "p99-alone-µs")
	b.ReportMetric(p99(full), "p99-full-µs")
	b.ReportMetric(p99(full)/p99(alone), "ratio")
	b.ReportMetric(float64(answered[http.StatusOK].Load()), "runs")
	b.ReportMetric(float64(answered[http.StatusTooManyRequests].Load()), "refused")
	b.ReportMetric(0, "ns/op")
}

// crowd has people come, each time from another address, who keep the lab and its line
// full, so that a thousand runs a second are refused; and a flood from one address, of
// which it is the same. The line is full when it returns, until goHome. What they are
// told is counted, by status.
func crowd(ctx context.Context, s *site, addresses *atomic.Uint32, answered *[600]atomic.Int64) (goHome func()) {
	ctx, cancel := context.WithCancel(ctx)
	var people sync.WaitGroup
	full := make(chan struct{})
	each := func(begin, pause time.Duration, slug string, address func() string, refused func()) {
		people.Go(func() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(begin): // people do not come in step
			}
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				r := httptest.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/lab/experiments/"+slug+"/runs", nil)
				r.RemoteAddr = address()
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if answered[w.Code].Add(1); w.Code == http.StatusTooManyRequests {
					refused()
				}
			}
		})
	}
	isFull := sync.OnceFunc(func() { close(full) })
	another := func() string {
		n := addresses.Add(1)
		return fmt.Sprintf("10.%d.%d.%d:1", byte(n>>16), byte(n>>8), byte(n))
	}
	slugs := []string{"sign-out-then-replay", "add-a-second-server", "count-the-cost", "climb-the-ladder"}
	for i := range 140 {
		each(time.Duration(i)*40*time.Millisecond/140, 40*time.Millisecond, slugs[i%len(slugs)], another, isFull)
	}
	for i := range 4 {
		each(time.Duration(i)*time.Millisecond, 4*time.Millisecond, slugs[0], func() string { return "192.0.2.1:1" }, func() {})
	}
	<-full
	return func() {
		cancel()
		people.Wait()
	}
}

func p99(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds())
}
