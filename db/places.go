package db

import (
	"context"
	"time"

	"lectern/db/school"
)

// maxPlaces is how many places are known of one person; the oldest are forgotten.
const maxPlaces = 50

var (
	seePlace = statement("see place", `
	UPDATE known_places
	   SET seen_at = $1
	 WHERE user_id = $2
	   AND device = $3
	   AND network = $4`)

	countPlaces = statement("count places", `
	SELECT COUNT(*)
	  FROM known_places
	 WHERE user_id = $1`)

	lastSeen = statement("last seen", `
	SELECT MAX(seen_at)
	  FROM known_places
	 WHERE user_id = $1`)

	addPlace = statement("add place", `
	INSERT INTO known_places (user_id, device, network, seen_at)
	VALUES ($1, $2, $3, $4)`)

	addBrowser = statement("add browser", `
	INSERT INTO known_browsers (user_id, browser)
	VALUES ($1, $2)
	ON CONFLICT (user_id, browser) DO NOTHING`)

	placesOf = statement("places of a person", `
	SELECT device, network, seen_at
	  FROM known_places
	 WHERE user_id = $1
	 ORDER BY seen_at DESC, device, network`)

	dropPlaces = statement("drop places", `
	DELETE FROM known_places
	 WHERE user_id = $1
	   AND seen_at < (SELECT MIN(k.seen_at)
	                    FROM (SELECT seen_at
	                            FROM known_places
	                           WHERE user_id = $1
	                           ORDER BY seen_at DESC
	                           LIMIT $2) AS k)`)
)

// NoteEntry notes that a person was signed in with a device from a network, and by which
// methods; see NoteMethods. It reports whether the place is new: they were signed in
// from other places before, and not from this.
func (d *DB) NoteEntry(ctx context.Context, id school.ID, methods []school.Method, device, network string, at time.Time) (isNew bool, err error) {
	err = d.write(ctx, func(t *tx) error {
		if err := t.noteMethods(ctx, id, methods, at); err != nil {
			return err
		}
		if seen, err := t.exec(ctx, seePlace, stamp(at), id, device, network); err != nil || seen > 0 {
			return err
		}
		before, err := one(ctx, t, countPlaces, value[int], id)
		if err != nil {
			return err
		}
		isNew = before > 0
		if err := t.must(ctx, addPlace, id, device, network, stamp(at)); err != nil {
			return err
		}
		_, err = t.exec(ctx, dropPlaces, id, maxPlaces)
		return err
	})
	return isNew, err
}

// Place is where somebody was signed in: a browser, as it calls itself, and a network.
type Place struct {
	Device, Network string
	SeenAt          time.Time
}

// Places lists where a person was signed in that is kept, the latest first.
func (d *DB) Places(ctx context.Context, id school.ID) ([]Place, error) {
	return all(ctx, d, placesOf, func(row scanner) (p Place, err error) {
		err = row.Scan(&p.Device, &p.Network, instant{&p.SeenAt})
		return p, err
	}, id)
}

// KnowBrowser notes that a person was signed in in a browser, so that the inbox of a
// demonstration shows there what they were sent.
func (d *DB) KnowBrowser(ctx context.Context, id school.ID, browser []byte) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, addBrowser, id, browser)
		return err
	})
}

// LastSeen is when a person last signed in, by whatever way; zero for never.
func (d *DB) LastSeen(ctx context.Context, id school.ID) (time.Time, error) {
	return one(ctx, d, lastSeen, func(row scanner) (at time.Time, err error) {
		err = row.Scan(instant{&at})
		return at, err
	}, id)
}
