package session

import (
	"context"
	"errors"
)

// The rungs of the ladder: how a token can be ended before its time. Each costs
// more than the one before, and gives back more of what a record on the server
// can do; on the last one little is left of the stateless session but its name.
const (
	RevokeNone     = "none"     // it cannot: it is good until it expires
	RevokeCutoff   = "cutoff"   // all of a person's at once, by a moment kept with the person
	RevokeDenylist = "denylist" // also a single one, by its jti on a list
)

// Rung is a backend that stands on one rung of the ladder. All rungs read and
// write the same cookie; they differ in whom they ask about it.
type Rung interface {
	Backend
	// Revocation is one of the constants above.
	Revocation() string
}

// ErrUnknownRung: the ladder has no such rung.
var ErrUnknownRung = errors.New("session: unknown kind of revocation")

// Rungs lists the rungs there are, from the lowest; empty without a ladder.
func (m *Manager) Rungs() []string {
	names := make([]string, len(m.ladder))
	for i, rung := range m.ladder {
		names[i] = rung.Revocation()
	}
	return names
}

// Climb chooses the rung on which tokens stand from now on, for everybody. It
// changes no token: one that was ended on a higher rung counts again on a lower
// one that does not ask, until it expires.
func (m *Manager) Climb(ctx context.Context, revocation string) error {
	if m.rung(revocation) == nil {
		return ErrUnknownRung
	}
	m.switching.Lock()
	defer m.switching.Unlock()
	if err := m.reload(ctx); err != nil {
		return err
	}
	next := m.Site()
	next.Revocation = revocation
	return m.saveSite(ctx, next)
}

func (m *Manager) rung(revocation string) Rung {
	for _, rung := range m.ladder {
		if rung.Revocation() == revocation {
			return rung
		}
	}
	return nil
}

// apply puts the site's choice into force.
func (m *Manager) apply(site Site) {
	inForce := make([]Backend, len(m.offered))
	for i, b := range m.offered {
		inForce[i] = b
		if rung := m.rung(site.Revocation); rung != nil && rung.Name() == b.Name() {
			inForce[i] = rung
		}
	}
	m.inForce.Store(&inForce)
	m.site.Store(&site)
}
