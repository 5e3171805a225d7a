package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/lab"
	"lectern/handlers/session"
	"lectern/views"
)

// explain finds the words. The sentences are the same whatever the cause
// within a status, except where the person can do something about it.
func (s *Server) explain(c echo.Context, status int, err error) views.ErrorProps {
	p := views.ErrorProps{Status: status, RequestID: requestID(c)}
	var invalid *school.Invalid
	var throttled *auth.Throttled
	if s.explainProvider(err, &p) {
		return p
	}
	switch status {
	case http.StatusBadRequest:
		p.Title, p.Lede = "We could not read that", "The form did not arrive in one piece. Nothing was changed. Go back, and send it again."
		if errors.Is(err, auth.ErrNoFlow) {
			p.Title, p.Lede = "This is over", "It took longer than ten minutes, or there were five wrong answers, or it was used, or it was begun in another browser; we do not say which. Nothing was changed. Begin once more."
			p.Back, p.BackLabel = "/signin", "Begin once more"
			if visitorOf(c).SignedIn() {
				p.Back, p.BackLabel = "/account/ways", "Back to your account"
			}
		}
	case http.StatusUnauthorized:
		p.Title, p.Lede = "We do not know who you are", "Your session has ended, or there never was one. The page may well be yours: sign in, and we will see."
		switch {
		case errors.Is(err, errSecondStep):
			p.Title, p.Lede = "Your account asks for a second step", "The password was right, and it is half of what your account asks for. Sign in on the page at the door."
		case errors.Is(err, session.ErrNoSession) || errors.Is(err, session.ErrEnded):
			p.Title, p.Lede = "Your session has ended", "It ended while you were at this, so it cannot be continued in any form. Sign in again."
		}
	case http.StatusForbidden:
		p.Title, p.Lede = "We know you, and it is still no", visitorOf(c).decision.Rule
		switch {
		case errors.Is(err, errForeign):
			p.Title, p.Lede = "That came from another site", "A page that is not ours tried to send this in your name, so it was refused and nothing was changed. If it was you, do it from here."
		case errors.Is(err, errConfirm):
			p.Title, p.Lede = "Confirm that it is you", "What you want to change outlives this session, and you proved who you are more than ten minutes ago. Nothing was changed. Load the page again, and confirm it there."
		case errors.Is(err, school.ErrDemoAccount):
			p.Title, p.Lede = "A demo account stays as it is", "A demo account is everybody’s: it stays, with its address, its password and whatever else lets people in. Nothing was changed."
		case errors.Is(err, school.ErrNotEnrolled):
			p.ByRule, p.Lede = true, "That is for those who have joined the course."
		default:
			p.ByRule = true
		}
		s.offerToJoin(c, err, &p)
	case http.StatusNotFound:
		p.Title, p.Lede = "There is nothing here", "The address may be mistyped, or what stood here has been taken away, or it is not for you to see. We do not say which."
		if errors.Is(err, errNoInvitation) {
			p.Title, p.Lede = "This invitation is over", "It was used, or taken back, or it is older than seven days, or its address is mistyped; we do not say which. Nothing was changed. Ask whoever invited you for another."
		}
		if errors.Is(err, errNoSuchSession) {
			p.Title, p.Lede = "You have no such session", "It may have ended meanwhile, or never have been yours; we do not say which. Nothing was changed."
			p.Back, p.BackLabel = "/account/sessions", "Back to your sessions"
		}
	case http.StatusMethodNotAllowed:
		p.Title, p.Lede = "That is not how this address works", "It can be looked at or sent to, but not in this way. Nothing was changed."
	case http.StatusConflict:
		p.Title, p.Lede = "Not as things stand", conflictOf(err)
		var lacking *lackingError
		if errors.Is(err, errClosed) {
			p.Title, p.Back, p.BackLabel = "This account has been closed", "/account", "Back to your account"
		}
		if errors.As(err, &lacking) {
			p.Title, p.Back, p.BackLabel = "Something is still to do", lacking.lesson, "Back to the lesson"
		}
	case http.StatusRequestEntityTooLarge:
		p.Title, p.Lede = "That is too much at once", "At most four megabytes fit into one form. Nothing was changed; go back, and your text is still there."
	case http.StatusUnprocessableEntity:
		p.Title, p.Lede = "That cannot be accepted", "One of the values is not one of those on offer. Nothing was changed. Go back and choose again."
		switch {
		case errors.As(err, &invalid):
			p.Lede = invalid.Reason + " Nothing was changed."
		case errors.Is(err, errNoCarrier):
			p.Title, p.Lede = "We cannot send that from here", "Whoever runs this site has not set up anything that carries such messages. Nothing was changed."
		case errors.Is(err, auth.ErrPasskeyUnfit):
			p.Lede = "What your device sent makes no passkey for this site, so none was kept. Those that you have are as they were. Go back and add it again, or choose another device."
		}
	case http.StatusTooManyRequests:
		p.Title, p.Lede = "A little slower, please", "There were too many tries in a short time. Nothing was changed."
		if errors.As(err, &throttled) {
			p.RetryAfter = throttled.RetryAfter
		}
		var full *lab.FullError
		if errors.As(err, &full) {
			p.Title, p.Lede, p.RetryAfter = "The lab is full just now", labFull, full.RetryAfter
		}
	case http.StatusServiceUnavailable:
		p.Title, p.Lede = "Not now, but soon", "Something that this page needs does not answer. You are not signed out: your cookie is as it was. Try again in a few seconds."
	default:
		p.Title, p.Lede = "That went wrong, and it was us", "The mistake is noted with the number below. What you had saved is safe. Go back and try once more."
		if errors.Is(err, session.ErrTooLarge) {
			p.Title, p.Lede = "Your session does not fit into a cookie", "Browsers drop a cookie of more than 4,096 bytes without a word, so you were not signed in with one. Nothing is lost; tell whoever runs this site the number below."
		}
	}
	return p
}

