package serverstore

import (
	"context"
	"database/sql"
	"errors"

	"lectern/handlers/session"
)

// SQL keeps records in the table "sessions" of a database: they outlive a
// restart, and every server that reaches the database sees the same ones.
type SQL struct {
	*Table
	find, create *sql.Stmt
}

// NewSQL prepares the statements. Reads go to one pool and writes to another,
// which may be the same.
func NewSQL(ctx context.Context, reader, writer *sql.DB) (*SQL, error) {
	table, err := NewTable(ctx, reader, writer, "sessions")
	if err != nil {
		return nil, err
	}
	s := &SQL{Table: table}
	return s, table.Prepare(ctx,
		Statement{reader, &s.find, `SELECT ` + RecordColumns + ` FROM sessions WHERE id_hash = $1`},
		Statement{writer, &s.create, `
			INSERT INTO sessions (id_hash, ` + RecordColumns + `)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`},
	)
}

// Find reads the record.
func (s *SQL) Find(ctx context.Context, hash Hash) (session.Record, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	rec, err := ScanRecord(s.find.QueryRowContext(ctx, hash[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Record{}, false, nil
	}
	return rec, err == nil, err
}

// Create writes the record.
func (s *SQL) Create(ctx context.Context, hash Hash, rec session.Record) error {
	_, err := Exec(ctx, s.create, append([]any{hash[:]}, RecordValues(&rec)...)...)
	return err
}
