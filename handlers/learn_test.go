package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
)

func TestCatalogue_ignoresWhatItDoesNotKnow(t *testing.T) {
	s := newSite(t, "memory")
	for _, query := range []string{
		"topic=astrology", "level=impossible", "status=joined", "sort=price", "after=%00%ff", "after=" + strings.Repeat("A", 5000), "q=%ff%fe", "q=%21%3F", "said=nothing", "page=7",
		"topic=astrology&level=impossible&status=x&sort=y&after=z",
	} {
		s.browser().get("/courses?"+query).want(t, http.StatusOK, "Knots", "Stars").lacks(t, "Sails")
	}
}

func TestCatalogue_hasAWayOutWhereItIsEmpty(t *testing.T) {
	s := newSite(t, "memory")
	s.browser().get("/courses?q=knots+zebra").want(t, http.StatusOK, "No course has all of these words", `href="/courses"`, "No courses")
	s.browser().get("/courses?q=knots&level=advanced").want(t, http.StatusOK, "Search all courses", `href="/courses?q=knots"`)
	s.browser().get("/courses?topic=kitchen").want(t, http.StatusOK, "No course fits all of that")
	s.as(ada).get("/courses?status=joined&topic=design").want(t, http.StatusOK, "You have joined none of these", `href="/courses?topic=design"`)
}

func TestCatalogue_neverListsDrafts(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		for _, who := range []string{"", ada, rob, grace, alan} {
			b := s.as(who)
			for _, query := range []string{"", "?q=sails", "?status=open", "?topic=design&sort=title"} {
				if strings.Contains(b.get("/courses"+query).want(t, http.StatusOK).main(), "/courses/sails") {
					t.Errorf("%q sees the draft at %q", who, query)
				}
			}
		}
	})
}

func TestCatalogue_keepsItsChoicesInTheAddress(t *testing.T) {
	s := newSite(t, "memory")
	page := s.as(ada).get("/courses?q=course&topic=design&level=first&status=open&sort=title").want(t, http.StatusOK, "2 courses")
	main := page.main()
	for _, want := range []string{
		`name="q" value="course"`, `name="topic" value="design"`, `<option value="first" selected>`, `<option value="open" selected>`, `<option value="title" selected>`,
		`href="/courses?level=first&amp;q=course&amp;sort=title&amp;status=open"`, // the tab of all topics
	} {
		if !strings.Contains(main, want) {
			t.Errorf("page lacks %s", want)
		}
	}
}

func TestCatalogue_turnsPagesTruthfully(t *testing.T) {
	s := newSite(t, "memory")
	at := s.clock.Now()
	for i := range 25 {
		c, err := s.db.CreateCourse(t.Context(), school.Course{Owner: school.Person{ID: fixedID("grace")}, Title: "Course " + string(rune('a'+i)), Summary: "One of many.", Topic: "data", Level: "first"}, at)
		must(t, err)
		chapter, err := s.db.CreateChapter(t.Context(), c.ID, "Chapter", at)
		must(t, err)
		lesson, err := s.db.CreateLesson(t.Context(), chapter.ID, school.Lesson{LessonHead: school.LessonHead{Title: "Lesson", Kind: school.Reading}, Body: "Text"}, fixedID("grace"), at)
		must(t, err)
		must(t, s.db.PublishLesson(t.Context(), lesson.ID, at))
		must(t, s.db.PublishCourse(t.Context(), c.ID, at))
	}
	b := s.browser()
	seen := map[string]bool{}
	next := "/courses?topic=data&sort=title"
	for i, shown := range []string{"1–12 of 25 courses", "12 more of 25 courses", "The last 1 of 25 courses"} {
		page := b.get(next).want(t, http.StatusOK, shown)
		for _, part := range strings.Split(page.main(), `<a href="/courses/`)[1:] {
			slug, _, _ := strings.Cut(part, `"`)
			if seen[slug] {
				t.Errorf("%s stands on two pages", slug)
			}
			seen[slug] = true
		}
		if back := strings.Contains(page.main(), "Back to the start"); back != (i > 0) {
			t.Errorf("page %d: a way back to the start is %v", i+1, back)
		}
		before, _, more := strings.Cut(page.main(), `" rel="next"`)
		if more != (i < 2) {
			t.Fatalf("page %d: a next page is %v", i+1, more)
		}
		next = strings.ReplaceAll(before[strings.LastIndex(before, `href="`)+len(`href="`):], "&amp;", "&")
	}
	if len(seen) != 25 {
		t.Errorf("the pages list %d courses, want 25", len(seen))
	}
}

