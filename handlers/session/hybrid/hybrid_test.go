package hybrid_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"lectern/db/school"
	"lectern/handlers/session"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
	"lectern/handlers/token"
)

const (
	access  = "lectern-access"
	refresh = "lectern-refresh"
	grace   = 30 * time.Second // how long the secret before is given its successor

	ada = sessiontest.Ada
)

// half is a site whose sessions are hybrid, on a SQLite file, with a hand in its
// store.
type half struct {
	sessiontest.Site
	t       *testing.T
	db      *sql.DB
	store   *meddled
	tokens  *token.Issuer
	backend *hybrid.Backend
}

func open(t *testing.T) *half {
	t.Helper()
	db := openSQLite(t)
	store, err := hybrid.NewSQL(t.Context(), db, db)
	must(t, err)
	t.Cleanup(func() { store.Close() })
	keys, err := token.ParseKeys(token.HS256, "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY")
	must(t, err)
	clock, people := sessiontest.NewClock(), sessiontest.NewSchool()
	h := &half{
		t: t, db: db, store: &meddled{Store: store},
		Site:   sessiontest.Site{School: people, Clock: clock},
		tokens: token.NewIssuer(token.Config{Keys: token.NewKeyring(keys), Site: "https://lectern.example", Now: clock.Now, Random: rand.Reader}),
	}
	h.backend = hybrid.New(hybrid.Config{Tokens: h.tokens, Store: h.store, Lifetimes: sessiontest.Lifetimes, Now: clock.Now, Random: rand.Reader})
	h.Manager, err = session.NewManager(t.Context(), session.Config{
		Backends: []session.Backend{h.backend}, Default: session.Hybrid, Lifetimes: sessiontest.Lifetimes,
		People: people, Settings: people, Now: clock.Now,
	})
	must(t, err)
	return h
}

func openSQLite(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "sessions.db")+"?_journal_mode=WAL&_busy_timeout=5000&_synchronous=OFF&_txlock=immediate")
	must(t, err)
	t.Cleanup(func() { db.Close() })
	migration, err := os.ReadFile("../../../db/migrations/0005_refresh_sessions.sql")
	must(t, err)
	_, err = db.Exec(string(migration))
	must(t, err)
	return db
}

// meddled is a store in which something happens, or goes wrong, just before the
// next exchange or deletion.
type meddled struct {
	hybrid.Store
	beforeRotate, beforeDelete func() error
}

func (m *meddled) Rotate(ctx context.Context, hash, presented serverstore.Hash, to hybrid.Rotation) (bool, error) {
	if meddle := m.beforeRotate; meddle != nil {
		m.beforeRotate = nil
		if err := meddle(); err != nil {
			return false, err
		}
	}
	return m.Store.Rotate(ctx, hash, presented, to)
}

