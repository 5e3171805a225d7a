package auth

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadSealKey reads the key of a Seal from a file, and makes the file where there is
// none. It is for its owner's eyes alone; one that others may read is refused. Without
// the file, whatever was sealed with it is lost: a backup of the database needs it
// beside it.
func LoadSealKey(path string, random io.Reader) ([]byte, error) {
	key, err := readSealKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, SealKeyBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("seal key %s: %w", path, err)
	}
	// Whole or not at all, and never over another's: of two processes that make it
	// at once, both read the one that was first.
	draft, err := os.CreateTemp(filepath.Dir(path), ".seal-*")
	if err != nil {
		return nil, fmt.Errorf("seal key %s: %w", path, err)
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(key)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return nil, fmt.Errorf("seal key %s: %w", path, err)
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("seal key %s: %w", path, err)
	}
	return readSealKey(path)
}

func readSealKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("seal key %s: it is open to others (mode %#o); chmod 600 it", path, info.Mode().Perm())
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	if len(key) != SealKeyBytes {
		return nil, fmt.Errorf("seal key %s: it has %d bytes, and %d are needed", path, len(key), SealKeyBytes)
	}
	return key, nil
}
