package handlers_test

import (
	"database/sql"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// What browsers call themselves.
const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605.1.15 Version/18.0 Safari/605.1"
)

// kindOfSite is a kind of session, tokens with the rung that they stand on.
type kindOfSite struct{ backend, rung string }

func (k kindOfSite) String() string { return strings.TrimSpace(k.backend + " " + k.rung) }

// lists reports whether sessions of this kind are written down, so that one of
// them can be ended from another browser.
func (k kindOfSite) lists() bool { return k.backend != session.JWT }

// endsCopies reports whether a copy of the cookie is worthless after signing
// out.
func (k kindOfSite) endsCopies() bool { return k.rung != session.RevokeNone }

// endsOthers reports whether a person's other sessions can be ended.
func (k kindOfSite) endsOthers() bool { return k.rung != session.RevokeNone }

// eachKind runs a test once for every kind of session, and for tokens once for
// each rung of the ladder, on a site of its own.
func eachKind(t *testing.T, test func(t *testing.T, s *site, k kindOfSite)) {
	t.Helper()
	var kinds []kindOfSite
	for _, backend := range tried() {
		if backend != session.JWT {
			kinds = append(kinds, kindOfSite{backend, ""})
			continue
		}
		for _, rung := range []string{session.RevokeNone, session.RevokeCutoff, session.RevokeDenylist} {
			kinds = append(kinds, kindOfSite{backend, rung})
		}
	}
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			test(t, startSite(t, k.backend, true, setting{revocation: k.rung}), k)
		})
	}
}

// settle lets the time pass that an end may take to be noticed in this kind of
// session; in most it takes none.
func (s *site) settle(k kindOfSite) {
	for _, p := range s.sessions.Powers() {
		if p.Backend == k.backend && p.EndsUser {
			s.clock.move(p.Life)
		}
	}
}

// lacksInMain fails if the page says so, its frame and its X-ray left aside.
func lacksInMain(t *testing.T, page answer, text string) {
	t.Helper()
	if strings.Contains(page.main(), text) {
		t.Errorf("page has %q, and must not", text)
	}
}

// in is a browser that calls itself so, in which the person is signed in.
func (s *site) in(email, userAgent string) *browser {
	s.t.Helper()
	b := s.browser()
	b.send(http.MethodPost, "/signin", url.Values{"email": {email}, "password": {password}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "User-Agent", userAgent).want(s.t, http.StatusSeeOther)
	return b
}

// copy is another browser with the same cookies: what a thief would have.
func (b *browser) copy() *browser {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	must(b.t, err)
	u, err := url.Parse(b.site.url)
	must(b.t, err)
	jar.SetCookies(u, b.client.Jar.Cookies(u))
	thief := *b.client
	thief.Jar = jar
	return &browser{b.t, b.site, &thief}
}

// handle is the name of this browser's session, which its own page has.
func (b *browser) handle() string {
	b.t.Helper()
	page := b.get("/account/sessions").want(b.t, http.StatusOK, "This one")
	return between(page.body[strings.Index(page.body, "This one"):], `action="/account/sessions/`, "/end")
}

func end(handle string) string { return "/account/sessions/" + handle + "/end" }

// number is what differs between two pages that say the same.
var number = regexp.MustCompile(`<code>[\w-]+</code>`)

func TestSessions_areEndedByTheirOwnerOnly(t *testing.T) {
	t.Attr("asvs", "8.2.2")
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		visitor, her, other := s.browser(), s.as(ada), s.as(bea)
		mine := her.handle()
		if got := visitor.get("/account/sessions").want(t, http.StatusSeeOther).location; got != "/signin?next=%2Faccount%2Fsessions" {
			t.Errorf("a visitor is sent to %q", got)
		}
		visitor.post(end(mine)).want(t, http.StatusUnauthorized, "We do not know who you are", "end one of your sessions")
		visitor.post("/account/sessions/end-others").want(t, http.StatusUnauthorized, "end your other sessions")
		for _, path := range []string{end(mine), "/account/sessions/end-others"} {
			her.send(http.MethodPost, path, "", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded").want(t, http.StatusForbidden, "That came from another site")
		}
		hers := other.post(end(mine)).want(t, http.StatusNotFound, "You have no such session", `href="/account/sessions"`)
		for _, garbage := range []string{"x", "%00", "..%2F..%2Fetc", strings.Repeat("0", 64), strings.Repeat("f", 64), strings.Repeat("a", 5000), mine + "0", "%F0%9F%8E%AB"} {
			gone := other.post(end(garbage)).want(t, http.StatusNotFound)
			if number.ReplaceAllString(gone.main(), "") != number.ReplaceAllString(hers.main(), "") {
				t.Errorf("somebody else's session is told from one that is not there (%q)", garbage)
			}
		}
		other.get("/account/sessions").want(t, http.StatusOK).lacks(t, mine)
		if !her.signedIn() || !other.signedIn() {
			t.Error("a refused try ended a session")
		}
	})
}