func (m *meddled) Delete(ctx context.Context, hash serverstore.Hash) (bool, error) {
	if meddle := m.beforeDelete; meddle != nil {
		m.beforeDelete = nil
		if err := meddle(); err != nil {
			return false, err
		}
	}
	return m.Store.Delete(ctx, hash)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (h *half) browser() *sessiontest.Browser { return sessiontest.NewBrowser(h, false, h.Clock.Now) }

func (h *half) arrive(id school.ID) *sessiontest.Browser {
	h.t.Helper()
	b := h.browser()
	h.in(b.Do(h.SignIn(id, session.StartOptions{Address: "198.51.100.7", Device: "Firefox on Linux"})))
	return b
}

// faded lets the access tokens that are out there expire.
func (h *half) faded() { h.Clock.Move(sessiontest.Lifetimes.Access) }

func (h *half) in(a sessiontest.Answer) sessiontest.Answer {
	h.t.Helper()
	if a.Err != nil || !a.SignedIn {
		h.t.Fatalf("not signed in: %v, reason %q", a.Err, a.Trace.Reason)
	}
	return a
}

func (h *half) out(a sessiontest.Answer, reason session.Reason) {
	h.t.Helper()
	if a.Err != nil || a.SignedIn || a.Trace.Reason != reason {
		h.t.Fatalf("signed in: %v, error %v, reason %q; want a stranger because of %q", a.SignedIn, a.Err, a.Trace.Reason, reason)
	}
}

func (h *half) counts(want int) {
	h.t.Helper()
	if n, err := h.backend.Count(h.t.Context()); err != nil || n != want {
		h.t.Errorf("there are %d families, %v; want %d", n, err, want)
	}
}

func TestLoad_asksNobodyWhileTheTokenIsGood(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	faded := h.Clock.Now().Add(sessiontest.Lifetimes.Access)
	h.Clock.Move(sessiontest.Lifetimes.Access - time.Millisecond)
	a := h.in(b.Visit())
	if a.Trace.Reads+a.Trace.Writes > 0 || len(a.Cookies) > 0 || a.Trace.Cookie != access {
		t.Errorf("%d reads, %d writes, cookies %v, decided by %s", a.Trace.Reads, a.Trace.Writes, a.Cookies, a.Trace.Cookie)
	}
	if !a.Record.TokenUntil.Equal(faded) {
		t.Errorf("its token is said to be good until %v, want %v", a.Record.TokenUntil, faded)
	}
	if end := h.Clock.Now().Add(time.Millisecond - sessiontest.Lifetimes.Access + sessiontest.Lifetimes.Absolute); !a.Record.ExpiresAt.Equal(end) || !a.Record.IdleUntil.IsZero() {
		t.Errorf("it ends at %v, %v without a visit; want %v, and that nobody knows", a.Record.ExpiresAt, a.Record.IdleUntil, end)
	}
}

func TestRefresh_givesANewTokenAndANewSecret(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	before, handle := b.Copy(), b.Visit().Record.Handle
	h.faded()
	a := h.in(b.Visit())
	if a.Trace.Reads != 1 || a.Trace.Writes != 1 || a.Trace.Cookie != refresh || a.Record.Handle != handle {
		t.Errorf("%d reads, %d writes, decided by %s; the session was %s and is %s", a.Trace.Reads, a.Trace.Writes, a.Trace.Cookie, handle, a.Record.Handle)
	}
	if idle := h.Clock.Now().Add(sessiontest.Lifetimes.Idle); !a.Record.SeenAt.Equal(h.Clock.Now()) || !a.Record.IdleUntil.Equal(idle) {
		t.Errorf("the visit is not noted: seen at %v, idle until %v", a.Record.SeenAt, a.Record.IdleUntil)
	}
	if until := h.Clock.Now().Add(sessiontest.Lifetimes.Access); !a.Record.TokenUntil.Equal(until) {
		t.Errorf("the new token is said to be good until %v, want %v", a.Record.TokenUntil, until)
	}
	family, secret, _ := strings.Cut(b.Cookie(refresh), ".")
	familyBefore, secretBefore, _ := strings.Cut(before.Cookie(refresh), ".")
	if b.Cookie(access) == before.Cookie(access) || family != familyBefore || secret == secretBefore {
		t.Error("the token or the secret is the same, or the family is another")
	}
	if a := h.in(b.Visit()); a.Trace.Reads+a.Trace.Writes > 0 || len(a.Cookies) > 0 {
		t.Error("the request after the exchange exchanges again")
	}
	h.counts(1)
}

// Two tabs load at the same time: both come with the same ticket, and both have to
// leave with the same successor, whoever was first.
func TestRefresh_ofManyTabsAtOnce(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	h.faded()
	tabs := make([]*sessiontest.Browser, 8)
	var wg sync.WaitGroup
	for i := range tabs {
		tabs[i] = b.Copy()
		wg.Go(func() { tabs[i].Visit() })
	}
	wg.Wait()
	for _, tab := range tabs {
		h.in(tab.Visit())
		if tab.Cookie(refresh) != tabs[0].Cookie(refresh) || tab.Cookie(refresh) == b.Cookie(refresh) {
			t.Errorf("of tabs that came at once, two have different tickets, or the old one")
		}
	}
	h.faded()
	h.in(tabs[7].Visit())
	h.counts(1)
}

// The same, with the other tab's exchange between this one's look-up and its own.
func TestRefresh_thatComesSecond(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	other := b.Copy()
	h.faded()
	h.store.beforeRotate = func() error { h.in(other.Visit()); return nil }
	a := h.in(b.Visit())
	if b.Cookie(refresh) != other.Cookie(refresh) || b.Cookie(access) == other.Cookie(access) {
		t.Error("the tickets differ, or two tokens are one")
	}
	if a.Trace.Reads != 2 {
		t.Errorf("it took %d reads", a.Trace.Reads)
	}
}

func TestRefresh_ofTheSecretBefore(t *testing.T) {
	for _, row := range []struct {
		says string
		wait time.Duration
		good bool
	}{
		{"at once", 0, true},
		{"within the grace", grace - time.Millisecond, true},
		{"at its end", grace, true},
		{"after it", grace + time.Millisecond, false},
		{"by a clock set back", -3 * time.Second, true},
	} {
		t.Run(row.says, func(t *testing.T) {
			h := open(t)
			b := h.arrive(ada)
			late := b.Copy()
			h.faded()
			h.Clock.Move(10 * time.Second)
			h.in(b.Visit())
			h.Clock.Move(row.wait)
			a := late.Visit()
			if !row.good {
				h.out(a, session.Reused)
				return
			}
			h.in(a)
			if late.Cookie(refresh) != b.Cookie(refresh) {
				t.Error("it is given another successor")
			}
			h.faded()
			h.in(late.Visit())
		})
	}
}

// The answer with the new ticket was lost on its way, and the browser asks again.
func TestRefresh_whenTheAnswerWasLost(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	h.faded()
	h.in(b.Copy().Visit())
	h.Clock.Move(5 * time.Second)
	h.in(b.Visit())
	h.faded()
	h.in(b.Visit())
}

func TestReuse_endsTheFamilyForBoth(t *testing.T) {
	t.Attr("asvs", "10.4.5")
	for _, row := range []struct {
		says         string
		first, later func(owner, thief *sessiontest.Browser) *sessiontest.Browser
	}{
		{"the thief is first", second, first},
		{"the owner is first", first, second},
	} {
		t.Run(row.says, func(t *testing.T) {
			h := open(t)
			owner := h.arrive(ada)
			thief := owner.Copy()
			phone, other := h.arrive(ada), h.arrive(sessiontest.Grace)
			h.faded()
			h.in(row.first(owner, thief).Visit())
			h.Clock.Move(grace + time.Second)
			a := row.later(owner, thief).Visit()
			h.out(a, session.Reused)
			if b := row.later(owner, thief); b.Cookie(access)+b.Cookie(refresh) != "" {
				t.Error("the cookies stay in the browser")
			}
			h.in(row.first(owner, thief).Visit()) // until its token has faded
			h.faded()
			h.out(row.first(owner, thief).Visit(), session.Unknown)
			h.in(phone.Visit())
			h.in(other.Visit())
			h.counts(2)
		})
	}
}

func first(owner, _ *sessiontest.Browser) *sessiontest.Browser  { return owner }
func second(_, thief *sessiontest.Browser) *sessiontest.Browser { return thief }

// A stranger's ticket behind it does not make a reuse look like one.
func TestReuse_isTheReasonWhateverElseCame(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	old := b.Cookie(refresh)
	h.faded()
	h.in(b.Visit())
	h.Clock.Move(grace + time.Second)
	thief := h.browser()
	thief.Plant(refresh, strings.Repeat("A", 24)+"."+strings.Repeat("A", 43))
	thief.Plant(refresh, old)
	h.out(thief.Visit(), session.Reused)
}

// A family that is in two hands has to end. As long as it cannot be ended, nobody
// is told anything.
func TestReuse_whenTheFamilyCannotBeEnded(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	thief := b.Copy()
	h.faded()
	h.in(b.Visit())
	h.Clock.Move(grace + time.Second)
	h.store.beforeDelete = func() error { return errors.New("disk full") }
	if a := thief.Visit(); !errors.Is(a.Err, session.ErrUnavailable) || len(a.Cookies) > 0 {
		t.Errorf("got %v, %v", a.Err, a.Cookies)
	}
	h.out(thief.Visit(), session.Reused)
	h.counts(0)
}

// The secret that a browser comes with may be exchanged twice by somebody else
// before its own exchange is written down.
func TestRefresh_thatComesThird(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	other := b.Copy()
	h.faded()
	h.store.beforeRotate = func() error {
		h.in(other.Visit())
		h.faded()
		h.in(other.Visit())
		return nil
	}
	h.out(b.Visit(), session.Reused)
	h.counts(0)
}

func TestRefresh_ofWhatEndsMeanwhile(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	other := b.Copy()
	h.faded()
	h.store.beforeRotate = func() error {
		_, err := h.backend.EndUser(t.Context(), ada, "")
		return err
	}
	a := b.Fetch()
	h.out(a, session.Unknown)
	if len(a.Cookies) > 0 {
		t.Errorf("it is sent %v", a.Cookies)
	}
	h.out(other.Visit(), session.Unknown)
}

// A store that reads and does not write exchanges nothing. The browser keeps what
// it has, and that is good when the store is whole again.
func TestRefresh_whenNothingCanBeWritten(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	h.faded()
	h.store.beforeRotate = func() error { return errors.New("database is locked") }
	if a := b.Visit(); !errors.Is(a.Err, session.ErrUnavailable) || a.SignedIn || len(a.Cookies) > 0 {
		t.Errorf("got %v, signed in %v, %v", a.Err, a.SignedIn, a.Cookies)
	}
	h.in(b.Visit())
}

// Who steals the table has no ticket: neither are the numbers and secrets in it,
// nor is anything in it good for one.
func TestTable_isWorthNothingAlone(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	old := b.Cookie(refresh)
	h.faded()
	h.in(b.Visit())
	h.faded()
	row := make([][]byte, 4)
	must(t, h.db.QueryRow(`SELECT id_hash, current_hash, previous_hash, salt FROM refresh_sessions`).Scan(&row[0], &row[1], &row[2], &row[3]))
	for _, text := range []string{old, b.Cookie(refresh)} {
		for i, part := range strings.Split(text, ".") {
			raw, err := base64.RawURLEncoding.DecodeString(part)
			must(t, err)
			hash, found := sha256.Sum256(raw), false
			for column, value := range row {
				if strings.Contains(string(value), string(raw)) || strings.Contains(string(value), part) {
					t.Errorf("column %d holds part %d of a ticket", column, i)
				}
				found = found || slices.Equal(value, hash[:])
			}
			if !found {
				t.Errorf("the hash of part %d of a ticket is in none of the columns", i)
			}
		}
	}
	family, _, _ := strings.Cut(old, ".")
	for i, stolen := range row {
		thief := h.browser()
		thief.Plant(refresh, base64.RawURLEncoding.EncodeToString(row[0][:18])+"."+base64.RawURLEncoding.EncodeToString(stolen))
		h.out(thief.Visit(), session.Unknown)
		if i == 3 {
			// With the number of the family as well, which is not in the table.
			thief.Plant(refresh, family+"."+base64.RawURLEncoding.EncodeToString(stolen))
			h.out(thief.Visit(), session.Reused)
		}
	}
}

func TestTicket_ofAnotherShapeAsksNobody(t *testing.T) {
	h := open(t)
	good := h.arrive(ada).Cookie(refresh)
	family, secret, _ := strings.Cut(good, ".")
	for says, value := range map[string]string{
		"a secret too short":      family + "." + secret[1:],
		"a secret too long":       good + "A",
		"a family too short":      family[1:] + "." + secret,
		"no secret":               family,
		"an empty secret":         family + ".",
		"no family":               "." + secret,
		"two full stops":          family + "." + secret + ".",
		"another last character":  good[:len(good)-1] + string(neighbour(good[len(good)-1])),
		"a plus for a minus":      strings.Repeat("+", len(family)) + "." + secret,
		"the handle for a family": hex.EncodeToString([]byte(family)) + "." + secret,
	} {
		b := h.browser()
		b.Plant(refresh, value)
		a := b.Visit()
		h.out(a, session.Malformed)
		if a.Trace.Reads+a.Trace.Writes > 0 {
			t.Errorf("%s: the store is asked", says)
		}
	}
	h.counts(1)
}

// neighbour is the character of base64url that has the same four bits in front and
// other spare ones.
func neighbour(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)^1]
}

