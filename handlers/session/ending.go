package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"lectern/db/school"
)

// EndOthers ends all sessions of the visitor but this one, in every backend
// that can, and gives this one a new id. It returns ErrEnded when this one has
// been ended meanwhile.
func (m *Manager) EndOthers(w http.ResponseWriter, r *http.Request) (Ended, error) {
	v := VisitFrom(r.Context())
	if v == nil || v.record == nil {
		return Ended{}, ErrNoSession
	}
	rec := *v.record
	if err := m.begin(r.Context(), &rec, v.record.before); err != nil {
		return Ended{}, err
	}
	ended, before, err := m.endUser(r.Context(), rec.UserID, rec.Handle)
	if err != nil {
		return ended, err
	}
	if v.record.before(before) {
		return ended, ErrEnded
	}
	// What cannot be told from the others is over with them: so this one goes on as
	// a new one.
	return ended, m.proceed(w, r, v, v.backend, func(school.User) bool { return false }, func(*Record) {})
}

// EndUser ends all sessions of a person in every backend that can. Where a store
// cannot be asked, the end stands with the person all the same, and what could
// not be reached is refused when it is shown again (Over). The error is
// ErrUnavailable when not even that could be noted.
func (m *Manager) EndUser(ctx context.Context, user school.ID) (Ended, error) {
	ended, _, err := m.endUser(ctx, user, "")
	return ended, err
}

// Ended says what could be ended and what could not.
type Ended struct {
	Sessions int
	// Until is the time until which sessions that were issued earlier can go on,
	// because nothing can call them back sooner; zero where all end at once.
	Until time.Time
	// Unreached names the backends in use whose store could not be asked.
	Unreached []string
}

// endUser also returns the person as they were before the end was noted.
func (m *Manager) endUser(ctx context.Context, user school.ID, except string) (Ended, school.User, error) {
	ended := Ended{Until: m.staleUntil()}
	before, err := m.people.EndSessions(ctx, user, m.now())
	if err != nil && !errors.Is(err, school.ErrNotFound) {
		return ended, before, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	m.reach(&ended, func(b Backend) (int, error) {
		if _, heeds := b.(Heeder); heeds {
			m.wrote(ctx, b)
		}
		revoker, ok := b.(Revoker)
		if !ok {
			return 0, nil
		}
		m.wrote(ctx, b)
		return revoker.EndUser(ctx, user, except)
	})
	return ended, before, nil
}

// wrote notes with the request that it has changed something where the sessions of
// a backend are kept, or the moment that its tokens are held against. What a site
// does not read is nobody's session, and does not count.
func (m *Manager) wrote(ctx context.Context, b Backend) {
	if m.reads(b.Name()) {
		TraceFrom(ctx).Wrote()
	}
}

// reach does something to the sessions of every backend and counts them. Where a
// store cannot be asked it goes on with the next one, and returns what was wrong;
// a store that nobody's sessions are read from here may be away without a word.
func (m *Manager) reach(ended *Ended, do func(Backend) (int, error)) error {
	var failed error
	for _, b := range m.backends() {
		n, err := do(b)
		ended.Sessions += n
		if err != nil && m.reads(b.Name()) {
			ended.Unreached = append(ended.Unreached, b.Name())
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// ChangeRole has a person's new role reach their sessions: it is written into
// those that keep one which can be changed. Where tokens heed their ends, those
// that say the old role are over, so that the person signs in again as what they
// are now. All others go on saying the old role until Ended.Until.
func (m *Manager) ChangeRole(ctx context.Context, user school.ID, from, to school.Role) (Ended, error) {
	changed := Ended{Until: m.staleUntil()}
	failed := m.reach(&changed, func(b Backend) (int, error) {
		if keeper, ok := b.(RoleKeeper); ok {
			m.wrote(ctx, b)
			return keeper.SetRole(ctx, user, to)
		}
		if _, heeds := b.(Heeder); !heeds || from == to {
			return 0, nil
		}
		m.wrote(ctx, b)
		if err := m.people.EndTokens(ctx, user, m.now()); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return 0, nil
	})
	return changed, failed
}

// staleUntil is the latest moment until which a session that is out there can go
// on after it was ended; zero where none can.
func (m *Manager) staleUntil() time.Time {
	var longest time.Duration
	for _, p := range m.Powers() {
		if p.Read {
			longest = max(longest, p.Longest)
		}
	}
	if longest == 0 {
		return time.Time{}
	}
	return m.now().Add(longest)
}

// reads reports whether sessions of a backend are looked at: because the site
// has it, because it is being left, or because visitors may choose it.
func (m *Manager) reads(name string) bool {
	site := m.Site()
	return m.choose || name == site.Backend || slices.Contains(site.CarryFrom, name)
}

// Listed is one session of a person, as the page of their sessions shows it.
type Listed struct {
	Record
	Backend string
	Own     bool // the one of the request that asks
}

// List returns the sessions of a person that can be listed, the latest first:
// those of every backend that writes them down and is looked at. It names the
// backends whose store could not be asked.
func (m *Manager) List(ctx context.Context, user school.ID) (all []Listed, unreached []string) {
	own := ""
	if v := VisitFrom(ctx); v != nil && v.record != nil {
		own = v.record.Handle
	}
	for _, b := range m.backends() {
		lister, ok := b.(Lister)
		if !ok || !m.reads(b.Name()) {
			continue
		}
		records, err := lister.List(ctx, user)
		if err != nil {
			unreached = append(unreached, b.Name())
			continue
		}
		for _, rec := range records {
			all = append(all, Listed{rec, b.Name(), rec.Handle == own})
		}
	}
	slices.SortStableFunc(all, func(a, b Listed) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Handle, b.Handle))
	})
	return all, unreached
}

// EndOne ends the visitor's session that has the handle, whichever backend has
// it. It reports the backend; the error is school.ErrNotFound when they have
// none of that name. One's own is ended by End.
func (m *Manager) EndOne(r *http.Request, handle string) (string, error) {
	v := VisitFrom(r.Context())
	if v == nil || v.record == nil {
		return "", ErrNoSession
	}
	var failed error
	for _, b := range m.backends() {
		lister, ok := b.(Lister)
		if !ok {
			continue
		}
		m.wrote(r.Context(), b)
		found, err := lister.EndOne(r.Context(), v.record.UserID, handle)
		if found {
			return b.Name(), nil
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return "", failed
	}
	return "", school.ErrNotFound
}
