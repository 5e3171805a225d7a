package campus_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/handlers/auth"
	"lectern/handlers/campus"
)

const verifier = "a-verifier-that-nobody-can-guess-0123456789"

var (
	school  = campus.Site{ID: "lectern", Secret: "the-secret-of-lectern", Name: "Lectern", Home: "http://school.example", Redirect: "http://school.example/signin/with/campus-id"}
	library = campus.Site{ID: "library", Secret: "the-secret-of-the-library", Name: "The library", Home: "http://library.example", Redirect: "http://library.example/back"}
)

// house is Campus ID, running.
type house struct {
	*httptest.Server
	log bytes.Buffer

	mu  sync.Mutex
	now time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{Server: httptest.NewUnstartedServer(nil), now: time.Now()}
	provider, err := campus.New(campus.Config{
		Issuer: "http://" + h.Listener.Addr().String(), Sites: []campus.Site{school, library},
		Log: slog.New(slog.NewTextHandler(&h.log, nil)), Now: h.clock, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Config.Handler = provider
	h.Start()
	t.Cleanup(h.Close)
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// browser follows redirects only where the test says so.
type browser struct {
	t *testing.T
	h *house
	c *http.Client
}

func (h *house) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) to() string { return a.header.Get("Location") }

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	b.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.h.URL + path
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *browser) get(path string) answer { b.t.Helper(); return b.do(b.request("GET", path, nil)) }

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	return b.do(b.request("POST", path, form))
}

// asked is what a site sends a browser with, changed by name, value, name, value; an
// empty value leaves the name out.
func asked(site campus.Site, changes ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {site.ID}, "redirect_uri": {site.Redirect}, "scope": {"openid profile email"},
		"state": {"the-state"}, "nonce": {"the-nonce"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		if q.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return q
}

// bring brings a question, and returns the address of its page.
func (b *browser) bring(q url.Values) string {
	b.t.Helper()
	a := b.get("/id/authorize?" + q.Encode())
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/id/requests/") {
		b.t.Fatalf("brought to %q with %d: %s", a.to(), a.status, a.body)
	}
	return a.to()
}

// agree says who it is and yes, and returns what the site is sent.
func (b *browser) agree(page, person string) url.Values {
	b.t.Helper()
	if a := b.post(page+"/person", url.Values{"person": {person}}); a.status != http.StatusSeeOther || a.to() != page+"/consent" {
		b.t.Fatalf("chosen: %d to %q: %s", a.status, a.to(), a.body)
	}
	return b.sent(b.post(page+"/answer", url.Values{"answer": {"yes"}}))
}

// sent is what a site is sent by way of the browser.
func (b *browser) sent(a answer) url.Values {
	b.t.Helper()
	u, err := url.Parse(a.to())
	if err != nil || a.status != http.StatusSeeOther || u.Host == "" {
		b.t.Fatalf("sent to %q with %d, %v: %s", a.to(), a.status, err, a.body)
	}
	return u.Query()
}

// code is that of a whole sign-in.
func (b *browser) code(site campus.Site, changes ...string) string {
	b.t.Helper()
	return b.agree(b.bring(asked(site, changes...)), "mina").Get("code")
}

// exchange is a site that exchanges a code, with changes as asked has them.
func (b *browser) exchange(site campus.Site, code string, changes ...string) (int, map[string]any) {
	b.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {site.Redirect}, "code_verifier": {verifier}}
	for i := 0; i < len(changes); i += 2 {
		if form.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	r := b.request("POST", "/token", form)
	if site.Secret != "" {
		r.SetBasicAuth(site.ID, site.Secret)
	}
	a := b.do(r)
	var body map[string]any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		b.t.Fatalf("%d: %q", a.status, a.body)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		b.t.Error("tokens may be kept on the way")
	}
	return a.status, body
}

