package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/handlers/session"
)

const sessionsToo = "end_sessions"

// deeds are what an admin may do only who has just proved who they are.
func deeds(id string) [][]string {
	return append(everything(ada), [][]string{
		{id + "/factors", "what", "authenticator"},
		{id + "/password-reset"},
		{id + "/delete", "email", ada},
		{"/admin/invitations", "name", "Cleo", "email", cleo, "role", "admin"},
		{"/admin/sessions/revocation", "revocation", session.RevokeCutoff},
	}...)
}

// TestAdminDeeds_needAFreshConfirmation: ASVS 7.5.3.
func TestAdminDeeds_needAFreshConfirmation(t *testing.T) {
	t.Attr("asvs", "7.5.3")
	eachBackend(t, func(t *testing.T, s *site) {
		admin := s.as(alan)
		s.clock.move(policy.ConfirmedFor + time.Second)
		for _, page := range []string{"/admin/users", person(ada), person(ada) + "/delete", "/admin/invitations", "/admin/sessions", "/admin/audit"} {
			admin.get(page).want(t, http.StatusOK)
		}
		for _, deed := range deeds(person(ada)) {
			admin.post(deed[0], deed[1:]...).want(t, http.StatusForbidden, "Confirm that it is you")
		}
		admin.get("/admin/audit/log.csv").want(t, http.StatusSeeOther)
		before, err := s.db.User(t.Context(), fixedID("ada"))
		must(t, err)
		if before.Role != school.Student || before.Disabled() || s.letters(cleo)+s.letters(ada) > 0 {
			t.Fatalf("a refused deed changed something: %+v", before)
		}
		admin.post("/confirm", "password", password).want(t, http.StatusSeeOther)
		admin.post(person(ada)+"/role", "role", "instructor").want(t, http.StatusSeeOther)
	})
}

// furnished is a site on which Cleo has an account with an authenticator app, a
// telephone and recovery codes, and is signed in.
func furnished(t *testing.T, backend string) (s *site, her *browser, page string) {
	t.Helper()
	s = newSite(t, backend)
	her = s.signUp("Cleo Sand", cleo)
	flow := her.flow(her.post("/account/phone", "phone", "+447700900123"))
	her.post("/code", "flow", flow, "code", s.code("+447700900123")).want(t, http.StatusSeeOther)
	her.setUp()
	credential, err := s.db.CredentialByEmail(t.Context(), cleo)
	must(t, err)
	return s, her, "/admin/users/" + string(credential.User.ID)
}

func TestPeople_tellWhatEachHasAndWhenTheyWereSeen(t *testing.T) {
	s, _, page := furnished(t, session.Memory)
	admin := s.as(alan)
	row := between(admin.get("/admin/users?q=cleo").want(t, http.StatusOK).body, page, "</tr>")
	for _, text := range []string{"password, app, telephone", "On", "22 November 2026"} {
		if !strings.Contains(row, text) {
			t.Errorf("her line lacks %q: %s", text, row)
		}
	}
	admin.get("/admin/users?steps=two").want(t, http.StatusOK, "1 person", "Cleo Sand").lacks(t, "Ada Byron")
	admin.get("/admin/users?steps=one").want(t, http.StatusOK, "5 people", "Ada Byron", "Never").lacks(t, "Cleo Sand")
	admin.get("/admin/users?steps=two&role=admin").want(t, http.StatusOK, "Nobody fits")
}

func TestPerson_tellsWhatThereIsToKnow(t *testing.T) {
	s, her, page := furnished(t, session.Memory)
	her.post("/courses/knots/join").want(t, http.StatusSeeOther)
	admin := s.as(alan)
	admin.post(page+"/role", "role", "instructor").want(t, http.StatusSeeOther)
	shown := admin.get(page).want(t, http.StatusOK, "Knots", "0 of 4 lessons", "Authenticator app", "Recovery codes", "10 left", "…123",
		"Changed a role", "Opened an account", "/admin/audit?whom=", "Courses that are theirs")
	shown.lacks(t, "+447700900123")
	admin.get(person(grace)).want(t, http.StatusOK, "Sails", "Draft")

	whom := strings.TrimPrefix(page, "/admin/users/")
	admin.get("/admin/audit?whom="+whom).want(t, http.StatusOK, "Only what others did to the account of", "Changed a role</span></td>").lacks(t, "Opened an account</span></td>")
	admin.get("/admin/audit?name="+whom).want(t, http.StatusOK, "Opened an account</span></td>").lacks(t, "Changed a role</span></td>")
	admin.get(person(alan)).want(t, http.StatusOK, "on your account page").lacks(t, "Ask for a new one", person(alan)+"/factors", person(alan)+"/delete")
}

