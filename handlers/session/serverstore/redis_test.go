package serverstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/redistest"
)

func TestOpenRedis_refusesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{
		"", "localhost:6379", "http://:s3cret@localhost:6379", "unix:///tmp/redis.sock", "redis://", "redis://:s3cret@", "redis://:s3cret@localhost:6379/first",
		"redis://:s3cret@localhost:port", "redis://:s3cret@localhost/0?read_timeout=1h", "redis://:s3cret@localhost/0#x", "redis://:s3cret@local host",
	} {
		_, err := OpenRedis(address, time.Now)
		if err == nil {
			t.Errorf("%q is taken for an address", address)
		} else if strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "redis://") {
			t.Errorf("%q: the error tells the password, or not what would be right: %v", address, err)
		}
	}
	for _, address := range []string{"redis://localhost", "redis://:s3cret@localhost:6380/3", "rediss://lectern:s3cret@redis.example:6380"} {
		if s, err := OpenRedis(address, time.Now); err != nil {
			t.Errorf("%q: %v", address, err)
		} else {
			s.Close()
		}
	}
}

// wire counts what goes to Redis: one of a hook's calls is one way there and
// back. How a connection introduces itself is left out, since it does so once
// for thousands of requests.
type wire struct {
	mu   sync.Mutex
	sent []string
}

func (w *wire) DialHook(next redis.DialHook) redis.DialHook { return next }

func (w *wire) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "hello" {
			w.mu.Lock()
			w.sent = append(w.sent, cmd.Name())
			w.mu.Unlock()
		}
		return next(ctx, cmd)
	}
}

func (w *wire) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// walks returns what was sent since it was last asked.
func (w *wire) walks() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := w.sent
	w.sent = nil
	return sent
}

// TestRedis_isAskedOncePerRequest counts the ways to Redis of a request that
// notes its visit, and of one that does not.
func TestRedis_isAskedOncePerRequest(t *testing.T) {
	server := redistest.Start(t)
	s := newRedis(t, server.URL(), time.Now)
	counted := &wire{}
	s.client.AddHook(counted)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, id := started(t, s)
	if got := counted.walks(); !reflect.DeepEqual(got, []string{"evalsha"}) {
		t.Errorf("starting a session takes %v", got)
	}
	for _, row := range []struct {
		says   string
		after  time.Duration
		writes int
	}{
		{"the visit after a minute is noted", time.Minute, 1},
		{"the one after it is not", time.Minute + time.Second, 0},
		{"the next minute's is", 3 * time.Minute, 1},
	} {
		b.now = func() time.Time { return noon.Add(row.after) }
		r, v := request(id)
		loaded, err := b.New(r, cookieName)
		if _, ok := session.RecordOf(loaded); err != nil || !ok {
			t.Fatalf("%s: %v, %q", row.says, err, v.Trace.Reason)
		}
		if got := counted.walks(); !reflect.DeepEqual(got, []string{"evalsha"}) {
			t.Errorf("%s: the request takes %v", row.says, got)
		}
		if v.Trace.Reads != 1 || v.Trace.Writes != row.writes {
			t.Errorf("%s: the trace says %d reads and %d writes", row.says, v.Trace.Reads, v.Trace.Writes)
		}
	}

	server.Do("SCRIPT FLUSH") // as after a restart
	if load(t, b, id) == nil {
		t.Error("a Redis that has forgotten the scripts is not told them again")
	}
	if got := counted.walks(); !reflect.DeepEqual(got, []string{"evalsha", "eval"}) {
		t.Errorf("telling the script again takes %v", got)
	}
}

func eachRedis(t *testing.T, test func(*testing.T, *Redis)) {
	t.Run("in this process", func(t *testing.T) { test(t, newRedis(t, "redis://"+miniredis.RunT(t).Addr(), time.Now)) })
	t.Run("redis-server", func(t *testing.T) { test(t, newRedis(t, redistest.Start(t).URL(), time.Now)) })
}

