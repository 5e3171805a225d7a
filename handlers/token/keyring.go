package token

import (
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Keyring holds the keys in force, and takes up a change of the keys file
// while the site runs. It is safe for concurrent use; whoever reads or signs a
// token never waits for the file.
type Keyring struct {
	keys atomic.Pointer[Keys]
	path string // empty where the keys do not change
	log  *slog.Logger

	mu     sync.Mutex // held while the file is looked at
	seen   state
	warned string // the trouble with the file that was told last
}

// KeyInfo is what may be shown of a key.
type KeyInfo struct {
	ID    string
	Signs bool // the other keys only verify
}

// NewKeyring holds keys that do not change.
func NewKeyring(keys Keys) *Keyring {
	r := &Keyring{}
	r.keys.Store(&keys)
	return r
}

// Replace puts other keys of the same algorithm into force, at once. It is for keys
// that are in no file.
func (r *Keyring) Replace(keys Keys) { r.keys.Store(&keys) }

// OpenKeyring holds the keys of the file, which is made where there is none.
// A file that cannot be used is refused here. Later on, when the site runs, the
// keys in force stay in force and the trouble goes to log.
func OpenKeyring(algorithm Algorithm, path string, random io.Reader, log *slog.Logger) (*Keyring, error) {
	keys, seen, err := loadKeys(algorithm, path, random)
	if err != nil {
		return nil, err
	}
	r := &Keyring{path: path, log: log, seen: seen}
	r.keys.Store(&keys)
	return r, nil
}

// Algorithm is the one that all keys of the ring are for.
func (r *Keyring) Algorithm() Algorithm { return r.current().algorithm }

// Keys lists the keys in force, the one that signs first.
func (r *Keyring) Keys() []KeyInfo { return r.current().Infos() }

// Public lists the public keys of those in force; there are none for HS256.
func (r *Keyring) Public() []PublicKey { return r.current().Public() }

// Reload takes up what has changed in the keys file since it was last read. It
// costs one look at the file's date where nothing has. A server calls it every
// few seconds.
func (r *Keyring) Reload() {
	if r.path == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reload()
}

func (r *Keyring) current() *Keys { return r.keys.Load() }

// find looks for a key by its kid. Where it is not known, somebody may have
// changed the keys a moment ago, and another server signs with the new one
// already: nobody is to be signed out by that, so the file is looked at. A
// forger who makes kids up costs the site that look and no reading, and much
// less than a signature would cost it.
func (r *Keyring) find(known *Keys, id string) *Key {
	if key := known.find(id); key != nil || r.path == "" {
		return key
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current() == known {
		r.reload()
	}
	return r.current().find(id)
}

func (r *Keyring) reload() {
	if now, err := stateOf(r.path); err == nil && now.is(r.seen) {
		return
	}
	keys, seen, err := readKeys(r.Algorithm(), r.path)
	r.seen = seen
	if err != nil {
		if trouble := err.Error(); trouble != r.warned {
			r.warned = trouble
			r.log.Warn("keys file not taken up; the keys in force stay in force", "file", r.path, "err", err)
		}
		return
	}
	r.warned = ""
	if old := r.current(); !old.same(&keys) {
		r.keys.Store(&keys)
		r.log.Info("keys changed", "signs", keys.signing().ID, "keys", len(keys.all))
	}
}

// state tells whether a file is still the one that was read. The zero state is
// no file's.
type state struct {
	file  fs.FileInfo
	mode  fs.FileMode
	size  int64
	dated time.Time
}

func stateOf(path string) (state, error) {
	info, err := os.Stat(path)
	if err != nil {
		return state{}, err
	}
	return stateFrom(info), nil
}

func stateFrom(info fs.FileInfo) state {
	return state{info, info.Mode(), info.Size(), info.ModTime()}
}

func (s state) is(other state) bool {
	return s.file != nil && other.file != nil && os.SameFile(s.file, other.file) &&
		s.mode == other.mode && s.size == other.size && s.dated.Equal(other.dated)
}
