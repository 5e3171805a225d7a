package handlers

import (
	"testing"
	"time"

	"lectern/handlers/session"
)

// TestLastsUntil_isAsLateAsTheKind says until when, for a token and for a session
// whose end is noticed late.
func TestLastsUntil_isAsLateAsTheKind(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 4, 30, 0, time.Local)
	for _, row := range []struct {
		says  string
		power session.Power
		want  string
	}{
		{"a hybrid", session.Power{EndsUser: true, Life: time.Minute, Longest: time.Minute}, "within 1 minute: at 14:05:30 at the latest"},
		{"a token", session.Power{Life: time.Hour, Longest: time.Hour}, "when the token expires: at 15:04:30 at the latest"},
		{"a token that may be remembered", session.Power{Life: time.Hour, Longest: 720 * time.Hour}, "when the token expires: at 15:04:30 at the latest, or 22 December 2026, 14:04 with “remember me”"},
	} {
		if got := lastsUntil(row.power, now); got != row.want {
			t.Errorf("%s: %q, want %q", row.says, got, row.want)
		}
	}
}
