package lab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/handlers"
	"lectern/handlers/lab"
)

// TestRun_marksWhatDiffers: in columns that go the same way nothing is marked, and
// in others what they differ in, on both sides and nowhere else.
func TestRun_marksWhatDiffers(t *testing.T) {
	const script = `browser ada
		program thief
		ada: signs in as ada
		thief: copies the cookies of ada
		thief: GET /account
		ada: POST /signout
		thief: GET /account
		thief: fetch /about`
	same := carryOut(t, "jwt\n twin: sessions jwt", script)
	for _, c := range same.Columns {
		for _, entry := range c.Transcript {
			if entry.Differs != (lab.Difference{}) {
				t.Errorf("two of a kind differ in %q: %+v", entry.Line, entry.Differs)
			}
		}
	}
	run := carryOut(t, "jwt\n database\n twin: sessions jwt", script)
	for _, c := range run.Columns {
		got := map[string][]lab.Difference{}
		for _, entry := range c.Transcript {
			got[entry.Line] = append(got[entry.Line], entry.Differs)
		}
		want := map[string][]lab.Difference{
			"ada: signs in as ada":             {{Role: true, Store: true}},
			"thief: copies the cookies of ada": {{}},
			"thief: GET /account":              {{Role: true, Store: true}, {Status: true, Reason: true, Role: true, Store: true}},
			"ada: POST /signout":               {{Store: true}},
			"thief: fetch /about":              {{Role: true}}, // by then one of the two has no cookie left
		}
		for line, differs := range want {
			if !slices.Equal(got[line], differs) {
				t.Errorf("%s: %q is marked %+v, want %+v", c.Name, line, got[line], differs)
			}
		}
	}
}

// TestRun_decidesByTheFirstThatWasAccepted: of several answers the first open door
// stands, with what it cost; where none was open, the last.
func TestRun_decidesByTheFirstThatWasAccepted(t *testing.T) {
	run := carryOut(t, "jwt\n database", `browser ada
		program thief
		thief: GET /account (decides)
		ada: signs in as ada
		ada: GET /account (decides)
		ada: POST /signout (decides)
		ada: signs in as ada
		thief: GET /account (decides)`)
	for name, reads := range map[string]float64{"jwt": 0, "database": 1} {
		c := column(t, run, name)
		if c.Verdict != lab.Accepted || c.Status != 200 || c.Outcome != lab.Accepted {
			t.Errorf("%s: %s %d, and %s comes true", name, c.Verdict, c.Status, c.Outcome)
		}
		if c.Measured["store_reads"] != reads || c.Measured["store_writes"] != 0 || c.Measured["cookie_bytes"] == 0 || c.Measured["calls"] != 1 {
			t.Errorf("%s measures %v", name, c.Measured)
		}
	}
	run = carryOut(t, "jwt", `program thief
		thief: GET /account (decides)
		thief: GET /signout (decides)`)
	if c := run.Columns[0]; c.Verdict != lab.Refused || c.Status != 405 || c.Outcome != lab.Refused {
		t.Errorf("two refusals come to %s %d", c.Verdict, c.Status)
	}
	run = carryOut(t, "database", `browser ada
		ada: signs in as ada
		store: goes away
		ada: GET /account (decides)
		store: comes back`)
	if c := run.Columns[0]; c.Verdict != lab.Unavailable || c.Status != 503 || c.Outcome != lab.Refused {
		t.Errorf("a store that is away comes to %s %d, and %s comes true", c.Verdict, c.Status, c.Outcome)
	}
	run = carryOut(t, "database", "browser ada\n ada: signs in as ada")
	if c := run.Columns[0]; c.Verdict != lab.NotApplicable || c.Status != 0 {
		t.Errorf("where nothing decides it comes to %s %d", c.Verdict, c.Status)
	}
}

