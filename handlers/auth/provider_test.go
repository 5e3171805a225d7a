package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"lectern/handlers/auth"
)

const (
	clientID     = "lectern-test"
	clientSecret = "the-secret-of-the-client-at-the-provider"
	flow         = "a-flow-that-nobody-can-guess-0123456789"
)

// idp is an OpenID provider that can be told to do wrong.
type idp struct {
	*httptest.Server
	keys *oidctest.Server
	key  *ecdsa.PrivateKey

	mu       sync.Mutex
	now      time.Time
	describe func(map[string]any)       // changes its description of itself
	claims   func(map[string]any)       // changes what it says of a person
	sign     func(claims string) string // signs that
	answer   func(map[string]any)       // changes the answer to a code
	broken   map[string]http.HandlerFunc
	codes    map[string]url.Values // with what a code was asked for
	tokens   []string              // all that were given out
	asked    map[string]int
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	key := newKey(t)
	p := &idp{
		keys: &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "key-1", Algorithm: oidc.ES256}}},
		key:  key, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC),
		broken: map[string]http.HandlerFunc{}, codes: map[string]url.Values{}, asked: map[string]int{},
	}
	p.sign = func(claims string) string { return oidctest.SignIDToken(key, "key-1", oidc.ES256, claims) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.serveDescription)
	mux.HandleFunc("POST /token", p.serveToken)
	mux.HandleFunc("GET /user", p.serveUser)
	mux.Handle("GET /keys", p.keys)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked[r.URL.Path]++
		broken := p.broken[r.URL.Path]
		p.mu.Unlock()
		if broken != nil {
			broken(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *idp) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *idp) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

// breaks has the provider answer one of its paths by handler, or rightly again if
// that is nil.
func (p *idp) breaks(path string, handler http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken[path] = handler
}

func (p *idp) timesAsked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (p *idp) serveDescription(w http.ResponseWriter, _ *http.Request) {
	description := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}, "code_challenge_methods_supported": []string{"S256"},
	}
	if p.describe != nil {
		p.describe(description)
	}
	answerJSON(w, http.StatusOK, description)
}

// approve is the person who says yes: what the browser brings back that was sent to
// address.
func (p *idp) approve(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, p.URL+"/authorize?") {
		t.Fatalf("sent to %q, %v", address, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := fmt.Sprintf("code-%d-that-works-once-0123456789", len(p.codes)+1)
	p.codes[code] = u.Query()
	return url.Values{"code": {code}, "state": {u.Query().Get("state")}}
}

func (p *idp) serveToken(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	code := r.PostFormValue("code")
	asked, ok := p.codes[code]
	delete(p.codes, code)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, secret, _ := r.BasicAuth()
	switch {
	case id != clientID || secret != clientSecret:
		answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case !ok || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"):
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "no such code"})
		return
	}
	claims := map[string]any{
		"iss": p.URL, "aud": clientID, "sub": "person-7", "iat": p.now.Unix(), "exp": p.now.Add(time.Minute).Unix(), "nonce": asked.Get("nonce"),
		"auth_time": p.now.Unix(), "name": "Maren Holt", "email": "maren@uni.example", "email_verified": true,
	}
	if p.claims != nil {
		p.claims(claims)
	}
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	answer := map[string]any{"access_token": "access-token-of-the-provider-42", "token_type": "Bearer", "expires_in": 60, "id_token": p.sign(string(body))}
	if p.answer != nil {
		p.answer(answer)
	}
	for _, name := range []string{"access_token", "id_token"} {
		if token, ok := answer[name].(string); ok {
			p.tokens = append(p.tokens, token)
		}
	}
	answerJSON(w, http.StatusOK, answer)
}

func (p *idp) serveUser(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access-token-of-the-provider-42" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"sub": "person-7", "name": "Maren Holt", "email": "maren@elsewhere.example", "email_verified": "true"})
}

