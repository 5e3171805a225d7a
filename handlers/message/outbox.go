// Package message carries mails and text messages to people.
//
// Whoever has something to say gives it to [Outbox.Send], which writes one row
// and returns. So a page that sends takes as long as one that does not: what a mail
// server makes of it happens later and elsewhere, and a page that has nobody to write
// to says so with [Outbox.SendNothing], which writes a row as well.
//
// [Outbox.Run] is the elsewhere. Every second it looks for rows that are due, one
// worker for each channel, so that a telephone company which does not answer keeps no
// mail waiting. A worker claims a row before it hands it to the [Carrier] of its
// channel. A claim is a change of the row that only one of several processes can make,
// and it ends by itself: a process that dies over a row loses nothing, since another
// tries it again. What a carrier does not take is tried again after one, five and
// twenty-five minutes, and then given up; what it refuses for good is given up at once.
//
// The one thing that is not known is whether a carrier took a message from a process
// that died before it could note it. Such a message is sent again, since twice is
// better than not at all, and a mail is then the same one by its Message-ID.
//
// The body of a message may hold a code, so it is blanked as soon as the message is
// sent or given up. Only a demonstration keeps it, for everybody to read.
package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/db/school"
)

// Errors that callers tell apart.
var (
	// ErrNoCarrier: this site has nobody to carry messages of that channel, so it
	// offers nothing that needs them; see [Outbox.Carries].
	ErrNoCarrier = errors.New("message: there is no carrier")
	// ErrRefused: a carrier will not take this message, however often it is asked.
	ErrRefused = errors.New("message: refused for good")
)

// Carrier takes messages of one channel to people.
type Carrier interface {
	// Carry returns nil when the message is on its way, and an error that is
	// [ErrRefused] if another try is of no use. The error holds no secret of the
	// carrier's, nothing of the message, and nothing that the other side wrote.
	Carry(ctx context.Context, m school.Message) error
}

// Store is where messages lie.
type Store interface {
	AddMessage(ctx context.Context, m school.Message) error
	DueMessages(ctx context.Context, channel school.Channel, now time.Time, limit int) ([]school.Message, error)
	// The next three return [school.ErrNotFound] if somebody else has begun another
	// try meanwhile.
	ClaimMessage(ctx context.Context, id school.ID, tries int, until time.Time) error
	PostponeMessage(ctx context.Context, id school.ID, try int, due time.Time) error
	SettleMessage(ctx context.Context, id school.ID, try int, state school.MessageState, keep bool) error
}

// Config is what an outbox is made of.
type Config struct {
	Store Store
	// Carriers are those that this site has.
	Carriers map[school.Channel]Carrier
	// Keep has every message kept whole, for the inbox of a demonstration. A channel
	// without a carrier then ends there.
	Keep bool
	Log  *slog.Logger
	Now  func() time.Time
}

// Outbox is where messages are sent from. It is safe for concurrent use.
type Outbox struct{ Config }

// New makes an outbox. Nothing leaves it before [Outbox.Run].
func New(c Config) *Outbox { return &Outbox{c} }

// Carries reports whether messages of the channel reach anybody.
func (o *Outbox) Carries(channel school.Channel) bool {
	return o.Carriers[channel] != nil || o.Keep
}

// Send writes a message down, to be carried soon. It needs a channel, an address, a
// body, and by mail a subject. It returns [ErrNoCarrier] if its channel has none, and
// an error if it must not be sent as it is; see [school.Message.Check].
func (o *Outbox) Send(ctx context.Context, m school.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	return o.add(ctx, m, school.MessageWaiting)
}

// SendNothing does what Send does where there is no reason to send the message, as to an
// address that nobody here has: it takes as long, and nobody hears of it. The row that it
// writes is as long as that of the message, and says nothing of it.
func (o *Outbox) SendNothing(ctx context.Context, m school.Message) error {
	_ = m.Check()
	blank := func(text string) string { return strings.Repeat(" ", len(text)) }
	m.To, m.Subject, m.Body, m.User, m.Browser = blank(m.To), blank(m.Subject), blank(m.Body), "", slices.Repeat([]byte{' '}, len(m.Browser))
	return o.add(ctx, m, school.MessageNone)
}

func (o *Outbox) add(ctx context.Context, m school.Message, state school.MessageState) error {
	if !o.Carries(m.Channel) {
		return ErrNoCarrier
	}
	if state == school.MessageWaiting && o.Carriers[m.Channel] == nil {
		state = school.MessageSent
	}
	if m.ID == "" {
		m.ID = school.MustNewID()
	}
	if m.At.IsZero() {
		m.At = o.Now()
	}
	m.State, m.Tries = state, 0
	return o.Store.AddMessage(ctx, m)
}

