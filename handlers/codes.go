package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// Codes are numbers that were sent to an address or a telephone, and are typed in where
// they were asked for. One page takes them all, whatever they are for.
var codeRoutes = []route{
	{http.MethodGet, "/signin/code", to(policy.Browse), (*Server).showCodeRequest},
	{http.MethodPost, "/signin/code", to(policy.Browse), (*Server).requestCode},
	{http.MethodGet, "/code", to(policy.Browse), (*Server).showCode},
	{http.MethodPost, "/code", to(policy.Browse), (*Server).answerCode},
	{http.MethodPost, "/code/again", to(policy.Browse), (*Server).sendCodeAgain},
}

func (s *Server) showCodeRequest(c echo.Context) error {
	return s.codeRequestPage(c, http.StatusOK, views.CodeRequestProps{Next: localPath(c.QueryParam("next")), Remembered: c.QueryParam("remember") == "1", Backend: s.kindAsked(c.QueryParam("backend"))})
}

func (s *Server) codeRequestPage(c echo.Context, status int, p views.CodeRequestProps) error {
	if s.Demo {
		p.Choices = s.choices(visitorOf(c))
	}
	p.Mail, p.Text, p.Demo = s.carries(school.ByMail), s.carries(school.ByText), s.Demo
	return s.page(c, status, views.CodeRequestPage(s.frame(c, "Sign in with a code", ""), p))
}

// requestCode sends somebody a code to sign in with. For an address that nobody has,
// everything is the same: a flow begins, and a message goes there, which says so.
func (s *Server) requestCode(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	p := views.CodeRequestProps{Email: f.typed("email"), Next: localPath(f.get("next")), Remembered: f.get("remember") == "1", Backend: s.kindAsked(f.get("backend")), Errors: map[string]string{}}
	email, err := school.ParseEmail(f.get("email"))
	if err := fieldErrors(p.Errors).note(err); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return s.codeRequestPage(c, http.StatusUnprocessableEntity, p)
	}
	flow := auth.Flow{Purpose: auth.ToSignIn, FlowState: auth.FlowState{Next: p.Next, Backend: p.Backend, Remember: p.Remembered}}
	return s.beginByAddress(c, flow, email, f.get("by") == string(school.ByText))
}

// beginByAddress begins a flow for whoever has an address, and sends the code to that
// address or to the telephone that belongs to it.
func (s *Server) beginByAddress(c echo.Context, flow auth.Flow, email school.Email, byText bool) error {
	ctx := c.Request().Context()
	credential, err := s.DB.CredentialByEmail(ctx, email)
	if err != nil && !errors.Is(err, school.ErrNotFound) {
		return err
	}
	user := credential.User
	if user.Disabled() {
		user = school.User{}
	}
	to := auth.Destination{Email: email}
	if byText {
		to.ByText = true
		// Asked also where there is nobody, so that it takes as long.
		factors, err := s.DB.Factors(ctx, user.ID)
		if err != nil && !errors.Is(err, school.ErrNotFound) {
			return err
		}
		// Whoever needs a second step has the telephone for that.
		if to.Phone = factors.Phone; factors.TwoStep {
			to.Phone = ""
		}
		if to.Phone == "" {
			user = school.User{}
		}
	}
	flow.User = user.ID
	return s.sendCode(c, flow, to, user, nil)
}

// codesFor is how long codes can be sent again for one thing that was begun: another
// code is good for ten minutes more, and not for ever.
const codesFor = 30 * time.Minute

// sendCode begins a flow that waits for a code, sends the code, and leads to the page
// that takes it. kept is a form that waits to be sent again; nil for none.
func (s *Server) sendCode(c echo.Context, flow auth.Flow, to auth.Destination, user school.User, kept *views.KeptForm) error {
	if !flow.ProvedAt.IsZero() && s.Now().Sub(flow.ProvedAt) > codesFor {
		return auth.ErrNoFlow
	}
	if channel := to.Channel(); !s.carries(channel) {
		return errNoCarrier
	}
	if err := s.mayRequest(c, flow, to, user); err != nil {
		return err
	}
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	flow.Sent = &to
	if flow.ProvedAt.IsZero() {
		flow.ProvedAt = s.Now()
	}
	flow, code, err := s.Flows.BeginWithCode(toTheEnd(c), browser, flow)
	if err != nil {
		return err
	}
	if err := s.post(c, browser, flow, code, user); err != nil {
		return err
	}
	if kept != nil {
		return s.codePage(c, http.StatusOK, flow, views.CodeProps{Kept: kept})
	}
	return seeOther(c, flowAddress("/code", flow.ID))
}

func (s *Server) showCode(c echo.Context) error {
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitCode)
	if err != nil {
		return err
	}
	return s.codePage(c, http.StatusOK, flow, views.CodeProps{})
}