// client is our side of it.
func (p *idp) client(t *testing.T) *auth.Provider {
	t.Helper()
	return auth.NewOIDC(p.URL, us(t, p.clock))
}

func us(t *testing.T, now func() time.Time) auth.Client {
	t.Helper()
	base, err := url.Parse("https://school.example")
	if err != nil {
		t.Fatal(err)
	}
	return auth.Client{Slug: "uni", Name: "The university", ID: clientID, Secret: clientSecret, BaseURL: base, Now: now}
}

func begin(t *testing.T, p *auth.Provider, ask auth.Ask) (string, auth.Pending) {
	t.Helper()
	address, pending, err := p.Begin(t.Context(), flow, ask, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return address, pending
}

// signIn is a whole sign-in with an honest browser.
func (p *idp) signIn(t *testing.T, ask auth.Ask) (auth.Claim, error) {
	t.Helper()
	client := p.client(t)
	address, pending := begin(t, client, ask)
	return client.Finish(t.Context(), pending, p.approve(t, address))
}

// TestProvider_10_2_1_sendsStateNonceAndPKCE is ASVS 10.2.1, 10.2.3 and the first half
// of 10.1.2: everything that binds the answer to this flow is sent, and no more is
// asked than is needed.
func TestProvider_10_2_1_sendsStateNonceAndPKCE(t *testing.T) {
	t.Attr("asvs", "10.2.1 10.2.3")
	idp := newIDP(t)
	address, pending := begin(t, idp.client(t), auth.Ask{})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	sum := sha256.Sum256([]byte(pending.Verifier))
	for name, want := range map[string]string{
		"response_type": "code", "client_id": clientID, "redirect_uri": "https://school.example/signin/with/uni", "scope": "openid profile email",
		"state": flow, "nonce": pending.Nonce, "code_challenge": base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method": "S256",
	} {
		if got := q.Get(name); got != want || len(q[name]) != 1 {
			t.Errorf("%s is %q, want %q once", name, q[name], want)
		}
		q.Del(name)
	}
	if len(q) != 0 {
		t.Errorf("it sends %v besides", q)
	}
	if len(pending.Nonce) < 43 || len(pending.Verifier) < 43 || pending.Nonce == pending.Verifier {
		t.Errorf("the secrets are %q and %q", pending.Nonce, pending.Verifier)
	}
	_, second := begin(t, idp.client(t), auth.Ask{})
	if second.Nonce == pending.Nonce || second.Verifier == pending.Verifier {
		t.Error("two flows have the same secrets")
	}
	if kept, err := json.Marshal(pending); err != nil || strings.Contains(string(kept), flow) || strings.Contains(address, pending.Verifier) {
		t.Errorf("the flow's id is kept in clear, or the verifier is sent: %s, %v", kept, err)
	}
	if _, _, err := idp.client(t).Begin(t.Context(), "short", auth.Ask{}, rand.Reader); err == nil {
		t.Error("a flow's id that can be guessed is taken")
	}
}

// TestProvider_10_1_2_refusesAnswersToOtherFlows is ASVS 10.1.2, 10.2.1 and 10.2.2,
// and 2.3.1 for this flow: an answer that was not asked for is refused before its code
// or its error means anything.
func TestProvider_10_1_2_refusesAnswersToOtherFlows(t *testing.T) {
	t.Attr("asvs", "2.3.1 10.1.2 10.2.1 10.2.2")
	for _, row := range []struct {
		says   string
		signs  bool // the provider says that it always names itself
		change func(url.Values, *auth.Pending, *idp)
	}{
		{"no state", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Del("state") }},
		{"another state", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Set("state", flow+"x") }},
		{"the state twice", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Add("state", flow) }},
		{"two codes", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Add("code", "another") }},
		{"a flow that nobody began", false, func(q url.Values, p *auth.Pending, _ *idp) { *p = auth.Pending{}; q.Del("state") }},
		{"a flow that was begun with another provider", false, func(_ url.Values, p *auth.Pending, _ *idp) { p.Provider = "github" }},
		{"the name of another provider", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Set("iss", "https://other.example") }},
		{"an empty name", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Set("iss", "") }},
		{"the name with a slash", true, func(q url.Values, _ *auth.Pending, p *idp) { q.Set("iss", p.URL+"/") }},
		{"no name, of a provider that always says it", true, func(url.Values, *auth.Pending, *idp) {}},
		{"the name twice", true, func(q url.Values, _ *auth.Pending, p *idp) { q["iss"] = []string{p.URL, p.URL} }},
		{"neither code nor error", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Del("code") }},
		{"somebody else's error", false, func(q url.Values, _ *auth.Pending, _ *idp) { q.Set("error", "access_denied"); q.Set("state", "x") }},
		{"another provider's error", true, func(q url.Values, _ *auth.Pending, _ *idp) {
			q.Set("error", "access_denied")
			q.Set("iss", "https://other.example")
		}},
	} {
		t.Run(row.says, func(t *testing.T) {
			idp := newIDP(t)
			idp.describe = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = row.signs }
			client := idp.client(t)
			address, pending := begin(t, client, auth.Ask{})
			query := idp.approve(t, address)
			row.change(query, &pending, idp)
			claim, err := client.Finish(t.Context(), pending, query)
			if !errors.Is(err, auth.ErrForeignAnswer) || claim != (auth.Claim{}) {
				t.Errorf("got %+v, %v", claim, err)
			}
			if n := idp.timesAsked("/token"); n != 0 {
				t.Errorf("the code was sent %d times", n)
			}
		})
	}
}

