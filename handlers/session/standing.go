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

// cutFor is the first moment at which a session may be dated after its person's
// sessions were ended. A token tells whole seconds, so all that is dated in the
// second of the end counts as before it, and what begins in the rest of that
// second is dated at the next.
func cutFor(ended time.Time) time.Time {
	if ended.IsZero() {
		return ended
	}
	return ended.Truncate(time.Second).Add(time.Second)
}

// CutOffAt is the moment before which a person's sessions are over, for a
// backend that heeds their ends.
func CutOffAt(user school.User) time.Time { return cutFor(user.SessionsEndedAt) }

// begin dates a record, and brings its role up to date. It returns an error for
// a person who may not have a session now, and ErrEnded where the last end of
// their sessions concerns this one.
func (m *Manager) begin(ctx context.Context, rec *Record, over func(ended time.Time) bool) error {
	user, err := m.standing(ctx, rec.UserID)
	if err != nil {
		return err
	}
	if over(user.SessionsEndedAt) {
		return ErrEnded
	}
	rec.Role, rec.CreatedAt = user.Role, m.now()
	if first := cutFor(user.SessionsEndedAt); rec.CreatedAt.Before(first) {
		rec.CreatedAt = first
	}
	return nil
}

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
	if user.Role != rec.Role || rec.CreatedAt.Before(cutFor(user.SessionsEndedAt)) {
		return ErrEnded
	}
	return nil
}
