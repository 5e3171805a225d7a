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
	// RunID is the run they saw; empty before the first, and where it is not kept
	// any more.
	RunID string
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

// A run that is not kept is none that anybody has seen: whoever had it begins anew.
const (
	labProgressRows = `
	SELECT p.experiment, p.jwt, p.server, p.hybrid, COALESCE(r.id, ''), p.asked, p.guessed, p.explained_at, p.updated_at
	  FROM lab_progress AS p
	  LEFT JOIN lab_runs AS r ON r.id = p.run_id AND r.experiment = p.experiment
	 WHERE p.user_id = $1`

	labRunIsKept = `EXISTS (SELECT 1 FROM lab_runs AS r WHERE r.id = lab_progress.run_id AND r.experiment = lab_progress.experiment)`
)

// A run takes its time, and much can happen meanwhile: so each step of a person
// writes what it is about, and nothing else.
var (
	labProgress = statement("lab progress", labProgressRows)

	labProgressOf = statement("lab progress of one experiment", labProgressRows+`
	   AND p.experiment = $2`)

	adoptLabProgress = statement("adopt lab progress", `
	INSERT INTO lab_progress (user_id, experiment, jwt, server, hybrid, run_id, asked, guessed, explained_at, updated_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (user_id, experiment) DO NOTHING`)

	predictExperiment = statement("predict an experiment", `
	INSERT INTO lab_progress (user_id, experiment, jwt, server, hybrid, run_id, asked, guessed, explained_at, updated_at)
	VALUES ($1, $2, $3, $4, $5, '', 0, 0, NULL, $6)
	ON CONFLICT (user_id, experiment) DO UPDATE
	   SET jwt = CASE excluded.jwt WHEN '' THEN lab_progress.jwt ELSE excluded.jwt END,
	       server = CASE excluded.server WHEN '' THEN lab_progress.server ELSE excluded.server END,
	       hybrid = CASE excluded.hybrid WHEN '' THEN lab_progress.hybrid ELSE excluded.hybrid END,
	       updated_at = excluded.updated_at
	 WHERE NOT `+labRunIsKept)

	ranExperiment = statement("note a run of an experiment", `
	UPDATE lab_progress
	   SET run_id = $1,
	       asked = $2,
	       guessed = $3,
	       updated_at = $4
	 WHERE user_id = $5
	   AND experiment = $6`)

	explainExperiment = statement("explain an experiment", `
	UPDATE lab_progress
	   SET explained_at = $1,
	       updated_at = $1
	 WHERE user_id = $2
	   AND experiment = $3
	   AND explained_at IS NULL
	   AND `+labRunIsKept)

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

	// Those that somebody has seen stay before those that nobody refers to, and of
	// either the later ones.
	sweepLabRunsBeyond = statement("sweep lab runs beyond a number", `
	DELETE FROM lab_runs
	 WHERE id IN (
	       SELECT id
	         FROM lab_runs
	        ORDER BY CASE WHEN id IN (SELECT run_id FROM lab_progress)
	                        OR id IN (SELECT run_id FROM lab_classes) THEN 0 ELSE 1 END,
	              ran_at DESC,
	              id
	        LIMIT $1
	       OFFSET $2)`)
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

// AdoptExperiments takes over how far a person has come with some experiments, where
// they have not begun as themselves, and completes the lessons of kind lab that lacked
// nothing but the explanations among it. The experiments that there are, are known;
// what else a lesson embeds is a mistake in it, and nobody has to do it.
func (d *DB) AdoptExperiments(ctx context.Context, user school.ID, known []string, now time.Time, progress ...LabProgress) error {
	return d.write(ctx, func(t *tx) error {
		var explained []string
		for _, p := range progress {
			n, err := t.exec(ctx, adoptLabProgress, user, p.Experiment, p.JWT, p.Server, p.Hybrid, p.RunID, p.Asked, p.Guessed, stamp(p.ExplainedAt), stamp(p.UpdatedAt))
			if err != nil {
				return err
			}
			if n > 0 && !p.ExplainedAt.IsZero() {
				explained = append(explained, p.Experiment)
			}
		}
		return t.completeExplained(ctx, user, known, now, explained...)
	})
}

// PredictExperiment notes what a person predicts, for the families that p has a
// prediction for. It returns [school.ErrNotFound] where they have seen a run, since
// there is nothing left to predict.
func (d *DB) PredictExperiment(ctx context.Context, user school.ID, p LabProgress) error {
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, predictExperiment, user, p.Experiment, p.JWT, p.Server, p.Hybrid, stamp(p.UpdatedAt))
	})
}

// RanExperiment notes that a person has seen a run. score compares it with what they
// predict by then, and says whether it is theirs at all. Whoever has begun anew
// meanwhile has not seen it.
func (d *DB) RanExperiment(ctx context.Context, user school.ID, run LabRun, now time.Time, score func(*LabProgress) bool) error {
	return d.write(ctx, func(t *tx) error {
		found, err := all(ctx, t, labProgressOf, scanLabProgress, user, run.Experiment)
		if err != nil || len(found) == 0 || !score(&found[0]) {
			return err
		}
		return t.must(ctx, ranExperiment, run.ID, found[0].Asked, found[0].Guessed, stamp(now), user, run.Experiment)
	})
}

// ExplainExperiment notes that a person has found the reason for what they saw, and
// completes the lessons of kind lab that lacked nothing else. For known see
// [DB.AdoptExperiments].
func (d *DB) ExplainExperiment(ctx context.Context, user school.ID, experiment string, known []string, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		if n, err := t.exec(ctx, explainExperiment, stamp(now), user, experiment); err != nil || n == 0 {
			return err
		}
		return t.completeExplained(ctx, user, known, now, experiment)
	})
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

// LabRunsKept says which of some runs are kept: the experiment of each, by its name.
func (d *DB) LabRunsKept(ctx context.Context, ids ...string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var b builder
	b.add(`SELECT id, experiment FROM lab_runs WHERE id IN `+tuple(len(ids)), anys(ids)...)
	type run struct{ id, experiment string }
	found, err := all(ctx, d, b.query("lab runs that are kept"), func(row scanner) (r run, err error) {
		err = row.Scan(&r.id, &r.experiment)
		return r, err
	}, b.args...)
	if err != nil {
		return nil, err
	}
	kept := make(map[string]string, len(found))
	for _, r := range found {
		kept[r.id] = r.experiment
	}
	return kept, nil
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
	labAll     = 1 << 30 // SQLite wants a number before OFFSET
)

// LabRuns are the runs that are kept, to be swept.
type LabRuns struct {
	DB  *DB
	Now func() time.Time
}

// Name is "lab runs".
func (LabRuns) Name() string { return "lab runs" }

// Sweep clears away runs that are older than sixty days. Where there are more than
// 5,000, it clears away the oldest, and those that are nobody's progress and no class's
// before all others: however many somebody makes, what the others saw stays. It returns
// how many.
func (r LabRuns) Sweep(ctx context.Context) (int, error) {
	var total int64
	err := r.DB.write(ctx, func(t *tx) error {
		old, err := t.exec(ctx, sweepLabRuns, stamp(r.Now().Add(-labRunLife)), labSweep)
		if err != nil {
			return err
		}
		beyond, err := t.exec(ctx, sweepLabRunsBeyond, labAll, labRuns)
		total = old + beyond
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("db: lab runs: %w", err)
	}
	return int(total), nil
}
