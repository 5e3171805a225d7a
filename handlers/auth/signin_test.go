package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"lectern/db/school"
	"lectern/handlers/auth"
)

var errAway = errors.New("the database is away")

// accounts are the school's records, as far as signing in sees them.
type accounts struct {
	mu     sync.Mutex
	rows   map[school.Email]school.Credential
	asked  int // how often somebody was looked up
	away   bool
	locked bool // refuses to write
}

func (a *accounts) CredentialByEmail(_ context.Context, email school.Email) (school.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	if a.away {
		return school.Credential{}, errAway
	}
	c, ok := a.rows[email]
	if !ok {
		return school.Credential{}, fmt.Errorf("account: %w", school.ErrNotFound)
	}
	return c, nil
}

func (a *accounts) RehashPassword(_ context.Context, id school.ID, oldHash, newHash string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.locked {
		return errAway
	}
	for email, c := range a.rows {
		if c.User.ID == id && c.PasswordHash == oldHash {
			c.PasswordHash = newHash
			a.rows[email] = c
		}
	}
	return nil
}

// door is everything there is to sign in with, with Ada, who has an account,
// and others whose accounts are closed, damaged or have no password.
type door struct {
	*auth.Passwords
	accounts *accounts
	hasher   *auth.Hasher
	throttle *auth.Throttle
	clock    *clock
	log      *bytes.Buffer
	hashes   atomic.Int64
}

func newDoor(t *testing.T) *door {
	t.Helper()
	h := newCheapHasher()
	hash := mustHash(t, h, goodPassword)
	d := &door{
		accounts: &accounts{rows: map[school.Email]school.Credential{}},
		hasher:   h,
		clock:    newClock(),
		log:      &bytes.Buffer{},
	}
	add := func(email school.Email, hash string, disabled time.Time) {
		d.accounts.rows[email] = school.Credential{
			User:         school.User{ID: school.ID("id of " + email), Email: email, Role: school.Student, DisabledAt: disabled},
			PasswordHash: hash,
		}
	}
	add(ada, hash, time.Time{})
	add("closed@lectern.example", hash, time.Unix(1, 0))
	add("bare@lectern.example", "", time.Time{})
	add("damaged@lectern.example", "$argon2id$v=19$m=4194304,t=2,p=1$AAAA$AAAA", time.Time{})
	h.OnHash(func() { d.hashes.Add(1) })
	d.use(auth.NewMemory())
	return d
}

// use has the door count elsewhere.
func (d *door) use(counts auth.Counts) {
	d.throttle = newThrottle(counts, d.clock)
	d.Passwords = auth.NewPasswords(d.accounts, d.hasher, d.throttle, slog.New(slog.NewTextHandler(d.log, nil)))
}

// signIn makes one attempt and counts the hashes that it took.
func (d *door) signIn(t *testing.T, email, password string) (school.User, int64, error) {
	t.Helper()
	before := d.hashes.Load()
	user, err := d.SignIn(t.Context(), auth.Attempt{Email: email, Password: password, Address: home})
	return user, d.hashes.Load() - before, err
}

func TestPasswords_refusalsAreAllAlike(t *testing.T) {
	for _, tt := range []struct{ name, email, password string }{
		{"a wrong password", ada, "seven lamps over the bay"},
		{"an empty password", ada, ""},
		{"an unknown address", "nobody@lectern.example", goodPassword},
		{"an address that is none", "ada at lectern", goodPassword},
		{"an empty address", "", goodPassword},
		{"a very long address", strings.Repeat("a", 1<<16) + "@lectern.example", goodPassword},
		{"an address with a null byte", "ada\x00@lectern.example", goodPassword},
		{"a closed account with its password", "closed@lectern.example", goodPassword},
		{"a closed account with another password", "closed@lectern.example", "seven lamps over the bay"},
		{"an account without a password", "bare@lectern.example", ""},
		{"an account without a password, tried with one", "bare@lectern.example", goodPassword},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDoor(t)
			user, hashes, err := d.signIn(t, tt.email, tt.password)
			if err != auth.ErrRefused || user != (school.User{}) {
				t.Errorf("got %v, %v; want nobody, %v", user, err, auth.ErrRefused)
			}
			if hashes != 1 {
				t.Errorf("took %d hashes, want 1", hashes)
			}
		})
	}
}

