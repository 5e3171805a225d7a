package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/views"
)

// What the buttons of the editor ask for beside saving.
const (
	doPreview   = "preview"
	doPublish   = "publish"
	doUnpublish = "unpublish"
)

func (s *Server) editLesson(c echo.Context) error {
	lesson := taughtOf(c).lesson
	return s.editLessonPage(c, http.StatusOK, lesson, views.EditLessonProps{Form: savedLesson(lesson)})
}

func savedLesson(l school.Lesson) views.LessonForm {
	return views.LessonForm{Title: l.Title, Kind: string(l.Kind), Body: l.Body, Preview: l.Preview, Version: l.Version}
}

// typedLesson is the form as it was sent. What the form does not have at all
// stays as it is: a program that sends a title alone does not mean an empty
// text.
func typedLesson(f formValues, l school.Lesson) views.LessonForm {
	typed := savedLesson(l)
	typed.Version = version(f)
	typed.Preview = f.get("preview") == "1"
	if _, sent := f["title"]; sent {
		typed.Title = f.typed("title")
	}
	if _, sent := f["kind"]; sent {
		typed.Kind = f.get("kind")
	}
	if _, sent := f["body"]; sent {
		typed.Body = f.typed("body")
	}
	return typed
}

// editLessonPage completes p with the outline, the preview and who reads the
// lesson.
func (s *Server) editLessonPage(c echo.Context, status int, lesson school.Lesson, p views.EditLessonProps) error {
	course := taughtOf(c).course
	chapters, err := s.DB.Outline(c.Request().Context(), course.ID, true)
	if err != nil {
		return err
	}
	p.Course, p.Lesson, p.Chapters = course, lesson, chapters
	p.Email = s.asShown(c, visitorOf(c).user).Email
	doc := s.markdown.Render(p.Form.Body)
	p.Words, p.Minutes = doc.Words, doc.Minutes
	if p.Preview, err = s.preview(c.Request().Context(), doc, school.Kind(p.Form.Kind)); err != nil {
		return err
	}
	p.Experiments, p.Unknown = s.experimentLinks(), s.unknownExperiments(p.Form.Body)
	frame := s.frame(c, "Edit: "+lesson.Title, "teach")
	frame.Scripts = []string{"editor.js", "reorder.js"}
	frame.Alarm = views.EditorAlarm(p.Email)
	return s.page(c, status, views.EditLessonPage(frame, p))
}

func (s *Server) saveLesson(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	before := taughtOf(c).lesson
	typed := typedLesson(f, before)
	if f.get("do") == doPreview {
		return s.editLessonPage(c, http.StatusOK, before, views.EditLessonProps{Form: typed, Unsaved: true})
	}
	lesson, wrong := parseLesson(typed)
	if len(wrong) > 0 {
		if wantsJSON(c) {
			return wrong.first("title", "kind", "body")
		}
		return s.editLessonPage(c, http.StatusUnprocessableEntity, before, views.EditLessonProps{Form: typed, Errors: wrong, Unsaved: true})
	}
	lesson.ID = before.ID
	lesson.Minutes = s.markdown.Render(lesson.Body).Minutes
	said := "lesson-saved"
	switch f.get("do") {
	case doPublish:
		said, lesson.Status = "lesson-published", school.Published
	case doUnpublish:
		said, lesson.Status = "lesson-unpublished", school.Draft
	}
	saved, err := s.DB.UpdateLesson(toTheEnd(c), lesson, typed.Version, visitorOf(c).user.ID, s.Now())
	if errors.Is(err, school.ErrStale) {
		return s.staleLesson(c, typed)
	}
	if err != nil {
		return err
	}
	if wantsJSON(c) {
		return c.JSON(http.StatusOK, savedJSON{saved.Version, saved.UpdatedAt.UTC(), views.Readers(taughtOf(c).course, saved.LessonHead)})
	}
	return seeOther(c, views.LessonDesk(saved.ID)+"?said="+said)
}

// savedJSON tells the editor's script that the text is safe.
type savedJSON struct {
	Version int       `json:"version"`
	SavedAt time.Time `json:"saved_at"`
	Readers string    `json:"readers"` // who sees it now
}

// staleJSON tells the editor's script what somebody else has saved meanwhile.
type staleJSON struct {
	Version int    `json:"version"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	By      string `json:"by"`
}

func parseLesson(typed views.LessonForm) (school.Lesson, fieldErrors) {
	wrong := fieldErrors{}
	lesson := school.Lesson{LessonHead: school.LessonHead{Preview: typed.Preview}}
	var err error
	lesson.Title, err = school.ParseTitle(typed.Title)
	_ = wrong.note(err) // parsing has no other errors than those about fields
	lesson.Kind, err = school.ParseKind(typed.Kind)
	_ = wrong.note(err)
	lesson.Body, err = school.ParseBody(typed.Body)
	_ = wrong.note(err)
	return lesson, wrong
}

// first is the reason of the first of the fields that has one, as an error for
// a program, which is told one at a time.
func (e fieldErrors) first(fields ...string) error {
	for _, field := range fields {
		if reason := e[field]; reason != "" {
			return &school.Invalid{Field: field, Reason: reason}
		}
	}
	return nil
}

// staleLesson gives both texts: what was typed goes back into the form, with
// the version that is there now, and what is there stands beside it.
func (s *Server) staleLesson(c echo.Context, typed views.LessonForm) error {
	theirs, err := s.DB.Lesson(c.Request().Context(), taughtOf(c).lesson.ID)
	if err != nil {
		return err
	}
	if wantsJSON(c) {
		return c.JSON(http.StatusConflict, staleJSON{theirs.Version, theirs.Title, theirs.Body, theirs.UpdatedBy.Name})
	}
	typed.Version = theirs.Version
	conflict := &views.Conflict{By: theirs.UpdatedBy.Name, At: theirs.UpdatedAt}
	if theirs.UpdatedBy.ID == visitorOf(c).user.ID {
		conflict.By = ""
	}
	conflict.Add("Title", typed.Title, theirs.Title, compareLines(typed.Title, theirs.Title))
	conflict.Add("Type", school.Kind(typed.Kind).Label(), theirs.Kind.Label(), compareLines(school.Kind(typed.Kind).Label(), theirs.Kind.Label()))
	conflict.Add("Text", typed.Body, theirs.Body, compareLines(typed.Body, theirs.Body))
	return s.editLessonPage(c, http.StatusConflict, theirs, views.EditLessonProps{Form: typed, Conflict: conflict, Unsaved: true})
}

// previewText renders what is being written, by the same hand that renders the
// lesson's page. How long it is stands in the answer's header.
func (s *Server) previewText(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	body, err := school.ParseBody(f.get("body"))
	if err != nil {
		return err
	}
	doc := s.markdown.Render(body)
	html, err := s.preview(c.Request().Context(), doc, school.Kind(f.get("kind")))
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Lectern-Words", strconv.Itoa(doc.Words))
	h.Set("Lectern-Minutes", strconv.Itoa(doc.Minutes))
	h.Set("Lectern-Unknown", url.QueryEscape(views.UnknownExperiments(s.unknownExperiments(body))))
	return c.HTML(http.StatusOK, html)
}