func (b *browser) userinfo(token any) answer {
	b.t.Helper()
	r := b.request("GET", "/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+token.(string))
	return b.do(r)
}

// client is Lectern's side, the real one.
func (h *house) client(t *testing.T) *auth.Provider {
	t.Helper()
	base, err := url.Parse(school.Home)
	if err != nil {
		t.Fatal(err)
	}
	return auth.NewOIDC(h.URL, auth.Client{Slug: "campus-id", Name: "Campus ID", ID: school.ID, Secret: school.Secret, BaseURL: base, Now: h.clock})
}

// TestCampus_signsInAtLectern is the whole flow between the two houses, for everybody
// who has a card.
func TestCampus_signsInAtLectern(t *testing.T) {
	h := newHouse(t)
	client := h.client(t)
	const flow = "a-flow-that-nobody-can-guess"
	subjects := map[string]bool{}
	for _, person := range campus.People {
		t.Run(person.Name, func(t *testing.T) {
			b := h.browser(t)
			ctx, recording := auth.Record(t.Context())
			address, pending, err := client.Begin(ctx, flow, auth.Ask{Within: time.Minute}, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			a := b.get(address)
			if a.status != http.StatusSeeOther {
				t.Fatalf("%d: %s", a.status, a.body)
			}
			query := b.agree(a.to(), person.Key)
			claim, err := client.Finish(ctx, pending, query)
			if err != nil {
				t.Fatal(err)
			}
			if claim.Issuer != h.URL || claim.Name != person.Name || claim.Email != person.Email || claim.EmailVerified != person.Verified || claim.AuthTime.Unix() != h.clock().Unix() {
				t.Errorf("told %+v of %+v", claim, person)
			}
			if subjects[claim.Subject] || strings.Contains(claim.Subject, person.Key) || len(claim.Subject) < 20 {
				t.Errorf("the subject is %q", claim.Subject)
			}
			subjects[claim.Subject] = true
			if steps := recording.Steps(); len(steps) != 7 || steps[4].Token == nil {
				t.Errorf("%d steps are recorded: %+v", len(steps), steps)
			}
			if _, err := client.Finish(t.Context(), pending, query); err == nil {
				t.Error("the code works twice")
			}
		})
	}
	if said := h.log.String(); strings.Contains(said, "ERROR") {
		t.Errorf("the log has %s", said)
	}
}

// TestCampus_10_4_1_knowsOneAddress is ASVS 10.4.1: people are sent to the registered
// address, letter by letter, and otherwise nowhere.
func TestCampus_10_4_1_knowsOneAddress(t *testing.T) {
	t.Attr("asvs", "10.4.1")
	b := newHouse(t).browser(t)
	for _, change := range [][]string{
		{"redirect_uri", school.Redirect + "/"}, {"redirect_uri", school.Redirect + "?x=1"}, {"redirect_uri", school.Redirect + "#x"},
		{"redirect_uri", strings.ToUpper(school.Redirect)}, {"redirect_uri", strings.Replace(school.Redirect, "http:", "https:", 1)},
		{"redirect_uri", "http://school.example.evil.example/signin/with/campus-id"}, {"redirect_uri", "http://school.example@evil.example/"},
		{"redirect_uri", "http://school.example/signin/with/../with/campus-id"}, {"redirect_uri", library.Redirect}, {"redirect_uri", "javascript:alert(1)"},
		{"redirect_uri", ""}, {"client_id", ""}, {"client_id", "nobody"}, {"client_id", library.ID},
		// and with something else wrong, that a site would be told of
		{"redirect_uri", "http://evil.example/", "response_type", "token"}, {"redirect_uri", "http://evil.example/", "code_challenge", ""},
	} {
		a := b.get("/id/authorize?" + asked(school, change...).Encode())
		if a.status != http.StatusBadRequest || a.to() != "" || !strings.Contains(a.body, "Nothing was told to anybody") || strings.Contains(a.body, "evil") {
			t.Errorf("%q: %d to %q: %s", change, a.status, a.to(), a.body)
		}
	}
	evil := "redirect_uri=" + url.QueryEscape("http://evil.example/")
	for _, twice := range []string{asked(school).Encode() + "&" + evil, evil + "&" + asked(school).Encode(), asked(school).Encode() + "&scope=openid"} {
		if a := b.get("/id/authorize?" + twice); a.status != http.StatusBadRequest || a.to() != "" {
			t.Errorf("%s: %d to %q", twice, a.status, a.to())
		}
	}
	code := b.code(school)
	if status, body := b.exchange(school, code, "redirect_uri", school.Redirect+"/"); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("exchanged for another address: %d %v", status, body)
	}
}

// TestCampus_10_4_2_takesACodeOnce is ASVS 10.4.2: the second use of a code fails, and
// takes back what the first was given.
func TestCampus_10_4_2_takesACodeOnce(t *testing.T) {
	t.Attr("asvs", "10.4.2")
	b := newHouse(t).browser(t)
	code := b.code(school)
	status, tokens := b.exchange(school, code)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, tokens)
	}
	if a := b.userinfo(tokens["access_token"]); a.status != http.StatusOK || !strings.Contains(a.body, "mina.castellan@campus.example") {
		t.Fatalf("the token opens nothing: %d %s", a.status, a.body)
	}
	if status, body := b.exchange(school, code); status != http.StatusBadRequest || body["error"] != "invalid_grant" || body["access_token"] != nil {
		t.Errorf("the second time: %d %v", status, body)
	}
	if a := b.userinfo(tokens["access_token"]); a.status != http.StatusUnauthorized {
		t.Errorf("the first token still works: %d %s", a.status, a.body)
	}
	// A code is used up by a try that fails, too.
	code = b.code(school)
	if status, _ := b.exchange(school, code, "code_verifier", "a guess, and then another one, and then another"); status != http.StatusBadRequest {
		t.Errorf("a guess: %d", status)
	}
	if status, body := b.exchange(school, code); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("after a guess: %d %v", status, body)
	}
}

