package db_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"lectern/db"
	"lectern/db/school"
)

func openTries(t testing.TB, d *db.DB) *db.Tries {
	t.Helper()
	tries, err := db.OpenTries(t.Context(), d, rand.Reader, func() time.Time { return noon })
	must(t, err)
	return tries
}

// count is a count that is forgotten after a while.
func count(n int, forgotten time.Duration) school.TryCount {
	return school.TryCount{N: n, At: noon, Until: noon.Add(forgotten)}
}

// setTries keeps a count under each of the keys.
func setTries(t testing.TB, tries *db.Tries, c school.TryCount, keys ...school.TryKey) {
	t.Helper()
	must(t, tries.ChangeCounts(t.Context(), keys, func(counts []school.TryCount) error {
		for i := range counts {
			counts[i] = c
		}
		return nil
	}))
}

func keysOf(account string, networks int) []school.TryKey {
	var keys []school.TryKey
	for i := range networks {
		keys = append(keys, school.TryKey{What: "tries", Account: account, Network: fmt.Sprintf("198.51.100.%d/32", i)})
	}
	return keys
}

func TestTries_keepEachCountByItself(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	tries := openTries(t, d)
	// Keys whose parts are the same letters, cut elsewhere.
	keys := []school.TryKey{
		{What: "tries", Account: "ada", Network: "home"}, {What: "tries", Account: "adahome"}, {What: "tries", Network: "adahome"},
		{What: "triesada", Network: "home"}, {What: "tries", Account: "ada"}, {What: "known", Account: "ada", Network: "home"}, {What: "tries", Account: "ada\x00home"},
	}
	must(t, tries.ChangeCounts(t.Context(), keys, func(counts []school.TryCount) error {
		for i := range counts {
			if counts[i] != (school.TryCount{}) {
				t.Errorf("%v begins with %v", keys[i], counts[i])
			}
			counts[i] = count(i+1, time.Hour)
		}
		return nil
	}))
	slices.Reverse(keys)
	counts, err := tries.Counts(t.Context(), keys)
	must(t, err)
	for i, c := range counts {
		if c != count(len(keys)-i, time.Hour) {
			t.Errorf("%v is %v", keys[i], c)
		}
	}
	setTries(t, tries, school.TryCount{}, keys[1:]...)
	counts, err = tries.Counts(t.Context(), keys)
	must(t, err)
	for i, c := range counts {
		if (c == school.TryCount{}) != (i > 0) {
			t.Errorf("once the others are cleared, %v is %v", keys[i], c)
		}
	}
}

func TestTries_aChangeThatFailsChangesNothing(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	tries, keys := openTries(t, d), keysOf("ada", 1)
	refused := errors.New("refused")
	if err := tries.ChangeCounts(t.Context(), keys, func(counts []school.TryCount) error {
		counts[0] = count(1, time.Hour)
		return refused
	}); err != refused {
		t.Errorf("it gives %v", err)
	}
	if counts, err := tries.Counts(t.Context(), keys); err != nil || counts[0] != (school.TryCount{}) {
		t.Errorf("there is %v, %v", counts, err)
	}
}

func TestTries_keepOnlyTheLatest(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	tries := openTries(t, d)
	keys := keysOf("ada", 5)
	for i := range keys {
		keys[i].Latest = 3
	}
	other := school.TryKey{What: "tries", Account: "grace", Network: "198.51.100.0/32", Latest: 3}
	setTries(t, tries, count(1, time.Hour), other)
	for _, i := range []int{0, 1, 2, 0, 3, 4} {
		setTries(t, tries, school.TryCount{N: i + 1, At: noon.Add(time.Duration(i) * time.Second), Until: noon.Add(time.Hour)}, keys[i])
	}
	counts, err := tries.Counts(t.Context(), append(keys, other))
	must(t, err)
	var kept []int
	for i, c := range counts {
		if c.N > 0 {
			kept = append(kept, i)
		}
	}
	if want := []int{2, 3, 4, 5}; !slices.Equal(kept, want) {
		t.Errorf("of five and another's one, %v are kept, want %v", kept, want)
	}
}

// TestTries_listNoAddress looks for what was typed in everything that is written down.
func TestTries_listNoAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	d, err := db.Open(t.Context(), path)
	must(t, err)
	tries := openTries(t, d)
	known := school.TryKey{What: "known", Account: "ada@lectern.example", Network: "198.51.100.7/32", Latest: 8}
	setTries(t, tries, count(1, time.Hour), school.TryKey{What: "tries", Account: "ada@lectern.example", Network: "198.51.100.7/32"}, known)
	must(t, d.Close())
	file, err := os.ReadFile(path)
	must(t, err)
	for _, typed := range []string{"ada@", "lectern.example", "198.51.100"} {
		if bytes.Contains(file, []byte(typed)) {
			t.Errorf("the file has %q", typed)
		}
	}
	// The same count has the same name again, and another one where the key is another.
	ids := map[string]bool{}
	for _, path := range []string{path, filepath.Join(t.TempDir(), "lectern.db")} {
		d := open(t, path)
		setTries(t, openTries(t, d), count(1, time.Hour), known)
		rows, err := d.Reader().QueryContext(t.Context(), `SELECT id FROM tries`)
		must(t, err)
		for rows.Next() {
			var id string
			must(t, rows.Scan(&id))
			ids[id] = true
		}
		must(t, rows.Close())
	}
	if len(ids) != 3 {
		t.Errorf("two counts of one site and one of another have %d names, want 3", len(ids))
	}
}

