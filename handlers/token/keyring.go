package token

import "sync/atomic"

// Keyring holds the keys in force. It is safe for concurrent use.
type Keyring struct {
	keys atomic.Pointer[Keys]
}

// NewKeyring holds keys that do not change.
func NewKeyring(keys Keys) *Keyring {
	r := &Keyring{}
	r.keys.Store(&keys)
	return r
}

func (r *Keyring) current() *Keys { return r.keys.Load() }
