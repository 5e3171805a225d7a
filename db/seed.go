package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"lectern/db/school"
)

// SeedData is a demo school. All IDs and times are the caller's, so that the
// same data always makes the same rows. Positions of chapters and lessons are
// those in their slices; what is kept and counted is counted here.
type SeedData struct {
	Users      []SeedUser
	Courses    []SeedCourse
	Enrolments []SeedEnrolment
}

// SeedUser is an account. PasswordHash is only called when the account is about
// to be written, because a hash takes its time.
type SeedUser struct {
	school.User
	PasswordHash func() string
}

// SeedCourse is a course with all that is in it.
type SeedCourse struct {
	school.Course
	Chapters []SeedChapter
}

// SeedChapter is a chapter with its lessons.
type SeedChapter struct {
	school.Chapter
	Lessons []school.Lesson
}

// SeedEnrolment is a person's place in a course.
type SeedEnrolment struct {
	User       school.ID
	Course     school.ID
	JoinedAt   time.Time
	LeftAt     time.Time // zero while joined
	SeenAt     time.Time // JoinedAt if zero
	LastLesson school.ID // empty before the first
	Done       []SeedCompletion
}

// SeedCompletion is a lesson that the person has completed.
type SeedCompletion struct {
	Lesson school.ID
	At     time.Time
}

var isSeeded = statement("is seeded", `
	SELECT COUNT(*)
	  FROM (SELECT 1 FROM seeded LIMIT 1) AS any_row`)

// Seed fills a school that was never seeded, and reports whether it did. In one
// that was, it changes nothing, whatever people have made of the seeded rows
// since.
func (d *DB) Seed(ctx context.Context, s SeedData) (changed bool, err error) {
	if seeded, err := one(ctx, d, isSeeded, value[bool]); err != nil || seeded {
		return false, err
	}
	users := s.userRows()
	err = d.write(patient(ctx), func(t *tx) error {
		seeded, err := one(ctx, t, isSeeded, value[bool])
		if err != nil || seeded {
			return err
		}
		changed = true
		return t.seed(ctx, s, users)
	})
	return changed && err == nil, err
}

// Reset brings the seeded people, courses, chapters, lessons, enrolments and
// completions back to exactly their first state. What seeded people did since
// goes away: their sessions, their other enrolments and completions, and the
// courses of theirs that nobody else ever joined; so do the chapters and lessons
// that were added to seeded courses. What everybody else did stays, and so does
// the audit log. A school that was never seeded is then.
func (d *DB) Reset(ctx context.Context, s SeedData) error {
	users := s.userRows()
	return d.write(patient(ctx), func(t *tx) error { return t.seed(ctx, s, users) })
}

// In what follows, the table seeded holds the ids of the data.
var (
	forgetSeeded = statement("forget seeded rows", `
	DELETE FROM seeded`)

	// What seeded people did. Courses come after enrolments: whoever is still in
	// one is somebody else. Added lessons go before the seeded ones are written,
	// because one may have taken a slug that the data has now.
	clearSeeded = []query{
		statement("end sessions of seeded people", `
	DELETE FROM sessions
	 WHERE user_id IN (SELECT id FROM seeded)`),
		statement("end refresh sessions of seeded people", `
	DELETE FROM refresh_sessions
	 WHERE user_id IN (SELECT id FROM seeded)`),
		statement("clear completions of seeded people", `
	DELETE FROM completions
	 WHERE user_id IN (SELECT id FROM seeded)`),
		statement("clear enrolments of seeded people", `
	DELETE FROM enrolments
	 WHERE user_id IN (SELECT id FROM seeded)`),
		statement("clear classes of seeded people", `
	DELETE FROM lab_classes
	 WHERE owner_id IN (SELECT id FROM seeded)`),
		statement("clear lab progress of seeded people", `
	DELETE FROM lab_progress
	 WHERE user_id IN (SELECT id FROM seeded)`),
		statement("clear courses of seeded people", `
	DELETE FROM courses
	 WHERE owner_id IN (SELECT id FROM seeded)
	   AND id NOT IN (SELECT id FROM seeded)
	   AND NOT EXISTS (SELECT 1 FROM enrolments AS e WHERE e.course_id = courses.id)
	   AND NOT EXISTS (SELECT 1 FROM completions AS p WHERE p.course_id = courses.id)`),
		statement("clear lessons added to seeded courses", `
	DELETE FROM lessons
	 WHERE course_id IN (SELECT id FROM seeded)
	   AND id NOT IN (SELECT id FROM seeded)`),
		statement("clear experiments of seeded lessons", `
	DELETE FROM lesson_experiments
	 WHERE lesson_id IN (SELECT id FROM seeded)`),
	}

	// Added chapters go once the seeded lessons are out of them.
	clearChapters = statement("clear chapters added to seeded courses", `
	DELETE FROM chapters
	 WHERE course_id IN (SELECT id FROM seeded)
	   AND id NOT IN (SELECT id FROM seeded)`)

	clearUserWords = statement("clear words of seeded people", `
	DELETE FROM user_words
	 WHERE user_id IN (SELECT id FROM seeded)`)

	clearCourseWords = statement("clear words of seeded courses", `
	DELETE FROM course_words
	 WHERE course_id IN (SELECT id FROM courses WHERE id IN (SELECT id FROM seeded) OR owner_id IN (SELECT id FROM seeded))`)

	textsOfSeeded = statement("texts of seeded courses", courseTexts+`
	   AND (c.id IN (SELECT id FROM seeded) OR c.owner_id IN (SELECT id FROM seeded))`)
)

