package db

import (
	"context"

	"lectern/db/school"
)

// LearningRow is one course that a person is in, without its Description.
type LearningRow struct {
	school.Course
	Enrolment school.Enrolment
	Next      school.LessonHead // where to go on; zero when every lesson is done
}

// nextLessonID is where the person of enrolment e goes on: with the lesson last
// opened if it is not done, otherwise with the first that is not.
const nextLessonID = `
	       (SELECT n.id
	          FROM lessons AS n
	          JOIN chapters AS h ON h.id = n.chapter_id
	         WHERE n.course_id = e.course_id
	           AND n.visible = 1
	           AND NOT EXISTS (SELECT 1 FROM completions AS p WHERE p.user_id = e.user_id AND p.lesson_id = n.id)
	         ORDER BY CASE WHEN n.id = e.last_lesson THEN 0 ELSE 1 END, h.position, n.position
	         LIMIT 1)`

const learningColumns = courseColumns + `,
	       '',` + enrolmentColumns + `,
	       COALESCE(l.id, ''),
	       COALESCE(l.slug, ''),
	       COALESCE(l.title, ''),
	       COALESCE(l.kind, ''),
	       COALESCE(l.status, ''),
	       COALESCE(l.preview, 0),
	       COALESCE(l.minutes, 0),
	       COALESCE(l.position, 0)`

func scanLearning(row scanner) (r LearningRow, err error) {
	var outcomes string
	fields := courseFields(&r.Course, &outcomes)
	fields = append(fields, enrolmentFields(&r.Enrolment)...)
	fields = append(fields, lessonHeadFields(&r.Next)...)
	err = row.Scan(fields...)
	r.Outcomes = splitOutcomes(outcomes)
	return r, err
}

var (
	learning = statement("learning", `
	SELECT`+learningColumns+`
	  FROM enrolments AS e
	  JOIN courses AS c ON c.id = e.course_id
	  JOIN users AS u ON u.id = c.owner_id
	  LEFT JOIN lessons AS l ON l.id =`+nextLessonID+`
	 WHERE e.user_id = $1
	   AND e.left_at IS NULL
	   AND c.listed = 1
	 ORDER BY e.seen_at DESC, c.id
	 LIMIT $2`)

	// The next lesson is looked for in the one course that is found first.
	resume = statement("resume", `
	SELECT`+learningColumns+`
	  FROM (SELECT e.*
	          FROM enrolments AS e
	          JOIN courses AS c ON c.id = e.course_id
	         WHERE e.user_id = $1
	           AND e.left_at IS NULL
	           AND c.listed = 1
	           AND e.done < c.lessons
	         ORDER BY e.seen_at DESC, e.course_id
	         LIMIT 1) AS e
	  JOIN courses AS c ON c.id = e.course_id
	  JOIN users AS u ON u.id = c.owner_id
	  JOIN lessons AS l ON l.id =`+nextLessonID)

	nextLesson = statement("next lesson", `
	SELECT`+lessonHeadColumns+`
	  FROM enrolments AS e
	  JOIN lessons AS l ON l.id =`+nextLessonID+`
	 WHERE e.user_id = $1
	   AND e.course_id = $2
	   AND e.left_at IS NULL`)
)

// Learning lists the published courses that a person is in, the last seen
// first, at most 200.
func (d *DB) Learning(ctx context.Context, user school.ID) ([]LearningRow, error) {
	return all(ctx, d, learning, scanLearning, user, maxList)
}

// Resume is where a person goes on: the first row of [DB.Learning] that has a
// next lesson. It returns [school.ErrNotFound] if there is none.
func (d *DB) Resume(ctx context.Context, user school.ID) (LearningRow, error) {
	return one(ctx, d, resume, scanLearning, user)
}

// NextLesson is where a person goes on in a course: with the lesson they last
// opened if it is not done, otherwise with the first that is not. It returns
// [school.ErrNotFound] if none is left, or the person is not in the course.
func (d *DB) NextLesson(ctx context.Context, user, courseID school.ID) (school.LessonHead, error) {
	return one(ctx, d, nextLesson, func(row scanner) (l school.LessonHead, err error) {
		err = row.Scan(lessonHeadFields(&l)...)
		return l, err
	}, user, courseID)
}
