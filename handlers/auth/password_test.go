package auth_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"

	"lectern/handlers/auth"
)

const goodPassword = "seven lamps over the quay"

func newHasher() *auth.Hasher { return auth.NewHasher(rand.Reader, runtime.NumCPU()) }

func newCheapHasher() *auth.Hasher { return newHasher().MakeCheap() }

func mustHash(t *testing.T, h *auth.Hasher, password string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestHasher_verifiesExactlyWhatWasTyped(t *testing.T) {
	t.Attr("asvs", "6.2.8")
	h := newCheapHasher()
	long := strings.Repeat("a", 72)
	for _, tt := range []struct {
		name, password, typed string
		want                  bool
	}{
		{"another password", goodPassword, "seven lamps over the bay", false},
		{"one letter in capitals", goodPassword, "Seven lamps over the quay", false},
		{"a space at the end", goodPassword, goodPassword + " ", false},
		{"a space at the beginning", goodPassword, " " + goodPassword, false},
		{"a space at the end that belongs there", goodPassword + " ", goodPassword, false},
		{"a double space", goodPassword, "seven  lamps over the quay", false},
		{"nothing", goodPassword, "", false},
		{"another byte 73, where bcrypt stops reading", long + "x", long + "y", false},
		{"another last of 1,024 characters", strings.Repeat("a", 1023) + "x", strings.Repeat("a", 1023) + "y", false},
		{"a null byte and more", goodPassword, goodPassword + "\x00", false},
		{"a superscript two for a two", "room 2 is never locked", "room ² is never locked", false},
		{"more than could ever be hashed", goodPassword, strings.Repeat("a", 1<<20), false},
		{"itself", goodPassword, goodPassword, true},
		{"itself with spaces at both ends", " " + goodPassword + " ", " " + goodPassword + " ", true},
		{"128 characters", strings.Repeat("lantern ", 16), strings.Repeat("lantern ", 16), true},
		{"1,024 characters", strings.Repeat("é", 1024), strings.Repeat("é", 1024), true},
		{"an accent typed on another keyboard", "l'été dernier à Nîmes", "l'e\u0301te\u0301 dernier a\u0300 Ni\u0302mes", true},
		{"an accent stored from the other keyboard", "l'e\u0301te\u0301 dernier a\u0300 Ni\u0302mes", "l'été dernier à Nîmes", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, rehash, err := h.Verify(t.Context(), mustHash(t, h, tt.password), tt.typed)
			if err != nil || rehash {
				t.Fatalf("rehash %v, err %v", rehash, err)
			}
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHasher_theStoredForm(t *testing.T) {
	t.Attr("asvs", "11.4.1 11.4.2")
	h := newHasher()
	one, two := mustHash(t, h, goodPassword), mustHash(t, h, goodPassword)
	if one == two {
		t.Error("two hashes of one password are equal: the salt is not random")
	}
	parts := strings.Split(one, "$")
	if len(parts) != 6 || strings.Join(parts[:4], "$") != "$argon2id$v=19$m=19456,t=2,p=1" || len(parts[4]) != 22 || len(parts[5]) != 43 {
		t.Errorf("got %s", one)
	}
}

func TestHasher_anOldHashIsToBeMadeAnew(t *testing.T) {
	b64 := base64.RawStdEncoding
	salt := []byte("sixteen bytes...")
	key := argon2.IDKey([]byte(goodPassword), salt, 1, 8192, 1, 32)
	old := "$argon2id$v=19$m=8192,t=1,p=1$" + b64.EncodeToString(salt) + "$" + b64.EncodeToString(key)
	h := newHasher()
	if ok, rehash, err := h.Verify(t.Context(), old, "something else"); ok || rehash || err != nil {
		t.Errorf("wrong password: got %v %v %v, want false false nil", ok, rehash, err)
	}
	if ok, rehash, err := h.Verify(t.Context(), old, goodPassword); !ok || !rehash || err != nil {
		t.Errorf("right password: got %v %v %v, want true true nil", ok, rehash, err)
	}
}

func TestHasher_neverRunsADamagedHash(t *testing.T) {
	const salt, key = "c2l4dGVlbiBieXRlcy4uLg", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	h := newHasher()
	h.OnHash(func() { t.Error("it was run") })
	for name, stored := range map[string]string{
		"empty":                  "",
		"a password":             goodPassword,
		"four gigabytes":         "$argon2id$v=19$m=4194304,t=2,p=1$" + salt + "$" + key,
		"a number too large":     "$argon2id$v=19$m=99999999999999999999,t=2,p=1$" + salt + "$" + key,
		"a thousand passes":      "$argon2id$v=19$m=19456,t=1000,p=1$" + salt + "$" + key,
		"no passes":              "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key,
		"no lanes":               "$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + key,
		"too many lanes":         "$argon2id$v=19$m=19456,t=2,p=255$" + salt + "$" + key,
		"lanes that wrap around": "$argon2id$v=19$m=19456,t=2,p=257$" + salt + "$" + key,
		"memory below the least": "$argon2id$v=19$m=7,t=2,p=1$" + salt + "$" + key,
		"another algorithm":      "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key,
		"bcrypt":                 "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"another version":        "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key,
		"no version":             "$argon2id$m=19456,t=2,p=1$" + salt + "$" + key,
		"another order":          "$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + key,
		"a parameter more":       "$argon2id$v=19$m=19456,t=2,p=1,x=1$" + salt + "$" + key,
		"leading zeros":          "$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + key,
		"a plus":                 "$argon2id$v=19$m=+19456,t=2,p=1$" + salt + "$" + key,
		"an empty salt":          "$argon2id$v=19$m=19456,t=2,p=1$$" + key,
		"an empty key":           "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$",
		"a short key":            "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$AAAA",
		"padding":                "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "==$" + key + "=",
		"a line break":           "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "\n$" + key,
		"a space":                " $argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key,
		"bits left over":         "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key[:42] + "B",
		"very long":              "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 1000),
	} {
		if ok, _, err := h.Verify(t.Context(), stored, goodPassword); ok || err == nil {
			t.Errorf("%s: got ok %v, err %v; want an error", name, ok, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcy4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c2l4dGVlbiBieXRlcy4uLg$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, s string) {
		if again, err := auth.ParsePHC(s); err == nil && again != s {
			t.Errorf("%q was read as %q", s, again)
		}
	})
}

func TestHasher_runsNoMoreThanItWasTold(t *testing.T) {
	const atOnce, people = 2, 100
	h := auth.NewHasher(rand.Reader, atOnce).MakeCheap()
	stored := mustHash(t, h, goodPassword)
	var running, most atomic.Int64
	h.OnHash(func() {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		runtime.Gosched()
	})
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			password, want := goodPassword, true
			if i%2 == 1 {
				password, want = "another one altogether", false
			}
			got, _, err := h.Verify(t.Context(), stored, password)
			if err != nil && !errors.Is(err, auth.ErrBusy) {
				t.Error(err)
			}
			if err == nil && got != want {
				t.Errorf("person %d: got %v, want %v", i, got, want)
			}
		})
	}
	wg.Wait()
	if most.Load() > atOnce {
		t.Errorf("%d hashes ran at once, want at most %d", most.Load(), atOnce)
	}
}

// hold keeps all of a Hasher's places taken until the function that it
// returns is called.
func hold(h *auth.Hasher, places int) (release func()) {
	gate := make(chan struct{})
	var held sync.WaitGroup
	var done sync.WaitGroup
	held.Add(places)
	h.OnHash(func() { held.Done(); <-gate })
	for range places {
		done.Go(func() { _, _ = h.Hash(context.Background(), goodPassword) })
	}
	held.Wait()
	h.OnHash(func() {})
	return func() { close(gate); done.Wait() }
}

func TestHasher_theLineHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := auth.NewHasher(rand.Reader, 1).MakeCheap()
		release := hold(h, 1)
		defer release()

		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { _, err := h.Hash(ctx, goodPassword); left <- err }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("whoever leaves the line gets %v, want %v", err, context.Canceled)
		}

		start := time.Now()
		var busy atomic.Int64
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				if _, err := h.Hash(t.Context(), goodPassword); errors.Is(err, auth.ErrBusy) {
					busy.Add(1)
				}
			})
		}
		synctest.Wait()
		if busy.Load() != 0 {
			t.Errorf("%d of 64 were sent away, want none yet", busy.Load())
		}
		if _, err := h.Hash(t.Context(), goodPassword); !errors.Is(err, auth.ErrBusy) || time.Since(start) != 0 {
			t.Errorf("the 65th in the line: got %v after %s, want %v at once", err, time.Since(start), auth.ErrBusy)
		}
		wg.Wait()
		if busy.Load() != 64 || time.Since(start) != 5*time.Second {
			t.Errorf("%d of 64 gave up after %s, want all after 5s", busy.Load(), time.Since(start))
		}
	})
}

func TestHasher_aRequestThatIsOverIsNotHashedFor(t *testing.T) {
	h := newHasher()
	h.OnHash(func() { t.Error("it was run") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, goodPassword); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestHasher_withoutRandomnessThereIsNoHash(t *testing.T) {
	if hash, err := auth.NewHasher(strings.NewReader("short"), 1).Hash(t.Context(), goodPassword); err == nil {
		t.Errorf("got %q, want an error", hash)
	}
}

func BenchmarkHash(b *testing.B) {
	h := newHasher()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), goodPassword); err != nil {
			b.Fatal(err)
		}
	}
}