func TestCatalogue_isNewForVisitorsAfterEveryChange(t *testing.T) {
	s := newSite(t, "memory")
	visitor := s.browser()
	visitor.get("/courses").want(t, http.StatusOK, "Knots", "0 readers").lacks(t, "1 reader<")
	s.as(ada).post("/courses/knots/join").want(t, http.StatusSeeOther)
	visitor.get("/courses").want(t, http.StatusOK, "1 reader<")

	_, err := s.db.Writer().ExecContext(t.Context(), "UPDATE courses SET title = 'Bends' WHERE slug = 'knots'") // as another process would
	must(t, err)
	visitor.get("/courses").want(t, http.StatusOK, "Knots")
	s.clock.move(2 * time.Second)
	visitor.get("/courses").want(t, http.StatusOK, "Bends").lacks(t, ">Knots<")
}

func TestCatalogue_isNeverSomebodyElses(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		visitor, dark, reader := s.browser(), s.browser(), s.as(ada)
		visitor.get("/courses").want(t, http.StatusOK, "Sign in").lacks(t, "Ada Byron")
		dark.post("/appearance", "theme", "dark")
		dark.get("/courses").want(t, http.StatusOK, `data-theme="dark"`)
		visitor.get("/courses").want(t, http.StatusOK).lacks(t, "data-theme")
		visitor.get("/courses?xray=open").want(t, http.StatusOK, " open>", `class="t v100"`)
		visitor.get("/courses").want(t, http.StatusOK).lacks(t, " open>", "87654321", "<x-ray")
		reader.get("/courses").want(t, http.StatusOK, "Ada Byron")
		visitor.get("/courses").want(t, http.StatusOK).lacks(t, "Ada Byron")
		s.clock.move(time.Minute) // every page from here on is made anew
		visitor.get("/courses?token=hers&xray=open&event=e").want(t, http.StatusOK).lacks(t, "hers")
		s.browser().get("/courses?xray=open").want(t, http.StatusOK).lacks(t, "hers", "token=")
		s.clock.move(time.Minute)
		visitor.get("/courses").want(t, http.StatusOK, "manager.go")
		s.browser().get("/courses", "Cookie", "unknown=1").want(t, http.StatusOK).lacks(t, "manager.go")
		chosen := s.browser()
		chosen.post("/session/backend", "backend", "jwt").want(t, http.StatusSeeOther)
		chosen.get("/courses").want(t, http.StatusOK, `value="jwt" checked`)
	})
}

func TestCourse_isHiddenWhileADraft(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		for who, status := range map[string]int{"": 404, ada: 404, rob: 404, grace: 200, alan: 200} {
			got := s.as(who).get("/courses/sails").want(t, status)
			if status == http.StatusOK {
				got.want(t, status, "This is a draft", "/teach/courses/sails")
			}
		}
		s.as(ada).post("/courses/sails/join").want(t, http.StatusNotFound)
		s.as(grace).post("/courses/sails/join").want(t, http.StatusForbidden)
		for _, path := range []string{"/courses/nothing", "/courses/Knots%20", "/courses/knots/lessons/nothing"} {
			s.as(grace).get(path).want(t, http.StatusNotFound)
		}
	})
}

func TestCourse_isJoinedAndLeft(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		if got := s.browser().post("/courses/knots/join"); got.status != http.StatusUnauthorized {
			t.Fatalf("a visitor joins: %d", got.status)
		}
		s.browser().get("/courses/knots").want(t, http.StatusOK, `href="/signin?next=%2Fcourses%2Fknots"`).lacks(t, `action="/courses/knots/join"`)
		admin := s.as(alan)
		admin.get("/courses/knots").want(t, http.StatusOK, "Admins look after courses").lacks(t, `action="/courses/knots/join"`)
		admin.post("/courses/knots/join").want(t, http.StatusForbidden, "Students and instructors join published courses")

		reader := s.as(ada)
		for range 2 { // joining what is joined is fine
			if got := reader.post("/courses/knots/join").want(t, http.StatusSeeOther); got.location != "/courses/knots?said=joined" {
				t.Errorf("joining leads to %q", got.location)
			}
		}
		reader.get("/courses/knots?said=joined").want(t, http.StatusOK, "You have joined", "Begin", "0 of 4", "1 reader")
		reader.post("/courses/knots/lessons/one-first/done").want(t, http.StatusSeeOther)
		reader.get("/courses/knots").want(t, http.StatusOK, "Your 1 finished lesson is kept", "Continue")
		reader.post("/courses/knots/leave").want(t, http.StatusSeeOther)
		reader.get("/courses/knots?said=left").want(t, http.StatusOK, "You left this course", "1 finished lesson is kept", "Join again", "0 readers")
		reader.get("/learning").want(t, http.StatusOK, "Join again", "1 of 4 done when you left")
		reader.post("/courses/knots/join").want(t, http.StatusSeeOther)
		reader.get("/courses/knots").want(t, http.StatusOK, "1 of 4")
		must(t, s.db.CheckCounts(t.Context()))
	})
}

