package db

import (
	"context"
	"time"

	"lectern/db/school"
)

const passkeyColumns = `
	       p.id,
	       p.user_id,
	       p.name,
	       p.synced,
	       p.backed_up,
	       p.created_at,
	       p.used_at,
	       p.warned_at`

// passkeyFields are where passkeyColumns are scanned to.
func passkeyFields(p *school.Passkey) []any {
	return []any{&p.ID, &p.User, &p.Name, &p.Synced, &p.BackedUp, instant{&p.CreatedAt}, instant{&p.UsedAt}, instant{&p.WarnedAt}}
}

func scanPasskey(row scanner) (p school.Passkey, err error) {
	err = row.Scan(passkeyFields(&p)...)
	return p, err
}

func scanPasskeyCredential(row scanner) (p school.PasskeyCredential, err error) {
	err = row.Scan(append(passkeyFields(&p.Passkey), &p.CredentialID, &p.SignCount, &p.Record)...)
	return p, err
}

var (
	passkeys = statement("passkeys of a person", `
	SELECT`+passkeyColumns+`
	  FROM passkeys AS p
	 WHERE p.user_id = $1
	 ORDER BY p.created_at, p.id`)

	passkeyCredentials = statement("credentials of a person's passkeys", `
	SELECT`+passkeyColumns+`,
	       p.credential_id,
	       p.sign_count,
	       p.record
	  FROM passkeys AS p
	 WHERE p.user_id = $1
	 ORDER BY p.created_at, p.id`)

	passkeyByID = statement("passkey by id", `
	SELECT`+passkeyColumns+`
	  FROM passkeys AS p
	 WHERE p.id = $1
	   AND p.user_id = $2`)

	passkeyByCredential = statement("passkey by credential", `
	SELECT`+passkeyColumns+`
	  FROM passkeys AS p
	 WHERE p.credential_id = $1
	   AND p.user_id = $2`)

	countPasskeys = statement("count passkeys of a person", `
	SELECT COUNT(*)
	  FROM passkeys
	 WHERE user_id = $1`)

	insertPasskey = statement("insert passkey", `
	INSERT INTO passkeys (credential_id, id, user_id, name, synced, backed_up, sign_count, created_at, record)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (credential_id) DO NOTHING`)

	renamePasskey = statement("rename passkey", `
	UPDATE passkeys
	   SET name = $1
	 WHERE id = $2
	   AND user_id = $3`)

	deletePasskey = statement("delete passkey", `
	DELETE FROM passkeys
	 WHERE id = $1
	   AND user_id = $2`)

	// A passkey that counts has to count on from the last use, and one that does not
	// says 0 each time (WebAuthn §7.2). The condition stands in the statement, so that
	// of two uses with one count, at once or not, the second finds nothing to change.
	usePasskey = statement("use passkey", `
	UPDATE passkeys
	   SET sign_count = $1,
	       backed_up = $2,
	       used_at = $3
	 WHERE credential_id = $4
	   AND user_id = $5
	   AND warned_at IS NULL
	   AND (sign_count < $1 OR sign_count = 0 AND $1 = 0)`)

	warnOfPasskey = statement("warn of passkey", `
	UPDATE passkeys
	   SET warned_at = $1
	 WHERE credential_id = $2
	   AND warned_at IS NULL`)
)

// Passkeys lists a person's passkeys, the first that was added first.
func (d *DB) Passkeys(ctx context.Context, user school.ID) ([]school.Passkey, error) {
	return all(ctx, d, passkeys, scanPasskey, user)
}

// PasskeyCredentials lists the same with what checking their signatures needs.
func (d *DB) PasskeyCredentials(ctx context.Context, user school.ID) ([]school.PasskeyCredential, error) {
	return all(ctx, d, passkeyCredentials, scanPasskeyCredential, user)
}

// AddPasskey adds a passkey, complete with its ID and the time of its making. It
// returns [school.ErrTooManyPasskeys] if the person has as many as one may have,
// and [school.ErrPasskeyTaken] if it is known already, whoever has it.
func (d *DB) AddPasskey(ctx context.Context, p school.PasskeyCredential) error {
	return d.write(ctx, func(t *tx) error {
		n, err := one(ctx, t, countPasskeys, value[int], p.User)
		if err != nil {
			return err
		}
		if n >= school.MaxPasskeys {
			return school.ErrTooManyPasskeys
		}
		added, err := t.exec(ctx, insertPasskey,
			p.CredentialID, p.ID, p.User, p.Name, bit(p.Synced), bit(p.BackedUp), int64(p.SignCount), stamp(p.CreatedAt), string(p.Record))
		if err == nil && added == 0 {
			return school.ErrPasskeyTaken
		}
		return err
	})
}

// RenamePasskey calls a person's passkey something else. It returns
// [school.ErrNotFound] if they have no such passkey.
func (d *DB) RenamePasskey(ctx context.Context, user, id school.ID, name string) error {
	return d.write(ctx, func(t *tx) error { return t.must(ctx, renamePasskey, name, id, user) })
}

// RemovePasskey forgets a person's passkey and returns what it was. It returns
// [school.ErrNotFound] if they have no such passkey. Where nothing else can be a
// second step, there is none from now on. It returns [school.ErrLastWay] where nothing
// else lets them in.
func (d *DB) RemovePasskey(ctx context.Context, user, id school.ID, open school.WaysOpen) (removed school.Passkey, err error) {
	err = d.leavingAWay(ctx, user, open, func(t *tx) error {
		if removed, err = one(ctx, t, passkeyByID, scanPasskey, id, user); err != nil {
			return err
		}
		if err := t.must(ctx, deletePasskey, id, user); err != nil {
			return err
		}
		return t.withoutSecond(ctx, user)
	})
	return removed, err
}

// UsePasskey notes that a person's passkey was used, with the count that it gave,
// and returns it as it is then. If the count did not grow, the passkey is marked
// instead, is not accepted from then on, and comes back with
// [school.ErrPasskeyCloned]; so does one that was marked before. It returns
// [school.ErrNotFound] if they have no such passkey.
func (d *DB) UsePasskey(ctx context.Context, user school.ID, credentialID string, count uint32, backedUp bool, at time.Time) (p school.Passkey, err error) {
	cloned := false
	err = d.write(ctx, func(t *tx) error {
		used, err := t.exec(ctx, usePasskey, int64(count), bit(backedUp), stamp(at), credentialID, user)
		if err != nil {
			return err
		}
		if p, err = one(ctx, t, passkeyByCredential, scanPasskey, credentialID, user); err != nil {
			return err
		}
		if cloned = used == 0; !cloned || !p.Opens() {
			return nil
		}
		p.WarnedAt = at
		return t.must(ctx, warnOfPasskey, stamp(at), credentialID)
	})
	if err == nil && cloned {
		err = school.ErrPasskeyCloned
	}
	return p, err
}
