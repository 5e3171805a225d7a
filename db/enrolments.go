package db

import (
	"context"
	"errors"
	"time"

	"lectern/db/school"
)

// enrolmentColumns may be those of a person who never joined, in an outer join.
const enrolmentColumns = `
	       COALESCE(e.course_id, ''),
	       e.joined_at,
	       e.left_at,
	       COALESCE(e.done, 0),
	       e.finished_at,
	       COALESCE(e.last_lesson, '')`

func enrolmentFields(e *school.Enrolment) []any {
	return []any{&e.CourseID, instant{&e.JoinedAt}, instant{&e.LeftAt}, &e.Done, instant{&e.FinishedAt}, &e.LastLesson}
}

func scanEnrolment(row scanner) (e school.Enrolment, err error) {
	err = row.Scan(enrolmentFields(&e)...)
	return e, err
}

var enrolmentOf = statement("enrolment", `
	SELECT`+enrolmentColumns+`
	  FROM enrolments AS e
	 WHERE e.user_id = $1
	   AND e.course_id = $2`)

// Enrolment reads a person's place in a course, which they may have left. It
// returns [school.ErrNotFound] if they never joined.
func (d *DB) Enrolment(ctx context.Context, user, courseID school.ID) (school.Enrolment, error) {
	return one(ctx, d, enrolmentOf, scanEnrolment, user, courseID)
}

var (
	join = statement("join", `
	INSERT INTO enrolments (user_id, course_id, joined_at, seen_at)
	VALUES ($1, $2, $3, $3)
	ON CONFLICT (user_id, course_id) DO UPDATE
	   SET left_at = NULL,
	       seen_at = excluded.seen_at
	 WHERE enrolments.left_at IS NOT NULL`)

	leave = statement("leave", `
	UPDATE enrolments
	   SET left_at = $1
	 WHERE user_id = $2
	   AND course_id = $3
	   AND left_at IS NULL`)

	countStudents = statement("count students", `
	UPDATE courses
	   SET students = students + $1
	 WHERE id = $2`)
)

// Join puts a person into a course. Who joins again after leaving finds their
// progress; who has joined already stays as they are. It returns
// [school.ErrNotPublished] for a draft, and [school.ErrNotFound] if there is no
// such course or it is deleted.
func (d *DB) Join(ctx context.Context, user, courseID school.ID, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		c, err := one(ctx, t, courseByID, scanCourse, courseID)
		if err != nil {
			return err
		}
		if c.Status != school.Published {
			return school.ErrNotPublished
		}
		joined, err := t.exec(ctx, join, user, courseID, stamp(now))
		if err != nil || joined == 0 {
			return err
		}
		if _, err := t.exec(ctx, sumDoneOfPerson, user, courseID); err != nil {
			return err
		}
		t.showsInCatalogue = true
		return t.must(ctx, countStudents, 1, courseID)
	})
}

// Leave takes a person out of a course and keeps what they have completed. Who
// is not in it stays as they are.
func (d *DB) Leave(ctx context.Context, user, courseID school.ID, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		left, err := t.exec(ctx, leave, stamp(now), user, courseID)
		if err != nil || left == 0 {
			return err
		}
		t.showsInCatalogue = true
		return t.must(ctx, countStudents, -1, courseID)
	})
}

// completion is one lesson that somebody has completed.
type completion struct {
	lesson school.ID
	at     time.Time
}

var completionsOf = statement("completions", `
	SELECT lesson_id,
	       done_at
	  FROM completions
	 WHERE course_id = $1
	   AND user_id = $2`)

// Completed reads which lessons of a course a person has completed, and when.
// Lessons that are no longer published are among them.
func (d *DB) Completed(ctx context.Context, user, courseID school.ID) (map[school.ID]time.Time, error) {
	done, err := all(ctx, d, completionsOf, func(row scanner) (c completion, err error) {
		err = row.Scan(&c.lesson, instant{&c.at})
		return c, err
	}, courseID, user)
	if err != nil {
		return nil, err
	}
	completed := make(map[school.ID]time.Time, len(done))
	for _, c := range done {
		completed[c.lesson] = c.at
	}
	return completed, nil
}

// standing is how a person stands to a lesson.
type standing struct {
	course    school.ID
	joined    bool
	published bool // both lesson and course
}

