package session_test

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/sessiontest"
)

func TestSwitchSite_carriesEverybodyOver(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := manage(t, from)
		alan, ada, grace := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, ""), m.arrive(sessiontest.Grace, "")
		before := ada.Visit().Record
		thief := grace.Copy()
		m.Clock.Move(10 * time.Minute)

		got := m.switchSite(alan, to, session.Carry)
		want := session.Switched{Waiting: 2} // the admin's own is exchanged at once
		if from == session.JWT {
			want = session.Switched{Tokens: true}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the report is %+v, want %+v", got, want)
		}
		m.School.Change(sessiontest.Ada, func(u *school.User) { u.Role = school.Instructor })
		first := ada.Fetch()
		m.in(first, to)
		if first.Trace.CarriedFrom != from {
			t.Errorf("the trace says it came from %q", first.Trace.CarriedFrom)
		}
		next := ada.Visit()
		m.in(next, to)
		if next.Record.UserID != sessiontest.Ada || !next.Record.AuthAt.Equal(before.AuthAt) || next.Record.Role != school.Instructor {
			t.Errorf("it was %+v and is %+v", before, next.Record)
		}
		if next.Trace.CarriedFrom != "" || len(next.Cookies) > 0 {
			t.Error("it is carried over twice")
		}
		m.in(grace.Visit(), to)
		if n := m.Manager.Carried(); n != 2 {
			t.Errorf("%d are said to have been carried over, want 2", n)
		}
		m.Clock.Move(time.Minute)
		if from != session.JWT {
			m.out(thief.Visit(), session.Unknown)
			if n := m.count(from); n != 0 {
				t.Errorf("%d old records are left", n)
			}
		}
	})
}

// TestSwitchSite_carriesSeveralRequestsAtOnce has a page's background requests
// arrive with the old ticket while, and shortly after, the page itself is
// carried over: all are the same person's, in the same new session.
func TestSwitchSite_carriesSeveralRequestsAtOnce(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := manage(t, from)
		alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
		m.switchSite(alan, to, session.Carry)
		before := m.count(to)
		answers := make(chan sessiontest.Answer, 8)
		var wg sync.WaitGroup
		for range cap(answers) {
			tab := ada.Copy()
			wg.Go(func() { answers <- tab.Fetch() })
		}
		wg.Wait()
		close(answers)
		handles := map[string]bool{}
		for a := range answers {
			m.in(a, to)
			handles[a.Record.Handle] = true
			if a.Trace.CarriedFrom != from || len(a.Cookies) == 0 {
				t.Errorf("carried from %q, with the cookies %v", a.Trace.CarriedFrom, a.Cookies)
			}
		}
		if len(handles) != 1 || m.Manager.Carried() != 1 {
			t.Errorf("one browser has %d new sessions; %d were carried", len(handles), m.Manager.Carried())
		}
		m.Clock.Move(20 * time.Second)
		late := ada.Copy()
		m.in(late.Visit(), to)
		if to != session.JWT && m.count(to) != before+1 {
			t.Errorf("there are %d more records", m.count(to)-before)
		}
		late.Do(m.Manager.End)
		m.Clock.Move(lagOf(to))
		if a := ada.Copy().Visit(); a.SignedIn && to != session.JWT && from != session.JWT {
			t.Error("the old ticket leads to a successor that has ended")
		}
	})
}

func TestSwitchSite_endsEverybodyElse(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := manage(t, from)
		alan, ada, grace := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, ""), m.arrive(sessiontest.Grace, "")
		own := m.arrive(sessiontest.Ada, session.Database)
		band := m.arrive(sessiontest.Ada, session.JWT)

		got := m.switchSite(alan, to, session.EndThem)
		server := 1 // own, and whoever else is not of the tokens; not the admin
		if from != session.JWT {
			server += 2
		}
		if got.Ended != server || got.Waiting != 0 || !got.Tokens {
			t.Errorf("the report is %+v, want %d ended", got, server)
		}
		for _, b := range []*sessiontest.Browser{ada, grace, own, band} {
			if a := b.Visit(); a.SignedIn || a.Err != nil {
				t.Errorf("somebody is still signed in with %s, %v", a.Trace.Backend, a.Err)
			}
		}
		m.in(m.arrive(sessiontest.Grace, "").Visit(), to)
	})
}

// Tokens carry whole seconds, so the second of the end is cut in two.
func TestSwitchSite_endsTokensOfTheSameSecond(t *testing.T) {
	m := manage(t, session.JWT)
	m.Clock.Move(100 * time.Millisecond)
	alan, before := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.Clock.Move(300 * time.Millisecond)
	m.switchSite(alan, session.JWT, session.EndThem)
	m.Clock.Move(300 * time.Millisecond)
	after := m.arrive(sessiontest.Grace, "")
	m.out(before.Visit(), session.EndedForAll)
	m.in(after.Visit(), session.JWT)
	m.in(alan.Visit(), session.JWT)
	m.Clock.Move(10 * time.Second)
	m.in(after.Visit(), session.JWT)
}

