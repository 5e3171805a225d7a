package auth_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"lectern/handlers/auth"
)

// hub is GitHub, as far as it is used here.
type hub struct {
	*httptest.Server
	challenge string
	user      string
	emails    string
	status    int
	used      bool
}

func newHub(t *testing.T) *hub {
	h := &hub{
		user:   `{"id": 583231, "login": "octo", "name": "Octavia Lind"}`,
		emails: `[{"email":"old@octo.example","primary":false,"verified":true},{"email":"octavia@octo.example","primary":true,"verified":true},{"email":"users.noreply@octo.example","primary":false,"verified":true}]`,
		status: http.StatusOK,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth/access_token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if h.used || r.PostFormValue("client_secret") != clientSecret || base64.RawURLEncoding.EncodeToString(sum[:]) != h.challenge {
			answerJSON(w, http.StatusOK, map[string]string{"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}) // with 200, as GitHub does
			return
		}
		h.used = true
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = w.Write([]byte("access_token=gho_the-access-token-of-octavia&scope=user%3Aemail&token_type=bearer"))
	})
	api := func(body *string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer gho_the-access-token-of-octavia" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.WriteHeader(h.status)
			_, _ = w.Write([]byte(*body))
		}
	}
	mux.HandleFunc("GET /user", api(&h.user))
	mux.HandleFunc("GET /user/emails", api(&h.emails))
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func (h *hub) client(t *testing.T) *auth.Provider {
	t.Helper()
	c := us(t, time.Now)
	c.Slug, c.Name = "github", "GitHub"
	return auth.NewGitHub(auth.GitHubSites{Site: h.URL, API: h.URL}, c)
}

func (h *hub) signIn(t *testing.T, change func(url.Values)) (auth.Claim, error) {
	t.Helper()
	client := h.client(t)
	address, pending := begin(t, client, auth.Ask{})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	h.challenge = u.Query().Get("code_challenge")
	query := url.Values{"code": {"a-code-of-github"}, "state": {u.Query().Get("state")}}
	if change != nil {
		change(query)
	}
	return client.Finish(t.Context(), pending, query)
}

func TestGitHub_refuses(t *testing.T) {
	for _, row := range []struct {
		says   string
		do     func(*hub)
		change func(url.Values)
		want   any
	}{
		{"another state", nil, func(q url.Values) { q.Set("state", "x") }, auth.ErrForeignAnswer},
		{"another provider's answer", nil, func(q url.Values) { q.Set("iss", "https://other.example") }, auth.ErrForeignAnswer},
		{"a code that was used", func(h *hub) { h.used = true }, nil, new(*auth.Refusal)},
		{"a person who says no", nil, func(q url.Values) { q.Set("error", "access_denied") }, new(*auth.Refusal)},
		{"nobody's number", func(h *hub) { h.user = `{"login": "octo"}` }, nil, new(*auth.Untrusted)},
		{"nonsense", func(h *hub) { h.emails = `<html>` }, nil, new(*auth.Untrusted)},
		{"an API that is away", func(h *hub) { h.status = http.StatusBadGateway }, nil, new(*auth.Away)},
		{"an API that says no", func(h *hub) { h.status = http.StatusForbidden }, nil, new(*auth.Untrusted)},
	} {
		t.Run(row.says, func(t *testing.T) {
			h := newHub(t)
			if row.do != nil {
				row.do(h)
			}
			claim, err := h.signIn(t, row.change)
			ok := false
			if sentinel, is := row.want.(error); is {
				ok = errors.Is(err, sentinel)
			} else {
				ok = errors.As(err, row.want)
			}
			if !ok || claim != (auth.Claim{}) {
				t.Errorf("got %+v, %v", claim, err)
			}
		})
	}
}

// TestGitHub_saysWhoItIs takes the number for who it is, and the address that the
// person uses now (ASVS 10.5.2).
func TestGitHub_saysWhoItIs(t *testing.T) {
	for _, row := range []struct {
		do   func(*hub)
		want auth.Claim
	}{
		{func(*hub) {}, auth.Claim{Issuer: "https://github.com", Subject: "583231", Name: "Octavia Lind", Email: "octavia@octo.example", EmailVerified: true}},
		{func(h *hub) { h.user = `{"id": 7, "login": "octo", "name": null}`; h.emails = `[]` }, auth.Claim{Issuer: "https://github.com", Subject: "7", Name: "octo"}},
		{func(h *hub) { h.emails = `[{"email":"new@octo.example","primary":true,"verified":false}]` }, auth.Claim{Issuer: "https://github.com", Subject: "583231", Name: "Octavia Lind", Email: "new@octo.example"}},
	} {
		h := newHub(t)
		row.do(h)
		if claim, err := h.signIn(t, func(q url.Values) { q.Set("iss", "https://github.com/login/oauth") }); err != nil || claim != row.want {
			t.Errorf("got %+v, %v; want %+v", claim, err, row.want)
		}
	}
}

func TestGitHub_asksForTheAddressAlone(t *testing.T) {
	h := newHub(t)
	ctx, recording := auth.Record(t.Context())
	client := h.client(t)
	address, pending, err := client.Begin(ctx, flow, auth.Ask{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("scope") != "user:email" || u.Query().Get("code_challenge_method") != "S256" || u.Query().Has("nonce") {
		t.Errorf("sent to %s, %v", address, err)
	}
	if _, _, err := client.Begin(ctx, flow, auth.Ask{Within: time.Minute}, rand.Reader); !errors.Is(err, auth.ErrNotTold) || client.Tells() {
		t.Errorf("it is said to tell when it asked: %v", err)
	}
	h.challenge = u.Query().Get("code_challenge")
	if _, err := client.Finish(ctx, pending, url.Values{"code": {"a-code-of-github"}, "state": {flow}}); err != nil {
		t.Fatal(err)
	}
	steps, err := json.Marshal(recording.Steps())
	if err != nil || strings.Contains(string(steps), "gho_the-access-token") || strings.Contains(string(steps), clientSecret) {
		t.Errorf("the recording has %s, %v", steps, err)
	}
	var names []string
	for _, s := range recording.Steps() {
		names = append(names, s.Name)
	}
	if got, want := strings.Join(names, " "), "authorize callback token user emails result"; got != want {
		t.Errorf("the steps are %s, want %s", got, want)
	}
}
