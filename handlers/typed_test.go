package handlers_test

import (
	"encoding/json"
	"html"
	"net/http"
	"strings"
	"testing"

	dom "golang.org/x/net/html"

	"lectern/handlers/session"
)

// withText is a site in which everything is called by one text that can be called
// something: the people, a course with its chapters and lessons, and whoever is invited.
func withText(t *testing.T, text string) *site {
	t.Helper()
	s := withClass(t, session.Memory)
	for _, who := range []string{ada, grace, alan} {
		s.enter(who).post("/account/profile", "name", text).want(t, http.StatusSeeOther)
	}
	owner := s.enter(grace)
	owner.post(knotsChapter, "title", text).want(t, http.StatusSeeOther)
	owner.post(knotsLesson, "title", text, "kind", "reading", "body", text, "version", "1").want(t, http.StatusSeeOther)
	owner.post("/teach/courses/knots", "title", text, "summary", text, "description", text, "learn", text, "topic", "design", "level", "first", "version", "1").want(t, http.StatusSeeOther)
	s.enter(alan).post("/admin/invitations", "name", text, "email", cleo, "role", "student").want(t, http.StatusSeeOther)
	s.enter(ada).post("/courses/knots/join").want(t, http.StatusSeeOther)
	return s
}

// TestScripts_cannotBeBrokenOutOf looks at everything that the site says, when everything
// in it is called by the end of a script and the beginning of another.
func TestScripts_cannotBeBrokenOutOf(t *testing.T) {
	t.Attr("asvs", "1.2.3")
	const text = `</script><!--<script>alert("1")//'\u003c` + "`${1}`&"
	s := withText(t, text)
	said := 0
	s.read(func(_, path, who string, _ *browser, got answer) {
		switch kind := got.header.Get("Content-Type"); {
		case strings.Contains(kind, "json"):
			// Whoever puts it into a page is in no danger either.
			if at := strings.IndexAny(got.body, "<>&\u2028\u2029"); at >= 0 {
				t.Errorf("%s as %q has %q as it is", path, who, got.body[at:min(at+20, len(got.body))])
			}
			for line := range strings.Lines(got.body) {
				if strings.Contains(kind, "jsonl") && !json.Valid([]byte(line)) {
					t.Errorf("%s as %q: %s", path, who, line)
				}
			}
			said += strings.Count(got.body, `\u003c/script\u003e`)
		case kind == page:
			root, err := dom.Parse(strings.NewReader(got.body))
			must(t, err)
			for n := range root.Descendants() {
				if n.Type != dom.ElementNode {
					continue
				}
				source := ""
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") {
						t.Errorf("%s as %q runs what stands in %s=%q", path, who, a.Key, a.Val)
					}
					if a.Key == "src" {
						source = a.Val
					}
				}
				// No page has a script of its own, so there is nothing to break out of.
				if n.Data == "script" && (n.FirstChild != nil || !strings.HasPrefix(source, "/assets/")) {
					t.Errorf("%s as %q has a script of its own", path, who)
				}
			}
		}
	})
	if said < 20 {
		t.Errorf("the text was said %d times", said)
	}
	name := decoded[map[string]string](t, s.enter(ada).get("/api/v1/me"))["name"]
	title := decoded[struct{ Title string }](t, s.browser().get("/api/v1/courses/knots")).Title
	if name != text || title != text {
		t.Errorf("a program reads %q and %q", name, title)
	}
}

// TestText_isNoTemplate: what looks like a part of a template is said as it was typed,
// on pages, in what programs read, and in letters.
func TestText_isNoTemplate(t *testing.T) {
	t.Attr("asvs", "1.3.7")
	const product, text = "99992088", `{{100000007-7919}}${100000007-7919}<%= 7 %>#{.Name}{% if %}@name%s%[1]d%v`
	s := withText(t, text)
	said := 0
	s.read(func(_, path, who string, _ *browser, got answer) {
		if strings.Contains(got.body, product) {
			t.Errorf("%s as %q has worked it out", path, who)
		}
		if got.header.Get("Content-Type") == page {
			whole := strings.Count(html.UnescapeString(got.body), text)
			if begun := strings.Count(got.body, "{{100000007"); begun != whole {
				t.Errorf("%s as %q begins it %d times and says it %d times", path, who, begun, whole)
			}
			said += whole
		}
	})
	if said < 40 {
		t.Errorf("the text was said %d times", said)
	}
	s.enter(alan).post(person(ada)+"/password-reset").want(t, http.StatusSeeOther)
	s.enter(ada).post("/account/email", "email", "%s{{.}}@school.example").want(t, http.StatusSeeOther)
	for _, to := range []string{cleo, ada, "%s{{.}}@school.example"} {
		letter := s.letter(to)
		if whole := letter.Subject + letter.Body; strings.Contains(whole, product) || strings.Contains(whole, "%!") {
			t.Errorf("the letter to %s is %q", to, whole)
		}
	}
	if !strings.Contains(s.letter(cleo).Body, text) {
		t.Errorf("she is invited by %q", s.letter(cleo).Body)
	}
}
