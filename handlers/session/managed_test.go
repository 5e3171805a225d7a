package session_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
)

// kinds are the backends of a managed site, in the order that it offers them.
var kinds = []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid}

// cookieOf is the cookie that each kind is read from first, on plain http.
var cookieOf = map[string]string{
	session.JWT:      "lectern-jwt",
	session.Memory:   "lectern-sid",
	session.Database: "lectern-sid",
	session.Redis:    "lectern-sid",
	session.Hybrid:   "lectern-access",
}

// sessionCookies are those of all kinds.
var sessionCookies = []string{"lectern-jwt", "lectern-sid", "lectern-access", "lectern-refresh"}

// managed is a site with every kind of session, whose visitors may choose.
type managed struct {
	t *testing.T
	sessiontest.Site
	config session.Config
	stores map[string]*moody
	family *moodyFamilies // the hybrid's store
	redis  *miniredis.Miniredis
	ledger *ledger
}

// manage opens a site that keeps its sessions in one kind unless somebody
// chooses otherwise.
func manage(t *testing.T, kind string) *managed {
	t.Helper()
	clock, people := sessiontest.NewClock(), sessiontest.NewSchool()
	reader, writer := newSQLite(t)
	redis := miniredis.RunT(t)
	m := &managed{
		t: t, redis: redis, ledger: newLedger(people),
		Site: sessiontest.Site{School: people, Clock: clock},
		config: session.Config{
			Default: kind, Lifetimes: sessiontest.Lifetimes, People: people, Settings: people, Choose: true, Now: clock.Now, Revocation: session.RevokeNone,
		},
		stores: map[string]*moody{
			session.Memory:   {Store: serverstore.NewMemory()},
			session.Database: {Store: newSQL(t, reader, writer)},
			session.Redis:    {Store: newRedis(t, "redis://"+redis.Addr(), clock.Now)},
		},
		family: &moodyFamilies{Store: newFamilies(t, reader, writer)},
	}
	m.restart()
	return m
}

// climbable is a site whose tokens stand on a rung of the ladder.
func climbable(t *testing.T, kind, rung string) *managed {
	t.Helper()
	m := manage(t, kind)
	m.config.Revocation = rung
	m.restart()
	return m
}

// restart makes everything anew but the people, the settings and the records.
func (m *managed) restart() {
	m.t.Helper()
	terms := sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: m.Clock.Now}
	band := newToken(m.t, terms)
	m.config.Ladder = []session.Rung{band, cookiejwt.NewCutoff(band, m.ledger), cookiejwt.NewDenylist(band, m.ledger)}
	m.config.Backends = []session.Backend{
		band,
		newServer(session.Memory, m.stores[session.Memory], terms),
		newServer(session.Database, m.stores[session.Database], terms),
		newServer(session.Redis, m.stores[session.Redis], terms),
		newHybrid(m.t, m.family, key, terms),
	}
	manager, err := session.NewManager(m.t.Context(), m.config)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Manager = manager
}

// storeOf is what a kind keeps its sessions in; nil for one that keeps none.
func (m *managed) storeOf(kind string) *mood {
	if kind == session.Hybrid {
		return &m.family.mood
	}
	if store := m.stores[kind]; store != nil {
		return &store.mood
	}
	return nil
}

// lagOf is how late a kind notices that a session has ended.
func lagOf(kind string) time.Duration {
	if kind == session.Hybrid {
		return sessiontest.Lifetimes.Access
	}
	return 0
}

func (m *managed) browser() *sessiontest.Browser {
	return sessiontest.NewBrowser(m, false, m.Clock.Now)
}

// arrive signs somebody in, in a kind of their own choice or the site's.
func (m *managed) arrive(id school.ID, kind string) *sessiontest.Browser {
	m.t.Helper()
	b := m.browser()
	m.in(b.Do(m.SignIn(id, session.StartOptions{Backend: kind})), kind)
	return b
}

