package policy

import "lectern/db/school"

// Action is something that a person can try to do.
type Action string

// The actions of this site.
const (
	Browse         Action = "site.browse"     // pages that are for everybody
	SessionRead    Action = "session.read"    // see what the site knows of this very request
	SessionSwitch  Action = "session.switch"  // choose the kind of one's own session
	LabUse         Action = "lab.use"         // predict and run experiments
	ClassLead      Action = "class.lead"      // ask a class in the lab, and run in front of it
	CourseView     Action = "course.view"     // a course page
	CourseJoin     Action = "course.join"     // join and leave
	LessonView     Action = "lesson.view"     // read a lesson
	LessonComplete Action = "lesson.complete" // mark a lesson done, or not done
	LearningView   Action = "learning.view"   // one's own list of courses
	AccountView    Action = "account.view"    // one's own account page
	AccountEdit    Action = "account.edit"    // one's own name
	PasswordChange Action = "password.change" // one's own password
	EmailChange    Action = "email.change"    // one's own address
	FactorsChange  Action = "factors.change"  // what one proves with who one is
	SessionsEnd    Action = "sessions.end"    // one's own sessions
	DataDownload   Action = "data.download"   // all that is kept of oneself
	AccountDelete  Action = "account.delete"  // one's own account
	TeachView      Action = "teach.view"      // the desk with one's own courses
	CourseCreate   Action = "course.create"
	CourseEdit     Action = "course.edit"  // details, chapters, lessons, publishing, deleting
	UserView       Action = "user.view"    // the list of people, one of them, who is invited
	UserManage     Action = "user.manage"  // invite, change roles, reset what somebody proves with, close, delete, end sessions
	SiteView       Action = "site.view"    // which kind of session everybody has
	SiteSwitch     Action = "site.switch"  // choose the kind of everybody's session
	AuditView      Action = "audit.view"   // the log of who did what
	AuditExport    Action = "audit.export" // take all of it away
)

// Actions lists them all.
var Actions = []Action{
	Browse, SessionRead, SessionSwitch, LabUse, ClassLead, CourseView, CourseJoin, LessonView, LessonComplete, LearningView,
	AccountView, AccountEdit, PasswordChange, EmailChange, FactorsChange, SessionsEnd, DataDownload, AccountDelete, TeachView, CourseCreate, CourseEdit, UserView, UserManage, SiteView, SiteSwitch, AuditView, AuditExport,
}

type rule struct {
	sentence string
	signIn   bool // never allowed to a visitor
	confirm  bool // only for somebody who has just proved who they are
	decide   func(Actor, Object) Verdict
}

var rules = map[Action]rule{
	Browse:        {"Everybody may look around.", false, false, everybody},
	SessionRead:   {"Everybody may see their own session.", false, false, everybody},
	SessionSwitch: {"Everybody may choose the kind of their own session.", false, false, everybody},

	LabUse:    {"Everybody may use the lab.", false, false, everybody},
	ClassLead: {"Instructors lead their own classes in the lab; admins lead all; nobody needs leave to take part.", true, false, classLead},

	CourseView:     {"Published courses are for everybody, drafts for those who may edit them.", false, false, courseView},
	CourseJoin:     {"Students and instructors join published courses; admins look after them.", true, false, courseJoin},
	LessonView:     {"A lesson is for those who have joined its course; preview lessons are for everybody.", false, false, lessonView},
	LessonComplete: {"Only those who have joined a course can finish its lessons.", true, false, lessonComplete},
	LearningView:   {"Whoever is signed in has a list of courses.", true, false, signedIn},

	AccountView:    {"An account is shown to the person whose it is.", true, false, signedIn},
	AccountEdit:    {"A name is changed by the person whose it is.", true, false, signedIn},
	PasswordChange: {"A password is changed by the person whose it is; demo accounts keep theirs.", true, true, keeper},
	EmailChange:    {"An address is changed by the person whose it is; demo accounts keep theirs.", true, true, keeper},
	FactorsChange:  {"What somebody proves with who they are is changed by nobody else; demo accounts have their password and nothing more.", true, true, keeper},
	DataDownload:   {"What is kept of somebody is handed to that person, and to nobody else.", true, true, signedIn},
	AccountDelete:  {"An account is deleted by the person whose it is; demo accounts are everybody’s.", true, true, keeper},
	SessionsEnd:    {"Sessions are ended by the person whose they are.", true, true, signedIn},

	TeachView:    {"Instructors have a desk for their courses, and admins one for all; students have none.", true, false, teaches},
	CourseCreate: {"Instructors create courses.", true, false, courseCreate},
	CourseEdit:   {"Instructors edit their own courses; admins edit all.", true, false, courseEdit},

	UserView:    {"Only admins see who has an account.", true, false, admins},
	UserManage:  {"Only admins look after people.", true, true, admins},
	SiteView:    {"Only admins see how everybody is kept signed in.", true, false, admins},
	SiteSwitch:  {"Only admins choose the session of the whole site.", true, true, admins},
	AuditView:   {"Only admins read the audit log.", true, false, admins},
	AuditExport: {"Only admins take the audit log away.", true, true, admins},
}

func everybody(Actor, Object) Verdict { return Allow }

func signedIn(a Actor, _ Object) Verdict { return when(a.SignedIn()) }

func teaches(a Actor, _ Object) Verdict {
	return when(a.Role == school.Instructor || a.Role == school.Admin)
}

func admins(a Actor, _ Object) Verdict { return when(a.Role == school.Admin) }

// keeper is whoever is signed in to an account that is theirs alone, which a demo
// account is not.
func keeper(a Actor, o Object) Verdict { return when(a.SignedIn() && !o.Demo) }

// edits is who may change a course: its owner, as long as they are still an
// instructor, and every admin.
func edits(a Actor, o Object) bool {
	return a.Role == school.Admin || a.Role == school.Instructor && a.User == o.Owner
}

// classLead is who opens a class, where it has no owner yet, and who leads it. To
// others who lead, a class is not even there, since its code lets people in.
func classLead(a Actor, o Object) Verdict {
	switch {
	case teaches(a, o) != Allow:
		return Forbid
	case o.Owner == "" || edits(a, o):
		return Allow
	}
	return Hide
}

func courseEdit(a Actor, o Object) Verdict {
	if edits(a, o) {
		return Allow
	}
	if o.Draft {
		return Hide
	}
	return Forbid
}

func courseView(a Actor, o Object) Verdict {
	if o.Draft && !edits(a, o) {
		return Hide
	}
	return Allow
}

func courseJoin(a Actor, o Object) Verdict {
	if o.Draft && !edits(a, o) {
		return Hide
	}
	return when(learns(a) && !o.Draft)
}

// learns is who takes courses.
func learns(a Actor) bool { return a.Role == school.Student || a.Role == school.Instructor }

func courseCreate(a Actor, _ Object) Verdict { return when(a.Role == school.Instructor) }

func lessonView(a Actor, o Object) Verdict {
	switch {
	case edits(a, o):
		return Allow
	case o.Draft:
		return Hide
	}
	return when(o.Preview || o.Joined)
}

func lessonComplete(a Actor, o Object) Verdict {
	if o.Draft && !edits(a, o) {
		return Hide
	}
	return when(a.SignedIn() && o.Joined)
}

func when(allowed bool) Verdict {
	if allowed {
		return Allow
	}
	return Forbid
}
