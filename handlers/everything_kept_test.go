package handlers_test

import (
	"fmt"
	"strings"
)

// everythingKept are all rows of all tables of the site's database, each with the name of
// its table and of its columns, as somebody reads them who has the file.
func (s *site) everythingKept() (kept []string) {
	s.t.Helper()
	tables, err := s.db.Reader().QueryContext(s.t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	must(s.t, err)
	var names []string
	for tables.Next() {
		var name string
		must(s.t, tables.Scan(&name))
		names = append(names, name)
	}
	must(s.t, tables.Err())
	for _, name := range names {
		rows, err := s.db.Reader().QueryContext(s.t.Context(), `SELECT * FROM "`+name+`"`)
		must(s.t, err)
		columns, err := rows.Columns()
		must(s.t, err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			must(s.t, rows.Scan(into...))
			row := []string{name}
			for i, value := range values {
				if raw, ok := value.([]byte); ok {
					value = string(raw)
				}
				row = append(row, fmt.Sprint(columns[i], "=", value))
			}
			kept = append(kept, strings.Join(row, " "))
		}
		must(s.t, rows.Err())
	}
	if len(names) < 20 || len(kept) < 20 {
		s.t.Fatalf("only %d rows of %d tables were found", len(kept), len(names))
	}
	return kept
}
