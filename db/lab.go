package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"lectern/db/school"
)

// LabProgress is how far somebody has come with an experiment of the session lab.
type LabProgress struct {
	Experiment string
	// JWT, Server and Hybrid are what they predicted: "accepted", "refused", or
	// nothing.
	JWT, Server, Hybrid string
	RunID               string // the run they saw; empty before the first
	// Asked is how many predictions the run put to the proof, and Guessed how many
	// of them came true.
	Asked, Guessed int
	ExplainedAt    time.Time // zero until they found the reason
	UpdatedAt      time.Time
}

// LabRun is a run of an experiment, as the lab wrote it down.
type LabRun struct {
	ID         string
	Experiment string
	At         time.Time
	Result     []byte
}

// LabFigures is what was last measured in one column of an experiment.
type LabFigures struct {
	Experiment, Column string
	At                 time.Time
	Machine            string
	Figures            map[string]float64
}

const labProgressColumns = ` experiment, jwt, server, hybrid, run_id, asked, guessed, explained_at, updated_at`

var (
	labProgress = statement("lab progress", `
	SELECT`+labProgressColumns+`
	  FROM lab_progress
	 WHERE user_id = $1`)

	labProgressOf = statement("lab progress of one experiment", `
	SELECT`+labProgressColumns+`
	  FROM lab_progress
	 WHERE user_id = $1
	   AND experiment = $2`)

	saveLabProgress = statement("save lab progress", `
	INSERT INTO lab_progress (user_id, experiment, jwt, server, hybrid, run_id, asked, guessed, explained_at, updated_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (user_id, experiment) DO UPDATE
	   SET jwt = excluded.jwt,
	       server = excluded.server,
	       hybrid = excluded.hybrid,
	       run_id = excluded.run_id,
	       asked = excluded.asked,
	       guessed = excluded.guessed,
	       explained_at = excluded.explained_at,
	       updated_at = excluded.updated_at`)

	forgetLabProgress = statement("forget lab progress", `
	DELETE FROM lab_progress
	 WHERE user_id = $1
	   AND experiment = $2`)

	labRun = statement("lab run", `
	SELECT id, experiment, ran_at, result
	  FROM lab_runs
	 WHERE id = $1`)

	addLabRun = statement("add lab run", `
	INSERT INTO lab_runs (id, experiment, ran_at, result)
	VALUES ($1, $2, $3, $4)`)

	setLabFigures = statement("set lab figures", `
	INSERT INTO lab_figures (experiment, name, measured_at, machine, figures)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (experiment, name) DO UPDATE
	   SET measured_at = excluded.measured_at,
	       machine = excluded.machine,
	       figures = excluded.figures`)

	labFigures = statement("lab figures", `
	SELECT experiment, name, measured_at, machine, figures
	  FROM lab_figures
	 ORDER BY experiment, name
	 LIMIT $1`)

	sweepLabRuns = statement("sweep lab runs", `
	DELETE FROM lab_runs
	 WHERE id IN (SELECT id FROM lab_runs WHERE ran_at < $1 ORDER BY ran_at LIMIT $2)`)

	sweepLabRunsBeyond = statement("sweep lab runs beyond a number", `
	DELETE FROM lab_runs
	 WHERE ran_at < (SELECT ran_at FROM lab_runs ORDER BY ran_at DESC LIMIT 1 OFFSET $1)`)
)

func scanLabProgress(row scanner) (p LabProgress, err error) {
	err = row.Scan(&p.Experiment, &p.JWT, &p.Server, &p.Hybrid, &p.RunID, &p.Asked, &p.Guessed, instant{&p.ExplainedAt}, instant{&p.UpdatedAt})
	return p, err
}

// LabProgress lists how far a person has come, for the experiments that they have
// begun.
func (d *DB) LabProgress(ctx context.Context, user school.ID) ([]LabProgress, error) {
	return all(ctx, d, labProgress, scanLabProgress, user)
}

