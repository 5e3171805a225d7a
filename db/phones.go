package db

import (
	"context"
	"time"

	"lectern/db/school"
)

var (
	putPhone = statement("put phone", `
	INSERT INTO phones (user_id, number, added_at, used_at)
	VALUES ($1, $2, $3, NULL)
	ON CONFLICT (user_id) DO UPDATE
	   SET number = excluded.number,
	       added_at = excluded.added_at,
	       used_at = NULL`)

	usePhone = statement("use phone", `
	UPDATE phones
	   SET used_at = $1
	 WHERE user_id = $2
	   AND number = $3`)

	deletePhone = statement("delete phone", `
	DELETE FROM phones
	 WHERE user_id = $1`)
)

// PutPhone keeps the number that a person has shown to be theirs, in place of the
// one before.
func (d *DB) PutPhone(ctx context.Context, id school.ID, number school.Phone, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, putPhone, id, number, stamp(at))
	})
}

// UsePhone notes that a code sent to this number was right. It returns
// [school.ErrNotFound] where it is not the person's number any more.
func (d *DB) UsePhone(ctx context.Context, id school.ID, number school.Phone, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, usePhone, stamp(at), id, number)
	})
}

// RemovePhone forgets a person's number. Where nothing else can be a second step, there
// is none from now on. It returns [school.ErrLastWay] where nothing else lets them in.
func (d *DB) RemovePhone(ctx context.Context, id school.ID, open school.WaysOpen) error {
	return d.leavingAWay(ctx, id, open, func(t *tx) error {
		if err := t.must(ctx, deletePhone, id); err != nil {
			return err
		}
		return t.withoutSecond(ctx, id)
	})
}
