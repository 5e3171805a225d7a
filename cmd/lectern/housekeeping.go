package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/session/kinds"
	"lectern/handlers/token"
)

// housekeeping clears away ended sessions every few minutes, and hears within
// seconds of a switch that another server on the same data has made, and of new
// keys.
func housekeeping(log *slog.Logger, manager *session.Manager, keys *token.Keyring, stores []kinds.Sweeper) func(context.Context) {
	return func(ctx context.Context) {
		var both sync.WaitGroup
		defer both.Wait()
		// A long sweep must not keep the news waiting.
		both.Go(func() {
			sweepAll(ctx, log, stores)
			each(ctx, 5*time.Minute, func() { sweepAll(ctx, log, stores) })
		})
		each(ctx, 2*time.Second, func() {
			keys.Reload()
			if err := manager.Refresh(ctx); err != nil && ctx.Err() == nil {
				log.Warn("site setting not read", "err", err)
			}
		})
	}
}

// each does something again and again until ctx ends.
func each(ctx context.Context, every time.Duration, do func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

func sweepAll(ctx context.Context, log *slog.Logger, stores []kinds.Sweeper) {
	for _, b := range stores {
		if n, err := b.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Warn("not swept", "store", b.Name(), "err", err)
		} else if n > 0 {
			log.Info("swept", "store", b.Name(), "over", n)
		}
	}
}
