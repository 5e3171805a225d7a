package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"lectern/db/school"
	"lectern/handlers/session"
)

// crowdSize is how many people are signed in while the site is switched.
const crowdSize = 200

// atOnce is how many of them click in the same moment: more than a room of
// people does, and few enough that a machine of two cores with other work to do,
// under the race detector, answers each within the time that a store is waited
// for. One writes at a time, and each click of somebody who is carried writes.
const atOnce = 8

// member is one of them: a browser that sends two requests at a time, as a page
// with something in its background does.
type member struct {
	*browser
	user  school.ID
	wrong func(format string, args ...any)
}

// crowd signs people in, without the work of checking so many passwords.
func (s *site) crowd(t *testing.T) []*member {
	t.Helper()
	all := make([]*member, crowdSize)
	for i := range all {
		email := []string{ada, bea, grace, rob}[i%4]
		user := fixedID(email[:len(email)-len("@school.example")])
		all[i] = &member{browser: s.browser(), user: user, wrong: t.Errorf}
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)
		r, _, err := s.sessions.Load(w, r)
		must(t, err)
		role := school.Student
		if i%4 > 1 {
			role = school.Instructor
		}
		must(t, s.sessions.Start(w, r, session.Identity{UserID: user, Role: role, Methods: []string{"pwd"}, AuthAt: s.clock.Now()}, session.StartOptions{}))
		all[i].client.Jar.SetCookies(s.address(), w.Result().Cookies())
	}
	return all
}

// click sends two requests at once and reports whether both were answered to the
// member, and whether both were answered to a stranger.
func (m *member) click() (in, out bool) {
	var wg sync.WaitGroup
	var known atomic.Int64
	for range 2 {
		wg.Go(func() {
			got := m.get("/api/v1/session", "Sec-Fetch-Mode", "cors")
			var tr trace
			if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &tr) != nil {
				m.wrong("a click answers %d: %.100s", got.status, got.body)
				return
			}
			if tr.Authentication.OK {
				known.Add(1)
				if tr.Authentication.User != string(m.user) {
					m.wrong("%s is taken for %s", m.user, tr.Authentication.User)
				}
			}
		})
	}
	wg.Wait()
	return known.Load() == 2, known.Load() == 0
}

// whileClicking has the whole crowd click on and on while do happens, and until
// each has clicked twice afterwards.
func whileClicking(crowd []*member, do func(), each func(m *member, in, out bool)) {
	var wg sync.WaitGroup
	stop, turn := make(chan struct{}), make(chan struct{}, atOnce)
	begun := make(chan struct{}, len(crowd))
	done := make(chan struct{})
	click := func(m *member) {
		turn <- struct{}{}
		defer func() { <-turn }()
		in, out := m.click()
		each(m, in, out)
	}
	for _, m := range crowd {
		wg.Go(func() {
			for n := 0; ; n++ {
				click(m)
				if n == 0 {
					begun <- struct{}{}
				}
				select {
				case <-stop:
					click(m)
					click(m)
					return
				default:
				}
			}
		})
	}
	for range len(crowd) / 4 {
		<-begun
	}
	go func() {
		defer close(done)
		do()
	}()
	<-done
	close(stop)
	for range len(crowd) - len(crowd)/4 {
		<-begun
	}
	wg.Wait()
}

// TestSwitch_underLoad switches the site from kind to kind while a crowd is at
// work in it. Nobody who is carried over is a stranger for a single request.
func TestSwitch_underLoad(t *testing.T) {
	s := newSite(t, session.Memory)
	admin, crowd := s.as(alan), s.crowd(t)
	for _, to := range []string{session.Database, session.Redis, session.Hybrid, session.JWT, session.Redis, session.Database, session.Memory} {
		from := s.sessions.Site().Backend
		var lost atomic.Int64
		whileClicking(crowd, func() {
			admin.post("/admin/sessions", "backend", to, "existing", "carry").want(t, http.StatusSeeOther)
		}, func(_ *member, in, _ bool) {
			if !in {
				lost.Add(1)
			}
		})
		if n := lost.Load(); n > 0 {
			t.Errorf("%s to %s: %d clicks were answered to a stranger", from, to, n)
		}
		if n := s.sessions.Carried(); n != crowdSize {
			t.Errorf("%s to %s: %d were carried over, of %d", from, to, n, crowdSize)
		}
		if counts, err := s.sessions.Counts(t.Context()); err != nil || to != session.JWT && counts[to] != crowdSize+1 {
			t.Errorf("%s to %s: there are %v, %v; want one for each and the admin's", from, to, counts, err)
		}
	}
}

// TestSwitch_endsACrowd signs everybody out while they are at work: nobody who
// has been a stranger once is known again, and a copy of what they had is
// nobody's.
func TestSwitch_endsACrowd(t *testing.T) {
	for _, from := range []string{session.JWT, session.Memory, session.Redis} {
		t.Run(from, func(t *testing.T) {
			s := newSite(t, from)
			admin, crowd := s.as(alan), s.crowd(t)
			copies := make([]*browser, len(crowd))
			for i, m := range crowd {
				copies[i] = m.copied()
			}
			ended := make([]bool, len(crowd))
			at := map[*member]int{}
			for i, m := range crowd {
				at[m] = i
			}
			whileClicking(crowd, func() {
				admin.post("/admin/sessions", "backend", session.Database, "existing", "end").want(t, http.StatusSeeOther)
			}, func(m *member, in, out bool) {
				i := at[m]
				if ended[i] && !out {
					t.Errorf("%s was signed out and is known again", m.user)
				}
				ended[i] = ended[i] || out
			})
			for i, m := range crowd {
				if !ended[i] {
					t.Errorf("%s is still signed in", m.user)
				}
				if tr := copies[i].trace(); tr.Authentication.OK {
					t.Errorf("a copy of the session of %s goes on", m.user)
				}
			}
			if tr := admin.trace(); !tr.Authentication.OK || tr.Backend != session.Database {
				t.Errorf("the admin has %q", tr.Backend)
			}
		})
	}
}
