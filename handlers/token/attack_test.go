package token

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// forgery is a token that somebody tries, and what is wrong with it.
type forgery struct {
	what, token string
	problem     Problem
}

// plusOrder adds the order of Ed25519's group to the second half of a
// signature: a lenient verifier takes both.
func plusOrder(signature []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	scalar := slices.Clone(signature[32:])
	slices.Reverse(scalar)
	sum := new(big.Int).Add(new(big.Int).SetBytes(scalar), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	return append(slices.Clone(signature[:32]), sum...)
}

// TestRead_refusesForgeries is the list of what people try. Where nothing else
// is said, the token is signed with our own key: the signature alone must not
// be enough (RFC 8725).
func TestRead_refusesForgeries(t *testing.T) {
	t.Attr("asvs", "1.5.3 9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3")
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		good := f.body(goodClaims)
		if _, problem := read(i, good); problem != "" {
			t.Fatalf("the good token is refused: %s", problem)
		}
		signed, sig := good[:strings.LastIndexByte(good, '.')], good[strings.LastIndexByte(good, '.')+1:]
		claims := goodClaims.String()

		// with another algorithm in the header, or with our own, and signed somehow
		algorithm := func(name string, sign func(signed string) []byte) string {
			return signedWith(f.header().with("alg", `"`+name+`"`).String(), claims, sign)
		}
		mac := func(h func() hash.Hash, secret string) func(string) []byte {
			return func(signed string) []byte { return hmacOf(h, signed, secret) }
		}
		edDSA := forger{EdDSA}
		ed25519With := func(secret string) func(string) []byte {
			return func(signed string) []byte { return edDSA.sign(signed, secret) }
		}
		public := string(pair(testSecret).Public().(ed25519.PublicKey))
		rsaPair, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		rs256 := func(signed string) []byte {
			digest := sha256.Sum256([]byte(signed))
			raw, err := rsa.SignPKCS1v15(rand.Reader, rsaPair, crypto.SHA256, digest[:])
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		ours := string(f.algorithm)
		crossed := map[Algorithm][]forgery{
			HS256: {
				{"EdDSA with our key for a seed", algorithm("EdDSA", ed25519With(testSecret)), BadAlgorithm},
				{"HS256 in name, signed by Ed25519 with our key for a seed", algorithm("HS256", ed25519With(testSecret)), BadSignature},
			},
			EdDSA: {
				{"HS256 with our public key for a secret", algorithm("HS256", mac(sha256.New, public)), BadAlgorithm},
				{"HS256 with our public key as it is published for a secret", algorithm("HS256", mac(sha256.New, encoded(public))), BadAlgorithm},
				{"HS256 with our seed for a secret", algorithm("HS256", mac(sha256.New, testSecret)), BadAlgorithm},
				{"EdDSA in name, signed by HMAC with our public key", algorithm("EdDSA", mac(sha256.New, public)), BadSignature},
				{"EdDSA in name, signed by HMAC with our seed", algorithm("EdDSA", mac(sha512.New, testSecret)), BadSignature},
				{"EdDSA with our public key for a seed", algorithm("EdDSA", ed25519With(public)), BadSignature},
				{"EdDSA with a key of the forger's own", algorithm("EdDSA", ed25519With("the forger's own")), BadSignature},
				{"Ed25519, the other name of the same", algorithm("Ed25519", ed25519With(testSecret)), BadAlgorithm},
				{"ES256 in name", algorithm("ES256", ed25519With(testSecret)), BadAlgorithm},
				{"a signature with the order of the group added", algorithm("EdDSA", func(signed string) []byte { return plusOrder(edDSA.sign(signed, testSecret)) }), BadSignature},
				{"a signature of the point that changes nothing", algorithm("EdDSA", func(string) []byte { return append([]byte{1}, make([]byte, 63)...) }), BadSignature},
			},
		}

		rows := []forgery{
			{"alg none, without a signature", encoded(f.header().with("alg", `"none"`).String()) + "." + encoded(claims) + ".", Malformed},
			{"alg none, of two parts", encoded(f.header().with("alg", `"none"`).String()) + "." + encoded(claims), Malformed},
			{"alg none, with our signature", f.head(f.header().with("alg", `"none"`)), BadAlgorithm},
			{"alg None", f.head(f.header().with("alg", `"None"`)), BadAlgorithm},
			{"alg NONE", f.head(f.header().with("alg", `"NONE"`)), BadAlgorithm},
			{"alg nOnE", f.head(f.header().with("alg", `"nOnE"`)), BadAlgorithm},
			{"alg none with a space", f.head(f.header().with("alg", `"none "`)), BadAlgorithm},
			{"alg empty", f.head(f.header().with("alg", `""`)), BadAlgorithm},
			{"alg null", f.head(f.header().with("alg", `null`)), BadAlgorithm},
			{"alg missing", f.head(f.header().without("alg")), BadAlgorithm},
			{"alg a list", f.head(f.header().with("alg", `["`+ours+`"]`)), Malformed},
			{"alg in lower case", f.head(f.header().with("alg", `"`+strings.ToLower(ours)+`"`)), BadAlgorithm},
			{"HS384 with our key", algorithm("HS384", mac(sha512.New384, testSecret)), BadAlgorithm},
			{"HS512 with our key", algorithm("HS512", mac(sha512.New, testSecret)), BadAlgorithm},
			{"RS256 with a key of the forger's own", algorithm("RS256", rs256), BadAlgorithm},
			{"RS256 in name, signed with our key", f.head(f.header().with("alg", `"RS256"`)), BadAlgorithm},
			{"our algorithm in name, signed by RSA", algorithm(ours, rs256), BadSignature},
			{"our algorithm in name, signed by HS512", algorithm(ours, mac(sha512.New, testSecret)), BadSignature},
			{"alg written with an escape", f.head(f.header().with("alg", `"`+ours+`\u0000"`)), BadAlgorithm},

			{"an empty kid", f.head(f.header().with("kid", `""`)), UnknownKey},
			{"no kid", f.head(f.header().without("kid")), UnknownKey},
			{"a kid that nobody knows", f.head(f.header().with("kid", `"other"`)), UnknownKey},
			{"a kid that climbs to /dev/null", f.head(f.header().with("kid", `"../../../../dev/null"`)), UnknownKey},
			{"a kid that is a statement", f.head(f.header().with("kid", `"' UNION SELECT 'x"`)), UnknownKey},
			{"a kid with a zero byte behind ours", f.head(f.header().with("kid", `"test\u0000"`)), UnknownKey},
			{"a kid in upper case", f.head(f.header().with("kid", `"TEST"`)), UnknownKey},
			{"a kid that is a number", f.head(f.header().with("kid", `7`)), Malformed},
			{"two kids, ours last", f.head(f.header().after("kid", `"other"`)), Malformed},
			{"two kids, ours first", f.head(f.header().plus("kid", `"other"`)), Malformed},
			{"signed with the empty key", f.forge(f.header().String(), claims, ""), BadSignature},
			{"signed with another key under our kid", f.forge(f.header().String(), claims, strings.Repeat("x", 32)), BadSignature},
			{"signed with our key and a zero byte more", f.forge(f.header().String(), claims, testSecret+"\x00"+strings.Repeat("y", 40)), BadSignature},
			{"signed with our key as it is written in the settings", f.forge(f.header().String(), claims, strings.TrimPrefix(testKey, "test:")), BadSignature},

			{"a jku header", f.head(f.header().plus("jku", `"https://evil.example/keys"`)), Malformed},
			{"a jwk header", f.head(f.header().plus("jwk", `{"kty":"oct","k":"AAAA"}`)), Malformed},
			{"an x5u header", f.head(f.header().plus("x5u", `"https://evil.example/cert"`)), Malformed},
			{"an x5c header", f.head(f.header().plus("x5c", `["MIIB"]`)), Malformed},
			{"a crit header", f.head(f.header().plus("crit", `["exp"]`)), Malformed},
			{"an empty crit header", f.head(f.header().plus("crit", `[]`)), Malformed},
			{"a b64 header", f.head(f.header().plus("b64", `false`)), Malformed},
			{"a cty header", f.head(f.header().plus("cty", `"JWT"`)), Malformed},
			{"two algs, none first", f.head(f.header().after("alg", `"none"`)), Malformed},
			{"two algs, none last", f.head(f.header().plus("alg", `"none"`)), Malformed},
			{"ALG beside alg", f.head(f.header().plus("ALG", `"none"`)), Malformed},
			{"Alg in the place of alg", f.head(f.header().without("alg").plus("Alg", `"`+ours+`"`)), Malformed},
			{"alg written with an escape in its name", f.forge(`{"alg":"none","\u0061lg":"`+ours+`","kid":"test","typ":"session+jwt"}`, claims, testSecret), Malformed},
			{"TYP in the place of typ", f.head(f.header().without("typ").plus("TYP", `"session+jwt"`)), Malformed},
			{"a header that is null", f.forge("null", claims, testSecret), BadAlgorithm},
			{"a header that is a list", f.forge("[]", claims, testSecret), Malformed},
			{"a header that is a word", f.forge(`"`+ours+`"`, claims, testSecret), Malformed},
			{"a header with something behind it", f.forge(f.header().String()+"{}", claims, testSecret), Malformed},
			{"a header that is not UTF-8", f.head(f.header().with("kid", "\"test\xff\"")), Malformed},
			{"an access token", f.head(f.header().with("typ", `"at+jwt"`)), BadType},
			{"a plain JWT", f.head(f.header().with("typ", `"JWT"`)), BadType},
			{"no typ", f.head(f.header().without("typ")), BadType},
			{"typ in upper case", f.head(f.header().with("typ", `"SESSION+JWT"`)), BadType},
			{"typ with application/ in front", f.head(f.header().with("typ", `"application/session+jwt"`)), BadType},

			{"two roles, admin last", f.body(goodClaims.plus("role", `"admin"`)), BadClaims},
			{"two roles, admin first", f.body(goodClaims.after("role", `"admin"`)), BadClaims},
			{"ROLE beside role", f.body(goodClaims.plus("ROLE", `"admin"`)), BadClaims},
			{"Role in the place of role", f.body(goodClaims.without("role").plus("Role", `"admin"`)), BadClaims},
			{"two exps, the good one last", f.body(goodClaims.after("exp", unix(-time.Hour))), BadClaims},
			{"EXP in the place of exp", f.body(goodClaims.without("exp").plus("EXP", unix(time.Hour))), BadClaims},
			{"a claim that nobody asked for", f.body(goodClaims.plus("admin", `true`)), BadClaims},
			{"no role", f.body(goodClaims.without("role")), BadClaims},
			{"a list of roles", f.body(goodClaims.with("role", `["student","admin"]`)), BadClaims},
			{"no sub", f.body(goodClaims.without("sub")), BadClaims},
			{"a sub that is a number", f.body(goodClaims.with("sub", `1`)), BadClaims},
			{"no jti", f.body(goodClaims.without("jti")), BadClaims},
			{"no amr", f.body(goodClaims.without("amr")), BadClaims},
			{"an empty amr", f.body(goodClaims.with("amr", `[]`)), BadClaims},
			{"amr as a word", f.body(goodClaims.with("amr", `"pwd"`)), BadClaims},

			{"exp as a string", f.body(goodClaims.with("exp", `"`+unix(time.Hour)+`"`)), BadClaims},
			{"exp with a fraction", f.body(goodClaims.with("exp", unix(time.Hour)+".5")), BadClaims},
			{"exp as 1e10", f.body(goodClaims.with("exp", `1e10`)), BadClaims},
			{"exp as 1e300", f.body(goodClaims.with("exp", `1e300`)), BadClaims},
			{"exp beyond 64 bits", f.body(goodClaims.with("exp", `9223372036854775808`)), BadClaims},
			{"exp negative", f.body(goodClaims.with("exp", `-1`)), Expired},
			{"exp null", f.body(goodClaims.with("exp", `null`)), BadClaims},
			{"no exp", f.body(goodClaims.without("exp")), BadClaims},
			{"exp in the year 10000", f.body(goodClaims.with("exp", `253402300800`)), BadClaims},
			{"exp a second beyond the longest life", f.body(goodClaims.with("exp", unix(720*time.Hour+time.Second))), BadClaims},
			{"exp now", f.body(goodClaims.with("exp", unix(0))), Expired},
			{"exp a second ago", f.body(goodClaims.with("exp", unix(-time.Second))), Expired},
			{"iat six seconds ahead", f.body(goodClaims.with("iat", unix(6*time.Second))), NotYet},
			{"iat next year, exp the year after", f.body(goodClaims.with("iat", unix(8760*time.Hour)).with("exp", unix(8800*time.Hour))), NotYet},
			{"iat as a string", f.body(goodClaims.with("iat", `"`+unix(0)+`"`)), BadClaims},
			{"iat negative", f.body(goodClaims.with("iat", `-1`)), BadClaims},
			{"iat the largest number there is", f.body(goodClaims.with("iat", `9223372036854775807`)), BadClaims},
			{"no iat", f.body(goodClaims.without("iat")), BadClaims},
			{"nbf a second ahead", f.body(goodClaims.with("nbf", unix(time.Second))), NotYet},
			{"nbf as a string", f.body(goodClaims.with("nbf", `"0"`)), BadClaims},
			{"no nbf", f.body(goodClaims.without("nbf")), BadClaims},
			{"auth_time ahead", f.body(goodClaims.with("auth_time", unix(time.Minute))), BadClaims},
			{"auth_time negative", f.body(goodClaims.with("auth_time", `-5`)), BadClaims},
			{"no auth_time", f.body(goodClaims.without("auth_time")), BadClaims},

			{"another site's iss", f.body(goodClaims.with("iss", `"https://other.example"`)), WrongIssuer},
			{"our iss with a slash behind it", f.body(goodClaims.with("iss", `"https://lectern.example/"`)), WrongIssuer},
			{"our iss in upper case", f.body(goodClaims.with("iss", `"HTTPS://LECTERN.EXAMPLE"`)), WrongIssuer},
			{"no iss", f.body(goodClaims.without("iss")), BadClaims},
			{"another aud", f.body(goodClaims.with("aud", `"lectern-api"`)), WrongIssuer},
			{"no aud", f.body(goodClaims.without("aud")), BadClaims},
			{"a list of auds, ours among them", f.body(goodClaims.with("aud", `["lectern","other"]`)), BadClaims},

			{"claims that are null", f.forge(f.header().String(), "null", testSecret), BadClaims},
			{"claims that are a list", f.forge(f.header().String(), "["+claims+"]", testSecret), BadClaims},
			{"claims that are an empty object", f.forge(f.header().String(), "{}", testSecret), BadClaims},
			{"claims with something behind them", f.forge(f.header().String(), claims+"{}", testSecret), BadClaims},
			{"claims twice", f.forge(f.header().String(), claims+claims, testSecret), BadClaims},
			{"claims cut short", f.forge(f.header().String(), claims[:len(claims)-1], testSecret), BadClaims},
			{"claims nested a thousand deep", f.forge(f.header().String(), strings.Repeat("[", 1000)+strings.Repeat("]", 1000), testSecret), BadClaims},
			{"a claim nested a thousand deep", f.body(goodClaims.with("amr", strings.Repeat("[", 1000)+strings.Repeat("]", 1000))), BadClaims},
			{"claims that are not UTF-8", f.body(goodClaims.with("jti", "\"\xff\xfe\"")), BadClaims},
			{"claims with half a surrogate", f.body(goodClaims.with("jti", `"\ud800"`)), BadClaims},
			{"claims behind a byte order mark", f.forge(f.header().String(), "\ufeff"+claims, testSecret), BadClaims},

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
			{"JSON in the place of the three parts", `{"protected":"` + encoded(f.header().String()) + `","payload":"` + encoded(claims) + `","signature":"` + sig + `"}`, Malformed},
			{"a token of five parts, as encrypted ones have", good + ".AAAA.AAAA", Malformed},
			{"a token longer than a cookie", f.body(goodClaims.with("amr", `["`+strings.Repeat("x", 3000)+`"]`)), Malformed},
			{"a header of one character", "A." + encoded(claims) + "." + sig, Malformed},
			{"a signature of one character", signed + ".A", BadSignature},
			{"half a signature", signed + "." + sig[:22], BadSignature},
			{"a signature with more behind it", good + "AAAA", BadSignature},
			{"a signature of nothing but zeros", signed + "." + strings.Repeat("A", len(sig)), BadSignature},
			{"the claims of another token", encoded(f.header().String()) + "." + encoded(goodClaims.with("role", `"admin"`).String()) + "." + sig, BadSignature},
		}
		for _, row := range append(rows, crossed[f.algorithm]...) {
			t.Run(row.what, func(t *testing.T) {
				claims, problem := read(i, row.token)
				if claims != nil || problem != row.problem {
					t.Errorf("got %v, %q; want nothing, %q", claims, problem, row.problem)
				}
			})
		}
	})
}