// in holds where somebody is signed in, in one kind of session or in any.
func (m *managed) in(a sessiontest.Answer, kind string) {
	m.t.Helper()
	if a.Err != nil || !a.SignedIn {
		m.t.Fatalf("not signed in: %v, reason %q", a.Err, a.Trace.Reason)
	}
	if kind != "" && a.Trace.Backend != kind {
		m.t.Fatalf("signed in with %s, not with %s", a.Trace.Backend, kind)
	}
}

// out holds where somebody is a stranger, for a reason.
func (m *managed) out(a sessiontest.Answer, reason session.Reason) {
	m.t.Helper()
	if a.Err != nil || a.SignedIn || a.Trace.Reason != reason {
		m.t.Fatalf("signed in: %v, error %v, reason %q; want a stranger because of %q", a.SignedIn, a.Err, a.Trace.Reason, reason)
	}
}

// switchTo is the visitor's own choice.
func (m *managed) switchTo(kind string) sessiontest.Act {
	return func(w http.ResponseWriter, r *http.Request) error { return m.Manager.Switch(w, r, kind) }
}

// switchSite is an admin's choice for all.
func (m *managed) switchSite(admin *sessiontest.Browser, kind string, existing session.Existing) session.Switched {
	m.t.Helper()
	var result session.Switched
	a := admin.Do(func(w http.ResponseWriter, r *http.Request) (err error) {
		result, err = m.Manager.SwitchSite(w, r, kind, existing)
		return err
	})
	m.in(a, kind)
	m.in(admin.Visit(), kind)
	return result
}

func (m *managed) count(kind string) int {
	m.t.Helper()
	n, ok := m.Manager.Counts(m.t.Context())[kind]
	if !ok && kind != session.JWT {
		m.t.Fatalf("the sessions in %s cannot be counted", kind)
	}
	return n
}

// eachPair runs a test for every way from one kind to another.
func eachPair(t *testing.T, test func(t *testing.T, from, to string)) {
	for _, from := range kinds {
		for _, to := range kinds {
			if from != to {
				t.Run(from+" to "+to, func(t *testing.T) { test(t, from, to) })
			}
		}
	}
}

func TestNewManager_refusesAnUnknownDefault(t *testing.T) {
	m := manage(t, session.JWT)
	m.config.Default = "abacus"
	if _, err := session.NewManager(t.Context(), m.config); !errors.Is(err, session.ErrUnknownBackend) {
		t.Errorf("got %v", err)
	}
	if got := m.Manager.Names(); !slices.Equal(got, kinds) {
		t.Errorf("it offers %v", got)
	}
}

func TestStart_inAKindOfTheVisitorsChoice(t *testing.T) {
	m := manage(t, session.Database)
	m.arrive(sessiontest.Ada, session.JWT)
	stranger := m.browser()
	if a := stranger.Do(m.SignIn(sessiontest.Ada, session.StartOptions{Backend: "abacus"})); !errors.Is(a.Err, session.ErrUnknownBackend) {
		t.Errorf("a kind that there is not: %v", a.Err)
	}
	m.config.Choose = false
	m.restart()
	if a := stranger.Do(m.SignIn(sessiontest.Ada, session.StartOptions{Backend: session.JWT})); !errors.Is(a.Err, session.ErrUnknownBackend) {
		t.Errorf("a choice where there is none: %v", a.Err)
	}
	m.in(stranger.Do(m.SignIn(sessiontest.Ada, session.StartOptions{Backend: session.Database})), session.Database)
}