// Tokens that this site has signed for something else, in the access cookie.
func TestAccess_refusesTokensForOtherUses(t *testing.T) {
	t.Attr("asvs", "9.2.2")
	h := open(t)
	now := h.Clock.Now().Unix()
	common := token.Common{Subject: string(ada), ID: "one", IssuedAt: now, Expires: now + 60, AuthTime: now, Role: "student"}
	record := token.OnRecord{Session: strings.Repeat("0", 64), Began: now, Ends: now + 3600}
	for _, row := range []struct {
		says   string
		use    token.Use
		claims token.Claims
		reason session.Reason
	}{
		{"a session's own token", token.SessionUse, token.Claims{Common: common, Methods: []string{"pwd"}}, session.BadType},
		{"a session's own token that names a record", token.SessionUse, token.Claims{Common: common, Methods: []string{"pwd"}, OnRecord: &record}, session.BadType},
		{"an access token that names none", token.AccessUse, token.Claims{Common: common, Methods: []string{"pwd"}}, session.BadClaims},
		{"a good one", token.AccessUse, token.Claims{Common: common, Methods: []string{"pwd"}, OnRecord: &record}, ""},
	} {
		text, err := h.tokens.Sign(row.use, row.claims)
		must(t, err)
		b := h.browser()
		b.Plant(access, text)
		if a := b.Visit(); a.SignedIn != (row.reason == "") || a.Trace.Reason != row.reason || a.Trace.Reads > 0 {
			t.Errorf("%s: signed in %v, reason %q, %d reads", row.says, a.SignedIn, a.Trace.Reason, a.Trace.Reads)
		}
	}
	text, err := h.tokens.SignAPI(token.APIClaims{Common: common, ClientID: "cli"})
	must(t, err)
	b := h.browser()
	b.Plant(access, text)
	h.out(b.Visit(), session.BadType)
}

