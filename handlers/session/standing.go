package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/db/school"
)

// Why a sign-in cannot be continued.
var (
	errNoSuchUser = fmt.Errorf("%w: the person is not in the school any more", ErrNoSession)
	errClosed     = fmt.Errorf("%w: the account is closed", ErrNoSession)
)

// wholeSecond is the first moment at which anything may be dated after an end at
// the given time. A token tells whole seconds, so all that is dated in the second
// of the end counts as before it.
func wholeSecond(ended time.Time) time.Time { return ended.Truncate(time.Second).Add(time.Second) }

// begin dates a record, and brings its role up to date. It returns an error for
// a person who may not have a session now, and ErrEnded where the last end of
// their sessions concerns this one.
func (m *Manager) begin(ctx context.Context, rec *Record, over func(school.User) bool) error {
	user, err := m.standing(ctx, rec.UserID)
	if err != nil {
		return err
	}
	if over(user) {
		return ErrEnded
	}
	rec.Role, rec.CreatedAt = user.Role, m.now()
	if rec.CreatedAt.Before(user.TokensFrom) {
		rec.CreatedAt = user.TokensFrom
	}
	return nil
}

// before tells whether the last end of a person's sessions concerns this one.
func (rec *Record) before(user school.User) bool { return rec.CreatedAt.Before(user.SessionsFrom) }

// standing returns a person who may have a session.
func (m *Manager) standing(ctx context.Context, id school.ID) (school.User, error) {
	user, err := m.people.User(ctx, id)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return user, errNoSuchUser
	case err != nil:
		return user, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case user.Disabled():
		return user, errClosed
	}
	return user, nil
}

// stands asks once more after a session was started, because somebody may have
// been put out, or given another role, between the question and the start.
// Those who do that change the person first and end the sessions afterwards,
// so one of the two always sees the other.
func (m *Manager) stands(ctx context.Context, rec *Record) error {
	user, err := m.standing(ctx, rec.UserID)
	if err != nil {
		return err
	}
	if user.Role != rec.Role || rec.before(user) {
		return ErrEnded
	}
	return nil
}

// CatchUp writes a person's role into their record where that was missed,
// because its store was away when the role changed. It is asked with the person's
// row in hand, and does something only where the two differ.
func (m *Manager) CatchUp(ctx context.Context, v *Visit, user school.User) error {
	if v == nil || v.record == nil || v.record.Role == user.Role || m.powerOf(v.backend).Life > 0 {
		return nil
	}
	keeper, ok := v.backend.(RoleKeeper)
	if !ok {
		return nil
	}
	if _, err := keeper.SetRole(ctx, user.ID, user.Role); err != nil {
		return err
	}
	rec := *v.record
	rec.Role = user.Role
	v.record = &rec
	return nil
}

// Over reports whether a visitor's session is over because of what is true of
// its person now, and why: the account was closed, or all their sessions were
// ended while the store of this one could not be reached. It is asked with the
// person's row in hand, which a page needs anyway. Sessions that end late, or not
// at all, are left alone: what is true of them must be seen.
func (m *Manager) Over(v *Visit, user school.User) (Reason, bool) {
	if v == nil || v.record == nil {
		return "", false
	}
	if power := m.powerOf(v.backend); !power.EndsUser || power.Life > 0 {
		return "", false
	}
	switch {
	case user.Disabled():
		return Closed, true
	case v.record.before(user):
		return CutOff, true
	}
	return "", false
}