// TestRun_tellsALife: from the issue until it was ended, and on until it was
// refused; and no life where nothing went on being asked.
func TestRun_tellsALife(t *testing.T) {
	run := carryOut(t, "jwt\n hybrid\n database", `browser ada
		program thief
		clock +1m
		ada: signs in as ada
		thief: copies the cookies of ada
		clock +30s
		ada: POST /signout
		on jwt, hybrid: thief: GET /account (decides)
		on database: thief: GET /account (decides)
		on jwt, hybrid: clock +5s
		on jwt: thief: GET /account until refused, every 1m
		on hybrid: thief: GET /account until refused, every 1s`)
	for name, want := range map[string]struct{ issued, ended, refused time.Duration }{
		"jwt":    {time.Minute, 90 * time.Second, 61*time.Minute + 35*time.Second},
		"hybrid": {time.Minute, 90 * time.Second, 2 * time.Minute},
	} {
		c := column(t, run, name)
		if c.Life == nil {
			t.Errorf("%s has no life", name)
			continue
		}
		day := c.Life.Issued.Truncate(24 * time.Hour).Add(9 * time.Hour)
		got := *c.Life
		if got.Issued.Sub(day) != want.issued || got.Ended.Sub(day) != want.ended || got.Refused.Sub(day) != want.refused {
			t.Errorf("%s: issued %s, ended %s, refused %s after nine; want %+v", name, got.Issued.Sub(day), got.Ended.Sub(day), got.Refused.Sub(day), want)
		}
		if valid := got.Refused.Sub(got.Ended).Seconds(); c.Measured["valid_for_seconds"] != valid {
			t.Errorf("%s was good for %v seconds, and lived for %v", name, c.Measured["valid_for_seconds"], valid)
		}
	}
	if c := column(t, run, "database"); c.Life != nil {
		t.Errorf("the record has a life: %+v", c.Life)
	}
}

// TestExperiments_tellTheStatesOfCookiesApart: read off the exchanges of the
// experiments themselves, in which cookies of every state are sent.
func TestExperiments_tellTheStatesOfCookiesApart(t *testing.T) {
	l := open(t)
	for _, row := range []struct {
		slug, column, line, cookie string
		want                       []lab.CookieState
	}{
		{"tamper-with-the-role", "jwt", "curl: GET /admin/users", "lectern-jwt", []lab.CookieState{lab.Good, lab.Forged}},
		{"tamper-with-the-role", "database", "curl: GET /admin/users", "lectern-sid", []lab.CookieState{lab.Good, lab.Unknown}},
		{"tamper-with-the-role", "hybrid", "curl: GET /admin/users", "lectern-access", []lab.CookieState{lab.Good, lab.Forged, lab.Forged}},
		{"rotate-the-key", "jwt", "ada: fetch /api/v1/me", "lectern-jwt", []lab.CookieState{lab.Good, lab.Foreign, lab.Good}},
		{"rotate-the-key", "hybrid", "thief: GET /account", "lectern-access", []lab.CookieState{lab.Foreign}},
		{"let-it-expire", "jwt", "bea: fetch /api/v1/me until refused", "lectern-jwt", []lab.CookieState{lab.Expired}},
		{"let-it-expire", "database", "bea: fetch /api/v1/me until refused", "lectern-sid", []lab.CookieState{lab.Expired}},
		{"let-it-expire", "hybrid", "bea: fetch /api/v1/me until refused", "lectern-access", []lab.CookieState{lab.Expired}},
		{"sign-out-then-replay", "database", "thief: GET /account (decides)", "lectern-sid", []lab.CookieState{lab.Unknown}},
		{"restart-the-server", "made", "ada: fetch /api/v1/me", "lectern-jwt", []lab.CookieState{lab.Good, lab.Foreign, lab.Good}},
		{"leak-the-secret", "database", "thief: GET /admin/users", "lectern-sid", []lab.CookieState{lab.Forged, lab.Unknown}},
		{"leak-the-secret", "jwt", "thief: GET /admin/users", "lectern-jwt", []lab.CookieState{lab.Good, lab.Good, lab.Foreign}},
	} {
		run, err := l.Run(t.Context(), row.slug, lab.Watcher{})
		if err != nil {
			t.Fatal(err)
		}
		var got []lab.CookieState
		for _, entry := range asked(column(t, run, row.column), row.line) {
			for _, c := range entry.Exchange.Cookies {
				if c.Name == row.cookie && c.Way == lab.Sent {
					got = append(got, c.State)
				}
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s, %s, %q: %s is %q, want %q", row.slug, row.column, row.line, row.cookie, got, row.want)
		}
	}
}

// secrets are what went over the wire in a run and is to be seen nowhere: what was
// typed as a password, and cookies.
type secrets struct {
	mu  sync.Mutex
	all map[string]string // the secret, and what it is
}

func (s *secrets) note(what, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[value] = what
}

// cookie notes a session cookie: whole, and each part that could be worth something
// by itself.
func (s *secrets) cookie(name, value string) {
	if !strings.Contains(name, "lectern-") {
		return
	}
	for _, part := range append(strings.Split(value, "."), value) {
		if len(part) > 24 {
			s.note(name, part)
		}
	}
}

// watch reads along.
func (s *secrets) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		for _, name := range []string{"password", "current", "new"} {
			if form.Get(name) != "" {
				s.note("the field "+name, form.Get(name))
			}
		}
		for _, c := range r.Cookies() {
			s.cookie(c.Name, c.Value)
		}
		if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			s.cookie("lectern-bearer", bearer)
		}
		next.ServeHTTP(w, r)
		for _, line := range w.Header()["Set-Cookie"] {
			if c, err := http.ParseSetCookie(line); err == nil {
				s.cookie(c.Name, c.Value)
			}
		}
	})
}

