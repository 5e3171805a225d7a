package sessiontest

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"lectern/handlers/session"
)

// naive keeps sessions the way tutorials do. Each of its faults is at work on
// some site; the suite has to find them all.
type naive struct {
	mu      sync.Mutex
	now     func() time.Time
	records map[string]session.Record
}

func (*naive) Name() string                   { return "naive" }
func (*naive) CookieNames() []string          { return []string{"sid"} }
func (*naive) RoleSource() session.RoleSource { return session.FromSession }

func (n *naive) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(n, name)
}

// New looks at the first cookie only, and does not ask for how long nobody came.
func (n *naive) New(r *http.Request, name string) (*sessions.Session, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := sessions.NewSession(n, name)
	s.IsNew = true
	c, err := r.Cookie(name)
	if err != nil {
		return s, nil
	}
	s.ID = c.Value
	if rec, ok := n.records[c.Value]; ok {
		s.IsNew = false
		session.SetRecord(s, &rec)
	}
	return s, nil
}

// Save adopts the id that the visitor brought, creates what is gone, names the
// session after its secret, and sends a cookie as http.SetCookie finds it.
func (n *naive) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.Options != nil && s.Options.MaxAge < 0 {
		delete(n.records, s.ID)
		http.SetCookie(w, &http.Cookie{Name: s.Name(), MaxAge: -1})
		return nil
	}
	rec, ok := session.RecordOf(s)
	if !ok {
		return nil
	}
	id := strings.Repeat("n", len(n.records)+20)
	if c, err := r.Cookie(s.Name()); err == nil {
		id = c.Value
	}
	rec.Handle = id
	n.records[id] = *rec
	http.SetCookie(w, &http.Cookie{Name: s.Name(), Value: id})
	return nil
}

func TestRun_findsTheFaultsOfANaiveBackend(t *testing.T) {
	found := map[string]bool{}
	for _, f := range Run(Subject{Open: func(terms Terms) (Instance, error) {
		return Instance{Backend: &naive{now: terms.Now, records: map[string]session.Record{}}}, nil
	}}) {
		found[f.Check] = true
		if f.Wrong == "" || !strings.Contains(f.String(), f.Check) {
			t.Errorf("a finding that says nothing: %q", f)
		}
	}
	for _, check := range []string{
		"renew gives a new id",
		"the old id is dead after renew",
		"idle timeout",
		"absolute end although busy",
		"remember me",
		"end others",
		"a role change acts",
		"an id that the visitor brought is never adopted",
		"a slow save does not bring back what has ended",
		"a slow renew does not continue what has ended",
		"a cookie of the other kind",
		"junk in front of the cookie",
		"the handle opens nothing",
		"cookie flags",
		"one Set-Cookie for each name",
	} {
		if !found[check] {
			t.Errorf("the check %q finds nothing", check)
		}
	}
}

func TestRun_goesOnAfterAPanic(t *testing.T) {
	findings := Run(Subject{Open: func(Terms) (Instance, error) {
		return Instance{Backend: &naive{}}, nil // its map is nil
	}})
	found := map[string]bool{}
	for _, f := range findings {
		found[f.Check] = true
	}
	if len(found) < 20 {
		t.Errorf("only %d checks have findings in a backend that panics", len(found))
	}
}

func TestRun_saysWhatCannotBeOpened(t *testing.T) {
	findings := Run(Subject{Open: func(Terms) (Instance, error) { return Instance{}, errors.New("disk full") }})
	if len(findings) != len(Checks()) || !strings.Contains(findings[0].Wrong, "disk full") {
		t.Errorf("got %v", findings)
	}
}
