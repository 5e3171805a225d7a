package db

import (
	"context"
	"errors"
	"time"

	"lectern/db/school"
)

const wholeLesson = `
	SELECT` + lessonHeadColumns + `,
	       l.course_id,
	       l.chapter_id,
	       l.version,
	       l.updated_at,
	       u.id,
	       u.name,
	       l.body
	  FROM lessons AS l
	  JOIN chapters AS h ON h.id = l.chapter_id
	  JOIN courses AS c ON c.id = l.course_id
	  JOIN users AS u ON u.id = l.updated_by
	 WHERE h.deleted_at IS NULL
	   AND c.deleted_at IS NULL`

func scanLesson(row scanner) (l school.Lesson, err error) {
	err = row.Scan(append(lessonHeadFields(&l.LessonHead),
		&l.CourseID, &l.ChapterID, &l.Version, instant{&l.UpdatedAt}, &l.UpdatedBy.ID, &l.UpdatedBy.Name, &l.Body)...)
	return l, err
}

var (
	lessonByID = statement("lesson by id", wholeLesson+`
	   AND l.deleted_at IS NULL
	   AND l.id = $1`)

	lessonBySlug = statement("lesson by slug", wholeLesson+`
	   AND l.deleted_at IS NULL
	   AND l.course_id = $1
	   AND l.slug = $2`)

	deletedLesson = statement("deleted lesson", wholeLesson+`
	   AND l.deleted_at IS NOT NULL
	   AND l.id = $1`)
)

// Lesson reads a lesson, published or not. It returns [school.ErrNotFound] if
// there is none, or it, its chapter or its course is deleted.
func (d *DB) Lesson(ctx context.Context, id school.ID) (school.Lesson, error) {
	return one(ctx, d, lessonByID, scanLesson, id)
}

// LessonBySlug reads a lesson of a course, published or not. It returns
// [school.ErrNotFound] if there is none, or it, its chapter or its course is
// deleted.
func (d *DB) LessonBySlug(ctx context.Context, courseID school.ID, slug string) (school.Lesson, error) {
	return one(ctx, d, lessonBySlug, scanLesson, courseID, slug)
}

// DeletedLesson reads a lesson that lies in its course's bin, for whoever is
// about to restore it. It returns [school.ErrNotFound] for any other.
func (d *DB) DeletedLesson(ctx context.Context, id school.ID) (school.Lesson, error) {
	return one(ctx, d, deletedLesson, scanLesson, id)
}

var (
	lessonSlugs = statement("slugs of lessons", `
	SELECT slug
	  FROM lessons
	 WHERE course_id = $1
	   AND (slug = $2 OR (slug >= $3 AND slug < $4))`)

	insertLesson = statement("insert lesson", `
	INSERT INTO lessons (id, course_id, chapter_id, slug, title, kind, status, preview, minutes, position, created_at, updated_at, updated_by, body)
	SELECT $1,
	       h.course_id,
	       h.id,
	       $2,
	       $3,
	       $4,
	       'draft',
	       $5,
	       $6,
	       (SELECT COUNT(*) FROM lessons AS l WHERE l.chapter_id = h.id AND l.deleted_at IS NULL),
	       $7,
	       $7,
	       $8,
	       $9
	  FROM chapters AS h
	 WHERE h.id = $10`)

	updateLesson = statement("update lesson", `
	UPDATE lessons
	   SET title = $1,
	       kind = $2,
	       body = $3,
	       preview = $4,
	       minutes = $5,
	       updated_at = $6,
	       updated_by = $7,
	       status = CASE WHEN $8 = '' THEN status ELSE $8 END,
	       version = version + 1
	 WHERE id = $9
	   AND version = $10`)
)

// CreateLesson adds a draft at the end of a chapter with the title, kind, body,
// preview and minutes (at least one) of l. Its ID and its slug, which comes from
// the title, are drawn here. It returns the lesson as it is now, or
// [school.ErrNotFound] if there is no such chapter or it is deleted.
func (d *DB) CreateLesson(ctx context.Context, chapterID school.ID, l school.Lesson, by school.ID, now time.Time) (school.Lesson, error) {
	var created school.Lesson
	err := d.write(ctx, func(t *tx) error {
		h, err := one(ctx, t, chapterByID, scanChapter, chapterID)
		if err != nil {
			return err
		}
		slug, err := t.freeSlug(ctx, l.Title, lessonSlugs, h.CourseID)
		if err != nil {
			return err
		}
		id := school.MustNewID()
		err = t.must(ctx, insertLesson,
			id, slug, l.Title, l.Kind, bit(l.Preview), max(l.Minutes, 1), stamp(now), by, l.Body, chapterID)
		if err != nil {
			return err
		}
		if err := t.keepExperiments(ctx, id, l.Body); err != nil {
			return err
		}
		if err := t.edited(ctx, h.CourseID, now); err != nil {
			return err
		}
		created, err = one(ctx, t, lessonByID, scanLesson, id)
		return err
	})
	return created, err
}

