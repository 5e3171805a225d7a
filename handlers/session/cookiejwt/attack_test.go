package cookiejwt

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strings"
	"testing"
	"time"

	"lectern/handlers/session"
)

// TestRead_refusesForgeries is the list of what people try. Where nothing else
// is said, the token is signed with our own key: the signature alone must not
// be enough (RFC 8725).
func TestRead_refusesForgeries(t *testing.T) {
	b := newBackend(t, testKey, noon)
	good := body(goodClaims)
	if _, reason := b.read(good, nil); reason != "" {
		t.Fatalf("the good token is refused: %s", reason)
	}
	signed, sig := good[:strings.LastIndexByte(good, '.')], good[strings.LastIndexByte(good, '.')+1:]
	claims := goodClaims.String()

	// with another algorithm, honestly signed by it
	algorithm := func(name string, sign func(signed []byte) []byte) string {
		signed := encoded(goodHeader.with("alg", `"`+name+`"`).String()) + "." + encoded(claims)
		return signed + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(signed)))
	}
	hmacWith := func(h func() hash.Hash) func([]byte) []byte {
		return func(signed []byte) []byte {
			mac := hmac.New(h, []byte(testSecret))
			mac.Write(signed)
			return mac.Sum(nil)
		}
	}
	edDSA := func(signed []byte) []byte { return ed25519.Sign(ed25519.NewKeyFromSeed([]byte(testSecret)), signed) }
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rs256 := func(signed []byte) []byte {
		digest := sha256.Sum256(signed)
		raw, err := rsa.SignPKCS1v15(rand.Reader, pair, crypto.SHA256, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}

	for _, row := range []struct {
		what, token string
		reason      session.Reason
	}{
		{"alg none, without a signature", encoded(goodHeader.with("alg", `"none"`).String()) + "." + encoded(claims) + ".", session.Malformed},
		{"alg none, of two parts", encoded(goodHeader.with("alg", `"none"`).String()) + "." + encoded(claims), session.Malformed},
		{"alg none, with our signature", head(goodHeader.with("alg", `"none"`)), session.BadAlgorithm},
		{"alg None", head(goodHeader.with("alg", `"None"`)), session.BadAlgorithm},
		{"alg NONE", head(goodHeader.with("alg", `"NONE"`)), session.BadAlgorithm},
		{"alg nOnE", head(goodHeader.with("alg", `"nOnE"`)), session.BadAlgorithm},
		{"alg none with a space", head(goodHeader.with("alg", `"none "`)), session.BadAlgorithm},
		{"alg empty", head(goodHeader.with("alg", `""`)), session.BadAlgorithm},
		{"alg null", head(goodHeader.with("alg", `null`)), session.BadAlgorithm},
		{"alg missing", head(goodHeader.without("alg")), session.BadAlgorithm},
		{"alg a list", head(goodHeader.with("alg", `["HS256"]`)), session.Malformed},
		{"alg in lower case", head(goodHeader.with("alg", `"hs256"`)), session.BadAlgorithm},
		{"HS384 with our key", algorithm("HS384", hmacWith(sha512.New384)), session.BadAlgorithm},
		{"HS512 with our key", algorithm("HS512", hmacWith(sha512.New)), session.BadAlgorithm},
		{"RS256 with a key of the forger's own", algorithm("RS256", rs256), session.BadAlgorithm},
		{"RS256 in name, signed with our key", head(goodHeader.with("alg", `"RS256"`)), session.BadAlgorithm},
		{"HS256 in name, signed by RSA", algorithm("HS256", rs256), session.BadSignature},
		{"HS256 in name, signed by HS512", algorithm("HS256", hmacWith(sha512.New)), session.BadSignature},
		{"EdDSA with our key for a seed", algorithm("EdDSA", edDSA), session.BadAlgorithm},
		{"alg written with an escape", head(goodHeader.with("alg", `"HS256\u0000"`)), session.BadAlgorithm},

		{"an empty kid", head(goodHeader.with("kid", `""`)), session.UnknownKey},
		{"no kid", head(goodHeader.without("kid")), session.UnknownKey},
		{"a kid that nobody knows", head(goodHeader.with("kid", `"other"`)), session.UnknownKey},
		{"a kid that climbs to /dev/null", head(goodHeader.with("kid", `"../../../../dev/null"`)), session.UnknownKey},
		{"a kid that is a statement", head(goodHeader.with("kid", `"' UNION SELECT 'x"`)), session.UnknownKey},
		{"a kid with a zero byte behind ours", head(goodHeader.with("kid", `"test\u0000"`)), session.UnknownKey},
		{"a kid in upper case", head(goodHeader.with("kid", `"TEST"`)), session.UnknownKey},
		{"a kid that is a number", head(goodHeader.with("kid", `7`)), session.Malformed},
		{"two kids, ours last", head(goodHeader.after("kid", `"other"`)), session.Malformed},
		{"two kids, ours first", head(goodHeader.plus("kid", `"other"`)), session.Malformed},
		{"signed with the empty key", forge(goodHeader.String(), claims, ""), session.BadSignature},
		{"signed with another key under our kid", forge(goodHeader.String(), claims, strings.Repeat("x", 32)), session.BadSignature},
		{"signed with our key and a zero byte more", forge(goodHeader.String(), claims, testSecret+"\x00"+strings.Repeat("y", 40)), session.BadSignature},
		{"signed with our key as it is written in the settings", forge(goodHeader.String(), claims, strings.TrimPrefix(testKey, "test:")), session.BadSignature},

		{"a jku header", head(goodHeader.plus("jku", `"https://evil.example/keys"`)), session.Malformed},
		{"a jwk header", head(goodHeader.plus("jwk", `{"kty":"oct","k":"AAAA"}`)), session.Malformed},
		{"an x5u header", head(goodHeader.plus("x5u", `"https://evil.example/cert"`)), session.Malformed},
		{"an x5c header", head(goodHeader.plus("x5c", `["MIIB"]`)), session.Malformed},
		{"a crit header", head(goodHeader.plus("crit", `["exp"]`)), session.Malformed},
		{"an empty crit header", head(goodHeader.plus("crit", `[]`)), session.Malformed},
		{"a b64 header", head(goodHeader.plus("b64", `false`)), session.Malformed},
		{"a cty header", head(goodHeader.plus("cty", `"JWT"`)), session.Malformed},
		{"two algs, none first", head(goodHeader.after("alg", `"none"`)), session.Malformed},
		{"two algs, none last", head(goodHeader.plus("alg", `"none"`)), session.Malformed},
		{"ALG beside alg", head(goodHeader.plus("ALG", `"none"`)), session.Malformed},
		{"Alg in the place of alg", head(goodHeader.without("alg").plus("Alg", `"HS256"`)), session.Malformed},
		{"alg written with an escape in its name", forge(`{"alg":"none","\u0061lg":"HS256","kid":"test","typ":"session+jwt"}`, claims, testSecret), session.Malformed},
		{"TYP in the place of typ", head(goodHeader.without("typ").plus("TYP", `"session+jwt"`)), session.Malformed},
		{"a header that is null", forge("null", claims, testSecret), session.BadAlgorithm},
		{"a header that is a list", forge("[]", claims, testSecret), session.Malformed},
		{"a header that is a word", forge(`"HS256"`, claims, testSecret), session.Malformed},
		{"a header with something behind it", forge(goodHeader.String()+"{}", claims, testSecret), session.Malformed},
		{"a header that is not UTF-8", head(goodHeader.with("kid", "\"test\xff\"")), session.Malformed},
		{"an access token", head(goodHeader.with("typ", `"at+jwt"`)), session.BadType},
		{"a plain JWT", head(goodHeader.with("typ", `"JWT"`)), session.BadType},
		{"no typ", head(goodHeader.without("typ")), session.BadType},
		{"typ in upper case", head(goodHeader.with("typ", `"SESSION+JWT"`)), session.BadType},
		{"typ with application/ in front", head(goodHeader.with("typ", `"application/session+jwt"`)), session.BadType},

		{"two roles, admin last", body(goodClaims.plus("role", `"admin"`)), session.BadClaims},
		{"two roles, admin first", body(goodClaims.after("role", `"admin"`)), session.BadClaims},
		{"ROLE beside role", body(goodClaims.plus("ROLE", `"admin"`)), session.BadClaims},
		{"Role in the place of role", body(goodClaims.without("role").plus("Role", `"admin"`)), session.BadClaims},
		{"two exps, the good one last", body(goodClaims.after("exp", unix(-time.Hour))), session.BadClaims},
		{"EXP in the place of exp", body(goodClaims.without("exp").plus("EXP", unix(time.Hour))), session.BadClaims},
		{"a claim that nobody asked for", body(goodClaims.plus("admin", `true`)), session.BadClaims},
		{"a role that the school does not have", body(goodClaims.with("role", `"root"`)), session.BadClaims},
		{"a role with a space behind it", body(goodClaims.with("role", `"admin "`)), session.BadClaims},
		{"no role", body(goodClaims.without("role")), session.BadClaims},
		{"a list of roles", body(goodClaims.with("role", `["student","admin"]`)), session.BadClaims},
		{"no sub", body(goodClaims.without("sub")), session.BadClaims},
		{"a sub that is not one of our ids", body(goodClaims.with("sub", `"1"`)), session.BadClaims},
		{"a sub that is a number", body(goodClaims.with("sub", `1`)), session.BadClaims},
		{"no jti", body(goodClaims.without("jti")), session.BadClaims},
		{"no amr", body(goodClaims.without("amr")), session.BadClaims},
		{"an empty amr", body(goodClaims.with("amr", `[]`)), session.BadClaims},
		{"amr as a word", body(goodClaims.with("amr", `"pwd"`)), session.BadClaims},

		{"exp as a string", body(goodClaims.with("exp", `"`+unix(time.Hour)+`"`)), session.BadClaims},
		{"exp with a fraction", body(goodClaims.with("exp", unix(time.Hour)+".5")), session.BadClaims},
		{"exp as 1e10", body(goodClaims.with("exp", `1e10`)), session.BadClaims},
		{"exp as 1e300", body(goodClaims.with("exp", `1e300`)), session.BadClaims},
		{"exp beyond 64 bits", body(goodClaims.with("exp", `9223372036854775808`)), session.BadClaims},
		{"exp negative", body(goodClaims.with("exp", `-1`)), session.Expired},
		{"exp null", body(goodClaims.with("exp", `null`)), session.BadClaims},
		{"no exp", body(goodClaims.without("exp")), session.BadClaims},
		{"exp in the year 10000", body(goodClaims.with("exp", `253402300800`)), session.BadClaims},
		{"exp a second beyond the longest life", body(goodClaims.with("exp", unix(720*time.Hour+time.Second))), session.BadClaims},
		{"exp now", body(goodClaims.with("exp", unix(0))), session.Expired},
		{"exp a second ago", body(goodClaims.with("exp", unix(-time.Second))), session.Expired},
		{"iat six seconds ahead", body(goodClaims.with("iat", unix(6*time.Second))), session.NotYet},
		{"iat next year, exp the year after", body(goodClaims.with("iat", unix(8760*time.Hour)).with("exp", unix(8800*time.Hour))), session.NotYet},
		{"iat as a string", body(goodClaims.with("iat", `"`+unix(0)+`"`)), session.BadClaims},
		{"iat negative", body(goodClaims.with("iat", `-1`)), session.BadClaims},
		{"iat the largest number there is", body(goodClaims.with("iat", `9223372036854775807`)), session.BadClaims},
		{"no iat", body(goodClaims.without("iat")), session.BadClaims},
		{"nbf a second ahead", body(goodClaims.with("nbf", unix(time.Second))), session.NotYet},
		{"nbf as a string", body(goodClaims.with("nbf", `"0"`)), session.BadClaims},
		{"no nbf", body(goodClaims.without("nbf")), session.BadClaims},
		{"auth_time ahead", body(goodClaims.with("auth_time", unix(time.Minute))), session.BadClaims},
		{"auth_time negative", body(goodClaims.with("auth_time", `-5`)), session.BadClaims},
		{"no auth_time", body(goodClaims.without("auth_time")), session.BadClaims},

		{"another site's iss", body(goodClaims.with("iss", `"https://other.example"`)), session.WrongIssuer},
		{"our iss with a slash behind it", body(goodClaims.with("iss", `"https://lectern.example/"`)), session.WrongIssuer},
		{"our iss in upper case", body(goodClaims.with("iss", `"HTTPS://LECTERN.EXAMPLE"`)), session.WrongIssuer},
		{"no iss", body(goodClaims.without("iss")), session.BadClaims},
		{"another aud", body(goodClaims.with("aud", `"lectern-api"`)), session.WrongIssuer},
		{"no aud", body(goodClaims.without("aud")), session.BadClaims},
		{"a list of auds, ours among them", body(goodClaims.with("aud", `["lectern","other"]`)), session.BadClaims},

		{"claims that are null", forge(goodHeader.String(), "null", testSecret), session.BadClaims},
		{"claims that are a list", forge(goodHeader.String(), "["+claims+"]", testSecret), session.BadClaims},
		{"claims that are an empty object", forge(goodHeader.String(), "{}", testSecret), session.BadClaims},
		{"claims with something behind them", forge(goodHeader.String(), claims+"{}", testSecret), session.BadClaims},
		{"claims twice", forge(goodHeader.String(), claims+claims, testSecret), session.BadClaims},
		{"claims cut short", forge(goodHeader.String(), claims[:len(claims)-1], testSecret), session.BadClaims},
		{"claims nested a thousand deep", forge(goodHeader.String(), strings.Repeat("[", 1000)+strings.Repeat("]", 1000), testSecret), session.BadClaims},
		{"a claim nested a thousand deep", body(goodClaims.with("amr", strings.Repeat("[", 1000)+strings.Repeat("]", 1000))), session.BadClaims},
		{"claims that are not UTF-8", body(goodClaims.with("jti", "\"\xff\xfe\"")), session.BadClaims},
		{"claims with half a surrogate", body(goodClaims.with("jti", `"\ud800"`)), session.BadClaims},
		{"claims behind a byte order mark", forge(goodHeader.String(), "\ufeff"+claims, testSecret), session.BadClaims},

		{"nothing", "", session.Malformed},
		{"two full stops", "..", session.Malformed},
		{"a word", "token", session.Malformed},
		{"two parts", signed, session.Malformed},
		{"four parts", good + "." + sig, session.Malformed},
		{"a full stop at the end", good + ".", session.Malformed},
		{"a full stop in front", "." + good, session.Malformed},
		{"padding at the end", good + "=", session.Malformed},
		{"padding in the middle", strings.Replace(good, ".", "=.", 1), session.Malformed},
		{"a line break at the end", good + "\n", session.Malformed},
		{"a line break in the signature", good[:len(good)-5] + "\n" + good[len(good)-5:], session.Malformed},
		{"a carriage return in the claims", strings.Replace(good, ".", ".\r", 1), session.Malformed},
		{"a space in front", " " + good, session.Malformed},
		{"a tab at the end", good + "\t", session.Malformed},
		{"the letters of the other base64", signed + "." + strings.Repeat("+/", 21) + "A", session.Malformed},
		{"the word Bearer in front", "Bearer " + good, session.Malformed},
		{"JSON in the place of the three parts", `{"protected":"` + encoded(goodHeader.String()) + `","payload":"` + encoded(claims) + `","signature":"` + sig + `"}`, session.Malformed},
		{"a token of five parts, as encrypted ones have", good + ".AAAA.AAAA", session.Malformed},
		{"a token longer than a cookie", body(goodClaims.with("amr", `["`+strings.Repeat("x", 3000)+`"]`)), session.Malformed},
		{"a header of one character", "A." + encoded(claims) + "." + sig, session.Malformed},
		{"a signature of one character", signed + ".A", session.BadSignature},
		{"half a signature", signed + "." + sig[:22], session.BadSignature},
		{"a signature with more behind it", good + "AAAA", session.BadSignature},
		{"a signature of nothing but zeros", signed + "." + strings.Repeat("A", 43), session.BadSignature},
		{"the claims of another token", encoded(goodHeader.String()) + "." + encoded(goodClaims.with("role", `"admin"`).String()) + "." + sig, session.BadSignature},
	} {
		t.Run(row.what, func(t *testing.T) {
			rec, reason := b.read(row.token, nil)
			if rec != nil || reason != row.reason {
				t.Errorf("got %v, %q; want nothing, %q", rec, reason, row.reason)
			}
		})
	}
}