func TestPasswords_theRightPassword(t *testing.T) {
	d := newDoor(t)
	for _, email := range []string{ada, "  Ada@Lectern.Example "} {
		user, hashes, err := d.signIn(t, email, goodPassword)
		if err != nil || user.Email != ada || hashes != 1 {
			t.Errorf("%q: got %v, %v after %d hashes; want Ada after 1", email, user, err, hashes)
		}
	}
}

func TestPasswords_composedOrNotTheSamePersonEnters(t *testing.T) {
	d := newDoor(t)
	c := d.accounts.rows[ada]
	c.PasswordHash = mustHash(t, newCheapHasher(), "l'été dernier à Nîmes")
	d.accounts.rows[ada] = c
	if _, _, err := d.signIn(t, ada, "l'e\u0301te\u0301 dernier a\u0300 Ni\u0302mes"); err != nil {
		t.Error(err)
	}
}

func TestPasswords_tooManyTriesCostNoHash(t *testing.T) {
	for _, email := range []string{ada, "nobody@lectern.example"} {
		d := newDoor(t)
		for range 5 {
			if _, _, err := d.signIn(t, email, "seven lamps over the bay"); err != auth.ErrRefused {
				t.Fatal(err)
			}
		}
		_, hashes, err := d.signIn(t, email, goodPassword)
		if waitOf(t, err) != time.Second || hashes != 0 {
			t.Errorf("%s: got %v after %d hashes, want a wait of 1s after none", email, err, hashes)
		}
	}
}

func TestPasswords_theOwnerEntersWhenTheWaitIsOver(t *testing.T) {
	d := newDoor(t)
	for range 5 {
		d.signIn(t, ada, "seven lamps over the bay")
	}
	d.clock.pass(time.Second)
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Error(err)
	}
}

func TestPasswords_aFloodFromElsewhereDoesNotStopTheOwner(t *testing.T) {
	d := newDoor(t)
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := d.SignIn(t.Context(), auth.Attempt{Email: ada, Password: "guess number " + fmt.Sprint(i), Address: stranger(1)})
			if err == nil {
				t.Error("a guess was let in")
			}
		})
	}
	wg.Wait()
	if n := d.hashes.Load(); n != 6 {
		t.Errorf("%d hashes, want the owner's and five guesses'", n)
	}
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Errorf("the owner at home: %v", err)
	}
}

func TestPasswords_aFloodDoesNotStopTheOwnerOnTheMove(t *testing.T) {
	d := newDoor(t)
	for i := range 100 {
		wait(t, d.throttle, ada, stranger(i%20))
	}
	for range 2 {
		if _, _, err := d.signIn(t, ada, "seven lamps over the bay"); err != auth.ErrRefused {
			t.Fatalf("a slip: got %v, want %v", err, auth.ErrRefused)
		}
	}
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Errorf("the third try: %v", err)
	}
}

func TestPasswords_whoIsWelcomeIsKnownThere(t *testing.T) {
	d := newDoor(t)
	for i := range 100 {
		wait(t, d.throttle, ada, stranger(i%20))
	}
	// Before the account was opened, its owner tried whether it was there.
	if n := atOnce(t, d.throttle, ada, home); n != 3 {
		t.Fatalf("%d tries were let through, want 3", n)
	}
	d.Welcome(t.Context(), ada, home)
	for range 4 {
		if _, _, err := d.signIn(t, ada, "seven lamps over the bay"); err != auth.ErrRefused {
			t.Fatalf("a slip: got %v, want %v", err, auth.ErrRefused)
		}
	}
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Errorf("the fifth try: %v", err)
	}
	if d := wait(t, d.throttle, ada, stranger(1)); d == 0 {
		t.Error("the welcome let the strangers go on")
	}
}

