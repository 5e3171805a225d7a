package handlers_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// rungs are the ways in which a token can be ended before its time.
var rungs = []string{session.RevokeNone, session.RevokeCutoff, session.RevokeDenylist}

// onRung is a site with tokens on a rung of the ladder.
func onRung(t *testing.T, revocation string) *site {
	t.Helper()
	return startSite(t, session.JWT, true, setting{revocation: revocation})
}

// copied is a thief: another browser with the same cookies.
func (b *browser) copied() *browser {
	b.t.Helper()
	thief := b.site.browser()
	u := b.site.address()
	thief.client.Jar.SetCookies(u, b.client.Jar.Cookies(u))
	return thief
}

// still is whether a browser is signed in, as a page and as a form see it: 303
// to the door, and 401.
func (b *browser) still(t *testing.T, in bool, says string) {
	t.Helper()
	form, page := b.post("/account/profile", "name", "Ada Byron"), b.get("/account")
	switch {
	case in && page.status == http.StatusOK && form.status == http.StatusSeeOther:
	case !in && page.status == http.StatusSeeOther && strings.HasPrefix(page.location, "/signin") && form.status == http.StatusUnauthorized:
	default:
		t.Errorf("%s: the page answers %d to %q, the form %d", says, page.status, page.location, form.status)
	}
}

// TestLadder_whatEndsACopyOfAToken does to a person what should end their
// sessions, and comes with a copy of their token.
func TestLadder_whatEndsACopyOfAToken(t *testing.T) {
	t.Attr("asvs", "7.4.1 7.4.2 7.4.3 7.4.5")
	for _, row := range []struct {
		says string
		do   func(s *site, own *browser)
		// goesOn are the rungs on which the copy is good afterwards.
		goesOn map[string]bool
		// spares are the rungs on which another sign-in of the same person goes on.
		spares map[string]bool
	}{
		{"signing out",
			func(_ *site, own *browser) { own.post("/signout").want(own.t, 303) },
			map[string]bool{session.RevokeNone: true},
			map[string]bool{session.RevokeNone: true, session.RevokeDenylist: true}},
		{"changing the password, and ending the others",
			func(_ *site, own *browser) {
				own.post("/account/password", "current", password, "new", otherPassword, "end_others", "1").want(own.t, 303)
				own.get("/account").want(own.t, 200)
			},
			map[string]bool{session.RevokeNone: true}, map[string]bool{session.RevokeNone: true}},
		{"changing the password alone",
			func(_ *site, own *browser) {
				own.post("/account/password", "current", password, "new", otherPassword).want(own.t, 303)
				own.get("/account").want(own.t, 200)
			},
			map[string]bool{session.RevokeNone: true, session.RevokeCutoff: true},
			map[string]bool{session.RevokeNone: true, session.RevokeCutoff: true, session.RevokeDenylist: true}},
		{"an admin who ends them",
			func(s *site, own *browser) { s.as(alan).post(person(ada)+"/end-sessions").want(own.t, 303) },
			map[string]bool{session.RevokeNone: true}, map[string]bool{session.RevokeNone: true}},
		{"an admin who closes the account",
			func(s *site, own *browser) { s.as(alan).post(person(ada)+"/disable").want(own.t, 303) },
			map[string]bool{session.RevokeNone: true}, map[string]bool{session.RevokeNone: true}},
		{"an admin who changes the role",
			func(s *site, own *browser) {
				s.as(alan).post(person(ada)+"/role", "role", "instructor").want(own.t, 303)
			},
			map[string]bool{session.RevokeNone: true}, map[string]bool{session.RevokeNone: true}},
		{"an admin who ends everybody's",
			func(s *site, own *browser) {
				s.as(alan).post("/admin/sessions", "backend", session.JWT, "existing", "end").want(own.t, 303)
			},
			nil, nil},
		{"another kind of session, of one's own choice",
			func(_ *site, own *browser) {
				own.post("/session/backend", "backend", session.Memory).want(own.t, 303)
				own.get("/account").want(own.t, 200)
			},
			map[string]bool{session.RevokeNone: true, session.RevokeCutoff: true},
			map[string]bool{session.RevokeNone: true, session.RevokeCutoff: true, session.RevokeDenylist: true}},
	} {
		for _, rung := range rungs {
			t.Run(row.says+", "+rung, func(t *testing.T) {
				t.Parallel()
				s := onRung(t, rung)
				own, phone := s.as(ada), s.as(ada)
				thief := own.copied()
				thief.still(t, true, "before anything happened")
				row.do(s, own)
				thief.still(t, row.goesOn[rung], "the copy")
				phone.still(t, row.spares[rung], "the other sign-in")
				s.clock.move(lifetimes.Token)
				thief.still(t, false, "the copy, after the token has expired")
			})
		}
	}
}

