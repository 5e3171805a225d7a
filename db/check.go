package db

import (
	"context"
	"errors"
	"fmt"
)

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
	return errors.Join(append(wrong, d.checkExperiments(ctx)...)...)
}
