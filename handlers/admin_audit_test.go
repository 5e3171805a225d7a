package handlers_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// lines are lines that a test writes, an hour apart, the last one now.
func (s *site) lines(events ...school.Event) {
	s.t.Helper()
	for i, e := range events {
		e.At = s.Now().Add(time.Duration(i+1-len(events)) * time.Hour)
		must(s.t, s.db.Record(s.t.Context(), e))
	}
}

func TestAudit_isFilteredByEachOfItsParts(t *testing.T) {
	s := newSite(t, session.Database)
	admin := s.as(alan)
	ada, rob := school.Person{ID: fixedID("ada"), Name: "Ada Byron"}, school.Person{ID: fixedID("rob"), Name: "Rob Tremaine"}
	day := s.Now().AddDate(0, 0, -40)
	must(t, s.db.Record(t.Context(), school.Event{At: day, Action: "course.publish", Actor: rob, Subject: "Whales", Session: session.Redis}))
	must(t, s.db.Record(t.Context(), school.Event{At: day.AddDate(0, 0, 1), Action: "role.change", Actor: rob, Subject: "Ada Byron", SubjectID: ada.ID, Detail: "whatever", Session: session.JWT}))
	const old, older = "whatever", "Whales"
	first, second := day.Local().Format(time.DateOnly), day.AddDate(0, 0, 1).Local().Format(time.DateOnly)

	admin.get("/admin/audit?whom=whales").want(t, http.StatusOK, older).lacks(t, old)
	admin.get("/admin/audit?whom=Whale").want(t, http.StatusOK, "Nothing of the kind")
	admin.get("/admin/audit?kind=jwt").want(t, http.StatusOK, old).lacks(t, older)
	admin.get("/admin/audit?to="+first).want(t, http.StatusOK, older).lacks(t, old)
	admin.get("/admin/audit?from="+second).want(t, http.StatusOK, old).lacks(t, older)
	admin.get("/admin/audit?from="+second+"&to="+second).want(t, http.StatusOK, old).lacks(t, older)
	admin.get("/admin/audit?from="+first+"&to="+first+"&name=rob+tremaine").want(t, http.StatusOK, older).lacks(t, old)
	admin.get("/admin/audit?from=yesterday").want(t, http.StatusUnprocessableEntity, "A day looks like 2026-11-30.", "Nothing was looked for").lacks(t, older, "log.csv")
	admin.get("/admin/audit/log.csv?from=yesterday").want(t, http.StatusSeeOther)
}

func TestExport_isTheLogAsItIsFiltered(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		admin := s.as(alan)
		rob := school.Person{ID: fixedID("rob"), Name: "Rob Tremaine"}
		var lines []school.Event
		for range 150 { // more than a page of the database
			lines = append(lines, school.Event{Action: school.ActionPublish, Actor: rob, Subject: "Stars", Session: "jwt", Address: "192.0.2.7"})
		}
		lines[0].Subject, lines[1].Subject, lines[2].Detail = "Stars, and\n\"more\"", "Others", "ünder <b>"
		s.lines(lines...)
		const filter = "?action=course.publish&name=Rob+Tremaine"
		admin.get("/admin/audit"+filter).want(t, http.StatusOK, `href="/admin/audit/log.csv?action=course.publish&amp;name=Rob+Tremaine"`, `href="/admin/audit/log.jsonl?action=course.publish&amp;name=Rob+Tremaine"`)

		table := admin.get("/admin/audit/log.csv" + filter + "&whom=Others")
		if rows := readTable(t, table); len(rows) != 2 || rows[1][4] != "Others" {
			t.Errorf("filtered further there are %q", rows)
		}
		table = admin.get("/admin/audit/log.csv"+filter).want(t, http.StatusOK)
		if table.header.Get("Content-Disposition") != `attachment; filename="lectern-audit.csv"` || table.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(table.header.Get("Content-Type"), "text/csv") {
			t.Errorf("the headers are %v", table.header)
		}
		rows := readTable(t, table)
		if len(rows) != 151 || rows[150][4] != "Stars, and\n\"more\"" || rows[1][0] != s.Now().Format(time.RFC3339) || rows[1][3] != string(rob.ID) || rows[1][7] != "jwt" || rows[1][8] != "192.0.2.7" {
			t.Errorf("there are %d rows, the last is %q", len(rows), rows[len(rows)-1])
		}

		objects := strings.Split(strings.TrimSuffix(admin.get("/admin/audit/log.jsonl"+filter).want(t, http.StatusOK).body, "\n"), "\n")
		var last struct{ Detail, Actor, Subject string }
		must(t, json.Unmarshal([]byte(objects[147]), &last))
		if len(objects) != 150 || last.Detail != "ünder <b>" || last.Actor != "Rob Tremaine" || last.Subject != "Stars" {
			t.Errorf("there are %d objects, one is %+v", len(objects), last)
		}
		if got := admin.get("/admin/audit/log.jsonl?name=Nobody").want(t, http.StatusOK); got.body != "" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("of nobody's lines there is %q, Cache-Control %q", got.body, got.header.Get("Cache-Control"))
		}
		head := admin.send(http.MethodHead, "/admin/audit/log.csv", "")
		exports, err := s.db.Events(t.Context(), db.EventQuery{Action: school.ActionAuditExport})
		must(t, err)
		var details []string
		for _, e := range exports.Events {
			details = append(details, e.Actor.Name+": "+e.Detail)
		}
		slices.Sort(details) // they are all of one moment
		if want := []string{
			"Alan Mathison: csv, action course.publish, by Rob Tremaine", "Alan Mathison: csv, action course.publish, by Rob Tremaine, to Others",
			"Alan Mathison: jsonl, action course.publish, by Rob Tremaine", "Alan Mathison: jsonl, by Nobody",
		}; !slices.Equal(details, want) {
			t.Errorf("the lines about it are %q", details)
		}
		if head.status != http.StatusOK || len(exports.Events) != 4 {
			t.Errorf("HEAD answers %d; there are %d lines about exports", head.status, len(exports.Events))
		}
	})
}

// TestExport_holdsNoFormula: a name is whatever somebody typed.
func TestExport_holdsNoFormula(t *testing.T) {
	t.Attr("asvs", "1.2.10")
	s := newSite(t, session.Memory)
	admin := s.as(alan)
	var lines []school.Event
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "a=1", "'=1"} {
		lines = append(lines, school.Event{Action: school.ActionRoleChange, Actor: school.Person{ID: fixedID("ada"), Name: text}, Subject: text, Detail: text, Session: "jwt"})
	}
	s.lines(lines...)
	var got []string
	for _, row := range readTable(t, admin.get("/admin/audit/log.csv?action=role.change"))[1:] {
		if row[2] != row[4] || row[2] != row[6] {
			t.Errorf("the cells of a row differ: %q", row)
		}
		got = append(got, row[2])
	}
	slices.Reverse(got)
	// The line feeds of the table are CR LF, so that a CR of a cell is left out of it.
	if want := []string{"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'=1", "'＝1", "a=1", "'=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func readTable(t *testing.T, a answer) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(a.want(t, http.StatusOK).body)).ReadAll()
	must(t, err)
	if strings.Count(a.body, "\r\n") < len(rows) || !slices.Equal(rows[0], []string{"at", "action", "actor", "actor_id", "subject", "subject_id", "detail", "session", "address", "id"}) {
		t.Fatalf("no table: %q", rows[0])
	}
	return rows
}
