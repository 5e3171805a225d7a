package serverstore

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	_ "github.com/mattn/go-sqlite3"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/redistest"
)

const (
	ada   school.ID = "adaadaadaadaadaadaadaadaad"
	grace school.ID = "gracegracegracegracegraceg"
)

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// stores are the stores there are; every test runs once for each.
var stores = []struct {
	name string
	open func(testing.TB) Store
}{
	{"memory", func(testing.TB) Store { return NewMemory() }},
	{"sqlite", func(t testing.TB) Store {
		db := openSQLite(t)
		return newSQL(t, db, db)
	}},
	{"redis in this process", func(t testing.TB) Store { return newRedis(t, "redis://"+miniredis.RunT(t).Addr(), time.Now) }},
	{"redis-server", func(t testing.TB) Store { return newRedis(t, redistest.Start(t).URL(), time.Now) }},
}

func eachStore(t *testing.T, test func(*testing.T, Store)) {
	for _, s := range stores {
		t.Run(s.name, func(t *testing.T) { test(t, s.open(t)) })
	}
}

func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "sessions.db")+"?_journal_mode=WAL&_busy_timeout=5000&_synchronous=OFF&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	migration, err := os.ReadFile("../../../db/migrations/0002_sessions.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(string(migration)); err != nil {
		t.Fatal(err)
	}
	return db
}

func newSQL(t testing.TB, reader, writer *sql.DB) *SQL {
	t.Helper()
	s, err := NewSQL(t.Context(), reader, writer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newRedis(t testing.TB, address string, now func() time.Time) *Redis {
	t.Helper()
	s, err := OpenRedis(address, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// record is a student's session that is over half an hour after noon.
func record(user school.ID) session.Record {
	return session.Record{
		Identity:  session.Identity{UserID: user, Role: school.Student, Methods: []string{"pwd", "otp"}, AuthAt: noon.Add(-time.Minute)},
		Remember:  true,
		CreatedAt: noon.Add(-time.Second),
		SeenAt:    noon,
		IdleUntil: noon.Add(30 * time.Minute),
		ExpiresAt: noon.Add(12 * time.Hour),
		Address:   "2001:db8::7",
		Device:    "Firefox on Linux; it's \"quoted\"",
	}
}

func create(t *testing.T, s Store, hash Hash, rec session.Record) {
	t.Helper()
	if err := s.Create(t.Context(), hash, rec); err != nil {
		t.Fatal(err)
	}
}

// find returns the record, and whether it is there.
func find(t *testing.T, s Store, hash Hash) (session.Record, bool) {
	t.Helper()
	rec, found, err := s.Find(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	return rec, found
}

// count holds where a store says that it did something to n records.
func count(t *testing.T, want int) func(int, error) {
	return func(got int, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("got %d, %v; want %d", got, err, want)
		}
	}
}

func TestStores_findWhatWasCreated(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		if rec, found := find(t, s, Hash{1}); found {
			t.Errorf("an empty store finds %+v", rec)
		}
		want := record(ada)
		create(t, s, Hash{1}, want)
		got, found := find(t, s, Hash{1})
		if !found || !reflect.DeepEqual(got, want) {
			t.Errorf("found %v %+v, want %+v", found, got, want)
		}
		if _, found := find(t, s, Hash{2}); found {
			t.Error("another hash finds it too")
		}
	})
}

func TestStores_refuseToCreateTwice(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		create(t, s, Hash{1}, record(ada))
		if err := s.Create(t.Context(), Hash{1}, record(grace)); err == nil {
			t.Error("a second record is created under one hash")
		}
		if got, _ := find(t, s, Hash{1}); got.UserID != ada {
			t.Errorf("the record is now %s's", got.UserID)
		}
	})
}

