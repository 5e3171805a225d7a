package db

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"lectern/db/school"
)

var (
	nextNumber = statement("next number of a course", `
	SELECT COALESCE(MAX(number), 0) + 1
	  FROM courses`)

	insertCourse = statement("insert course", `
	INSERT INTO courses (id, slug, title, title_key, summary, topic, level, number, status, owner_id, created_at, updated_at, outcomes, description)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', $9, $10, $10, $11, $12)`)

	courseSlugs = statement("slugs of courses", `
	SELECT slug
	  FROM courses
	 WHERE slug = $1
	    OR (slug >= $2 AND slug < $3)`)
)

// CreateCourse adds a draft with the title, summary, description, topic, level,
// outcomes and owner of c, the last in the editor's order. Its ID and its slug,
// which comes from the title, are drawn here. It returns the course as it is
// now.
func (d *DB) CreateCourse(ctx context.Context, c school.Course, now time.Time) (school.Course, error) {
	c.ID = school.MustNewID()
	err := d.write(ctx, func(t *tx) error {
		slug, err := t.freeSlug(ctx, c.Title, courseSlugs)
		if err != nil {
			return err
		}
		number, err := one(ctx, t, nextNumber, value[int])
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, insertCourse,
			c.ID, slug, c.Title, school.Fold(c.Title), c.Summary, c.Topic, c.Level, number, c.Owner.ID, stamp(now),
			joinOutcomes(c.Outcomes), c.Description)
		if err != nil {
			return err
		}
		c, err = one(ctx, t, courseByID, scanCourse, c.ID)
		return err
	})
	if err != nil {
		return school.Course{}, err
	}
	return c, nil
}

// freeSlug draws a slug from a title that none of those found by q has: the
// second course of a title gets -2, the third -3. Deleted ones keep theirs,
// so that they can be restored.
func (t *tx) freeSlug(ctx context.Context, title string, q query, args ...any) (string, error) {
	slug := school.Slug(title)
	taken, err := all(ctx, t, q, value[string], append(args, slug, slug+"-", slug+"-:")...) // : comes after 9
	if err != nil {
		return "", err
	}
	free := slug
	for n := 2; slices.Contains(taken, free); n++ {
		free = slug + "-" + strconv.Itoa(n)
	}
	return free, nil
}

var updateCourse = statement("update course", `
	UPDATE courses
	   SET title = $1,
	       title_key = $2,
	       summary = $3,
	       description = $4,
	       topic = $5,
	       level = $6,
	       outcomes = $7,
	       updated_at = $8,
	       version = version + 1
	 WHERE id = $9
	   AND version = $10
	   AND deleted_at IS NULL`)

// UpdateCourse saves the title, summary, description, topic, level and outcomes
// of c, whose slug stays, and returns the course as it is now. It returns
// [school.ErrStale] if the course is no longer at version, and
// [school.ErrNotFound] if there is none or it is deleted.
func (d *DB) UpdateCourse(ctx context.Context, c school.Course, version int, now time.Time) (school.Course, error) {
	var saved school.Course
	err := d.write(ctx, func(t *tx) error {
		err := t.relist(ctx, c.ID, func() error {
			return t.must(ctx, updateCourse,
				c.Title, school.Fold(c.Title), c.Summary, c.Description, c.Topic, c.Level, joinOutcomes(c.Outcomes), stamp(now),
				c.ID, version)
		})
		if errors.Is(err, school.ErrNotFound) {
			return stale(one(ctx, t, courseByID, scanCourse, c.ID))
		}
		if err != nil {
			return err
		}
		saved, err = one(ctx, t, courseByID, scanCourse, c.ID)
		return err
	})
	return saved, err
}

// stale is the error of a save that found no row of its version: the error of
// looking for the row in any version, or ErrStale if it is there.
func stale[T any](_ T, err error) error {
	if err != nil {
		return err
	}
	return school.ErrStale
}

var (
	publishCourse = statement("publish course", `
	UPDATE courses
	   SET status = 'published',
	       published_at = COALESCE(published_at, $1),
	       updated_at = $1
	 WHERE id = $2`)

	unpublishCourse = statement("unpublish course", `
	UPDATE courses
	   SET status = 'draft',
	       updated_at = $1
	 WHERE id = $2`)

	deleteCourse = statement("delete course", `
	UPDATE courses
	   SET deleted_at = $1
	 WHERE id = $2
	   AND deleted_at IS NULL`)

	restoreCourse = statement("restore course", `
	UPDATE courses
	   SET deleted_at = NULL,
	       updated_at = $1
	 WHERE id = $2
	   AND deleted_at IS NOT NULL`)
)

// PublishCourse puts a course into the catalogue. Doing it again changes
// nothing. It returns [school.ErrEmpty] if the course has no published lesson,
// and [school.ErrNotFound] if there is none or it is deleted.
func (d *DB) PublishCourse(ctx context.Context, id school.ID, now time.Time) error {
	return d.setCourseStatus(ctx, id, school.Published, now)
}

// UnpublishCourse makes a course a draft again, which those who have joined it
// no longer see; their progress stays. Doing it again changes nothing. It
// returns [school.ErrNotFound] if there is no such course or it is deleted.
func (d *DB) UnpublishCourse(ctx context.Context, id school.ID, now time.Time) error {
	return d.setCourseStatus(ctx, id, school.Draft, now)
}

func (d *DB) setCourseStatus(ctx context.Context, id school.ID, status school.Status, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		c, err := one(ctx, t, courseByID, scanCourse, id)
		if err != nil || c.Status == status {
			return err
		}
		set := unpublishCourse
		if status == school.Published {
			set = publishCourse
			if c.Lessons == 0 {
				return school.ErrEmpty
			}
		}
		return t.relist(ctx, id, func() error { return t.must(ctx, set, stamp(now), id) })
	})
}

// DeleteCourse puts a course into the bin, with all that is in it. Enrolments
// and progress are kept. It returns [school.ErrNotFound] if there is no such
// course or it is deleted already.
func (d *DB) DeleteCourse(ctx context.Context, id school.ID, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		return t.relist(ctx, id, func() error { return t.must(ctx, deleteCourse, stamp(now), id) })
	})
}

// RestoreCourse takes a course out of the bin, published if it was. It returns
// [school.ErrNotFound] if it does not lie there.
func (d *DB) RestoreCourse(ctx context.Context, id school.ID, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		return t.relist(ctx, id, func() error { return t.must(ctx, restoreCourse, stamp(now), id) })
	})
}

var touchCourse = statement("touch course", `
	UPDATE courses
	   SET updated_at = $1
	 WHERE id = $2`)

// edited notes that something in a course was changed, and counts what depends
// on it.
func (t *tx) edited(ctx context.Context, course school.ID, now time.Time) error {
	if err := t.must(ctx, touchCourse, stamp(now), course); err != nil {
		return err
	}
	return t.recount(ctx, course)
}