// TestCampus_10_4_2_takesACodeOnceAtATime has the same code come ten times at once.
func TestCampus_10_4_2_takesACodeOnceAtATime(t *testing.T) {
	t.Attr("asvs", "10.4.2 15.4.2")
	b := newHouse(t).browser(t)
	code := b.code(school)
	given := make(chan any, 10)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, body := b.exchange(school, code); body["access_token"] != nil {
				given <- body["access_token"]
			}
		})
	}
	all.Wait()
	close(given)
	if len(given) > 1 {
		t.Errorf("%d were given a token", len(given))
	}
	for token := range given {
		if a := b.userinfo(token); a.status != http.StatusUnauthorized {
			t.Errorf("the one token still works: %d", a.status)
		}
	}
}

// TestCampus_10_4_3_takesACodeForAMinute is ASVS 10.4.3, and tokens end, too.
func TestCampus_10_4_3_takesACodeForAMinute(t *testing.T) {
	t.Attr("asvs", "10.4.3")
	h := newHouse(t)
	b := h.browser(t)
	late := b.code(school)
	h.pass(61 * time.Second)
	if status, body := b.exchange(school, late); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("after a minute: %d %v", status, body)
	}
	code := b.code(school)
	h.pass(59 * time.Second)
	status, tokens := b.exchange(school, code)
	if status != http.StatusOK {
		t.Fatalf("within a minute: %d %v", status, tokens)
	}
	h.pass(5*time.Minute + time.Second)
	if a := b.userinfo(tokens["access_token"]); a.status != http.StatusUnauthorized {
		t.Errorf("a token of six minutes ago: %d %s", a.status, a.body)
	}
}

