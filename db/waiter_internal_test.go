package db

import (
	"context"
	"testing"

	"github.com/mattn/go-sqlite3"
)

// TestWaiter_somebodyWhoLeftEarlySaysNothingOfTheLock: only who has waited for as
// long as anybody may sends the next ones away.
func TestWaiter_somebodyWhoLeftEarlySaysNothingOfTheLock(t *testing.T) {
	busy := func() error { return sqlite3.Error{Code: sqlite3.ErrBusy} }
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var w waiter
	if err := w.wait(gone, busy); !locked(err) {
		t.Fatalf("waiting gives %v", err)
	}
	if w.gaveUp.Load() != nil {
		t.Error("the next one is sent away because somebody left")
	}
	if err := w.wait(t.Context(), busy); !locked(err) || w.gaveUp.Load() == nil {
		t.Errorf("waiting in vain gives %v, and is not noted", err)
	}
}
