package handlers_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lectern/handlers/session"
	"lectern/handlers/token"
)

// attack is one thing that people try with a token (RFC 8725).
type attack struct {
	says   string
	value  string // the cookie's
	reason session.Reason
}

// tokenAttacks are what people try. bait is the address of a server that hears of
// it when somebody follows a header.
func tokenAttacks(f *forger, bait string, now time.Time) []attack {
	wrongAlg, wrongType, unknownKey, badSignature := session.BadAlgorithm, session.BadType, session.UnknownKey, session.BadSignature
	malformed, claims := session.Malformed, session.BadClaims
	unsigned := func(alg string) string { return joined(f.set(f.header, "alg", alg), f.claims) + "." }
	at := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	must(f.t, err)
	good := strings.Split(f.genuine, ".")
	nested := strings.Repeat("[", 600) + strings.Repeat("]", 600)

	attacks := []attack{
		{"alg none, without a signature", unsigned(`"none"`), malformed},
		{"alg None, without a signature", unsigned(`"None"`), malformed},
		{"alg none, of two parts", joined(f.set(f.header, "alg", `"none"`), f.claims), malformed},
		{"alg none, with the genuine signature", joined(f.set(f.header, "alg", `"none"`), f.claims) + "." + good[2], wrongAlg},
		{"alg none, well signed", f.head("alg", `"none"`), wrongAlg},
		{"alg NONE", f.head("alg", `"NONE"`), wrongAlg},
		{"alg nOnE", f.head("alg", `"nOnE"`), wrongAlg},
		{"alg none with a space", f.head("alg", `"none "`), wrongAlg},
		{"alg none with a null behind it", f.head("alg", `"none\u0000"`), wrongAlg},
		{"alg empty", f.head("alg", `""`), wrongAlg},
		{"alg null", f.head("alg", `null`), wrongAlg},
		{"alg missing", f.token(f.without(f.header, "alg"), f.claims), wrongAlg},
		{"alg a list", f.head("alg", `["HS256","EdDSA"]`), malformed},
		{"alg a number", f.head("alg", `256`), malformed},
		{"alg in lower case", f.head("alg", `"`+strings.ToLower(string(f.alg))+`"`), wrongAlg},
		{"alg RS256", f.head("alg", `"RS256"`), wrongAlg},
		{"alg ES256", f.head("alg", `"ES256"`), wrongAlg},
		{"alg PS512", f.head("alg", `"PS512"`), wrongAlg},
		{"HS384 with our key", confused(f, "HS384", func(s string) string { return mac(sha384, f.secret, s) }), wrongAlg},
		{"HS512 with our key", confused(f, "HS512", func(s string) string { return mac(sha512sum, f.secret, s) }), wrongAlg},
		{"the other algorithm of the house, with our key", confused(f, rival(f.alg), func(s string) string { return sign(f, rival(f.alg), s) }), wrongAlg},
		{"our algorithm in name, signed by the other", joined(f.header, f.claims) + "." + sign(f, rival(f.alg), joined(f.header, f.claims)), badSignature},
		{"signed with the public key as a secret", joined(f.header, f.claims) + "." + mac(sha256.New, f.public(), joined(f.header, f.claims)), badSignature},
		{"signed with a key of the forger's own", joined(f.header, f.claims) + "." + base64url(ed25519.Sign(stranger, []byte(joined(f.header, f.claims)))), badSignature},
		{"signed with the empty key", joined(f.header, f.claims) + "." + mac(sha256.New, nil, joined(f.header, f.claims)), badSignature},
		{"signed with a weak key", joined(f.header, f.claims) + "." + mac(sha256.New, []byte("secret"), joined(f.header, f.claims)), badSignature},
		{"a signature that is cut short", f.genuine[:len(f.genuine)-8], badSignature},
		{"the role changed under the genuine signature", joined(f.header, f.set(f.claims, "role", `"admin"`)) + "." + good[2], badSignature},

		{"no kid", f.token(f.without(f.header, "kid"), f.claims), unknownKey},
		{"an empty kid", f.head("kid", `""`), unknownKey},
		{"a kid that nobody knows", f.head("kid", `"other"`), unknownKey},
		{"a kid that climbs to /dev/null", f.head("kid", `"../../../../dev/null"`), unknownKey},
		{"a kid that is a statement", f.head("kid", `"' UNION SELECT 'x' --"`), unknownKey},
		{"a kid that is a command", f.head("kid", `"| curl `+bait+`"`), unknownKey},
		{"a kid that is an address", f.head("kid", `"`+bait+`/kid"`), unknownKey},
		{"a kid that is a number", f.head("kid", `1`), malformed},
		{"two kids", f.token(plus(f.header, "kid", `"other"`), f.claims), malformed},
		{"a jku header", f.token(plus(f.header, "jku", `"`+bait+`/keys"`), f.claims), malformed},
		{"an x5u header", f.token(plus(f.header, "x5u", `"`+bait+`/cert"`), f.claims), malformed},
		{"an x5c header", f.token(plus(f.header, "x5c", `["MIIB"]`), f.claims), malformed},
		{"a jwk header with the forger's own key", f.token(plus(f.header, "jwk", `{"kty":"OKP","crv":"Ed25519","x":"`+base64url(stranger.Public().(ed25519.PublicKey))+`"}`), f.claims), malformed},
		{"a crit header", f.token(plus(f.header, "crit", `["exp"]`), f.claims), malformed},
		{"a b64 header", f.token(plus(f.header, "b64", `false`), f.claims), malformed},
		{"a zip header", f.token(plus(f.header, "zip", `"DEF"`), f.claims), malformed},
		{"a cty header", f.token(plus(f.header, "cty", `"JWT"`), f.claims), malformed},
		{"two algs, none first", f.token(ahead(f.header, "alg", `"none"`), f.claims), malformed},
		{"two algs, none last", f.token(plus(f.header, "alg", `"none"`), f.claims), malformed},
		{"ALG beside alg", f.token(plus(f.header, "ALG", `"none"`), f.claims), malformed},
		{"a header that is no JSON", f.token("not json", f.claims), malformed},

		{"an access token of a program's kind", f.head("typ", `"at+jwt"`), wrongType},
		{"a plain JWT", f.head("typ", `"JWT"`), wrongType},
		{"no typ", f.token(f.without(f.header, "typ"), f.claims), wrongType},
		{"typ in upper case", f.head("typ", `"SESSION+JWT"`), wrongType},
		{"another audience", f.body("aud", `"lectern-api"`), session.WrongIssuer},
		{"no audience", f.token(f.header, f.without(f.claims, "aud")), claims},
		{"several audiences, ours among them", f.body("aud", `["lectern","other"]`), claims},
		{"another issuer", f.body("iss", `"https://evil.example"`), session.WrongIssuer},
		{"our issuer with a slash", f.body("iss", strings.TrimSuffix(f.member("iss"), `"`)+`/"`), session.WrongIssuer},
		{"no issuer", f.token(f.header, f.without(f.claims, "iss")), claims},

		{"expired this second", f.body("exp", at(0)), session.Expired},
		{"expired long ago", f.body("exp", `1`), session.Expired},
		{"no exp", f.token(f.header, f.without(f.claims, "exp")), claims},
		{"exp zero", f.body("exp", `0`), claims},
		{"exp below zero", f.body("exp", `-1`), session.Expired},
		{"exp as a string", f.body("exp", `"9999999999"`), claims},
		{"exp with a fraction", f.body("exp", at(time.Minute)+".5"), claims},
		{"exp 1e300", f.body("exp", `1e300`), claims},
		{"exp in the year 10000", f.body("exp", `253402300800`), claims},
		{"exp null", f.body("exp", `null`), claims},
		{"EXP in the place of exp", f.token(f.header, plus(f.without(f.claims, "exp"), "EXP", at(time.Minute))), claims},
		{"two exps, the later last", f.token(f.header, plus(f.set(f.claims, "exp", at(-time.Hour)), "exp", at(time.Minute))), claims},
		{"not good yet", f.body("nbf", at(time.Second)), session.NotYet},
		{"no nbf", f.token(f.header, f.without(f.claims, "nbf")), claims},
		{"issued in the future", f.body("iat", at(6*time.Second)), session.NotYet},
		{"no iat", f.token(f.header, f.without(f.claims, "iat")), claims},
		{"no auth_time", f.token(f.header, f.without(f.claims, "auth_time")), claims},
		{"proved in the future", f.body("auth_time", at(time.Hour)), claims},

		{"two roles, admin last", f.token(f.header, plus(f.claims, "role", `"admin"`)), claims},
		{"two roles, admin first", f.token(f.header, ahead(f.claims, "role", `"admin"`)), claims},
		{"ROLE beside role", f.token(f.header, plus(f.claims, "ROLE", `"admin"`)), claims},
		{"role written with an escape", f.token(f.header, plus(f.claims, `r\u006fle`, `"admin"`)), claims},
		{"a role that there is not", f.body("role", `"king"`), claims},
		{"a list of roles", f.body("role", `["admin"]`), claims},
		{"no role", f.token(f.header, f.without(f.claims, "role")), claims},
		{"no sub", f.token(f.header, f.without(f.claims, "sub")), claims},
		{"a sub that is nobody's shape", f.body("sub", `"1 OR 1=1"`), claims},
		{"no jti", f.token(f.header, f.without(f.claims, "jti")), claims},
		{"a claim too many", f.token(f.header, plus(f.claims, "admin", `true`)), claims},
		{"a claim that is not UTF-8", f.body("jti", "\"\xff\xfe\""), claims},
		{"claims that are null", f.token(f.header, "null"), claims},
		{"claims that are a list", f.token(f.header, "[]"), claims},
		{"claims with something behind them", f.token(f.header, f.claims+"{}"), claims},
		{"deeply nested claims", f.token(f.header, plus(f.claims, "x", nested)), claims},

		{"padded", f.genuine + "=", malformed},
		{"with a full stop behind it", f.genuine + ".", malformed},
		{"with four parts", f.genuine + "." + good[2], malformed},
		{"with the alphabet of plain base64", good[0] + "." + good[1] + "." + "+" + good[2][1:], malformed},
		{"with other spare bits in its last character", respelt(f.genuine), badSignature},
		{"longer than a cookie can be", f.genuine + strings.Repeat("A", 5000), malformed},
		{"all full stops", strings.Repeat(".", 3000), malformed},
		{"called a bearer", "Bearer " + f.genuine, malformed},
		{"a number as a server keeps it", "Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9y", malformed},
	}
	return attacks
}

