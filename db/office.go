package db

import (
	"context"

	"lectern/db/school"
)

// What somebody proves with who they are, taken away by somebody else: an admin, when
// a telephone is lost or a password is known to others.

var deletePasskeys = statement("delete passkeys of a person", `
	DELETE FROM passkeys
	 WHERE user_id = $1`)

// RemovePasskeys forgets all of a person's passkeys. Where nothing else can be a second
// step, there is none from now on. It returns [school.ErrNotFound] if they have none, and
// [school.ErrLastWay] where nothing else lets them in.
func (d *DB) RemovePasskeys(ctx context.Context, id school.ID, open school.WaysOpen) error {
	return d.leavingAWay(ctx, id, open, func(t *tx) error {
		if err := t.must(ctx, deletePasskeys, id); err != nil {
			return err
		}
		return t.withoutSecond(ctx, id)
	})
}

// RemoveRecoveryCodes makes a person's recovery codes good for nothing. It returns
// [school.ErrNotFound] if they have none.
func (d *DB) RemoveRecoveryCodes(ctx context.Context, id school.ID) error {
	return d.write(ctx, func(t *tx) error { return t.must(ctx, deleteRecoveryCodes, id) })
}
