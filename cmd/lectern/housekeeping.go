package main

import (
	"context"
	"log/slog"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

// housekeeping clears away ended sessions every few minutes, and hears within
// seconds of a switch that another server on the same data has made, and of new
// keys.
func housekeeping(log *slog.Logger, manager *session.Manager, keys *token.Keyring, stores []sweeper) func(context.Context) {
	return func(ctx context.Context) {
		sweep, refresh := time.NewTicker(5*time.Minute), time.NewTicker(2*time.Second)
		defer sweep.Stop()
		defer refresh.Stop()
		sweepAll(ctx, log, stores)
		for {
			select {
			case <-ctx.Done():
				return
			case <-sweep.C:
				sweepAll(ctx, log, stores)
			case <-refresh.C:
				keys.Reload()
				if err := manager.Refresh(ctx); err != nil && ctx.Err() == nil {
					log.Warn("site setting not read", "err", err)
				}
			}
		}
	}
}

// sweeper is a store with entries whose time is over at some point.
type sweeper interface {
	Name() string
	Sweep(ctx context.Context) (int, error)
}

func sweepAll(ctx context.Context, log *slog.Logger, stores []sweeper) {
	for _, b := range stores {
		if n, err := b.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("not swept", "store", b.Name(), "err", err)
		} else if n > 0 {
			log.Info("swept", "store", b.Name(), "over", n)
		}
	}
}