// TestProvider_10_5_3_refusesDescriptions is ASVS 10.5.3, and what else a provider may
// not say of itself.
func TestProvider_10_5_3_refusesDescriptions(t *testing.T) {
	t.Attr("asvs", "10.5.3")
	for _, row := range []struct {
		says   string
		change func(map[string]any)
		why    string
	}{
		{"another issuer", func(d map[string]any) { d["issuer"] = "https://other.example" }, "calls itself"},
		{"the issuer with a slash", func(d map[string]any) { d["issuer"] = d["issuer"].(string) + "/" }, "calls itself"},
		{"no issuer", func(d map[string]any) { delete(d, "issuer") }, "calls itself"},
		{"no place for codes", func(d map[string]any) { delete(d, "token_endpoint") }, "token_endpoint"},
		{"keys without a host", func(d map[string]any) { d["jwks_uri"] = "file:///keys" }, "jwks_uri"},
		{"a place that runs in the page", func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" }, "authorization_endpoint"},
		{"PKCE that gives the verifier away", func(d map[string]any) { d["code_challenge_methods_supported"] = []string{"plain"} }, "PKCE"},
		{"signatures that anybody could make", func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"none", "HS256"} }, "signature"},
	} {
		t.Run(row.says, func(t *testing.T) {
			idp := newIDP(t)
			idp.describe = row.change
			client := idp.client(t)
			_, _, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader)
			var untrusted *auth.Untrusted
			if !errors.As(err, &untrusted) || !strings.Contains(err.Error(), row.why) || untrusted.Provider != "uni" {
				t.Errorf("got %v", err)
			}
			if client.Away() == nil {
				t.Error("the button does not know")
			}
		})
	}
}