// seed writes the data over what there is of it.
func (t *tx) seed(ctx context.Context, s SeedData, users [][]any) error {
	t.showsInCatalogue = true
	if _, err := t.exec(ctx, forgetSeeded); err != nil {
		return err
	}
	if err := t.insert(ctx, "INSERT INTO seeded (id)", "", s.idRows()); err != nil {
		return err
	}
	if err := t.execAll(ctx, clearSeeded); err != nil {
		return err
	}
	if err := t.fits(ctx, s); err != nil {
		return err
	}
	if err := t.writeSeed(ctx, s, users); err != nil {
		return err
	}
	if _, err := t.exec(ctx, clearChapters); err != nil {
		return err
	}
	if err := t.execAll(ctx, recountAll); err != nil {
		return err
	}
	return t.indexSeeded(ctx, s)
}

// fits refuses data that wants an address or a slug which somebody else's row
// has, and says which.
func (t *tx) fits(ctx context.Context, s SeedData) error {
	var emails, slugs []any
	for _, u := range s.Users {
		emails = append(emails, u.Email)
	}
	for _, c := range s.Courses {
		slugs = append(slugs, c.Slug)
	}
	for _, unique := range []struct {
		table, column, whose string
		wanted               []any
	}{
		{"users", "email", "an account has the address", emails},
		{"courses", "slug", "a course, perhaps a deleted one, has the slug", slugs},
	} {
		for wanted := range slices.Chunk(unique.wanted, rowsAtOnce) {
			var b builder
			b.add("SELECT "+unique.column+" FROM "+unique.table+" WHERE "+unique.column+" IN "+tuple(len(wanted)), wanted...)
			b.add(" AND id NOT IN (SELECT id FROM seeded) ORDER BY 1 LIMIT 1")
			var taken string
			err := t.QueryRowContext(ctx, b.text.String(), b.args...).Scan(&taken)
			if err == nil {
				return fmt.Errorf("db: the demo school does not fit in: %s %q already, which a seeded one is to have", unique.whose, taken)
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("db: %s: %w", unique.table, err)
			}
		}
	}
	return nil
}

// writeSeed writes the rows of the data, each table after those that it refers
// to.
func (t *tx) writeSeed(ctx context.Context, s SeedData, users [][]any) error {
	courses, chapters, lessons, experiments := s.courseRows()
	enrolments, completions := s.enrolmentRows()
	for _, table := range []struct {
		into, conflict string
		rows           [][]any
	}{
		{`INSERT INTO users (id, email, name, name_key, role, password_hash, demo, created_at, disabled_at)`, `
		ON CONFLICT (id) DO UPDATE
		   SET email = excluded.email,
		       name = excluded.name,
		       name_key = excluded.name_key,
		       role = excluded.role,
		       password_hash = excluded.password_hash,
		       demo = excluded.demo,
		       created_at = excluded.created_at,
		       disabled_at = excluded.disabled_at`, users},
		{`INSERT INTO courses (id, slug, title, title_key, summary, topic, level, number, status, owner_id, version, created_at, updated_at, published_at, deleted_at, outcomes, description)`, `
		ON CONFLICT (id) DO UPDATE
		   SET slug = excluded.slug,
		       title = excluded.title,
		       title_key = excluded.title_key,
		       summary = excluded.summary,
		       topic = excluded.topic,
		       level = excluded.level,
		       number = excluded.number,
		       status = excluded.status,
		       owner_id = excluded.owner_id,
		       version = excluded.version,
		       created_at = excluded.created_at,
		       updated_at = excluded.updated_at,
		       published_at = excluded.published_at,
		       deleted_at = excluded.deleted_at,
		       outcomes = excluded.outcomes,
		       description = excluded.description`, courses},
		{`INSERT INTO chapters (id, course_id, title, position)`, `
		ON CONFLICT (id) DO UPDATE
		   SET course_id = excluded.course_id,
		       title = excluded.title,
		       position = excluded.position,
		       deleted_at = NULL`, chapters},
		{`INSERT INTO lessons (id, course_id, chapter_id, slug, title, kind, status, preview, minutes, position, version, created_at, updated_at, updated_by, body)`, `
		ON CONFLICT (id) DO UPDATE
		   SET course_id = excluded.course_id,
		       chapter_id = excluded.chapter_id,
		       slug = excluded.slug,
		       title = excluded.title,
		       kind = excluded.kind,
		       status = excluded.status,
		       preview = excluded.preview,
		       minutes = excluded.minutes,
		       position = excluded.position,
		       version = excluded.version,
		       created_at = excluded.created_at,
		       updated_at = excluded.updated_at,
		       updated_by = excluded.updated_by,
		       deleted_at = NULL,
		       body = excluded.body`, lessons},
		{`INSERT INTO lesson_experiments (lesson_id, experiment)`, ``, experiments},
		{`INSERT INTO enrolments (user_id, course_id, joined_at, left_at, seen_at, last_lesson)`, ``, enrolments},
		{`INSERT INTO completions (user_id, lesson_id, course_id, done_at)`, ``, completions},
	} {
		if err := t.insert(ctx, table.into, table.conflict, table.rows); err != nil {
			return err
		}
	}
	return nil
}

