package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"lectern/db/school"
)

// notRead is all that is done for a visitor without any cookie.
var notRead = Work{"Read cookie", CPU, "handlers/session/manager.go"}

// choiceCookie holds the name of the backend that a visitor chose. It is a
// preference and no secret: whoever changes it changes their own backend.
const choiceCookie = "lectern-backend"

// People tells what is true of a person now. The Manager asks whenever it
// issues a session that was not just signed in to, so that an old role does not
// slip into a new record.
type People interface {
	// User returns school.ErrNotFound for someone who is not in the school.
	User(ctx context.Context, id school.ID) (school.User, error)
	// EndSessions notes that all of a person's sessions that began until at are
	// over, for those that nothing else can end (school.User.EndSessions). It
	// returns the person as they were before, and school.ErrNotFound for someone
	// who is not in the school.
	EndSessions(ctx context.Context, id school.ID, at time.Time) (before school.User, err error)
	// EndTokens notes the same of tokens alone (school.User.EndTokens).
	EndTokens(ctx context.Context, id school.ID, at time.Time) error
}

// Manager keeps everybody's sessions: it holds the backends, the site's
// default among them and each visitor's choice. It is safe for concurrent use.
type Manager struct {
	offered   []Backend // one for each kind
	ladder    []Rung
	cookies   Cookies
	lifetimes Lifetimes
	people    People
	settings  Settings
	choose    bool
	now       func() time.Time

	switching sync.Mutex // held while an admin switches the site
	site      atomic.Pointer[Site]
	inForce   atomic.Pointer[[]Backend] // offered, with the chosen rung in its place
	carrying  singleflight.Group        // one exchange for each session, however many requests
	exchanged recent
	carried   atomic.Int64
}

// Config is what a Manager is made of.
type Config struct {
	Backends []Backend // in the order in which a page offers them
	Default  string    // the site's default until an admin chooses another
	// Ladder has the ways in which tokens can be ended before their time. Each
	// rung stands for the backend of its name while it is chosen; without a
	// ladder the backends are what they are.
	Ladder     []Rung
	Revocation string // the rung until an admin chooses another
	Cookies    Cookies
	Lifetimes  Lifetimes
	People     People
	Settings   Settings
	Choose     bool // whether each visitor may choose a backend
	Now        func() time.Time
}

// NewManager reads what an admin last chose for the site and applies it.
func NewManager(ctx context.Context, c Config) (*Manager, error) {
	m := &Manager{
		offered:   c.Backends,
		ladder:    c.Ladder,
		cookies:   c.Cookies,
		lifetimes: c.Lifetimes,
		people:    c.People,
		settings:  c.Settings,
		choose:    c.Choose,
		now:       c.Now,
	}
	m.inForce.Store(&m.offered)
	if m.backend(c.Default) == nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknownBackend, c.Default)
	}
	if len(c.Ladder) > 0 && m.rung(c.Revocation) == nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknownRung, c.Revocation)
	}
	return m, m.loadSite(ctx, Site{Backend: c.Default, Configured: c.Default, Revocation: c.Revocation, ConfiguredRevocation: c.Revocation}, true)
}

// backends are those in force, in the order in which a page offers them.
func (m *Manager) backends() []Backend { return *m.inForce.Load() }

// Names lists the backends in the order in which a page offers them.
func (m *Manager) Names() []string {
	names := make([]string, len(m.offered))
	for i, b := range m.offered {
		names[i] = b.Name()
	}
	return names
}

// Choice reports whether each visitor may choose a backend.
func (m *Manager) Choice() bool { return m.choose }

// Lifetimes says how long sessions last here.
func (m *Manager) Lifetimes() Lifetimes { return m.lifetimes }

// Load finds the visitor's session. It returns the request with the visit in
// its context. The error is ErrUnavailable, wrapped, or nil: whatever is wrong
// with a cookie makes an anonymous visitor.
func (m *Manager) Load(w http.ResponseWriter, r *http.Request) (*http.Request, *Visit, error) {
	v := &Visit{}
	v.Trace.Backend = None
	v.Trace.Begin()
	r = r.WithContext(WithVisit(r.Context(), v))
	v.backend = m.chosen(r)
	if len(r.Header["Cookie"]) == 0 {
		v.Trace.Done(&notRead)
		return r, v, nil
	}
	if err := m.load(w, r, v, v.backend); err != nil {
		return r, v, err
	}
	if from := m.Site().CarryFrom; v.record == nil && len(from) > 0 {
		if err := m.carry(w, r, v, from); err != nil {
			return r, v, err
		}
	}
	if v.record == nil && v.Trace.Reason != "" && pageLoad(r) && !m.mayBeCarried(v) {
		for _, b := range m.backends() {
			if b == v.backend || slices.Contains(m.Site().CarryFrom, b.Name()) {
				m.clear(w, r, b)
			}
		}
	}
	return r, v, nil
}

// load reads the session of one backend, and exchanges it when it is time to.
func (m *Manager) load(w http.ResponseWriter, r *http.Request, v *Visit, b Backend) error {
	if err := m.find(r, v, b); err != nil || v.record == nil {
		return err
	}
	refresher, ok := b.(Refresher)
	if !ok || !refresher.Due(v.session) {
		return nil
	}
	err := b.Save(r, w, v.session)
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrEnded) {
		v.Forget(cmp.Or(v.Trace.Reason, Unknown))
		return nil
	}
	v.Forget("")
	return err
}

