package auth

// MakeCheap has h make hashes that take next to nothing, for tests that are
// about something else. Call it before h is used.
func (h *Hasher) MakeCheap() *Hasher {
	h.cost.memory, h.cost.passes = 64, 1
	h.decoy = decoy(h.cost)
	return h
}

// OnHash has f called before each hash that h computes.
func (h *Hasher) OnHash(f func()) { h.ran = f }

// ParsePHC reads and writes a stored hash again.
func ParsePHC(s string) (string, error) {
	p, err := parsePHC(s)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// Rows is how many rows it holds at most, and holds.
func (m *Memory) Rows() (limit, rows int) { return maxRows, len(m.rows) }