// TestCampus_10_4_4_offersTheCodeAlone is ASVS 10.4.4, 10.4.12 and 10.6.1: no token
// passes through a browser, and no other grant is there.
func TestCampus_10_4_4_offersTheCodeAlone(t *testing.T) {
	t.Attr("asvs", "10.4.4 10.6.1")
	h := newHouse(t)
	b := h.browser(t)
	for _, change := range [][2]string{
		{"response_type", "token"}, {"response_type", "id_token"}, {"response_type", "id_token token"}, {"response_type", "code id_token"},
		{"response_type", "code token"}, {"response_type", "none"}, {"response_type", ""}, {"response_mode", "fragment"}, {"response_mode", "form_post"}, {"response_mode", "web_message"},
		{"request", "e30.e30."},
	} {
		a := b.get("/id/authorize?" + asked(school, change[0], change[1]).Encode())
		q := b.sent(a)
		if q.Get("error") == "" || q.Get("state") != "the-state" || q.Get("iss") != h.URL || q.Has("code") || strings.Contains(a.to(), "#") {
			t.Errorf("%s: sent to %s", change, a.to())
		}
	}
	for _, grant := range []string{
		"password", "client_credentials", "refresh_token", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer",
		"urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange", "",
	} {
		code := b.code(school)
		status, body := b.exchange(school, code, "grant_type", grant, "username", "mina", "password", "x", "refresh_token", "x", "assertion", "x")
		if status != http.StatusBadRequest || body["error"] != "unsupported_grant_type" {
			t.Errorf("grant %q: %d %v", grant, status, body)
		}
		if status, body := b.exchange(school, code); status != http.StatusOK || body["refresh_token"] != nil {
			t.Errorf("after grant %q: %d %v", grant, status, body)
		}
	}
	var d map[string]any
	if err := json.Unmarshal([]byte(b.get("/.well-known/openid-configuration").body), &d); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"issuer": h.URL, "authorization_endpoint": h.URL + "/id/authorize", "token_endpoint": h.URL + "/token", "userinfo_endpoint": h.URL + "/userinfo", "jwks_uri": h.URL + "/keys",
		"response_types_supported": []any{"code"}, "response_modes_supported": []any{"query"}, "grant_types_supported": []any{"authorization_code"},
		"subject_types_supported": []any{"pairwise"}, "id_token_signing_alg_values_supported": []any{"ES256"}, "code_challenge_methods_supported": []any{"S256"},
		"token_endpoint_auth_methods_supported": []any{"client_secret_basic"}, "scopes_supported": []any{"openid", "profile", "email"},
		"authorization_response_iss_parameter_supported": true, "request_uri_parameter_supported": false,
	}
	delete(d, "claims_supported")
	if got, expected := mustJSON(t, d), mustJSON(t, want); got != expected {
		t.Errorf("it describes itself as\n%s, want\n%s", got, expected)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCampus_10_4_6_wantsPKCE is ASVS 10.4.6.
func TestCampus_10_4_6_wantsPKCE(t *testing.T) {
	t.Attr("asvs", "10.4.6")
	b := newHouse(t).browser(t)
	for _, change := range [][]string{
		{"code_challenge", "", "code_challenge_method", ""}, {"code_challenge", ""}, {"code_challenge_method", ""}, {"code_challenge_method", "plain"},
		{"code_challenge_method", "plain", "code_challenge", verifier}, {"code_challenge_method", "s256"}, {"code_challenge", "short"},
	} {
		if q := b.sent(b.get("/id/authorize?" + asked(school, change...).Encode())); q.Get("error") != "invalid_request" || q.Has("code") {
			t.Errorf("%q: sent %v", change, q)
		}
	}
	sum := sha256.Sum256([]byte(verifier))
	for _, wrong := range []string{"", "another", verifier + "x", base64.RawURLEncoding.EncodeToString(sum[:])} {
		if status, body := b.exchange(school, b.code(school), "code_verifier", wrong); status != http.StatusBadRequest || body["access_token"] != nil {
			t.Errorf("verifier %q: %d %v", wrong, status, body)
		}
	}
}

// TestCampus_10_4_10_knowsTheSite is ASVS 10.4.10: only the site that asked can
// exchange its code, and nobody else can use it up.
func TestCampus_10_4_10_knowsTheSite(t *testing.T) {
	t.Attr("asvs", "10.4.10")
	b := newHouse(t).browser(t)
	code := b.code(school)
	for _, row := range []struct {
		says string
		as   campus.Site
		with []string
	}{
		{"nobody", campus.Site{Redirect: school.Redirect}, nil},
		{"a name without a secret", campus.Site{Redirect: school.Redirect}, []string{"client_id", school.ID}},
		{"a wrong secret", campus.Site{ID: school.ID, Secret: "wrong", Redirect: school.Redirect}, nil},
		{"the secret of another", campus.Site{ID: school.ID, Secret: library.Secret, Redirect: school.Redirect}, nil},
		{"a site that does not exist", campus.Site{ID: "nobody", Secret: "x", Redirect: school.Redirect}, nil},
		{"the secret in the form", campus.Site{Redirect: school.Redirect}, []string{"client_id", school.ID, "client_secret", school.Secret}},
	} {
		if status, body := b.exchange(row.as, code, row.with...); status != http.StatusUnauthorized || body["error"] != "invalid_client" {
			t.Errorf("%s: %d %v", row.says, status, body)
		}
	}
	if status, body := b.exchange(school, code); status != http.StatusOK {
		t.Errorf("the site itself: %d %v", status, body)
	}
	other := library
	other.Redirect = school.Redirect
	if status, body := b.exchange(other, b.code(school)); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("another site: %d %v", status, body)
	}
	r := b.request("POST", "/token?code="+b.code(school), url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {school.Redirect}, "code_verifier": {verifier}})
	r.SetBasicAuth(school.ID, school.Secret)
	if a := b.do(r); a.status != http.StatusBadRequest {
		t.Errorf("a code in an address: %d %s", a.status, a.body)
	}
}

