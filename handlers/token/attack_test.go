package token

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
)

// TestRead_refusesForgeries is the list of what people try. Where nothing else
// is said, the token is signed with our own key: the signature alone must not
// be enough (RFC 8725).
func TestRead_refusesForgeries(t *testing.T) {
	i := newIssuer(t, testKey, noon)
	good := body(goodClaims)
	if _, problem := read(i, good); problem != "" {
		t.Fatalf("the good token is refused: %s", problem)
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
		problem     Problem
	}{
		{"alg none, without a signature", encoded(goodHeader.with("alg", `"none"`).String()) + "." + encoded(claims) + ".", Malformed},
		{"alg none, of two parts", encoded(goodHeader.with("alg", `"none"`).String()) + "." + encoded(claims), Malformed},
		{"alg none, with our signature", head(goodHeader.with("alg", `"none"`)), BadAlgorithm},
		{"alg None", head(goodHeader.with("alg", `"None"`)), BadAlgorithm},
		{"alg NONE", head(goodHeader.with("alg", `"NONE"`)), BadAlgorithm},
		{"alg nOnE", head(goodHeader.with("alg", `"nOnE"`)), BadAlgorithm},
		{"alg none with a space", head(goodHeader.with("alg", `"none "`)), BadAlgorithm},
		{"alg empty", head(goodHeader.with("alg", `""`)), BadAlgorithm},
		{"alg null", head(goodHeader.with("alg", `null`)), BadAlgorithm},
		{"alg missing", head(goodHeader.without("alg")), BadAlgorithm},
		{"alg a list", head(goodHeader.with("alg", `["HS256"]`)), Malformed},
		{"alg in lower case", head(goodHeader.with("alg", `"hs256"`)), BadAlgorithm},
		{"HS384 with our key", algorithm("HS384", hmacWith(sha512.New384)), BadAlgorithm},
		{"HS512 with our key", algorithm("HS512", hmacWith(sha512.New)), BadAlgorithm},
		{"RS256 with a key of the forger's own", algorithm("RS256", rs256), BadAlgorithm},
		{"RS256 in name, signed with our key", head(goodHeader.with("alg", `"RS256"`)), BadAlgorithm},
		{"HS256 in name, signed by RSA", algorithm("HS256", rs256), BadSignature},
		{"HS256 in name, signed by HS512", algorithm("HS256", hmacWith(sha512.New)), BadSignature},
		{"EdDSA with our key for a seed", algorithm("EdDSA", edDSA), BadAlgorithm},
		{"alg written with an escape", head(goodHeader.with("alg", `"HS256\u0000"`)), BadAlgorithm},

		{"an empty kid", head(goodHeader.with("kid", `""`)), UnknownKey},
		{"no kid", head(goodHeader.without("kid")), UnknownKey},
		{"a kid that nobody knows", head(goodHeader.with("kid", `"other"`)), UnknownKey},
		{"a kid that climbs to /dev/null", head(goodHeader.with("kid", `"../../../../dev/null"`)), UnknownKey},
		{"a kid that is a statement", head(goodHeader.with("kid", `"' UNION SELECT 'x"`)), UnknownKey},
		{"a kid with a zero byte behind ours", head(goodHeader.with("kid", `"test\u0000"`)), UnknownKey},
		{"a kid in upper case", head(goodHeader.with("kid", `"TEST"`)), UnknownKey},
		{"a kid that is a number", head(goodHeader.with("kid", `7`)), Malformed},
		{"two kids, ours last", head(goodHeader.after("kid", `"other"`)), Malformed},
		{"two kids, ours first", head(goodHeader.plus("kid", `"other"`)), Malformed},
		{"signed with the empty key", forge(goodHeader.String(), claims, ""), BadSignature},
		{"signed with another key under our kid", forge(goodHeader.String(), claims, strings.Repeat("x", 32)), BadSignature},
		{"signed with our key and a zero byte more", forge(goodHeader.String(), claims, testSecret+"\x00"+strings.Repeat("y", 40)), BadSignature},
		{"signed with our key as it is written in the settings", forge(goodHeader.String(), claims, strings.TrimPrefix(testKey, "test:")), BadSignature},

		{"a jku header", head(goodHeader.plus("jku", `"https://evil.example/keys"`)), Malformed},
		{"a jwk header", head(goodHeader.plus("jwk", `{"kty":"oct","k":"AAAA"}`)), Malformed},
		{"an x5u header", head(goodHeader.plus("x5u", `"https://evil.example/cert"`)), Malformed},
		{"an x5c header", head(goodHeader.plus("x5c", `["MIIB"]`)), Malformed},
		{"a crit header", head(goodHeader.plus("crit", `["exp"]`)), Malformed},
		{"an empty crit header", head(goodHeader.plus("crit", `[]`)), Malformed},
		{"a b64 header", head(goodHeader.plus("b64", `false`)), Malformed},
		{"a cty header", head(goodHeader.plus("cty", `"JWT"`)), Malformed},
		{"two algs, none first", head(goodHeader.after("alg", `"none"`)), Malformed},
		{"two algs, none last", head(goodHeader.plus("alg", `"none"`)), Malformed},
		{"ALG beside alg", head(goodHeader.plus("ALG", `"none"`)), Malformed},
		{"Alg in the place of alg", head(goodHeader.without("alg").plus("Alg", `"HS256"`)), Malformed},
		{"alg written with an escape in its name", forge(`{"alg":"none","\u0061lg":"HS256","kid":"test","typ":"session+jwt"}`, claims, testSecret), Malformed},
		{"TYP in the place of typ", head(goodHeader.without("typ").plus("TYP", `"session+jwt"`)), Malformed},
		{"a header that is null", forge("null", claims, testSecret), BadAlgorithm},
		{"a header that is a list", forge("[]", claims, testSecret), Malformed},
		{"a header that is a word", forge(`"HS256"`, claims, testSecret), Malformed},
		{"a header with something behind it", forge(goodHeader.String()+"{}", claims, testSecret), Malformed},
		{"a header that is not UTF-8", head(goodHeader.with("kid", "\"test\xff\"")), Malformed},
		{"an access token", head(goodHeader.with("typ", `"at+jwt"`)), BadType},
		{"a plain JWT", head(goodHeader.with("typ", `"JWT"`)), BadType},
		{"no typ", head(goodHeader.without("typ")), BadType},
		{"typ in upper case", head(goodHeader.with("typ", `"SESSION+JWT"`)), BadType},
		{"typ with application/ in front", head(goodHeader.with("typ", `"application/session+jwt"`)), BadType},

		{"two roles, admin last", body(goodClaims.plus("role", `"admin"`)), BadClaims},
		{"two roles, admin first", body(goodClaims.after("role", `"admin"`)), BadClaims},
		{"ROLE beside role", body(goodClaims.plus("ROLE", `"admin"`)), BadClaims},
		{"Role in the place of role", body(goodClaims.without("role").plus("Role", `"admin"`)), BadClaims},
		{"two exps, the good one last", body(goodClaims.after("exp", unix(-time.Hour))), BadClaims},
		{"EXP in the place of exp", body(goodClaims.without("exp").plus("EXP", unix(time.Hour))), BadClaims},
		{"a claim that nobody asked for", body(goodClaims.plus("admin", `true`)), BadClaims},
		{"no role", body(goodClaims.without("role")), BadClaims},
		{"a list of roles", body(goodClaims.with("role", `["student","admin"]`)), BadClaims},
		{"no sub", body(goodClaims.without("sub")), BadClaims},
		{"a sub that is a number", body(goodClaims.with("sub", `1`)), BadClaims},
		{"no jti", body(goodClaims.without("jti")), BadClaims},
		{"no amr", body(goodClaims.without("amr")), BadClaims},
		{"an empty amr", body(goodClaims.with("amr", `[]`)), BadClaims},
		{"amr as a word", body(goodClaims.with("amr", `"pwd"`)), BadClaims},

		{"exp as a string", body(goodClaims.with("exp", `"`+unix(time.Hour)+`"`)), BadClaims},
		{"exp with a fraction", body(goodClaims.with("exp", unix(time.Hour)+".5")), BadClaims},
		{"exp as 1e10", body(goodClaims.with("exp", `1e10`)), BadClaims},
		{"exp as 1e300", body(goodClaims.with("exp", `1e300`)), BadClaims},
		{"exp beyond 64 bits", body(goodClaims.with("exp", `9223372036854775808`)), BadClaims},
		{"exp negative", body(goodClaims.with("exp", `-1`)), Expired},
		{"exp null", body(goodClaims.with("exp", `null`)), BadClaims},
		{"no exp", body(goodClaims.without("exp")), BadClaims},
		{"exp in the year 10000", body(goodClaims.with("exp", `253402300800`)), BadClaims},
		{"exp a second beyond the longest life", body(goodClaims.with("exp", unix(720*time.Hour+time.Second))), BadClaims},
		{"exp now", body(goodClaims.with("exp", unix(0))), Expired},
		{"exp a second ago", body(goodClaims.with("exp", unix(-time.Second))), Expired},
		{"iat six seconds ahead", body(goodClaims.with("iat", unix(6*time.Second))), NotYet},
		{"iat next year, exp the year after", body(goodClaims.with("iat", unix(8760*time.Hour)).with("exp", unix(8800*time.Hour))), NotYet},
		{"iat as a string", body(goodClaims.with("iat", `"`+unix(0)+`"`)), BadClaims},
		{"iat negative", body(goodClaims.with("iat", `-1`)), BadClaims},
		{"iat the largest number there is", body(goodClaims.with("iat", `9223372036854775807`)), BadClaims},
		{"no iat", body(goodClaims.without("iat")), BadClaims},
		{"nbf a second ahead", body(goodClaims.with("nbf", unix(time.Second))), NotYet},
		{"nbf as a string", body(goodClaims.with("nbf", `"0"`)), BadClaims},
		{"no nbf", body(goodClaims.without("nbf")), BadClaims},
		{"auth_time ahead", body(goodClaims.with("auth_time", unix(time.Minute))), BadClaims},
		{"auth_time negative", body(goodClaims.with("auth_time", `-5`)), BadClaims},
		{"no auth_time", body(goodClaims.without("auth_time")), BadClaims},

		{"another site's iss", body(goodClaims.with("iss", `"https://other.example"`)), WrongIssuer},
		{"our iss with a slash behind it", body(goodClaims.with("iss", `"https://lectern.example/"`)), WrongIssuer},
		{"our iss in upper case", body(goodClaims.with("iss", `"HTTPS://LECTERN.EXAMPLE"`)), WrongIssuer},
		{"no iss", body(goodClaims.without("iss")), BadClaims},
		{"another aud", body(goodClaims.with("aud", `"lectern-api"`)), WrongIssuer},
		{"no aud", body(goodClaims.without("aud")), BadClaims},
		{"a list of auds, ours among them", body(goodClaims.with("aud", `["lectern","other"]`)), BadClaims},

		{"claims that are null", forge(goodHeader.String(), "null", testSecret), BadClaims},
		{"claims that are a list", forge(goodHeader.String(), "["+claims+"]", testSecret), BadClaims},
		{"claims that are an empty object", forge(goodHeader.String(), "{}", testSecret), BadClaims},
		{"claims with something behind them", forge(goodHeader.String(), claims+"{}", testSecret), BadClaims},
		{"claims twice", forge(goodHeader.String(), claims+claims, testSecret), BadClaims},
		{"claims cut short", forge(goodHeader.String(), claims[:len(claims)-1], testSecret), BadClaims},
		{"claims nested a thousand deep", forge(goodHeader.String(), strings.Repeat("[", 1000)+strings.Repeat("]", 1000), testSecret), BadClaims},
		{"a claim nested a thousand deep", body(goodClaims.with("amr", strings.Repeat("[", 1000)+strings.Repeat("]", 1000))), BadClaims},
		{"claims that are not UTF-8", body(goodClaims.with("jti", "\"\xff\xfe\"")), BadClaims},
		{"claims with half a surrogate", body(goodClaims.with("jti", `"\ud800"`)), BadClaims},
		{"claims behind a byte order mark", forge(goodHeader.String(), "\ufeff"+claims, testSecret), BadClaims},

		{"nothing", "", Malformed},
		{"two full stops", "..", Malformed},
		{"a word", "token", Malformed},
		{"two parts", signed, Malformed},
		{"four parts", good + "." + sig, Malformed},
		{"a full stop at the end", good + ".", Malformed},
		{"a full stop in front", "." + good, Malformed},
		{"padding at the end", good + "=", Malformed},
		{"padding in the middle", strings.Replace(good, ".", "=.", 1), Malformed},
		{"a line break at the end", good + "\n", Malformed},
		{"a line break in the signature", good[:len(good)-5] + "\n" + good[len(good)-5:], Malformed},
		{"a carriage return in the claims", strings.Replace(good, ".", ".\r", 1), Malformed},
		{"a space in front", " " + good, Malformed},
		{"a tab at the end", good + "\t", Malformed},
		{"the letters of the other base64", signed + "." + strings.Repeat("+/", 21) + "A", Malformed},
		{"the word Bearer in front", "Bearer " + good, Malformed},
		{"JSON in the place of the three parts", `{"protected":"` + encoded(goodHeader.String()) + `","payload":"` + encoded(claims) + `","signature":"` + sig + `"}`, Malformed},
		{"a token of five parts, as encrypted ones have", good + ".AAAA.AAAA", Malformed},
		{"a token longer than a cookie", body(goodClaims.with("amr", `["`+strings.Repeat("x", 3000)+`"]`)), Malformed},
		{"a header of one character", "A." + encoded(claims) + "." + sig, Malformed},
		{"a signature of one character", signed + ".A", BadSignature},
		{"half a signature", signed + "." + sig[:22], BadSignature},
		{"a signature with more behind it", good + "AAAA", BadSignature},
		{"a signature of nothing but zeros", signed + "." + strings.Repeat("A", 43), BadSignature},
		{"the claims of another token", encoded(goodHeader.String()) + "." + encoded(goodClaims.with("role", `"admin"`).String()) + "." + sig, BadSignature},
	} {
		t.Run(row.what, func(t *testing.T) {
			claims, problem := read(i, row.token)
			if claims != nil || problem != row.problem {
				t.Errorf("got %v, %q; want nothing, %q", claims, problem, row.problem)
			}
		})
	}
}

