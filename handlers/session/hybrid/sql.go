package hybrid

import (
	"context"
	"database/sql"
	"errors"

	"lectern/handlers/session/serverstore"
)

// SQL keeps families in the table "refresh_sessions" of a database. It is a table
// of sessions like any other, with four columns more.
type SQL struct {
	*serverstore.Table
	find, create, rotate *sql.Stmt
}

const familyColumns = serverstore.RecordColumns + `, current_hash, previous_hash, salt, rotated_at`

// NewSQL prepares the statements. Reads go to one pool and writes to another,
// which may be the same.
func NewSQL(ctx context.Context, reader, writer *sql.DB) (*SQL, error) {
	table, err := serverstore.NewTable(ctx, reader, writer, "refresh_sessions")
	if err != nil {
		return nil, err
	}
	s := &SQL{Table: table}
	return s, table.Prepare(ctx,
		serverstore.Statement{DB: reader, Into: &s.find, Text: `SELECT ` + familyColumns + ` FROM refresh_sessions WHERE id_hash = $1`},
		serverstore.Statement{DB: writer, Into: &s.create, Text: `
			INSERT INTO refresh_sessions (id_hash, ` + familyColumns + `)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`},
		serverstore.Statement{DB: writer, Into: &s.rotate, Text: `
			UPDATE refresh_sessions
			SET current_hash = $1, previous_hash = $2, salt = $3, rotated_at = $4, seen_at = $5, idle_until = $6
			WHERE id_hash = $7 AND current_hash = $8`},
	)
}

// Find reads the family.
func (s *SQL) Find(ctx context.Context, hash serverstore.Hash) (Family, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, serverstore.Patience)
	defer cancel()
	var (
		f                 Family
		current, previous []byte
		rotated           int64
		err               error
	)
	f.Record, err = serverstore.ScanRecord(s.find.QueryRowContext(ctx, hash[:]).Scan, &current, &previous, &f.Salt, &rotated)
	if errors.Is(err, sql.ErrNoRows) {
		return Family{}, false, nil
	}
	copy(f.Current[:], current)
	copy(f.Previous[:], previous)
	f.RotatedAt = serverstore.Moment(rotated)
	return f, err == nil, err
}

// Create writes the family. It has not been exchanged yet.
func (s *SQL) Create(ctx context.Context, hash serverstore.Hash, f Family) error {
	values := append([]any{hash[:]}, serverstore.RecordValues(&f.Record)...)
	_, err := serverstore.Exec(ctx, s.create, append(values, f.Current[:], nil, nil, f.RotatedAt.UnixMilli())...)
	return err
}

// Rotate exchanges the secret, if it is the current one.
func (s *SQL) Rotate(ctx context.Context, hash, presented serverstore.Hash, to Rotation) (bool, error) {
	at := to.At.UnixMilli()
	n, err := serverstore.Exec(ctx, s.rotate, to.Current[:], presented[:], to.Salt, at, at, to.IdleUntil.UnixMilli(), hash[:], presented[:])
	return n == 1, err
}