// TestCampus_10_4_11_givesWhatWasAsked is ASVS 10.4.11: scopes that there are not are
// not given, and of a person no more is told than was asked for.
func TestCampus_10_4_11_givesWhatWasAsked(t *testing.T) {
	t.Attr("asvs", "10.4.11")
	b := newHouse(t).browser(t)
	for _, row := range []struct{ asked, given, has string }{
		{"openid", "openid", ""},
		{"openid email", "openid email", "email email_verified"},
		{"openid profile phone address offline_access admin", "openid profile", "name"},
	} {
		status, body := b.exchange(school, b.code(school, "scope", row.asked))
		if status != http.StatusOK || body["scope"] != row.given || body["refresh_token"] != nil {
			t.Errorf("%q: %d, given %v", row.asked, status, body)
			continue
		}
		var claims, info map[string]any
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(body["id_token"].(string), ".")[1])
		if err != nil || json.Unmarshal(payload, &claims) != nil || json.Unmarshal([]byte(b.userinfo(body["access_token"]).body), &info) != nil {
			t.Fatalf("%v in %v", err, body)
		}
		if claims["sub"] != info["sub"] || claims["nonce"] != "the-nonce" {
			t.Errorf("the token is about %v, and the other answer about %v", claims, info)
		}
		for _, told := range []map[string]any{claims, info} {
			maps.DeleteFunc(told, func(name string, _ any) bool {
				return !slices.Contains([]string{"name", "email", "email_verified", "phone_number", "address", "given_name"}, name)
			})
			if got := strings.Join(slices.Sorted(maps.Keys(told)), " "); got != row.has {
				t.Errorf("%q: told %q, want %q", row.asked, got, row.has)
			}
		}
	}
	if q := b.sent(b.get("/id/authorize?" + asked(school, "scope", "profile email").Encode())); q.Get("error") != "invalid_scope" {
		t.Errorf("without openid: %v", q)
	}
}