// TestLadder_signInAgainAtOnce comes back within the very second of the end,
// several times, and each time the old token is dead and the new one good.
func TestLadder_signInAgainAtOnce(t *testing.T) {
	for _, rung := range rungs[1:] {
		t.Run(rung, func(t *testing.T) {
			t.Parallel()
			s := onRung(t, rung)
			for range 4 {
				own := s.as(ada)
				thief := own.copied()
				own.still(t, true, "right after signing in")
				own.post("/signout").want(t, 303)
				thief.still(t, false, "the copy of what was signed out")
			}
		})
	}
}

// TestLadder_climbed changes the rung while people are signed in.
func TestLadder_climbed(t *testing.T) {
	s := onRung(t, session.RevokeNone)
	admin, own := s.as(alan), s.as(ada)
	thief, patient := own.copied(), own.copied()
	admin.post("/admin/sessions/revocation", "revocation", session.RevokeDenylist).want(t, 303)
	admin.get("/admin/sessions").want(t, 200, "It meets ASVS 7.4.1", "One step down")
	own.still(t, true, "a token from below")
	own.post("/signout")
	thief.still(t, false, "what was ended on the upper rung")
	admin.post("/admin/sessions/revocation", "revocation", session.RevokeNone).want(t, 303)
	patient.still(t, true, "what was ended on the upper rung, on the lower one")
	events := admin.get("/admin/audit").want(t, 200, "denylist → none")
	if !strings.Contains(events.body, "none → denylist") {
		t.Error("the log does not tell of the climb")
	}
}

// TestLadder_isNotClimbedByAccident sends what is no rung, and the one that is
// stood on already.
func TestLadder_isNotClimbedByAccident(t *testing.T) {
	s := onRung(t, session.RevokeCutoff)
	admin := s.as(alan)
	for _, name := range []string{"", "abacus", "CUTOFF"} {
		admin.post("/admin/sessions/revocation", "revocation", name).want(t, 422, "Choose one of the ways to end a band. Nothing was changed.")
	}
	if got := admin.post("/admin/sessions/revocation", "revocation", session.RevokeCutoff).want(t, 303).location; got != "/admin/sessions" {
		t.Errorf("where nothing was changed it leads to %q", got)
	}
	if e := s.lastEvent(school.ActionRevocation); e.ID != "" || s.sessions.Site().Revocation != session.RevokeCutoff {
		t.Errorf("the log has %+v, and tokens stand on %q", e, s.sessions.Site().Revocation)
	}
}

// TestLadder_showsWhereItStands: the rung that is chosen is the one that is
// marked, and those below it are said to be a step down.
func TestLadder_showsWhereItStands(t *testing.T) {
	for i, rung := range rungs {
		page := onRung(t, rung).as(alan).get("/admin/sessions").want(t, 200)
		if got := strings.Count(page.main(), "One step down"); got != i {
			t.Errorf("on the rung %s, %d are said to be a step down, want %d", rung, got, i)
		}
		for _, other := range rungs {
			field := between(page.main(), `name="revocation" value="`+other+`"`, ">")
			if strings.Contains(field, "checked") != (other == rung) {
				t.Errorf("on the rung %s, %s is marked: %v", rung, other, other != rung)
			}
		}
	}
}

