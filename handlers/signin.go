package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/session"
	"lectern/views"
)

func (s *Server) showSignIn(c echo.Context) error {
	next := localPath(c.QueryParam("next"))
	if visitorOf(c).SignedIn() {
		return seeOther(c, next)
	}
	return s.signInPage(c, http.StatusOK, views.SignInProps{Next: next})
}

func (s *Server) signInPage(c echo.Context, status int, p views.SignInProps) error {
	if s.Demo {
		p.Choices = s.choices(visitorOf(c))
		p.Demo = views.DemoAccounts
	}
	p.Remember, p.Providers, p.MayWatch = s.Sessions.Lifetimes().Remember, s.providerChoices(), s.Demo
	p.PasskeysWhyNot = s.Passkeys.WhyNot()
	f := s.withPasskeys(s.frame(c, "Sign in", ""))
	f.Scripts = append(f.Scripts, "signin.js")
	return s.page(c, status, views.SignInPage(f, p))
}

// signIn proves who somebody is and starts their session. Whatever is wrong,
// the answer is the same; the words do not say what.
func (s *Server) signIn(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	try := auth.Attempt{Email: f.get("email"), Password: f.get("password"), Address: address(c)}
	if demo := f.get("demo"); s.Demo && isDemoAccount(demo) {
		try.Email, try.Password = demo, views.DemoPassword
	}
	began := s.Now()
	user, err := s.Passwords.SignIn(c.Request().Context(), try)
	p := s.doorAgain(f)
	var throttled *auth.Throttled
	switch {
	case errors.Is(err, auth.ErrRefused):
		s.record(c, school.ActionSignInRefused, maskedEmail(try.Email), "")
		if wantsJSON(c) {
			return echo.NewHTTPError(http.StatusUnprocessableEntity)
		}
		p.Refused = true
		return s.signInPage(c, http.StatusUnprocessableEntity, p)
	case errors.As(err, &throttled):
		// No audit line: there would be no end of them. The request's own line in
		// the server's log says 429.
		if wantsJSON(c) {
			return err
		}
		p.RetryAfter = throttled.RetryAfter
		c.Response().Header().Set(echo.HeaderRetryAfter, seconds(throttled.RetryAfter))
		return s.signInPage(c, http.StatusTooManyRequests, p)
	case errors.Is(err, auth.ErrBusy) && !wantsJSON(c):
		p.Busy = true
		c.Response().Header().Set(echo.HeaderRetryAfter, busyFor)
		return s.signInPage(c, http.StatusServiceUnavailable, p)
	case errors.Is(err, auth.ErrUnavailable) && !wantsJSON(c) && !hungUp(c, err):
		s.Log.Error("tries not counted", "id", requestID(c), "err", err)
		p.Uncounted = true
		c.Response().Header().Set(echo.HeaderRetryAfter, busyFor)
		return s.signInPage(c, http.StatusServiceUnavailable, p)
	case err != nil:
		return err
	}
	flow := auth.Flow{Purpose: auth.ToSignIn, FlowState: auth.FlowState{
		Proved: []school.Method{school.Password}, ProvedAt: began, Next: p.Next, Backend: p.Backend, Remember: p.Remembered,
	}}
	return s.proved(c, user, flow, p.Kept)
}

// doorAgain is the page of the door with what was typed and chosen there.
func (s *Server) doorAgain(f formValues) views.SignInProps {
	return views.SignInProps{
		Email: f.typed("email"), Next: localPath(f.get("next")), Remembered: f.get("remember") == "1", Backend: s.kindAsked(f.get("backend")), Kept: keptAgain(f),
	}
}

// kindAsked is the kind of session that somebody chose at the door, and empty where
// there is nothing to choose, or nothing of that name.
func (s *Server) kindAsked(backend string) string {
	if !s.Sessions.Choice() || !slices.Contains(s.Sessions.Names(), backend) {
		return ""
	}
	return backend
}

// notSignedIn is the answer to somebody who has proved who they are, and whose
// session cannot be written down now. They are sent back to the door, where
// they can try again.
func (s *Server) notSignedIn(c echo.Context, err error, p views.SignInProps) error {
	if !errors.Is(err, session.ErrUnavailable) || wantsJSON(c) {
		return err
	}
	s.Log.Error("session not started", "id", requestID(c), "err", err)
	p.Away = true
	c.Response().Header().Set(echo.HeaderRetryAfter, busyFor)
	return s.signInPage(c, http.StatusServiceUnavailable, p)
}

// isDemoAccount reports whether the address is of one of the people whom
// anybody may be in a demonstration.
func isDemoAccount(email string) bool {
	return slices.ContainsFunc(views.DemoAccounts, func(a views.DemoAccount) bool { return a.Email == email })
}

// showKept gives the form back that somebody had sent without being signed in.
// It is not sent for them: they see it, and press the button.
func (s *Server) showKept(c echo.Context, user school.User, kept views.KeptForm) error {
	v := visitorOf(c)
	v.user = user
	return s.page(c, http.StatusOK, views.KeptPage(s.frame(c, kept.Title(), ""), kept))
}

// passKept shows somebody who is signed in by now the form that waits for them, and the
// whole door to everybody else, with the form beside it. So any way to sign in will do,
// also one that leaves the page and is gone in another tab.
func (s *Server) passKept(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	kept, v := keptAgain(f), visitorOf(c)
	switch {
	case kept == nil:
		return seeOther(c, "/")
	case v.SignedIn():
		return s.showKept(c, v.user, *kept)
	}
	return s.signInPage(c, http.StatusOK, s.doorAgain(f))
}

// keptAgain reads the form that came along with a sign-in; see keptForm. Its
// address must be one of ours.
func keptAgain(f formValues) *views.KeptForm {
	action := localPath(f.get("kept-action"))
	if action == "/" {
		return nil
	}
	kept := &views.KeptForm{Action: action}
	for name, values := range f {
		if field, ok := strings.CutPrefix(name, "kept-"); ok && field != "action" {
			for _, value := range values {
				kept.Fields = append(kept.Fields, views.KeptField{Name: field, Value: school.Text(value)})
			}
		}
	}
	slices.SortStableFunc(kept.Fields, func(a, b views.KeptField) int { return strings.Compare(a.Name, b.Name) })
	return kept
}

// maskedEmail is what the log keeps of an address that was refused: enough to
// see a pattern, not enough to write to, and never a password that somebody
// typed into the wrong box (ASVS 16.2.5).
func maskedEmail(typed string) string {
	email, err := school.ParseEmail(typed)
	if err != nil {
		return "not an address"
	}
	name, domain, _ := strings.Cut(string(email), "@")
	return name[:1] + "…@" + domain
}

// signOut ends the session. Somebody who is not signed in any more wanted the
// same, so it is no error.
func (s *Server) signOut(c echo.Context) error {
	return s.signOutTo(c, "/", "")
}

// signOutTo signs out and leads on; detail is for the log.
func (s *Server) signOutTo(c echo.Context, next, detail string) error {
	toTheEnd(c)
	if v := visitorOf(c); v.SignedIn() {
		s.record(c, school.ActionSignOut, v.user.Name, detail)
	}
	if err := s.Sessions.End(c.Response(), c.Request()); err != nil {
		return err
	}
	c.Response().Header().Set("Clear-Site-Data", `"cache"`)
	return seeOther(c, next)
}