// TestCampus_10_6_2_signsNobodyOut is ASVS 10.6.2: there is no signing in that lasts,
// so there is no address that could sign somebody out unasked.
func TestCampus_10_6_2_signsNobodyOut(t *testing.T) {
	t.Attr("asvs", "10.6.2")
	b := newHouse(t).browser(t)
	b.code(school)
	for _, path := range []string{"/end_session", "/id/end_session", "/logout", "/oauth/introspect", "/revoke", "/device_authorization", "/oauth/token", "/authorize"} {
		if a := b.get(path); a.status != http.StatusNotFound || !strings.Contains(a.body, "There is nothing at this address") {
			t.Errorf("%s answers %d: %s", path, a.status, a.body)
		}
	}
	if d := b.get("/.well-known/openid-configuration").body; strings.Contains(d, "end_session") || strings.Contains(d, "revocation") {
		t.Errorf("it describes %s", d)
	}
}

// TestCampus_10_7_1_asksEachTime is ASVS 10.7.1: no request is answered without the
// person in front of this browser, also not the second one of the same site.
func TestCampus_10_7_1_asksEachTime(t *testing.T) {
	t.Attr("asvs", "10.7.1")
	h := newHouse(t)
	b := h.browser(t)
	b.code(school)
	page := b.bring(asked(school))
	if a := b.get(page); a.status != http.StatusOK || !strings.Contains(a.body, "Who are you?") {
		t.Errorf("the second time: %d %s", a.status, a.body)
	}
	if a := b.get(page + "/consent"); a.to() != page {
		t.Errorf("consent before a name: %d to %q", a.status, a.to())
	}
	if a := b.post(page+"/answer", url.Values{"answer": {"yes"}}); a.status != http.StatusNotFound || a.to() != "" {
		t.Errorf("yes before a name: %d to %q", a.status, a.to())
	}
	if q := b.sent(b.get("/id/authorize?" + asked(school, "prompt", "none").Encode())); q.Get("error") != "login_required" {
		t.Errorf("without asking: %v", q)
	}
	if a := b.post(page+"/person", url.Values{"person": {"nobody"}}); a.status != http.StatusBadRequest {
		t.Errorf("nobody: %d", a.status)
	}
	q := b.agree(page, "jonas")
	if q.Get("iss") != h.URL || q.Get("state") != "the-state" || len(q.Get("code")) != 43 || len(q) != 3 {
		t.Errorf("sent %v", q)
	}
	for _, again := range []answer{b.get(page), b.get(page + "/consent"), b.post(page+"/person", url.Values{"person": {"mina"}}), b.post(page+"/answer", url.Values{"answer": {"yes"}})} {
		if again.status != http.StatusNotFound || again.to() != "" {
			t.Errorf("answered twice: %d to %q", again.status, again.to())
		}
	}
}

// TestCampus_refusesOtherBrowsers has somebody send a link to a question of their own,
// so that the other's answer would be theirs; and another site send the forms.
func TestCampus_refusesOtherBrowsers(t *testing.T) {
	h := newHouse(t)
	b, other := h.browser(t), h.browser(t)
	page := b.bring(asked(school))
	otherPage := other.bring(asked(school))
	for _, stranger := range []*browser{other, h.browser(t)} {
		for _, a := range []answer{
			stranger.get(page), stranger.get(page + "/consent"), stranger.post(page+"/person", url.Values{"person": {"mina"}}),
			stranger.post(page+"/answer", url.Values{"answer": {"yes"}}), stranger.post(page+"/answer", url.Values{"answer": {"no"}}),
		} {
			if a.status != http.StatusNotFound || a.to() != "" || strings.Contains(a.body, "Mina") {
				t.Errorf("a stranger: %d to %q: %s", a.status, a.to(), a.body)
			}
		}
	}
	for _, path := range []string{"/person", "/answer", "/withdraw"} {
		r := b.request("POST", page+path, url.Values{"person": {"mina"}, "answer": {"no"}})
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if a := b.do(r); a.status != http.StatusForbidden || a.to() != "" {
			t.Errorf("%s from another site: %d", path, a.status)
		}
	}
	// Both are still there for their own people, and so is a second tab.
	second := b.bring(asked(library))
	if b.agree(page, "mina").Get("code") == "" || other.agree(otherPage, "mina").Get("code") == "" || b.agree(second, "ada").Get("code") == "" {
		t.Error("a question has been lost")
	}
}

