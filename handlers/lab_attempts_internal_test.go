package handlers

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"lectern/handlers/lab/othersite"
)

func TestAttempts_areBounded(t *testing.T) {
	var kept attempts
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	add := func(id string, place int) {
		now = now.Add(time.Millisecond)
		kept.add(id, network(place), attempt{at: now, origin: "o"})
	}
	there := func(id string) bool {
		_, ok := kept.last(id, "o", now)
		return ok
	}
	add("hers", 1)
	for i := range attemptsPerNetwork + 10 {
		add(strconv.Itoa(i), 0)
	}
	if got := len(kept.kept); got != attemptsPerNetwork+1 || !there("hers") {
		t.Errorf("one place has %d kept, want %d; somebody else's is there: %v", got-1, attemptsPerNetwork, there("hers"))
	}
	if there("9") || !there("10") {
		t.Error("the oldest is kept instead of a new one, or one thrown away for which there is room")
	}
	for range 10 {
		add("10", 0)
	}
	if add("one more", 0); !there("10") || there("11") {
		t.Error("who was heard of again is thrown away as if they had not been")
	}
	for i := range maxAttempts {
		add("far "+strconv.Itoa(i), i+2)
	}
	if got := len(kept.kept); got != maxAttempts || kept.order.Len() != maxAttempts || len(kept.networks) != maxAttempts {
		t.Errorf("%d are kept, %d in order, from %d places, want %d", got, kept.order.Len(), len(kept.networks), maxAttempts)
	}
	if there("hers") || !there("far 0") {
		t.Error("an old one is kept instead of a new one")
	}
	kept.forget("far 0")
	kept.forget("far 0")
	if there("far 0") || len(kept.kept) != maxAttempts-1 {
		t.Error("what was to be forgotten is kept")
	}
	now = now.Add(attemptLives + time.Second)
	if there("far 500") {
		t.Error("one is shown after its time")
	}
	if add("new", 1); len(kept.kept) != 1 || kept.order.Len() != 1 || len(kept.networks) != 1 {
		t.Errorf("%d are kept after their time, from %d places", len(kept.kept), len(kept.networks))
	}
}

func TestAttempts_keepTheLastOfEachOrigin(t *testing.T) {
	var kept attempts
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	kept.add("hers", network(0), attempt{at: now, origin: "apart", fetchSite: "cross-site"})
	kept.add("hers", network(1), attempt{at: now, origin: "next door", fetchSite: "same-site"})
	kept.add("hers", network(0), attempt{at: now, origin: "apart", fetchSite: "none"})
	for origin, want := range map[string]string{"apart": "none", "next door": "same-site", "elsewhere": ""} {
		if one, ok := kept.last("hers", origin, now); one.fetchSite != want || ok != (want != "") {
			t.Errorf("from %s: %+v, %v", origin, one, ok)
		}
	}
	if len(kept.kept) != 1 || len(kept.networks) != 1 {
		t.Errorf("one browser is kept %d times, from %d places", len(kept.kept), len(kept.networks))
	}
}

func TestAttemptNames_areDrawnHere(t *testing.T) {
	n, other := newAttemptNames(), newAttemptNames()
	id := n.draw()
	if !othersite.IsAttempt(id) || !n.handedOut(id) || id == n.draw() {
		t.Errorf("%q is handed out", id)
	}
	for _, wrong := range []string{"", "x", id + "A", id[:25], strings.ToLower(id), strings.Repeat("A", 26), other.draw(), id[attemptHalf:] + id[:attemptHalf], n.draw()[:attemptHalf] + id[attemptHalf:]} {
		if n.handedOut(wrong) {
			t.Errorf("%q counts as handed out", wrong)
		}
	}
}

// AttemptsKept is of how many browsers attempts are kept.
func (s *Server) AttemptsKept() int {
	s.attempts.mu.Lock()
	defer s.attempts.mu.Unlock()
	return len(s.attempts.kept)
}
