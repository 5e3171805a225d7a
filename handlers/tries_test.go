package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"lectern/db/school"
	"lectern/handlers/session"
)

// wrong tries to sign in as somebody with another password.
func (b *browser) wrong(email string, headers ...string) answer {
	b.t.Helper()
	return b.form("/signin", url.Values{"email": {email}, "password": {"not it at all, sorry"}}, headers...)
}

func (b *browser) form(path string, values url.Values, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, values.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

// wait fails unless the answer is to wait for so many seconds.
func (a answer) wait(t testing.TB, seconds string) {
	t.Helper()
	a.want(t, http.StatusTooManyRequests)
	if got := a.header.Get("Retry-After"); got != seconds {
		t.Errorf("Retry-After is %q, want %q", got, seconds)
	}
}

// TestTries_holdOverServersAndNewStarts has two servers on one school, and a third that
// starts when the first has been stopped.
func TestTries_holdOverServersAndNewStarts(t *testing.T) {
	t.Attr("asvs", "2.4.1 6.3.1")
	t.Parallel()
	set := setting{file: filepath.Join(t.TempDir(), "lectern.db"), clock: newClock()}
	here, there := startSite(t, session.Database, true, set), startSite(t, session.JWT, true, set)
	for i := range 5 {
		[]*site{here, there}[i%2].browser().wrong(ada).want(t, http.StatusUnprocessableEntity)
	}
	for range 100 {
		here.browser().post("/signup").want(t, http.StatusUnprocessableEntity)
	}
	refused := func(s *site) {
		t.Helper()
		s.browser().post("/signin", "email", ada, "password", password).wait(t, "1")
		s.browser().send(http.MethodPost, "/api/v1/tokens", `{"email":"`+ada+`","password":"`+password+`"}`, "Content-Type", "application/json").wait(t, "1")
		s.browser().post("/signup").wait(t, "36")
	}
	refused(here)
	refused(there)
	here.Close()
	again := startSite(t, session.Hybrid, true, set)
	refused(again)
	set.clock.move(time.Second)
	again.as(ada)
	// The network is known from now on, at every server.
	for _, s := range []*site{again, there} {
		s.as(ada)
	}
}

// TestTries_cannotBeCountedNow locks the database file: nobody is let in, nothing of the
// form but the password is lost, and all is well when the lock is gone.
func TestTries_cannotBeCountedNow(t *testing.T) {
	t.Attr("asvs", "16.5.2 16.5.3")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.browser().impatient()
		unlock := s.lock()
		defer unlock()
		got := b.post("/signin", "email", ada, "password", password, "next", "/learning", "remember", "1")
		got.notNow(t, "Nobody can be let in just now", `value="`+ada+`"`, `value="/learning"`)
		got.lacks(t, password)
		program := b.send(http.MethodPost, "/api/v1/tokens", `{"email":"`+ada+`","password":"`+password+`"}`, "Content-Type", "application/json")
		program.notNow(t, "Service Unavailable")
		unlock()
		b.post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
	})
}

// TestTries_aHeaderResetsNoCount sends a new address with each try, in every header that
// some server believes.
func TestTries_aHeaderResetsNoCount(t *testing.T) {
	t.Attr("asvs", "2.4.1 15.3.4")
	for _, row := range []struct {
		says    string
		proxies []netip.Prefix
		through string // what a proxy adds
	}{
		{"from anybody", nil, ""},
		{"from somebody beside the proxy", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, ""},
		{"through the proxy, which adds who sent it", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, ", 203.0.113.7"},
	} {
		t.Run(row.says, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, session.Database, true, setting{proxies: row.proxies})
			n := 0
			spoofed := func() []string {
				n++
				address := fmt.Sprintf("198.51.100.%d", n)
				return []string{"X-Forwarded-For", address + row.through, "X-Real-Ip", address, "Forwarded", "for=" + address, "True-Client-Ip", address}
			}
			for range 5 {
				s.browser().wrong(ada, spoofed()...).want(t, http.StatusUnprocessableEntity)
			}
			s.browser().wrong(ada, spoofed()...).wait(t, "1")
			for range 100 {
				s.browser().form("/signup", nil, spoofed()...).want(t, http.StatusUnprocessableEntity)
			}
			s.browser().form("/signup", nil, spoofed()...).wait(t, "36")
		})
	}
}

