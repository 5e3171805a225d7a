package db_test

import (
	"errors"
	"strings"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

// smallSchool is a demo school with something of everything.
func smallSchool() db.SeedData {
	id := func(what string) school.ID {
		return school.ID((what + strings.Repeat("a", 26))[:26])
	}
	hash := func() string { return "first hash" }
	user := func(name string, role school.Role) db.SeedUser {
		return db.SeedUser{User: school.User{
			ID: id(name), Email: school.Email(name + "@lectern.example"), Name: name, Role: role, Demo: true, CreatedAt: noon,
		}, PasswordHash: hash}
	}
	lesson := func(course, slug string, status school.Status) school.Lesson {
		return school.Lesson{
			LessonHead: school.LessonHead{ID: id(course + slug), Slug: slug, Title: slug, Kind: school.Reading, Status: status, Minutes: 5},
			Body:       "Text of " + slug + ".\n\n[Try it](/lab/" + slug + ")\n", UpdatedAt: minutes(1), UpdatedBy: school.Person{ID: id("grace")},
		}
	}
	course := func(slug string, number int, status school.Status) db.SeedCourse {
		c := db.SeedCourse{
			Course: school.Course{
				ID: id(slug), Slug: slug, Title: "The " + slug, Summary: "All of it.", Description: "Text.", Topic: "identity", Level: "first",
				Number: number, Status: status, Outcomes: []string{"One.", "Two."}, Owner: school.Person{ID: id("grace")},
				CreatedAt: noon, UpdatedAt: minutes(1),
			},
			Chapters: []db.SeedChapter{
				{Chapter: school.Chapter{ID: id(slug + "b"), Title: "Beginning"}, Lessons: []school.Lesson{
					lesson(slug, "one", school.Published), lesson(slug, "two", school.Published), lesson(slug, "three", school.Draft),
				}},
				{Chapter: school.Chapter{ID: id(slug + "e"), Title: "End"}, Lessons: []school.Lesson{lesson(slug, "four", school.Published)}},
			},
		}
		if status == school.Published {
			c.PublishedAt = minutes(2)
		}
		return c
	}
	disabled := user("linus", school.Student)
	disabled.DisabledAt = minutes(3)
	return db.SeedData{
		Users: []db.SeedUser{user("ada", school.Student), user("grace", school.Instructor), user("alan", school.Admin), disabled},
		Courses: []db.SeedCourse{
			course("sessions", 1, school.Published), course("bread", 2, school.Published), course("sketch", 3, school.Draft),
		},
		Enrolments: []db.SeedEnrolment{
			{User: id("ada"), Course: id("sessions"), JoinedAt: minutes(4), SeenAt: minutes(9), LastLesson: id("sessionstwo"), Done: []db.SeedCompletion{
				{Lesson: id("sessionsone"), At: minutes(5)}, {Lesson: id("sessionstwo"), At: minutes(6)}, {Lesson: id("sessionsfour"), At: minutes(7)},
			}},
			{User: id("ada"), Course: id("bread"), JoinedAt: minutes(4), LeftAt: minutes(5)},
			{User: id("alan"), Course: id("sessions"), JoinedAt: minutes(4), Done: []db.SeedCompletion{{Lesson: id("sessionsone"), At: minutes(8)}}},
		},
	}
}

func TestSeed(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	data := smallSchool()
	changed, err := s.Seed(ctx, data)
	must(t, err)
	if !changed {
		t.Error("an empty school was not seeded")
	}
	s.check()

	c, err := s.CourseBySlug(ctx, "sessions")
	must(t, err)
	if c.Students != 2 || c.Lessons != 3 || c.Minutes != 15 || c.Version != 1 || c.Owner.Name != "grace" || !c.PublishedAt.Equal(minutes(2)) {
		t.Errorf("got %+v", c)
	}
	if got, want := s.outline(c.ID, true), "Beginning: one, two, three; End: four"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e := s.enrolment(data.Users[0].ID, c.ID)
	if e.Done != 3 || !e.FinishedAt.Equal(minutes(7)) {
		t.Errorf("got %+v", e)
	}
	if got := s.found("grace sess"); got != "The sessions" {
		t.Errorf("found %q", got)
	}
	page, err := s.Users(ctx, db.UserQuery{State: "disabled"})
	must(t, err)
	if len(page.Users) != 1 || page.Users[0].Name != "linus" {
		t.Errorf("got %+v", page)
	}
}

func TestSeed_againChangesNothing(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	data := smallSchool()
	must(t, second(s.Seed(ctx, data)))
	for i := range data.Users {
		data.Users[i].PasswordHash = func() string { panic("a password was hashed for nothing") }
	}
	again := func() {
		t.Helper()
		before := dump(t, s.DB)
		changed, err := s.Seed(ctx, data)
		must(t, err)
		if diff := difference(before, dump(t, s.DB)); diff != "" || changed {
			t.Errorf("changed %v\n%s", changed, diff)
		}
	}
	again()
	s.disturb(data)
	again()
}

func TestSeed_leavesASchoolAloneWhereItDoesNotFit(t *testing.T) {
	s := newSchool(t)
	u := person("Ada", school.Instructor)
	u.Email = "grace@lectern.example"
	must(t, s.CreateUser(t.Context(), u, "hash"))
	s.refusesSeed(smallSchool(), `an account has the address "grace@lectern.example" already`)

	s = newSchool(t)
	own, _ := s.course(s.user("Ada", school.Instructor), "Bread", 1)
	s.refusesSeed(smallSchool(), `has the slug "bread" already`)
	must(t, s.DeleteCourse(t.Context(), own.ID, noon))
	s.refusesSeed(smallSchool(), `a course, perhaps a deleted one, has the slug "bread" already`)
}

// A later version of the demo school may want what somebody has taken since.
func TestReset_leavesASchoolAloneWhereItDoesNotFit(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	newer := smallSchool()
	older := newer
	older.Courses, older.Enrolments = newer.Courses[2:], nil // sketch alone
	must(t, second(s.Seed(ctx, older)))
	yuri := s.user("Yuri", school.Instructor)
	s.course(yuri, "Bread", 1)
	must(t, s.UpdateName(ctx, newer.Users[0].ID, "Somebody else"))
	s.refusesReset(newer, `has the slug "bread" already`)

	newer.Courses = older.Courses
	u := person("Barbara", school.Student)
	u.Email = "barbara@lectern.example"
	must(t, s.CreateUser(ctx, u, "hash"))
	seeded := u
	seeded.ID = school.MustNewID()
	newer.Users = append(newer.Users, db.SeedUser{User: seeded, PasswordHash: func() string { return "hash" }})
	newer.Enrolments = nil
	s.refusesReset(newer, `an account has the address "barbara@lectern.example" already`)
	must(t, s.Reset(ctx, older))
}

func (s *testSchool) refusesSeed(data db.SeedData, why string) {
	s.t.Helper()
	s.refuses(why, func() error {
		changed, err := s.Seed(s.t.Context(), data)
		if changed {
			s.t.Error("changed")
		}
		return err
	})
}

func (s *testSchool) refusesReset(data db.SeedData, why string) {
	s.t.Helper()
	s.refuses(why, func() error { return s.Reset(s.t.Context(), data) })
}

// refuses tests that do fails with one line that says why, and leaves every
// row as it is.
func (s *testSchool) refuses(why string, do func() error) {
	s.t.Helper()
	before := dump(s.t, s.DB)
	if err := do(); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") {
		s.t.Errorf("error %v, want one that says %s", err, why)
	}
	if diff := difference(before, dump(s.t, s.DB)); diff != "" {
		s.t.Error(diff)
	}
}

