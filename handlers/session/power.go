package session

import "time"

// Power says what can be done from outside to the sessions of one backend. A
// page shows it before it offers a button that acts on other people's
// sessions, so that nobody is promised what a token cannot keep.
type Power struct {
	Backend string
	Ends    bool // they end at once
	Role    bool // a new role reaches them at once
	Counts  bool // somebody knows how many there are
	// Life is how long one issued now stays good whatever is done about it, and
	// Longest the same for somebody who asked to be remembered; both are zero
	// where sessions can be ended.
	Life    time.Duration
	Longest time.Duration
}

// Powers lists the backends in the order in which a page offers them.
func (m *Manager) Powers() []Power {
	powers := make([]Power, len(m.backends))
	for i, b := range m.backends {
		p := Power{Backend: b.Name()}
		_, p.Ends = b.(Revoker)
		_, p.Role = b.(RoleKeeper)
		_, p.Counts = b.(Counter)
		if !p.Ends {
			p.Life = m.lifetimes.Token
			p.Longest = max(m.lifetimes.Token, m.lifetimes.Remember)
		}
		powers[i] = p
	}
	return powers
}
