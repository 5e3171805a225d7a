package db

import (
	"context"
	"time"

	"lectern/db/school"
)

var (
	putAuthenticator = statement("put authenticator", `
	INSERT INTO authenticators (user_id, secret, last_step, added_at, used_at)
	VALUES ($1, $2, $3, $4, $4)
	ON CONFLICT (user_id) DO UPDATE
	   SET secret = excluded.secret,
	       last_step = excluded.last_step,
	       added_at = excluded.added_at,
	       used_at = excluded.used_at`)

	authenticatorSecret = statement("authenticator of a person", `
	SELECT secret
	  FROM authenticators
	 WHERE user_id = $1`)

	useAuthenticator = statement("use authenticator", `
	UPDATE authenticators
	   SET last_step = $1,
	       used_at = $2
	 WHERE user_id = $3
	   AND secret = $4
	   AND last_step < $1`)

	deleteAuthenticator = statement("delete authenticator", `
	DELETE FROM authenticators
	 WHERE user_id = $1`)
)

// PutAuthenticator keeps the sealed secret of a person's authenticator app, in place
// of the one before, and asks for it at each sign-in from now on. step is that of the
// code that proved the app to work; it is used up with it. It returns [school.ErrLastWay]
// where what would be asked for second is all that lets them in.
func (d *DB) PutAuthenticator(ctx context.Context, id school.ID, secret string, step int64, at time.Time, open school.WaysOpen) error {
	return d.leavingAWay(ctx, id, open, func(t *tx) error {
		if err := t.must(ctx, putAuthenticator, id, secret, step, stamp(at)); err != nil {
			return err
		}
		return t.must(ctx, setTwoStep, bit(true), id)
	})
}

// Authenticator reads the sealed secret of a person's app. It returns
// [school.ErrNotFound] for somebody who has none.
func (d *DB) Authenticator(ctx context.Context, id school.ID) (secret string, err error) {
	return one(ctx, d, authenticatorSecret, value[string], id)
}

// UseAuthenticator uses up a step of the app with this secret. It returns
// [school.ErrNotFound] where the step, or a later one, has been used before: of two
// who bring the same code at once, one wins (RFC 6238 §5.2, ASVS 6.5.1).
func (d *DB) UseAuthenticator(ctx context.Context, id school.ID, secret string, step int64, at time.Time) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, useAuthenticator, step, stamp(at), id, secret)
	})
}

// RemoveAuthenticator forgets a person's app. Where nothing else can be a second
// step, there is none from now on.
func (d *DB) RemoveAuthenticator(ctx context.Context, id school.ID) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.must(ctx, deleteAuthenticator, id); err != nil {
			return err
		}
		return t.withoutSecond(ctx, id)
	})
}