// disturb does everything to the seeded rows that people can do.
func (s *testSchool) disturb(data db.SeedData) {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	ada, grace, alan, linus := data.Users[0].ID, data.Users[1].ID, data.Users[2].ID, data.Users[3].ID
	sessions, bread, sketch := data.Courses[0], data.Courses[1], data.Courses[2]
	lesson := func(c db.SeedCourse, chapter, i int) school.ID { return c.Chapters[chapter].Lessons[i].ID }

	must(t, s.UpdateName(ctx, ada, "Ada Byron"))
	must(t, s.UpdateName(ctx, grace, "Grace Murray"))
	must(t, s.RehashPassword(ctx, ada, "first hash", "second hash"))
	must(t, second(s.SetRole(ctx, ada, school.Admin)))
	must(t, second(s.SetRole(ctx, alan, school.Student)))
	must(t, s.Enable(ctx, linus))
	must(t, s.Disable(ctx, grace, minutes(60)))
	must(t, second(s.Writer().Exec(`
		INSERT INTO sessions (id_hash, user_id, role, methods, auth_at, created_at, seen_at, idle_until, expires_at, address, device)
		VALUES ($1, $2, 'student', 'pwd', 0, 0, 0, 0, 0, '', '')`, []byte(school.MustNewID()), ada)))

	must(t, second(s.Writer().Exec(`
		INSERT INTO refresh_sessions (id_hash, user_id, role, methods, auth_at, created_at, seen_at, idle_until, expires_at, address, device, current_hash, rotated_at)
		VALUES ($1, $2, 'student', 'pwd', 0, 0, 0, 0, 0, '', '', $3, 0)`, []byte(school.MustNewID()), ada, []byte("hash"))))
	must(t, s.OpenClass(ctx, "BCDFG", grace, minutes(60)))
	must(t, s.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "first", JWT: "refused", UpdatedAt: minutes(60)}))

	c := s.reread(sessions.ID)
	c.Title, c.Topic, c.Level = "Another title", "data", "advanced"
	must(t, second(s.UpdateCourse(ctx, c, c.Version, minutes(61))))
	l, err := s.Lesson(ctx, lesson(sessions, 0, 0))
	must(t, err)
	l.Title, l.Body, l.Minutes = "Another", "Text", 50
	must(t, second(s.UpdateLesson(ctx, l, l.Version, alan, minutes(62))))
	must(t, s.UnpublishLesson(ctx, lesson(sessions, 0, 1), minutes(63)))
	must(t, s.PublishLesson(ctx, lesson(sessions, 0, 2), minutes(63)))
	added, err := s.CreateChapter(ctx, sessions.ID, "Added", minutes(64))
	must(t, err)
	must(t, s.MoveChapter(ctx, added.ID, 0, minutes(64)))
	must(t, s.MoveLesson(ctx, lesson(sessions, 1, 0), added.ID, 0, minutes(64))) // a seeded lesson in it
	more, err := s.CreateLesson(ctx, sessions.Chapters[0].ID, school.Lesson{LessonHead: school.LessonHead{Title: "more", Kind: school.Reading}}, grace, minutes(65))
	must(t, err)
	must(t, s.PublishLesson(ctx, more.ID, minutes(65)))
	must(t, s.MoveLesson(ctx, more.ID, sessions.Chapters[0].ID, 0, minutes(65)))
	must(t, second(s.Complete(ctx, ada, more.ID, minutes(66))))
	must(t, second(s.Uncomplete(ctx, ada, lesson(sessions, 0, 0), minutes(66))))
	must(t, s.RenameChapter(ctx, sessions.Chapters[1].ID, "The end", minutes(66)))
	must(t, s.Leave(ctx, ada, sessions.ID, minutes(67)))
	must(t, s.Join(ctx, ada, bread.ID, minutes(67)))
	must(t, s.Join(ctx, linus, bread.ID, minutes(67)))
	must(t, s.DeleteLesson(ctx, lesson(bread, 0, 0), minutes(68)))
	must(t, s.DeleteChapter(ctx, bread.Chapters[1].ID, minutes(68)))
	must(t, s.DeleteCourse(ctx, bread.ID, minutes(69)))
	must(t, s.PublishCourse(ctx, sketch.ID, minutes(69)))
	s.course(grace, "Of Grace's own", 2)
	s.check()
}