func TestSessions_areListed(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		phone, here := s.in(ada, iphone), s.in(ada, firefox)
		s.in(bea, "curl/8.0")
		s.clock.move(90 * time.Second)
		phone.get("/")
		page := here.get("/account/sessions", "User-Agent", firefox).want(t, http.StatusOK, "Firefox on Linux", "This one", "once a minute", s.Now().Add(-90*time.Second).Local().Format("15:04:05")).lacks(t, "curl")
		if strings.Count(page.body, "This one") != 1 {
			t.Error("not one session is marked as this one")
		}
		if k.lists() {
			page.want(t, http.StatusOK, "Safari on iPhone", "127.0.0.1", s.Now().Local().Format("15:04:05"), "End it…").lacks(t, "is in no list")
		} else {
			page.want(t, http.StatusOK, "is in no list", "place not written down", "nobody notes it").lacks(t, "iPhone", "End it…")
		}
		for _, b := range []*browser{phone, here} {
			if value := b.cookie(cookieOf(k.backend)); strings.Contains(page.body, value) {
				t.Error("the page gives a cookie away")
			}
		}
	})
}

// TestSessions_thisOneComesFirst, though the telephone's is the later one. Of the
// hybrid, both are said to go on for a moment after their end.
func TestSessions_thisOneComesFirst(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		here := s.in(ada, firefox)
		s.clock.move(2 * time.Second)
		s.in(ada, iphone)
		page := here.get("/account/sessions", "User-Agent", firefox).want(t, http.StatusOK, "This one").main()
		if own, other := strings.Index(page, "This one"), strings.Index(page, "Safari on iPhone"); k.lists() && other < own {
			t.Errorf("this one stands at %d, the other at %d", own, other)
		}
		for _, late := range []string{
			"The short token that it has at the moment is good until " + s.Now().Add(lifetimes.Access).Local().Format("15:04:05"),
			"A copy of the short token is good until " + s.Now().Add(lifetimes.Access).Local().Format("15:04:05"),
		} {
			if strings.Contains(page, late) != (lagOf(k.backend) > 0) {
				t.Errorf("the page says %q: %v", late, lagOf(k.backend) == 0)
			}
		}
	})
}

// TestSessions_areCapped: where there may be more than are listed, the page says
// so, and not before.
func TestSessions_areCapped(t *testing.T) {
	s := startSite(t, session.Memory, false)
	const capped = "Only the latest 100 of each kind are shown"
	her := s.as(ada)
	more := func(n int) {
		for range n {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r, _, err := s.sessions.Load(httptest.NewRecorder(), r)
			must(t, err)
			must(t, s.sessions.Start(httptest.NewRecorder(), r, session.Identity{UserID: fixedID("ada"), Role: school.Student, AuthAt: s.Now()}, session.StartOptions{}))
		}
	}
	more(session.MaxListed - 2)
	her.get("/account/sessions").want(t, http.StatusOK).lacks(t, capped)
	more(1)
	her.get("/account/sessions").want(t, http.StatusOK, capped)
}

