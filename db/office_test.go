package db_test

import (
	"fmt"
	"testing"

	"lectern/db"
	"lectern/db/school"
)

func TestRemove_ofWhatIsNotThere(t *testing.T) {
	s := newSchool(t)
	ada := s.user("Ada", school.Student)
	wantError(t, s.RemovePasskeys(t.Context(), ada, byMail), school.ErrNotFound)
	wantError(t, s.RemoveRecoveryCodes(t.Context(), ada), school.ErrNotFound)
}

// The last thing that could be a second step takes the second step with it, or its
// owner would stand before a door without a key.
func TestRemovePasskeys_leavesNobodyBeforeAClosedDoor(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	ada := s.user("Ada", school.Student)
	for _, id := range []string{"one", "two"} {
		must(t, s.AddPasskey(ctx, school.PasskeyCredential{Passkey: school.Passkey{ID: school.MustNewID(), User: ada, Name: id, CreatedAt: noon}, CredentialID: id}))
	}
	must(t, s.PutPhone(ctx, ada, "+447700900123", noon))
	must(t, s.SetTwoStep(ctx, ada, true, byMail))
	must(t, s.PutRecoveryCodes(ctx, ada, []school.StoredCode{{Finder: "abcd", Hash: "hash"}}, noon))

	must(t, s.RemovePasskeys(ctx, ada, byMail))
	if f, err := s.Factors(ctx, ada); err != nil || f.Passkeys != 0 || !f.TwoStep || f.RecoveryCodes != 1 {
		t.Errorf("with a telephone left she has %+v, %v", f, err)
	}
	must(t, s.RemoveRecoveryCodes(ctx, ada))
	if f, err := s.Factors(ctx, ada); err != nil || !f.TwoStep || f.RecoveryCodes != 0 {
		t.Errorf("without codes she has %+v, %v", f, err)
	}
	must(t, s.AddPasskey(ctx, school.PasskeyCredential{Passkey: school.Passkey{ID: school.MustNewID(), User: ada, Name: "three", CreatedAt: noon}, CredentialID: "three"}))
	must(t, s.RemovePhone(ctx, ada, byMail))
	must(t, s.RemovePasskeys(ctx, ada, byMail))
	if f, err := s.Factors(ctx, ada); err != nil || f.TwoStep {
		t.Errorf("without anything she has %+v, %v", f, err)
	}
}

func TestUsers_tellWhatEachProvesWithAndWhenTheyWereSeen(t *testing.T) {
	s := newSchool(t)
	ctx := t.Context()
	ada, grace := s.user("Ada", school.Student), s.user("Grace", school.Instructor)
	must(t, s.PutAuthenticator(ctx, ada, "sealed", 1, noon, byMail))
	must(t, s.PutPhone(ctx, ada, "+447700900123", noon))
	must(t, s.AddPasskey(ctx, school.PasskeyCredential{Passkey: school.Passkey{ID: school.MustNewID(), User: ada, Name: "a", CreatedAt: noon}, CredentialID: "a"}))
	for _, subject := range []string{"1", "2"} {
		must(t, s.AddIdentity(ctx, ada, school.Identity{ID: school.MustNewID(), Provider: "campus", Issuer: "https://campus.example", Subject: subject, AddedAt: noon}))
	}
	for i, network := range []string{"192.0.2.0/24", "198.51.100.0/24"} {
		must(t, second(s.NoteEntry(ctx, ada, nil, "Firefox", network, minutes(5-i))))
	}
	page, err := s.Users(ctx, db.UserQuery{})
	must(t, err)
	for i, want := range []struct {
		id   school.ID
		text string
	}{{ada, "with hash=true two=true app=true phone=+447700900123 passkeys=1 identities=2"}, {grace, "with hash=true two=false app=false phone= passkeys=0 identities=0"}} {
		u := page.Users[i]
		if got := proofText(u.Proof); u.ID != want.id || got != want.text {
			t.Errorf("%s has %s, want %s", u.Name, got, want.text)
		}
	}
	if !page.Users[0].SeenAt.Equal(minutes(5)) || !page.Users[1].SeenAt.IsZero() {
		t.Errorf("seen at %v and %v", page.Users[0].SeenAt, page.Users[1].SeenAt)
	}
	for steps, want := range map[string]school.ID{"two": ada, "one": grace} {
		page, err := s.Users(ctx, db.UserQuery{Steps: steps})
		must(t, err)
		if len(page.Users) != 1 || page.Users[0].ID != want || page.Total != 1 {
			t.Errorf("in %s step(s): %+v, total %d", steps, page.Users, page.Total)
		}
	}
	if page, err := s.Users(ctx, db.UserQuery{Steps: "two", Role: school.Instructor}); err != nil || page.Total != 0 {
		t.Errorf("%d instructors in two steps, %v", page.Total, err)
	}
}

func proofText(f school.Factors) string {
	return fmt.Sprintf("with hash=%v two=%v app=%v phone=%s passkeys=%d identities=%d", f.HasPassword, f.TwoStep, !f.AuthenticatorAt.IsZero(), f.Phone, f.Passkeys, f.Identities)
}