func TestVisit_notesWhatIsDue(t *testing.T) {
	const every, idle = time.Minute, 30 * time.Minute
	eachRedis(t, func(t *testing.T, s *Redis) {
		for i, row := range []struct {
			says     string
			remember bool
			expires  time.Duration // after noon, when the visit before was noted
			after    time.Duration
			noted    bool
			idle     time.Duration // the new end without a visit, after noon
		}{
			{"it is too soon", false, 12 * time.Hour, every - time.Millisecond, false, 0},
			{"it is time", false, 12 * time.Hour, every, true, every + idle},
			{"the end in any case is near", false, 31 * time.Minute, 2 * every, true, 31 * time.Minute},
			{"it is to be remembered", true, 12 * time.Hour, every, true, 12 * time.Hour},
			{"nobody came for too long", false, 12 * time.Hour, idle, false, 0},
			{"it is over in any case", true, 20 * time.Minute, 20 * time.Minute, false, 0},
			{"the clock was moved back", false, 12 * time.Hour, -time.Hour, false, 0},
		} {
			hash, rec := Hash{byte(i)}, record(ada)
			rec.Remember, rec.ExpiresAt = row.remember, noon.Add(row.expires)
			create(t, s, hash, rec)
			now := noon.Add(row.after)
			got, found, noted, err := s.Visit(t.Context(), hash, now, every, idle)
			if err != nil || !found || noted != row.noted {
				t.Errorf("%s: found %v, noted %v, %v", row.says, found, noted, err)
			}
			if row.noted {
				rec.SeenAt, rec.IdleUntil = now, noon.Add(row.idle)
			}
			if !reflect.DeepEqual(got, rec) {
				t.Errorf("%s: got %+v, want %+v", row.says, got, rec)
			}
			if kept, _ := find(t, s, hash); !reflect.DeepEqual(kept, rec) {
				t.Errorf("%s: it keeps %+v, want %+v", row.says, kept, rec)
			}
		}
		if _, found, noted, err := s.Visit(t.Context(), Hash{99}, noon, every, idle); err != nil || found || noted {
			t.Errorf("of what is not there: found %v, noted %v, %v", found, noted, err)
		}
	})
}

// TestRedis_fullStillReads has no memory for one byte more: who is signed in
// stays so, though their visits are not noted, and can be signed out; nobody
// new is let in.
func TestRedis_fullStillReads(t *testing.T) {
	server := redistest.Start(t)
	b, id := started(t, newRedis(t, server.URL(), time.Now))
	server.Fill()
	b.now = func() time.Time { return noon.Add(5 * time.Minute) }
	r, v := request(id)
	s, err := b.New(r, cookieName)
	rec, ok := session.RecordOf(s)
	if err != nil || !ok {
		t.Fatalf("a full Redis signs somebody out: %v, %q", err, v.Trace.Reason)
	}
	if steps := v.Trace.Steps(); steps[len(steps)-1].Name != notNoted.Name || !rec.SeenAt.Equal(noon) {
		t.Errorf("the visit is said to be noted: %v, %v", steps, rec.SeenAt)
	}
	for range 2 * patienceLost { // a refusal is an answer
		if err := b.store.Create(t.Context(), Hash{1}, record(ada)); err == nil || !strings.Contains(err.Error(), "OOM") {
			t.Fatalf("a full Redis takes a session: %v", err)
		}
	}
	count(t, 1)(b.Count(t.Context()))
	count(t, 1)(b.EndUser(t.Context(), ada, ""))
	server.Drain()
	create(t, b.store, Hash{1}, record(ada))
}

func sessionKey(hash Hash) string   { return "lectern:session:" + hash.String() }
func userKey(user school.ID) string { return "lectern:user:" + string(user) }

const allKey = "lectern:sessions"

// left are the keys that a Redis in this process has.
func left(server *miniredis.Miniredis) string { return strings.Join(server.Keys(), " ") }

