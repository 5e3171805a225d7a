package handlers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"lectern/db/school"
	"lectern/handlers/lab"
)

// The lab lesson of the tests: two experiments that need no Redis and take little, one
// that there is not, and one that is only mentioned.
const (
	labText = "Guess first.\n\n## The copy\n\n[What of the copy?](/lab/steal-the-cookie)\n\nRead on.\n\n" +
		"[And then?](/lab/tamper-with-the-role)\n\n[And that?](/lab/no-such-experiment)\n\nSee also [another](/lab/read-the-payload).\n"
	labPath    = "/courses/knots/lessons/stealing"
	firstCard  = "/lab/steal-the-cookie"
	secondCard = "/lab/tamper-with-the-role"
)

// addLesson publishes a lesson in the first chapter of Grace's course on knots.
func (s *site) addLesson(title string, kind school.Kind, body string) school.Lesson {
	s.t.Helper()
	l, err := s.db.CreateLesson(s.t.Context(), fixedID("chapter-knotsone"), school.Lesson{
		LessonHead: school.LessonHead{Title: title, Kind: kind, Preview: true}, Body: body,
	}, fixedID("grace"), s.clock.Now())
	must(s.t, err)
	must(s.t, s.db.PublishLesson(s.t.Context(), l.ID, s.clock.Now()))
	return l
}

// right is the answer that explains an experiment, by its page.
func (s *site) right(slug string) string {
	s.t.Helper()
	e, err := s.Lab.Experiment(slug)
	must(s.t, err)
	for i, a := range e.Explain.Answers {
		if a.Right {
			return string(rune('1' + i))
		}
	}
	s.t.Fatalf("%s has no right answer", slug)
	return ""
}

// explained goes through an experiment to its end.
func (b *browser) explained(slug string, next ...string) {
	b.t.Helper()
	b.ran(slug)
	fields := []string{"because", b.site.right(slug)}
	if len(next) > 0 {
		fields = append(fields, "next", next[0])
	}
	b.post("/lab/"+slug+"/explain", fields...).want(b.t, http.StatusSeeOther)
}

// ran goes through it until it was run.
func (b *browser) ran(slug string) {
	b.t.Helper()
	b.post("/lab/"+slug+"/predict", "jwt", "accepted", "server", "accepted", "hybrid", "refused").want(b.t, http.StatusSeeOther)
	b.post("/lab/"+slug+"/run").want(b.t, http.StatusSeeOther)
}

func TestLabLesson_isNotDoneByOneClick(t *testing.T) {
	s := newSite(t, "memory")
	s.addLesson("Stealing", school.Lab, labText)
	b := s.as(ada)
	b.post(labPath+"/done").want(t, http.StatusForbidden) // not joined
	b.post("/courses/knots/join").want(t, http.StatusSeeOther)

	b.get(labPath).want(t, http.StatusOK, "2 experiments are still to do", "predict, run it, and explain it").lacks(t, "Mark as done")
	page := b.post(labPath+"/done").want(t, http.StatusConflict, "Something is still to do", "Copy the cookie to another machine", "Write another role into your own cookie", `href="`+labPath+`"`)
	if strings.Contains(page.main(), "no-such-experiment") {
		t.Error("what there is not is asked for")
	}
	b.send(http.MethodPost, labPath+"/done", "", "Accept", "application/json").want(t, http.StatusConflict, "Still to do")
	b.ran("steal-the-cookie")
	b.post(labPath+"/done").want(t, http.StatusConflict, "(explain it)", "(predict, run it, and explain it)")
	b.post("/lab/steal-the-cookie/explain", "because", "9").want(t, http.StatusUnprocessableEntity)
	b.get(labPath).want(t, http.StatusOK, "2 experiments are still to do")
	b.post("/lab/steal-the-cookie/explain", "because", s.right("steal-the-cookie")).want(t, http.StatusSeeOther)
	b.get(labPath).want(t, http.StatusOK, "1 experiment is still to do").lacks(t, "Mark as done", ">Done")
	must(t, s.db.CheckCounts(t.Context()))
}

