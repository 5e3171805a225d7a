package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"lectern/db/school"
)

var (
	// ErrNoPasskeys: passkeys do not work at the site's address, or the person has
	// none that is still accepted, so there is nothing to ask of one (409).
	ErrNoPasskeys = errors.New("auth: no passkeys")
	// ErrPasskeyExpired: the question is older than PasskeyTime, so its answer is not
	// looked at (409). Asking anew is all there is to do.
	ErrPasskeyExpired = errors.New("auth: the question to the passkey has expired")
	// ErrPasskeyUnfit: what came back makes no passkey for this person and this site
	// (422).
	ErrPasskeyUnfit = errors.New("auth: no passkey was made")
)

// PasskeyTime is how long a question to a passkey waits for its answer. The browser
// is told so too, and nobody relies on it.
const PasskeyTime = 5 * time.Minute

const (
	passkeyChallenge = 32       // bytes; WebAuthn §13.4.3 and ASVS 6.7.2 ask for 16 and for 8
	maxAnswer        = 64 << 10 // bytes; an answer has a few thousand
)

// PasskeyRecords is what passkeys need of the school's records.
type PasskeyRecords interface {
	// User reads an account, closed or not; [school.ErrNotFound] if there is none.
	User(ctx context.Context, id school.ID) (school.User, error)
	// PasskeyCredentials lists all passkeys of a person.
	PasskeyCredentials(ctx context.Context, user school.ID) ([]school.PasskeyCredential, error)
	// AddPasskey keeps a new one; [school.ErrPasskeyTaken] if anybody has it
	// already, [school.ErrTooManyPasskeys] if the person may have no more.
	AddPasskey(ctx context.Context, p school.PasskeyCredential) error
	// UsePasskey notes a use and the count that came with it. If the count did not
	// grow, it marks the passkey and returns it with [school.ErrPasskeyCloned]; one
	// that is marked comes back so for ever. Reading and writing are one step, or
	// two uses at once with one count would both be good.
	UsePasskey(ctx context.Context, user school.ID, credentialID string, count uint32, backedUp bool, at time.Time) (school.Passkey, error)
}

// Passkeys is the way in by passkey (WebAuthn Level 3): a key pair of which the
// person's device holds the private half, and signs with it whatever it is asked
// by the one site that the pair was made for. There is nothing to type, so there
// is nothing to give away to a page that only looks like this site.
//
// It always takes two steps. One that begins makes a question, of which the browser
// gets the options and the caller keeps the [PasskeyPending]; one that finishes holds
// the answer against it. Whoever has an answer and its question can show them again
// as often as they like, and they fit each time: the signature is not worn out by
// being checked. So the caller must keep the pending on the server, bound to the
// browser that asked, and take it away before finishing, whatever comes of it.
// In a cookie it would come back with the answer, and a copied answer would be a
// key: also where the session itself is a cookie, this has to be a record.
//
// What is asked for: a passkey that the device can find without being told an
// e-mail address; made only after the device has made sure of its owner, and used
// alone only so (by PIN, finger or face, of which we hear no more than that it was
// done); no attestation, since who built a device is nobody's business here.
type Passkeys struct {
	library *webauthn.WebAuthn // nil where passkeys do not work
	whyNot  string
	records PasskeyRecords
	random  io.Reader
	now     func() time.Time
}

