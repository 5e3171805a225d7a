package token

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxOld is how many old keys a change of keys keeps. An old key matters for
// as long as a token that it signed may live, which the file does not say; with
// eight, keys can be changed every four days before somebody who is remembered
// for a month is signed out.
const maxOld = 8

// LoadKeys reads the keys file, and makes it with one new key where there is
// none. The file is for its owner's eyes alone; one that others may read is
// refused, because then the key is no secret any more.
func LoadKeys(algorithm Algorithm, path string, random io.Reader) (Keys, error) {
	keys, _, err := loadKeys(algorithm, path, random)
	return keys, err
}

func loadKeys(algorithm Algorithm, path string, random io.Reader) (Keys, state, error) {
	if _, err := createKeys(path, random); err != nil {
		return Keys{}, state{}, fmt.Errorf("keys file %s: %w", path, err)
	}
	keys, found, err := readKeys(algorithm, path)
	if err != nil {
		return Keys{}, found, fmt.Errorf("keys file %s: %w", path, err)
	}
	return keys, found, nil
}

// readKeys reads the keys file, and tells the state in which it was found. The
// state comes with an error too, where the file itself is to blame: nobody
// needs to read it again before it changes.
func readKeys(algorithm Algorithm, path string) (Keys, state, error) {
	file, err := os.Open(path)
	if err != nil {
		return Keys{}, state{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return Keys{}, state{}, err
	}
	found := stateFrom(info)
	if info.Mode().Perm()&0o077 != 0 {
		return Keys{}, found, fmt.Errorf("it is open to others (mode %#o); chmod 600 it, and change the keys if anybody may have read them", info.Mode().Perm())
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return Keys{}, state{}, err
	}
	keys, err := ParseKeys(algorithm, string(text))
	if err != nil {
		return Keys{}, found, err
	}
	return keys, found, nil
}

// Rotate puts a new key into the keys file, in front, where it signs. The old
// ones stay behind it and go on verifying, eight of them at most; or they are
// dropped, and whatever they signed is worthless at once. Where there is no
// file, one is made. Rotate returns the keys that are in the file now, and the
// kids of those that are not in it any more.
//
// Whoever reads the file meanwhile reads the old keys or the new ones. Of two
// who change it at once, one waits for the other.
func Rotate(algorithm Algorithm, path string, random io.Reader, dropOld bool) (keys Keys, dropped []string, err error) {
	keys, dropped, err = rotate(algorithm, path, random, dropOld)
	if err != nil {
		return Keys{}, nil, fmt.Errorf("keys file %s: %w", path, err)
	}
	return keys, dropped, nil
}

func rotate(algorithm Algorithm, path string, random io.Reader, dropOld bool) (keys Keys, dropped []string, err error) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return keys, nil, err
	}
	defer folder.Close()
	// The lock is on the folder, so that there is no lock file to be left over;
	// it ends with the process.
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return keys, nil, err
	}
	made, err := createKeys(path, random)
	if err != nil {
		return keys, nil, err
	}
	// Keys that cannot be read are no reason to keep them.
	keys, _, err = readKeys(algorithm, path)
	if made || err != nil && !dropOld {
		return keys, nil, err
	}
	text, err := NewKey(random)
	if err != nil {
		return keys, nil, err
	}
	for i, old := range keys.all {
		if dropOld || i >= maxOld {
			dropped = append(dropped, old.ID)
		} else {
			text += "," + old.text()
		}
	}
	if keys, err = ParseKeys(algorithm, text); err != nil {
		return keys, nil, err
	}
	draft, err := draftKeys(path, text)
	if err != nil {
		return keys, nil, err
	}
	// Whoever reads the file goes on reading it, also when somebody else, such as
	// root, changes the keys.
	if info, err := os.Stat(path); err == nil {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Getuid() {
			if err := os.Chown(draft, int(owner.Uid), int(owner.Gid)); err != nil {
				return keys, nil, errors.Join(err, os.Remove(draft))
			}
		}
	}
	if err := os.Rename(draft, path); err != nil {
		return keys, nil, errors.Join(err, os.Remove(draft))
	}
	return keys, dropped, folder.Sync()
}

// createKeys writes a new file beside the place and links it there, so that
// of two servers starting at once one makes the file and both read the same.
// It reports whether it made the file.
func createKeys(path string, random io.Reader) (made bool, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	key, err := NewKey(random)
	if err != nil {
		return false, err
	}
	draft, err := draftKeys(path, key)
	if err != nil {
		return false, err
	}
	defer os.Remove(draft)
	if err := os.Link(draft, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// draftKeys writes keys into a new file beside path, for its owner's eyes
// alone, and sees them safe on the disk.
func draftKeys(path, text string) (string, error) {
	draft, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return "", err
	}
	_, err = draft.WriteString(strings.TrimSpace(text) + "\n")
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return "", errors.Join(err, os.Remove(draft.Name()))
	}
	return draft.Name(), nil
}
