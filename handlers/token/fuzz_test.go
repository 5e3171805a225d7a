package token

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// FuzzRead reads one token as it comes, and one whose header and claims come
// as they like under a good signature. It must never panic; and whatever is
// accepted was signed by us, says what any reader of JSON would read in it, and
// reads the same when it is issued again.
func FuzzRead(f *testing.F) {
	h, e := forger{HS256}, forger{EdDSA}
	good := h.body(goodClaims)
	f.Add(good, h.header().String(), goodClaims.String())
	f.Add(good+"=", h.header().with("alg", `"none"`).String(), goodClaims.plus("role", `"admin"`).String())
	f.Add("..", "null", "[]")
	f.Add(strings.ToLower(good), h.header().plus("crit", "[]").String(), goodClaims.with("exp", "1e300").String())
	f.Add(e.body(goodClaims), e.header().String(), goodClaims.String())
	issuers := map[forger]*Issuer{h: h.issuer(f), e: e.issuer(f)}
	f.Fuzz(func(t *testing.T, token, header, claims string) {
		for forger, i := range issuers {
			for _, token := range []string{token, forger.forge(header, claims, testSecret)} {
				c, problem := read(i, token)
				if (c == nil) != (problem != "") {
					t.Fatalf("%q: the claims are %v and the problem %q", token, c, problem)
				}
				if c != nil {
					accepted(t, forger, i, token, c)
				}
			}
		}
	})
}

func accepted(t *testing.T, f forger, i *Issuer, token string, c *Claims) {
	dot := strings.LastIndexByte(token, '.')
	if token[dot+1:] != encoded(string(f.sign(token[:dot], testSecret))) {
		t.Fatalf("%q is accepted and was not signed by us", token)
	}
	header, body := parts(t, token)
	var h map[string]string
	var plain struct {
		Issuer string `json:"iss"`
		Role   string `json:"role"`
		Until  int64  `json:"exp"`
	}
	if json.Unmarshal([]byte(header), &h) != nil || len(h) != 3 || h["alg"] != string(f.algorithm) || h["typ"] != "session+jwt" || h["kid"] != "test" {
		t.Fatalf("accepted with the header %s", header)
	}
	if json.Unmarshal([]byte(body), &plain) != nil || plain.Issuer != testIssuer || plain.Role != c.Role || plain.Until != c.Expires || c.Expires <= noon.Unix() {
		t.Fatalf("the claims %s are read as %+v", body, c)
	}
	for _, use := range []Use{AccessUse, APIUse} {
		if _, problem := i.Read(use, token, longest, nil); problem == "" {
			t.Fatalf("a session's token is accepted as %s", use.Type())
		}
	}
	again, err := i.Sign(SessionUse, *c)
	if err != nil {
		t.Fatal(err)
	}
	twice, problem := read(i, again)
	if problem != "" {
		t.Fatalf("%+v, signed again, is refused: %s", c, problem)
	}
	twice.NotBefore = c.NotBefore
	if !reflect.DeepEqual(twice, c) {
		t.Fatalf("%+v, signed again, is read as %+v", c, twice)
	}
}

// parts are the first two parts of a token, decoded.
func parts(t *testing.T, token string) (header, claims string) {
	t.Helper()
	p := strings.Split(token, ".")
	if len(p) != 3 {
		t.Fatalf("a token of %d parts", len(p))
	}
	h, err1 := base64.RawURLEncoding.DecodeString(p[0])
	c, err2 := base64.RawURLEncoding.DecodeString(p[1])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return string(h), string(c)
}