// A late request may come when the short token that its page was given has
// expired: then the ticket that came with it is exchanged, and what the browser is
// left with is the new one.
func TestSwitchSite_carriesLateRequestsToTheLatestTicket(t *testing.T) {
	m := manage(t, session.Memory)
	terms := sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: m.Clock.Now}
	terms.Lifetimes.Access = 5 * time.Second
	m.config.Backends[len(m.config.Backends)-1] = newHybrid(t, m.family, key, terms)
	var err error
	if m.Manager, err = session.NewManager(t.Context(), m.config); err != nil {
		t.Fatal(err)
	}
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.switchSite(alan, session.Hybrid, session.Carry)
	late := ada.Copy()
	m.in(ada.Visit(), session.Hybrid)
	m.Clock.Move(10 * time.Second)
	a := late.Visit()
	m.in(a, session.Hybrid)
	seen := map[string]int{}
	for _, c := range a.Cookies {
		if seen[c.Name]++; seen[c.Name] > 1 {
			t.Errorf("the cookie %s is sent twice", c.Name)
		}
	}
	m.Clock.Move(time.Minute)
	m.in(late.Visit(), session.Hybrid)
}

func TestSwitchSite_leavesVisitorsTheirOwnChoice(t *testing.T) {
	m := manage(t, session.Database)
	ada := m.arrive(sessiontest.Ada, session.JWT)
	alan := m.arrive(sessiontest.Alan, "")
	m.switchSite(alan, session.Memory, session.Carry)
	a := ada.Visit()
	m.in(a, session.JWT)
	if a.Trace.CarriedFrom != "" || len(a.Cookies) > 0 {
		t.Error("somebody with a choice of their own is carried over")
	}
}

func TestSwitchSite_carriesFromAllKindsBefore(t *testing.T) {
	m := manage(t, session.JWT)
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.switchSite(alan, session.Memory, session.Carry)
	grace := m.arrive(sessiontest.Grace, "")
	m.switchSite(alan, session.Database, session.Carry)
	if got := m.Manager.Site().CarryFrom; !slices.Equal(got, []string{session.JWT, session.Memory}) {
		t.Errorf("it carries from %v", got)
	}
	m.in(ada.Visit(), session.Database)
	m.in(grace.Visit(), session.Database)
	m.switchSite(alan, session.JWT, session.Carry)
	if slices.Contains(m.Manager.Site().CarryFrom, session.JWT) {
		t.Error("it carries from the kind that it has")
	}
	m.in(ada.Visit(), session.JWT)
}

func TestSwitchSite_carriesNobodyWhoMayNotSignIn(t *testing.T) {
	for _, row := range []struct {
		reason session.Reason
		change func(*managed)
	}{
		{session.Closed, func(m *managed) {
			m.School.Change(sessiontest.Ada, func(u *school.User) { u.DisabledAt = m.Clock.Now() })
		}},
		{session.NoSuchUser, func(m *managed) { m.School.Remove(sessiontest.Ada) }},
	} {
		t.Run(string(row.reason), func(t *testing.T) {
			eachPair(t, func(t *testing.T, from, to string) {
				m := manage(t, from)
				alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
				m.switchSite(alan, to, session.Carry)
				row.change(m)
				n := m.count(to)
				m.out(ada.Fetch(), row.reason)
				m.out(ada.Visit(), row.reason)
				if ada.Cookie(cookieOf[from]) != "" {
					t.Error("the cookie that leads nowhere stays in the browser")
				}
				m.out(ada.Visit(), "")
				if m.count(to) != n {
					t.Error("a new session was started")
				}
			})
		})
	}
}

func TestSwitchSite_carriesNothingThatIsBad(t *testing.T) {
	m := manage(t, session.JWT)
	alan := m.arrive(sessiontest.Alan, "")
	m.switchSite(alan, session.Database, session.Carry)
	b := m.browser()
	b.Plant("lectern-jwt", "junk")
	if a := b.Fetch(); len(a.Cookies) > 0 {
		t.Error("a request in the background clears a cookie")
	}
	m.out(b.Visit(), session.Malformed)
	if b.Cookie("lectern-jwt") != "" {
		t.Error("a bad cookie of the kind before stays in the browser")
	}
}

func TestSwitchSite_whenAStoreIsAwayWhileSomebodyIsCarried(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		m := manage(t, from)
		alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
		m.switchSite(alan, to, session.Carry)
		for _, kind := range []string{from, to} {
			if store := m.storeOf(kind); store != nil {
				m.Clock.Move(lagOf(kind))
				store.set(true)
				a := ada.Visit()
				store.set(false)
				if !errors.Is(a.Err, session.ErrUnavailable) || a.SignedIn || len(a.Cookies) > 0 {
					t.Errorf("with %s away: %v, signed in %v, %v", kind, a.Err, a.SignedIn, a.Cookies)
				}
			}
		}
		m.in(ada.Visit(), to)
	})
}

