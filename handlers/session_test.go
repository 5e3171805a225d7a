package handlers_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// trace is what GET /api/v1/session answers.
type trace struct {
	Backend        string
	Authentication struct {
		OK      bool
		User    string
		Methods []string
		At      *time.Time
	}
	Session struct {
		OK            bool
		ExpiresAt     *time.Time `json:"expires_at"`
		IdleExpiresAt *time.Time `json:"idle_expires_at"`
		Refused       string
	}
	Authorization struct {
		OK       bool
		Action   string
		Role     string
		RoleFrom string `json:"role_from"`
	}
	Cookie struct {
		Name         string
		Bytes, Limit int
	}
	Cookies []struct {
		Name  string
		Bytes int
	}
	Store struct{ Reads, Writes int }
	Steps []struct {
		Name, Kind string
		Micros     float64
	}
}

func (b *browser) trace() trace {
	b.t.Helper()
	got := b.get("/api/v1/session").want(b.t, http.StatusOK)
	var tr trace
	if err := json.Unmarshal([]byte(got.body), &tr); err != nil {
		b.t.Fatalf("%v\n%s", err, got.body)
	}
	return tr
}

func TestSessionJSON_tellsAVisitorThatThereIsNone(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		tr := s.browser().trace()
		if tr.Backend != session.None || tr.Authentication.OK || tr.Session.OK || !tr.Authorization.OK || tr.Store.Reads != 0 || tr.Cookie.Bytes != 0 || tr.Cookie.Limit != 4096 {
			t.Errorf("a visitor's trace: %+v", tr)
		}
	})
}

func TestSessionJSON_tellsTheTruth(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		backend := s.sessions.Site().Backend
		tr := b.trace()
		if tr.Backend != backend || !tr.Authentication.OK || tr.Authentication.User != string(fixedID("ada")) || !tr.Authentication.At.Equal(s.clock.Now()) ||
			!tr.Session.OK || tr.Authorization.Role != "student" || tr.Authorization.Action != "session.read" || len(tr.Steps) == 0 {
			t.Errorf("trace: %+v", tr)
		}
		if got, want := tr.Cookie.Bytes, len(cookieOf(backend))+len(b.cookie(cookieOf(backend))); got != want || tr.Cookie.Name != cookieOf(backend) {
			t.Errorf("cookie %s of %d bytes, want %s of %d", tr.Cookie.Name, got, cookieOf(backend), want)
		}
		if len(tr.Cookies) != len(cookiesOf(backend)) || tr.Cookies[0].Name != tr.Cookie.Name || tr.Cookies[0].Bytes != tr.Cookie.Bytes {
			t.Errorf("cookies %+v beside %+v", tr.Cookies, tr.Cookie)
		}
		if backend == session.JWT {
			if tr.Store.Reads != 0 || tr.Authorization.RoleFrom != "token" || tr.Session.IdleExpiresAt != nil || !tr.Session.ExpiresAt.Equal(s.clock.Now().Add(time.Hour)) || tr.Cookie.Bytes < 300 {
				t.Errorf("a token's trace: %+v", tr)
			}
			return
		}
		if backend == session.Hybrid {
			if tr.Store.Reads != 0 || tr.Authorization.RoleFrom != "token" || tr.Session.IdleExpiresAt != nil || !tr.Session.ExpiresAt.Equal(s.clock.Now().Add(12*time.Hour)) || tr.Cookie.Bytes < 300 {
				t.Errorf("the trace of a short token: %+v", tr)
			}
		} else if tr.Store.Reads != 1 || tr.Store.Writes != 0 || tr.Authorization.RoleFrom != "session" || !tr.Session.IdleExpiresAt.Equal(s.clock.Now().Add(30*time.Minute)) ||
			!tr.Session.ExpiresAt.Equal(s.clock.Now().Add(12*time.Hour)) || tr.Cookie.Bytes >= 100 {
			t.Errorf("a ticket's trace: %+v", tr)
		}
		s.clock.move(2 * time.Minute)
		if tr := b.trace(); tr.Store.Reads != 1 || tr.Store.Writes != 1 || !tr.Session.IdleExpiresAt.Equal(s.clock.Now().Add(30*time.Minute)) {
			t.Errorf("after two minutes: %d reads, %d writes; want the visit noted", tr.Store.Reads, tr.Store.Writes)
		}
		if tr := b.trace(); tr.Store.Writes != 0 {
			t.Error("the next visit is noted again at once")
		}
	})
}