func TestStores_touch(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		create(t, s, Hash{1}, record(ada))
		create(t, s, Hash{2}, record(ada))
		alive, err := s.Touch(t.Context(), Hash{1}, noon.Add(5*time.Minute), noon.Add(35*time.Minute))
		if err != nil || !alive {
			t.Fatalf("touching gives %v, %v", alive, err)
		}
		want := record(ada)
		want.SeenAt, want.IdleUntil = noon.Add(5*time.Minute), noon.Add(35*time.Minute)
		if got, _ := find(t, s, Hash{1}); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got, _ := find(t, s, Hash{2}); !reflect.DeepEqual(got, record(ada)) {
			t.Errorf("another record was touched: %+v", got)
		}
	})
}

func TestStores_touchBringsNothingBack(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		create(t, s, Hash{1}, record(ada))
		if there, err := s.Delete(t.Context(), Hash{1}); err != nil || !there {
			t.Fatalf("deleting gives %v, %v", there, err)
		}
		if alive, err := s.Touch(t.Context(), Hash{1}, noon, noon.Add(time.Hour)); err != nil || alive {
			t.Errorf("touching what is gone gives %v, %v", alive, err)
		}
		if _, found := find(t, s, Hash{1}); found {
			t.Error("touching has brought a record back")
		}
		if there, err := s.Delete(t.Context(), Hash{1}); err != nil || there {
			t.Errorf("deleting what is gone gives %v, %v", there, err)
		}
	})
}

func TestStores_onlyOneDeletes(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		create(t, s, Hash{1}, record(ada))
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			wins int
		)
		for range 8 {
			wg.Go(func() {
				there, err := s.Delete(t.Context(), Hash{1})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if there {
					wins++
				}
			})
		}
		wg.Wait()
		if wins != 1 {
			t.Errorf("%d of 8 deleted the one record", wins)
		}
	})
}

func TestStores_deleteManyButOne(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		for i, user := range []school.ID{ada, ada, ada, grace, grace} {
			create(t, s, Hash{byte(i)}, record(user))
		}
		count(t, 2)(s.DeleteUser(ctx, ada, Hash{1}))
		count(t, 0)(s.DeleteUser(ctx, ada, Hash{1}))
		if _, found := find(t, s, Hash{1}); !found {
			t.Error("the excepted record is gone")
		}
		count(t, 3)(s.Count(ctx, noon))
		count(t, 1)(s.DeleteUser(ctx, ada, Hash{99}))
		count(t, 1)(s.DeleteAll(ctx, Hash{3}))
		if rec, found := find(t, s, Hash{3}); !found || rec.UserID != grace {
			t.Error("the excepted record is gone")
		}
		count(t, 1)(s.DeleteAll(ctx, Hash{99}))
		count(t, 0)(s.Count(ctx, noon))
	})
}

func TestStores_deleteOneOfTheirOwnOnly(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		create(t, s, Hash{1}, record(ada))
		for says, row := range map[string]struct {
			user school.ID
			hash Hash
		}{"another's": {grace, Hash{1}}, "what is not there": {ada, Hash{2}}} {
			if there, err := s.DeleteOne(t.Context(), row.user, row.hash); err != nil || there {
				t.Errorf("deleting %s gives %v, %v", says, there, err)
			}
		}
		if _, found := find(t, s, Hash{1}); !found {
			t.Fatal("somebody has deleted another's record")
		}
		if there, err := s.DeleteOne(t.Context(), ada, Hash{1}); err != nil || !there {
			t.Errorf("deleting one's own gives %v, %v", there, err)
		}
	})
}

func TestStores_setRole(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for i, user := range []school.ID{ada, ada, grace} {
			create(t, s, Hash{byte(i)}, record(user))
		}
		count(t, 2)(s.SetRole(t.Context(), ada, school.Admin))
		count(t, 0)(s.SetRole(t.Context(), "nobody", school.Admin))
		for i, want := range []school.Role{school.Admin, school.Admin, school.Student} {
			if rec, _ := find(t, s, Hash{byte(i)}); rec.Role != want {
				t.Errorf("record %d has the role %s, want %s", i, rec.Role, want)
			}
		}
	})
}