// TestTries_aProxyIsBelieved: those behind it are counted each by themselves.
func TestTries_aProxyIsBelieved(t *testing.T) {
	t.Parallel()
	s := startSite(t, session.Database, true, setting{proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for range 100 {
		s.browser().form("/signup", nil, "X-Forwarded-For", "203.0.113.7").want(t, http.StatusUnprocessableEntity)
	}
	s.browser().form("/signup", nil, "X-Forwarded-For", "203.0.113.7").wait(t, "36")
	s.browser().form("/signup", nil, "X-Forwarded-For", "203.0.113.8").want(t, http.StatusUnprocessableEntity)
	for range 5 {
		s.browser().wrong(ada, "X-Forwarded-For", "203.0.113.7").want(t, http.StatusUnprocessableEntity)
	}
	s.browser().wrong(ada, "X-Forwarded-For", "203.0.113.7").wait(t, "1")
	s.browser().form("/signin", url.Values{"email": {ada}, "password": {password}}, "X-Forwarded-For", "203.0.113.8").want(t, http.StatusSeeOther)
}

// noted are the rows that were written and the transactions that were committed.
type noted struct {
	mu   sync.Mutex
	said []string
}

// noteWrites has the database say what it writes.
func (s *site) noteWrites() *noted {
	s.t.Helper()
	n := &noted{}
	note := func(what string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.said = append(n.said, what)
	}
	conn, err := s.db.Writer().Conn(s.t.Context())
	must(s.t, err)
	defer conn.Close()
	must(s.t, conn.Raw(func(c any) error {
		hooked := c.(interface {
			RegisterUpdateHook(func(op int, database, table string, row int64))
			RegisterCommitHook(func() int)
		})
		verbs := map[int]string{sqlite3.SQLITE_INSERT: "insert", sqlite3.SQLITE_UPDATE: "update", sqlite3.SQLITE_DELETE: "delete"}
		hooked.RegisterUpdateHook(func(op int, _, table string, _ int64) { note(verbs[op] + " " + table) })
		hooked.RegisterCommitHook(func() int {
			note("commit")
			return 0
		})
		return nil
	}))
	return n
}

// since is what was said since it was asked last.
func (n *noted) since() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	said := n.said
	n.said = nil
	return said
}

// TestSignIn_theWorkIsTheSame looks at what a refused try writes: the counts in one
// transaction, before the password is looked at, and the line of the log in another,
// whoever it is about. What it reads and hashes is counted where that is done.
func TestSignIn_theWorkIsTheSame(t *testing.T) {
	t.Attr("asvs", "6.3.8")
	t.Parallel()
	s := newSite(t, session.Database)
	must(t, s.db.Disable(t.Context(), fixedID("bea"), s.clock.Now()))
	writes := s.noteWrites()
	want := []string{"insert tries", "insert tries", "insert tries", "commit"}
	var log []string
	for i, row := range []struct{ says, email, password string }{
		{"a known address", ada, "not it at all, sorry"},
		{"an unknown one", "nobody@school.example", "not it at all, sorry"},
		{"a closed account, with its password", bea, password},
		{"what is no address", "nobody", "not it at all, sorry"},
	} {
		send := func(path, mime, body string) []string {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
			r.Header.Set("Content-Type", mime)
			r.RemoteAddr = fmt.Sprintf("203.0.113.%d:%d", i, 4000+i)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusUnauthorized {
				t.Fatalf("%s: %d\n%s", row.says, w.Code, w.Body)
			}
			return writes.since()
		}
		got := send("/signin", "application/x-www-form-urlencoded", url.Values{"email": {row.email}, "password": {row.password}}.Encode())
		if i == 0 {
			log = got[min(len(want), len(got)):]
		}
		if !slices.Equal(got, slices.Concat(want, log)) || slices.Index(log, "commit") != len(log)-1 {
			t.Errorf("%s: it writes %q, want %q", row.says, got, slices.Concat(want, log))
		}
		got = send("/api/v1/tokens", "application/json", `{"email":"`+row.email+`","password":"`+row.password+`"}`)
		again := []string{"update tries", "update tries", "update tries", "commit"}
		if !slices.Equal(got, slices.Concat(again, log)) {
			t.Errorf("%s, by a program: it writes %q, want %q", row.says, got, slices.Concat(again, log))
		}
	}
}

// TestSignUp_takesOneHash for an address that is taken as for one that is free: the
// slow part comes before anybody looks.
func TestSignUp_takesOneHash(t *testing.T) {
	t.Parallel()
	s := newSite(t, session.Database)
	for _, email := range []string{ada, "joan@school.example"} {
		before := s.salts.Load()
		s.browser().post("/signup", "name", "Joan Clarke", "email", email, "password", otherPassword).want(t, http.StatusSeeOther)
		if n := s.salts.Load() - before; n != 1 {
			t.Errorf("%s: it takes %d hashes, want 1", email, n)
		}
	}
}

// door sends forms in turns about known and unknown people, and notes how long each of
// them took.
type door struct {
	b    *testing.B
	site *site
	took map[string][]time.Duration
	n    int
}

func (d *door) send(who, path string, values url.Values) {
	d.n++
	// Another address each time and an hour between: nobody is to be told to wait.
	r := httptest.NewRequestWithContext(d.b.Context(), http.MethodPost, d.site.url+path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, byte(d.n >> 16), byte(d.n >> 8), byte(d.n)}), 4000).String()
	d.site.clock.move(time.Hour)
	w := httptest.NewRecorder()
	begun := time.Now()
	d.site.ServeHTTP(w, r)
	d.took[who] = append(d.took[who], time.Since(begun))
	if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusSeeOther {
		d.b.Fatalf("%s: %d\n%s", who, w.Code, w.Body)
	}
}

