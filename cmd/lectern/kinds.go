package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"lectern/db"
	"lectern/handlers/session"
	"lectern/handlers/session/kinds"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// kinds makes every kind of session that this site has. distant is nil without a
// Redis.
func (s *serveCommand) kinds(ctx context.Context, school *db.DB, distant *serverstore.Redis, tokens *token.Issuer, cookies session.Cookies) (kinds.Kinds, error) {
	c := kinds.Config{
		Reader: school.Reader(), Writer: school.Writer(), People: school,
		Tokens: tokens, Cookies: cookies, Lifetimes: s.lifetimes(), Now: time.Now, Random: rand.Reader,
	}
	if distant != nil { // a nil *Redis in the interface would be a store
		c.Redis = distant
	}
	return kinds.New(ctx, c)
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
