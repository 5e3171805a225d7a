package handlers

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/message"
)

// errNoCarrier: this site has nobody who carries such a message.
var errNoCarrier = message.ErrNoCarrier

func (s *Server) carries(channel school.Channel) bool { return s.Messages.Carries(channel) }

// post sends the code of a flow to where it goes. To an address that nobody has nothing
// goes, except where somebody is to open an account with it.
func (s *Server) post(c echo.Context, browser auth.Browser, flow auth.Flow, code auth.Code, user school.User) error {
	m := school.Message{
		Channel: flow.Sent.Channel(), To: string(flow.Sent.Email), User: user.ID,
		Browser: []byte(browser.Hash()), At: s.Now(), Until: flow.ExpiresAt,
	}
	if m.Channel == school.ByText {
		m.To = string(flow.Sent.Phone)
	}
	m.Subject, m.Body = s.codeWords(c, flow, code, user)
	if m.To == "" || user.ID == "" && flow.Purpose != auth.ToSignUp {
		return s.Messages.SendNothing(toTheEnd(c), m)
	}
	return s.Messages.Send(toTheEnd(c), m)
}

// codeDeeds say what a code is for.
var codeDeeds = map[auth.Purpose]string{
	auth.ToSignIn:      "sign in",
	auth.ToSignUp:      "open your account",
	auth.ToConfirm:     "confirm that it is you",
	auth.ToReset:       "choose a new password",
	auth.ToChangeEmail: "make this address yours",
	auth.ToAddPhone:    "make this number yours",
}

func (s *Server) codeWords(c echo.Context, flow auth.Flow, code auth.Code, user school.User) (subject, body string) {
	deed := codeDeeds[flow.Purpose]
	if flow.Sent.Channel() == school.ByText {
		// The last line is for telephones that fill codes in: they do so on this site
		// alone (https://wicg.github.io/sms-one-time-codes/).
		return "Your code", fmt.Sprintf("%s is your code to %s at Lectern. It is good for ten minutes. We never ask you for it.\n\n@%s #%s", code.Spaced(), deed, s.BaseURL.Hostname(), code)
	}
	if flow.Purpose == auth.ToSignUp && user.Disabled() {
		return "Your account is closed", s.signed(c, "Somebody wants to open an account with this address at Lectern, and there is one, which has been closed. If it was you, ask an admin of the school.\n\nIf it was not you, you need do nothing.")
	}
	if flow.Purpose == auth.ToSignUp && user.ID != "" {
		return "You already have an account", s.signed(c, fmt.Sprintf("Somebody wants to open an account with this address at Lectern, and there is one. If it was you, sign in instead, or choose a new password:\n\n%s\n%s\n\nIf it was not you, you need do nothing. Your account is as it was.",
			s.longAddress("/signin"), s.longAddress("/signin/forgotten")))
	}
	return "Your code to " + deed, s.signed(c, fmt.Sprintf("%s is your code to %s at Lectern.\n\nIt is good for ten minutes, once, and only in the browser that asked for it. If that was not you, you need do nothing: nobody can do anything without it. We never ask you for it.", code.Spaced(), deed))
}

// signed adds where a letter was caused, which is how its reader knows whether it was
// them.
func (s *Server) signed(c echo.Context, body string) string {
	where := deviceOf(c.Request().UserAgent())
	if at := address(c); at != netip.IPv6Unspecified() {
		where += ", from " + at.String()
	}
	return body + "\n\nIt was asked for in " + where + ".\n" + s.BaseURL.String()
}

// notice is what somebody is told after something has changed that whoever took their
// account over would change first (ASVS 6.3.7).
type notice struct {
	subject, words string
	// robbed is what to do for somebody who knows nothing of it; choosing a new
	// password if empty.
	robbed string
}

