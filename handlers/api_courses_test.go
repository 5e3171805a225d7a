package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session"
)

// placeAnswer is somebody's place in a course, as the API tells it.
type placeAnswer struct {
	Course      string
	JoinedAt    *time.Time `json:"joined_at"`
	LessonsDone int        `json:"lessons_done"`
	Lessons     int
	FinishedAt  *time.Time `json:"finished_at"`
}

// courseAnswer is a course, as the API tells it.
type courseAnswer struct {
	Slug, Title, Summary, Topic, Level, Status, Instructor, Description string
	Outcomes                                                            []string
	Students, Lessons, Minutes                                          int
	PublishedAt                                                         *time.Time `json:"published_at"`
	Enrolment                                                           *placeAnswer
	Outline                                                             []struct {
		Title   string
		Lessons []struct {
			Slug, Title, Kind, Status string
			Preview                   bool
			Minutes                   int
			DoneAt                    *time.Time `json:"done_at"`
		}
	}
}

// coursesAnswer is a page of courses.
type coursesAnswer struct {
	Courses   []courseAnswer
	Next      *string
	Total     int
	TotalMore bool `json:"total_more"`
}

func TestAPICourses_listWhatTheCatalogueShows(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		her, its := s.as(ada), s.program(ada)
		her.send(http.MethodPut, "/api/v1/courses/stars/enrolment", "").want(t, http.StatusOK)
		for query, want := range map[string]string{
			"":                             "knots stars",
			"?q=star":                      "stars",
			"?q=nothing":                   "",
			"?topic=design":                "knots stars",
			"?topic=kitchen":               "",
			"?level=first&sort=title":      "knots stars",
			"?status=joined":               "stars",
			"?status=open":                 "knots",
			"?status=finished":             "",
			"?topic=&level=&status=&sort=": "knots stars",
			"?sideways=1":                  "knots stars",
		} {
			for _, got := range []answer{her.get("/api/v1/courses" + query), its.call(http.MethodGet, "/api/v1/courses"+query)} {
				page := decoded[coursesAnswer](t, got.want(t, http.StatusOK).lacks(t, "@school.example", "sails"))
				var slugs []string
				for _, c := range page.Courses {
					slugs = append(slugs, c.Slug)
					if (c.Enrolment != nil) != (c.Slug == "stars") {
						t.Errorf("%s: %s: enrolment is %v", query, c.Slug, c.Enrolment)
					}
				}
				if found := strings.Join(slugs, " "); found != want || page.Total != len(page.Courses) || page.Next != nil || page.Courses == nil {
					t.Errorf("%q lists %q of %d, next %v; want %q", query, found, page.Total, page.Next, want)
				}
			}
		}
		if visitors := decoded[coursesAnswer](t, s.browser().get("/api/v1/courses").want(t, http.StatusOK)); len(visitors.Courses) != 2 || visitors.Courses[1].Enrolment != nil {
			t.Errorf("a visitor sees %+v", visitors)
		}
	})
}

// TestAPICourses_refuseFiltersTheyDoNotKnow: a program that asks for something
// else than it meant is told so.
func TestAPICourses_refuseFiltersTheyDoNotKnow(t *testing.T) {
	s := newSite(t, session.Memory)
	its := s.program(ada)
	for _, query := range []string{"topic=cooking", "level=third", "sort=oldest", "status=left", "after=nonsense", "after=" + strings.Repeat("A", 2000)} {
		its.call(http.MethodGet, "/api/v1/courses?"+query).problem(t, http.StatusUnprocessableEntity)
	}
	s.browser().get("/api/v1/courses?status=joined").problem(t, http.StatusUnauthorized)
}

// TestAPICourses_areReadPageByPage follows next through a longer catalogue, in
// every order, and finds each course once.
func TestAPICourses_areReadPageByPage(t *testing.T) {
	s := bigSite(t, 62)
	its, wrong := s.program(ada), ""
	for _, sort := range []string{"", "newest", "shortest", "title"} {
		seen, after, pages := map[string]bool{}, "", 0
		for {
			page := decoded[coursesAnswer](t, its.call(http.MethodGet, "/api/v1/courses?sort="+sort+"&after="+url.QueryEscape(after)).want(t, http.StatusOK))
			pages++
			for _, c := range page.Courses {
				if seen[c.Slug] {
					t.Fatalf("sorted by %q, %s comes twice", sort, c.Slug)
				}
				seen[c.Slug] = true
			}
			if page.Total != 62 {
				t.Errorf("sorted by %q, the total is %d", sort, page.Total)
			}
			if page.Next == nil {
				break
			}
			after = *page.Next
		}
		if len(seen) != 62 || pages != 3 {
			t.Errorf("sorted by %q, %d courses on %d pages", sort, len(seen), pages)
		}
		if wrong != "" {
			its.call(http.MethodGet, "/api/v1/courses?sort="+sort+"&after="+url.QueryEscape(wrong)).problem(t, http.StatusUnprocessableEntity, "next")
		}
		wrong = after
	}
}

