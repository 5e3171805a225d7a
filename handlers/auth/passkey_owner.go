package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/webauthn"

	"lectern/db/school"
)

// passkeyOwner is a person as the library knows them. Their handle, which devices
// keep and give back, is their ID: it is random, and says nothing about them.
type passkeyOwner struct {
	id          school.ID
	user        school.User
	credentials []webauthn.Credential
	marked      map[string]bool // by credential id: those that open nothing any more
}

func (o passkeyOwner) WebAuthnID() []byte                         { return []byte(o.id) }
func (o passkeyOwner) WebAuthnName() string                       { return string(o.user.Email) }
func (o passkeyOwner) WebAuthnDisplayName() string                { return o.user.Name }
func (o passkeyOwner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

func (o passkeyOwner) stillOwned(ids [][]byte) (owned [][]byte) {
	for _, id := range ids {
		for _, c := range o.credentials {
			if string(c.ID) == string(id) {
				owned = append(owned, id)
			}
		}
	}
	return owned
}

// owner reads a person's passkeys, with or without those that open nothing any more.
func (p *Passkeys) owner(ctx context.Context, user school.User, marked bool) (passkeyOwner, error) {
	rows, err := p.records.PasskeyCredentials(ctx, user.ID)
	if err != nil {
		return passkeyOwner{}, err
	}
	o := passkeyOwner{id: user.ID, user: user, marked: map[string]bool{}}
	for _, row := range rows {
		if !row.Opens() {
			if !marked {
				continue
			}
			o.marked[row.CredentialID] = true
		}
		// Its count and whether it was copied are those of the first day. What changes
		// from use to use stands beside the record, and UsePasskey looks there.
		var c webauthn.Credential
		if err := json.Unmarshal(row.Record, &c); err != nil {
			return passkeyOwner{}, fmt.Errorf("auth: passkey %q: %w", row.ID, err)
		}
		o.credentials = append(o.credentials, c)
	}
	return o, nil
}

// ownerByID reads a person with all passkeys. Those that are marked are refused when
// they are used, which their owner hears of.
func (p *Passkeys) ownerByID(ctx context.Context, id school.ID) (passkeyOwner, error) {
	user, err := p.records.User(ctx, id)
	if errors.Is(err, school.ErrNotFound) {
		return passkeyOwner{}, fmt.Errorf("%w: the passkey names nobody", ErrRefused)
	}
	if err != nil {
		return passkeyOwner{}, err
	}
	return p.owner(ctx, user, true)
}

func credentialID(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }
