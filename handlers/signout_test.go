package handlers_test

import (
	"net/http"
	"strings"
	"testing"
)

// signsOut reports whether a page has a form that signs its reader out, with a button to
// send it by.
func (a answer) signsOut() bool {
	_, rest, ok := strings.Cut(a.body, `<form method="post" action="/signout"`)
	form, _, _ := strings.Cut(rest, "</form>")
	return ok && strings.Contains(form, `type="submit"`) && strings.Contains(form, "Sign out")
}

// TestSignOut_isOnEveryPage of somebody who is signed in: all of the table of routes, and
// those that say why something is refused.
func TestSignOut_isOnEveryPage(t *testing.T) {
	t.Attr("asvs", "7.4.4")
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := withClass(t, backend)
			for _, who := range []string{ada, grace, alan} {
				b, pages := s.enter(who), 0
				look := func(what string, got answer) {
					if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || got.location != "" {
						return
					}
					if pages++; !got.signsOut() {
						t.Errorf("%s as %s (%d) has no way to sign out", what, who, got.status)
					}
				}
				for _, r := range rows {
					method, path, _ := strings.Cut(r.route, " ")
					if r.path != "" {
						path = r.path
					}
					if method == http.MethodGet {
						look(r.route, b.get(path))
					} else if r.want.each()[who] >= http.StatusBadRequest && strings.HasPrefix(r.route, "POST ") {
						look(r.route, b.post(path, r.fields...))
					}
				}
				look("nothing", b.get("/nothing"))
				look("another method", b.send(http.MethodPut, "/account", ""))
				if pages < 60 {
					t.Errorf("only %d pages as %s", pages, who)
				}
				b.post("/signout").want(t, http.StatusSeeOther)
				if b.signedIn() {
					t.Errorf("%s is signed in still", who)
				}
			}
			if s.browser().get("/").signsOut() {
				t.Error("a visitor is offered to sign out")
			}
		})
	}
}
