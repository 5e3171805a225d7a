package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/session"
	"lectern/views"
)

// Every way to prove who one is comes out here, whatever it was: proved asks for a
// second step where there is to be one, and then does what the proof was for. So no way
// in has rules of its own (ASVS 6.3.4).

// errConfirm: this is only for somebody who has just proved who they are.
var errConfirm = errors.New("handlers: to be confirmed")

// errSecondStep: a program has brought a right password, and the account asks for more.
var errSecondStep = errors.New("handlers: a second step is needed")

// flowAddress leads to the page that asks for the answer to a flow.
func flowAddress(path string, id auth.FlowID) string {
	return path + "?" + url.Values{"flow": {string(id)}}.Encode()
}

// proved goes on with somebody who has proved who they are in the ways that the flow
// names. kept is a form that waits to be sent again; nil for none.
func (s *Server) proved(c echo.Context, user school.User, flow auth.Flow, kept *views.KeptForm) error {
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	flow.User = user.ID
	if auth.NeedsSecond(factors, flow.Proved) {
		return s.askSecond(c, flow, factors, kept)
	}
	switch flow.Purpose {
	case auth.ToConfirm:
		return s.confirmed(c, user, flow, kept)
	case auth.ToReset:
		return s.askNewPassword(c, flow)
	}
	return s.enter(c, user, flow, kept)
}

// enter signs somebody in.
func (s *Server) enter(c echo.Context, user school.User, flow auth.Flow, kept *views.KeptForm) error {
	toTheEnd(c)
	if err := s.startSession(c, user, flow); err != nil {
		return s.notSignedIn(c, err, views.SignInProps{Email: string(user.Email), Next: flow.Next, Remembered: flow.Remember, Backend: flow.Backend, Kept: kept})
	}
	s.recordAs(c, school.Person{ID: user.ID, Name: user.Name}, school.ActionSignIn, user.Name, methodsLabel(flow.References()))
	s.noteEntry(c, user, flow.Proved)
	switch {
	case wantsJSON(c):
		return c.NoContent(http.StatusNoContent)
	case kept != nil:
		return s.showKept(c, user, *kept)
	}
	return seeOther(c, s.pageAt(flow.Next, "/"))
}

// startSession signs somebody in with a new session, in which stands how they proved
// who they are, as of the moment at which they were first asked.
func (s *Server) startSession(c echo.Context, user school.User, flow auth.Flow) error {
	return s.Sessions.Start(c.Response(), c.Request(),
		session.Identity{UserID: user.ID, Role: user.Role, Methods: flow.References(), AuthAt: flow.ProvedAt},
		session.StartOptions{Backend: s.kindAsked(flow.Backend), Remember: flow.Remember, Address: address(c).String(), Device: deviceOf(c.Request().UserAgent())},
	)
}

// noteEntry notes by which ways somebody was signed in and where, and tells them if they
// never were before from there. It decides nothing, so a failure is the log's matter.
func (s *Server) noteEntry(c echo.Context, user school.User, proved []school.Method) {
	isNew, err := s.DB.NoteEntry(detached(c), user.ID, proved, deviceOf(c.Request().UserAgent()), auth.NetworkOf(address(c)).String(), s.Now())
	if err == nil && s.Demo && !user.Demo {
		err = s.knowBrowser(c, user)
	}
	switch {
	case err != nil:
		s.Log.Error("entry not noted", "id", requestID(c), "err", err)
	case isNew:
		s.notify(c, user, noticeOfNewDevice)
	}
}

// knowBrowser has the demonstration's inbox show, in this browser, what somebody is sent.
func (s *Server) knowBrowser(c echo.Context, user school.User) error {
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	return s.DB.KnowBrowser(detached(c), user.ID, []byte(browser.Hash()))
}

// personOf is the person whom a flow is about. Whoever is not there any more, or may
// not sign in, ends the flow.
func (s *Server) personOf(c echo.Context, flow auth.Flow) (school.User, error) {
	if flow.User == "" {
		return school.User{}, auth.ErrNoFlow
	}
	user, err := s.DB.User(c.Request().Context(), flow.User)
	if errors.Is(err, school.ErrNotFound) || err == nil && user.Disabled() {
		return school.User{}, auth.ErrNoFlow
	}
	return user, err
}

// methodLabels say how somebody proved who they are, by the names in a session.
var methodLabels = map[string]string{
	"pwd":      "with a password",
	"mail":     "with a code by e-mail",
	"sms":      "with a code by text message",
	"otp":      "with an authenticator app",
	"recovery": "with a recovery code",
	"fed":      "through another site",
	"hwk":      "with a passkey",
	"swk":      "with a passkey that is kept on several devices",
}

func methodsLabel(methods []string) string {
	var labels []string
	for _, m := range methods {
		if label := methodLabels[m]; label != "" {
			labels = append(labels, label)
		}
	}
	return strings.Join(labels, " and ")
}
