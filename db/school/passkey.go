package school

import (
	"errors"
	"time"
)

// The errors of a passkey.
var (
	// ErrPasskeyTaken: the school knows this passkey already (409).
	ErrPasskeyTaken = errors.New("school: passkey is known already")
	// ErrTooManyPasskeys: the person has MaxPasskeys (409).
	ErrTooManyPasskeys = errors.New("school: too many passkeys")
	// ErrPasskeyCloned: the passkey counts its uses, and the count did not grow
	// since the last one, now or at some time before. So there may be two of it, and
	// it opens nothing any more (401).
	ErrPasskeyCloned = errors.New("school: passkey may have been copied")
)

const (
	// MaxPasskeys is how many passkeys one person may have.
	MaxPasskeys = 20
	// MaxPasskeyName is how long the name of one may be, in characters.
	MaxPasskeyName = 60
)

// Passkey is a pair of keys of which the person's own device, or the service that
// keeps their passwords, holds one half. The school has the other half, with which
// nothing can be opened; so it is no secret, and no page needs it either
// ([PasskeyCredential]).
type Passkey struct {
	ID   ID // names it in addresses; its own name, the credential id, may be a thousand letters long
	User ID
	Name string // what the person calls it
	// Synced says that the key can be copied to other devices of the person, as
	// those that a password manager keeps. It never changes.
	Synced bool
	// BackedUp says that it had been copied when it was used last.
	BackedUp  bool
	CreatedAt time.Time
	UsedAt    time.Time // zero if never since it was made
	WarnedAt  time.Time // when there seemed to be two of it; zero if never
}

// Opens reports whether the passkey is still accepted.
func (p Passkey) Opens() bool { return p.WarnedAt.IsZero() }

// PasskeyCredential is what checking a passkey's signature needs.
type PasskeyCredential struct {
	Passkey
	CredentialID string // as the device calls it, in base64url
	SignCount    uint32 // of the last use; stays 0 for passkeys that do not count
	Record       []byte // the public key, in the form that package auth gives it
}

// ParsePasskeyName parses what a person calls a passkey.
func ParsePasskeyName(s string) (string, error) {
	return parseLine("name", "A name for the passkey", s, MaxPasskeyName)
}
