package handlers_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

func person(email string) string {
	return "/admin/users/" + string(fixedID(strings.TrimSuffix(email, "@school.example")))
}

// everything is what an admin can do, as others would try it.
func everything(email string) [][]string {
	return [][]string{
		{person(email) + "/role", "role", "admin"},
		{person(email) + "/disable"},
		{person(email) + "/enable"},
		{person(email) + "/end-sessions"},
		{"/admin/sessions", "backend", "jwt", "existing", "end"},
	}
}

func TestAdmin_isForAdminsOnly(t *testing.T) {
	t.Attr("asvs", "8.2.1 8.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		for _, who := range []string{"", ada, grace} {
			b := s.as(who)
			for _, page := range []string{"/admin/users", person(ada), "/admin/users/" + strings.Repeat("a", 26), "/admin/sessions", "/admin/audit"} {
				want := http.StatusForbidden
				if who == "" {
					want = http.StatusSeeOther
				}
				b.get(page).want(t, want).lacks(t, bea)
			}
			for _, try := range everything(who) {
				want := http.StatusForbidden
				if who == "" {
					want = http.StatusUnauthorized
				}
				b.post(try[0], try[1:]...).want(t, want)
			}
		}
		people, err := s.db.Users(t.Context(), db.UserQuery{Role: school.Admin})
		must(t, err)
		if people.Total != 1 || s.sessions.Site().SwitchedAt.IsZero() == false {
			t.Error("a refused try changed something")
		}
	})
}

func TestPeople_areFoundAndListed(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.as(alan)
	b.get("/admin/users").want(t, http.StatusOK, "Ada Byron", "Grace Murray", "5 people", `aria-current="page"`)
	b.get("/admin/users?q=gra").want(t, http.StatusOK, "Grace Murray", "1 person").lacks(t, "Bea Okoye")
	b.get("/admin/users?role=student").want(t, http.StatusOK, "Ada Byron", "2 people").lacks(t, "Grace Murray")
	b.get("/admin/users?state=disabled").want(t, http.StatusOK, "Nobody fits")
	b.get("/admin/users?q=zzz").want(t, http.StatusOK, "Nobody fits")
	b.get("/admin/users?after=nonsense&role=king").want(t, http.StatusOK, "5 people")
	b.get("/admin/users/"+strings.Repeat("a", 26)).want(t, http.StatusNotFound)
	b.get("/admin/users/x").want(t, http.StatusNotFound)
}

func TestPeople_pageByPage(t *testing.T) {
	s := newSite(t, session.Memory)
	for i := range 30 {
		name := "Pupil " + string(rune('A'+i%26)) + string(rune('a'+i/26))
		must(t, s.db.CreateUser(t.Context(), school.User{ID: school.MustNewID(), Email: school.Email("p" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "@school.example"), Name: name, Role: school.Student, CreatedAt: s.Now()}, passwordHash()))
	}
	b := s.as(alan)
	first := b.get("/admin/users?role=student").want(t, http.StatusOK, "32 people", `rel="next"`)
	_, rest, _ := strings.Cut(first.main(), `<a class="btn" href="`)
	next, _, _ := strings.Cut(rest, `"`)
	next = strings.ReplaceAll(next, "&amp;", "&")
	if !strings.Contains(next, "role=student") {
		t.Errorf("the next page %q forgets the filter", next)
	}
	b.get(next).want(t, http.StatusOK, "32 people", "Back to the start").lacks(t, `rel="next"`, "Ada Byron")
}