// member is the JSON of a claim.
func (f *forger) member(name string) string {
	var members map[string]json.RawMessage
	must(f.t, json.Unmarshal([]byte(f.claims), &members))
	return string(members[name])
}

func rival(alg token.Algorithm) string {
	if alg == token.HS256 {
		return string(token.EdDSA)
	}
	return string(token.HS256)
}

// sign signs with the site's own key bytes, by another algorithm than the site's.
func sign(f *forger, alg, signed string) string {
	if alg == string(token.HS256) {
		return mac(sha256.New, f.secret, signed)
	}
	return base64url(ed25519.Sign(ed25519.NewKeyFromSeed(f.secret), []byte(signed)))
}

// confused is a token that names another algorithm, and is honestly signed by it.
func confused(f *forger, alg string, signature func(string) string) string {
	signed := joined(f.set(f.header, "alg", `"`+alg+`"`), f.claims)
	return signed + "." + signature(signed)
}

// respelt is the same token with the unused bits of its last character set.
func respelt(genuine string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, genuine[len(genuine)-1])
	return genuine[:len(genuine)-1] + string(alphabet[last|1])
}

// bait is a server that counts who comes.
func bait(t *testing.T) (string, *atomic.Int64) {
	var hits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(server.Close)
	return server.URL, &hits
}