// A store that is away while everybody's sessions are ended keeps its records. They
// are over all the same, however late it comes back.
func TestSwitchSite_endsWhatIsOutOfReach(t *testing.T) {
	for _, kind := range []string{session.Memory, session.Database, session.Redis} {
		t.Run(kind, func(t *testing.T) {
			m := manage(t, kind)
			alan, ada := m.arrive(sessiontest.Alan, session.JWT), m.arrive(sessiontest.Ada, "")
			m.Clock.Move(time.Second)
			a := alan.Do(func(w http.ResponseWriter, r *http.Request) error {
				m.stores[kind].set(true)
				defer m.stores[kind].set(false)
				_, err := m.Manager.SwitchSite(w, r, kind, session.EndThem)
				return err
			})
			if !errors.Is(a.Err, session.ErrUnavailable) || m.count(kind) != 1 {
				t.Fatalf("ending them gives %v, and %d records are left", a.Err, m.count(kind))
			}
			m.out(ada.Visit(), session.EndedForAll)
			m.in(m.arrive(sessiontest.Ada, "").Visit(), kind)
		})
	}
}

// The old ticket of somebody who was carried over and has signed out since leads
// to nothing, and brings the browser nothing back.
func TestSwitchSite_bringsNoEndedSuccessorBack(t *testing.T) {
	eachPair(t, func(t *testing.T, from, to string) {
		if from == session.JWT || to == session.JWT || lagOf(from) > 0 || lagOf(to) > 0 {
			return // a token of before is still good, and nobody could know better
		}
		m := manage(t, from)
		alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
		m.switchSite(alan, to, session.Carry)
		late := ada.Copy()
		m.in(ada.Visit(), to)
		m.out(ada.Do(m.Manager.End), "")
		a := late.Visit()
		for _, c := range a.Cookies {
			if c.MaxAge >= 0 {
				t.Errorf("the cookie %s of a session that has ended is set again", c.Name)
			}
		}
		m.out(a, session.Unknown)
	})
}

// An admin with a kind of their own takes the one that they choose for all.
func TestSwitchSite_takesTheAdminAlong(t *testing.T) {
	m := manage(t, session.Database)
	alan := m.arrive(sessiontest.Alan, session.JWT)
	m.switchSite(alan, session.Memory, session.Carry)
	if got := alan.Cookie("lectern-backend"); got != "" {
		t.Errorf("the admin's own choice is still %q", got)
	}
}

func TestSwitchSite_countsThoseCarriedAnew(t *testing.T) {
	m := manage(t, session.JWT)
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.switchSite(alan, session.Memory, session.Carry)
	m.in(ada.Visit(), session.Memory)
	m.switchSite(alan, session.Database, session.Carry)
	if n := m.Manager.Carried(); n != 0 {
		t.Errorf("%d are said to have been carried over since the last switch", n)
	}
}

func TestSwitchSite_survivesARestart(t *testing.T) {
	m := manage(t, session.JWT)
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.switchSite(alan, session.Database, session.EndThem)
	site := m.Manager.Site()
	m.restart()
	if got := m.Manager.Site(); got.Backend != session.Database || !got.EndedAt.Equal(site.EndedAt) || !got.SwitchedAt.Equal(site.SwitchedAt) {
		t.Errorf("the choice was %+v and is %+v", site, got)
	}
	late := m.browser()
	late.Plant("lectern-jwt", ada.Cookie("lectern-jwt"))
	late.Plant("lectern-backend", session.JWT)
	m.out(late.Visit(), session.EndedForAll)
	m.in(alan.Visit(), session.Database)
}

func TestSwitchSite_yieldsToTheOperator(t *testing.T) {
	m := manage(t, session.JWT)
	alan := m.arrive(sessiontest.Alan, "")
	m.switchSite(alan, session.Database, session.EndThem)
	ended := m.Manager.Site().EndedAt
	for _, row := range []struct{ setting, want string }{
		{session.JWT, session.Database},  // the same setting: the admin's choice stands
		{session.Memory, session.Memory}, // a changed one is the later word
		{session.JWT, session.JWT},       // and the old choice does not come back
	} {
		m.config.Default = row.setting
		m.restart()
		if got := m.Manager.Site(); got.Backend != row.want || !got.EndedAt.Equal(ended) {
			t.Errorf("with the setting %s the site has %s, ended at %v; want %s, %v", row.setting, got.Backend, got.EndedAt, row.want, ended)
		}
	}
}

func TestSwitchSite_toAnUnknownKindChangesNothing(t *testing.T) {
	m := manage(t, session.JWT)
	alan := m.arrive(sessiontest.Alan, "")
	a := alan.Do(func(w http.ResponseWriter, r *http.Request) error {
		_, err := m.Manager.SwitchSite(w, r, "abacus", session.EndThem)
		return err
	})
	if !errors.Is(a.Err, session.ErrUnknownBackend) || m.Manager.Site().Backend != session.JWT {
		t.Errorf("got %v, and the site has %s", a.Err, m.Manager.Site().Backend)
	}
	m.in(alan.Visit(), session.JWT)
}

func TestSwitchSite_refusesSettingsItCannotRead(t *testing.T) {
	m := manage(t, session.JWT)
	if err := m.School.SetSetting(t.Context(), "sessions", "{", m.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := session.NewManager(t.Context(), m.config); err == nil {
		t.Error("a broken setting is taken for none")
	}
}