func TestRole_actsAtOnceOnRecordsAndLateOnTokens(t *testing.T) {
	t.Attr("asvs", "8.3.2")
	eachBackend(t, func(t *testing.T, s *site) {
		admin, her := s.as(alan), s.as(grace)
		admin.get(person(grace)).want(t, http.StatusOK, "at once", "when the token expires: at "+s.Now().Add(time.Hour).Local().Format("15:04"))
		admin.post(person(grace)+"/role", "role", "king").want(t, http.StatusUnprocessableEntity, "Choose student, instructor or admin")
		done := admin.post(person(grace)+"/role", "role", "student").want(t, http.StatusSeeOther)
		page := admin.get(done.location).want(t, http.StatusOK, "Role changed", "instructor → student")
		s.clock.move(lagOf(her.kind()))
		role := her.get("/api/v1/session").want(t, http.StatusOK).body
		if her.kind() == session.JWT {
			page.want(t, http.StatusOK, "0 sessions on the server changed", "tokens say the old role")
			if !strings.Contains(role, `"role":"instructor"`) {
				t.Error("a token cannot know of the new role")
			}
		} else {
			page.want(t, http.StatusOK, "1 session on the server changed")
			if !strings.Contains(role, `"role":"student"`) {
				t.Errorf("the record still says the old role: %s", role)
			}
		}
		admin.get("/admin/audit").want(t, http.StatusOK, "Changed a role", "instructor → student", "Grace Murray")
	})
}

func TestClosing_endsRecordsAtOnceAndLeavesTokens(t *testing.T) {
	t.Attr("asvs", "7.4.2")
	eachBackend(t, func(t *testing.T, s *site) {
		admin, her := s.as(alan), s.as(ada)
		admin.get(person(ada)).want(t, http.StatusOK, "Close the account…", "How long they can stay", "JWT sessions go on until")
		done := admin.post(person(ada)+"/disable").want(t, http.StatusSeeOther)
		admin.get(done.location).want(t, http.StatusOK, "Account closed", "Open the account again")
		s.clock.move(lagOf(her.kind()))
		if stays := her.kind() == session.JWT; her.signedIn() != stays {
			t.Errorf("signed in: %v", her.signedIn())
		}
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusUnprocessableEntity)
		admin.get("/admin/users?state=disabled").want(t, http.StatusOK, "Ada Byron", "1 person")

		done = admin.post(person(ada)+"/enable").want(t, http.StatusSeeOther)
		admin.get(done.location).want(t, http.StatusOK, "Account opened again")
		s.as(ada)
		s.clock.move(2 * time.Hour)
		if her.signedIn() {
			t.Error("the token outlived its time")
		}
	})
}

func TestEndSessions_endsWhatCanBeEnded(t *testing.T) {
	t.Attr("asvs", "7.4.5")
	eachBackend(t, func(t *testing.T, s *site) {
		admin, desk, phone := s.as(alan), s.as(ada), s.as(ada)
		done := admin.post(person(ada)+"/end-sessions").want(t, http.StatusSeeOther)
		page := admin.get(done.location)
		if s.sessions.Site().Backend == session.JWT {
			page.want(t, http.StatusOK, "0 sessions on the server ended; tokens issued before stay good")
			return
		}
		page.want(t, http.StatusOK, "2 sessions on the server ended")
		s.clock.move(lagOf(s.sessions.Site().Backend))
		if desk.signedIn() || phone.signedIn() {
			t.Error("somebody is still signed in")
		}
		s.as(ada)
	})
}

func TestLastAdmin_stays(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(alan)
		b.post(person(alan)+"/role", "role", "student").want(t, http.StatusConflict, "last admin", "Make somebody else an admin first")
		b.post(person(alan)+"/disable").want(t, http.StatusConflict, "last admin")
		b.get("/admin/users").want(t, http.StatusOK)
	})
}

func TestAdmin_mayLeaveWhereAnotherRemains(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(alan)
		b.post(person(rob)+"/role", "role", "admin").want(t, http.StatusSeeOther)
		b.get(person(alan)).want(t, http.StatusOK, "This is you", "leave the office at once")
		done := b.post(person(alan)+"/role", "role", "student").want(t, http.StatusSeeOther)
		b.get(done.location).want(t, http.StatusOK, "You are not an admin any more")
		b.get("/admin/users").want(t, http.StatusForbidden)

		other := s.as(rob)
		other.post(person(alan)+"/role", "role", "admin").want(t, http.StatusSeeOther)
		done = other.post(person(rob)+"/disable").want(t, http.StatusSeeOther)
		other.get(done.location).want(t, http.StatusOK, "Your account is closed")
		if other.signedIn() {
			t.Error("signed in after closing the own account")
		}
	})
}