// requestNumber is what differs from one refusal to the next: the request's own number.
var requestNumber = regexp.MustCompile(`[A-Za-z0-9_-]{12}(</code>|"\})`)

// refusal is an answer without what differs. What a page teaches about the
// credential that came with the request, the three lights and the strip, tells
// its sender what was wrong with it, and is left out.
func refusal(a answer) string {
	body := a.body
	if strings.Contains(body, "<main") {
		body, _, _ = strings.Cut(a.main(), "Three questions at the door")
	}
	return requestNumber.ReplaceAllString(body, "")
}

// TestAttacks_areAllRefusedAlike sends every forgery to the door: a page load is
// led to the sign-in page, anything else is 401 with the very same body, the log
// has one line with the reason, and nobody is called outside.
func TestAttacks_areAllRefusedAlike(t *testing.T) {
	t.Attr("asvs", "7.2.1 9.1.1 9.1.2")
	for _, alg := range []token.Algorithm{token.HS256, token.EdDSA} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			s := startSite(t, session.JWT, true, setting{algorithm: alg})
			f := forgerOf(t, s, alg, "lectern-jwt")
			address, hits := bait(t)
			s.refuses(t, f.cookie, session.JWT, append(tokenAttacks(f, address, s.clock.Now()),
				attack{"another site's token", forgerOf(t, startSite(t, session.JWT, true, setting{algorithm: alg}), alg, "lectern-jwt").genuine, session.UnknownKey}))
			if n := hits.Load(); n > 0 {
				t.Errorf("a server outside was called %d times", n)
			}
			b := s.browser()
			if got := b.get("/account", "Cookie", f.cookie+"="+f.genuine); got.status != http.StatusOK {
				t.Errorf("the genuine token answers %d", got.status)
			}
			if got := b.get("/account", "Cookie", f.cookie+"="+f.body("exp", fmt.Sprint(s.clock.Now().Add(time.Second).Unix()))); got.status != http.StatusOK {
				t.Errorf("a well-signed token in its last second answers %d", got.status)
			}
		})
	}
}