func TestReset_refusesWhatCannotBe(t *testing.T) {
	s := startSite(t, session.Memory, false)
	admin := s.as(alan)
	admin.post(person(ada)+"/factors", "what", "password").want(t, http.StatusUnprocessableEntity, "Choose one of the ways on the page.")
	admin.post(person(ada)+"/factors").want(t, http.StatusUnprocessableEntity)
	for _, own := range []string{"/factors", "/password-reset", "/delete"} {
		admin.post(person(alan)+own, "what", "authenticator", "email", alan).want(t, http.StatusConflict, "This is your own account.")
	}
	admin.get(person(alan)+"/delete").want(t, http.StatusSeeOther)
	// What is not there is not taken away, and no letter says that it was.
	for _, what := range []string{"authenticator", "phone", "passkeys", "codes", "two-step"} {
		if got := admin.post(person(ada)+"/factors", "what", what, sessionsToo, "1").want(t, http.StatusSeeOther).location; got != person(ada) {
			t.Errorf("%s: sent to %q", what, got)
		}
	}
	if n := s.letters(ada); n > 0 {
		t.Errorf("%d letters", n)
	}
	admin.post(person(ada)+"/disable").want(t, http.StatusSeeOther)
	admin.post(person(ada)+"/password-reset").want(t, http.StatusConflict, "The account is closed")
}

// TestReset_ofAFactor takes each of them away: it is gone, its owner is told, the log
// says so, and sessions end where that is asked for.
func TestReset_ofAFactor(t *testing.T) {
	for what, want := range map[string]struct {
		line, letter string
		left         func(school.Factors) bool
	}{
		"authenticator": {"authenticator app", "The authenticator app was removed", func(f school.Factors) bool { return f.AuthenticatorAt.IsZero() && f.TwoStep && f.Phone != "" }},
		"phone":         {"telephone", "The telephone was removed", func(f school.Factors) bool { return f.Phone == "" && f.TwoStep && !f.AuthenticatorAt.IsZero() }},
		"codes":         {"recovery codes", "Your recovery codes are good for nothing", func(f school.Factors) bool { return f.RecoveryCodes == 0 && f.TwoStep }},
		"two-step":      {"second step", "The second step was switched off", func(f school.Factors) bool { return !f.TwoStep && f.Phone != "" && !f.AuthenticatorAt.IsZero() }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, her, page := furnished(t, session.Database)
			admin := s.as(alan)
			done := admin.post(page+"/factors", "what", what).want(t, http.StatusSeeOther)
			admin.get(done.location).want(t, http.StatusOK, "Taken away", want.line)
			if !her.signedIn() {
				t.Error("her session ended, and nobody asked for that")
			}
			credential, err := s.db.CredentialByEmail(t.Context(), cleo)
			must(t, err)
			factors, err := s.db.Factors(t.Context(), credential.User.ID)
			must(t, err)
			if !want.left(factors) || !factors.HasPassword {
				t.Errorf("she has %+v", factors)
			}
			if m := s.letter(cleo); !strings.HasPrefix(m.Subject, want.letter) || !strings.Contains(m.Body, "An admin of the school did this.") || strings.Contains(m.Body, "127.0.0.1,") {
				t.Errorf("the letter is %q: %s", m.Subject, m.Body)
			}
			e := s.lastEvent(school.ActionFactorRemove)
			if e.SubjectID != credential.User.ID || e.Actor.Name != "Alan Mathison" || e.Detail != want.line {
				t.Errorf("the line is %+v", e)
			}
		})
	}
}

// TestReset_ofTheLastSecondSaysSo: what goes along with it stands in the log and in a
// letter as well.
func TestReset_ofTheLastSecondSaysSo(t *testing.T) {
	s, _, page := furnished(t, session.Database)
	admin := s.as(alan)
	admin.post(page+"/factors", "what", "authenticator").want(t, http.StatusSeeOther)
	done := admin.post(page+"/factors", "what", "phone").want(t, http.StatusSeeOther)
	admin.get(done.location).want(t, http.StatusOK, "telephone; the second step, of which nothing was left")
	if m := s.letter(cleo); m.Subject != "The second step was switched off" || !strings.Contains(m.Body, "An admin of the school did this.") {
		t.Errorf("the letter is %q: %s", m.Subject, m.Body)
	}
}

func TestReset_endsTheSessionsWhereAskedTo(t *testing.T) {
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s, her, page := furnished(t, backend)
			admin := s.as(alan)
			done := admin.post(page+"/factors", "what", "authenticator", sessionsToo, "1").want(t, http.StatusSeeOther)
			shown := admin.get(done.location).want(t, http.StatusOK, "authenticator app")
			s.clock.move(lagOf(backend))
			if stays := backend == session.JWT; her.signedIn() != stays {
				t.Errorf("signed in: %v", her.signedIn())
			} else if stays {
				shown.want(t, http.StatusOK, "tokens issued before stay good")
			}
		})
	}
}

