// Package lab is where people see what a kind of session does, instead of reading
// about it: they predict, run, see, and understand why.
//
// The idea in order:
//
//  1. An [Experiment] is a text: a question, a script that a person can read, and
//     an explanation (FORMAT.md says how one is written; the folder experiments
//     has them).
//  2. A run carries the script out once for each column, that is, for each kind of
//     session. Each time it builds a small world: the same application as
//     everywhere, which the lab is handed as a [Builder], on a database, keys and
//     a clock of its own, with one or more servers, and browsers that keep cookies
//     as strictly as the real ones.
//  3. Nothing is written down in advance. The verdict is the status of the deciding
//     answer; measures are read off the session's own trace; and what the script
//     expects is held against what happened.
//  4. The pages, the programs' interface and the tests run the same files. What a
//     text claims and the program does not do shows on the page as a broken
//     experiment, and fails the test.
//  5. Runs are bounded ([Bounds]) in time, in number at once and in what they may
//     ask, so that a crowd of them is slow for the crowd alone.
//
// A small world leaves nothing behind: its database lives in memory, its requests
// go to the application without a network, and closing it waits for the last one.
package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"lectern/handlers/session"
)

// ErrUnknown: there is no experiment of this name.
var ErrUnknown = errors.New("lab: no such experiment")

// Lab holds the experiments and runs them. It is safe for concurrent use.
type Lab struct {
	experiments []*Experiment
	build       Builder
	redis       bool
	now         func() time.Time
	queue       queue
	log         *slog.Logger
}

// Config is what a Lab is made of.
type Config struct {
	Build Builder
	// Redis says whether there is one to run the columns with that need it.
	Redis  bool
	Now    func() time.Time
	Bounds Bounds
	Log    *slog.Logger // the program's own if nil
}

// New reads the experiments.
func New(c Config) (*Lab, error) {
	experiments, err := Load()
	if err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Lab{experiments: experiments, build: c.Build, redis: c.Redis, now: c.Now, queue: newQueue(c.Bounds), log: c.Log}, nil
}

// Experiments lists them in their order.
func (l *Lab) Experiments() []*Experiment { return l.experiments }

// Experiment finds one by its slug.
func (l *Lab) Experiment(slug string) (*Experiment, error) {
	for _, e := range l.experiments {
		if e.Slug == slug {
			return e, nil
		}
	}
	return nil, ErrUnknown
}

// worlds counts them, whichever lab they are opened by.
var worlds atomic.Int64

// newName is a name that no other world of this process has.
func newName() string { return "lab-" + strconv.FormatInt(worlds.Add(1), 36) }

// Watcher is told how a run goes on. Any of its functions may be nil.
type Watcher struct {
	// Waiting: so many runs are before this one.
	Waiting func(ahead int)
	// Column: a column begins.
	Column func(name, label string)
	// Step: a step was made. status is 0 where it asked nothing.
	Step func(column, line string, status int)
}

// Run carries an experiment out. It returns ErrUnknown, a [*FullError] when too
// many wait already, or the context's error. What the experiment itself comes to,
// also a broken one, is no error.
func (l *Lab) Run(ctx context.Context, slug string, watch Watcher) (*Run, error) {
	e, err := l.Experiment(slug)
	if err != nil {
		return nil, err
	}
	leave, err := l.queue.enter(ctx, watch.Waiting)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, l.queue.bounds.Time)
	defer cancel()
	begun := time.Now()
	run := &Run{Experiment: slug, At: l.now(), Machine: machine()}
	for i := range e.Columns {
		column, err := l.runColumn(ctx, e, &e.Columns[i], watch)
		if err != nil {
			return nil, fmt.Errorf("lab: %s, column %s: %w", slug, e.Columns[i].Name, err)
		}
		run.Columns = append(run.Columns, *column)
	}
	markDifferences(run.Columns)
	run.Took = time.Since(begun)
	return run, nil
}

// machine says what the figures of a run were measured on.
func machine() string {
	return fmt.Sprintf("%d × %s, %s", runtime.NumCPU(), runtime.GOARCH, runtime.Version())
}

