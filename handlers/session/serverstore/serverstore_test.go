package serverstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"lectern/db/school"
	"lectern/handlers/session"
)

var lifetimes = session.Lifetimes{Token: time.Hour, Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Remember: 720 * time.Hour}

func newBackend(s Store, now func() time.Time) *Backend {
	return New(Config{Name: "memory", Store: s, Lifetimes: lifetimes, Now: now, Random: rand.Reader})
}

// started is a backend with one session of Ada's, begun at noon, and its number.
func started(t *testing.T, s Store) (*Backend, string) {
	t.Helper()
	b := newBackend(s, func() time.Time { return noon })
	w, fresh := httptest.NewRecorder(), sessions.NewSession(b, cookieName)
	fresh.IsNew = true
	session.SetRecord(fresh, &session.Record{
		Identity:  session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: noon},
		CreatedAt: noon,
	})
	if err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), w, fresh); err != nil {
		t.Fatal(err)
	}
	return b, fresh.ID
}

// request comes with a number in its cookie, and with a trace.
func request(id string) (*http.Request, *session.Visit) {
	v := &session.Visit{}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Cookie", cookieName+"="+id)
	return r.WithContext(session.WithVisit(r.Context(), v)), v
}

// load returns the record that a number leads to, or nil.
func load(t *testing.T, b *Backend, id string) *session.Record {
	t.Helper()
	r, _ := request(id)
	s, err := b.New(r, cookieName)
	if err != nil {
		t.Fatal(err)
	}
	rec, _ := session.RecordOf(s)
	return rec
}

// counting counts what a store is asked.
type counting struct {
	Store
	finds, touches int
}

func (c *counting) Find(ctx context.Context, hash Hash) (session.Record, bool, error) {
	c.finds++
	return c.Store.Find(ctx, hash)
}

func (c *counting) Touch(ctx context.Context, hash Hash, seenAt, idleUntil time.Time) (bool, error) {
	c.touches++
	return c.Store.Touch(ctx, hash, seenAt, idleUntil)
}

func TestNew_doesNotAskAboutWhatIsNoNumber(t *testing.T) {
	store := &counting{Store: NewMemory()}
	b, id := started(t, store)
	for _, bad := range []string{"x", id[1:], id + "A", id[:31] + ".", id[:31] + "+"} {
		r, v := request(bad)
		if _, err := b.New(r, cookieName); err != nil || v.Trace.Reason != session.Malformed {
			t.Errorf("%q: %v, %q", bad, err, v.Trace.Reason)
		}
	}
	if store.finds != 0 {
		t.Errorf("the store was asked %d times", store.finds)
	}
	r, v := request(strings.Repeat("A", idLength))
	if _, err := b.New(r, cookieName); err != nil || v.Trace.Reason != session.Unknown || store.finds != 1 || v.Trace.Reads != 1 {
		t.Errorf("an unknown number: %v, %q, %d reads", err, v.Trace.Reason, store.finds)
	}
}

func TestNew_notesVisitsOnceAMinute(t *testing.T) {
	store := &counting{Store: NewMemory()}
	b, id := started(t, store)
	for _, row := range []struct {
		after  time.Duration
		writes int // so far
	}{
		{0, 0}, {59*time.Second + 999*time.Millisecond, 0}, {time.Minute, 1}, {time.Minute + time.Second, 1},
		{2*time.Minute - time.Millisecond, 1}, {2 * time.Minute, 2}, {-time.Hour, 2}, {2 * time.Minute, 2},
	} {
		b.now = func() time.Time { return noon.Add(row.after) }
		if rec := load(t, b, id); rec == nil || store.touches != row.writes {
			t.Errorf("after %v: %d visits are noted, want %d", row.after, store.touches, row.writes)
		}
	}
}

func TestNew_notesVisitsMoreOftenWhereIdleTimeIsShort(t *testing.T) {
	store := &counting{Store: NewMemory()}
	b, id := started(t, store)
	b.lifetimes.Idle = 100 * time.Second
	b.now = func() time.Time { return noon.Add(9 * time.Second) }
	load(t, b, id)
	b.now = func() time.Time { return noon.Add(10 * time.Second) }
	load(t, b, id)
	if store.touches != 1 {
		t.Errorf("%d visits are noted, want one, at a tenth of the idle time", store.touches)
	}
}

// A session may end between the two times that a request asks for it.
func TestNew_whenTheRecordGoesWhileTheVisitIsNoted(t *testing.T) {
	b, id := started(t, vanishing{NewMemory()})
	b.now = func() time.Time { return noon.Add(5 * time.Minute) }
	r, v := request(id)
	s, err := b.New(r, cookieName)
	if rec, ok := session.RecordOf(s); err != nil || ok || v.Trace.Reason != session.Unknown {
		t.Errorf("it gives %+v, %v, %q", rec, err, v.Trace.Reason)
	}
}

// vanishing loses a record as soon as it was found.
type vanishing struct{ *Memory }

func (v vanishing) Find(ctx context.Context, hash Hash) (session.Record, bool, error) {
	rec, found, err := v.Memory.Find(ctx, hash)
	v.Memory.delete(hash)
	return rec, found, err
}

