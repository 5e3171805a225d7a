package handlers

import (
	"slices"
	"testing"
	"time"

	"lectern/db"
	"lectern/handlers/lab"
)

// TestLabSource_hasEveryLineThatDecides: what an experiment shows of the program is
// there, in one function of that name.
func TestLabSource_hasEveryLineThatDecides(t *testing.T) {
	experiments, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range experiments {
		sources, err := sourcesOf(e)
		if err != nil {
			t.Errorf("%s: %v", e.Slug, err)
		}
		if len(sources) == 0 {
			t.Errorf("%s shows no lines", e.Slug)
		}
		for _, s := range sources {
			if s.Label == "" || len(s.Lines) == 0 {
				t.Errorf("%s: %s is of %q and has %d lines", e.Slug, s.Title, s.Label, len(s.Lines))
			}
		}
	}
}

// TestLabCookie_keepsEveryExperimentApart: no two have the same short name, and
// all of them together fit into a cookie with room to spare.
func TestLabCookie_keepsEveryExperimentApart(t *testing.T) {
	experiments, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen, length := map[string]string{}, 0
	for _, e := range experiments {
		key := labKey(e.Slug)
		if other := seen[key]; other != "" || len(key) != 3 {
			t.Errorf("%s is called %q, like %q", e.Slug, key, other)
		}
		seen[key] = e.Slug
		p := labTally{db.LabProgress{Experiment: e.Slug, JWT: "accepted", Server: "refused", RunID: newRunID(), Asked: 3, Guessed: 2, ExplainedAt: time.Unix(1, 0).UTC()}, newRunID()}
		text := p.encode()
		length += len(text) + 1
		back, err := decodeTally(text)
		back.Experiment = e.Slug
		if err != nil || back != p {
			t.Errorf("%q is read as %+v, %v; want %+v", text, back, err, p)
		}
	}
	if length > 1024 {
		t.Errorf("the cookie has %d bytes", length)
	}
}

func FuzzDecodeTally(f *testing.F) {
	f.Add("tpdrra00-----------")
	f.Add("tpdrra32eabcdefghijklmnopqrst")
	f.Fuzz(func(t *testing.T, part string) {
		if p, err := decodeTally(part); err == nil {
			if again, err := decodeTally(part[:3] + p.encode()[3:]); err != nil || again != p {
				t.Errorf("%q is read as %+v, and written back as %+v, %v", part, p, again, err)
			}
		}
	})
}

// TestLabRun_ofABrokenColumnProvesNothing: a column in which something went wrong is
// not held against a prediction, and its figures are not kept.
func TestLabRun_ofABrokenColumnProvesNothing(t *testing.T) {
	ctx := t.Context()
	d, err := db.OpenMemory(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	experiments, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	e := experiments[slices.IndexFunc(experiments, func(e *lab.Experiment) bool { return e.Slug == "steal-the-cookie" })]
	run := &lab.Run{Experiment: e.Slug, At: time.UnixMilli(1_700_000_000_000), Machine: "this one"}
	for _, family := range e.Asks() {
		asked := e.Asked(family)
		run.Columns = append(run.Columns, lab.Column{Name: asked.Name, Kind: asked.Kind, Family: family, Outcome: lab.Accepted, Measured: map[string]float64{"rows": 1}})
	}
	guessed := func() [2]int {
		p := db.LabProgress{JWT: "accepted", Server: "accepted", Hybrid: "refused", Asked: 9, Guessed: 9}
		score(e, &p, run)
		return [2]int{p.Asked, p.Guessed}
	}
	if got := guessed(); got != [2]int{3, 2} {
		t.Errorf("of a sound run, asked and guessed are %v; want 3 and 2", got)
	}
	run.Columns[0].Wrongs = []string{"it went wrong"}
	if got := guessed(); got != [2]int{2, 1} {
		t.Errorf("with a broken column, asked and guessed are %v; want 2 and 1", got)
	}
	s := &Server{Config: Config{DB: d}}
	if err := s.keepRun(ctx, "abcdefghij", run); err != nil {
		t.Fatal(err)
	}
	figures, err := d.LabFigures(ctx)
	if err != nil || len(figures) != 2 || slices.ContainsFunc(figures, func(f db.LabFigures) bool { return f.Column == run.Columns[0].Name }) {
		t.Errorf("kept are %+v, %v; want the figures of the sound columns", figures, err)
	}
	back, err := s.runOf(ctx, "abcdefghij", e.Slug)
	if err != nil || len(back.Columns) != 3 || len(back.Columns[0].Wrongs) != 1 {
		t.Errorf("read back are %+v, %v", back, err)
	}
}

// TestWorldClock_saysWhichDay: a small world's clock is moved by weeks.
func TestWorldClock_saysWhichDay(t *testing.T) {
	first := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for later, want := range map[time.Duration]string{0: "09:00:00", 14 * time.Hour: "23:00:00", 15 * time.Hour: "day 2, 00:00:00", 20 * 24 * time.Hour: "day 21, 09:00:00"} {
		if got := worldClock(first.Add(later), first); got != want {
			t.Errorf("%s later it is %q, want %q", later, got, want)
		}
	}
}
