package session_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/redistest"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

// contender is one of our backends, as a row of the tables.
type contender struct {
	name    string
	backend session.Backend
	// exchanges says that each request is given a new ticket for its own.
	exchanges bool
	absent    string // why it cannot be measured here; empty when it can
}

// backends are ours, one a line.
func backends(b *testing.B) []contender {
	terms := sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: time.Now}
	fresh, faded := terms, terms
	fresh.Lifetimes.Access = time.Hour // no run is as long
	faded.Lifetimes.Access = 0         // a token has expired when it comes back
	reader, writer := newSQLite(b)
	ledger := newSQLLedger(b)
	return []contender{
		{name: session.JWT, backend: newToken(b, terms)},
		{name: "jwt+EdDSA", backend: newTokenSigned(b, token.EdDSA, key, terms)},
		{name: "jwt+cutoff", backend: cookiejwt.NewCutoff(newToken(b, terms), ledger)},
		{name: "jwt+denylist", backend: cookiejwt.NewDenylist(newToken(b, terms), ledger)},
		{name: session.Memory, backend: newServer(session.Memory, serverstore.NewMemory(), terms)},
		{name: session.Database, backend: newServer(session.Database, newSQL(b, reader, writer), terms)},
		redisOrWhy(b, terms),
		{name: session.Hybrid, backend: newHybrid(b, newFamilies(b, reader, writer), key, fresh)},
		{name: "hybrid+exchange", backend: newHybrid(b, newFamilies(b, reader, writer), key, faded), exchanges: true},
	}
}

// duels are what our backends are measured against, and the most that they may
// cost of it, one a line.
var duels = []struct {
	ours, theirs string
	most         float64
}{
	{session.JWT, gorillaCookie, 0.35},
	{session.Memory, scsMemory, 0.2},
	{session.Database, scsSQLite, 0.7},
	{session.Redis, bojRedis, 0.8},
}

// redisOrWhy is our sessions in a Redis of their own.
func redisOrWhy(b *testing.B, terms sessiontest.Terms) contender {
	server, absent := startRedis(b)
	if absent != "" {
		return contender{name: session.Redis, absent: absent}
	}
	return contender{name: session.Redis, backend: newServer(session.Redis, newRedis(b, server.URL(), time.Now), terms)}
}

// startRedis starts a redis-server, or says why there is none. A table has a
// row without figures then; on CI the benchmark fails.
func startRedis(b *testing.B) (server *redistest.Server, absent string) {
	if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("CI") != "true" {
		return nil, "no redis-server here"
	}
	return redistest.Start(b), ""
}

// newSQLLedger is the ledger of the school's database, opened as the site opens
// it, with the people of the benchmark in the school.
func newSQLLedger(b *testing.B) *cookiejwt.SQLLedger {
	lectern, err := db.Open(b.Context(), filepath.Join(b.TempDir(), "school.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { lectern.Close() })
	for _, user := range sessiontest.NewSchool().Users() {
		user.CreatedAt = time.Now()
		if err := lectern.CreateUser(b.Context(), user, "x"); err != nil {
			b.Fatal(err)
		}
	}
	ledger, err := cookiejwt.NewSQLLedger(b.Context(), lectern.Reader(), lectern.Writer(), lectern, time.Now)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ledger.Close() })
	return ledger
}

func ours(b *testing.B) []resolver {
	var all []resolver
	for _, c := range backends(b) {
		all = append(all, c.behindManager(b))
	}
	return all
}

// behindManager asks a Manager with this one backend, as the site does.
func (c contender) behindManager(b *testing.B) resolver {
	if c.absent != "" {
		return resolver{name: c.name, absent: c.absent}
	}
	m := newManager(b, c.backend)
	w := httptest.NewRecorder()
	r, _, err := m.Load(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if err == nil {
		err = m.Start(w, r, session.Identity{UserID: sessiontest.Ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: time.Now()}, session.StartOptions{})
	}
	if err != nil {
		b.Fatal(err)
	}
	v := resolver{
		name: c.name,
		resolve: func(w http.ResponseWriter, r *http.Request) (string, string) {
			_, visit, err := m.Load(w, r)
			if err != nil {
				return "", err.Error()
			}
			rec, _ := visit.Record()
			return string(rec.UserID), string(rec.Role)
		},
	}.signedIn(w)
	r = httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", v.cookie)
	w = httptest.NewRecorder()
	_, visit, err := m.Load(w, r)
	if err != nil {
		b.Fatal(err)
	}
	v.trips = visit.Trace.Reads + visit.Trace.Writes
	if c.exchanges {
		v.cookie = held(w.Header())
		return v.keepingUp()
	}
	return v
}

func newManager(b *testing.B, backend session.Backend) *session.Manager {
	people := sessiontest.NewSchool()
	m, err := session.NewManager(b.Context(), session.Config{
		Backends: []session.Backend{backend}, Default: backend.Name(), Lifetimes: sessiontest.Lifetimes, People: people, Settings: people, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	return m
}
