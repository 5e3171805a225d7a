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
		"jwt":      {200, measured{"rows": is(0), "cookie_bytes": from(300), "store_reads": is(0)}},
		"database": {200, measured{"rows": is(1), "cookie_bytes": atMost(99), "store_reads": is(1)}},
		"memory":   {200, measured{"rows": is(1), "cookie_bytes": atMost(99), "store_reads": is(1)}},
		"redis":    {200, measured{"rows": is(1), "cookie_bytes": atMost(99), "store_reads": is(1)}},
		"hybrid":   {200, measured{"rows": is(1), "cookie_bytes": from(500), "store_reads": is(0)}},
	},
	"read-the-payload": {
		"jwt":      {0, measured{"readable": is(1), "personal_data": is(0)}},
		"database": {0, measured{"readable": is(0), "personal_data": is(0)}},
		"hybrid":   {0, measured{"readable": is(1), "personal_data": is(0)}},
	},
	"tamper-with-the-role":  {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"forge-a-token":         {"jwt": {401, nil}, "eddsa": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}},
	"steal-the-cookie":      {"jwt": {200, nil}, "database": {200, nil}, "hybrid": {200, nil}},
	"sign-out-then-replay":  {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"sign-out-everywhere":   {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"change-the-password":   {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"disable-the-account":   {"jwt": {200, untilExpiry}, "database": {401, nil}, "hybrid": {200, bounded}},
	"demote-the-instructor": {"jwt": {303, untilExpiry}, "database": {403, nil}, "hybrid": {303, bounded}},
	"let-it-expire": {
		"jwt":      {401, measured{"valid_for_seconds": is(3600)}},
		"database": {401, measured{"valid_for_seconds": is(12 * 3600)}},
		"hybrid":   {401, measured{"valid_for_seconds": is(12 * 3600)}},
	},
	"remember-me":         {"jwt": {200, measured{"valid_for_seconds": from(9 * 24 * 3600)}}, "database": {200, nil}, "hybrid": {200, bounded}},
	"restart-the-server":  {"jwt": {200, nil}, "made": {401, nil}, "memory": {401, nil}, "database": {200, nil}, "redis": {200, nil}, "hybrid": {200, nil}},
	"add-a-second-server": {"jwt": {200, nil}, "own": {401, nil}, "memory": {401, nil}, "sticky": {200, nil}, "database": {200, nil}, "redis": {200, nil}, "hybrid": {200, nil}},
	"lose-the-store":      {"jwt": {200, nil}, "database": {503, nil}, "hybrid": {200, nil}},
	"rotate-the-key":      {"jwt": {401, nil}, "database": {200, nil}, "hybrid": {401, nil}},
	"leak-the-secret":     {"jwt": {200, nil}, "database": {401, nil}, "hybrid": {200, nil}},
	"fill-the-session": {
		"jwt":        {401, measured{"cookie_bytes": is(0), "rows": is(0)}},
		"database":   {200, measured{"cookie_bytes": atMost(99), "rows": is(1)}},
		"hybrid":     {401, measured{"cookie_bytes": is(0), "rows": is(0)}},
		"unmeasured": {401, measured{"cookie_bytes": is(0), "rows": is(0)}},
	},
	"count-the-cost": {
		"jwt":      {200, measured{"reads_in_all": is(0), "micros": from(0), "cookie_bytes": from(300)}},
		"public":   {200, measured{"reads_in_all": is(0), "micros": from(0), "cookie_bytes": from(300)}},
		"memory":   {200, measured{"reads_in_all": is(1000), "micros": from(0), "cookie_bytes": atMost(99)}},
		"database": {200, measured{"reads_in_all": is(1000), "micros": from(0), "cookie_bytes": atMost(99)}},
		"redis":    {200, measured{"reads_in_all": is(1000), "micros": from(0), "cookie_bytes": atMost(99)}},
		"hybrid":   {200, measured{"reads_in_all": atLeast(1, 100), "micros": from(0)}},
	},
	"fix-the-session":        {"jwt": {401, nil}, "database": {401, nil}, "hybrid": {401, nil}, "broken": {200, nil}},
	"race-the-sign-out":      {"jwt": {0, nil}, "database": {401, measured{"rows": is(0)}}, "wrong": {200, measured{"rows": is(1)}}, "hybrid": {401, measured{"rows": is(0)}}},
	"post-from-another-site": {"jwt": {403, nil}, "database": {403, nil}, "hybrid": {403, nil}},
	"steal-by-script": {
		"jwt":      {401, measured{"readable": is(0)}},
		"database": {401, measured{"readable": is(0)}},
		"hybrid":   {401, measured{"readable": is(0)}},
		"broken":   {200, measured{"readable": is(1)}},
	},
	"replay-a-refresh-token": {"jwt": {0, nil}, "database": {0, nil}, "hybrid": {401, nil}},
	"verify-elsewhere":       {"jwt": {200, measured{"calls": is(0)}}, "database": {200, measured{"calls": from(1)}}, "hybrid": {200, measured{"calls": is(0)}}},
	"climb-the-ladder": {
		"denylist": {200, measured{"store_reads": is(1), "valid_for_seconds": is(0)}},
		"cutoff":   {200, measured{"store_reads": is(1), "valid_for_seconds": is(0)}},
		"short":    {200, measured{"store_reads": is(0), "valid_for_seconds": is(4 * 60)}},
		"wait":     {200, measured{"store_reads": is(0), "valid_for_seconds": is(59 * 60)}},
		"database": {200, measured{"store_reads": is(1), "valid_for_seconds": is(0)}},
	},
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
				if _, told := columns[c.Name]; !told {
					t.Errorf("the table says nothing of %s", c.Name)
				}
				if begins, _, _ := strings.Cut(c.Headline, " "); !agrees(strings.TrimRight(begins, ":,"), c.Verdict) {
					t.Errorf("%s was %s, and is headed %q", c.Name, c.Verdict, c.Headline)
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

// agrees reports whether a headline that begins with a verdict begins with this one.
func agrees(begins string, v lab.Verdict) bool {
	switch begins {
	case "Accepted":
		return v == lab.Accepted
	case "Refused":
		return v == lab.Refused
	}
	return true
}

// decisive is a deciding answer, or another that the table tells of.
type decisive struct {
	status int
	reason session.Reason
}

// ways is what the lab claims of more than the deciding request: what some line of
// a script comes to in a column, each time that it is said.
var ways = []struct {
	slug, line string
	columns    map[string][]decisive
}{
	// Each forgery falls at a question of its own.
	{"forge-a-token", "(decides)", map[string][]decisive{
		"jwt":      {{401, session.Malformed}, {401, session.BadSignature}, {401, session.Malformed}, {401, session.UnknownKey}},
		"eddsa":    {{401, session.Malformed}, {401, session.BadAlgorithm}, {401, session.Malformed}, {401, session.BadAlgorithm}, {401, session.BadAlgorithm}},
		"database": {{401, session.Unknown}},
		"hybrid":   {{401, session.Malformed}, {401, session.BadSignature}, {401, session.Malformed}, {401, session.UnknownKey}},
	}},
	// When each rung stops the copy, and what becomes of the telephone.
	{"climb-the-ladder", "thief: GET /account until refused", map[string][]decisive{
		"denylist": {{401, session.Denied}}, "cutoff": {{401, session.CutOff}}, "short": {{401, session.Expired}}, "wait": {{401, session.Expired}}, "database": {{401, session.Unknown}},
	}},
	{"climb-the-ladder", "phone: fetch /api/v1/me", map[string][]decisive{
		"denylist": {{200, ""}}, "cutoff": {{401, session.CutOff}}, "short": {{200, ""}, {401, session.Expired}}, "wait": {{200, ""}}, "database": {{200, ""}},
	}},
	{"restart-the-server", "ada: fetch /api/v1/me", map[string][]decisive{
		"jwt": {{200, ""}, {200, ""}, {200, ""}}, "made": {{200, ""}, {401, session.UnknownKey}, {200, ""}}, "memory": {{200, ""}, {401, session.Unknown}, {200, ""}},
		"database": {{200, ""}, {200, ""}, {200, ""}}, "redis": {{200, ""}, {200, ""}, {200, ""}}, "hybrid": {{200, ""}, {200, ""}, {200, ""}, {200, ""}},
	}},
	// In, out, out, in again; and with a balancer that hides it, until a server stops.
	{"add-a-second-server", "ada: fetch /api/v1/me", map[string][]decisive{
		"jwt":      {{200, ""}, {200, ""}, {200, ""}, {200, ""}},
		"own":      {{401, session.UnknownKey}, {401, session.UnknownKey}, {200, ""}, {401, ""}},
		"memory":   {{401, session.Unknown}, {401, session.Unknown}, {200, ""}, {401, ""}},
		"sticky":   {{200, ""}, {200, ""}, {200, ""}, {401, session.Unknown}},
		"database": {{200, ""}, {200, ""}, {200, ""}, {200, ""}},
		"redis":    {{200, ""}, {200, ""}, {200, ""}, {200, ""}},
		"hybrid":   {{200, ""}, {200, ""}, {200, ""}, {200, ""}, {200, ""}},
	}},
	// Not now, and then again; the hybrid notices later.
	{"lose-the-store", "ada: fetch /api/v1/me", map[string][]decisive{
		"jwt":      {{200, ""}, {200, ""}, {200, ""}},
		"database": {{503, ""}, {503, ""}, {200, ""}},
		"hybrid":   {{200, ""}, {503, session.Expired}, {200, ""}},
	}},
	// The planned change hurts nobody, and the emergency those who hold tokens.
	{"rotate-the-key", "ada: fetch /api/v1/me", map[string][]decisive{
		"jwt":      {{200, ""}, {401, session.UnknownKey}, {200, ""}},
		"database": {{200, ""}, {200, ""}, {200, ""}},
		"hybrid":   {{200, ""}, {200, ""}, {200, ""}},
	}},
	{"rotate-the-key", "bea: fetch /api/v1/me", map[string][]decisive{
		"jwt": {{200, ""}, {401, session.UnknownKey}}, "database": {{200, ""}, {200, ""}}, "hybrid": {{200, ""}, {200, ""}},
	}},
	// What can be ended is ended.
	{"remember-me", "thief: GET /account", map[string][]decisive{
		"jwt": {{401, session.Expired}}, "database": {{401, session.Unknown}}, "hybrid": {{401, session.Unknown}},
	}},
	{"remember-me", "bea: fetch /api/v1/me", map[string][]decisive{
		"jwt": {{401, ""}}, "database": {{401, ""}}, "hybrid": {{401, ""}},
	}},
	{"fill-the-session", "ada: signs in as ada", map[string][]decisive{
		"jwt": {{303, ""}, {303, ""}, {303, ""}, {500, ""}}, "database": {{303, ""}, {303, ""}, {303, ""}, {303, ""}},
		"hybrid": {{303, ""}, {303, ""}, {303, ""}, {500, ""}}, "unmeasured": {{303, ""}, {303, ""}, {303, ""}, {303, ""}},
	}},
	{"post-from-another-site", "(decides)", map[string][]decisive{
		"jwt": {{403, ""}, {403, ""}}, "database": {{403, ""}, {403, ""}}, "hybrid": {{403, ""}, {403, ""}},
	}},
}

// TestExperiments_goTheirWay holds the transcripts against that.
func TestExperiments_goTheirWay(t *testing.T) {
	l, _ := withRedis(t)
	runs := map[string]*lab.Run{}
	for _, way := range ways {
		run := runs[way.slug]
		if run == nil {
			var err error
			if run, err = l.Run(t.Context(), way.slug, lab.Watcher{}); err != nil {
				t.Fatal(err)
			}
			runs[way.slug] = run
		}
		for i := range run.Columns {
			c := &run.Columns[i]
			var got []decisive
			for _, entry := range asked(c, way.line) {
				got = append(got, decisive{entry.Exchange.Response.Status, entry.Exchange.Trace.Reason})
			}
			if want := way.columns[c.Name]; !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q comes to %v, want %v", way.slug, c.Name, way.line, got, want)
			}
		}
	}
	// While nobody can tell, the cookies are left alone.
	for _, c := range runs["lose-the-store"].Columns {
		for _, entry := range asked(&c, "ada: ")[1:] {
			for _, cookie := range entry.Exchange.Cookies {
				if cookie.Way == lab.Cleared || cookie.Way == lab.Dropped {
					t.Errorf("%s: %q has %s %s", c.Name, entry.Line, cookie.Name, cookie.Way)
				}
			}
			if got := entry.Exchange.Response.Status; got == 503 && entry.Exchange.Response.Headers["Retry-After"] == "" {
				t.Errorf("%s: %q does not say when to come back", c.Name, entry.Line)
			}
		}
	}
	if got := len(asked(column(t, runs["add-a-second-server"], "sticky"), "ada: fetch")); got != 4 {
		t.Errorf("behind the sticky balancer she asks %d times", got)
	}
	for i, server := range []string{"a", "a", "a", "b"} {
		if got := asked(column(t, runs["add-a-second-server"], "sticky"), "ada: fetch")[i].Exchange.Server; got != server {
			t.Errorf("behind the sticky balancer request %d is answered by %s, want %s", i+1, got, server)
		}
	}
}

// TestExperiments_showTheirCookies: how many there are, and what the browser makes
// of one that is too large.
func TestExperiments_showTheirCookies(t *testing.T) {
	l, _ := withRedis(t)
	ways := func(slug, name, line string) []lab.Direction {
		run, err := l.Run(t.Context(), slug, lab.Watcher{})
		if err != nil {
			t.Fatal(err)
		}
		var all []lab.Direction
		entries := asked(column(t, run, name), line)
		for _, c := range entries[len(entries)-1].Exchange.Cookies {
			all = append(all, c.Way)
		}
		return all
	}
	for _, row := range []struct {
		slug, column, line string
		want               []lab.Direction
	}{
		{"issue-a-session", "jwt", "ada: signs in", []lab.Direction{lab.Set}},
		{"issue-a-session", "database", "ada: signs in", []lab.Direction{lab.Set}},
		{"issue-a-session", "hybrid", "ada: signs in", []lab.Direction{lab.Set, lab.Set}},
		{"issue-a-session", "hybrid", "ada: fetch /account", []lab.Direction{lab.Sent, lab.Sent}},
		{"fill-the-session", "unmeasured", "ada: signs in", []lab.Direction{lab.Dropped}},
		{"fill-the-session", "jwt", "ada: signs in", nil},
		{"fill-the-session", "hybrid", "ada: signs in", nil},
		{"steal-by-script", "jwt", "thief: GET /account", nil},
	} {
		if got := ways(row.slug, row.column, row.line); !slices.Equal(got, row.want) {
			t.Errorf("%s, %s, %q: the cookies are %q, want %q", row.slug, row.column, row.line, got, row.want)
		}
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
