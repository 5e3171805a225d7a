package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	// waitersPerSlot bounds the line: a hash takes a few hundredths of a
	// second, so that the last of 64 still waits less than lineTime.
	waitersPerSlot = 64
	lineTime       = 5 * time.Second

	// maxBytes bounds what is hashed at all. The longest password that
	// CheckNew accepts fits in every normalisation form that people type.
	maxBytes = 16 << 10
)

// current is what new hashes are made with: the first choice of OWASP's
// password storage cheat sheet for argon2id, 19 MiB and two passes.
var current = cost{memory: 19456, passes: 2, lanes: 1, saltBytes: 16, keyBytes: 32}

// Hasher hashes passwords with argon2id (RFC 9106) and checks them. It may be
// used by any number of goroutines; only as many hashes as it was told run at
// once, because each takes 19 MiB and a whole core while it runs.
type Hasher struct {
	random  io.Reader
	cost    cost   // of new hashes
	decoy   string // a hash of nobody's password, at the same cost
	running chan struct{}
	waiting atomic.Int64
	ran     func() // called before each hash; for tests that count them
}

// NewHasher makes a Hasher that draws salts from random, which is
// [crypto/rand.Reader] outside tests, and runs at most atOnce hashes at once,
// which is the number of processors.
func NewHasher(random io.Reader, atOnce int) *Hasher {
	return &Hasher{
		random:  random,
		cost:    current,
		decoy:   decoy(current),
		running: make(chan struct{}, max(atOnce, 1)),
		ran:     func() {},
	}
}

// NewPlayHasher makes a Hasher that costs next to nothing, and so protects
// nothing. It is for people who do not exist, in a school that is thrown away.
func NewPlayHasher(random io.Reader) *Hasher {
	h := NewHasher(random, 1)
	h.cost.memory, h.cost.passes = 8, 1
	h.decoy = decoy(h.cost)
	return h
}

// Hash makes the string that is stored for a new password: a PHC string with
// its parameters, a salt of its own and the key. Call [CheckNew] before.
//
// It returns [ErrBusy] when the line is too long, or the context's error.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > maxBytes {
		return "", fmt.Errorf("auth: a password of %d bytes", len(password))
	}
	salt := make([]byte, h.cost.saltBytes)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("auth: salt: %w", err)
	}
	key, err := h.key(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return phc{cost: h.cost, salt: salt, key: key}.String(), nil
}

// Verify reports whether password is the one that stored was made from, and
// if so whether stored should be made anew because the parameters have been
// raised since. A stored string that is not one of ours gives an error and is
// never run, however much memory it asks for.
//
// It also returns [ErrBusy] when the line is too long, or the context's error.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	// The answer depends on what was typed and not on the account, so that
	// its quickness tells nothing.
	if len(password) > maxBytes {
		return false, false, nil
	}
	key, err := h.key(ctx, password, p.salt, p.cost)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(key, p.key) == 1
	return ok, ok && p.cost != h.cost, nil
}

func (h *Hasher) key(ctx context.Context, password string, salt []byte, c cost) ([]byte, error) {
	if err := h.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-h.running }()
	h.ran()
	return argon2.IDKey(normalise(password), salt, c.passes, c.memory, c.lanes, uint32(c.keyBytes)), nil
}

// enter waits for a free place, in a line that is bounded in length and time.
func (h *Hasher) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.running <- struct{}{}:
		return nil
	default:
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > int64(waitersPerSlot*cap(h.running)) {
		return ErrBusy
	}
	timeout := time.NewTimer(lineTime)
	defer timeout.Stop()
	select {
	case h.running <- struct{}{}:
		return nil
	case <-timeout.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// normalise makes the bytes that are hashed. NIST SP 800-63B-4 §3.1.1.2 asks
// for Normalization Form C, so that an é typed as one character on one
// keyboard and as e with an accent on another opens the same door. The
// earlier revision asked for the compatibility forms, which would also make
// ² and 2 the same; form C changes only how a character is spelled, never
// which one it is. Nothing else happens: no trimming, no folding of case, no
// cutting off (ASVS 6.2.8).
func normalise(password string) []byte {
	return norm.NFC.Bytes([]byte(password))
}