func (s *Server) codePage(c echo.Context, status int, flow auth.Flow, p views.CodeProps) error {
	p.Flow, p.Until, p.Left = string(flow.ID), flow.ExpiresAt, auth.FlowTries-flow.Tries
	p.Purpose, p.Demo = string(flow.Purpose), s.Demo
	if sent := flow.Sent; sent != nil {
		p.Email, p.ByText = string(sent.Email), sent.Channel() == school.ByText
		// The number itself is shown to whoever has shown that they know whose it is.
		if p.ByText && (len(flow.Proved) > 0 || flow.Purpose == auth.ToAddPhone) {
			p.Phone = string(sent.Phone)
			if flow.Purpose != auth.ToAddPhone {
				p.Phone = sent.Phone.Masked()
			}
		}
	}
	return s.page(c, status, views.CodePage(s.frame(c, "Your code", ""), p))
}

// answerCode takes a code.
func (s *Server) answerCode(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx, browser := c.Request().Context(), s.browserOf(c)
	flow, err := s.Flows.Check(ctx, browser, auth.FlowID(f.get("flow")), f.get("code"))
	if errors.Is(err, auth.ErrWrongCode) {
		if !errors.Is(err, auth.ErrNotACode) {
			s.record(c, school.ActionSignInRefused, string(flow.Purpose), "a wrong code")
		}
		return s.codePage(c, http.StatusUnprocessableEntity, flow, views.CodeProps{Wrong: true, Kept: keptAgain(f)})
	}
	if err != nil {
		return err
	}
	if err := s.mayFinish(c, flow); err != nil {
		return err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	return s.afterCode(c, flow, keptAgain(f))
}

// mayFinish keeps what concerns an account that one is signed in to for whoever is
// signed in to it.
func (s *Server) mayFinish(c echo.Context, flow auth.Flow) error {
	switch flow.Purpose {
	case auth.ToConfirm, auth.ToChangeEmail, auth.ToAddPhone:
		return s.mayChangeOwn(c, flow)
	}
	return nil
}

// mayChangeOwn reports whether whoever is signed in is the one whom a flow is about, and
// whether the account is still open.
func (s *Server) mayChangeOwn(c echo.Context, flow auth.Flow) error {
	switch user := visitorOf(c).user; {
	case flow.User == "" || user.ID != flow.User:
		return auth.ErrNoFlow
	case user.Disabled():
		return errClosed
	}
	return nil
}

// afterCode does what the code was for.
func (s *Server) afterCode(c echo.Context, flow auth.Flow, kept *views.KeptForm) error {
	switch flow.Purpose {
	case auth.ToSignUp:
		return s.openNewAccount(c, flow)
	case auth.ToChangeEmail:
		return s.changeEmail(c, flow)
	case auth.ToAddPhone:
		return s.addPhone(c, flow)
	}
	user, err := s.personOf(c, flow)
	if err != nil {
		return err
	}
	method := school.EmailCode
	if flow.Sent.Channel() == school.ByText {
		method = school.TextCode
		err := s.DB.UsePhone(toTheEnd(c), user.ID, flow.Sent.Phone, s.Now())
		if errors.Is(err, school.ErrNotFound) {
			return auth.ErrNoFlow // it was changed meanwhile
		}
		if err != nil {
			return err
		}
	} else if user.Email != flow.Sent.Email {
		return auth.ErrNoFlow // it was changed meanwhile
	}
	if method == school.EmailCode {
		flow.Reached = user.Email
	}
	// A session was confirmed when the code was read, and not when the first one was
	// asked for; it may have been sent several times.
	if flow.Purpose == auth.ToConfirm && len(flow.Proved) == 0 {
		flow.ProvedAt = s.Now()
	}
	flow.Proved, flow.Sent, flow.Code = append(flow.Proved, method), nil, ""
	return s.proved(c, user, flow, kept)
}

// sendCodeAgain sends another code for the same thing. The one before stays good for as
// long as it was, on its own page.
func (s *Server) sendCodeAgain(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(f.get("flow")), auth.AwaitCode)
	if err != nil {
		return err
	}
	// Asked also where there is nobody, so that it takes as long.
	user, err := s.DB.User(c.Request().Context(), flow.User)
	switch {
	case err != nil && !errors.Is(err, school.ErrNotFound):
		return err
	case user.Disabled() && flow.Purpose != auth.ToSignUp:
		user = school.User{}
	}
	return s.sendCode(c, flow, *flow.Sent, user, keptAgain(f))
}

// mayRequest keeps people from being sent more codes than they asked for. What somebody
// asks for who has done the first step counts for their account, where their own network
// has tries that nobody else uses up. A telephone that nobody has yet counts by itself,
// and so does an address; beside it whoever wants it for their account counts, or one
// account could have texts sent to any number of people.
func (s *Server) mayRequest(c echo.Context, flow auth.Flow, to auth.Destination, user school.User) error {
	kind, account := school.EmailCode, string(to.Email)
	switch {
	case flow.Purpose == auth.ToReset:
		kind = school.Reset
	case to.Channel() == school.ByText:
		kind = school.TextCode
	}
	switch {
	case len(flow.Proved) > 0:
		account = string(user.Email)
	case account == "":
		account = string(to.Phone)
	}
	if flow.Purpose == auth.ToAddPhone || flow.Purpose == auth.ToChangeEmail {
		if err := s.Requests.Take(c.Request().Context(), kind, "what is new for "+string(user.ID), address(c)); err != nil {
			return err
		}
	}
	return s.Requests.Take(c.Request().Context(), kind, account, address(c))
}
