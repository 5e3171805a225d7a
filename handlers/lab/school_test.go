package lab_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers"
	"lectern/handlers/auth"
	"lectern/handlers/bearer"
	"lectern/handlers/message"
	"lectern/handlers/session"
	"lectern/handlers/session/kinds"
	"lectern/handlers/token"
)

// TestWorlds_leaveTheSchoolAlone: all experiments are run on a site that has a school
// of its own, in a file. In no table of it but the lab's own, where figures and results
// are kept, is there a row more, or less, afterwards, and none that has changed.
func TestWorlds_leaveTheSchoolAlone(t *testing.T) {
	d, site := schoolWithLab(t)
	before := rows(t, d)
	if len(before) < 5 {
		t.Fatalf("the school has only the tables %v", slices.Collect(maps.Keys(before)))
	}
	for _, e := range open(t).Experiments() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/lab/experiments/"+e.Slug+"/runs", nil)
		answer := httptest.NewRecorder()
		if site.ServeHTTP(answer, r); answer.Code != http.StatusOK {
			t.Errorf("%s: %d", e.Slug, answer.Code)
		}
	}
	for table, now := range rows(t, d) {
		if !slices.Equal(now, before[table]) {
			t.Errorf("%s had %d rows, and has %d others", table, len(before[table]), len(now))
		}
	}
}

// schoolWithLab is a site with Ada in its school, and the lab.
func schoolWithLab(t *testing.T) (*db.DB, http.Handler) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
	must(err)
	t.Cleanup(func() { d.Close() })
	hasher := auth.NewPlayHasher(rand.Reader)
	hash, err := hasher.Hash(t.Context(), "open sesame please")
	must(err)

	_, err = d.Seed(t.Context(), db.SeedData{Users: []db.SeedUser{{User: school.User{ID: "64cfsuosg2wpizzxxn7epgwzqx", Name: "Ada Byron", Email: "ada@lectern.example", Role: school.Student, CreatedAt: time.Now()}, PasswordHash: func() string { return hash }}}})
	must(err)
	key, err := token.NewKey(rand.Reader)
	must(err)
	keys, err := token.ParseKeys(token.HS256, key)
	must(err)
	ring := token.NewKeyring(keys)
	base := &url.URL{Scheme: "http", Host: "lectern.example"}
	tokens := token.NewIssuer(token.Config{Keys: ring, Site: base.String(), Now: time.Now, Random: rand.Reader})
	lifetimes := session.Lifetimes{Token: time.Hour, Access: time.Minute, Idle: time.Hour, Absolute: time.Hour, Remember: time.Hour}
	all, err := kinds.New(t.Context(), kinds.Config{Reader: d.Reader(), Writer: d.Writer(), People: d, Tokens: tokens, Lifetimes: lifetimes, Now: time.Now, Random: rand.Reader})
	must(err)
	manager, err := session.NewManager(t.Context(), session.Config{Backends: all.Offered, Ladder: all.Ladder, Default: session.Database, Revocation: session.RevokeNone, Lifetimes: lifetimes, People: d, Settings: d, Now: time.Now})
	must(err)
	log := slog.New(slog.DiscardHandler)
	limiter := auth.NewLimiter(auth.Limit{Name: "lab", Burst: 1000, Per: time.Minute}, time.Now)
	seal, err := auth.NewSeal(make([]byte, auth.SealKeyBytes), rand.Reader)
	must(err)
	site, err := handlers.New(handlers.Config{
		DB: d, Sessions: manager, Keys: ring, Log: log, Now: time.Now, Random: rand.Reader, BaseURL: base,
		Ways: auth.NewWays(auth.WaysConfig{
			Store: d, Hasher: hasher, Counts: auth.NewMemory(), BaseURL: base, Seal: seal, Random: rand.Reader, Now: time.Now, Log: log,
		}),
		Messages: message.New(message.Config{Store: d, Keep: true, Log: log, Now: time.Now}), SignUps: limiter, Tokens: bearer.New(tokens, time.Now),
		Lab: open(t), LabRuns: limiter, ClassCodes: limiter, PasskeyAsks: limiter, ClassForms: limiter,
	})
	must(err)
	t.Cleanup(site.Close)
	return d, site
}

// rows are all rows of all tables, as text.
func rows(t *testing.T, d *db.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, name := range query(t, d, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'lab_%'`) {
		all[name] = query(t, d, fmt.Sprintf(`SELECT * FROM %q`, name))
		slices.Sort(all[name])
	}
	return all
}

func query(t *testing.T, d *db.DB, sql string) []string {
	t.Helper()
	found, err := d.Reader().QueryContext(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint(values[0])
		for _, value := range values[1:] {
			line += fmt.Sprintf("|%v", value)
		}
		lines = append(lines, line)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
