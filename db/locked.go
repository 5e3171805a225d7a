package db

// This file is SQLite's alone, too: it waits for the lock of the file.

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

// How long a write waits for another process to let go of the file. In this
// program one connection writes, so nobody here ever has to wait for the lock;
// who else has it is a command beside the server, or somebody with a tool.
const (
	// requestWait is for whoever sits before a page, and hears within two seconds
	// that it cannot be done now, even if two things are to be written.
	requestWait = 800 * time.Millisecond
	// turnWait is how long a request waits for its turn at the one connection that
	// writes while nobody before it is done: somebody there stands still.
	turnWait = 1200 * time.Millisecond
	// queueWait is how long it waits in a queue that moves.
	queueWait = 10 * time.Second
	// programWait is for a program that starts beside another one; see patient.
	programWait = 10 * time.Second
	// lookAgain is how often one who waits looks whether the lock is free.
	lookAgain = 5 * time.Millisecond
)

type patientKey struct{}

// patient is a context in which the lock is waited for as long as it takes two
// programs to start side by side.
func patient(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, programWait)
}

// isPatient reports whether ctx comes from patient.
func isPatient(ctx context.Context) bool { return ctx.Value(patientKey{}) != nil }

// waiter waits for the lock. SQLite would wait by itself, but deaf: it does not
// hear when a request's time is over.
type waiter struct {
	gaveUp atomic.Pointer[time.Time] // when somebody last waited in vain
}

// wait does something again and again as long as the file is locked, for as
// long as ctx and the purpose allow. When somebody has just waited in vain, the
// next do not: they would stand in a row behind the one connection.
func (w *waiter) wait(ctx context.Context, do func() error) error {
	err := do()
	if !locked(err) {
		return err
	}
	limit, ok := ctx.Value(patientKey{}).(time.Duration)
	if !ok {
		limit = requestWait
		if last := w.gaveUp.Load(); last != nil && time.Since(*last) < limit {
			return err
		}
	}
	brief, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		select {
		case <-brief.Done():
			if ctx.Err() == nil { // not somebody who left early, and says nothing of the lock
				now := time.Now()
				w.gaveUp.Store(&now)
			}
			return err
		case <-again.C:
		}
		if err = do(); !locked(err) {
			return err
		}
	}
}

// locked reports whether err is that another process has the lock.
func locked(err error) bool {
	failure, ok := errors.AsType[sqlite3.Error](err)
	return ok && failure.Code == sqlite3.ErrBusy
}

// writerDriver opens connections that wait for the lock; see waiter.
type writerDriver struct {
	sqlite3.SQLiteDriver
	name string
	lock *waiter
}

// Connect implements [driver.Connector].
func (d *writerDriver) Connect(context.Context) (driver.Conn, error) {
	opened, err := d.Open(d.name)
	if err != nil {
		return nil, err
	}
	return &writerConn{opened.(*sqlite3.SQLiteConn), d.lock}, nil
}

// Driver implements [driver.Connector].
func (d *writerDriver) Driver() driver.Driver { return &d.SQLiteDriver }

// writerConn is a connection that waits for the lock where SQLite takes it: at
// the beginning of a transaction, and in a statement that is one by itself.
type writerConn struct {
	*sqlite3.SQLiteConn
	lock *waiter
}

func (c *writerConn) BeginTx(ctx context.Context, options driver.TxOptions) (begun driver.Tx, err error) {
	err = c.lock.wait(ctx, func() error {
		begun, err = c.SQLiteConn.BeginTx(ctx, options)
		return err
	})
	return begun, err
}

func (c *writerConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (result driver.Result, err error) {
	err = c.lock.wait(ctx, func() error {
		result, err = c.SQLiteConn.ExecContext(ctx, text, args)
		return err
	})
	return result, err
}

func (c *writerConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	var prepared driver.Stmt
	err := c.lock.wait(ctx, func() (err error) {
		prepared, err = c.SQLiteConn.PrepareContext(ctx, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &writerStmt{prepared.(*sqlite3.SQLiteStmt), c.lock}, nil
}

// writerStmt is a prepared statement of such a connection.
type writerStmt struct {
	*sqlite3.SQLiteStmt
	lock *waiter
}

func (s *writerStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	err = s.lock.wait(ctx, func() error {
		result, err = s.SQLiteStmt.ExecContext(ctx, args)
		return err
	})
	return result, err
}
