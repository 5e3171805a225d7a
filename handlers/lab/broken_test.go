package lab_test

import (
	"strings"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// TestRun_showsWhatDoesNotHold: an experiment that claims what the program does not
// do comes out broken, in words, and not as an error.
func TestRun_showsWhatDoesNotHold(t *testing.T) {
	l, err := lab.New(lab.Config{Build: handlers.SmallWorlds(nil), Now: time.Now, Bounds: bounds})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Own(); err != nil {
		t.Fatal(err)
	}
	e, err := l.Experiment("sign-out-then-replay")
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.Script {
		if e.Script[i].Decides {
			for j := range e.Script[i].Expects {
				e.Script[i].Expects[j].Only = nil // what is expected of one is expected of all
			}
		}
	}
	run, err := l.Run(t.Context(), e.Slug, lab.Watcher{})
	if err != nil {
		t.Fatal(err)
	}
	if !run.Broken() {
		t.Fatal("it is not broken")
	}
	for _, c := range run.Columns {
		if len(c.Wrongs) == 0 || !strings.Contains(strings.Join(c.Wrongs, " "), "expected") {
			t.Errorf("%s says %q", c.Name, c.Wrongs)
		}
	}
}
