package db

// This file holds all that is SQLite's alone: how the file is made, opened and
// closed. The SQL in the other files runs on PostgreSQL too.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// The options of the connections. They stand in the data source's name, because
// a PRAGMA that is executed reaches only one connection of a pool.
//
// A transaction takes the write lock when it begins, and waits for it; see
// waiter. One that reads first and then wants to write cannot wait: it fails as soon as another
// has written in between.
//
// synchronous=NORMAL would lose no transaction when the process is killed, only
// when the power fails. FULL also outlives that, for one more fsync in each
// transaction.
var (
	writerOptions = url.Values{
		"_busy_timeout": {"0"}, // it is waited for elsewhere; see waiter
		"_foreign_keys": {"1"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
	}
	readerOptions = url.Values{
		"_busy_timeout": {strconv.FormatInt(requestWait.Milliseconds(), 10)},
		"_query_only":   {"1"},
	}
)

// connect opens the file at path, readable by nobody else, with the pool that
// reads and the one connection that writes.
func connect(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	return connectPools(ctx, path, writerOptions, readerOptions)
}

// inMemory are options for a database that has no file: it is shared by the
// connections of this process that give the same name, and is gone with the last
// of them. It knows no write-ahead log, and nobody else can hold its lock.
var inMemory = url.Values{"vfs": {"memdb"}}

// connectMemory opens a database that lives in memory under a name.
func connectMemory(ctx context.Context, name string) (*DB, error) {
	with := func(options url.Values) url.Values {
		all := maps.Clone(options)
		maps.Copy(all, inMemory)
		all.Set("_journal_mode", "MEMORY")
		return all
	}
	d, err := connectPools(ctx, "/"+name, with(writerOptions), with(readerOptions))
	if err != nil {
		return nil, err
	}
	// One connection writes, and stays open, so that the bound holds for good.
	if _, err := d.writer.ExecContext(ctx, "PRAGMA max_page_count="+strconv.Itoa(memoryPages)); err != nil {
		return nil, errors.Join(fmt.Errorf("db: %s: %w", name, err), d.Close())
	}
	return d, nil
}

// memoryPages bounds a database in memory: 16 MiB, in pages of 4,096 bytes. What would
// go beyond is refused, and nothing else happens.
const memoryPages = 16 << 20 / 4096

func connectPools(ctx context.Context, path string, forWriter, forReader url.Values) (*DB, error) {
	writer := openWriter(path, forWriter)
	if err := firstConnection(ctx, writer); err != nil {
		return nil, errors.Join(fmt.Errorf("db: %s: %w", path, err), writer.Close())
	}
	reader, err := sql.Open("sqlite3", dataSource(path, forReader))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("db: %w", err), writer.Close())
	}
	keepOpen(reader, readers)
	return &DB{
		writer: writer,
		reader: reader,
		writes: newStatements(writer),
		reads:  newStatements(reader),
	}, nil
}

// openWriter opens the pool of the one connection that writes.
func openWriter(path string, options url.Values) *sql.DB {
	writer := sql.OpenDB(&writerDriver{name: dataSource(path, options), lock: &waiter{}})
	keepOpen(writer, 1)
	return writer
}

func dataSource(path string, options url.Values) string {
	name := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: options.Encode()}
	return name.String()
}

// keepOpen lets a pool have so many connections, which stay open, and their
// statements with them.
func keepOpen(pool *sql.DB, connections int) {
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
}

// firstConnection makes the pool's first connection, which turns a new file to
// write-ahead logging. That is the one lock for which SQLite does not wait, so
// when several processes make the same file at once, all but one are refused
// and have to ask again.
func firstConnection(ctx context.Context, writer *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, programWait)
	defer cancel()
	for {
		err := writer.PingContext(ctx)
		if !locked(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lookAgain):
		}
	}
}

// keepLog has the database itself refuse whatever would change or take away a line of
// the audit log, so that no mistake elsewhere in the program can.
func keepLog(ctx context.Context, writer *sql.DB) error {
	_, err := writer.ExecContext(ctx, `
		CREATE TRIGGER IF NOT EXISTS audit_events_stay BEFORE DELETE ON audit_events
		BEGIN
		    SELECT RAISE(ABORT, 'a line of the audit log is never taken away');
		END;
		CREATE TRIGGER IF NOT EXISTS audit_events_stand BEFORE UPDATE ON audit_events
		BEGIN
		    SELECT RAISE(ABORT, 'a line of the audit log is never changed');
		END`)
	return err
}

// checkpoint moves the log's content into the database file, so that the file
// alone is the whole school. Another process that is reading can prevent it,
// which loses nothing: the log stays.
func checkpoint(writer *sql.DB) error {
	if _, err := writer.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("db: checkpoint: %w", err)
	}
	return nil
}
