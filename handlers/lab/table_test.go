package lab_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"lectern/handlers"
	"lectern/handlers/lab"
	"lectern/handlers/session"
	"lectern/handlers/session/serverstore"
)

// withRedis is a lab that can run every column.
func withRedis(t *testing.T) (*lab.Lab, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	store, err := serverstore.OpenRedis("redis://"+server.Addr(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	l, err := lab.New(lab.Config{Build: handlers.SmallWorlds(store), Redis: true, Now: time.Now, Bounds: bounds})
	if err != nil {
		t.Fatal(err)
	}
	return l, server
}

// cell is what one column of an experiment must come to.
type cell struct {
	status   int
	measured map[string]func(float64) bool
}

func is(want float64) func(float64) bool      { return func(got float64) bool { return got == want } }
func atMost(limit float64) func(float64) bool { return func(got float64) bool { return got <= limit } }
func from(least float64) func(float64) bool   { return func(got float64) bool { return got >= least } }
func atLeast(least, most float64) func(float64) bool {
	return func(got float64) bool { return got >= least && got <= most }
}

type measured = map[string]func(float64) bool

// untilExpiry and bounded are the two ways in which something goes on that was
// ended.
var (
	untilExpiry = measured{"valid_for_seconds": from(300)}
	bounded     = measured{"valid_for_seconds": atLeast(1, 60)}
)

// table is what the lab claims of the kinds of session. It is written down here
// a second time on purpose: an experiment that is changed so that it comes to
// something else fails, even if it expects that of itself.
var table = map[string]map[string]cell{
	"issue-a-session": {
		"jwt":      {200, measured{"rows": is(0), "cookie_bytes": from(300)}},
		"database": {200, measured{"rows": is(1), "cookie_bytes": atMost(99)}},
		"hybrid":   {200, measured{"rows": is(1)}},
	},
	"read-the-payload": {
		"jwt":      {0, measured{"readable": is(1), "personal_data": is(0)}},
		"database": {0, measured{"readable": is(0), "personal_data": is(0)}},
		"hybrid":   {0, measured{"readable": is(1), "personal_data": is(0)}},
	},
	"tamper-with-the-role":  {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"forge-a-token":         {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"steal-the-cookie":      {"jwt": {200, nil}, "database": {200, nil}, "hybrid": {200, nil}},
	"sign-out-then-replay":  {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"sign-out-everywhere":   {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"change-the-password":   {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"disable-the-account":   {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"demote-the-instructor": {"jwt": {303, untilExpiry}, "database": {403, nil}, "hybrid": {303, bounded}},
	"let-it-expire":         {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"remember-me":           {"jwt": {200, measured{"valid_for_seconds": from(9 * 24 * 3600)}}, "database": {200, nil}, "hybrid": {200, bounded}},
	"restart-the-server":    {"jwt": {200, nil}, "memory": {401, nil}, "database": {200, nil}, "redis": {200, nil}, "hybrid": {200, nil}},
	"add-a-second-server":   {"jwt": {200, nil}, "memory": {401, nil}, "database": {200, nil}, "redis": {200, nil}, "hybrid": {200, nil}},
	"lose-the-store":        {"jwt": {200, nil}, "database": {503, nil}, "hybrid": {200, nil}},
	"rotate-the-key":        {"jwt": {401, nil}, "database": {200, nil}, "hybrid": {401, nil}},
	"leak-the-secret":       {"jwt": {200, nil}, "database": {401, nil}, "hybrid": {200, nil}},
	"fill-the-session":      {"jwt": {401, nil}, "database": {200, measured{"cookie_bytes": atMost(99)}}, "hybrid": {401, nil}},
	"count-the-cost": {
		"jwt":      {200, measured{"reads_in_all": is(0), "micros": from(0), "cookie_bytes": from(300)}},
		"database": {200, measured{"reads_in_all": is(1000), "micros": from(0), "cookie_bytes": atMost(99)}},
		"hybrid":   {200, measured{"reads_in_all": atLeast(1, 100), "micros": from(0)}},
	},
	"fix-the-session":        {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"race-the-sign-out":      {"jwt": {0, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"post-from-another-site": {"jwt": {403, nil}, "database": {403, nil}, "hybrid": {403, nil}},
	"steal-by-script":        {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"replay-a-refresh-token": {"jwt": {0, nil}, "database": {0, nil}, "hybrid": {401, nil}},
	"verify-elsewhere":       {"jwt": {200, measured{"calls": is(0)}}, "database": {200, measured{"calls": from(1)}}, "hybrid": {200, measured{"calls": is(0)}}},
	"climb-the-ladder":       {"database": {200, measured{"store_reads": is(1)}}},
}

// TestExperiments_comeToTheTable runs every experiment, every column of it, and
// holds what comes out against the table.
func TestExperiments_comeToTheTable(t *testing.T) {
	l, _ := withRedis(t)
	var slugs []string
	for _, e := range l.Experiments() {
		slugs = append(slugs, e.Slug)
		if _, told := table[e.Slug]; !told {
			t.Errorf("the table says nothing of %s", e.Slug)
		}
	}
	for slug, columns := range table {
		if !slices.Contains(slugs, slug) {
			t.Errorf("there is no experiment %s", slug)
			continue
		}
		t.Run(slug, func(t *testing.T) {
			t.Parallel()
			run, err := l.Run(t.Context(), slug, lab.Watcher{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range run.Columns {
				for _, wrong := range c.Wrongs {
					t.Errorf("%s: %s", c.Name, wrong)
				}
				if c.Kind == session.Redis && c.Note != "" && !strings.Contains(c.Note, ".") {
					t.Errorf("the column of Redis is left out: %s", c.Note)
				}
			}
			for name, want := range columns {
				at := slices.IndexFunc(run.Columns, func(c lab.Column) bool { return c.Name == name })
				if at < 0 {
					t.Errorf("there is no column %s", name)
					continue
				}
				c := run.Columns[at]
				if c.Status != want.status {
					t.Errorf("%s comes to %d, want %d", name, c.Status, want.status)
				}
				for measure, holds := range want.measured {
					got, there := c.Measured[measure]
					if !there || !holds(got) {
						t.Errorf("%s: %s is %v (%t)", name, measure, got, there)
					}
				}
			}
		})
	}
}

// TestExperiments_useTheMistakes: where a mistake stands in for a kind, the thief
// gets in who is kept out otherwise.
func TestExperiments_useTheMistakes(t *testing.T) {
	l := open(t)
	for _, slug := range []string{"fix-the-session", "race-the-sign-out"} {
		e, err := l.Experiment(slug)
		if err != nil {
			t.Fatal(err)
		}
		run, err := l.Run(t.Context(), slug, lab.Watcher{})
		if err != nil {
			t.Fatal(err)
		}
		broken := 0
		for _, c := range run.Columns {
			if e.Setup(c.Name).Broken == "" {
				continue
			}
			if broken++; c.Verdict != lab.Accepted || c.Status != 200 {
				t.Errorf("%s, %s: %s %d, want accepted 200", slug, c.Name, c.Verdict, c.Status)
			}
		}
		if broken == 0 {
			t.Errorf("%s has no column with a mistake", slug)
		}
	}
}