// UpdateLesson saves the title, kind, body, preview and minutes (at least one)
// of l, whose slug stays, and returns the lesson as it is now. If l has a
// status, the lesson is published or made a draft with that, as by
// [DB.PublishLesson] and [DB.UnpublishLesson]; otherwise it stays what it is. It
// returns
// [school.ErrStale] if the lesson is no longer at version, and
// [school.ErrNotFound] if there is none or it is deleted.
func (d *DB) UpdateLesson(ctx context.Context, l school.Lesson, version int, by school.ID, now time.Time) (school.Lesson, error) {
	var saved school.Lesson
	err := d.editLesson(ctx, lessonByID, l.ID, now, func(t *tx, _ school.Lesson) error {
		err := t.must(ctx, updateLesson,
			l.Title, l.Kind, l.Body, bit(l.Preview), max(l.Minutes, 1), stamp(now), by, l.Status, l.ID, version)
		if errors.Is(err, school.ErrNotFound) {
			return school.ErrStale
		}
		if err != nil {
			return err
		}
		if err := t.keepExperiments(ctx, l.ID, l.Body); err != nil {
			return err
		}
		saved, err = one(ctx, t, lessonByID, scanLesson, l.ID)
		return err
	})
	return saved, err
}

var (
	setLessonStatus = statement("set status of lesson", `
	UPDATE lessons
	   SET status = $1
	 WHERE id = $2`)

	moveLesson = statement("move lesson", `
	UPDATE lessons
	   SET chapter_id = $1
	 WHERE id = $2`)

	deleteLesson = statement("delete lesson", `
	UPDATE lessons
	   SET deleted_at = $1
	 WHERE id = $2`)

	restoreLesson = statement("restore lesson", `
	UPDATE lessons
	   SET deleted_at = NULL
	 WHERE id = $1`)

	placeLessons = statement("place lessons", `
	UPDATE lessons
	   SET position = placed.position
	  FROM (SELECT id,
	               ROW_NUMBER() OVER (ORDER BY CASE WHEN id = $1 THEN $2 ELSE 2 * position END, id) - 1 AS position
	          FROM lessons
	         WHERE chapter_id = $3
	           AND deleted_at IS NULL) AS placed
	 WHERE lessons.id = placed.id
	   AND lessons.position <> placed.position`)
)

// PublishLesson shows a lesson to its course's readers. Doing it again changes
// nothing. It returns [school.ErrNotFound] if there is no such lesson or it is
// deleted.
func (d *DB) PublishLesson(ctx context.Context, id school.ID, now time.Time) error {
	return d.editLesson(ctx, lessonByID, id, now, func(t *tx, _ school.Lesson) error {
		return t.must(ctx, setLessonStatus, school.Published, id)
	})
}

// UnpublishLesson makes a lesson a draft again. Who has completed it keeps that
// for when it comes back. It may be the last lesson of a published course, which
// then shows none. Doing it again changes nothing. It returns
// [school.ErrNotFound] if there is no such lesson or it is deleted.
func (d *DB) UnpublishLesson(ctx context.Context, id school.ID, now time.Time) error {
	return d.editLesson(ctx, lessonByID, id, now, func(t *tx, _ school.Lesson) error {
		return t.must(ctx, setLessonStatus, school.Draft, id)
	})
}

// MoveLesson puts a lesson at a place in a chapter of its course, 0 being the
// first; a place beyond the ends is the end. It returns [school.ErrNotFound] if
// there is no such lesson or chapter, or the chapter is another course's.
func (d *DB) MoveLesson(ctx context.Context, id, chapterID school.ID, to int, now time.Time) error {
	return d.editLesson(ctx, lessonByID, id, now, func(t *tx, l school.Lesson) error {
		if chapterID == l.ChapterID {
			_, err := t.exec(ctx, placeLessons, id, between(l.Position, to), chapterID)
			return err
		}
		h, err := one(ctx, t, chapterByID, scanChapter, chapterID)
		if err != nil {
			return err
		}
		if h.CourseID != l.CourseID {
			return school.ErrNotFound
		}
		if err := t.must(ctx, moveLesson, chapterID, id); err != nil {
			return err
		}
		if _, err := t.exec(ctx, placeLessons, "", 0, l.ChapterID); err != nil {
			return err
		}
		_, err = t.exec(ctx, placeLessons, id, before(to), chapterID)
		return err
	})
}

// DeleteLesson puts a lesson into its course's bin. It returns
// [school.ErrNotFound] if there is no such lesson or it is deleted already.
func (d *DB) DeleteLesson(ctx context.Context, id school.ID, now time.Time) error {
	return d.editLesson(ctx, lessonByID, id, now, func(t *tx, l school.Lesson) error {
		if err := t.must(ctx, deleteLesson, stamp(now), id); err != nil {
			return err
		}
		_, err := t.exec(ctx, placeLessons, "", 0, l.ChapterID)
		return err
	})
}

// RestoreLesson takes a lesson out of the bin and puts it back where it was,
// published if it was. It returns [school.ErrNotFound] if it does not lie there,
// or its chapter does too: then the chapter comes first.
func (d *DB) RestoreLesson(ctx context.Context, id school.ID, now time.Time) error {
	return d.editLesson(ctx, deletedLesson, id, now, func(t *tx, l school.Lesson) error {
		if err := t.must(ctx, restoreLesson, id); err != nil {
			return err
		}
		_, err := t.exec(ctx, placeLessons, id, before(l.Position), l.ChapterID)
		return err
	})
}

// editLesson changes a lesson that find finds.
func (d *DB) editLesson(ctx context.Context, find query, id school.ID, now time.Time, change func(*tx, school.Lesson) error) error {
	return d.write(ctx, func(t *tx) error {
		l, err := one(ctx, t, find, scanLesson, id)
		if err != nil {
			return err
		}
		if err := change(t, l); err != nil {
			return err
		}
		return t.edited(ctx, l.CourseID, now)
	})
}
