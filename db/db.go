// Package db remembers the school in a SQLite file, behind plain Go methods.
//
// [Open] opens the file, brings its tables up to date and prepares every
// statement, so that a mistake in one is found when the program starts. What
// comes after is one method for each thing that the site does: [DB.Courses]
// reads a page of the catalogue, [DB.Join] puts a person into a course. There
// is one file for each noun, and its SQL stands above the method that uses it.
//
// Three rules hold throughout:
//
//   - One connection writes and a few read. A writing method is one
//     transaction, which takes the write lock when it begins: what it reads
//     before it writes is still so when it writes. Readers wait for nobody.
//   - What a list shows as a number (students, lessons, lessons done) is kept
//     in a column by the transaction that changes what is counted, and lists
//     are read straight off an index from where the last page ended. So a page
//     costs the same in a school of ten courses and of ten thousand.
//     [DB.CheckCounts] counts everything afresh and compares.
//   - Time comes from the caller. No statement asks SQL for it, and only the
//     migrations ask the system.
//
// Another process may hold the file's lock: a write then waits for less than a
// second and fails with [school.ErrBusy], having changed nothing.
//
// What is not there is [school.ErrNotFound], never an empty value. Courses,
// chapters and lessons are deleted softly: they lie in the bin, where only the
// methods that say so see them.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lectern/db/school"
)

// readers is how many connections read at once: enough that a long list keeps
// no other page waiting, few enough that each keeps its statements and cache.
const readers = 4

// DB is an open school. It is safe for use by many goroutines.
type DB struct {
	writer    *sql.DB
	reader    *sql.DB
	writes    *statements
	reads     *statements
	catalogue atomic.Uint64
	written   atomic.Uint64 // turns at the writer that are over
}

// Open opens the database file at path, making it and its folder where they
// are missing, and brings its tables up to date. Several processes may open
// the same file at once. A file that a newer program has changed is refused
// with a [*TooNewError].
func Open(ctx context.Context, path string) (*DB, error) {
	ctx = patient(ctx)
	d, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := d.prepare(ctx, path); err != nil {
		d.Close() // whatever that says, the first error says more
		return nil, err
	}
	return d, nil
}

// OpenMemory opens a database that lives in this process's memory alone, under a
// name that no other open one has, and is gone when it is closed. It is for small
// worlds that leave nothing behind and live for a moment: unlike [Open] it prepares no
// statement ahead.
func OpenMemory(ctx context.Context, name string) (*DB, error) {
	ctx = patient(ctx)
	d, err := connectMemory(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, d.writer, name); err != nil {
		d.Close() // whatever that says, the first error says more
		return nil, err
	}
	return d, nil
}

// prepare makes an open file ready: tables first, then statements.
func (d *DB) prepare(ctx context.Context, path string) error {
	if err := migrate(ctx, d.writer, path); err != nil {
		return err
	}
	for _, s := range registry {
		if _, err := d.writes.get(ctx, s); err != nil {
			return s.failed(err)
		}
		if !s.reads() {
			continue
		}
		if _, err := d.reads.get(ctx, s); err != nil {
			return s.failed(err)
		}
	}
	return nil
}

// Close writes what is still in the log into the database file and closes all
// connections. Nothing may be asked of d afterwards.
func (d *DB) Close() error {
	return errors.Join(
		d.reads.close(),
		d.reader.Close(),
		d.writes.close(),
		checkpoint(d.writer),
		d.writer.Close(),
	)
}

var pingDatabase = statement("ping", `
	SELECT MAX(version)
	  FROM schema_migrations`)

// Ping reads from the file, which tells whether the database can answer.
func (d *DB) Ping(ctx context.Context) error {
	_, err := d.SchemaVersion(ctx)
	return err
}

// SchemaVersion is the number of the last migration that the file has seen.
func (d *DB) SchemaVersion(ctx context.Context) (int, error) {
	return one(ctx, d, pingDatabase, value[int])
}

// Reader is the pool of connections that only read, for those who bring their
// own SQL.
func (d *DB) Reader() *sql.DB { return d.reader }

// Writer is the one connection that writes, for those who bring their own
// SQL. Whoever holds a transaction on it keeps every other writer waiting.
func (d *DB) Writer() *sql.DB { return d.writer }

// CatalogueVersion goes up after each write through d that changes what the
// catalogue shows to everybody: courses and their order, their numbers of
// students and lessons, their instructors' names. A reader's own progress is
// no part of it. A page that was asked for after the version was read is never
// older than the version.
func (d *DB) CatalogueVersion() uint64 { return d.catalogue.Load() }

// turn waits for the connection that writes. Where ctx is patient that takes as
// long as it takes; otherwise it goes on while others before it are done one after
// the other, and ends when for a while nobody was. It returns school.ErrBusy then.
func (d *DB) turn(ctx context.Context) (*sql.Conn, error) {
	if isPatient(ctx) {
		return d.writer.Conn(ctx)
	}
	for begun := time.Now(); ; {
		done := d.written.Load()
		brief, cancel := context.WithTimeout(ctx, turnWait)
		conn, err := d.writer.Conn(brief)
		late := brief.Err() != nil
		cancel()
		switch {
		case err == nil:
			return conn, nil
		case !late || ctx.Err() != nil:
			return nil, fmt.Errorf("db: wait for a turn: %w", err)
		case d.written.Load() == done || time.Since(begun) > queueWait:
			return nil, fmt.Errorf("db: wait for a turn: %w: %w", school.ErrBusy, err)
		}
	}
}

// write runs do in one transaction, which is committed if do returns nil and
// leaves no trace otherwise.
func (d *DB) write(ctx context.Context, do func(*tx) error) error {
	conn, err := d.turn(ctx)
	if err != nil {
		return err
	}
	defer d.written.Add(1)
	defer conn.Close()
	begun, err := conn.BeginTx(ctx, nil)
	if err != nil {
		if locked(err) {
			err = fmt.Errorf("%w: %w", school.ErrBusy, err)
		}
		return fmt.Errorf("db: begin: %w", err)
	}
	defer begun.Rollback() // does nothing after Commit
	t := &tx{Tx: begun, statements: d.writes}
	if err := do(t); err != nil {
		return err
	}
	if t.showsInCatalogue {
		defer d.catalogue.Add(1) // even if Commit fails: it may have been too late to
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("db: commit: %w", err)
	}
	return nil
}
