package db_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

// testSchool is an open database with short words for filling it. Every test
// that has one ends with a check of all kept counts.
type testSchool struct {
	*db.DB
	t    testing.TB
	path string
}

func newSchool(t testing.TB) *testSchool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lectern.db")
	d := open(t, path)
	return &testSchool{d, t, path}
}

// open opens a database until the test ends.
func open(t testing.TB, path string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func (s *testSchool) check() {
	s.t.Helper()
	must(s.t, s.CheckCounts(s.t.Context()))
}

var people atomic.Int64

// person is an account that is not in the database yet.
func person(name string, role school.Role) school.User {
	return school.User{
		ID:        school.MustNewID(),
		Email:     school.Email(fmt.Sprintf("p%d.%d@school.example", os.Getpid(), people.Add(1))),
		Name:      name,
		Role:      role,
		CreatedAt: noon,
	}
}

func (s *testSchool) user(name string, role school.Role) school.ID {
	s.t.Helper()
	u := person(name, role)
	must(s.t, s.CreateUser(s.t.Context(), u, "hash"))
	return u.ID
}

// draft makes a course with one chapter of published lessons.
func (s *testSchool) draft(owner school.ID, title string, lessons int) (school.Course, []school.ID) {
	s.t.Helper()
	ctx := s.t.Context()
	c, err := s.CreateCourse(ctx, school.Course{
		Title:   title,
		Summary: "About it.",
		Topic:   "data",
		Level:   "first",
		Owner:   school.Person{ID: owner},
	}, noon)
	must(s.t, err)
	return c, s.chapter(c.ID, "Chapter", lessons, owner)
}

// chapter adds a chapter of published lessons.
func (s *testSchool) chapter(course school.ID, title string, lessons int, by school.ID) []school.ID {
	s.t.Helper()
	ctx := s.t.Context()
	h, err := s.CreateChapter(ctx, course, title, noon)
	must(s.t, err)
	ids := make([]school.ID, lessons)
	for i := range ids {
		l, err := s.CreateLesson(ctx, h.ID, school.Lesson{
			LessonHead: school.LessonHead{Title: fmt.Sprintf("%s, lesson %d", title, i), Kind: school.Reading, Minutes: i + 1},
			Body:       "Text.",
		}, by, noon)
		must(s.t, err)
		must(s.t, s.PublishLesson(ctx, l.ID, noon))
		ids[i] = l.ID
	}
	return ids
}

// course makes a published course with one chapter of published lessons.
func (s *testSchool) course(owner school.ID, title string, lessons int) (school.Course, []school.ID) {
	s.t.Helper()
	c, ids := s.draft(owner, title, lessons)
	must(s.t, s.PublishCourse(s.t.Context(), c.ID, noon))
	return s.reread(c.ID), ids
}

func (s *testSchool) reread(course school.ID) school.Course {
	s.t.Helper()
	c, err := s.CourseByID(s.t.Context(), course)
	must(s.t, err)
	return c
}

func (s *testSchool) enrolment(user, course school.ID) school.Enrolment {
	s.t.Helper()
	e, err := s.Enrolment(s.t.Context(), user, course)
	must(s.t, err)
	return e
}

// outline is a course's outline as one line: chapters with their lessons.
func (s *testSchool) outline(course school.ID, drafts bool) string {
	s.t.Helper()
	chapters, err := s.Outline(s.t.Context(), course, drafts)
	must(s.t, err)
	var parts []string
	for i, h := range chapters {
		var lessons []string
		for j, l := range h.Lessons {
			lessons = append(lessons, l.Title)
			if drafts && l.Position != j {
				s.t.Errorf("%q is at %d, in place %d", l.Title, l.Position, j)
			}
		}
		parts = append(parts, h.Title+": "+strings.Join(lessons, ", "))
		if drafts && h.Position != i {
			s.t.Errorf("%q is at %d, in place %d", h.Title, h.Position, i)
		}
	}
	return strings.Join(parts, "; ")
}

// dump is every row of every table, in the order of their text.
func dump(t testing.TB, d *db.DB) map[string][]string {
	t.Helper()
	tables := map[string][]string{}
	names, err := d.Reader().Query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`)
	must(t, err)
	for names.Next() {
		var name string
		must(t, names.Scan(&name))
		tables[name] = nil
	}
	must(t, names.Err())
	for name := range tables {
		rows, err := d.Reader().Query(`SELECT * FROM ` + name)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			dest := make([]any, len(columns))
			for i := range dest {
				dest[i] = &values[i]
			}
			must(t, rows.Scan(dest...))
			tables[name] = append(tables[name], fmt.Sprintf("%q", values))
		}
		must(t, rows.Err())
		slices.Sort(tables[name])
	}
	return tables
}

// difference says where two dumps differ.
func difference(before, after map[string][]string) string {
	var b strings.Builder
	for _, table := range slices.Sorted(maps.Keys(before)) {
		for _, row := range before[table] {
			if !slices.Contains(after[table], row) {
				fmt.Fprintf(&b, "%s lost %s\n", table, row)
			}
		}
		for _, row := range after[table] {
			if !slices.Contains(before[table], row) {
				fmt.Fprintf(&b, "%s gained %s\n", table, row)
			}
		}
	}
	return b.String()
}