func TestAdmin_endsOnlyOwnOtherSessions(t *testing.T) {
	s := newSite(t, session.Database)
	b, phone := s.as(alan), s.as(alan)
	done := b.post(person(alan)+"/end-sessions").want(t, http.StatusSeeOther)
	b.get(done.location).want(t, http.StatusOK, "1 other session on the server ended")
	if phone.signedIn() || !b.signedIn() {
		t.Error("the telephone should be out, and this browser in")
	}
}

func TestSite_carriesEverybodyFromEachKindToEachOther(t *testing.T) {
	for _, from := range tried() {
		for _, to := range backends {
			if from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, from)
				third := to
				for _, b := range backends {
					if b != from && b != to {
						third = b
					}
				}
				admin, her, chooser := s.as(alan), s.as(ada), s.at(bea, third)
				done := admin.post("/admin/sessions", "backend", to, "existing", "carry").want(t, http.StatusSeeOther)
				page := admin.get(done.location).want(t, http.StatusOK, "Switched", from+" → "+to, "carried over")
				if from == session.JWT {
					page.want(t, http.StatusOK, "tokens that nobody counts")
				} else {
					page.want(t, http.StatusOK, "to be carried over")
				}
				if got := admin.kind(); got != to {
					t.Errorf("the admin has %q", got)
				}
				if got := her.kind(); got != to {
					t.Errorf("she was not carried: %q", got)
				}
				her.get("/account").want(t, http.StatusOK, "Ada Byron")
				if got := chooser.kind(); got != third {
					t.Errorf("who chose %s has %q", third, got)
				}
				admin.get("/admin/sessions").want(t, http.StatusOK, "1 session, as far as this server has seen")
			})
		}
	}
}

func TestSite_endsEverybodyElse(t *testing.T) {
	t.Attr("asvs", "7.4.5")
	for _, from := range tried() {
		for _, to := range backends {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, from)
				admin, her, chooser := s.as(alan), s.as(ada), s.at(bea, to)
				s.clock.move(2 * time.Second)
				admin.get("/admin/sessions").want(t, http.StatusOK, "Everybody but you is signed out")
				done := admin.post("/admin/sessions", "backend", to, "existing", "end").want(t, http.StatusSeeOther)
				admin.get(done.location).want(t, http.StatusOK, "Switched", "on the server ended", "all tokens refused")
				if got := admin.kind(); got != to {
					t.Errorf("the admin has %q", got)
				}
				for name, b := range map[string]*browser{"she": her, "who chose": chooser} {
					if got := b.get("/account").want(t, http.StatusSeeOther).location; got != "/signin?next=%2Faccount" {
						t.Errorf("%s is sent to %q", name, got)
					}
				}
				s.clock.move(2 * time.Second)
				again := s.as(ada)
				if got := again.kind(); got != to {
					t.Errorf("signing in again gives %q", got)
				}
			})
		}
	}
}

func TestSite_refusesWhatIsNotOnOffer(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.as(alan)
	b.post("/admin/sessions", "backend", "abacus", "existing", "carry").want(t, http.StatusUnprocessableEntity, "Choose one of the kinds on offer")
	b.post("/admin/sessions", "backend", "jwt").want(t, http.StatusUnprocessableEntity, "Say what becomes of those who are signed in")
	b.post("/admin/sessions", "backend", "jwt", "existing", "maybe").want(t, http.StatusUnprocessableEntity)
	if got := s.sessions.Site().Backend; got != session.Database {
		t.Errorf("the site has %q", got)
	}
}

