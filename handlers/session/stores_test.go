package session_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

const issuer = "https://lectern.example"

// key is a fixed secret, so that a token is the same in every run.
const key = "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY"

func newToken(t testing.TB, terms sessiontest.Terms) *cookiejwt.Backend {
	t.Helper()
	return newTokenSigned(t, token.HS256, terms)
}

func newTokenSigned(t testing.TB, algorithm token.Algorithm, terms sessiontest.Terms) *cookiejwt.Backend {
	t.Helper()
	keys, err := token.ParseKeys(algorithm, key)
	if err != nil {
		t.Fatal(err)
	}
	return cookiejwt.New(cookiejwt.Config{
		Tokens:  token.NewIssuer(token.Config{Keys: token.NewKeyring(keys), Site: issuer, Now: terms.Now, Random: rand.Reader}),
		Cookies: terms.Cookies, Lifetimes: terms.Lifetimes, Now: terms.Now,
	})
}

func newServer(name string, store serverstore.Store, terms sessiontest.Terms) *serverstore.Backend {
	return serverstore.New(serverstore.Config{
		Name: name, Store: store, Cookies: terms.Cookies, Lifetimes: terms.Lifetimes, Now: terms.Now, Random: rand.Reader,
	})
}

// newSQLite opens a fresh SQLite file with the table of sessions in it: one
// connection for writing, a pool for reading. No test cuts the power, so nothing
// waits for the disk.
func newSQLite(t testing.TB) (reader, writer *sql.DB) {
	t.Helper()
	dsn := filepath.Join(t.TempDir(), "sessions.db") + "?_journal_mode=WAL&_busy_timeout=5000&_synchronous=OFF&_txlock=immediate"
	open := func(connections int) *sql.DB {
		db, err := sql.Open("sqlite3", dsn)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(connections)
		db.SetMaxIdleConns(connections)
		t.Cleanup(func() { db.Close() })
		return db
	}
	writer = open(1)
	migration, err := os.ReadFile("../../db/migrations/0002_sessions.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(string(migration)); err != nil {
		t.Fatal(err)
	}
	return open(4), writer
}

func newSQL(t testing.TB, reader, writer *sql.DB) *serverstore.SQL {
	t.Helper()
	store, err := serverstore.NewSQL(t.Context(), reader, writer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

var errAway = errors.New("connection refused")

// moody is a store that can be taken away.
type moody struct {
	serverstore.Store
	away atomic.Bool
}

func (m *moody) set(away bool) { m.away.Store(away) }

func (m *moody) err() error {
	if m.away.Load() {
		return errAway
	}
	return nil
}

func (m *moody) Find(ctx context.Context, hash serverstore.Hash) (session.Record, bool, error) {
	if err := m.err(); err != nil {
		return session.Record{}, false, err
	}
	return m.Store.Find(ctx, hash)
}

func (m *moody) Create(ctx context.Context, hash serverstore.Hash, rec session.Record) error {
	if err := m.err(); err != nil {
		return err
	}
	return m.Store.Create(ctx, hash, rec)
}

func (m *moody) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	if err := m.err(); err != nil {
		return false, err
	}
	return m.Store.Touch(ctx, hash, seenAt, idleUntil)
}

func (m *moody) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if err := m.err(); err != nil {
		return false, err
	}
	return m.Store.Delete(ctx, hash)
}

func (m *moody) DeleteUser(ctx context.Context, user school.ID, except serverstore.Hash) (int, error) {
	if err := m.err(); err != nil {
		return 0, err
	}
	return m.Store.DeleteUser(ctx, user, except)
}
