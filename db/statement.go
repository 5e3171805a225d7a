package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// query is one SQL statement. Its parameters are $1, $2, … in the order of
// their first appearance, which SQLite and PostgreSQL both understand.
type query struct {
	name string // as errors say it
	text string
}

// registry holds the statements that are known when the program starts.
var registry []query

// statement adds a statement to those that Open prepares.
func statement(name, text string) query {
	q := query{name, text}
	registry = append(registry, q)
	return q
}

// reads reports whether the statement leaves everything as it is.
func (q query) reads() bool {
	return strings.HasPrefix(strings.TrimSpace(q.text), "SELECT")
}

// failed says which statement went wrong.
func (q query) failed(err error) error {
	return fmt.Errorf("db: %s: %w", q.name, err)
}

// statements are the prepared statements of one pool, each prepared once.
// Beside those of the registry there are the few hundred forms that a search
// can take, which come as they are asked for.
type statements struct {
	pool   *sql.DB
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

func newStatements(pool *sql.DB) *statements {
	return &statements{pool: pool, byText: map[string]*sql.Stmt{}}
}

// get finds the prepared statement, or prepares it.
func (s *statements) get(ctx context.Context, q query) (*sql.Stmt, error) {
	s.mu.RLock()
	prepared, ok := s.byText[q.text]
	s.mu.RUnlock()
	if ok {
		return prepared, nil
	}
	prepared, err := s.pool.PrepareContext(ctx, q.text)
	if err != nil {
		return nil, q.failed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.byText[q.text]; ok {
		return first, prepared.Close()
	}
	s.byText[q.text] = prepared
	return prepared, nil
}

func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for text, prepared := range s.byText {
		errs = append(errs, prepared.Close())
		delete(s.byText, text)
	}
	return errors.Join(errs...)
}

// builder puts together a statement whose form depends on what is asked.
type builder struct {
	text strings.Builder
	args []any
}

// add appends text, in which each ? stands for the next of args.
func (b *builder) add(text string, args ...any) {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		b.args = append(b.args, arg)
		b.text.WriteString(before + "$" + strconv.Itoa(len(b.args)))
		text = after
	}
	b.text.WriteString(text)
}

// query is what has been put together.
func (b *builder) query(name string) query {
	return query{name, b.text.String()}
}