func TestLoad_ignoresTheChoiceWhereVisitorsMayNotChoose(t *testing.T) {
	m := manage(t, session.Database)
	ada := m.arrive(sessiontest.Ada, session.JWT)
	m.config.Choose = false
	m.restart()
	m.out(ada.Visit(), "")
	m.in(ada.Do(m.SignIn(sessiontest.Ada, session.StartOptions{})), session.Database)
	if ada.Cookie(cookieOf[session.JWT]) != "" {
		t.Error("the token of before stays in the browser")
	}
	if a := ada.Do(m.switchTo(session.JWT)); !errors.Is(a.Err, session.ErrUnknownBackend) {
		t.Errorf("switching where there is no choice: %v", a.Err)
	}
}

func TestLoad_followsTheSiteWithAnUnknownChoice(t *testing.T) {
	m := manage(t, session.Database)
	ada := m.arrive(sessiontest.Ada, "")
	ada.Plant("lectern-backend", "abacus")
	m.in(ada.Visit(), session.Database)
}

func TestEnd_clearsEverySessionCookieThatCame(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			m := manage(t, kind)
			ada := m.arrive(sessiontest.Ada, "")
			for _, name := range sessionCookies {
				if ada.Cookie(name) == "" {
					ada.Plant(name, "left-over")
				}
			}
			ada.Plant("theme", "dark")
			a := ada.Do(m.Manager.End)
			m.out(a, "")
			if a.Trace.Backend != session.None {
				t.Errorf("the answer is said to be for a session of %s", a.Trace.Backend)
			}
			for _, name := range sessionCookies {
				if ada.Cookie(name) != "" {
					t.Errorf("the session cookie %s is left", name)
				}
			}
			if ada.Cookie("theme") != "dark" {
				t.Error("a cookie that is none of our business is gone")
			}
		})
	}
}

// Whoever signs out, or in again, where the session has ended a moment ago has
// what they wanted.
func TestEnd_andStart_doNotMindWhatHasEndedMeanwhile(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			m := manage(t, kind)
			for says, act := range map[string]sessiontest.Act{"signing out": m.Manager.End, "signing in": m.SignIn(sessiontest.Ada, session.StartOptions{})} {
				ada := m.arrive(sessiontest.Ada, "")
				slow := ada.Copy()
				a := slow.Do(func(w http.ResponseWriter, r *http.Request) error {
					ada.Do(m.Manager.End)
					return act(w, r)
				})
				if a.Err != nil || a.SignedIn != (says == "signing in") || slow.Visit().SignedIn != a.SignedIn {
					t.Errorf("%s gives %v, signed in %v", says, a.Err, a.SignedIn)
				}
			}
		})
	}
}

// What is said of a session's cookies is so in the very answer that sets them.
func TestStart_notesTheCookieThatItSets(t *testing.T) {
	for _, kind := range kinds {
		m := manage(t, kind)
		ada := m.browser()
		a := ada.Do(m.SignIn(sessiontest.Ada, session.StartOptions{}))
		name := cookieOf[kind]
		if want := len(name) + len(ada.Cookie(name)); a.Trace.Cookies()[0] != (session.CookieSize{Name: name, Bytes: want}) {
			t.Errorf("%s: noted is %+v, want %s of %d bytes", kind, a.Trace.Cookies(), name, want)
		}
	}
}

func TestTrace_hasEachCookieOnce(t *testing.T) {
	for _, kind := range kinds {
		m := manage(t, kind)
		ada := m.arrive(sessiontest.Ada, "")
		before := ada.Visit().Trace
		ada.Plant(cookieOf[kind], "of another host")
		a := ada.Visit()
		m.in(a, kind)
		if got := a.Trace.Cookies(); len(got) != len(before.Cookies()) {
			t.Errorf("%s: two cookies of one name are noted as %+v", kind, got)
		}
	}
}

