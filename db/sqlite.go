package db

// This file holds all that is SQLite's alone: how the file is made, opened and
// closed. The SQL in the other files runs on PostgreSQL too.

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// The options of the connections. They stand in the data source's name, because
// a PRAGMA that is executed reaches only one connection of a pool.
//
// The busy timeout, which the driver sets before everything else, is what lets
// a second process wait for the first one's transaction. A transaction takes
// the write lock when it begins, because one that reads first and then wants to
// write cannot wait: it fails as soon as another has written in between.
//
// synchronous=NORMAL would lose no transaction when the process is killed, only
// when the power fails. FULL also outlives that, for one more fsync in each
// transaction.
var (
	writerOptions = url.Values{
		"_busy_timeout": {"10000"},
		"_foreign_keys": {"1"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
	}
	readerOptions = url.Values{
		"_busy_timeout": {"10000"},
		"_query_only":   {"1"},
	}
)

// connect opens the file at path, readable by nobody else, with the pool that
// reads and the one connection that writes.
func connect(path string) (*DB, error) {
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
	writer, err := openPool(path, writerOptions, 1)
	if err != nil {
		return nil, err
	}
	reader, err := openPool(path, readerOptions, readers)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return &DB{
		writer: writer,
		reader: reader,
		writes: newStatements(writer),
		reads:  newStatements(reader),
	}, nil
}

// openPool opens a pool whose connections stay open, and their statements with
// them.
func openPool(path string, options url.Values, connections int) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Path: path, OmitHost: true, RawQuery: options.Encode()}
	pool, err := sql.Open("sqlite3", name.String())
	if err != nil {
		return nil, fmt.Errorf("db: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
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
