package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/views"
	"lectern/views/ui"
)

// coursesOnPage fills rows of one, two, three and four cards.
const coursesOnPage = 12

// maxCursor bounds what is looked at as a cursor: a title in base64 fits.
const maxCursor = 1000

// showCourses is the catalogue.
func (s *Server) showCourses(c echo.Context) error {
	v := visitorOf(c)
	q := catalogueQuery(c.QueryParams(), v.SignedIn())
	if key, ok := s.pageKey(c, q); ok {
		return s.cachedPage(c, key, func() (views.Frame, pageView, error) { return s.catalogue(c, q) })
	}
	f, view, err := s.catalogue(c, q)
	if err != nil {
		return err
	}
	return s.page(c, http.StatusOK, view(f))
}

// catalogue reads what the page shows.
func (s *Server) catalogue(c echo.Context, q db.CourseQuery) (views.Frame, pageView, error) {
	v := visitorOf(c)
	ctx := c.Request().Context()
	q.Reader, q.Limit = v.user.ID, coursesOnPage
	page, err := s.DB.Courses(ctx, q)
	if err != nil {
		return views.Frame{}, nil, err
	}
	p := views.CatalogueProps{
		Query: q.Words, Topic: q.Topic, Level: q.Level, Status: q.Status, Sort: q.Sort,
		Later: q.After != "", Total: page.Total, TotalMore: page.TotalMore, Topics: page.Topics,
		SignedIn: v.SignedIn(), Address: courseAddress,
	}
	for _, course := range page.Courses {
		p.Courses = append(p.Courses, ui.CourseCardProps{Course: course.Course, Enrolment: course.Enrolment, Level: 3})
	}
	if page.Next != "" {
		next := q
		next.After = page.Next
		p.Next = catalogueAddress(next)
	}
	if v.SignedIn() {
		if p.Resume, err = s.resume(c); err != nil {
			return views.Frame{}, nil, err
		}
	}
	f := s.frame(c, p.Heading(), "courses")
	f.Query, f.Here = q.Words, catalogueAddress(q)
	f.XRay.Here = f.Here
	f.Scripts = append(f.Scripts, "filters.js")
	return f, func(f views.Frame) pageComponent { return views.CataloguePage(f, p) }, nil
}

// catalogueQuery reads the address of a catalogue page. What it does not know
// is as if it were not there: an old link, or one that was cut short, still
// shows courses. A visitor has no status in any course.
func catalogueQuery(v url.Values, signedIn bool) db.CourseQuery {
	var q db.CourseQuery
	if words := clip(school.Line(v.Get("q")), school.MaxQuery); len(school.QueryWords(words)) > 0 {
		q.Words = words
	}
	q.Topic, _ = school.ParseTopic(v.Get("topic"))
	q.Level, _ = school.ParseLevel(v.Get("level"))
	if status := v.Get("status"); signedIn && slices.Contains(views.CatalogueStatuses, status) {
		q.Status = status
	}
	if sort := v.Get("sort"); slices.Contains(views.CatalogueSorts, sort) {
		q.Sort = sort
	}
	if after := v.Get("after"); len(after) <= maxCursor {
		q.After = after
	}
	return q
}

// clip is at most the first n characters of s.
func clip(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// catalogueAddress is the one address of what q asks for.
func catalogueAddress(q db.CourseQuery) string {
	v := url.Values{}
	for name, value := range map[string]string{
		"q": q.Words, "topic": string(q.Topic), "level": string(q.Level), "status": q.Status, "sort": q.Sort, "after": q.After,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return "/courses"
	}
	return "/courses?" + v.Encode()
}

// courseAddress is catalogueAddress for the view, whose links lead to first
// pages.
func courseAddress(p views.CatalogueProps) string {
	return catalogueAddress(db.CourseQuery{Words: p.Query, Topic: p.Topic, Level: p.Level, Status: p.Status, Sort: p.Sort})
}

// resume is where the reader goes on: the course they were in last that is not
// finished. It is nil for who has nothing to go on with.
func (s *Server) resume(c echo.Context) (*views.Resume, error) {
	row, err := s.DB.Resume(c.Request().Context(), visitorOf(c).user.ID)
	if errors.Is(err, school.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := resumeOf(row)
	return &r, nil
}

func resumeOf(row db.LearningRow) views.Resume {
	return views.Resume{
		Course: row.Title, Lesson: row.Next.Title, Done: row.Enrolment.Done, Lessons: row.Course.Lessons,
		Href: asked{course: row.Course}.lessonAddress(row.Next.Slug),
	}
}
