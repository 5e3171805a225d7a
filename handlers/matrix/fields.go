package matrix

import "lectern/handlers/policy"

// Part is a part of a thing that not everybody is shown who is shown the thing.
type Part struct {
	Field policy.Field
	State string // names the thing among those of the field
	What  string // "The e-mail address of somebody else"
	// Pages are where it stands, for whoever is shown it.
	Pages  []string
	object policy.Object
	own    bool
}

// other is somebody who takes no part otherwise.
const other = "ivy"

// Parts are those of the second matrix: every field of policy.
var Parts = []Part{
	{Field: policy.AccountEmail, State: "own", What: "One’s own e-mail address", Pages: []string{"/account", "/api/v1/me"}, own: true},
	{Field: policy.AccountEmail, State: "other", What: "Somebody else’s e-mail address", Pages: []string{"/admin/users", "/admin/users/{ivy}"}, object: policy.Object{Owner: other}},
	{Field: policy.CourseDrafts, State: "published", What: "The drafts in a course that is published", Pages: []string{"/courses/knots", "/courses/knots/lessons/bowline", "/api/v1/courses/knots"}, object: course},
	{Field: policy.AuditLine, State: "own", What: "A line in the log of what one did", Pages: []string{"/admin/audit", "/account?event={event}"}, own: true},
	{Field: policy.AuditLine, State: "other", What: "A line in the log of what somebody else did", Pages: []string{"/admin/audit"}, object: policy.Object{Owner: other}},
}

// PartRow is a part with who is shown it.
type PartRow struct {
	Part
	Cells []PartCell // in the order of Subjects
}

// PartCell says whether one of the people is shown a part: Allow, or Hide.
type PartCell struct {
	Subject Subject
	policy.Decision
}

// PartRows are the whole second matrix.
func PartRows() []PartRow {
	rows := make([]PartRow, 0, len(Parts))
	for _, p := range Parts {
		row := PartRow{Part: p}
		for _, s := range Subjects {
			row.Cells = append(row.Cells, PartCell{s, policy.Disclose(s.actor(), p.Field, objectFor(p.object, p.own, s))})
		}
		rows = append(rows, row)
	}
	return rows
}
