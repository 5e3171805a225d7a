package handlers

import (
	"testing"

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