func TestAudit_tellsWhoDidWhatAndNoSecret(t *testing.T) {
	t.Attr("asvs", "16.2.1 16.2.5 16.3.1")
	eachBackend(t, func(t *testing.T, s *site) {
		admin := s.as(alan)
		admin.get("/admin/audit?action=role.change").want(t, http.StatusOK, "Nothing of the kind")
		secrets := []string{password, otherPassword, "a wrong violet tractor"}
		keep := func(b *browser) {
			u, err := url.Parse(s.url)
			must(t, err)
			for _, c := range b.client.Jar.Cookies(u) {
				if c.Name != "lectern-backend" {
					secrets = append(secrets, c.Value)
				}
			}
		}
		her := s.browser()
		her.post("/signin", "email", ada, "password", "a wrong violet tractor").want(t, http.StatusUnprocessableEntity)
		her.post("/signin", "email", "a wrong violet tractor", "password", "").want(t, http.StatusUnprocessableEntity)
		her.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
		keep(her)
		her.post("/account/password", "current", password, "new", otherPassword, "end_others", "1").want(t, http.StatusSeeOther)
		keep(her)
		for _, b := range backends {
			her.post("/session/backend", "backend", b).want(t, http.StatusSeeOther)
			keep(her)
		}
		her.post("/signout").want(t, http.StatusSeeOther)
		s.signUp("Cleo Sand", "cleo@school.example")
		admin.post(person(bea)+"/role", "role", "instructor").want(t, http.StatusSeeOther)
		admin.post(person(bea)+"/disable").want(t, http.StatusSeeOther)
		admin.post(person(bea)+"/enable").want(t, http.StatusSeeOther)
		admin.post(person(bea)+"/end-sessions").want(t, http.StatusSeeOther)
		admin.post("/admin/sessions", "backend", "memory", "existing", "carry").want(t, http.StatusSeeOther)
		keep(admin)

		events, err := s.db.Events(t.Context(), db.EventQuery{Limit: 100})
		must(t, err)
		seen := map[string]bool{}
		for _, e := range events.Events {
			seen[e.Action] = true
			line := strings.Join([]string{e.Action, e.Actor.Name, e.Subject, e.Detail, e.Session, e.Address}, " ")
			for _, secret := range secrets {
				if strings.Contains(line, secret) {
					t.Errorf("the line %q holds a secret", line)
				}
			}
			if e.At.IsZero() || e.Address == "" || e.Session == "" {
				t.Errorf("the line %+v does not say when, from where or with what", e)
			}
		}
		for _, action := range []string{
			school.ActionSignIn, school.ActionSignInRefused, school.ActionSignUp, school.ActionSignOut, school.ActionPasswordChange, school.ActionRoleChange,
			school.ActionDisable, school.ActionEnable, school.ActionEndSessions, school.ActionSwitch, school.ActionSiteSwitch,
		} {
			if !seen[action] {
				t.Errorf("no line for %s", action)
			}
			admin.get("/admin/audit?action="+action).want(t, http.StatusOK, "<table")
		}
		admin.get("/admin/audit?name=ada+byron").want(t, http.StatusOK, "Signed out").lacks(t, "Closed an account</td>")
		admin.get("/admin/audit?name="+string(fixedID("alan"))).want(t, http.StatusOK, "Closed an account", "Only what")
		admin.get("/admin/audit?name=Nobody").want(t, http.StatusOK, "Nothing of the kind")
	})
}

// TestAudit_hasWordsForEveryAction reads the actions from their source, so that
// a new one cannot be left out of the menu.
func TestAudit_hasWordsForEveryAction(t *testing.T) {
	s := newSite(t, session.Memory)
	page := s.as(alan).get("/admin/audit").want(t, http.StatusOK)
	source, err := os.ReadFile("../db/school/audit.go")
	must(t, err)
	found := regexp.MustCompile(`\tAction\w+ += "([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(found) < 15 {
		t.Fatalf("only %d actions in the source", len(found))
	}
	for _, action := range found {
		label := between(page.body, `<option value="`+action[1]+`">`, "<")
		if label == "" || label == action[1] {
			t.Errorf("%s has no words", action[1])
		}
	}
}

func TestPeople_giveBackOnlyWhatIsText(t *testing.T) {
	s := newSite(t, session.Memory)
	for _, path := range []string{"/admin/users?q=%ff%00x", "/admin/users?q=x&state=%ff", "/admin/audit?name=%ff%00x", "/admin/audit?action=%ff"} {
		if body := s.as(alan).get(path).want(t, http.StatusOK).body; !utf8.ValidString(body) || strings.Contains(body, "\x00") {
			t.Errorf("%s puts bytes into the page that are no text", path)
		}
	}
}
