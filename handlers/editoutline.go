package handlers

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/views"
)

// outlineChanged leads back to the page with the outline that was changed: the
// course's, or the one of the lesson that is being written.
func (s *Server) outlineChanged(c echo.Context, said, fragment string) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	back, _, _ := strings.Cut(localPath(f.get("next")), "#")
	if !strings.HasPrefix(back, "/teach/") {
		back = courseDesk(taughtOf(c).course)
	}
	return seeOther(c, withQuery(back, "said", said)+"#"+fragment)
}

// refusedTitle shows the outline again with the small form that was refused.
func (s *Server) refusedTitle(c echo.Context, f formValues, which string, err error) error {
	wrong := fieldErrors{}
	if err := wrong.note(err); err != nil {
		return err
	}
	course := taughtOf(c).course
	return s.editCoursePage(c, http.StatusUnprocessableEntity, views.EditCourseProps{
		Course: course, Form: savedCourse(course),
		Tried: views.Tried{Form: which, Title: f.typed("title"), Kind: f.get("kind"), Errors: wrong},
	})
}

func (s *Server) createChapter(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	title, err := school.ParseTitle(f.get("title"))
	if err != nil {
		return s.refusedTitle(c, f, "chapter", err)
	}
	chapter, err := s.DB.CreateChapter(c.Request().Context(), taughtOf(c).course.ID, title, s.Now())
	if err != nil {
		return err
	}
	return s.outlineChanged(c, "chapter-added", views.ItemID(chapter.ID))
}

func (s *Server) renameChapter(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	chapter := taughtOf(c).chapter
	title, err := school.ParseTitle(f.get("title"))
	if err != nil {
		return s.refusedTitle(c, f, "rename-"+string(chapter.ID), err)
	}
	if err := s.DB.RenameChapter(c.Request().Context(), chapter.ID, title, s.Now()); err != nil {
		return err
	}
	return s.outlineChanged(c, "chapter-renamed", views.ItemID(chapter.ID))
}

// placeTo reads where something is to go: 0 is the first place.
func placeTo(f formValues) (int, error) {
	to, err := strconv.Atoi(f.get("to"))
	if err != nil {
		return 0, &school.Invalid{Field: "to", Reason: "A place is a number, 0 for the first."}
	}
	return to, nil
}

func (s *Server) moveChapter(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	to, err := placeTo(f)
	if err != nil {
		return err
	}
	id := taughtOf(c).chapter.ID
	if err := s.DB.MoveChapter(c.Request().Context(), id, to, s.Now()); err != nil {
		return err
	}
	return s.outlineChanged(c, "moved", views.ItemID(id))
}

// moveLesson puts a lesson at a place in its chapter, or in the one that
// "chapter" names.
func (s *Server) moveLesson(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	to, err := placeTo(f)
	if err != nil {
		return err
	}
	lesson := taughtOf(c).lesson
	chapter := lesson.ChapterID
	if named := f.get("chapter"); named != "" {
		if chapter, err = school.ParseID(named); err != nil {
			return &school.Invalid{Field: "chapter", Reason: "Choose one of the chapters."}
		}
	}
	if err := s.DB.MoveLesson(c.Request().Context(), lesson.ID, chapter, to, s.Now()); err != nil {
		return err
	}
	return s.outlineChanged(c, "moved", views.ItemID(lesson.ID))
}

func (s *Server) createLesson(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	chapter := taughtOf(c).chapter
	which := "lesson-" + string(chapter.ID)
	title, err := school.ParseTitle(f.get("title"))
	if err != nil {
		return s.refusedTitle(c, f, which, err)
	}
	kind, err := school.ParseKind(f.get("kind"))
	if err != nil {
		return s.refusedTitle(c, f, which, err)
	}
	lesson := school.Lesson{LessonHead: school.LessonHead{Title: title, Kind: kind}}
	lesson, err = s.DB.CreateLesson(c.Request().Context(), chapter.ID, lesson, visitorOf(c).user.ID, s.Now())
	if err != nil {
		return err
	}
	return seeOther(c, views.LessonDesk(lesson.ID)+"?said=lesson-created")
}

func (s *Server) deleteChapter(c echo.Context) error {
	return s.changeOutline(c, s.DB.DeleteChapter, taughtOf(c).chapter.ID, "chapter-deleted", "bin")
}

func (s *Server) restoreChapter(c echo.Context) error {
	id := taughtOf(c).chapter.ID
	return s.changeOutline(c, s.DB.RestoreChapter, id, "chapter-restored", views.ItemID(id))
}

func (s *Server) publishLesson(c echo.Context) error {
	id := taughtOf(c).lesson.ID
	return s.changeOutline(c, s.DB.PublishLesson, id, "lesson-published", views.ItemID(id))
}

func (s *Server) unpublishLesson(c echo.Context) error {
	id := taughtOf(c).lesson.ID
	return s.changeOutline(c, s.DB.UnpublishLesson, id, "lesson-unpublished", views.ItemID(id))
}

func (s *Server) deleteLesson(c echo.Context) error {
	return s.changeOutline(c, s.DB.DeleteLesson, taughtOf(c).lesson.ID, "lesson-deleted", "bin")
}

func (s *Server) restoreLesson(c echo.Context) error {
	id := taughtOf(c).lesson.ID
	return s.changeOutline(c, s.DB.RestoreLesson, id, "lesson-restored", views.ItemID(id))
}

func (s *Server) changeOutline(c echo.Context, change func(context.Context, school.ID, time.Time) error, id school.ID, said, fragment string) error {
	if err := change(c.Request().Context(), id, s.Now()); err != nil {
		return err
	}
	return s.outlineChanged(c, said, fragment)
}
