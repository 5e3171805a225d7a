package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/views"
)

// beginAuthenticator draws the secret of an authenticator app. Nothing is changed before
// the app has shown that it has it.
func (s *Server) beginAuthenticator(c echo.Context) error {
	user := visitorOf(c).user
	sealed, err := s.Apps.Draw(user.ID)
	if err != nil {
		return err
	}
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	flow := auth.Flow{Purpose: auth.ToAddApp, Step: auth.AwaitApp, User: user.ID, FlowState: auth.FlowState{Secret: sealed}}
	if flow, err = s.Flows.Begin(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	return seeOther(c, flowAddress("/account/authenticator", flow.ID))
}

func (s *Server) showAuthenticator(c echo.Context) error {
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitApp)
	if err != nil {
		return err
	}
	return s.authenticatorPage(c, http.StatusOK, flow, false)
}

func (s *Server) authenticatorPage(c echo.Context, status int, flow auth.Flow, wrong bool) error {
	user := visitorOf(c).user
	if flow.User != user.ID {
		return auth.ErrNoFlow
	}
	app, err := s.Apps.Show(user.ID, user.Email, flow.Secret)
	if err != nil {
		return err
	}
	p := views.AuthenticatorProps{Flow: string(flow.ID), Secret: app.Secret, Address: app.Address, Wrong: wrong, Left: auth.FlowTries - flow.Tries}
	if p.QRSize, p.QRPath, err = qrCode(app.Address); err != nil {
		return err
	}
	return s.page(c, status, views.AuthenticatorPage(s.frame(c, "Set up an authenticator app", ""), p))
}

// addAuthenticator keeps the app once it has shown a right code, and makes the codes
// for the day on which the telephone is lost.
func (s *Server) addAuthenticator(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx, browser, user := c.Request().Context(), s.browserOf(c), visitorOf(c).user
	flow, err := s.Flows.Try(ctx, browser, auth.FlowID(f.get("flow")), auth.AwaitApp)
	if errors.Is(err, auth.ErrNoFlow) {
		return s.sentTwice(c, err)
	}
	if err != nil {
		return err
	}
	if flow.User != user.ID {
		return auth.ErrNoFlow
	}
	step, err := s.Apps.Step(user.ID, flow.Secret, f.get("code"))
	if errors.Is(err, auth.ErrWrongCode) {
		return s.authenticatorPage(c, http.StatusUnprocessableEntity, flow, true)
	}
	if err != nil {
		return err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	return s.showNewCodes(c, true, func() error {
		if err := s.Apps.Add(toTheEnd(c), user.ID, flow.Secret, step, s.waysOpen()); err != nil {
			return err
		}
		s.record(c, school.ActionFactorAdd, user.Name, "authenticator app")
		s.notify(c, user, noticeOfApp)
		return nil
	})
}

// sentTwice is for whoever loads the page with their recovery codes once more: the app is
// set up, and the codes were shown.
func (s *Server) sentTwice(c echo.Context, over error) error {
	factors, err := s.DB.Factors(c.Request().Context(), visitorOf(c).user.ID)
	switch {
	case err != nil:
		return err
	case factors.AuthenticatorAt.IsZero() || s.Now().Sub(factors.AuthenticatorAt) > auth.FlowLife:
		return over
	}
	return seeOther(c, "/account/ways?said=app-known")
}

func (s *Server) removeAuthenticator(c echo.Context) error {
	return s.takeAway(c, removal{school.ActionFactorRemove, "authenticator app", noticeOfNoApp, "app-removed", s.DB.RemoveAuthenticator})
}

// makeRecoveryCodes makes new recovery codes in place of those that there were.
func (s *Server) makeRecoveryCodes(c echo.Context) error {
	user := visitorOf(c).user
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if len(factors.Seconds()) == 0 {
		return school.ErrNoFactor
	}
	return s.showNewCodes(c, false, nil)
}

// showNewCodes shows new recovery codes, this once. What can be away or busy comes
// first: the hashes, and the session. Then comes what the codes are to stand in for, if
// that is new, and they themselves last, so that none take the place of others that
// nobody is shown.
func (s *Server) showNewCodes(c echo.Context, added bool, add func() error) error {
	user := visitorOf(c).user
	codes, stored, err := s.Recovery.Draw(toTheEnd(c))
	if err != nil {
		return err
	}
	if err := s.Sessions.Renew(c.Response(), c.Request()); err != nil {
		return s.whyNot(c, err)
	}
	if add != nil {
		if err := add(); err != nil {
			return err
		}
	}
	if err := s.Recovery.Keep(toTheEnd(c), user.ID, stored); err != nil {
		return err
	}
	s.record(c, school.ActionFactorAdd, user.Name, "recovery codes")
	if !added {
		s.notify(c, user, noticeOfCodes)
	}
	p := views.RecoveryProps{Codes: codes, Added: added, Email: string(user.Email), Made: s.Now()}
	return s.page(c, http.StatusOK, views.RecoveryPage(s.frame(c, "Your recovery codes", ""), p))
}
