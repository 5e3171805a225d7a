package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// The ways are what somebody proves with who they are: seen on one page, set up and
// taken away from there.
var wayRoutes = []route{
	{http.MethodGet, "/account/ways", to(policy.AccountView), (*Server).showWays},
	{http.MethodPost, "/account/email", on(policy.EmailChange, (*Server).ownAccount), (*Server).requestEmail},
	{http.MethodPost, "/account/two-step", on(policy.FactorsChange, (*Server).ownAccount), (*Server).switchTwoStep},
	{http.MethodPost, "/account/phone", on(policy.FactorsChange, (*Server).ownAccount), (*Server).requestPhone},
	{http.MethodPost, "/account/phone/remove", on(policy.FactorsChange, (*Server).ownAccount), (*Server).removePhone},
	{http.MethodPost, "/account/authenticator", on(policy.FactorsChange, (*Server).ownAccount), (*Server).beginAuthenticator},
	{http.MethodGet, "/account/authenticator", on(policy.FactorsChange, (*Server).ownAccount), (*Server).showAuthenticator},
	{http.MethodPost, "/account/authenticator/add", on(policy.FactorsChange, (*Server).ownAccount), (*Server).addAuthenticator},
	{http.MethodPost, "/account/authenticator/remove", on(policy.FactorsChange, (*Server).ownAccount), (*Server).removeAuthenticator},
	{http.MethodPost, "/account/recovery-codes", on(policy.FactorsChange, (*Server).ownAccount), (*Server).makeRecoveryCodes},
}

// waySentences are what the page says about what was just done.
var waySentences = map[string]string{
	"phone-added":      "Your telephone is set up. Codes can be sent to it from now on.",
	"phone-removed":    "The telephone is forgotten.",
	"app-known":        "An authenticator app is set up, and nothing was changed just now. Its recovery codes were shown once; if you did not keep them, make new ones here.",
	"second-gone":      "It is forgotten. Nothing else could be your second step, so that is off now, and your recovery codes are good for nothing.",
	"app-removed":      "The authenticator app is forgotten. Delete its entry in the app as well.",
	"two-step-on":      "From now on you are asked for a second step when you sign in.",
	"two-step-off":     "From now on one step is enough when you sign in.",
	"passkey-added":    "The passkey is added. You can sign in with it from now on.",
	"passkey-renamed":  "The passkey has its new name.",
	"passkey-removed":  "The passkey opens nothing here any more. Delete it on your device as well.",
	"provider-added":   "Connected. You can sign in with it from now on.",
	"provider-known":   "It was connected already, so nothing was changed.",
	"provider-removed": "It is no way in any more.",
	"email-changed":    "This is your address now. Sign in with it from now on.",
}

func (s *Server) showWays(c echo.Context) error {
	return s.waysPage(c, http.StatusOK, views.WaysProps{})
}

// waysPage fills in what does not depend on what was sent.
func (s *Server) waysPage(c echo.Context, status int, p views.WaysProps) error {
	v := visitorOf(c)
	factors, err := s.DB.Factors(c.Request().Context(), v.user.ID)
	if err != nil {
		return err
	}
	p.User, p.Factors = v.user, factors
	if p.Identities, err = s.DB.Identities(c.Request().Context(), v.user.ID); err != nil {
		return err
	}
	if p.Passkeys, err = s.DB.Passkeys(c.Request().Context(), v.user.ID); err != nil {
		return err
	}
	p.PasskeysWhyNot = s.Passkeys.WhyNot()
	p.Providers = s.providerChoices()
	p.Mail, p.Texts = s.carries(school.ByMail), s.carries(school.ByText)
	p.Confirmed = s.justConfirmed(c)
	p.MayChange = !v.user.Disabled() && s.may(c, policy.FactorsChange, policy.Object{Owner: v.user.ID, Demo: v.user.Demo})
	f, err := s.frameAfter(c, "Ways to sign in", "")
	if err != nil {
		return err
	}
	return s.page(c, status, views.WaysPage(s.withPasskeys(f), p))
}

// waysOpen are the ways to sign in that work here, whoever comes.
func (s *Server) waysOpen() school.WaysOpen {
	open := school.WaysOpen{Mail: s.carries(school.ByMail), Texts: s.carries(school.ByText), Passkeys: s.Passkeys.Available()}
	for _, p := range s.Providers {
		open.Providers = append(open.Providers, p.Slug())
	}
	return open
}

// requestEmail sends a code to the address that somebody wants. That another account
// has it is told to whoever reads mail there, and not before (ASVS 6.3.8).
func (s *Server) requestEmail(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user := visitorOf(c).user
	p := views.WaysProps{Email: f.typed("email"), Errors: map[string]string{}}
	email, err := school.ParseEmail(f.get("email"))
	if err := fieldErrors(p.Errors).note(err); err != nil {
		return err
	}
	if email == user.Email {
		p.Errors["email"] = "This is the address you have now."
	}
	if len(p.Errors) > 0 {
		return s.waysPage(c, http.StatusUnprocessableEntity, p)
	}
	flow := auth.Flow{Purpose: auth.ToChangeEmail, User: user.ID}
	return s.sendCode(c, flow, auth.Destination{Email: email}, user, nil)
}

