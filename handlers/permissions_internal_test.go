package handlers

import (
	"testing"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/bearer"
	"lectern/handlers/lab"
	"lectern/handlers/matrix"
	"lectern/handlers/policy"
)

// TestPermissionRun_agreesInEverythingOrNotAtAll: an answer that is not the cell's in
// one respect does not agree with it.
func TestPermissionRun_agreesInEverythingOrNotAtAll(t *testing.T) {
	for _, key := range []string{"lesson.view.locked.visitor", "course.join.published.student"} {
		cell, ok := matrix.Find(key)
		if !ok {
			t.Fatalf("there is no %s", key)
		}
		location := "/courses/knots"
		if cell.ToSignIn() {
			location = "/signin?next=%2F"
		}
		run := func(change func(*permissionRun)) permissionRun {
			r := permissionRun{
				Exchange: &lab.Exchange{Response: lab.Response{Status: cell.Status, Headers: map[string]string{"Location": location}}},
				Action:   cell.Case.Action, Verdict: cell.Verdict.String(), Rule: cell.Rule,
			}
			change(&r)
			return r
		}
		if !run(func(*permissionRun) {}).agrees(cell) {
			t.Errorf("%s does not agree with itself", key)
		}
		for says, change := range map[string]func(*permissionRun){
			"another status": func(r *permissionRun) { r.Exchange.Response.Status++ },
			"another way": func(r *permissionRun) {
				r.Exchange.Response.Headers["Location"] = map[bool]string{true: "/", false: "/signin"}[cell.ToSignIn()]
			},
			"another action":  func(r *permissionRun) { r.Action = policy.Browse },
			"another verdict": func(r *permissionRun) { r.Verdict = policy.Hide.String() },
			"another rule":    func(r *permissionRun) { r.Rule = "Because." },
			"no decision":     func(r *permissionRun) { r.Action, r.Rule = "", "" },
		} {
			if run(change).agrees(cell) {
				t.Errorf("%s: %s agrees", key, says)
			}
		}
	}
}

// TestAsShown_leavesOutTheAddress: whatever led somebody to another person's data, the
// address is not in what they are shown.
func TestAsShown_leavesOutTheAddress(t *testing.T) {
	s := &Server{}
	for _, row := range []struct {
		says  string
		asks  bearer.Access
		shown bool
	}{
		{"a visitor", bearer.Access{}, false},
		{"another student", bearer.Access{User: "bea", Role: school.Student}, false},
		{"an instructor", bearer.Access{User: "grace", Role: school.Instructor}, false},
		{"herself", bearer.Access{User: "ada", Role: school.Student}, true},
		{"an admin", bearer.Access{User: "alan", Role: school.Admin}, true},
	} {
		c := echo.New().NewContext(nil, nil)
		c.Set(visitorKey, &visitor{access: &row.asks})
		got := s.asShown(c, school.User{ID: "ada", Name: "Ada Byron", Email: "ada@school.example"})
		if (got.Email != "") != row.shown || got.Name != "Ada Byron" {
			t.Errorf("%s is shown %q, %q", row.says, got.Name, got.Email)
		}
	}
}