// TestSessions_endOne ends the telephone's session from here. A token in another
// browser has no name that anybody here could know, and its number ends nothing.
func TestSessions_endOne(t *testing.T) {
	t.Attr("asvs", "7.5.2 10.4.9")
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		phone, here := s.in(ada, iphone), s.in(ada, firefox)
		thief, handle := phone.copy(), phone.handle()
		done := here.post(end(handle))
		if !k.lists() {
			done.want(t, http.StatusNotFound, "You have no such session")
			if !phone.signedIn() {
				t.Error("the number of a token ended it from another browser")
			}
			return
		}
		said := here.get(done.want(t, http.StatusSeeOther).location).want(t, http.StatusOK, "Sessions ended: one in Safari on iPhone, from 127.0.0.1").lacks(t, handle)
		if late := "its short token goes on until"; strings.Contains(said.body, late) != (lagOf(k.backend) > 0) {
			t.Errorf("the page says %q: %v", late, lagOf(k.backend) == 0)
		}
		s.settle(k)
		if phone.signedIn() || thief.signedIn() {
			t.Error("the telephone, or a copy of its cookie, is still signed in")
		}
		if !here.signedIn() {
			t.Error("this browser was signed out")
		}
		here.post(end(handle)).want(t, http.StatusNotFound, "It may have ended meanwhile", "Back to your sessions")
		events, err := s.db.Events(t.Context(), db.EventQuery{Action: school.ActionEndSessions})
		must(t, err)
		if len(events.Events) != 1 || strings.Contains(events.Events[0].Detail, handle) {
			t.Errorf("the log says %+v", events.Events)
		}
	})
}

func TestSessions_endOthers(t *testing.T) {
	t.Attr("asvs", "7.5.2")
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		phone, here, hers := s.in(ada, iphone), s.in(ada, firefox), s.as(bea)
		thief, ofPhone := here.copy(), phone.copy()
		here.get("/account/sessions").want(t, http.StatusOK, "End all others…", "stays in them", "comes back after signing in")
		s.clock.move(2 * time.Second)
		done := here.post("/account/sessions/end-others").want(t, http.StatusSeeOther)
		page := here.get(done.location).want(t, http.StatusOK, "Sessions ended: ", "No other session is written down", "This one")
		s.settle(k)
		if !here.signedIn() || !hers.signedIn() {
			t.Error("this browser, or somebody else's, was signed out")
		}
		for what, b := range map[string]*browser{"the telephone": phone, "a copy of the telephone's cookie": ofPhone, "a copy of the cookie that was here": thief} {
			if stays := !k.endsOthers(); b.signedIn() != stays {
				t.Errorf("%s is signed in: %v", what, !stays)
			}
		}
		switch {
		case k.lists():
			page.want(t, http.StatusOK, "1 other session on the server ended")
		case k.endsOthers():
			page.want(t, http.StatusOK, "tokens issued before are refused").lacks(t, "stay good until they expire")
		default:
			page.want(t, http.StatusOK, "tokens issued before stay good until they expire")
			// What cannot be called back can at least not be exchanged any more.
			thief.post("/session/backend", "backend", session.Database)
			if got := thief.kind(); got != session.JWT {
				t.Errorf("the copy was exchanged for %q", got)
			}
		}
	})
}

// TestSessions_endThisOne signs out from the list, where each kind says before
// what that will do.
func TestSessions_endThisOne(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		phone, here := s.in(ada, iphone), s.in(ada, firefox)
		thief := here.copy()
		page := here.get("/account/sessions").want(t, http.StatusOK, "Sign out here…", "You will be signed out here")
		switch k.rung {
		case session.RevokeNone:
			page.want(t, http.StatusOK, "Whoever has another copy goes on until "+s.Now().Add(time.Hour).Local().Format("15:04:05"))
		case session.RevokeCutoff:
			page.want(t, http.StatusOK, "and with it everywhere")
		case session.RevokeDenylist:
			page.want(t, http.StatusOK, "goes on the denylist")
		default:
			page.want(t, http.StatusOK, "The record is deleted")
		}
		done := here.post(end(here.handle())).want(t, http.StatusSeeOther)
		if got := done.header.Get("Clear-Site-Data"); got != `"cache"` {
			t.Errorf("what the browser has kept of the pages is not cleared: %q", got)
		}
		if e := s.lastEvent(school.ActionSignOut); e.Subject != "Ada Byron" || e.Detail != "from the list of sessions" {
			t.Errorf("the log says %+v", e)
		}
		here.get(done.location).want(t, http.StatusOK, "You are signed out.")
		s.settle(k)
		if here.signedIn() || here.cookie(cookieOf(k.backend)) != "" {
			t.Error("this browser is still signed in")
		}
		if thief.signedIn() == k.endsCopies() {
			t.Errorf("a copy of the cookie is good: %v", !k.endsCopies())
		}
		if want := k.rung != session.RevokeCutoff; phone.signedIn() != want {
			t.Errorf("the telephone is signed in: %v", !want)
		}
		s.clock.move(time.Hour)
		if thief.signedIn() {
			t.Error("the copy outlived its time")
		}
	})
}