// TestCampus_10_7_2_saysWhatIsTold is ASVS 10.7.2: the page says who asks, what will
// be told, and what will not.
func TestCampus_10_7_2_saysWhatIsTold(t *testing.T) {
	t.Attr("asvs", "10.7.2")
	h := newHouse(t)
	for _, row := range []struct {
		person, scope string
		has, lacks    []string
	}{
		{"mina", "openid profile email", []string{"May Lectern know who you are?", "http://school.example", "Mina Castellan", "mina.castellan@campus.example", "word of Campus ID that it is yours", "this one time", "No, tell nothing", "how you sign in here"}, []string{"not told your name"}},
		{"quill", "openid email", []string{"grace@lectern.example", "has not checked", "your name or how"}, []string{"<dt>Your name"}},
		{"ada", "openid", []string{"An identifier", "no other site is told it", "your name or your e-mail address"}, []string{"ada@lectern.example", "<dt>Your"}},
	} {
		b := h.browser(t)
		page := b.bring(asked(school, "scope", row.scope))
		if a := b.post(page+"/person", url.Values{"person": {row.person}}); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
		body := b.get(page + "/consent").body
		for _, text := range row.has {
			if !strings.Contains(body, text) {
				t.Errorf("%s, %s: lacks %q:\n%s", row.person, row.scope, text, body)
			}
		}
		for _, text := range row.lacks {
			if strings.Contains(body, text) {
				t.Errorf("%s, %s: has %q", row.person, row.scope, text)
			}
		}
	}
}

// TestCampus_10_7_3_withdraws is ASVS 10.7.3: what was agreed to can be seen in this
// browser, and taken back.
func TestCampus_10_7_3_withdraws(t *testing.T) {
	t.Attr("asvs", "10.7.3")
	h := newHouse(t)
	b := h.browser(t)
	page := b.bring(asked(school))
	_, tokens := b.exchange(school, b.agree(page, "mina").Get("code"))
	unused := b.bring(asked(library, "scope", "openid"))
	code := b.agree(unused, "ada").Get("code")
	home := b.get("/id/").body
	for _, text := range []string{"<strong>Lectern</strong> may know, of Mina Castellan: an identifier, the name, the e-mail address.", "<strong>The library</strong> may know, of Ada Byron: an identifier.", page + "/withdraw"} {
		if !strings.Contains(home, text) {
			t.Errorf("the page lacks %q:\n%s", text, home)
		}
	}
	if a := h.browser(t).post(page+"/withdraw", nil); a.status != http.StatusNotFound {
		t.Errorf("another browser withdraws: %d", a.status)
	}
	if other := h.browser(t).get("/id/").body; strings.Contains(other, "may know, of") {
		t.Error("another browser sees it")
	}
	for _, p := range []string{page, unused} {
		if a := b.post(p+"/withdraw", nil); a.to() != "/id/" {
			t.Errorf("withdrawn: %d to %q", a.status, a.to())
		}
	}
	if a := b.userinfo(tokens["access_token"]); a.status != http.StatusUnauthorized {
		t.Errorf("the token still works: %d", a.status)
	}
	if status, body := b.exchange(library, code); status != http.StatusBadRequest {
		t.Errorf("the code still works: %v", body)
	}
	if home := b.get("/id/").body; strings.Contains(home, "may know, of") {
		t.Errorf("it is still there:\n%s", home)
	}
}

func TestCampus_saysNo(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	for _, form := range []url.Values{{"answer": {"no"}}, {"answer": {"perhaps"}}, {}} {
		page := b.bring(asked(school))
		if a := b.post(page+"/person", url.Values{"person": {"mina"}}); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
		q := b.sent(b.post(page+"/answer", form))
		if q.Get("error") != "access_denied" || q.Get("state") != "the-state" || q.Get("iss") != h.URL || q.Has("code") {
			t.Errorf("sent %v", q)
		}
		if a := b.get(page); a.status != http.StatusNotFound {
			t.Errorf("the question is still open: %d", a.status)
		}
	}
	if q := b.sent(b.post(b.bring(asked(school))+"/answer", url.Values{"answer": {"no"}})); q.Get("error") != "access_denied" {
		t.Errorf("none of them: %v", q)
	}
}

