package handlers_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// answers are what each kind of person gets: a visitor, a student who has
// joined nothing, the instructor whose course it is, another instructor, and
// an admin.
type answers struct{ visitor, student, owner, other, admin int }

func (a answers) each() map[string]int {
	return map[string]int{"": a.visitor, ada: a.student, grace: a.owner, rob: a.other, alan: a.admin}
}

// The answers that many rows share.
var (
	all200     = answers{200, 200, 200, 200, 200}
	all303     = answers{303, 303, 303, 303, 303}
	ownPage    = answers{303, 200, 200, 200, 200}
	ownForm    = answers{401, 303, 303, 303, 303}
	adminPage  = answers{303, 403, 403, 403, 200}
	adminForm  = answers{401, 403, 403, 403, 303}
	courseForm = answers{401, 403, 303, 403, 303}
	draftForm  = answers{401, 404, 303, 404, 303}
	classForm  = answers{401, 403, 303, 404, 303}
)

// row is one route with a real address and what is sent there.
type row struct {
	says   string
	route  string
	path   string // the route's own where it has no parameters
	fields []string
	json   string // sent instead of fields
	want   answers
}

// rows are the whole site. A route without a row fails the test.
var rows = []row{
	{says: "the front page is for everybody", route: "GET /", want: all200},
	{says: "everybody chooses light or dark", route: "POST /appearance", fields: []string{"theme", "dark"}, want: all303},
	{says: "the door is shown to those outside", route: "GET /signin", want: answers{200, 303, 303, 303, 303}},
	{says: "everybody may sign in, also as somebody else", route: "POST /signin", fields: []string{"email", bea, "password", password}, want: all303},
	{says: "an account is opened by those who have none", route: "GET /signup", want: answers{200, 303, 303, 303, 303}},
	{says: "everybody may open an account", route: "POST /signup", fields: []string{"name", "New", "email", "new@school.example", "password", otherPassword}, want: all303},
	{says: "signing out is never refused", route: "POST /signout", want: all303},
	{says: "everybody chooses their own kind of session", route: "POST /session/backend", fields: []string{"backend", session.JWT}, want: all303},
	{says: "a kind of session that is not on offer is refused", route: "POST /session/backend", fields: []string{"backend", "abacus"}, want: answers{422, 422, 422, 422, 422}},
	{says: "a password is exchanged for a token by anybody who knows it", route: "POST /api/v1/tokens", json: credentials(bea, password), want: all200},
	{says: "and by nobody else", route: "POST /api/v1/tokens", json: credentials(bea, otherPassword), want: answers{401, 401, 401, 401, 401}},
	{says: "a program is told who it acts for", route: "GET /api/v1/me", want: answers{401, 200, 200, 200, 200}},
	{says: "what each kind of session can do is for everybody", route: "GET /sessions", want: all200},
	{says: "everybody sees their own session", route: "GET /api/v1/session", want: all200},
	{says: "programs see the catalogue", route: "GET /api/v1/courses", want: all200},
	{says: "programs see published courses", route: "GET /api/v1/courses/:course", path: "/api/v1/courses/knots", want: all200},
	{says: "a draft is there for the programs of those who may edit it", route: "GET /api/v1/courses/:course", path: "/api/v1/courses/sails", want: answers{404, 404, 200, 404, 200}},
	{says: "admins join nothing, nor do their programs", route: "PUT /api/v1/courses/:course/enrolment", path: "/api/v1/courses/knots/enrolment", want: answers{401, 200, 200, 200, 403}},
	{says: "a draft is joined by nobody", route: "PUT /api/v1/courses/:course/enrolment", path: "/api/v1/courses/sails/enrolment", want: answers{401, 404, 403, 404, 403}},
	{says: "leaving is for those who may join, whether they have or not", route: "DELETE /api/v1/courses/:course/enrolment", path: "/api/v1/courses/knots/enrolment", want: answers{401, 204, 204, 204, 403}},
	{says: "the API is described to everybody", route: "GET /api/v1/openapi.json", want: all200},

	{says: "an account is for its owner", route: "GET /account", want: ownPage},
	{says: "a name is changed by its owner", route: "POST /account/profile", fields: []string{"name", "Somebody"}, want: ownForm},
	{says: "a name is not empty", route: "POST /account/profile", want: answers{401, 422, 422, 422, 422}},
	{says: "a password is changed by its owner", route: "POST /account/password", fields: []string{"current", password, "new", otherPassword}, want: ownForm},
	{says: "a password is not changed without the present one", route: "POST /account/password", fields: []string{"new", otherPassword}, want: answers{401, 422, 422, 422, 422}},
	{says: "a list of sessions is for their owner", route: "GET /account/sessions", want: ownPage},
	{says: "a session that one does not have is not there", route: "POST /account/sessions/:id/end", path: "/account/sessions/nothing/end", want: answers{401, 404, 404, 404, 404}},
	{says: "a form that waits is passed on for everybody", route: "POST /kept", fields: []string{"kept-action", "/account/profile", "kept-name", "Somebody"}, want: all200},
	{says: "everybody may ask for a code", route: "GET /signin/code", want: all200},
	{says: "and is sent one, or not, which looks the same", route: "POST /signin/code", fields: []string{"email", bea}, want: all303},
	{says: "a code is asked for by whoever began", route: "GET /code", want: answers{400, 400, 400, 400, 400}},
	{says: "and taken from them", route: "POST /code", want: answers{400, 400, 400, 400, 400}},
	{says: "and sent again to them", route: "POST /code/again", want: answers{400, 400, 400, 400, 400}},
	{says: "there is no second step without a first", route: "GET /signin/second", want: answers{400, 400, 400, 400, 400}},
	{says: "nor is it taken", route: "POST /signin/second", want: answers{400, 400, 400, 400, 400}},
	{says: "nor sent", route: "POST /signin/second/text", want: answers{400, 400, 400, 400, 400}},
	{says: "everybody may have forgotten a password", route: "GET /signin/forgotten", want: all200},
	{says: "and say so", route: "POST /signin/forgotten", fields: []string{"email", bea}, want: all303},
	{says: "a new one is for whoever has proved who they are", route: "GET /signin/new-password", want: answers{400, 400, 400, 400, 400}},
	{says: "and taken from them", route: "POST /signin/new-password", fields: []string{"new", otherPassword}, want: answers{400, 400, 400, 400, 400}},
	{says: "everybody may come with another site's word", route: "GET /signin/with/:provider", path: "/signin/with/github", want: all303},
	{says: "with that of a site which is known here", route: "GET /signin/with/:provider", path: "/signin/with/nobody", want: answers{404, 404, 404, 404, 404}},
	{says: "and only if it is the answer to a question", route: "GET /signin/with/:provider", path: "/signin/with/github?code=x&state=y", want: answers{400, 400, 400, 400, 400}},
	{says: "whom it knows and nobody here does is asked who they are", route: "GET /signin/with/:provider/new", path: "/signin/with/github/new", want: answers{400, 400, 400, 400, 400}},
	{says: "and nobody else opens an account so", route: "POST /signin/with/:provider/new", path: "/signin/with/github/new", fields: []string{"name", "New", "email", "new@school.example"}, want: answers{400, 400, 400, 400, 400}},
	{says: "the steps are for whoever went them", route: "GET /signin/with/:provider/steps", path: "/signin/with/github/steps", want: answers{400, 400, 400, 400, 400}},
	{says: "a site that does not say when it asked confirms nothing", route: "GET /confirm/with/:provider", path: "/confirm/with/github", want: answers{303, 400, 400, 400, 400}},
	{says: "another site is connected by whose account it is", route: "GET /account/providers/:provider", path: "/account/providers/github", want: all303},
	{says: "what is not connected is not taken away", route: "POST /account/providers/:id/remove", path: "/account/providers/nothing/remove", want: answers{401, 404, 404, 404, 404}},
	{says: "whoever is signed in can confirm it", route: "GET /confirm", want: ownPage},
	{says: "with their own password", route: "POST /confirm", fields: []string{"password", password}, want: ownForm},
	{says: "or with a code", route: "POST /confirm/code", want: ownForm},
	{says: "a site that has only a number asks for no passkey", route: "POST /signin/passkey/options", want: answers{409, 409, 409, 409, 409}},
	{says: "what was not asked is not answered", route: "POST /signin/passkey", want: answers{400, 400, 400, 400, 400}},
	{says: "no passkey is a second step without a first", route: "POST /signin/second/passkey/options", want: answers{400, 400, 400, 400, 400}},
	{says: "nor is it taken", route: "POST /signin/second/passkey", want: answers{400, 400, 400, 400, 400}},
	{says: "whoever has a passkey can confirm with it", route: "POST /confirm/passkey/options", want: answers{401, 409, 409, 409, 409}},
	{says: "when they were asked", route: "POST /confirm/passkey", want: answers{401, 400, 400, 400, 400}},
	{says: "a passkey is asked for by its owner", route: "POST /account/passkeys/options", want: answers{401, 409, 409, 409, 409}},
	{says: "and added by them", route: "POST /account/passkeys", fields: []string{"name", "Blue key"}, want: answers{401, 400, 400, 400, 400}},
	{says: "a passkey that one does not have is not renamed", route: "POST /account/passkeys/:id/rename", path: "/account/passkeys/nothing/rename", fields: []string{"name", "Blue key"}, want: answers{401, 404, 404, 404, 404}},
	{says: "nor removed", route: "POST /account/passkeys/:id/remove", path: "/account/passkeys/nothing/remove", want: answers{401, 404, 404, 404, 404}},
	{says: "the ways to sign in are shown to whose they are", route: "GET /account/ways", want: ownPage},
	{says: "an address is changed by its owner", route: "POST /account/email", fields: []string{"email", "new@school.example"}, want: ownForm},
	{says: "there is no second step before there is something that could be it", route: "POST /account/two-step", fields: []string{"on", "1"}, want: answers{401, 409, 409, 409, 409}},
	{says: "a telephone is added by its owner", route: "POST /account/phone", fields: []string{"phone", "+447700900123"}, want: ownForm},
	{says: "what is not there is not taken away", route: "POST /account/phone/remove", want: answers{401, 404, 404, 404, 404}},
	{says: "an authenticator app is set up by its owner", route: "POST /account/authenticator", want: ownForm},
	{says: "where they began it", route: "GET /account/authenticator", want: answers{303, 400, 400, 400, 400}},
	{says: "and nowhere else", route: "POST /account/authenticator/add", want: answers{401, 400, 400, 400, 400}},
	{says: "an app that is not there is not taken away", route: "POST /account/authenticator/remove", want: answers{401, 404, 404, 404, 404}},
	{says: "recovery codes stand in for something", route: "POST /account/recovery-codes", want: answers{401, 409, 409, 409, 409}},
	{says: "what is kept of somebody is handed to them", route: "GET /account/data.json", want: ownPage},
	{says: "an account is deleted by whose it is, on a page that says what happens", route: "GET /account/delete", want: ownPage},
	{says: "by whoever types its address", route: "POST /account/delete", fields: []string{"email", "nobody@school.example"}, want: answers{401, 422, 422, 422, 422}},
	{says: "the other sessions are ended by their owner", route: "POST /account/sessions/end-others", want: ownForm},

	{says: "the list of people is for admins", route: "GET /admin/users", want: adminPage},
	{says: "one person is shown to admins", route: "GET /admin/users/:id", path: person(bea), want: adminPage},
	{says: "nobody learns who does not exist", route: "GET /admin/users/:id", path: person("nobody@school.example"), want: answers{303, 403, 403, 403, 404}},
	{says: "admins change roles", route: "POST /admin/users/:id/role", path: person(bea) + "/role", fields: []string{"role", "instructor"}, want: adminForm},
	{says: "the last admin stays one", route: "POST /admin/users/:id/role", path: person(alan) + "/role", fields: []string{"role", "student"}, want: answers{401, 403, 403, 403, 409}},
	{says: "there are three roles", route: "POST /admin/users/:id/role", path: person(bea) + "/role", fields: []string{"role", "king"}, want: answers{401, 403, 403, 403, 422}},
	{says: "admins close accounts", route: "POST /admin/users/:id/disable", path: person(bea) + "/disable", want: adminForm},
	{says: "admins open accounts again", route: "POST /admin/users/:id/enable", path: person(bea) + "/enable", want: adminForm},
	{says: "admins end sessions", route: "POST /admin/users/:id/end-sessions", path: person(bea) + "/end-sessions", want: adminForm},
	{says: "admins take away what somebody has lost", route: "POST /admin/users/:id/factors", path: person(bea) + "/factors", fields: []string{"what", "phone"}, want: adminForm},
	{says: "they do so with others, not with themselves", route: "POST /admin/users/:id/factors", path: person(alan) + "/factors", fields: []string{"what", "phone"}, want: answers{401, 403, 403, 403, 409}},
	{says: "admins ask somebody for a new password", route: "POST /admin/users/:id/password-reset", path: person(bea) + "/password-reset", want: adminForm},
	{says: "admins see what deleting an account comes to", route: "GET /admin/users/:id/delete", path: person(bea) + "/delete", want: adminPage},
	{says: "admins delete accounts", route: "POST /admin/users/:id/delete", path: person(bea) + "/delete", fields: []string{"email", bea}, want: adminForm},
	{says: "admins see who is invited", route: "GET /admin/invitations", want: adminPage},
	{says: "admins invite", route: "POST /admin/invitations", fields: []string{"name", "Cleo", "email", cleo, "role", "student"}, want: adminForm},
	{says: "what was not sent is not taken back", route: "POST /admin/invitations/:id/revoke", path: "/admin/invitations/" + string(fixedID("bea")) + "/revoke", want: answers{401, 403, 403, 403, 404}},
	{says: "an invitation is for whoever has it", route: "GET /invitation/:token", path: "/invitation/nothing", want: answers{404, 404, 404, 404, 404}},
	{says: "and for nobody else", route: "POST /invitation/:token", path: "/invitation/nothing", fields: []string{"password", otherPassword}, want: answers{404, 404, 404, 404, 404}},
	{says: "the site's sessions are shown to admins", route: "GET /admin/sessions", want: adminPage},
	{says: "admins switch the site", route: "POST /admin/sessions", fields: []string{"backend", session.JWT, "existing", "carry"}, want: adminForm},
	{says: "admins choose what can end a token", route: "POST /admin/sessions/revocation", fields: []string{"revocation", session.RevokeCutoff}, want: adminForm},
	{says: "there are three ways to end a token", route: "POST /admin/sessions/revocation", fields: []string{"revocation", "hope"}, want: answers{401, 403, 403, 403, 422}},
	{says: "the audit log is for admins", route: "GET /admin/audit", want: adminPage},
	{says: "and as a table", route: "GET /admin/audit/log.csv", want: adminPage},
	{says: "and line by line", route: "GET /admin/audit/log.jsonl", want: adminPage},

	{says: "the lab is for everybody", route: "GET /lab", want: all200},
	{says: "the matrix of who may do what is for everybody", route: "GET /lab/permissions", want: all200},
	{says: "and every cell of it is asked by everybody", route: "POST /lab/permissions/run", path: "/lab/permissions/run", fields: []string{"cell", "user.view.list.student", "kind", session.JWT}, want: all303},
	{says: "which rows of the standard are proved is for everybody", route: "GET /lab/asvs", want: all200},
	{says: "an experiment is for everybody", route: "GET /lab/:experiment", path: "/lab/steal-the-cookie", want: all200},
	{says: "an experiment that there is not is not there", route: "GET /lab/:experiment", path: "/lab/alchemy", want: answers{404, 404, 404, 404, 404}},
	{says: "everybody predicts", route: "POST /lab/:experiment/predict", path: "/lab/steal-the-cookie/predict", fields: []string{"jwt", "refused"}, want: all303},
	{says: "one predicts one of two things", route: "POST /lab/:experiment/predict", path: "/lab/steal-the-cookie/predict", fields: []string{"jwt", "perhaps"}, want: answers{422, 422, 422, 422, 422}},
	{says: "nobody runs what they have not predicted", route: "POST /lab/:experiment/run", path: "/lab/steal-the-cookie/run", want: answers{409, 409, 409, 409, 409}},
	{says: "nobody explains what they have not run", route: "POST /lab/:experiment/explain", path: "/lab/steal-the-cookie/explain", fields: []string{"because", "1"}, want: answers{409, 409, 409, 409, 409}},
	{says: "everybody begins anew", route: "POST /lab/:experiment/reset", path: "/lab/steal-the-cookie/reset", want: all303},
	{says: "the experiments are listed for everybody's programs", route: "GET /api/v1/lab/experiments", want: all200},
	{says: "and run by them", route: "POST /api/v1/lab/experiments/:experiment/runs", path: "/api/v1/lab/experiments/steal-the-cookie/runs", want: all200},

	{says: "classes are opened by those who teach", route: "GET /lab/class", want: answers{303, 403, 200, 200, 200}},
	{says: "and by nobody else", route: "POST /lab/class", fields: []string{"experiment", replaySlug}, want: answers{401, 403, 303, 303, 303}},
	{says: "a class is led by whose it is, and by admins", route: "GET /lab/class/:code", path: leadsClass, want: answers{303, 403, 200, 404, 200}},
	{says: "and they alone are told how it stands", route: "GET /lab/class/:code/events", path: "/lab/class/34679/events", want: answers{303, 403, 404, 404, 404}},
	{says: "they ask it", route: "POST /lab/class/:code/ask", path: leadsClass + "/ask", fields: []string{"experiment", replaySlug}, want: classForm},
	{says: "they hide its tally", route: "POST /lab/class/:code/tally", path: leadsClass + "/tally", fields: []string{"tally", "hidden"}, want: classForm},
	{says: "they run it", route: "POST /lab/class/:code/run", path: leadsClass + "/run", fields: []string{"round", "1"}, want: classForm},
	{says: "they end it", route: "POST /lab/class/:code/end", path: leadsClass + "/end", want: classForm},
	{says: "everybody may type a code", route: "GET /c", want: all200},
	{says: "everybody may come into a class", route: "GET /c/:code", path: joinsClass, want: all200},
	{says: "a class that is not there is not there for anybody", route: "GET /c/:code/events", path: "/c/34679/events", want: answers{404, 404, 404, 404, 404}},
	{says: "nobody predicts in a round that is not on", route: "POST /c/:code/predict", path: joinsClass + "/predict", fields: []string{"round", "7", "jwt", "accepted"}, want: answers{409, 409, 409, 409, 409}},

	{says: "the components are for everybody in a demonstration", route: "GET /demo/components", want: all200},
	{says: "the inbox is for everybody in a demonstration", route: "GET /demo/inbox", want: all200},

	{says: "the catalogue is for everybody", route: "GET /courses", want: all200},
	{says: "a published course is for everybody", route: "GET /courses/:course", path: "/courses/knots", want: all200},
	{says: "a draft is there for those who may edit it", route: "GET /courses/:course", path: "/courses/sails", want: answers{404, 404, 200, 404, 200}},
	{says: "a preview lesson is for everybody", route: "GET /courses/:course/lessons/:lesson", path: "/courses/knots/lessons/one-first", want: all200},
	{says: "a lesson is for those who joined, or edit it", route: "GET /courses/:course/lessons/:lesson", path: "/courses/knots/lessons/one-second", want: answers{303, 403, 200, 403, 200}},
	{says: "admins join nothing", route: "POST /courses/:course/join", path: "/courses/knots/join", want: answers{401, 303, 303, 303, 403}},
	{says: "leaving is for those who may join", route: "POST /courses/:course/leave", path: "/courses/knots/leave", want: answers{401, 303, 303, 303, 403}},
	{says: "a lesson is finished by those who joined", route: "POST /courses/:course/lessons/:lesson/done", path: "/courses/knots/lessons/one-first/done", want: answers{401, 403, 403, 403, 403}},
	{says: "and only they take that back", route: "POST /courses/:course/lessons/:lesson/undone", path: "/courses/knots/lessons/one-first/undone", want: answers{401, 403, 403, 403, 403}},
	{says: "whoever is signed in has a list of courses", route: "GET /learning", want: ownPage},

	{says: "the desk is for those who teach", route: "GET /teach", want: answers{303, 403, 200, 200, 200}},
	{says: "instructors begin courses", route: "GET /teach/new", want: answers{303, 403, 200, 200, 403}},
	{says: "a course is edited by its owner and by admins", route: "GET /teach/courses/:course", path: "/teach/courses/knots", want: answers{303, 403, 200, 403, 200}},
	{says: "a draft is hidden from other instructors", route: "GET /teach/courses/:course", path: "/teach/courses/sails", want: answers{303, 404, 200, 404, 200}},
	{says: "instructors create courses", route: "POST /teach/courses", fields: []string{"title", "Ropes", "summary", "About ropes.", "topic", "design", "level", "first", "learn", "Splice", "description", "D"}, want: answers{401, 403, 303, 303, 403}},
	{says: "a course is published by its owner and by admins", route: "POST /teach/courses/:course/publish", path: "/teach/courses/sails/publish", want: draftForm},
	{says: "and taken back by them", route: "POST /teach/courses/:course/unpublish", path: "/teach/courses/knots/unpublish", want: courseForm},
	{says: "a course is deleted by its owner and by admins", route: "POST /teach/courses/:course/delete", path: "/teach/courses/knots/delete", want: courseForm},
	{says: "whoever may edit it puts a deleted course back, and one that is not deleted is not there to be put", route: "POST /teach/courses/:course/restore", path: "/teach/courses/knots/restore", want: answers{401, 404, 404, 404, 404}},
	{says: "its details are changed by its owner and by admins", route: "POST /teach/courses/:course", path: "/teach/courses/knots", fields: []string{"title", "Ropes", "summary", "About ropes.", "topic", "design", "level", "first", "learn", "Splice", "description", "D", "version", "1"}, want: courseForm},
	{says: "details that are not right come back", route: "POST /teach/courses/:course", path: "/teach/courses/knots", fields: []string{"title", "", "version", "1"}, want: answers{401, 403, 422, 403, 422}},
	{says: "those who teach see what a text will look like", route: "POST /teach/preview", fields: []string{"body", "Text."}, want: answers{401, 403, 200, 200, 200}},

	{says: "chapters are added by whoever edits the course", route: "POST /teach/courses/:course/chapters", path: "/teach/courses/knots/chapters", fields: []string{"title", "Three"}, want: courseForm},
	{says: "a chapter is renamed by them", route: "POST /teach/chapters/:id", path: knotsChapter, fields: []string{"title", "Uno"}, want: courseForm},
	{says: "a chapter is moved by them", route: "POST /teach/chapters/:id/move", path: knotsChapter + "/move", fields: []string{"to", "1"}, want: courseForm},
	{says: "a chapter is deleted by them", route: "POST /teach/chapters/:id/delete", path: knotsChapter + "/delete", want: courseForm},
	{says: "a chapter that is not deleted is not there to be put back", route: "POST /teach/chapters/:id/restore", path: knotsChapter + "/restore", want: answers{401, 404, 404, 404, 404}},
	{says: "lessons are added by whoever edits the course", route: "POST /teach/chapters/:id/lessons", path: knotsChapter + "/lessons", fields: []string{"title", "More", "kind", "reading"}, want: courseForm},
	{says: "a lesson is edited by its owner and by admins", route: "GET /teach/lessons/:id", path: knotsLesson, want: answers{303, 403, 200, 403, 200}},
	{says: "a lesson is saved by them", route: "POST /teach/lessons/:id", path: knotsLesson, fields: []string{"title", "Bends", "kind", "reading", "body", "Text.", "version", "1"}, want: courseForm},
	{says: "a lesson that somebody saved meanwhile is a conflict", route: "POST /teach/lessons/:id", path: knotsLesson, fields: []string{"title", "Bends", "kind", "reading", "body", "Text.", "version", "7"}, want: answers{401, 403, 409, 403, 409}},
	{says: "a lesson is moved by them", route: "POST /teach/lessons/:id/move", path: knotsLesson + "/move", fields: []string{"to", "1"}, want: courseForm},
	{says: "a lesson is published by them", route: "POST /teach/lessons/:id/publish", path: knotsLesson + "/publish", want: courseForm},
	{says: "a lesson is taken back by them", route: "POST /teach/lessons/:id/unpublish", path: knotsLesson + "/unpublish", want: courseForm},
	{says: "a lesson is deleted by them", route: "POST /teach/lessons/:id/delete", path: knotsLesson + "/delete", want: courseForm},
	{says: "a lesson that is not deleted is not there to be put back", route: "POST /teach/lessons/:id/restore", path: knotsLesson + "/restore", want: answers{401, 404, 404, 404, 404}},
}

