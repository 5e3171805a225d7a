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

// successor is the record that continues old: the same sign-in by the same
// person, with the role that they have now. A token that was issued before the
// person's sessions were ended is still good for what it says, and for nothing
// new.
func (m *Manager) successor(ctx context.Context, old *Record) (*Record, error) {
	next := *old
	if err := m.standing(ctx, &next, old.CreatedAt, time.Second); err != nil {
		return nil, err
	}
	next.CreatedAt = m.now()
	return &next, nil
}

// standing brings a record's role up to date. It returns an error for a person
// who may not have a session now, or not one that goes back to since, which is
// known to the grain: a token tells whole seconds.
func (m *Manager) standing(ctx context.Context, rec *Record, since time.Time, grain time.Duration) error {
	user, err := m.people.User(ctx, rec.UserID)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return errNoSuchUser
	case err != nil:
		return err
	case user.Disabled():
		return errClosed
	case since.Before(user.SessionsEndedAt.Truncate(grain)):
		return ErrEnded
	}
	rec.Role = user.Role
	return nil
}

// stands asks once more after a session was started, because somebody may have
// been put out, or given another role, between the question and the start.
// Those who do that change the person first and end the sessions afterwards,
// so one of the two always sees the other.
func (m *Manager) stands(ctx context.Context, rec *Record) error {
	now := *rec
	if err := m.standing(ctx, &now, rec.CreatedAt, time.Millisecond); err != nil {
		return err
	}
	if now.Role != rec.Role {
		return ErrEnded
	}
	return nil
}
