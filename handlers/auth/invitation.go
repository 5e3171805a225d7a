package auth

import (
	"encoding/base64"
	"io"
)

// An invitation is no [Flow]: a flow belongs to the browser that began it, and whoever
// is invited has not been here. What opens it is a secret in the address of a letter,
// good for one use and for seven days (ASVS 6.4.1). Rows keep its hash. Looking at that
// address changes nothing, because programs that read mail look at addresses too.

// InvitationToken opens an invitation: 256 random bits, base64url.
type InvitationToken string

const invitationBytes = 32

// DrawInvitation draws what opens a new invitation.
func DrawInvitation(random io.Reader) (InvitationToken, error) {
	secret, err := drawn(random, invitationBytes)
	return InvitationToken(secret), err
}

// ParseInvitation reads one from an address. Whatever is not of our making is refused.
func ParseInvitation(s string) (InvitationToken, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return InvitationToken(s), err == nil && len(raw) == invitationBytes
}

// Hash is what a row keeps of it.
func (t InvitationToken) Hash() string { return hashOf("invitation", string(t)) }
