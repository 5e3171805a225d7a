package message_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/message"
)

// noon is when everything in these tests begins.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	who    = "ada@school.example"
	number = "+447700900123"
	secret = "Your code is 4711 0815."
)

func mail(subject string) school.Message {
	return school.Message{Channel: school.ByMail, To: who, Subject: subject, Body: secret}
}

func text() school.Message {
	return school.Message{Channel: school.ByText, To: number, Body: secret}
}

// carrier is one that notes what it was given and answers what it is told to.
type carrier struct {
	mu      sync.Mutex
	carried []school.Message
	answers []error // for one try each; then nil
	during  func(context.Context) error
}

func (c *carrier) Carry(ctx context.Context, m school.Message) error {
	c.mu.Lock()
	c.carried = append(c.carried, m)
	var err error
	if len(c.answers) > 0 {
		err, c.answers = c.answers[0], c.answers[1:]
	}
	c.mu.Unlock()
	if c.during != nil {
		return c.during(ctx)
	}
	return err
}

func (c *carrier) subjects() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.carried {
		all = append(all, m.Subject)
	}
	return all
}

// post is an outbox on a database of its own, with a clock that stands still.
type post struct {
	*message.Outbox
	t   *testing.T
	db  *db.DB
	now time.Time
	log strings.Builder
}