// What is at the edge of being refused is accepted.
func TestRead_acceptsWhatThisSiteWrites(t *testing.T) {
	i := newIssuer(t, testKey, noon)
	for what, token := range map[string]string{
		"the good token":                      body(goodClaims),
		"an iat five seconds ahead":           body(goodClaims.with("iat", unix(5*time.Second))),
		"an exp one second ahead":             body(goodClaims.with("exp", unix(time.Second))),
		"the longest life":                    body(goodClaims.with("exp", unix(720*time.Hour))),
		"a sign-in long before":               body(goodClaims.with("auth_time", unix(-700*time.Hour))),
		"another order of the header's names": forge(`{"typ":"session+jwt","kid":"test","alg":"HS256"}`, goodClaims.String(), testSecret),
	} {
		if _, problem := read(i, token); problem != "" {
			t.Errorf("%s is refused: %s", what, problem)
		}
	}
}

func TestRead_refusesEveryChangedBit(t *testing.T) {
	i := newIssuer(t, testKey, noon)
	good := body(goodClaims)
	for at := range len(good) {
		for bit := range 8 {
			bad := []byte(good)
			bad[at] ^= 1 << bit
			if claims, problem := read(i, string(bad)); claims != nil || problem == "" {
				t.Errorf("byte %d, bit %d changed: the token is accepted", at, bit)
			}
		}
		if claims, problem := read(i, good[:at]+good[at+1:]); claims != nil || problem == "" {
			t.Errorf("byte %d left out: the token is accepted", at)
		}
	}
}