func TestReset_bringsBackTheFirstState(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	data := smallSchool()
	must(t, second(s.Seed(ctx, data)))
	first := dump(t, s.DB)
	for range 2 { // and again
		s.disturb(data)
		must(t, s.Reset(ctx, data))
		if diff := difference(first, dump(t, s.DB)); diff != "" {
			t.Fatal(diff)
		}
		s.check()
	}
}

func TestReset_ofASchoolThatWasNeverSeeded(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	must(t, s.Reset(ctx, smallSchool()))
	changed, err := s.Seed(ctx, smallSchool())
	must(t, err)
	if changed {
		t.Error("seeded again")
	}
	other := newSchool(t)
	must(t, second(other.Seed(ctx, smallSchool())))
	if diff := difference(withoutHistory(dump(t, s.DB)), withoutHistory(dump(t, other.DB))); diff != "" {
		t.Error(diff)
	}
}

// withoutHistory is a dump without the time at which the tables were made.
func withoutHistory(tables map[string][]string) map[string][]string {
	delete(tables, "schema_migrations")
	return tables
}

func TestReset_leavesWhatOthersDid(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	data := smallSchool()
	must(t, second(s.Seed(ctx, data)))
	seeded := dump(t, s.DB)
	ada, grace := data.Users[0].ID, data.Users[1].ID
	sessions, bread := data.Courses[0], data.Courses[1]

	zoe, yuri := s.user("Zoë", school.Student), s.user("Yuri", school.Instructor)
	own, ownLessons := s.course(yuri, "Yuri's own", 2)
	s.draft(yuri, "Yuri's draft", 1)
	for _, course := range []school.ID{own.ID, sessions.ID, bread.ID} {
		must(t, s.Join(ctx, zoe, course, minutes(20)))
	}
	must(t, second(s.Complete(ctx, zoe, sessions.Chapters[0].Lessons[0].ID, minutes(21))))
	must(t, second(s.Complete(ctx, zoe, sessions.Chapters[1].Lessons[0].ID, minutes(22))))
	must(t, second(s.Complete(ctx, zoe, ownLessons[0], minutes(23))))
	must(t, s.Leave(ctx, zoe, bread.ID, minutes(24)))
	must(t, s.Record(ctx, school.Event{At: minutes(25), Action: school.ActionSignIn, Actor: school.Person{ID: ada, Name: "ada"}}))
	must(t, s.SetSetting(ctx, "sessions", "jwt", minutes(25)))
	others := dump(t, s.DB)

	// What seeded people do from here on goes away, but for the course that
	// Zoë has joined.
	must(t, s.Join(ctx, ada, own.ID, minutes(30)))
	must(t, second(s.Complete(ctx, ada, ownLessons[0], minutes(31))))
	s.disturb(data)
	must(t, s.Enable(ctx, grace))
	must(t, s.Reset(ctx, data))
	if diff := difference(others, dump(t, s.DB)); diff != "" {
		t.Fatal(diff)
	}
	s.check()

	joined, _ := s.course(grace, "Grace's, and Zoë's", 2)
	left, _ := s.course(grace, "Grace's, and once Zoë's", 1)
	for _, course := range []school.ID{joined.ID, left.ID} {
		must(t, s.Join(ctx, zoe, course, minutes(40)))
		must(t, s.Join(ctx, ada, course, minutes(40)))
	}
	must(t, s.Leave(ctx, zoe, left.ID, minutes(41)))
	must(t, s.UpdateName(ctx, grace, "Somebody else"))
	must(t, s.Reset(ctx, data))
	s.check()
	for course, students := range map[school.ID]int{joined.ID: 1, left.ID: 0} {
		if c := s.reread(course); c.Students != students || c.Owner.Name != "grace" {
			t.Errorf("got %+v", c)
		}
	}
	if got, want := s.found("grace zoe"), "Grace's, and Zoë's, Grace's, and once Zoë's"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	for table, rows := range seeded {
		if table == "course_counts" || table == "user_counts" || table == "courses" {
			continue // of which others have some too
		}
		if diff := difference(map[string][]string{table: rows}, dump(t, s.DB)); strings.Contains(diff, "lost") {
			t.Error(diff)
		}
	}
}

