package session

import "time"

// Power says what can be done from outside to the sessions of one backend. A
// page shows it before it offers a button that acts on sessions, so that nobody
// is promised what a token cannot keep.
type Power struct {
	Backend    string
	Revocation string // the rung of the ladder, for a backend that has one
	Read       bool   // sessions of this kind are looked at here; others open nothing
	EndsOne    bool   // the session of a request can be ended, with all copies of its cookie
	EndsUser   bool   // all of a person's sessions can be ended
	Lists      bool   // a person's sessions can be listed, and ended one by one
	Counts     bool   // somebody knows how many there are
	KeepsRole  bool   // a new role is written into them; otherwise they end, or go on with the old one
	// Life is how long one issued now goes on after it was ended or its role was
	// changed, and Longest the same for somebody who asked to be remembered; both
	// are zero where that acts at once.
	Life    time.Duration
	Longest time.Duration
}

// Powers lists the backends in the order in which a page offers them.
func (m *Manager) Powers() []Power {
	powers := make([]Power, 0, len(m.offered))
	for _, b := range m.backends() {
		powers = append(powers, m.powerOf(b))
	}
	return powers
}

// Power is what can be done to the sessions of one backend; zero for one that
// there is not.
func (m *Manager) Power(name string) Power {
	if b := m.backend(name); b != nil {
		return m.powerOf(b)
	}
	return Power{}
}

// RungPowers lists what the token backend can do on each rung of the ladder.
func (m *Manager) RungPowers() []Power {
	powers := make([]Power, 0, len(m.ladder))
	for _, rung := range m.ladder {
		powers = append(powers, m.powerOf(rung))
	}
	return powers
}

func (m *Manager) powerOf(b Backend) Power {
	p := Power{Backend: b.Name(), Read: m.reads(b.Name())}
	if rung, ok := b.(Rung); ok {
		p.Revocation = rung.Revocation()
	}
	_, p.EndsOne = b.(Ender)
	_, revokes := b.(Revoker)
	_, heeds := b.(Heeder)
	p.EndsUser = revokes || heeds
	_, p.Lists = b.(Lister)
	_, p.Counts = b.(Counter)
	_, p.KeepsRole = b.(RoleKeeper)
	if lagging, ok := b.(Lagging); ok {
		p.Life = lagging.Lag()
		p.Longest = p.Life
	}
	if !p.EndsUser {
		p.Life = min(m.lifetimes.Token, m.lifetimes.Absolute)
		p.Longest = max(p.Life, m.lifetimes.Remember)
	}
	return p
}
