package broken_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"lectern/db/school"
	"lectern/handlers/lab/broken"
	"lectern/handlers/session"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

const top = "../../../"

// Keys, and what a planned change makes of them.
const (
	key     = "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY"
	changed = "next:dnV0c3JxcG9ubWxramloZ2ZlZGNiYTA5ODc2NTQzMjE," + key
)

var (
	secret         = []byte("an old secret of thirty-two bytes")[:32]
	secrets        = [][]byte{secret}
	changedSecrets = [][]byte{[]byte("a new secret, thirty-two bytes too")[:32], secret}
)

func TestMistakes_areFoundOut(t *testing.T) {
	for _, mistake := range broken.All {
		for _, cookies := range []session.Cookies{{Secure: false}, {Secure: true}} {
			t.Run(mistake.Name+" over "+map[bool]string{false: "http", true: "https"}[cookies.Secure], func(t *testing.T) {
				found := diagnose(t, cookies, mistake, mistake.New)
				if got, want := slices.Sorted(maps.Keys(found)), []string{mistake.Check}; !slices.Equal(got, want) {
					t.Errorf("the suite finds %q, want %q:\n%s", got, want, strings.Join(slices.Concat(slices.Collect(maps.Values(found))...), "\n"))
				}
			})
		}
	}
}

// diagnose has the suite say what is wrong with a backend beside what its kind
// cannot do anyway.
func diagnose(t *testing.T, cookies session.Cookies, mistake broken.Mistake, open func(broken.Config) session.Backend) map[string][]string {
	t.Helper()
	limits, examined := sessiontest.LimitsOf(mistake.Kind, mistake.Revocation)
	if !examined {
		t.Fatalf("nothing is said of %s %s", mistake.Kind, mistake.Revocation)
	}
	found := map[string][]string{}
	for _, f := range sessiontest.Run(sessiontest.Subject{Cookies: cookies, Open: func(terms sessiontest.Terms) (sessiontest.Instance, error) {
		return instance(t, terms, open), nil
	}}) {
		found[f.Check] = append(found[f.Check], f.Wrong)
	}
	for _, limit := range limits {
		if found[limit.Check] == nil {
			t.Errorf("the limit %q of the kind that it is made of has disappeared", limit.Check)
		}
		delete(found, limit.Check)
	}
	return found
}

// instance opens a backend on stores of its own, with another server beside it and
// one that has changed its keys.
func instance(t *testing.T, terms sessiontest.Terms, open func(broken.Config) session.Backend) sessiontest.Instance {
	t.Helper()
	c, away := config(t, terms)
	twin, rekeyed := c, c
	rekeyed.Tokens, rekeyed.Secrets = issuer(t, changed, terms.Now), changedSecrets
	b := open(c)
	i := sessiontest.Instance{Backend: b, Twin: open(twin), Rekeyed: open(rekeyed), Away: away}
	i.Challenges, _ = b.(sessiontest.Challenger)
	if _, asks := b.(session.Heeder); b.Name() == session.JWT && !asks {
		i.Away = nil // it has nothing that could be away
	}
	return i
}

// config is all that any of them needs, and the way to take the stores away.
func config(t *testing.T, terms sessiontest.Terms) (c broken.Config, setAway func(bool)) {
	t.Helper()
	db, away := openSQLite(t), &atomic.Bool{}
	rows, err := serverstore.NewSQL(t.Context(), db, db)
	must(t, err)
	t.Cleanup(func() { rows.Close() })
	families, err := hybrid.NewSQL(t.Context(), db, db)
	must(t, err)
	t.Cleanup(func() { families.Close() })
	return broken.Config{
			Cookies: terms.Cookies, Lifetimes: terms.Lifetimes, Now: terms.Now, Random: rand.Reader,
			Store: gone{rows, away}, Families: goneFamilies{families, away},
			Ledger: &ledger{School: terms.School, away: away, denied: map[string]bool{}},
			Tokens: issuer(t, key, terms.Now), Secrets: secrets,
		}, func(now bool) {
			away.Store(now)
			terms.School.SetAway(now)
		}
}

func issuer(t *testing.T, keys string, now func() time.Time) *token.Issuer {
	t.Helper()
	parsed, err := token.ParseKeys(token.HS256, keys)
	must(t, err)
	return token.NewIssuer(token.Config{Keys: token.NewKeyring(parsed), Site: "https://lectern.example", Now: now, Random: rand.Reader})
}