func TestCourse_isEditedByThoseWhoMay(t *testing.T) {
	s := newSite(t, "memory")
	for who, may := range map[string]bool{"": false, ada: false, rob: false, grace: true, alan: true} {
		if got := strings.Contains(s.as(who).get("/courses/knots").want(t, http.StatusOK).body, `href="/teach/courses/knots"`); got != may {
			t.Errorf("%q is shown the way to the editor: %v", who, got)
		}
	}
}

func TestLesson_isForThoseWhoHaveJoined(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		const preview, inner = "/courses/knots/lessons/one-first", "/courses/knots/lessons/two-second"
		visitor := s.browser()
		visitor.get(preview).want(t, http.StatusOK, "Text of <strong>one-first</strong>", "This was a preview").lacks(t, "/done", "Mark as done")
		if got := visitor.get(inner).want(t, http.StatusSeeOther); got.location != "/signin?next=%2Fcourses%2Fknots%2Flessons%2Ftwo-second" {
			t.Errorf("a visitor is led to %q", got.location)
		}
		visitor.post(inner+"/done").want(t, http.StatusUnauthorized)

		reader := s.as(ada)
		reader.get(preview).want(t, http.StatusOK, "Read on, and be counted")
		reader.get(inner).want(t, http.StatusForbidden, `action="/courses/knots/join"`, `name="lesson" value="two-second"`).lacks(t, "Text of")
		reader.post(inner+"/done").want(t, http.StatusForbidden)
		reader.get("/courses/sails/lessons/one-first").want(t, http.StatusNotFound)
		if got := reader.post("/courses/knots/join", "lesson", "two-second").want(t, http.StatusSeeOther); got.location != inner+"?said=joined" {
			t.Errorf("joining from a lesson leads to %q", got.location)
		}
		reader.get(inner).want(t, http.StatusOK, "Text of <strong>two-second</strong>", "Mark as done", `aria-current="page"`)

		for _, who := range []string{grace, alan} {
			s.as(who).get(inner).want(t, http.StatusOK, "Edit this lesson").lacks(t, "Mark as done")
			s.as(who).get("/courses/sails/lessons/two-second").want(t, http.StatusOK, "This is a draft")
		}
		s.as(rob).get(inner).want(t, http.StatusForbidden, `action="/courses/knots/join"`)
	})
}

func TestLesson_isHiddenWhileADraft(t *testing.T) {
	s := newSite(t, "memory")
	const path = "/courses/knots/lessons/one-first"
	reader := s.as(ada)
	reader.post("/courses/knots/join").want(t, http.StatusSeeOther)
	must(t, s.db.UnpublishLesson(t.Context(), fixedID("lesson-knotsone-first"), s.clock.Now()))
	s.browser().get(path).want(t, http.StatusNotFound)
	reader.get(path).want(t, http.StatusNotFound)
	reader.post(path+"/done").want(t, http.StatusNotFound)
	reader.get("/courses/knots").want(t, http.StatusOK, "0 of 3").lacks(t, "Lesson one-first")
	s.as(grace).get(path).want(t, http.StatusOK, "This is a draft", "Draft")
}