// TestLadder_saysWhatItCosts reads the strip and its JSON on each rung.
func TestLadder_saysWhatItCosts(t *testing.T) {
	for rung, want := range map[string]struct {
		reads int
		says  string
	}{
		session.RevokeNone:     {0, "Nobody was asked whether you signed out"},
		session.RevokeCutoff:   {1, "printed after your sessions were last ended"},
		session.RevokeDenylist: {1, "is not on the list of those that were ended"},
	} {
		t.Run(rung, func(t *testing.T) {
			t.Parallel()
			b := onRung(t, rung).as(ada)
			b.get("/account").want(t, 200, want.says)
			if got := b.trace(); got.Backend != session.JWT || got.Store.Reads != want.reads || got.Store.Writes != 0 {
				t.Errorf("the trace is %+v", got)
			}
		})
	}
}

// TestLadder_aListThatCannotBeReadLetsNobodyIn takes the table away.
func TestLadder_aListThatCannotBeReadLetsNobodyIn(t *testing.T) {
	s := onRung(t, session.RevokeDenylist)
	own, stranger := s.as(ada), s.browser()
	_, err := s.db.Writer().ExecContext(t.Context(), "ALTER TABLE denied_tokens RENAME TO elsewhere")
	must(t, err)
	for what, got := range map[string]answer{"a page": own.get("/account"), "a form": own.post("/account/profile", "name", "Ada")} {
		got.want(t, http.StatusServiceUnavailable, "You are not signed out")
		if got.header.Get("Retry-After") == "" || len(got.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: Retry-After %q, Set-Cookie %v", what, got.header.Get("Retry-After"), got.header.Values("Set-Cookie"))
		}
	}
	stranger.get("/courses").want(t, 200)
	_, err = s.db.Writer().ExecContext(t.Context(), "ALTER TABLE elsewhere RENAME TO denied_tokens")
	must(t, err)
	own.still(t, true, "when the list is back")
}

// TestLadder_ofSomebodyWhoIsGone: of a person who is not there no moment is kept,
// which is no trouble of the list's.
func TestLadder_ofSomebodyWhoIsGone(t *testing.T) {
	for _, rung := range rungs {
		t.Run(rung, func(t *testing.T) {
			t.Parallel()
			s := onRung(t, rung)
			b := s.as(bea)
			_, err := s.db.Writer().ExecContext(t.Context(), "DELETE FROM users WHERE email = $1", bea)
			must(t, err)
			b.get("/").want(t, 200, "The person it speaks of is not in the school any more")
		})
	}
}

// TestLadder_aListIsNotWaitedForWithoutEnd keeps every reader of the database busy,
// then its only writer, and then its file: who asks hears that it cannot be known,
// or done, now.
func TestLadder_aListIsNotWaitedForWithoutEnd(t *testing.T) {
	for _, rung := range rungs[1:] {
		t.Run(rung, func(t *testing.T) {
			t.Parallel()
			s := onRung(t, rung)
			own := s.as(ada)
			var busy []*sql.Conn
			for range s.db.Reader().Stats().MaxOpenConnections {
				conn, err := s.db.Reader().Conn(t.Context())
				must(t, err)
				busy = append(busy, conn)
			}
			own.get("/account").want(t, 503)
			for _, conn := range busy {
				must(t, conn.Close())
			}
			writing, err := s.db.Writer().BeginTx(t.Context(), nil)
			must(t, err)
			if _, err := s.ledger.Deny(t.Context(), "AAAAAAAAAAAAAAAAAAAAAA", s.Now().Add(time.Hour)); err == nil {
				t.Error("a token is put on the list while nothing can be written")
			}
			must(t, writing.Rollback())
			unlock := s.lock()
			own.post("/signout").want(t, 503, "You are not signed out")
			unlock()
			own.still(t, true, "when the database is free again")
		})
	}
}

