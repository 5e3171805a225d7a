package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// SealKeyBytes is the length of a Seal's key.
const SealKeyBytes = 32

// errSeal: the text was not sealed with this key, or for something else.
var errSeal = errors.New("auth: sealed text cannot be opened")

// Seal locks up what has to be read again, such as the secret of an authenticator
// app, which cannot be kept as a hash: AES-256-GCM under a key that is not in the
// database. So a copy of the database alone makes no codes. It is safe for concurrent
// use.
type Seal struct {
	box    cipher.AEAD
	random io.Reader
}

// NewSeal makes a Seal with a key of SealKeyBytes.
func NewSeal(key []byte, random io.Reader) (*Seal, error) {
	if len(key) != SealKeyBytes {
		return nil, fmt.Errorf("auth: a key of %d bytes; %d are needed", len(key), SealKeyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Seal{box: box, random: random}, nil
}

// Close seals a text for one purpose: whose it is and what. It opens for no other, so
// that a row that is copied to another person is worth nothing there.
func (s *Seal) Close(text []byte, purpose string) (string, error) {
	nonce := make([]byte, s.box.NonceSize())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return "", fmt.Errorf("auth: random numbers: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(s.box.Seal(nonce, nonce, text, []byte(purpose))), nil
}

// Open reads what Close sealed for the same purpose.
func (s *Seal) Open(sealed, purpose string) ([]byte, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(raw) < s.box.NonceSize() {
		return nil, errSeal
	}
	text, err := s.box.Open(nil, raw[:s.box.NonceSize()], raw[s.box.NonceSize():], []byte(purpose))
	if err != nil {
		return nil, errSeal
	}
	return text, nil
}
