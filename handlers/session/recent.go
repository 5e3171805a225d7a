package session

import (
	"sync"
	"time"
)

// lately is how long a browser may take to notice that its ticket was exchanged.
const lately = 30 * time.Second

// recent holds the handles of sessions that were exchanged for others a moment
// ago. A second request of the same browser may still come with the old ticket.
// It is nobody's then; but to clear its cookie, which has the name of the new
// one, would sign the person out. The zero value is empty and ready.
type recent struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (c *recent) add(handle string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil {
		c.at = map[string]time.Time{}
	}
	for old, at := range c.at {
		if now.Sub(at) > lately {
			delete(c.at, old)
		}
	}
	c.at[handle] = now
}

func (c *recent) has(handle string, now time.Time) bool {
	if handle == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.at[handle]
	return ok && now.Sub(at) <= lately
}
