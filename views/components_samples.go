package views

import (
	"time"

	"lectern/db/school"
	"lectern/views/ui"
)

// What the components page shows is invented, and stands here.

var sampleSteps = []ui.Step{
	{Name: "Read cookie", Where: "handlers/session/manager.go", Took: 3 * time.Microsecond},
	{Name: "Verify signature", Where: "nothing is signed", Skipped: true},
	{Name: "Look up the record", Where: "handlers/session/serverstore", Took: 160 * time.Microsecond},
	{Name: "Check expiry", Where: "handlers/session/serverstore", Took: time.Microsecond},
}

var sampleCourse = school.Course{
	Slug: "sessions", Title: "Sessions in depth", Summary: "Two ways to stay signed in, and what each of them costs.", Topic: "identity", Level: "second", Number: 3,
	Status: school.Published, Owner: school.Person{Name: "Grace Murray"}, Students: 1204, Lessons: 14, Minutes: 300,
}

func sampleCourseAs(change func(*school.Course)) school.Course {
	c := sampleCourse
	change(&c)
	return c
}

var sampleDay = time.Date(2026, time.November, 2, 12, 0, 0, 0, time.UTC)

var sampleCards = []ui.CourseCardProps{
	{Course: sampleCourse, Level: 3},
	{Course: sampleCourseAs(func(c *school.Course) { c.Slug = "authentication" }), Enrolment: school.Enrolment{JoinedAt: sampleDay, Done: 8}, Level: 3},
	{Course: sampleCourseAs(func(c *school.Course) { c.Slug = "authorization" }), Enrolment: school.Enrolment{JoinedAt: sampleDay, Done: 14, FinishedAt: sampleDay}, Level: 3},
	{Course: sampleCourseAs(func(c *school.Course) { c.Slug = "sql-in-earnest" }), Enrolment: school.Enrolment{JoinedAt: sampleDay, LeftAt: sampleDay, Done: 3}, Level: 3},
	{Course: sampleCourseAs(func(c *school.Course) { c.Slug, c.Status = "plain-words", school.Draft }), Level: 3},
}

var sampleChapters = []ui.OutlineChapter{
	{Title: "The stateless web", Note: "1 of 4", Lessons: []ui.OutlineLesson{
		{Href: "#main", Title: "HTTP forgets you", Kind: school.Reading, Minutes: 12, State: ui.LessonDone},
		{Href: "#main", Title: "The cookie", Kind: school.Lab, Minutes: 18, State: ui.LessonNotYet, Current: true},
		{Href: "#main", Title: "Check yourself", Kind: school.Quiz, Minutes: 8, State: ui.LessonNotYet, Note: "Draft"},
		{Title: "Fixation", Kind: school.Reading, Minutes: 75, State: ui.LessonLocked},
	}},
	{Title: "The wristband", Note: "0 of 2"},
}

// The three lights, in the states that the strips show.
var (
	lightAda       = ui.LightProps{State: ui.Pass, Level: 3, Question: "Who are you?", Small: "authentication", Verdict: "You are Ada Byron.", Reason: "The signature was made with our key.", Where: "handlers/token"}
	lightTicket    = ui.LightProps{State: ui.Pass, Level: 3, Question: "Who are you?", Small: "authentication", Verdict: "Ticket 4417, which is Ada Byron’s.", Reason: "The number proves nothing; the record that it leads to does.", Where: "handlers/session/serverstore"}
	lightUnknown   = ui.LightProps{State: ui.Fail, Level: 3, Question: "Who are you?", Small: "authentication", Verdict: "Unknown.", Reason: "A cookie came, and it was refused. Its time is over."}
	lightNobody    = ui.LightProps{State: ui.None, Level: 3, Question: "Who are you?", Small: "authentication", Verdict: "You have not said.", Reason: "No session cookie came with this request."}
	lightSignedIn  = ui.LightProps{State: ui.Pass, Level: 3, Question: "Are you still signed in?", Small: "session", Verdict: "Yes, until 14:05:00.", Reason: "Nobody was asked whether you signed out."}
	lightHangs     = ui.LightProps{State: ui.Pass, Level: 3, Question: "Are you still signed in?", Small: "session", Verdict: "Yes: the coat still hangs.", Reason: "The record was found, and its time is not over."}
	lightSignedOut = ui.LightProps{State: ui.Fail, Level: 3, Question: "Are you still signed in?", Small: "session", Verdict: "No.", Reason: "The browser has been told to forget the cookie."}
	lightNotIn     = ui.LightProps{State: ui.None, Level: 3, Question: "Are you still signed in?", Small: "session", Verdict: "You are not.", Reason: "There is nothing to be still in."}
	lightAllowed   = ui.LightProps{State: ui.Pass, Level: 3, Question: "May you do this?", Small: "authorization", Verdict: "Yes: lesson.view.", Reason: "You came as student, which is what the token says, true or not by now.", Where: "handlers/policy/rules.go"}
	lightForbidden = ui.LightProps{State: ui.Fail, Level: 3, Question: "May you do this?", Small: "authorization", Verdict: "No: course.edit.", Reason: "Instructors edit their own courses; admins edit all.", Where: "handlers/policy/rules.go"}
	lightNotAsked  = ui.LightProps{State: ui.None, Level: 3, Question: "May you do this?", Small: "authorization", Verdict: "Not asked.", Reason: "There is nobody to ask about."}
)

var (
	sampleBand   = &ui.BandProps{Size: "l", Backend: "jwt", Header: []string{"alg HS256", "typ session+jwt"}, Payload: []string{"sub abcdef…, role student", "iat 13:05:00, exp 14:05:00"}, Signature: []string{"32 bytes", "HMAC-SHA256"}, Label: "A wristband of three segments"}
	sampleTicket = &ui.TicketProps{Size: "l", Number: "4417", Title: "Coat check, Lectern", Text: "192 random bits, kept here as a hash", Label: "A coat-check ticket, number 4417"}
)