// TestPowers_areThoseOfEachKind is what pages are made of that say what a button
// will do.
func TestPowers_areThoseOfEachKind(t *testing.T) {
	l := sessiontest.Lifetimes
	record := session.Power{Read: true, EndsOne: true, EndsUser: true, Lists: true, Counts: true, KeepsRole: true}
	of := func(p session.Power, change func(*session.Power)) session.Power { change(&p); return p }
	want := []session.Power{
		{Backend: session.JWT, Revocation: session.RevokeNone, Read: true, Life: l.Token, Longest: l.Remember},
		of(record, func(p *session.Power) { p.Backend = session.Memory }),
		of(record, func(p *session.Power) { p.Backend = session.Database }),
		of(record, func(p *session.Power) { p.Backend = session.Redis }),
		of(record, func(p *session.Power) { p.Backend, p.Life, p.Longest = session.Hybrid, l.Access, l.Access }),
	}
	m := climbable(t, session.Database, session.RevokeNone)
	if got := m.Manager.Powers(); !slices.Equal(got, want) {
		t.Errorf("the kinds are said to be %+v, want %+v", got, want)
	}
	rungs := []session.Power{
		want[0],
		{Backend: session.JWT, Revocation: session.RevokeCutoff, Read: true, EndsUser: true},
		{Backend: session.JWT, Revocation: session.RevokeDenylist, Read: true, EndsOne: true, EndsUser: true},
	}
	if got := m.Manager.RungPowers(); !slices.Equal(got, rungs) {
		t.Errorf("the rungs are said to be %+v, want %+v", got, rungs)
	}
	for _, power := range append(rungs[1:], rungs[0]) {
		if err := m.Manager.Climb(t.Context(), power.Revocation); err != nil || m.Manager.Power(session.JWT) != power {
			t.Errorf("on the rung %s a token is said to be %+v, %v", power.Revocation, m.Manager.Power(session.JWT), err)
		}
	}
	m.config.Choose = false
	m.restart()
	for _, p := range m.Manager.Powers() {
		if p.Read != (p.Backend == session.Database) {
			t.Errorf("where nobody may choose, %s is read: %v", p.Backend, p.Read)
		}
	}
}

func TestList_hasWhatIsLookedAt(t *testing.T) {
	m := manage(t, session.Memory)
	alan, ada := m.arrive(sessiontest.Alan, ""), m.arrive(sessiontest.Ada, "")
	m.Clock.Move(time.Second)
	m.arrive(sessiontest.Ada, session.Redis)
	m.config.Choose = false
	m.restart()
	listed := func() (backends []string) {
		t.Helper()
		all, unreached := m.Manager.List(t.Context(), sessiontest.Ada)
		if len(unreached) > 0 {
			t.Fatalf("%v cannot be read", unreached)
		}
		for _, l := range all {
			backends = append(backends, l.Backend)
		}
		return backends
	}
	if got := listed(); !slices.Equal(got, []string{session.Memory}) {
		t.Errorf("where only memory is looked at, those in %v are listed", got)
	}
	m.switchSite(alan, session.Database, session.Carry)
	if got := listed(); !slices.Equal(got, []string{session.Memory}) {
		t.Errorf("while memory is being left, those in %v are listed", got)
	}
	m.in(ada.Visit(), session.Database)
	if got := listed(); !slices.Equal(got, []string{session.Database}) {
		t.Errorf("when she has been carried over, those in %v are listed", got)
	}
}

// What nobody can say is not said: a store that is away may have the session.
func TestEndOne_whenOneStoreIsAway(t *testing.T) {
	m := manage(t, session.Database)
	own, other := m.arrive(sessiontest.Ada, ""), m.arrive(sessiontest.Ada, "")
	there, nowhere := other.Visit().Record.Handle, m.arrive(sessiontest.Grace, "").Visit().Record.Handle
	m.stores[session.Memory].set(true)
	for says, row := range map[string]struct {
		handle, backend string
		want            error
	}{"one that is found": {there, session.Database, nil}, "one that is not": {nowhere, "", session.ErrUnavailable}} {
		backend := ""
		a := own.Do(func(_ http.ResponseWriter, r *http.Request) (err error) {
			backend, err = m.Manager.EndOne(r, row.handle)
			return err
		})
		if backend != row.backend || !errors.Is(a.Err, row.want) {
			t.Errorf("%s: %q, %v; want %q, %v", says, backend, a.Err, row.backend, row.want)
		}
	}
	m.stores[session.Memory].set(false)
	a := own.Do(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := m.Manager.EndOne(r, nowhere)
		return err
	})
	if !errors.Is(a.Err, school.ErrNotFound) {
		t.Errorf("when all are there: %v", a.Err)
	}
}

