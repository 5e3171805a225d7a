package token

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"
)

const (
	testKey    = "test:MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXY"
	testSecret = "1234567890abcdefghijklmnopqrstuv"
	testIssuer = "https://lectern.example"
	ada        = "adaadaadaadaadaadaadaadaad"
	longest    = 720 * time.Hour
)

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// newIssuer is an issuer at noon, or at another time of day.
func newIssuer(t testing.TB, algorithm Algorithm, keys string, now time.Time) *Issuer {
	t.Helper()
	parsed, err := ParseKeys(algorithm, keys)
	if err != nil {
		t.Fatal(err)
	}
	return NewIssuer(Config{Keys: NewKeyring(parsed), Site: testIssuer, Now: func() time.Time { return now }, Random: rand.Reader})
}

// read reads a session's token.
func read(i *Issuer, token string) (*Claims, Problem) {
	return i.Read(SessionUse, token, longest, nil)
}

// member is one name and value of a JSON object, as text, so that a forger can
// write what no encoder would.
type member struct{ name, value string }

type object []member

func (o object) String() string {
	pairs := make([]string, len(o))
	for i, m := range o {
		pairs[i] = fmt.Sprintf("%q:%s", m.name, m.value)
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// with has another value under a name, or another name at its end.
func (o object) with(name, value string) object {
	changed := append(object{}, o...)
	for i, m := range changed {
		if m.name == name {
			changed[i].value = value
			return changed
		}
	}
	return append(changed, member{name, value})
}

// plus has a member at its end, whether or not the name is there already.
func (o object) plus(name, value string) object {
	return append(append(object{}, o...), member{name, value})
}

// after has a member in front.
func (o object) after(name, value string) object {
	return append(object{{name, value}}, o...)
}

func (o object) without(name string) object {
	var rest object
	for _, m := range o {
		if m.name != name {
			rest = append(rest, m)
		}
	}
	return rest
}

// goodClaims are what this site writes at noon.
var goodClaims = object{
	{"iss", `"https://lectern.example"`},
	{"aud", `"lectern"`},
	{"sub", `"adaadaadaadaadaadaadaadaad"`},
	{"jti", `"AAAAAAAAAAAAAAAAAAAAAA"`},
	{"iat", unix(0)},
	{"nbf", unix(0)},
	{"exp", unix(time.Hour)},
	{"auth_time", unix(0)},
	{"role", `"student"`},
	{"amr", `["pwd"]`},
}

// unix is a time after noon, in seconds.
func unix(after time.Duration) string { return fmt.Sprint(noon.Add(after).Unix()) }

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forger signs in one of our ways, by the standard library alone, so that the
// tests do not lean on what they test.
type forger struct{ algorithm Algorithm }

// eachAlgorithm runs a test once for every way to sign.
func eachAlgorithm(t *testing.T, test func(t *testing.T, f forger)) {
	t.Helper()
	for _, algorithm := range []Algorithm{HS256, EdDSA} {
		t.Run(string(algorithm), func(t *testing.T) { test(t, forger{algorithm}) })
	}
}

func (f forger) issuer(t testing.TB) *Issuer {
	t.Helper()
	return newIssuer(t, f.algorithm, testKey, noon)
}

// header is what this site writes.
func (f forger) header() object {
	return object{{"alg", `"` + string(f.algorithm) + `"`}, {"kid", `"test"`}, {"typ", `"session+jwt"`}}
}

func (f forger) sign(signed, secret string) []byte {
	if f.algorithm == EdDSA {
		return ed25519.Sign(pair(secret), []byte(signed))
	}
	return hmacOf(sha256.New, signed, secret)
}

// pair is the key pair of a seed. From a secret that is none it makes a seed.
func pair(secret string) ed25519.PrivateKey {
	seed := []byte(secret)
	if len(seed) != ed25519.SeedSize {
		digest := sha256.Sum256(seed)
		seed = digest[:]
	}
	return ed25519.NewKeyFromSeed(seed)
}

func hmacOf(h func() hash.Hash, signed, secret string) []byte {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}

// forge writes a token of any header and any claims and signs it well.
func (f forger) forge(header, claims, secret string) string {
	return signedWith(header, claims, func(signed string) []byte { return f.sign(signed, secret) })
}

func signedWith(header, claims string, sign func(signed string) []byte) string {
	signed := encoded(header) + "." + encoded(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sign(signed))
}

// head is a well-signed token with another header; body, with other claims.
func (f forger) head(o object) string { return f.forge(o.String(), goodClaims.String(), testSecret) }
func (f forger) body(o object) string { return f.forge(f.header().String(), o.String(), testSecret) }
