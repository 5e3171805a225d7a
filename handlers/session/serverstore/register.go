package serverstore

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// Records are the part of a [Store] that needs no number: what can be asked and
// done about records by whose they are and whether their time is over.
type Records interface {
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

// Register is what can be done from outside to sessions that are written down,
// without a cookie in hand. Each backend that writes sessions down has one.
type Register struct {
	records Records
	now     func() time.Time
}

// NewRegister makes the register of some records.
func NewRegister(records Records, now func() time.Time) Register { return Register{records, now} }

// EndsCopies says that an end makes every copy of the cookie worthless.
func (g Register) EndsCopies() {}

// List returns a person's sessions that are not over, the latest first.
func (g Register) List(ctx context.Context, user school.ID) ([]session.Record, error) {
	all, err := g.records.List(ctx, user, g.now(), session.MaxListed)
	return all, Away(err)
}

// EndOne ends the session of this person that has the handle.
func (g Register) EndOne(ctx context.Context, user school.ID, handle string) (bool, error) {
	hash := ParseHash(handle)
	if hash.String() != handle {
		return false, nil // each session has one name, in one spelling
	}
	found, err := g.records.DeleteOne(ctx, user, hash)
	return found, Away(err)
}

// EndUser ends the sessions of one person.
func (g Register) EndUser(ctx context.Context, user school.ID, except string) (int, error) {
	n, err := g.records.DeleteUser(ctx, user, ParseHash(except))
	return n, Away(err)
}

// EndAll ends everybody's sessions.
func (g Register) EndAll(ctx context.Context, except string) (int, error) {
	n, err := g.records.DeleteAll(ctx, ParseHash(except))
	return n, Away(err)
}

// SetRole writes a person's role into all their records.
func (g Register) SetRole(ctx context.Context, user school.ID, role school.Role) (int, error) {
	n, err := g.records.SetRole(ctx, user, role)
	return n, Away(err)
}

// Count is the number of sessions that have not ended.
func (g Register) Count(ctx context.Context) (int, error) {
	n, err := g.records.Count(ctx, g.now())
	return n, Away(err)
}

// Sweep deletes records whose time is over, a batch at a time, until the store
// finds no full batch any more or ctx ends; a store may look at a part of its
// records each time. It reports how many it deleted.
func (g Register) Sweep(ctx context.Context) (int, error) {
	const batch = 500
	total := 0
	for {
		n, err := g.records.Sweep(ctx, g.now(), batch)
		total += n
		if err != nil || n < batch {
			return total, Away(err)
		}
		if err := ctx.Err(); err != nil {
			return total, err
		}
	}
}

// Away says of an error that the store cannot be asked.
func Away(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
}

// ParseHash reads what Hash.String wrote; anything else is the hash of no
// session.
func ParseHash(s string) Hash {
	var h Hash
	if raw, err := hex.DecodeString(s); err == nil && len(raw) == len(h) {
		copy(h[:], raw)
	}
	return h
}
