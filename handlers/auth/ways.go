package auth

import (
	"io"
	"log/slog"
	"net/url"
	"time"
)

// Ways are all ways to prove who one is, put together once.
type Ways struct {
	Passwords *Passwords
	Hasher    *Hasher
	// Throttle slows the guessing at all of them, and Requests how often codes are
	// sent.
	Throttle *Throttle
	Requests *Requests
	// Flows are proofs that take more than one request.
	Flows *Flows
	// Apps are authenticator apps, Recovery the codes for the day without one.
	Apps     *Apps
	Recovery *Recovery
	Passkeys *Passkeys
}

// Store is where everything lies that the ways need.
type Store interface {
	Accounts
	FlowStore
	AppStore
	CodeStore
	PasskeyRecords
}

// WaysConfig is what Ways are made of.
type WaysConfig struct {
	Store  Store
	Hasher *Hasher
	// Counts are where tries are counted, for all servers of a site together.
	Counts Counts
	// BaseURL is the address of this site, to which passkeys are bound.
	BaseURL *url.URL
	Seal    *Seal
	Random  io.Reader
	Now     func() time.Time
	Log     *slog.Logger
}

// siteName is what an authenticator app lists this site as.
const siteName = "Lectern"

// NewWays puts them together.
func NewWays(c WaysConfig) Ways {
	throttle := NewThrottle(c.Counts, c.Now, c.Log)
	return Ways{
		Passwords: NewPasswords(c.Store, c.Hasher, throttle, c.Log),
		Hasher:    c.Hasher,
		Throttle:  throttle,
		Requests:  NewRequests(c.Counts, c.Now, c.Log),
		Flows:     NewFlows(c.Store, c.Random, c.Now),
		Apps:      NewApps(c.Store, c.Seal, siteName, c.Random, c.Now),
		Recovery:  NewRecovery(c.Store, c.Hasher, c.Random, c.Now),
		Passkeys:  NewPasskeys(c.BaseURL, siteName, c.Store, c.Random, c.Now),
	}
}
