package lab_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// TestRun_stopsInTheMiddleOfAStep: the time is over while a step asks again and
// again. The request that is under way is told, and there is no other.
func TestRun_stopsInTheMiddleOfAStep(t *testing.T) {
	for _, row := range []struct{ says, step string }{
		{"until refused", "ada: GET /account until refused, every 1s"},
		{"many times", "ada: GET /account 5000 times"},
		{"once, and then more steps", "ada: GET /account\n ada: GET /account\n ada: GET /account\n ada: GET /account\n ada: GET /account"},
	} {
		t.Run(row.says, func(t *testing.T) {
			const slow = 3 // the request that does not end in time
			var asked, late atomic.Int64
			build := between(handlers.SmallWorlds(nil), func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch n := asked.Add(1); {
					case n == slow:
						select {
						case <-r.Context().Done():
						case <-time.After(20 * time.Second):
							t.Error("a request is not told that the time is over")
						}
					case n > slow:
						late.Add(1)
					}
					io.WriteString(w, "Yes.") // whatever happens, so that only the time ends it
				})
			})
			l := labWith(t, build, lab.Bounds{Time: time.Second, AtOnce: 1}, "jwt", "browser ada\n "+row.step)
			_, err := l.Run(t.Context(), "written", lab.Watcher{})
			if asked.Load() < slow {
				t.Fatalf("after %d requests the time was over already: %v", asked.Load(), err)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ends with %v", err)
			}
			if late.Load() > 0 {
				t.Errorf("after the end of the time %d more were made", late.Load())
			}
		})
	}
}

// TestRun_letsGoWhatTheStoreHolds: a run that ends, or is broken off, while a request
// is held on its way to the store ends all the same, and the request with it.
func TestRun_letsGoWhatTheStoreHolds(t *testing.T) {
	const held = `browser ada
		ada: signs in as ada
		clock +2m
		store: holds the next write
		ada: fetch /api/v1/me, without waiting`
	for _, row := range []struct {
		says, script string
		breakOff     string // the step after which somebody goes away; empty for nobody
	}{
		{"the script ends", held, ""},
		{"somebody goes away", held + "\n ada: GET /account 3 times\n store: lets go", "without waiting"},
		{"somebody goes away before", held + "\n store: lets go", "store: holds"},
	} {
		t.Run(row.says, func(t *testing.T) {
			var under atomic.Int64
			build := between(handlers.SmallWorlds(nil), func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					under.Add(1)
					defer under.Add(-1)
					next.ServeHTTP(w, r)
				})
			})
			l := labWith(t, build, bounds, "database\n hybrid", row.script)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := l.Run(ctx, "written", lab.Watcher{Step: func(_, line string, _ int) {
					if row.breakOff != "" && strings.Contains(line, row.breakOff) {
						cancel()
					}
				}})
				ended <- err
			}()
			select {
			case err := <-ended:
				if row.breakOff == "" && err != nil || row.breakOff != "" && !errors.Is(err, context.Canceled) {
					t.Errorf("it ends with %v", err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it does not end")
			}
			if n := under.Load(); n != 0 {
				t.Errorf("%d requests are still under way", n)
			}
		})
	}
}