// TestSessions_sayWhatTheListCannotShow reads the sentences for each rung.
func TestSessions_sayWhatTheListCannotShow(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		b := s.as(ada)
		page := b.get("/account/sessions").want(t, http.StatusOK, "No other session is written down")
		until := s.Now().Add(time.Hour).Local().Format("15:04:05")
		switch k.rung {
		case session.RevokeNone:
			page.want(t, http.StatusOK, "Nobody wrote it down", "ASVS 7.4.1) is not met", "is over at "+until, "Choose another kind now", `name="backend" value="database"`, "Change your password")
			moved := b.post("/session/backend", "backend", session.Database, "next", "/account/sessions").want(t, http.StatusSeeOther)
			b.get(moved.location).want(t, http.StatusOK, "This one", "A band that you were given just now").lacks(t, "Choose another kind now", "is in no list")
		case session.RevokeCutoff:
			page.want(t, http.StatusOK, "but they can be ended", "asks when your sessions were last ended", "signs you out everywhere").lacks(t, "Nobody wrote it down.", "ASVS")
		case session.RevokeDenylist:
			page.want(t, http.StatusOK, "but they can be ended", "can be ended alone").lacks(t, "Nobody wrote it down.", "ASVS")
		}
	})
}

// TestSessions_areAllThereAre is a site that reads one kind, which writes all
// down: there the list is the whole truth, and tokens are not spoken of.
func TestSessions_areAllThereAre(t *testing.T) {
	s := startSite(t, session.Database, false)
	s.as(ada).get("/account/sessions").want(t, http.StatusOK, "You are signed in nowhere else", "It acts at once on every kind").lacks(t, "JWT", "Switch to")
	admin := s.as(alan)
	admin.get(person(bea)).want(t, http.StatusOK, "They are signed in nowhere", "It acts at once on every kind").lacks(t, "JWT")
}

// TestSessions_storeIsAway keeps every reader of the database busy, and then its
// only writer: nobody is signed out, nothing is ended, and the page is there
// again with the store.
func TestSessions_storeIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Database)
	phone, here := s.as(ada), s.as(ada)
	handle, ticket := phone.handle(), here.cookie("lectern-sid")
	away := func(what string, got answer) {
		t.Helper()
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || len(got.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: %d, Retry-After %q, cookies %v", what, got.status, got.header.Get("Retry-After"), got.header.Values("Set-Cookie"))
		}
	}
	var busy []*sql.Conn
	for range s.db.Reader().Stats().MaxOpenConnections {
		conn, err := s.db.Reader().Conn(t.Context())
		must(t, err)
		busy = append(busy, conn)
	}
	away("the list", here.get("/account/sessions"))
	away("ending one", here.post(end(handle)))
	away("ending the others", here.post("/account/sessions/end-others"))
	for _, conn := range busy {
		must(t, conn.Close())
	}
	writing, err := s.db.Writer().BeginTx(t.Context(), nil)
	must(t, err)
	away("ending one that can only be read", here.post(end(handle)))
	must(t, writing.Rollback())
	here.get("/account/sessions").want(t, http.StatusOK, "End it…")
	if !phone.signedIn() || here.cookie("lectern-sid") != ticket {
		t.Error("something ended while the store was away")
	}
}

// TestPerson_storeIsAway: what an admin does to a person is done as far as it can
// be, and neither the page nor the log says that it has reached everything.
func TestPerson_storeIsAway(t *testing.T) {
	t.Parallel()
	distant := miniredis.RunT(t)
	s := startSite(t, session.Database, true, setting{redis: "redis://" + distant.Addr()})
	admin := s.as(alan)
	distant.Close()
	admin.get(person(bea)).want(t, http.StatusOK, "Redis does not answer just now", "Role")
	for _, row := range []struct {
		says, path, action string
		fields             []string
	}{
		{"another role", "/role", school.ActionRoleChange, []string{"role", "instructor"}},
		{"the same role, which has not reached all yet", "/role", school.ActionRoleChange, []string{"role", "instructor"}},
		{"the end of their sessions", "/end-sessions", school.ActionEndSessions, nil},
		{"the end of their account", "/disable", school.ActionDisable, nil},
	} {
		before := s.lastEvent(row.action)
		done := admin.post(person(bea)+row.path, row.fields...).want(t, http.StatusSeeOther)
		admin.get(done.location).want(t, http.StatusOK, "; Redis does not answer, and ")
		if e := s.lastEvent(row.action); e.ID == before.ID || !strings.Contains(e.Detail, "; Redis does not answer, and ") {
			t.Errorf("%s: the log says %+v", row.says, e)
		}
		s.clock.move(time.Second)
	}
	must(t, distant.Restart())
}

