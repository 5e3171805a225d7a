package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	randv2 "math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/auth"
)

// stream is randomness that a test can have twice.
func stream(number byte) io.Reader { return randv2.NewChaCha8([32]byte{number}) }

// noFlows keep nothing.
type noFlows struct{ auth.FlowStore }

func (noFlows) CreateFlow(context.Context, school.StoredFlow) error { return nil }

// drawn is everything here that nobody must be able to guess, by what draws it.
func drawn(t *testing.T) map[string]func(io.Reader) (string, error) {
	t.Helper()
	ada, idp := school.ID(strings.Repeat("a", 26)), newIDP(t)
	key := make([]byte, auth.SealKeyBytes)
	return map[string]func(io.Reader) (string, error){
		"a code that is sent": func(random io.Reader) (string, error) {
			_, code, err := auth.NewFlows(noFlows{}, skip(random, 20), time.Now).BeginWithCode(t.Context(), "browser", auth.Flow{})
			return string(code), err
		},
		"a flow": func(random io.Reader) (string, error) {
			id, err := auth.NewFlows(noFlows{}, random, time.Now).NewID()
			return string(id), err
		},
		"a browser": func(random io.Reader) (string, error) {
			secret, err := auth.NewFlows(noFlows{}, random, time.Now).NewBrowser()
			return string(secret), err
		},
		"the secret of an app": func(random io.Reader) (string, error) {
			seal, err := auth.NewSeal(key, rand.Reader)
			if err != nil {
				return "", err
			}
			apps := auth.NewApps(nil, seal, "Lectern", random, time.Now)
			sealed, err := apps.Draw(ada)
			if err != nil {
				return "", err
			}
			app, err := apps.Show(ada, "ada@school.example", sealed)
			return app.Secret, err
		},
		"recovery codes": func(random io.Reader) (string, error) {
			codes, _, err := auth.NewRecovery(nil, newCheapHasher(), random, time.Now).Draw(t.Context())
			return strings.Join(codes, " "), err
		},
		"an invitation": func(random io.Reader) (string, error) {
			token, err := auth.DrawInvitation(random)
			return string(token), err
		},
		"a challenge to a passkey": func(random io.Reader) (string, error) {
			options, _, err := auth.NewPasskeys(address(t, here.Origin), here.Name, nil, random, time.Now).BeginSignIn()
			return string(options), err
		},
		"what is sent to another site": func(random io.Reader) (string, error) {
			address, pending, err := idp.client(t).Begin(t.Context(), flow, auth.Ask{}, random)
			return address + pending.Nonce + pending.Verifier, err
		},
		"the nonce of a seal": func(random io.Reader) (string, error) {
			seal, err := auth.NewSeal(key, random)
			if err != nil {
				return "", err
			}
			return seal.Close([]byte("a secret"), "a purpose")
		},
		"the key of a seal": func(random io.Reader) (string, error) {
			key, err := auth.LoadSealKey(filepath.Join(t.TempDir(), "seal.key"), random)
			return base64.StdEncoding.EncodeToString(key), err
		},
	}
}

// skip is a reader that has n bytes of its own before those of the other.
func skip(random io.Reader, n int) io.Reader {
	return io.MultiReader(bytes.NewReader(make([]byte, n)), random)
}

// TestDrawn_comesFromWhatWasPassedIn and from nothing else: the same randomness gives the
// same, another gives another, and where it ends nothing is made.
func TestDrawn_comesFromWhatWasPassedIn(t *testing.T) {
	t.Attr("asvs", "6.5.3")
	for what, draw := range drawn(t) {
		t.Run(what, func(t *testing.T) {
			for _, ends := range []int{0, 3} {
				if got, err := draw(io.LimitReader(stream(1), int64(ends))); err == nil {
					t.Errorf("%q is made of %d bytes", got, ends)
				}
			}
			first, err := draw(stream(1))
			must(t, err)
			again, err := draw(stream(1))
			must(t, err)
			other, err := draw(stream(2))
			must(t, err)
			if first == "" || again != first || other == first {
				t.Errorf("the same randomness gives %q and %q, another %q", first, again, other)
			}
		})
	}
}