// NewPasskeys makes the way in for the site that people see at base. It draws from
// random, which is [crypto/rand.Reader] outside tests, and reads the time from now.
func NewPasskeys(base *url.URL, site string, records PasskeyRecords, random io.Reader, now func() time.Time) *Passkeys {
	p := &Passkeys{records: records, random: random, now: now}
	host := strings.ToLower(base.Hostname())
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	switch {
	case net.ParseIP(host) != nil:
		p.whyNot = "Passkeys are made for a name, and this site is reached by a number, " + host + ". They work under a name, such as localhost."
		return p
	case base.Scheme != "https" && !local:
		p.whyNot = "Browsers offer passkeys only where nobody can listen: over https, or on localhost. This site is reached over http."
		return p
	}
	library, err := webauthn.New(&webauthn.Config{
		RPID:                  host,
		RPDisplayName:         site,
		RPOrigins:             []string{originOf(base, host)},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification:   protocol.VerificationRequired,
		},
		// The library would look at the machine's own clock; see PasskeyPending.
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: PasskeyTime},
			Registration: webauthn.TimeoutConfig{Timeout: PasskeyTime},
		},
		// Some password managers say more than they were asked. None of it is read.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		p.whyNot = "Passkeys are made for a full name, and browsers make none for “" + host + "”. They work under a name such as school.example."
		return p
	}
	p.library = library
	return p
}

// originOf is the site's address as browsers write it: without the port that goes
// without saying.
func originOf(base *url.URL, host string) string {
	if port := base.Port(); port != "" && !(base.Scheme == "https" && port == "443") && !(base.Scheme == "http" && port == "80") {
		host += ":" + port
	}
	return base.Scheme + "://" + host
}

// Available reports whether passkeys can work at the site's address at all.
func (p *Passkeys) Available() bool { return p.library != nil }

// WhyNot says in a sentence for people why they cannot; empty where they can.
func (p *Passkeys) WhyNot() string { return p.whyNot }

// PasskeyPending is a question that waits for its answer. It can be kept as JSON.
// It holds no secret, but must not be the browser's to keep or to change.
type PasskeyPending struct {
	Step    PasskeyStep          `json:"step"`
	User    school.ID            `json:"user,omitempty"` // empty where anybody may answer
	Expires time.Time            `json:"expires"`
	Asked   webauthn.SessionData `json:"asked"`
}

// PasskeyStep is what a question was asked for. An answer is good for that alone.
type PasskeyStep string

const (
	PasskeyAdd    PasskeyStep = "add"     // a new passkey for somebody who is signed in
	PasskeySignIn PasskeyStep = "sign-in" // who are you?
	PasskeySecond PasskeyStep = "second"  // are you really who you say?
)

// PasskeyUse is a passkey that was used, and by whom.
type PasskeyUse struct {
	User    school.User
	Passkey school.Passkey
	// Methods are how they showed who they are, in the words of RFC 8176: see
	// passkeyMethods.
	Methods []string
}

// Verified reports whether the device made sure of its owner, so that the passkey is two
// things by itself: what somebody has, and what unlocks it.
func (u PasskeyUse) Verified() bool { return slices.Contains(u.Methods, "mfa") }

// PasskeyClonedError says that a passkey was refused because there may be two of it:
// a use did not count on from the last one. It is [ErrRefused] to the person at the
// door, who may be the one with the copy. Its owner should hear of it, and so should
// the audit log ([school.ActionPasskeyWarn]).
type PasskeyClonedError struct {
	Owner   school.User
	Passkey school.Passkey
	First   bool // it is marked by this use, and not by one before
}

func (e *PasskeyClonedError) Error() string {
	return fmt.Sprintf("auth: passkey %q of %q may have been copied", e.Passkey.ID, e.Owner.ID)
}

// Unwrap makes it a refusal like any other, for those who only ask that.
func (e *PasskeyClonedError) Unwrap() []error { return []error{ErrRefused, school.ErrPasskeyCloned} }

