package handlers_test

import (
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/message"
	"lectern/handlers/session"
)

const cleo = "cleo@school.example"

var invitationSent = regexp.MustCompile(`http://[^/\s]+(/invitation/[\w-]{43})\b`)

// invited is the address in the latest letter to somebody.
func (s *site) invited(to string) string {
	s.t.Helper()
	found := invitationSent.FindStringSubmatch(s.letter(to).Body)
	if found == nil {
		s.t.Fatalf("no invitation in %q", s.letter(to).Body)
	}
	return found[1]
}

func (b *browser) invite(email, role string) answer {
	b.t.Helper()
	return b.post("/admin/invitations", "name", "Cleo Sand", "email", email, "role", role)
}

// withoutMail is a site from which nothing carries letters.
func withoutMail(t *testing.T, backend string) *site {
	t.Helper()
	s := startSite(t, backend, false)
	s.Messages = message.New(message.Config{Store: s.db, Log: slog.New(slog.DiscardHandler), Now: s.clock.Now})
	return s
}

func TestInvite_refusesWhatCannotBe(t *testing.T) {
	s := newSite(t, session.Memory)
	admin := s.as(alan)
	for says, try := range map[string]struct {
		fields []string
		status int
		text   string
	}{
		"no name":              {[]string{"email", cleo, "role", "student"}, 422, "A name is needed"},
		"no address":           {[]string{"name", "Cleo", "email", "no address", "role", "student"}, 422, "An e-mail address looks like"},
		"no such role":         {[]string{"name", "Cleo", "email", cleo, "role", "king"}, 422, "Choose student, instructor or admin."},
		"a password with it":   {[]string{"name", "Cleo", "email", "no address", "role", "student", "password", otherPassword}, 422, "An e-mail address looks like"},
		"somebody who is here": {[]string{"name", "Ada", "email", ada, "role", "admin"}, 409, "This address has an account already."},
	} {
		got := admin.post("/admin/invitations", try.fields...).want(t, try.status, try.text)
		if strings.Contains(got.body, otherPassword) {
			t.Errorf("%s: the password stands on the page", says)
		}
	}
	if n := s.letters(cleo) + s.letters(ada); n > 0 {
		t.Errorf("%d letters were sent", n)
	}
}

// TestInvitation_opensOneAccountOnce: ASVS 6.4.1.
func TestInvitation_opensOneAccountOnce(t *testing.T) {
	t.Attr("asvs", "6.4.1")
	eachBackend(t, func(t *testing.T, s *site) {
		admin := s.as(alan)
		done := admin.invite(cleo, "instructor").want(t, http.StatusSeeOther)
		page := admin.get(done.location).want(t, http.StatusOK, "Invited", "Cleo Sand", "Open", cleo)
		link := s.invited(cleo)
		token := strings.TrimPrefix(link, "/invitation/")
		page.lacks(t, token)
		if strings.Contains(s.letter(cleo).Body, "127.0.0.1.") {
			t.Error("the letter says where the admin was")
		}

		her := s.browser()
		for range 2 { // looking changes nothing
			shown := her.get(link).want(t, http.StatusOK, "You are invited", "Cleo Sand", "an instructor", "Alan Mathison")
			if shown.header.Get("Cache-Control") != "no-store" || shown.header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("the page has Cache-Control %q, Referrer-Policy %q", shown.header.Get("Cache-Control"), shown.header.Get("Referrer-Policy"))
			}
			if n := strings.Count(shown.body, token); n != 1 {
				t.Errorf("its address stands on the page %d times, and not in its form alone", n)
			}
		}
		her.post(link, "password", "short").want(t, http.StatusUnprocessableEntity, "15 characters")
		her.post(link, "password", cleo+cleo).want(t, http.StatusUnprocessableEntity)
		her.post(link, "password", otherPassword, "role", "admin", "email", "mallory@school.example", "name", "Mallory").want(t, http.StatusSeeOther)
		her.get("/account").want(t, http.StatusOK, "Cleo Sand", cleo, "Instructor")
		her.get("/admin/users").want(t, http.StatusForbidden)

		again := s.browser().post(link, "password", otherPassword).want(t, http.StatusNotFound, "This invitation is over")
		if again.header.Get("Referrer-Policy") != "no-referrer" {
			t.Error("the error page tells its address")
		}
		s.browser().get(link).want(t, http.StatusNotFound, "This invitation is over")
		if p := s.browser().post("/signin", "email", cleo, "password", otherPassword); p.status != http.StatusSeeOther {
			t.Errorf("she cannot sign in with what she chose: %d", p.status)
		}
		admin.get("/admin/invitations").want(t, http.StatusOK, "Accepted").lacks(t, "Take it back now")
		admin.get("/admin/audit?action=invitation.accept").want(t, http.StatusOK, "Cleo Sand")

		for where, text := range map[string]string{"the server's log": s.log.String(), "the audit log": admin.get("/admin/audit").body} {
			if strings.Contains(text, token) {
				t.Errorf("%s has what opens an invitation", where)
			}
		}
		var stored int
		must(t, s.db.Reader().QueryRow(`SELECT COUNT(*) FROM invitations WHERE token_hash LIKE '%' || $1 || '%'`, token).Scan(&stored))
		if stored > 0 {
			t.Error("it is kept in clear")
		}
	})
}