// What is at the edge of being refused is accepted.
func TestRead_acceptsWhatThisSiteWrites(t *testing.T) {
	b := newBackend(t, testKey, noon)
	for what, token := range map[string]string{
		"the good token":                      body(goodClaims),
		"an iat five seconds ahead":           body(goodClaims.with("iat", unix(5*time.Second))),
		"an exp one second ahead":             body(goodClaims.with("exp", unix(time.Second))),
		"the longest life":                    body(goodClaims.with("exp", unix(720*time.Hour))),
		"a sign-in long before":               body(goodClaims.with("auth_time", unix(-700*time.Hour))),
		"another order of the header's names": forge(`{"typ":"session+jwt","kid":"test","alg":"HS256"}`, goodClaims.String(), testSecret),
	} {
		if _, reason := b.read(token, nil); reason != "" {
			t.Errorf("%s is refused: %s", what, reason)
		}
	}
}

func TestRead_refusesEveryChangedBit(t *testing.T) {
	b := newBackend(t, testKey, noon)
	good := body(goodClaims)
	for i := range len(good) {
		for bit := range 8 {
			bad := []byte(good)
			bad[i] ^= 1 << bit
			if rec, reason := b.read(string(bad), nil); rec != nil || reason == "" {
				t.Errorf("byte %d, bit %d changed: the token is accepted", i, bit)
			}
		}
		if rec, reason := b.read(good[:i]+good[i+1:], nil); rec != nil || reason == "" {
			t.Errorf("byte %d left out: the token is accepted", i)
		}
	}
}