func TestPasswords_theDatabaseAwayIsNobodysFault(t *testing.T) {
	d := newDoor(t)
	d.accounts.away = true
	for range 50 {
		if _, hashes, err := d.signIn(t, ada, goodPassword); !errors.Is(err, errAway) || hashes != 0 {
			t.Fatalf("got %v after %d hashes, want %v after none", err, hashes, errAway)
		}
	}
	d.accounts.away = false
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestPasswords_aRequestThatIsOver(t *testing.T) {
	d := newDoor(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.SignIn(ctx, auth.Attempt{Email: ada, Password: goodPassword, Address: home}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestPasswords_aDamagedRowIsAnErrorAndNotRun(t *testing.T) {
	d := newDoor(t)
	_, hashes, err := d.signIn(t, "damaged@lectern.example", goodPassword)
	if err == nil || errors.Is(err, auth.ErrRefused) || hashes != 0 {
		t.Errorf("got %v after %d hashes, want an error of its own after none", err, hashes)
	}
	if strings.Contains(err.Error(), "argon2id") {
		t.Errorf("the error shows the hash: %v", err)
	}
}

// oldHash is one made when the parameters were lower.
func oldHash() string {
	salt := []byte("sixteen bytes...")
	key := argon2.IDKey([]byte(goodPassword), salt, 1, 8192, 1, 32)
	b64 := base64.RawStdEncoding
	return "$argon2id$v=19$m=8192,t=1,p=1$" + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key)
}

func TestPasswords_anOldHashIsMadeAnew(t *testing.T) {
	d := newDoor(t)
	c := d.accounts.rows[ada]
	c.PasswordHash = oldHash()
	d.accounts.rows[ada] = c

	if _, _, err := d.signIn(t, ada, "seven lamps over the bay"); err != auth.ErrRefused {
		t.Fatal(err)
	}
	if d.accounts.rows[ada].PasswordHash != c.PasswordHash {
		t.Fatal("a wrong password changed the hash")
	}
	d.accounts.locked = true
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Errorf("when it cannot be written: %v", err)
	}
	if s := d.log.String(); !strings.Contains(s, "rehash") || strings.Contains(s, goodPassword) || strings.Contains(s, "argon2id") {
		t.Errorf("the log says %q", s)
	}
	d.accounts.locked = false
	if _, _, err := d.signIn(t, ada, goodPassword); err != nil {
		t.Fatal(err)
	}
	if got := d.accounts.rows[ada].PasswordHash; !strings.HasPrefix(got, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("stored: %s", got)
	}
	if _, hashes, err := d.signIn(t, ada, goodPassword); err != nil || hashes != 1 {
		t.Errorf("afterwards: %v after %d hashes, want one hash", err, hashes)
	}
}

func TestPasswords_aHundredPeopleAtOnce(t *testing.T) {
	d := newDoor(t)
	c := d.accounts.rows[ada]
	var wg sync.WaitGroup
	for i := range 100 {
		email := school.Email(fmt.Sprintf("u%d@lectern.example", i))
		own := c
		own.User.Email = email
		d.accounts.rows[email] = own
	}
	for i := range 100 {
		wg.Go(func() {
			want := school.Email(fmt.Sprintf("u%d@lectern.example", i))
			password := goodPassword
			if i%2 == 1 {
				password = "seven lamps over the bay"
			}
			user, err := d.SignIn(t.Context(), auth.Attempt{
				Email: string(want), Password: password,
				Address: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}),
			})
			switch {
			case errors.Is(err, auth.ErrBusy):
			case i%2 == 1 && err != auth.ErrRefused:
				t.Errorf("person %d with a wrong password: %v", i, err)
			case i%2 == 0 && (err != nil || user.Email != want):
				t.Errorf("person %d: got %s, %v", i, user.Email, err)
			}
		})
	}
	wg.Wait()
}