var (
	noticeOfFirstPassword  = notice{subject: "A password was added", words: "A password was added to your account at Lectern, which had none. You can sign in with it from now on."}
	noticeOfPassword       = notice{subject: "Your password was changed", words: "Your password at Lectern was changed."}
	noticeOfEmail          = notice{subject: "Your address was changed", words: "The address of your account at Lectern was changed. Letters go to the new one from now on.", robbed: askTheSchool}
	noticeOfApp            = notice{subject: "An authenticator app was added", words: "An authenticator app was added to your account at Lectern. It is asked for from now on, except after a passkey."}
	noticeOfNoApp          = notice{subject: "The authenticator app was removed", words: "The authenticator app was removed from your account at Lectern."}
	noticeOfPhone          = notice{subject: "A telephone was added", words: "A telephone number was added to your account at Lectern. Codes can be sent to it from now on."}
	noticeOfNoPhone        = notice{subject: "The telephone was removed", words: "The telephone number was removed from your account at Lectern."}
	noticeOfProvider       = notice{subject: "Another site was connected", words: "Another site was connected with your account at Lectern. You can sign in with it from now on."}
	noticeOfNoProvider     = notice{subject: "Another site was taken away", words: "One of the sites that you could sign in with was taken away from your account at Lectern."}
	noticeOfPasskey        = notice{subject: "A passkey was added", words: "A passkey was added to your account at Lectern. You can sign in with it from now on."}
	noticeOfNoPasskey      = notice{subject: "A passkey was removed", words: "One of the passkeys of your account at Lectern was removed. Nobody can sign in with it any more."}
	noticeOfCopy           = notice{subject: "A passkey was refused", words: "One of the passkeys of your account at Lectern was refused: it counts its uses, and the count did not go on from the last one. So there may be two of it, and we do not take it any more. Whoever holds it did not get in. Remove it from your account, and add another one."}
	noticeOfCodes          = notice{subject: "New recovery codes were made", words: "New recovery codes were made for your account at Lectern. Those that you had before are good for nothing."}
	noticeOfTwoSteps       = notice{subject: "The second step was switched on", words: "Your account at Lectern asks for a second step from now on, except after a passkey."}
	noticeOfOneStep        = notice{subject: "The second step was switched off", words: "Your account at Lectern does not ask for a second step any more."}
	noticeOfOneCode        = notice{subject: "A recovery code was used", words: "One of your recovery codes was taken as the second step of your account at Lectern, and is used up by that."}
	noticeOfNewDevice      = notice{subject: "A new sign-in", words: "Somebody signed in to your account at Lectern in a browser, or from a place, that it was not signed in from before."}
	noticeOfNoPasskeys     = notice{subject: "Your passkeys were removed", words: "All passkeys were removed from your account at Lectern. You can add new ones on the page of your account."}
	noticeOfNoCodes        = notice{subject: "Your recovery codes are good for nothing any more", words: "The recovery codes of your account at Lectern are good for nothing any more. You can make new ones on the page of your account."}
	noticeOfAskedReset     = notice{subject: "Please choose a new password", words: "Please choose a new password for your account at Lectern. The one you have opens it until then."}
	noticeOfForgottenReset = notice{subject: "Please choose a new password", words: "Please choose a new password for your account at Lectern. The one you had does not open it any more."}
	noticeOfDeletion       = notice{subject: "Your account was deleted", words: "Your account at Lectern was deleted, with all your progress in courses. Courses that you owned go on without you."}
)

// askTheSchool is for whoever has lost what a new password would be sent to.
const askTheSchool = "If it was not, write to an admin of the school at once: no code comes to this address any more, so nothing can be undone from here."

// notify sends somebody a notice. What has changed stays changed when nobody can carry
// it, so a failure is the log's matter.
func (s *Server) notify(c echo.Context, user school.User, n notice) {
	s.notifyAt(c, user, user.Email, n)
}

func (s *Server) notifyAt(c echo.Context, user school.User, to school.Email, n notice) {
	robbed := n.robbed
	if robbed == "" {
		robbed = "If it was not, choose a new password at once:\n\n" + s.longAddress("/signin/forgotten") + "\n\n" + s.endsSessions()
	}
	body := s.signed(c, n.words+"\n\nIf it was you, you need do nothing. "+robbed)
	s.noteUnsent(c, n, s.write(c, user, to, n.subject, body))
}

// notifyByAdmin tells somebody what an admin has done to their account. From where the
// admin did it is not for them.
func (s *Server) notifyByAdmin(c echo.Context, user school.User, n notice) {
	s.noteUnsent(c, n, s.writeByAdmin(c, user, n))
}

func (s *Server) writeByAdmin(c echo.Context, user school.User, n notice) error {
	body := n.words + "\n\nAn admin of the school did this. If you have not asked for it, ask them why."
	if user.ID != "" {
		body += " A new password you choose here:\n\n" + s.longAddress("/signin/forgotten") + "\n\n" + s.endsSessions()
	}
	return s.write(c, user, user.Email, n.subject, body+"\n\n"+s.BaseURL.String())
}

// write sends a letter about somebody's account.
func (s *Server) write(c echo.Context, user school.User, to school.Email, subject, body string) error {
	return s.Messages.Send(detached(c), school.Message{Channel: school.ByMail, To: string(to), Subject: subject, Body: body, User: user.ID, Browser: s.browserHash(c), At: s.Now()})
}

func (s *Server) noteUnsent(c echo.Context, n notice, err error) {
	if err != nil && !errors.Is(err, errNoCarrier) {
		s.Log.Error("notice not written", "id", requestID(c), "subject", n.subject, "err", err)
	}
}
