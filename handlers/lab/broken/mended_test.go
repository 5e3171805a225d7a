package broken_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/securecookie"

	"lectern/handlers/lab/broken"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
	"lectern/handlers/session/hybrid"
	"lectern/handlers/session/serverstore"
	"lectern/handlers/session/sessiontest"
)

// mended is each mistake with nothing changed but the mistake.
var mended = map[string]func(broken.Config) session.Backend{
	"adopted-id":   numbered,
	"resurrection": numbered,
	"denylist-by-hash": func(c broken.Config) session.Backend {
		return broken.Lenient(c, c.Ledger) // it still reads leniently
	},
	"forgotten-ticket": func(c broken.Config) session.Backend {
		return hybrid.New(hybrid.Config{Tokens: c.Tokens, Store: c.Families, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: c.Random})
	},
	"challenge-in-a-cookie": func(c broken.Config) session.Backend {
		return &remembering{
			Backend: cookiejwt.New(cookiejwt.Config{Tokens: c.Tokens, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now}),
			config:  c, asked: map[[32]byte]question{},
		}
	},
	"mixed-up-keys": func(c broken.Config) session.Backend {
		var pairs [][]byte
		for _, secret := range c.Secrets {
			pairs = append(pairs, secret, nil)
		}
		return broken.Sealing(c, securecookie.CodecsFromPairs(pairs...))
	},
	"readable-cookie":   banded,
	"unmeasured-cookie": banded,
}

func banded(c broken.Config) session.Backend {
	return cookiejwt.New(cookiejwt.Config{Tokens: c.Tokens, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now})
}

func numbered(c broken.Config) session.Backend {
	return serverstore.New(serverstore.Config{
		Name: session.Database, Store: c.Store, Cookies: c.Cookies, Lifetimes: c.Lifetimes, Now: c.Now, Random: c.Random,
	})
}

func TestMistakes_whenMended(t *testing.T) {
	for _, mistake := range broken.All {
		t.Run(mistake.Name, func(t *testing.T) {
			open := mended[mistake.Name]
			if open == nil {
				t.Fatal("nobody says how it is mended")
			}
			for check, wrong := range diagnose(t, session.Cookies{Secure: true}, mistake, open) {
				t.Errorf("%s: %q", check, wrong)
			}
		})
	}
}

// remembering keeps its challenges on the server.
type remembering struct {
	*cookiejwt.Backend
	config broken.Config
	mu     sync.Mutex
	asked  map[[32]byte]question
}

type question struct {
	challenge string
	until     time.Time
}

const askedCookie = "lectern-asked"

func (k *remembering) Ask(w http.ResponseWriter, _ *http.Request) (string, error) {
	id, challenge, now := rand.Text(), rand.Text(), k.config.Now()
	until := now.Add(5 * time.Minute)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked[sha256.Sum256([]byte(id))] = question{challenge, until}
	return challenge, k.config.Cookies.Set(w, askedCookie, id, now, until)
}

func (k *remembering) Take(w http.ResponseWriter, r *http.Request) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range k.config.Cookies.Values(r, askedCookie) {
		hash := sha256.Sum256([]byte(id))
		q, found := k.asked[hash]
		delete(k.asked, hash)
		if found && k.config.Now().Before(q.until) {
			k.config.Cookies.Clear(w, askedCookie)
			return q.challenge, nil
		}
	}
	return "", nil
}

// site is a small site with a backend in it, for what the suite does not ask.
func site(t *testing.T, open func(broken.Config) session.Backend, change func(*broken.Config)) sessiontest.Site {
	t.Helper()
	people, clock := sessiontest.NewSchool(), sessiontest.NewClock()
	c, _ := config(t, sessiontest.Terms{Lifetimes: sessiontest.Lifetimes, Now: clock.Now, School: people})
	change(&c)
	b := open(c)
	m, err := session.NewManager(t.Context(), session.Config{
		Backends: []session.Backend{b}, Default: b.Name(), Lifetimes: sessiontest.Lifetimes, People: people, Settings: people, Now: clock.Now,
	})
	must(t, err)
	return sessiontest.Site{Manager: m, School: people, Clock: clock}
}

func asIs(*broken.Config) {}

// found is a store in which something happens once, when a record was found.
type found struct {
	serverstore.Store
	then *func()
}

func (f found) Find(ctx context.Context, hash serverstore.Hash) (session.Record, bool, error) {
	rec, ok, err := f.Store.Find(ctx, hash)
	if then := *f.then; ok && then != nil {
		*f.then = nil
		then()
	}
	return rec, ok, err
}

// The site itself saves no session at the end of a request; it notes the visit when
// it has found the record. A lab holds a request up there.
func TestResurrection_byTheNoteOfAVisit(t *testing.T) {
	for _, row := range []struct {
		says string
		open func(broken.Config) session.Backend
		back bool
	}{
		{"the broken one brings the session back", broken.NewResurrection, true},
		{"the right one does not", numbered, false},
	} {
		t.Run(row.says, func(t *testing.T) {
			var then func()
			s := site(t, row.open, func(c *broken.Config) { c.Store = found{c.Store, &then} })
			ada := sessiontest.NewBrowser(s, false, s.Clock.Now)
			ada.Do(s.SignIn(sessiontest.Ada, session.StartOptions{Device: "Firefox on Linux"}))
			slow := ada.Copy()
			s.Clock.Move(sessiontest.Lifetimes.SeenEvery())
			then = func() { ada.Do(s.Manager.End) }
			slow.Visit()
			if then != nil {
				t.Fatal("nobody signed out meanwhile")
			}
			a := slow.Copy().Visit()
			if a.SignedIn != row.back || row.back && a.Record.Device != "Firefox on Linux" {
				t.Errorf("after a slow request, signed in: %v, in %q", a.SignedIn, a.Record.Device)
			}
		})
	}
}

