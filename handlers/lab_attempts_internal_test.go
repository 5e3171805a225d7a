package handlers

import (
	"strconv"
	"testing"
	"time"
)

func TestAttempts_areBounded(t *testing.T) {
	var kept attempts
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range maxAttempts + 10 {
		now = now.Add(time.Millisecond)
		kept.add(strconv.Itoa(i), attempt{at: now, origin: "o"})
	}
	if len(kept.kept) != maxAttempts {
		t.Errorf("%d are kept, want %d", len(kept.kept), maxAttempts)
	}
	if _, ok := kept.last("9", "o", now); ok {
		t.Error("an old one is kept instead of a new one")
	}
	if _, ok := kept.last("10", "o", now); !ok {
		t.Error("one is thrown away for which there is room")
	}
	later := now.Add(attemptLives + time.Second)
	if _, ok := kept.last("500", "o", later); ok {
		t.Error("one is shown after its time")
	}
	if kept.add("new", attempt{at: later, origin: "o"}); len(kept.kept) != 1 {
		t.Errorf("%d are kept after their time", len(kept.kept))
	}
}