// TestReset_ofPasskeysLeavesAWayIn: where nothing carries mail, they may be the last.
func TestReset_ofPasskeysLeavesAWayIn(t *testing.T) {
	s := startSite(t, session.Memory, true, setting{base: named, mute: true})
	id := fixedID("ada")
	add := func() {
		must(t, s.db.AddPasskey(t.Context(), school.PasskeyCredential{Passkey: school.Passkey{ID: school.MustNewID(), User: id, Name: "Key", CreatedAt: s.Now()}, CredentialID: string(school.MustNewID())}))
	}
	admin := s.as(alan)
	add()
	admin.get(person(ada)).want(t, http.StatusOK, "1 passkey", "now nothing does, so tell them yourself")
	admin.post(person(ada)+"/factors", "what", "passkeys").want(t, http.StatusSeeOther)
	must(t, s.db.UpdatePassword(t.Context(), id, ""))
	add()
	admin.get(person(ada)).want(t, http.StatusOK, "It is their last way in")
	admin.post(person(ada)+"/factors", "what", "passkeys").want(t, http.StatusConflict, "Without it this person could not sign in any more")
	if f, err := s.db.Factors(t.Context(), id); err != nil || f.Passkeys != 1 {
		t.Errorf("she has %+v, %v", f, err)
	}
}

// TestPasswordReset_isAskedForAndNotChosen: ASVS 6.4.6. The letter opens nothing: who
// gets it goes the way of everybody who forgot a password.
func TestPasswordReset_isAskedForAndNotChosen(t *testing.T) {
	t.Attr("asvs", "6.4.1 6.4.6")
	eachBackend(t, func(t *testing.T, s *site) {
		admin, her := s.as(alan), s.as(ada)
		admin.post(person(ada)+"/password-reset", "new", otherPassword, "password", otherPassword).want(t, http.StatusSeeOther)
		m := s.letter(ada)
		if m.Subject != "Please choose a new password" || !strings.Contains(m.Body, "The one you have opens it until then.") || !strings.Contains(m.Body, s.url+"/signin/forgotten") || strings.Contains(m.Body, "?") {
			t.Errorf("the letter is %q: %s", m.Subject, m.Body)
		}
		if !her.signedIn() {
			t.Error("her session ended, and nobody asked for that")
		}
		s.browser().post("/signin", "email", ada, "password", otherPassword).want(t, http.StatusUnprocessableEntity)
		s.as(ada)

		done := admin.post(person(ada)+"/password-reset", "forget", "1", sessionsToo, "1").want(t, http.StatusSeeOther)
		admin.get(done.location).want(t, http.StatusOK, "A new password was asked for", "opens nothing any more")
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusUnprocessableEntity)
		s.clock.move(lagOf(her.kind()))
		if stays := her.kind() == session.JWT; her.signedIn() != stays {
			t.Errorf("signed in: %v", her.signedIn())
		}
		b := s.browser()
		flow := b.flow(b.post("/signin/forgotten", "email", ada))
		next := b.post("/code", "flow", flow, "code", s.code(ada)).want(t, http.StatusSeeOther)
		b.post("/signin/new-password", "flow", b.flow(next), "new", otherPassword).want(t, http.StatusSeeOther)
		if !b.signedIn() {
			t.Error("she did not come by a new password")
		}
	})
}

func TestPasswordReset_withoutMailIsNotOffered(t *testing.T) {
	s := withoutMail(t, session.Memory)
	admin := s.as(alan)
	admin.get(person(ada)).want(t, http.StatusOK, "nothing here carries mail").lacks(t, "Send the letter now")
	admin.post(person(ada)+"/password-reset", "forget", "1").want(t, http.StatusUnprocessableEntity, "We cannot send that from here")
	s.as(ada) // with the password that she has
}

func TestDeletePerson_refusesWhatCannotBe(t *testing.T) {
	s := startSite(t, session.Memory, false)
	admin := s.as(alan)
	for _, typed := range []string{"", "ada", grace} {
		admin.post(person(ada)+"/delete", "email", typed).want(t, http.StatusUnprocessableEntity, "That is not the address of this account.")
	}
	admin.post("/admin/users/"+string(fixedID("nobody"))+"/delete", "email", ada).want(t, http.StatusNotFound)
	s.as(ada)
}

func TestDeletePerson_endsTheAccountAndPassesTheCoursesOn(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		admin, her := s.as(alan), s.as(grace)
		admin.get(person(grace)+"/delete").want(t, http.StatusOK, "2 courses are theirs", "Alan Mathison", "type in their address", grace)
		done := admin.post(person(grace)+"/delete", "email", strings.ToUpper(grace)).want(t, http.StatusSeeOther)
		admin.get(done.location).want(t, http.StatusOK, "Account deleted", "their courses passed to Alan Mathison", "4 people")
		admin.get(person(grace)).want(t, http.StatusNotFound)
		s.clock.move(lagOf(her.kind()))
		if her.signedIn() {
			t.Error("somebody is signed in who is not there")
		}
		s.browser().get("/courses/knots").want(t, http.StatusOK, "Alan Mathison")
		if m := s.letter(grace); m.Subject != "Your account was deleted" || strings.Contains(m.Body, "/signin") {
			t.Errorf("the letter is %q: %s", m.Subject, m.Body)
		}
		found, err := s.db.Events(t.Context(), db.EventQuery{Subject: string(fixedID("grace"))})
		must(t, err)
		if len(found.Events) != 1 || found.Events[0].Action != school.ActionAccountDelete {
			t.Errorf("the log says %+v", found.Events)
		}
	})
}
