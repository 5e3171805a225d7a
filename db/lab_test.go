package db_test

import (
	"errors"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
)

func TestLabProgress_isKeptForEachPersonAndExperiment(t *testing.T) {
	ctx := t.Context()
	d, err := db.OpenMemory(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	at := time.UnixMilli(1_700_000_000_000).UTC()
	ada, bea := school.MustNewID(), school.MustNewID()
	for id, email := range map[school.ID]school.Email{ada: "ada@school.example", bea: "bea@school.example"} {
		if err := d.CreateUser(ctx, school.User{ID: id, Email: email, Name: string(email), Role: school.Student, CreatedAt: at}, "hash"); err != nil {
			t.Fatal(err)
		}
	}
	begun := db.LabProgress{Experiment: "first", JWT: "refused", Server: "refused", UpdatedAt: at}
	must(t, d.PredictExperiment(ctx, ada, begun))
	must(t, d.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "second", Hybrid: "accepted", UpdatedAt: at}))
	run := db.LabRun{ID: "k7qm2x", Experiment: "first", At: at, Result: []byte("run")}
	must(t, d.AddLabRun(ctx, run, nil))
	must(t, d.RanExperiment(ctx, ada, run, at, scored(2, 1)))
	must(t, d.ExplainExperiment(ctx, ada, "first", nil, at.Add(time.Minute)))
	done := begun
	done.RunID, done.Asked, done.Guessed, done.ExplainedAt, done.UpdatedAt = run.ID, 2, 1, at.Add(time.Minute), at.Add(time.Minute)
	if got, err := d.LabProgressOf(ctx, ada, "first"); err != nil || got != done {
		t.Errorf("got %+v, %v; want %+v", got, err, done)
	}
	if got, err := d.LabProgressOf(ctx, bea, "first"); err != nil || got != (db.LabProgress{Experiment: "first"}) {
		t.Errorf("somebody else has come as far: %+v, %v", got, err)
	}
	if err := d.ForgetLabProgress(ctx, ada, "first"); err != nil {
		t.Fatal(err)
	}
	if all, err := d.LabProgress(ctx, ada); err != nil || len(all) != 1 || all[0].Experiment != "second" {
		t.Errorf("after one was forgotten there are %+v, %v", all, err)
	}
}

// scored is a run that comes to the same whatever was predicted.
func scored(asked, guessed int) func(*db.LabProgress) bool {
	return func(p *db.LabProgress) bool {
		p.Asked, p.Guessed = asked, guessed
		return true
	}
}

// TestLabProgress_isWrittenStepByStep: no step writes what another is about, in
// whatever order they end.
func TestLabProgress_isWrittenStepByStep(t *testing.T) {
	s := newSchool(t)
	ctx, ada := t.Context(), s.user("Ada", school.Student)
	progress := func() db.LabProgress {
		p, err := s.LabProgressOf(ctx, ada, "one")
		must(t, err)
		p.UpdatedAt = time.Time{}
		return p
	}
	expect := func(says string, want db.LabProgress) {
		t.Helper()
		want.Experiment = "one"
		if got := progress(); got != want {
			t.Errorf("%s: got %+v, want %+v", says, got, want)
		}
	}
	run := func(id string) db.LabRun {
		r := db.LabRun{ID: id, Experiment: "one", At: noon, Result: []byte("run")}
		must(t, s.AddLabRun(ctx, r, nil))
		return r
	}
	first, second, third := run("first"), run("second"), run("third")

	must(t, s.ExplainExperiment(ctx, ada, "one", knownExperiments, noon))
	must(t, s.RanExperiment(ctx, ada, first, noon, scored(1, 1)))
	expect("a run of nobody's", db.LabProgress{})

	must(t, s.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "one", JWT: "refused", Server: "refused", UpdatedAt: noon}))
	must(t, s.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "one", JWT: "accepted", UpdatedAt: noon}))
	must(t, s.ExplainExperiment(ctx, ada, "one", knownExperiments, noon))
	expect("explained before the run", db.LabProgress{JWT: "accepted", Server: "refused"})

	must(t, s.RanExperiment(ctx, ada, first, noon, func(p *db.LabProgress) bool {
		if p.JWT != "accepted" {
			t.Errorf("the run is held against %+v", p)
		}
		return scored(2, 1)(p)
	}))
	if err := s.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "one", Server: "accepted", UpdatedAt: noon}); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("predicting after the run comes to %v", err)
	}
	expect("ran", db.LabProgress{JWT: "accepted", Server: "refused", RunID: "first", Asked: 2, Guessed: 1})

	must(t, s.ExplainExperiment(ctx, ada, "one", knownExperiments, noon))
	must(t, s.ExplainExperiment(ctx, ada, "one", knownExperiments, minutes(1)))
	must(t, s.RanExperiment(ctx, ada, second, minutes(1), scored(2, 2)))
	explained := db.LabProgress{JWT: "accepted", Server: "refused", RunID: "second", Asked: 2, Guessed: 2, ExplainedAt: noon}
	expect("explained during a second run", explained)
	must(t, s.RanExperiment(ctx, ada, third, minutes(1), func(*db.LabProgress) bool { return false }))
	expect("a run that is not theirs", explained)

	// What they do now is what they have done, whatever the browser says of before.
	must(t, s.AdoptExperiments(ctx, ada, knownExperiments, noon, db.LabProgress{Experiment: "one", Hybrid: "accepted", UpdatedAt: noon}))
	expect("adopted over it", explained)

	// A run that is not kept is none: it was seen, and can be predicted again.
	_, err := s.Writer().Exec(`DELETE FROM lab_runs WHERE id = 'second'`)
	must(t, err)
	explained.RunID = ""
	expect("the run is swept", explained)
	must(t, s.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "one", Server: "accepted", UpdatedAt: noon}))
	explained.Server = "accepted"
	expect("predicted anew", explained)

	must(t, s.ForgetLabProgress(ctx, ada, "one"))
	must(t, s.RanExperiment(ctx, ada, third, noon, scored(2, 2)))
	expect("begun anew during a run", db.LabProgress{})
}

