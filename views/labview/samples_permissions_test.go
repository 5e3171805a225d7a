package labview_test

import (
	"lectern/views/labview"
	"lectern/views/ui"
)

// permissions is a matrix with a cell that does not answer as it should.
var permissions = labview.PermissionsProps{
	Roles: []ui.Option{{Label: "Everybody"}, {Value: "student", Label: "Student"}}, Actions: []ui.Option{{Label: "Everything"}, {Value: "lesson.view", Label: "lesson.view"}},
	All:      "/lab/permissions",
	Subjects: []labview.PermissionSubject{{Name: "Visitor", Says: "not signed in"}, {Name: "Student", Says: "has not joined"}, {Name: "Owner", Says: "the instructor whose course it is"}},
	Groups: []labview.PermissionGroup{{Action: "lesson.view", Rule: "A lesson is for those who have joined its course.", Rows: []labview.PermissionRow{
		{Does: "Read a lesson", To: "for those who joined", Request: "GET /courses/knots/lessons/sheet-bend", Cells: []labview.PermissionCell{
			{Href: "/lab/permissions?cell=1#cell", Verdict: labview.Forbidden, Status: 303, ToSignIn: true}, {Href: "/lab/permissions?cell=2#cell", Verdict: labview.Forbidden, Status: 403, Chosen: true}, {Href: "/lab/permissions?cell=3#cell", Verdict: labview.Allowed, Status: 200},
		}},
		{Does: "Read a lesson", To: "that is a draft", Request: "GET /courses/knots/lessons/turks-head", Cells: []labview.PermissionCell{
			{Href: "/lab/permissions?cell=4#cell", Verdict: labview.Hidden, Status: 404}, {Href: "/lab/permissions?cell=5#cell", Verdict: labview.Hidden, Status: 404}, {Href: "/lab/permissions?cell=6#cell", Verdict: labview.Allowed, Status: 200},
		}},
	}}},
	Parts: []labview.PartRow{{Field: "account.email", What: "Somebody else’s e-mail address", Rule: "An e-mail address is shown to the person whose it is, and to admins.", Shown: []bool{false, false, true}}},
	Chosen: &labview.ChosenPermission{
		Key: "2", Who: "Student", Does: "Read a lesson", To: "for those who joined", Request: "GET /courses/knots/lessons/sheet-bend", Verdict: labview.Forbidden, Status: 403,
		Rule:    "A lesson is for those who have joined its course.",
		Sources: []labview.Source{{Title: "handlers/policy/rules.go, line 138", Lines: []labview.SourceLine{{Number: 138, HTML: "return when(o.Preview || o.Joined)", Hot: true}}}},
		Kinds:   []ui.Option{{Value: "jwt", Label: "JWT"}, {Value: "database", Label: "Server, database"}}, Kind: "jwt",
		Result: &labview.PermissionResult{
			Exchange: &labview.Exchange{Request: "GET /courses/knots/lessons/sheet-bend", Status: 200, Text: "OK", Excerpt: "The sheet bend"}, Kind: "jwt", At: "2 October 2026, 14:01",
			Status: 200, Text: "OK", Verdict: labview.Allowed, Action: "site.browse", Rule: "Everybody may look around.", Role: "student", RoleFrom: "token",
		},
	},
}

// permissionsPart is one person and one action of it, with a cell that has to wait.
var permissionsPart = labview.PermissionsProps{
	Roles: permissions.Roles, Role: "student", Actions: permissions.Actions, Action: "course.join", All: "/lab/permissions?action=course.join&role=student",
	Subjects: permissions.Subjects[1:2],
	Groups: []labview.PermissionGroup{{Action: "course.join", Rule: "Students and instructors join published courses.", Rows: []labview.PermissionRow{
		{Does: "Join a course", To: "that is published", Request: "POST /courses/knots/join", Cells: []labview.PermissionCell{{Href: "/lab/permissions?cell=7#cell", Verdict: labview.Allowed, Status: 303, Chosen: true}}},
	}}},
	Chosen: &labview.ChosenPermission{
		Key: "7", Who: "Student", Does: "Join a course", To: "that is published", Request: "POST /courses/knots/join", Form: []labview.Fact{{Name: "lesson", Value: "bowline"}}, Verdict: labview.Allowed, Status: 303,
		Rule: "Students and instructors join published courses.", Kinds: permissions.Chosen.Kinds, Kind: "database", Missing: true,
		Full: &labview.Full{Reason: "So many runs have come from your address that it is the others’ turn.", Wait: "in 10 seconds"},
	},
}
