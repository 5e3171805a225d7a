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

// Table is a table of sessions in a database: what can be done to its rows
// whatever else than a record stands in them. The SQL is portable between SQLite
// and PostgreSQL, and knows no clock.
//
// The numbers of the parameters stand in the order of their first appearance,
// because SQLite takes "$2" for a name and binds by order, while PostgreSQL
// takes it for the second.
type Table struct {
	list, touch, remove, removeOne, removeUser, removeAll, setRole, count, sweep *sql.Stmt

	prepared []*sql.Stmt
}

// Statement is a text to be prepared in one of the pools, and where it goes.
type Statement struct {
	DB   *sql.DB
	Into **sql.Stmt
	Text string
}

// NewTable prepares the statements for a table of this name, which is written
// into them as it is. Reads go to one pool and writes to another, which may be
// the same.
func NewTable(ctx context.Context, reader, writer *sql.DB, name string) (*Table, error) {
	t := &Table{}
	return t, t.Prepare(ctx,
		Statement{reader, &t.list, `
			SELECT ` + RecordColumns + `, id_hash
			FROM ` + name + `
			WHERE user_id = $1 AND idle_until > $2
			ORDER BY created_at DESC, id_hash
			LIMIT $3`},
		Statement{writer, &t.touch, `UPDATE ` + name + ` SET seen_at = $1, idle_until = $2 WHERE id_hash = $3`},
		Statement{writer, &t.remove, `DELETE FROM ` + name + ` WHERE id_hash = $1`},
		Statement{writer, &t.removeOne, `DELETE FROM ` + name + ` WHERE user_id = $1 AND id_hash = $2`},
		Statement{writer, &t.removeUser, `DELETE FROM ` + name + ` WHERE user_id = $1 AND id_hash <> $2`},
		Statement{writer, &t.removeAll, `DELETE FROM ` + name + ` WHERE id_hash <> $1`},
		Statement{writer, &t.setRole, `UPDATE ` + name + ` SET role = $1 WHERE user_id = $2`},
		Statement{reader, &t.count, `SELECT COUNT(*) FROM ` + name + ` WHERE idle_until > $1`},
		Statement{writer, &t.sweep, `
			DELETE FROM ` + name + `
			WHERE id_hash IN (SELECT id_hash FROM ` + name + ` WHERE idle_until <= $1 LIMIT $2)`},
	)
}

// Prepare prepares further statements, which Close frees with the others. When
// one cannot be prepared, all are freed.
func (t *Table) Prepare(ctx context.Context, statements ...Statement) error {
	for _, s := range statements {
		stmt, err := s.DB.PrepareContext(ctx, s.Text)
		if err != nil {
			return errors.Join(fmt.Errorf("session: prepare: %w", err), t.Close())
		}
		*s.Into = stmt
		t.prepared = append(t.prepared, stmt)
	}
	return nil
}

// Close frees the statements.
func (t *Table) Close() error {
	var failed error
	for _, stmt := range t.prepared {
		failed = errors.Join(failed, stmt.Close())
	}
	return failed
}

// Place is "the database".
func (t *Table) Place() string { return "the database" }

// RecordColumns are the columns of a record, for a SELECT and an INSERT.
const RecordColumns = `user_id, role, methods, remember, auth_at, created_at, seen_at, idle_until, expires_at, address, device`

// ScanRecord reads RecordColumns, and what else a statement has.
func ScanRecord(scan func(...any) error, more ...any) (session.Record, error) {
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
	rec.AuthAt, rec.CreatedAt, rec.SeenAt = Moment(row.auth), Moment(row.created), Moment(row.seen)
	rec.IdleUntil, rec.ExpiresAt = Moment(row.idle), Moment(row.ends)
	return rec, nil
}

// RecordValues are what stands in RecordColumns.
func RecordValues(rec *session.Record) []any {
	remember := 0
	if rec.Remember {
		remember = 1
	}
	return []any{
		rec.UserID, rec.Role, strings.Join(rec.Methods, " "), remember,
		rec.AuthAt.UnixMilli(), rec.CreatedAt.UnixMilli(), rec.SeenAt.UnixMilli(), rec.IdleUntil.UnixMilli(), rec.ExpiresAt.UnixMilli(), rec.Address, rec.Device,
	}
}

// Moment is a time as it stands in the tables: in milliseconds.
func Moment(milli int64) time.Time { return time.UnixMilli(milli).UTC() }

// List reads a person's records.
func (t *Table) List(ctx context.Context, user school.ID, now time.Time, limit int) ([]session.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	rows, err := t.list.QueryContext(ctx, user, now.UnixMilli(), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []session.Record
	for rows.Next() {
		var raw []byte
		rec, err := ScanRecord(rows.Scan, &raw)
		if err != nil {
			return nil, err
		}
		rec.Handle = hex.EncodeToString(raw)
		all = append(all, rec)
	}
	return all, rows.Err()
}

// Touch notes a visit.
func (t *Table) Touch(ctx context.Context, hash Hash, seenAt, idleUntil time.Time) (bool, error) {
	n, err := Exec(ctx, t.touch, seenAt.UnixMilli(), idleUntil.UnixMilli(), hash[:])
	return n == 1, err
}

// Delete removes a record.
func (t *Table) Delete(ctx context.Context, hash Hash) (bool, error) {
	n, err := Exec(ctx, t.remove, hash[:])
	return n == 1, err
}

// DeleteOne removes a record of this person.
func (t *Table) DeleteOne(ctx context.Context, user school.ID, hash Hash) (bool, error) {
	n, err := Exec(ctx, t.removeOne, user, hash[:])
	return n == 1, err
}

// DeleteUser removes a person's records.
func (t *Table) DeleteUser(ctx context.Context, user school.ID, except Hash) (int, error) {
	return Exec(ctx, t.removeUser, user, except[:])
}

// DeleteAll removes all records.
func (t *Table) DeleteAll(ctx context.Context, except Hash) (int, error) {
	return Exec(ctx, t.removeAll, except[:])
}

// SetRole changes the role in a person's records.
func (t *Table) SetRole(ctx context.Context, user school.ID, role school.Role) (int, error) {
	return Exec(ctx, t.setRole, role, user)
}

// Count is the number of records whose time is not over.
func (t *Table) Count(ctx context.Context, now time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	var n int
	err := t.count.QueryRowContext(ctx, now.UnixMilli()).Scan(&n)
	return n, err
}

// Sweep removes records whose time is over.
func (t *Table) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	return Exec(ctx, t.sweep, now.UnixMilli(), limit)
}

// Exec runs a statement that writes, and reports how many rows it changed.
func Exec(ctx context.Context, stmt *sql.Stmt, args ...any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
