package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/lab"
	"lectern/views/labview"
	"lectern/views/ui"
)

// predict keeps what the visitor expects, for as many families as were sent.
func (s *Server) predict(c echo.Context) error {
	e, p, err := s.experimentBegun(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	if p.RunID != "" {
		return fmt.Errorf("%w: predicted after the run", errRunAlready)
	}
	said := db.LabProgress{Experiment: e.Slug}
	if _, err := readPredictions(f, e, func(family string) *string { return predictionFor(&said, family) }); err != nil {
		return err
	}
	if err := s.notePredicted(c, said); err != nil {
		return err
	}
	if wantsJSON(c) {
		return c.NoContent(http.StatusNoContent)
	}
	return seeOther(c, labNext(f, labAddress(e.Slug)+"#predict"))
}

var (
	// errRunAlready: what came out is known, so there is nothing to predict.
	errRunAlready = errors.New("handlers: the experiment was run already")
	// errUnpredicted: nothing has been predicted, so it is too early to look.
	errUnpredicted = errors.New("handlers: nothing was predicted yet")
	// errNotRun: there is nothing to explain.
	errNotRun = errors.New("handlers: the experiment was not run yet")
)

// experimentBegun is the experiment that is asked for, and how far the visitor has
// come with it.
func (s *Server) experimentBegun(c echo.Context) (*lab.Experiment, db.LabProgress, error) {
	e, err := s.experimentAsked(c)
	if err != nil {
		return nil, db.LabProgress{}, err
	}
	if err := s.adoptProgress(c); err != nil {
		return nil, db.LabProgress{}, err
	}
	all, err := s.progressOf(c)
	p := all[e.Slug]
	p.Experiment = e.Slug
	return e, p, err
}

// resetExperiment takes back this visitor's prediction, run and explanation.
func (s *Server) resetExperiment(c echo.Context) error {
	e, err := s.experimentAsked(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	if err := s.forgetProgress(c, e.Slug); err != nil {
		return err
	}
	if e.Slug == postElsewhere {
		s.forgetAttempts(c)
	}
	return seeOther(c, labNext(f, labAddress(e.Slug)))
}

// runExperiment carries an experiment out. Whoever asks for a stream of events is
// told how it goes on; everybody else has the whole at once.
func (s *Server) runExperiment(c echo.Context) error {
	e, p, err := s.experimentBegun(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	if !predicted(e, p) {
		return errUnpredicted
	}
	if err := s.LabRuns.Take(c.Request().Context(), address(c)); err != nil {
		return s.labBusy(c, e, p, err)
	}
	id := newRunID()
	if wantsEvents(c) {
		return s.streamRun(c, e, p, id)
	}
	run, err := s.Lab.Run(c.Request().Context(), e.Slug, lab.Watcher{})
	if err != nil {
		return s.labBusy(c, e, p, err)
	}
	if err := s.keepRun(detached(c), id, run); err != nil {
		return err
	}
	if err := s.noteRan(c, e, id, run); err != nil {
		return err
	}
	return seeOther(c, labNext(f, withQuery(labAddress(e.Slug), "run", id)+"#what"))
}

// labFull is said to whoever comes when too many are waiting already.
const labFull = "As many runs are under way as this machine takes at once, and more are waiting. What you predicted stands."

// labBusy shows the experiment with a word on why it was not run, where that is all
// that is wrong; the page is then as it was, and can be tried again.
func (s *Server) labBusy(c echo.Context, e *lab.Experiment, p db.LabProgress, err error) error {
	if statusOf(err) != http.StatusTooManyRequests || wantsJSON(c) || wantsEvents(c) {
		return err
	}
	wait, reason := 0*time.Second, labFull
	var throttled *auth.Throttled
	var full *lab.FullError
	switch {
	case errors.As(err, &throttled):
		wait, reason = throttled.RetryAfter, "So many runs have come from your address that it is the others’ turn. What you predicted stands."
	case errors.As(err, &full):
		wait = full.RetryAfter
	}
	props, err := s.experimentProps(c, e, p)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderRetryAfter, seconds(wait))
	props.Run.Full = &labview.Full{Reason: reason, Wait: "in " + ui.Count(max(1, int(wait.Seconds())), "second", "seconds")}
	return s.experimentPage(c, http.StatusTooManyRequests, e, props)
}

const eventStream = "text/event-stream"

// wantsEvents reports whether somebody wants to be told while it happens.
func wantsEvents(c echo.Context) bool {
	return strings.Contains(c.Request().Header.Get(echo.HeaderAccept), eventStream)
}

// streamRun tells how a run goes on while it does. A visitor who is not signed in
// has their cookie before the first word, since it cannot be sent after it.
func (s *Server) streamRun(c echo.Context, e *lab.Experiment, p db.LabProgress, id string) error {
	events := &events{c: c}
	if !visitorOf(c).SignedIn() {
		events.first = func() error {
			return s.changeTally(c, e.Slug, func(t *labTally) { t.RunID, t.Before = id, p.RunID })
		}
	}
	run, err := s.Lab.Run(c.Request().Context(), e.Slug, lab.Watcher{
		Waiting: func(ahead int) { events.send("waiting", map[string]int{"ahead": ahead}) },
		Column:  func(name, label string) { events.send("column", map[string]string{"name": name, "label": label}) },
		Step: func(column, line string, status int) {
			events.send("step", map[string]any{"column": column, "line": line, "status": status})
		},
	})
	if err == nil {
		err = s.keepRun(detached(c), id, run)
	}
	if err == nil && visitorOf(c).SignedIn() {
		err = s.noteRan(c, e, id, run)
	}
	switch {
	case err != nil && !events.begun:
		return err
	case err != nil:
		if !errors.Is(err, context.Canceled) {
			s.Log.Error("run failed", "id", requestID(c), "experiment", e.Slug, "err", err)
		}
		events.send("failed", map[string]string{"message": "The run did not come to its end. What you predicted stands; please run it again."})
	default:
		events.send("done", map[string]string{"href": withQuery(labAddress(e.Slug), "run", id) + "#what"})
	}
	if c.Request().Context().Err() != nil {
		return nil // nobody listens any more
	}
	return events.err
}

// events are sent one after the other, as the WHATWG's server-sent events.
type events struct {
	c     echo.Context
	first func() error // done before the first
	mu    sync.Mutex
	begun bool
	err   error
}

func (s *events) send(name string, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.c.Response()
	if !s.begun {
		s.begun = true
		if s.first != nil {
			s.err = s.first()
		}
		w.Header().Set(echo.HeaderContentType, eventStream)
		w.Header().Set("X-Accel-Buffering", "no") // a proxy must not collect them
		w.WriteHeader(http.StatusOK)
	}
	if s.err != nil {
		return
	}
	text, err := json.Marshal(data)
	if err == nil {
		_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, text)
		w.Flush()
	}
	s.err = err
}

// explainExperiment takes the visitor's reason, and says whether that was it.
func (s *Server) explainExperiment(c echo.Context) error {
	e, p, err := s.experimentBegun(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	if p.RunID == "" {
		return errNotRun
	}
	chosen := slices.IndexFunc(labAnswers(e), func(a labview.Answer) bool { return a.Value == f.get("because") })
	if chosen < 0 {
		return &school.Invalid{Field: "because", Reason: "Choose one of the sentences."}
	}
	right := e.Explain.Answers[chosen].Right
	if right && p.ExplainedAt.IsZero() {
		if err := s.noteExplained(c, e); err != nil {
			return err
		}
	}
	// What is said to a wrong answer stands on the experiment's own page.
	next := withQuery(withQuery(labAddress(e.Slug), "run", p.RunID), "because", f.get("because")) + "#explain"
	if right {
		next = labNext(f, next)
	}
	return seeOther(c, next)
}
