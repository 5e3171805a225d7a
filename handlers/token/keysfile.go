package token

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadKeys reads the keys file, and makes it with one new key where there is
// none. The file is for its owner's eyes alone; one that others may read is
// refused, because then the key is no secret any more.
func LoadKeys(algorithm Algorithm, path string, random io.Reader) (Keys, error) {
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
	keys, err := ParseKeys(algorithm, string(text))
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
