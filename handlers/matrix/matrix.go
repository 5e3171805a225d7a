// Package matrix lays package policy out as a table that can be read, and asked:
// who, what, to which thing.
//
// It holds no answer of its own. A [Case] says which action is meant, to a thing in
// which state, and which request asks for it; each [Cell] then holds what
// [policy.Decide] says to one of the people, and what that is on the wire. The
// request can be made in a small school in which the people are ([Subjects]) and the
// things are as the case has them, to see whether the site agrees.
//
// Like policy, the package is pure. What it reads of the program's text, to find the
// line that decides (source.go), is handed to it.
package matrix

import (
	"net/http"
	"strings"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// Subject is one of the people whom the rules tell apart.
type Subject struct {
	Key  string // in addresses
	Name string
	Says string // what there is to know of them
	// Person is the first name of who they are in the small school; empty for the
	// visitor.
	Person string
	Role   school.Role
	// Joined: they are in the course that is published.
	Joined bool
}

// owner is whose the courses and the class are.
const owner = "grace"

// Subjects are they, from the one who may least.
var Subjects = []Subject{
	{Key: "visitor", Name: "Visitor", Says: "not signed in"},
	{Key: "student", Name: "Student", Says: "has not joined", Person: "bea", Role: school.Student},
	{Key: "joined", Name: "Joined student", Says: "is in the course", Person: "ada", Role: school.Student, Joined: true},
	{Key: "instructor", Name: "Other instructor", Says: "owns none of this", Person: "rob", Role: school.Instructor},
	{Key: "owner", Name: "Owner", Says: "the instructor whose course it is", Person: owner, Role: school.Instructor},
	{Key: "admin", Name: "Admin", Says: "looks after the school", Person: "alan", Role: school.Admin},
}

// actor is the subject as policy sees them, with a name in place of the id.
func (s Subject) actor() policy.Actor {
	return policy.Actor{User: school.ID(s.Person), Role: s.Role}
}

// Field is a field of a form.
type Field struct{ Name, Value string }

// Request asks the site for a case. In braces stands what the small school knows by
// name: {ivy} is her id, {password} is everybody's.
type Request struct {
	Method, Path string
	Form         []Field
}

// isPage reports whether it is what a browser does to show a page.
func (r Request) isPage() bool {
	return r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/api/")
}

// Case is an action on a thing that is in some state.
type Case struct {
	Action policy.Action
	// State names the thing in addresses, among those of the action.
	State string
	Does  string // "Read a lesson"
	To    string // "that is a draft"; empty where there is nothing more to say
	Request
	object policy.Object
	// own: the thing is whoever asks’s own.
	own bool
}

// Object is what policy is told of the thing when the subject asks.
func (c Case) Object(s Subject) policy.Object { return objectFor(c.object, c.own, s) }

func objectFor(o policy.Object, own bool, s Subject) policy.Object {
	if own {
		o.Owner = school.ID(s.Person)
	}
	o.Joined = s.Joined
	return o
}

// IsDemo reports whether the people of the case have demo accounts.
func (c Case) IsDemo() bool { return c.object.Demo }

// Row is a case with what everybody is answered.
type Row struct {
	Case
	Cells []Cell // in the order of Subjects
}

// Cell is what one of the people is answered.
type Cell struct {
	Case
	Subject Subject
	policy.Decision
	// Status is the answer on the wire.
	Status int
}

// Rows are the whole matrix.
func Rows() []Row {
	rows := make([]Row, 0, len(Cases))
	for _, c := range Cases {
		row := Row{Case: c}
		for _, s := range Subjects {
			row.Cells = append(row.Cells, cellOf(c, s))
		}
		rows = append(rows, row)
	}
	return rows
}

func cellOf(c Case, s Subject) Cell {
	actor := s.actor()
	d, early := policy.Early(actor, c.Action)
	if !early {
		d = policy.Decide(actor, c.Action, c.Object(s))
	}
	return Cell{Case: c, Subject: s, Decision: d, Status: statusOf(c.Request, actor, d)}
}

// statusOf is a decision on the wire. Hidden comes before not signed in: to be asked
// to sign in would tell a visitor that there is something.
func statusOf(r Request, a policy.Actor, d policy.Decision) int {
	switch {
	case d.Verdict == policy.Hide:
		return http.StatusNotFound
	case !d.Allowed() && a.SignedIn():
		return http.StatusForbidden
	case !d.Allowed() && !r.isPage():
		return http.StatusUnauthorized
	case !d.Allowed():
		return http.StatusSeeOther // to the door
	case r.Method == http.MethodPost:
		return http.StatusSeeOther // to what comes next
	}
	return http.StatusOK
}

// ToSignIn reports whether the answer leads to the door: 401 as a page says it.
func (c Cell) ToSignIn() bool { return c.Status == http.StatusSeeOther && !c.Allowed() }

// Key names the cell in addresses: "lesson.view.draft.student".
func (c Cell) Key() string {
	return string(c.Case.Action) + "." + c.State + "." + c.Subject.Key
}

// Find finds a cell by its key.
func Find(key string) (Cell, bool) {
	for _, c := range Cases {
		for _, s := range Subjects {
			if cell := (Cell{Case: c, Subject: s}); cell.Key() == key {
				return cellOf(c, s), true
			}
		}
	}
	return Cell{}, false
}

// Asker is who asks in the cell, as policy sees them.
func (c Cell) Asker() policy.Actor { return c.Subject.actor() }

// Asked is the thing as policy was asked about it: nothing, where the answer was
// given before it was looked up.
func (c Cell) Asked() policy.Object {
	if _, early := policy.Early(c.Asker(), c.Case.Action); early {
		return policy.Object{}
	}
	return c.Object(c.Subject)
}
