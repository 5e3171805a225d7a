package db

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"lectern/db/school"
)

// Bounds of what is kept of tries.
const (
	triesKept  = 1 << 18 // some 30 MB
	triesSweep = 1000    // in one transaction, so that nobody waits for long
)

// triesRead is how many counts one statement reads.
const triesRead = 4

var (
	addSetting = statement("add setting", `
	INSERT INTO settings (key, value, updated_at)
	VALUES ($1, $2, $3)
	ON CONFLICT (key) DO NOTHING`)

	triesOf = statement("tries", `
	SELECT id, n, moment, forget_at
	  FROM tries
	 WHERE id IN ($1, $2, $3, $4)`)

	setTries = statement("set tries", `
	INSERT INTO tries (id, account, n, moment, forget_at)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (id) DO UPDATE
	   SET n = excluded.n,
	       moment = excluded.moment,
	       forget_at = excluded.forget_at`)

	forgetTries = statement("forget tries", `
	DELETE FROM tries
	 WHERE id = $1`)

	forgetEarlierTries = statement("forget earlier tries", `
	DELETE FROM tries
	 WHERE account = $1
	   AND id NOT IN (SELECT id FROM tries WHERE account = $1 ORDER BY moment DESC, id LIMIT $2)`)

	sweepTries = statement("sweep tries", `
	DELETE FROM tries
	 WHERE id IN (SELECT id FROM tries WHERE forget_at <= $1 ORDER BY forget_at LIMIT $2)`)

	// Networks that are known are no part of it: each stands for a sign-in, and there
	// are few of each account.
	countTries = statement("count tries", `
	SELECT COUNT(*)
	  FROM tries
	 WHERE account IS NULL`)

	sweepTriesBeyond = statement("sweep tries beyond a number", `
	DELETE FROM tries
	 WHERE id IN (SELECT id FROM tries WHERE account IS NULL ORDER BY forget_at LIMIT $1)`)
)

// Tries keeps the counts of what may be done only so often, so that they outlive
// the process and hold over all servers on one database.
//
// Accounts and networks stand in the table as a keyed hash, and the key in the
// settings, because there all servers have the same without anybody seeing to it.
// So the table lists no address. Whoever has the whole database can still find out
// whether an address that they think of is among those that were tried lately; to
// them the table of users says more.
type Tries struct {
	db   *DB
	key  []byte
	now  func() time.Time
	kept int
}

// triesKey is the name of the setting.
const triesKey = "tries-key"

// OpenTries reads the key of the hashes, and draws it from random, which is
// [crypto/rand.Reader] outside tests, where there is none yet.
func OpenTries(ctx context.Context, d *DB, random io.Reader, now func() time.Time) (*Tries, error) {
	ctx = patient(ctx)
	text, err := d.Setting(ctx, triesKey)
	if errors.Is(err, school.ErrNotFound) {
		text, err = d.drawTriesKey(ctx, random, now())
	}
	if err != nil {
		return nil, fmt.Errorf("db: key of the tries: %w", err)
	}
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(key) != sha256.Size {
		return nil, fmt.Errorf("db: the setting %q is not a key of %d bytes; delete it, and a new one is made", triesKey, sha256.Size)
	}
	return &Tries{db: d, key: key, now: now, kept: triesKept}, nil
}

// drawTriesKey returns the key of whoever was first, where two servers start at once.
func (d *DB) drawTriesKey(ctx context.Context, random io.Reader, now time.Time) (text string, err error) {
	key := make([]byte, sha256.Size)
	if _, err := io.ReadFull(random, key); err != nil {
		return "", err
	}
	err = d.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, addSetting, triesKey, base64.RawURLEncoding.EncodeToString(key), stamp(now)); err != nil {
			return err
		}
		text, err = one(ctx, t, setting, value[string], triesKey)
		return err
	})
	return text, err
}

// tryID is how a key stands in the table.
type tryID [16]byte

func (t *Tries) id(key school.TryKey) tryID {
	return t.hash("count", key.What, key.Account, key.Network)
}

// account is empty where all counts are kept.
func (t *Tries) account(key school.TryKey) any {
	if key.Latest == 0 {
		return nil
	}
	account := t.hash("account", key.What, key.Account)
	return account[:]
}

func (t *Tries) hash(parts ...string) (id tryID) {
	mac := hmac.New(sha256.New, t.key)
	for _, part := range parts {
		writePart(mac, part)
	}
	copy(id[:], mac.Sum(nil))
	return id
}