func TestSave_sendsNothingWhenItFails(t *testing.T) {
	b := newBackend(NewMemory(), func() time.Time { return noon })
	b.random = bytes.NewReader(make([]byte, idBytes-1))
	s := sessions.NewSession(b, cookieName)
	s.IsNew = true
	session.SetRecord(s, &session.Record{Identity: session.Identity{UserID: ada}})
	w := httptest.NewRecorder()
	if err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), w, s); err == nil || len(w.Header()) > 0 {
		t.Errorf("without randomness: %v, %v", err, w.Header())
	}
	b.random = bytes.NewReader(make([]byte, 2*idBytes))
	if err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), httptest.NewRecorder(), s); err != nil {
		t.Fatal(err)
	}
	if err := b.Save(httptest.NewRequest(http.MethodPost, "/", nil), w, s); !errors.Is(err, session.ErrUnavailable) || len(w.Header()) > 0 {
		t.Errorf("with a number drawn twice: %v, %v", err, w.Header())
	}
}

func TestSQL_closedIsUnavailable(t *testing.T) {
	db := openSQLite(t)
	b, id := started(t, newSQL(t, db, db))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	r, _ := request(id)
	s, err := b.New(r, cookieName)
	if s == nil {
		t.Error("New returns no session")
	}
	_, err1 := b.EndUser(ctx, ada, "")
	_, err2 := b.EndAll(ctx, "")
	_, err3 := b.SetRole(ctx, ada, school.Admin)
	_, err4 := b.Count(ctx)
	_, err5 := b.Sweep(ctx)
	for what, err := range map[string]error{"New": err, "EndUser": err1, "EndAll": err2, "SetRole": err3, "Count": err4, "Sweep": err5} {
		if !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSweep_goesOnUntilThereIsNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for i := range 1100 {
			create(t, s, Hash{byte(i), byte(i >> 8)}, record(ada))
		}
		b := newBackend(s, func() time.Time { return noon.Add(time.Hour) })
		count(t, 1100)(b.Sweep(t.Context()))
	})
}

// between is a store in which somebody else writes after every batch of a sweep.
type between struct {
	Store
	batches []int
	write   func()
}

func (b *between) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := b.Store.Sweep(ctx, now, limit)
	b.batches = append(b.batches, n)
	b.write()
	return n, err
}

// TestSweep_stopsWithTheSite: what is left is swept at the next start.
func TestSweep_stopsWithTheSite(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for i := range 1100 {
			create(t, s, Hash{byte(i), byte(i >> 8)}, record(ada))
		}
		ctx, stop := context.WithCancel(t.Context())
		swept := &between{Store: s, write: stop}
		if n, err := newBackend(swept, func() time.Time { return noon.Add(time.Hour) }).Sweep(ctx); n != 500 || len(swept.batches) > 2 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d records are swept in batches of %v after the site has stopped, and the sweep says %v", n, swept.batches, err)
		}
	})
}

// Nobody who signs in, or comes by, waits for a sweep to end: it takes small
// batches, and holds nothing between two of them. The database has one connection
// here, which who holds it holds alone.
func TestSweep_letsOthersWriteBetweenSmallBatches(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		if table, ok := s.(*SQL); ok {
			table.Close()
			db := openSQLite(t)
			db.SetMaxOpenConns(1)
			s = newSQL(t, db, db)
		}
		for i := range 1100 {
			create(t, s, Hash{1, byte(i), byte(i >> 8)}, record(ada))
		}
		late := noon.Add(time.Hour)
		guest := record(grace)
		guest.IdleUntil = late.Add(time.Hour)
		create(t, s, Hash{2}, guest)
		store := &between{Store: s}
		store.write = func() {
			guest.SeenAt = guest.SeenAt.Add(time.Minute)
			create(t, s, Hash{3, byte(len(store.batches))}, guest)
			if alive, err := s.Touch(t.Context(), Hash{2}, guest.SeenAt, guest.IdleUntil); err != nil || !alive {
				t.Errorf("a visit during the sweep is noted: %v, %v", alive, err)
			}
		}
		count(t, 1100)(newBackend(store, func() time.Time { return late }).Sweep(t.Context()))
		if len(store.batches) < 3 || slices.Max(store.batches) > 500 {
			t.Errorf("it was done in batches of %v, want none above 500", store.batches)
		}
		count(t, 1+len(store.batches))(s.Count(t.Context(), late))
		if got, _ := find(t, s, Hash{2}); !got.SeenAt.Equal(guest.SeenAt) {
			t.Errorf("the last visit noted is that of %v, want %v", got.SeenAt, guest.SeenAt)
		}
	})
}

func TestParseHash_readsWhatStringWrote(t *testing.T) {
	hash := hashOf("number")
	if ParseHash(hash.String()) != hash {
		t.Error("a hash is not read as it was written")
	}
	for _, bad := range []string{"", "x", hash.String()[2:], hash.String() + "00", "AAAAAAAAAAAAAAAAAAAAAA"} {
		if ParseHash(bad) != (Hash{}) {
			t.Errorf("%q is read as a hash", bad)
		}
	}
}