func TestCampus_forgets(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	page := b.bring(asked(school))
	h.pass(10*time.Minute + time.Second)
	if a := b.get(page); a.status != http.StatusNotFound || !strings.Contains(a.body, "older than ten minutes") {
		t.Errorf("after ten minutes: %d", a.status)
	}
	first := b.bring(asked(school))
	h.pass(time.Second)
	last := ""
	for range 2000 {
		last = b.bring(asked(school))
	}
	if b.get(first).status != http.StatusNotFound || b.get(last).status != http.StatusOK {
		t.Error("it keeps everything, or not the last")
	}
}

// TestCampus_knowsPeopleByAnotherNumberElsewhere compares two sites, and today with
// tomorrow.
func TestCampus_knowsPeopleByAnotherNumberElsewhere(t *testing.T) {
	sub := func(site campus.Site) string {
		b := newHouse(t).browser(t)
		_, tokens := b.exchange(site, b.code(site))
		var info struct{ Sub string }
		if err := json.Unmarshal([]byte(b.userinfo(tokens["access_token"]).body), &info); err != nil || info.Sub == "" {
			t.Fatalf("%v: %v", tokens, err)
		}
		return info.Sub
	}
	today, tomorrow, elsewhere := sub(school), sub(school), sub(library)
	if today == elsewhere {
		t.Error("two sites can compare whom they know")
	}
	if today != tomorrow {
		t.Error("after a restart it is somebody else")
	}
}

// TestCampus_keepsApart looks at every page: what a browser is told to forbid, and the
// one cookie.
func TestCampus_keepsApart(t *testing.T) {
	h := newHouse(t)
	b := h.browser(t)
	brought := b.get("/id/authorize?" + asked(school).Encode())
	cookies := (&http.Response{Header: brought.header}).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "campus-id-browser" || cookies[0].Path != "/id" || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Domain != "" || len(cookies[0].Value) != 43 {
		t.Errorf("the cookies are %v", brought.header["Set-Cookie"])
	}
	page := brought.to()
	b.post(page+"/person", url.Values{"person": {"mina"}})
	inline := regexp.MustCompile(`(?i)<script|<style| style=| on[a-z]+=|src=`)
	for _, path := range []string{"/id/", page, page + "/consent", "/nowhere", "/id/authorize"} {
		a := b.get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self' http://school.example http://library.example; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "same-origin", "Access-Control-Allow-Origin": "", "Set-Cookie": "",
			"Content-Type": "text/html; charset=utf-8",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if found := inline.FindString(a.body); found != "" || strings.Count(a.body, "<h1>") != 1 {
			t.Errorf("%s has %q, or not one heading:\n%s", path, found, a.body)
		}
	}
	if a := b.get("/"); a.to() != "/id/" {
		t.Errorf("the front door leads to %q", a.to())
	}
	if a := b.get("/id/campus.css"); a.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("the style is %q", a.header.Get("Content-Type"))
	}
}

func TestCampus_believesNoOtherBearer(t *testing.T) {
	b := newHouse(t).browser(t)
	_, tokens := b.exchange(school, b.code(school))
	right := tokens["access_token"].(string)
	for _, header := range []string{"", "Bearer ", "Bearer " + right + "x", "Bearer " + right[:len(right)-2], "Basic " + right, "Bearer " + tokens["id_token"].(string)} {
		r := b.request("GET", "/userinfo", nil)
		r.Header.Set("Authorization", header)
		if a := b.do(r); a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%.20q: %d %s", header, a.status, a.body)
		}
	}
	if a := b.get("/userinfo?access_token=" + url.QueryEscape(right)); a.status != http.StatusUnauthorized {
		t.Errorf("in the address: %d", a.status)
	}
}