// A chapter and a lesson of a published course of Grace's.
var (
	knotsChapter = "/teach/chapters/" + string(fixedID("chapter-knotsone"))
	knotsLesson  = "/teach/lessons/" + string(fixedID("lesson-knotsone-first"))
)

// A class of Grace's.
const (
	leadsClass = "/lab/class/K7M3P"
	joinsClass = "/c/K7M3P"
)

// withClass is a site in which Grace has asked a class.
func withClass(t *testing.T, backend string) *site {
	s := startSite(t, backend, true, setting{github: true})
	must(t, s.db.OpenClass(t.Context(), "K7M3P", fixedID("grace"), s.clock.Now()))
	must(t, s.db.AskClass(t.Context(), "K7M3P", replaySlug, s.clock.Now()))
	return s
}

// TestRoutes_answerEachPersonAsTheyShould walks the whole table, with every
// kind of session.
func TestRoutes_answerEachPersonAsTheyShould(t *testing.T) {
	t.Attr("asvs", "8.2.1 8.2.2 8.3.1")
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			walk(t, backend)
		})
	}
}

func walk(t *testing.T, backend string) {
	shared := withClass(t, backend)
	routes, there := shared.Routes(), map[string]bool{}
	for _, route := range routes {
		there[route] = true
	}
	people := map[string]*browser{}
	for who := range (answers{}).each() {
		people[who] = shared.as(who)
	}
	tested := map[string]bool{}
	for _, r := range rows {
		tested[r.route] = true
		if !there[r.route] {
			t.Errorf("%s: there is no route %s", r.says, r.route)
			continue
		}
		method, path, _ := strings.Cut(r.route, " ")
		if r.path != "" {
			path = r.path
		}
		for who, want := range r.want.each() {
			b := people[who]
			if method != http.MethodGet && want < 400 {
				b = withClass(t, backend).enter(who) // what is done here must not be seen by the next row
			}
			var got answer
			if method == http.MethodGet {
				got = b.get(path)
				if head := b.send(http.MethodHead, path, ""); head.status != got.status || head.body != "" {
					t.Errorf("%s: HEAD %s as %q answers %d with %d bytes, GET %d", r.says, path, who, head.status, len(head.body), got.status)
				}
			} else {
				got = b.submit(method, path, r)
			}
			if got.status != want {
				t.Errorf("%s: %s %s as %q answers %d, want %d", r.says, method, path, who, got.status, want)
			}
		}
	}
	for _, route := range routes {
		if !tested[route] {
			t.Errorf("%s has no row", route)
		}
	}
}

