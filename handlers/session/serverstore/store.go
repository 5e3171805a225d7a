package serverstore

import (
	"context"
	"time"

	"lectern/handlers/session"
)

// Store keeps records under the hashes of their numbers. Errors are for
// trouble alone: a store that was asked and has nothing says so without one.
// Implementations are safe for concurrent use.
type Store interface {
	Records
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
