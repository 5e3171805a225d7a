package db_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

// line writes a line into the log: who did what to whom, with which kind of session.
func (s *testSchool) line(at time.Time, actor school.Person, action, subject string, subjectID school.ID, session string) school.ID {
	s.t.Helper()
	id := school.MustNewID()
	must(s.t, s.Record(s.t.Context(), school.Event{ID: id, At: at, Action: action, Actor: actor, Subject: subject, SubjectID: subjectID, Session: session, Address: "192.0.2.1"}))
	return id
}

// TestLog_isAppendedToAndNothingElse asks the database itself, past all of our code.
func TestLog_isAppendedToAndNothingElse(t *testing.T) {
	s := newSchool(t)
	id := s.line(noon, school.Person{}, "sign-in", "Ada", "", "jwt")
	for _, statement := range []string{
		`UPDATE audit_events SET detail = 'nothing' WHERE id = $1`,
		`UPDATE audit_events SET at = 0 WHERE id = $1 OR 1 = 1`,
		`DELETE FROM audit_events WHERE id = $1`,
	} {
		if _, err := s.Writer().Exec(statement, id); err == nil {
			t.Errorf("the database does it: %s", statement)
		}
	}
	if e, err := s.Event(t.Context(), id); err != nil || e.Detail != "" || !e.At.Equal(noon) {
		t.Errorf("the line is %+v, %v", e, err)
	}
}

// TestSources_neverChangeTheLog reads every file that could hold a statement.
func TestSources_neverChangeTheLog(t *testing.T) {
	changes := regexp.MustCompile(`(?i)(UPDATE|DELETE\s+FROM|REPLACE\s+INTO|DROP\s+TABLE(\s+IF\s+EXISTS)?|ALTER\s+TABLE)\s+"?audit_events"?\s*(\w*)`)
	read := 0
	root := os.DirFS("..")
	must(t, fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".sql") {
			return err
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		read++
		for _, found := range changes.FindAllStringSubmatch(string(text), -1) {
			if !strings.EqualFold(found[3], "ADD") {
				t.Errorf("%s: %s", path, found[0])
			}
		}
		return nil
	}))
	if read < 200 {
		t.Errorf("only %d files were read", read)
	}
}

func TestEvents_areFoundByEachOfTheirParts(t *testing.T) {
	s := newSchool(t)
	alan := school.Person{ID: s.user("Alan Mathison", school.Admin), Name: "Alan Mathison"}
	ada := school.Person{ID: s.user("Ada Byron", school.Student), Name: "Ada Byron"}
	s.line(minutes(0), ada, "sign-in", "Ada Byron", "", "jwt")
	s.line(minutes(1), alan, "role.change", "Ada Byron", ada.ID, "memory")
	s.line(minutes(2), alan, "account.disable", "Ada Byron", ada.ID, "redis")
	s.line(minutes(3), school.Person{}, "sign-in.refused", "a…@school.example", "", "none")

	for _, q := range []struct {
		says  string
		query db.EventQuery
		want  string
	}{
		{"all", db.EventQuery{}, "3 2 1 0"},
		{"nobody's", db.EventQuery{Actor: "Grace"}, ""},
		{"who, by name", db.EventQuery{Actor: "ALAN mathison"}, "2 1"},
		{"who, by id", db.EventQuery{Actor: string(ada.ID)}, "0"},
		{"whom, by name", db.EventQuery{Subject: "ada byron"}, "2 1 0"},
		{"whom, by id", db.EventQuery{Subject: string(ada.ID)}, "2 1"},
		{"whom, by half a name", db.EventQuery{Subject: "ada"}, ""},
		{"whom, as LIKE would", db.EventQuery{Subject: "ada%"}, ""},
		{"a kind of session", db.EventQuery{Session: "redis"}, "2"},
		{"from a moment on", db.EventQuery{From: minutes(2)}, "3 2"},
		{"until before a moment", db.EventQuery{To: minutes(2)}, "1 0"},
		{"between two", db.EventQuery{From: minutes(1), To: minutes(3)}, "2 1"},
		{"all of it at once", db.EventQuery{Actor: "Alan Mathison", Subject: "Ada Byron", Session: "memory", Action: "role.change", From: minutes(1), To: minutes(2)}, "1"},
	} {
		page, err := s.Events(t.Context(), q.query)
		must(t, err)
		if got := moments(page.Events); got != q.want {
			t.Errorf("%s: lines %q, want %q", q.says, got, q.want)
		}
	}

	about, err := s.EventsAbout(t.Context(), ada.ID, 2)
	must(t, err)
	if got := moments(about); got != "2 1" {
		t.Errorf("the last two lines about her are %q", got)
	}
	about, err = s.EventsAbout(t.Context(), alan.ID, 20)
	must(t, err)
	if got := moments(about); got != "2 1" {
		t.Errorf("the lines about him are %q", got)
	}
}

// moments are the minutes at which lines were written.
func moments(events []school.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprint(int(e.At.Sub(noon).Minutes())))
	}
	return strings.Join(all, " ")
}

func TestEachEvent_bringsEveryLineOnce(t *testing.T) {
	s := newSchool(t)
	const lines = 230 // more than two pages, three lines to a moment
	for i := range lines {
		s.line(minutes(i/3), school.Person{}, "sign-in", "Ada", "", "jwt")
	}
	s.line(noon, school.Person{}, "sign-out", "Ada", "", "jwt")
	seen := map[school.ID]bool{}
	last, pages := minutes(lines), 0
	must(t, s.EachEvent(t.Context(), db.EventQuery{Action: "sign-in"}, func(page []school.Event) error {
		pages++
		for _, e := range page {
			if e.At.After(last) || seen[e.ID] {
				t.Errorf("a line comes twice, or after an older one")
			}
			last, seen[e.ID] = e.At, true
		}
		return nil
	}))
	if len(seen) != lines || pages != 3 {
		t.Errorf("%d lines on %d pages", len(seen), pages)
	}
	enough := errors.New("enough")
	wantError(t, s.EachEvent(t.Context(), db.EventQuery{}, func([]school.Event) error { return enough }), enough)
}

func TestEvents_readsPagesOffAnIndex(t *testing.T) {
	s := newSchool(t)
	after := s.line(noon, school.Person{}, "sign-in", "Ada", "", "jwt")
	for index, q := range map[string]db.EventQuery{
		"audit_events_by_time":    {},
		"audit_events_by_action":  {Action: "sign-in"},
		"audit_events_by_actor":   {Actor: string(after)},
		"audit_events_by_name":    {Actor: "Ada"},
		"audit_events_by_whom":    {Subject: string(after)},
		"audit_events_by_subject": {Subject: "Ada"},
		"audit_events_by_session": {Session: "jwt"},
	} {
		plan, err := s.ExplainEvents(t.Context(), q)
		must(t, err)
		if !strings.Contains(plan[0], "USING INDEX "+index) || slices.ContainsFunc(plan, func(step string) bool { return strings.Contains(step, "TEMP B-TREE") }) {
			t.Errorf("%+v:\n%s", q, strings.Join(plan, "\n"))
		}
	}
}