// TestLabRuns_leaveRoomForWhatOthersSaw: however many runs somebody makes, those that
// somebody else, or a class, has seen stay.
func TestLabRuns_leaveRoomForWhatOthersSaw(t *testing.T) {
	s := newSchool(t)
	ctx, ada := t.Context(), s.user("Ada", school.Student)
	add := func(id string, at time.Time) db.LabRun {
		r := db.LabRun{ID: id, Experiment: "one", At: at, Result: []byte("run")}
		must(t, s.AddLabRun(ctx, r, nil))
		return r
	}
	hers := add("hers", noon)
	add("class", noon)
	add("oldest", minutes(1))
	add("older", minutes(2))
	must(t, s.PredictExperiment(ctx, ada, db.LabProgress{Experiment: "one", JWT: "refused", UpdatedAt: noon}))
	must(t, s.RanExperiment(ctx, ada, hers, noon, scored(1, 1)))
	_, err := s.Writer().Exec(`
	INSERT INTO lab_classes (code, owner_id, opened_at, experiment, round, phase, changed_at, run_id, hidden)
	VALUES ('c', $1, 0, 'one', 1, 'ran', 0, 'class', 0)`, ada)
	must(t, err)
	_, err = s.Writer().Exec(`
	WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 4997)
	INSERT INTO lab_runs (id, experiment, ran_at, result)
	SELECT 'many' || n, 'one', $1, 'run' FROM many`, minutes(3).UnixMilli())
	must(t, err)
	swept, err := db.LabRuns{DB: s.DB, Now: func() time.Time { return minutes(4) }}.Sweep(ctx)
	if err != nil || swept != 1 {
		t.Errorf("swept %d, %v; want 1", swept, err)
	}
	kept, err := s.LabRunsKept(ctx, "hers", "class", "oldest", "older", "many1", "none")
	if err != nil || len(kept) != 4 || kept["oldest"] != "" || kept["hers"] != "one" {
		t.Errorf("kept are %v, %v", kept, err)
	}
}

func TestLabRuns_areKeptForAWhileAndFiguresForGood(t *testing.T) {
	ctx := t.Context()
	d, err := db.OpenMemory(ctx, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	now := time.UnixMilli(1_700_000_000_000).UTC()
	old := db.LabRun{ID: string(school.MustNewID()), Experiment: "first", At: now.Add(-61 * 24 * time.Hour), Result: []byte("old")}
	young := db.LabRun{ID: string(school.MustNewID()), Experiment: "first", At: now, Result: []byte("young")}
	for i, run := range []db.LabRun{old, young} {
		figures := []db.LabFigures{{Experiment: "first", Column: "jwt", At: run.At, Machine: "this one", Figures: map[string]float64{"rows": float64(i)}}}
		if err := d.AddLabRun(ctx, run, figures); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := (db.LabRuns{DB: d, Now: func() time.Time { return now }}).Sweep(ctx); err != nil || n != 1 {
		t.Errorf("swept %d, %v; want 1", n, err)
	}
	if _, err := d.LabRun(ctx, old.ID); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("the old run is there: %v", err)
	}
	if got, err := d.LabRun(ctx, young.ID); err != nil || string(got.Result) != "young" || !got.At.Equal(now) {
		t.Errorf("the young run is %+v, %v", got, err)
	}
	figures, err := d.LabFigures(ctx)
	if err != nil || len(figures) != 1 || figures[0].Figures["rows"] != 1 || !figures[0].At.Equal(now) {
		t.Errorf("the figures are %+v, %v; want those of the later run", figures, err)
	}
}