func sampleChoices(current string) []BackendChoice {
	return []BackendChoice{
		{Backend: "jwt", Title: "Wristband (JWT)", Text: "You carry everything, signed.", Current: current == "jwt"},
		{Backend: "memory", Title: "Ticket (memory)", Text: "You carry a number, this server remembers the rest.", Current: current == "memory"},
		{Backend: "database", Title: "Ticket (database)", Text: "You carry a number, the database keeps the rest.", Current: current == "database"},
	}
}

// sampleStrips is a strip for each kind of session, for a refused cookie, and
// for nobody.
func sampleStrips() []XRay {
	jwt := XRay{
		ID: "x-jwt", Open: true, Backend: "jwt", Who: lightAda, Session: lightSignedIn, Allowed: lightAllowed, Credential: "JWT, expires 14:05:00", Cookie: "lectern-jwt", Bytes: 412,
		Total: 96 * time.Microsecond, Band: sampleBand, RoleFrom: "the token itself, written 11 minutes ago", OnServer: "nothing about this sign-in. There is no coat.",
		Steps: []ui.Step{{Name: "Read cookie", Where: "handlers/session/manager.go", Took: 3 * time.Microsecond}, {Name: "Verify signature", Where: "handlers/token/read.go", Took: 93 * time.Microsecond}, {Name: "Store look-up", Where: "nothing to look up", Skipped: true}},
	}
	memory := XRay{
		ID: "x-memory", Backend: "memory", Who: lightTicket, Session: lightHangs, Allowed: lightAllowed, Credential: "Ticket 4417", Cookie: "lectern-sid", Bytes: 43, Reads: 1,
		Total: 9 * time.Microsecond, Ticket: sampleTicket, Place: "this server’s memory", RoleFrom: "the record on the server, just now", Steps: sampleSteps,
		Hook: []Fact{{"user", "abcdef…, role student"}, {"created", "13:50:00, with a password"}},
	}
	database := memory
	database.ID, database.Open, database.Backend, database.Place, database.Allowed = "x-database", true, "database", "the database, table sessions", lightForbidden
	database.Credential, database.Total, database.Writes = "Ticket 4417, just seen", 231*time.Microsecond, 1
	refusedToken := XRay{
		ID: "x-refused-jwt", Open: true, Backend: "none", Who: lightUnknown, Session: lightSignedOut, Allowed: lightNotAsked, Credential: "Refused: expired", Cookie: "lectern-jwt", Bytes: 412,
		Refused: "jwt", Refusal: "expired", Total: 90 * time.Microsecond, RoleFrom: "nowhere: there is no role without a person", Steps: jwt.Steps[:2],
	}
	refusedTicket := refusedToken
	refusedTicket.ID, refusedTicket.Open, refusedTicket.Credential, refusedTicket.Cookie, refusedTicket.Bytes = "x-refused-ticket", false, "Refused: unknown-id", "lectern-sid", 43
	refusedTicket.Refused, refusedTicket.Refusal, refusedTicket.Reads, refusedTicket.Steps = "database", "unknown-id", 1, sampleSteps
	nobody := XRay{
		ID: "x-none", Backend: "none", Who: lightNobody, Session: lightNotIn, Allowed: lightAllowed, Credential: "No credential",
		Total: 400 * time.Nanosecond, RoleFrom: "nowhere: there is no role without a person", Steps: sampleSteps[:1],
	}
	all := []XRay{jwt, memory, database, refusedToken, refusedTicket, nobody}
	for i := range all {
		all[i].Limit, all[i].Here = 4096, "/demo/components"
		all[i].Signed = all[i].Band != nil || all[i].Ticket != nil
		all[i].Choices = sampleChoices(all[i].Backend)
	}
	return all
}

// sampleErrors are the pages that say no, with the strip that each would have.
var sampleErrors = func() []sampleError {
	strips := map[string]XRay{}
	for _, x := range sampleStrips() {
		strips[x.ID] = x
	}
	none := strips["x-none"]
	none.Allowed = lightNotAsked
	jwt := strips["x-jwt"]
	jwt.Allowed = lightForbidden
	page := func(status int, note, title, lede string, x XRay) sampleError {
		return sampleError{note, ErrorProps{Status: status, Title: title, Lede: lede, RequestID: "c2FtcGxlIG9u", Specimen: true}, x}
	}
	slow := page(429, "", "A little slower, please", "There were too many tries in a short time. Nothing was changed.", none)
	slow.props.RetryAfter = 30 * time.Second
	return []sampleError{
		page(401, ", with nothing in the hand", "We do not know who you are", "Your session has ended, or there never was one.", none),
		page(401, ", with a torn ticket", "We do not know who you are", "Your session has ended, or there never was one.", strips["x-refused-ticket"]),
		page(401, ", with a torn band", "We do not know who you are", "Your session has ended, or there never was one.", strips["x-refused-jwt"]),
		page(403, ", with a good band", "We know you, and it is still no", "Instructors edit their own courses; admins edit all.", jwt),
		page(403, ", with a good ticket", "We know you, and it is still no", "Instructors edit their own courses; admins edit all.", strips["x-database"]),
		page(404, "", "There is nothing here", "The address may be mistyped, or what stood here has been taken away, or it is not for you to see. We do not say which.", none),
		slow,
		page(500, "", "That went wrong, and it was us", "The mistake is noted with the number below. What you had saved is safe.", none),
	}
}()

type sampleError struct {
	note  string
	props ErrorProps
	xray  XRay
}
