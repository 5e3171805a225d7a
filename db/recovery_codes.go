package db

import (
	"context"
	"time"

	"lectern/db/school"
)

var (
	deleteRecoveryCodes = statement("delete recovery codes", `
	DELETE FROM recovery_codes
	 WHERE user_id = $1`)

	recoveryCode = statement("recovery code", `
	SELECT hash
	  FROM recovery_codes
	 WHERE user_id = $1
	   AND finder = $2`)

	useRecoveryCode = statement("use recovery code", `
	DELETE FROM recovery_codes
	 WHERE user_id = $1
	   AND finder = $2
	   AND hash = $3`)
)

// PutRecoveryCodes keeps new recovery codes in place of all that a person had.
func (d *DB) PutRecoveryCodes(ctx context.Context, id school.ID, codes []school.StoredCode, at time.Time) error {
	rows := make([][]any, len(codes))
	for i, code := range codes {
		rows[i] = []any{id, code.Finder, code.Hash, stamp(at)}
	}
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, deleteRecoveryCodes, id); err != nil {
			return err
		}
		return t.insert(ctx, "INSERT INTO recovery_codes (user_id, finder, hash, made_at)", "", rows)
	})
}

// RecoveryCode reads the hash of the code that begins so. It returns
// [school.ErrNotFound] where the person has none.
func (d *DB) RecoveryCode(ctx context.Context, id school.ID, finder string) (hash string, err error) {
	return one(ctx, d, recoveryCode, value[string], id, finder)
}

// UseRecoveryCode uses a code up. Of two who bring it at once, one gets nil and the
// other [school.ErrNotFound].
func (d *DB) UseRecoveryCode(ctx context.Context, id school.ID, code school.StoredCode) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, useRecoveryCode, id, code.Finder, code.Hash)
	})
}
