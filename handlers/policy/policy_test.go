package policy_test

import (
	"testing"

	"lectern/db/school"
	. "lectern/handlers/policy"
)

var (
	visitor    = Actor{}
	student    = Actor{User: "sam", Role: school.Student}
	owner      = Actor{User: "olga", Role: school.Instructor}
	instructor = Actor{User: "ines", Role: school.Instructor}
	admin      = Actor{User: "ann", Role: school.Admin}
	demoted    = Actor{User: "olga", Role: school.Student}
	nobody     = Actor{Role: school.Instructor} // a role without a person
)

var (
	none        = Object{}
	course      = Object{Owner: "olga"}
	draft       = Object{Owner: "olga", Draft: true}
	lesson      = Object{Owner: "olga"}
	preview     = Object{Owner: "olga", Preview: true}
	joined      = Object{Owner: "olga", Joined: true}
	joinedDraft = Object{Owner: "olga", Joined: true, Draft: true}
	demo        = Object{Demo: true}
	class       = Object{Owner: "olga"}
)

// TestDecide_isThisTable is the whole policy. Who is refused comes first.
func TestDecide_isThisTable(t *testing.T) {
	t.Attr("asvs", "8.2.1 8.2.2")
	for _, row := range []struct {
		says   string
		action Action
		object Object
		want   map[Actor]Verdict
	}{
		{"an unknown action is forbidden to everybody", "course.burn", course, everyone(Forbid)},
		{"only admins see who has an account", UserView, none, only(Forbid, admin)},
		{"only admins look after people", UserManage, none, only(Forbid, admin)},
		{"only admins see how everybody is kept signed in", SiteView, none, only(Forbid, admin)},
		{"only admins switch the site's session", SiteSwitch, none, only(Forbid, admin)},
		{"only admins read the audit log", AuditView, none, only(Forbid, admin)},
		{"only admins take the audit log away", AuditExport, none, only(Forbid, admin)},
		{"only instructors create courses", CourseCreate, none, only(Forbid, owner, instructor)},
		{"students and visitors lead no class", ClassLead, none, only(Forbid, owner, instructor, admin)},
		{"a class is led by whose it is and by admins, and not there for others who lead", ClassLead, class, with(only(Forbid, owner, admin), Hide, instructor)},
		{"students and visitors have no desk", TeachView, none, only(Forbid, owner, instructor, admin)},
		{"a course is edited by its owner and by admins", CourseEdit, course, only(Forbid, owner, admin)},
		{"a draft is not even there for anybody else", CourseEdit, draft, only(Hide, owner, admin)},
		{"a draft is seen by its owner and by admins", CourseView, draft, only(Hide, owner, admin)},
		{"a published course is seen by everybody", CourseView, course, everyone(Allow)},
		{"students and instructors join", CourseJoin, course, only(Forbid, student, owner, instructor, demoted)},
		{"nobody joins a draft, and its editors are told so", CourseJoin, draft, with(everyone(Hide), Forbid, owner, admin)},
		{"a lesson is for its editors until one has joined", LessonView, lesson, only(Forbid, owner, admin)},
		{"a preview lesson is for everybody", LessonView, preview, everyone(Allow)},
		{"a lesson is for those who joined", LessonView, joined, everyone(Allow)},
		{"a draft lesson is hidden even from those who joined", LessonView, joinedDraft, only(Hide, owner, admin)},
		{"nobody finishes a lesson without having joined", LessonComplete, lesson, everyone(Forbid)},
		{"whoever joined finishes lessons", LessonComplete, joined, only(Forbid, student, owner, instructor, demoted, admin)},
		{"a list of courses needs somebody whose it is", LearningView, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"an account page needs somebody whose it is", AccountView, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"a name needs somebody whose it is", AccountEdit, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"a password is changed by whose it is", PasswordChange, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"sessions are ended by whose they are", SessionsEnd, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"a demo account's password is changed by nobody", PasswordChange, demo, everyone(Forbid)},
		{"an address is changed by whose it is", EmailChange, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"a demo account's address by nobody", EmailChange, demo, everyone(Forbid)},
		{"what one proves with is changed by whose it is", FactorsChange, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"a demo account's by nobody", FactorsChange, demo, everyone(Forbid)},
		{"what is kept of somebody is handed to them", DataDownload, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"an account is deleted by whose it is", AccountDelete, none, only(Forbid, student, owner, instructor, admin, demoted)},
		{"a demo account by nobody", AccountDelete, demo, everyone(Forbid)},
		{"everybody looks around", Browse, none, everyone(Allow)},
		{"everybody sees their own session", SessionRead, none, everyone(Allow)},
		{"everybody uses the lab", LabUse, none, everyone(Allow)},
		{"everybody chooses their own session", SessionSwitch, none, everyone(Allow)},
	} {
		for actor, want := range row.want {
			if got := Decide(actor, row.action, row.object); got.Verdict != want {
				t.Errorf("%s: %s (%q as %q) got %s, want %s", row.says, row.action, actor.User, actor.Role, got.Verdict, want)
			}
		}
	}
}

func TestDecide_tellsTheRule(t *testing.T) {
	for _, action := range Actions {
		if d := Decide(visitor, action, none); d.Rule == "" || d.Rule == Decide(visitor, "no such", none).Rule || d.Action != action {
			t.Errorf("%s decides by %q", action, d.Rule)
		}
	}
}

func TestNeedsSignIn_isTrueOnlyWhereNoVisitorIsEverAllowed(t *testing.T) {
	objects := []Object{none, course, draft, preview, joined, joinedDraft, demo}
	for _, action := range Actions {
		allowed := false
		for _, object := range objects {
			allowed = allowed || Decide(visitor, action, object).Allowed()
		}
		if NeedsSignIn(action) == allowed {
			t.Errorf("%s: NeedsSignIn is %v, and a visitor may do it: %v", action, NeedsSignIn(action), allowed)
		}
	}
	if !NeedsSignIn("no such") {
		t.Error("an unknown action is open to visitors")
	}
}

// TestNeedsConfirming_isWhatOutlivesASession: whoever sits down at a browser that was left
// open must not be able to keep the account, nor what an admin can give away.
func TestNeedsConfirming_isWhatOutlivesASession(t *testing.T) {
	outlives := map[Action]bool{PasswordChange: true, EmailChange: true, FactorsChange: true, SessionsEnd: true, DataDownload: true, AccountDelete: true, UserManage: true, SiteSwitch: true, AuditExport: true}
	for _, action := range Actions {
		if NeedsConfirming(action) != outlives[action] {
			t.Errorf("%s: NeedsConfirming is %v", action, NeedsConfirming(action))
		}
	}
}

func everyone(v Verdict) map[Actor]Verdict {
	return map[Actor]Verdict{visitor: v, student: v, owner: v, instructor: v, admin: v, demoted: v, nobody: v}
}

// only allows some, and gives everybody else the other verdict.
func only(other Verdict, allowed ...Actor) map[Actor]Verdict {
	return with(everyone(other), Allow, allowed...)
}

func with(all map[Actor]Verdict, v Verdict, some ...Actor) map[Actor]Verdict {
	for _, actor := range some {
		all[actor] = v
	}
	return all
}