// TestAttacks_onAShortToken sends the same forgeries in the place of a hybrid's
// short token, without the ticket behind it.
func TestAttacks_onAShortToken(t *testing.T) {
	s := newSite(t, session.Hybrid)
	f := forgerOf(t, s, token.HS256, "lectern-access")
	address, hits := bait(t)
	s.refuses(t, f.cookie, session.Hybrid, tokenAttacks(f, address, s.clock.Now()))
	if n := hits.Load(); n > 0 {
		t.Errorf("a server outside was called %d times", n)
	}
	if got := s.browser().get("/account", "Cookie", f.cookie+"="+f.genuine); got.status != http.StatusOK {
		t.Errorf("the genuine token answers %d", got.status)
	}
}

// TestAttacks_onATicketForTheNextBand tries what people try with a refresh token.
func TestAttacks_onATicketForTheNextBand(t *testing.T) {
	t.Attr("asvs", "7.2.1")
	s := newSite(t, session.Hybrid)
	b := s.as(ada)
	genuine := b.cookie("lectern-refresh")
	family, secret, _ := strings.Cut(genuine, ".")
	other, _, _ := strings.Cut(s.as(bea).cookie("lectern-refresh"), ".")
	s.refuses(t, "lectern-refresh", session.Hybrid, []attack{
		{"a guess of the right shape", strings.Repeat("A", len(family)) + "." + strings.Repeat("A", len(secret)), session.Unknown},
		{"the family alone", family, session.Malformed},
		{"the family without a secret", family + ".", session.Malformed},
		{"the secret alone", secret, session.Malformed},
		{"the two the other way round", secret + "." + family, session.Malformed},
		{"padded", genuine + "=", session.Malformed},
		{"twice", genuine + genuine, session.Malformed},
		{"a statement", "' OR 1=1 --." + secret, session.Malformed},
		{"very long", strings.Repeat("A", 3000), session.Malformed},
		{"the short token", b.cookie("lectern-access"), session.Malformed},
		{"a token of its own", forgerOf(t, newSite(t, session.JWT), token.HS256, "lectern-jwt").genuine, session.Malformed},
		{"another person's family with one's own secret", other + "." + secret, session.Reused},
	})
	if got := s.browser().get("/account", "Cookie", "lectern-backend=hybrid; lectern-refresh="+genuine); got.status != http.StatusOK {
		t.Errorf("the genuine ticket answers %d", got.status)
	}
}

