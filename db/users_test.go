package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

const nobody = school.ID("aaaaaaaaaaaaaaaaaaaaaaaaaa")

func TestUsers_whoAreNotThere(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	for what, err := range map[string]error{
		"User":              second(s.User(ctx, nobody)),
		"CredentialByEmail": second(s.CredentialByEmail(ctx, "nobody@school.example")),
		"UpdateName":        s.UpdateName(ctx, nobody, "Name"),
		"UpdatePassword":    s.UpdatePassword(ctx, nobody, "hash"),
		"SetRole":           second(s.SetRole(ctx, nobody, school.Admin)),
		"Disable":           s.Disable(ctx, nobody, noon),
		"Enable":            s.Enable(ctx, nobody),
	} {
		if !errors.Is(err, school.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", what, err)
		}
	}
	must(t, s.RehashPassword(ctx, nobody, "old", "new"))
	s.check()
}

// second drops the value of a call that is made for its error.
func second[T any](_ T, err error) error { return err }

func TestCreateUser(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	u := person("Ada", school.Student)
	must(t, s.CreateUser(ctx, u, "hash"))

	other := person("Another", school.Admin)
	other.Email = u.Email
	wantError(t, s.CreateUser(ctx, other, "hash"), school.ErrEmailTaken)
	again := u
	again.Email = "elsewhere@school.example"
	if err := s.CreateUser(ctx, again, "hash"); err == nil || errors.Is(err, school.ErrEmailTaken) {
		t.Errorf("an ID that is taken: got %v", err)
	}

	got, err := s.CredentialByEmail(ctx, u.Email)
	must(t, err)
	if want := (school.Credential{User: u, PasswordHash: "hash"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	page, err := s.Users(ctx, db.UserQuery{})
	must(t, err)
	if page.Total != 1 {
		t.Errorf("%d people, want 1", page.Total)
	}
	s.check()
}

func TestAddPassword_isForThoseWhoHaveNone(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	ada := person("Ada", school.Student)
	must(t, s.CreateUser(ctx, ada, "", school.Identity{ID: school.MustNewID(), Provider: "campus-id", Issuer: "https://id.example", Subject: "1", AddedAt: noon}))
	must(t, s.AddPassword(ctx, ada.ID, "hash"))
	wantError(t, s.AddPassword(ctx, ada.ID, "another"), school.ErrStale)
	wantError(t, s.AddPassword(ctx, nobody, "hash"), school.ErrStale)
	wantHash(t, s, ada.ID, "hash")
	s.check()
}

func TestUpdatePassword(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	demo := person("Ada", school.Student)
	demo.Demo = true
	must(t, s.CreateUser(ctx, demo, "hash"))
	wantError(t, s.UpdatePassword(ctx, demo.ID, "another"), school.ErrDemoAccount)
	must(t, s.RehashPassword(ctx, demo.ID, "not its hash", "another"))
	wantHash(t, s, demo.ID, "hash")
	must(t, s.RehashPassword(ctx, demo.ID, "hash", "the same in another way"))
	wantHash(t, s, demo.ID, "the same in another way")

	id := s.user("Alan", school.Student)
	must(t, s.UpdatePassword(ctx, id, "another"))
	wantHash(t, s, id, "another")
}

func wantHash(t *testing.T, s *testSchool, id school.ID, want string) {
	t.Helper()
	u, err := s.User(t.Context(), id)
	must(t, err)
	c, err := s.CredentialByEmail(t.Context(), u.Email)
	must(t, err)
	if c.PasswordHash != want {
		t.Errorf("the hash is %q, want %q", c.PasswordHash, want)
	}
}

func TestSetRole_keepsAnAdmin(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	alan := s.user("Alan", school.Admin)
	other := s.user("Disabled", school.Admin)
	must(t, s.Disable(ctx, other, noon))

	_, err := s.SetRole(ctx, alan, school.Student)
	wantError(t, err, school.ErrLastAdmin)
	wantError(t, s.Disable(ctx, alan, noon), school.ErrLastAdmin)
	_, err = s.SetRole(ctx, alan, school.Admin)
	must(t, err)
	_, err = s.SetRole(ctx, other, school.Student) // who could not sign in
	must(t, err)

	grace := s.user("Grace", school.Instructor)
	old, err := s.SetRole(ctx, grace, school.Admin)
	must(t, err)
	if old != school.Instructor {
		t.Errorf("she was %q, want instructor", old)
	}
	old, err = s.SetRole(ctx, alan, school.Student)
	must(t, err)
	if old != school.Admin {
		t.Errorf("he was %q, want admin", old)
	}
	u, err := s.User(ctx, alan)
	must(t, err)
	if u.Role != school.Student {
		t.Errorf("he is %q, want student", u.Role)
	}
	s.check()
}

func TestDisable_keepsTheFirstTime(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	id := s.user("Ada", school.Student)
	must(t, s.Disable(ctx, id, minutes(1)))
	must(t, s.Disable(ctx, id, minutes(2)))
	u, err := s.User(ctx, id)
	must(t, err)
	if !u.DisabledAt.Equal(minutes(1)) {
		t.Errorf("disabled at %v", u.DisabledAt)
	}
	must(t, s.Enable(ctx, id))
	must(t, s.Enable(ctx, id))
	u, err = s.User(ctx, id)
	must(t, err)
	if u.Disabled() {
		t.Error("still disabled")
	}
	s.check()
}

func TestSetRole_whenAdminsDemoteEachOther(t *testing.T) {
	t.Attr("asvs", "15.4.2")
	s := newSchool(t)
	for range 20 {
		admins := []school.ID{s.user("One", school.Admin), s.user("Two", school.Admin)}
		errs := make([]error, len(admins))
		var wg sync.WaitGroup
		for i, id := range admins {
			wg.Go(func() { _, errs[i] = s.SetRole(context.Background(), id, school.Student) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("errors %v: exactly one wins", errs)
		}
		wantError(t, errors.Join(errs...), school.ErrLastAdmin)
		s.check()
		// the one that is left makes room for the next two
		left, err := s.Users(t.Context(), db.UserQuery{Role: school.Admin})
		must(t, err)
		s.user("Next", school.Admin)
		_, err = s.SetRole(t.Context(), left.Users[0].ID, school.Student)
		must(t, err)
		must(t, second(s.Writer().Exec(`DELETE FROM users WHERE role = 'admin'`)))
		must(t, second(s.Writer().Exec(`DELETE FROM user_counts WHERE role = 'admin'`)))
	}
}

func TestUpdateName_isFoundByTheNewName(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	grace := s.user("Grace Hopper", school.Instructor)
	c, _ := s.course(grace, "Compilers", 1)
	hidden, _ := s.draft(grace, "Drafts", 1)
	version := s.CatalogueVersion()
	must(t, s.UpdateName(ctx, grace, "Gràce Ümlaut"))
	if s.CatalogueVersion() == version {
		t.Error("the catalogue's version is the same")
	}

	for _, q := range []struct {
		words string
		found bool
	}{{"hopper", false}, {"umlaut", true}, {"grace comp", true}} {
		page, err := s.Courses(ctx, db.CourseQuery{Words: q.words})
		must(t, err)
		if got := len(page.Courses) == 1 && page.Courses[0].ID == c.ID; got != q.found {
			t.Errorf("courses for %q: %d", q.words, len(page.Courses))
		}
		people, err := s.Users(ctx, db.UserQuery{Words: q.words})
		must(t, err)
		if got := len(people.Users) == 1; got != (q.words == "umlaut") {
			t.Errorf("people for %q: %d", q.words, len(people.Users))
		}
	}
	if got := s.reread(c.ID).Owner.Name; got != "Gràce Ümlaut" {
		t.Errorf("the instructor is %q", got)
	}
	must(t, s.PublishCourse(ctx, hidden.ID, noon))
	s.check()
}

func TestUpdateName_ofAStudentLeavesTheCatalogue(t *testing.T) {
	s := newSchool(t)
	id := s.user("Ada", school.Student)
	version := s.CatalogueVersion()
	must(t, s.UpdateName(t.Context(), id, "Ada L"))
	if s.CatalogueVersion() != version {
		t.Error("the catalogue's version went up")
	}
}

func TestUsers_lists(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	ada := s.user("Ada Lovelace", school.Student)
	s.user("alan Turing", school.Admin)
	grace := s.user("Grace Hopper", school.Instructor)
	zoe := s.user("Zoë Ångström", school.Student)
	must(t, s.Disable(ctx, zoe, noon))
	c, _ := s.course(grace, "One", 1)
	d, _ := s.course(grace, "Two", 1)
	for _, course := range []school.ID{c.ID, d.ID} {
		must(t, s.Join(ctx, ada, course, noon))
	}
	must(t, s.Leave(ctx, ada, d.ID, noon))

	for _, q := range []struct {
		situation string
		query     db.UserQuery
		want      []string
	}{
		{"everybody, whatever the case", db.UserQuery{}, []string{"Ada Lovelace", "alan Turing", "Grace Hopper", "Zoë Ångström"}},
		{"one role", db.UserQuery{Role: school.Student}, []string{"Ada Lovelace", "Zoë Ångström"}},
		{"who may sign in", db.UserQuery{State: "enabled"}, []string{"Ada Lovelace", "alan Turing", "Grace Hopper"}},
		{"who may not", db.UserQuery{State: "disabled"}, []string{"Zoë Ångström"}},
		{"a state that is none", db.UserQuery{State: "asleep", Role: school.Admin}, []string{"alan Turing"}},
		{"role and state", db.UserQuery{State: "enabled", Role: school.Student}, []string{"Ada Lovelace"}},
		{"the beginning of a name", db.UserQuery{Words: "A"}, []string{"Ada Lovelace", "alan Turing", "Zoë Ångström"}},
		{"two beginnings", db.UserQuery{Words: "hop gr"}, []string{"Grace Hopper"}},
		{"without the accents", db.UserQuery{Words: "angstrom zoe"}, []string{"Zoë Ångström"}},
		{"an address", db.UserQuery{Words: "school.example", Role: school.Admin}, []string{"alan Turing"}},
		{"a word and a state", db.UserQuery{Words: "a", State: "disabled"}, []string{"Zoë Ångström"}},
		{"the middle of a word", db.UserQuery{Words: "ovelace"}, nil},
		{"what LIKE knows", db.UserQuery{Words: "ad%ce"}, nil},
		{"nothing but signs", db.UserQuery{Words: "%_'"}, []string{"Ada Lovelace", "alan Turing", "Grace Hopper", "Zoë Ångström"}},
		{"a cursor that is none", db.UserQuery{After: "!", Role: school.Admin}, []string{"alan Turing"}},
	} {
		t.Run(q.situation, func(t *testing.T) {
			page, err := s.Users(ctx, q.query)
			must(t, err)
			var got []string
			for _, u := range page.Users {
				got = append(got, u.Name)
			}
			if !slices.Equal(got, q.want) {
				t.Errorf("got %q, want %q", got, q.want)
			}
			if page.Total != len(q.want) || page.TotalMore || page.Next != "" {
				t.Errorf("total %d, more %v, next %q", page.Total, page.TotalMore, page.Next)
			}
		})
	}
	page, err := s.Users(ctx, db.UserQuery{Words: "ada"})
	must(t, err)
	if page.Users[0].Courses != 1 {
		t.Errorf("Ada is in %d courses, want 1", page.Users[0].Courses)
	}
	s.check()
}

func TestUsers_pagesHaveEverybodyOnce(t *testing.T) {
	for _, q := range []db.UserQuery{{}, {Words: "per"}, {Role: school.Student}, {State: "enabled"}, {State: "enabled", Role: school.Student}} {
		t.Run(fmt.Sprintf("%+v", q), func(t *testing.T) {
			s := newSchool(t)
			first := map[school.ID]bool{}
			for i := range 25 {
				first[s.user(fmt.Sprintf("Person %d", i%7), school.Student)] = true
			}
			q.Limit = 4
			seen := map[school.ID]int{}
			for i := 0; ; i++ {
				page, err := s.Users(t.Context(), q)
				must(t, err)
				for _, u := range page.Users {
					seen[u.ID]++
				}
				if page.Next == "" {
					break
				}
				q.After = page.Next
				s.user(fmt.Sprintf("Person %d", i%9), school.Student)
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s came %d times", id, n)
				}
				delete(first, id)
			}
			if len(first) > 0 {
				t.Errorf("%d never came", len(first))
			}
		})
	}
}

func TestUsers_totalOfASearchStopsAtTwoHundred(t *testing.T) {
	s := newSchool(t)
	var data db.SeedData
	for i := range 1_300 {
		u := person(fmt.Sprintf("Person %04d", i), school.Student)
		if i < 200 {
			u.Name = fmt.Sprintf("Rare Person %04d", i)
		}
		data.Users = append(data.Users, db.SeedUser{User: u, PasswordHash: func() string { return "hash" }})
	}
	_, err := s.Seed(t.Context(), data)
	must(t, err)
	for _, q := range []struct {
		words string
		total int
		more  bool
	}{{"", 1_300, false}, {"person", 200, true}, {"pers rare", 200, false}, {"person p schoo", 200, true}} {
		page, err := s.Users(t.Context(), db.UserQuery{Words: q.words})
		must(t, err)
		if page.Total != q.total || page.TotalMore != q.more || len(page.Users) != 24 {
			t.Errorf("%q: %d of %d, more %v; want %d, %v", q.words, len(page.Users), page.Total, page.TotalMore, q.total, q.more)
		}
	}
	s.check()
}

func TestSettings(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	_, err := s.Setting(ctx, "sessions")
	wantError(t, err, school.ErrNotFound)
	for _, value := range []string{"jwt", "database", ""} {
		must(t, s.SetSetting(ctx, "sessions", value, noon))
		got, err := s.Setting(ctx, "sessions")
		must(t, err)
		if got != value {
			t.Errorf("got %q, want %q", got, value)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	ada := school.Person{ID: school.MustNewID(), Name: "Ada Lovelace"}
	alan := school.Person{ID: school.MustNewID(), Name: "Alan"}
	var all []school.Event
	for i := range 30 {
		e := school.Event{
			ID:     school.MustNewID(),
			At:     minutes(i / 3), // three at a time
			Action: school.ActionSignIn,
			Actor:  ada,
			Detail: fmt.Sprint(i),
		}
		if i%5 == 0 {
			e.Action, e.Actor, e.Subject = school.ActionRoleChange, alan, "Ada"
			e.Session, e.Address = "jwt", "192.0.2.1"
		}
		must(t, s.Record(ctx, e))
		all = append(all, e)
	}
	must(t, s.Record(ctx, school.Event{At: minutes(-1), Action: school.ActionSignInRefused}))

	slices.SortFunc(all, func(a, b school.Event) int {
		if n := b.At.Compare(a.At); n != 0 {
			return n
		}
		return strings.Compare(string(b.ID), string(a.ID))
	})
	for _, q := range []struct {
		situation string
		query     db.EventQuery
		keep      func(school.Event) bool
	}{
		{"an action", db.EventQuery{Action: school.ActionRoleChange}, func(e school.Event) bool { return e.Action == school.ActionRoleChange }},
		{"a person", db.EventQuery{Actor: string(ada.ID)}, func(e school.Event) bool { return e.Actor == ada }},
		{"a name", db.EventQuery{Actor: "ada lovelace"}, func(e school.Event) bool { return e.Actor == ada }},
		{"part of a name", db.EventQuery{Actor: "ada"}, func(e school.Event) bool { return false }},
		{"both", db.EventQuery{Actor: "alan", Action: school.ActionSignIn}, func(e school.Event) bool { return false }},
	} {
		t.Run(q.situation, func(t *testing.T) {
			q.query.Limit = 4
			var got []school.Event
			for {
				page, err := s.Events(ctx, q.query)
				must(t, err)
				got = append(got, page.Events...)
				if q.query.After = page.Next; page.Next == "" {
					break
				}
			}
			want := slices.DeleteFunc(slices.Clone(all), func(e school.Event) bool { return !q.keep(e) })
			if !slices.Equal(got, want) {
				t.Errorf("got %d events %v, want %d %v", len(got), got, len(want), want)
			}
		})
	}
	page, err := s.Events(ctx, db.EventQuery{Action: school.ActionSignInRefused, After: "nonsense"})
	must(t, err)
	if len(page.Events) != 1 || page.Events[0].ID == "" || page.Events[0].Actor != (school.Person{}) {
		t.Errorf("got %+v", page.Events)
	}
}
