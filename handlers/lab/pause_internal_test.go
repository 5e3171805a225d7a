package lab

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPause_restsForItsWorkWhileThereIsTime: a run that is behind time does not rest, or
// a slow machine would break off each.
func TestPause_restsForItsWorkWhileThereIsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		w := &world{ctx: ctx, bounds: Bounds{Time: 10 * time.Second, Rest: 3}, rested: time.Now()}
		work := func(d, rest time.Duration) {
			t.Helper()
			time.Sleep(d)
			before := time.Now()
			w.pause()
			if got := time.Since(before); got != rest {
				t.Errorf("after %s of work it rests %s, want %s", d, got, rest)
			}
		}
		work(100*time.Microsecond, 0) // not worth it
		work(100*time.Microsecond, 0)
		work(100*time.Millisecond, 3*(100*time.Millisecond+200*time.Microsecond))
		work(time.Second, 3*time.Second)
		work(100*time.Millisecond, 0)
	})
}