// TestAttacks_inAnothersName puts each kind's cookies into the others' names.
func TestAttacks_inAnothersName(t *testing.T) {
	t.Attr("asvs", "7.2.1 9.2.2")
	cookies := map[string]string{}
	for _, backend := range backends {
		b := newSite(t, backend).as(ada)
		for _, name := range cookiesOf(backend) {
			cookies[backend+" "+name] = b.cookie(name)
		}
	}
	for _, backend := range backends {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, backend)
			own := map[string]string{}
			for _, kind := range backends {
				b := s.browser()
				b.post("/signin", "email", ada, "password", password, "backend", kind).want(t, http.StatusSeeOther)
				for _, name := range cookiesOf(kind) {
					own[kind+" "+name] = b.cookie(name)
				}
			}
			for _, all := range []map[string]string{own, cookies} {
				for from, value := range all {
					kind, home, _ := strings.Cut(from, " ")
					for _, name := range cookiesOf(backend) {
						if kind == backend && home == name {
							continue
						}
						got := s.browser().get("/account", "Cookie", "lectern-backend="+backend+"; "+name+"="+value)
						if got.status != http.StatusSeeOther {
							t.Errorf("%s as %s: a page load answers %d", from, name, got.status)
						}
					}
				}
			}
		})
	}
}

// TestAttacks_onANumber tries what people try with a session id.
func TestAttacks_onANumber(t *testing.T) {
	t.Attr("asvs", "7.2.1")
	for _, backend := range []string{session.Memory, session.Database, session.Redis} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, backend)
			genuine := s.as(ada).cookie("lectern-sid")
			flipped := "A" + genuine[1:]
			if flipped == genuine {
				flipped = "B" + genuine[1:]
			}
			hash := fmt.Sprintf("%x", sha256.Sum256([]byte(genuine)))
			s.refuses(t, "lectern-sid", backend, []attack{
				{"a guess", "Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9y", session.Unknown},
				{"one character changed", flipped, session.Unknown},
				{"its hash, out of the table or the log", hash, session.Malformed},
				{"half of its hash", hash[:32], session.Unknown},
				{"cut short", genuine[:31], session.Malformed},
				{"one character more", genuine + "A", session.Malformed},
				{"padded", genuine[:31] + "=", session.Malformed},
				{"a statement", "' OR '1'='1", session.Malformed},
				{"a statement of the right length", "' OR 1=1 --                     ", session.Malformed},
				{"a command of Redis", "redis.call('FLUSHALL')*********", session.Malformed},
				{"a pattern", "********************************", session.Malformed},
				{"a path", "../../../../../../../../etc/pass", session.Malformed},
				{"very long", strings.Repeat("A", 3000), session.Malformed},
				{"a token", forgerOf(t, newSite(t, session.JWT), token.HS256, "lectern-jwt").genuine, session.Malformed},
			})
		})
	}
}

// refuses sends each attack as a page load, as a form and from a program.
func (s *site) refuses(t *testing.T, cookie, backend string, attacks []attack) {
	t.Helper()
	b := s.browser()
	want := map[string]string{}
	for i, a := range attacks {
		header := []string{"Cookie", "lectern-backend=" + backend + "; " + cookie + "=" + a.value}
		before := len(s.log.String())
		page := b.get("/account", header...)
		if page.status != http.StatusSeeOther || page.location != "/signin?next=%2Faccount" {
			t.Errorf("%s: a page load answers %d to %q", a.says, page.status, page.location)
		}
		s.oneLine(t, a, s.log.String()[before:])
		for what, got := range map[string]answer{
			"a form":    b.send(http.MethodPost, "/account/profile", "name=Ada", append(header, "Content-Type", "application/x-www-form-urlencoded")...),
			"a program": b.get("/api/v1/me", header...),
			"JSON":      b.get("/account", append(header, "Accept", "application/json")...),
		} {
			body := refusal(got)
			if i == 0 {
				want[what] = body
			}
			if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %s answers %d, WWW-Authenticate %q", a.says, what, got.status, got.header.Get("WWW-Authenticate"))
			}
			if body != want[what] {
				t.Errorf("%s: %s has another body than %s:\n%s\n\n%s", a.says, what, attacks[0].says, body, want[what])
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, `"level":"ERROR"`) {
		t.Error("the log has an error")
	}
}

// oneLine holds where the log has one line about a request, with the reason, and
// no part of what was sent.
func (s *site) oneLine(t *testing.T, a attack, log string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(log), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], fmt.Sprintf(`"refused":%q`, a.reason)) {
		t.Errorf("%s: the log says %s, want one line with %q", a.says, log, a.reason)
	}
	if len(a.value) > 20 && strings.Contains(log, a.value[len(a.value)-20:]) {
		t.Errorf("%s: the log has the cookie", a.says)
	}
}
