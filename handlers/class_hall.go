package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/session"
)

// Bounds of what screens are told.
const (
	// hallTick is how often a class that somebody looks at is read.
	hallTick = 500 * time.Millisecond
	// streamLife is how long a screen is told things before it has to ask anew, less
	// up to a fifth, so that a class does not ask in one second. It is shorter than
	// the minute after which the server would cut an answer off.
	streamLife = 55 * time.Second
	// streamBeat is how often a screen is told that nothing has happened, which finds
	// out those who have gone.
	streamBeat = 15 * time.Second
	// slowest is how long a screen may take to be told something.
	slowest = 5 * time.Second
	// leadersOfClass is how many screens may be in front of one class, and
	// leadersInAll in front of all classes on this server. Learners take no room of
	// theirs.
	leadersOfClass = 20
	leadersInAll   = 1000
	// screensOfLearner is how many screens one learner may have in a class: a
	// telephone, another, and one that has gone without a word.
	screensOfLearner = 3
	// newcomersOfClass is how many screens those may have in a class who have not
	// predicted in it yet, and newcomersInAll in all classes. Whoever can make up a
	// number is one of them, so there are bounds for what comes from one network:
	// two hundred telephones do, of a class in a room, and those of the next room.
	newcomersOfClass   = db.ClassLearners
	newcomersInAll     = 3000
	newcomersOfNetwork = 400
	// learnersInAll is how many screens all other learners may have on this server,
	// and screensOfNetwork how many of all learners may be behind one address.
	learnersInAll    = 5000
	screensOfNetwork = 1500
	// hallWait is after how many seconds whoever finds no room asks again.
	hallWait = 10 * time.Second
)

// hall tells the screens of all classes how their class stands. However many look
// at a class, one goroutine reads it, and it ends with the last of them. What is
// told is made once, and handed to each screen through a queue; a screen that is
// behind by a queue is dropped, and finds everything when it asks again.
type hall struct {
	read func(context.Context, school.ClassCode) (leaders, learners []byte, err error)
	tick time.Duration

	ctx  context.Context // ends with the site
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	classes  map[school.ClassCode]*audience
	screens  crowd
	networks map[netip.Prefix]crowd
}

// crowd counts screens.
type crowd struct{ leaders, learners, newcomers int }

// add counts one more screen, or with -1 one less.
func (c *crowd) add(of looker, n int) {
	switch {
	case of.leads:
		c.leaders += n
	case of.newcomer:
		c.newcomers += n
	default:
		c.learners += n
	}
}

// audience are those who look at one class.
type audience struct {
	stop              context.CancelFunc
	screens           map[*screen]bool
	count             crowd
	numbers           map[school.ID]int // how many screens each learner has
	leaders, learners []byte            // what they were told last; nil before the first reading
}

// looker is somebody who wants to be told how a class stands.
type looker struct {
	leads bool
	// number is a learner's, and empty where they have none.
	number school.ID
	// newcomer is a learner who has not predicted in the class yet.
	newcomer bool
	network  netip.Prefix
}

// screen is one who looks.
type screen struct {
	looker
	code school.ClassCode
	// news are events as they go over the wire. It is closed when the screen has been
	// dropped.
	news chan []byte
}

func newHall(read func(context.Context, school.ClassCode) (leaders, learners []byte, err error), tick time.Duration) *hall {
	ctx, stop := context.WithCancel(context.Background())
	return &hall{read: read, tick: tick, ctx: ctx, stop: stop, classes: map[school.ClassCode]*audience{}, networks: map[netip.Prefix]crowd{}}
}

// close drops everybody, and waits until nothing of it runs any more.
func (h *hall) close() {
	h.mu.Lock()
	h.stop() // under the lock, so that nobody enters afterwards
	h.mu.Unlock()
	h.wg.Wait()
}

// enter adds a screen, which has to leave again.
func (h *hall) enter(code school.ClassCode, who looker) (*screen, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return nil, session.ErrUnavailable // the site is stopping
	}
	of := h.classes[code]
	if !h.hasRoom(of, who) {
		return nil, &auth.Throttled{RetryAfter: hallWait}
	}
	if of == nil {
		ctx, stop := context.WithCancel(h.ctx)
		of = &audience{stop: stop, screens: map[*screen]bool{}, numbers: map[school.ID]int{}}
		h.classes[code] = of
		h.wg.Go(func() { h.watch(ctx, code, of) })
	}
	queue := 8
	if who.leads {
		queue = 512 // the steps of a run come faster than they are sent
	}
	s := &screen{looker: who, code: code, news: make(chan []byte, queue)}
	of.screens[s] = true
	h.count(of, s, 1)
	if now := of.toldTo(s); now != nil {
		s.news <- now
	}
	return s, nil
}

// hasRoom reports whether one more may look at a class; of is nil where nobody does.
// The lock is held.
func (h *hall) hasRoom(of *audience, who looker) bool {
	if of == nil {
		of = &audience{}
	}
	if who.leads {
		return of.count.leaders < leadersOfClass && h.screens.leaders < leadersInAll
	}
	near := h.networks[who.network]
	switch {
	case near.learners+near.newcomers >= screensOfNetwork, who.number != "" && of.numbers[who.number] >= screensOfLearner:
		return false
	case who.newcomer:
		return of.count.newcomers < newcomersOfClass && near.newcomers < newcomersOfNetwork && h.screens.newcomers < newcomersInAll
	}
	return h.screens.learners < learnersInAll // in a class they are as many as it holds
}

