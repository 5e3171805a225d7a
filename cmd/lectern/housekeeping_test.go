package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/kinds"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
	"lectern/seed"
)

// TestKinds_areAllOfferedAndSwept makes the kinds of a site as the program does:
// what writes anything down that is over at some point is swept.
func TestKinds_areAllOfferedAndSwept(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	place, err := openSchool(t.Context(), storage{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	distant, err := serverstore.OpenRedis("redis://localhost:1", time.Now) // nobody asks it
	if err != nil {
		t.Fatal(err)
	}
	defer distant.Close()
	for _, row := range []struct {
		says    string
		distant *serverstore.Redis
		offered []string
	}{
		{"without a Redis", nil, []string{session.JWT, session.Memory, session.Database, session.Hybrid}},
		{"with one", distant, []string{session.JWT, session.Memory, session.Database, session.Redis, session.Hybrid}},
	} {
		t.Run(row.says, func(t *testing.T) {
			all, err := (&serveCommand{}).kinds(t.Context(), place, row.distant, nil, session.Cookies{})
			if err != nil {
				t.Fatal(err)
			}
			var offered, rungs, swept []string
			for _, b := range all.Offered {
				offered = append(offered, b.Name())
			}
			for _, rung := range all.Ladder {
				rungs = append(rungs, rung.Revocation())
			}
			for _, s := range all.Swept {
				swept = append(swept, s.Name())
			}
			if !slices.Equal(offered, row.offered) {
				t.Errorf("it offers %v, want %v", offered, row.offered)
			}
			if want := []string{session.RevokeNone, session.RevokeCutoff, session.RevokeDenylist}; !slices.Equal(rungs, want) {
				t.Errorf("the rungs are %v, want %v", rungs, want)
			}
			if want := append([]string{"denylist"}, row.offered[1:]...); !slices.Equal(swept, want) {
				t.Errorf("it sweeps %v, want %v", swept, want)
			}
		})
	}
}

// TestServe_sweepsWhatEndedWhileItWasDown leaves behind what is over, in every
// table that has such rows, and starts the program.
func TestServe_sweepsWhatEndedWhileItWasDown(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	rows := func() (n int) {
		t.Helper()
		place, err := openSchool(t.Context(), storage{Data: data})
		if err != nil {
			t.Fatal(err)
		}
		defer place.Close()
		if err := place.Reader().QueryRowContext(t.Context(), `
			SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM refresh_sessions) + (SELECT COUNT(*) FROM denied_tokens) + (SELECT COUNT(*) FROM tries)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	leaveBehind(t, data)
	if n := rows(); n != 4 {
		t.Fatalf("%d rows are left behind, want 4", n)
	}
	_, log := serveDemo(t, "--data", data)
	untilHeard(t, func() bool {
		return !slices.ContainsFunc([]string{session.Database, session.Hybrid, "denylist", "tries"}, func(store string) bool {
			return !strings.Contains(log.String(), `"msg":"swept","store":"`+store+`","over":1`)
		})
	})
	if n := rows(); n != 0 {
		t.Errorf("%d rows are still there", n)
	}
}

// leaveBehind writes a record, a family, a token's number and a try whose time is over.
func leaveBehind(t *testing.T, data string) {
	t.Helper()
	place, err := openSchool(t.Context(), storage{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	records, err1 := serverstore.NewSQL(t.Context(), place.Reader(), place.Writer())
	families, err2 := hybrid.NewSQL(t.Context(), place.Reader(), place.Writer())
	ledger, err3 := cookiejwt.NewSQLLedger(t.Context(), place.Reader(), place.Writer(), place, time.Now)
	tries, err4 := db.OpenTries(t.Context(), place, rand.Reader, time.Now)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if err := seed.Fill(t.Context(), place); err != nil {
		t.Fatal(err)
	}
	somebody, err := place.Users(t.Context(), db.UserQuery{})
	if err != nil {
		t.Fatal(err)
	}
	over := time.Now().Add(-time.Hour)
	rec := session.Record{Identity: session.Identity{UserID: somebody.Users[0].ID, Role: school.Student, AuthAt: over}, CreatedAt: over, SeenAt: over, IdleUntil: over, ExpiresAt: over}
	_, failed := ledger.Deny(t.Context(), "AAAAAAAAAAAAAAAAAAAAAA", over)
	unforgotten := tries.ChangeCounts(t.Context(), []school.TryKey{{What: "tries", Account: "ada@lectern.example"}}, func(counts []school.TryCount) error {
		counts[0] = school.TryCount{N: 1, At: over, Until: over}
		return nil
	})
	if err := errors.Join(
		failed, unforgotten, records.Create(t.Context(), serverstore.Hash{1}, rec), families.Create(t.Context(), serverstore.Hash{1}, hybrid.Family{Record: rec}),
		records.Close(), families.Close(), ledger.Close(), place.Close(),
	); err != nil {
		t.Fatal(err)
	}
}

// broom is a store that notes how often it was swept.
type broom struct {
	swept atomic.Int64
	err   error
}

func (b *broom) Name() string { return "broom" }

func (b *broom) Sweep(context.Context) (int, error) {
	b.swept.Add(1)
	return 3, b.err
}

// TestHousekeeping_isDoneFromTheStartAndEveryFewMinutes by a clock that goes on
// as soon as nobody has anything left to do.
func TestHousekeeping_isDoneFromTheStartAndEveryFewMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &said{}
		broken, whole := &broom{err: errors.New("the handle is off")}, &broom{}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go housekeeping(slog.New(slog.NewTextHandler(log, nil)), newManager(t, sessiontest.NewSchool()), newRing(t), []kinds.Sweeper{broken, whole})(ctx)
		for _, row := range []struct {
			later time.Duration
			swept int64
		}{{0, 1}, {5*time.Minute - time.Second, 1}, {time.Second, 2}, {10 * time.Minute, 4}} {
			pass(row.later)
			if first, second := broken.swept.Load(), whole.swept.Load(); first != row.swept || second != row.swept {
				t.Errorf("after %v more the stores were swept %d and %d times, want %d", row.later, first, second, row.swept)
			}
		}
		if text := log.String(); strings.Count(text, "not swept") != 4 || !strings.Contains(text, "the handle is off") || strings.Count(text, "over=3") != 4 {
			t.Errorf("the log says %s", text)
		}
		stop()
		pass(time.Hour)
		if whole.swept.Load() != 4 {
			t.Error("it goes on when the site has stopped")
		}
	})
}

// TestHousekeeping_hearsOfAnothersSwitch within seconds: two servers share their
// settings, and an admin is at the other one.
func TestHousekeeping_hearsOfAnothersSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := sessiontest.NewSchool()
		here, there := newManager(t, people), newManager(t, people)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go housekeeping(slog.New(slog.DiscardHandler), here, newRing(t), nil)(ctx)
		if err := there.Climb(ctx, session.RevokeCutoff); err != nil {
			t.Fatal(err)
		}
		if got := here.Site().Revocation; got != session.RevokeNone {
			t.Errorf("before it has asked, it stands on %q", got)
		}
		pass(2 * time.Second)
		if got := here.Site().Revocation; got != session.RevokeCutoff {
			t.Errorf("two seconds later it stands on %q", got)
		}
	})
}

// pass lets time go by, for everybody in the bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func newRing(t *testing.T) *token.Keyring {
	t.Helper()
	keys, err := token.ParseKeys(token.HS256, "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY")
	if err != nil {
		t.Fatal(err)
	}
	return token.NewKeyring(keys)
}

// nobodysLedger is for rungs on which nobody stands.
type nobodysLedger struct{ cookiejwt.Ledger }

func newManager(t *testing.T, people *sessiontest.School) *session.Manager {
	t.Helper()
	band := cookiejwt.New(cookiejwt.Config{Now: time.Now})
	m, err := session.NewManager(t.Context(), session.Config{
		Backends: []session.Backend{band}, Default: session.JWT,
		Ladder: []session.Rung{band, cookiejwt.NewCutoff(band, nobodysLedger{})}, Revocation: session.RevokeNone,
		People: people, Settings: people, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