func TestEndUser_reachesEveryKindThatCan(t *testing.T) {
	m := manage(t, session.Database)
	ticket, coat, band := m.arrive(sessiontest.Ada, session.Database), m.arrive(sessiontest.Ada, session.Memory), m.arrive(sessiontest.Ada, session.JWT)
	fading := m.arrive(sessiontest.Ada, session.Hybrid)
	ended, err := m.Manager.EndUser(t.Context(), sessiontest.Ada)
	if err != nil || ended.Sessions != 3 {
		t.Errorf("%d were ended, %v", ended.Sessions, err)
	}
	if want := m.Clock.Now().Add(sessiontest.Lifetimes.Remember); !ended.Until.Equal(want) {
		t.Errorf("tokens are said to be good until %v, want %v", ended.Until, want)
	}
	m.out(ticket.Visit(), session.Unknown)
	m.out(coat.Visit(), session.Unknown)
	m.in(fading.Visit(), session.Hybrid)
	m.Clock.Move(lagOf(session.Hybrid))
	m.out(fading.Visit(), session.Unknown)
	m.in(band.Visit(), session.JWT)
}

// While the site keeps its sessions in halves and visitors may not choose, an end
// is said to act within the life of the short token, not of the long one.
func TestEndUser_saysHowLateItActs(t *testing.T) {
	m := manage(t, session.Hybrid)
	m.config.Choose = false
	m.restart()
	m.arrive(sessiontest.Ada, "")
	ended, err := m.Manager.EndUser(t.Context(), sessiontest.Ada)
	if want := m.Clock.Now().Add(lagOf(session.Hybrid)); err != nil || ended.Sessions != 1 || !ended.Until.Equal(want) {
		t.Errorf("%d were ended, until %v, %v; want 1 until %v", ended.Sessions, ended.Until, err, want)
	}
}

// What one store cannot do keeps the others from nothing.
func TestEndUser_whenOneStoreIsAway(t *testing.T) {
	m := manage(t, session.Database)
	ticket, coat := m.arrive(sessiontest.Ada, session.Database), m.arrive(sessiontest.Ada, session.Memory)
	m.stores[session.Memory].set(true)
	ended, err := m.Manager.EndUser(t.Context(), sessiontest.Ada)
	if err != nil || ended.Sessions != 1 || !slices.Equal(ended.Unreached, []string{session.Memory}) {
		t.Errorf("%d were ended, %v not reached, %v", ended.Sessions, ended.Unreached, err)
	}
	m.stores[session.Memory].set(false)
	m.out(ticket.Visit(), session.Unknown)
	a := coat.Do(func(_ http.ResponseWriter, r *http.Request) error {
		user, err := m.School.User(r.Context(), sessiontest.Ada)
		if reason, over := m.Manager.Over(session.VisitFrom(r.Context()), user); !over || reason != session.CutOff {
			t.Errorf("what could not be reached is not over when it is shown again: %q", reason)
		}
		return err
	})
	m.in(a, session.Memory)
}

// A store that nobody's sessions are read from may be away without a word.
func TestEndUser_whenAStoreIsAwayThatIsNotInUse(t *testing.T) {
	m := manage(t, session.Database)
	m.config.Choose = false
	m.restart()
	m.arrive(sessiontest.Ada, "")
	m.stores[session.Memory].set(true)
	ended, err := m.Manager.EndUser(t.Context(), sessiontest.Ada)
	if err != nil || ended.Sessions != 1 || len(ended.Unreached) > 0 {
		t.Errorf("%+v, %v", ended, err)
	}
}