// LabProgressOf is how far a person has come with one experiment; only its name
// where they have not begun.
func (d *DB) LabProgressOf(ctx context.Context, user school.ID, experiment string) (LabProgress, error) {
	found, err := all(ctx, d, labProgressOf, scanLabProgress, user, experiment)
	if err != nil || len(found) == 0 {
		return LabProgress{Experiment: experiment}, err
	}
	return found[0], nil
}

// SaveLabProgress notes how far a person has come with some experiments, in place
// of what was noted before.
func (d *DB) SaveLabProgress(ctx context.Context, user school.ID, progress ...LabProgress) error {
	return d.write(ctx, func(t *tx) error { return t.saveLabProgress(ctx, user, progress) })
}

func (t *tx) saveLabProgress(ctx context.Context, user school.ID, progress []LabProgress) error {
	for _, p := range progress {
		if err := t.must(ctx, saveLabProgress, user, p.Experiment, p.JWT, p.Server, p.Hybrid, p.RunID, p.Asked, p.Guessed, stamp(p.ExplainedAt), stamp(p.UpdatedAt)); err != nil {
			return err
		}
	}
	return nil
}

// ForgetLabProgress has a person begin an experiment anew.
func (d *DB) ForgetLabProgress(ctx context.Context, user school.ID, experiment string) error {
	return d.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, forgetLabProgress, user, experiment)
		return err
	})
}

// LabRun reads a run. It returns [school.ErrNotFound] for one that there never was,
// or that is not kept any more.
func (d *DB) LabRun(ctx context.Context, id string) (LabRun, error) {
	return one(ctx, d, labRun, scanLabRun, id)
}

func scanLabRun(row scanner) (r LabRun, err error) {
	err = row.Scan(&r.ID, &r.Experiment, instant{&r.At}, &r.Result)
	return r, err
}

// AddLabRun keeps a run, and what was measured in it in place of what was measured
// before.
func (d *DB) AddLabRun(ctx context.Context, run LabRun, measured []LabFigures) error {
	return d.write(ctx, func(t *tx) error {
		if err := t.must(ctx, addLabRun, run.ID, run.Experiment, stamp(run.At), run.Result); err != nil {
			return err
		}
		for _, f := range measured {
			figures, err := json.Marshal(f.Figures)
			if err != nil {
				return err
			}
			if err := t.must(ctx, setLabFigures, f.Experiment, f.Column, stamp(f.At), f.Machine, string(figures)); err != nil {
				return err
			}
		}
		return nil
	})
}

// LabFigures lists what was last measured in every column of every experiment.
func (d *DB) LabFigures(ctx context.Context) ([]LabFigures, error) {
	return all(ctx, d, labFigures, func(row scanner) (f LabFigures, err error) {
		var figures string
		if err := row.Scan(&f.Experiment, &f.Column, instant{&f.At}, &f.Machine, &figures); err != nil {
			return f, err
		}
		return f, json.Unmarshal([]byte(figures), &f.Figures)
	}, maxList)
}

// Bounds of what is kept of runs.
const (
	labRunLife = 60 * 24 * time.Hour
	labRuns    = 5000
	labSweep   = 500
)

// LabRuns are the runs that are kept, to be swept.
type LabRuns struct {
	DB  *DB
	Now func() time.Time
}

// Name is "lab runs".
func (LabRuns) Name() string { return "lab runs" }

// Sweep clears away runs that are older than sixty days, and the oldest where there
// are more than 5,000. It returns how many.
func (r LabRuns) Sweep(ctx context.Context) (int, error) {
	var total int64
	err := r.DB.write(ctx, func(t *tx) error {
		old, err := t.exec(ctx, sweepLabRuns, stamp(r.Now().Add(-labRunLife)), labSweep)
		if err != nil {
			return err
		}
		beyond, err := t.exec(ctx, sweepLabRunsBeyond, labRuns-1)
		total = old + beyond
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("db: lab runs: %w", err)
	}
	return int(total), nil
}
