package db

import (
	"context"

	"lectern/db/school"
)

var leftCourses = statement("left courses", `
	SELECT`+courseColumns+`,
	       '',`+enrolmentColumns+`
	  FROM enrolments AS e
	  JOIN courses AS c ON c.id = e.course_id
	  JOIN users AS u ON u.id = c.owner_id
	 WHERE e.user_id = $1
	   AND e.left_at IS NOT NULL
	   AND c.listed = 1
	 ORDER BY e.left_at DESC, c.id
	 LIMIT $2`)

// Left lists the published courses that a person has left and could join
// again, the last left first, at most 200, without their descriptions.
func (d *DB) Left(ctx context.Context, user school.ID) ([]CourseCard, error) {
	return all(ctx, d, leftCourses, scanCard, user, maxList)
}