func TestAPICourse_hasItsOutline(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		course := decoded[courseAnswer](t, her.get("/api/v1/courses/knots").want(t, http.StatusOK).lacks(t, "@school.example", "Text of"))
		if course.Slug != "knots" || course.Title != "Knots" || course.Instructor != "Grace Murray" || course.Topic != "design" || course.Level != "first" || course.Status != "published" ||
			course.Description != "For everybody." || course.Lessons != 4 || course.Minutes != 20 || course.PublishedAt == nil || len(course.Outcomes) != 1 || course.Enrolment != nil {
			t.Errorf("course: %+v", course)
		}
		if len(course.Outline) != 2 || len(course.Outline[0].Lessons) != 2 || course.Outline[1].Title != "Chapter two" {
			t.Fatalf("outline: %+v", course.Outline)
		}
		if first := course.Outline[0].Lessons[0]; first.Slug != "one-first" || first.Kind != "reading" || !first.Preview || first.Minutes != 5 || first.DoneAt != nil {
			t.Errorf("first lesson: %+v", first)
		}
		her.post("/courses/knots/join").want(t, http.StatusSeeOther)
		her.post("/courses/knots/lessons/one-first/done").want(t, http.StatusSeeOther)
		course = decoded[courseAnswer](t, her.get("/api/v1/courses/knots"))
		if first := course.Outline[0].Lessons[0]; first.DoneAt == nil || !first.DoneAt.Equal(s.clock.Now()) || course.Outline[0].Lessons[1].DoneAt != nil {
			t.Errorf("outline with one lesson done: %+v", course.Outline)
		}
		if e := course.Enrolment; e == nil || e.LessonsDone != 1 || e.Lessons != 4 || e.FinishedAt != nil || !e.JoinedAt.Equal(s.clock.Now()) {
			t.Errorf("enrolment: %+v", e)
		}
	})
}

// TestEnrolment_isIdempotent joins and leaves, each as often as one likes.
func TestEnrolment_isIdempotent(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		const path = "/api/v1/courses/knots/enrolment"
		her, its := s.as(ada), s.program(ada)
		sends := map[string]func(method string) answer{
			"by cookie": func(method string) answer { return her.send(method, path, "") },
			"by token":  func(method string) answer { return its.call(method, path) },
		}
		for how, send := range sends {
			send(http.MethodDelete).want(t, http.StatusNoContent)
			first := send(http.MethodPut).want(t, http.StatusOK)
			place := decoded[placeAnswer](t, first)
			if place.Course != "knots" || place.JoinedAt == nil || place.LessonsDone != 0 || place.Lessons != 4 || place.FinishedAt != nil {
				t.Errorf("%s: %+v", how, place)
			}
			s.clock.move(time.Minute)
			if again := send(http.MethodPut).want(t, http.StatusOK); again.body != first.body {
				t.Errorf("%s: the second answer is %s, the first was %s", how, again.body, first.body)
			}
			if students := decoded[courseAnswer](t, her.get("/api/v1/courses/knots")).Students; students != 1 {
				t.Errorf("%s: %d students", how, students)
			}
			for range 2 {
				if left := send(http.MethodDelete).want(t, http.StatusNoContent); left.body != "" {
					t.Errorf("%s: leaving answers %q", how, left.body)
				}
			}
			if course := decoded[courseAnswer](t, her.get("/api/v1/courses/knots")); course.Students != 0 || course.Enrolment != nil {
				t.Errorf("%s: after leaving: %+v", how, course)
			}
		}
		her.send(http.MethodPut, "/api/v1/courses/sails/enrolment", "").problem(t, http.StatusNotFound)
		her.send(http.MethodDelete, "/api/v1/courses/sails/enrolment", "").problem(t, http.StatusNotFound)
	})
}
