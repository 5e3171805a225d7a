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
	if err := d.SaveLabProgress(ctx, ada, begun); err != nil {
		t.Fatal(err)
	}
	done := begun
	done.RunID, done.Asked, done.Guessed, done.ExplainedAt = "k7qm2x", 2, 1, at.Add(time.Minute)
	if err := d.SaveLabProgress(ctx, ada, done, db.LabProgress{Experiment: "second", Hybrid: "accepted", UpdatedAt: at}); err != nil {
		t.Fatal(err)
	}
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
