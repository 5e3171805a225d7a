package serverstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// SQL keeps records in the table "sessions" of a database: they outlive a
// restart, and every server that reaches the database sees the same ones. The
// SQL is portable between SQLite and PostgreSQL, and knows no clock. Its
// parameters stand in the order of their numbers, because SQLite takes $2 for a
// name and counts parameters as they come.
type SQL struct {
	find, list, create, touch, remove, removeOne, removeUser, removeAll, setRole, count, sweep *sql.Stmt
}

// NewSQL prepares the statements. Reads go to one pool and writes to another,
// which may be the same.
//
// The numbers of the parameters stand in the order of their first appearance,
// because SQLite takes "$2" for a name and binds by order, while PostgreSQL
// takes it for the second.
func NewSQL(ctx context.Context, reader, writer *sql.DB) (*SQL, error) {
	s := &SQL{}
	for _, p := range []struct {
		db   *sql.DB
		into **sql.Stmt
		text string
	}{
		{reader, &s.find, `SELECT ` + recordColumns + ` FROM sessions WHERE id_hash = $1`},
		{reader, &s.list, `
			SELECT ` + recordColumns + `, id_hash
			FROM sessions
			WHERE user_id = $1 AND idle_until > $2
			ORDER BY created_at DESC, id_hash
			LIMIT $3`},
		{writer, &s.create, `
			INSERT INTO sessions (id_hash, user_id, role, methods, remember, auth_at, created_at, seen_at, idle_until, expires_at, address, device)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`},
		{writer, &s.touch, `UPDATE sessions SET seen_at = $1, idle_until = $2 WHERE id_hash = $3`},
		{writer, &s.remove, `DELETE FROM sessions WHERE id_hash = $1`},
		{writer, &s.removeOne, `DELETE FROM sessions WHERE user_id = $1 AND id_hash = $2`},
		{writer, &s.removeUser, `DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2`},
		{writer, &s.removeAll, `DELETE FROM sessions WHERE id_hash <> $1`},
		{writer, &s.setRole, `UPDATE sessions SET role = $1 WHERE user_id = $2`},
		{reader, &s.count, `SELECT COUNT(*) FROM sessions WHERE idle_until > $1`},
		{writer, &s.sweep, `
			DELETE FROM sessions
			WHERE id_hash IN (SELECT id_hash FROM sessions WHERE idle_until <= $1 LIMIT $2)`},
	} {
		stmt, err := p.db.PrepareContext(ctx, p.text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("session: prepare: %w", err), s.Close())
		}
		*p.into = stmt
	}
	return s, nil
}

// Close frees the statements.
func (s *SQL) Close() error {
	var failed error
	for _, stmt := range []*sql.Stmt{s.find, s.list, s.create, s.touch, s.remove, s.removeOne, s.removeUser, s.removeAll, s.setRole, s.count, s.sweep} {
		if stmt != nil {
			failed = errors.Join(failed, stmt.Close())
		}
	}
	return failed
}

// Place is "the database".
func (s *SQL) Place() string { return "the database" }

const recordColumns = `user_id, role, methods, remember, auth_at, created_at, seen_at, idle_until, expires_at, address, device`

// scanRecord reads recordColumns, and what else a statement has.
func scanRecord(scan func(...any) error, more ...any) (session.Record, error) {
	// In one piece, because all that is scanned into moves to the heap.
	var row struct {
		session.Record
		methods                         string
		remember                        int64
		auth, created, seen, idle, ends int64
	}
	into := append([]any{&row.UserID, &row.Role, &row.methods, &row.remember, &row.auth, &row.created, &row.seen, &row.idle, &row.ends, &row.Address, &row.Device}, more...)
	if err := scan(into...); err != nil {
		return session.Record{}, err
	}
	rec := row.Record
	rec.Methods = strings.Fields(row.methods)
	rec.Remember = row.remember != 0
	rec.AuthAt, rec.CreatedAt, rec.SeenAt = moment(row.auth), moment(row.created), moment(row.seen)
	rec.IdleUntil, rec.ExpiresAt = moment(row.idle), moment(row.ends)
	return rec, nil
}

// Find reads the record.
func (s *SQL) Find(ctx context.Context, hash Hash) (session.Record, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rec, err := scanRecord(s.find.QueryRowContext(ctx, hash[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Record{}, false, nil
	}
	return rec, err == nil, err
}

// List reads a person's records.
func (s *SQL) List(ctx context.Context, user school.ID, now time.Time, limit int) ([]session.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := s.list.QueryContext(ctx, user, now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []session.Record
	for rows.Next() {
		var raw []byte
		rec, err := scanRecord(rows.Scan, &raw)
		if err != nil {
			return nil, err
		}
		rec.Handle = hex.EncodeToString(raw)
		all = append(all, rec)
	}
	return all, rows.Err()
}

func moment(milli int64) time.Time { return time.UnixMilli(milli).UTC() }

// Create writes the record.
func (s *SQL) Create(ctx context.Context, hash Hash, rec session.Record) error {
	remember := 0
	if rec.Remember {
		remember = 1
	}
	_, err := exec(ctx, s.create, hash[:], rec.UserID, rec.Role, strings.Join(rec.Methods, " "), remember,
		rec.AuthAt.UnixMilli(), rec.CreatedAt.UnixMilli(), rec.SeenAt.UnixMilli(), rec.IdleUntil.UnixMilli(), rec.ExpiresAt.UnixMilli(), rec.Address, rec.Device)
	return err
}

// Touch notes a visit.
func (s *SQL) Touch(ctx context.Context, hash Hash, seenAt, idleUntil time.Time) (bool, error) {
	n, err := exec(ctx, s.touch, seenAt.UnixMilli(), idleUntil.UnixMilli(), hash[:])
	return n == 1, err
}

// Delete removes a record.
func (s *SQL) Delete(ctx context.Context, hash Hash) (bool, error) {
	n, err := exec(ctx, s.remove, hash[:])
	return n == 1, err
}

// DeleteOne removes a record of this person.
func (s *SQL) DeleteOne(ctx context.Context, user school.ID, hash Hash) (bool, error) {
	n, err := exec(ctx, s.removeOne, user, hash[:])
	return n == 1, err
}

// DeleteUser removes a person's records.
func (s *SQL) DeleteUser(ctx context.Context, user school.ID, except Hash) (int, error) {
	return exec(ctx, s.removeUser, user, except[:])
}

// DeleteAll removes all records.
func (s *SQL) DeleteAll(ctx context.Context, except Hash) (int, error) {
	return exec(ctx, s.removeAll, except[:])
}

// SetRole changes the role in a person's records.
func (s *SQL) SetRole(ctx context.Context, user school.ID, role school.Role) (int, error) {
	return exec(ctx, s.setRole, role, user)
}

// Count is the number of records whose time is not over.
func (s *SQL) Count(ctx context.Context, now time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var n int
	err := s.count.QueryRowContext(ctx, now.UnixMilli()).Scan(&n)
	return n, err
}

// Sweep removes records whose time is over.
func (s *SQL) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return exec(ctx, s.sweep, now.UnixMilli(), limit)
}

func exec(ctx context.Context, stmt *sql.Stmt, args ...any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
