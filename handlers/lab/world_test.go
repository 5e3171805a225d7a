package lab_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// TestWorlds_leaveNothing runs everything, also runs that are broken off, and looks
// for what is left: goroutines, files, keys in Redis.
func TestWorlds_leaveNothing(t *testing.T) {
	temp := t.TempDir() // of this test alone
	t.Setenv("TMPDIR", temp)
	l, redis := withRedis(t)
	run := func(slug string) {
		if _, err := l.Run(t.Context(), slug, lab.Watcher{}); err != nil {
			t.Errorf("%s: %v", slug, err)
		}
	}
	breakOff := func(slug, after string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := l.Run(ctx, slug, lab.Watcher{Step: func(_, line string, _ int) {
			if strings.Contains(line, after) {
				cancel()
			}
		}})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s, broken off after %q: %v", slug, after, err)
		}
	}
	run("issue-a-session") // what is made once, is made
	run("restart-the-server")
	here, goroutines := entries(t, "."), settled()
	for _, e := range l.Experiments() {
		run(e.Slug)
		breakOff(e.Slug, "")
	}
	breakOff("race-the-sign-out", "holds the next write")
	breakOff("race-the-sign-out", "without waiting")
	breakOff("race-the-sign-out", "POST /signout")
	breakOff("lose-the-store", "goes away")
	if now := settled(); now > goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("there were %d goroutines, and are %d\n%s", goroutines, now, stacks[:runtime.Stack(stacks, true)])
	}
	if left := entries(t, temp); len(left) > 0 {
		t.Errorf("the files %q are left in the folder for such", left)
	}
	if now := entries(t, "."); !slices.Equal(now, here) {
		t.Errorf("the folder had %q, and has %q", here, now)
	}
	if keys := redis.Keys(); len(keys) > 0 {
		t.Errorf("Redis still has %q", keys)
	}
}

// settled is the number of goroutines when those that are ending have ended: when it
// has been the same for a while.
func settled() int {
	deadline := time.Now().Add(10 * time.Second)
	n, since := runtime.NumGoroutine(), time.Now()
	for time.Since(since) < 300*time.Millisecond && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
		if now := runtime.NumGoroutine(); now != n {
			n, since = now, time.Now()
		}
	}
	return n
}

func entries(t *testing.T, folder string) []string {
	t.Helper()
	all, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// TestRun_isBounded: so many at once, so many more in line, and everybody else is
// told when to come back; a run that takes too long is broken off.
func TestRun_isBounded(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	build := handlers.SmallWorlds(nil)
	l, err := lab.New(lab.Config{Now: time.Now, Bounds: lab.Bounds{Time: time.Minute, AtOnce: 1, Waiting: 1}, Build: func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		begun <- struct{}{}
		<-goOn
		return build(ctx, plan)
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { l.Run(ctx, "tamper-with-the-role", lab.Watcher{}) })
	<-begun // one runs
	waits := make(chan int, 1)
	all.Go(func() { l.Run(ctx, "tamper-with-the-role", lab.Watcher{Waiting: func(ahead int) { waits <- ahead }}) })
	if ahead := <-waits; ahead != 1 {
		t.Errorf("the second has %d before it, want 1", ahead)
	}
	var full *lab.FullError
	if _, err := l.Run(ctx, "tamper-with-the-role", lab.Watcher{}); !errors.As(err, &full) || full.RetryAfter <= 0 {
		t.Errorf("the third gets %v", err)
	}
	cancel()
	close(goOn)
	go func() {
		for range begun {
		}
	}()
	all.Wait()
	close(begun)
}

func TestRun_takesItsTimeAndNoMore(t *testing.T) {
	l, err := lab.New(lab.Config{Now: time.Now, Bounds: lab.Bounds{Time: time.Nanosecond, AtOnce: 1}, Build: handlers.SmallWorlds(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Run(t.Context(), "count-the-cost", lab.Watcher{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a run that takes too long gets %v", err)
	}
}

func TestRun_knowsWhatThereIs(t *testing.T) {
	if _, err := open(t).Run(t.Context(), "alchemy", lab.Watcher{}); !errors.Is(err, lab.ErrUnknown) {
		t.Errorf("an experiment that there is not gets %v", err)
	}
}

// TestRun_saysWhereThereIsNoRedis: a column that cannot be run says so, and claims
// nothing.
func TestRun_saysWhereThereIsNoRedis(t *testing.T) {
	run, err := open(t).Run(t.Context(), "restart-the-server", lab.Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range run.Columns {
		if c.Kind == "redis" && (c.Verdict != lab.NotApplicable || !strings.Contains(c.Note, "--redis") || c.Headline != "") {
			t.Errorf("the column says %q, %q, %q", c.Verdict, c.Note, c.Headline)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	l := open(b)
	for _, slug := range []string{"sign-out-then-replay", "add-a-second-server", "count-the-cost"} {
		b.Run(slug, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.Run(b.Context(), slug, lab.Watcher{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