// TestRedis_forgetsByItself lets Redis drop what is over: afterwards a list and
// a sweep clear away the places where it was listed, and a list that nobody
// reads goes when the longest of its sessions does.
func TestRedis_forgetsByItself(t *testing.T) {
	open := func(t *testing.T) (*miniredis.Miniredis, *Redis) {
		server := miniredis.RunT(t)
		s := newRedis(t, "redis://"+server.Addr(), time.Now)
		short, long := record(ada), record(ada)
		long.IdleUntil = noon.Add(2 * time.Hour)
		create(t, s, Hash{1}, short)
		create(t, s, Hash{2}, long)
		create(t, s, Hash{3}, short)
		return server, s
	}
	listed := func(server *miniredis.Miniredis) int {
		members, _ := server.ZMembers(userKey(ada))
		return len(members)
	}
	t.Run("a record goes at its end", func(t *testing.T) {
		server, s := open(t)
		server.FastForward(30*time.Minute - time.Millisecond)
		if _, found := find(t, s, Hash{1}); !found {
			t.Error("a record has gone before its end")
		}
		server.FastForward(time.Millisecond)
		if _, found := find(t, s, Hash{1}); found {
			t.Error("a record outlives its end")
		}
	})
	t.Run("a visit puts it off, of the list too", func(t *testing.T) {
		server, s := open(t)
		at := noon.Add(29 * time.Minute)
		if _, _, noted, err := s.Visit(t.Context(), Hash{2}, at, time.Minute, 3*time.Hour); err != nil || !noted {
			t.Fatalf("noted %v, %v", noted, err)
		}
		for _, key := range []string{sessionKey(Hash{2}), userKey(ada), allKey} {
			if got := server.TTL(key); got < 3*time.Hour {
				t.Errorf("%s lasts %v", key, got)
			}
		}
	})
	t.Run("a list is cleared when it is read", func(t *testing.T) {
		server, s := open(t)
		server.FastForward(time.Hour)
		if got := listed(server); got != 3 {
			t.Fatalf("%d are listed before the list is read", got)
		}
		if all, err := s.List(t.Context(), ada, noon.Add(time.Hour), 10); err != nil || len(all) != 1 || all[0].Handle != (Hash{2}).String() {
			t.Errorf("listed %+v, %v", all, err)
		}
		if got := listed(server); got != 1 {
			t.Errorf("%d are listed after the list was read", got)
		}
	})
	t.Run("a change of role clears it, too", func(t *testing.T) {
		server, s := open(t)
		server.FastForward(time.Hour)
		count(t, 1)(s.SetRole(t.Context(), ada, school.Admin))
		if got := listed(server); got != 1 {
			t.Errorf("%d are listed after the role was changed", got)
		}
	})
	t.Run("a sweep clears lists that nobody reads", func(t *testing.T) {
		server, s := open(t)
		server.FastForward(time.Hour)
		count(t, 2)(s.Sweep(t.Context(), noon.Add(time.Hour), 10))
		if got := listed(server); got != 1 {
			t.Errorf("%d are listed after the sweep", got)
		}
		count(t, 1)(s.Sweep(t.Context(), noon.Add(2*time.Hour), 10))
		if keys := left(server); keys != "" {
			t.Errorf("a sweep leaves %s", keys)
		}
	})
	t.Run("a list goes with its longest session", func(t *testing.T) {
		server, _ := open(t)
		server.FastForward(2*time.Hour - time.Millisecond)
		if !server.Exists(userKey(ada)) {
			t.Error("the list has gone before its last session")
		}
		server.FastForward(time.Millisecond)
		if keys := left(server); keys != "" {
			t.Errorf("what is left is %s", keys)
		}
	})
	for what, remove := range map[string]func(context.Context, *Redis){
		"delete": func(ctx context.Context, s *Redis) {
			s.Delete(ctx, Hash{1})
			s.Delete(ctx, Hash{2})
			s.Delete(ctx, Hash{3})
		},
		"delete user": func(ctx context.Context, s *Redis) { s.DeleteUser(ctx, ada, Hash{}) },
		"delete all":  func(ctx context.Context, s *Redis) { s.DeleteAll(ctx, Hash{}) },
	} {
		t.Run(what+" leaves nothing", func(t *testing.T) {
			server, s := open(t)
			if remove(t.Context(), s); left(server) != "" {
				t.Errorf("it leaves %s", left(server))
			}
		})
	}
}

