package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"lectern/db/school"
)

// deskAddress is a route of the desk, on Grace's published course "knots" or on
// her draft "sails".
type deskAddress struct {
	method, path string
	fields       []string
}

func deskOf(slug string) []deskAddress {
	course := "/teach/courses/" + slug
	chapter := "/teach/chapters/" + string(fixedID("chapter-"+slug+"one"))
	lesson := "/teach/lessons/" + string(fixedID("lesson-"+slug+"one-first"))
	return []deskAddress{
		{"GET", course, nil},
		{"GET", lesson, nil},
		{"POST", course, []string{"title", "T", "summary", "S", "topic", "data", "level", "first", "version", "1"}},
		{"POST", course + "/publish", nil},
		{"POST", course + "/unpublish", nil},
		{"POST", course + "/chapters", []string{"title", "T"}},
		{"POST", chapter, []string{"title", "T"}},
		{"POST", chapter + "/move", []string{"to", "1"}},
		{"POST", chapter + "/lessons", []string{"title", "T", "kind", "reading"}},
		{"POST", lesson, []string{"title", "T", "kind", "reading", "body", "B", "version", "1"}},
		{"POST", lesson + "/move", []string{"to", "1"}},
		{"POST", lesson + "/publish", nil},
		{"POST", lesson + "/unpublish", nil},
		{"POST", lesson + "/delete", nil},
		{"POST", lesson + "/restore", nil},
		{"POST", chapter + "/delete", nil},
		{"POST", chapter + "/restore", nil},
		{"POST", course + "/delete", nil},
		{"POST", course + "/restore", nil},
	}
}

// TestDesk_isForThoseWhoMayEdit walks the routes of the desk as each kind of
// person. Those who are refused come first, so that what is allowed afterwards
// finds everything in its place.
func TestDesk_isForThoseWhoMayEdit(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		everywhere := []deskAddress{
			{"GET", "/teach", nil}, {"GET", "/teach/new", nil}, {"POST", "/teach/preview", []string{"body", "x"}},
			{"POST", "/teach/courses", []string{"title", "Not to be"}},
		}
		for _, row := range []struct {
			who, what   string
			desk        []deskAddress
			get, post   int
			gone        int // for what lies in no bin, or in somebody else's
			description string
		}{
			{"", "knots", deskOf("knots"), 303, 401, 401, "a visitor is asked to sign in"},
			{"", "sails", deskOf("sails"), 303, 401, 401, "a visitor is asked to sign in, whatever there is"},
			{"", "", everywhere, 303, 401, 0, "a visitor has no desk"},
			{ada, "", everywhere, 403, 403, 0, "a student has no desk"},
			{ada, "knots", deskOf("knots"), 403, 403, 404, "a student edits no course"},
			{ada, "sails", deskOf("sails"), 404, 404, 404, "a student does not learn of a draft"},
			{rob, "knots", deskOf("knots"), 403, 403, 404, "an instructor edits no colleague's course"},
			{rob, "sails", deskOf("sails"), 404, 404, 404, "an instructor does not learn of a colleague's draft"},
			{grace, "knots", deskOf("knots"), 200, 303, 303, "an instructor edits her course"},
			{alan, "sails", deskOf("sails"), 200, 303, 303, "an admin edits every course"},
		} {
			b := s.as(row.who)
			for _, a := range row.desk {
				want := row.post
				if a.method == http.MethodGet {
					want = row.get
				} else if strings.HasSuffix(a.path, "/restore") {
					want = row.gone
				}
				if row.who == alan && a.path == "/teach/courses/sails/publish" {
					want = http.StatusSeeOther
				}
				var got answer
				if a.method == http.MethodGet {
					got = b.get(a.path)
				} else {
					got = b.post(a.path, a.fields...)
				}
				if got.status != want {
					t.Errorf("%s: %s %s is %d, want %d", row.description, a.method, a.path, got.status, want)
				}
			}
		}
		must(t, s.db.CheckCounts(t.Context()))
	})
}

