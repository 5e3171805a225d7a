package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// Somebody who is signed in confirms who they are before what outlives a session is
// changed: an address, a password, what they prove with. A session may be a browser
// that was left open, or a cookie that was stolen (ASVS 7.5.1).
var confirmRoutes = []route{
	{http.MethodGet, "/confirm", to(policy.AccountView), (*Server).showConfirm},
	{http.MethodPost, "/confirm", to(policy.AccountView), (*Server).confirmByPassword},
	{http.MethodPost, "/confirm/code", to(policy.AccountView), (*Server).confirmByCode},
}

func confirmAddress(next string) string {
	if next = localPath(next); next == "/" {
		return "/confirm"
	}
	return "/confirm?" + url.Values{"next": {next}}.Encode()
}

func (s *Server) showConfirm(c echo.Context) error {
	return s.confirmPage(c, http.StatusOK, views.ConfirmProps{Next: localPath(c.QueryParam("next"))})
}

func (s *Server) confirmPage(c echo.Context, status int, p views.ConfirmProps) error {
	v := visitorOf(c)
	factors, err := s.DB.Factors(c.Request().Context(), v.user.ID)
	if err != nil {
		return err
	}
	p.Email, p.Demo = string(v.user.Email), v.user.Demo
	p.HasPassword, p.TwoStep = factors.HasPassword, factors.TwoStep
	p.Mail = s.carries(school.ByMail) && !v.user.Demo
	if p.Providers, err = s.askableProviders(c, v.user.ID); err != nil {
		return err
	}
	p.Passkey = s.Passkeys.Available() && factors.Passkeys > 0
	return s.page(c, status, views.ConfirmPage(s.withPasskeys(s.frame(c, "Confirm that it is you", "")), p))
}

func (s *Server) confirmByPassword(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	v, began := visitorOf(c), s.Now()
	try := auth.Attempt{Email: string(v.user.Email), Password: f.get("password"), Address: address(c)}
	if s.Demo && v.user.Demo && f.get("demo") != "" {
		try.Password = views.DemoPassword
	}
	p := views.ConfirmProps{Next: localPath(f.get("next")), Kept: keptAgain(f)}
	user, err := s.Passwords.SignIn(c.Request().Context(), try)
	var throttled *auth.Throttled
	switch {
	case errors.Is(err, auth.ErrRefused) && v.user.Disabled():
		return errClosed
	case errors.Is(err, auth.ErrRefused):
		s.record(c, school.ActionSignInRefused, v.user.Name, "a wrong password, to confirm")
		p.Refused = true
		return s.confirmPage(c, http.StatusUnprocessableEntity, p)
	case errors.As(err, &throttled):
		p.RetryAfter = throttled.RetryAfter
		c.Response().Header().Set(echo.HeaderRetryAfter, seconds(throttled.RetryAfter))
		return s.confirmPage(c, http.StatusTooManyRequests, p)
	case err != nil:
		return err
	}
	flow := auth.Flow{Purpose: auth.ToConfirm, FlowState: auth.FlowState{Proved: []school.Method{school.Password}, ProvedAt: began, Next: p.Next}}
	return s.proved(c, user, flow, p.Kept)
}

// confirmByCode sends a code to the address of whoever is signed in.
func (s *Server) confirmByCode(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user := visitorOf(c).user
	if user.Demo {
		return errForbidden
	}
	flow := auth.Flow{Purpose: auth.ToConfirm, User: user.ID, FlowState: auth.FlowState{Next: localPath(f.get("next"))}}
	return s.sendCode(c, flow, auth.Destination{Email: user.Email}, user, keptAgain(f))
}

// confirmed writes into the session that its owner has just proved who they are. A
// proof that somebody else gave in this browser meanwhile counts for nothing.
func (s *Server) confirmed(c echo.Context, user school.User, flow auth.Flow, kept *views.KeptForm) error {
	if visitorOf(c).user.ID != user.ID {
		return auth.ErrNoFlow
	}
	toTheEnd(c)
	if err := s.Sessions.Confirm(c.Response(), c.Request(), flow.References(), flow.ProvedAt); err != nil {
		return s.whyNot(c, err)
	}
	s.record(c, school.ActionConfirm, user.Name, methodsLabel(flow.References()))
	if err := s.DB.NoteMethods(detached(c), user.ID, flow.Proved, s.Now()); err != nil {
		s.Log.Error("methods not noted", "id", requestID(c), "err", err)
	}
	if kept != nil {
		return s.showKept(c, user, *kept)
	}
	return seeOther(c, s.pageAt(flow.Next, "/account"))
}
