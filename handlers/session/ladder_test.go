package session_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/sessiontest"
)

// eachRung runs a test on a site whose tokens stand on each rung of the ladder,
// beside every other kind of session.
func eachRung(t *testing.T, kind string, test func(t *testing.T, m *managed, rung string)) {
	t.Helper()
	for _, rung := range []string{session.RevokeNone, session.RevokeCutoff, session.RevokeDenylist} {
		t.Run(rung, func(t *testing.T) {
			test(t, climbable(t, kind, rung), rung)
		})
	}
}

// A press that comes twice takes nothing from the first, nor from another device.
func TestSwitch_twiceAtOnceOnEachRung(t *testing.T) {
	eachRung(t, session.Database, func(t *testing.T, m *managed, _ string) {
		ada, phone := m.arrive(sessiontest.Ada, ""), m.arrive(sessiontest.Ada, session.JWT)
		slow := ada.Copy()
		a := slow.Do(func(w http.ResponseWriter, r *http.Request) error {
			m.in(ada.Do(m.switchTo(session.JWT)), session.JWT)
			return m.Manager.Switch(w, r, session.JWT)
		})
		if !errors.Is(a.Err, session.ErrEnded) {
			t.Errorf("the second press: %v", a.Err)
		}
		m.in(ada.Visit(), session.JWT)
		m.in(phone.Visit(), session.JWT)
	})
}

// Somebody who is put out while they end their other sessions stays out.
func TestEndOthers_doesNotOutliveAnEndMeanwhile(t *testing.T) {
	for _, kind := range kinds {
		eachRung(t, kind, func(t *testing.T, m *managed, rung string) {
			if kind == session.JWT && rung == session.RevokeNone {
				return // there a token cannot be put out
			}
			ada := m.arrive(sessiontest.Ada, "")
			m.Clock.Move(10 * time.Second)
			a := ada.Do(func(w http.ResponseWriter, r *http.Request) error {
				if _, err := m.Manager.EndUser(t.Context(), sessiontest.Ada); err != nil {
					return err
				}
				_, err := m.Manager.EndOthers(w, r)
				return err
			})
			if !errors.Is(a.Err, session.ErrEnded) {
				t.Errorf("%s: %v", kind, a.Err)
			}
			m.Clock.Move(lagOf(kind) + time.Minute)
			if ada.Visit().SignedIn {
				t.Errorf("%s: somebody who was put out is in", kind)
			}
		})
	}
}

// The same between the question and the end, where only what was found while the
// end was noted can tell.
func TestEndOthers_seesAnEndThatWasNotedJustBefore(t *testing.T) {
	eachRung(t, session.JWT, func(t *testing.T, m *managed, rung string) {
		if rung == session.RevokeNone {
			return
		}
		ada := m.arrive(sessiontest.Ada, "")
		m.Clock.Move(10 * time.Second)
		m.School.BeforeEnd(func() {
			if _, err := m.Manager.EndUser(t.Context(), sessiontest.Ada); err != nil {
				t.Error(err)
			}
		})
		a := ada.Do(func(w http.ResponseWriter, r *http.Request) error {
			_, err := m.Manager.EndOthers(w, r)
			return err
		})
		if !errors.Is(a.Err, session.ErrEnded) {
			t.Errorf("ending the others: %v", a.Err)
		}
		m.Clock.Move(time.Minute)
		m.out(ada.Visit(), session.CutOff)
	})
}

// A switch to a store that is away changes nothing.
func TestSwitchSite_toAStoreThatIsAway(t *testing.T) {
	m := manage(t, session.Database)
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.redis.Close()
	a := alan.Do(func(w http.ResponseWriter, r *http.Request) error {
		_, err := m.Manager.SwitchSite(w, r, session.Redis, session.Carry)
		return err
	})
	if !errors.Is(a.Err, session.ErrUnavailable) || m.Manager.Site().Backend != session.Database || len(a.Cookies) > 0 {
		t.Errorf("%v, and the site has %s", a.Err, m.Manager.Site().Backend)
	}
	m.in(alan.Visit(), session.Database)
	m.in(ada.Visit(), session.Database)
}

// Two servers: what one has chosen a moment ago, the other does not undo.
func TestClimb_keepsWhatAnotherServerHasChosen(t *testing.T) {
	m := manage(t, session.JWT)
	other, err := session.NewManager(t.Context(), m.config)
	if err != nil {
		t.Fatal(err)
	}
	alan := m.arrive(sessiontest.Alan, "")
	m.switchSite(alan, session.Database, session.EndThem)
	want := m.Manager.Site()
	if err := other.Climb(t.Context(), session.RevokeCutoff); err != nil {
		t.Fatal(err)
	}
	got := other.Site()
	if got.Backend != want.Backend || !got.EndedAt.Equal(want.EndedAt) || got.Revocation != session.RevokeCutoff || !slices.Equal(got.CarryFrom, want.CarryFrom) {
		t.Errorf("it was %+v and is %+v", want, got)
	}
}

// Two servers that were started with different settings: the one that started
// last had the last word, and from then on both follow what an admin chooses.
func TestRefresh_followsWhatWasChosenSince(t *testing.T) {
	m := manage(t, session.Database)
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	config := m.config
	config.Default = session.Memory
	other, err := session.NewManager(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	refresh := func(want string) {
		t.Helper()
		for range 2 {
			for _, server := range []*session.Manager{m.Manager, other} {
				if err := server.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := server.Site().Backend; got != want {
					t.Fatalf("the site has %s, want %s", got, want)
				}
			}
		}
	}
	refresh(session.Memory)
	m.in(ada.Visit(), session.Memory) // carried over, by a changed setting as by an admin
	m.switchSite(alan, session.Redis, session.Carry)
	refresh(session.Redis)
	m.in(ada.Visit(), session.Redis)
	if m.Manager.Site().SwitchedAt.IsZero() {
		t.Error("the admin's choice has no date")
	}
}