// count notes that a screen has come, or with -1 gone. The lock is held.
func (h *hall) count(of *audience, s *screen, n int) {
	h.screens.add(s.looker, n)
	of.count.add(s.looker, n)
	if s.leads {
		return
	}
	near := h.networks[s.network]
	if near.add(s.looker, n); near == (crowd{}) {
		delete(h.networks, s.network)
	} else {
		h.networks[s.network] = near
	}
	if s.number == "" {
		return
	}
	if of.numbers[s.number] += n; of.numbers[s.number] == 0 {
		delete(of.numbers, s.number)
	}
}

func (a *audience) toldTo(s *screen) []byte {
	if s.leads {
		return a.leaders
	}
	return a.learners
}

// leave takes a screen away.
func (h *hall) leave(s *screen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(s)
}

func (h *hall) drop(s *screen) {
	of := h.classes[s.code]
	if of == nil || !of.screens[s] {
		return // it was dropped before
	}
	delete(of.screens, s)
	h.count(of, s, -1)
	close(s.news)
	if len(of.screens) == 0 {
		of.stop()
		delete(h.classes, s.code)
	}
}

// watch reads a class as long as somebody looks at it.
func (h *hall) watch(ctx context.Context, code school.ClassCode, of *audience) {
	tick := time.NewTicker(h.tick)
	defer tick.Stop()
	for {
		brief, cancel := context.WithTimeout(ctx, patience)
		leaders, learners, err := h.read(brief, code)
		cancel()
		if err == nil { // otherwise the database is away, and the next reading may tell more
			h.mu.Lock()
			if !bytes.Equal(leaders, of.leaders) {
				of.leaders = leaders
				h.send(of, leaders, true)
			}
			if !bytes.Equal(learners, of.learners) {
				of.learners = learners
				h.send(of, learners, false)
			}
			h.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// send hands an event to the leaders of a class, or to its learners. The lock is
// held.
func (h *hall) send(of *audience, event []byte, leads bool) {
	for s := range of.screens {
		if s.leads != leads {
			continue
		}
		select {
		case s.news <- event:
		default:
			h.drop(s)
		}
	}
}

// tellLeaders hands an event to those who lead a class, on this server.
func (h *hall) tellLeaders(code school.ClassCode, event []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if of := h.classes[code]; of != nil {
		h.send(of, event, true)
	}
}

// eventOf is an event as it goes over the wire (HTML Standard, 9.2.6).
func eventOf(name string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // what is told are numbers and words
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, text)
}

// classNews is what a screen is told of a class. A page with another version has to
// be fetched again; the rest changes in place.
type classNews struct {
	Version  string               `json:"version"`
	Learners *int                 `json:"learners,omitempty"`
	Tally    map[string]splitNews `json:"tally,omitempty"`
}

type splitNews struct {
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
}

// readClassNews reads a class for all its screens. Learners are not told the tally,
// nor is anybody while it is hidden.
func (s *Server) readClassNews(ctx context.Context, code school.ClassCode) (leaders, learners []byte, err error) {
	class, err := s.DB.Class(ctx, code)
	if errors.Is(err, school.ErrNotFound) {
		over := eventOf("class", classNews{Version: "over"})
		return over, over, nil
	}
	if err != nil {
		return nil, nil, err
	}
	lead := classNews{Version: s.versionOf(&class, true), Learners: &class.Tally.Learners}
	if e := s.askedIn(&class); e != nil && !class.Hidden {
		lead.Tally = map[string]splitNews{}
		for _, family := range e.Asks() {
			split := splitOf(class.Tally, family)
			lead.Tally[family] = splitNews{split.Accepted, split.Refused}
		}
	}
	return eventOf("class", lead), eventOf("class", classNews{Version: s.versionOf(&class, false)}), nil
}

// streamClass tells a screen how its class stands, until its time is over, it goes,
// it is too slow, or the site stops. It asks again by itself.
func (s *Server) streamClass(c echo.Context, code school.ClassCode, who looker) error {
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // a proxy must not collect them
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	screen, err := s.hall.enter(code, who)
	if err != nil {
		return err
	}
	defer s.hall.leave(screen)
	w.WriteHeader(http.StatusOK)
	wire := http.NewResponseController(w.Writer) // echo's own Flush swallows what went wrong
	hurry := func() {
		// What cannot have a deadline is a test's recorder, which is never slow.
		_ = wire.SetWriteDeadline(time.Now().Add(slowest))
	}
	defer hurry()
	say := func(text []byte) bool {
		hurry()
		_, err := w.Write(text)
		return err == nil && wire.Flush() == nil
	}
	end := time.NewTimer(streamLife - rand.N(streamLife/5))
	defer end.Stop()
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	if !say(fmt.Appendf(nil, "retry: %d\n\n", 500+rand.IntN(1500))) {
		return nil
	}
	for {
		select {
		case event, on := <-screen.news:
			if !on || !say(event) {
				return nil
			}
		case <-beat.C:
			if !say([]byte(": nothing new\n\n")) {
				return nil
			}
		case <-end.C:
			return nil
		case <-c.Request().Context().Done():
			return nil
		case <-s.hall.ctx.Done():
			return nil
		}
	}
}

// Close ends what goes on beside the requests, and the streams that would go on for
// a minute. The site can be asked afterwards, but tells nobody anything live.
func (s *Server) Close() { s.hall.close() }
