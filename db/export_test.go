package db

import (
	"context"

	"lectern/db/school"
)

// Statements are the texts of all statements that Open prepares, by name.
func Statements() map[string]string {
	texts := map[string]string{}
	for _, q := range registry {
		texts[q.name] = q.text
	}
	return texts
}

// CountStatements is how many statements Open prepares.
func CountStatements() int { return len(registry) }

// PreparedToRead is how many statements the readers keep prepared.
func (d *DB) PreparedToRead() int { return len(d.reads.byText) }

// MaxStatements is how many they keep at most.
const MaxStatements = maxStatements

// ExplainCourses is SQLite's plan for the page that q asks for.
func (d *DB) ExplainCourses(ctx context.Context, q CourseQuery) ([]string, error) {
	found, err := d.search(ctx, courseWords, school.QueryWords(q.Words))
	if err != nil {
		return nil, err
	}
	end, err := d.window(ctx, q, found)
	if err != nil {
		return nil, err
	}
	return d.explain(ctx, q.list(found, end))
}

// ExplainUsers is SQLite's plan for the page that q asks for.
func (d *DB) ExplainUsers(ctx context.Context, q UserQuery) ([]string, error) {
	found, err := d.search(ctx, userWords, school.QueryWords(q.Words))
	if err != nil {
		return nil, err
	}
	return d.explain(ctx, q.list(found))
}

// ExplainEvents is SQLite's plan for the page of the log that q asks for.
func (d *DB) ExplainEvents(ctx context.Context, q EventQuery) ([]string, error) {
	return d.explain(ctx, q.list())
}

func (d *DB) explain(ctx context.Context, b *builder) ([]string, error) {
	explained := query{"explain", "EXPLAIN QUERY PLAN " + b.text.String()}
	return all(ctx, d, explained, func(row scanner) (detail string, err error) {
		var id, parent, unused int
		err = row.Scan(&id, &parent, &unused, &detail)
		return detail, err
	}, b.args...)
}

// ApplyMigration takes a step that is not among the embedded ones.
func (d *DB) ApplyMigration(ctx context.Context, version int, script string) error {
	return migration{version, "test", script}.apply(ctx, d.writer)
}

// OpenBefore opens a database as it was before a step was taken.
func OpenBefore(ctx context.Context, path, name string) (*DB, error) {
	d, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	steps, err := readMigrations(migrations)
	if err != nil {
		return nil, err
	}
	if _, err := schemaVersion(ctx, d.writer); err != nil {
		return nil, err
	}
	for _, step := range steps {
		if step.name == name {
			break
		}
		if err := step.apply(ctx, d.writer); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Keep has a sweep leave fewer counts than it would.
func (t *Tries) Keep(kept int) { t.kept = kept }