// The last character of a signature carries only four of its six bits; a
// lenient decoder takes four spellings for one signature.
func TestRead_takesOneSpellingOfASignature(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := newIssuer(t, testKey, noon)
	good := body(goodClaims)
	accepted := 0
	for _, last := range alphabet {
		if _, problem := read(i, good[:len(good)-1]+string(last)); problem == "" {
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
		problem    Problem
	}{
		{"a new key before the old one", second + "," + testKey, ""},
		{"the old key dropped", second, UnknownKey},
		{"another key under the old kid", "test:" + strings.TrimPrefix(second, "second:"), BadSignature},
	} {
		if _, problem := read(newIssuer(t, row.keys, noon), old); problem != row.problem {
			t.Errorf("%s: got %q, want %q", row.what, problem, row.problem)
		}
	}
	rotated := newIssuer(t, second+","+testKey, noon)
	token, err := rotated.Sign(SessionUse, Claims{Common: Common{Subject: ada, ID: "one", IssuedAt: noon.Unix(), Expires: noon.Add(time.Hour).Unix(), AuthTime: noon.Unix(), Role: "student"}, Methods: []string{"pwd"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, problem := read(rotated, token); problem != "" {
		t.Errorf("what was signed after a change of keys is refused: %q", problem)
	}
	if _, problem := read(newIssuer(t, testKey, noon), token); problem != UnknownKey {
		t.Errorf("after a change of keys the first one does not sign: %q", problem)
	}
}