func TestDesk_bringsNothingOfOthersIntoView(t *testing.T) {
	s := newSite(t, "memory")
	s.as(grace).get("/teach").want(t, http.StatusOK, "Knots", "Sails", "New course").lacks(t, "Stars")
	s.as(rob).get("/teach").want(t, http.StatusOK, "Stars").lacks(t, "Knots", "Sails")
	s.as(alan).get("/teach").want(t, http.StatusOK, "Knots", "Sails", "Stars", "Grace Murray").lacks(t, `href="/teach/new"`)
	s.as(alan).get("/teach/new").want(t, http.StatusForbidden)
}

func TestDesk_aDraftLessonIsASecretInAPublishedCourse(t *testing.T) {
	s := newSite(t, "memory")
	lesson := "/teach/lessons/" + string(fixedID("lesson-knotsone-second"))
	s.as(rob).get(lesson).want(t, http.StatusForbidden)
	s.as(grace).post(lesson+"/unpublish").want(t, http.StatusSeeOther)
	s.as(rob).get(lesson).want(t, http.StatusNotFound)
	s.as(ada).post(lesson, lessonForm("Mine now.", "1")...).want(t, http.StatusNotFound)
	s.as(grace).get(lesson).want(t, http.StatusOK)
}

func TestDesk_aDeletedCourseIsKeptForItsOwner(t *testing.T) {
	s := newSite(t, "database")
	g := s.as(grace)
	g.post("/teach/courses/knots/delete").want(t, http.StatusSeeOther)
	g.get("/teach/courses/knots").want(t, http.StatusNotFound)
	g.get("/teach").want(t, http.StatusOK, "Bin", "/teach/courses/knots/restore")
	s.as(rob).get("/teach").lacks(t, "Knots")
	s.as(rob).post("/teach/courses/knots/restore").want(t, http.StatusNotFound)
	back := g.post("/teach/courses/knots/restore").want(t, http.StatusSeeOther)
	g.get(back.location).want(t, http.StatusOK, "Published", "is back where it was")
	g.post("/teach/courses/knots/restore").want(t, http.StatusNotFound)
}

func TestNewCourse_startsAsADraft(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		g := s.as(grace)
		g.post("/teach/courses", "title", " ", "summary", "Ropes & <b>hitches</b>", "topic", "nonsense", "level", "first", "learn", "One\nTwo").
			want(t, http.StatusUnprocessableEntity, "A title is needed.", "Choose one of the topics.", "Ropes &amp; &lt;b&gt;hitches", "One\nTwo").lacks(t, "<b>hitches")
		for _, slug := range []string{"knots-2", "knots-3"} {
			made := g.post("/teach/courses", "title", "Knots", "summary", "Again.", "topic", "design", "level", "first").want(t, http.StatusSeeOther)
			if !strings.HasPrefix(made.location, "/teach/courses/"+slug+"?") {
				t.Errorf("a course of a title that is taken is at %s, want %s", made.location, slug)
			}
			g.get(made.location).want(t, http.StatusOK, "Draft", "as a draft", "Nothing in it yet")
		}
		s.as(ada).get("/teach/courses/knots-2").want(t, http.StatusNotFound)
		g.post("/teach/courses/knots-2/publish").want(t, http.StatusConflict, "at least one published lesson")
	})
}

func TestCourseDetails_staleEditShowsBoth(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		g, a := s.as(grace), s.as(alan)
		details := func(summary, version string) []string {
			return []string{"title", "Knots", "summary", summary, "description", "Mine\nand yours", "topic", "design", "level", "first", "version", version}
		}
		a.post("/teach/courses/knots", details("Alan’s summary.", "1")...).want(t, http.StatusSeeOther)
		stale := g.post("/teach/courses/knots", details("Grace’s summary.", "1")...).
			want(t, http.StatusConflict, "Alan’s summary.", "Grace’s summary.", "Save mine over theirs", `name="version" value="2"`)
		if !strings.Contains(stale.body, "Grace’s summary.</textarea>") {
			t.Error("what was typed does not stand in the form")
		}
		g.get("/teach/courses/knots").want(t, http.StatusOK, "Alan’s summary.").lacks(t, "Grace’s summary.")
		g.post("/teach/courses/knots", details("Grace’s summary.", "2")...).want(t, http.StatusSeeOther)
		g.post("/teach/courses/knots", details("Grace’s third.", "")...).want(t, http.StatusConflict, "Grace’s third.")
	})
}