// uneven is how far counts are from being equal: Pearson's χ².
func uneven(counts map[rune]int, kinds int) (x float64) {
	all := 0
	for _, n := range counts {
		all += n
	}
	mean := float64(all) / float64(kinds)
	for _, n := range counts {
		x += (float64(n) - mean) * (float64(n) - mean) / mean
	}
	return x + mean*float64(kinds-len(counts))
}

// TestDrawn_everyCodeIsAsLikely: over ten thousand codes each digit comes as often as any
// other in each place, and so does each sign of a recovery code. A number past the last
// whole hundred million, by which the low ones would come more often, is drawn anew.
func TestDrawn_everyCodeIsAsLikely(t *testing.T) {
	t.Attr("asvs", "6.5.3 6.5.4")
	// One in a thousand good generators is past these bounds, and this one stands still.
	const ninePlaces, thirtyOnePlaces = 27.88, 61.1
	begin := func(random io.Reader) string {
		_, code, err := auth.NewFlows(noFlows{}, random, time.Now).BeginWithCode(t.Context(), "browser", auth.Flow{})
		must(t, err)
		return string(code)
	}
	places, random := [8]map[rune]int{}, stream(7)
	for i := range places {
		places[i] = map[rune]int{}
	}
	for range 10_000 {
		code := begin(random)
		if len(code) != len(places) {
			t.Fatalf("a code is %q", code)
		}
		for i, digit := range code {
			places[i][digit]++
		}
	}
	for i, counts := range places {
		if x := uneven(counts, 10); x > ninePlaces {
			t.Errorf("in place %d the digits are uneven, χ² = %.1f: %v", i, x, counts)
		}
	}
	past := []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFA, 0x56, 0xEA, 0x00, 0x00, 0x00, 0x00, 0x2A}
	if got := begin(skip(bytes.NewReader(past), 20)); got != "00000042" {
		t.Errorf("after two numbers that are too high comes %s", got)
	}

	signs, recovery := map[rune]int{}, auth.NewRecovery(nil, newCheapHasher(), stream(7), time.Now)
	for range 100 {
		codes, _, err := recovery.Draw(t.Context())
		must(t, err)
		for _, sign := range strings.ReplaceAll(strings.Join(codes, ""), "-", "") {
			signs[sign]++
		}
	}
	if x := uneven(signs, 32); x > thirtyOnePlaces || len(signs) != 32 {
		t.Errorf("the signs of recovery codes are uneven, χ² = %.1f: %v", x, signs)
	}
}

// TestRecovery_theSameCodeIsKeptInTwoWays: two people with one code, by whatever chance,
// have rows that do not say so.
func TestRecovery_theSameCodeIsKeptInTwoWays(t *testing.T) {
	t.Attr("asvs", "6.5.2")
	hasher := newCheapHasher()
	codes, hers, err := auth.NewRecovery(nil, hasher, stream(3), time.Now).Draw(t.Context())
	must(t, err)
	same, his, err := auth.NewRecovery(nil, hasher, stream(3), time.Now).Draw(t.Context())
	must(t, err)
	for i, code := range codes {
		if same[i] != code || hers[i].Finder != his[i].Finder || hers[i].Hash == his[i].Hash {
			t.Errorf("%s is kept as %q and %q", code, hers[i].Hash, his[i].Hash)
		}
		bare := strings.ReplaceAll(code, "-", "")
		if hers[i].Finder != bare[:4] || strings.Contains(hers[i].Hash, bare[4:]) {
			t.Errorf("%s is kept as %+v", code, hers[i])
		}
		_, phc, _ := strings.Cut(hers[i].Hash, "p=")
		salt, err := base64.RawStdEncoding.DecodeString(strings.Split(phc, "$")[1])
		if err != nil || len(salt) < 4 {
			t.Errorf("its salt has %d bytes, %v", len(salt), err)
		}
	}
}
