package session_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
)

// cloakroom is a store that can be filled quickly, and what reads from it.
type cloakroom struct {
	name string
	open func(b *testing.B) (backend session.Backend, fill func(tickets []string))
}

// cloakrooms are the stores, one a line. A token has none, so a million of them
// are nobody's burden; and what a hybrid asks once a minute is a table in the
// database with a key like the other's.
var cloakrooms = []cloakroom{
	{session.Memory, openMemory},
	{session.Database, openDatabase},
	{session.Redis, openRedis},
}

// BenchmarkResolve_millionSessions asks what a crowd costs: sessions are
// resolved at random among a thousand and among a million, by turns.
func BenchmarkResolve_millionSessions(b *testing.B) {
	const few, many, most = 1000, 1_000_000, 1.3
	var table strings.Builder
	fmt.Fprintf(&table, "\n%s\n\n%-10s %9s %9s %7s %7s %9s\n", machine(), "store", "of 1,000", "of 1 M", "ratio", "most", "filled in")
	for _, c := range cloakrooms {
		b.Run(c.name, func(b *testing.B) {
			begin := time.Now()
			turns := []func(){c.anyOf(b, few), c.anyOf(b, many)}
			filled := time.Since(begin).Round(time.Second)
			var nanos []float64
			for b.Loop() {
				nanos = rounds(100, 1000, turns)
			}
			ratio := nanos[1] / nanos[0]
			fmt.Fprintf(&table, "%-10s %9.0f %9.0f %7.2f %7.2f %9v%s\n", c.name, nanos[0], nanos[1], ratio, most, filled, verdict(ratio, most))
			b.ReportMetric(ratio, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
	fmt.Print(table.String())
}

// anyOf fills a store with n sessions and returns a function that resolves one
// of them, each time another. The cookies lie one behind the other in the random
// order in which they come, as a request that has just been read lies ready.
func (c cloakroom) anyOf(b *testing.B, n int) func() {
	backend, fill := c.open(b)
	m := newManager(b, backend)
	tickets := make([]string, n)
	for i := range tickets {
		var raw [24]byte
		rand.Read(raw[:])
		tickets[i] = base64.RawURLEncoding.EncodeToString(raw[:])
	}
	fill(tickets)
	const coming = 100_000
	name, all := backend.CookieNames()[0]+"=", strings.Builder{}
	for range coming {
		all.WriteString(name + tickets[mathrand.IntN(n)])
	}
	cookies := all.String()
	length := len(cookies) / coming

	template := httptest.NewRequest(http.MethodGet, "/", nil)
	w, next := &bench{header: http.Header{}}, 0
	return func() {
		template.Header["Cookie"] = []string{cookies[next*length : (next+1)*length]}
		next = (next + 1) % coming
		_, visit, err := m.Load(w, template)
		if rec, ok := visit.Record(); !ok || rec.UserID == "" {
			b.Fatalf("%s finds nobody: %v, %v", c.name, visit.Trace.Reason, err)
		}
	}
}

// coat is a record as a sign-in of just now leaves it. Every person has four.
func coat(i int) session.Record {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return session.Record{
		Identity:  session.Identity{UserID: school.ID(fmt.Sprintf("%026d", i/4)), Role: school.Student, Methods: []string{"pwd"}, AuthAt: now},
		CreatedAt: now, SeenAt: now.Add(time.Hour), IdleUntil: now.Add(3 * time.Hour), ExpiresAt: now.Add(12 * time.Hour),
		Address: "192.0.2.1", Device: "Firefox on Linux",
	}
}

func openMemory(b *testing.B) (session.Backend, func([]string)) {
	store := serverstore.NewMemory()
	return newServer(session.Memory, store, crowdTerms), func(tickets []string) {
		for i, ticket := range tickets {
			if err := store.Create(context.Background(), sha256.Sum256([]byte(ticket)), coat(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// openDatabase opens a file as the site does.
func openDatabase(b *testing.B) (session.Backend, func([]string)) {
	path := filepath.Join(b.TempDir(), "school.db")
	school, err := db.Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { school.Close() })
	return newServer(session.Database, newSQL(b, school.Reader(), school.Writer()), crowdTerms), func(tickets []string) {
		// The people of these sessions are in no school, which a connection of
		// its own does not mind.
		crowd, err := sql.Open("sqlite3", path+"?_synchronous=OFF")
		if err == nil {
			err = errors.Join(insert(crowd, tickets), crowd.Close())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// openRedis starts a Redis that writes nothing to the disk.
func openRedis(b *testing.B) (session.Backend, func([]string)) {
	server, absent := startRedis(b)
	if absent != "" {
		b.Skip(absent)
	}
	server.Do("CONFIG SET appendonly no")
	return newServer(session.Redis, newRedis(b, server.URL(), time.Now), crowdTerms), func(tickets []string) {
		options, err := redis.ParseURL(server.URL())
		if err != nil {
			b.Fatal(err)
		}
		client := redis.NewClient(options)
		defer client.Close()
		const batch = 2000
		for from := 0; from < len(tickets); from += batch {
			if _, err := client.Pipelined(b.Context(), func(p redis.Pipeliner) error {
				for i, ticket := range tickets[from:min(from+batch, len(tickets))] {
					hang(b.Context(), p, serverstore.Hash(sha256.Sum256([]byte(ticket))).String(), coat(from+i))
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// hang writes a session where a sign-in leaves it: the record itself, and its
// place in the list of all and in that of the person.
func hang(ctx context.Context, p redis.Pipeliner, hash string, rec session.Record) {
	key, user := "lectern:session:"+hash, string(rec.UserID)
	p.HSet(ctx, key,
		"user", user, "role", string(rec.Role), "methods", strings.Join(rec.Methods, " "), "remember", 0,
		"auth_at", rec.AuthAt.UnixMilli(), "created_at", rec.CreatedAt.UnixMilli(), "seen_at", rec.SeenAt.UnixMilli(),
		"idle_until", rec.IdleUntil.UnixMilli(), "expires_at", rec.ExpiresAt.UnixMilli(), "address", rec.Address, "device", rec.Device)
	p.PExpireAt(ctx, key, rec.IdleUntil)
	p.ZAdd(ctx, "lectern:sessions", redis.Z{Score: float64(rec.IdleUntil.UnixMilli()), Member: hash + ":" + user})
	p.ZAdd(ctx, "lectern:user:"+user, redis.Z{Score: float64(rec.CreatedAt.UnixMilli()), Member: hash})
	p.PExpireAt(ctx, "lectern:user:"+user, rec.IdleUntil)
}

var crowdTerms = sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: time.Now}

// insert writes all sessions in one transaction.
func insert(db *sql.DB, tickets []string) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	stmt, err := tx.Prepare(`
		INSERT INTO sessions (id_hash, user_id, role, methods, remember, auth_at, created_at, seen_at, idle_until, expires_at, address, device)
		VALUES ($1, $2, $3, 'pwd', 0, $4, $5, $6, $7, $8, $9, $10)`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i, ticket := range tickets {
		hash, rec := sha256.Sum256([]byte(ticket)), coat(i)
		if _, err := stmt.Exec(hash[:], rec.UserID, rec.Role, rec.AuthAt.UnixMilli(), rec.CreatedAt.UnixMilli(), rec.SeenAt.UnixMilli(), rec.IdleUntil.UnixMilli(), rec.ExpiresAt.UnixMilli(), rec.Address, rec.Device); err != nil {
			return err
		}
	}
	return tx.Commit()
}
