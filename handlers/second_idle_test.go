package handlers_test

import (
	"net/http"
	"testing"

	"lectern/db/school"
	"lectern/handlers/session"
)

// carriesNothing is a site with a name or without, from which neither mail nor text
// messages go.
func carriesNothing(t *testing.T, base string) *site {
	t.Helper()
	return startSite(t, session.Database, true, setting{mute: true, base: base})
}

// twoSteps reports whether somebody is asked for a second step.
func (s *site) twoSteps(name string) bool {
	s.t.Helper()
	factors, err := s.db.Factors(s.t.Context(), fixedID(name))
	must(s.t, err)
	return factors.TwoStep
}

// hasPasskey gives somebody one that was made when the site had a name.
func (s *site) hasPasskey(name string) {
	s.t.Helper()
	must(s.t, s.db.AddPasskey(s.t.Context(), school.PasskeyCredential{
		Passkey: school.Passkey{ID: school.MustNewID(), User: fixedID(name), Name: "Key", CreatedAt: s.Now()}, CredentialID: string(school.MustNewID()),
	}))
}

// TestTwoStep_isSwitchedOnByWhatWorksHere: a telephone to which nothing is carried and a
// passkey for an address without a name would lock their owner out.
func TestTwoStep_isSwitchedOnByWhatWorksHere(t *testing.T) {
	for _, row := range []struct {
		says, base string
		give       func(s *site)
		on         bool
	}{
		{"nothing", "", func(*site) {}, false},
		{"a telephone where nothing is carried", "", func(s *site) { must(t, s.db.PutPhone(t.Context(), fixedID("ada"), "+447700900123", s.Now())) }, false},
		{"a passkey where there can be none", "", func(s *site) { s.hasPasskey("ada") }, false},
		{"a passkey where there can be some", named, func(s *site) { s.hasPasskey("ada") }, true},
	} {
		t.Run(row.says, func(t *testing.T) {
			s := carriesNothing(t, row.base)
			row.give(s)
			her := s.as(ada)
			if row.on {
				her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
			} else {
				her.post("/account/two-step", "on", "1").want(t, http.StatusConflict, "nothing yet that could be the second step")
			}
			if got := s.twoSteps("ada"); got != row.on {
				t.Errorf("the second step is on: %v", got)
			}
		})
	}
	t.Run("a telephone beside an app", func(t *testing.T) {
		s := carriesNothing(t, "")
		must(t, s.db.PutPhone(t.Context(), fixedID("ada"), "+447700900123", s.Now()))
		her := s.as(ada)
		her.setUp()
		her.post("/account/two-step", "on", "0").want(t, http.StatusSeeOther)
		her.post("/account/two-step", "on", "1").want(t, http.StatusSeeOther)
		if !s.twoSteps("ada") {
			t.Error("an app that works is not enough beside a telephone that does not")
		}
	})
}

// TestSecond_saysThatNothingWorksHere: whoever has a telephone as the only second step, and
// nothing is carried to it any more, is not sent from page to page but told so. A recovery
// code lets them in, and without one an admin can help.
func TestSecond_saysThatNothingWorksHere(t *testing.T) {
	const number, idle = "+447700900123", "cannot be asked for, since whoever runs this site has not set up what it needs"
	s := newSite(t, session.Database)
	her := s.as(ada)
	her.post("/code", "flow", her.flow(her.post("/account/phone", "phone", number)), "code", s.code(number)).want(t, http.StatusSeeOther)
	shown := her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
	paper := paperCode.FindStringSubmatch(shown.body)[1]
	second := func() (*browser, answer) {
		b := s.browser()
		return b, b.get(b.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther).location).want(t, http.StatusOK, "One more step")
	}
	_, page := second()
	page.want(t, http.StatusOK, `action="/signin/second/text"`).lacks(t, idle)

	s.Messages = carriesNothing(t, "").Messages
	b, page := second()
	page.want(t, http.StatusOK, idle, "One of your recovery codes lets you in all the same", "An admin of this school can take the second step away").lacks(t, `action="/signin/second/text"`)
	flow := flowInForm.FindStringSubmatch(page.body)[1]
	b.post("/signin/second/text", "flow", flow).want(t, http.StatusUnprocessableEntity, "We cannot send that from here")
	b.post("/signin/second", "flow", flow, "way", "recovery-code", "code", paper).want(t, http.StatusSeeOther)
	if !b.signedIn() {
		t.Error("a recovery code does not let her in")
	}

	must(t, s.db.RemoveRecoveryCodes(t.Context(), fixedID("ada")))
	b, page = second()
	page.want(t, http.StatusOK, idle, "An admin of this school can take the second step away").lacks(t, "One of your recovery codes", `action="/signin/second"`)
	s.as(alan).post(person(ada)+"/factors", "what", "two-step").want(t, http.StatusSeeOther)
	s.as(ada)
	if b.signedIn() {
		t.Error("somebody got in by the first step alone")
	}
}
