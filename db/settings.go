package db

import (
	"context"
	"time"
)

var (
	setting = statement("setting", `
	SELECT value
	  FROM settings
	 WHERE key = $1`)

	setSetting = statement("set setting", `
	INSERT INTO settings (key, value, updated_at)
	VALUES ($1, $2, $3)
	ON CONFLICT (key) DO UPDATE
	   SET value = excluded.value,
	       updated_at = excluded.updated_at`)
)

// Setting reads a value that the site keeps between starts. It returns
// [school.ErrNotFound] if it was never set.
func (d *DB) Setting(ctx context.Context, key string) (string, error) {
	return one(ctx, d, setting, value[string], key)
}

// SetSetting keeps a value in place of the one before.
func (d *DB) SetSetting(ctx context.Context, key, value string, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, setSetting, key, value, stamp(now))
	})
}