// BeginAdd asks for a new passkey for user, on no device that holds one of theirs
// already. The options are what PublicKeyCredential.parseCreationOptionsFromJSON
// takes. The errors are [ErrNoPasskeys] where passkeys do not work, and
// [school.ErrTooManyPasskeys].
func (p *Passkeys) BeginAdd(ctx context.Context, user school.User) (options json.RawMessage, pending PasskeyPending, err error) {
	if !p.Available() {
		return nil, PasskeyPending{}, ErrNoPasskeys
	}
	owner, err := p.owner(ctx, user, true)
	if err != nil {
		return nil, PasskeyPending{}, err
	}
	if len(owner.credentials) >= school.MaxPasskeys {
		return nil, PasskeyPending{}, school.ErrTooManyPasskeys
	}
	challenge, err := p.challenge()
	if err != nil {
		return nil, PasskeyPending{}, err
	}
	creation, asked, err := p.library.BeginRegistration(owner,
		webauthn.WithExclusions(webauthn.Credentials(owner.credentials).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = challenge
			return nil
		})
	if err != nil {
		return nil, PasskeyPending{}, fmt.Errorf("auth: ask for a new passkey: %w", err)
	}
	return p.pend(PasskeyAdd, user.ID, creation.Response, asked)
}

// FinishAdd keeps the passkey that was made for the person with the id user, who
// must be the one that it was asked for, under the name that they gave it. The
// errors are *[school.Invalid] for the name, [ErrPasskeyExpired], [ErrPasskeyUnfit],
// [school.ErrPasskeyTaken] and [school.ErrTooManyPasskeys].
func (p *Passkeys) FinishAdd(ctx context.Context, user school.ID, pending PasskeyPending, answer []byte, name string) (school.Passkey, error) {
	name, err := school.ParsePasskeyName(name)
	if err != nil {
		return school.Passkey{}, err
	}
	if err := p.check(pending, PasskeyAdd, user, ErrPasskeyUnfit); err != nil {
		return school.Passkey{}, err
	}
	if len(answer) > maxAnswer {
		return school.Passkey{}, fmt.Errorf("%w: an answer of %d bytes", ErrPasskeyUnfit, len(answer))
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return school.Passkey{}, fmt.Errorf("%w: %w", ErrPasskeyUnfit, err)
	}
	made, err := p.library.CreateCredential(passkeyOwner{id: user}, pending.Asked, parsed)
	if err != nil {
		return school.Passkey{}, fmt.Errorf("%w: %w", ErrPasskeyUnfit, err)
	}
	record, err := json.Marshal(made)
	if err != nil {
		return school.Passkey{}, fmt.Errorf("auth: passkey: %w", err)
	}
	id, err := school.NewID(p.random)
	if err != nil {
		return school.Passkey{}, fmt.Errorf("auth: passkey: %w", err)
	}
	passkey := school.Passkey{
		ID:        id,
		User:      user,
		Name:      name,
		Synced:    made.Flags.BackupEligible,
		BackedUp:  made.Flags.BackupState,
		CreatedAt: p.now(),
	}
	return passkey, p.records.AddPasskey(ctx, school.PasskeyCredential{
		Passkey:      passkey,
		CredentialID: credentialID(made.ID),
		SignCount:    made.Authenticator.SignCount,
		Record:       record,
	})
}

func (p *Passkeys) challenge() (protocol.URLEncodedBase64, error) {
	challenge := make([]byte, passkeyChallenge)
	if _, err := io.ReadFull(p.random, challenge); err != nil {
		return nil, fmt.Errorf("auth: challenge: %w", err)
	}
	return challenge, nil
}

func (p *Passkeys) pend(step PasskeyStep, user school.ID, question any, asked *webauthn.SessionData) (json.RawMessage, PasskeyPending, error) {
	options, err := json.Marshal(question)
	if err != nil {
		return nil, PasskeyPending{}, fmt.Errorf("auth: passkey: %w", err)
	}
	return options, PasskeyPending{Step: step, User: user, Expires: p.now().Add(PasskeyTime), Asked: *asked}, nil
}

// check asks whether an answer to the question may be looked at, in this step and
// for this person; mixed is the error if it was another's.
func (p *Passkeys) check(pending PasskeyPending, step PasskeyStep, user school.ID, mixed error) error {
	switch {
	case !p.Available():
		return ErrNoPasskeys
	case pending.Step != step || pending.User != user:
		return fmt.Errorf("%w: the question was for something else", mixed)
	case !p.now().Before(pending.Expires):
		return ErrPasskeyExpired
	}
	return nil
}
