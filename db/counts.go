package db

import (
	"context"
	"errors"
	"fmt"

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

// What is wrong, as checks: each finds the rows whose kept value is not what
// counting gives.
var checks = []query{
	statement("check visible lessons", `
	SELECT 'lesson ' || id || ': visible is ' || visible
	  FROM lessons
	 WHERE visible <> `+isVisible),

	statement("check lessons of courses", `
	SELECT 'course ' || c.id || ': lessons is ' || c.lessons || ', minutes is ' || c.minutes
	       || '; counted ' || COUNT(l.id) || ' and ' || COALESCE(SUM(l.minutes), 0)
	  FROM courses AS c
	  LEFT JOIN chapters AS h ON h.course_id = c.id AND h.deleted_at IS NULL
	  LEFT JOIN lessons AS l ON l.chapter_id = h.id AND l.status = 'published' AND l.deleted_at IS NULL
	 GROUP BY c.id
	HAVING c.lessons <> COUNT(l.id)
	    OR c.minutes <> COALESCE(SUM(l.minutes), 0)`),

	statement("check students", `
	SELECT 'course ' || c.id || ': students is ' || c.students || '; counted ' || COUNT(e.user_id)
	  FROM courses AS c
	  LEFT JOIN enrolments AS e ON e.course_id = c.id AND e.left_at IS NULL
	 GROUP BY c.id
	HAVING c.students <> COUNT(e.user_id)`),

	statement("check progress", `
	SELECT 'enrolment of ' || k.user_id || ' in ' || k.course_id || ': done is ' || k.done
	       || ', finished_at is ' || COALESCE(k.finished_at, 0)
	       || '; counted ' || k.counted || ' of ' || k.lessons || ', the last at ' || COALESCE(k.last_at, 0)
	  FROM (SELECT e.user_id,
	               e.course_id,
	               e.done,
	               e.finished_at,
	               c.lessons,
	               COUNT(l.id) AS counted,
	               MAX(CASE WHEN l.id IS NOT NULL THEN p.done_at END) AS last_at
	          FROM enrolments AS e
	          JOIN courses AS c ON c.id = e.course_id
	          LEFT JOIN completions AS p ON p.course_id = e.course_id AND p.user_id = e.user_id
	          LEFT JOIN lessons AS l ON l.id = p.lesson_id AND l.visible = 1
	         GROUP BY e.user_id, e.course_id, c.lessons) AS k
	 WHERE k.done <> k.counted
	    OR COALESCE(k.finished_at, -1) <> CASE WHEN k.counted > 0 AND k.counted = k.lessons THEN k.last_at ELSE -1 END`),

	statement("check completions", `
	SELECT 'completion of ' || p.lesson_id || ' by ' || p.user_id || ': has no enrolment or is of another course'
	  FROM completions AS p
	  JOIN lessons AS l ON l.id = p.lesson_id
	  LEFT JOIN enrolments AS e ON e.user_id = p.user_id AND e.course_id = p.course_id
	 WHERE e.user_id IS NULL
	    OR l.course_id <> p.course_id`),

	statement("check listed courses", `
	SELECT 'course ' || id || ': listed is ' || listed
	  FROM courses
	 WHERE listed <> `+isListed),

	statement("check shelves", `
	SELECT 'shelf ' || k.topic || ', ' || k.level || ': listed differs by ' || SUM(k.n)
	  FROM (SELECT topic, level, listed AS n FROM course_counts
	        UNION ALL
	        SELECT topic, level, -1 FROM courses WHERE listed = 1) AS k
	 GROUP BY k.topic, k.level
	HAVING SUM(k.n) <> 0`),

	statement("check people", `
	SELECT 'people ' || k.role || ', disabled ' || k.disabled || ': differ by ' || SUM(k.n)
	  FROM (SELECT role, disabled, people AS n FROM user_counts
	        UNION ALL
	        SELECT role, CASE WHEN disabled_at IS NULL THEN 0 ELSE 1 END, -1 FROM users) AS k
	 GROUP BY k.role, k.disabled
	HAVING SUM(k.n) <> 0`),

	statement("check words of courses", `
	SELECT 'course ' || c.id || ': is found by its words, but not listed'
	  FROM courses AS c
	 WHERE c.listed = 0
	   AND EXISTS (SELECT 1 FROM course_words AS w WHERE w.course_id = c.id)`),

	statement("check places of chapters", `
	SELECT 'chapters of course ' || course_id || ': places up to ' || MAX(position) || ' for ' || COUNT(*)
	  FROM chapters
	 WHERE deleted_at IS NULL
	 GROUP BY course_id
	HAVING MIN(position) <> 0
	    OR MAX(position) <> COUNT(*) - 1
	    OR COUNT(DISTINCT position) <> COUNT(*)`),

	statement("check places of lessons", `
	SELECT 'lessons of chapter ' || chapter_id || ': places up to ' || MAX(position) || ' for ' || COUNT(*)
	  FROM lessons
	 WHERE deleted_at IS NULL
	 GROUP BY chapter_id
	HAVING MIN(position) <> 0
	    OR MAX(position) <> COUNT(*) - 1
	    OR COUNT(DISTINCT position) <> COUNT(*)`),
}

// CheckCounts counts afresh everything that is kept beside what it counts, and
// returns an error that lists each difference. It is the operator's and the
// tests' check, and reads the whole school.
func (d *DB) CheckCounts(ctx context.Context) error {
	var wrong []error
	for _, check := range checks {
		found, err := all(ctx, d, check, value[string])
		if err != nil {
			return err
		}
		for _, what := range found {
			wrong = append(wrong, fmt.Errorf("db: %s: %s", check.name, what))
		}
	}
	return errors.Join(wrong...)
}
