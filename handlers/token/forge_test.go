package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
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
func newIssuer(t testing.TB, keys string, now time.Time) *Issuer {
	t.Helper()
	parsed, err := ParseKeys(HS256, keys)
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

// goodHeader and goodClaims are what this site writes at noon.
var goodHeader = object{{"alg", `"HS256"`}, {"kid", `"test"`}, {"typ", `"session+jwt"`}}

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

// signature is HMAC-SHA256 by the standard library alone, so that the tests do
// not lean on what they test.
func signature(signed, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// forge writes a token of any header and any claims and signs it well.
func forge(header, claims, secret string) string {
	signed := encoded(header) + "." + encoded(claims)
	return signed + "." + signature(signed, secret)
}

// head is a well-signed token with another header; body, with other claims.
func head(o object) string { return forge(o.String(), goodClaims.String(), testSecret) }
func body(o object) string { return forge(goodHeader.String(), o.String(), testSecret) }
