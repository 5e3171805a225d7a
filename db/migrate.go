package db

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// TooNewError says that a database was changed by a newer program, whose tables
// this one does not know.
type TooNewError struct {
	Path  string
	Has   int // the version of the database
	Knows int // the last version that this program knows
}

func (e *TooNewError) Error() string {
	return fmt.Sprintf("db: %s has schema version %d and this program knows none after %d: start the newer program, or restore a backup from before it",
		e.Path, e.Has, e.Knows)
}

// migration is one numbered step of the tables' history.
type migration struct {
	version int
	name    string
	script  string
}

// fills are the steps, by name, after which rows have to be made out of those that are
// there, in a way that SQL does not know.
var fills = map[string]func(context.Context, *sql.Tx) error{
	"lesson_experiments": fillLessonExperiments,
}

// readMigrations reads the steps of files, named like 0001_what.sql, in order.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	steps := make([]migration, 0, len(names))
	for i, name := range names {
		number, what, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 || what == "" {
			return nil, fmt.Errorf("%s: migrations are numbered 0001_what.sql, 0002_what.sql, without gaps", name)
		}
		script, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, migration{version, what, string(script)})
	}
	return steps, nil
}

// migrate brings the tables up to date, one transaction for each step together
// with its row in schema_migrations. Of two processes that start at once, the
// second waits for the first and finds the step done.
func migrate(ctx context.Context, writer *sql.DB, path string) error {
	steps, err := readMigrations(migrations)
	if err != nil {
		return fmt.Errorf("db: %w", err)
	}
	has, err := schemaVersion(ctx, writer)
	if err != nil {
		return fmt.Errorf("db: %s: %w", path, err)
	}
	if knows := len(steps); has > knows {
		return &TooNewError{Path: path, Has: has, Knows: knows}
	}
	for _, step := range steps[has:] {
		if err := step.apply(ctx, writer); err != nil {
			return fmt.Errorf("db: %s: migration %04d_%s: %w", path, step.version, step.name, err)
		}
	}
	if err := keepLog(ctx, writer); err != nil {
		return fmt.Errorf("db: %s: %w", path, err)
	}
	return nil
}

// schemaVersion is the number of the last step taken, 0 for an empty file.
func schemaVersion(ctx context.Context, writer *sql.DB) (int, error) {
	_, err := writer.ExecContext(ctx, `
		CREATE TABLE IF NOT EXISTS schema_migrations (
		    version    INTEGER NOT NULL PRIMARY KEY,
		    name       TEXT    NOT NULL,
		    applied_at BIGINT  NOT NULL
		)`)
	if err != nil {
		return 0, err
	}
	var version int
	err = writer.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&version)
	return version, err
}

func (m migration) apply(ctx context.Context, writer *sql.DB) error {
	t, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback() // does nothing after Commit
	taken, err := t.ExecContext(ctx, `
		INSERT INTO schema_migrations (version, name, applied_at)
		VALUES ($1, $2, $3)
		ON CONFLICT (version) DO NOTHING`, m.version, m.name, time.Now().UnixMilli())
	if err != nil {
		return err
	}
	if n, err := taken.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := t.ExecContext(ctx, m.script); err != nil {
		return err
	}
	if fill := fills[m.name]; fill != nil {
		if err := fill(ctx, t); err != nil {
			return err
		}
	}
	return t.Commit()
}
