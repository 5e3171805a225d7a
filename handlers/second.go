package handlers

import (
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

var secondRoutes = []route{
	{http.MethodGet, "/signin/second", to(policy.Browse), (*Server).showSecond},
	{http.MethodPost, "/signin/second", to(policy.Browse), (*Server).answerSecond},
	{http.MethodPost, "/signin/second/text", to(policy.Browse), (*Server).textSecond},
}

// askSecond begins the second step of somebody who has done the first. What they have
// until then is a row that waits: no session, which a page could take for one.
func (s *Server) askSecond(c echo.Context, flow auth.Flow, factors school.Factors, kept *views.KeptForm) error {
	if wantsJSON(c) {
		return errSecondStep
	}
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	flow.Step = auth.AwaitSecond
	if flow, err = s.Flows.Begin(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	if kept != nil {
		return s.secondPage(c, http.StatusOK, flow, factors, views.SecondProps{Kept: kept})
	}
	return seeOther(c, flowAddress("/signin/second", flow.ID))
}

func (s *Server) showSecond(c echo.Context) error {
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitSecond)
	if err != nil {
		return err
	}
	factors, err := s.DB.Factors(c.Request().Context(), flow.User)
	if err != nil {
		return err
	}
	return s.secondPage(c, http.StatusOK, flow, factors, views.SecondProps{})
}

func (s *Server) secondPage(c echo.Context, status int, flow auth.Flow, factors school.Factors, p views.SecondProps) error {
	p.Flow, p.Until = string(flow.ID), flow.ExpiresAt
	p.App = !factors.AuthenticatorAt.IsZero()
	if s.carries(school.ByText) {
		p.Text = factors.Phone.Masked()
	}
	p.Passkey = s.Passkeys.Available() && factors.Passkeys > 0
	p.Recovery = factors.RecoveryCodes
	p.Idle = !slices.ContainsFunc(factors.Seconds(), s.works)
	p.Confirming = flow.Purpose == auth.ToConfirm
	return s.page(c, status, views.SecondPage(s.withPasskeys(s.frame(c, "The second step", "")), p))
}

// answerSecond takes a number off an app, or a recovery code. Guesses are counted for
// the account, apart from those at its password: whoever has the password could clear
// that count at will.
func (s *Server) answerSecond(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx, browser := c.Request().Context(), s.browserOf(c)
	flow, err := s.Flows.Look(ctx, browser, auth.FlowID(f.get("flow")), auth.AwaitSecond)
	if err != nil {
		return err
	}
	user, err := s.personOf(c, flow)
	if err != nil {
		return err
	}
	method := school.Authenticator
	if f.get("way") == string(school.RecoveryCode) {
		method = school.RecoveryCode
	}
	try, err := s.Throttle.Begin(ctx, method, "second step of "+string(user.ID), address(c))
	if err != nil {
		return err
	}
	// Whoever is told to wait has not answered yet.
	if flow, err = s.Flows.Try(ctx, browser, flow.ID, auth.AwaitSecond); err != nil {
		try.Cancel(ctx)
		return err
	}
	if method == school.RecoveryCode {
		err = s.Recovery.Check(ctx, user.ID, f.get("code"))
	} else {
		err = s.Apps.Check(ctx, user.ID, f.get("code"))
	}
	switch {
	case errors.Is(err, auth.ErrWrongCode):
		s.recordAs(c, school.Person{ID: user.ID, Name: user.Name}, school.ActionSignInRefused, user.Name, "a wrong code at the second step")
		factors, err := s.DB.Factors(ctx, user.ID)
		if err != nil {
			return err
		}
		p := views.SecondProps{Wrong: true, Left: auth.FlowTries - flow.Tries, Way: string(method), Kept: keptAgain(f)}
		return s.secondPage(c, http.StatusUnprocessableEntity, flow, factors, p)
	case err != nil:
		try.Cancel(ctx)
		return err
	}
	if err := try.Succeed(ctx); err != nil {
		return err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	if method == school.RecoveryCode {
		s.notify(c, user, noticeOfOneCode)
	}
	flow.Proved = append(flow.Proved, method)
	return s.proved(c, user, flow, keptAgain(f))
}

// textSecond sends a code to the telephone of somebody who has done the first step.
func (s *Server) textSecond(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(f.get("flow")), auth.AwaitSecond)
	if err != nil {
		return err
	}
	user, err := s.personOf(c, flow)
	if err != nil {
		return err
	}
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if factors.Phone == "" {
		return auth.ErrNoFlow
	}
	return s.sendCode(c, flow, auth.Destination{Phone: factors.Phone}, user, keptAgain(f))
}