// TestOpenTries_serversAgree starts several at once on a file that has no key yet.
func TestOpenTries_serversAgree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	const servers = 5
	var all []*db.DB
	for range servers {
		all = append(all, open(t, path))
	}
	tries := make([]*db.Tries, servers)
	var wg sync.WaitGroup
	for i, d := range all {
		wg.Go(func() {
			var err error
			if tries[i], err = db.OpenTries(t.Context(), d, rand.Reader, time.Now); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	keys := keysOf("ada", 1)
	for _, of := range tries {
		must(t, of.ChangeCounts(t.Context(), keys, func(counts []school.TryCount) error {
			counts[0] = count(counts[0].N+1, time.Hour)
			return nil
		}))
	}
	if counts, err := openTries(t, all[0]).Counts(t.Context(), keys); err != nil || counts[0].N != servers {
		t.Errorf("together they count %v, %v; want %d", counts, err, servers)
	}
}

func TestOpenTries_refusesWhatIsNoKey(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	if _, err := db.OpenTries(t.Context(), d, iotest.ErrReader(errors.New("no more numbers")), time.Now); err == nil || !strings.Contains(err.Error(), "no more numbers") {
		t.Errorf("without random numbers it gives %v", err)
	}
	for _, bad := range []string{"", "short", strings.Repeat("!", 43)} {
		must(t, d.SetSetting(t.Context(), "tries-key", bad, noon))
		if _, err := db.OpenTries(t.Context(), d, rand.Reader, time.Now); err == nil || !strings.Contains(err.Error(), `"tries-key"`) {
			t.Errorf("the key %q gives %v", bad, err)
		}
	}
}

func TestTries_waitForTheLockOnlySoLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lectern.db")
	tries, keys := openTries(t, open(t, path)), keysOf("ada", 1)
	lock(t, path)
	if err := tries.ChangeCounts(context.WithoutCancel(t.Context()), keys, func([]school.TryCount) error { return nil }); !errors.Is(err, school.ErrBusy) {
		t.Errorf("changing gives %v", err)
	}
	if _, err := tries.Counts(t.Context(), keys); err != nil {
		t.Errorf("reading gives %v", err)
	}
}

func TestTries_areSweptWhenTheySayNothingAnyMore(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	tries := openTries(t, d)
	past, future := keysOf("ada", 2500), keysOf("grace", 3)
	setTries(t, tries, count(1, 0), past...)
	setTries(t, tries, count(1, time.Millisecond), future...)
	if n, err := tries.Sweep(t.Context()); err != nil || n != len(past) {
		t.Errorf("it sweeps %d, %v; want %d", n, err, len(past))
	}
	if n, err := tries.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("and again %d, %v", n, err)
	}
	counts, err := tries.Counts(t.Context(), append(past[:1], future...))
	must(t, err)
	for i, c := range counts {
		if (c.N == 1) != (i > 0) {
			t.Errorf("number %d is %v", i, c)
		}
	}
}

// TestTries_aFloodPushesOutItsOwn has more rows than are kept: single tries, one long
// count, and a network that is known.
func TestTries_aFloodPushesOutItsOwn(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "lectern.db"))
	tries := openTries(t, d)
	tries.Keep(1500)
	long := school.TryKey{What: "tries", Account: "ada"}
	known := school.TryKey{What: "known", Account: "ada", Network: "198.51.100.7/32", Latest: 8}
	setTries(t, tries, count(16, 8*time.Hour), long)
	setTries(t, tries, count(1, time.Minute), known)
	flood := keysOf("nobody", 3000)
	setTries(t, tries, count(1, 30*time.Minute), flood...)
	if n, err := tries.Sweep(t.Context()); err != nil || n != 1501 {
		t.Errorf("it sweeps %d, %v; want 1501", n, err)
	}
	counts, err := tries.Counts(t.Context(), []school.TryKey{long, known})
	must(t, err)
	if counts[0].N != 16 || counts[1].N != 1 {
		t.Errorf("left are %v", counts)
	}
	if n, err := tries.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("and again %d, %v", n, err)
	}
}

// BenchmarkTries changes the counts of a try, with few and with many others in the
// table. The time for the larger one is to be at most 1.3 of that for the smaller.
func BenchmarkTries(b *testing.B) {
	var took [2]time.Duration
	var schools [2]*db.Tries
	for i, rows := range []int{1000, 100_000} {
		schools[i] = openTries(b, open(b, filepath.Join(b.TempDir(), "lectern.db")))
		setTries(b, schools[i], count(1, time.Hour), keysOf("nobody", rows)...)
	}
	n := 0
	for b.Loop() {
		n++
		for i, tries := range schools {
			begun := time.Now()
			setTries(b, tries, count(n, time.Hour), keysOf("ada", 3)...)
			took[i] += time.Since(begun)
		}
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(n), "µs-at-1000")
	b.ReportMetric(float64(took[1].Microseconds())/float64(n), "µs-at-100000")
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
}
