package db_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

// written adds a message and returns its subject.
func (s *testSchool) written(m school.Message) string {
	s.t.Helper()
	m.ID = school.MustNewID()
	if m.Channel == "" {
		m.Channel, m.To = school.ByMail, "somebody@school.example"
	}
	if m.State == "" {
		m.State = school.MessageWaiting
	}
	must(s.t, s.AddMessage(s.t.Context(), m))
	return m.Subject
}

func TestInbox_listsThoseOfWhomItIsAskedFor(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	ada, bea := s.user("Ada", school.Student), s.user("Bea", school.Student)
	demo := person("Walk In", school.Student)
	demo.Demo = true
	must(t, s.CreateUser(ctx, demo, "hash"))
	here, there := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	s.written(school.Message{Subject: "Ada's", User: ada, At: minutes(1)})
	s.written(school.Message{Subject: "Bea's", User: bea, At: minutes(2)})
	s.written(school.Message{Subject: "demo", User: demo.ID, At: minutes(3)})
	s.written(school.Message{Subject: "this browser's", Browser: here, At: minutes(4)})
	s.written(school.Message{Subject: "nobody's", At: minutes(5)})
	s.written(school.Message{Subject: "a browser's that is not known", Browser: []byte{}, At: minutes(5)})
	s.written(school.Message{State: school.MessageNone, At: minutes(6)})
	for _, row := range []struct {
		says string
		db.InboxQuery
		want []string
	}{
		{"nobody", db.InboxQuery{}, nil},
		{"a person", db.InboxQuery{User: ada}, []string{"Ada's"}},
		{"a person without messages", db.InboxQuery{User: school.MustNewID()}, nil},
		{"a browser", db.InboxQuery{Browser: here}, []string{"this browser's"}},
		{"another browser", db.InboxQuery{Browser: there}, nil},
		{"a browser with an empty name", db.InboxQuery{Browser: []byte{}}, nil},
		{"the demo accounts", db.InboxQuery{Demo: true}, []string{"demo"}},
		{"all of them", db.InboxQuery{Demo: true, User: bea, Browser: here}, []string{"this browser's", "demo", "Bea's"}},
		{"all of them, a few at a time", db.InboxQuery{Demo: true, User: bea, Browser: here, Limit: 1}, []string{"this browser's", "demo", "Bea's"}},
	} {
		var got []string
		for q := row.InboxQuery; ; {
			page, err := s.Inbox(ctx, q)
			must(t, err)
			for _, m := range page.Messages {
				got = append(got, m.Subject)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.says, got, row.want)
		}
	}
}

// TestInbox_keepsApartWhatCameAtOneMoment reads it page by page.
func TestInbox_keepsApartWhatCameAtOneMoment(t *testing.T) {
	s := newSchool(t)
	ada := s.user("Ada", school.Student)
	seen := map[string]int{}
	for i := range 5 {
		seen[s.written(school.Message{Subject: fmt.Sprint(i), User: ada, At: noon})] = 0
	}
	for q := (db.InboxQuery{User: ada, Limit: 2}); ; {
		page, err := s.Inbox(t.Context(), q)
		must(t, err)
		for _, m := range page.Messages {
			seen[m.Subject]++
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	for subject, n := range seen {
		if n != 1 {
			t.Errorf("message %s was listed %d times", subject, n)
		}
	}
}

func TestAddMessage_keepsAllOfIt(t *testing.T) {
	s := newSchool(t)
	ada := s.user("Ada", school.Student)
	want := school.Message{
		ID: school.MustNewID(), Channel: school.ByText, To: "+447700900123", Subject: "Subject", Body: "Two\nlines", User: ada,
		Browser: bytes.Repeat([]byte{7}, 32), At: minutes(1), Until: minutes(11), State: school.MessageWaiting,
	}
	must(t, s.AddMessage(t.Context(), want))
	due, err := s.DueMessages(t.Context(), school.ByText, minutes(1), 9)
	must(t, err)
	if len(due) != 1 || fmt.Sprintf("%+v", due[0]) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, want %+v", due, want)
	}
	for says, empty := range map[string]func() ([]school.Message, error){
		"before its time":    func() ([]school.Message, error) { return s.DueMessages(t.Context(), school.ByText, noon, 9) },
		"on another channel": func() ([]school.Message, error) { return s.DueMessages(t.Context(), school.ByMail, minutes(1), 9) },
	} {
		if due, err := empty(); err != nil || len(due) > 0 {
			t.Errorf("%s: got %+v, %v", says, due, err)
		}
	}
	// A message outlives the account that it is about: it may say that this is gone.
	if _, err := s.Writer().ExecContext(t.Context(), `DELETE FROM users WHERE id = $1`, ada); err != nil {
		t.Fatal(err)
	}
	if due, err = s.DueMessages(t.Context(), school.ByText, minutes(1), 9); err != nil || len(due) != 1 || due[0].User != "" {
		t.Errorf("without its account it is %+v, %v", due, err)
	}
}

func TestMessages_areSweptAfterADay(t *testing.T) {
	s := newSchool(t)
	now := noon
	sweeper := db.Messages{DB: s.DB, Now: func() time.Time { return now }}
	for _, state := range []school.MessageState{school.MessageSent, school.MessageGivenUp, school.MessageNone, school.MessageWaiting} {
		s.written(school.Message{Subject: string(state), State: state, At: noon})
	}
	for _, row := range []struct {
		later time.Duration
		swept int
	}{{24 * time.Hour, 0}, {time.Millisecond, 3}, {6*24*time.Hour - time.Millisecond, 0}, {time.Millisecond, 1}} {
		now = now.Add(row.later)
		if n, err := sweeper.Sweep(t.Context()); err != nil || n != row.swept {
			t.Errorf("after %v more it sweeps %d, %v; want %d", row.later, n, err, row.swept)
		}
	}
	for range 501 {
		s.written(school.Message{State: school.MessageSent, At: noon})
	}
	for _, want := range []int{500, 1, 0} {
		if n, err := sweeper.Sweep(t.Context()); err != nil || n != want {
			t.Errorf("of many it sweeps %d, %v; want %d", n, err, want)
		}
	}
}