func TestLabLesson_isWalkedWithoutAScript(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		s.addLesson("Stealing", school.Lab, labText)
		b := s.as(ada)
		b.post("/courses/knots/join")
		card := labPath + "#experiment-steal-the-cookie"

		page := b.get(labPath).want(t, http.StatusOK, `id="experiment-steal-the-cookie"`, "Not begun", `<h3 id="experiment-steal-the-cookie-title">`, `name="next" value="`+card+`"`, "say to the thief’s first request", "Say first what you expect")
		if strings.Contains(page.main(), "What of the copy?") {
			t.Error("the link stands beside its experiment")
		}
		b.post(firstCard+"/run", "next", card).want(t, http.StatusConflict, "Say first what you expect")
		for _, family := range []string{"jwt", "server", "hybrid"} {
			if p := b.post(firstCard+"/predict", family, "accepted", "next", card).want(t, http.StatusSeeOther); p.location != card {
				t.Fatalf("the prediction leads to %s", p.location)
			}
		}
		b.get(labPath).want(t, http.StatusOK, "Predicted", `aria-pressed="true"`, "Your prediction stands")
		if p := b.post(firstCard+"/run", "next", card).want(t, http.StatusSeeOther); p.location != card {
			t.Fatalf("the run leads to %s", p.location)
		}
		b.get(labPath).want(t, http.StatusOK, "Accepted: the thief is Ada", "You said “Come in, Ada”: so it was", "See every step, and explain it", ": explain it")
		b.get(firstCard).want(t, http.StatusOK, "The lesson to it: ", `href="`+card+`">Stealing</a>`, "Back to the lesson", "counts as done once each")
		b.post(firstCard+"/explain", "because", s.right("steal-the-cookie")).want(t, http.StatusSeeOther)
		b.get(labPath).want(t, http.StatusOK, "Explained", "1 experiment is still to do")

		b.explained("tamper-with-the-role", labPath)
		b.get(labPath).want(t, http.StatusOK, "Done", "A lab counts by itself", "Take it back").lacks(t, "still to do")
		b.get(secondCard).want(t, http.StatusOK, "The lesson is done")
		b.get("/learning").want(t, http.StatusOK, "1 of 5")

		// What is taken back stays so, whatever is looked at or run again, until it is said.
		back := b.post(labPath+"/undone").want(t, http.StatusSeeOther)
		b.get(back.location).want(t, http.StatusOK, "counts as not done. What you predicted, ran and explained is kept", "Every experiment is explained", "Mark as done")
		b.post(firstCard+"/run").want(t, http.StatusSeeOther)
		b.post("/courses/knots/join").want(t, http.StatusSeeOther)
		b.get(labPath).want(t, http.StatusOK, "Mark as done")
		b.post(labPath+"/done").want(t, http.StatusSeeOther)
		b.get(labPath).want(t, http.StatusOK, "Take it back")

		// An experiment that is begun anew takes nothing away.
		if p := b.post(firstCard+"/reset", "next", card).want(t, http.StatusSeeOther); p.location != card {
			t.Errorf("the reset leads to %s", p.location)
		}
		b.get(labPath).want(t, http.StatusOK, "Not begun", "Take it back")
		must(t, s.db.CheckCounts(t.Context()))
	})
}

func TestLabLesson_leadsNowhereElse(t *testing.T) {
	s := newSite(t, "memory")
	b := s.as(ada)
	for _, next := range []string{"", "/", "//evil.example", "https://evil.example/", `/\evil.example`, "evil"} {
		if p := b.post(firstCard+"/predict", "jwt", "accepted", "next", next).want(t, http.StatusSeeOther); p.location != firstCard+"#predict" {
			t.Errorf("next=%q leads to %q", next, p.location)
		}
	}
	// A wrong answer stays where it is answered.
	b.ran("steal-the-cookie")
	wrong := map[string]string{"1": "2", "2": "1", "3": "1"}[s.right("steal-the-cookie")]
	if p := b.post(firstCard+"/explain", "because", wrong, "next", labPath).want(t, http.StatusSeeOther); !strings.HasPrefix(p.location, firstCard+"?") {
		t.Errorf("a wrong answer leads to %q", p.location)
	}
}

