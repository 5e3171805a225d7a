package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"lectern/db/school"
)

// newcomer fails unless somebody comes from Campus ID as one whom nobody here is.
func (s *site) newcomer(person string) {
	s.t.Helper()
	b := s.browser()
	if got := b.come("/signin/with/campus-id", person).want(s.t, http.StatusSeeOther); !strings.HasPrefix(got.location, "/signin/with/campus-id/new?flow=") || b.signedIn() {
		s.t.Errorf("%s is taken for somebody, and led to %s", person, got.location)
	}
}

// comesAs fails unless somebody comes from Campus ID as the person with this address.
func (s *site) comesAs(person, email string) {
	s.t.Helper()
	b := s.browser()
	b.come("/signin/with/campus-id", person).want(s.t, http.StatusSeeOther)
	b.get("/account").want(s.t, http.StatusOK, email)
}

// TestIdentity_isASiteAndTheNumberThere: a second site that calls somebody by the same
// number, and says the same address of them, has said nothing of the first one's person.
func TestIdentity_isASiteAndTheNumberThere(t *testing.T) {
	t.Attr("asvs", "6.8.1 10.5.2")
	eachCampus(t, func(t *testing.T, s *site) {
		s.connect(rob, mina)
		all, err := s.db.Identities(t.Context(), fixedID("rob"))
		must(t, err)
		there := all[0]
		must(t, s.db.RemoveIdentity(t.Context(), fixedID("rob"), there.ID, school.WaysOpen{Mail: true}))
		s.newcomer(mina)

		elsewhere := school.Identity{ID: fixedID("elsewhere"), Provider: "campus-id", Issuer: "https://other.example", Subject: there.Subject, Email: there.Email, AddedAt: s.Now()}
		must(t, s.db.AddIdentity(t.Context(), fixedID("ada"), elsewhere))
		s.newcomer(mina)
		s.connect(bea, mina)
		s.comesAs(mina, bea)
		hers, err := s.db.UserOfIdentity(t.Context(), elsewhere.Issuer, elsewhere.Subject)
		must(t, err)
		if hers.ID != fixedID("ada") {
			t.Errorf("what Ada has at the other site is %s's now", hers.Name)
		}
	})
}

// TestIdentity_isNoAddress: neither one that was checked there nor one that was not opens
// the account that has it here, and whoever is connected is known under any address.
func TestIdentity_isNoAddress(t *testing.T) {
	t.Attr("asvs", "6.8.1 10.5.2")
	eachCampus(t, func(t *testing.T, s *site) {
		s.signUp("Ada of Lectern", "ada@lectern.example")
		s.signUp("Grace of Lectern", "grace@lectern.example")
		s.newcomer(adaThere)
		s.newcomer("quill")
		s.connect(ada, "quill")
		s.comesAs("quill", ada)
		const moved = "ada@elsewhere.example"
		must(t, s.db.UpdateEmail(t.Context(), fixedID("ada"), moved))
		s.comesAs("quill", moved)
	})
}
