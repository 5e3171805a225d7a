package lab

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"lectern/handlers/token"
)

// TestDoubt is what a program finds out about a cookie that has nothing but the
// public keys. Who is refused comes first.
func TestDoubt(t *testing.T) {
	const site = "http://lectern.example"
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	keys, others := ring(t, token.EdDSA), ring(t, token.EdDSA)
	signed := sign(t, keys, site, now)
	head, rest, _ := strings.Cut(signed, ".")
	for _, row := range []struct {
		says      string
		cookie    string
		published string
		at        time.Time
		want      string
	}{
		{"nothing is known without keys", signed, "", now, "no keys"},
		{"a number is nothing to check", "7hcM1zg6QpWv0yq2kq3GdtkY8mJ1vX4a", published(keys), now, "number"},
		{"a token of one secret is checked by nobody else", sign(t, ring(t, token.HS256), site, now), published(keys), now, "also have made it"},
		{"a key that does not hang out vouches for nothing", signed, published(others), now, "not published"},
		{"an altered token does not fit its signature", head + "." + strings.Replace(rest, ".", "A.", 1), published(keys), now, "altered"},
		{"another site's token is another site's", sign(t, keys, "http://elsewhere.example", now), published(keys), now, "another site"},
		{"a token is over at its date", signed, published(keys), now.Add(time.Hour), "over"},
		{"a good token proves who is there", signed, published(keys), now.Add(time.Hour - time.Second), ""},
	} {
		got := doubt(row.cookie, row.published, site, row.at)
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: got %q, want %q in it", row.says, got, row.want)
		}
	}
}

func ring(t *testing.T, algorithm token.Algorithm) token.Keys {
	t.Helper()
	text, err := token.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := token.ParseKeys(algorithm, text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func sign(t *testing.T, keys token.Keys, site string, now time.Time) string {
	t.Helper()
	issuer := token.NewIssuer(token.Config{Keys: token.NewKeyring(keys), Site: site, Now: func() time.Time { return now }})
	signed, err := issuer.Sign(token.SessionUse, token.Claims{
		Common:  token.Common{Subject: "ada", ID: "1", IssuedAt: now.Unix(), Expires: now.Add(time.Hour).Unix(), AuthTime: now.Unix(), Role: "student"},
		Methods: []string{"pwd"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// published are keys as they hang out at /.well-known/jwks.json.
func published(keys token.Keys) string {
	type key struct {
		Kid string `json:"kid"`
		X   string `json:"x"`
	}
	set := struct {
		Keys []key `json:"keys"`
	}{}
	for _, k := range keys.Public() {
		set.Keys = append(set.Keys, key{k.ID, b64.EncodeToString(k.Point)})
	}
	text, _ := json.Marshal(set)
	return string(text)
}
