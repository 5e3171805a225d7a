package handlers

import (
	"errors"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/views"
)

// providerFailed is an error in a flow that another site was to answer: whoever reads of
// it is told what is with what they were about to do.
type providerFailed struct {
	purpose auth.Purpose
	next    string
	err     error
}

func failedFlow(flow auth.Flow, err error) error {
	return &providerFailed{flow.Purpose, flow.Next, err}
}

func (f *providerFailed) Error() string { return f.err.Error() }
func (f *providerFailed) Unwrap() error { return f.err }

// aftermath is what is with somebody for whom another site did not vouch, what they can
// do instead, and the address at which they can.
type aftermath struct{ state, instead, back, label string }

func aftermathOf(err error) aftermath {
	var failed *providerFailed
	if errors.As(err, &failed) {
		switch failed.purpose {
		case auth.ToConfirm:
			return aftermath{"You are signed in as before, and nothing was changed.", "confirm in another way that it is you", confirmAddress(failed.next), "Confirm in another way"}
		case auth.ToAddIdentity:
			return aftermath{"Nothing was connected, and you are signed in as before.", "use the ways that you have", "/account/ways", "Back to your ways to sign in"}
		}
	}
	return aftermath{"You were not signed in, and nothing was changed.", "come in another way", "/signin", "Back to the door"}
}

// explainProvider finds the words for what went wrong between this site and another
// that was to vouch for somebody, and reports whether anything did. What the other site
// wrote is for the log alone: it could be anybody's.
func (s *Server) explainProvider(err error, p *views.ErrorProps) bool {
	after := aftermathOf(err)
	p.Back, p.BackLabel = after.back, after.label
	tell := " Meanwhile, " + after.instead + ", and tell whoever runs this site the number below."
	var away *auth.Away
	var refusal *auth.Refusal
	var untrusted *auth.Untrusted
	switch {
	case errors.As(err, &away):
		p.Title, p.Lede = "The other site does not answer", after.state+" Try again in a while, or "+after.instead+"."
	case errors.As(err, &refusal) && refusal.ByPerson():
		p.Title, p.Lede = "You said no there", "The other site was to tell us who you are, and you did not let it. "+after.state
	case errors.As(err, &refusal):
		p.Title, p.Lede = "The other site would not say who you are", "It gave a reason that is about it and us, and not about you. "+after.state+tell
	case errors.As(err, &untrusted):
		p.Title, p.Lede = "We do not believe what the other site said", "Its answer was not signed, addressed or dated as it has to be, so it counts for nothing. "+after.state+tell
	case errors.Is(err, auth.ErrForeignAnswer):
		p.Title, p.Lede = "That was the answer to another question", "What came back from the other site does not belong to what this browser began there. Somebody may have sent you a link. "+after.state
	case errors.Is(err, auth.ErrNotTold):
		p.Title, p.Lede = "This site cannot be asked for that", "It does not say when it asked you last, so it cannot confirm that it is you now. Confirm it in another way."
	case errors.Is(err, errOtherIdentity):
		p.Title, p.Lede = "The other site knows you as somebody else", "It vouched for a person who does not belong to your account here. "+after.state+" Sign in there as who you are, and come back."
	case errors.Is(err, errClosedAccount):
		p.Title, p.Lede = "This account has been closed", "We believe who you are, and an admin has closed the account that is yours here, so nobody can sign in with it. Nothing was changed. If that is a mistake, ask whoever runs this site."
	case errors.Is(err, school.ErrIdentityTaken):
		p.Title, p.Lede = "That is a way into another account", conflictOf(err)
		p.Back, p.BackLabel = "/account/ways", "Back to your ways to sign in"
	default:
		p.Back, p.BackLabel = "", ""
		return false
	}
	return true
}