// newPost makes an outbox with carriers for mails, for text messages, or for both; a
// nil one is none.
func newPost(t *testing.T, keep bool, mails, texts message.Carrier) *post {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	p := &post{t: t, db: d, now: noon}
	carriers := map[school.Channel]message.Carrier{}
	if mails != nil {
		carriers[school.ByMail] = mails
	}
	if texts != nil {
		carriers[school.ByText] = texts
	}
	p.Outbox = message.New(message.Config{
		Store: d, Carriers: carriers, Keep: keep, Log: slog.New(slog.NewTextHandler(&p.log, nil)), Now: func() time.Time { return p.now },
	})
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// carry has everything carried that is due after a while.
func (p *post) carry(later time.Duration) {
	p.t.Helper()
	p.now = p.now.Add(later)
	must(p.t, p.CarryDue(p.t.Context()))
}

// row is how a message lies in the table.
type row struct {
	State string
	Tries int
	Body  string
}

func (p *post) rows() []row { return rowsOf(p.t, p.db) }

func rowsOf(t *testing.T, d *db.DB) (all []row) {
	t.Helper()
	found, err := d.Reader().QueryContext(context.WithoutCancel(t.Context()), `SELECT state, tries, body FROM messages ORDER BY at, subject`)
	must(t, err)
	defer found.Close()
	for found.Next() {
		var r row
		must(t, found.Scan(&r.State, &r.Tries, &r.Body))
		all = append(all, r)
	}
	must(t, found.Err())
	return all
}

func (p *post) wantRows(says string, want ...row) {
	p.t.Helper()
	if got := p.rows(); !slices.Equal(got, want) {
		p.t.Errorf("%s: the table holds %+v, want %+v", says, got, want)
	}
}

func TestSend_refusesWhatMustNotBeSent(t *testing.T) {
	c := &carrier{}
	p := newPost(t, false, c, c)
	for _, row := range []struct {
		says    string
		message school.Message
	}{
		{"a subject that begins another line", mail("Hello\r\nBcc: eve@evil.example")},
		{"a subject with a bare line feed", mail("Hello\nBcc: eve@evil.example")},
		{"a subject with a bare carriage return", mail("Hello\rBcc: eve@evil.example")},
		{"a mail without a subject", mail("")},
		{"a subject without end", mail(strings.Repeat("a", school.MaxSubject+1))},
		{"an address that begins another line", school.Message{Channel: school.ByMail, To: "ada@school.example\r\nBcc: eve@evil.example", Subject: "S", Body: "B"}},
		{"an address that begins another command", school.Message{Channel: school.ByMail, To: "ada@school.example>\r\nRCPT TO:<eve@evil.example", Subject: "S", Body: "B"}},
		{"two addresses", school.Message{Channel: school.ByMail, To: "ada@school.example, eve@evil.example", Subject: "S", Body: "B"}},
		{"an address with a name", school.Message{Channel: school.ByMail, To: "Ada <ada@school.example>", Subject: "S", Body: "B"}},
		{"an address that was not parsed", school.Message{Channel: school.ByMail, To: " Ada@school.example", Subject: "S", Body: "B"}},
		{"a telephone number by mail", school.Message{Channel: school.ByMail, To: number, Subject: "S", Body: "B"}},
		{"an e-mail address by text message", school.Message{Channel: school.ByText, To: who, Body: "B"}},
		{"a number that was not parsed", school.Message{Channel: school.ByText, To: "+44 7700 900123", Body: "B"}},
		{"no body", school.Message{Channel: school.ByText, To: number}},
		{"a body with what ends a string", school.Message{Channel: school.ByText, To: number, Body: "a\x00b"}},
		{"a channel that is none", school.Message{Channel: "pigeon", To: who, Subject: "S", Body: "B"}},
		{"nothing", school.Message{}},
	} {
		err := p.Send(t.Context(), row.message)
		if err == nil {
			t.Errorf("%s was accepted", row.says)
		} else if strings.Contains(err.Error(), "evil") {
			t.Errorf("%s is quoted: %v", row.says, err)
		}
	}
	p.wantRows("after all that")
}

func TestSend_withoutACarrier(t *testing.T) {
	for _, row := range []struct {
		says         string
		post         *post
		mails, texts bool
	}{
		{"a site without settings", newPost(t, false, nil, nil), false, false},
		{"a site with a mail server", newPost(t, false, &carrier{}, nil), true, false},
		{"a site with a gateway", newPost(t, false, nil, &carrier{}), false, true},
		{"a demonstration", newPost(t, true, nil, nil), true, true},
	} {
		for _, one := range []struct {
			message school.Message
			carried bool
		}{{mail("S"), row.mails}, {text(), row.texts}} {
			channel := one.message.Channel
			if got := row.post.Carries(channel); got != one.carried {
				t.Errorf("%s carries by %s: %v", row.says, channel, got)
			}
			for _, err := range []error{row.post.Send(t.Context(), one.message), row.post.SendNothing(t.Context(), one.message)} {
				if errors.Is(err, message.ErrNoCarrier) == one.carried || one.carried && err != nil {
					t.Errorf("%s answers to a message by %s: %v", row.says, channel, err)
				}
			}
		}
	}
}

func TestOutbox_carriesInOrderAndForgetsWhatItSaid(t *testing.T) {
	c := &carrier{}
	p := newPost(t, false, c, nil)
	for _, subject := range []string{"first", "second", "third"} {
		must(t, p.Send(t.Context(), mail(subject)))
		p.now = p.now.Add(time.Second)
	}
	p.wantRows("before", row{"waiting", 0, secret}, row{"waiting", 0, secret}, row{"waiting", 0, secret})
	p.carry(0)
	p.carry(time.Hour)
	if got, want := c.subjects(), []string{"first", "second", "third"}; !slices.Equal(got, want) {
		t.Errorf("it carried %q, want %q", got, want)
	}
	if got := c.carried[0]; got.To != who || got.Body != secret || !got.At.Equal(noon) {
		t.Errorf("the carrier was given %+v", got)
	}
	p.wantRows("afterwards", row{"sent", 1, ""}, row{"sent", 1, ""}, row{"sent", 1, ""})
	if log := p.log.String(); strings.Contains(log, who) || strings.Contains(log, "4711") || !strings.Contains(log, "message sent") {
		t.Errorf("the log says %s", log)
	}
}

func TestOutbox_keepsWhatItSaidInADemonstration(t *testing.T) {
	p := newPost(t, true, &carrier{answers: []error{message.ErrRefused}}, nil)
	must(t, p.Send(t.Context(), mail("one")))
	must(t, p.Send(t.Context(), mail("two")))
	p.carry(0)
	got := p.rows()
	slices.SortFunc(got, func(a, b row) int { return strings.Compare(a.State, b.State) })
	if want := []row{{"given up", 1, secret}, {"sent", 1, secret}}; !slices.Equal(got, want) {
		t.Errorf("with a carrier the table holds %+v, want %+v", got, want)
	}
	p = newPost(t, true, nil, nil)
	must(t, p.Send(t.Context(), text()))
	p.wantRows("without one it is there at once", row{"sent", 0, secret})
}

func TestOutbox_triesAgainAndGivesUp(t *testing.T) {
	away := errors.New("away")
	c := &carrier{answers: []error{away, away, away, away}}
	p := newPost(t, false, c, nil)
	must(t, p.Send(t.Context(), mail("S")))
	for _, step := range []struct {
		later time.Duration
		want  row
	}{
		{0, row{"waiting", 1, secret}},
		{time.Minute - time.Millisecond, row{"waiting", 1, secret}}, {time.Millisecond, row{"waiting", 2, secret}},
		{5*time.Minute - time.Millisecond, row{"waiting", 2, secret}}, {time.Millisecond, row{"waiting", 3, secret}},
		{25*time.Minute - time.Millisecond, row{"waiting", 3, secret}}, {time.Millisecond, row{"given up", 4, ""}},
		{24 * time.Hour, row{"given up", 4, ""}},
	} {
		p.carry(step.later)
		p.wantRows(fmt.Sprintf("after %v more", step.later), step.want)
	}
	if n := len(c.carried); n != 4 {
		t.Errorf("it was tried %d times, want 4", n)
	}
	if log := p.log.String(); strings.Count(log, "message not sent yet") != 3 || strings.Count(log, "message given up") != 1 {
		t.Errorf("the log says %s", log)
	}
}

func TestOutbox_givesUpAtOnce(t *testing.T) {
	p := newPost(t, false, &carrier{answers: []error{fmt.Errorf("%w: no such box", message.ErrRefused)}}, nil)
	must(t, p.Send(t.Context(), mail("refused")))
	p.carry(0)
	p.wantRows("what is refused for good", row{"given up", 1, ""})

	c := &carrier{answers: []error{errors.New("away")}}
	p = newPost(t, false, c, nil)
	late, soon := mail("late"), mail("soon")
	late.Until, soon.Until = noon, noon.Add(time.Minute)
	must(t, p.Send(t.Context(), soon))
	must(t, p.Send(t.Context(), late))
	p.carry(0)
	p.wantRows("what is of no use any more, now or when it would be tried again", row{"given up", 1, ""}, row{"given up", 1, ""})
	if got := c.subjects(); !slices.Equal(got, []string{"soon"}) {
		t.Errorf("it tried %q, want only the one that was of use", got)
	}
}

func TestSendNothing_writesAsMuchAndSaysNothing(t *testing.T) {
	c := &carrier{}
	p := newPost(t, true, c, nil)
	letter, line := mail("S"), text()
	letter.Browser = []byte("hash")
	blank := func(m school.Message) row { return row{"none", 0, strings.Repeat(" ", len(m.Body))} }
	must(t, p.SendNothing(t.Context(), letter))
	must(t, p.SendNothing(t.Context(), line))
	p.carry(time.Hour)
	p.wantRows("after nothing was sent", blank(letter), blank(line))
	var said string
	must(t, p.db.Reader().QueryRowContext(t.Context(), `SELECT GROUP_CONCAT(recipient || subject || COALESCE(user_id, '') || COALESCE(browser, ''), '') FROM messages`).Scan(&said))
	if strings.TrimSpace(said) != "" {
		t.Errorf("the table tells %q", said)
	}
	if len(c.carried) != 0 {
		t.Errorf("it carried %+v", c.carried)
	}
}

// TestOutbox_leavesWhatAnotherProcessIsAt until that one must have died.
func TestOutbox_leavesWhatAnotherProcessIsAt(t *testing.T) {
	c := &carrier{}
	p := newPost(t, false, c, nil)
	must(t, p.Send(t.Context(), mail("S")))
	due, err := p.db.DueMessages(t.Context(), school.ByMail, p.now, 1)
	must(t, err)
	must(t, p.db.ClaimMessage(t.Context(), due[0].ID, 0, p.now.Add(2*time.Minute)))
	if err := p.db.ClaimMessage(t.Context(), due[0].ID, 0, p.now.Add(2*time.Minute)); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("a second claim is answered with %v", err)
	}
	p.carry(2*time.Minute - time.Millisecond)
	if len(c.carried) != 0 {
		t.Error("two processes were at one message")
	}
	p.carry(time.Millisecond)
	p.wantRows("after its process died", row{"sent", 2, ""})
	if err := p.db.SettleMessage(t.Context(), due[0].ID, 1, school.MessageGivenUp, false); !errors.Is(err, school.ErrNotFound) {
		t.Errorf("the dead one's note is answered with %v", err)
	}
	p.wantRows("and came back", row{"sent", 2, ""})
}