// items are the lessons of an outline in order, by the last letters of their
// address.
var itemsOf = regexp.MustCompile(`class="it" id="it-([a-z0-9]+)"|data-chapter="([a-z0-9]+)"`)

func TestOutline_movesByPlaces(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	one, two := string(fixedID("chapter-knotsone")), string(fixedID("chapter-knotstwo"))
	l := func(name string) string { return string(fixedID("lesson-knots" + name)) }
	order := func() string {
		var ids []string
		for _, m := range itemsOf.FindAllStringSubmatch(g.get("/teach/courses/knots").main(), -1) {
			ids = append(ids, m[1]+m[2])
		}
		return strings.Join(ids, " ")
	}
	want := func(what string, ids ...string) {
		t.Helper()
		if got := order(); got != strings.Join(ids, " ") {
			t.Errorf("%s: got\n%s, want\n%s", what, got, strings.Join(ids, " "))
		}
	}
	want("at first", one, l("one-first"), l("one-second"), two, l("two-first"), l("two-second"))
	moved := g.post("/teach/lessons/"+l("one-first")+"/move", "to", "1").want(t, http.StatusSeeOther)
	if moved.location != "/teach/courses/knots?said=moved#it-"+l("one-first") {
		t.Errorf("moving leads to %s", moved.location)
	}
	want("a lesson down", one, l("one-second"), l("one-first"), two, l("two-first"), l("two-second"))
	g.post("/teach/lessons/"+l("one-first")+"/move", "to", "0", "chapter", two).want(t, http.StatusSeeOther)
	want("a lesson into another chapter", one, l("one-second"), two, l("one-first"), l("two-first"), l("two-second"))
	g.post("/teach/chapters/"+two+"/move", "to", "0").want(t, http.StatusSeeOther)
	want("a chapter up", two, l("one-first"), l("two-first"), l("two-second"), one, l("one-second"))
	g.post("/teach/lessons/"+l("one-first")+"/move", "to", "99999999999").want(t, http.StatusSeeOther)
	want("beyond the end", two, l("two-first"), l("two-second"), l("one-first"), one, l("one-second"))
	for _, to := range []string{"", "x", "1.5", "99999999999999999999999"} {
		g.post("/teach/lessons/"+l("one-first")+"/move", "to", to).want(t, http.StatusUnprocessableEntity)
	}
	g.post("/teach/lessons/"+l("one-first")+"/move", "to", "0", "chapter", string(fixedID("chapter-starsone"))).want(t, http.StatusNotFound)
	g.post("/teach/lessons/"+l("one-first")+"/move", "to", "0", "next", "https://evil.example/").want(t, http.StatusSeeOther)
	editor := g.post("/teach/lessons/"+l("one-first")+"/move", "to", "1", "next", "/teach/lessons/"+l("two-first"))
	if !strings.HasPrefix(editor.location, "/teach/lessons/"+l("two-first")+"?") {
		t.Errorf("moving beside a text leads to %s, not back to it", editor.location)
	}
	must(t, s.db.CheckCounts(t.Context()))
}

func TestOutline_deletingKeepsAndPutsBack(t *testing.T) {
	s := newSite(t, "database")
	g := s.as(grace)
	chapter, lesson := "/teach/chapters/"+string(fixedID("chapter-knotsone")), "/teach/lessons/"+string(fixedID("lesson-knotsone-second"))
	g.post(lesson+"/delete").want(t, http.StatusSeeOther)
	g.get("/teach/courses/knots").want(t, http.StatusOK, "Bin", lesson+"/restore")
	g.get(lesson).want(t, http.StatusNotFound)
	g.post(chapter+"/delete").want(t, http.StatusSeeOther)
	g.post(lesson+"/restore").want(t, http.StatusNotFound)
	g.post(chapter+"/restore").want(t, http.StatusSeeOther)
	g.post(lesson+"/restore").want(t, http.StatusSeeOther)
	g.get("/teach/courses/knots").want(t, http.StatusOK, "Lesson one-second on knots").lacks(t, `id="bin"`)
	must(t, s.db.CheckCounts(t.Context()))
}

