package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/jar"
	"lectern/handlers/session/kinds"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/token"
)

// Builder makes the site of a small world: the application as it runs everywhere,
// on a database of its own that is gone when the site is closed.
type Builder func(context.Context, Plan) (Site, error)

// Plan is what the site of a small world is made by.
type Plan struct {
	// Name is no other open world's.
	Name      string
	Setup     *Setup
	Base      *url.URL
	Lifetimes session.Lifetimes
	Now       func() time.Time
	// Records and Families stand between the backends and their stores.
	Records  func(serverstore.Store) serverstore.Store
	Families func(hybrid.Store) hybrid.Store
	// Break makes the backend with a deliberate mistake that takes the place of its
	// kind; nil for none.
	Break func(kinds.Kinds, kinds.Config) (session.Backend, error)
	// Watch is shown the session of each request.
	Watch func(*http.Request, *session.Visit)
}

// Site is the application in a small world.
type Site interface {
	// Boot starts a server of the site. What a server keeps to itself is empty
	// afterwards: the sessions in its memory, and its caches.
	Boot(ctx context.Context, server string, keys *token.Keyring) (http.Handler, error)
	// Person finds somebody by the name that scripts use.
	Person(name string) (Person, bool)
	// Lesson finds a lesson's id by its slug.
	Lesson(slug string) (school.ID, bool)
	// Kept is everything about sessions that lies on the servers, whatever kind they
	// are of.
	Kept(ctx context.Context) ([]Kept, error)
	Close() error
}

// Person is somebody in the school of a small world.
type Person struct {
	ID       school.ID
	Name     string
	Email    string
	Password string
}

// Kept is one record about a session, as it lies in its store.
type Kept struct {
	Place  string // "the database, table sessions"
	Fields []Field
	// Bytes is what its values take, without what the store adds to them.
	Bytes int
}

// lifetimes are those of every small world.
var lifetimes = session.Lifetimes{Token: time.Hour, Access: time.Minute, Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Remember: 720 * time.Hour}

// Lifetimes are how long sessions last in the small worlds.
func Lifetimes() session.Lifetimes { return lifetimes }

// world is one column of a run: a site, who comes to it, and what has happened.
type world struct {
	ctx         context.Context
	setup       *Setup
	lifetimes   session.Lifetimes
	base        *url.URL
	clock       clock
	site        Site
	gate        gate
	cookies     session.Cookies
	cookieNames []string
	servers     []*server
	turn        int // of the balancer
	shared      *token.Keyring
	keys        []string // kid:secret, of the shared ring, the one that signs first
	actors      map[string]*actor
	last        *actor // who did something last
	waiting     []*waiting
	bounds      Bounds
	rested      time.Time // when it last had some
	sent        int       // requests to the site so far
	before      int       // the present step
	loot        *loot
	read        []Field // what a script found in document.cookie
	courses     int     // that each session carries, where they are laden

	column   *Column
	entry    *Entry
	ended    *Exchange // the last exchange
	page     *page     // and what it showed
	measured map[string]float64
	decided  time.Time // when the verdict fell; zero before
	issued   time.Time // when somebody first signed in
	seen     sync.Map  // *http.Request to *session.Visit
}

// server is one of those that run the site.
type server struct {
	name    string
	handler http.Handler // nil while it is stopped
	ring    *token.Keyring
}

