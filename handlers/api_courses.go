package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/policy"
	"lectern/views"
)

// meJSON is whoever asks.
type meJSON struct {
	ID    school.ID    `json:"id"`
	Name  string       `json:"name"`
	Email school.Email `json:"email"`
	Role  school.Role  `json:"role" doc:"as the session or the token says"`
}

// courseJSON is a course as the catalogue shows it.
type courseJSON struct {
	Slug        string         `json:"slug" doc:"names the course in addresses"`
	Title       string         `json:"title"`
	Summary     string         `json:"summary"`
	Topic       school.Topic   `json:"topic"`
	Level       school.Level   `json:"level"`
	Status      school.Status  `json:"status"`
	Outcomes    []string       `json:"outcomes" doc:"what its readers will be able to do"`
	Instructor  string         `json:"instructor" doc:"the name of whose course it is"`
	Students    int            `json:"students"`
	Lessons     int            `json:"lessons" doc:"published lessons"`
	Minutes     int            `json:"minutes" doc:"the time that they take to read"`
	PublishedAt *time.Time     `json:"published_at"`
	Enrolment   *enrolmentJSON `json:"enrolment" doc:"your place in it; null unless you have joined"`
}

// courseListJSON is a page of the catalogue.
type courseListJSON struct {
	Courses   []courseJSON `json:"courses"`
	Next      *string      `json:"next" doc:"what to send as after for the next page; null on the last"`
	Total     int          `json:"total" doc:"courses on all pages"`
	TotalMore bool         `json:"total_more" doc:"whether there are more than total"`
}

// outlinedCourseJSON is one course with its outline.
type outlinedCourseJSON struct {
	courseJSON
	Description string        `json:"description" doc:"Markdown"`
	Outline     []chapterJSON `json:"outline"`
}

type chapterJSON struct {
	Title   string       `json:"title"`
	Lessons []lessonJSON `json:"lessons"`
}

type lessonJSON struct {
	Slug    string        `json:"slug" doc:"names the lesson in addresses, within its course"`
	Title   string        `json:"title"`
	Kind    school.Kind   `json:"kind"`
	Status  school.Status `json:"status" doc:"drafts are shown to those who may edit them"`
	Preview bool          `json:"preview" doc:"whether it can be read without joining"`
	Minutes int           `json:"minutes"`
	DoneAt  *time.Time    `json:"done_at" doc:"when you finished it; null if you have not"`
}

// enrolmentJSON is a person's place in a course.
type enrolmentJSON struct {
	Course      string     `json:"course" doc:"the slug"`
	JoinedAt    *time.Time `json:"joined_at"`
	LessonsDone int        `json:"lessons_done"`
	Lessons     int        `json:"lessons" doc:"published lessons"`
	FinishedAt  *time.Time `json:"finished_at" doc:"when every lesson was done; null until then"`
}

func (s *Server) showMe(c echo.Context) error {
	v := visitorOf(c)
	user := s.asShown(c, v.user)
	return c.JSON(http.StatusOK, meJSON{user.ID, user.Name, user.Email, v.actor().Role})
}

// listCourses is the catalogue for programs.
func (s *Server) listCourses(c echo.Context) error {
	v, params := visitorOf(c), c.QueryParams()
	q := catalogueQuery(params, v.SignedIn())
	q.Reader = v.user.ID
	if err := knownFilters(params, q, v.SignedIn()); err != nil {
		return err
	}
	page, err := s.DB.Courses(c.Request().Context(), q)
	if err != nil {
		return err
	}
	list := courseListJSON{Courses: make([]courseJSON, 0, len(page.Courses)), Total: page.Total, TotalMore: page.TotalMore}
	for _, card := range page.Courses {
		list.Courses = append(list.Courses, courseOf(card.Course, card.Enrolment))
	}
	if page.Next != "" {
		list.Next = &page.Next
	}
	return c.JSON(http.StatusOK, list)
}

// knownFilters refuses what the page passes over. A person sees that a page
// shows something else than they wanted; a program would go on with it, and with
// a cursor that counts for nothing it would never come to an end.
func knownFilters(params url.Values, q db.CourseQuery, signedIn bool) error {
	if topic := params.Get("topic"); topic != "" {
		if _, err := school.ParseTopic(topic); err != nil {
			return err
		}
	}
	if level := params.Get("level"); level != "" {
		if _, err := school.ParseLevel(level); err != nil {
			return err
		}
	}
	if sort := params.Get("sort"); sort != "" && !slices.Contains(views.CatalogueSorts, sort) {
		return &school.Invalid{Field: "sort", Reason: "Choose one of the orders."}
	}
	if status := params.Get("status"); status != "" {
		if !slices.Contains(views.CatalogueStatuses, status) {
			return &school.Invalid{Field: "status", Reason: "Choose joined, open or finished."}
		}
		if !signedIn {
			return errSignIn
		}
	}
	if params.Get("after") != "" && !q.Continues() {
		return &school.Invalid{Field: "after", Reason: "This is not the next of a page in this order."}
	}
	return nil
}

func courseOf(course school.Course, e school.Enrolment) courseJSON {
	outcomes := course.Outcomes
	if outcomes == nil {
		outcomes = []string{}
	}
	shown := courseJSON{
		Slug: course.Slug, Title: course.Title, Summary: course.Summary, Topic: course.Topic, Level: course.Level, Status: course.Status,
		Outcomes: outcomes, Instructor: course.Owner.Name, Students: course.Students, Lessons: course.Lessons, Minutes: course.Minutes,
		PublishedAt: utc(course.PublishedAt),
	}
	if e.Joined() {
		joined := enrolmentOf(course, e)
		shown.Enrolment = &joined
	}
	return shown
}

func enrolmentOf(course school.Course, e school.Enrolment) enrolmentJSON {
	return enrolmentJSON{course.Slug, utc(e.JoinedAt), e.Done, course.Lessons, utc(e.FinishedAt)}
}

// readCourse is one course for programs.
func (s *Server) readCourse(c echo.Context) error {
	v, a, ctx := visitorOf(c), askedOf(c), c.Request().Context()
	chapters, err := s.DB.Outline(ctx, a.course.ID, s.shows(c, policy.CourseDrafts, a.object()))
	if err != nil {
		return err
	}
	var done map[school.ID]time.Time
	if a.enrolment.Joined() {
		if done, err = s.DB.Completed(ctx, v.user.ID, a.course.ID); err != nil {
			return err
		}
	}
	course := outlinedCourseJSON{courseOf(a.course, a.enrolment), a.course.Description, make([]chapterJSON, 0, len(chapters))}
	for _, chapter := range chapters {
		shown := chapterJSON{chapter.Title, make([]lessonJSON, 0, len(chapter.Lessons))}
		for _, l := range chapter.Lessons {
			shown.Lessons = append(shown.Lessons, lessonJSON{l.Slug, l.Title, l.Kind, l.Status, l.Preview, l.Minutes, utc(done[l.ID])})
		}
		course.Outline = append(course.Outline, shown)
	}
	return c.JSON(http.StatusOK, course)
}

// enrol joins a course, as often as one likes.
func (s *Server) enrol(c echo.Context) error {
	user, a, ctx := visitorOf(c).user.ID, askedOf(c), c.Request().Context()
	if err := s.joined(c, a); err != nil {
		return err
	}
	e, err := s.DB.Enrolment(ctx, user, a.course.ID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, enrolmentOf(a.course, e))
}

// unenrol leaves it, as often as one likes.
func (s *Server) unenrol(c echo.Context) error {
	if err := s.DB.Leave(c.Request().Context(), visitorOf(c).user.ID, askedOf(c).course.ID, s.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
