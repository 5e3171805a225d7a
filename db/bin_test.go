package db_test

import (
	"testing"

	"lectern/db/school"
)

func TestDeletedCourseBySlug(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	c, _ := s.course(s.user("Grace", school.Instructor), "Bread", 1)
	_, err := s.DeletedCourseBySlug(ctx, c.Slug)
	wantError(t, err, school.ErrNotFound)
	must(t, s.DeleteCourse(ctx, c.ID, minutes(1)))
	got, err := s.DeletedCourseBySlug(ctx, c.Slug)
	must(t, err)
	if got.ID != c.ID || !got.DeletedAt.Equal(minutes(1)) {
		t.Errorf("got %+v", got)
	}
}

func TestLeft(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	teacher, ada := s.user("Grace", school.Instructor), s.user("Ada", school.Student)
	var want []school.ID
	for i, title := range []string{"First", "Second", "Stayed", "Draft"} {
		c, _ := s.course(teacher, title, 1)
		must(t, s.Join(ctx, ada, c.ID, noon))
		if title != "Stayed" {
			must(t, s.Leave(ctx, ada, c.ID, minutes(i)))
		}
		switch title {
		case "First", "Second":
			want = append([]school.ID{c.ID}, want...)
		case "Draft":
			must(t, s.UnpublishCourse(ctx, c.ID, noon))
		}
	}
	cards, err := s.Left(ctx, ada)
	must(t, err)
	if len(cards) != len(want) {
		t.Fatalf("got %d courses, want %d", len(cards), len(want))
	}
	for i, c := range cards {
		if c.ID != want[i] || c.Enrolment != s.enrolment(ada, c.ID) {
			t.Errorf("place %d: got %+v", i, c)
		}
	}
}

func TestEvent(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	_, err := s.Event(ctx, nobody)
	wantError(t, err, school.ErrNotFound)
	want := school.Event{
		ID: school.MustNewID(), At: noon, Action: school.ActionSignIn, Actor: school.Person{ID: nobody, Name: "Ada"},
		Subject: "Ada", Detail: "pwd", Session: "jwt", Address: "192.0.2.1",
	}
	must(t, s.Record(ctx, want))
	got, err := s.Event(ctx, want.ID)
	must(t, err)
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