// indexSeeded renews the words of seeded people and of everything that they
// teach.
func (t *tx) indexSeeded(ctx context.Context, s SeedData) error {
	if err := t.execAll(ctx, []query{clearUserWords, clearCourseWords}); err != nil {
		return err
	}
	users := make([]school.User, len(s.Users))
	for i, u := range s.Users {
		users[i] = u.User
	}
	if err := t.indexUsers(ctx, users...); err != nil {
		return err
	}
	courses, err := all(ctx, t, textsOfSeeded, scanCourseText)
	if err != nil {
		return err
	}
	return t.indexCourses(ctx, courses...)
}

// idRows are the ids of all rows that have one.
func (s SeedData) idRows() (ids [][]any) {
	for _, u := range s.Users {
		ids = append(ids, []any{u.ID})
	}
	for _, c := range s.Courses {
		ids = append(ids, []any{c.ID})
		for _, h := range c.Chapters {
			ids = append(ids, []any{h.ID})
			for _, l := range h.Lessons {
				ids = append(ids, []any{l.ID})
			}
		}
	}
	return ids
}

// userRows are the accounts with their passwords hashed, which is done before
// there is a transaction that others would wait for.
func (s SeedData) userRows() (users [][]any) {
	for _, u := range s.Users {
		users = append(users, []any{
			u.ID, u.Email, u.Name, school.Fold(u.Name), u.Role, u.PasswordHash(), bit(u.Demo), stamp(u.CreatedAt), stamp(u.DisabledAt),
		})
	}
	return users
}

func (s SeedData) courseRows() (courses, chapters, lessons, experiments [][]any) {
	for _, c := range s.Courses {
		courses = append(courses, []any{
			c.ID, c.Slug, c.Title, school.Fold(c.Title), c.Summary, c.Topic, c.Level, c.Number, c.Status, c.Owner.ID,
			max(c.Version, 1), stamp(c.CreatedAt), stamp(c.UpdatedAt), stamp(c.PublishedAt), stamp(c.DeletedAt),
			joinOutcomes(c.Outcomes), c.Description,
		})
		for i, h := range c.Chapters {
			chapters = append(chapters, []any{h.ID, c.ID, h.Title, i})
			for j, l := range h.Lessons {
				lessons = append(lessons, []any{
					l.ID, c.ID, h.ID, l.Slug, l.Title, l.Kind, l.Status, bit(l.Preview), max(l.Minutes, 1), j,
					max(l.Version, 1), stamp(c.CreatedAt), stamp(l.UpdatedAt), l.UpdatedBy.ID, l.Body,
				})
				for _, experiment := range school.Experiments(l.Body) {
					experiments = append(experiments, []any{l.ID, experiment})
				}
			}
		}
	}
	return courses, chapters, lessons, experiments
}

func (s SeedData) enrolmentRows() (enrolments, completions [][]any) {
	for _, e := range s.Enrolments {
		seen := e.SeenAt
		if seen.IsZero() {
			seen = e.JoinedAt
		}
		enrolments = append(enrolments, []any{e.User, e.Course, stamp(e.JoinedAt), stamp(e.LeftAt), stamp(seen), e.LastLesson})
		for _, p := range e.Done {
			completions = append(completions, []any{e.User, p.Lesson, e.Course, stamp(p.At)})
		}
	}
	return enrolments, completions
}
