package db

import (
	"context"
	"fmt"
	"time"

	"lectern/db/school"
)

// ClassPhase is how far a class has come with what it was asked.
type ClassPhase string

const (
	ClassWaiting ClassPhase = "waiting" // nothing has been asked yet
	ClassAsking  ClassPhase = "asking"  // predictions are taken
	ClassRunning ClassPhase = "running" // they are not any more, and the run is on
	ClassRan     ClassPhase = "ran"     // everybody sees what came out
)

// Bounds of a class.
const (
	// ClassLife is how long a class lives: a day of lessons.
	ClassLife = 24 * time.Hour
	// ClassLearners is how many may predict in it.
	ClassLearners = 500
	// ClassesAtOnce is how many open classes one person may have.
	ClassesAtOnce = 5
	// ClassRunTime is how long a run may take. One that has not come to its end by
	// then died with its server, and may be begun anew.
	ClassRunTime = time.Minute
)

// Class is a class of the session lab, and what is predicted in it just now.
type Class struct {
	Code       school.ClassCode
	Owner      school.ID
	OpenedAt   time.Time
	EndedAt    time.Time // zero until its instructor ended it
	Experiment string    // what is asked; empty before the first
	Round      int       // how many were asked
	Phase      ClassPhase
	ChangedAt  time.Time // when the phase began
	RunID      string
	Hidden     bool // the tally is kept from the screen
	Tally      ClassTally
}

// Over reports whether nothing can happen in the class any more.
func (c Class) Over(now time.Time) bool {
	return !c.EndedAt.IsZero() || now.Sub(c.OpenedAt) >= ClassLife
}

// ClassTally is how many predicted what.
type ClassTally struct {
	Learners            int // who have predicted anything
	JWT, Server, Hybrid ClassSplit
}

// ClassSplit is how many predicted what for one family of sessions.
type ClassSplit struct{ Accepted, Refused int }

// ClassPrediction is what one learner predicted: "accepted", "refused", or
// nothing, for each family.
type ClassPrediction struct {
	Round               int
	JWT, Server, Hybrid string
}

const (
	classColumns = `
	SELECT c.code, c.owner_id, c.opened_at, c.ended_at, c.experiment, c.round, c.phase, c.changed_at, c.run_id, c.hidden,
	       COUNT(l.learner),
	       COUNT(CASE WHEN l.jwt = 'accepted' THEN 1 END), COUNT(CASE WHEN l.jwt = 'refused' THEN 1 END),
	       COUNT(CASE WHEN l.server = 'accepted' THEN 1 END), COUNT(CASE WHEN l.server = 'refused' THEN 1 END),
	       COUNT(CASE WHEN l.hybrid = 'accepted' THEN 1 END), COUNT(CASE WHEN l.hybrid = 'refused' THEN 1 END)
	  FROM lab_classes c
	  LEFT JOIN lab_class_learners l ON l.code = c.code AND l.round = c.round`

	notEnded = `
	   AND ended_at IS NULL
	   AND opened_at > `
)

