package db_test

import (
	"fmt"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

func BenchmarkCourses100(b *testing.B)   { benchmarkCourses(b, 100) }
func BenchmarkCourses10000(b *testing.B) { benchmarkCourses(b, 10_000) }

func benchmarkCourses(b *testing.B, n int) {
	s := newSchool(b)
	must(b, second(s.Seed(b.Context(), bigSchool(n))))
	reader := s.user("Ada", school.Student)
	middle := db.CourseQuery{Limit: 40}
	page, err := s.Courses(b.Context(), middle)
	must(b, err)
	for _, c := range []struct {
		name  string
		query db.CourseQuery
	}{
		{"first page", db.CourseQuery{}},
		{"next page", db.CourseQuery{After: page.Next}},
		{"by title", db.CourseQuery{Sort: "title"}},
		{"shelf", db.CourseQuery{Topic: "data", Level: "advanced", Reader: reader}},
		{"open", db.CourseQuery{Status: "open", Reader: reader}},
		{"rare word", db.CourseQuery{Words: "00042"}},
		{"frequent word", db.CourseQuery{Words: "course"}},
		{"frequent words", db.CourseQuery{Words: "course about"}},
		{"frequent and rare", db.CourseQuery{Words: "course 00042 about"}},
		{"frequent words apart", db.CourseQuery{Words: "even odd"}},
		{"frequent word, other topic", db.CourseQuery{Words: "only", Topic: school.Topics[1]}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				must(b, second(s.Courses(b.Context(), c.query)))
			}
		})
	}
}

func BenchmarkCoursesParallel(b *testing.B) {
	s := newSchool(b)
	must(b, second(s.Seed(b.Context(), bigSchool(1_000))))
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			must(b, second(s.Courses(b.Context(), db.CourseQuery{})))
		}
	})
}

func BenchmarkJoinAndLeave(b *testing.B) {
	s := newSchool(b)
	c, _ := s.course(s.user("Grace", school.Instructor), "Course", 3)
	ada := s.user("Ada", school.Student)
	for b.Loop() {
		must(b, s.Join(b.Context(), ada, c.ID, noon))
		must(b, s.Leave(b.Context(), ada, c.ID, noon))
	}
}

// Publishing counts the progress of everybody in the course.
func BenchmarkPublishLesson(b *testing.B) {
	for _, students := range []int{10, 1_000} {
		b.Run(fmt.Sprintf("%d students", students), func(b *testing.B) {
			s := newSchool(b)
			data := bigSchool(1)
			course := data.Courses[0]
			lesson := course.Chapters[0].Lessons[0].ID
			for range students {
				u := person("Student", school.Student)
				data.Users = append(data.Users, db.SeedUser{User: u, PasswordHash: func() string { return "hash" }})
				data.Enrolments = append(data.Enrolments, db.SeedEnrolment{
					User: u.ID, Course: course.ID, JoinedAt: noon, Done: []db.SeedCompletion{{Lesson: lesson, At: noon}},
				})
			}
			must(b, second(s.Seed(b.Context(), data)))
			for b.Loop() {
				must(b, s.UnpublishLesson(b.Context(), lesson, noon))
				must(b, s.PublishLesson(b.Context(), lesson, noon))
			}
		})
	}
}