func TestChangeRole_reachesEveryKindThatCan(t *testing.T) {
	m := manage(t, session.Database)
	browsers := map[string]*sessiontest.Browser{}
	for _, kind := range kinds {
		browsers[kind] = m.arrive(sessiontest.Ada, kind)
	}
	changed, err := m.Manager.ChangeRole(t.Context(), sessiontest.Ada, school.Student, school.Instructor)
	if err != nil || changed.Sessions != len(kinds)-1 || changed.Until.IsZero() {
		t.Errorf("%+v, %v", changed, err)
	}
	for _, kind := range kinds {
		want := school.Instructor
		if kind == session.JWT || lagOf(kind) > 0 {
			want = school.Student
		}
		if got := browsers[kind].Visit().Record.Role; got != want {
			t.Errorf("%s says %s, want %s", kind, got, want)
		}
	}
	m.Clock.Move(lagOf(session.Hybrid))
	if got := browsers[session.Hybrid].Visit().Record.Role; got != school.Instructor {
		t.Errorf("when its lag is over, the hybrid says %s", got)
	}
}

// Somebody clicks every second, in a page and behind it. What is written down of
// that is one visit a minute, or nothing where nothing is written down.
func TestVisits_areNotedOnceAMinuteHoweverManyThereAre(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			m := manage(t, kind)
			ada := m.arrive(sessiontest.Ada, "")
			noted, last := 0, m.Clock.Now()
			for range 10 * 60 {
				m.Clock.Move(time.Second)
				for _, click := range []func() sessiontest.Answer{ada.Visit, ada.Fetch} {
					a := click()
					m.in(a, kind)
					if a.Trace.Writes == 0 {
						continue
					}
					now := m.Clock.Now()
					if a.Trace.Writes > 1 || now.Sub(last) < time.Minute {
						t.Fatalf("%d writes, %v after the last one", a.Trace.Writes, now.Sub(last))
					}
					noted, last = noted+1, now
				}
			}
			if want := map[bool]int{true: 0, false: 10}[kind == session.JWT]; noted != want {
				t.Errorf("%d visits were noted in ten minutes, want %d", noted, want)
			}
		})
	}
}

func TestVisit_ofNobody(t *testing.T) {
	var v *session.Visit
	if _, ok := v.Record(); ok || v.Backend() != session.None || v.RoleSource() != "" {
		t.Error("a visit that was never loaded is of somebody")
	}
	if session.VisitFrom(t.Context()) != nil || session.TraceFrom(t.Context()) != nil {
		t.Error("a context has a visit that nobody put there")
	}
	var trace *session.Trace
	trace.Begin()
	trace.Done(&session.Work{Name: "nothing", Kind: session.CPU})
	if trace.Steps() != nil {
		t.Error("a trace that nobody keeps has steps")
	}
}

func TestForget_makesAStranger(t *testing.T) {
	m := manage(t, session.Database)
	ada := m.arrive(sessiontest.Ada, "")
	a := ada.Do(func(_ http.ResponseWriter, r *http.Request) error {
		session.VisitFrom(r.Context()).Forget(session.NoSuchUser)
		return nil
	})
	m.out(a, session.NoSuchUser)
	m.in(ada.Visit(), session.Database)
}

func TestLifetimes(t *testing.T) {
	for _, row := range []struct{ idle, want time.Duration }{
		{30 * time.Minute, time.Minute}, {10 * time.Minute, time.Minute}, {5 * time.Minute, 30 * time.Second}, {10 * time.Second, time.Second},
	} {
		if got := (session.Lifetimes{Idle: row.idle}).SeenEvery(); got != row.want {
			t.Errorf("idle %v: visits are noted every %v, want %v", row.idle, got, row.want)
		}
	}
}
