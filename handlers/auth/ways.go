package auth

import (
	"io"
	"log/slog"
	"time"
)

// Ways are all ways to prove who one is, put together once.
type Ways struct {
	Passwords *Passwords
	Hasher    *Hasher
	// Throttle slows the guessing at all of them.
	Throttle *Throttle
	// Flows are proofs that take more than one request.
	Flows *Flows
	// Apps are authenticator apps, Recovery the codes for the day without one.
	Apps     *Apps
	Recovery *Recovery
}

// Store is where everything lies that the ways need.
type Store interface {
	Accounts
	FlowStore
	AppStore
	CodeStore
}

// WaysConfig is what Ways are made of.
type WaysConfig struct {
	Store    Store
	Hasher   *Hasher
	Throttle *Throttle
	Seal     *Seal
	Random   io.Reader
	Now      func() time.Time
	Log      *slog.Logger
}

// siteName is what an authenticator app lists this site as.
const siteName = "Lectern"

// NewWays puts them together.
func NewWays(c WaysConfig) Ways {
	return Ways{
		Passwords: NewPasswords(c.Store, c.Hasher, c.Throttle, c.Log),
		Hasher:    c.Hasher,
		Throttle:  c.Throttle,
		Flows:     NewFlows(c.Store, c.Random, c.Now),
		Apps:      NewApps(c.Store, c.Seal, siteName, c.Random, c.Now),
		Recovery:  NewRecovery(c.Store, c.Hasher, c.Random, c.Now),
	}
}