func TestRefuseBefore_endsTokensAndTickets(t *testing.T) {
	h := open(t)
	h.Clock.Move(100 * time.Millisecond)
	before, ticketOnly := h.arrive(ada), h.browser()
	ticketOnly.Plant(refresh, before.Cookie(refresh))
	cut := h.Clock.Now().Truncate(time.Second).Add(time.Second)
	h.backend.RefuseBefore(cut)
	h.out(ticketOnly.Visit(), session.EndedForAll)
	h.out(before.Visit(), session.EndedForAll)
	after := h.arrive(sessiontest.Grace)
	h.in(after.Visit())
	h.faded()
	h.in(after.Visit())
}

// The last token of a session ends with it.
func TestRefresh_nearTheEnd(t *testing.T) {
	h := open(t)
	b := h.browser()
	h.in(b.Do(h.SignIn(ada, session.StartOptions{Remember: true})))
	end := h.Clock.Now().Add(sessiontest.Lifetimes.Remember)
	h.Clock.Move(sessiontest.Lifetimes.Remember - 30*time.Second)
	h.in(b.Visit())
	a := h.in(b.Visit())
	if a.Trace.Reads > 0 || !a.Record.TokenUntil.Equal(end) {
		t.Errorf("%d reads; the token is good until %v, want %v", a.Trace.Reads, a.Record.TokenUntil, end)
	}
}

