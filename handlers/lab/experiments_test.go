package lab_test

import (
	"strings"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
)

var bounds = lab.Bounds{Time: 10 * time.Second, AtOnce: 2, Waiting: 100}

func open(t testing.TB) *lab.Lab {
	t.Helper()
	l, err := lab.New(lab.Config{Build: handlers.SmallWorlds(nil), Now: time.Now, Bounds: bounds})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestExperiments_doWhatTheySay carries every experiment out, and holds what its
// text expects against what the program does.
func TestExperiments_doWhatTheySay(t *testing.T) {
	l := open(t)
	for _, e := range l.Experiments() {
		t.Run(e.Slug, func(t *testing.T) {
			t.Parallel()
			run, err := l.Run(t.Context(), e.Slug, lab.Watcher{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range run.Columns {
				for _, wrong := range c.Wrongs {
					t.Errorf("%s: %s", c.Name, wrong)
				}
				if c.Note == "" && (c.Headline == "" || strings.ContainsAny(c.Headline+c.Sentence, "{}")) {
					t.Errorf("%s says %q, %q", c.Name, c.Headline, c.Sentence)
				}
			}
		})
	}
}
