package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"lectern/db/school"
	"lectern/handlers/session"
)

// patterns would each find "knots", if what stands in them meant to the search what it
// means to LIKE, GLOB, a full-text index or a regular expression.
var patterns = []string{
	"%", "_____", "kn%ts", "kn_ts", "kn*ts", "kn?ts", "kn[o]ts", "kn.ts", "kn.*ts", "(knots|stars)x", "[a-z]+", "k\\w+", "kn\\ots",
	"knots OR nothing", "nothing OR knots", "knots NOT stars", "NEAR(knots nothing)", "title:knots", "{title}:knots", "knots AND nothing", "%' OR '1'='1", `kn"o"ts`, "-nothing",
}

// TestSearch_takesNoPattern: a search looks for words, and other signs keep words
// apart. None of them stands for something else.
func TestSearch_takesNoPattern(t *testing.T) {
	t.Attr("asvs", "1.2.9")
	s := newSite(t, session.Memory)
	visitor, admin := s.browser(), s.as(alan)
	const course, person = "A course about knots.", "Knots Byron"
	s.as(ada).post("/account/profile", "name", person).want(t, http.StatusSeeOther)
	for _, pattern := range patterns {
		q := "?q=" + url.QueryEscape(pattern)
		if len(school.QueryWords(pattern)) == 0 {
			// Where there is no word, nothing was looked for.
			visitor.get("/api/v1/courses"+q).want(t, http.StatusOK, `"total":2`)
			admin.get("/admin/users"+q).want(t, http.StatusOK, "5 people")
			continue
		}
		visitor.get("/courses"+q).want(t, http.StatusOK).lacks(t, course)
		visitor.get("/api/v1/courses"+q).want(t, http.StatusOK, `"total":0`)
		admin.get("/admin/users"+q).want(t, http.StatusOK, "Nobody fits").lacks(t, person)
	}
	for _, word := range []string{"knots", "kno", "knots%", `"knots"`, "^knots$", "(knots)", "knots*", "-knots", "knots'", `\knots`} {
		q := "?q=" + url.QueryEscape(word)
		visitor.get("/courses"+q).want(t, http.StatusOK, course).lacks(t, "A course about stars.")
		admin.get("/admin/users"+q).want(t, http.StatusOK, person, "1 person")
	}
}

// TestAudit_takesNoPattern: whose lines they are, and about what, is said in whole.
func TestAudit_takesNoPattern(t *testing.T) {
	t.Attr("asvs", "1.2.9")
	s := newSite(t, session.Memory)
	admin := s.as(alan)
	s.browser().post("/signin", "email", "nobody@school.example", "password", "no").want(t, http.StatusUnprocessableEntity) // a line of nobody's
	s.lines(school.Event{Action: school.ActionPublish, Actor: school.Person{ID: fixedID("rob"), Name: "Rob Tremaine"}, Subject: "100% of it_", Detail: "whatever", Session: "jwt"})
	for _, filter := range []string{"name", "whom", "action", "kind"} {
		for _, pattern := range append(patterns, "Rob%", "Rob T%", "100%", "100% of it%", "%of it_", "100% of it?", "course.%", "course_publish", "j_t", "*") {
			admin.get("/admin/audit?"+filter+"="+url.QueryEscape(pattern)).want(t, http.StatusOK, "Nothing of the kind").lacks(t, "whatever")
		}
	}
	admin.get("/admin/audit?whom="+url.QueryEscape("100% of it_")).want(t, http.StatusOK, "whatever")
	admin.get("/admin/audit?name=Rob+Tremaine").want(t, http.StatusOK, "whatever")
}