// TestAccount_saysWhatANewPasswordDoes reads the account page of each kind, and
// then does what it says.
func TestAccount_saysWhatANewPasswordDoes(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		phone, here := s.in(ada, iphone), s.in(ada, firefox)
		thief := here.copy()
		page := here.get("/account").want(t, http.StatusOK, `href="/account/sessions"`)
		switch k.rung {
		case session.RevokeNone:
			page.want(t, http.StatusOK, "We keep nothing of it.", "stays good until it expires")
		case session.RevokeCutoff:
			page.want(t, http.StatusOK, "we ask when your sessions were last ended", "are refused from that moment").lacks(t, "stays good until it expires")
		case session.RevokeDenylist:
			page.want(t, http.StatusOK, "we ask whether it was ended", "are refused from that moment").lacks(t, "stays good until it expires")
		default:
			page.want(t, http.StatusOK, "record hangs here", "good for nothing from that moment")
		}
		s.clock.move(2 * time.Second)
		here.post("/account/password", "current", password, "new", otherPassword, "end_others", "1").want(t, http.StatusSeeOther)
		s.settle(k)
		if !here.signedIn() {
			t.Error("this browser was signed out")
		}
		for what, b := range map[string]*browser{"the telephone": phone, "a copy of the old cookie": thief} {
			if stays := !k.endsOthers(); b.signedIn() != stays {
				t.Errorf("%s is signed in: %v", what, !stays)
			}
		}
	})
}

// TestPerson_showsSessionsAndHowLongRightsLast is the admin's page, before and
// after each deed.
func TestPerson_showsSessionsAndHowLongRightsLast(t *testing.T) {
	eachKind(t, func(t *testing.T, s *site, k kindOfSite) {
		admin, her := s.as(alan), s.in(grace, iphone)
		admin.get(person(bea)).want(t, http.StatusOK, "Sessions that are written down", "That does not mean that they are signed out")
		page := admin.get(person(grace)).want(t, http.StatusOK, "How long the old role can last", "How long they can go on", "How long they can stay").lacks(t, "/account/sessions/")
		if k.lists() {
			page.want(t, http.StatusOK, "Safari on iPhone", "127.0.0.1")
		} else {
			page.lacks(t, "iPhone")
		}
		last := s.Now().Add(time.Hour).Local().Format("15:04:05")
		switch k.rung {
		case session.RevokeCutoff:
			page.want(t, http.StatusOK, "acts at once", "JWT with a cut-off session is signed out, and signs in again with the new role")
			lacksInMain(t, page, last)
		case session.RevokeDenylist:
			page.want(t, http.StatusOK, "acts at once", "JWT with a denylist session is signed out, and signs in again with the new role")
			lacksInMain(t, page, last)
		default: // in a demonstration there are tokens beside every kind
			page.want(t, http.StatusOK, "JWT sessions go on until "+last+" at the latest (22 December 2026", "On all others it acts at once")
		}
		s.clock.move(2 * time.Second)
		done := admin.post(person(grace)+"/role", "role", "student").want(t, http.StatusSeeOther)
		said := admin.get(done.location).want(t, http.StatusOK, "Role changed")
		s.settle(k)
		switch k.rung {
		case session.RevokeNone:
			said.want(t, http.StatusOK, "tokens say the old role until they expire")
			her.get("/teach").want(t, http.StatusOK)
		case "":
			her.get("/teach").want(t, http.StatusForbidden)
		default:
			said.want(t, http.StatusOK, "tokens with the old role are refused").lacks(t, "say the old role until")
			if her.signedIn() {
				t.Error("a token with the old role is good")
			}
			her = s.as(grace)
			her.get("/teach").want(t, http.StatusForbidden)
		}
		s.clock.move(2 * time.Second)
		done = admin.post(person(grace)+"/end-sessions").want(t, http.StatusSeeOther)
		said = admin.get(done.location).want(t, http.StatusOK, "Sessions ended")
		s.settle(k)
		if k.lists() {
			said.want(t, http.StatusOK, "1 session on the server ended")
		}
		if stays := !k.endsOthers(); her.signedIn() != stays {
			t.Errorf("signed in after the end: %v", !stays)
		}
	})
}
