package handlers

import (
	"errors"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/views"
)

// explainProvider finds the words for what went wrong between this site and another
// that was to vouch for somebody, and reports whether anything did. What the other site
// wrote is for the log alone: it could be anybody's.
func (s *Server) explainProvider(err error, p *views.ErrorProps) bool {
	var away *auth.Away
	var refusal *auth.Refusal
	var untrusted *auth.Untrusted
	switch {
	case errors.As(err, &away):
		p.Title, p.Lede = "The other site does not answer", "You were not signed in, and nothing was changed. Try again in a while, or come in another way."
	case errors.As(err, &refusal) && refusal.ByPerson():
		p.Title, p.Lede = "You said no there", "The other site was to tell us who you are, and you did not let it. You were not signed in, and nothing was changed."
	case errors.As(err, &refusal):
		p.Title, p.Lede = "The other site would not say who you are", "It gave a reason that is about it and us, and not about you. You were not signed in, and nothing was changed. Come in another way, and tell whoever runs this site the number below."
	case errors.As(err, &untrusted):
		p.Title, p.Lede = "We do not believe what the other site said", "Its answer was not signed, addressed or dated as it has to be, so it counts for nothing. You were not signed in, and nothing was changed. Come in another way, and tell whoever runs this site the number below."
	case errors.Is(err, auth.ErrForeignAnswer):
		p.Title, p.Lede = "That was the answer to another question", "What came back from the other site does not belong to a sign-in that this browser began there. Somebody may have sent you a link. You were not signed in, and nothing was changed."
	case errors.Is(err, auth.ErrNotTold):
		p.Title, p.Lede = "This site cannot be asked for that", "It does not say when it asked you last, so it cannot confirm that it is you now. Confirm it in another way."
		p.Back, p.BackLabel = "/confirm", "Confirm in another way"
		return true
	case errors.Is(err, errOtherIdentity):
		p.Title, p.Lede = "The other site knows you as somebody else", "It vouched for a person who does not belong to your account here. Nothing was changed. Sign in there as who you are, and come back."
		p.Back, p.BackLabel = "/confirm", "Confirm in another way"
		return true
	case errors.Is(err, errClosedAccount):
		p.Title, p.Lede = "This account has been closed", "We believe who you are, and an admin has closed the account that is yours here, so nobody can sign in with it. Nothing was changed. If that is a mistake, ask whoever runs this site."
	case errors.Is(err, school.ErrIdentityTaken):
		p.Title, p.Lede = "That is a way into another account", conflictOf(err)
		p.Back, p.BackLabel = "/account/ways", "Back to your ways to sign in"
		return true
	default:
		return false
	}
	p.Back, p.BackLabel = "/signin", "Back to the door"
	return true
}