var (
	standingOf = statement("standing", `
	SELECT l.course_id,
	       CASE WHEN e.user_id IS NOT NULL AND e.left_at IS NULL THEN 1 ELSE 0 END,
	       CASE WHEN l.visible = 1 AND c.listed = 1 THEN 1 ELSE 0 END
	  FROM lessons AS l
	  JOIN chapters AS h ON h.id = l.chapter_id
	  JOIN courses AS c ON c.id = l.course_id
	  LEFT JOIN enrolments AS e ON e.user_id = $1 AND e.course_id = l.course_id
	 WHERE l.id = $2
	   AND l.deleted_at IS NULL
	   AND h.deleted_at IS NULL
	   AND c.deleted_at IS NULL`)

	complete = statement("complete", `
	INSERT INTO completions (user_id, lesson_id, course_id, done_at)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT (user_id, lesson_id) DO NOTHING`)

	uncomplete = statement("uncomplete", `
	DELETE FROM completions
	 WHERE user_id = $1
	   AND lesson_id = $2`)

	seenCourse = statement("seen course", `
	UPDATE enrolments
	   SET seen_at = $1
	 WHERE user_id = $2
	   AND course_id = $3`)
)

// Complete notes that a person has completed a lesson and returns how far they
// have come. Who has completed it before did so then. It returns
// [school.ErrNotFound] if there is no such lesson or it is deleted,
// [school.ErrNotEnrolled] if the person is not in the course, and
// [school.ErrNotPublished] if the lesson or the course is a draft.
func (d *DB) Complete(ctx context.Context, user, lessonID school.ID, now time.Time) (school.Enrolment, error) {
	return d.progress(ctx, user, lessonID, now, func(t *tx, course school.ID) (int64, error) {
		return t.exec(ctx, complete, user, lessonID, course, stamp(now))
	})
}

// Uncomplete takes back what [DB.Complete] noted. What was not noted stays so.
// Its errors are those of Complete.
func (d *DB) Uncomplete(ctx context.Context, user, lessonID school.ID, now time.Time) (school.Enrolment, error) {
	return d.progress(ctx, user, lessonID, now, func(t *tx, _ school.ID) (int64, error) {
		return t.exec(ctx, uncomplete, user, lessonID)
	})
}

// progress changes what a person has completed, if they may, and counts it.
func (d *DB) progress(ctx context.Context, user, lessonID school.ID, now time.Time, change func(*tx, school.ID) (int64, error)) (school.Enrolment, error) {
	var e school.Enrolment
	err := d.write(ctx, func(t *tx) error {
		s, err := one(ctx, t, standingOf, func(row scanner) (s standing, err error) {
			err = row.Scan(&s.course, &s.joined, &s.published)
			return s, err
		}, user, lessonID)
		switch {
		case err != nil:
			return err
		case !s.joined:
			return school.ErrNotEnrolled
		case !s.published:
			return school.ErrNotPublished
		}
		changed, err := change(t, s.course)
		if err != nil {
			return err
		}
		if changed > 0 {
			if _, err := t.exec(ctx, sumDoneOfPerson, user, s.course); err != nil {
				return err
			}
			if err := t.must(ctx, seenCourse, stamp(now), user, s.course); err != nil {
				return err
			}
		}
		e, err = one(ctx, t, enrolmentOf, scanEnrolment, user, s.course)
		return err
	})
	return e, err
}

// seenEvery is how old the note of a person's last visit to a lesson may get
// before another visit renews it.
const seenEvery = time.Minute

var (
	unseenCourse = statement("unseen course", `
	SELECT e.course_id
	  FROM lessons AS l
	  JOIN enrolments AS e ON e.course_id = l.course_id
	 WHERE l.id = $1
	   AND l.visible = 1
	   AND e.user_id = $2
	   AND e.left_at IS NULL
	   AND (e.last_lesson <> l.id OR e.seen_at <= $3)`)

	openLesson = statement("open lesson", `
	UPDATE enrolments
	   SET last_lesson = $1,
	       seen_at = $2
	 WHERE user_id = $3
	   AND course_id = $4
	   AND left_at IS NULL`)
)

// OpenLesson remembers that a person has opened a published lesson, for when
// they come back. It does nothing for who is not in the course, and writes
// nothing if it was the same lesson less than a minute ago.
func (d *DB) OpenLesson(ctx context.Context, user, lessonID school.ID, now time.Time) error {
	course, err := one(ctx, d, unseenCourse, value[school.ID], lessonID, user, stamp(now.Add(-seenEvery)))
	if errors.Is(err, school.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, openLesson, lessonID, stamp(now), user, course)
		return err
	})
}