// TestOutbox_sendsOnceFromManyProcesses opens one file several times.
func TestOutbox_sendsOnceFromManyProcesses(t *testing.T) {
	const messages, processes = 60, 3
	path := filepath.Join(t.TempDir(), "lectern.db")
	c := &carrier{}
	var all []*message.Outbox
	for range processes {
		d, err := db.Open(t.Context(), path)
		must(t, err)
		defer d.Close()
		all = append(all, message.New(message.Config{
			Store: d, Carriers: map[school.Channel]message.Carrier{school.ByMail: c}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
		}))
	}
	var want []string
	for i := range messages {
		want = append(want, fmt.Sprintf("%03d", i))
		must(t, all[0].Send(t.Context(), mail(want[i])))
	}
	var at sync.WaitGroup
	for _, o := range all {
		at.Go(func() {
			for len(c.subjects()) < messages {
				// One that finds the file locked looks again, as Run does.
				if err := o.CarryDue(t.Context()); err != nil && !errors.Is(err, school.ErrBusy) {
					t.Error(err)
					return
				}
			}
		})
	}
	at.Wait()
	got := c.subjects()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it sent %d messages: %q", len(got), got)
	}
}

// onAClock runs a test of Run by a clock that goes on as soon as nobody has anything
// left to do.
func onAClock(t *testing.T, c message.Carrier, test func(t *testing.T, d *db.DB, o *message.Outbox, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
		must(t, err)
		defer d.Close()
		o := message.New(message.Config{Store: d, Carriers: map[school.Channel]message.Carrier{school.ByMail: c}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); o.Run(ctx) }()
		stop := func() { cancel(); <-ended }
		defer stop()
		test(t, d, o, stop)
	})
}

