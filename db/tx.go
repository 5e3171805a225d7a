package db

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"lectern/db/school"
)

// source is where a query is asked: the pool of readers, or a transaction that
// wants to see its own writes.
type source interface {
	rows(ctx context.Context, q query, args []any) (*sql.Rows, error)
}

func (d *DB) rows(ctx context.Context, q query, args []any) (*sql.Rows, error) {
	switch prepared, err := d.reads.get(ctx, q); {
	case err != nil:
		return nil, err
	case prepared == nil:
		return d.reader.QueryContext(ctx, q.text, args...)
	default:
		return prepared.QueryContext(ctx, args...)
	}
}

// tx is a transaction of the one connection that writes.
type tx struct {
	*sql.Tx
	statements       *statements
	showsInCatalogue bool // whether it changes what everybody sees there
}

// A statement that is not prepared cannot be made so in a transaction, because the one
// connection that writes is taken. It is carried out all the same.
func (t *tx) rows(ctx context.Context, q query, args []any) (*sql.Rows, error) {
	prepared := t.statements.prepared(q)
	if prepared == nil {
		return t.QueryContext(ctx, q.text, args...)
	}
	return t.StmtContext(ctx, prepared).QueryContext(ctx, args...)
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(ctx context.Context, q query, args ...any) (int64, error) {
	var result sql.Result
	var err error
	if prepared := t.statements.prepared(q); prepared != nil {
		result, err = t.StmtContext(ctx, prepared).ExecContext(ctx, args...)
	} else {
		result, err = t.ExecContext(ctx, q.text, args...)
	}
	if err != nil {
		return 0, q.failed(err)
	}
	return result.RowsAffected()
}

// execAll runs several statements, all with the same arguments.
func (t *tx) execAll(ctx context.Context, queries []query, args ...any) error {
	for _, q := range queries {
		if _, err := t.exec(ctx, q, args...); err != nil {
			return err
		}
	}
	return nil
}

// must runs a statement that is meant for one row; where it changes none,
// there is no such row.
func (t *tx) must(ctx context.Context, q query, args ...any) error {
	n, err := t.exec(ctx, q, args...)
	if err == nil && n == 0 {
		return school.ErrNotFound
	}
	return err
}

// rowsAtOnce is how many rows one INSERT brings; 20 columns of each stay well
// below the 32,766 parameters that SQLite allows.
const rowsAtOnce = 500

// insert adds rows of equal length, many with one statement: into is the text
// before VALUES, conflict what comes after it.
func (t *tx) insert(ctx context.Context, into, conflict string, rows [][]any) error {
	for len(rows) > 0 {
		some := rows[:min(len(rows), rowsAtOnce)]
		rows = rows[len(some):]
		var b builder
		b.add(into + " VALUES ")
		for i, row := range some {
			if i > 0 {
				b.add(", ")
			}
			b.add(tuple(len(row)), row...)
		}
		b.add(" " + conflict)
		if _, err := t.ExecContext(ctx, b.text.String(), b.args...); err != nil {
			table, _, _ := strings.Cut(into, " (")
			return fmt.Errorf("db: %s: %w", table, err)
		}
	}
	return nil
}

// scanner is a row that was found.
type scanner interface {
	Scan(dest ...any) error
}

// one asks for a single row; school.ErrNotFound if there is none.
func one[T any](ctx context.Context, from source, q query, scan func(scanner) (T, error), args ...any) (T, error) {
	found, err := all(ctx, from, q, scan, args...)
	if err == nil && len(found) == 0 {
		err = school.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// all asks for any number of rows.
func all[T any](ctx context.Context, from source, q query, scan func(scanner) (T, error), args ...any) ([]T, error) {
	rows, err := from.rows(ctx, q, args)
	if err != nil {
		return nil, q.failed(err)
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, q.failed(err)
		}
		found = append(found, row)
	}
	if err := rows.Err(); err != nil {
		return nil, q.failed(err)
	}
	return found, nil
}

// value scans a row of one column.
func value[T any](row scanner) (T, error) {
	var v T
	err := row.Scan(&v)
	return v, err
}

// stamp is a time as the tables keep it: Unix milliseconds, NULL for the zero
// time.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// instant scans what stamp made into the time it points to.
type instant struct{ *time.Time }

// Scan implements [sql.Scanner].
func (i instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i.Time = time.Time{}
	case int64:
		*i.Time = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("a time cannot be a %T", src)
	}
	return nil
}

// bit is a boolean as the tables keep it.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
