package db

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SessionRow is a row about sessions as it lies in the database.
type SessionRow struct {
	Table  string
	Names  []string // of its columns
	Values []string // in words
	Bytes  int      // of the values, without what the database adds to them
}

// sessionTables hold what is kept of sessions: the records, the families of tickets,
// and the tokens that were ended one by one.
var sessionTables = []query{
	statement("rows of sessions", `SELECT * FROM sessions LIMIT $1`),
	statement("rows of refresh_sessions", `SELECT * FROM refresh_sessions LIMIT $1`),
	statement("rows of denied_tokens", `SELECT * FROM denied_tokens LIMIT $1`),
}

// tokenMoments are the moments before which the tokens of a person are over.
var tokenMoments = statement("rows of users with a moment", `
	SELECT id, tokens_from
	  FROM users
	 WHERE tokens_from IS NOT NULL
	 LIMIT $1`)

// SessionRows lists every row about sessions there is, at most 200 of a table; with
// moments also those that are kept with people for the sake of their tokens.
func (d *DB) SessionRows(ctx context.Context, moments bool) ([]SessionRow, error) {
	queries := sessionTables
	if moments {
		queries = append(queries[:len(queries):len(queries)], tokenMoments)
	}
	var all []SessionRow
	for _, q := range queries {
		found, err := d.wholeRows(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// wholeRows reads rows whatever columns they have.
func (d *DB) wholeRows(ctx context.Context, q query) ([]SessionRow, error) {
	rows, err := d.rows(ctx, q, []any{maxList})
	if err != nil {
		return nil, q.failed(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, q.failed(err)
	}
	table, _, _ := strings.Cut(strings.TrimPrefix(q.name, "rows of "), " ")
	var all []SessionRow
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, q.failed(err)
		}
		row := SessionRow{Table: table, Names: names}
		for i, value := range values {
			text, bytes := inWords(names[i], value)
			row.Values = append(row.Values, text)
			row.Bytes += bytes
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		return nil, q.failed(err)
	}
	return all, nil
}

// inWords writes a value for people, and counts its bytes.
func inWords(column string, value any) (text string, bytes int) {
	switch v := value.(type) {
	case nil:
		return "none", 0
	case []byte:
		return hex.EncodeToString(v), len(v)
	case string:
		return v, len(v)
	case int64:
		if strings.HasSuffix(column, "_at") || strings.HasSuffix(column, "_until") || strings.HasSuffix(column, "_from") {
			return time.UnixMilli(v).UTC().Format(time.DateTime), 8
		}
		return strconv.FormatInt(v, 10), 8
	}
	text = fmt.Sprint(value)
	return text, len(text)
}
