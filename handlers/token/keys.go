package token

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is how this site signs. It is chosen once, in the settings, and a
// key is for one algorithm alone (RFC 8725 §3.1).
type Algorithm string

const (
	// HS256 is HMAC with SHA-256: whoever can check a token can also print one.
	HS256 Algorithm = "HS256"
	// EdDSA is Ed25519 (RFC 8037): whoever has the public key can check a
	// token, and only the site can print one.
	EdDSA Algorithm = "EdDSA"
)

// ParseAlgorithm knows an algorithm by its name in the header of a token.
func ParseAlgorithm(name string) (Algorithm, error) {
	switch a := Algorithm(name); a {
	case HS256, EdDSA:
		return a, nil
	}
	return "", fmt.Errorf("%q is no algorithm of this site; HS256 and EdDSA are", name)
}

// FileName is the name of the keys file for the algorithm. Each has its own,
// so that the same bytes never serve both.
func (a Algorithm) FileName() string {
	if a == EdDSA {
		return "jwt-eddsa.keys"
	}
	return "jwt.keys"
}

// minSecret is the length of an HS256 key in bytes: as long as the hash it
// goes into (RFC 7518 §3.2, RFC 8725 §3.5). An Ed25519 seed has the same.
const minSecret = 32

// maxKeyID is less than the length of a secret in base64url, so that a secret
// written in the place of its kid is not repeated in an error.
const maxKeyID = 32

// Key is a secret that signs and verifies, under a name that tokens carry.
type Key struct {
	ID     string
	secret []byte

	method   jwt.SigningMethod
	signs    any
	verifies any
	heads    [uses]string // the first part of every token that it signs
}

// text writes a key as ParseKeys reads it: with its secret.
func (k *Key) text() string {
	return k.ID + ":" + base64.RawURLEncoding.EncodeToString(k.secret)
}

// newKey makes a key of a secret that has been found good.
func newKey(algorithm Algorithm, id string, secret []byte) (Key, error) {
	key := Key{ID: id, secret: secret, method: newMAC(secret)}
	if algorithm == EdDSA {
		private := ed25519.NewKeyFromSeed(secret)
		key.method, key.signs, key.verifies = jwt.SigningMethodEdDSA, private, private.Public().(ed25519.PublicKey)
	}
	for use := range Use(uses) {
		head, err := encode(header{Algorithm: string(algorithm), KeyID: id, Type: use.Type()})
		if err != nil {
			return Key{}, fmt.Errorf("key %q: %w", id, err)
		}
		key.heads[use] = head
	}
	return key, nil
}

// Keys is a set of keys for one algorithm. The first signs; all of them
// verify, so that tokens signed before a change of keys stay good until they
// expire.
type Keys struct {
	algorithm Algorithm
	all       []Key
}

// Algorithm is the one that these keys are for.
func (k *Keys) Algorithm() Algorithm { return k.algorithm }

func (k *Keys) signing() *Key { return &k.all[0] }

// byHead finds the key of a token by its first part, as this site writes it.
func (k *Keys) byHead(use Use, head string) *Key {
	for i := range k.all {
		if k.all[i].heads[use] == head {
			return &k.all[i]
		}
	}
	return nil
}

func (k *Keys) find(id string) *Key {
	for i := range k.all {
		if k.all[i].ID == id {
			return &k.all[i]
		}
	}
	return nil
}

// Infos lists the keys, the one that signs first.
func (k *Keys) Infos() []KeyInfo {
	infos := make([]KeyInfo, len(k.all))
	for i := range k.all {
		infos[i] = KeyInfo{ID: k.all[i].ID, Signs: i == 0}
	}
	return infos
}

// Public lists the public keys, in the same order. There are none for HS256,
// where whoever can check a token can also print one.
func (k *Keys) Public() []PublicKey {
	if k.algorithm != EdDSA {
		return nil
	}
	keys := make([]PublicKey, len(k.all))
	for i := range k.all {
		keys[i] = PublicKey{ID: k.all[i].ID, Point: k.all[i].verifies.(ed25519.PublicKey)}
	}
	return keys
}

// PublicKey is what others need to check the tokens that a key has signed.
type PublicKey struct {
	ID    string
	Point []byte // of Ed25519, as RFC 8032 writes it
}

func (k *Keys) same(other *Keys) bool {
	return slices.EqualFunc(k.all, other.all, func(a, b Key) bool { return a.ID == b.ID && bytes.Equal(a.secret, b.secret) })
}

// ParseKeys reads "kid:base64url,kid2:base64url". A key that is missing,
// short, all one byte, or there twice is refused by its kid, never by its
// value.
func ParseKeys(algorithm Algorithm, s string) (Keys, error) {
	keys := Keys{algorithm: algorithm}
	for entry := range strings.SplitSeq(strings.TrimSpace(s), ",") {
		id, encoded, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || id == "" || len(id) > maxKeyID || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			return Keys{}, errors.New("a key is written kid:base64url, the kid in at most 32 letters, digits, hyphens, dots and underscores")
		}
		secret, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
		if err != nil {
			return Keys{}, fmt.Errorf("key %q is not base64url", id)
		}
		if algorithm == EdDSA && len(secret) != ed25519.SeedSize {
			return Keys{}, fmt.Errorf("key %q has %d bytes; the seed of an EdDSA key has %d", id, len(secret), ed25519.SeedSize)
		}
		if len(secret) < minSecret {
			return Keys{}, fmt.Errorf("key %q has %d bytes; HS256 needs at least %d", id, len(secret), minSecret)
		}
		if bytes.Count(secret, secret[:1]) == len(secret) {
			return Keys{}, fmt.Errorf("key %q is one byte repeated", id)
		}
		for _, other := range keys.all {
			if other.ID == id || bytes.Equal(other.secret, secret) {
				return Keys{}, fmt.Errorf("key %q is there twice", id)
			}
		}
		key, err := newKey(algorithm, id, secret)
		if err != nil {
			return Keys{}, err
		}
		keys.all = append(keys.all, key)
	}
	return keys, nil
}

// NewKey draws a key and its kid from random, written as ParseKeys reads it.
// It is as good for one algorithm as for the other.
func NewKey(random io.Reader) (string, error) {
	var raw [6 + minSecret]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(raw[:6]) + ":" + encode(raw[6:]), nil
}
