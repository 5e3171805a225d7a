package session_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

const issuer = "https://lectern.example"

// key is a fixed secret, so that a token is the same in every run, and changed is
// what a planned change of keys makes of it.
const (
	key     = "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY"
	changed = "next:dnV0c3JxcG9ubWxramloZ2ZlZGNiYTA5ODc2NTQzMjE," + key
)

func newToken(t testing.TB, terms sessiontest.Terms) *cookiejwt.Backend {
	t.Helper()
	return newTokenSigned(t, token.HS256, key, terms)
}

func newTokenSigned(t testing.TB, algorithm token.Algorithm, keys string, terms sessiontest.Terms) *cookiejwt.Backend {
	t.Helper()
	return cookiejwt.New(cookiejwt.Config{Tokens: newIssuer(t, algorithm, keys, terms), Cookies: terms.Cookies, Lifetimes: terms.Lifetimes, Now: terms.Now})
}

func newIssuer(t testing.TB, algorithm token.Algorithm, keys string, terms sessiontest.Terms) *token.Issuer {
	t.Helper()
	parsed, err := token.ParseKeys(algorithm, keys)
	if err != nil {
		t.Fatal(err)
	}
	return token.NewIssuer(token.Config{Keys: token.NewKeyring(parsed), Site: issuer, Now: terms.Now, Random: rand.Reader})
}

func newHybrid(t testing.TB, store hybrid.Store, keys string, terms sessiontest.Terms) *hybrid.Backend {
	t.Helper()
	return hybrid.New(hybrid.Config{
		Tokens: newIssuer(t, token.HS256, keys, terms), Store: store, Cookies: terms.Cookies, Lifetimes: terms.Lifetimes, Now: terms.Now, Random: rand.Reader,
	})
}

func newServer(name string, store serverstore.Store, terms sessiontest.Terms) *serverstore.Backend {
	return serverstore.New(serverstore.Config{
		Name: name, Store: store, Cookies: terms.Cookies, Lifetimes: terms.Lifetimes, Now: terms.Now, Random: rand.Reader,
	})
}

// newSQLite opens a fresh SQLite file with the tables of sessions in it: one
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
	for _, name := range []string{"0002_sessions.sql", "0005_refresh_sessions.sql"} {
		migration, err := os.ReadFile("../../db/migrations/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Exec(string(migration)); err != nil {
			t.Fatal(err)
		}
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

// newRedis reaches a Redis, by a clock of its own when that is given a rest.
func newRedis(t testing.TB, address string, now func() time.Time) *serverstore.Redis {
	t.Helper()
	store, err := serverstore.OpenRedis(address, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func newFamilies(t testing.TB, reader, writer *sql.DB) *hybrid.SQL {
	t.Helper()
	store, err := hybrid.NewSQL(t.Context(), reader, writer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

var errAway = errors.New("connection refused")

// mood is whether a store is away.
type mood struct{ away atomic.Bool }

func (m *mood) set(away bool) { m.away.Store(away) }

func (m *mood) err() error {
	if m.away.Load() {
		return errAway
	}
	return nil
}

// moody is a store that can be taken away, and in which something can happen
// right before a record is written.
type moody struct {
	serverstore.Store
	mood
	meanwhile func()
}

// Ping asks what the store would say.
func (m *moody) Ping(ctx context.Context) error {
	if err := m.err(); err != nil {
		return err
	}
	if distant, ok := m.Store.(interface{ Ping(context.Context) error }); ok {
		return distant.Ping(ctx)
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
	if m.meanwhile != nil {
		m.meanwhile()
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

func (m *moody) DeleteOne(ctx context.Context, user school.ID, hash serverstore.Hash) (bool, error) {
	if err := m.err(); err != nil {
		return false, err
	}
	return m.Store.DeleteOne(ctx, user, hash)
}

func (m *moody) DeleteAll(ctx context.Context, except serverstore.Hash) (int, error) {
	if err := m.err(); err != nil {
		return 0, err
	}
	return m.Store.DeleteAll(ctx, except)
}

// ledger is a list of ended tokens in memory, beside the people of a school. It
// can be taken away.
type ledger struct {
	*sessiontest.School
	mu     sync.Mutex
	denied map[string]bool
	away   atomic.Bool
}

func newLedger(people *sessiontest.School) *ledger {
	return &ledger{School: people, denied: map[string]bool{}}
}

// set takes the whole school away, as a database takes all that is in it.
func (l *ledger) set(away bool) {
	l.away.Store(away)
	l.School.SetAway(away)
}

func (l *ledger) CutOffAt(ctx context.Context, id school.ID) (time.Time, error) {
	user, err := l.User(ctx, id)
	return user.TokensFrom, err
}

func (l *ledger) Denied(ctx context.Context, jti string, id school.ID) (bool, time.Time, error) {
	cut, err := l.CutOffAt(ctx, id)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.denied[jti], cut, err
}

func (l *ledger) Deny(_ context.Context, jti string, _ time.Time) (bool, error) {
	if l.away.Load() {
		return false, errAway
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	added := !l.denied[jti]
	l.denied[jti] = true
	return added, nil
}

// moodyFamilies is the same for a hybrid's store.
type moodyFamilies struct {
	hybrid.Store
	mood
}

func (m *moodyFamilies) Find(ctx context.Context, hash serverstore.Hash) (hybrid.Family, bool, error) {
	if err := m.err(); err != nil {
		return hybrid.Family{}, false, err
	}
	return m.Store.Find(ctx, hash)
}

func (m *moodyFamilies) Create(ctx context.Context, hash serverstore.Hash, family hybrid.Family) error {
	if err := m.err(); err != nil {
		return err
	}
	return m.Store.Create(ctx, hash, family)
}

func (m *moodyFamilies) Rotate(ctx context.Context, hash, presented serverstore.Hash, to hybrid.Rotation) (bool, error) {
	if err := m.err(); err != nil {
		return false, err
	}
	return m.Store.Rotate(ctx, hash, presented, to)
}

func (m *moodyFamilies) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	if err := m.err(); err != nil {
		return false, err
	}
	return m.Store.Touch(ctx, hash, seenAt, idleUntil)
}

func (m *moodyFamilies) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if err := m.err(); err != nil {
		return false, err
	}
	return m.Store.Delete(ctx, hash)
}

func (m *moodyFamilies) DeleteUser(ctx context.Context, user school.ID, except serverstore.Hash) (int, error) {
	if err := m.err(); err != nil {
		return 0, err
	}
	return m.Store.DeleteUser(ctx, user, except)
}