// Of two that want to continue a session only the one that ended it may.
func TestRenew_ofWhatEndsMeanwhile(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	h.store.beforeDelete = func() error {
		_, err := h.backend.EndUser(t.Context(), ada, "")
		return err
	}
	if a := b.Do(h.Manager.Renew); !errors.Is(a.Err, session.ErrEnded) || len(a.Cookies) > 0 {
		t.Errorf("got %v, %v", a.Err, a.Cookies)
	}
	h.counts(0)
}

// The exchange and the end are in the same request. What was sent for the one must
// not outlive the other.
func TestEnd_inTheRequestThatExchanges(t *testing.T) {
	h := open(t)
	signedIn := h.arrive(ada)
	b := h.browser()
	b.Plant(refresh, signedIn.Cookie(refresh))
	h.faded()
	h.out(b.Do(h.Manager.End), "")
	if b.Cookie(access)+b.Cookie(refresh) != "" {
		t.Error("signing out leaves a cookie")
	}
	h.counts(0)
}

// What an access token does not say is not lost when the session is renewed.
func TestRenew_keepsWhereItBegan(t *testing.T) {
	h := open(t)
	b := h.arrive(ada)
	h.Clock.Move(10 * time.Second)
	if rec := h.in(b.Visit()).Record; rec.Address != "" || rec.Device != "" {
		t.Fatal("the access token says where the session was started")
	}
	h.in(b.Do(h.Manager.Renew))
	all, unreached := h.Manager.List(t.Context(), ada)
	if len(unreached) > 0 || len(all) != 1 || all[0].Address != "198.51.100.7" || all[0].Device != "Firefox on Linux" {
		t.Errorf("renewed, it is %+v; %v cannot be read", all, unreached)
	}
}

