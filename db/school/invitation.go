package school

import "time"

// InvitationLife is how long an invitation is good for.
const InvitationLife = 7 * 24 * time.Hour

// Invitation asks somebody to open an account, as what an admin says they are. What
// opens it is not here: that is in the letter alone.
type Invitation struct {
	ID    ID
	Email Email
	Name  string
	Role  Role
	By    Person // the admin; their account may be gone

	MadeAt, ExpiresAt time.Time
	AcceptedAt        time.Time // zero while nobody has
	RevokedAt         time.Time // when it was taken back, or replaced by another; zero if it was not
	// Stands reports whether whoever sent it is still an admin who can sign in. What
	// somebody gave away who must not any more is not to be had.
	Stands bool
}

// InvitationState is what has become of an invitation.
type InvitationState string

// The states of invitations. Only an open one can be accepted.
const (
	InvitationOpen     InvitationState = "open"
	InvitationAccepted InvitationState = "accepted"
	InvitationRevoked  InvitationState = "taken back"
	InvitationOver     InvitationState = "over"
	InvitationVoid     InvitationState = "void" // whoever sent it may not invite any more
)

// State is what has become of it at a moment.
func (i Invitation) State(now time.Time) InvitationState {
	switch {
	case !i.AcceptedAt.IsZero():
		return InvitationAccepted
	case !i.RevokedAt.IsZero():
		return InvitationRevoked
	case !now.Before(i.ExpiresAt):
		return InvitationOver
	case !i.Stands:
		return InvitationVoid
	}
	return InvitationOpen
}