// The last character of a signature carries only four of its six bits; a
// lenient decoder takes four spellings for one signature.
func TestRead_takesOneSpellingOfASignature(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := newBackend(t, testKey, noon)
	good := body(goodClaims)
	accepted := 0
	for _, last := range alphabet {
		if _, reason := b.read(good[:len(good)-1]+string(last), nil); reason == "" {
			accepted++
		}
	}
	if accepted != 1 {
		t.Errorf("%d spellings of the last character are accepted, not 1", accepted)
	}
}

func TestRead_afterTheKeysChanged(t *testing.T) {
	const second = "second:enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmFaWVhXVlU"
	old := body(goodClaims)
	for _, row := range []struct {
		what, keys string
		reason     session.Reason
	}{
		{"a new key before the old one", second + "," + testKey, ""},
		{"the old key dropped", second, session.UnknownKey},
		{"another key under the old kid", "test:" + strings.TrimPrefix(second, "second:"), session.BadSignature},
	} {
		if _, reason := newBackend(t, row.keys, noon).read(old, nil); reason != row.reason {
			t.Errorf("%s: got %q, want %q", row.what, reason, row.reason)
		}
	}
	rotated := newBackend(t, second+","+testKey, noon)
	token, err := rotated.issue(&session.Record{Identity: session.Identity{UserID: ada, Role: "student", Methods: []string{"pwd"}, AuthAt: noon}})
	if err != nil {
		t.Fatal(err)
	}
	if _, reason := newBackend(t, testKey, noon).read(token, nil); reason != session.UnknownKey {
		t.Errorf("after a change of keys the first one does not sign: %q", reason)
	}
}
