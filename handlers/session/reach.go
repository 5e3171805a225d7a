package session

import "context"

// Distant is a backend whose records lie where the way may be blocked: at the
// other end of a wire, in another program.
type Distant interface {
	// Reach asks whether the store answers.
	Reach(ctx context.Context) error
}

// OutOfReach asks every backend that is at a distance whether its store
// answers, and returns what is wrong with those that do not, by name.
func (m *Manager) OutOfReach(ctx context.Context) map[string]error {
	wrong := map[string]error{}
	for _, b := range m.backends() {
		if distant, ok := b.(Distant); ok {
			if err := distant.Reach(ctx); err != nil {
				wrong[b.Name()] = err
			}
		}
	}
	return wrong
}
