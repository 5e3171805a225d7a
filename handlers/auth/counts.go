package auth

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"lectern/db/school"
)

// ErrUnavailable: the counts of tries cannot be read or written now, so that no try is
// let through (503). It wraps the reason.
var ErrUnavailable = errors.New("auth: tries cannot be counted")

// Counts is where tries are counted. Two servers that are to count together share one.
type Counts interface {
	// Counts reads the counts of some keys, in their order.
	Counts(ctx context.Context, keys []school.TryKey) ([]school.TryCount, error)
	// ChangeCounts has change alter the counts of some keys, no two of them the
	// same, and keeps what comes out, while nobody else changes them. Where change
	// returns an error, it returns that, and everything stays as it is.
	ChangeCounts(ctx context.Context, keys []school.TryKey, change func([]school.TryCount) error) error
}

// decide has a decision made that may change counts. It is made twice, if the first,
// on what is only read, comes out well: so that a flood of tries that are all told to
// wait writes nothing and keeps nobody waiting who writes.
func decide(ctx context.Context, counts Counts, keys []school.TryKey, decision func([]school.TryCount) error) error {
	seen, err := counts.Counts(ctx, keys)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err := decision(seen); err != nil {
		return err
	}
	return change(ctx, counts, keys, decision)
}

// change tells what a decision said from what kept it from being made.
func change(ctx context.Context, counts Counts, keys []school.TryKey, decision func([]school.TryCount) error) error {
	var said error
	err := counts.ChangeCounts(ctx, keys, func(seen []school.TryCount) error {
		said = decision(seen)
		return said
	})
	if said == nil && err != nil {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// moment reads a clock as precisely as counts are kept, which is to the millisecond.
func moment(now func() time.Time) time.Time { return now().Truncate(time.Millisecond) }

// ahead is how far the clocks of two servers are believed to be apart. A count from
// further ahead was written by a clock that was wrong, and is as good as none: it
// would have everybody wait until its time has come.
const ahead = 15 * time.Minute

const maxRows = 1 << 16

// Memory keeps counts in this process: they are lost with it, and hold for it alone.
// It never has more than so many rows. When it is full, of a random handful the one is
// dropped that would be forgotten first, so that a flood of invented accounts pushes
// out its own single tries and not the long count of an account under attack.
type Memory struct {
	seed maphash.Seed

	mu   sync.Mutex
	rows map[uint64]memoryRow // by a hash: short whatever was typed, and not readable in a memory dump
}

type memoryRow struct {
	account uint64 // what and whose, where only the latest are kept
	count   school.TryCount
}

// NewMemory makes a Memory with nothing in it.
func NewMemory() *Memory {
	return &Memory{seed: maphash.MakeSeed(), rows: map[uint64]memoryRow{}}
}

func (m *Memory) id(key school.TryKey) uint64 {
	key.Latest = 0
	return maphash.Comparable(m.seed, key)
}

func (m *Memory) account(key school.TryKey) uint64 {
	key.Network = ""
	return m.id(key)
}

// Counts implements [Counts].
func (m *Memory) Counts(_ context.Context, keys []school.TryKey) ([]school.TryCount, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(keys), nil
}

func (m *Memory) read(keys []school.TryKey) []school.TryCount {
	counts := make([]school.TryCount, len(keys))
	for i, key := range keys {
		counts[i] = m.rows[m.id(key)].count
	}
	return counts
}

// ChangeCounts implements [Counts].
func (m *Memory) ChangeCounts(_ context.Context, keys []school.TryKey, change func([]school.TryCount) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.read(keys)
	after := slices.Clone(before)
	if err := change(after); err != nil {
		return err
	}
	for i, key := range keys {
		if after[i] != before[i] {
			m.put(key, after[i])
		}
	}
	return nil
}

func (m *Memory) put(key school.TryKey, count school.TryCount) {
	id := m.id(key)
	if count == (school.TryCount{}) {
		delete(m.rows, id)
		return
	}
	row := memoryRow{count: count}
	if key.Latest > 0 {
		row.account = m.account(key)
	}
	_, known := m.rows[id]
	if !known && len(m.rows) >= maxRows {
		m.drop()
	}
	m.rows[id] = row
	if !known && key.Latest > 0 {
		m.keepLatest(row.account, key.Latest)
	}
}

// drop costs the same however many rows there are.
func (m *Memory) drop() {
	const handful = 8
	var (
		worst uint64
		first time.Time
		seen  int
	)
	for id, row := range m.rows {
		if seen == 0 || row.count.Until.Before(first) {
			worst, first = id, row.count.Until
		}
		if seen++; seen == handful {
			break
		}
	}
	delete(m.rows, worst)
}

// keepLatest looks through all rows, which is rarely done: when somebody is signed in
// from where they never were.
func (m *Memory) keepLatest(account uint64, latest int) {
	var ids []uint64
	for id, row := range m.rows {
		if row.account == account {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uint64) int { return m.rows[b].count.At.Compare(m.rows[a].count.At) })
	for _, id := range ids[min(latest, len(ids)):] {
		delete(m.rows, id)
	}
}
