package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// TestFields_areCheckedTogether sends forms of which each field is right by itself, and
// the whole is not.
func TestFields_areCheckedTogether(t *testing.T) {
	t.Attr("asvs", "2.2.3")
	s := newSite(t, session.Database)
	admin, owner, her := s.enter(alan), s.enter(grace), s.enter(ada)

	// A password, and whose it is.
	const name, email, hers = "Bartholomew Featherstone", "quicksilver.weasel@school.example", "Bartholomew-Featherstone!"
	const refused = "mostly your name, your address"
	her.post("/account/profile", "name", name).want(t, http.StatusSeeOther)
	her.post("/account/password", "current", password, "new", hers).want(t, http.StatusUnprocessableEntity, refused)
	b := s.browser()
	b.post("/signup", "name", name, "email", cleo, "password", hers).want(t, http.StatusUnprocessableEntity, refused)
	b.post("/signup", "name", "Cleo Sand", "email", email, "password", "Quicksilver Weasel 1").want(t, http.StatusUnprocessableEntity, refused)
	reset := b.flow(b.post("/code", "flow", b.flow(b.post("/signin/forgotten", "email", ada)), "code", s.code(ada)))
	b.post("/signin/new-password", "flow", reset, "new", hers).want(t, http.StatusUnprocessableEntity, refused)
	admin.post("/admin/invitations", "name", name, "email", cleo, "role", "student").want(t, http.StatusSeeOther)
	s.browser().post(s.invited(cleo), "password", hers).want(t, http.StatusUnprocessableEntity, refused)
	if strings.Count(strings.Join(s.school(t.Context()), "\n"), "user ") != 5 {
		t.Error("somebody has an account all the same")
	}
	s.signUp("Quentin Sand", email) // with a password that is good with theirs
	before := s.school(t.Context())

	// A lesson and a chapter, which are of one course.
	owner.post(knotsLesson+"/move", "to", "0", "chapter", string(fixedID("chapter-starsone"))).want(t, http.StatusNotFound)
	owner.post(knotsLesson+"/move", "to", "0", "chapter", string(fixedID("chapter-sailsone"))).want(t, http.StatusNotFound)
	// A text, and the edit that it was made from.
	owner.post(knotsLesson, "title", "Bends", "kind", "reading", "body", "Text.", "version", "2").want(t, http.StatusConflict)
	// An account that goes, and the address that says which.
	her.post("/account/delete", "email", bea).want(t, http.StatusUnprocessableEntity)
	admin.post(person(bea)+"/delete", "email", ada).want(t, http.StatusUnprocessableEntity)
	// A kind of session, and what becomes of those that there are.
	admin.post("/admin/sessions", "backend", session.JWT).want(t, http.StatusUnprocessableEntity)
	// A second step, and something that could be it.
	her.post("/account/two-step", "on", "1").want(t, http.StatusConflict)
	// A course that is public, and something to read in it.
	begun := owner.post("/teach/courses", "title", "Ropes", "summary", "About ropes.", "topic", "design", "level", "first", "learn", "Splice", "description", "D").want(t, http.StatusSeeOther)
	desk, _, _ := strings.Cut(begun.location, "?")
	owner.post(desk+"/publish").want(t, http.StatusConflict, "at least one published lesson")
	// The first day, and the last.
	admin.get("/admin/audit?from=2026-11-02&to=2026-11-01").want(t, http.StatusUnprocessableEntity, "This day is before the first one.", "Nothing was looked for").lacks(t, "log.csv")
	admin.get("/admin/audit/log.csv?from=2026-11-02&to=2026-11-01").want(t, http.StatusSeeOther)
	admin.get("/admin/audit?from=2026-11-02&to=2026-11-02").want(t, http.StatusOK)

	after := slices.DeleteFunc(s.school(t.Context()), func(line string) bool { return strings.HasPrefix(line, "event ") || strings.Contains(line, "ropes") })
	before = slices.DeleteFunc(before, func(line string) bool { return strings.HasPrefix(line, "event ") })
	if !slices.Equal(before, after) {
		t.Errorf("something was changed:\n%s\n\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}