// TestTitles_anythingTypedIsAnsweredWell sends what nobody should, to every form
// with a title.
func TestTitles_anythingTypedIsAnsweredWell(t *testing.T) {
	s := newSite(t, "memory")
	g := s.as(grace)
	for _, a := range []deskAddress{
		{"POST", "/teach/courses", []string{"summary", "S", "topic", "data", "level", "first"}},
		{"POST", "/teach/courses/knots", []string{"summary", "S", "topic", "data", "level", "first", "version", "1"}},
		{"POST", "/teach/courses/knots/chapters", nil},
		{"POST", "/teach/chapters/" + string(fixedID("chapter-knotsone")), nil},
		{"POST", "/teach/chapters/" + string(fixedID("chapter-knotsone")) + "/lessons", []string{"kind", "reading"}},
		{"POST", "/teach/lessons/" + string(fixedID("lesson-knotsone-first")), []string{"kind", "reading", "body", "B", "version", "1"}},
	} {
		for what, title := range map[string]string{
			"nothing": "", "spaces": " \t\r\n ", "control characters": "\x00\x01", "100 kB": strings.Repeat("long ", 20_000),
		} {
			if got := g.post(a.path, append([]string{"title", title}, a.fields...)...); got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s as the title at %s: %d, want 422", what, a.path, got.status)
			} else if what == "100 kB" && !strings.Contains(got.body, strings.Repeat("long ", 19_999)) {
				t.Errorf("%s as the title at %s is not given back", what, a.path)
			}
		}
		for what, title := range map[string]string{
			"HTML": `<script>alert(1)</script>"><img src=x>`, "invalid UTF-8": "a\xff\xfeb", "a NUL inside": "a\x00b", "right to left": "\u202eשלום\u202c",
			"a title that is taken": "Lesson one-first on knots", "nothing for a slug": "李小龍",
		} {
			got := g.post(a.path, append([]string{"title", title}, a.fields...)...)
			if got.status != http.StatusSeeOther && got.status != http.StatusConflict {
				t.Errorf("%s as the title at %s: %d\n%s", what, a.path, got.status, got.body)
			}
		}
	}
	for _, page := range []string{"/teach", "/teach/courses/knots", "/teach/lessons/" + string(fixedID("lesson-knotsone-first"))} {
		g.get(page).want(t, http.StatusOK).lacks(t, "<script>alert", "<img src=x")
	}
	if strings.Contains(s.log.String(), `"status":5`) {
		t.Error("something failed with 5xx")
	}
}

// demote does what the office does.
func (s *site) demote(name string, role school.Role) {
	s.t.Helper()
	before, err := s.db.SetRole(s.t.Context(), fixedID(name), role)
	must(s.t, err)
	_, err = s.sessions.ChangeRole(s.t.Context(), fixedID(name), before, role)
	must(s.t, err)
}

// TestDemotedInstructor is the price of not asking: a token goes on saying what
// it said when it was signed, a record on the server says what is true now.
func TestDemotedInstructor(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		g := s.as(grace)
		s.demote("grace", school.Student)
		s.clock.move(lagOf(s.sessions.Site().Backend))
		save := []string{"title", "Saved after all", "kind", "reading", "body", "Text typed before.", "version", "1"}
		lesson := "/teach/lessons/" + string(fixedID("lesson-knotsone-first"))
		got := g.post(lesson, save...)
		if g.cookie("lectern-jwt") != "" {
			got.want(t, http.StatusSeeOther)
			g.get(lesson).want(t, http.StatusOK, "Saved after all")
			s.clock.move(lifetimes.Token + 1)
			g.post(lesson, save...).want(t, http.StatusUnauthorized)
			s.as(grace).get(lesson).want(t, http.StatusForbidden)
			return
		}
		got.want(t, http.StatusForbidden, "Instructors edit their own courses", "Text typed before.")
		g.get(lesson).want(t, http.StatusForbidden)
		s.as(alan).get(lesson).want(t, http.StatusOK).lacks(t, "Saved after all")
	})
}
