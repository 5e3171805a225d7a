package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// linked are the addresses of the site that stand in a letter, without the site itself.
func (s *site) linked(body string) (paths []string) {
	for _, found := range regexp.MustCompile(regexp.QuoteMeta(s.url)+`(/[^\s]+)`).FindAllStringSubmatch(body, -1) {
		paths = append(paths, found[1])
	}
	return paths
}

// TestNotice_leadsWhereItsReaderCanDoSomething: to whoever lost their address no code comes
// any more, so they are not sent where one is asked for, but to an admin, who can close the
// account. To everybody else one comes.
func TestNotice_leadsWhereItsReaderCanDoSomething(t *testing.T) {
	t.Attr("asvs", "6.3.7")
	s := newSite(t, session.Database)
	const elsewhere = "mallory@elsewhere.example"
	thief := s.as(ada)
	thief.post("/code", "flow", thief.flow(thief.post("/account/email", "email", elsewhere)), "code", s.code(elsewhere)).want(t, http.StatusSeeOther)
	old := s.letter(ada)
	if old.Subject != "Your address was changed" || !strings.Contains(old.Body, "write to an admin of the school at once") {
		t.Errorf("the old address is told %q: %s", old.Subject, old.Body)
	}
	if paths := s.linked(old.Body); len(paths) > 0 {
		t.Errorf("the old address is sent to %q", paths)
	}
	before := s.letters(ada)
	s.browser().post("/signin/forgotten", "email", ada).want(t, http.StatusSeeOther)
	if s.letters(ada) != before {
		t.Error("a code comes to the old address")
	}
	s.as(alan).post(person(ada)+"/disable").want(t, http.StatusSeeOther)
	if thief.signedIn() {
		t.Error("what the admin can do does not help")
	}

	her := s.as(bea)
	her.setUp()
	told := s.letter(bea)
	paths := s.linked(told.Body)
	if told.Subject != "An authenticator app was added" || len(paths) != 1 {
		t.Fatalf("she is told %q: %s", told.Subject, told.Body)
	}
	s.browser().get(paths[0]).want(t, http.StatusOK, "forgotten")
	b := s.browser()
	b.post("/code", "flow", b.flow(b.post(paths[0], "email", bea)), "code", s.code(bea)).want(t, http.StatusSeeOther)
}
