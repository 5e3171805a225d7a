package db_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lectern/db/school"
)

// lock takes the file's lock as another program would, and returns what gives
// it back.
func lock(t *testing.T, path string) (unlock func()) {
	t.Helper()
	other, err := sql.Open("sqlite3", path+"?_txlock=immediate&_busy_timeout=5000")
	must(t, err)
	held, err := other.Begin()
	must(t, err)
	unlock = sync.OnceFunc(func() {
		must(t, held.Rollback())
		must(t, other.Close())
	})
	t.Cleanup(unlock)
	return unlock
}

// TestLock_isWaitedForOnlySoLong has a request give up, and those after it give
// up at once, while a program that starts waits on. All that time everybody
// can read.
func TestLock_isWaitedForOnlySoLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	d, starting := open(t, path), open(t, path)
	must(t, d.SetSetting(t.Context(), "key", "before", noon))
	unlock := lock(t, path)
	seeded := make(chan error, 1)
	go func() {
		_, err := starting.Seed(context.Background(), smallSchool())
		seeded <- err
	}()
	soon, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for range 100 {
		if err := d.SetSetting(t.Context(), "key", "after", noon); !errors.Is(err, school.ErrBusy) {
			t.Fatalf("writing gives %v", err)
		}
		if value, err := d.Setting(t.Context(), "key"); err != nil || value != "before" {
			t.Fatalf("reading gives %q, %v", value, err)
		}
	}
	if soon.Err() != nil {
		t.Error("a hundred who write wait longer than two seconds")
	}
	select {
	case err := <-seeded:
		t.Fatalf("the other program did not wait: %v", err)
	default:
	}
	unlock()
	must(t, <-seeded)
	must(t, d.SetSetting(t.Context(), "key", "after", noon))
}

// TestLock_isWaitedForWhileItLasts lets go of the lock in good time.
func TestLock_isWaitedForWhileItLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	d := open(t, path)
	for what, write := range map[string]func() error{
		"a transaction": func() error { return d.SetSetting(t.Context(), "key", "value", noon) },
		"a statement": func() error {
			_, err := d.Writer().ExecContext(t.Context(), `UPDATE settings SET value = value`)
			return err
		},
		"a prepared statement": func() error {
			stmt, err := d.Writer().PrepareContext(t.Context(), `UPDATE settings SET value = value`)
			if err == nil {
				defer stmt.Close()
				_, err = stmt.ExecContext(t.Context())
			}
			return err
		},
	} {
		time.AfterFunc(50*time.Millisecond, lock(t, path))
		if err := write(); err != nil {
			t.Errorf("%s does not wait: %v", what, err)
		}
	}
}

// TestLock_isNotWaitedForByNobody hears when the time of who asked is over,
// also where a program would wait for long.
func TestLock_isNotWaitedForByNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	d := open(t, path)
	lock(t, path)
	soon, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	ctx, hangUp := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, hangUp)
	if _, err := d.Seed(ctx, smallSchool()); err == nil || soon.Err() != nil {
		t.Errorf("it gives %v, after two seconds: %v", err, soon.Err())
	}
}

// TestWrite_waitsForItsTurnOnlySoLong has the one connection that writes stand
// still, as a disk can: whoever wants to write hears of it, also when their own
// request has no end of its own.
func TestWrite_waitsForItsTurnOnlySoLong(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	held, err := d.Writer().Conn(t.Context())
	must(t, err)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := d.SetSetting(context.WithoutCancel(t.Context()), "key", "value", noon); !errors.Is(err, school.ErrBusy) {
				t.Errorf("writing gives %v", err)
			}
		})
	}
	wg.Wait()
	must(t, held.Close())
	must(t, d.SetSetting(t.Context(), "key", "value", noon))
}
