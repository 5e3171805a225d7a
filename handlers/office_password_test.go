package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// TestOffice_neitherChoosesNorSeesAPassword: no page of the office asks for one, none that
// is sent along is taken, and no answer, letter, log or row has one in it.
func TestOffice_neitherChoosesNorSeesAPassword(t *testing.T) {
	t.Attr("asvs", "6.4.6")
	s := newSite(t, session.Database)
	admin, her := s.as(alan), s.signUp("Cleo Sand", cleo)
	const hers, chosen = otherPassword, "an admin thought of this one"
	credential, err := s.db.CredentialByEmail(t.Context(), cleo)
	must(t, err)
	page := "/admin/users/" + string(credential.User.ID)
	for _, path := range []string{"/admin/users", page, page + "/delete", "/admin/invitations", "/admin/sessions", "/admin/audit"} {
		shown := admin.get(path).want(t, http.StatusOK)
		for _, in := range shown.inputs(t) {
			if in.attrs["type"] == "password" || slices.Contains([]string{"password", "current", "new"}, in.attrs["name"]) {
				t.Errorf("%s asks for a password: %v", path, in)
			}
		}
		shown.lacks(t, "argon2id", hers)
	}
	along := []string{"password", chosen, "new", chosen, "hash", chosen, "password_hash", chosen, "current", password}
	for _, deed := range [][]string{
		{page + "/role", "role", "instructor"},
		{page + "/end-sessions"},
		{page + "/factors", "what", "two-step"},
		{page + "/password-reset"},
		{page + "/password-reset", "forget", "1"},
		{"/admin/invitations", "name", "Joan", "email", "joan@school.example", "role", "student"},
	} {
		done := admin.post(deed[0], append(deed[1:], along...)...).want(t, http.StatusSeeOther).lacks(t, chosen, hers, "argon2id")
		admin.get(done.location).want(t, http.StatusOK).lacks(t, chosen, hers, "argon2id")
	}
	for _, email := range []string{cleo, "joan@school.example"} {
		s.browser().post("/signin", "email", email, "password", chosen).want(t, http.StatusUnprocessableEntity)
	}
	her.post("/account/password", "current", chosen, "new", otherPassword).want(t, http.StatusUnauthorized) // her sessions were ended
	for _, row := range append(s.everythingKept(), s.log.String()) {
		if strings.Contains(row, chosen) || strings.Contains(row, hers) {
			t.Errorf("a password is kept: %s", row)
		}
	}
}