func TestStart_tooLargeWritesNothing(t *testing.T) {
	h := open(t)
	a := h.browser().Do(func(w http.ResponseWriter, r *http.Request) error {
		id := session.Identity{UserID: ada, Role: school.Student, Methods: strings.Fields(strings.Repeat("otp-by-mail ", 600)), AuthAt: h.Clock.Now()}
		return h.Manager.Start(w, r, id, session.StartOptions{})
	})
	if !errors.Is(a.Err, session.ErrTooLarge) || len(a.Cookies) > 0 {
		t.Errorf("got %v, %v", a.Err, a.Cookies)
	}
	h.counts(0)
}

func TestStart_withoutRandomnessStartsNothing(t *testing.T) {
	t.Attr("asvs", "6.5.3")
	h := open(t)
	b := hybrid.New(hybrid.Config{Tokens: h.tokens, Store: h.store, Lifetimes: sessiontest.Lifetimes, Now: h.Clock.Now, Random: strings.NewReader("too little")})
	m, err := session.NewManager(t.Context(), session.Config{
		Backends: []session.Backend{b}, Default: session.Hybrid, Lifetimes: sessiontest.Lifetimes, People: h.School, Settings: h.School, Now: h.Clock.Now,
	})
	must(t, err)
	h.Manager = m
	if a := h.browser().Do(h.SignIn(ada, session.StartOptions{})); a.Err == nil || a.SignedIn || len(a.Cookies) > 0 {
		t.Errorf("got %v, signed in %v, %v", a.Err, a.SignedIn, a.Cookies)
	}
	h.counts(0)
}

func TestSQL_rotatesOnlyTheCurrentSecret(t *testing.T) {
	store := open(t).store.Store
	at := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	rec := session.Record{
		Identity:  session.Identity{UserID: ada, Role: school.Student, Methods: []string{"pwd"}, AuthAt: at},
		CreatedAt: at, SeenAt: at, IdleUntil: at.Add(time.Hour), ExpiresAt: at.Add(2 * time.Hour),
	}
	id, s0, s1, s2 := serverstore.Hash{1}, serverstore.Hash{10}, serverstore.Hash{11}, serverstore.Hash{12}
	must(t, store.Create(t.Context(), id, hybrid.Family{Record: rec, Current: s0, RotatedAt: at}))
	if f, found, err := store.Find(t.Context(), id); err != nil || !found || f.Current != s0 || f.Previous != (serverstore.Hash{}) || f.Salt != nil || !f.RotatedAt.Equal(at) {
		t.Errorf("a new family is %+v, %v, %v", f, found, err)
	}
	later := at.Add(time.Minute)
	for _, row := range []struct {
		id, presented serverstore.Hash
		to            hybrid.Rotation
		want          bool
	}{
		{id, s1, hybrid.Rotation{Current: s2, Salt: []byte("no"), At: later, IdleUntil: later}, false},
		{serverstore.Hash{2}, s0, hybrid.Rotation{Current: s1, Salt: []byte("no"), At: later, IdleUntil: later}, false},
		{id, s0, hybrid.Rotation{Current: s1, Salt: []byte("salt"), At: later, IdleUntil: later.Add(time.Hour)}, true},
		{id, s0, hybrid.Rotation{Current: s2, Salt: []byte("no"), At: later, IdleUntil: later}, false},
	} {
		if ok, err := store.Rotate(t.Context(), row.id, row.presented, row.to); err != nil || ok != row.want {
			t.Errorf("exchanging %x gives %v, %v", row.presented[0], ok, err)
		}
	}
	f, _, err := store.Find(t.Context(), id)
	must(t, err)
	if got := fmt.Sprintf("%x %x %s", f.Current[0], f.Previous[0], f.Salt); got != "b a salt" || !f.RotatedAt.Equal(later) || !f.SeenAt.Equal(later) || !f.IdleUntil.Equal(later.Add(time.Hour)) {
		t.Errorf("it is %s, at %v, seen %v, idle until %v", got, f.RotatedAt, f.SeenAt, f.IdleUntil)
	}
}

func TestNewSQL_withoutItsTable(t *testing.T) {
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "empty.db"))
	must(t, err)
	defer db.Close()
	if _, err := hybrid.NewSQL(t.Context(), db, db); err == nil {
		t.Error("it is content without a table")
	}
}