var (
	class = statement("class", classColumns+`
	 WHERE c.code = $1
	 GROUP BY c.code`)

	classesOf = statement("classes of a person", classColumns+`
	 WHERE c.owner_id = $1
	   AND c.ended_at IS NULL
	   AND c.opened_at > $2
	 GROUP BY c.code
	 ORDER BY c.opened_at DESC, c.code
	 LIMIT $3`)

	countClasses = statement("count classes of a person", `
	SELECT COUNT(*)
	  FROM lab_classes
	 WHERE owner_id = $1`+notEnded+`$2`)

	addClass = statement("add class", `
	INSERT INTO lab_classes (code, owner_id, opened_at, experiment, round, phase, changed_at, run_id, hidden)
	VALUES ($1, $2, $3, '', 0, 'waiting', $4, '', 0)
	ON CONFLICT (code) DO NOTHING`)

	askClass = statement("ask a class", `
	UPDATE lab_classes
	   SET experiment = $1,
	       round = round + 1,
	       phase = 'asking',
	       changed_at = $2,
	       run_id = ''
	 WHERE code = $3
	   AND (phase <> 'running' OR changed_at < $4)`+notEnded+`$5`)

	hideClass = statement("hide the tally of a class", `
	UPDATE lab_classes
	   SET hidden = $1
	 WHERE code = $2`+notEnded+`$3`)

	beginClassRun = statement("begin the run of a class", `
	UPDATE lab_classes
	   SET phase = 'running',
	       changed_at = $1
	 WHERE code = $2
	   AND round = $3
	   AND (phase = 'asking' OR phase = 'running' AND changed_at < $4)`+notEnded+`$5`)

	endClassRun = statement("end the run of a class", `
	UPDATE lab_classes
	   SET phase = $1,
	       changed_at = $2,
	       run_id = $3
	 WHERE code = $4
	   AND round = $5
	   AND phase = 'running'
	   AND changed_at = $6`)

	endClass = statement("end class", `
	UPDATE lab_classes
	   SET ended_at = $1
	 WHERE code = $2
	   AND ended_at IS NULL`)

	forgetLearners = statement("forget the learners of a class", `
	DELETE FROM lab_class_learners
	 WHERE code = $1`)

	countLearners = statement("count the learners of a class", `
	SELECT COUNT(*)
	  FROM lab_class_learners
	 WHERE code = $1`)

	classPrediction = statement("prediction in a class", `
	SELECT round, jwt, server, hybrid
	  FROM lab_class_learners
	 WHERE code = $1
	   AND learner = $2`)

	saveClassPrediction = statement("save a prediction in a class", `
	INSERT INTO lab_class_learners (code, learner, round, jwt, server, hybrid)
	VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (code, learner) DO UPDATE
	   SET round = excluded.round,
	       jwt = excluded.jwt,
	       server = excluded.server,
	       hybrid = excluded.hybrid`)

	sweepClasses = statement("sweep classes", `
	DELETE FROM lab_classes
	 WHERE code IN (SELECT code FROM lab_classes WHERE opened_at <= $1 ORDER BY opened_at LIMIT $2)`)
)

func scanClass(row scanner) (c Class, err error) {
	t := &c.Tally
	err = row.Scan(&c.Code, &c.Owner, instant{&c.OpenedAt}, instant{&c.EndedAt}, &c.Experiment, &c.Round, &c.Phase, instant{&c.ChangedAt}, &c.RunID, &c.Hidden,
		&t.Learners, &t.JWT.Accepted, &t.JWT.Refused, &t.Server.Accepted, &t.Server.Refused, &t.Hybrid.Accepted, &t.Hybrid.Refused)
	return c, err
}

// begunSince is the time after which a class was opened that is not too old.
func begunSince(now time.Time) any { return stamp(now.Add(-ClassLife)) }

// Class reads a class, also one that is over, with the tally of what is asked now.
func (d *DB) Class(ctx context.Context, code school.ClassCode) (Class, error) {
	return one(ctx, d, class, scanClass, code)
}

// Classes lists the open classes of a person, the newest first.
func (d *DB) Classes(ctx context.Context, owner school.ID, now time.Time) ([]Class, error) {
	return all(ctx, d, classesOf, scanClass, owner, begunSince(now), ClassesAtOnce)
}

// OpenClass opens a class in which nothing is asked yet. It returns
// [school.ErrTooManyClasses], or [school.ErrCodeTaken] where another code must be
// drawn.
func (d *DB) OpenClass(ctx context.Context, code school.ClassCode, owner school.ID, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		open, err := one(ctx, t, countClasses, value[int], owner, begunSince(now))
		if err != nil {
			return err
		}
		if open >= ClassesAtOnce {
			return school.ErrTooManyClasses
		}
		n, err := t.exec(ctx, addClass, code, owner, stamp(now), stamp(now))
		if err == nil && n == 0 {
			err = school.ErrCodeTaken
		}
		return err
	})
}

// changeClass carries out a statement that changes an open class, if that is as the
// statement expects it; otherwise it says why it is not.
func (d *DB) changeClass(ctx context.Context, code school.ClassCode, now time.Time, q query, args ...any) error {
	return d.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, q, args...)
		if err != nil || n > 0 {
			return err
		}
		c, err := one(ctx, t, class, scanClass, code)
		switch {
		case err != nil:
			return err
		case c.Over(now):
			return school.ErrClassOver
		}
		return school.ErrClassMoved
	})
}

