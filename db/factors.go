package db

import (
	"context"
	"time"

	"lectern/db/school"
)

var (
	factorsOfUser = statement("factors of a person", `
	SELECT CASE WHEN u.password_hash <> '' THEN 1 ELSE 0 END,
	       u.two_step,
	       a.added_at,
	       a.used_at,
	       t.number,
	       t.added_at,
	       t.used_at,
	       (SELECT COUNT(*) FROM recovery_codes AS r WHERE r.user_id = u.id),
	       (SELECT COUNT(*) FROM identities AS i WHERE i.user_id = u.id),
	       (SELECT COUNT(*) FROM passkeys AS p WHERE p.user_id = u.id AND p.warned_at IS NULL),
	       (SELECT m.used_at FROM method_uses AS m WHERE m.user_id = u.id AND m.method = 'password'),
	       (SELECT m.used_at FROM method_uses AS m WHERE m.user_id = u.id AND m.method = 'email-code')
	  FROM users AS u
	  LEFT JOIN authenticators AS a ON a.user_id = u.id
	  LEFT JOIN phones AS t ON t.user_id = u.id
	 WHERE u.id = $1`)

	noteMethod = statement("note use of a method", `
	INSERT INTO method_uses (user_id, method, used_at)
	VALUES ($1, $2, $3)
	ON CONFLICT (user_id, method) DO UPDATE
	   SET used_at = excluded.used_at`)

	setTwoStep = statement("set two steps", `
	UPDATE users
	   SET two_step = $1
	 WHERE id = $2`)
)

func scanFactors(row scanner) (school.Factors, error) {
	f := school.Factors{Used: map[school.Method]time.Time{}}
	var number *string
	var app, text, password, mail time.Time
	err := row.Scan(&f.HasPassword, &f.TwoStep, instant{&f.AuthenticatorAt}, instant{&app}, &number, instant{&f.PhoneAt}, instant{&text}, &f.RecoveryCodes, &f.Identities, &f.Passkeys, instant{&password}, instant{&mail})
	if number != nil {
		f.Phone = school.Phone(*number)
	}
	for method, at := range map[school.Method]time.Time{school.Authenticator: app, school.TextCode: text, school.Password: password, school.EmailCode: mail} {
		if !at.IsZero() {
			f.Used[method] = at
		}
	}
	return f, err
}

// Factors reads what a person has set up to prove who they are. It returns
// [school.ErrNotFound] for somebody who is not there.
func (d *DB) Factors(ctx context.Context, id school.ID) (school.Factors, error) {
	return one(ctx, d, factorsOfUser, scanFactors, id)
}

// NoteMethods notes when a person last proved who they are by the methods that have no
// row of their own to note it in; the others are left out.
func (d *DB) NoteMethods(ctx context.Context, id school.ID, methods []school.Method, at time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.noteMethods(ctx, id, methods, at) })
}

func (t *tx) noteMethods(ctx context.Context, id school.ID, methods []school.Method, at time.Time) error {
	for _, method := range methods {
		if method != school.Password && method != school.EmailCode {
			continue
		}
		if err := t.must(ctx, noteMethod, id, method, stamp(at)); err != nil {
			return err
		}
	}
	return nil
}

// SetTwoStep says whether a person is asked for a second thing when they sign in.
// Without anything that could be the second it returns [school.ErrNoFactor], and
// [school.ErrLastWay] where what they would be asked for second is all that lets them in.
func (d *DB) SetTwoStep(ctx context.Context, id school.ID, on bool, open school.WaysOpen) error {
	return d.leavingAWay(ctx, id, open, func(t *tx) error {
		if on {
			f, err := one(ctx, t, factorsOfUser, scanFactors, id)
			if err != nil {
				return err
			}
			if len(f.Seconds()) == 0 {
				return school.ErrNoFactor
			}
		}
		return t.must(ctx, setTwoStep, bit(on), id)
	})
}

// withoutSecond turns the second step off for somebody who has nothing left that
// could be it, and drops the codes that stand in for it.
func (t *tx) withoutSecond(ctx context.Context, id school.ID) error {
	f, err := one(ctx, t, factorsOfUser, scanFactors, id)
	if err != nil || len(f.Seconds()) > 0 {
		return err
	}
	if _, err := t.exec(ctx, deleteRecoveryCodes, id); err != nil {
		return err
	}
	return t.must(ctx, setTwoStep, bit(false), id)
}
