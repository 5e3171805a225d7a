package db

import (
	"context"
	"time"

	"lectern/db/school"
)

const chapterColumns = `
	       h.id,
	       h.course_id,
	       h.title,
	       h.position`

func chapterFields(h *school.Chapter) []any {
	return []any{&h.ID, &h.CourseID, &h.Title, &h.Position}
}

func scanChapter(row scanner) (h school.Chapter, err error) {
	err = row.Scan(chapterFields(&h)...)
	return h, err
}

var (
	chapterByID = statement("chapter by id", `
	SELECT`+chapterColumns+`
	  FROM chapters AS h
	  JOIN courses AS c ON c.id = h.course_id
	 WHERE h.id = $1
	   AND h.deleted_at IS NULL
	   AND c.deleted_at IS NULL`)

	deletedChapter = statement("deleted chapter", `
	SELECT`+chapterColumns+`
	  FROM chapters AS h
	  JOIN courses AS c ON c.id = h.course_id
	 WHERE h.id = $1
	   AND h.deleted_at IS NOT NULL
	   AND c.deleted_at IS NULL`)
)

// Chapter reads a chapter without its lessons. It returns [school.ErrNotFound]
// if there is none, or it or its course is deleted.
func (d *DB) Chapter(ctx context.Context, id school.ID) (school.Chapter, error) {
	return one(ctx, d, chapterByID, scanChapter, id)
}

// DeletedChapter reads a chapter that lies in its course's bin, for whoever is
// about to restore it. It returns [school.ErrNotFound] for any other.
func (d *DB) DeletedChapter(ctx context.Context, id school.ID) (school.Chapter, error) {
	return one(ctx, d, deletedChapter, scanChapter, id)
}

var (
	insertChapter = statement("insert chapter", `
	INSERT INTO chapters (id, course_id, title, position)
	SELECT $1,
	       c.id,
	       $2,
	       (SELECT COUNT(*) FROM chapters AS h WHERE h.course_id = c.id AND h.deleted_at IS NULL)
	  FROM courses AS c
	 WHERE c.id = $3
	   AND c.deleted_at IS NULL`)

	renameChapter = statement("rename chapter", `
	UPDATE chapters
	   SET title = $1
	 WHERE id = $2`)

	deleteChapter = statement("delete chapter", `
	UPDATE chapters
	   SET deleted_at = $1
	 WHERE id = $2`)

	restoreChapter = statement("restore chapter", `
	UPDATE chapters
	   SET deleted_at = NULL
	 WHERE id = $1`)

	placeChapters = statement("place chapters", `
	UPDATE chapters
	   SET position = placed.position
	  FROM (SELECT id,
	               ROW_NUMBER() OVER (ORDER BY CASE WHEN id = $1 THEN $2 ELSE 2 * position END, id) - 1 AS position
	          FROM chapters
	         WHERE course_id = $3
	           AND deleted_at IS NULL) AS placed
	 WHERE chapters.id = placed.id
	   AND chapters.position <> placed.position`)
)

// CreateChapter adds a chapter at the end of a course. It returns
// [school.ErrNotFound] if there is no such course or it is deleted.
func (d *DB) CreateChapter(ctx context.Context, courseID school.ID, title string, now time.Time) (school.Chapter, error) {
	id := school.MustNewID()
	var h school.Chapter
	err := d.write(ctx, func(t *tx) error {
		if err := t.must(ctx, insertChapter, id, title, courseID); err != nil {
			return err
		}
		if err := t.edited(ctx, courseID, now); err != nil {
			return err
		}
		var err error
		h, err = one(ctx, t, chapterByID, scanChapter, id)
		return err
	})
	return h, err
}

// RenameChapter gives a chapter another title. It returns [school.ErrNotFound]
// if there is no such chapter or it is deleted.
func (d *DB) RenameChapter(ctx context.Context, id school.ID, title string, now time.Time) error {
	return d.editChapter(ctx, chapterByID, id, now, func(t *tx, _ school.Chapter) error {
		return t.must(ctx, renameChapter, title, id)
	})
}

// MoveChapter puts a chapter at a place in its course, 0 being the first; a
// place beyond the ends is the end. It returns [school.ErrNotFound] if there is
// no such chapter or it is deleted.
func (d *DB) MoveChapter(ctx context.Context, id school.ID, to int, now time.Time) error {
	return d.editChapter(ctx, chapterByID, id, now, func(t *tx, h school.Chapter) error {
		_, err := t.exec(ctx, placeChapters, id, between(h.Position, to), h.CourseID)
		return err
	})
}

// DeleteChapter puts a chapter into its course's bin, and hides its lessons with
// it. It returns [school.ErrNotFound] if there is no such chapter or it is
// deleted already.
func (d *DB) DeleteChapter(ctx context.Context, id school.ID, now time.Time) error {
	return d.editChapter(ctx, chapterByID, id, now, func(t *tx, h school.Chapter) error {
		if err := t.must(ctx, deleteChapter, stamp(now), id); err != nil {
			return err
		}
		_, err := t.exec(ctx, placeChapters, "", 0, h.CourseID)
		return err
	})
}

// RestoreChapter takes a chapter out of the bin, with the lessons that were in
// it, and puts it back where it was. It returns [school.ErrNotFound] if it does
// not lie there.
func (d *DB) RestoreChapter(ctx context.Context, id school.ID, now time.Time) error {
	return d.editChapter(ctx, deletedChapter, id, now, func(t *tx, h school.Chapter) error {
		if err := t.must(ctx, restoreChapter, id); err != nil {
			return err
		}
		_, err := t.exec(ctx, placeChapters, id, before(h.Position), h.CourseID)
		return err
	})
}

// editChapter changes a chapter that find finds.
func (d *DB) editChapter(ctx context.Context, find query, id school.ID, now time.Time, change func(*tx, school.Chapter) error) error {
	return d.write(ctx, func(t *tx) error {
		h, err := one(ctx, t, find, scanChapter, id)
		if err != nil {
			return err
		}
		if err := change(t, h); err != nil {
			return err
		}
		return t.edited(ctx, h.CourseID, now)
	})
}

// Chapters and lessons are placed by numbering them afresh, after giving each
// twice its position to be ordered by. That leaves the odd numbers for the one
// that moves: between two others, before the first, after the last.

// lastPlace is after every chapter and lesson that there can be.
const lastPlace = 1 << 30

// before orders something before what stands at position.
func before(position int) int { return 2*min(max(position, 0), lastPlace) - 1 }

// between orders something that stands at from so that it comes to stand at to.
func between(from, to int) int {
	if to > from {
		return before(to) + 2
	}
	return before(to)
}
