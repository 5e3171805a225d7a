package db

import (
	"context"
	"strconv"

	"lectern/db/school"
)

var insertEvent = statement("insert event", `
	INSERT INTO audit_events (id, at, action, actor_id, actor_name, actor_key, subject, detail, session, address)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`)

// Record adds a line to the audit log. The line's ID is drawn here if it has
// none.
func (d *DB) Record(ctx context.Context, e school.Event) error {
	if e.ID == "" {
		e.ID = school.MustNewID()
	}
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, insertEvent,
			e.ID, stamp(e.At), e.Action, e.Actor.ID, e.Actor.Name, school.Fold(e.Actor.Name),
			e.Subject, e.Detail, e.Session, e.Address)
	})
}

const eventColumns = `
	SELECT id,
	       at,
	       action,
	       actor_id,
	       actor_name,
	       subject,
	       detail,
	       session,
	       address
	  FROM audit_events`

var eventByID = statement("event by id", eventColumns+`
	 WHERE id = $1`)

// Event reads one line of the audit log. It returns [school.ErrNotFound] if
// there is none.
func (d *DB) Event(ctx context.Context, id school.ID) (school.Event, error) {
	return one(ctx, d, eventByID, scanEvent, id)
}

// EventQuery says which lines of the audit log to list.
type EventQuery struct {
	Action string // empty for any
	Actor  string // somebody's ID or whole name; empty for anybody
	After  string // the Next of the page before; empty for the first
	Limit  int    // lines of a page; 24 if not given, at most 100
}

// EventPage is one page of the audit log.
type EventPage struct {
	Events []school.Event
	Next   string // what to ask for next; empty on the last page
}

const orderByTime = "time"

// Events lists the audit log, the newest line first. A cursor that is none
// begins at the first page.
func (d *DB) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	limit := pageLimit(q.Limit)
	var b builder
	b.add(eventColumns + `
	 WHERE 1 = 1`)
	if q.Action != "" {
		b.add(" AND action = ?", q.Action)
	}
	if q.Actor != "" {
		if id, err := school.ParseID(q.Actor); err == nil {
			b.add(" AND actor_id = ?", id)
		} else {
			b.add(" AND actor_key = ?", school.Fold(q.Actor))
		}
	}
	if after, ok := parseCursor(q.After, orderByTime); ok {
		if at, ok := after.number(); ok {
			b.add(" AND (at, id) < (?, ?)", at, after.id)
		}
	}
	b.add(" ORDER BY at DESC, id DESC LIMIT ?", limit+1)
	rows, err := all(ctx, d, b.query("list events"), scanEvent, b.args...)
	if err != nil {
		return EventPage{}, err
	}
	var page EventPage
	var last *school.Event
	if page.Events, last = cutPage(rows, limit); last != nil {
		page.Next = cursor{orderByTime, strconv.FormatInt(last.At.UnixMilli(), 10), last.ID}.String()
	}
	return page, nil
}

func scanEvent(row scanner) (e school.Event, err error) {
	err = row.Scan(&e.ID, instant{&e.At}, &e.Action, &e.Actor.ID, &e.Actor.Name, &e.Subject, &e.Detail, &e.Session, &e.Address)
	return e, err
}
