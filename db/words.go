package db

import (
	"context"

	"lectern/db/school"
)

// indexUsers adds the words by which people are found.
func (t *tx) indexUsers(ctx context.Context, users ...school.User) error {
	var rows [][]any
	for _, u := range users {
		for _, word := range school.Words(u.Name + " " + string(u.Email)) {
			rows = append(rows, []any{word, u.ID})
		}
	}
	return t.insert(ctx, "INSERT INTO user_words (word, user_id)", "", rows)
}

// courseText is a listed course as a search sees it.
type courseText struct {
	id                    school.ID
	title, summary, owner string
}

func scanCourseText(row scanner) (c courseText, err error) {
	err = row.Scan(&c.id, &c.title, &c.summary, &c.owner)
	return c, err
}

const courseTexts = `
	SELECT c.id,
	       c.title,
	       c.summary,
	       u.name
	  FROM courses AS c
	  JOIN users AS u ON u.id = c.owner_id
	 WHERE c.listed = 1`

var (
	textOfCourse = statement("text of course", courseTexts+`
	   AND c.id = $1`)

	textsOfOwner = statement("texts of an owner's courses", courseTexts+`
	   AND c.deleted_at IS NULL
	   AND c.owner_id = $1`)

	deleteCourseWords = statement("delete words of course", `
	DELETE FROM course_words
	 WHERE course_id = $1`)

	deleteOwnerWords = statement("delete words of an owner's courses", `
	DELETE FROM course_words
	 WHERE course_id IN (SELECT id FROM courses WHERE owner_id = $1 AND deleted_at IS NULL)`)
)

// indexCourses adds the words by which courses are found.
func (t *tx) indexCourses(ctx context.Context, courses ...courseText) error {
	var rows [][]any
	for _, c := range courses {
		for _, word := range school.Words(c.title + " " + c.summary + " " + c.owner) {
			rows = append(rows, []any{word, c.id})
		}
	}
	return t.insert(ctx, "INSERT INTO course_words (word, course_id)", "", rows)
}

// indexCoursesOf renews the words of all the courses of one owner.
func (t *tx) indexCoursesOf(ctx context.Context, owner school.ID) error {
	courses, err := all(ctx, t, textsOfOwner, scanCourseText, owner)
	if err != nil || len(courses) == 0 {
		return err
	}
	t.showsInCatalogue = true
	if _, err := t.exec(ctx, deleteOwnerWords, owner); err != nil {
		return err
	}
	return t.indexCourses(ctx, courses...)
}
