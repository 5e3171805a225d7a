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