// find reads the session of one backend.
func (m *Manager) find(r *http.Request, v *Visit, b Backend) error {
	s, err := b.New(r, m.cookies.Name(b.CookieNames()[0]))
	if err != nil {
		return err
	}
	v.session = s
	rec, ok := RecordOf(s)
	switch {
	case !ok:
		return nil
	case rec.CreatedAt.Before(m.Site().endedFor(b)):
		v.Trace.Refuse(EndedForAll)
		return nil
	}
	v.record = rec
	v.Trace.Backend = b.Name()
	return nil
}

// pageLoad reports whether the browser is fetching a page. Only then is a bad
// cookie cleared: a request in the background may be older than the cookie
// that the browser holds by the time of the answer, and would wipe it out.
func pageLoad(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode == "" || mode == "navigate"
}

// Start signs a person in: always a new session with a new id, whatever the
// visitor came with (ASVS 7.2.4). An earlier session of this browser ends.
// backend may be empty; it must be one that this visitor may choose.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, id Identity, o StartOptions) error {
	v := VisitFrom(r.Context())
	b := v.backend
	if o.Backend != "" && o.Backend != b.Name() {
		if b = m.backend(o.Backend); b == nil || !m.choose {
			return ErrUnknownBackend
		}
	}
	rec := &Record{Identity: id, Remember: o.Remember, Address: o.Address, Device: o.Device}
	// A password takes a while to check. Whoever was put out meanwhile stays out.
	if err := m.begin(r.Context(), rec, func(user school.User) bool { return id.AuthAt.Before(user.SessionsEndedAt) }); err != nil {
		return err
	}
	if err := m.replace(w, r, v, b, rec, false); err != nil {
		return err
	}
	m.remember(w, r, b)
	return nil
}

// StartOptions are what a sign-in brings beside the identity.
type StartOptions struct {
	Backend  string // empty for the visitor's own choice or the site's default
	Remember bool
	Address  string
	Device   string
}

// Renew gives the visitor a new id for the same sign-in, after any change of
// privilege, and ends the old one where it can be ended (ASVS 7.2.4). The role
// is read anew. It returns ErrEnded, and starts nothing, when the session has
// been ended meanwhile.
func (m *Manager) Renew(w http.ResponseWriter, r *http.Request) error {
	v := VisitFrom(r.Context())
	if v == nil || v.record == nil {
		return ErrNoSession
	}
	return m.reissue(w, r, v, v.backend)
}

// Switch hands the visitor the same sign-in in another kind of session. The
// old record is deleted where there is one; an old token stays good until it
// expires, which is what the switch is there to show. Like Renew it returns
// ErrEnded for a session that has been ended meanwhile, and ErrExchanged where
// that was the same press of the same button, which came twice.
func (m *Manager) Switch(w http.ResponseWriter, r *http.Request, name string) error {
	b := m.backend(name)
	if b == nil || !m.choose {
		return ErrUnknownBackend
	}
	v := VisitFrom(r.Context())
	if v.record != nil && v.backend != b {
		err := m.reissue(w, r, v, b)
		if errors.Is(err, ErrEnded) && m.exchanged.has(v.record.Handle, m.now()) {
			return ErrExchanged
		}
		if err != nil {
			return err
		}
	}
	v.backend = b
	m.remember(w, r, b)
	return nil
}

// End signs the visitor out: the record is deleted where there is one, and
// every session cookie that the browser sent is cleared. When the store cannot
// be asked, nothing is. Where sessions can be ended only for a person as a
// whole, that is what happens: all of theirs end, of every kind.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) error {
	v := VisitFrom(r.Context())
	if v.record != nil {
		if endsAllAlike(v.backend) {
			if _, _, err := m.endUser(r.Context(), v.record.UserID, ""); err != nil {
				return err
			}
		} else if err := discard(r, v.session); err != nil && !errors.Is(err, ErrEnded) {
			return err
		}
		v.record = nil
	}
	for _, b := range m.backends() {
		m.clear(w, r, b)
	}
	v.Trace.Backend = None
	return nil
}

// clear has the browser forget the cookies of a backend that came with the
// request, or would be set by its answer, but those that are kept.
func (m *Manager) clear(w http.ResponseWriter, r *http.Request, b Backend, keep ...string) {
	for _, name := range b.CookieNames() {
		if !slices.Contains(keep, name) && (len(r.CookiesNamed(m.cookies.Name(name))) > 0 || m.cookies.sets(w, name)) {
			m.cookies.Clear(w, name)
		}
	}
}

// chosen is the backend that this visitor's cookies are read with.
func (m *Manager) chosen(r *http.Request) Backend {
	if m.choose && len(r.Header["Cookie"]) > 0 {
		if values := m.cookies.Values(r, choiceCookie); len(values) > 0 {
			if b := m.backend(values[0]); b != nil {
				return b
			}
		}
	}
	return m.backend(m.Site().Backend)
}

// remember notes the visitor's choice for a year. Whoever chooses what the
// site has anyway follows the site from then on.
func (m *Manager) remember(w http.ResponseWriter, r *http.Request, b Backend) {
	if !m.choose {
		return
	}
	if b.Name() != m.Site().Backend {
		now := m.now()
		// A name of a backend is far below the limit, the only error there is.
		_ = m.cookies.Set(w, choiceCookie, b.Name(), now, now.AddDate(1, 0, 0))
	} else if len(r.CookiesNamed(m.cookies.Name(choiceCookie))) > 0 {
		m.cookies.Clear(w, choiceCookie)
	}
}

func (m *Manager) backend(name string) Backend {
	for _, b := range m.backends() {
		if b.Name() == name {
			return b
		}
	}
	return nil
}
