package handlers_test

import (
	"database/sql"
	"net/http"
	"strconv"
	"testing"
	"time"

	"lectern/handlers/session"
)

// TestSession_storeIsAway keeps every reader of the database busy, so that no
// session can be looked up: whoever comes is told to try again, keeps their
// cookie and what they wrote, and is signed in as before when the store is back.
func TestSession_storeIsAway(t *testing.T) {
	t.Attr("asvs", "16.5.2 16.5.3")
	t.Parallel()
	s := newSite(t, session.Database)
	b := s.as(ada)
	number := b.cookie("lectern-sid")
	var busy []*sql.Conn
	for range s.db.Reader().Stats().MaxOpenConnections {
		conn, err := s.db.Reader().Conn(t.Context())
		must(t, err)
		busy = append(busy, conn)
	}
	for what, got := range map[string]answer{
		"a page": b.get("/learning"),
		"a form": b.post("/account/profile", "name", "Ada, Countess").want(t, http.StatusServiceUnavailable, "What you wrote is still here", "Ada, Countess"),
	} {
		got.want(t, http.StatusServiceUnavailable, "Not now, but soon", "You are not signed out")
		if retry := got.header.Get("Retry-After"); retry != "5" {
			t.Errorf("%s: Retry-After is %q", what, retry)
		}
		if set := got.header.Values("Set-Cookie"); len(set) > 0 || b.cookie("lectern-sid") != number {
			t.Errorf("%s: the cookie was touched: %v", what, set)
		}
	}
	for _, conn := range busy {
		must(t, conn.Close())
	}
	b.get("/learning").want(t, http.StatusOK, "Ada Byron")
	if b.cookie("lectern-sid") != number {
		t.Error("the session is another one")
	}
}

// TestSession_visitThatCannotBeNoted keeps the database's only writer busy: a
// good session stays good.
func TestSession_visitThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Database)
	b := s.as(ada)
	s.clock.move(10 * time.Minute)
	busy, err := s.db.Writer().BeginTx(t.Context(), nil)
	must(t, err)
	defer busy.Rollback()
	b.get("/learning").want(t, http.StatusOK, "Ada Byron", "not possible now")
}

// TestCatalogue_answersHead asks for the head of a page that is kept, and of one
// that is not.
func TestCatalogue_answersHead(t *testing.T) {
	s := newSite(t, session.Memory)
	b := s.browser()
	for _, path := range []string{"/courses", "/courses?q=knots"} {
		fresh := b.send(http.MethodHead, path, "")
		page := b.get(path).want(t, http.StatusOK, "Knots", "</html>")
		kept := b.send(http.MethodHead, path, "")
		for what, head := range map[string]answer{"fresh": fresh, "kept": kept} {
			if head.status != http.StatusOK || head.body != "" {
				t.Errorf("%s %s: HEAD answers %d with %d bytes", what, path, head.status, len(head.body))
			}
			for _, name := range []string{"Content-Type", "Cache-Control", "Vary", "Content-Security-Policy"} {
				if got, want := head.header.Get(name), page.header.Get(name); got != want {
					t.Errorf("%s %s: %s is %q, and %q with GET", what, path, name, got, want)
				}
			}
			// The time that the look at the cookies took stands in the page, with more
			// digits or fewer.
			if length, err := strconv.Atoi(head.header.Get("Content-Length")); err != nil || length < len(page.body)-20 || length > len(page.body)+20 {
				t.Errorf("%s %s: HEAD promises %q bytes, GET has %d", what, path, head.header.Get("Content-Length"), len(page.body))
			}
		}
	}
}
