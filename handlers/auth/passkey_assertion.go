package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"lectern/db/school"
)

// BeginSignIn asks whoever is there for a passkey, without their saying who they
// are. It serves the button and the suggestions under the e-mail field alike; how
// the browser shows it is the page's matter. The options are what
// PublicKeyCredential.parseRequestOptionsFromJSON takes.
func (p *Passkeys) BeginSignIn() (options json.RawMessage, pending PasskeyPending, err error) {
	if !p.Available() {
		return nil, PasskeyPending{}, ErrNoPasskeys
	}
	challenge, err := p.challenge()
	if err != nil {
		return nil, PasskeyPending{}, err
	}
	assertion, asked, err := p.library.BeginDiscoverableLogin(webauthn.WithChallenge(challenge))
	if err != nil {
		return nil, PasskeyPending{}, fmt.Errorf("auth: ask for a passkey: %w", err)
	}
	return p.pend(PasskeySignIn, "", assertion.Response, asked)
}

// FinishSignIn says who answered, or why that is not believed:
//
//   - [ErrPasskeyExpired];
//   - *[PasskeyClonedError];
//   - [ErrRefused] for all else that is wrong with the answer, and for an account
//     that is closed;
//   - what the records returned.
func (p *Passkeys) FinishSignIn(ctx context.Context, pending PasskeyPending, answer []byte) (PasskeyUse, error) {
	if err := p.check(pending, PasskeySignIn, "", ErrRefused); err != nil {
		return PasskeyUse{}, err
	}
	parsed, err := parseAssertion(answer)
	if err != nil {
		return PasskeyUse{}, err
	}
	user, err := school.ParseID(string(parsed.Response.UserHandle))
	if err != nil {
		return PasskeyUse{}, fmt.Errorf("%w: the passkey names nobody", ErrRefused)
	}
	owner, err := p.ownerByID(ctx, user)
	if err != nil {
		return PasskeyUse{}, err
	}
	_, used, err := p.library.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return owner, nil }, pending.Asked, parsed)
	if err != nil {
		return PasskeyUse{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return p.use(ctx, owner, used, parsed.Response.AuthenticatorData)
}

// BeginSecond asks a person who has said who they are for one of their passkeys: as
// the second step of signing in, or again before something that matters. A device
// that cannot make sure of its owner will do here, since the other step did. It
// returns [ErrNoPasskeys] if they have none that is still accepted.
func (p *Passkeys) BeginSecond(ctx context.Context, user school.User) (options json.RawMessage, pending PasskeyPending, err error) {
	if !p.Available() {
		return nil, PasskeyPending{}, ErrNoPasskeys
	}
	owner, err := p.owner(ctx, user, false)
	if err != nil {
		return nil, PasskeyPending{}, err
	}
	if len(owner.credentials) == 0 {
		return nil, PasskeyPending{}, ErrNoPasskeys
	}
	challenge, err := p.challenge()
	if err != nil {
		return nil, PasskeyPending{}, err
	}
	assertion, asked, err := p.library.BeginLogin(owner, webauthn.WithChallenge(challenge), webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return nil, PasskeyPending{}, fmt.Errorf("auth: ask for a passkey: %w", err)
	}
	return p.pend(PasskeySecond, user.ID, assertion.Response, asked)
}

// FinishSecond says whether the person with the id user answered, who must be the
// one that was asked. The errors are those of [Passkeys.FinishSignIn].
func (p *Passkeys) FinishSecond(ctx context.Context, user school.ID, pending PasskeyPending, answer []byte) (PasskeyUse, error) {
	if err := p.check(pending, PasskeySecond, user, ErrRefused); err != nil {
		return PasskeyUse{}, err
	}
	parsed, err := parseAssertion(answer)
	if err != nil {
		return PasskeyUse{}, err
	}
	owner, err := p.ownerByID(ctx, user)
	if err != nil {
		return PasskeyUse{}, err
	}
	// A passkey that was removed since it was asked for must not shut out the others.
	// To the library, an empty list would be leave for any.
	if pending.Asked.AllowedCredentialIDs = owner.stillOwned(pending.Asked.AllowedCredentialIDs); pending.Asked.AllowedCredentialIDs == nil {
		return PasskeyUse{}, fmt.Errorf("%w: none of the passkeys that were asked is there any more", ErrRefused)
	}
	used, err := p.library.ValidateLogin(owner, pending.Asked, parsed)
	if err != nil {
		return PasskeyUse{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return p.use(ctx, owner, used, parsed.Response.AuthenticatorData)
}

// use notes the use of a passkey whose signature is right.
func (p *Passkeys) use(ctx context.Context, owner passkeyOwner, used *webauthn.Credential, said protocol.AuthenticatorData) (PasskeyUse, error) {
	if owner.user.Disabled() {
		return PasskeyUse{}, fmt.Errorf("%w: the account is closed", ErrRefused)
	}
	// The count is looked at where it is kept and not here: by the time that this is
	// written, another use may have been.
	passkey, err := p.records.UsePasskey(ctx, owner.id, credentialID(used.ID), said.Counter, said.Flags.HasBackupState(), p.now())
	switch {
	case errors.Is(err, school.ErrPasskeyCloned):
		return PasskeyUse{}, &PasskeyClonedError{Owner: owner.user, Passkey: passkey, First: !owner.marked[credentialID(used.ID)]}
	case errors.Is(err, school.ErrNotFound):
		return PasskeyUse{}, fmt.Errorf("%w: the passkey was removed meanwhile", ErrRefused)
	case err != nil:
		return PasskeyUse{}, err
	}
	return PasskeyUse{User: owner.user, Passkey: passkey, Methods: passkeyMethods(said.Flags)}, nil
}

// passkeyMethods are what an answer tells of how somebody showed who they are, in
// the words of RFC 8176, as far as the answer can be known to be true. All of it is
// the device's word, since no attestation says what device it is.
//
//   - "hwk" where the key cannot leave the device that made it, "swk" where it can
//     be copied to others: then a service guards it, whatever the devices are.
//   - "user", since somebody was there and touched it; no answer is taken without.
//   - "mfa" where the device made sure of its owner as well: something they have,
//     and something they know or are. Which of the two it was, and so whether "pin",
//     "fpt" or "face" is true, no answer says.
func passkeyMethods(flags protocol.AuthenticatorFlags) []string {
	methods := []string{"hwk", "user"}
	if flags.HasBackupEligible() {
		methods[0] = "swk"
	}
	if flags.HasUserVerified() {
		methods = append(methods, "mfa")
	}
	return methods
}

func parseAssertion(answer []byte) (*protocol.ParsedCredentialAssertionData, error) {
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("%w: an answer of %d bytes", ErrRefused, len(answer))
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return parsed, nil
}
