package session_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/sessiontest"
)

// TestEnded_tokensBuyNothingNew ends a person's sessions. Their token goes on
// for what it is, and is exchanged neither for a record nor for a new token.
func TestEnded_tokensBuyNothingNew(t *testing.T) {
	m := manage(t, session.Database)
	b := m.arrive(sessiontest.Ada, session.JWT)
	m.Clock.Move(time.Minute)
	if _, err := m.Manager.EndUser(t.Context(), sessiontest.Ada); err != nil {
		t.Fatal(err)
	}
	for says, act := range map[string]sessiontest.Act{
		"a ticket in memory":       m.switchTo(session.Memory),
		"a ticket in the database": m.switchTo(session.Database),
		"a new token":              m.Manager.Renew,
		"the end of all others": func(w http.ResponseWriter, r *http.Request) error {
			_, err := m.Manager.EndOthers(w, r)
			return err
		},
	} {
		if a := b.Do(act); !errors.Is(a.Err, session.ErrEnded) {
			t.Errorf("exchanged for %s: %v", says, a.Err)
		}
	}
	m.in(b.Visit(), session.JWT) // nothing can know, and so it goes on
	if n := m.count(session.Memory) + m.count(session.Database); n != 0 {
		t.Errorf("%d records were left behind", n)
	}
}

// TestEnded_tokensAreNotCarried switches the site after the sessions of one
// person were ended.
func TestEnded_tokensAreNotCarried(t *testing.T) {
	m := manage(t, session.JWT)
	b, admin := m.arrive(sessiontest.Ada, ""), m.arrive(sessiontest.Alan, "")
	m.Clock.Move(time.Minute)
	if _, err := m.Manager.EndUser(t.Context(), sessiontest.Ada); err != nil {
		t.Fatal(err)
	}
	m.switchSite(admin, session.Memory, session.Carry)
	m.out(b.Visit(), session.Unknown)
}

// TestEndOthers_leavesThisOneWhole changes a password: this session was renewed
// and goes on, also into another kind.
func TestEndOthers_leavesThisOneWhole(t *testing.T) {
	for _, kind := range kinds {
		m := manage(t, kind)
		b := m.arrive(sessiontest.Ada, "")
		m.Clock.Move(1500 * time.Millisecond)
		a := b.Do(func(w http.ResponseWriter, r *http.Request) error {
			_, err := m.Manager.EndOthers(w, r)
			return err
		})
		m.in(a, kind)
		m.Clock.Move(time.Minute)
		for _, to := range kinds {
			m.in(b.Do(m.switchTo(to)), to)
		}
	}
}

// TestStart_letsNobodyInWhoWasPutOutMeanwhile proves a password at one time and
// starts the session a little later.
func TestStart_letsNobodyInWhoWasPutOutMeanwhile(t *testing.T) {
	for says, between := range map[string]func(*managed){
		"sessions ended": func(m *managed) { _, _ = m.Manager.EndUser(t.Context(), sessiontest.Ada) },
		"account closed": func(m *managed) {
			m.School.Change(sessiontest.Ada, func(u *school.User) { u.DisabledAt = m.Clock.Now() })
		},
		"person removed": func(m *managed) { m.School.Remove(sessiontest.Ada) },
		"nothing":        func(*managed) {},
	} {
		for _, kind := range kinds {
			m := manage(t, kind)
			proved := m.Clock.Now()
			m.Clock.Move(40 * time.Millisecond)
			between(m)
			a := m.browser().Do(func(w http.ResponseWriter, r *http.Request) error {
				return m.Manager.Start(w, r, session.Identity{UserID: sessiontest.Ada, Role: school.Admin, Methods: []string{"pwd"}, AuthAt: proved}, session.StartOptions{})
			})
			if a.SignedIn != (says == "nothing") {
				t.Errorf("%s, %s: signed in %v, %v", says, kind, a.SignedIn, a.Err)
			}
			if a.SignedIn && a.Record.Role != school.Student {
				t.Errorf("%s: the session has the role %s that was read before", kind, a.Record.Role)
			}
		}
	}
}