func TestRun_carriesSoonAndAfterARestart(t *testing.T) {
	c := &carrier{}
	onAClock(t, c, func(t *testing.T, d *db.DB, o *message.Outbox, stop func()) {
		must(t, o.Send(t.Context(), mail("S")))
		if len(c.subjects()) != 0 {
			t.Error("it was carried while it was sent")
		}
		time.Sleep(1100 * time.Millisecond)
		if got := rowsOf(t, d); !slices.Equal(got, []row{{"sent", 1, ""}}) {
			t.Errorf("a second later the table holds %+v", got)
		}
		stop()
		must(t, o.Send(t.Context(), mail("T")))
		time.Sleep(time.Hour)
		if got := c.subjects(); len(got) != 1 {
			t.Errorf("it carried %q after it was stopped", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		again := make(chan struct{})
		go func() { defer close(again); o.Run(ctx) }()
		time.Sleep(100 * time.Millisecond)
		if got := c.subjects(); !slices.Equal(got, []string{"S", "T"}) {
			t.Errorf("after a restart it has carried %q", got)
		}
		cancel()
		<-again
	})
}

func TestRun_endsATryThatIsUnderWay(t *testing.T) {
	for _, row := range []struct {
		says  string
		takes time.Duration
		ends  time.Duration
		state string
	}{
		{"soon over, it is waited for", 3 * time.Second, 3 * time.Second, "sent"},
		{"not soon over, it is broken off", 20 * time.Second, 5 * time.Second, "waiting"},
	} {
		t.Run(row.says, func(t *testing.T) {
			c := &carrier{during: func(ctx context.Context) error {
				select {
				case <-time.After(row.takes):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}}
			onAClock(t, c, func(t *testing.T, d *db.DB, o *message.Outbox, stop func()) {
				must(t, o.Send(t.Context(), mail("S")))
				time.Sleep(1100 * time.Millisecond)
				if len(c.subjects()) != 1 {
					t.Fatal("no try is under way")
				}
				began := time.Now()
				stop()
				if took := time.Since(began); took > row.ends {
					t.Errorf("it took %v to stop, want %v at most", took, row.ends)
				}
				if got := rowsOf(t, d); len(got) != 1 || got[0].State != row.state || got[0].Tries != 1 {
					t.Errorf("the table holds %+v, want one %s", got, row.state)
				}
			})
		})
	}
}

func TestRun_outlivesACarrierThatHangsOrPanics(t *testing.T) {
	hangs := &carrier{during: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	onAClock(t, hangs, func(t *testing.T, d *db.DB, o *message.Outbox, stop func()) {
		must(t, o.Send(t.Context(), mail("S")))
		time.Sleep(32 * time.Second)
		if got := rowsOf(t, d); !slices.Equal(got, []row{{"waiting", 1, secret}}) {
			t.Errorf("after a try without end the table holds %+v", got)
		}
		time.Sleep(time.Minute)
		if len(hangs.subjects()) != 2 {
			t.Errorf("it was tried %d times, want twice", len(hangs.subjects()))
		}
	})
	panics := &carrier{during: func(context.Context) error { panic("a bug: " + secret) }}
	p := newPost(t, false, panics, nil)
	must(t, p.Send(t.Context(), mail("S")))
	p.carry(0)
	p.wantRows("after a panic", row{"waiting", 1, secret})
	if log := p.log.String(); strings.Contains(log, "4711") || !strings.Contains(log, "panicked") {
		t.Errorf("the log says %s", log)
	}
}
