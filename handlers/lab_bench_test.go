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

// BenchmarkCatalogue_whileTheLabIsFull measures how long the catalogue takes, first
// alone and then with more people running experiments than the lab takes at once. The
// ratio of the two is what the bounds of the lab are for: at most 3.
func BenchmarkCatalogue_whileTheLabIsFull(b *testing.B) {
	s := startSite(b, "database", true, setting{rest: 2}) // as the program has it
	reader := s.enter(ada)
	cookie := "lectern-sid=" + reader.cookie("lectern-sid")
	// Somebody looks at the catalogue every few milliseconds, whatever is going on.
	look := func() []time.Duration {
		took := make([]time.Duration, 0, b.N)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range max(b.N, 400) {
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
	alone := look()

	stop := make(chan struct{})
	ctx, goHome := context.WithCancel(b.Context())
	var crowd sync.WaitGroup
	var answered [600]atomic.Int64
	run := func(slug, address string) {
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/lab/experiments/"+slug+"/runs", nil)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		answered[w.Code].Add(1)
	}
	each := func(begin, pause time.Duration, do func(n int)) {
		crowd.Go(func() {
			select {
			case <-stop:
				return
			case <-time.After(begin): // people do not come in step
			}
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-tick.C:
					do(n)
				}
			}
		})
	}
	// A crowd, each from an address of their own, that keeps the lab and its line full,
	// so that a thousand runs a second are refused; and a flood from one address, of which
	// it is the same.
	slugs := []string{"sign-out-then-replay", "add-a-second-server", "count-the-cost", "climb-the-ladder"}
	for i := range 140 {
		each(time.Duration(i)*40*time.Millisecond/140, 40*time.Millisecond, func(n int) { run(slugs[i%len(slugs)], fmt.Sprintf("10.%d.%d.%d:1", i, n/250%250, n%250)) })
	}
	for i := range 4 {
		each(time.Duration(i)*time.Millisecond, 4*time.Millisecond, func(int) { run(slugs[0], "192.0.2.1:1") })
	}
	full := look()
	close(stop)
	goHome()
	crowd.Wait()

	b.ReportMetric(p99(alone), "p99-alone-µs")
	b.ReportMetric(p99(full), "p99-full-µs")
	b.ReportMetric(p99(full)/p99(alone), "ratio")
	b.ReportMetric(float64(answered[http.StatusOK].Load()), "runs")
	b.ReportMetric(float64(answered[http.StatusTooManyRequests].Load()), "refused")
	b.ReportMetric(0, "ns/op")
}

func p99(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds())
}