func TestLesson_isDoneAndTakenBack(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		b.post("/courses/knots/join")
		at := "/courses/knots/lessons/"
		done := b.post(at+"one-first/done").want(t, http.StatusSeeOther)
		if done.location != at+"one-second?done=one-first" {
			t.Fatalf("done leads to %q", done.location)
		}
		b.get(done.location).want(t, http.StatusOK, "is done. 3 lessons are left.", `action="`+at+`one-first/undone"`)
		b.get(at+"one-second?done=two-first").want(t, http.StatusOK).lacks(t, "Undo") // a link cannot claim it
		undone := b.post(at+"one-first/undone").want(t, http.StatusSeeOther)
		if undone.location != at+"one-first?said=undone" {
			t.Errorf("undone leads to %q", undone.location)
		}
		b.get(undone.location).want(t, http.StatusOK, "Taken back", "Mark as done", "0 of 4 done")

		for _, slug := range []string{"one-first", "one-second", "two-first"} {
			b.post(at + slug + "/done")
		}
		last := b.post(at+"two-second/done").want(t, http.StatusSeeOther)
		if last.location != "/courses/knots?done=two-second" {
			t.Errorf("the last lesson leads to %q", last.location)
		}
		b.get(last.location).want(t, http.StatusOK, "and with it the whole course", "You have finished", "4 of 4")
		b.get("/learning").want(t, http.StatusOK, "Finished", "Nothing is waiting for you")
		b.get("/courses?status=finished").want(t, http.StatusOK, "Knots", "1 course").lacks(t, "Stars")
		must(t, s.db.CheckCounts(t.Context()))
	})
}

func TestLesson_remembersThePlaceOfThoseWhoJoined(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		b.get("/courses/knots/lessons/one-first").want(t, http.StatusOK)
		b.get("/learning").want(t, http.StatusOK, "You are in no course now")
		b.post("/courses/knots/join")
		b.get("/courses/knots/lessons/two-first").want(t, http.StatusOK)
		for _, path := range []string{"/", "/courses", "/courses/knots", "/learning"} {
			b.get(path).want(t, http.StatusOK, `href="/courses/knots/lessons/two-first"`, "Continue")
		}
	})
}

func TestLesson_showsWhatIsWrittenNow(t *testing.T) {
	s := newSite(t, "memory")
	visitor := s.browser()
	visitor.get("/courses/knots/lessons/one-first").want(t, http.StatusOK, "Text of")
	l, err := s.db.Lesson(t.Context(), fixedID("lesson-knotsone-first"))
	must(t, err)
	l.Body = "Written anew.\n\n<script>alert(1)</script>"
	_, err = s.db.UpdateLesson(t.Context(), l, l.Version, fixedID("grace"), s.clock.Now())
	must(t, err)
	visitor.get("/courses/knots/lessons/one-first").want(t, http.StatusOK, "Written anew.").lacks(t, "Text of", "<script>alert")
}

func TestLesson_hasContentsOnlyWhereItIsLong(t *testing.T) {
	s := newSite(t, "memory")
	long := strings.Repeat("## A part of it\n\n"+strings.Repeat("word ", 210)+"\n\n", 3)
	for body, want := range map[string]bool{
		"Short.\n\n## A\n\n## B\n\n## C": false,
		long:                             true,
		strings.Repeat("word ", 900):     false,
	} {
		l, err := s.db.Lesson(t.Context(), fixedID("lesson-knotsone-first"))
		must(t, err)
		l.Body = body
		_, err = s.db.UpdateLesson(t.Context(), l, l.Version, fixedID("grace"), s.clock.Now())
		must(t, err)
		if got := strings.Contains(s.browser().get("/courses/knots/lessons/one-first").body, "In this lesson"); got != want {
			t.Errorf("contents of %.30q: %v, want %v", body, got, want)
		}
	}
}

func TestLearning_isForThoseSignedIn(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		if got := s.browser().get("/learning").want(t, http.StatusSeeOther); got.location != "/signin?next=%2Flearning" {
			t.Errorf("a visitor is led to %q", got.location)
		}
		s.as(ada).post("/courses/knots/join").want(t, http.StatusSeeOther)
		s.as(bea).get("/learning").want(t, http.StatusOK, "You are in no course now", "Browse courses").lacks(t, "Knots")
	})
}

func TestHome_saysWhatToDoFirst(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		s.browser().get("/").want(t, http.StatusOK, "Browse courses", "Sign in as a demo account", "Who are you?", "Are you still signed in?", "May you do this?").lacks(t, "To your desk")
		s.as(ada).get("/").want(t, http.StatusOK, `href="/learning"`).lacks(t, "To your desk", "demo account")
		s.as(grace).get("/").want(t, http.StatusOK, "To your desk")
	})
}
