package db

import (
	"context"

	"lectern/db/school"
)

// The kept counts, and the statements that keep them. Those that end in a
// condition are completed where they are made for one row or for all.

var (
	addToUserCount = statement("count user", `
	INSERT INTO user_counts (role, disabled, people)
	VALUES ($1, $2, $3)
	ON CONFLICT (role, disabled) DO UPDATE
	   SET people = user_counts.people + excluded.people`)

	countAdmins = statement("count admins", `
	SELECT people
	  FROM user_counts
	 WHERE role = 'admin'
	   AND disabled = 0`)
)

// countUser adds by to the number of people like u.
func (t *tx) countUser(ctx context.Context, u school.User, by int) error {
	_, err := t.exec(ctx, addToUserCount, u.Role, bit(u.Disabled()), by)
	return err
}

const isVisible = `(CASE WHEN status = 'published'
	                AND deleted_at IS NULL
	                AND EXISTS (SELECT 1 FROM chapters AS h WHERE h.id = lessons.chapter_id AND h.deleted_at IS NULL)
	               THEN 1 ELSE 0 END)`

const flipVisible = `
	UPDATE lessons
	   SET visible = 1 - visible
	 WHERE visible <> ` + isVisible

const sumLessons = `
	UPDATE courses
	   SET (lessons, minutes) = (SELECT COUNT(*), COALESCE(SUM(l.minutes), 0)
	                               FROM lessons AS l
	                              WHERE l.course_id = courses.id
	                                AND l.visible = 1)`

const sumDone = `
	UPDATE enrolments
	   SET (done, finished_at) = (SELECT COUNT(*),
	                                     CASE WHEN COUNT(*) > 0
	                                           AND COUNT(*) = (SELECT c.lessons FROM courses AS c WHERE c.id = enrolments.course_id)
	                                          THEN MAX(p.done_at)
	                                     END
	                                FROM completions AS p
	                                JOIN lessons AS l ON l.id = p.lesson_id
	                               WHERE p.course_id = enrolments.course_id
	                                 AND p.user_id = enrolments.user_id
	                                 AND l.visible = 1)`

var (
	flipVisibleOfCourse = statement("visible lessons of course", flipVisible+`
	   AND course_id = $1`)

	sumLessonsOfCourse = statement("lessons of course", sumLessons+`
	 WHERE id = $1`)

	sumDoneOfCourse = statement("progress in course", sumDone+`
	 WHERE course_id = $1`)

	sumDoneOfPerson = statement("progress of a person", sumDone+`
	 WHERE user_id = $1
	   AND course_id = $2`)
)

// recount keeps what depends on a course's lessons after one of them or a
// chapter has changed: which of them count, how many and how long they are, and
// how far everybody has come.
func (t *tx) recount(ctx context.Context, course school.ID) error {
	t.showsInCatalogue = true
	flipped, err := t.exec(ctx, flipVisibleOfCourse, course)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, sumLessonsOfCourse, course); err != nil {
		return err
	}
	if flipped == 0 {
		return nil
	}
	_, err = t.exec(ctx, sumDoneOfCourse, course)
	return err
}

const isListed = `(CASE WHEN status = 'published' AND deleted_at IS NULL THEN 1 ELSE 0 END)`

var (
	uncountListed = statement("take course off its shelf", `
	UPDATE course_counts
	   SET listed = listed - 1
	 WHERE (topic, level) IN (SELECT topic, level FROM courses WHERE id = $1 AND listed = 1)`)

	countListed = statement("put course on its shelf", `
	INSERT INTO course_counts (topic, level, listed)
	SELECT topic, level, 1
	  FROM courses
	 WHERE id = $1
	ON CONFLICT (topic, level) DO UPDATE
	   SET listed = course_counts.listed + 1`)

	unlist = statement("take course out of the catalogue", `
	UPDATE courses
	   SET listed = 0
	 WHERE id = $1
	   AND listed = 1`)

	list = statement("put course into the catalogue", `
	UPDATE courses
	   SET listed = 1
	 WHERE id = $1
	   AND listed <> `+isListed)
)

// relist takes a course out of the catalogue, lets change do its work, and puts
// the course back where it belongs then, if it does.
func (t *tx) relist(ctx context.Context, course school.ID, change func() error) error {
	t.showsInCatalogue = true
	if err := t.execAll(ctx, []query{uncountListed, deleteCourseWords, unlist}, course); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	listed, err := t.exec(ctx, list, course)
	if err != nil || listed == 0 {
		return err
	}
	if _, err := t.exec(ctx, countListed, course); err != nil {
		return err
	}
	text, err := one(ctx, t, textOfCourse, scanCourseText, course)
	if err != nil {
		return err
	}
	return t.indexCourses(ctx, text)
}

// Everything that is kept, counted afresh.
var recountAll = []query{
	statement("recount visible lessons", flipVisible),
	statement("recount lessons", sumLessons),
	statement("recount progress", sumDone),
	statement("recount students", `
	UPDATE courses
	   SET students = (SELECT COUNT(*) FROM enrolments AS e WHERE e.course_id = courses.id AND e.left_at IS NULL)`),
	statement("recount listed courses", `
	UPDATE courses
	   SET listed = 1 - listed
	 WHERE listed <> `+isListed),
	statement("empty shelves", `
	DELETE FROM course_counts`),
	statement("recount shelves", `
	INSERT INTO course_counts (topic, level, listed)
	SELECT topic, level, COUNT(*)
	  FROM courses
	 WHERE listed = 1
	 GROUP BY topic, level`),
	statement("empty counts of people", `
	DELETE FROM user_counts`),
	statement("recount people", `
	INSERT INTO user_counts (role, disabled, people)
	SELECT role, CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END, COUNT(*)
	  FROM users
	 GROUP BY 1, 2`),
}
