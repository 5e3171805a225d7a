package school

import "time"

// Method is a way to prove who one is.
type Method string

// The ways of this site.
const (
	Password      Method = "password"
	EmailCode     Method = "email-code"    // eight digits, sent by e-mail
	TextCode      Method = "text-code"     // eight digits, sent to a telephone
	Authenticator Method = "authenticator" // six digits of an app (TOTP, RFC 6238)
	RecoveryCode  Method = "recovery-code" // one of those that were printed
	ByPasskey     Method = "passkey"       // a key that a device holds (WebAuthn)
	ByProvider    Method = "provider"      // another site vouches (OpenID Connect)
	Reset         Method = "reset"         // of a forgotten password, by a code
)

// Factors are what a person has set up to prove who they are. None of it is a
// secret.
type Factors struct {
	HasPassword bool
	// TwoStep: whoever signs in is asked for a second thing.
	TwoStep bool
	// AuthenticatorAt is since when there is an authenticator app; zero for none.
	AuthenticatorAt time.Time
	// RecoveryCodes is how many are left.
	RecoveryCodes int
	// Phone is the number that codes are sent to; empty for none.
	Phone Phone
	// Identities is how many other sites vouch for them, and Passkeys how many
	// passkeys they have that open anything.
	Identities, Passkeys int
	PhoneAt              time.Time
	// Used is when each way was last used.
	Used map[Method]time.Time
}

// Seconds are the ways that can be a second step for this person, the most
// convenient first. A recovery code stands in for any of them.
func (f Factors) Seconds() []Method {
	var all []Method
	if !f.AuthenticatorAt.IsZero() {
		all = append(all, Authenticator)
	}
	if f.Passkeys > 0 {
		all = append(all, ByPasskey)
	}
	if f.Phone != "" {
		all = append(all, TextCode)
	}
	return all
}

// Identity is who somebody is at a provider that vouches for them: Issuer and Subject
// together, and nothing else (ASVS 6.8.1).
type Identity struct {
	ID       ID
	Provider string // its name in our addresses
	Issuer   string
	Subject  string
	Email    string // as the provider says
	AddedAt  time.Time
	UsedAt   time.Time
}

// StoredCode is one of a person's recovery codes, as it is kept.
type StoredCode struct {
	Finder string // its beginning, by which it is found
	Hash   string // of the whole, a PHC string
}

// Masked is the number as it is shown to whoever has not proved yet that it is
// theirs: its last three digits.
func (p Phone) Masked() string {
	if len(p) < 4 {
		return ""
	}
	return "…" + string(p[len(p)-3:])
}
