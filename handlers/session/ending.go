package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"lectern/db/school"
)

// EndOthers ends all sessions of the visitor but this one, in every backend
// that can. Where nothing can be ended, what began before this session is
// worth nothing new any more; so Renew this one first.
func (m *Manager) EndOthers(r *http.Request) (Ended, error) {
	v := VisitFrom(r.Context())
	if v == nil || v.record == nil {
		return Ended{}, ErrNoSession
	}
	return m.endUser(r.Context(), v.record.UserID, v.record.Handle, v.record.CreatedAt)
}

// EndUser ends all sessions of a person in every backend that can.
func (m *Manager) EndUser(ctx context.Context, user school.ID) (Ended, error) {
	return m.endUser(ctx, user, "", m.now())
}

// Ended says what could be ended and what could not.
type Ended struct {
	Sessions int
	// Until is the time until which tokens issued earlier stay good, because
	// nothing can call them back; zero where no backend is of that kind.
	Until time.Time
}

func (m *Manager) endUser(ctx context.Context, user school.ID, except string, before time.Time) (Ended, error) {
	ended := Ended{Until: m.staleUntil()}
	failed := m.people.EndSessions(ctx, user, before)
	for _, b := range m.backends {
		revoker, ok := b.(Revoker)
		if !ok {
			continue
		}
		n, err := revoker.EndUser(ctx, user, except)
		ended.Sessions += n
		failed = errors.Join(failed, err)
	}
	return ended, failed
}

// ChangeRole writes a person's new role into every session that keeps a role
// which can be changed. Tokens go on saying the old one until Ended.Until.
func (m *Manager) ChangeRole(ctx context.Context, user school.ID, role school.Role) (Ended, error) {
	changed := Ended{Until: m.staleUntil()}
	var failed error
	for _, b := range m.backends {
		keeper, ok := b.(RoleKeeper)
		if !ok {
			continue
		}
		n, err := keeper.SetRole(ctx, user, role)
		changed.Sessions += n
		failed = errors.Join(failed, err)
	}
	return changed, failed
}

// staleUntil is the latest expiry of a token that may be out there: one issued
// just now, to somebody who asked to be remembered.
func (m *Manager) staleUntil() time.Time {
	for _, b := range m.backends {
		if _, ok := b.(Revoker); !ok {
			return m.now().Add(max(m.lifetimes.Token, m.lifetimes.Remember))
		}
	}
	return time.Time{}
}