// What is at the edge of being refused is accepted.
func TestRead_acceptsWhatThisSiteWrites(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		for what, token := range map[string]string{
			"the good token":                      f.body(goodClaims),
			"an iat five seconds ahead":           f.body(goodClaims.with("iat", unix(5*time.Second))),
			"an exp one second ahead":             f.body(goodClaims.with("exp", unix(time.Second))),
			"the longest life":                    f.body(goodClaims.with("exp", unix(720*time.Hour))),
			"a sign-in long before":               f.body(goodClaims.with("auth_time", unix(-700*time.Hour))),
			"another order of the header's names": f.forge(`{"typ":"session+jwt","kid":"test","alg":"`+string(f.algorithm)+`"}`, goodClaims.String(), testSecret),
		} {
			if _, problem := read(i, token); problem != "" {
				t.Errorf("%s is refused: %s", what, problem)
			}
		}
	})
}

func TestRead_refusesEveryChangedBit(t *testing.T) {
	t.Attr("asvs", "9.1.1")
	eachAlgorithm(t, func(t *testing.T, f forger) {
		i := f.issuer(t)
		good := f.body(goodClaims)
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
	})
}

// The last character of a signature carries only four of its six bits; a
// lenient decoder takes four spellings for one signature.
func TestRead_takesOneSpellingOfASignature(t *testing.T) {
	eachAlgorithm(t, func(t *testing.T, f forger) {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		i := f.issuer(t)
		good := f.body(goodClaims)
		accepted := 0
		for _, last := range alphabet {
			if _, problem := read(i, good[:len(good)-1]+string(last)); problem == "" {
				accepted++
			}
		}
		if accepted != 1 {
			t.Errorf("%d spellings of the last character are accepted, not 1", accepted)
		}
	})
}