func TestInvitation_isOverAfterSevenDays(t *testing.T) {
	t.Attr("asvs", "6.4.1")
	s := newSite(t, session.Memory)
	s.as(alan).invite(cleo, "student").want(t, http.StatusSeeOther)
	link := s.invited(cleo)
	s.clock.move(7*24*time.Hour - time.Millisecond)
	s.browser().get(link).want(t, http.StatusOK)
	s.clock.move(time.Millisecond)
	s.browser().get(link).want(t, http.StatusNotFound, "This invitation is over")
	s.browser().post(link, "password", otherPassword).want(t, http.StatusNotFound)
	s.as(alan).get("/admin/invitations").want(t, http.StatusOK, "Over")
}

func TestInvitation_isTakenBackOrReplaced(t *testing.T) {
	s := newSite(t, session.Memory)
	admin := s.as(alan)
	admin.invite(cleo, "admin").want(t, http.StatusSeeOther)
	first := s.invited(cleo)
	admin.invite(cleo, "student").want(t, http.StatusSeeOther)
	second := s.invited(cleo)
	s.browser().get(first).want(t, http.StatusNotFound)
	s.browser().get(second).want(t, http.StatusOK, "a student")

	revoke := between(admin.get("/admin/invitations").body, `action="/admin/invitations/`, `"`)
	done := admin.post("/admin/invitations/"+revoke).want(t, http.StatusSeeOther)
	admin.get(done.location).want(t, http.StatusOK, "Invitation taken back", "Taken back")
	s.browser().post(second, "password", otherPassword).want(t, http.StatusNotFound)
	admin.post("/admin/invitations/"+revoke).want(t, http.StatusNotFound)
	for _, address := range []string{"/invitation/x", "/invitation/" + strings.Repeat("A", 43), "/invitation/" + strings.Repeat("A", 42) + "=", second + "x"} {
		s.browser().get(address).want(t, http.StatusNotFound, "This invitation is over")
	}
}

// What an admin gave away who must not any more is not to be had.
func TestInvitation_isVoidWithItsSender(t *testing.T) {
	s := newSite(t, session.Memory)
	admin := s.as(alan)
	admin.post(person(rob)+"/role", "role", "admin").want(t, http.StatusSeeOther)
	s.as(rob).invite(cleo, "admin").want(t, http.StatusSeeOther)
	link := s.invited(cleo)
	admin.post(person(rob)+"/disable").want(t, http.StatusSeeOther)
	s.browser().get(link).want(t, http.StatusNotFound)
	s.browser().post(link, "password", otherPassword).want(t, http.StatusNotFound)
	admin.get("/admin/invitations").want(t, http.StatusOK, "its sender is no admin", "Take it back now")
}

// Somebody opened an account with the address meanwhile, by themselves.
func TestInvitation_doesNotTakeAnAccountOver(t *testing.T) {
	s := newSite(t, session.Memory)
	s.as(alan).invite(cleo, "admin").want(t, http.StatusSeeOther)
	link := s.invited(cleo)
	her := s.signUp("Cleo herself", cleo)
	s.browser().post(link, "password", "another quiet violet tractor").want(t, http.StatusConflict, "This address has an account meanwhile")
	her.get("/account").want(t, http.StatusOK, "Cleo herself", "Student")
	s.browser().post("/signin", "email", cleo, "password", "another quiet violet tractor").want(t, http.StatusUnprocessableEntity)
}

func TestInvite_withoutMailShowsTheAddressOnce(t *testing.T) {
	s := withoutMail(t, session.Database)
	admin := s.as(alan)
	admin.get("/admin/invitations").want(t, http.StatusOK, "Nothing here carries mail")
	shown := admin.invite(cleo, "student").want(t, http.StatusOK, "Hand this address over", "once, for seven days")
	found := invitationSent.FindStringSubmatch(shown.body)
	if found == nil || shown.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("no address, or one that is kept: %q", shown.header.Get("Cache-Control"))
	}
	admin.get("/admin/invitations").want(t, http.StatusOK, cleo).lacks(t, found[1])
	her := s.browser()
	her.post(found[1], "password", otherPassword).want(t, http.StatusSeeOther)
	if !her.signedIn() {
		t.Error("she is not signed in")
	}
	if e := s.lastEvent(school.ActionInvite); !strings.Contains(e.Detail, "handed over") {
		t.Errorf("the line is %+v", e)
	}
}
