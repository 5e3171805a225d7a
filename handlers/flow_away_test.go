package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session"
)

// away takes a table out of the database, until mended.
func (s *site) away(table string) (mend func()) {
	s.t.Helper()
	rename := func(from, to string) {
		_, err := s.db.Writer().ExecContext(s.t.Context(), `ALTER TABLE `+from+` RENAME TO `+to)
		must(s.t, err)
	}
	rename(table, table+"_away")
	return func() { rename(table+"_away", table) }
}

// waits is a flow that waits for its answer, which is right.
type waits struct {
	says  string
	begin func(s *site) (answers func() answer)
	after int    // what it comes to when all is well
	needs string // what of the following cannot be away
}

// byText is somebody's browser after the first step, where a telephone is the second.
func (s *site) byText(number string) (b *browser, second string) {
	s.t.Helper()
	her := s.as(ada)
	her.post("/code", "flow", her.flow(her.post("/account/phone", "phone", number)), "code", s.code(number)).want(s.t, http.StatusSeeOther)
	her.post("/account/two-step", "on", "1").want(s.t, http.StatusOK)
	b = s.browser()
	return b, b.flow(b.post("/signin", "email", ada, "password", password))
}

// byApp is the same where an app is the second.
func (s *site) byApp() (b *browser, second string, a app, paper []string) {
	s.t.Helper()
	a, paper = s.as(ada).setUp()
	s.clock.move(30 * time.Second)
	b = s.browser()
	return b, b.flow(b.post("/signin", "email", ada, "password", password)), a, paper
}

// waiting are flows of every sort.
func waiting(t *testing.T) []waits {
	const number = "+447700900123"
	posts := func(b *browser, path string, fields ...string) func() answer {
		return func() answer { return b.post(path, fields...) }
	}
	return []waits{
		{"a code by e-mail", func(s *site) func() answer {
			b := s.browser()
			flow := b.flow(b.post("/signin/code", "email", ada))
			return posts(b, "/code", "flow", flow, "code", s.code(ada))
		}, http.StatusSeeOther, "writing flows users phones"},
		{"another code", func(s *site) func() answer {
			b := s.browser()
			return posts(b, "/code/again", "flow", b.flow(b.post("/signin/code", "email", ada)))
		}, http.StatusSeeOther, "writing flows users"},
		{"another address", func(s *site) func() answer {
			her := s.as(ada)
			flow := her.flow(her.post("/account/email", "email", "ada@elsewhere.example"))
			return posts(her, "/code", "flow", flow, "code", s.code("ada@elsewhere.example"))
		}, http.StatusSeeOther, "writing flows users"},
		{"the number of an app", func(s *site) func() answer {
			b, second, a, _ := s.byApp()
			return posts(b, "/signin/second", "flow", second, "code", a.shows(0))
		}, http.StatusSeeOther, "writing flows users phones"},
		{"a code on paper", func(s *site) func() answer {
			b, second, _, paper := s.byApp()
			return posts(b, "/signin/second", "flow", second, "way", "recovery-code", "code", paper[0])
		}, http.StatusSeeOther, "writing flows users phones"},
		{"a message to be sent", func(s *site) func() answer {
			b, second := s.byText(number)
			return posts(b, "/signin/second/text", "flow", second)
		}, http.StatusSeeOther, "writing flows users phones"},
		{"a message that was sent", func(s *site) func() answer {
			b, second := s.byText(number)
			flow := b.flow(b.post("/signin/second/text", "flow", second))
			return posts(b, "/code", "flow", flow, "code", s.code(number))
		}, http.StatusSeeOther, "writing flows users phones"},
		{"a new password", func(s *site) func() answer {
			b := s.browser()
			flow := b.flow(b.post("/signin/forgotten", "email", ada))
			last := b.flow(b.post("/code", "flow", flow, "code", s.code(ada)))
			return posts(b, "/signin/new-password", "flow", last, "new", otherPassword)
		}, http.StatusSeeOther, "writing flows users phones"},
		{"a new app", func(s *site) func() answer {
			her := s.as(ada)
			shown := her.get(her.post("/account/authenticator").location)
			return posts(her, "/account/authenticator/add", "flow", flowInForm.FindStringSubmatch(shown.body)[1], "code", app{s, secretOn(t, shown)}.shows(0))
		}, http.StatusOK, "writing flows users phones"},
		{"a passkey", func(s *site) func() answer {
			key := s.as(ada).addPasskey(ada, "Blue key")
			b := s.browser()
			options, flow := b.asked("/signin/passkey/options")
			return posts(b, "/signin/passkey", "flow", flow, "passkey-answer", key.sign(t, options))
		}, http.StatusSeeOther, "writing flows users phones"},
		{"the page for a code", func(s *site) func() answer {
			b := s.browser()
			to := b.post("/signin/code", "email", ada).location
			return func() answer { return b.get(to) }
		}, http.StatusOK, "flows"},
		{"the page for the second step", func(s *site) func() answer {
			b, second, _, _ := s.byApp()
			return func() answer { return b.get("/signin/second?flow=" + second) }
		}, http.StatusOK, "flows users phones"},
	}
}

// TestFlow_isNotOverWhenTheDatabaseIsAway: what cannot be looked up or written now is told
// as that, and the same answer is good as soon as it can.
func TestFlow_isNotOverWhenTheDatabaseIsAway(t *testing.T) {
	oneByOne(t)
	t.Attr("asvs", "16.5.2")
	for _, w := range waiting(t) {
		for how, fail := range map[string]func(s *site) func(){
			"writing": (*site).lock,
			"flows":   func(s *site) func() { return s.away("flows") },
			"users":   func(s *site) func() { return s.away("users") },
			"phones":  func(s *site) func() { return s.away("phones") },
		} {
			t.Run(w.says+" without "+how, func(t *testing.T) {
				t.Parallel()
				s := startSite(t, session.Memory, true, setting{base: named})
				answers := w.begin(s)
				mend := fail(s)
				failed := answers()
				mend()
				if !strings.Contains(w.needs, how) {
					failed.want(t, w.after)
					return
				}
				failed.lacks(t, "This is over", "Begin once more")
				if failed.status < http.StatusInternalServerError {
					t.Fatalf("it answers %d", failed.status)
				}
				if how == "writing" {
					failed.notNow(t, "Not now, but soon")
				}
				if how == "writing" || how == "flows" {
					answers().want(t, w.after)
				}
			})
		}
	}
}
