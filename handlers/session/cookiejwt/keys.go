package cookiejwt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// minSecret is the length of an HS256 key in bytes: as long as the hash it
// goes into (RFC 7518 §3.2, RFC 8725 §3.5).
const minSecret = 32

// maxKeyID is less than the length of a secret in base64url, so that a secret
// written in the place of its kid is not repeated in an error.
const maxKeyID = 32

// Key is a secret that signs and verifies, under a name that tokens carry.
type Key struct {
	ID     string
	secret []byte
	head   string // the first part of every token that it signs
}

// Keys is a set of keys. The first signs; all of them verify, so that tokens
// signed before a change of keys stay good until they expire.
type Keys struct {
	all []Key
}

func (k Keys) signing() Key { return k.all[0] }

// byHead finds the key of a token by its first part, as this site writes it.
func (k Keys) byHead(head string) (Key, bool) {
	for _, key := range k.all {
		if key.head == head {
			return key, true
		}
	}
	return Key{}, false
}

func (k Keys) find(id string) (Key, bool) {
	for _, key := range k.all {
		if key.ID == id {
			return key, true
		}
	}
	return Key{}, false
}

// ParseKeys reads "kid:base64url,kid2:base64url". A key that is missing,
// short, all one byte, or there twice is refused by its kid, never by its
// value.
func ParseKeys(s string) (Keys, error) {
	var keys Keys
	for entry := range strings.SplitSeq(strings.TrimSpace(s), ",") {
		id, encoded, ok := strings.Cut(strings.TrimSpace(entry), ":")
		if !ok || id == "" || len(id) > maxKeyID || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
			return Keys{}, errors.New("a key is written kid:base64url, the kid in at most 32 letters, digits, hyphens, dots and underscores")
		}
		secret, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
		if err != nil {
			return Keys{}, fmt.Errorf("key %q is not base64url", id)
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
		head, err := encode(header{Algorithm: algorithm, KeyID: id, Type: tokenType})
		if err != nil {
			return Keys{}, fmt.Errorf("key %q: %w", id, err)
		}
		keys.all = append(keys.all, Key{ID: id, secret: secret, head: head})
	}
	return keys, nil
}

// NewKey draws a key and its kid from random, written as ParseKeys reads it.
func NewKey(random io.Reader) (string, error) {
	var raw [6 + minSecret]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode(raw[:6]) + ":" + encode(raw[6:]), nil
}

// LoadKeys reads the keys file, and makes it with one new key where there is
// none. The file is for its owner's eyes alone; one that others may read is
// refused, because then the key is no secret any more.
func LoadKeys(path string, random io.Reader) (Keys, error) {
	if err := createKeys(path, random); err != nil {
		return Keys{}, fmt.Errorf("keys file %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Keys{}, fmt.Errorf("keys file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Keys{}, fmt.Errorf("keys file %s is open to others (mode %#o); chmod 600 it, and change the keys if anybody may have read them", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, fmt.Errorf("keys file: %w", err)
	}
	keys, err := ParseKeys(string(text))
	if err != nil {
		return Keys{}, fmt.Errorf("keys file %s: %w", path, err)
	}
	return keys, nil
}

// createKeys writes a new file beside the place and links it there, so that
// of two servers starting at once one makes the file and both read the same.
func createKeys(path string, random io.Reader) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key, err := NewKey(random)
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.WriteString(key + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