// submit sends what a row says.
func (b *browser) submit(method, path string, r row) answer {
	b.t.Helper()
	switch {
	case r.json != "":
		return b.send(method, path, r.json, "Content-Type", jsonType)
	case method == http.MethodPost:
		return b.post(path, r.fields...)
	}
	return b.send(method, path, "")
}

func TestRoutes_allRequireSomething(t *testing.T) {
	t.Attr("asvs", "8.2.1")
	s := newSite(t, session.Memory)
	if open := s.Unguarded(); len(open) > 0 {
		t.Errorf("without a requirement: %v", open)
	}
	listed := s.Routes()
	outside := []string{"GET /assets/*", "HEAD /assets/*", "GET /covers/:file", "GET /.well-known/jwks.json", "HEAD /.well-known/jwks.json", "GET /healthz", "GET /readyz"}
	for _, served := range s.Served() {
		get := "GET " + strings.TrimPrefix(served, "HEAD ")
		if !slices.Contains(listed, served) && !(strings.HasPrefix(served, "HEAD ") && slices.Contains(listed, get)) && !slices.Contains(outside, served) {
			t.Errorf("%s is served and stands in no table", served)
		}
	}
}

// TestRoutes_refuseOtherMethods sends to every address what it does not take.
func TestRoutes_refuseOtherMethods(t *testing.T) {
	t.Attr("asvs", "3.5.3 4.1.4 13.4.4")
	s := newSite(t, session.Memory)
	takes := map[string][]string{}
	for _, route := range s.Routes() {
		method, path, _ := strings.Cut(route, " ")
		takes[path] = append(takes[path], method)
		if method == http.MethodGet {
			takes[path] = append(takes[path], http.MethodHead)
		}
	}
	for _, who := range []string{"", alan} {
		b := s.as(who)
		for path, methods := range takes {
			address := strings.NewReplacer(":course", "knots", ":lesson", "one-first", ":id", string(fixedID("bea")), ":user", string(fixedID("bea"))).Replace(path)
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace, "BREW"} {
				if slices.Contains(methods, method) || slices.ContainsFunc(s.Routes(), func(r string) bool { return r == method+" "+address }) {
					continue
				}
				got := b.send(method, address, "")
				if got.status != http.StatusMethodNotAllowed {
					t.Errorf("%s %s as %q answers %d", method, address, who, got.status)
					continue
				}
				for _, m := range methods {
					if !strings.Contains(got.header.Get("Allow"), m) {
						t.Errorf("%s %s allows %q, which lacks %s", method, address, got.header.Get("Allow"), m)
					}
				}
				if strings.Contains(got.body, "TRACE "+address) {
					t.Errorf("TRACE %s echoes the request", address)
				}
			}
		}
	}
}

func TestRoutes_answerWhatIsNotThere(t *testing.T) {
	t.Attr("asvs", "13.4.1")
	s := newSite(t, session.Memory)
	for _, who := range []string{"", ada, alan} {
		b := s.as(who)
		for _, path := range []string{"/nothing", "/admin", "/admin/users/x/y", "/courses/knots/nothing", "/.git/config", "/wp-login.php", "/api/v1/nothing", "/assets/nothing.css", "/covers/x"} {
			if got := b.get(path); got.status != http.StatusNotFound {
				t.Errorf("GET %s as %q answers %d", path, who, got.status)
			}
		}
	}
}

func TestComponents_areShownInADemonstrationOnly(t *testing.T) {
	t.Attr("asvs", "15.2.3")
	newSite(t, session.Memory).browser().get("/demo/components").want(t, http.StatusOK)
	startSite(t, session.Memory, false).browser().get("/demo/components").want(t, http.StatusNotFound).lacks(t, strconv.Quote("/demo/components"))
}
