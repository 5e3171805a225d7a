package handlers_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// atOneMoment has n people do something at one moment, and counts the answers that say
// that it was done; the others may say whatever else, but not that it went wrong here.
func atOneMoment(t *testing.T, n int, do func(i int) answer) (done int) {
	t.Helper()
	got := make([]answer, n)
	ready := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-ready
			got[i] = do(i)
		})
	}
	close(ready)
	all.Wait()
	for _, a := range got {
		switch {
		case a.status < http.StatusBadRequest:
			done++
		case a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable:
			t.Errorf("somebody is answered %d", a.status)
		}
	}
	return done
}

// TestOne_isGivenToOne: of what there is only one of, one has it, however many ask for it
// at one moment.
func TestOne_isGivenToOne(t *testing.T) {
	t.Attr("asvs", "2.3.4")
	scarce := []struct {
		says string
		ask  func(t *testing.T, s *site) (done int)
	}{
		{"a code by e-mail", func(t *testing.T, s *site) int {
			b := s.browser()
			flow, code := b.flow(b.post("/signin/code", "email", ada)), s.code(ada)
			return atOneMoment(t, 5, func(int) answer { return b.copied().post("/code", "flow", flow, "code", code) })
		}},
		{"a code of an app", func(t *testing.T, s *site) int {
			app, _ := s.enter(ada).setUp()
			s.clock.move(time.Minute)
			browsers, flows := s.beforeTheSecondStep(4)
			return atOneMoment(t, 4, func(i int) answer { return browsers[i].post("/signin/second", "flow", flows[i], "code", app.shows(0)) })
		}},
		{"a recovery code", func(t *testing.T, s *site) int {
			_, codes := s.enter(ada).setUp()
			s.clock.move(time.Minute)
			browsers, flows := s.beforeTheSecondStep(4)
			return atOneMoment(t, 4, func(i int) answer {
				return browsers[i].post("/signin/second", "flow", flows[i], "way", "recovery-code", "code", codes[0])
			})
		}},
		{"an invitation", func(t *testing.T, s *site) int {
			s.enter(alan).invite(cleo, "student").want(t, http.StatusSeeOther)
			link := s.invited(cleo)
			done := atOneMoment(t, 6, func(i int) answer { return s.browser().post(link, "password", fmt.Sprint(otherPassword, i)) })
			if people := s.people(t); people != 6 {
				t.Errorf("there are %d people", people)
			}
			return done
		}},
		{"an address", func(t *testing.T, s *site) int {
			var browsers [3]*browser
			var flows, codes [3]string
			for i := range browsers {
				browsers[i] = s.browser()
				flows[i] = browsers[i].flow(browsers[i].post("/signup", "name", "Cleo Sand", "email", cleo, "password", otherPassword))
				codes[i] = s.code(cleo)
				s.clock.move(time.Second)
			}
			done := atOneMoment(t, len(browsers), func(i int) answer { return browsers[i].post("/code", "flow", flows[i], "code", codes[i]) })
			if people := s.people(t); people != 6 {
				t.Errorf("there are %d people", people)
			}
			return done
		}},
		{"the place of the last admin", func(t *testing.T, s *site) int {
			s.enter(alan).post(person(rob)+"/role", "role", "admin").want(t, http.StatusSeeOther)
			admins := []string{alan, rob}
			return atOneMoment(t, 2, func(i int) answer { return s.enter(admins[i]).post(person(admins[i])+"/role", "role", "student") })
		}},
	}
	eachBackend(t, func(t *testing.T, kind *site) {
		for _, tt := range scarce {
			t.Run(tt.says, func(t *testing.T) {
				if done := tt.ask(t, newSite(t, kind.sessions.Site().Backend)); done != 1 {
					t.Errorf("it was given to %d", done)
				}
			})
		}
	})
}

// beforeTheSecondStep is n browsers in which Ada has given her password.
func (s *site) beforeTheSecondStep(n int) (browsers []*browser, flows []string) {
	s.t.Helper()
	for range n {
		b := s.browser()
		browsers, flows = append(browsers, b), append(flows, b.flow(b.post("/signin", "email", ada, "password", password)))
	}
	return browsers, flows
}

// people is how many accounts there are.
func (s *site) people(t *testing.T) int {
	t.Helper()
	page, err := s.db.Users(t.Context(), db.UserQuery{})
	must(t, err)
	return page.Total
}

// TestPlace_isOneForEachPerson: whoever joins a course many times at one moment is in
// it once, and is counted once; and no two courses get one address.
func TestPlace_isOneForEachPerson(t *testing.T) {
	t.Attr("asvs", "2.3.4")
	s := newSite(t, session.Database)
	if done := atOneMoment(t, 8, func(i int) answer {
		return s.enter([]string{ada, bea}[i%2]).post("/courses/knots/join")
	}); done != 8 {
		t.Errorf("%d of 8 were answered that they have joined", done)
	}
	course, err := s.db.CourseBySlug(t.Context(), "knots")
	must(t, err)
	if places := strings.Count(strings.Join(s.school(t.Context()), "\n"), "place "); places != 2 || course.Students != 2 {
		t.Errorf("two people have %d places, and are counted as %d", places, course.Students)
	}
	must(t, s.db.CheckCounts(t.Context()))

	if done := atOneMoment(t, 8, func(int) answer {
		return s.enter(grace).post("/teach/courses", "title", "Ropes", "summary", "About ropes.", "topic", "design", "level", "first", "learn", "Splice", "description", "D")
	}); done != 8 {
		t.Errorf("%d of 8 courses were made", done)
	}
	slugs, numbers := map[string]bool{}, map[int]bool{}
	rows, err := s.db.Reader().QueryContext(t.Context(), `SELECT slug, number FROM courses`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var c school.Course
		must(t, rows.Scan(&c.Slug, &c.Number))
		slugs[c.Slug], numbers[c.Number] = true, true
	}
	must(t, rows.Err())
	if len(slugs) != 11 || len(numbers) != 11 {
		t.Errorf("11 courses have %d addresses and %d numbers", len(slugs), len(numbers))
	}
}
