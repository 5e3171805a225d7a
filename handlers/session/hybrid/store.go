package hybrid

import (
	"context"
	"crypto/subtle"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
)

// Family is a session on record, with what is kept of its secrets.
type Family struct {
	session.Record
	// Current is the hash of the secret that is good now, and Previous of the one
	// that it was made out of with the Salt, at RotatedAt. Before the first
	// exchange there is no Previous and no Salt.
	Current, Previous serverstore.Hash
	Salt              []byte
	RotatedAt         time.Time
}

// Rotation is what an exchange changes in a family.
type Rotation struct {
	Current   serverstore.Hash
	Salt      []byte
	At        time.Time // also the visit that is noted with it
	IdleUntil time.Time
}

// Store keeps families under the hashes of their numbers. Errors are for trouble
// alone: a store that was asked and has nothing says so without one.
// Implementations are safe for concurrent use.
type Store interface {
	serverstore.Records
	// Place is what the store is called in a sentence: "the database".
	Place() string
	// Find returns the family as it was written, whether or not its time is over.
	// Its Handle is empty.
	Find(ctx context.Context, hash serverstore.Hash) (Family, bool, error)
	// Create writes a family that is not there yet.
	Create(ctx context.Context, hash serverstore.Hash, family Family) error
	// Rotate makes presented the previous secret of a family, in one step with
	// checking that it is the current one. It reports false, and does nothing, when
	// it is not, or the family is gone.
	Rotate(ctx context.Context, hash, presented serverstore.Hash, to Rotation) (bool, error)
	// Touch notes a visit. It never creates: it reports false, and does nothing,
	// when the family is gone.
	Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error)
	// Delete removes a family. It reports false when there was none.
	Delete(ctx context.Context, hash serverstore.Hash) (bool, error)
}

func (f *Family) isCurrent(t ticket) bool { return same(f.Current, t.secretHash()) }

// isPrevious reports whether a ticket was exchanged for the current one within
// the grace.
func (f *Family) isPrevious(t ticket, now time.Time, grace time.Duration) bool {
	return len(f.Salt) > 0 && same(f.Previous, t.secretHash()) && now.Sub(f.RotatedAt) <= grace
}

func same(a, b serverstore.Hash) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
