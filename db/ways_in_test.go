package db_test

import (
	"errors"
	"testing"

	"lectern/db/school"
)

// withoutPassword has Ada sign in by two other sites and nothing else.
func withoutPassword(t *testing.T) (s *testSchool, ada school.ID, identities []school.Identity) {
	t.Helper()
	s = newSchool(t)
	ada = s.user("Ada", school.Student)
	must(t, s.UpdatePassword(t.Context(), ada, ""))
	for _, provider := range []string{"campus", "town"} {
		i := school.Identity{ID: school.MustNewID(), Provider: provider, Issuer: "https://" + provider + ".example", Subject: "1", AddedAt: noon}
		must(t, s.AddIdentity(t.Context(), ada, i))
		identities = append(identities, i)
	}
	return s, ada, identities
}

func TestRemoveWay_leavesOneThatWorks(t *testing.T) {
	both := []string{"campus", "town"}
	for _, tt := range []struct {
		name   string
		open   school.WaysOpen
		remove [2]error // the first site, then the second
	}{
		{"both work", school.WaysOpen{Providers: both}, [2]error{nil, school.ErrLastWay}},
		{"mail is carried", school.WaysOpen{Providers: both, Mail: true}, [2]error{nil, nil}},
		{"a site that is not set up is no way in", school.WaysOpen{Providers: []string{"campus"}}, [2]error{school.ErrLastWay, nil}},
		{"what works nowhere may go", school.WaysOpen{}, [2]error{nil, nil}},
		{"text messages without a telephone are none", school.WaysOpen{Providers: both, Texts: true, Passkeys: true}, [2]error{nil, school.ErrLastWay}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, ada, identities := withoutPassword(t)
			left := len(identities)
			for i, identity := range identities {
				wantError(t, s.RemoveIdentity(t.Context(), ada, identity.ID, tt.open), tt.remove[i])
				if tt.remove[i] == nil {
					left--
				}
			}
			if got, err := s.Identities(t.Context(), ada); err != nil || len(got) != left {
				t.Errorf("%d sites are left, %v; want %d", len(got), err, left)
			}
		})
	}
}

// TestRemoveWay_aTelephoneIsOneStep: with two steps it is kept for the second, and lets
// nobody in by itself.
func TestRemoveWay_aTelephoneIsOneStep(t *testing.T) {
	open := school.WaysOpen{Providers: []string{"campus", "town"}, Texts: true}
	ctx := t.Context()
	s, ada, identities := withoutPassword(t)
	must(t, s.PutPhone(ctx, ada, "+447700900123", noon))
	must(t, s.PutAuthenticator(ctx, ada, "sealed", 1, noon, open))
	must(t, s.SetTwoStep(ctx, ada, true, open))
	must(t, s.RemoveIdentity(ctx, ada, identities[0].ID, open))
	wantError(t, s.RemoveIdentity(ctx, ada, identities[1].ID, open), school.ErrLastWay)
	must(t, s.SetTwoStep(ctx, ada, false, open))
	must(t, s.RemoveIdentity(ctx, ada, identities[1].ID, open))
	wantError(t, s.SetTwoStep(ctx, ada, true, open), school.ErrLastWay)
	wantError(t, s.PutAuthenticator(ctx, ada, "sealed", 2, noon, open), school.ErrLastWay) // which switches it on as well
	if f, err := s.Factors(ctx, ada); err != nil || f.TwoStep {
		t.Errorf("the second step is on, %v", err)
	}
}

// Each of two requests at once sees the other's way in, and together they would take
// both: one of them has to lose.
func TestRemoveWay_ofTwoAtOnceTheLastStays(t *testing.T) {
	open := school.WaysOpen{Providers: []string{"campus", "town"}, Texts: true}
	for range 20 {
		s, ada, identities := withoutPassword(t)
		must(t, s.RemoveIdentity(t.Context(), ada, identities[1].ID, open))
		must(t, s.PutPhone(t.Context(), ada, "+447700900123", noon))
		ended := make(chan error)
		go func() { ended <- s.RemoveIdentity(t.Context(), ada, identities[0].ID, open) }()
		go func() { ended <- s.RemovePhone(t.Context(), ada, open) }()
		refused := 0
		for range 2 {
			switch err := <-ended; {
			case errors.Is(err, school.ErrLastWay):
				refused++
			case err != nil:
				t.Error(err)
			}
		}
		if refused != 1 {
			t.Fatalf("%d of two were refused, want 1", refused)
		}
	}
}