func openSQLite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "sessions.db")+"?_journal_mode=WAL&_busy_timeout=5000&_synchronous=OFF&_txlock=immediate")
	must(t, err)
	t.Cleanup(func() { db.Close() })
	for _, name := range []string{"0002_sessions.sql", "0005_refresh_sessions.sql"} {
		migration, err := os.ReadFile(top + "db/migrations/" + name)
		must(t, err)
		_, err = db.Exec(string(migration))
		must(t, err)
	}
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAll_saysWhatIsThere(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range broken.All {
		if seen[m.Name] || seen[m.Check] || strings.ToLower(m.Name) != m.Name || strings.Contains(m.Name, " ") {
			t.Errorf("%s is there twice, or its check %q, or the name is none for an address", m.Name, m.Check)
		}
		seen[m.Name], seen[m.Check] = true, true
		if !slices.Contains(sessiontest.Checks(), m.Check) {
			t.Errorf("%s: there is no check %q", m.Name, m.Check)
		}
		if !strings.HasSuffix(m.Breaks, ".") {
			t.Errorf("%s: %q is no sentence", m.Name, m.Breaks)
		}
		if _, err := os.Stat(top + m.Where); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		b := instance(t, sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: time.Now, School: sessiontest.NewSchool()}, m.New).Backend
		rung := ""
		if r, ok := b.(session.Rung); ok {
			rung = r.Revocation()
		}
		if b.Name() != m.Kind || rung != m.Revocation {
			t.Errorf("%s is made of %s %s, and says that it is %s %s", m.Name, m.Kind, m.Revocation, b.Name(), rung)
		}
	}
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, file := range files {
		where := "handlers/lab/broken/" + file
		if file != "broken.go" && !strings.HasSuffix(file, "_test.go") && !slices.ContainsFunc(broken.All, func(m broken.Mistake) bool { return m.Where == where }) {
			t.Errorf("%s is no mistake on the list", file)
		}
	}
}

var errAway = errors.New("connection refused")

// gone is a store that can be taken away.
type gone struct {
	serverstore.Store
	away *atomic.Bool
}

func (g gone) Find(ctx context.Context, hash serverstore.Hash) (session.Record, bool, error) {
	if g.away.Load() {
		return session.Record{}, false, errAway
	}
	return g.Store.Find(ctx, hash)
}

func (g gone) Create(ctx context.Context, hash serverstore.Hash, rec session.Record) error {
	if g.away.Load() {
		return errAway
	}
	return g.Store.Create(ctx, hash, rec)
}

func (g gone) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	if g.away.Load() {
		return false, errAway
	}
	return g.Store.Touch(ctx, hash, seenAt, idleUntil)
}

func (g gone) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if g.away.Load() {
		return false, errAway
	}
	return g.Store.Delete(ctx, hash)
}

func (g gone) DeleteUser(ctx context.Context, user school.ID, except serverstore.Hash) (int, error) {
	if g.away.Load() {
		return 0, errAway
	}
	return g.Store.DeleteUser(ctx, user, except)
}

// goneFamilies is the same for families.
type goneFamilies struct {
	hybrid.Store
	away *atomic.Bool
}

func (g goneFamilies) Find(ctx context.Context, hash serverstore.Hash) (hybrid.Family, bool, error) {
	if g.away.Load() {
		return hybrid.Family{}, false, errAway
	}
	return g.Store.Find(ctx, hash)
}

func (g goneFamilies) Create(ctx context.Context, hash serverstore.Hash, family hybrid.Family) error {
	if g.away.Load() {
		return errAway
	}
	return g.Store.Create(ctx, hash, family)
}

func (g goneFamilies) Rotate(ctx context.Context, hash, presented serverstore.Hash, to hybrid.Rotation) (bool, error) {
	if g.away.Load() {
		return false, errAway
	}
	return g.Store.Rotate(ctx, hash, presented, to)
}

func (g goneFamilies) Touch(ctx context.Context, hash serverstore.Hash, seenAt, idleUntil time.Time) (bool, error) {
	if g.away.Load() {
		return false, errAway
	}
	return g.Store.Touch(ctx, hash, seenAt, idleUntil)
}

func (g goneFamilies) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if g.away.Load() {
		return false, errAway
	}
	return g.Store.Delete(ctx, hash)
}

func (g goneFamilies) DeleteUser(ctx context.Context, user school.ID, except serverstore.Hash) (int, error) {
	if g.away.Load() {
		return 0, errAway
	}
	return g.Store.DeleteUser(ctx, user, except)
}

// ledger is a list of ended tokens in memory, beside the people of a school.
type ledger struct {
	*sessiontest.School
	away   *atomic.Bool
	mu     sync.Mutex
	denied map[string]bool
}

func (l *ledger) CutOffAt(ctx context.Context, id school.ID) (time.Time, error) {
	user, err := l.User(ctx, id)
	return user.TokensFrom, err
}

func (l *ledger) Denied(ctx context.Context, jti string, id school.ID) (bool, time.Time, error) {
	cut, err := l.CutOffAt(ctx, id)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.denied[jti], cut, err
}

func (l *ledger) Deny(_ context.Context, jti string, _ time.Time) (bool, error) {
	if l.away.Load() {
		return false, errAway
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	added := !l.denied[jti]
	l.denied[jti] = true
	return added, nil
}
