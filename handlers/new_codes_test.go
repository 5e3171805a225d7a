package handlers_test

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/handlers/auth"
	"lectern/handlers/session"
)

// refuse has the database refuse what is inserted into a table, until mended.
func (s *site) refuse(table string) (mend func()) {
	s.t.Helper()
	_, err := s.db.Writer().ExecContext(s.t.Context(), `CREATE TRIGGER refused BEFORE INSERT ON `+table+` BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	must(s.t, err)
	return func() {
		_, err := s.db.Writer().ExecContext(s.t.Context(), `DROP TRIGGER refused`)
		must(s.t, err)
	}
}

// drawsNothing has no recovery codes drawn, until mended.
func (s *site) drawsNothing() (mend func()) {
	whole := s.Recovery
	s.Recovery = auth.NewRecovery(s.db, auth.NewHasher(rand.Reader, 1), bytes.NewReader(nil), s.clock.Now)
	return func() { s.Recovery = whole }
}

// onPaper are the recovery codes that a page shows.
func (a answer) onPaper() (codes []string) {
	for _, found := range paperCode.FindAllStringSubmatch(a.body, -1) {
		codes = append(codes, found[1])
	}
	return codes
}

// secretOn is the secret that a page shows to be typed into an app.
func secretOn(t testing.TB, a answer) string {
	t.Helper()
	found := secretShown.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("no secret on %s", a.body)
	}
	return strings.ReplaceAll(found[1], " ", "")
}

// opens reports whether a recovery code is good as the second step.
func (s *site) opens(code string) bool {
	s.t.Helper()
	s.clock.move(time.Hour) // the tries are forgotten
	b := s.browser()
	return b.post("/signin/second", "flow", b.flow(b.post("/signin", "email", ada, "password", password)), "way", "recovery-code", "code", code).status == http.StatusSeeOther
}

// TestRecoveryCodes_areGoodUntilOthersAreShown: whatever fails while new ones are made,
// those on paper stay good, and no page says otherwise.
func TestRecoveryCodes_areGoodUntilOthersAreShown(t *testing.T) {
	oneByOne(t)
	for says, fail := range map[string]func(s *site) func(){
		"nothing can be drawn":          (*site).drawsNothing,
		"the session cannot be renewed": func(s *site) func() { return s.refuse("sessions") },
		"the codes cannot be kept":      func(s *site) func() { return s.refuse("recovery_codes") },
		"nothing can be written":        (*site).lock,
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, session.Database)
			her := s.as(ada)
			_, paper := her.setUp()
			mend := fail(s)
			failed := her.post("/account/recovery-codes")
			mend()
			if failed.status < http.StatusInternalServerError || len(failed.onPaper()) > 0 {
				t.Errorf("it answers %d and shows %d codes", failed.status, len(failed.onPaper()))
			}
			if s.wasTold(ada, "New recovery codes were made") {
				t.Error("she is told of new ones")
			}
			fresh := her.post("/account/recovery-codes").want(t, http.StatusOK, "Your recovery codes").onPaper()
			if len(fresh) != 10 || !s.opens(fresh[0]) || s.opens(paper[0]) || !s.wasTold(ada, "New recovery codes were made") {
				t.Error("the new ones do not take the place of the old")
			}
		})
		t.Run(says+", and she goes on with the old", func(t *testing.T) {
			t.Parallel()
			s := newSite(t, session.Database)
			her := s.as(ada)
			_, paper := her.setUp()
			mend := fail(s)
			her.post("/account/recovery-codes")
			mend()
			her.get("/account/ways").want(t, http.StatusOK, "<dd>10</dd>")
			if !s.opens(paper[0]) || !s.opens(paper[9]) {
				t.Error("what is on paper opens nothing any more")
			}
		})
	}
}

// TestRecoveryCodes_ofANewAppAreThereOrNoApp: an app is not asked for before the codes for
// the day without it are made and the session goes on.
func TestRecoveryCodes_ofANewAppAreThereOrNoApp(t *testing.T) {
	for says, fail := range map[string]func(s *site) func(){
		"nothing can be drawn":          (*site).drawsNothing,
		"the session cannot be renewed": func(s *site) func() { return s.refuse("sessions") },
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, session.Database)
			her := s.as(ada)
			shown := her.get(her.post("/account/authenticator").want(t, http.StatusSeeOther).location).want(t, http.StatusOK)
			a := app{s, secretOn(t, shown)}
			mend := fail(s)
			if failed := her.post("/account/authenticator/add", "flow", flowInForm.FindStringSubmatch(shown.body)[1], "code", a.shows(0)); failed.status < http.StatusInternalServerError {
				t.Errorf("it answers %d", failed.status)
			}
			mend()
			s.as(ada) // by the password alone
			if s.twoSteps("ada") {
				t.Error("an app is asked for without codes on paper")
			}
		})
	}
}