// AskClass begins the next experiment. It returns [school.ErrClassMoved] while a
// run is on, and [school.ErrClassOver].
func (d *DB) AskClass(ctx context.Context, code school.ClassCode, experiment string, now time.Time) error {
	return d.changeClass(ctx, code, now, askClass, experiment, stamp(now), code, stamp(now.Add(-ClassRunTime)), begunSince(now))
}

// HideClassTally keeps the tally of a class from the screen, or shows it.
func (d *DB) HideClassTally(ctx context.Context, code school.ClassCode, hidden bool, now time.Time) error {
	return d.changeClass(ctx, code, now, hideClass, bit(hidden), code, begunSince(now))
}

// BeginClassRun closes the predictions of a round. Of several who begin a run at
// once, one does; the others are told [school.ErrClassMoved].
func (d *DB) BeginClassRun(ctx context.Context, code school.ClassCode, round int, now time.Time) error {
	return d.changeClass(ctx, code, now, beginClassRun, stamp(now), code, round, stamp(now.Add(-ClassRunTime)), begunSince(now))
}

// EndClassRun shows everybody the run that was begun at a time; with an empty id,
// nothing came of it, and predictions are taken again. It changes nothing where
// another has been begun since.
func (d *DB) EndClassRun(ctx context.Context, code school.ClassCode, round int, begun time.Time, runID string, now time.Time) error {
	phase := ClassRan
	if runID == "" {
		phase = ClassAsking
	}
	return d.changeClass(ctx, code, now, endClassRun, phase, stamp(now), runID, code, round, stamp(begun))
}

// EndClass ends a class and forgets what was predicted in it. Ending it twice
// changes nothing.
func (d *DB) EndClass(ctx context.Context, code school.ClassCode, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, endClass, stamp(now), code); err != nil {
			return err
		}
		_, err := t.exec(ctx, forgetLearners, code)
		return err
	})
}

// ClassPrediction is what a learner predicted last in a class. It returns
// [school.ErrNotFound] for somebody who never did.
func (d *DB) ClassPrediction(ctx context.Context, code school.ClassCode, learner string) (ClassPrediction, error) {
	return one(ctx, d, classPrediction, func(row scanner) (p ClassPrediction, err error) {
		err = row.Scan(&p.Round, &p.JWT, &p.Server, &p.Hybrid)
		return p, err
	}, code, learner)
}

// SaveClassPrediction notes what a learner predicts in a round, in place of what
// they did before. It returns [school.ErrNotFound], [school.ErrClassOver],
// [school.ErrClassMoved] where this round takes no predictions any more, or
// [school.ErrClassFull].
func (d *DB) SaveClassPrediction(ctx context.Context, code school.ClassCode, learner string, p ClassPrediction, now time.Time) error {
	return d.write(ctx, func(t *tx) error {
		c, err := one(ctx, t, class, scanClass, code)
		switch {
		case err != nil:
			return err
		case c.Over(now):
			return school.ErrClassOver
		case c.Phase != ClassAsking || c.Round != p.Round:
			return school.ErrClassMoved
		}
		known, err := all(ctx, t, classPrediction, func(row scanner) (known ClassPrediction, err error) {
			err = row.Scan(&known.Round, &known.JWT, &known.Server, &known.Hybrid)
			return known, err
		}, code, learner)
		if err != nil {
			return err
		}
		if len(known) == 0 {
			n, err := one(ctx, t, countLearners, value[int], code)
			if err != nil {
				return err
			}
			if n >= ClassLearners {
				return school.ErrClassFull
			}
		} else if known[0] == p {
			return nil
		}
		return t.must(ctx, saveClassPrediction, code, learner, p.Round, p.JWT, p.Server, p.Hybrid)
	})
}

// Classes are the classes that are kept, to be swept.
type Classes struct {
	DB  *DB
	Now func() time.Time
}

// Name is "classes".
func (Classes) Name() string { return "classes" }

// Sweep clears away classes that are a day old, with what was predicted in them. It
// returns how many.
func (k Classes) Sweep(ctx context.Context) (int, error) {
	const some = 100
	total := 0
	for {
		var n int64
		err := k.DB.write(ctx, func(t *tx) (err error) {
			n, err = t.exec(ctx, sweepClasses, begunSince(k.Now()), some)
			return err
		})
		total += int(n)
		if err != nil {
			return total, fmt.Errorf("db: classes: %w", err)
		}
		if n < some {
			return total, nil
		}
	}
}
