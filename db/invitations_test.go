package db_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"lectern/db/school"
)

// invite invites somebody at noon, for an hour.
func (s *testSchool) invite(by school.ID, email school.Email, token string) school.Invitation {
	s.t.Helper()
	i := school.Invitation{ID: school.MustNewID(), Email: email, Name: "Cleo Sand", Role: school.Instructor, By: school.Person{ID: by, Name: "Alan"}, MadeAt: noon, ExpiresAt: noon.Add(time.Hour)}
	must(s.t, s.Invite(s.t.Context(), i, token))
	return i
}

func newcomer(at time.Time) school.User {
	return school.User{ID: school.MustNewID(), CreatedAt: at, Email: "mallory@school.example", Name: "Mallory", Role: school.Admin}
}

// wantOver fails if an invitation can still be accepted.
func (s *testSchool) wantOver(says, token string, at time.Time) {
	s.t.Helper()
	if _, err := s.Invitation(s.t.Context(), token, at); err == nil {
		s.t.Errorf("%s: it can be looked at", says)
	}
	_, err := s.AcceptInvitation(s.t.Context(), token, newcomer(at), "hash")
	wantError(s.t, err, school.ErrNotFound)
}

func TestInvitation_isRefusedWhereItIsNotOpen(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	alan, other := s.user("Alan", school.Admin), s.user("Other", school.Admin)
	s.wantOver("there is none", "no such", noon)

	s.invite(alan, "late@school.example", "late")
	s.wantOver("an hour later", "late", noon.Add(time.Hour))

	back := s.invite(alan, "back@school.example", "back")
	must(t, second(s.RevokeInvitation(ctx, back.ID, noon)))
	s.wantOver("taken back", "back", noon)
	wantError(t, second(s.RevokeInvitation(ctx, back.ID, noon)), school.ErrNotFound)

	s.invite(alan, "twice@school.example", "the first")
	s.invite(alan, "twice@school.example", "the second")
	s.wantOver("replaced", "the first", noon)
	must(t, second(s.Invitation(ctx, "the second", noon)))

	s.invite(other, "void@school.example", "void")
	must(t, s.Disable(ctx, other, noon))
	s.wantOver("sent by a closed account", "void", noon)
	must(t, s.Enable(ctx, other))
	must(t, second(s.SetRole(ctx, other, school.Student)))
	s.wantOver("sent by somebody who is no admin any more", "void", noon)
	must(t, s.DeleteUser(ctx, other))
	s.wantOver("sent by somebody who is gone", "void", noon)
	s.check()
}

func TestInvite_refusesAnAddressThatHasAnAccount(t *testing.T) {
	s := newSchool(t)
	alan := s.user("Alan", school.Admin)
	ada, err := s.User(t.Context(), s.user("Ada", school.Student))
	must(t, err)
	wantError(t, s.Invite(t.Context(), school.Invitation{ID: school.MustNewID(), Email: ada.Email, Role: school.Student, By: school.Person{ID: alan}, MadeAt: noon, ExpiresAt: noon.Add(time.Hour)}, "token"), school.ErrEmailTaken)
	if page, err := s.Invitations(t.Context(), ""); err != nil || len(page.Invitations) > 0 {
		t.Errorf("%d invitations, %v", len(page.Invitations), err)
	}
}

func TestAcceptInvitation_opensTheAccountItIsTo(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	sent := s.invite(s.user("Alan", school.Admin), "cleo@school.example", "token")
	opened, err := s.AcceptInvitation(ctx, "token", newcomer(minutes(1)), "hash")
	must(t, err)
	kept, err := s.User(ctx, opened.ID)
	must(t, err)
	if kept != opened || kept.Email != sent.Email || kept.Name != sent.Name || kept.Role != sent.Role {
		t.Errorf("the account is %+v", kept)
	}
	wantHash(t, s, opened.ID, "hash")
	s.wantOver("used", "token", minutes(1))
	wantError(t, second(s.RevokeInvitation(ctx, sent.ID, noon)), school.ErrNotFound)
	page, err := s.Invitations(ctx, "")
	must(t, err)
	if got := page.Invitations[0].State(minutes(2)); got != school.InvitationAccepted {
		t.Errorf("the invitation is %s", got)
	}
	s.check()
}

func TestAcceptInvitation_ofTwoAtOnceOneIsFirst(t *testing.T) {
	s := newSchool(t)
	alan := s.user("Alan", school.Admin)
	for i := range 10 {
		token := fmt.Sprint("token ", i)
		s.invite(alan, school.Email(fmt.Sprintf("cleo%d@school.example", i)), token)
		var errs [2]error
		var wg sync.WaitGroup
		for j := range errs {
			wg.Go(func() { _, errs[j] = s.AcceptInvitation(t.Context(), token, newcomer(noon), "hash") })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("errors %v: exactly one wins", errs)
		}
	}
	s.check()
}

// Somebody opened an account with the address meanwhile. What could not be used is not
// used up.
func TestAcceptInvitation_leavesNothingWhereTheAddressIsTaken(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	s.invite(s.user("Alan", school.Admin), "cleo@school.example", "token")
	taken := newcomer(noon)
	taken.Email, taken.Role = "cleo@school.example", school.Student
	must(t, s.CreateUser(ctx, taken, "hash"))
	wantError(t, second(s.AcceptInvitation(ctx, "token", newcomer(noon), "hash")), school.ErrEmailTaken)
	must(t, second(s.Invitation(ctx, "token", noon)))
	s.check()
}

func TestInvitations_pagesHaveEachOnce(t *testing.T) {
	s := newSchool(t)
	alan := s.user("Alan", school.Admin)
	for i := range 30 {
		s.invite(alan, school.Email(fmt.Sprintf("p%d@school.example", i)), fmt.Sprint(i)) // all at one moment
	}
	seen := map[school.ID]bool{}
	for after, pages := "", 0; ; pages++ {
		page, err := s.Invitations(t.Context(), after)
		must(t, err)
		for _, i := range page.Invitations {
			if seen[i.ID] || pages > 1 {
				t.Fatal("an invitation comes twice")
			}
			seen[i.ID] = true
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(seen) != 30 {
		t.Errorf("%d invitations", len(seen))
	}
}
