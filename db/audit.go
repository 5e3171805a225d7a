package db

import (
	"context"
	"strconv"
	"time"

	"lectern/db/school"
)

var insertEvent = statement("insert event", `
	INSERT INTO audit_events (id, at, action, actor_id, actor_name, actor_key, subject_id, subject, detail, session, address)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`)

// Record adds a line to the audit log. The line's ID is drawn here if it has
// none. No line is ever changed or taken away: the database refuses it (see keepLog).
func (d *DB) Record(ctx context.Context, e school.Event) error {
	if e.ID == "" {
		e.ID = school.MustNewID()
	}
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, insertEvent,
			e.ID, stamp(e.At), e.Action, e.Actor.ID, e.Actor.Name, school.Fold(e.Actor.Name),
			e.SubjectID, e.Subject, e.Detail, e.Session, e.Address)
	})
}

const eventColumns = `
	SELECT id,
	       at,
	       action,
	       actor_id,
	       actor_name,
	       subject_id,
	       subject,
	       detail,
	       session,
	       address
	  FROM audit_events`

var (
	eventByID = statement("event by id", eventColumns+`
	 WHERE id = $1`)

	// Each half is read off its own index, and no more of it than can be shown.
	eventsAbout = statement("events about a person", eventColumns+`
	 WHERE id IN (SELECT a.id
	                FROM (SELECT id
	                        FROM audit_events
	                       WHERE actor_id = $1
	                       ORDER BY at DESC, id DESC
	                       LIMIT $2) AS a
	               UNION
	              SELECT b.id
	                FROM (SELECT id
	                        FROM audit_events
	                       WHERE subject_id = $1
	                       ORDER BY at DESC, id DESC
	                       LIMIT $2) AS b)
	 ORDER BY at DESC, id DESC
	 LIMIT $2`)
)

// Event reads one line of the audit log. It returns [school.ErrNotFound] if
// there is none.
func (d *DB) Event(ctx context.Context, id school.ID) (school.Event, error) {
	return one(ctx, d, eventByID, scanEvent, id)
}

// EventsAbout lists the last lines of the audit log that say what a person did or what
// was done to them, the newest first.
func (d *DB) EventsAbout(ctx context.Context, id school.ID, limit int) ([]school.Event, error) {
	return all(ctx, d, eventsAbout, scanEvent, id, pageLimit(limit))
}

// EventQuery says which lines of the audit log to list.
type EventQuery struct {
	Action  string    // empty for any
	Actor   string    // who: somebody's ID or whole name; empty for anybody
	Subject string    // to whom or what: somebody's ID, or the whole of what the log calls it
	Session string    // the kind of session; empty for any
	From    time.Time // the first moment; zero for the beginning
	To      time.Time // the moment before which it was; zero for now
	After   string    // the Next of the page before; empty for the first
	Limit   int       // lines of a page; 24 if not given, at most 100
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
	b := q.list()
	rows, err := all(ctx, d, b.query("list events"), scanEvent, b.args...)
	if err != nil {
		return EventPage{}, err
	}
	var page EventPage
	var last *school.Event
	if page.Events, last = cutPage(rows, pageLimit(q.Limit)); last != nil {
		page.Next = cursor{orderByTime, strconv.FormatInt(last.At.UnixMilli(), 10), last.ID}.String()
	}
	return page, nil
}

// list reads one line more than the page has.
func (q EventQuery) list() *builder {
	var b builder
	b.add(eventColumns + `
	 WHERE 1 = 1`)
	q.match(&b)
	if after, ok := parseCursor(q.After, orderByTime); ok {
		if at, ok := after.number(); ok {
			b.add(" AND (at, id) < (?, ?)", at, after.id)
		}
	}
	b.add(" ORDER BY at DESC, id DESC LIMIT ?", pageLimit(q.Limit)+1)
	return &b
}

// match adds which lines q asks for.
func (q EventQuery) match(b *builder) {
	if q.Action != "" {
		b.add(" AND action = ?", q.Action)
	}
	if q.Actor != "" {
		if id, err := school.ParseID(q.Actor); err == nil {
			b.add(" AND actor_id = ?", id)
		} else {
			key := school.Fold(q.Actor)
			b.add(" AND actor_key = ?", key)
			if key == "" { // signs alone, which are no name of somebody who has none
				b.add(" AND actor_name = ?", q.Actor)
			}
		}
	}
	if q.Subject != "" {
		if id, err := school.ParseID(q.Subject); err == nil {
			b.add(" AND subject_id = ?", id)
		} else {
			b.add(" AND LOWER(subject) = LOWER(?)", q.Subject)
		}
	}
	if q.Session != "" {
		b.add(" AND session = ?", q.Session)
	}
	if !q.From.IsZero() {
		b.add(" AND at >= ?", stamp(q.From))
	}
	if !q.To.IsZero() {
		b.add(" AND at < ?", stamp(q.To))
	}
}

// EachEvent hands all lines that q asks for to do, page after page, the newest first:
// however long the log is, no more of it than a page is held at once, and nothing is
// kept locked between two pages. It ends with the first error of do.
func (d *DB) EachEvent(ctx context.Context, q EventQuery, do func([]school.Event) error) error {
	q.Limit = maxPageLength
	for {
		page, err := d.Events(ctx, q)
		if err != nil {
			return err
		}
		if err := do(page.Events); err != nil || page.Next == "" {
			return err
		}
		q.After = page.Next
	}
}

func scanEvent(row scanner) (e school.Event, err error) {
	err = row.Scan(&e.ID, instant{&e.At}, &e.Action, &e.Actor.ID, &e.Actor.Name, &e.SubjectID, &e.Subject, &e.Detail, &e.Session, &e.Address)
	return e, err
}
