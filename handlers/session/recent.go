package session

import (
	"sync"
	"time"
)

// lately is how long a browser may take to notice that its ticket was exchanged.
const lately = 30 * time.Second

// recent holds the handles of sessions that were exchanged for others a moment
// ago. A second request of the same browser may still come with the old ticket.
// To clear its cookie, which may have the name of the new one, would sign the
// person out. Where the site carries its people over, the second request gets
// the same new ticket as the first; otherwise the old one is nobody's. The zero
// value is empty and ready.
type recent struct {
	mu         sync.Mutex
	young, old map[string]exchange // old is thrown away as a whole when young gets old
	turned     time.Time
}

// exchange is what became of a session: the lines that set the cookies of its
// successor, where a late request may still have them.
type exchange struct {
	at      time.Time
	cookies []string
}

func (c *recent) add(handle string, cookies []string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || now.Sub(c.turned) > lately {
		c.old, c.young, c.turned = c.young, map[string]exchange{}, now
	}
	c.young[handle] = exchange{now, cookies}
}

func (c *recent) has(handle string, now time.Time) bool {
	_, ok := c.find(handle, now)
	return ok
}

// find returns the lines that set the successor's cookies; nil where nobody else
// may have them.
func (c *recent) find(handle string, now time.Time) ([]string, bool) {
	if handle == "" {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[handle]
	if !ok {
		e, ok = c.old[handle]
	}
	return e.cookies, ok && now.Sub(e.at) <= lately
}
