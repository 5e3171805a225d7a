package school

import "slices"

// WaysOpen says which ways to sign in work on this installation, whoever it is.
type WaysOpen struct {
	// Mail and Texts: codes can be sent by e-mail, and by text message.
	Mail, Texts bool
	// Passkeys: browsers use them at the site's address.
	Passkeys bool
	// Providers are the other sites that can be signed in with.
	Providers []string
}

// WaysIn is how many of a person's ways to sign in are first steps, and work where those
// of open do. Everybody has an address, so that where mail is carried there is one always.
func (f Factors) WaysIn(identities []Identity, open WaysOpen) int {
	n := 0
	// With two steps the telephone is kept for the second.
	for _, has := range []bool{f.HasPassword, open.Mail, open.Texts && f.Phone != "" && !f.TwoStep} {
		if has {
			n++
		}
	}
	if open.Passkeys {
		n += f.Passkeys
	}
	for _, i := range identities {
		if slices.Contains(open.Providers, i.Provider) {
			n++
		}
	}
	return n
}