// TestProvider_6_8_2_refusesIDTokens is ASVS 6.8.2, 9.1.1, 9.1.2, 9.2.1, 9.2.2, 9.2.3,
// 10.5.1 and 10.5.4: a token that is not signed by the provider, or that is for
// somebody or something else, signs nobody in.
func TestProvider_6_8_2_refusesIDTokens(t *testing.T) {
	t.Attr("asvs", "6.8.2 9.1.1 9.1.2 9.2.1 9.2.2 9.2.3 10.5.1 10.5.4")
	stranger := newKey(t)
	set := func(name string, value any) func(*idp) {
		return func(p *idp) { p.claims = func(c map[string]any) { c[name] = value } }
	}
	for _, row := range []struct {
		says string
		do   func(*idp)
		why  string
	}{
		{"alg none", func(p *idp) {
			p.sign = func(claims string) string {
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."
			}
		}, "algorithm"},
		{"HS256 with our own secret", func(p *idp) {
			p.sign = func(claims string) string {
				return oidctest.SignIDToken([]byte(clientSecret), "key-1", "HS256", claims)
			}
		}, "algorithm"},
		{"another's key under the same name", func(p *idp) {
			p.sign = func(claims string) string { return oidctest.SignIDToken(stranger, "key-1", oidc.ES256, claims) }
		}, "signature"},
		{"a key that nobody knows", func(p *idp) {
			p.sign = func(claims string) string { return oidctest.SignIDToken(p.key, "key-2", oidc.ES256, claims) }
		}, "signature"},
		{"a claim that was changed afterwards", func(p *idp) {
			p.sign = func(claims string) string {
				parts := strings.Split(oidctest.SignIDToken(p.key, "key-1", oidc.ES256, claims), ".")
				parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(claims, "person-7", "person-8", 1)))
				return strings.Join(parts, ".")
			}
		}, "signature"},
		{"another issuer", set("iss", "https://other.example"), "different provider"},
		{"another site's token", set("aud", "another-site"), "audience"},
		{"no audience", set("aud", nil), "audience"},
		{"several sites, and given to nobody", set("aud", []string{clientID, "another-site"}), "issued to"},
		{"given to another site", set("azp", "another-site"), "issued to"},
		{"expired", set("exp", time.Date(2026, 11, 26, 11, 59, 59, 0, time.UTC).Unix()), "expired"},
		{"for ever", set("exp", nil), "expired"},
		{"issued in the future", set("iat", time.Date(2026, 11, 26, 12, 2, 0, 0, time.UTC).Unix()), "future"},
		{"another nonce", set("nonce", "another"), "nonce"},
		{"no nonce", set("nonce", nil), "nonce"},
		{"another access token", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), "access token"},
		{"nobody", set("sub", nil), "subject"},
		{"somebody with too long a name", set("sub", strings.Repeat("x", 256)), "subject"},
		{"no token at all", func(p *idp) { p.answer = func(a map[string]any) { delete(a, "id_token") } }, "no ID token"},
		{"a token of another type", func(p *idp) {
			p.sign = func(claims string) string {
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"logout+jwt"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".AAAA"
			}
		}, "type"},
	} {
		t.Run(row.says, func(t *testing.T) {
			idp := newIDP(t)
			row.do(idp)
			claim, err := idp.signIn(t, auth.Ask{})
			var untrusted *auth.Untrusted
			if !errors.As(err, &untrusted) || claim != (auth.Claim{}) {
				t.Fatalf("got %+v, %v", claim, err)
			}
			if !strings.Contains(err.Error(), row.why) {
				t.Errorf("refused, but for another reason: %v", err)
			}
		})
	}
}

