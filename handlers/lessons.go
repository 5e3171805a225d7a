package handlers

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/markdown"
	"lectern/handlers/policy"
	"lectern/views"
	"lectern/views/ui"
)

// showLesson is a lesson's own page. For those who have joined, it is where
// they will go on when they come back.
func (s *Server) showLesson(c echo.Context) error {
	v, a, ctx := visitorOf(c), askedOf(c), c.Request().Context()
	edits := s.may(c, policy.CourseEdit, a.object())
	chapters, err := s.DB.Outline(ctx, a.course.ID, s.shows(c, policy.CourseDrafts, a.object()))
	if err != nil {
		return err
	}
	var done map[school.ID]time.Time
	if a.enrolment.Joined() {
		if done, err = s.DB.Completed(ctx, v.user.ID, a.course.ID); err != nil {
			return err
		}
		if opened(c.Request()) {
			if err := s.DB.OpenLesson(ctx, v.user.ID, a.lesson.ID, s.Now()); err != nil {
				return err
			}
		}
	}
	doc := s.rendered(a.lesson.Body)
	text, standing, err := s.lessonText(c, a, doc)
	if err != nil {
		return err
	}
	doneAt, isDone := done[a.lesson.ID]
	p := views.LessonProps{
		Course: a.course, Lesson: a.lesson, Enrolment: a.enrolment, CourseAt: a.address(), Address: a.lessonAddress(a.lesson.Slug),
		Text: text, Lab: standing, Contents: contents(doc), IsDone: isDone, DoneAt: doneAt, Done: doneNotice(c, a, chapters, done),
		SignedIn: v.SignedIn(), CanEdit: edits, CanJoin: s.may(c, policy.CourseJoin, a.object()),
		CanFinish: a.enrolment.Joined() && a.course.Status == school.Published && a.lesson.Status == school.Published,
	}
	around := placeOf(chapters, a.lesson.ID)
	p.Chapter, p.ChapterNumber, p.Number, p.Nth, p.Of = around.chapter.Title, around.chapterNumber, around.number, around.nth, around.of
	o := outline{asked: a, done: done, edits: edits, current: a.lesson.ID}
	if a.enrolment.Joined() {
		o.open = around.chapter.ID
	}
	p.Outline = ui.OutlineProps{Size: "s", Level: 2, Chapters: o.chapters(chapters)}
	p.Previous, p.Next = o.neighbour(around.previous), o.neighbour(around.next)
	return s.page(c, http.StatusOK, views.LessonPage(s.frame(c, a.lesson.Title, "courses"), p))
}

// opened reports whether somebody has opened the page, as far as the browser
// says: a picture whose address is a lesson's, or a page that is fetched in
// advance, moves nobody's place.
func opened(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return r.Method == http.MethodGet && (dest == "" || dest == "document") && !strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch")
}

// A long lesson has a table of contents.
const (
	longLesson   = 600 // words
	longContents = 3   // headings
)

func contents(doc markdown.Document) []views.Heading {
	var all []views.Heading
	for _, h := range doc.Contents {
		if h.Level == 2 {
			all = append(all, views.Heading{Href: "#" + h.ID, Text: h.Text})
		}
	}
	if doc.Words <= longLesson || len(all) < longContents {
		return nil
	}
	return all
}

// place is where a lesson stands in its course.
type place struct {
	chapter        school.Chapter
	chapterNumber  int // from 1
	number         int // in the chapter, from 1
	nth, of        int // in the course, from 1
	previous, next *school.LessonHead
}

func placeOf(chapters []school.Chapter, lesson school.ID) place {
	var p place
	var before *school.LessonHead
	for i := range chapters {
		for j := range chapters[i].Lessons {
			l := &chapters[i].Lessons[j]
			p.of++
			switch {
			case l.ID == lesson:
				p.chapter, p.chapterNumber, p.number, p.nth, p.previous = chapters[i], i+1, j+1, p.of, before
			case p.nth > 0 && p.next == nil:
				p.next = l
			}
			before = l
		}
	}
	return p
}

// neighbour is the way to a lesson, for those who may go there.
func (o outline) neighbour(l *school.LessonHead) ui.Neighbour {
	if l == nil {
		return ui.Neighbour{}
	}
	line := o.lesson(*l)
	return ui.Neighbour{Href: line.Href, Title: l.Title}
}

// finishLesson notes that the visitor says they are done, and leads to what
// comes next. A lab lesson is believed when its experiments are explained.
func (s *Server) finishLesson(c echo.Context) error {
	v, a, ctx := visitorOf(c), askedOf(c), c.Request().Context()
	if err := s.lacking(c, a); err != nil {
		return err
	}
	if _, err := s.DB.Complete(ctx, v.user.ID, a.lesson.ID, s.Now()); err != nil {
		return err
	}
	chapters, err := s.DB.Outline(ctx, a.course.ID, false)
	if err != nil {
		return err
	}
	next := placeOf(chapters, a.lesson.ID).next
	if next == nil {
		return seeOther(c, withQuery(a.address(), "done", a.lesson.Slug))
	}
	return seeOther(c, withQuery(a.lessonAddress(next.Slug), "done", a.lesson.Slug))
}

// unfinishLesson takes back what finishLesson noted.
func (s *Server) unfinishLesson(c echo.Context) error {
	v, a := visitorOf(c), askedOf(c)
	if _, err := s.DB.Uncomplete(c.Request().Context(), v.user.ID, a.lesson.ID, s.Now()); err != nil {
		return err
	}
	said := "undone"
	if len(s.experimentsOf(a.lesson)) > 0 {
		said = "lab-undone"
	}
	return seeOther(c, withQuery(a.lessonAddress(a.lesson.Slug), "said", said))
}

// doneNotice is about the lesson that the address says was finished just now,
// if it really is. So nobody can be told by a link what they did not do.
func doneNotice(c echo.Context, a asked, chapters []school.Chapter, done map[school.ID]time.Time) *views.DoneNotice {
	slug := c.QueryParam("done")
	if slug == "" {
		return nil
	}
	for _, chapter := range chapters {
		for _, lesson := range chapter.Lessons {
			if _, ok := done[lesson.ID]; ok && lesson.Slug == slug {
				return &views.DoneNotice{Title: lesson.Title, Undo: a.lessonAddress(slug) + "/undone", Done: a.enrolment.Done, Lessons: a.course.Lessons}
			}
		}
	}
	return nil
}

// offerToJoin makes joining the way forward for somebody who was refused a
// lesson only because they are not in its course.
func (s *Server) offerToJoin(c echo.Context, err error, p *views.ErrorProps) {
	a := askedOf(c)
	if !errors.Is(err, errForbidden) || a.lesson.ID == "" || a.enrolment.Joined() || !s.may(c, policy.CourseJoin, a.object()) {
		return
	}
	p.Title = "This lesson is for those who have joined"
	p.Join = &views.JoinOffer{Action: a.address() + "/join", Lesson: a.lesson.Slug}
	p.Back, p.BackLabel = a.address(), "About the course"
}