// changeEmail gives somebody the address that has shown itself, and tells the old one.
func (s *Server) changeEmail(c echo.Context, flow auth.Flow) error {
	before := visitorOf(c).user
	err := s.DB.UpdateEmail(toTheEnd(c), before.ID, flow.Sent.Email)
	if errors.Is(err, school.ErrEmailTaken) {
		p := views.WaysProps{Email: string(flow.Sent.Email), Errors: map[string]string{"email": "This address cannot be used: it belongs to another account, which may be yours as well."}}
		return s.waysPage(c, http.StatusConflict, p)
	}
	if err != nil {
		return err
	}
	s.record(c, school.ActionEmailChange, before.Name, "")
	s.notifyAt(c, before, before.Email, noticeOfEmail)
	s.Passwords.Welcome(detached(c), flow.Sent.Email, address(c))
	return s.renewed(c, "/account/ways?said=email-changed")
}

func (s *Server) switchTwoStep(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user, on := visitorOf(c).user, f.get("on") == "1"
	if on {
		return s.switchTwoStepOn(c, user)
	}
	if err := s.DB.SetTwoStep(toTheEnd(c), user.ID, false, s.waysOpen()); err != nil {
		return err
	}
	s.record(c, school.ActionFactorRemove, user.Name, "second step")
	s.notify(c, user, noticeOfOneStep)
	return s.renewed(c, "/account/ways?said=two-step-off")
}

// switchTwoStepOn has somebody be asked for a second thing, if they have one that can be
// asked for here. Whoever has no recovery codes gets some with it.
func (s *Server) switchTwoStepOn(c echo.Context, user school.User) error {
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(factors.Seconds(), s.works) {
		return school.ErrNoFactor
	}
	if err := s.DB.SetTwoStep(toTheEnd(c), user.ID, true, s.waysOpen()); err != nil {
		return err
	}
	s.record(c, school.ActionFactorAdd, user.Name, "second step")
	s.notify(c, user, noticeOfTwoSteps)
	if factors.RecoveryCodes == 0 {
		return s.showNewCodes(c, true, nil)
	}
	return s.renewed(c, "/account/ways?said=two-step-on")
}

// works reports whether a second step can be asked for at this site as it is set up.
func (s *Server) works(m school.Method) bool {
	switch m {
	case school.TextCode:
		return s.carries(school.ByText)
	case school.ByPasskey:
		return s.Passkeys.Available()
	}
	return true
}

// secondWent reports whether somebody's second step went with what was taken away since
// they had these factors.
func (s *Server) secondWent(c echo.Context, user school.User, before school.Factors) (bool, error) {
	after, err := s.DB.Factors(detached(c), user.ID)
	return before.TwoStep && !after.TwoStep, err
}

func (s *Server) requestPhone(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user := visitorOf(c).user
	p := views.WaysProps{Phone: f.typed("phone"), Errors: map[string]string{}}
	phone, err := school.ParsePhone(f.get("phone"))
	if err := fieldErrors(p.Errors).note(err); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return s.waysPage(c, http.StatusUnprocessableEntity, p)
	}
	flow := auth.Flow{Purpose: auth.ToAddPhone, User: user.ID}
	return s.sendCode(c, flow, auth.Destination{Phone: phone}, user, nil)
}

// addPhone keeps a number that has shown itself.
func (s *Server) addPhone(c echo.Context, flow auth.Flow) error {
	user := visitorOf(c).user
	if err := s.DB.PutPhone(toTheEnd(c), user.ID, flow.Sent.Phone, s.Now()); err != nil {
		return err
	}
	s.record(c, school.ActionFactorAdd, user.Name, "telephone "+flow.Sent.Phone.Masked())
	s.notify(c, user, noticeOfPhone)
	return s.renewed(c, "/account/ways?said=phone-added")
}

func (s *Server) removePhone(c echo.Context) error {
	return s.takeAway(c, removal{school.ActionFactorRemove, "telephone", noticeOfNoPhone, "phone-removed", func(ctx context.Context, user school.ID) error {
		return s.DB.RemovePhone(ctx, user, s.waysOpen())
	}})
}

// removal is the end of something that its owner proves with who they are.
type removal struct {
	action, called string // in the log
	letter         notice
	said           string // by the page; a key of waySentences
	remove         func(context.Context, school.ID) error
}

// takeAway ends it, and says so; also, if it is so, that the second step went with it.
func (s *Server) takeAway(c echo.Context, r removal) error {
	user := visitorOf(c).user
	before, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if err := r.remove(toTheEnd(c), user.ID); err != nil {
		return err
	}
	s.record(c, r.action, user.Name, r.called)
	s.notify(c, user, r.letter)
	alone, err := s.secondWent(c, user, before)
	if err != nil {
		return err
	}
	if alone {
		s.record(c, school.ActionFactorRemove, user.Name, "second step, of which nothing was left")
		s.notify(c, user, noticeOfOneStep)
		r.said = "second-gone"
	}
	return s.renewed(c, "/account/ways?said="+r.said)
}

// renewed leads on with a new session id, as after any change of what somebody proves
// with who they are (ASVS 7.2.4).
func (s *Server) renewed(c echo.Context, next string) error {
	if err := s.Sessions.Renew(c.Response(), c.Request()); err != nil {
		return s.whyNot(c, err)
	}
	return seeOther(c, next)
}
