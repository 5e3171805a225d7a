package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/handlers/session"
	"lectern/views"
)

var accountRoutes = []route{
	{http.MethodGet, "/account", to(policy.AccountView), (*Server).showAccount},
	{http.MethodPost, "/account/profile", to(policy.AccountEdit), (*Server).changeName},
	{http.MethodPost, "/account/password", on(policy.PasswordChange, (*Server).ownAccount), (*Server).changePassword},
}

// accountSentences are what the account page says about what was just done.
var accountSentences = map[string]string{
	"renamed": "Your new name is on every page from now on.",
}

// ownAccount is the account of whoever asks. A route of one's own account has
// no id in its address, so that there is none to be changed.
func (s *Server) ownAccount(c echo.Context) (policy.Object, error) {
	u := visitorOf(c).user
	return policy.Object{Owner: u.ID, Demo: u.Demo}, nil
}

func (s *Server) showAccount(c echo.Context) error {
	return s.accountPage(c, http.StatusOK, views.AccountProps{Name: visitorOf(c).user.Name, EndOthers: true})
}

// accountPage fills in what does not depend on what was sent.
func (s *Server) accountPage(c echo.Context, status int, p views.AccountProps) error {
	v := visitorOf(c)
	rec, _ := v.visit.Record()
	now := s.Now()
	p.User = s.asShown(c, v.user)
	p.Kind = kindOf(s.powerOf(v.visit.Trace.Backend))
	p.Role = roleLabel(rec.Role)
	p.RoleNow = roleLabel(v.user.Role)
	factors, err := s.DB.Factors(c.Request().Context(), v.user.ID)
	if err != nil {
		return err
	}
	p.HasPassword, p.Confirmed = factors.HasPassword, s.justConfirmed(c)
	p.Session = []views.Fact{
		{Name: "Signed in", Value: moment(rec.AuthAt, now) + ", " + methodsLabel(rec.Methods)},
		{Name: "This session since", Value: moment(rec.CreatedAt, now)},
		{Name: "Ends", Value: endOf(rec, now)},
	}
	p.Reach = s.reach()
	p.MayChangePassword = s.may(c, policy.PasswordChange, policy.Object{Owner: v.user.ID, Demo: v.user.Demo})
	f, err := s.frameAfter(c, "Your account", "")
	if err != nil {
		return err
	}
	return s.page(c, status, views.AccountPage(f, p))
}

// changeName changes the name that others see one by.
func (s *Server) changeName(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	p := views.AccountProps{Name: f.typed("name"), EndOthers: true, Errors: map[string]string{}}
	name, err := school.ParseName(f.get("name"))
	if err := fieldErrors(p.Errors).note(err); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return s.accountPage(c, http.StatusUnprocessableEntity, p)
	}
	user := visitorOf(c).user
	if err := s.DB.UpdateName(c.Request().Context(), user.ID, name); err != nil {
		return err
	}
	if name != user.Name {
		s.record(c, school.ActionRename, name, "before: "+user.Name)
	}
	return seeOther(c, "/account?said=renamed")
}

// changePassword asks for the old password, because whoever sits down at an
// unlocked computer has the session but not the password (ASVS 6.2.3). The
// question passes through the same throttle as the door.
func (s *Server) changePassword(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx, user := c.Request().Context(), visitorOf(c).user
	p := views.AccountProps{Name: user.Name, EndOthers: f.get("end_others") == "1", Errors: map[string]string{}}
	if reason := newPassword(f.get("new"), f.get("current"), user); reason != "" {
		p.Errors["new"] = reason
	}
	factors, err := s.DB.Factors(ctx, user.ID)
	if err != nil {
		return err
	}
	if !factors.HasPassword {
		return s.addPassword(c, f.get("new"), p)
	}
	_, err = s.Passwords.SignIn(ctx, auth.Attempt{Email: string(user.Email), Password: f.get("current"), Address: address(c)})
	var throttled *auth.Throttled
	switch {
	case errors.Is(err, auth.ErrRefused):
		s.record(c, school.ActionSignInRefused, user.Name, "a wrong present password, on the account page")
		p.Errors["current"] = "This is not your present password."
	case errors.As(err, &throttled):
		p.RetryAfter = throttled.RetryAfter
		c.Response().Header().Set(echo.HeaderRetryAfter, seconds(throttled.RetryAfter))
		return s.accountPage(c, http.StatusTooManyRequests, p)
	case err != nil:
		return err
	}
	if len(p.Errors) > 0 {
		return s.accountPage(c, http.StatusUnprocessableEntity, p)
	}
	hash, err := s.Hasher.Hash(ctx, f.get("new"))
	if err != nil {
		return err
	}
	if err := s.DB.UpdatePassword(toTheEnd(c), user.ID, hash); err != nil {
		return err
	}
	s.notify(c, user, noticeOfPassword)
	return s.afterPassword(c, p.EndOthers)
}

// addPassword gives somebody a password who has none: they came with another site. There
// is no present one to ask for, so it is the fresh proof of who they are that stands
// before it (policy.PasswordChange).
func (s *Server) addPassword(c echo.Context, wanted string, p views.AccountProps) error {
	user := visitorOf(c).user
	if len(p.Errors) > 0 {
		return s.accountPage(c, http.StatusUnprocessableEntity, p)
	}
	hash, err := s.Hasher.Hash(c.Request().Context(), wanted)
	if err != nil {
		return err
	}
	if err := s.DB.AddPassword(toTheEnd(c), user.ID, hash); err != nil {
		return err
	}
	s.notify(c, user, noticeOfFirstPassword)
	return s.afterPassword(c, p.EndOthers)
}

func newPassword(wanted, current string, user school.User) string {
	if wanted != "" && wanted == current {
		return "This is the password you have now."
	}
	var invalid *school.Invalid
	if errors.As(auth.CheckNew(wanted, user.Name, string(user.Email)), &invalid) {
		return invalid.Reason
	}
	return ""
}

// afterPassword gives this browser a new session and ends the others, as was
// asked. The line in the log stands whatever becomes of the sessions: the
// password has been changed.
func (s *Server) afterPassword(c echo.Context, endOthers bool) error {
	detail := "other sessions go on"
	var failed error
	if endOthers {
		var ended session.Ended
		ended, failed = s.Sessions.EndOthers(c.Response(), c.Request())
		detail = s.endedWords(ended, "other")
	} else {
		failed = s.Sessions.Renew(c.Response(), c.Request())
	}
	if failed != nil {
		detail = "the other sessions could not be reached"
	}
	event := s.record(c, school.ActionPasswordChange, visitorOf(c).user.Name, detail)
	if failed != nil {
		return s.whyNot(c, failed)
	}
	return seeOther(c, withEvent("/account", event))
}

// endOf says when a session ends: with a visit in time, and at the latest.
func endOf(rec session.Record, now time.Time) string {
	latest := moment(rec.ExpiresAt, now) + " at the latest"
	if rec.IdleUntil.IsZero() {
		return latest
	}
	return moment(rec.IdleUntil, now) + " without a visit, " + latest
}
