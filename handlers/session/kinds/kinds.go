// Package kinds puts the kinds of session together, for whoever runs a site: the
// program, a test, or a small world of the lab. Each is made once, here, so that
// all three run the same.
package kinds

import (
	"context"
	"database/sql"
	"io"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// Kinds are the kinds of session that a site has.
type Kinds struct {
	Offered []session.Backend // in the order in which a page offers them
	Ladder  []session.Rung
	Swept   []Sweeper

	// Records, Families and Ledger are where those of them that use the database
	// keep what they keep.
	Records  serverstore.Store
	Families hybrid.Store
	Ledger   cookiejwt.Ledger
}

// Sweeper is a store with entries whose time is over at some point.
type Sweeper interface {
	Name() string
	// Sweep clears them away and returns how many there were.
	Sweep(ctx context.Context) (int, error)
}

// Config is what they are made of.
type Config struct {
	// Reader and Writer are pools of connections to the school's database.
	Reader, Writer *sql.DB
	People         session.People
	// Redis is nil without one; then that kind is not offered.
	Redis     serverstore.Store
	Tokens    *token.Issuer
	Cookies   session.Cookies
	Lifetimes session.Lifetimes
	Now       func() time.Time
	Random    io.Reader

	// Records and Families put something between a backend and its store; nil for
	// nothing. The lab takes stores away with them.
	Records  func(serverstore.Store) serverstore.Store
	Families func(hybrid.Store) hybrid.Store
}

// New makes them all. Another kind is one line more.
func New(ctx context.Context, c Config) (Kinds, error) {
	var all Kinds
	records, err := serverstore.NewSQL(ctx, c.Reader, c.Writer)
	if err != nil {
		return all, err
	}
	families, err := hybrid.NewSQL(ctx, c.Reader, c.Writer)
	if err != nil {
		return all, err
	}
	ledger, err := cookiejwt.NewSQLLedger(ctx, c.Reader, c.Writer, c.People, c.Now)
	if err != nil {
		return all, err
	}
	all.Records, all.Families, all.Ledger = c.records(records), c.families(families), ledger
	band := cookiejwt.New(cookiejwt.Config{Tokens: c.Tokens, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now})
	all.Ladder = []session.Rung{band, cookiejwt.NewCutoff(band, ledger), cookiejwt.NewDenylist(band, ledger)}
	all.Swept = []Sweeper{ledger}

	// Those that keep records share one cookie on purpose: a ticket is a ticket,
	// wherever the coat hangs, and a browser needs only one.
	all.offer(band)
	all.offer(c.server(session.Memory, c.records(serverstore.NewMemory())))
	all.offer(c.server(session.Database, all.Records))
	if c.Redis != nil {
		all.offer(c.server(session.Redis, c.records(c.Redis)))
	}
	all.offer(hybrid.New(hybrid.Config{Tokens: c.Tokens, Store: all.Families, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: c.Random}))
	return all, nil
}

func (c *Config) server(name string, store serverstore.Store) *serverstore.Backend {
	return serverstore.New(serverstore.Config{Name: name, Store: store, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: c.Random})
}

func (c *Config) records(store serverstore.Store) serverstore.Store {
	if c.Records != nil {
		return c.Records(store)
	}
	return store
}

func (c *Config) families(store hybrid.Store) hybrid.Store {
	if c.Families != nil {
		return c.Families(store)
	}
	return store
}

// Replace puts a backend in the place of the one of its name. On a ladder it is
// the only rung.
func (k *Kinds) Replace(b session.Backend) {
	for i := range k.Offered {
		if k.Offered[i].Name() == b.Name() {
			k.Offered[i] = b
		}
	}
	if len(k.Ladder) > 0 && k.Ladder[0].Name() == b.Name() {
		k.Ladder = nil
	}
}

func (k *Kinds) offer(b session.Backend) {
	k.Offered = append(k.Offered, b)
	if s, ok := b.(Sweeper); ok {
		k.Swept = append(k.Swept, s)
	}
}
