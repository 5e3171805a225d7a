package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"lectern/db/school"
)

// Recovery codes are twelve characters of Crockford's alphabet, in which an o is a
// nought and an i or l a one: four to find the row by, eight that are kept as a hash,
// as passwords are (40 bits; ASVS 6.5.2, 6.5.4).
const (
	recoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	recoveryLength   = 12
	finderLength     = 4
	recoveryCodes    = 10
)

// CodeStore keeps recovery codes. What it does not find is [school.ErrNotFound].
type CodeStore interface {
	PutRecoveryCodes(ctx context.Context, id school.ID, codes []school.StoredCode, at time.Time) error
	RecoveryCode(ctx context.Context, id school.ID, finder string) (hash string, err error)
	// UseRecoveryCode deletes a code; of two who do so at once one finds none.
	UseRecoveryCode(ctx context.Context, id school.ID, code school.StoredCode) error
}

// Recovery is the way in for somebody who has lost their second step: codes that were
// made once, to be printed, each of which works once.
type Recovery struct {
	store  CodeStore
	hasher *Hasher
	random io.Reader
	now    func() time.Time
}

// NewRecovery puts the parts together.
func NewRecovery(store CodeStore, hasher *Hasher, random io.Reader, now func() time.Time) *Recovery {
	return &Recovery{store: store, hasher: hasher, random: random, now: now}
}

// Draw makes ten new codes, to be shown, and what is kept of them. It takes as long as
// ten hashes.
func (r *Recovery) Draw(ctx context.Context) (codes []string, stored []school.StoredCode, err error) {
	finders := map[string]bool{}
	for len(codes) < recoveryCodes {
		code, err := drawRecovery(r.random)
		if err != nil {
			return nil, nil, err
		}
		if finders[code[:finderLength]] {
			continue
		}
		finders[code[:finderLength]] = true
		hash, err := r.hasher.Hash(ctx, code)
		if err != nil {
			return nil, nil, err
		}
		codes = append(codes, code[:4]+"-"+code[4:8]+"-"+code[8:])
		stored = append(stored, school.StoredCode{Finder: code[:finderLength], Hash: hash})
	}
	return codes, stored, nil
}

// Keep keeps codes that were drawn in place of all that the person had. Nobody can read
// them again.
func (r *Recovery) Keep(ctx context.Context, id school.ID, stored []school.StoredCode) error {
	return r.store.PutRecoveryCodes(ctx, id, stored, r.now())
}

// Check takes a recovery code, which is used up by that. The error is ErrWrongCode for
// any that is not one of theirs; it comes after one hash in any case.
func (r *Recovery) Check(ctx context.Context, id school.ID, typed string) error {
	code := parseRecovery(typed)
	hash, err := r.hasher.decoy, school.ErrNotFound
	if code != "" {
		hash, err = r.store.RecoveryCode(ctx, id, code[:finderLength])
	}
	missing := errors.Is(err, school.ErrNotFound)
	if err != nil && !missing {
		return err
	}
	if missing {
		hash = r.hasher.decoy
	}
	ok, _, err := r.hasher.Verify(ctx, hash, code)
	if err != nil {
		return err
	}
	if !ok || missing {
		return ErrWrongCode
	}
	err = r.store.UseRecoveryCode(ctx, id, school.StoredCode{Finder: code[:finderLength], Hash: hash})
	if errors.Is(err, school.ErrNotFound) {
		return ErrWrongCode
	}
	return err
}

func drawRecovery(random io.Reader) (string, error) {
	raw := make([]byte, recoveryLength)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("auth: random numbers: %w", err)
	}
	for i, b := range raw {
		raw[i] = recoveryAlphabet[b%byte(len(recoveryAlphabet))] // 32 divides 256: each is as likely
	}
	return string(raw), nil
}

// parseRecovery reads what somebody typed off their paper; empty for what is no code.
func parseRecovery(typed string) string {
	code := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\u00a0':
			return -1
		case 'o':
			return '0'
		case 'i', 'l':
			return '1'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(typed)))
	if len(code) != recoveryLength || strings.ContainsFunc(code, func(r rune) bool { return !strings.ContainsRune(recoveryAlphabet, r) }) {
		return ""
	}
	return code
}
