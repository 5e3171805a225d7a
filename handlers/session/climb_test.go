package session_test

import (
	"errors"
	"net/http"
	"testing"

	"lectern/handlers/session"
	"lectern/handlers/session/sessiontest"
)

func TestClimb_refusesWhatIsNoRung(t *testing.T) {
	m := climbable(t, session.JWT, session.RevokeCutoff)
	for _, name := range []string{"", "abacus", "NONE"} {
		if err := m.Manager.Climb(t.Context(), name); !errors.Is(err, session.ErrUnknownRung) || m.Manager.Site().Revocation != session.RevokeCutoff {
			t.Errorf("%q gives %v, and tokens stand on %q", name, err, m.Manager.Site().Revocation)
		}
	}
	m.config.Revocation = "abacus"
	if _, err := session.NewManager(t.Context(), m.config); !errors.Is(err, session.ErrUnknownRung) {
		t.Errorf("a site whose setting is no rung starts: %v", err)
	}
}

// What an admin chose stands over a restart, and where it is read anew, until the
// operator changes the setting, which is the later word.
func TestClimb_yieldsToTheOperator(t *testing.T) {
	m := climbable(t, session.JWT, session.RevokeNone)
	if err := m.Manager.Climb(t.Context(), session.RevokeCutoff); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ says, setting, want string }{
		{"the same setting", session.RevokeNone, session.RevokeCutoff},
		{"the same once more", session.RevokeNone, session.RevokeCutoff},
		{"a changed one", session.RevokeDenylist, session.RevokeDenylist},
		{"the old one again", session.RevokeNone, session.RevokeNone},
	} {
		m.config.Revocation = row.setting
		m.restart()
		for range 2 {
			if got := m.Manager.Site(); got.Revocation != row.want || got.Backend != session.JWT || m.Manager.Power(session.JWT).Revocation != row.want {
				t.Errorf("%s: tokens stand on %q, want %q", row.says, got.Revocation, row.want)
			}
			if err := m.Manager.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Signing out with a token that cannot be told from the person's others ends
// what they have in every kind; where it can be told, that token alone.
func TestClimb_saysHowFarAnEndReaches(t *testing.T) {
	for _, row := range []struct {
		rung   string
		spares bool
	}{{session.RevokeNone, true}, {session.RevokeCutoff, false}, {session.RevokeDenylist, true}} {
		m := climbable(t, session.JWT, row.rung)
		band, ticket := m.arrive(sessiontest.Ada, ""), m.arrive(sessiontest.Ada, session.Memory)
		m.out(band.Do(m.Manager.End), "")
		if a := ticket.Visit(); a.Err != nil || a.SignedIn != row.spares {
			t.Errorf("on the rung %s the other session goes on: %v, %v", row.rung, a.SignedIn, a.Err)
		}
	}
}

// A token that was put on the list meanwhile is exchanged for nothing, and is
// said to have been put there.
func TestClimb_denylistContinuesNothingThatIsOnIt(t *testing.T) {
	m := climbable(t, session.JWT, session.RevokeDenylist)
	for says, act := range map[string]sessiontest.Act{"a ticket": m.switchTo(session.Memory), "a new token": m.Manager.Renew} {
		ada := m.arrive(sessiontest.Ada, "")
		slow := ada.Copy()
		a := slow.Do(func(w http.ResponseWriter, r *http.Request) error {
			ada.Do(m.Manager.End)
			return act(w, r)
		})
		if !errors.Is(a.Err, session.ErrEnded) || len(a.Cookies) > 0 || m.count(session.Memory) != 0 {
			t.Errorf("exchanged for %s: %v, %v", says, a.Err, a.Cookies)
		}
		m.out(slow.Visit(), session.Denied)
	}
}