// turns has two do something in turns, each first as often as the other.
func (d *door) turns(known, unknown func(n int)) {
	for n := 0; d.b.Loop(); n++ {
		if n%2 == 0 {
			known(n)
			unknown(n)
		} else {
			unknown(n)
			known(n)
		}
	}
	median := func(who string) float64 {
		all := d.took[who]
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds())
	}
	d.b.ReportMetric(median("known"), "µs-known")
	d.b.ReportMetric(median("unknown"), "µs-unknown")
	d.b.ReportMetric(median("unknown")/median("known"), "ratio")
}

// BenchmarkKnownAndUnknown sends the same form about people who have an account and about
// people who have none, in turns, and reports the medians. Their ratio is to be between
// 0.9 and 1.1, so that nobody learns from the time who has an account (ASVS 6.3.8).
func BenchmarkKnownAndUnknown(b *testing.B) {
	telephones := func(b *testing.B, s *site) {
		for i, email := range members {
			id := fixedID(strings.TrimSuffix(email, "@school.example"))
			if err := s.db.PutPhone(b.Context(), id, school.Phone("+44770090012"+strconv.Itoa(i)), s.Now()); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, row := range []struct {
		name, path string
		fields     url.Values // besides the address
		before     func(*testing.B, *site)
	}{
		{"sign-in with a wrong password", "/signin", url.Values{"password": {"not it at all, sorry"}}, nil},
		{"sign-up", "/signup", url.Values{"name": {"Joan Clarke"}, "password": {otherPassword}}, nil},
		{"code by e-mail", "/signin/code", nil, nil},
		{"code by text message", "/signin/code", url.Values{"by": {"text"}}, telephones},
		{"forgotten password", "/signin/forgotten", nil, nil},
	} {
		b.Run(row.name, func(b *testing.B) {
			d := &door{b: b, site: newSite(b, session.Database), took: map[string][]time.Duration{}}
			if row.before != nil {
				row.before(b, d.site)
			}
			send := func(who, email string) {
				values := url.Values{"email": {email}}
				maps.Copy(values, row.fields)
				d.send(who, row.path, values)
			}
			d.turns(
				func(n int) { send("known", members[n%len(members)]) },
				func(int) { send("unknown", string(school.MustNewID())+"@school.example") },
			)
		})
	}
}

// members are people who have an account.
var members = []string{ada, bea, grace, rob, alan}