func TestReset_ofNewerData(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	data := smallSchool()
	must(t, second(s.Seed(ctx, data)))
	taken, err := s.CreateLesson(ctx, data.Courses[0].Chapters[0].ID, school.Lesson{LessonHead: school.LessonHead{Title: "five", Kind: school.Reading}}, data.Users[1].ID, noon)
	must(t, err)
	if taken.Slug != "five" {
		t.Fatalf("slug %q", taken.Slug)
	}
	newer := smallSchool()
	five := newer.Courses[0].Chapters[1].Lessons[0]
	five.ID, five.Slug = school.MustNewID(), "five"
	newer.Courses[0].Chapters[1].Lessons = append(newer.Courses[0].Chapters[1].Lessons, five)
	newer.Courses = newer.Courses[:2] // and sketch is gone
	must(t, s.Reset(ctx, newer))
	s.check()
	if c := s.reread(newer.Courses[0].ID); c.Lessons != 4 {
		t.Errorf("got %+v", c)
	}
	_, err = s.CourseBySlug(ctx, "sketch")
	wantError(t, err, school.ErrNotFound)
}

func TestReset_ofNothingChangesNothingElse(t *testing.T) {
	s := newSchool(t)
	s.course(s.user("Grace", school.Instructor), "Course", 1)
	before := dump(t, s.DB)
	must(t, s.Reset(t.Context(), db.SeedData{}))
	if diff := difference(before, dump(t, s.DB)); diff != "" {
		t.Error(diff)
	}
}

func TestSeed_byTwoAtOnce(t *testing.T) {
	s := newSchool(t)
	other := open(t, s.path)
	results := make(chan error, 2)
	changes := make(chan bool, 2)
	for _, d := range []*db.DB{s.DB, other} {
		go func() {
			changed, err := d.Seed(t.Context(), smallSchool())
			results <- err
			changes <- changed
		}()
	}
	must(t, errors.Join(<-results, <-results))
	if first, second := <-changes, <-changes; first == second {
		t.Errorf("both say %v", first)
	}
	s.check()
}
