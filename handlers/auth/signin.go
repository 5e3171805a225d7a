package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"lectern/db/school"
)

// Accounts is what signing in needs of the school's records.
type Accounts interface {
	// CredentialByEmail finds an account, closed or not. An unknown address
	// is [school.ErrNotFound].
	CredentialByEmail(ctx context.Context, email school.Email) (school.Credential, error)
	// RehashPassword writes newHash if oldHash is still what is stored, so
	// that it cannot undo a password change made meanwhile.
	RehashPassword(ctx context.Context, id school.ID, oldHash, newHash string) error
}

// Attempt is one try at the door, as it was typed.
type Attempt struct {
	Email    string
	Password string
	Address  netip.Addr // of the connection, never from a header the visitor can write
}

// Passwords is the way in by e-mail address and password.
type Passwords struct {
	accounts Accounts
	hasher   *Hasher
	throttle *Throttle
	log      *slog.Logger
}

// NewPasswords puts the parts together. The Throttle may be shared with other
// ways in, so that they add up (ASVS 6.3.4).
func NewPasswords(accounts Accounts, hasher *Hasher, throttle *Throttle, log *slog.Logger) *Passwords {
	return &Passwords{accounts: accounts, hasher: hasher, throttle: throttle, log: log}
}

// SignIn says who the attempt is by, or why not:
//
//   - [ErrRefused] for an unknown or impossible address, a wrong password and
//     a closed account, each after exactly one hash (ASVS 6.3.8);
//   - *[Throttled] before any hash;
//   - [ErrUnavailable], whatever the password is;
//   - [ErrBusy], the context's error, or what Accounts returned.
//
// It is also the right check before a password is changed or an account
// closed: call it with the person's own address, and guessing from a stolen
// session is slowed like any other.
func (p *Passwords) SignIn(ctx context.Context, a Attempt) (school.User, error) {
	try, err := p.throttle.Begin(ctx, school.Password, a.Email, a.Address)
	if err != nil {
		return school.User{}, err
	}
	credential, err := p.find(ctx, a.Email)
	if err != nil {
		try.Cancel(ctx)
		return school.User{}, err
	}
	user, stored := credential.User, credential.PasswordHash
	mayEnter := stored != "" && !user.Disabled()
	if stored == "" {
		stored = p.hasher.decoy
	}
	ok, rehash, err := p.hasher.Verify(ctx, stored, a.Password)
	if err != nil {
		try.Cancel(ctx)
		return school.User{}, fmt.Errorf("auth: account %q: %w", user.ID, err)
	}
	if !ok || !mayEnter {
		return school.User{}, ErrRefused
	}
	if err := try.Succeed(ctx); err != nil {
		return school.User{}, err
	}
	if rehash {
		p.rehash(ctx, credential, a.Password)
	}
	return user, nil
}

// find returns a credential without a hash for an address that nobody has.
func (p *Passwords) find(ctx context.Context, typed string) (school.Credential, error) {
	email, err := school.ParseEmail(typed)
	if err != nil {
		return school.Credential{}, nil
	}
	credential, err := p.accounts.CredentialByEmail(ctx, email)
	if errors.Is(err, school.ErrNotFound) {
		return school.Credential{}, nil
	}
	return credential, err
}

// rehash keeps the right password under today's parameters. Whoever typed it
// is who they say they are, so a failure here is logged and not theirs; the
// next sign-in tries again.
func (p *Passwords) rehash(ctx context.Context, c school.Credential, password string) {
	hash, err := p.hasher.Hash(ctx, password)
	if err == nil {
		err = p.accounts.RehashPassword(ctx, c.User.ID, c.PasswordHash, hash)
	}
	if err != nil {
		p.log.WarnContext(ctx, "rehash password", "user", c.User.ID, "err", err)
	}
}

// Welcome notes where the owner of a new account is, as a sign-in would: their
// next ones from there do not wait for strangers. The account is open whether or not
// that can be noted.
func (p *Passwords) Welcome(ctx context.Context, email school.Email, address netip.Addr) {
	if err := p.throttle.Remember(ctx, string(email), address); err != nil {
		p.log.WarnContext(ctx, "network of a new account not noted", "err", err)
	}
}