// TestProvider_6_8_4_refusesOldSignIns is ASVS 6.8.4: who wants the person to have been
// asked lately gets that or nothing.
func TestProvider_6_8_4_refusesOldSignIns(t *testing.T) {
	t.Attr("asvs", "6.8.4 7.6.1")
	for _, row := range []struct {
		says string
		ago  any
		ok   bool
	}{
		{"just now", int64(0), true},
		{"within the time, and the clocks differ a little", int64(10*60 + 59), true},
		{"too long ago", int64(11*60 + 1), false},
		{"not said", nil, false},
	} {
		t.Run(row.says, func(t *testing.T) {
			idp := newIDP(t)
			idp.claims = func(c map[string]any) {
				c["auth_time"] = nil
				if ago, ok := row.ago.(int64); ok {
					c["auth_time"] = idp.now.Unix() - ago
				}
			}
			client := idp.client(t)
			address, pending := begin(t, client, auth.Ask{Within: 10 * time.Minute})
			if u, err := url.Parse(address); err != nil || u.Query().Get("max_age") != "600" {
				t.Errorf("sent to %s, %v", address, err)
			}
			_, err := client.Finish(t.Context(), pending, idp.approve(t, address))
			var untrusted *auth.Untrusted
			if (err == nil) != row.ok || err != nil && (!errors.As(err, &untrusted) || !strings.Contains(err.Error(), "too long ago")) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestProvider_10_5_2_claimsIssuerAndSubject is ASVS 6.8.1 and 10.5.2 for the client:
// two providers may have equal subjects and equal addresses, and the claims differ.
func TestProvider_10_5_2_claimsIssuerAndSubject(t *testing.T) {
	t.Attr("asvs", "6.8.1 10.5.2")
	one, other := newIDP(t), newIDP(t)
	first, err := one.signIn(t, auth.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := other.signIn(t, auth.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Claim{
		Issuer: one.URL, Subject: "person-7", Name: "Maren Holt", Email: "maren@uni.example", EmailVerified: true,
		AuthTime: one.clock().Local(),
	}
	if !first.AuthTime.Equal(want.AuthTime) {
		t.Errorf("asked at %s, want %s", first.AuthTime, want.AuthTime)
	}
	first.AuthTime = want.AuthTime
	if first != want {
		t.Errorf("got %+v, want %+v", first, want)
	}
	if second.Issuer == first.Issuer || second.Subject != first.Subject || second.Email != first.Email {
		t.Errorf("the other provider says %+v", second)
	}
}

// TestProvider_10_1_1_keepsNoTokens is ASVS 10.1.1: what comes out has nothing in it
// that opens a door at the provider, and neither has the recording.
func TestProvider_10_1_1_keepsNoTokens(t *testing.T) {
	t.Attr("asvs", "10.1.1")
	idp := newIDP(t)
	client := idp.client(t)
	ctx, recording := auth.Record(t.Context())
	address, pending, err := client.Begin(ctx, flow, auth.Ask{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	query := idp.approve(t, address)
	claim, err := client.Finish(ctx, pending, query)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := json.Marshal(recording.Steps())
	if err != nil {
		t.Fatal(err)
	}
	if len(idp.tokens) != 2 {
		t.Fatalf("%d tokens were given out", len(idp.tokens))
	}
	secrets := append([]string{clientSecret, pending.Verifier, pending.Nonce, flow, query.Get("code"), base64.StdEncoding.EncodeToString([]byte(clientID + ":" + clientSecret))}, idp.tokens...)
	for _, secret := range secrets {
		if strings.Contains(string(steps), secret) || strings.Contains(fmt.Sprintf("%+v", claim), secret) {
			t.Errorf("%q is in %s or %+v", secret, steps, claim)
		}
	}
	signature := idp.tokens[1][strings.LastIndex(idp.tokens[1], ".")+1:]
	if strings.Contains(string(steps), signature) {
		t.Error("the signature of the ID token is shown, and the rest of it, too")
	}
}

func TestProvider_codeWorksOnce(t *testing.T) {
	idp := newIDP(t)
	client := idp.client(t)
	address, pending := begin(t, client, auth.Ask{})
	query := idp.approve(t, address)
	if _, err := client.Finish(t.Context(), pending, query); err != nil {
		t.Fatal(err)
	}
	_, err := client.Finish(t.Context(), pending, query)
	var refusal *auth.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "invalid_grant" || refusal.ByPerson() || refusal.Passing() {
		t.Errorf("the second time: %v", err)
	}
}

// TestProvider_needsItsOwnVerifier has a thief bring a code that another flow asked
// for (ASVS 10.2.1, PKCE).
func TestProvider_needsItsOwnVerifier(t *testing.T) {
	t.Attr("asvs", "10.1.2 10.2.1")
	idp := newIDP(t)
	client := idp.client(t)
	address, _ := begin(t, client, auth.Ask{})
	stolen := idp.approve(t, address)
	_, thief := begin(t, client, auth.Ask{})
	_, err := client.Finish(t.Context(), thief, stolen)
	var refusal *auth.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "invalid_grant" {
		t.Errorf("got %v", err)
	}
}

func TestProvider_tellsTheProvidersErrors(t *testing.T) {
	for _, row := range []struct {
		query             url.Values
		code, description string
		byPerson, passing bool
	}{
		{url.Values{"error": {"access_denied"}, "error_description": {"She said no."}}, "access_denied", "She said no.", true, false},
		{url.Values{"error": {"temporarily_unavailable"}}, "temporarily_unavailable", "", false, true},
		{url.Values{"error": {"server_error"}}, "server_error", "", false, true},
		{url.Values{"error": {"login_required"}, "code": {"a code"}}, "login_required", "", false, false},
		{url.Values{"error": {"<script>"}, "error_description": {"two\nlines" + strings.Repeat("x", 300)}}, "other", "two lines" + strings.Repeat("x", 191) + "…", false, false},
	} {
		idp := newIDP(t)
		client := idp.client(t)
		_, pending := begin(t, client, auth.Ask{})
		row.query.Set("state", flow)
		_, err := client.Finish(t.Context(), pending, row.query)
		var refusal *auth.Refusal
		if !errors.As(err, &refusal) || refusal.Code != row.code || refusal.Description != row.description || refusal.ByPerson() != row.byPerson || refusal.Passing() != row.passing {
			t.Errorf("%v: got %v", row.query, err)
		}
		if idp.timesAsked("/token") != 0 {
			t.Errorf("%v: a code was exchanged", row.query)
		}
	}
}

// TestProvider_comesBack is a provider that was away when we started.
func TestProvider_comesBack(t *testing.T) {
	idp := newIDP(t)
	client := idp.client(t)
	if client.Away() != nil {
		t.Error("it is away before anybody asked")
	}
	description := "/.well-known/openid-configuration"
	idp.breaks(description, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	var away *auth.Away
	if err := client.Check(t.Context()); !errors.As(err, &away) || client.Away() == nil {
		t.Fatalf("got %v, and %v", err, client.Away())
	}
	idp.breaks(description, nil)
	if _, _, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader); !errors.As(err, &away) || idp.timesAsked(description) != 1 {
		t.Errorf("at once: %v, asked %d times", err, idp.timesAsked(description))
	}
	idp.pass(6 * time.Second)
	address, pending := begin(t, client, auth.Ask{})
	if _, err := client.Finish(t.Context(), pending, idp.approve(t, address)); err != nil || client.Away() != nil {
		t.Errorf("later: %v, %v", err, client.Away())
	}
	if n := idp.timesAsked(description); n != 2 {
		t.Errorf("asked %d times to describe itself", n)
	}
	// What was learnt is enough when it goes away again.
	idp.pass(2 * time.Hour)
	idp.breaks(description, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	if _, _, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader); err != nil || idp.timesAsked(description) != 3 {
		t.Errorf("with what it said before: %v, asked %d times", err, idp.timesAsked(description))
	}
	// But not when it calls itself otherwise.
	idp.pass(2 * time.Hour)
	idp.breaks(description, nil)
	idp.describe = func(d map[string]any) { d["issuer"] = "https://other.example" }
	var untrusted *auth.Untrusted
	if _, _, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader); !errors.As(err, &untrusted) {
		t.Errorf("with another name: %v", err)
	}
}

func TestProvider_isAwayInTheMiddle(t *testing.T) {
	fails := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	hangsUp := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	for _, row := range []struct {
		path   string
		broken http.HandlerFunc
	}{{"/token", fails}, {"/token", hangsUp}, {"/keys", fails}, {"/keys", hangsUp}} {
		idp := newIDP(t)
		idp.breaks(row.path, row.broken)
		_, err := idp.signIn(t, auth.Ask{})
		var away *auth.Away
		if !errors.As(err, &away) || away.Provider != "uni" {
			t.Errorf("%s: got %v", row.path, err)
		}
	}
}

// TestProvider_followsNobodyElsewhere has a provider send us to a stranger, who would
// be shown our secret and the code.
func TestProvider_followsNobodyElsewhere(t *testing.T) {
	t.Attr("asvs", "1.3.6")
	visited := 0
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited++ }))
	defer stranger.Close()
	for _, path := range []string{"/token", "/keys", "/.well-known/openid-configuration"} {
		idp := newIDP(t)
		idp.breaks(path, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, stranger.URL+r.URL.Path, http.StatusTemporaryRedirect)
		})
		client := idp.client(t)
		address, pending, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader)
		if err == nil {
			_, err = client.Finish(t.Context(), pending, idp.approve(t, address))
		}
		var untrusted *auth.Untrusted
		if !errors.As(err, &untrusted) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if visited != 0 {
		t.Errorf("the stranger was visited %d times", visited)
	}
}

// TestProvider_saysLittleInErrors has a provider write something long into our log.
func TestProvider_saysLittleInErrors(t *testing.T) {
	for _, path := range []string{"/token", "/keys", "/.well-known/openid-configuration"} {
		idp := newIDP(t)
		idp.breaks(path, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("no JSON\n" + strings.Repeat("a line of its own\n", 1000)))
		})
		client := idp.client(t)
		address, pending, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader)
		if err == nil {
			_, err = client.Finish(t.Context(), pending, idp.approve(t, address))
		}
		if err == nil || len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %.500v", path, err)
		}
	}
}

