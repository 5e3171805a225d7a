package serverstore

import (
	"context"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// Store keeps records under the hashes of their numbers. Errors are for
// trouble alone: a store that was asked and has nothing says so without one.
// Implementations are safe for concurrent use.
type Store interface {
	// Place is what the store is called in a sentence: "memory".
	Place() string
	// Find returns the record as it was written, whether or not its time is
	// over. Its Handle is empty.
	Find(ctx context.Context, hash Hash) (session.Record, bool, error)
	// Create writes a record that is not there yet.
	Create(ctx context.Context, hash Hash, rec session.Record) error
	// Touch notes a visit. It never creates: it reports false, and does
	// nothing, when the record is gone.
	Touch(ctx context.Context, hash Hash, seenAt, idleUntil time.Time) (bool, error)
	// Delete removes a record. It reports false when there was none.
	Delete(ctx context.Context, hash Hash) (bool, error)
	// List returns a person's records whose time is not over at now, the latest
	// first, at most limit of them, each with its Handle: the hash as it prints.
	List(ctx context.Context, user school.ID, now time.Time, limit int) ([]session.Record, error)
	// DeleteOne removes a record of this person. It reports false when they have
	// none under the hash.
	DeleteOne(ctx context.Context, user school.ID, hash Hash) (bool, error)
	// DeleteUser removes a person's records but the one under except.
	DeleteUser(ctx context.Context, user school.ID, except Hash) (int, error)
	// DeleteAll removes all records but the one under except.
	DeleteAll(ctx context.Context, except Hash) (int, error)
	// SetRole changes the role in all of a person's records.
	SetRole(ctx context.Context, user school.ID, role school.Role) (int, error)
	// Count is the number of records whose time is not over at now.
	Count(ctx context.Context, now time.Time) (int, error)
	// Sweep removes at most limit records whose time is over at now.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)
}

// Visitor is a store that finds a record and notes the visit in one go. For a
// store at the other end of a wire that is one way instead of two.
type Visitor interface {
	// Visit finds the record like Find. Where its time is not over at now and the
	// last visit was noted at least every ago, it notes this one: the record it
	// returns is as noted, and ends idle later, or at its end where it is to be
	// remembered or that is sooner. noted is false where there was nothing to
	// note, and also where the store can read and not write at the moment.
	Visit(ctx context.Context, hash Hash, now time.Time, every, idle time.Duration) (rec session.Record, found, noted bool, err error)
}
