package lab_test

import (
	"context"
	"errors"
	"testing"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// TestRun_isNotBrokenBecauseItWasBrokenOff: who goes away, in whichever step, gets an
// error, and never a run that claims that the program does something else.
func TestRun_isNotBrokenBecauseItWasBrokenOff(t *testing.T) {
	for _, columns := range []string{"jwt", "database", "hybrid", "memory"} {
		for stop := range 5 {
			l := labWith(t, handlers.SmallWorlds(nil), bounds, columns, `browser ada
				ada: signs in as ada
					expect 303
				clock +2m
				ada: GET /account (decides)
					expect 200, page says "Ada Byron"
				server: shows what it keeps
				ada: POST /signout
					expect 303`)
			ctx, cancel := context.WithCancel(t.Context())
			steps := 0
			run, err := l.Run(ctx, "written", lab.Watcher{Step: func(_, _ string, status int) {
				if steps++; steps == stop+1 {
					cancel()
				}
			}})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s, broken off after step %d: %v, and a run: %t", columns, stop+1, err, run != nil)
			}
			if run != nil && run.Broken() {
				t.Errorf("%s, broken off after step %d, claims %q", columns, stop+1, run.Columns[0].Wrongs)
			}
		}
	}
}
