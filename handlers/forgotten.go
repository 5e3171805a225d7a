package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// A forgotten password is replaced by whoever gets mail at the account's address, and
// has the second step where there is one (ASVS 6.4.3).
var forgottenRoutes = []route{
	{http.MethodGet, "/signin/forgotten", to(policy.Browse), (*Server).showForgotten},
	{http.MethodPost, "/signin/forgotten", to(policy.Browse), (*Server).forgotten},
	{http.MethodGet, "/signin/new-password", to(policy.Browse), (*Server).showNewPassword},
	{http.MethodPost, "/signin/new-password", to(policy.Browse), (*Server).chooseNewPassword},
}

func (s *Server) showForgotten(c echo.Context) error {
	return s.forgottenPage(c, http.StatusOK, views.ForgottenProps{})
}

func (s *Server) forgottenPage(c echo.Context, status int, p views.ForgottenProps) error {
	p.Mail, p.Ends = s.carries(school.ByMail), s.endsSessions()
	return s.page(c, status, views.ForgottenPage(s.frame(c, "A forgotten password", ""), p))
}

func (s *Server) forgotten(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	p := views.ForgottenProps{Email: f.typed("email"), Errors: map[string]string{}}
	email, err := school.ParseEmail(f.get("email"))
	if err := fieldErrors(p.Errors).note(err); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return s.forgottenPage(c, http.StatusUnprocessableEntity, p)
	}
	return s.beginByAddress(c, auth.Flow{Purpose: auth.ToReset}, email, false)
}

// askNewPassword begins the last step of somebody who has proved who they are.
func (s *Server) askNewPassword(c echo.Context, flow auth.Flow) error {
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	flow.Step = auth.AwaitPassword
	if flow, err = s.Flows.Begin(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	return seeOther(c, flowAddress("/signin/new-password", flow.ID))
}

func (s *Server) showNewPassword(c echo.Context) error {
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitPassword)
	if err != nil {
		return err
	}
	return s.newPasswordPage(c, http.StatusOK, flow, "")
}

func (s *Server) newPasswordPage(c echo.Context, status int, flow auth.Flow, reason string) error {
	user, err := s.mayChoose(c, flow)
	if err != nil {
		return err
	}
	p := views.NewPasswordProps{Flow: string(flow.ID), Email: string(user.Email), Ends: s.endsSessions(), Error: reason}
	return s.page(c, status, views.NewPasswordPage(s.frame(c, "A new password", ""), p))
}

// mayChoose is the person who may choose a new password by a flow, as long as what they
// have proved is still enough: the address is the account's, nobody has ended its
// sessions since, which its owner may have done against whoever sits here, and no second
// step was switched on.
func (s *Server) mayChoose(c echo.Context, flow auth.Flow) (school.User, error) {
	user, err := s.personOf(c, flow)
	if err != nil {
		return user, err
	}
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return user, err
	}
	if user.Email != flow.Reached || flow.ProvedAt.Before(user.SessionsEndedAt) || auth.NeedsSecond(factors, flow.Proved) {
		return user, auth.ErrNoFlow
	}
	return user, nil
}

// chooseNewPassword gives the account the password, ends all its sessions, since
// somebody else may have the old one, and signs its owner in.
func (s *Server) chooseNewPassword(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx, browser := c.Request().Context(), s.browserOf(c)
	flow, err := s.Flows.Look(ctx, browser, auth.FlowID(f.get("flow")), auth.AwaitPassword)
	if err != nil {
		return err
	}
	user, err := s.mayChoose(c, flow)
	if err != nil {
		return err
	}
	if user.Demo {
		return school.ErrDemoAccount
	}
	if reason := newPassword(f.get("new"), "", user); reason != "" {
		return s.newPasswordPage(c, http.StatusUnprocessableEntity, flow, reason)
	}
	hash, err := s.Hasher.Hash(ctx, f.get("new"))
	if err != nil {
		return err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	if err := s.DB.UpdatePassword(toTheEnd(c), user.ID, hash); err != nil {
		return err
	}
	person := school.Person{ID: user.ID, Name: user.Name}
	ended, failed := s.Sessions.EndUser(detached(c), user.ID)
	event := s.recordAs(c, person, school.ActionPasswordReset, user.Name, s.endedOrNot(ended, failed, ""))
	s.notify(c, user, noticeOfPassword)
	if failed != nil && !errors.Is(failed, school.ErrNotFound) {
		return failed
	}
	// The ends reach to this very moment; the new session is of after them.
	flow.ProvedAt, flow.Next = s.Now(), withEvent("/account", event)
	return s.enter(c, user, flow, nil)
}