func TestLabLesson_countsWhatWasDoneBefore(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		s.addLesson("Stealing", school.Lab, labText)
		visitor := s.browser()
		visitor.explained("steal-the-cookie")
		visitor.get(labPath).want(t, http.StatusOK, "Explained", "Not begun", "It is kept in this browser").lacks(t, "still to do")
		visitor.explained("tamper-with-the-role")
		visitor.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
		visitor.get(labPath).want(t, http.StatusOK, "Read on, and be counted")
		visitor.post("/courses/knots/join").want(t, http.StatusSeeOther)
		visitor.get(labPath).want(t, http.StatusOK, "Take it back")

		// Who joined first and signs in later, with what the browser has kept.
		other := s.browser()
		other.explained("steal-the-cookie")
		other.explained("tamper-with-the-role")
		s.as(bea).post("/courses/knots/join")
		other.post("/signin", "email", bea, "password", password).want(t, http.StatusSeeOther)
		other.get(labPath).want(t, http.StatusOK, "Explained", "Mark as done")
		other.post(labPath+"/done").want(t, http.StatusSeeOther)

		// And through the interface for programs.
		robs := s.as(rob)
		robs.explained("steal-the-cookie")
		robs.explained("tamper-with-the-role")
		robs.send(http.MethodPut, "/api/v1/courses/knots/enrolment", "", "Sec-Fetch-Site", "same-origin").want(t, http.StatusOK, `"lessons_done":1`)
		must(t, s.db.CheckCounts(t.Context()))
	})
}

func TestLabLesson_ofOtherKindsKeepsItsLinks(t *testing.T) {
	s := newSite(t, "memory")
	s.addLesson("Stealing", school.Reading, labText)
	b := s.as(ada)
	b.post("/courses/knots/join")
	b.get(labPath).want(t, http.StatusOK, `<a href="/lab/steal-the-cookie">What of the copy?</a></p>`, "Finished reading?").lacks(t, `class="embed"`, "still to do")
	b.post(labPath+"/done").want(t, http.StatusSeeOther)
	b.get(firstCard).want(t, http.StatusOK).lacks(t, "The lesson to it")
}

func TestLabLesson_withoutExperimentsIsDoneLikeAReading(t *testing.T) {
	s := newSite(t, "memory")
	for _, body := range []string{"Nothing to run.", "[A mistake](/lab/no-such-experiment)"} {
		l := s.addLesson("Quiet", school.Lab, body)
		b := s.as(ada)
		b.post("/courses/knots/join")
		at := "/courses/knots/lessons/" + l.Slug
		b.get(at).want(t, http.StatusOK, "Finished reading?", "A reading counts when you say so").lacks(t, `class="embed"`)
		b.post(at+"/done").want(t, http.StatusSeeOther)
		b.get(at).want(t, http.StatusOK, "Take it back")
		p := b.post(at+"/undone").want(t, http.StatusSeeOther)
		b.get(p.location).want(t, http.StatusOK, "Taken back: this lesson counts as not done.").lacks(t, "What you predicted, ran and explained")
	}
}

