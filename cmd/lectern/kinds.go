package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"lectern/db"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// kinds are the kinds of session that this site has.
type kinds struct {
	offered []session.Backend // in the order in which a page offers them
	ladder  []session.Rung
	swept   []sweeper
}

// kinds makes them all. Another kind is one line more. distant is nil without a
// Redis.
func (s *serveCommand) kinds(ctx context.Context, school *db.DB, distant *serverstore.Redis, tokens *token.Issuer, cookies session.Cookies) (kinds, error) {
	var all kinds
	records, err := serverstore.NewSQL(ctx, school.Reader(), school.Writer())
	if err != nil {
		return all, err
	}
	families, err := hybrid.NewSQL(ctx, school.Reader(), school.Writer())
	if err != nil {
		return all, err
	}
	ledger, err := cookiejwt.NewSQLLedger(ctx, school.Reader(), school.Writer(), school, time.Now)
	if err != nil {
		return all, err
	}
	band := cookiejwt.New(cookiejwt.Config{Tokens: tokens, Cookies: cookies, Lifetimes: s.lifetimes(), Now: time.Now})
	all.ladder = []session.Rung{band, cookiejwt.NewCutoff(band, ledger), cookiejwt.NewDenylist(band, ledger)}
	all.swept = []sweeper{ledger}

	// Those that keep records share one cookie on purpose: a ticket is a ticket,
	// wherever the coat hangs, and a browser needs only one.
	server := func(name string, store serverstore.Store) *serverstore.Backend {
		return serverstore.New(serverstore.Config{Name: name, Store: store, Cookies: cookies, Lifetimes: s.lifetimes(), Now: time.Now, Random: rand.Reader})
	}
	all.offer(band)
	all.offer(server(session.Memory, serverstore.NewMemory()))
	all.offer(server(session.Database, records))
	if distant != nil {
		all.offer(server(session.Redis, distant))
	}
	all.offer(hybrid.New(hybrid.Config{Tokens: tokens, Store: families, Cookies: cookies, Lifetimes: s.lifetimes(), Now: time.Now, Random: rand.Reader}))
	return all, nil
}

func (k *kinds) offer(b session.Backend) {
	k.offered = append(k.offered, b)
	if s, ok := b.(sweeper); ok {
		k.swept = append(k.swept, s)
	}
}

// openRedis goes to Redis, where the settings name one; otherwise it returns
// nil. One that cannot be reached yet keeps nobody from starting: its sessions
// are answered with "not now" until it is there.
func (s *settings) openRedis(ctx context.Context, log *slog.Logger) (*serverstore.Redis, error) {
	if s.Redis == "" {
		return nil, nil
	}
	store, err := serverstore.OpenRedis(s.Redis, time.Now)
	if err != nil {
		return nil, refuse("redis", "%s", err)
	}
	if err := store.Ping(ctx); err != nil {
		log.Warn("redis cannot be reached; sessions kept there are answered with 503 until it can", "err", err)
	} else if policy, forgets := store.Forgets(ctx); forgets {
		log.Warn("redis may throw out sessions when its memory is full, and so sign people out; set maxmemory-policy to noeviction", "maxmemory-policy", policy)
	}
	return store, nil
}
