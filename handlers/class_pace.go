package handlers

import (
	"sync"
	"time"

	"lectern/db/school"
	"lectern/handlers/auth"
)

// How often one person may run experiments in front of classes, whichever and
// wherever they sit: so many at once, and as many again in each length of time,
// evenly. Nobody who talks about what came out is faster.
const (
	classRunsAtOnce = 20
	classRunsPer    = 5 * time.Minute
)

// maxLeaders is how many people are kept before those are forgotten who may run as
// many at once as anybody.
const maxLeaders = 1000

// pace keeps it for each person. The zero value is ready.
type pace struct {
	mu   sync.Mutex
	full map[school.ID]time.Time // when they have all of theirs again
}

const classRunEach = classRunsPer / classRunsAtOnce

// take takes one run from what somebody has left, or says in a *[auth.Throttled]
// when there will be one.
func (p *pace) take(who school.ID, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.full[who]
	if full.Before(now) {
		full = now
	}
	full = full.Add(classRunEach)
	if wait := full.Sub(now) - classRunsPer; wait > 0 {
		return &auth.Throttled{RetryAfter: wait}
	}
	if p.full == nil {
		p.full = map[school.ID]time.Time{}
	}
	if len(p.full) >= maxLeaders {
		for other, at := range p.full {
			if !at.After(now) {
				delete(p.full, other)
			}
		}
	}
	p.full[who] = full
	return nil
}

// giveBack returns one that was not run.
func (p *pace) giveBack(who school.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full[who] = p.full[who].Add(-classRunEach)
}