// TestStart_seesWhoIsPutOutWhileItWrites ends a person's sessions at the only
// moment at which there is nothing yet that could be ended.
func TestStart_seesWhoIsPutOutWhileItWrites(t *testing.T) {
	for says, put := range map[string]func(*managed) error{
		"sessions ended": func(m *managed) error {
			_, err := m.Manager.EndUser(m.t.Context(), sessiontest.Ada)
			return err
		},
		"another role": func(m *managed) error {
			m.School.Change(sessiontest.Ada, func(u *school.User) { u.Role = school.Instructor })
			_, err := m.Manager.ChangeRole(m.t.Context(), sessiontest.Ada, school.Student, school.Instructor)
			return err
		},
		"account closed": func(m *managed) error {
			m.School.Change(sessiontest.Ada, func(u *school.User) { u.DisabledAt = m.Clock.Now() })
			return nil
		},
	} {
		for _, kind := range []string{session.Memory, session.Database, session.Redis} {
			m := manage(t, kind)
			m.stores[kind].meanwhile = func() {
				if err := put(m); err != nil {
					t.Error(err)
				}
			}
			b := m.browser()
			a := b.Do(m.SignIn(sessiontest.Ada, session.StartOptions{}))
			if a.Err == nil || a.SignedIn || len(a.Cookies) > 0 || m.count(kind) != 0 {
				t.Errorf("%s, %s: signed in %v, %v, cookies %v, %d records", says, kind, a.SignedIn, a.Err, a.Cookies, m.count(kind))
			}
		}
	}
}

// However often somebody's sessions are ended in a moment, the next one begins,
// and is good wherever it is read.
func TestStart_afterMoreEndsThanSeconds(t *testing.T) {
	for _, kind := range kinds {
		m := climbable(t, kind, session.RevokeCutoff)
		for range 15 {
			if _, err := m.Manager.EndUser(t.Context(), sessiontest.Ada); err != nil {
				t.Fatal(err)
			}
		}
		m.Clock.Move(100 * time.Millisecond)
		b := m.browser()
		m.in(b.Do(m.SignIn(sessiontest.Ada, session.StartOptions{})), kind)
		m.in(b.Visit(), kind)
		m.Clock.Move(5 * time.Second)
		if _, err := m.Manager.EndUser(t.Context(), sessiontest.Ada); err != nil {
			t.Fatal(err)
		}
		m.Clock.Move(lagOf(kind))
		if b.Visit().SignedIn {
			t.Errorf("%s: it cannot be ended any more", kind)
		}
	}
}

// TestExchanged_isRememberedWhileOthersAre has other people's tickets exchanged
// around Ada's, so that what is remembered is turned over.
func TestExchanged_isRememberedWhileOthersAre(t *testing.T) {
	m := manage(t, session.Memory)
	exchange := func(id school.ID) *sessiontest.Browser {
		b := m.arrive(id, session.Memory)
		late := b.Copy()
		m.in(b.Do(m.switchTo(session.Database)), session.Database)
		return late
	}
	exchange(sessiontest.Grace)
	m.Clock.Move(29 * time.Second)
	late := exchange(sessiontest.Ada)
	m.Clock.Move(3 * time.Second)
	exchange(sessiontest.Alan)
	if a := late.Visit(); a.SignedIn || len(a.Cookies) > 0 {
		t.Errorf("three seconds after it was exchanged: signed in %v, cookies %v", a.SignedIn, a.Cookies)
	}
}

// TestExchanged_oldTicketDoesNotClearTheNew comes with a ticket that another
// request of the same browser has just exchanged.
func TestExchanged_oldTicketDoesNotClearTheNew(t *testing.T) {
	m := manage(t, session.Memory)
	b := m.arrive(sessiontest.Ada, "")
	late := b.Copy()
	m.in(b.Do(m.switchTo(session.Database)), session.Database)
	a := late.Visit()
	if a.SignedIn || len(a.Cookies) > 0 {
		t.Errorf("signed in %v, cookies %v", a.SignedIn, a.Cookies)
	}
	m.Clock.Move(time.Minute)
	if a := late.Visit(); len(a.Cookies) == 0 {
		t.Error("a minute later it is not cleared either")
	}
}
