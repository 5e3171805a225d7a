package handlers_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lectern/handlers/auth"
	"lectern/handlers/session"
	"lectern/handlers/token"
)

// enough is how many random bits nobody guesses.
const enough = 128

// rawOf is what base64url says.
func rawOf(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return raw
}

// random fails unless no value comes twice, each is as long as the others, and at least
// as many bits as are enough are about as often one as nought: in a fair one, no count is
// eight standard deviations off. Counters, times and padding are not.
func random(t testing.TB, what string, values [][]byte) {
	t.Helper()
	seen, ones := map[string]bool{}, make([]int, 8*len(values[0]))
	for _, value := range values {
		if seen[string(value)] || len(value) != len(values[0]) {
			t.Fatalf("%s: %x came before, or is shorter than others", what, value)
		}
		seen[string(value)] = true
		for bit := range ones {
			ones[bit] += int(value[bit/8] >> (bit % 8) & 1)
		}
	}
	fair, n := 0, float64(len(values))
	for _, count := range ones {
		if off := math.Abs(float64(count) - n/2); off < min(4*math.Sqrt(n), n/2) {
			fair++
		}
	}
	if fair < enough {
		t.Errorf("%s: %d bits of %d are drawn, want %d", what, fair, len(ones), enough)
	}
}

// TestSession_numberIsLongRandomAndUsedOnce draws ten thousand of each kind that keeps a
// record.
func TestSession_numberIsLongRandomAndUsedOnce(t *testing.T) {
	t.Attr("asvs", "7.2.3")
	for _, backend := range tried() {
		if backend == session.JWT {
			continue // it has none
		}
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, backend)
			cookies := cookiesOf(backend)
			name := cookies[len(cookies)-1]
			var numbers, secrets [][]byte
			for range 10_000 {
				w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
				r, _, err := s.sessions.Load(w, r)
				must(t, err)
				must(t, s.sessions.Start(w, r, session.Identity{UserID: fixedID("ada"), Role: "student", Methods: []string{"pwd"}, AuthAt: s.clock.Now()}, session.StartOptions{}))
				for _, c := range w.Result().Cookies() {
					if c.Name == name {
						number, secret, _ := strings.Cut(c.Value, ".")
						numbers = append(numbers, rawOf(t, number))
						if secret != "" {
							secrets = append(secrets, rawOf(t, secret))
						}
					}
				}
			}
			if len(numbers) != 10_000 || backend == session.Hybrid && len(secrets) != 10_000 {
				t.Fatalf("there are %d numbers and %d secrets", len(numbers), len(secrets))
			}
			random(t, "a session's number", numbers)
			if len(secrets) > 0 {
				random(t, "a ticket's secret", secrets)
			}
		})
	}
}

// TestSecrets_haveEnoughRandomBits collects, from outside, what the site draws that
// somebody could otherwise guess.
func TestSecrets_haveEnoughRandomBits(t *testing.T) {
	t.Attr("asvs", "11.5.1")
	const n = 64
	collect := func(t *testing.T, s *site, draw func(i int) map[string]string) {
		t.Helper()
		all := map[string][][]byte{}
		for i := range n {
			s.clock.move(2 * time.Second) // nobody is to be told to wait
			for what, text := range draw(i) {
				all[what] = append(all[what], rawOf(t, text))
			}
		}
		for what, values := range all {
			random(t, what, values)
		}
	}
	t.Run("to another site", func(t *testing.T) {
		t.Parallel()
		s := withCampus(t, session.Database)
		collect(t, s, func(int) map[string]string {
			b := s.browser()
			to, err := url.Parse(b.sent("/signin/with/campus-id"))
			must(t, err)
			q := to.Query()
			return map[string]string{"state": q.Get("state"), "nonce": q.Get("nonce"), "code_challenge": q.Get("code_challenge"), "the cookie of a flow": b.cookie("lectern-flow")}
		})
	})
	t.Run("to a passkey", func(t *testing.T) {
		t.Parallel()
		s := startSite(t, session.Database, true, setting{base: named})
		collect(t, s, func(int) map[string]string {
			options, flow := s.browser().asked("/signin/passkey/options")
			var q struct{ Challenge string }
			must(t, json.Unmarshal([]byte(options), &q))
			return map[string]string{"challenge": q.Challenge, "flow": flow}
		})
	})
	t.Run("by letter", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, session.Memory)
		collect(t, s, func(i int) map[string]string {
			email := fmt.Sprintf("new%d@school.example", i)
			s.enter(alan).invite(email, "student").want(t, http.StatusSeeOther)
			return map[string]string{"invitation": strings.TrimPrefix(s.invited(email), "/invitation/")}
		})
	})
	t.Run("for programs", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, session.JWT)
		claim := func(jwt string) string {
			var claims struct{ JTI string }
			must(t, json.Unmarshal(rawOf(t, strings.Split(jwt, ".")[1]), &claims))
			return claims.JTI
		}
		collect(t, s, func(int) map[string]string {
			var answer struct {
				Token string `json:"access_token"`
			}
			got := s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), "Content-Type", jsonType).want(t, http.StatusOK)
			must(t, json.Unmarshal([]byte(got.body), &answer))
			return map[string]string{"the id of an access token": claim(answer.Token), "the id of a session's token": claim(s.enter(ada).cookie(cookieOf(session.JWT)))}
		})
	})
	t.Run("keys", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		collect(t, newSite(t, session.Memory), func(i int) map[string]string {
			key, err := token.NewKey(rand.Reader)
			must(t, err)
			_, secret, _ := strings.Cut(key, ":")
			sealed, err := auth.LoadSealKey(filepath.Join(dir, fmt.Sprint(i)), rand.Reader)
			must(t, err)
			return map[string]string{"the key of tokens": secret, "the key of a seal": base64.RawURLEncoding.EncodeToString(sealed)}
		})
	})
}