func TestStores_sweepWhatIsOver(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		for i := range 10 {
			rec := record(ada)
			// The first end is a minute off: a real Redis, whose clock runs, would
			// drop a list whose last end is now before the next record is there.
			rec.IdleUntil = noon.Add(time.Duration(i+1) * time.Minute)
			create(t, s, Hash{byte(i)}, rec)
		}
		at := noon.Add(5 * time.Minute) // the ends of 0 to 4 have come
		count(t, 5)(s.Count(ctx, at))
		count(t, 6)(s.Count(ctx, at.Add(-time.Millisecond)))
		count(t, 3)(s.Sweep(ctx, at, 3))
		count(t, 2)(s.Sweep(ctx, at, 3))
		count(t, 0)(s.Sweep(ctx, at, 3))
		for i := range 10 {
			if _, found := find(t, s, Hash{byte(i)}); found != (i > 4) {
				t.Errorf("record %d: found %v", i, found)
			}
		}
	})
}

func TestStores_manyAtOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		var wg sync.WaitGroup
		for worker := range 6 {
			wg.Go(func() {
				user := school.ID(fmt.Sprint("user", worker%3))
				for i := range 20 {
					hash := Hash{byte(worker), byte(i)}
					err := s.Create(ctx, hash, record(user))
					_, _, err2 := s.Find(ctx, hash)
					_, err3 := s.Touch(ctx, hash, noon, noon.Add(time.Minute))
					_, err4 := s.SetRole(ctx, user, school.Admin)
					_, err5 := s.Delete(ctx, hash)
					_, err6 := s.Count(ctx, noon)
					for _, err := range []error{err, err2, err3, err4, err5, err6} {
						if err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		count(t, 0)(s.Count(ctx, noon))
	})
}

// A caller may keep what Find returned while others change the record.
func TestMemory_findsCopies(t *testing.T) {
	s := NewMemory()
	create(t, s, Hash{1}, record(ada))
	before, _ := find(t, s, Hash{1})
	count(t, 1)(s.SetRole(t.Context(), ada, school.Admin))
	if before.Role != school.Student {
		t.Error("a record that was found earlier has changed")
	}
}

// Of a person without sessions nothing is left: the index of users rots in
// many a larger system.
func TestMemory_forgetsUsers(t *testing.T) {
	ctx := context.Background()
	for what, remove := range map[string]func(*Memory){
		"delete":      func(m *Memory) { m.Delete(ctx, Hash{1}); m.Delete(ctx, Hash{2}) },
		"delete user": func(m *Memory) { m.DeleteUser(ctx, ada, Hash{}) },
		"delete all":  func(m *Memory) { m.DeleteAll(ctx, Hash{}) },
		"sweep":       func(m *Memory) { m.Sweep(ctx, noon.Add(24*time.Hour), 10) },
	} {
		m := NewMemory()
		create(t, m, Hash{1}, record(ada))
		create(t, m, Hash{2}, record(ada))
		remove(m)
		count(t, 0)(m.SetRole(ctx, ada, school.Admin))
		if len(m.byUser) != 0 || len(m.records) != 0 {
			t.Errorf("%s leaves %d people and %d records", what, len(m.byUser), len(m.records))
		}
	}
}

func TestSQL_saysWhatItCannotPrepare(t *testing.T) {
	db := openSQLite(t)
	if _, err := db.Exec(`DROP TABLE sessions`); err != nil {
		t.Fatal(err)
	}
	if _, err := NewSQL(t.Context(), db, db); err == nil {
		t.Error("statements are prepared for a table that is not there")
	}
}

// What a thief of the table could put into a cookie is nowhere in it.
func TestSQL_keepsNoNumbers(t *testing.T) {
	db := openSQLite(t)
	b, id := started(t, newSQL(t, db, db))
	var hash []byte
	if err := db.QueryRow(`SELECT id_hash FROM sessions`).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	if want := hashOf(id); string(hash) != string(want[:]) || len(hash) != 32 {
		t.Errorf("the table holds %x", hash)
	}
	for _, stolen := range []string{string(hash), fmt.Sprintf("%x", hash)} {
		if rec := load(t, b, stolen); rec != nil {
			t.Error("what stands in the table opens a session")
		}
	}
}
