package serverstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// Memory keeps records in this process: the fastest cloakroom there is. It is
// empty after a restart, and a second server has one of its own.
type Memory struct {
	mu      sync.RWMutex
	records map[Hash]*session.Record
	byUser  map[school.ID]map[Hash]struct{}
}

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{records: map[Hash]*session.Record{}, byUser: map[school.ID]map[Hash]struct{}{}}
}

// Place is "memory".
func (m *Memory) Place() string { return "memory" }

// Find returns a copy of the record.
func (m *Memory) Find(_ context.Context, hash Hash) (session.Record, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	rec, ok := m.records[hash]
	if !ok {
		return session.Record{}, false, nil
	}
	return *rec, true, nil
}

var errTaken = errors.New("session: number drawn twice")

// Create keeps a copy of the record.
func (m *Memory) Create(_ context.Context, hash Hash, rec session.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.records[hash]; ok {
		return errTaken
	}
	m.records[hash] = &rec
	if m.byUser[rec.UserID] == nil {
		m.byUser[rec.UserID] = map[Hash]struct{}{}
	}
	m.byUser[rec.UserID][hash] = struct{}{}
	return nil
}

// Touch notes a visit.
func (m *Memory) Touch(_ context.Context, hash Hash, seenAt, idleUntil time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, ok := m.records[hash]
	if ok {
		rec.SeenAt, rec.IdleUntil = seenAt, idleUntil
	}
	return ok, nil
}

// Delete removes a record.
func (m *Memory) Delete(_ context.Context, hash Hash) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.delete(hash), nil
}

// delete removes a record and its place in the index. The caller holds mu.
func (m *Memory) delete(hash Hash) bool {
	rec, ok := m.records[hash]
	if !ok {
		return false
	}
	delete(m.records, hash)
	hashes := m.byUser[rec.UserID]
	delete(hashes, hash)
	if len(hashes) == 0 {
		delete(m.byUser, rec.UserID)
	}
	return true
}

// List returns copies of a person's records.
func (m *Memory) List(_ context.Context, user school.ID, now time.Time, limit int) ([]session.Record, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []session.Record
	for hash := range m.byUser[user] {
		rec := *m.records[hash]
		if now.Before(rec.IdleUntil) {
			rec.Handle = hash.String()
			all = append(all, rec)
		}
	}
	slices.SortFunc(all, func(a, b session.Record) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.Handle, b.Handle))
	})
	return all[:min(limit, len(all))], nil
}

// DeleteOne removes a record of this person.
func (m *Memory) DeleteOne(_ context.Context, user school.ID, hash Hash) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if rec, ok := m.records[hash]; !ok || rec.UserID != user {
		return false, nil
	}
	return m.delete(hash), nil
}

// DeleteUser removes a person's records.
func (m *Memory) DeleteUser(_ context.Context, user school.ID, except Hash) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for hash := range m.byUser[user] {
		if hash != except {
			m.delete(hash)
			n++
		}
	}
	return n, nil
}

// DeleteAll removes all records.
func (m *Memory) DeleteAll(_ context.Context, except Hash) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for hash := range m.records {
		if hash != except {
			m.delete(hash)
			n++
		}
	}
	return n, nil
}

// SetRole changes the role in a person's records.
func (m *Memory) SetRole(_ context.Context, user school.ID, role school.Role) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for hash := range m.byUser[user] {
		m.records[hash].Role = role
	}
	return len(m.byUser[user]), nil
}

// Count is the number of records whose time is not over.
func (m *Memory) Count(_ context.Context, now time.Time) (int, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := 0
	for _, rec := range m.records {
		if now.Before(rec.IdleUntil) {
			n++
		}
	}
	return n, nil
}

// Sweep removes records whose time is over. It looks at no more than a bounded
// number of them at once, so that nobody waits long for the lock; Go's maps
// are walked from a random place, so all have their turn.
func (m *Memory) Sweep(_ context.Context, now time.Time, limit int) (int, error) {
	const glance = 10_000
	m.mu.Lock()
	defer m.mu.Unlock()
	n, looked := 0, 0
	for hash, rec := range m.records {
		if looked++; n == limit || looked > glance {
			break
		}
		if !now.Before(rec.IdleUntil) {
			m.delete(hash)
			n++
		}
	}
	return n, nil
}
