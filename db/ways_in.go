package db

import (
	"context"

	"lectern/db/school"
)

// leavingAWay has a person's ways to sign in changed, in a transaction at whose end one
// that works is left: of two that go at once, the last stays. Who had none that works
// here, or takes away what does not, is not kept from it. It returns [school.ErrLastWay]
// where nothing else opens the account.
func (d *DB) leavingAWay(ctx context.Context, id school.ID, open school.WaysOpen, change func(*tx) error) error {
	return d.write(ctx, func(t *tx) error {
		before, err := t.waysIn(ctx, id, open)
		if err != nil {
			return err
		}
		if err := change(t); err != nil {
			return err
		}
		after, err := t.waysIn(ctx, id, open)
		if err == nil && before > 0 && after == 0 {
			err = school.ErrLastWay
		}
		return err
	})
}

func (t *tx) waysIn(ctx context.Context, id school.ID, open school.WaysOpen) (int, error) {
	f, err := one(ctx, t, factorsOfUser, scanFactors, id)
	if err != nil {
		return 0, err
	}
	identities, err := all(ctx, t, identitiesOf, scanIdentity, id)
	return f.WaysIn(identities, open), err
}
