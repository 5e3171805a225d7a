package db

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"lectern/db/school"
)

// A lesson of kind lab embeds experiments of the session lab, and counts as done when
// each of them was explained. Which they are is read off its text when that is saved.

var (
	clearLessonExperiments = statement("clear experiments of lesson", `
	DELETE FROM lesson_experiments
	 WHERE lesson_id = $1`)

	addLessonExperiment = statement("add experiment to lesson", `
	INSERT INTO lesson_experiments (lesson_id, experiment)
	VALUES ($1, $2)`)
)

// keepExperiments notes which experiments a lesson embeds. Whatever writes the text
// of a lesson calls it.
func (t *tx) keepExperiments(ctx context.Context, lesson school.ID, body string) error {
	if _, err := t.exec(ctx, clearLessonExperiments, lesson); err != nil {
		return err
	}
	for _, experiment := range school.Experiments(body) {
		if err := t.must(ctx, addLessonExperiment, lesson, experiment); err != nil {
			return err
		}
	}
	return nil
}

// fillLessonExperiments does the same for the lessons that were there before it was
// noted.
func fillLessonExperiments(ctx context.Context, t *sql.Tx) error {
	rows, err := t.QueryContext(ctx, `SELECT id, body FROM lessons WHERE body LIKE '%](/lab/%'`)
	if err != nil {
		return err
	}
	defer rows.Close()
	embedded := map[string][]string{}
	for rows.Next() {
		var id, body string
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		embedded[id] = school.Experiments(body)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for id, experiments := range embedded {
		for _, experiment := range experiments {
			if _, err := t.ExecContext(ctx, addLessonExperiment.text, id, experiment); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	embeddedExperiments = statement("embedded experiments", `
	SELECT lesson_id, experiment
	  FROM lesson_experiments
	 ORDER BY lesson_id, experiment`)

	textsOfLessons = statement("texts of lessons", `
	SELECT id, body
	  FROM lessons`)
)

// checkExperiments reads all texts and compares with what is kept beside them.
func (d *DB) checkExperiments(ctx context.Context) (wrong []error) {
	type pair struct{ id, text string }
	scan := func(row scanner) (p pair, err error) {
		err = row.Scan(&p.id, &p.text)
		return p, err
	}
	kept, err := all(ctx, d, embeddedExperiments, scan)
	if err != nil {
		return []error{err}
	}
	texts, err := all(ctx, d, textsOfLessons, scan)
	if err != nil {
		return []error{err}
	}
	of := map[string][]string{}
	for _, p := range kept {
		of[p.id] = append(of[p.id], p.text)
	}
	for _, p := range texts {
		embeds := school.Experiments(p.text)
		slices.Sort(embeds)
		if !slices.Equal(of[p.id], embeds) {
			wrong = append(wrong, fmt.Errorf("db: experiments of lesson %s: kept are %q; its text embeds %q", p.id, of[p.id], embeds))
		}
	}
	return wrong
}

// LabLesson is the lesson that an experiment belongs to, as its reader stands to it.
type LabLesson struct {
	Course, Slug, Title string
	Joined              bool
	DoneAt              time.Time // zero until it is done
}

var lessonOfExperiment = statement("lesson of experiment", `
	SELECT c.slug,
	       l.slug,
	       l.title,
	       CASE WHEN e.user_id IS NULL THEN 0 ELSE 1 END,
	       p.done_at
	  FROM lesson_experiments AS x
	  JOIN lessons AS l ON l.id = x.lesson_id AND l.kind = 'lab' AND l.visible = 1
	  JOIN courses AS c ON c.id = l.course_id AND c.listed = 1
	  LEFT JOIN enrolments AS e ON e.user_id = $1 AND e.course_id = l.course_id AND e.left_at IS NULL
	  LEFT JOIN completions AS p ON p.user_id = e.user_id AND p.lesson_id = l.id
	 WHERE x.experiment = $2
	 ORDER BY CASE WHEN e.user_id IS NULL THEN 0 ELSE 1 END DESC,
	          CASE WHEN e.last_lesson = l.id THEN 1 ELSE 0 END DESC,
	          COALESCE(e.seen_at, 0) DESC,
	          c.number,
	          l.id
	 LIMIT 1`)

// LessonOfExperiment finds the published lesson that embeds an experiment. Of several
// it is the one that the person has come from: in a course that they have joined, the
// lesson opened last. The person may be nobody. It returns [school.ErrNotFound] if
// there is no such lesson.
func (d *DB) LessonOfExperiment(ctx context.Context, user school.ID, experiment string) (LabLesson, error) {
	return one(ctx, d, lessonOfExperiment, func(row scanner) (l LabLesson, err error) {
		err = row.Scan(&l.Course, &l.Slug, &l.Title, &l.Joined, instant{&l.DoneAt})
		return l, err
	}, user, experiment)
}

// completeExplained completes the lessons of kind lab that lacked nothing but the
// explanation of some experiments.
func (t *tx) completeExplained(ctx context.Context, user school.ID, known []string, now time.Time, explained ...string) error {
	if len(explained) == 0 {
		return nil
	}
	finished, err := finishedLab(ctx, t, user, known)
	if err != nil {
		return err
	}
	return t.completeLab(ctx, user, now, slices.DeleteFunc(finished, func(l labLesson) bool {
		return !slices.ContainsFunc(explained, func(e string) bool { return slices.Contains(l.experiments, e) })
	}))
}

// CompleteLab completes the lessons of kind lab of a course whose experiments a person
// has explained before. It is for when they join.
func (d *DB) CompleteLab(ctx context.Context, user, courseID school.ID, known []string, now time.Time) error {
	elsewhere := func(l labLesson) bool { return l.course != courseID }
	finished, err := finishedLab(ctx, d, user, known)
	if finished = slices.DeleteFunc(finished, elsewhere); err != nil || len(finished) == 0 {
		return err // in most courses there is nothing to write
	}
	return d.write(ctx, func(t *tx) error {
		finished, err := finishedLab(ctx, t, user, known)
		if err != nil {
			return err
		}
		return t.completeLab(ctx, user, now, slices.DeleteFunc(finished, elsewhere))
	})
}

// labLesson is a lesson of kind lab, with those of its experiments that there are.
type labLesson struct {
	id, course  school.ID
	experiments []string
}

var openLab = statement("lab lessons to do", `
	SELECT l.id,
	       l.course_id,
	       x.experiment,
	       CASE WHEN g.explained_at IS NULL THEN 0 ELSE 1 END
	  FROM enrolments AS e
	  JOIN courses AS c ON c.id = e.course_id AND c.listed = 1
	  JOIN lessons AS l ON l.course_id = e.course_id AND l.kind = 'lab' AND l.visible = 1
	  JOIN lesson_experiments AS x ON x.lesson_id = l.id
	  LEFT JOIN lab_progress AS g ON g.user_id = e.user_id AND g.experiment = x.experiment
	  LEFT JOIN completions AS p ON p.user_id = e.user_id AND p.lesson_id = l.id
	 WHERE e.user_id = $1
	   AND e.left_at IS NULL
	   AND p.lesson_id IS NULL
	 ORDER BY l.id`)

// finishedLab finds the lessons that a person has not completed and may: there is at
// least one experiment in them, and none that was not explained.
func finishedLab(ctx context.Context, from source, user school.ID, known []string) ([]labLesson, error) {
	type line struct {
		lesson, course school.ID
		experiment     string
		explained      bool
	}
	lines, err := all(ctx, from, openLab, func(row scanner) (l line, err error) {
		err = row.Scan(&l.lesson, &l.course, &l.experiment, &l.explained)
		return l, err
	}, user)
	if err != nil {
		return nil, err
	}
	var finished []labLesson
	lacking := map[school.ID]bool{}
	for _, l := range lines {
		if !slices.Contains(known, l.experiment) {
			continue
		}
		lacking[l.lesson] = lacking[l.lesson] || !l.explained
		if n := len(finished); n == 0 || finished[n-1].id != l.lesson {
			finished = append(finished, labLesson{id: l.lesson, course: l.course})
		}
		last := &finished[len(finished)-1]
		last.experiments = append(last.experiments, l.experiment)
	}
	return slices.DeleteFunc(finished, func(l labLesson) bool { return lacking[l.id] }), nil
}

// completeLab completes them, and counts.
func (t *tx) completeLab(ctx context.Context, user school.ID, now time.Time, finished []labLesson) error {
	for _, l := range finished {
		if err := t.must(ctx, complete, user, l.id, l.course, stamp(now)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, sumDoneOfPerson, user, l.course); err != nil {
			return err
		}
		if err := t.must(ctx, seenCourse, stamp(now), user, l.course); err != nil {
			return err
		}
	}
	return nil
}

// LabRunsByID reads those of some runs that are kept, by their names.
func (d *DB) LabRunsByID(ctx context.Context, ids ...string) (map[string]LabRun, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var b builder
	b.add(`SELECT id, experiment, ran_at, result FROM lab_runs WHERE id IN `+tuple(len(ids)), anys(ids)...)
	found, err := all(ctx, d, b.query("lab runs by id"), scanLabRun, b.args...)
	if err != nil {
		return nil, err
	}
	runs := make(map[string]LabRun, len(found))
	for _, r := range found {
		runs[r.ID] = r
	}
	return runs, nil
}

func anys(texts []string) []any {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = text
	}
	return args
}