func TestProvider_readsNoMoreThanIsGood(t *testing.T) {
	for _, path := range []string{"/token", "/keys", "/.well-known/openid-configuration"} {
		idp := newIDP(t)
		idp.breaks(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"issuer":"` + strings.Repeat("x", 2<<20) + `"}`))
		})
		client := idp.client(t)
		address, pending, err := client.Begin(t.Context(), flow, auth.Ask{}, rand.Reader)
		if err == nil {
			_, err = client.Finish(t.Context(), pending, idp.approve(t, address))
		}
		var untrusted *auth.Untrusted
		var tooLarge *http.MaxBytesError
		if !errors.As(err, &untrusted) || !errors.As(err, &tooLarge) || len(err.Error()) > 500 {
			t.Errorf("%s: got %.500v", path, err)
		}
	}
}

// TestProvider_asksForTheAddress is a provider whose ID tokens name nobody.
func TestProvider_asksForTheAddress(t *testing.T) {
	idp := newIDP(t)
	idp.describe = func(d map[string]any) { d["userinfo_endpoint"] = d["issuer"].(string) + "/user" }
	idp.claims = func(c map[string]any) { c["name"], c["email"], c["email_verified"] = nil, nil, nil }
	claim, err := idp.signIn(t, auth.Ask{})
	if err != nil || claim.Email != "maren@elsewhere.example" || !claim.EmailVerified || claim.Name != "Maren Holt" {
		t.Errorf("got %+v, %v", claim, err)
	}
	idp.claims = func(c map[string]any) { c["email"], c["sub"] = nil, "person-8" }
	var untrusted *auth.Untrusted
	if claim, err := idp.signIn(t, auth.Ask{}); !errors.As(err, &untrusted) || claim.Email != "" {
		t.Errorf("about somebody else: %+v, %v", claim, err)
	}
}

func TestProvider_believesAnAddressOnlyIfItIsSaid(t *testing.T) {
	for _, row := range []struct {
		verified any
		want     bool
	}{{true, true}, {"true", true}, {false, false}, {"false", false}, {nil, false}, {1, false}, {"yes", false}} {
		idp := newIDP(t)
		idp.claims = func(c map[string]any) { c["email_verified"] = row.verified }
		if claim, err := idp.signIn(t, auth.Ask{}); err != nil || claim.EmailVerified != row.want {
			t.Errorf("%v: got %t, %v", row.verified, claim.EmailVerified, err)
		}
	}
}

// TestProvider_provesWhoWeAreOnce is a provider that wants the secret in the form:
// trying both ways would use up the code.
func TestProvider_provesWhoWeAreOnce(t *testing.T) {
	idp := newIDP(t)
	idp.describe = func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"} }
	var got http.Header
	var form url.Values
	idp.breaks("/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got, form = r.Header, r.PostForm
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	})
	if _, err := idp.signIn(t, auth.Ask{}); err == nil {
		t.Fatal("it worked")
	}
	if got.Get("Authorization") != "" || form.Get("client_secret") != clientSecret || idp.timesAsked("/token") != 1 {
		t.Errorf("sent %v and %q, %d times", form, got.Get("Authorization"), idp.timesAsked("/token"))
	}
}

// TestRecording_tellsTheWholeFlow is what the page that shows a flow has to show.
func TestRecording_tellsTheWholeFlow(t *testing.T) {
	idp := newIDP(t)
	client := idp.client(t)
	address, pending := begin(t, client, auth.Ask{}) // the provider is known, and shown all the same
	if _, err := client.Finish(t.Context(), pending, idp.approve(t, address)); err != nil {
		t.Fatal(err)
	}
	first, begun := auth.Record(t.Context())
	address, pending, err := client.Begin(first, flow, auth.Ask{Within: time.Minute}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	idp.pass(time.Second)
	second, finished := auth.Record(context.Background())
	if _, err := client.Finish(second, pending, idp.approve(t, address)); err != nil {
		t.Fatal(err)
	}
	steps := auth.FlowSteps(begun.Steps(), finished.Steps())
	var names []string
	for _, s := range steps {
		names = append(names, s.Name)
		if s.Says == "" || s.By == "" || s.To == "" || s.Failed != "" || s.Name != "result" && s.Line == "" || len(s.Sent)+len(s.Received) == 0 {
			t.Errorf("%s lacks something: %+v", s.Name, s)
		}
		for _, f := range append(s.Sent, s.Received...) {
			if f.Says == "" && s.Name != "keys" {
				t.Errorf("%s: %s is not explained", s.Name, f.Name)
			}
		}
	}
	if got, want := strings.Join(names, " "), "discovery authorize callback token keys result"; got != want {
		t.Errorf("the steps are %s, want %s", got, want)
	}
	token := steps[3].Token
	if token == nil || len(token.Header) != 2 || len(token.Claims) != 10 || token.Signature != 64 {
		t.Fatalf("the ID token is taken apart into %+v", token)
	}
	for _, f := range append(token.Header, token.Claims...) {
		if f.Says == "" || f.Value == "" {
			t.Errorf("the claim %s is not explained: %+v", f.Name, f)
		}
	}
}

func TestRecording_tellsWhatFailed(t *testing.T) {
	idp := newIDP(t)
	idp.claims = func(c map[string]any) { c["nonce"] = "another" }
	client := idp.client(t)
	ctx, recording := auth.Record(t.Context())
	address, pending, err := client.Begin(ctx, flow, auth.Ask{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Finish(ctx, pending, idp.approve(t, address)); err == nil {
		t.Fatal("it worked")
	}
	steps := recording.Steps()
	if last := steps[len(steps)-1]; last.Name != "result" || !strings.Contains(last.Failed, "nonce") || last.Received != nil {
		t.Errorf("the last step is %+v", last)
	}
}