const (
	lookAgain = time.Second
	batch     = 20
	// tryTime is how long one try may take, and lastWords how long one that is under
	// way may still take when the program stops.
	tryTime   = 30 * time.Second
	lastWords = 5 * time.Second
	// claimTime is for how long a row is one process's. It is longer than a try and
	// all that is noted of it, so that two processes are never at the same row.
	claimTime = 2 * time.Minute
	// noteTime is how long it may take to note how a try ended.
	noteTime = 20 * time.Second
)

// pauses are how long after each try the next one is made.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 25 * time.Minute}

// Run carries messages until ctx ends. It returns when the last try is over.
func (o *Outbox) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for channel, carrier := range o.Carriers {
		if carrier != nil {
			workers.Go(func() { o.work(ctx, channel, carrier) })
		}
	}
	workers.Wait()
}

// work looks for what is due again and again. It is not woken by Send: the request
// that sent would then compete with it for the database, which would tell by its time
// that there was something to send.
func (o *Outbox) work(ctx context.Context, channel school.Channel, carrier Carrier) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		if err := o.carryDue(ctx, channel, carrier); err != nil && ctx.Err() == nil {
			o.Log.Warn("messages not looked at", "channel", channel, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// carryDue carries what is due now, in order.
func (o *Outbox) carryDue(ctx context.Context, channel school.Channel, carrier Carrier) error {
	for {
		due, err := o.Store.DueMessages(ctx, channel, o.Now(), batch)
		if err != nil {
			return err
		}
		for _, m := range due {
			if ctx.Err() != nil {
				return nil
			}
			err := o.Store.ClaimMessage(ctx, m.ID, m.Tries, o.Now().Add(claimTime))
			switch {
			case errors.Is(err, school.ErrNotFound): // another process has it
			case err != nil:
				return err
			default:
				m.Tries++
				o.note(ctx, m, o.try(ctx, m, carrier))
			}
		}
		if len(due) < batch {
			return nil
		}
	}
}

// errTooLate is for a message whose time was over before it was tried.
var errTooLate = errors.New("message: it is of no use any more")

// try hands a message that was claimed to its carrier. When the program stops, a try
// that is under way is not broken off at once, since what then became of the message
// would not be known.
func (o *Outbox) try(ctx context.Context, m school.Message, carrier Carrier) (err error) {
	if o.tooLate(m, o.Now()) {
		return errTooLate
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-limited.Done():
		case <-time.After(lastWords):
			cancel()
		}
	})()
	// What a carrier is made of parses what strangers send; it must not end the site.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("message: the carrier panicked: %T", r)
		}
	}()
	return carrier.Carry(limited, m)
}

func (o *Outbox) tooLate(m school.Message, at time.Time) bool {
	return !m.Until.IsZero() && !at.Before(m.Until)
}

// note writes down how a try ended. Nothing is logged of the message but its number.
func (o *Outbox) note(ctx context.Context, m school.Message, failed error) {
	log := o.Log.With("id", m.ID, "channel", m.Channel, "try", m.Tries)
	var write func(context.Context) error
	settle := func(state school.MessageState) func(context.Context) error {
		return func(ctx context.Context) error { return o.Store.SettleMessage(ctx, m.ID, m.Tries, state, o.Keep) }
	}
	next, again := o.next(m)
	switch {
	case failed == nil:
		log.Info("message sent")
		write = settle(school.MessageSent)
	case !again || errors.Is(failed, ErrRefused):
		log.Error("message given up", "err", failed)
		write = settle(school.MessageGivenUp)
	default:
		log.Warn("message not sent yet", "next", next, "err", failed)
		write = func(ctx context.Context) error { return o.Store.PostponeMessage(ctx, m.ID, m.Tries, next) }
	}
	if err := insist(ctx, write); err != nil {
		log.Error("not noted what became of a message", "err", err)
	}
}

// next is when a message is tried again after the try that has just ended, if at all.
func (o *Outbox) next(m school.Message) (time.Time, bool) {
	if m.Tries > len(pauses) {
		return time.Time{}, false
	}
	next := o.Now().Add(pauses[m.Tries-1])
	return next, !o.tooLate(m, next)
}

// insist writes although the program is about to stop, and again while the database
// is busy: a message that was sent and is not noted as such would be sent again.
func insist(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	for {
		err := write(ctx)
		if !errors.Is(err, school.ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(lookAgain):
		}
	}
}
