package auth_test

import (
	"slices"
	"testing"

	"lectern/db/school"
	"lectern/handlers/auth"
)

// TestReferences_sayHowSomebodyProvedWhoTheyAre: the names of RFC 8176, each once, and
// "mfa" where it were two things of which one can be a second step.
func TestReferences_sayHowSomebodyProvedWhoTheyAre(t *testing.T) {
	for _, tt := range []struct {
		says   string
		proved []school.Method
		signed []string
		want   []string
	}{
		{"nothing", nil, nil, nil},
		{"a password", []school.Method{school.Password}, nil, []string{"pwd"}},
		{"a password twice", []school.Method{school.Password, school.Password}, nil, []string{"pwd"}},
		{"a password and an app", []school.Method{school.Password, school.Authenticator}, nil, []string{"pwd", "otp", "mfa"}},
		{"a code by e-mail beside a password is no second thing", []school.Method{school.Password, school.EmailCode}, nil, []string{"pwd", "mail"}},
		{"a passkey whose device made sure", []school.Method{school.ByPasskey}, []string{"hwk", "user", "mfa"}, []string{"hwk", "user", "mfa"}},
		{"a passkey whose device did not", []school.Method{school.ByPasskey}, []string{"hwk", "user"}, []string{"hwk", "user"}},
		{"a password and a passkey", []school.Method{school.Password, school.ByPasskey}, []string{"swk", "user"}, []string{"pwd", "swk", "user", "mfa"}},
		{"a password and a passkey whose device made sure", []school.Method{school.Password, school.ByPasskey}, []string{"swk", "user", "mfa"}, []string{"pwd", "swk", "user", "mfa"}},
	} {
		if got := (auth.FlowState{Proved: tt.proved, Signed: tt.signed}).References(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.says, got, tt.want)
		}
	}
}
