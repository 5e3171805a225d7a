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

// maxStatements is how many statements of a pool stay prepared. The registry
// and the usual pages need far fewer; what bounds the rest are searches, which
// have a form for each number of words in each filter and order.
const maxStatements = 500

// statements are the prepared statements of one pool, each prepared once.
type statements struct {
	pool   *sql.DB
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

func newStatements(pool *sql.DB) *statements {
	return &statements{pool: pool, byText: map[string]*sql.Stmt{}}
}

// prepared finds a prepared statement; nil if it is none.
func (s *statements) prepared(q query) *sql.Stmt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byText[q.text]
}

// get finds the prepared statement or prepares it; nil if no more of them are
// kept.
func (s *statements) get(ctx context.Context, q query) (*sql.Stmt, error) {
	s.mu.RLock()
	prepared, full := s.byText[q.text], len(s.byText) >= maxStatements
	s.mu.RUnlock()
	if prepared != nil || full {
		return prepared, nil
	}
	prepared, err := s.pool.PrepareContext(ctx, q.text)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.byText[q.text]; first != nil {
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
