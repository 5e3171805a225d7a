package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"lectern/db/school"
	"lectern/handlers/session"
)

// slipped are fields that no form has, unless it says so itself: who somebody is, whose
// a thing is, and in what state.
var slipped = []string{
	"role", "admin", "id", string(fixedID("alan")), "user", string(fixedID("alan")), "user_id", string(fixedID("alan")), "owner", string(fixedID("rob")), "owner_id", string(fixedID("rob")),
	"course_id", string(fixedID("course-stars")), "chapter_id", string(fixedID("chapter-starsone")), "status", "archived", "email", "slipped@school.example", "demo", "1",
	"disabled_at", "1", "created_at", "1", "slug", "slipped", "password_hash", "x", "is_admin", "true", "User.Role", "admin", "role[]", "admin",
}

// school is who everybody is and whose everything is, a line each, without what every
// site draws anew.
func (s *site) school(ctx context.Context) []string {
	s.t.Helper()
	var lines []string
	for name, query := range map[string]string{
		"user":   `SELECT name || ' ' || email || ' ' || role || ' ' || demo || ' ' || COALESCE(disabled_at, 0) || ' ' || created_at FROM users`,
		"course": `SELECT c.title || ' ' || c.slug || ' ' || c.status || ' ' || u.email FROM courses AS c JOIN users AS u ON u.id = c.owner_id`,
		"lesson": `SELECT l.title || ' ' || l.slug || ' ' || l.status || ' ' || l.preview || ' ' || h.title || ' ' || c.slug FROM lessons AS l JOIN chapters AS h ON h.id = l.chapter_id JOIN courses AS c ON c.id = h.course_id`,
		"place":  `SELECT u.email || ' ' || c.slug FROM enrolments AS e JOIN users AS u ON u.id = e.user_id JOIN courses AS c ON c.id = e.course_id`,
		"event":  `SELECT action || ' ' || actor_name || ' ' || subject FROM audit_events`,
	} {
		rows, err := s.db.Reader().QueryContext(ctx, query)
		must(s.t, err)
		for rows.Next() {
			var line string
			must(s.t, rows.Scan(&line))
			lines = append(lines, name+" "+line)
		}
		must(s.t, rows.Err())
		must(s.t, rows.Close())
	}
	slices.Sort(lines)
	return lines
}

// TestForms_ignoreWhatTheyDoNotAskFor sends every form of the site twice, on two sites
// that are alike: as it is, and with fields that nobody asked for. The answers and the
// schools are the same afterwards.
func TestForms_ignoreWhatTheyDoNotAskFor(t *testing.T) {
	t.Attr("asvs", "8.2.3 15.3.3")
	forms := 0
	for _, r := range rows {
		method, path, _ := strings.Cut(r.route, " ")
		if method != http.MethodPost || r.json != "" {
			continue
		}
		forms++
		if r.path != "" {
			path = r.path
		}
		// Whoever may do the least of those who may do it has the most to gain.
		for _, who := range []string{"", ada, grace, alan} {
			if r.want.each()[who] >= http.StatusBadRequest {
				continue
			}
			t.Run(fmt.Sprintf("%s as %s", r.route, who), func(t *testing.T) {
				t.Parallel()
				plain, laden := withClass(t, session.Database), withClass(t, session.Database)
				fields := slices.Clone(r.fields)
				for i := 0; i < len(slipped); i += 2 {
					if !slices.Contains(r.fields, slipped[i]) {
						fields = append(fields, slipped[i], slipped[i+1])
					}
				}
				asked := plain.enter(who).post(path, r.fields...)
				got := laden.enter(who).post(path, fields...)
				if got.status != asked.status {
					t.Errorf("%s answers %d, and without them %d", r.says, got.status, asked.status)
				}
				before, after := plain.school(t.Context()), laden.school(t.Context())
				for _, line := range after {
					if !slices.Contains(before, line) {
						t.Errorf("%s: with them there is %s", r.says, line)
					}
				}
				if len(before) != len(after) {
					t.Errorf("%s: %d lines, and without them %d", r.says, len(after), len(before))
				}
			})
			break
		}
	}
	if forms < 30 {
		t.Errorf("only %d forms were found", forms)
	}
}

// TestForms_readNothingFromTheAddress: a field that stands in the address in place of
// the form has not been sent.
func TestForms_readNothingFromTheAddress(t *testing.T) {
	t.Attr("asvs", "15.3.7")
	s := newSite(t, session.Database)
	q := url.Values{"role": {"admin"}, "name": {"Queen"}}.Encode()
	s.enter(ada).post("/account/profile?"+q).want(t, http.StatusUnprocessableEntity)
	s.enter(alan).post(person(bea)+"/role?"+q).want(t, http.StatusUnprocessableEntity)
	for _, who := range []string{"ada", "bea"} {
		user, err := s.db.User(t.Context(), fixedID(who))
		must(t, err)
		if user.Name == "Queen" || user.Role != school.Student {
			t.Errorf("%s is %s, %s", who, user.Name, user.Role)
		}
	}
}
