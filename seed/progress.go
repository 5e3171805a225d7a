package seed

import (
	"hash/fnv"
	"slices"
	"time"

	"lectern/db"
	"lectern/db/school"
)

// enrolments puts the students into courses, each at a place of their own.
// Where somebody stands follows from a hash of their address and the course,
// so it looks like chance and is always the same.
func enrolments(courses []db.SeedCourse) []db.SeedEnrolment {
	var all []db.SeedEnrolment
	for _, p := range people {
		if p.role != school.Student {
			continue
		}
		for _, c := range courses {
			lessons := published(c)
			if c.Status != school.Published || len(lessons) == 0 {
				continue
			}
			if share, joined := standing(p.email, c.Slug); joined {
				all = append(all, enrolment(p.email, c, lessons, share))
			}
		}
	}
	return all
}

// standing is the share of a course that somebody has done, and whether they
// have joined it at all.
func standing(email, slug string) (share float64, joined bool) {
	if email == "ada@lectern.example" {
		share, joined = adas[slug]
		return share, joined
	}
	h := fnv.New32a()
	h.Write([]byte(email + " " + slug))
	n := h.Sum32()
	if n%10 >= 4 {
		return 0, false
	}
	return min(1, float64(n/10%13)/10), true
}

// adas is where Ada stands: she has finished one course and is in the middle of
// two others.
var adas = map[string]float64{"authentication": 1, "sessions": 0.45, "the-chemistry-of-bread": 0.4}

func enrolment(email string, c db.SeedCourse, lessons []school.ID, share float64) db.SeedEnrolment {
	h := fnv.New32a()
	h.Write([]byte(c.Slug + " " + email))
	joined := c.PublishedAt.Add(time.Duration(h.Sum32()%(20*24*60)) * time.Minute)
	e := db.SeedEnrolment{User: id("user", email), Course: c.ID, JoinedAt: joined, SeenAt: joined}
	for i, lesson := range lessons[:int(share*float64(len(lessons)))] {
		at := joined.Add(time.Duration(i+1) * 26 * time.Hour)
		e.Done = append(e.Done, db.SeedCompletion{Lesson: lesson, At: at})
		e.SeenAt, e.LastLesson = at, lesson
	}
	return e
}

// published lists a course's published lessons in their order.
func published(c db.SeedCourse) []school.ID {
	var ids []school.ID
	for _, chapter := range c.Chapters {
		for _, lesson := range chapter.Lessons {
			if lesson.Status == school.Published {
				ids = append(ids, lesson.ID)
			}
		}
	}
	return slices.Clip(ids)
}