func TestRead_afterTheKeysChanged(t *testing.T) {
	t.Attr("asvs", "11.2.2 13.3.4")
	eachAlgorithm(t, func(t *testing.T, f forger) {
		const second = "second:enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmFaWVhXVlU"
		old := f.body(goodClaims)
		for _, row := range []struct {
			what, keys string
			problem    Problem
		}{
			{"a new key before the old one", second + "," + testKey, ""},
			{"the old key dropped", second, UnknownKey},
			{"another key under the old kid", "test:" + strings.TrimPrefix(second, "second:"), BadSignature},
		} {
			if _, problem := read(newIssuer(t, f.algorithm, row.keys, noon), old); problem != row.problem {
				t.Errorf("%s: got %q, want %q", row.what, problem, row.problem)
			}
		}
		rotated := newIssuer(t, f.algorithm, second+","+testKey, noon)
		token, err := rotated.Sign(SessionUse, Claims{Common: Common{Subject: ada, ID: "one", IssuedAt: noon.Unix(), Expires: noon.Add(time.Hour).Unix(), AuthTime: noon.Unix(), Role: "student"}, Methods: []string{"pwd"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, problem := read(rotated, token); problem != "" {
			t.Errorf("what was signed after a change of keys is refused: %q", problem)
		}
		if _, problem := read(f.issuer(t), token); problem != UnknownKey {
			t.Errorf("after a change of keys the first one does not sign: %q", problem)
		}
	})
}