// actor is a browser, or a program, with a jar of its own.
type actor struct {
	name    string
	program bool
	number  int
	jar     *jar.Jar
	page    *page // the last that it saw
	// published are the public keys that it has fetched, as they came.
	published string
	home      string // the server that a sticky balancer leads it to
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// open makes a small world. It begins at nine in the morning of the day of the run.
func (l *Lab) open(ctx context.Context, build Builder, setup *Setup, today time.Time) (*world, error) {
	scheme := "http"
	if setup.HTTPS {
		scheme = "https"
	}
	day := today.UTC()
	w := &world{
		ctx: ctx, setup: setup, lifetimes: lifetimes,
		base:    &url.URL{Scheme: scheme, Host: "lectern.example"},
		clock:   clock{now: time.Date(day.Year(), day.Month(), day.Day(), 9, 0, 0, 0, time.UTC)},
		cookies: session.Cookies{Secure: setup.HTTPS},
		actors:  map[string]*actor{}, measured: map[string]float64{},
		ended: &Exchange{}, page: &page{}, bounds: l.queue.bounds, rested: time.Now(),
	}
	if setup.TokenLife != "" {
		life, err := time.ParseDuration(setup.TokenLife)
		if err != nil {
			return nil, err
		}
		w.lifetimes.Token = life
	}
	for _, base := range []string{"lectern-jwt", "lectern-sid", "lectern-access", "lectern-refresh"} {
		w.cookieNames = append(w.cookieNames, w.cookies.Name(base))
	}
	var err error
	if w.shared, err = w.newRing(); err != nil {
		return nil, err
	}
	plan := Plan{
		Name: newName(), Setup: setup, Base: w.base, Lifetimes: w.lifetimes, Now: w.clock.Now,
		Records: w.gate.records, Families: w.gate.families,
		Watch: func(r *http.Request, v *session.Visit) { w.seen.Store(numberOf(r), v) },
	}
	if setup.Broken != "" {
		if plan.Break, err = mistake(setup.Broken); err != nil {
			return nil, err
		}
	}
	if setup.Laden {
		plan.Break = w.laden(plan.Break)
	}
	if w.site, err = build(ctx, plan); err != nil {
		return nil, err
	}
	for i := range setup.Servers {
		w.servers = append(w.servers, &server{name: string(rune('a' + i)), ring: w.shared})
	}
	for _, s := range w.servers {
		if err := w.boot(s); err != nil {
			return nil, errors.Join(err, w.site.Close())
		}
	}
	return w, nil
}

// boot starts a server. Where each has keys of its own, it makes one now.
func (w *world) boot(s *server) error {
	if w.setup.OwnKeys {
		ring, err := w.newRing()
		if err != nil {
			return err
		}
		s.ring = ring
	}
	handler, err := w.site.Boot(w.ctx, s.name, s.ring)
	s.handler = handler
	return err
}

// close lets go whoever still waits, and takes the site down.
func (w *world) close() error {
	w.gate.open()
	for _, waiting := range w.waiting {
		<-waiting.done
	}
	return w.site.Close()
}

// admit lets browsers and programs into the world.
func (w *world) admit(programs map[string]bool) error {
	names := make([]string, 0, len(programs))
	for name := range programs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w.actors[name] = &actor{name: name, program: programs[name], number: len(w.actors) + 1, jar: jar.New(w.setup.HTTPS, w.clock.Now), page: &page{}}
	}
	return nil
}

// serverFor is the server that answers somebody's next request: the one that was
// asked for, or where the balancer leads.
func (w *world) serverFor(a *actor, at string) (*server, error) {
	if at != "" {
		s := w.server(at)
		if s == nil || s.handler == nil {
			return nil, fmt.Errorf("server %s does not run", at)
		}
		return s, nil
	}
	if s := w.server(a.home); w.setup.Sticky && s != nil && s.handler != nil {
		return s, nil
	}
	for range w.servers {
		s := w.servers[w.turn%len(w.servers)]
		w.turn++
		if s.handler != nil {
			a.home = s.name
			return s, nil
		}
	}
	return nil, errors.New("no server runs")
}

func (w *world) server(name string) *server {
	for _, s := range w.servers {
		if s.name == name {
			return s
		}
	}
	return nil
}

// cookieName is the full name of one of the site's cookies.
func (w *world) cookieName(base string) string { return w.cookies.Name(base) }

// exchange is the last one; an empty one before the first.
func (w *world) exchange() *Exchange { return w.ended }

// note adds a sentence to the transcript.
func (w *world) note(format string, args ...any) {
	w.entry.Notes = append(w.entry.Notes, fmt.Sprintf(format, args...))
}
