package matrix

import (
	"net/http"

	"lectern/db/school"
	"lectern/handlers/policy"
)

// The courses of the small school, both of them the owner's, and a class.
var (
	course      = policy.Object{Owner: owner}
	courseDraft = policy.Object{Owner: owner, Draft: true}
	preview     = policy.Object{Owner: owner, Preview: true}
	class       = policy.Object{Owner: owner}
)

func get(path string) Request { return Request{Method: http.MethodGet, Path: path} }

// post is a form given as name, value, name, value, …
func post(path string, fields ...string) Request {
	r := Request{Method: http.MethodPost, Path: path}
	for i := 0; i+1 < len(fields); i += 2 {
		r.Form = append(r.Form, Field{fields[i], fields[i+1]})
	}
	return r
}

// newPassword is what a password is changed to.
const newPassword = "three quiet herons at noon"

// Cases are those that the matrix shows: every action of policy, with the thing in
// each state that makes a difference to somebody.
var Cases = []Case{
	{Action: policy.Browse, State: "site", Does: "Look around", Request: get("/")},
	{Action: policy.SessionRead, State: "own", Does: "See what the site knows of one’s session", Request: get("/api/v1/session")},
	{Action: policy.SessionSwitch, State: "own", Does: "Choose the kind of one’s session", Request: post("/session/backend", "backend", "database")},
	{Action: policy.LabUse, State: "site", Does: "Use the lab", Request: get("/lab")},
	{Action: policy.ClassLead, State: "new", Does: "Lead a class", To: "of one’s own", Request: get("/lab/class")},
	{Action: policy.ClassLead, State: "others", Does: "Lead a class", To: "of the owner’s", Request: get("/lab/class/K7M3P"), object: class},

	{Action: policy.CourseView, State: "published", Does: "See a course", To: "that is published", Request: get("/courses/knots"), object: course},
	{Action: policy.CourseView, State: "draft", Does: "See a course", To: "that is a draft", Request: get("/courses/splices"), object: courseDraft},
	{Action: policy.CourseJoin, State: "published", Does: "Join a course", To: "that is published", Request: post("/courses/knots/join"), object: course},
	{Action: policy.CourseJoin, State: "draft", Does: "Join a course", To: "that is a draft", Request: post("/courses/splices/join"), object: courseDraft},
	{Action: policy.LessonView, State: "preview", Does: "Read a lesson", To: "that is a preview", Request: get("/courses/knots/lessons/bowline"), object: preview},
	{Action: policy.LessonView, State: "locked", Does: "Read a lesson", To: "for those who joined", Request: get("/courses/knots/lessons/sheet-bend"), object: course},
	{Action: policy.LessonView, State: "draft", Does: "Read a lesson", To: "that is a draft", Request: get("/courses/knots/lessons/turks-head"), object: courseDraft},
	{Action: policy.LessonComplete, State: "published", Does: "Finish a lesson", To: "that is published", Request: post("/courses/knots/lessons/sheet-bend/done"), object: course},
	{Action: policy.LessonComplete, State: "draft", Does: "Finish a lesson", To: "that is a draft", Request: post("/courses/knots/lessons/turks-head/done"), object: courseDraft},
	{Action: policy.LearningView, State: "own", Does: "See one’s list of courses", Request: get("/learning")},

	{Action: policy.AccountView, State: "page", Does: "See one’s account", To: "as a page", Request: get("/account"), own: true},
	{Action: policy.AccountView, State: "program", Does: "See one’s account", To: "by a program", Request: get("/api/v1/me"), own: true},
	{Action: policy.AccountEdit, State: "own", Does: "Change one’s name", Request: post("/account/profile", "name", "Somebody Else"), own: true},
	{Action: policy.PasswordChange, State: "own", Does: "Change one’s password", To: "on an account of one’s own", Request: post("/account/password", "current", "{password}", "new", newPassword), own: true},
	{Action: policy.PasswordChange, State: "demo", Does: "Change one’s password", To: "on a demo account", Request: post("/account/password", "current", "{password}", "new", newPassword), object: policy.Object{Demo: true}, own: true},
	{Action: policy.EmailChange, State: "own", Does: "Change one’s address", To: "on an account of one’s own", Request: post("/account/email", "email", "elsewhere@lectern.example"), own: true},
	{Action: policy.EmailChange, State: "demo", Does: "Change one’s address", To: "on a demo account", Request: post("/account/email", "email", "elsewhere@lectern.example"), object: policy.Object{Demo: true}, own: true},
	{Action: policy.FactorsChange, State: "own", Does: "Set up a way to sign in", To: "on an account of one’s own", Request: post("/account/authenticator"), own: true},
	{Action: policy.FactorsChange, State: "demo", Does: "Set up a way to sign in", To: "on a demo account", Request: post("/account/authenticator"), object: policy.Object{Demo: true}, own: true},
	{Action: policy.DataDownload, State: "own", Does: "Download what is kept of oneself", Request: get("/account/data.json"), own: true},
	{Action: policy.AccountDelete, State: "own", Does: "Delete one’s account", To: "of one’s own", Request: get("/account/delete"), own: true},
	{Action: policy.AccountDelete, State: "demo", Does: "Delete one’s account", To: "that is a demo account", Request: get("/account/delete"), object: policy.Object{Demo: true}, own: true},
	{Action: policy.SessionsEnd, State: "own", Does: "End one’s other sessions", Request: post("/account/sessions/end-others"), own: true},

	{Action: policy.TeachView, State: "own", Does: "See the desk", Request: get("/teach")},
	{Action: policy.CourseCreate, State: "new", Does: "Begin a course", Request: post("/teach/courses", "title", "Lashings", "summary", "What holds two poles together.", "topic", string(school.Topics[0]), "level", string(school.Levels[0]), "learn", "Tie a square lashing.", "description", "For everybody with two poles.")},
	{Action: policy.CourseEdit, State: "published", Does: "Edit a course", To: "that is published", Request: get("/teach/courses/knots"), object: course},
	{Action: policy.CourseEdit, State: "draft", Does: "Edit a course", To: "that is a draft", Request: get("/teach/courses/splices"), object: courseDraft},

	{Action: policy.UserView, State: "list", Does: "See people", To: "in the list of all", Request: get("/admin/users")},
	{Action: policy.UserView, State: "other", Does: "See people", To: "one by one", Request: get("/admin/users/{ivy}")},
	{Action: policy.UserManage, State: "other", Does: "Look after people", Request: post("/admin/users/{ivy}/role", "role", string(school.Instructor))},
	{Action: policy.SiteView, State: "site", Does: "See everybody’s kind of session", Request: get("/admin/sessions")},
	{Action: policy.SiteSwitch, State: "site", Does: "Choose everybody’s kind of session", Request: post("/admin/sessions/revocation", "revocation", "cutoff")},
	{Action: policy.AuditView, State: "site", Does: "Read the audit log", Request: get("/admin/audit")},
	{Action: policy.AuditExport, State: "site", Does: "Take the audit log away", Request: get("/admin/audit/log.csv")},
}