func conflictOf(err error) string {
	var lacking *lackingError
	switch {
	case errors.As(err, &lacking):
		return lacking.sentence()
	case errors.Is(err, errClosed):
		return "An admin has closed your account, so it gets no new session, and nothing is done for it that takes a fresh proof of who you are. For the rest, what you hold stays good until it expires, and then signing in is refused."
	case errors.Is(err, errRunAlready):
		return "You have seen what comes out, so there is nothing left to predict. Reset the experiment to begin it anew."
	case errors.Is(err, errUnpredicted):
		return "Say first what you expect, for each kind of session; then run it. It is the surprise that teaches."
	case errors.Is(err, errNotRun):
		return "There is nothing to explain yet. Run the experiment first."
	case classConflict(err) != "":
		return classConflict(err)
	case errors.Is(err, school.ErrNotPublished):
		return "This is still a draft, so nobody can join it or finish it. Publish it first."
	case errors.Is(err, school.ErrEmpty):
		return "A course needs at least one published lesson before it can be published. Publish a lesson first."
	case errors.Is(err, school.ErrLastAdmin):
		return "This is the last admin who can sign in. Make somebody else an admin first."
	case errors.Is(err, school.ErrIdentityTaken):
		return "With that, somebody signs in to another account here, which may be yours as well. Nothing was connected."
	case errors.Is(err, school.ErrLastWay):
		return "This is the last way into your account, so it stays. Add another one first."
	case errors.Is(err, errTheirLastWay):
		return "Without it this person could not sign in any more: nothing else that they have lets them in here. It stays. They can set up a password first."
	case errors.Is(err, errTheirsClosed):
		return "The account is closed, so nobody can sign in with it, with any password. Nothing was sent. Open it first."
	case errors.Is(err, errOwnWays):
		return "This is your own account. Nothing was changed. What you prove with who you are you change on its own page, as everybody does."
	case errors.Is(err, school.ErrNoHeir):
		return "There are courses of yours, and no admin here who could take them over. Ask whoever runs this site."
	case errors.Is(err, school.ErrNoFactor):
		return "There is nothing yet that could be the second step. Set up an authenticator app or a telephone first."
	case errors.Is(err, auth.ErrNoPasskeys):
		return "There is no passkey to ask. Nothing was changed; go back and use another way."
	case errors.Is(err, auth.ErrPasskeyExpired):
		return "Your passkey was asked more than five minutes ago, so its answer was not looked at any more. Nothing was changed. Go back and press the button again."
	case errors.Is(err, school.ErrPasskeyTaken):
		return "This passkey is kept here already, so it was not added again. Those that you have are as they were."
	case errors.Is(err, school.ErrTooManyPasskeys):
		return "You have twenty passkeys, and that is as many as we keep for one person. Remove one that you do not need any more, then add this one."
	case errors.Is(err, school.ErrStale):
		return "Somebody saved this while you were at it. Go back, look at what is there now, and save again."
	}
	return "Something changed meanwhile. Go back and look again."
}
