package db

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"lectern/db/school"
)

const messageColumns = `
	SELECT m.id,
	       m.channel,
	       m.recipient,
	       m.subject,
	       COALESCE(m.user_id, ''),
	       m.browser,
	       m.at,
	       m.good_until,
	       m.state,
	       m.tries,
	       m.body
	  FROM messages AS m`

func scanMessage(row scanner) (m school.Message, err error) {
	err = row.Scan(&m.ID, &m.Channel, &m.To, &m.Subject, &m.User, &m.Browser, instant{&m.At}, instant{&m.Until}, &m.State, &m.Tries, &m.Body)
	return m, err
}

var (
	insertMessage = statement("insert message", `
	INSERT INTO messages (id, channel, recipient, subject, user_id, browser, at, good_until, state, tries, due_at, body)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $7, $10)`)

	dueMessages = statement("due messages", messageColumns+`
	 WHERE m.state = 'waiting'
	   AND m.channel = $1
	   AND m.due_at <= $2
	 ORDER BY m.due_at, m.id
	 LIMIT $3`)

	claimMessage = statement("claim message", `
	UPDATE messages
	   SET tries = tries + 1,
	       due_at = $1
	 WHERE id = $2
	   AND tries = $3
	   AND state = 'waiting'`)

	postponeMessage = statement("postpone message", `
	UPDATE messages
	   SET due_at = $1
	 WHERE id = $2
	   AND tries = $3
	   AND state = 'waiting'`)

	settleMessage = statement("settle message", `
	UPDATE messages
	   SET state = $1,
	       body = CASE WHEN $2 = 1 THEN body ELSE '' END
	 WHERE id = $3
	   AND tries = $4
	   AND state = 'waiting'`)

	sweepMessages = statement("sweep messages", `
	DELETE FROM messages
	 WHERE id IN (
	       SELECT id
	         FROM messages
	        WHERE at < $1
	          AND (state <> 'waiting' OR at < $2)
	        ORDER BY at
	        LIMIT $3)`)
)

// AddMessage writes a message down, complete with its ID, time and state. One that
// waits is due at once.
func (d *DB) AddMessage(ctx context.Context, m school.Message) error {
	var user any
	if m.User != "" {
		user = m.User
	}
	return d.write(ctx, func(t *tx) error {
		return t.must(ctx, insertMessage,
			m.ID, m.Channel, m.To, m.Subject, user, m.Browser, stamp(m.At), stamp(m.Until), m.State, m.Body)
	})
}

// DueMessages lists messages of a channel that are to be tried now, at most limit,
// in the order in which they became due.
func (d *DB) DueMessages(ctx context.Context, channel school.Channel, now time.Time, limit int) ([]school.Message, error) {
	return all(ctx, d, dueMessages, scanMessage, channel, stamp(now), limit)
}

// ClaimMessage begins a try of a message that was due with so many tries: nobody
// else begins one before until. It returns [school.ErrNotFound] if somebody was
// quicker.
func (d *DB) ClaimMessage(ctx context.Context, id school.ID, tries int, until time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.must(ctx, claimMessage, stamp(until), id, tries) })
}

// PostponeMessage ends the try of that number without success: the next one is due
// then. It returns [school.ErrNotFound] if somebody else has begun another meanwhile.
func (d *DB) PostponeMessage(ctx context.Context, id school.ID, try int, due time.Time) error {
	return d.write(ctx, func(t *tx) error { return t.must(ctx, postponeMessage, stamp(due), id, try) })
}

// SettleMessage ends the last try of a message, that of the number, and blanks its
// body unless it is kept. It returns [school.ErrNotFound] if somebody else has begun
// another try meanwhile.
func (d *DB) SettleMessage(ctx context.Context, id school.ID, try int, state school.MessageState, keep bool) error {
	return d.write(ctx, func(t *tx) error { return t.must(ctx, settleMessage, state, bit(keep), id, try) })
}

// InboxQuery says whose messages to list: those of everybody whom it names.
type InboxQuery struct {
	Demo    bool      // the demo accounts
	User    school.ID // a person; empty for nobody
	Browser []byte    // whoever used this browser; nil for none
	After   string    // the Next of the page before; empty for the first
	Limit   int       // messages of a page; 24 if not given, at most 100
}

// InboxPage is one page of messages.
type InboxPage struct {
	Messages []school.Message
	Next     string // what to ask for next; empty on the last page
}

// Inbox lists messages, the newest first. A cursor that is none begins at the first
// page.
func (d *DB) Inbox(ctx context.Context, q InboxQuery) (InboxPage, error) {
	limit := pageLimit(q.Limit)
	var b builder
	b.add(messageColumns + `
	  LEFT JOIN users AS u ON u.id = m.user_id
	 WHERE (1 = 0`)
	if q.Demo {
		b.add(" OR u.demo = 1")
	}
	if q.User != "" {
		b.add(" OR m.user_id = ?", q.User)
	}
	if len(q.Browser) > 0 {
		b.add(" OR m.browser = ? AND (m.user_id IS NULL OR EXISTS (SELECT 1 FROM known_browsers AS k WHERE k.user_id = m.user_id AND k.browser = ?))", q.Browser, q.Browser)
	}
	b.add(")")
	if after, ok := parseCursor(q.After, orderByTime); ok {
		if at, ok := after.number(); ok {
			b.add(" AND (m.at, m.id) < (?, ?)", at, after.id)
		}
	}
	b.add(" ORDER BY m.at DESC, m.id DESC LIMIT ?", limit+1)
	rows, err := all(ctx, d, b.query("list messages"), scanMessage, b.args...)
	if err != nil {
		return InboxPage{}, err
	}
	var page InboxPage
	var last *school.Message
	if page.Messages, last = cutPage(rows, limit); last != nil {
		page.Next = cursor{orderByTime, strconv.FormatInt(last.At.UnixMilli(), 10), last.ID}.String()
	}
	return page, nil
}

// Bounds of what is kept of messages.
const (
	messageLife  = 24 * time.Hour
	unsentLife   = 7 * 24 * time.Hour
	messageSweep = 500
)

// Messages are the mails and text messages that are kept, to be swept.
type Messages struct {
	DB  *DB
	Now func() time.Time
}

// Name is "messages".
func (Messages) Name() string { return "messages" }

// Sweep clears away messages that are older than a day. Those that still wait to be
// sent have a week, in case the program was away. It returns how many it cleared
// away, at most 500 at a time.
func (m Messages) Sweep(ctx context.Context) (int, error) {
	var swept int64
	err := m.DB.write(ctx, func(t *tx) (err error) {
		now := m.Now()
		swept, err = t.exec(ctx, sweepMessages, stamp(now.Add(-messageLife)), stamp(now.Add(-unsentLife)), messageSweep)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("db: messages: %w", err)
	}
	return int(swept), nil
}
