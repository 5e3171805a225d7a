package auth

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

// Rows is how many rows the tables hold at most, and hold.
func (t *Throttle) Rows() (limit, rows int) { return t.lanes.limit, len(t.lanes.rows) }
