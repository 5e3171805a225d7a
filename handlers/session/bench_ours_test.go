package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
)

// backends are ours, one a line.
func backends(b *testing.B) []session.Backend {
	terms := sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: time.Now}
	reader, writer := newSQLite(b)
	return []session.Backend{
		newToken(b, terms),
		newServer(session.Memory, serverstore.NewMemory(), terms),
		newServer(session.Database, newSQL(b, reader, writer), terms),
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
}

func ours(b *testing.B) []resolver {
	var all []resolver
	for _, backend := range backends(b) {
		all = append(all, behindManager(b, backend))
	}
	return all
}

// behindManager asks a Manager with this one backend, as the site does.
func behindManager(b *testing.B, backend session.Backend) resolver {
	m := newManager(b, backend)
	w := httptest.NewRecorder()
	r, _, err := m.Load(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if err == nil {
		err = m.Start(w, r, session.Identity{UserID: sessiontest.Ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: time.Now()}, session.StartOptions{})
	}
	if err != nil {
		b.Fatal(err)
	}
	v := resolver{
		name: backend.Name(),
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
	_, visit, err := m.Load(w, r)
	if err != nil {
		b.Fatal(err)
	}
	v.trips = visit.Trace.Reads + visit.Trace.Writes
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
