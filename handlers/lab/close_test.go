package lab_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// untidy is a site that cannot be cleared away, as when its Redis has gone.
type untidy struct{ lab.Site }

func (u untidy) Close() error { return errors.Join(errors.New("the store is away"), u.Site.Close()) }

// TestRun_keepsItsResultWhenTheWorldCannotBeClearedAway: what came out is no worse
// for that, and whoever runs the site is told.
func TestRun_keepsItsResultWhenTheWorldCannotBeClearedAway(t *testing.T) {
	var said strings.Builder
	build := handlers.SmallWorlds(nil)
	l, err := lab.New(lab.Config{
		Now: time.Now, Bounds: lab.Bounds{Time: time.Minute, AtOnce: 1}, Log: slog.New(slog.NewTextHandler(&said, nil)),
		Build: func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
			site, err := build(ctx, plan)
			return untidy{site}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := l.Run(t.Context(), "tamper-with-the-role", lab.Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	worlds := 0
	for _, column := range run.Columns {
		if column.Note == "" {
			worlds++
		}
		if column.Verdict == lab.NotApplicable && column.Note == "" || column.Headline == "" && column.Note == "" {
			t.Errorf("column %s has no result: %q, %q", column.Name, column.Verdict, column.Headline)
		}
	}
	if got := strings.Count(said.String(), "the store is away"); worlds == 0 || got != worlds {
		t.Errorf("of %d worlds %d are said not to be closed:\n%s", worlds, got, said.String())
	}
	if !strings.Contains(said.String(), "experiment=tamper-with-the-role") {
		t.Errorf("it is not said which:\n%s", said.String())
	}
}
