package cookiejwt

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"lectern/handlers/session"
)

// FuzzRead reads one token as it comes, and one whose header and claims come
// as they like under a good signature. It must never panic; and whatever is
// accepted was signed by us, says what any reader of JSON would read in it, and
// reads the same when it is issued again.
func FuzzRead(f *testing.F) {
	good := body(goodClaims)
	f.Add(good, goodHeader.String(), goodClaims.String())
	f.Add(good+"=", goodHeader.with("alg", `"none"`).String(), goodClaims.plus("role", `"admin"`).String())
	f.Add("..", "null", "[]")
	f.Add(strings.ToLower(good), goodHeader.plus("crit", "[]").String(), goodClaims.with("exp", "1e300").String())
	b := newBackend(f, testKey, noon)
	f.Fuzz(func(t *testing.T, token, header, claims string) {
		for _, token := range []string{token, forge(header, claims, testSecret)} {
			rec, reason := b.read(token, nil)
			if (rec == nil) != (reason != "") {
				t.Fatalf("%q: the record is %v and the reason %q", token, rec, reason)
			}
			if rec != nil {
				accepted(t, b, token, rec)
			}
		}
	})
}

func accepted(t *testing.T, b *Backend, token string, rec *session.Record) {
	dot := strings.LastIndexByte(token, '.')
	if token[dot+1:] != signature(token[:dot], testSecret) {
		t.Fatalf("%q is accepted and was not signed by us", token)
	}
	header, claims := parts(t, token)
	var h map[string]string
	var c struct {
		Issuer string `json:"iss"`
		Role   string `json:"role"`
		Until  int64  `json:"exp"`
	}
	if json.Unmarshal([]byte(header), &h) != nil || len(h) != 3 || h["alg"] != "HS256" || h["typ"] != "session+jwt" || h["kid"] != "test" {
		t.Fatalf("accepted with the header %s", header)
	}
	if json.Unmarshal([]byte(claims), &c) != nil || c.Issuer != testIssuer || c.Role != string(rec.Role) || c.Until != rec.ExpiresAt.Unix() || !rec.ExpiresAt.After(noon) {
		t.Fatalf("the claims %s are read as %+v", claims, rec)
	}
	again, reason := b.read(token, nil)
	if reason != "" || !reflect.DeepEqual(again, rec) {
		t.Fatalf("read once %+v, twice %+v (%q)", rec, again, reason)
	}
	next := *rec
	if !rec.CreatedAt.After(noon) && b.lifetimes.End(rec.AuthAt, rec.Remember).After(noon) {
		if token, err := b.issue(&next); err != nil {
			t.Fatal(err)
		} else if again, reason := b.read(token, nil); reason != "" || !reflect.DeepEqual(again.Identity, rec.Identity) {
			t.Fatalf("%+v, issued again, is read as %+v (%q)", rec, again, reason)
		}
	}
}
