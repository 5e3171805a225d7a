package school

import "time"

// Event is one line of the audit log: who did what to whom, when, from where
// and from which kind of session (ASVS 16.2.1). It never holds a secret.
type Event struct {
	ID      ID
	At      time.Time
	Action  string // such as "sign-in", "role.change"
	Actor   Person // zero when nobody was signed in
	Subject string // what it was done to, as a reader would name it
	// SubjectID is whose account it was done to by somebody else; else empty.
	SubjectID ID
	Detail    string // what else a reader needs: "student → instructor"
	Session   string // the session's backend, "none" for a visitor
	Address   string // the network address it came from
}

// The actions that the audit log knows.
const (
	ActionSignIn         = "sign-in"
	ActionSignInRefused  = "sign-in.refused"
	ActionSignUp         = "sign-up"
	ActionSignOut        = "sign-out"
	ActionConfirm        = "sign-in.confirm"
	ActionPasswordChange = "password.change"
	ActionPasswordReset  = "password.reset"
	ActionRename         = "account.rename"
	ActionEmailChange    = "email.change"
	ActionFactorAdd      = "factor.add"
	ActionFactorRemove   = "factor.remove"
	ActionDataDownload   = "data.download"
	ActionAccountDelete  = "account.delete"
	ActionInvite         = "invitation.send"
	ActionInviteRevoke   = "invitation.revoke"
	ActionInviteAccept   = "invitation.accept"
	ActionResetSend      = "password.reset.send"
	ActionAuditExport    = "audit.export"
	ActionRoleChange     = "role.change"
	ActionDisable        = "account.disable"
	ActionEnable         = "account.enable"
	ActionEndSessions    = "sessions.end"
	ActionSwitch         = "session.switch"
	ActionSiteSwitch     = "site.switch"
	ActionRevocation     = "site.revocation"
	ActionPublish        = "course.publish"
	ActionUnpublish      = "course.unpublish"
	ActionCourseDelete   = "course.delete"
	ActionCourseRestore  = "course.restore"
	ActionPasskeyAdd     = "passkey.add"
	ActionPasskeyRename  = "passkey.rename"
	ActionPasskeyRemove  = "passkey.remove"
	ActionPasskeyWarn    = "passkey.warn"
)
