package handlers_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"strings"
	"testing"

	"lectern/handlers/token"
)

// forger writes tokens that a site might believe, with the standard library
// alone. It starts from a real one, and knows the site's own key: where nothing
// else is said, its signatures are good, and yet no token may be.
type forger struct {
	t       *testing.T
	alg     token.Algorithm
	secret  []byte // the HMAC secret, or the seed
	cookie  string // the cookie that holds the token
	header  string // JSON, as the site wrote it
	claims  string
	genuine string
}

// forgerOf takes a signed-in browser's token apart.
func forgerOf(t *testing.T, s *site, alg token.Algorithm, cookie string) *forger {
	t.Helper()
	_, encoded, _ := strings.Cut(s.key, ":")
	secret, err := base64.RawURLEncoding.DecodeString(encoded)
	must(t, err)
	genuine := s.as(ada).cookie(cookie)
	parts := strings.Split(genuine, ".")
	if len(parts) != 3 {
		t.Fatalf("%s holds no token: %q", cookie, genuine)
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	must(t, err)
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(t, err)
	return &forger{t, alg, secret, cookie, string(header), string(claims), genuine}
}

func base64url(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func joined(header, claims string) string {
	return base64url([]byte(header)) + "." + base64url([]byte(claims))
}

// token signs any header and any claims with the site's own key.
func (f *forger) token(header, claims string) string {
	signed := joined(header, claims)
	if f.alg == token.EdDSA {
		return signed + "." + base64url(ed25519.Sign(ed25519.NewKeyFromSeed(f.secret), []byte(signed)))
	}
	return signed + "." + mac(sha256.New, f.secret, signed)
}

func mac(h func() hash.Hash, secret []byte, signed string) string {
	m := hmac.New(h, secret)
	m.Write([]byte(signed))
	return base64url(m.Sum(nil))
}

// public is the site's public key as an attacker finds it in the key set.
func (f *forger) public() []byte {
	return ed25519.NewKeyFromSeed(f.secret).Public().(ed25519.PublicKey)
}

// set gives a member of a JSON object another value, written as JSON.
func (f *forger) set(object, name, value string) string {
	f.t.Helper()
	var members map[string]json.RawMessage
	must(f.t, json.Unmarshal([]byte(object), &members))
	members[name] = json.RawMessage(value)
	raw, err := json.Marshal(members)
	must(f.t, err)
	return string(raw)
}

// without leaves a member out.
func (f *forger) without(object, name string) string {
	f.t.Helper()
	var members map[string]json.RawMessage
	must(f.t, json.Unmarshal([]byte(object), &members))
	delete(members, name)
	raw, err := json.Marshal(members)
	must(f.t, err)
	return string(raw)
}

// plus writes a member behind all others, whether or not it is there already.
func plus(object, name, value string) string {
	return strings.TrimSuffix(object, "}") + `,"` + name + `":` + value + "}"
}

// ahead writes a member before all others.
func ahead(object, name, value string) string {
	return `{"` + name + `":` + value + "," + strings.TrimPrefix(object, "{")
}

// head is a well-signed token with another value in its header.
func (f *forger) head(name, value string) string {
	return f.token(f.set(f.header, name, value), f.claims)
}

// body is a well-signed token with another claim.
func (f *forger) body(name, value string) string {
	return f.token(f.header, f.set(f.claims, name, value))
}

// sha384 and sha512sum are the wrong hashes.
var sha384, sha512sum = sha512.New384, sha512.New
