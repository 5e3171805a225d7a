package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/boj/redistore"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session/sessiontest"
)

// What others have built, each used as its documentation says, with the same
// two facts in the session.
const (
	gorillaCookie = "gorilla cookie"
	gorillaFiles  = "gorilla files"
	scsMemory     = "scs memory"
	scsSQLite     = "scs sqlite"
	bojRedis      = "boj/redistore"
)

func rivals(b *testing.B) []resolver {
	return []resolver{
		gorilla(b, gorillaCookie, 0, sessions.NewCookieStore(securecookie.GenerateRandomKey(32))),
		gorilla(b, gorillaFiles, 1, sessions.NewFilesystemStore(b.TempDir(), securecookie.GenerateRandomKey(32))),
		scsWith(scsMemory, memstore.NewWithCleanupInterval(0)),
		scsWith(scsSQLite, newSCSStore(b)),
		redistoreOrWhy(b),
	}
}

// redistoreOrWhy is boj/redistore on a Redis of its own. It pings a connection
// before it uses it, so it asks twice for each request.
func redistoreOrWhy(b *testing.B) resolver {
	server, absent := startRedis(b)
	if absent != "" {
		return resolver{name: bojRedis, absent: absent}
	}
	store, err := redistore.NewRediStore(10, "tcp", strings.TrimSuffix(strings.TrimPrefix(server.URL(), "redis://"), "/0"), "", "", securecookie.GenerateRandomKey(32))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return gorilla(b, bojRedis, 2, store)
}

// gorilla is any store that keeps gorilla's contract.
func gorilla(b *testing.B, name string, trips int, store sessions.Store) resolver {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	s, err := store.Get(r, "session")
	if err == nil {
		s.Values["uid"], s.Values["role"] = string(sessiontest.Ada), string(school.Student)
		err = s.Save(r, w)
	}
	if err != nil {
		b.Fatal(err)
	}
	return resolver{name: name, trips: trips, resolve: func(_ http.ResponseWriter, r *http.Request) (string, string) {
		s, err := store.Get(r, "session")
		if err != nil {
			return "", err.Error()
		}
		uid, _ := s.Values["uid"].(string)
		role, _ := s.Values["role"].(string)
		return uid, role
	}}.signedIn(w)
}

func scsWith(name string, store scs.Store) resolver {
	m := scs.New()
	m.Store = store
	w := httptest.NewRecorder()
	m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.Put(r.Context(), "uid", string(sessiontest.Ada))
		m.Put(r.Context(), "role", string(school.Student))
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))

	handler := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(*bench)
		out.uid, out.role = m.GetString(r.Context(), "uid"), m.GetString(r.Context(), "role")
	}))
	return resolver{name: name, trips: 1, resolve: func(w http.ResponseWriter, r *http.Request) (string, string) {
		out := w.(*bench)
		handler.ServeHTTP(out, r)
		return out.uid, out.role
	}}.signedIn(w)
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