// TestRuns_giveNoSecretAway: in no transcript of any experiment is there a password
// as it was typed, a whole cookie, or a whole key.
func TestRuns_giveNoSecretAway(t *testing.T) {
	build := handlers.SmallWorlds(nil)
	found := &secrets{all: map[string]string{}}
	l, err := lab.New(lab.Config{Now: time.Now, Bounds: bounds, Build: func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		site, err := between(build, found.watch)(ctx, plan)
		if err == nil {
			person, _ := site.Person("ada")
			found.note("the password", person.Password)
		}
		return site, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`has the key (\S+)`)
	keys, cookies := 0, 0
	for _, e := range l.Experiments() {
		found.all = map[string]string{}
		run, err := l.Run(t.Context(), e.Slug, lab.Watcher{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range run.Columns {
			for j := range run.Columns[i].Transcript {
				run.Columns[i].Transcript[j].Line = "" // the script is everybody's to read
			}
		}
		text, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range slices.Sorted(maps.Keys(found.all)) {
			if spelt, _ := json.Marshal(secret); bytes.Contains(text, spelt[1:len(spelt)-1]) {
				t.Errorf("%s shows %s: %s", e.Slug, found.all[secret], secret)
			}
		}
		for _, m := range key.FindAllSubmatch(text, -1) {
			if keys++; !strings.Contains(string(m[1]), "…") {
				t.Errorf("%s shows the key %s", e.Slug, m[1])
			}
		}
		cookies += strings.Count(string(text), `"way":"sent"`)
		if len(found.all) < 2 {
			t.Errorf("%s: nothing secret went over the wire", e.Slug)
		}
	}
	if keys == 0 || cookies < 100 {
		t.Errorf("%d keys and %d cookies were looked at", keys, cookies)
	}
}

// TestRun_byHTTPS: there the cookies have the name by which browsers hold a site to
// its word, and the engine knows them by it.
func TestRun_byHTTPS(t *testing.T) {
	run := carryOut(t, "jwt: https\n database: https\n hybrid: https\n plain: sessions jwt", `browser ada
		program thief
		ada: signs in as ada
			expect 303
			expect jwt: cookies = 1, cookie lectern-jwt set; database: cookies = 1, cookie lectern-sid set; hybrid: cookies = 2, cookie lectern-access set, cookie lectern-refresh set
			expect plain: cookies = 1, cookie lectern-jwt set
		thief: copies the cookies of ada
		ada: fetch /api/v1/me (decides)
			expect 200, page says "Ada Byron"
			expect jwt, plain: cookie lectern-jwt good; database: cookie lectern-sid good; hybrid: cookie lectern-access good
		ada: POST /account/profile name="Ada Lovelace"
			expect 303
		ada: POST /account/profile name="Mallory" from https://blog.lectern.example
			expect 403
		ada: POST /account/profile name="Mallory" from http://lectern.example
			expect jwt, database, hybrid: 403
		on jwt, hybrid: thief: edits the cookie, role=admin
		on jwt: thief: GET /admin/users
			expect 401, cookie lectern-jwt forged
		on hybrid: thief: throws away lectern-refresh
			expect cookies = 1
		on hybrid: thief: GET /admin/users
			expect 401, cookie lectern-access forged
		ada: POST /signout
			expect 303, cookies = 0`)
	for _, c := range run.Columns {
		for _, wrong := range c.Wrongs {
			t.Errorf("%s: %s", c.Name, wrong)
		}
		seen := 0
		for _, entry := range c.Transcript {
			if entry.Exchange == nil {
				continue
			}
			for _, cookie := range entry.Exchange.Cookies {
				if seen++; strings.HasPrefix(cookie.Name, "__Host-lectern-") != (c.Name != "plain") {
					t.Errorf("%s, %q: the cookie is called %s", c.Name, entry.Line, cookie.Name)
				}
			}
			for _, line := range entry.Exchange.Response.SetCookie {
				if strings.Contains(line, "; Secure") != (c.Name != "plain") || !strings.Contains(line, "; Path=/") || strings.Contains(line, "Domain") {
					t.Errorf("%s, %q: %s", c.Name, entry.Line, line)
				}
			}
		}
		if seen == 0 {
			t.Errorf("%s: no cookie was seen", c.Name)
		}
	}
}
