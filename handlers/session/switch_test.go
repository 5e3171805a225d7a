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

func TestSwitch_keepsWhoSignedIn(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := manage(t, from)
		ada := m.browser()
		before := ada.Do(m.SignIn(sessiontest.Ada, session.StartOptions{Remember: true}))
		m.in(before, from)
		thief := ada.Copy()

		m.Clock.Move(20 * time.Minute)
		m.School.Change(sessiontest.Ada, func(u *school.User) { u.Role = school.Instructor })
		m.in(ada.Do(m.switchTo(to)), to)
		after := ada.Visit()
		m.in(after, to)

		was, is := before.Record, after.Record
		if is.UserID != was.UserID || !is.AuthAt.Equal(was.AuthAt) || !is.Remember {
			t.Errorf("it was %+v and is %+v", was, is)
		}
		if is.Role != school.Instructor {
			t.Errorf("the role was not read again: %s", is.Role)
		}
		if is.Handle == was.Handle {
			t.Error("the id is the same")
		}
		if end := was.AuthAt.Add(sessiontest.Lifetimes.Remember); !is.ExpiresAt.Equal(end) {
			t.Errorf("switching moves the end to %v, want %v", is.ExpiresAt, end)
		}
		if cookieOf[from] != cookieOf[to] && ada.Cookie(cookieOf[from]) != "" {
			t.Error("the old cookie stays in the browser")
		}
		ada.Restart()
		m.in(ada.Visit(), to)

		if from == session.JWT {
			m.in(thief.Visit(), session.JWT)
		} else {
			m.out(thief.Visit(), session.Unknown)
			if n := m.count(from); n != 0 {
				t.Errorf("%d old records are left", n)
			}
		}
	})
}

func TestSwitch_ofAStrangerIsAPreference(t *testing.T) {
	m := manage(t, session.Database)
	b := m.browser()
	m.out(b.Do(m.switchTo(session.JWT)), "")
	if b.Cookie("lectern-backend") != session.JWT || b.Cookie("lectern-jwt") != "" {
		t.Error("a stranger's choice is not kept, or is more than a choice")
	}
	m.in(b.Do(m.SignIn(sessiontest.Ada, session.StartOptions{})), session.JWT)
	m.in(b.Do(m.switchTo(session.Database)), session.Database)
	if b.Cookie("lectern-backend") != "" {
		t.Error("whoever chooses what the site has does not follow the site")
	}
	if a := b.Do(m.switchTo("abacus")); !errors.Is(a.Err, session.ErrUnknownBackend) {
		t.Errorf("a kind that there is not: %v", a.Err)
	}
}

func TestSwitch_toTheSameKindChangesNothing(t *testing.T) {
	for _, kind := range kinds {
		m := manage(t, kind)
		ada := m.arrive(sessiontest.Ada, "")
		cookie := ada.Cookie(cookieOf[kind])
		m.in(ada.Do(m.switchTo(kind)), kind)
		if ada.Cookie(cookieOf[kind]) != cookie {
			t.Errorf("%s: the cookie is another one", kind)
		}
	}
}

func TestSwitch_isNotForPeopleWhoMayNotSignIn(t *testing.T) {
	for what, change := range map[string]func(*managed){
		"disabled": func(m *managed) {
			m.School.Change(sessiontest.Ada, func(u *school.User) { u.DisabledAt = m.Clock.Now() })
		},
		"not in the school any more": func(m *managed) { m.School.Remove(sessiontest.Ada) },
	} {
		t.Run(what, func(t *testing.T) {
			eachPair(t, func(t *testing.T, from, to string) {
				m := manage(t, from)
				ada := m.arrive(sessiontest.Ada, "")
				change(m)
				for name, act := range map[string]sessiontest.Act{"switching": m.switchTo(to), "renewing": m.Manager.Renew} {
					a := ada.Do(act)
					if !errors.Is(a.Err, session.ErrNoSession) || len(a.Cookies) > 0 {
						t.Errorf("%s gives %v, %v", name, a.Err, a.Cookies)
					}
				}
				if m.count(to) != 0 {
					t.Error("there is a new session")
				}
			})
		})
	}
}

// Whoever cannot get the new kind keeps the old one.
func TestSwitch_whenAStoreIsAway(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := manage(t, from)
		ada := m.arrive(sessiontest.Ada, "")
		for _, kind := range []string{from, to} {
			store := m.storeOf(kind)
			if store == nil {
				continue
			}
			a := ada.Do(func(w http.ResponseWriter, r *http.Request) error {
				store.set(true)
				return m.Manager.Switch(w, r, to)
			})
			store.set(false)
			if !errors.Is(a.Err, session.ErrUnavailable) || len(a.Cookies) > 0 {
				t.Errorf("with %s away: %v, %v", kind, a.Err, a.Cookies)
			}
			m.in(ada.Visit(), from)
			if n := m.count(to); n != 0 {
				t.Errorf("with %s away: %d new records are left", kind, n)
			}
		}
	})
}

func TestSwitch_doesNotContinueWhatHasEnded(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		if from == session.JWT {
			return // a token never ends before its time
		}
		m := manage(t, from)
		ada := m.arrive(sessiontest.Ada, "")
		slow := ada.Copy()
		a := slow.Do(func(w http.ResponseWriter, r *http.Request) error {
			ada.Do(m.Manager.End)
			return m.Manager.Switch(w, r, to)
		})
		if !errors.Is(a.Err, session.ErrEnded) || len(a.Cookies) > 0 || m.count(to) != 0 {
			t.Errorf("it gives %v, %v and %d new records", a.Err, a.Cookies, m.count(to))
		}
		m.Clock.Move(lagOf(from))
		m.out(slow.Visit(), session.Unknown)
	})
}