// runColumn carries the script out in one small world.
func (l *Lab) runColumn(ctx context.Context, e *Experiment, setup *Setup, watch Watcher) (column *Column, err error) {
	column = &Column{Name: setup.Name, Label: setup.Label, Kind: setup.Kind, Family: setup.Family, Verdict: NotApplicable, Measured: map[string]float64{}, Note: setup.None}
	if setup.Kind == session.Redis && !l.redis && column.Note == "" {
		column.Note = "There is no Redis on this installation to run it with. Start the site with --redis to see this column."
	}
	if column.Note != "" {
		return column, nil
	}
	if watch.Column != nil {
		watch.Column(setup.Name, setup.Label)
	}
	w, err := l.open(ctx, l.build, setup, l.now())
	if err != nil {
		return nil, err
	}
	defer func() {
		// What came out stays so, also where the world is not cleared away behind it:
		// that is for whoever runs the site.
		if closing := w.close(); closing != nil {
			l.log.Error("small world not closed", "experiment", e.Slug, "column", setup.Name, "err", closing)
		}
	}()
	w.column = column
	for i := range e.Script {
		step := &e.Script[i]
		if !step.in(setup.Name) {
			continue
		}
		status, err := w.take(step, setup.Name)
		if err != nil {
			return nil, err
		}
		if watch.Step != nil {
			watch.Step(setup.Name, step.Line, status)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return column, w.conclude(e)
}

// take makes one step and holds it against what was expected.
func (w *world) take(step *Step, column string) (status int, err error) {
	if step.admits {
		return 0, step.do(w, nil)
	}
	w.column.Transcript = append(w.column.Transcript, Entry{Line: step.Line, At: w.clock.Now(), Decides: step.Decides})
	w.entry = &w.column.Transcript[len(w.column.Transcript)-1]
	w.before = w.sent
	var who *actor
	if step.actor != "" {
		if who = w.actors[step.actor]; who == nil {
			return 0, fmt.Errorf("there is no %s", step.actor)
		}
		w.last = who
	}
	before := w.ended
	if err := step.do(w, who); err != nil {
		if w.ctx.Err() != nil {
			return 0, w.ctx.Err()
		}
		w.column.Wrongs = append(w.column.Wrongs, fmt.Sprintf("%s: %v", step.Line, err))
		return 0, nil
	}
	if x := w.entry.Exchange; x != nil {
		if x == w.ended {
			x.Response.Excerpt = w.page.excerpt()
		}
		status = x.Response.Status
	} else if w.ended != before { // somebody's own answer, for which nobody was asked
		status = w.ended.Response.Status
	}
	if step.Decides {
		w.decide(status)
	}
	for _, x := range step.Expects {
		if len(x.Only) > 0 && !slices.Contains(x.Only, column) {
			continue
		}
		for _, fact := range x.Facts {
			if wrong := w.check(fact); wrong != "" {
				w.column.Wrongs = append(w.column.Wrongs, fmt.Sprintf("%s: expected %s, but %s", step.Line, fact.Text, wrong))
			}
		}
	}
	return status, nil
}

// decide reads the verdict off the last exchange. Of several, the first that was
// accepted stands: one open door is enough.
func (w *world) decide(status int) {
	c := w.column
	if c.Verdict == Accepted && c.Status != 0 {
		return
	}
	x := w.exchange()
	c.Verdict, c.Status = verdictOf(status), status
	c.Measured["cookie_bytes"] = float64(w.bytesOf(x))
	c.Measured["store_reads"], c.Measured["store_writes"] = float64(x.Trace.Reads), float64(x.Trace.Writes)
	c.Measured["calls"] = w.calls()
	w.decided = w.clock.Now()
}

// conclude measures what there is at the end, and says it in words.
func (w *world) conclude(e *Experiment) error {
	if err := w.measureKept(); err != nil {
		return err
	}
	for name, value := range w.measured {
		w.column.Measured[name] = value
	}
	w.column.Outcome = w.column.outcome(e)
	words := e.Happened[w.column.Name]
	w.column.Headline, w.column.Sentence = w.column.say(words.Headline), w.column.say(words.Sentence)
	return nil
}

// outcome is the prediction that comes true.
func (c *Column) outcome(e *Experiment) Verdict {
	if by := e.Predict.By; by != nil {
		switch value, ok := c.Measured[measures[by.name]]; {
		case !ok:
			return NotApplicable
		case compare(value, by.op, by.number):
			return Accepted
		}
		return Refused
	}
	switch c.Verdict {
	case Accepted, NotApplicable:
		return c.Verdict
	}
	return Refused // who is told "not now" was not let in either
}

// say puts measures into a sentence.
func (c *Column) say(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(braced string) string {
		name := braced[1 : len(braced)-1]
		value, ok := c.Measured[measures[name]]
		if !ok {
			return braced
		}
		if name == "valid_for" {
			return Span(time.Duration(value) * time.Second)
		}
		if value != float64(int64(value)) {
			return strconv.FormatFloat(value, 'f', 1, 64)
		}
		return strconv.FormatInt(int64(value), 10)
	})
}

// Span is a length of time in words: "2 hours 5 minutes".
func Span(d time.Duration) string {
	if d < time.Second {
		return "0 seconds"
	}
	var parts []string
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := d / unit.size; n > 0 {
			d -= n * unit.size
			word := unit.name
			if n > 1 {
				word += "s"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	return strings.Join(parts[:min(2, len(parts))], " ")
}

// markDifferences marks what did not go the same way in all columns that took a
// step.
func markDifferences(columns []Column) {
	first := map[string]*Exchange{}
	differs := map[string]Difference{}
	each := func(do func(key string, entry *Entry)) {
		for i := range columns {
			count := map[string]int{}
			for j := range columns[i].Transcript {
				entry := &columns[i].Transcript[j]
				if entry.Exchange == nil {
					continue
				}
				count[entry.Line]++
				do(entry.Line+"\x00"+strconv.Itoa(count[entry.Line]), entry)
			}
		}
	}
	each(func(key string, entry *Entry) {
		x, before := entry.Exchange, first[key]
		if before == nil {
			first[key] = x
			return
		}
		d := differs[key]
		d.Status = d.Status || x.Response.Status != before.Response.Status
		d.Reason = d.Reason || x.Trace.Reason != before.Trace.Reason
		d.Role = d.Role || x.Trace.Role != before.Trace.Role || x.Trace.From != before.Trace.From
		d.Store = d.Store || x.Trace.Reads != before.Trace.Reads || x.Trace.Writes != before.Trace.Writes
		differs[key] = d
	})
	each(func(key string, entry *Entry) { entry.Differs = differs[key] })
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