// TestRedis_setOfAllLastsAsItsLongestSession, in a store apart as in the site's own:
// who is killed leaves nothing for ever, and nothing goes before its time.
func TestRedis_setOfAllLastsAsItsLongestSession(t *testing.T) {
	eachRedis(t, func(t *testing.T, site *Redis) {
		for says, s := range map[string]*Redis{"the site's own": site, "a store apart": site.Apart("lab-1")} {
			life := func(what string, want time.Duration) {
				t.Helper()
				got, err := s.client.PTTL(t.Context(), s.allKey()).Result()
				if err != nil || got > want || got < want-10*time.Second {
					t.Errorf("%s, %s: the set lasts %v, want %v; %v", says, what, got, want, err)
				}
			}
			short, long := record(ada), record(grace)
			short.Remember = false
			long.IdleUntil = noon.Add(2 * time.Hour)
			create(t, s, Hash{1}, short)
			life("with one session", 30*time.Minute)
			create(t, s, Hash{2}, long)
			life("with a longer one", 2*time.Hour)
			create(t, s, Hash{3}, short)
			life("with a shorter one after it", 2*time.Hour)
			if _, _, noted, err := s.Visit(t.Context(), Hash{1}, noon.Add(time.Minute), time.Minute, time.Hour); err != nil || !noted {
				t.Fatalf("noted %v, %v", noted, err)
			}
			life("after a visit of the shorter", 2*time.Hour)
			if _, err := s.Touch(t.Context(), Hash{1}, noon.Add(2*time.Minute), noon.Add(5*time.Hour+2*time.Minute)); err != nil {
				t.Fatal(err)
			}
			life("after one that puts it off", 5*time.Hour)

			// As it is found after a program that gave it no life.
			if err := s.client.Persist(t.Context(), s.allKey()).Err(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Touch(t.Context(), Hash{3}, noon, noon.Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			life("of a program before", 5*time.Hour+2*time.Minute)
			count(t, 3)(s.DeleteAll(t.Context(), Hash{}))
		}
	})
}

// TestRedis_apartDoesNotPutTheSiteToRest, nor does it take its connections.
func TestRedis_apartDoesNotPutTheSiteToRest(t *testing.T) {
	server := redistest.Start(t)
	clock := &hands{now: noon}
	site := newRedis(t, server.URL(), clock.Now)
	lab, other := site.Apart("lab-1"), site.Apart("lab-2")
	create(t, site, Hash{1}, record(ada))
	server.Pause()
	for range patienceLost {
		brief, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, _, err := lab.Find(brief, Hash{1}); err == nil {
			t.Fatal("who is silent answers")
		}
		cancel()
	}
	server.Resume()
	if _, found := find(t, site, Hash{1}); !found {
		t.Error("the site's own session is gone")
	}
	if _, _, err := other.Find(t.Context(), Hash{1}); !errors.Is(err, errResting) {
		t.Errorf("one lab waits where another has waited in vain: %v", err)
	}
	clock.move(rest)
	if _, found := find(t, lab, Hash{1}); found {
		t.Error("a store apart sees what is the site's")
	}

	if site.client == lab.client || lab.client != other.client {
		t.Error("the stores apart share connections with the site, or not among themselves")
	}
	if err := lab.Close(); err != nil {
		t.Error(err)
	}
	find(t, other, Hash{1})
	find(t, site, Hash{1})
	if err := site.Close(); err != nil {
		t.Error(err)
	}
	for _, s := range []*Redis{site, lab, other} {
		if _, _, err := s.Find(t.Context(), Hash{1}); !errors.Is(err, redis.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// Who asks when their time is over says nothing about Redis.
func TestRedis_isNotBlamedByWhoHasNoTime(t *testing.T) {
	s := newRedis(t, "redis://"+miniredis.RunT(t).Addr(), time.Now)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for range 2 * patienceLost {
		if _, _, err := s.Find(late, Hash{1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who has no time gets %v", err)
		}
	}
	find(t, s, Hash{1})
}

// TestRedis_listsTheLatest of a person who has more sessions than are asked
// for, and some that are over.
func TestRedis_listsTheLatest(t *testing.T) {
	eachRedis(t, func(t *testing.T, s *Redis) {
		for i := range 10 {
			rec := record(ada)
			rec.CreatedAt = noon.Add(time.Duration(i) * time.Second)
			if i > 6 {
				rec.IdleUntil = noon.Add(time.Minute)
			}
			create(t, s, Hash{byte(i)}, rec)
		}
		all, err := s.List(t.Context(), ada, noon.Add(time.Minute), 3)
		var handles []string
		for _, rec := range all {
			handles = append(handles, rec.Handle[:2])
		}
		if err != nil || fmt.Sprint(handles) != "[06 05 04]" {
			t.Errorf("listed %v, %v", handles, err)
		}
	})
}

// TestRedis_goesThroughManyInSteps ends and changes more sessions than one
// script may, each of them once.
func TestRedis_goesThroughManyInSteps(t *testing.T) {
	server := redistest.Start(t)
	s := newRedis(t, server.URL(), time.Now)
	counted := &wire{}
	s.client.AddHook(counted)
	const many = 5 * redisBatch
	fill := func() {
		t.Helper()
		for i := range many {
			create(t, s, Hash{byte(i), byte(i >> 8)}, record(ada))
		}
		create(t, s, Hash{0, 0, 1}, record(grace))
		counted.walks()
	}
	steps := func(what string) {
		t.Helper()
		if got := len(counted.walks()); got < many/redisBatch/2 {
			t.Errorf("%s takes %d steps", what, got)
		}
	}
	fill()
	count(t, many)(s.SetRole(t.Context(), ada, school.Admin))
	steps("a new role")
	count(t, many-1)(s.DeleteUser(t.Context(), ada, Hash{7}))
	steps("ending one person's")
	count(t, 2)(s.Count(t.Context(), noon))
	if rec, found := find(t, s, Hash{7}); !found || rec.Role != school.Admin {
		t.Errorf("the excepted one: %v, %+v", found, rec)
	}
	count(t, 2)(s.DeleteAll(t.Context(), Hash{}))
	fill()
	count(t, many)(s.DeleteAll(t.Context(), Hash{7}))
	steps("ending everybody's")
}

// What a thief of the store could put into a cookie is nowhere in it.
func TestRedis_keepsNoNumbers(t *testing.T) {
	server := miniredis.RunT(t)
	_, id := started(t, newRedis(t, "redis://"+server.Addr(), time.Now))
	if dump := server.Dump(); strings.Contains(dump, id) || !strings.Contains(dump, hashOf(id).String()) {
		t.Errorf("the store holds %s", dump)
	}
}

func TestRedis_refusesWhatIsNoRecord(t *testing.T) {
	t.Attr("asvs", "1.5.2")
	server := miniredis.RunT(t)
	s := newRedis(t, "redis://"+server.Addr(), time.Now)
	server.HSet(sessionKey(Hash{1}), "user", "ada")
	if err := server.Set(sessionKey(Hash{2}), "text"); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if rec, found, err := s.Find(t.Context(), Hash{byte(i + 1)}); err == nil || found {
			t.Errorf("found %v %+v, %v", found, rec, err)
		}
	}
}

func TestRedis_saysWhetherItForgets(t *testing.T) {
	server := redistest.Start(t)
	s := newRedis(t, server.URL(), time.Now)
	if policy, forgets := s.Forgets(t.Context()); forgets || policy != "noeviction" {
		t.Errorf("%q forgets: %v", policy, forgets)
	}
	server.Do("CONFIG SET maxmemory-policy volatile-lru")
	if policy, forgets := s.Forgets(t.Context()); !forgets || policy != "volatile-lru" {
		t.Errorf("%q forgets: %v", policy, forgets)
	}
	server.Do("ACL SETUSER default -config")
	if policy, forgets := s.Forgets(t.Context()); forgets || policy != "" {
		t.Errorf("where it does not say: %q forgets: %v", policy, forgets)
	}
}

// hands is a clock that tests move.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func TestBreaker(t *testing.T) {
	clock := &hands{now: noon}
	b := &breaker{now: clock.Now}
	want := func(says string, want bool) {
		t.Helper()
		if got := b.allows(); got != want {
			t.Errorf("%s: it may be asked: %v, want %v", says, got, want)
		}
	}
	for range patienceLost - 1 {
		b.silent()
	}
	want("after a few silences", true)
	b.heard()
	for range patienceLost - 1 {
		b.silent()
	}
	want("they do not add up over an answer", true)
	b.silent()
	want("after too many in a row", false)
	clock.move(rest - time.Millisecond)
	want("before the rest is over", false)
	clock.move(time.Millisecond)
	want("one may try", true)
	want("and nobody beside it", false)
	b.silent()
	want("it was in vain", false)
	clock.move(rest)
	want("one may try again", true)
	b.heard()
	want("it is back", true)
	want("for everybody", true)
}

// TestRedis_silentIsLeftAlone asks a store that takes calls and never answers:
// the first few wait, the others hear at once that it is away, and nobody
// disturbs it.
func TestRedis_silentIsLeftAlone(t *testing.T) {
	server := redistest.Start(t)
	clock := &hands{now: noon}
	s := newRedis(t, server.URL(), clock.Now)
	b, id := started(t, s)
	counted := &wire{}
	s.client.AddHook(counted)
	ask := func() error {
		r, v := request(id)
		_, err := b.New(r, cookieName)
		if err != nil && (!errors.Is(err, session.ErrUnavailable) || v.Trace.Reads != 1) {
			t.Errorf("%v, %d reads", err, v.Trace.Reads)
		}
		return err
	}
	server.Pause()
	for i := range 20 {
		if err := ask(); err == nil {
			t.Fatalf("question %d is answered", i)
		} else if got := errors.Is(err, errResting); got != (i >= patienceLost) {
			t.Errorf("question %d: left alone %v", i, got)
		}
	}
	if got := len(counted.walks()); got != patienceLost {
		t.Errorf("it was asked %d times", got)
	}
	server.Resume()
	if err := ask(); !errors.Is(err, errResting) {
		t.Errorf("it is asked before its rest is over: %v", err)
	}
	clock.move(rest)
	for range 3 {
		if err := ask(); err != nil {
			t.Errorf("it is back, and %v", err)
		}
	}
}

// A visitor who hangs up says nothing about Redis.
func TestRedis_isNotBlamedForHangingUp(t *testing.T) {
	s := newRedis(t, "redis://"+miniredis.RunT(t).Addr(), time.Now)
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for range 2 * patienceLost {
		if _, _, err := s.Find(gone, Hash{1}); !errors.Is(err, context.Canceled) {
			t.Errorf("somebody who has hung up gets %v", err)
		}
	}
	if _, _, err := s.Find(t.Context(), Hash{1}); err != nil {
		t.Error(err)
	}
}

// TestRedis_answersInTimeInEveryTrouble asks one that refuses, one that lets
// nobody in, and one that is silent, with all the time in the world.
func TestRedis_answersInTimeInEveryTrouble(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for what, address := range map[string]string{
		"refuses": "redis://" + closed.Addr().String(),
		"silent":  "redis://" + silent.Addr().String(),
		"no TLS":  "rediss://" + silent.Addr().String(),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newRedis(t, address, time.Now)
			soon, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			for _, err := range []error{s.Ping(context.Background()), s.Create(context.Background(), Hash{1}, record(ada))} {
				if err == nil {
					t.Error("it answers")
				}
			}
			if soon.Err() != nil {
				t.Error("two questions take longer than two seconds")
			}
		})
	}
}

func TestSave_refusesLoudlyWhenRedisIsFull(t *testing.T) {
	server := redistest.Start(t)
	b, id := started(t, newRedis(t, server.URL(), time.Now))
	server.Fill()
	r, _ := request(id)
	s, err := b.New(r, cookieName)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Save(r, nowhere{}, s); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("saving gives %v", err)
	}
}

// nowhere is a response to nobody, which must not be touched.
type nowhere struct{ http.ResponseWriter }
