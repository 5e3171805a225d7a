package db

import (
	"context"
	"slices"
	"strings"

	"lectern/db/school"
)

// courseColumns are all but the description, which a list leaves empty and a
// single course adds as the column after them.
const courseColumns = `
	       c.id,
	       c.slug,
	       c.title,
	       c.summary,
	       c.topic,
	       c.level,
	       c.number,
	       c.status,
	       u.id,
	       u.name,
	       c.students,
	       c.lessons,
	       c.minutes,
	       c.version,
	       c.created_at,
	       c.updated_at,
	       c.published_at,
	       c.deleted_at,
	       c.outcomes`

// courseFields are where courseColumns and the description are scanned to.
func courseFields(c *school.Course, outcomes *string) []any {
	return []any{
		&c.ID, &c.Slug, &c.Title, &c.Summary, &c.Topic, &c.Level, &c.Number, &c.Status,
		&c.Owner.ID, &c.Owner.Name,
		&c.Students, &c.Lessons, &c.Minutes, &c.Version,
		instant{&c.CreatedAt}, instant{&c.UpdatedAt}, instant{&c.PublishedAt}, instant{&c.DeletedAt},
		outcomes, &c.Description,
	}
}

func scanCourse(row scanner) (c school.Course, err error) {
	var outcomes string
	err = row.Scan(courseFields(&c, &outcomes)...)
	c.Outcomes = splitOutcomes(outcomes)
	return c, err
}

// Outcomes are kept one to a line; they are single lines themselves.
func joinOutcomes(outcomes []string) string { return strings.Join(outcomes, "\n") }

func splitOutcomes(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

const (
	wholeCourse = `
	SELECT` + courseColumns + `,
	       c.description
	  FROM courses AS c
	  JOIN users AS u ON u.id = c.owner_id`

	courseInList = `
	SELECT` + courseColumns + `,
	       ''
	  FROM courses AS c
	  JOIN users AS u ON u.id = c.owner_id`
)

var (
	courseBySlug = statement("course by slug", wholeCourse+`
	 WHERE c.slug = $1
	   AND c.deleted_at IS NULL`)

	courseByID = statement("course by id", wholeCourse+`
	 WHERE c.id = $1
	   AND c.deleted_at IS NULL`)

	deletedCourseBySlug = statement("deleted course by slug", wholeCourse+`
	 WHERE c.slug = $1
	   AND c.deleted_at IS NOT NULL`)

	coursesByEdit = statement("courses by edit", courseInList+`
	 WHERE c.deleted_at IS NULL
	 ORDER BY c.updated_at DESC
	 LIMIT $1`)

	coursesOfOwner = statement("courses of owner", courseInList+`
	 WHERE c.deleted_at IS NULL
	   AND c.owner_id = $1
	 ORDER BY c.updated_at DESC
	 LIMIT $2`)

	deletedCourses = statement("deleted courses", courseInList+`
	 WHERE c.deleted_at IS NOT NULL
	 ORDER BY c.deleted_at DESC
	 LIMIT $1`)

	deletedCoursesOfOwner = statement("deleted courses of owner", courseInList+`
	 WHERE c.deleted_at IS NOT NULL
	   AND c.owner_id = $1
	 ORDER BY c.deleted_at DESC
	 LIMIT $2`)
)

// CourseBySlug reads a course, published or not. It returns
// [school.ErrNotFound] if there is none or it is deleted.
func (d *DB) CourseBySlug(ctx context.Context, slug string) (school.Course, error) {
	return one(ctx, d, courseBySlug, scanCourse, slug)
}

// CourseByID reads a course, published or not. It returns
// [school.ErrNotFound] if there is none or it is deleted.
func (d *DB) CourseByID(ctx context.Context, id school.ID) (school.Course, error) {
	return one(ctx, d, courseByID, scanCourse, id)
}

// DeletedCourseBySlug reads a course that lies in the bin, for whoever is about
// to restore it, by its slug, which it keeps there. It returns
// [school.ErrNotFound] for any other.
func (d *DB) DeletedCourseBySlug(ctx context.Context, slug string) (school.Course, error) {
	return one(ctx, d, deletedCourseBySlug, scanCourse, slug)
}

// TaughtBy lists the courses of one owner, drafts too, or everybody's: the last
// edited first, at most 200, without their descriptions.
func (d *DB) TaughtBy(ctx context.Context, owner school.ID, everybody bool) ([]school.Course, error) {
	if everybody {
		return all(ctx, d, coursesByEdit, scanCourse, maxList)
	}
	return all(ctx, d, coursesOfOwner, scanCourse, owner, maxList)
}

// DeletedCourses lists the courses of one owner that lie in the bin, or
// everybody's: the last deleted first, at most 200, without their descriptions.
func (d *DB) DeletedCourses(ctx context.Context, owner school.ID, everybody bool) ([]school.Course, error) {
	if everybody {
		return all(ctx, d, deletedCourses, scanCourse, maxList)
	}
	return all(ctx, d, deletedCoursesOfOwner, scanCourse, owner, maxList)
}

const lessonHeadColumns = `
	       l.id,
	       l.slug,
	       l.title,
	       l.kind,
	       l.status,
	       l.preview,
	       l.minutes,
	       l.position`

func lessonHeadFields(l *school.LessonHead) []any {
	return []any{&l.ID, &l.Slug, &l.Title, &l.Kind, &l.Status, &l.Preview, &l.Minutes, &l.Position}
}

var (
	chaptersOfCourse = statement("chapters of course", `
	SELECT`+chapterColumns+`
	  FROM chapters AS h
	 WHERE h.course_id = $1
	   AND h.deleted_at IS NULL
	 ORDER BY h.position`)

	lessonsOfCourse = statement("outline of course", `
	SELECT l.chapter_id,`+lessonHeadColumns+`
	  FROM lessons AS l
	 WHERE l.course_id = $1
	   AND l.deleted_at IS NULL
	   AND l.visible >= $2
	 ORDER BY l.position`)
)

// Outline reads a course's chapters with their lessons, in order. Without
// includeDrafts it is what readers see: published lessons, and the chapters
// that have any. A course that does not exist has no chapters.
func (d *DB) Outline(ctx context.Context, courseID school.ID, includeDrafts bool) ([]school.Chapter, error) {
	chapters, err := all(ctx, d, chaptersOfCourse, scanChapter, courseID)
	if err != nil {
		return nil, err
	}
	place := make(map[school.ID]int, len(chapters))
	for i, h := range chapters {
		place[h.ID] = i
	}
	_, err = all(ctx, d, lessonsOfCourse, func(row scanner) (l school.LessonHead, err error) {
		var chapter school.ID
		if err := row.Scan(append([]any{&chapter}, lessonHeadFields(&l)...)...); err != nil {
			return l, err
		}
		if i, ok := place[chapter]; ok {
			chapters[i].Lessons = append(chapters[i].Lessons, l)
		}
		return l, nil
	}, courseID, bit(!includeDrafts))
	if err != nil {
		return nil, err
	}
	if includeDrafts {
		return chapters, nil
	}
	return slices.DeleteFunc(chapters, func(h school.Chapter) bool { return len(h.Lessons) == 0 }), nil
}
