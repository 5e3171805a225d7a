package auth

import (
	"slices"

	"lectern/db/school"
)

// NeedsSecond reports whether somebody who has proved who they are in these ways is to
// be asked for one more. Whoever set up a second step is asked for it whichever way
// they come (ASVS 6.3.3, 6.3.4); a passkey is two things by itself, a device and what
// unlocks it. (Without having been unlocked it is taken beside another way only; see
// [PasskeyUse.Verified].)
func NeedsSecond(f school.Factors, proved []school.Method) bool {
	return f.TwoStep && len(proved) < 2 && !slices.Contains(proved, school.ByPasskey)
}

// references are the names of RFC 8176 for the ways of this site, where it has one; the
// others are ours.
var references = map[school.Method]string{
	school.Password:      "pwd",
	school.EmailCode:     "mail",
	school.TextCode:      "sms",
	school.Authenticator: "otp",
	school.RecoveryCode:  "recovery",
	school.ByProvider:    "fed",
}

// References are the ways in which somebody has proved who they are as a session
// carries them (amr, RFC 8176): "mfa" beside two of which one is a second step. A code
// by e-mail is none: whoever reads the mail has read a mail, and nothing says on what
// (NIST SP 800-63B-4 §3.1.3.1, ASVS 6.3.6). A passkey brings its own, and "mfa" among
// them where it is two things by itself.
func (s FlowState) References() []string {
	var all []string
	ways := 0
	for _, method := range s.Proved {
		names := []string{references[method]}
		if method == school.ByPasskey {
			names = s.Signed
		}
		before := len(all)
		for _, name := range names {
			if name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
		if len(all) > before {
			ways++
		}
	}
	if ways > 1 && slices.ContainsFunc(s.Proved, seconds) && !slices.Contains(all, "mfa") {
		all = append(all, "mfa")
	}
	return all
}

// seconds reports whether a way can be a second step.
func seconds(m school.Method) bool {
	switch m {
	case school.Authenticator, school.RecoveryCode, school.TextCode, school.ByPasskey:
		return true
	}
	return false
}