// writePart says first how long the part is, so that no two lists of parts are the
// same bytes.
func writePart(h hash.Hash, part string) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(part)))
	h.Write(length[:])
	io.WriteString(h, part)
}

// Counts reads the counts of some keys, in their order.
func (t *Tries) Counts(ctx context.Context, keys []school.TryKey) ([]school.TryCount, error) {
	return triesIn(ctx, t.db, t.ids(keys))
}

func (t *Tries) ids(keys []school.TryKey) []tryID {
	ids := make([]tryID, len(keys))
	for i, key := range keys {
		ids[i] = t.id(key)
	}
	return ids
}

type tryRow struct {
	id    tryID
	count school.TryCount
}

func scanTryRow(row scanner) (r tryRow, err error) {
	var id []byte
	err = row.Scan(&id, &r.count.N, instant{&r.count.At}, instant{&r.count.Until})
	copy(r.id[:], id)
	return r, err
}

func triesIn(ctx context.Context, from source, ids []tryID) ([]school.TryCount, error) {
	counts := make([]school.TryCount, len(ids))
	for begin := 0; begin < len(ids); begin += triesRead {
		var args [triesRead]any
		for i := range args {
			id := ids[min(begin+i, len(ids)-1)]
			args[i] = id[:]
		}
		found, err := all(ctx, from, triesOf, scanTryRow, args[:]...)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			counts[slices.Index(ids, row.id)] = row.count
		}
	}
	return counts, nil
}

// ChangeCounts has change alter the counts of some keys, no two of them the same, and
// keeps what comes out, in one transaction. Where change returns an error, everything
// stays as it is.
func (t *Tries) ChangeCounts(ctx context.Context, keys []school.TryKey, change func([]school.TryCount) error) error {
	ids := t.ids(keys)
	return t.db.write(ctx, func(tx *tx) error {
		before, err := triesIn(ctx, tx, ids)
		if err != nil {
			return err
		}
		after := slices.Clone(before)
		if err := change(after); err != nil {
			return err
		}
		for i, key := range keys {
			if after[i] == before[i] {
				continue
			}
			if err := t.put(ctx, tx, key, after[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *Tries) put(ctx context.Context, tx *tx, key school.TryKey, count school.TryCount) error {
	id := t.id(key)
	if count == (school.TryCount{}) {
		_, err := tx.exec(ctx, forgetTries, id[:])
		return err
	}
	account := t.account(key)
	if _, err := tx.exec(ctx, setTries, id[:], account, count.N, stamp(count.At), stamp(count.Until)); err != nil {
		return err
	}
	if key.Latest == 0 {
		return nil
	}
	_, err := tx.exec(ctx, forgetEarlierTries, account, key.Latest)
	return err
}

// Name is "tries".
func (*Tries) Name() string { return "tries" }

// Sweep clears away the counts that say nothing any more. Where more than 262,144 are
// left it clears away those that would be forgotten first: a flood of invented accounts
// pushes out its own single tries, and not the long count of an account under attack.
// It returns how many.
func (t *Tries) Sweep(ctx context.Context) (int, error) {
	over, err := t.sweep(ctx, -1, func(some int) (query, []any) {
		return sweepTries, []any{stamp(t.now()), some}
	})
	if err != nil {
		return over, fmt.Errorf("db: tries: %w", err)
	}
	left, err := one(ctx, t.db, countTries, value[int])
	if err != nil {
		return over, fmt.Errorf("db: tries: %w", err)
	}
	beyond, err := t.sweep(ctx, max(left-t.kept, 0), func(some int) (query, []any) {
		return sweepTriesBeyond, []any{some}
	})
	if err != nil {
		err = fmt.Errorf("db: tries: %w", err)
	}
	return over + beyond, err
}

// sweep deletes by and by, at most so many rows, or as many as there are where most is
// negative.
func (t *Tries) sweep(ctx context.Context, most int, next func(some int) (query, []any)) (int, error) {
	total := 0
	for total != most {
		some := triesSweep
		if most >= 0 {
			some = min(some, most-total)
		}
		q, args := next(some)
		var n int64
		err := t.db.write(ctx, func(tx *tx) (err error) {
			n, err = tx.exec(ctx, q, args...)
			return err
		})
		total += int(n)
		if err != nil || int(n) < some {
			return total, err
		}
	}
	return total, nil
}