// TestXRay_tellsTheTruthOfEachKind reads the strip, and adds up what it says.
func TestXRay_tellsTheTruthOfEachKind(t *testing.T) {
	for backend, says := range map[string][]string{
		session.JWT:      {"JWT, expires ", "no session record"},
		session.Memory:   {"this server’s memory", "The record was found"},
		session.Database: {"the database, table sessions", "The record was found"},
		session.Redis:    {"Redis, key lectern:session:", "The record was found"},
		session.Hybrid:   {"Short JWT, ticket ", "Yes: the band is still good.", "Nobody asked it whether you are still signed in."},
	} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, backend)
			b := s.as(ada)
			b.get("/account").want(t, http.StatusOK, says...)
			s.clock.move(lifetimes.Access)
			if backend == session.Hybrid {
				b.get("/account").want(t, http.StatusOK, "Yes: the coat still hangs.", "the ticket was asked").lacks(t, "Nobody asked it whether you are still signed in.")
			}
			b.post("/session/backend", "backend", session.Memory).want(t, http.StatusSeeOther)
			page := b.get("/account").want(t, http.StatusOK, "In use. You carry a number")
			if from := "not known: it continues a token"; strings.Contains(page.body, from) != (backend == session.JWT) {
				t.Errorf("after %s, the page says that it is not known where the session began: %v", backend, backend != session.JWT)
			}
		})
	}
}

// TestXRay_ofACookieThatIsNotLookedAt is a site where nobody may choose.
func TestXRay_ofACookieThatIsNotLookedAt(t *testing.T) {
	const says = "A session cookie of a kind that this site does not read at present"
	for _, name := range []string{"lectern-jwt", "lectern-sid", "lectern-access", "lectern-refresh"} {
		site := session.JWT
		if name == "lectern-jwt" {
			site = session.Memory
		}
		s := startSite(t, site, false)
		s.browser().get("/", "Cookie", name+"=x").want(t, http.StatusOK, says)
		s.browser().get("/", "Cookie", "theme=dark").want(t, http.StatusOK).lacks(t, says)
	}
}

// TestSwitch_keepsYouSignedIn goes from each kind of session to each other.
func TestSwitch_keepsYouSignedIn(t *testing.T) {
	for _, from := range tried() {
		for _, to := range backends {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, from)
				b := s.as(ada)
				before := "lectern-backend=" + from
				for _, name := range cookiesOf(from) {
					before += "; " + name + "=" + b.cookie(name)
				}
				got := b.post("/session/backend", "backend", to, "next", "/courses?q=x").want(t, http.StatusSeeOther)
				if !strings.HasPrefix(got.location, "/courses?") || !strings.Contains(got.location, "xray=open") {
					t.Errorf("leads to %q", got.location)
				}
				tr := b.trace()
				if tr.Backend != to || tr.Authentication.User != string(fixedID("ada")) {
					t.Fatalf("after the switch: %+v", tr)
				}
				for _, name := range cookiesOf(from) {
					if !slices.Contains(cookiesOf(to), name) && b.cookie(name) != "" {
						t.Errorf("the old cookie %s is still there", name)
					}
				}
				s.clock.move(lagOf(from))
				thief := s.browser()
				stolen := thief.get("/api/v1/session", "Cookie", before)
				alive := strings.Contains(stolen.body, `"user":"`+string(fixedID("ada")))
				if want := from == session.JWT || from == to; alive != want {
					t.Errorf("a copy of the old cookie is good: %v, want %v", alive, want)
				}
			})
		}
	}
}

func TestSwitch_refusesWhatIsNoBackend(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		for _, name := range []string{"", "abacus", "JWT", "none"} {
			b.post("/session/backend", "backend", name).want(t, http.StatusUnprocessableEntity)
		}
		if !b.trace().Session.OK {
			t.Error("signed out by a wrong switch")
		}
	})
}

func TestSwitch_isOnlyThereInADemo(t *testing.T) {
	t.Attr("asvs", "15.2.3")
	s := startSite(t, session.Database, false)
	b := s.as(ada)
	b.post("/session/backend", "backend", "jwt").want(t, http.StatusNotFound)
	b.get("/").want(t, http.StatusOK).lacks(t, "Switch backend")
	b.post("/signout")
	b.post("/signin", "email", ada, "password", password, "backend", "jwt").want(t, http.StatusSeeOther)
	if got := b.trace().Backend; got != session.Database {
		t.Errorf("a visitor chose %s where nobody may choose", got)
	}
}