func TestLabLesson_isTheOneThatTheReaderComesFrom(t *testing.T) {
	s := newSite(t, "memory")
	b := s.as(ada)
	b.get(firstCard).want(t, http.StatusOK).lacks(t, "The lesson to it")
	first := s.addLesson("Stealing", school.Lab, labText)
	second := s.addLesson("Stealing again", school.Lab, labText)
	s.browser().get(firstCard).want(t, http.StatusOK, "The lesson to it", "/courses/knots/lessons/stealing").lacks(t, "Back to the lesson")
	b.post("/courses/knots/join")
	for _, l := range []school.Lesson{second, first, second} {
		b.get("/courses/knots/lessons/" + l.Slug)
		b.get(firstCard).want(t, http.StatusOK, `href="/courses/knots/lessons/`+l.Slug+`#experiment-steal-the-cookie">`+l.Title+`</a>`, "Back to the lesson")
	}
	must(t, s.db.UnpublishLesson(t.Context(), second.ID, s.clock.Now()))
	b.get(firstCard).want(t, http.StatusOK, `stealing#experiment`).lacks(t, "stealing-again")
}

func TestLabLesson_forgetsWhatItsTextNoLongerEmbeds(t *testing.T) {
	s := newSite(t, "memory")
	l := s.addLesson("Stealing", school.Lab, labText)
	g := s.as(grace)
	g.post("/teach/lessons/"+string(l.ID), "title", "Stealing", "kind", "lab", "body", "[Only this](/lab/forge-a-token)", "version", "1").want(t, http.StatusSeeOther)
	g.get(firstCard).want(t, http.StatusOK).lacks(t, "The lesson to it")
	g.get("/lab/forge-a-token").want(t, http.StatusOK, "The lesson to it")
	must(t, s.db.CheckCounts(t.Context()))
}

func TestEditLesson_saysHowAnExperimentComesIntoALab(t *testing.T) {
	s := newSite(t, "memory")
	l := s.addLesson("Stealing", school.Lab, labText)
	g, at := s.as(grace), "/teach/lessons/"+string(l.ID)
	g.get(at).want(t, http.StatusOK, "Experiments in this lab", "[Copy the cookie to another machine](/lab/steal-the-cookie)", `href="/lab"`,
		"There is no experiment “no-such-experiment”", `class="embed"`).lacks(t, firstCard+"/predict")
	p := g.post(at, "title", "Stealing", "kind", "lab", "body", "[One](/lab/nope)\n\n[Two](/lab/nor-this)", "version", "1").want(t, http.StatusSeeOther) // warned, not refused
	g.get(p.location).want(t, http.StatusOK, "There are no experiments “nope”, “nor-this”")

	live := g.post("/teach/preview", "kind", "lab", "body", labText).want(t, http.StatusOK, `class="embed"`, "There is no experiment “no-such-experiment”")
	if got := live.header.Get("Lectern-Unknown"); !strings.Contains(got, "no-such-experiment") {
		t.Errorf("the live preview warns %q", got)
	}
	g.post("/teach/preview", "kind", "reading", "body", labText).want(t, http.StatusOK, "What of the copy?").lacks(t, `class="embed"`)
}

// The text of a lesson is kept for everybody; how far somebody is, is not.
func TestLabLesson_isNeverSomebodyElses(t *testing.T) {
	s := newSite(t, "memory")
	s.addLesson("Stealing", school.Lab, labText)
	one := s.as(ada)
	one.explained("steal-the-cookie")
	one.get(labPath).want(t, http.StatusOK, `data-state="explained"`, "Reset")
	for _, b := range []*browser{s.browser(), s.as(bea)} {
		b.get(labPath).want(t, http.StatusOK, `data-state="new"`).lacks(t, "Explained", "You said", `data-state="explained"`, `data-state="run"`)
	}
}

func TestLabLesson_experimentsCanAllBeExplained(t *testing.T) {
	s := newSite(t, "memory")
	var without []string
	for _, e := range s.Lab.Experiments() {
		if !slices.ContainsFunc(e.Explain.Answers, func(a lab.Answer) bool { return a.Right }) {
			without = append(without, e.Slug)
		}
	}
	if len(without) > 0 {
		t.Errorf("a lesson with %v could never be done", without)
	}
}
