package auth_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"lectern/handlers/auth"
)

func newSeal(t *testing.T, key byte) *auth.Seal {
	t.Helper()
	seal, err := auth.NewSeal(bytes.Repeat([]byte{key}, auth.SealKeyBytes), rand.Reader)
	must(t, err)
	return seal
}

// TestSeal_refusesWhatIsNotItsOwn: a text of which one bit was changed, one that was cut
// short or sealed for somebody else or with another key, and one that is none.
func TestSeal_refusesWhatIsNotItsOwn(t *testing.T) {
	t.Attr("asvs", "11.3.2")
	const purpose = "authenticator of Ada"
	seal := newSeal(t, 1)
	sealed, err := seal.Close([]byte("twenty secret bytes!"), purpose)
	must(t, err)
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	must(t, err)
	refused := func(what string, seal *auth.Seal, sealed, purpose string) {
		t.Helper()
		if text, err := seal.Open(sealed, purpose); err == nil {
			t.Errorf("%s is opened: %q", what, text)
		}
	}
	for i := range raw {
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			refused("a changed text", seal, base64.RawStdEncoding.EncodeToString(changed), purpose)
		}
	}
	for length := range raw {
		refused("half a text", seal, base64.RawStdEncoding.EncodeToString(raw[:length]), purpose)
	}
	refused("another's text", seal, sealed, "authenticator of Bob")
	refused("a text for no purpose", seal, sealed, "")
	refused("a text under another key", newSeal(t, 2), sealed, purpose)
	refused("a text in clear", seal, "twenty secret bytes!", purpose)
	refused("nothing", seal, "", purpose)
	for _, length := range []int{0, 16, 31, 33} {
		if _, err := auth.NewSeal(make([]byte, length), rand.Reader); err == nil {
			t.Errorf("a key of %d bytes is taken", length)
		}
	}
	if text, err := seal.Open(sealed, purpose); err != nil || string(text) != "twenty secret bytes!" {
		t.Errorf("it opens as %q, %v", text, err)
	}
}

// TestSeal_isAESInGCM with 256 bits of key and a nonce that never comes twice, which
// another program that has the key opens as well.
func TestSeal_isAESInGCM(t *testing.T) {
	t.Attr("asvs", "11.3.2")
	const text, purpose = "twenty secret bytes!", "authenticator of Ada"
	block, err := aes.NewCipher(bytes.Repeat([]byte{1}, 32))
	must(t, err)
	box, err := cipher.NewGCM(block)
	must(t, err)
	seal, nonces := newSeal(t, 1), map[string]bool{}
	for range 1000 {
		sealed, err := seal.Close([]byte(text), purpose)
		must(t, err)
		raw, err := base64.RawStdEncoding.DecodeString(sealed)
		must(t, err)
		nonce, rest := raw[:box.NonceSize()], raw[box.NonceSize():]
		if nonces[string(nonce)] || len(nonce) != 12 || len(rest) != len(text)+16 {
			t.Fatalf("a nonce of %d bytes before %d, or one that was there before", len(nonce), len(rest))
		}
		nonces[string(nonce)] = true
		opened, err := box.Open(nil, nonce, rest, []byte(purpose))
		if err != nil || string(opened) != text || strings.Contains(string(raw), text) {
			t.Fatalf("another program opens it as %q, %v", opened, err)
		}
	}
}