// TestLadder_isPutOnTheListOnce: whoever comes second is told so, which is no
// trouble of the list's.
func TestLadder_isPutOnTheListOnce(t *testing.T) {
	s := onRung(t, session.RevokeDenylist)
	for i, want := range []bool{true, false} {
		if added, err := s.ledger.Deny(t.Context(), "AAAAAAAAAAAAAAAAAAAAAA", s.Now().Add(time.Hour)); err != nil || added != want {
			t.Errorf("time %d: added %v, %v", i+1, added, err)
		}
	}
}

// TestLadder_aLongListIsSweptToItsEnd has more on it than is swept at once.
func TestLadder_aLongListIsSweptToItsEnd(t *testing.T) {
	s := onRung(t, session.RevokeDenylist)
	_, err := s.db.Writer().ExecContext(t.Context(), `
		WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1100)
		INSERT INTO denied_tokens (jti, expires_at) SELECT 'token ' || n, $1 FROM numbers`, s.Now().UnixMilli())
	must(t, err)
	if n, err := s.ledger.Sweep(t.Context()); err != nil || n != 1100 {
		t.Errorf("%d of 1100 were swept, %v", n, err)
	}
}

// TestLadder_theListForgetsWhatHasExpired keeps the list as short as the lives
// of the tokens on it.
func TestLadder_theListForgetsWhatHasExpired(t *testing.T) {
	s := onRung(t, session.RevokeDenylist)
	s.as(ada).post("/signout")
	count := func() (n int) {
		must(t, s.db.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM denied_tokens").Scan(&n))
		return n
	}
	n, err := s.ledger.Sweep(t.Context())
	must(t, err)
	if n != 0 || count() != 1 {
		t.Errorf("%d swept, %d left, before the token has expired", n, count())
	}
	s.clock.move(lifetimes.Token + time.Minute)
	n, err = s.ledger.Sweep(t.Context())
	must(t, err)
	if n != 1 || count() != 0 {
		t.Errorf("%d swept, %d left, when the token has expired", n, count())
	}
}

// TestLadder_aRoleTakenAwayBringsNothingBack demotes somebody who is at work:
// on the upper rungs they sign in again, as what they are now.
func TestLadder_aRoleTakenAwayBringsNothingBack(t *testing.T) {
	for _, rung := range rungs {
		t.Run(rung, func(t *testing.T) {
			t.Parallel()
			s := onRung(t, rung)
			b := s.as(grace)
			s.clock.move(10 * time.Second)
			s.as(alan).post(person(grace)+"/role", "role", string(school.Student)).want(t, 303)
			want := http.StatusUnauthorized
			if rung == session.RevokeNone {
				want = http.StatusSeeOther // accepted, and stored, until the token expires
			}
			b.post(knotsLesson, "title", "Bends", "kind", "reading", "body", "Text.", "version", "1").want(t, want)
			s.as(grace).post(knotsLesson, "title", "Bends", "kind", "reading", "body", "Text.", "version", "2").want(t, http.StatusForbidden)
		})
	}
}

// TestLadder_aNewRoleLeavesOtherKindsWhole changes the role of somebody who has
// sessions of every kind, on a rung where that ends their tokens: the others have
// the new role, and are good for all that they were good for.
func TestLadder_aNewRoleLeavesOtherKindsWhole(t *testing.T) {
	for _, rung := range rungs[1:] {
		for _, kind := range []string{session.Memory, session.Database, session.Redis, session.Hybrid} {
			t.Run(rung+", "+kind, func(t *testing.T) {
				t.Parallel()
				s := startSite(t, kind, true, setting{revocation: rung})
				own, admin := s.as(bea), s.as(alan)
				admin.post(person(bea)+"/role", "role", "instructor").want(t, http.StatusSeeOther)
				s.clock.move(lagOf(kind))
				if tr := own.trace(); tr.Authorization.Role != "instructor" {
					t.Errorf("the role is %q", tr.Authorization.Role)
				}
				own.post("/account/password", "current", password, "new", otherPassword).want(t, http.StatusSeeOther)
				own.post("/session/backend", "backend", session.JWT).want(t, http.StatusSeeOther)
				if tr := own.trace(); tr.Backend != session.JWT {
					t.Errorf("after a switch of one's own the kind is %q", tr.Backend)
				}
			})
		}
		t.Run(rung+", carried over", func(t *testing.T) {
			t.Parallel()
			s := startSite(t, session.Database, false, setting{revocation: rung})
			own, admin := s.as(bea), s.as(alan)
			admin.post(person(bea)+"/role", "role", "instructor").want(t, http.StatusSeeOther)
			admin.post("/admin/sessions", "backend", session.Redis, "existing", "carry").want(t, http.StatusSeeOther)
			if tr := own.trace(); tr.Backend != session.Redis || tr.Authorization.Role != "instructor" {
				t.Errorf("after the switch of the site: %q, %q", tr.Backend, tr.Authorization.Role)
			}
		})
	}
}

// TestLadder_adminsChangeTheirOwnRole and go on in the browser that they did it
// in, as what they are now.
func TestLadder_adminsChangeTheirOwnRole(t *testing.T) {
	for _, rung := range rungs {
		for _, kind := range backends {
			t.Run(rung+", "+kind, func(t *testing.T) {
				t.Parallel()
				s := startSite(t, kind, true, setting{revocation: rung})
				admin := s.as(alan)
				_, err := s.db.SetRole(t.Context(), fixedID("rob"), school.Admin)
				must(t, err)
				admin.post(person(alan)+"/role", "role", "student").want(t, http.StatusSeeOther)
				if tr := admin.trace(); !tr.Authentication.OK || tr.Authorization.Role != "student" {
					t.Errorf("signed in %v, as %q", tr.Authentication.OK, tr.Authorization.Role)
				}
			})
		}
	}
}

// TestLadder_theSameRoleEndsNothing posts the role that a person has.
func TestLadder_theSameRoleEndsNothing(t *testing.T) {
	for _, rung := range rungs {
		s := onRung(t, rung)
		own, admin := s.as(ada), s.as(alan)
		admin.post(person(ada)+"/role", "role", "student").want(t, http.StatusSeeOther)
		own.still(t, true, rung+": the person")
		admin.post(person(alan)+"/role", "role", "admin").want(t, http.StatusSeeOther)
		admin.get("/admin/users").want(t, http.StatusOK)
	}
}

// TestLadder_switchedTwiceAtOnce presses the same button twice: the second press
// takes nothing from the first, nor from another device.
func TestLadder_switchedTwiceAtOnce(t *testing.T) {
	for _, rung := range rungs {
		s := startSite(t, session.Database, true, setting{revocation: rung})
		first, phone := s.as(ada), s.browser()
		phone.post("/signin", "email", ada, "password", password, "backend", session.JWT).want(t, http.StatusSeeOther)
		second := first.copied()
		first.post("/session/backend", "backend", session.JWT).want(t, http.StatusSeeOther)
		second.post("/session/backend", "backend", session.JWT).want(t, http.StatusSeeOther)
		first.still(t, true, rung+": the first press")
		phone.still(t, true, rung+": another device")
	}
}

// TestLadder_endedOftenInAMoment shuts nobody out, in any kind.
func TestLadder_endedOftenInAMoment(t *testing.T) {
	for _, kind := range backends {
		s := startSite(t, kind, true, setting{revocation: session.RevokeCutoff})
		admin := s.as(alan)
		for range 15 {
			admin.post(person(ada)+"/end-sessions").want(t, http.StatusSeeOther)
		}
		s.as(ada).still(t, true, kind+": right afterwards")
	}
}

// TestLadder_anEndedTokenIsExchangedForNothing tells its owner so, instead of
// doing nothing.
func TestLadder_anEndedTokenIsExchangedForNothing(t *testing.T) {
	s := onRung(t, session.RevokeNone)
	own, phone := s.as(ada), s.as(ada)
	own.post("/account/sessions/end-others").want(t, http.StatusSeeOther)
	phone.post("/session/backend", "backend", session.Database).want(t, http.StatusUnauthorized, "Your session has ended")
	own.post("/session/backend", "backend", session.Database).want(t, http.StatusSeeOther)
}
