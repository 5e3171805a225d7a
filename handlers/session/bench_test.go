package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
)

// What is measured: a request with a good cookie comes in, the user's id and
// role come out. The rows are run on one machine in one run, because only their
// ratios mean anything elsewhere.

// resolver finds out who sends a request.
type resolver struct {
	name    string
	resolve func(http.ResponseWriter, *http.Request) (user, role string)
	cookie  string // a signed-in visitor's Cookie header
}

// resolvers are our backends and what they are measured against.
func resolvers(b *testing.B) []resolver {
	terms := sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: time.Now}
	reader, writer := newSQLite(b)
	return []resolver{
		ours(b, newToken(b, terms)),
		ours(b, newServer(session.Memory, serverstore.NewMemory(), terms)),
		ours(b, newServer(session.Database, newSQL(b, reader, writer), terms)),
		gorilla(b),
		scsWith("scs memory", memstore.NewWithCleanupInterval(0)),
		scsWith("scs sqlite", newSCSStore(b)),
	}
}

func ours(b *testing.B, backend session.Backend) resolver {
	people := sessiontest.NewSchool()
	m, err := session.NewManager(b.Context(), session.Config{
		Backends: []session.Backend{backend}, Default: backend.Name(), Lifetimes: sessiontest.Lifetimes, People: people, Settings: people, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	r, _, err := m.Load(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if err == nil {
		err = m.Start(w, r, session.Identity{UserID: sessiontest.Ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: time.Now()}, session.StartOptions{})
	}
	if err != nil {
		b.Fatal(err)
	}
	return resolver{backend.Name(), func(w http.ResponseWriter, r *http.Request) (string, string) {
		_, visit, err := m.Load(w, r)
		if err != nil {
			return "", err.Error()
		}
		rec, _ := visit.Record()
		return string(rec.UserID), string(rec.Role)
	}, cookieHeader(w)}
}

// gorilla is CookieStore as it comes, with a hash key alone.
func gorilla(b *testing.B) resolver {
	store := sessions.NewCookieStore(securecookie.GenerateRandomKey(32))
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	s, err := store.Get(r, "session")
	if err == nil {
		s.Values["uid"], s.Values["role"] = string(sessiontest.Ada), string(school.Student)
		err = s.Save(r, w)
	}
	if err != nil {
		b.Fatal(err)
	}
	return resolver{"gorilla cookie", func(_ http.ResponseWriter, r *http.Request) (string, string) {
		s, err := store.Get(r, "session")
		if err != nil {
			return "", err.Error()
		}
		uid, _ := s.Values["uid"].(string)
		role, _ := s.Values["role"].(string)
		return uid, role
	}, cookieHeader(w)}
}

func scsWith(name string, store scs.Store) resolver {
	m := scs.New()
	m.Store = store
	w := httptest.NewRecorder()
	m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.Put(r.Context(), "uid", string(sessiontest.Ada))
		m.Put(r.Context(), "role", string(school.Student))
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))

	type result struct{ uid, role string }
	handler := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(*bench)
		out.uid, out.role = m.GetString(r.Context(), "uid"), m.GetString(r.Context(), "role")
	}))
	return resolver{name, func(w http.ResponseWriter, r *http.Request) (string, string) {
		out := w.(*bench)
		handler.ServeHTTP(out, r)
		return out.uid, out.role
	}, cookieHeader(w)}
}

func newSCSStore(b *testing.B) scs.Store {
	_, db := newSQLite(b)
	if _, err := db.Exec(`
		DROP TABLE sessions;
		CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);
		CREATE INDEX sessions_expiry_idx ON sessions (expiry);`); err != nil {
		b.Fatal(err)
	}
	return sqlite3store.NewWithCleanupInterval(db, 0)
}

// bench is a response that nobody reads, and the place where a handler behind
// a middleware leaves what it found.
type bench struct {
	header    http.Header
	uid, role string
}

func (w *bench) Header() http.Header         { return w.header }
func (w *bench) Write(p []byte) (int, error) { return len(p), nil }
func (w *bench) WriteHeader(int)             {}

func cookieHeader(w *httptest.ResponseRecorder) string {
	var pairs []string
	for _, c := range w.Result().Cookies() {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// request returns a function that sends the request once. gorilla writes into
// the request, so each time it is a new one, for all alike.
func (v resolver) request(b *testing.B, cookie string) func() {
	template := httptest.NewRequest(http.MethodGet, "/", nil)
	if cookie != "" {
		template.Header.Set("Cookie", cookie)
	}
	w := &bench{header: http.Header{}}
	return func() {
		r := new(http.Request)
		*r = *template
		uid, role := v.resolve(w, r)
		if cookie != "" && (uid != string(sessiontest.Ada) || role != string(school.Student)) {
			b.Fatalf("%s resolves %q, %q", v.name, uid, role)
		}
		clear(w.header)
	}
}

func (v resolver) run(b *testing.B, cookie string) {
	b.ReportAllocs()
	request := v.request(b, cookie)
	for b.Loop() {
		request()
	}
}

func BenchmarkResolve(b *testing.B) {
	for _, v := range resolvers(b) {
		b.Run(v.name, func(b *testing.B) { v.run(b, v.cookie) })
	}
}

func BenchmarkResolve_withoutCookie(b *testing.B) {
	for _, v := range resolvers(b) {
		b.Run(v.name, func(b *testing.B) { v.run(b, "") })
	}
}

// BenchmarkResolveRatios measures each of our backends against its rival and
// prints the ratio beside what is wanted. All take turns in short rounds, and
// the fastest round of each counts, so that a busy machine disturbs all alike.
func BenchmarkResolveRatios(b *testing.B) {
	const rounds, requests = 60, 300
	all := resolvers(b)
	best := map[string]float64{}
	for b.Loop() {
		clear(best)
		for range rounds {
			for _, v := range all {
				request := v.request(b, v.cookie)
				begin := time.Now()
				for range requests {
					request()
				}
				nanos := float64(time.Since(begin).Nanoseconds()) / requests
				if old, ok := best[v.name]; !ok || nanos < old {
					best[v.name] = nanos
				}
			}
		}
	}
	table := fmt.Sprintf("%-10s %-15s %9s %9s %7s %7s %7s", "ours", "theirs", "ns", "ns", "ratio", "most", "aim")
	for _, rival := range []struct {
		ours, theirs string
		most, aim    float64
	}{
		{session.JWT, "gorilla cookie", 0.5, 0.35},
		{session.Memory, "scs memory", 0.25, 0.2},
		{session.Database, "scs sqlite", 1.0, 0.7},
	} {
		ratio := best[rival.ours] / best[rival.theirs]
		table += fmt.Sprintf("\n%-10s %-15s %9.0f %9.0f %7.2f %7.2f %7.2f",
			rival.ours, rival.theirs, best[rival.ours], best[rival.theirs], ratio, rival.most, rival.aim)
		b.ReportMetric(ratio, rival.ours+"-ratio")
	}
	b.Log("\n" + table)
	b.ReportMetric(0, "ns/op")
}