// What is told of a request must not tell of a detection that there is not.
func TestForgottenTicket_tellsOfNoReuse(t *testing.T) {
	s := site(t, broken.NewForgottenTicket, asIs)
	owner := sessiontest.NewBrowser(s, false, s.Clock.Now)
	owner.Do(s.SignIn(sessiontest.Ada, session.StartOptions{}))
	thief := owner.Copy()
	s.Clock.Move(sessiontest.Lifetimes.Access)
	if !thief.Visit().SignedIn {
		t.Fatal("a copied ticket cannot be exchanged")
	}
	for range 4 { // whatever the right one would take for the same browser still
		s.Clock.Move(15 * time.Second)
		a := owner.Copy().Visit()
		if a.SignedIn || a.Trace.Reason != session.Unknown || a.Trace.Writes > 0 ||
			slices.ContainsFunc(a.Trace.Steps(), func(step session.Step) bool { return step.Name == "End the family in the database" }) {
			t.Errorf("the owner is signed in: %v, reason %q, %d writes, %v", a.SignedIn, a.Trace.Reason, a.Trace.Writes, a.Trace.Steps())
		}
	}
	if !thief.Visit().SignedIn {
		t.Error("the thief is out")
	}
}

// Each of the four last characters that stand for one signature is a token that
// opens, and the sign-out puts one of them on the list.
func TestDenylistByHash_listsOneSpelling(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	const cookie = "lectern-jwt"
	s := site(t, broken.NewDenylistByHash, asIs)
	ada := sessiontest.NewBrowser(s, false, s.Clock.Now)
	ada.Do(s.SignIn(sessiontest.Ada, session.StartOptions{}))
	good := ada.Cookie(cookie)
	opening := func() (n int) {
		for _, last := range alphabet {
			b := sessiontest.NewBrowser(s, false, s.Clock.Now)
			b.Plant(cookie, good[:len(good)-1]+string(last))
			if b.Visit().SignedIn {
				n++
			}
		}
		return n
	}
	if n := opening(); n != 4 {
		t.Errorf("%d spellings open, want 4", n)
	}
	ada.Do(s.Manager.End)
	if n := opening(); n != 3 {
		t.Errorf("%d spellings open after the end, want 3", n)
	}
}

// An id of the attacker's own choice works in every browser that has it.
func TestAdoptedID_isTheAttackersChoice(t *testing.T) {
	const cookie = "lectern-sid"
	s := site(t, broken.NewAdoptedID, asIs)
	chosen := base64.RawURLEncoding.EncodeToString([]byte("I chose this and not you"))
	victim, attacker := sessiontest.NewBrowser(s, false, s.Clock.Now), sessiontest.NewBrowser(s, false, s.Clock.Now)
	victim.Plant(cookie, chosen)
	attacker.Plant(cookie, chosen)
	if attacker.Copy().Visit().SignedIn {
		t.Error("an id opens something before anybody has signed in")
	}
	if a := victim.Do(s.SignIn(sessiontest.Ada, session.StartOptions{})); !a.SignedIn || victim.Cookie(cookie) != chosen {
		t.Errorf("signed in: %v, %v, with %q", a.SignedIn, a.Err, victim.Cookie(cookie))
	}
	if a := attacker.Visit(); !a.SignedIn || a.Record.UserID != sessiontest.Ada {
		t.Errorf("the attacker is signed in: %v, reason %q", a.SignedIn, a.Trace.Reason)
	}
	if a := victim.Do(s.Manager.Renew); !a.SignedIn || victim.Cookie(cookie) == chosen {
		t.Error("renewing keeps the id")
	}
}

// A list of one key is right by chance.
func TestMixedUpKeys_workUntilTheFirstChange(t *testing.T) {
	var db serverstore.Store
	keep := func(c *broken.Config) { db = c.Store }
	before := site(t, broken.NewMixedUpKeys, keep)
	after := site(t, broken.NewMixedUpKeys, func(c *broken.Config) { c.Store, c.Secrets = db, changedSecrets })
	for says, row := range map[string]struct {
		from, to sessiontest.Site
		in       bool
	}{
		"before the change":      {before, before, true},
		"across the change":      {before, after, false},
		"signed in after it":     {after, after, true},
		"with the change undone": {after, before, false},
	} {
		ada := sessiontest.NewBrowser(row.from, false, row.from.Clock.Now)
		ada.Do(row.from.SignIn(sessiontest.Ada, session.StartOptions{}))
		other := sessiontest.NewBrowser(row.to, false, row.to.Clock.Now)
		other.Plant("lectern-sid", ada.Cookie("lectern-sid"))
		if a := other.Visit(); a.SignedIn != row.in || a.Err != nil || !row.in && a.Trace.Reason != session.BadSignature {
			t.Errorf("%s: signed in %v, %v, reason %q", says, a.SignedIn, a.Err, a.Trace.Reason)
		}
	}
}
