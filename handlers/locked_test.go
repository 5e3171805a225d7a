package handlers_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"lectern/handlers/session"
)

// lock takes the lock of the site's database file as another program would,
// and returns what gives it back.
func (s *site) lock() (unlock func()) {
	s.t.Helper()
	var file string
	must(s.t, s.db.Reader().QueryRowContext(s.t.Context(), `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(&file))
	name := url.URL{Scheme: "file", Path: file, OmitHost: true, RawQuery: "_txlock=exclusive&_busy_timeout=5000"}
	outside, err := sql.Open("sqlite3", name.String())
	must(s.t, err)
	held, err := outside.BeginTx(context.Background(), nil)
	must(s.t, err)
	return sync.OnceFunc(func() {
		must(s.t, held.Rollback())
		must(s.t, outside.Close())
	})
}

// impatient is a browser that waits two seconds for an answer and not longer:
// then the test fails.
func (b *browser) impatient() *browser {
	b.client.Timeout = 2 * time.Second
	return b
}

// notNow holds where the answer is to come again later, with the cookies as
// they are.
func (a answer) notNow(t testing.TB, texts ...string) {
	t.Helper()
	a.want(t, http.StatusServiceUnavailable, texts...)
	if retry := a.header.Get("Retry-After"); retry != "5" {
		t.Errorf("Retry-After is %q", retry)
	}
	if set := a.header.Values("Set-Cookie"); len(set) > 0 {
		t.Errorf("it touches cookies: %q", set)
	}
}

// TestLocked_databaseIsReadOn keeps the database file locked from outside:
// whatever only reads goes on, and whoever wants something written hears in
// time that it cannot be now.
func TestLocked_databaseIsReadOn(t *testing.T) {
	t.Attr("asvs", "16.5.2")
	t.Parallel()
	for _, row := range []struct {
		says string
		send func(her, admin, visitor *browser) answer
		text string
	}{
		{"signing in", func(_, _, visitor *browser) answer {
			return visitor.post("/signin", "email", bea, "password", password)
		}, "Nobody can be let in just now"},
		{"signing out", func(her, _, _ *browser) answer { return her.post("/signout") }, "You are not signed out"},
		{"changing the kind of session", func(her, _, _ *browser) answer { return her.post("/session/backend", "backend", session.JWT) }, "Not now, but soon"},
		{"saving a name", func(her, _, _ *browser) answer { return her.post("/account/profile", "name", "Ada, Countess") }, "Ada, Countess"},
		{"ending somebody's sessions", func(_, admin, _ *browser) answer { return admin.post(person(bea) + "/end-sessions") }, "Not now, but soon"},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, session.Database)
			her, admin, visitor := s.as(ada).impatient(), s.as(alan).impatient(), s.browser().impatient()
			number := her.cookie("lectern-sid")
			unlock := s.lock()
			defer unlock()
			row.send(her, admin, visitor).notNow(t, row.text)
			her.get("/learning").want(t, http.StatusOK, "Ada Byron")
			s.clock.move(10 * time.Minute)
			her.get("/learning").want(t, http.StatusOK, "Ada Byron", "not possible now")
			visitor.get("/courses").want(t, http.StatusOK, "Knots")
			unlock()
			her.get("/learning").want(t, http.StatusOK, "Ada Byron")
			if her.cookie("lectern-sid") != number {
				t.Error("the session is another one")
			}
			her.post("/account/profile", "name", "Ada King").want(t, http.StatusSeeOther)
			her.post("/signout").want(t, http.StatusSeeOther)
			s.as(bea)
		})
	}
}

// TestLocked_nobodyWaitsInARow sends many forms at once to a locked file. One
// after the other they would wait for minutes.
func TestLocked_nobodyWaitsInARow(t *testing.T) {
	s := newSite(t, session.Database)
	her := s.as(ada).impatient()
	unlock := s.lock()
	defer unlock()
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if i%2 == 0 {
				her.post("/account/profile", "name", "Ada King").notNow(t)
			} else {
				her.post("/signout").notNow(t)
			}
		})
	}
	all.Wait()
	unlock()
	her.post("/account/profile", "name", "Ada King").want(t, http.StatusSeeOther)
}