// TestRole_isAsOldAsWhereItIsRead takes a role away: a record knows at once, a
// token when it expires.
func TestRole_isAsOldAsWhereItIsRead(t *testing.T) {
	t.Attr("asvs", "8.3.2")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(grace)
		if got := b.trace().Authorization.Role; got != "instructor" {
			t.Fatalf("role is %s", got)
		}
		_, err := s.db.SetRole(t.Context(), fixedID("grace"), school.Student)
		must(t, err)
		_, err = s.sessions.ChangeRole(t.Context(), fixedID("grace"), school.Instructor, school.Student)
		must(t, err)
		kind, want := s.sessions.Site().Backend, "student"
		if kind == session.JWT || lagOf(kind) > 0 {
			want = "instructor"
		}
		if got := b.trace().Authorization.Role; got != want {
			t.Errorf("after the change the session says %s, want %s", got, want)
		}
		s.clock.move(lagOf(kind))
		if got := b.trace().Authorization.Role; kind == session.Hybrid && got != "student" {
			t.Errorf("a minute after the change the session says %s", got)
		}
		s.clock.move(time.Hour)
		if s.sessions.Site().Backend == session.JWT && b.trace().Session.OK {
			t.Error("the token outlives its hour")
		}
		b = s.as(grace)
		if got := b.trace().Authorization.Role; got != "student" {
			t.Errorf("after signing in again the role is %s", got)
		}
	})
}

// TestBadCookie_isAnAnonymousVisitor sends what is no session: never an error,
// a cleared cookie, and one line in the log with the reason and nothing else.
func TestBadCookie_isAnAnonymousVisitor(t *testing.T) {
	t.Attr("asvs", "7.2.1 16.2.5 16.3.3")
	eachBackend(t, func(t *testing.T, s *site) {
		backend := s.sessions.Site().Backend
		other := newSite(t, otherKind(backend)).as(ada).cookie(cookieOf(otherKind(backend)))
		for _, name := range cookiesOf(backend) {
			refusesBad(t, s, name, other)
		}
		if !strings.Contains(s.log.String(), `"refused":"`) {
			t.Error("the log does not say why a cookie was refused")
		}
	})
}

func refusesBad(t *testing.T, s *site, name, other string) {
	t.Helper()
	good := s.as(ada).cookie(name)
	for what, value := range map[string]string{
		"altered at its end":   good[:len(good)-4] + "AAAA",
		"altered at its start": "AAAA" + good[4:],
		"cut short":            good[:len(good)/2],
		"rubbish":              "%00../../etc/passwd",
		"very long":            strings.Repeat("a", 5000),
		"of the other kind":    other,
		"doubled":              good + good,
	} {
		got := s.browser().get("/", "Cookie", name+"="+value).want(t, http.StatusOK, "Refused: ")
		if cleared := got.header.Get("Set-Cookie"); !strings.HasPrefix(cleared, name+"=;") || !strings.Contains(cleared, "Max-Age=0") {
			t.Errorf("%s: the cookie is not cleared but %q", what, cleared)
		}
		if len(value) > 20 && strings.Contains(s.log.String(), value[10:20]) {
			t.Errorf("%s: the cookie stands in the log", what)
		}
		learning := s.browser().get("/api/v1/session", "Cookie", name+"="+value).want(t, http.StatusOK)
		if !strings.Contains(learning.body, `"refused":"`) {
			t.Errorf("%s: no reason: %s", what, learning.body)
		}
	}
}

func otherKind(backend string) string {
	if backend == session.JWT {
		return session.Database
	}
	return session.JWT
}

// TestToken_ofSomebodyWhoIsGone speaks of a person who was never in this
// school.
func TestToken_ofSomebodyWhoIsGone(t *testing.T) {
	t.Attr("asvs", "7.4.2")
	s := newSite(t, session.JWT)
	b, program := s.as(bea), s.as(bea)
	if _, err := s.db.Writer().ExecContext(t.Context(), `DELETE FROM users WHERE email = $1`, bea); err != nil {
		t.Fatal(err)
	}
	gone := b.get("/").want(t, http.StatusOK, "The person it speaks of is not in the school any more", "told to forget the cookie").lacks(t, "Bea Okoye")
	if got := gone.header.Get("Set-Cookie"); !strings.HasPrefix(got, "lectern-jwt=;") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("the cookie is not cleared but %q", got)
	}
	if tr := b.trace(); tr.Session.Refused != "" || tr.Cookie.Bytes != 0 {
		t.Errorf("the cookie came again: %+v", tr)
	}
	if tr := program.trace(); tr.Authentication.OK || tr.Session.Refused != string(session.NoSuchUser) {
		t.Errorf("trace: %+v", tr)
	}
}
