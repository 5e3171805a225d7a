package db

import (
	"context"
	"fmt"
	"time"

	"lectern/db/school"
)

const flowColumns = `id_hash, browser_hash, purpose, step, user_id, tries, began_at, expires_at, state`

// theFlow finds a flow for the browser that began it, while its time is not over.
const theFlow = `
	 WHERE id_hash = $1
	   AND browser_hash = $2
	   AND expires_at > $3`

var (
	insertFlow = statement("insert flow", `
	INSERT INTO flows (`+flowColumns+`)
	VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8)`)

	readFlow = statement("flow", `
	SELECT `+flowColumns+`
	  FROM flows`+theFlow)

	tryFlow = statement("try flow", `
	UPDATE flows
	   SET tries = tries + 1`+theFlow+`
	   AND tries < $4
	RETURNING `+flowColumns)

	takeFlow = statement("take flow", `
	DELETE FROM flows`+theFlow+`
	RETURNING `+flowColumns)

	sweepFlows = statement("sweep flows", `
	DELETE FROM flows
	 WHERE id_hash IN (SELECT id_hash FROM flows WHERE expires_at <= $1 LIMIT $2)`)
)

func scanFlow(row scanner) (f school.StoredFlow, err error) {
	err = row.Scan(&f.IDHash, &f.BrowserHash, &f.Purpose, &f.Step, &f.User, &f.Tries, instant{&f.BeganAt}, instant{&f.ExpiresAt}, &f.State)
	return f, err
}

// CreateFlow adds a flow that nobody has tried yet.
func (d *DB) CreateFlow(ctx context.Context, f school.StoredFlow) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, insertFlow, f.IDHash, f.BrowserHash, f.Purpose, f.Step, f.User, stamp(f.BeganAt), stamp(f.ExpiresAt), f.State)
	})
}

// Flow reads a flow of a browser. It returns [school.ErrNotFound] where there is
// none, or another browser began it, or its time is over.
func (d *DB) Flow(ctx context.Context, idHash, browserHash string, now time.Time) (school.StoredFlow, error) {
	return one(ctx, d, readFlow, scanFlow, idHash, browserHash, stamp(now))
}

// TryFlow counts a try at a flow before anything is compared, and reads it, so
// that a hundred tries at once are a hundred. Where most tries have been made it
// returns [school.ErrNotFound], as for one that there is not.
func (d *DB) TryFlow(ctx context.Context, idHash, browserHash string, now time.Time, most int) (f school.StoredFlow, err error) {
	err = d.write(ctx, func(t *tx) error {
		f, err = one(ctx, t, tryFlow, scanFlow, idHash, browserHash, stamp(now), most)
		return err
	})
	return f, err
}

// TakeFlow reads a flow and deletes it. Of two who take it at once, one gets it and
// the other [school.ErrNotFound].
func (d *DB) TakeFlow(ctx context.Context, idHash, browserHash string, now time.Time) (f school.StoredFlow, err error) {
	err = d.write(ctx, func(t *tx) error {
		f, err = one(ctx, t, takeFlow, scanFlow, idHash, browserHash, stamp(now))
		return err
	})
	return f, err
}

// Flows sweeps those away whose time is over.
type Flows struct {
	DB  *DB
	Now func() time.Time
}

// Name is "flows".
func (Flows) Name() string { return "flows" }

// Sweep deletes the flows whose time is over. It returns how many.
func (f Flows) Sweep(ctx context.Context) (int, error) {
	const some = 500
	total := 0
	for {
		var n int64
		err := f.DB.write(ctx, func(t *tx) (err error) {
			n, err = t.exec(ctx, sweepFlows, stamp(f.Now()), some)
			return err
		})
		total += int(n)
		if err != nil {
			return total, fmt.Errorf("db: flows: %w", err)
		}
		if n < some {
			return total, nil
		}
	}
}
