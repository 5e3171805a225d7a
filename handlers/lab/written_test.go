package lab_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
	"lectern/handlers/token"
)

// An experiment that a test has written, to see one thing of the engine.

// write makes an experiment of columns, a line each, and a script.
func write(t testing.TB, columns, script string) *lab.Experiment {
	t.Helper()
	var text strings.Builder
	text.WriteString("# Written for a test\n\nNobody reads it.\n\n## Predict\nWhat?\n- accepted: Yes. Yes.\n- refused: No. No.\n\n## Columns\n")
	happened := ""
	for line := range strings.Lines(strings.TrimSpace(columns) + "\n") {
		text.WriteString("- " + strings.TrimSpace(line) + "\n")
		name, _, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if name, _, _ = strings.Cut(name, ", as "); name != "all" {
			happened += "- " + name + ": It took {cookie_bytes} bytes | So it did.\n"
		}
	}
	text.WriteString("\n## Script\n")
	for line := range strings.Lines(strings.TrimSpace(script)) {
		text.WriteString("    " + strings.TrimSpace(line) + "\n")
	}
	text.WriteString("\n## What happened\n" + happened +
		"\n## Why\nSo.\n\n## What production systems do\nThat.\n\n## Lines that decide\n- all: a.go, func a | Look.\n\n" +
		"## Explain\nWhy?\n- right: So. | Yes.\n- wrong: Not so. | No.\n- wrong: Nor so. | No.\n\n## Hints\n1. Think.\n\n## Do it yourself\nDo.\n")
	e, err := lab.Read("written", text.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	return e
}

// carryOut runs what a test has written.
func carryOut(t testing.TB, columns, script string) *lab.Run {
	t.Helper()
	return carryOutWith(t, handlers.SmallWorlds(nil), columns, script)
}

func carryOutWith(t testing.TB, build lab.Builder, columns, script string) *lab.Run {
	t.Helper()
	run, err := labWith(t, build, bounds, columns, script).Run(t.Context(), "written", lab.Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// labWith is a lab that has what a test has written, too.
func labWith(t testing.TB, build lab.Builder, limits lab.Bounds, columns, script string) *lab.Lab {
	t.Helper()
	l, err := lab.New(lab.Config{Build: build, Now: time.Now, Bounds: limits})
	if err != nil {
		t.Fatal(err)
	}
	l.Add(write(t, columns, script))
	return l
}

// column finds one of a run.
func column(t testing.TB, run *lab.Run, name string) *lab.Column {
	t.Helper()
	at := slices.IndexFunc(run.Columns, func(c lab.Column) bool { return c.Name == name })
	if at < 0 {
		t.Fatalf("%s has no column %s", run.Experiment, name)
	}
	return &run.Columns[at]
}

// asked are the entries of a column whose line has this in it, and which asked
// something.
func asked(c *lab.Column, line string) []*lab.Entry {
	var found []*lab.Entry
	for i := range c.Transcript {
		if entry := &c.Transcript[i]; entry.Exchange != nil && strings.Contains(entry.Line, line) {
			found = append(found, entry)
		}
	}
	return found
}

// between puts something between the lab and the servers of its worlds.
func between(build lab.Builder, wrap func(http.Handler) http.Handler) lab.Builder {
	return func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		site, err := build(ctx, plan)
		if err != nil {
			return nil, err
		}
		return wrappedSite{site, wrap}, nil
	}
}

type wrappedSite struct {
	lab.Site
	wrap func(http.Handler) http.Handler
}

func (s wrappedSite) Boot(ctx context.Context, server string, keys *token.Keyring) (http.Handler, error) {
	handler, err := s.Site.Boot(ctx, server, keys)
	if err != nil {
		return nil, err
	}
	return s.wrap(handler), nil
}
