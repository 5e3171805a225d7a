package lab

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Bounds are what the lab may take of the machine.
type Bounds struct {
	// Time is how long a run may take once it has begun.
	Time time.Duration
	// AtOnce is how many runs are carried out at the same time. Each works on one
	// processor at a time; fewer than there are leaves some for the pages.
	AtOnce int
	// Waiting is how many more may stand in line.
	Waiting int
	// Rest is how long a run rests, as a multiple of the time that it has worked since
	// it last did; it does so between requests. A run never waits for anything by
	// itself, and would keep a processor busy that pages are made on. What a run
	// measures is not touched by it. After a quarter of Time it rests no more.
	Rest float64
}

// FullError: so many wait already that another would wait for too long.
type FullError struct {
	// RetryAfter is when there is probably room again.
	RetryAfter time.Duration
}

func (e *FullError) Error() string {
	return fmt.Sprintf("lab: full, try again in %s", e.RetryAfter)
}

// queue lets so many in and has some more wait.
type queue struct {
	bounds  Bounds
	running chan struct{}
	waiting *atomic.Int64
}

func newQueue(b Bounds) queue {
	return queue{bounds: b, running: make(chan struct{}, max(1, b.AtOnce)), waiting: &atomic.Int64{}}
}

// retryAfter is a guess: a run takes less than a second.
const retryAfter = 5 * time.Second

// enter waits for a place, which leave gives back.
func (q *queue) enter(ctx context.Context, tell func(ahead int)) (leave func(), err error) {
	leave = func() { <-q.running }
	select {
	case q.running <- struct{}{}:
		return leave, nil
	default:
	}
	defer q.waiting.Add(-1)
	ahead := q.waiting.Add(1)
	if ahead > int64(q.bounds.Waiting) {
		return nil, &FullError{RetryAfter: retryAfter}
	}
	if tell != nil {
		tell(int(ahead))
	}
	select {
	case q.running <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
