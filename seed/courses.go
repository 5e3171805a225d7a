package seed

import (
	"fmt"
	"strings"
	"time"

	"lectern/db"
	"lectern/db/courseware"
	"lectern/db/school"
)

// wordsPerMinute is how fast a lesson is read, for the time that stands beside
// it.
const wordsPerMinute = 200

func seedCourse(c courseware.Course) (db.SeedCourse, error) {
	owner, ok := personByEmail(c.Instructor)
	if !ok {
		return db.SeedCourse{}, fmt.Errorf("seed: course %s: no person has the address %s", c.Slug, c.Instructor)
	}
	published := opened.AddDate(0, 0, c.Number)
	course := db.SeedCourse{Course: school.Course{
		ID: id("course", c.Slug), Slug: c.Slug, Title: c.Title, Summary: c.Summary, Description: c.Description,
		Topic: c.Topic, Level: c.Level, Number: c.Number, Status: c.Status, Outcomes: c.Outcomes,
		Owner: owner, Version: 1, CreatedAt: opened, UpdatedAt: published, PublishedAt: published,
	}}
	if c.Status == school.Draft {
		course.PublishedAt = time.Time{}
	}
	for _, ch := range c.Chapters {
		chapter := db.SeedChapter{Chapter: school.Chapter{ID: id("chapter", c.Slug, ch.Folder), CourseID: course.ID, Title: ch.Title}}
		for _, l := range ch.Lessons {
			chapter.Lessons = append(chapter.Lessons, school.Lesson{
				LessonHead: school.LessonHead{
					ID: id("lesson", c.Slug, l.Slug), Slug: l.Slug, Title: l.Title, Kind: l.Kind, Status: l.Status,
					Preview: l.Preview, Minutes: minutes(l.Body),
				},
				CourseID: course.ID, ChapterID: chapter.ID, Body: l.Body, Version: 1, UpdatedAt: published, UpdatedBy: owner,
			})
		}
		course.Chapters = append(course.Chapters, chapter)
	}
	return course, nil
}

func minutes(body string) int {
	return max(1, (len(strings.Fields(body))+wordsPerMinute-1)/wordsPerMinute)
}

func personByEmail(email school.Email) (school.Person, bool) {
	for _, p := range people {
		if p.email == string(email) {
			return school.Person{ID: id("user", p.email), Name: p.name}, true
		}
	}
	return school.Person{}, false
}
