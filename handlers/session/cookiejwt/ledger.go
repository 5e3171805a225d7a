package cookiejwt

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
)

// Ledger remembers which tokens are over before their time. Errors are for
// trouble alone. Implementations are safe for concurrent use.
type Ledger interface {
	// CutOffAt is the moment before which a person's tokens are over
	// (school.User.TokensFrom); zero if they were never ended.
	CutOffAt(ctx context.Context, user school.ID) (time.Time, error)
	// EndSessions moves that moment to now.
	EndSessions(ctx context.Context, user school.ID, now time.Time) (before school.User, err error)
	// Denied reports whether a token is on the list, and the person's moment.
	Denied(ctx context.Context, jti string, user school.ID) (bool, time.Time, error)
	// Deny puts a token on the list until it expires. It reports false if it is
	// there.
	Deny(ctx context.Context, jti string, until time.Time) (bool, error)
}

// SQLLedger keeps the list in the table "denied_tokens" of the school's
// database, and the moments with the people. The SQL is portable between SQLite
// and PostgreSQL; its parameters stand in the order of their numbers, because
// SQLite binds by order.
type SQLLedger struct {
	session.People
	now                         func() time.Time
	cutOff, denied, deny, sweep *sql.Stmt
}

// NewSQLLedger prepares the statements. Reads go to one pool and writes to
// another, which may be the same.
func NewSQLLedger(ctx context.Context, reader, writer *sql.DB, people session.People, now func() time.Time) (*SQLLedger, error) {
	l := &SQLLedger{People: people, now: now}
	for _, p := range []struct {
		db   *sql.DB
		into **sql.Stmt
		text string
	}{
		{reader, &l.cutOff, `SELECT COALESCE(MAX(tokens_from), 0) FROM users WHERE id = $1`},
		{reader, &l.denied, `
			SELECT (SELECT COUNT(*) FROM denied_tokens WHERE jti = $1),
			       COALESCE((SELECT tokens_from FROM users WHERE id = $2), 0)`},
		{writer, &l.deny, `INSERT INTO denied_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING`},
		{writer, &l.sweep, `
			DELETE FROM denied_tokens
			WHERE jti IN (SELECT jti FROM denied_tokens WHERE expires_at <= $1 LIMIT $2)`},
	} {
		stmt, err := p.db.PrepareContext(ctx, p.text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("session: prepare: %w", err), l.Close())
		}
		*p.into = stmt
	}
	return l, nil
}

// Close frees the statements.
func (l *SQLLedger) Close() error {
	var failed error
	for _, stmt := range []*sql.Stmt{l.cutOff, l.denied, l.deny, l.sweep} {
		if stmt != nil {
			failed = errors.Join(failed, stmt.Close())
		}
	}
	return failed
}

// CutOffAt reads a person's moment.
func (l *SQLLedger) CutOffAt(ctx context.Context, user school.ID) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var from int64
	err := l.cutOff.QueryRowContext(ctx, user).Scan(&from)
	return moment(from), err
}

// Denied reads the list and a person's moment in one statement.
func (l *SQLLedger) Denied(ctx context.Context, jti string, user school.ID) (bool, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var listed, from int64
	err := l.denied.QueryRowContext(ctx, jti, user).Scan(&listed, &from)
	return listed > 0, moment(from), err
}

func moment(milli int64) time.Time {
	if milli == 0 {
		return time.Time{}
	}
	return time.UnixMilli(milli).UTC()
}

// Deny puts a token on the list.
func (l *SQLLedger) Deny(ctx context.Context, jti string, until time.Time) (bool, error) {
	n, err := l.exec(ctx, l.deny, jti, until.UnixMilli())
	return n == 1, err
}

// Name is what the log calls it.
func (l *SQLLedger) Name() string { return "denylist" }

// Sweep drops the entries of tokens that have expired, a batch at a time, until
// there are none or ctx ends. It reports how many it dropped.
func (l *SQLLedger) Sweep(ctx context.Context) (int, error) {
	const batch = 500
	total := 0
	for {
		n, err := l.exec(ctx, l.sweep, l.now().UnixMilli(), batch)
		total += n
		if err != nil || n < batch {
			return total, err
		}
	}
}

func (l *SQLLedger) exec(ctx context.Context, stmt *sql.Stmt, args ...any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := stmt.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
