package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/bearer"
	"lectern/handlers/session"
	"lectern/handlers/session/cookiejwt"
)

// credentialsJSON is what a program sends to get a token.
type credentialsJSON struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// Closed says that nothing else may be sent.
func (credentialsJSON) Closed() {}

// tokenJSON is the answer, in the words of RFC 6749 §5.1.
type tokenJSON struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type" doc:"always Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"in how many seconds it expires"`
}

// issueToken is the door for programs. It is the same door: the same throttle,
// the same hash, and the same answer for an address that nobody has.
func (s *Server) issueToken(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	var sent credentialsJSON
	if err := readJSON(c, &sent); err != nil {
		return err
	}
	asked := s.Now()
	user, err := s.Passwords.SignIn(c.Request().Context(), auth.Attempt{Email: sent.Email, Password: sent.Password, Address: address(c)})
	if err == nil && (asked.Before(user.SessionsEndedAt) || asked.Before(s.Sessions.Site().EndedAt)) {
		err = auth.ErrRefused // ended while the password was looked at
	}
	if errors.Is(err, auth.ErrRefused) {
		s.recordOf(c, session.Bearer, visitorOf(c).person(), school.ActionSignInRefused, maskedEmail(sent.Email), "for an access token")
	}
	if err != nil {
		return err
	}
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if auth.NeedsSecond(factors, []school.Method{school.Password}) {
		return errSecondStep
	}
	text, err := s.Tokens.Issue(user, asked, later(user.SessionsFrom, s.Sessions.Site().From()))
	if err != nil {
		return err
	}
	s.recordOf(c, session.Bearer, school.Person{ID: user.ID, Name: user.Name}, school.ActionSignIn, user.Name, "with a password, for an access token")
	return c.JSON(http.StatusOK, tokenJSON{text, "Bearer", int(bearer.Life / time.Second)})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// badToken is why a request with an Authorization header is refused, in the
// word that RFC 6750 §3.1 has for it.
type badToken struct {
	status int
	code   string
}

func (b *badToken) Error() string { return "handlers: bearer token: " + b.code }

var (
	errTokenRequest = &badToken{http.StatusBadRequest, "invalid_request"}
	errToken        = &badToken{http.StatusUnauthorized, "invalid_token"}
)

// What the traces of requests with a token say of this file's work.
var (
	readAuthorization = session.Work{Name: "Read Authorization header", Kind: session.CPU, Where: withTokens}
	lookUpPerson      = session.Work{Name: "Look up the person", Kind: session.Store, Where: withTokens}
)

const withTokens = "handlers/api_token.go"

// withToken finds out which program is asking, and for whom. Where there is a
// token, no cookie is looked at: a request speaks for one person, and which one
// must not depend on what a browser adds. A bad token is an error everywhere,
// also where a visitor would be welcome; a program had better know.
func (s *Server) withToken(c echo.Context, next echo.HandlerFunc) error {
	v := &visitor{visit: &session.Visit{}}
	trace := &v.visit.Trace
	trace.Backend = session.None
	trace.Begin()
	c.SetRequest(c.Request().WithContext(session.WithVisit(c.Request().Context(), v.visit)))
	c.Set(visitorKey, v)

	text, err := bearer.FromHeader(c.Request())
	if err != nil {
		trace.Refuse(session.Malformed)
		return fmt.Errorf("%w: %w", errTokenRequest, err)
	}
	trace.Done(&readAuthorization)
	access, problem := s.Tokens.Read(text, cookiejwt.Watch(trace))
	if problem != "" {
		trace.Refuse(session.Reason(problem))
		return errToken
	}
	reason, err := s.standingOf(c, v, access)
	trace.Read()
	trace.Done(&lookUpPerson)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	case reason != "":
		trace.Refuse(reason)
		return errToken
	}
	v.access = &access
	trace.Backend = session.Bearer
	return next(c)
}

// standingOf reads whom a token speaks of, and says why it is not good any
// more.
func (s *Server) standingOf(c echo.Context, v *visitor, access bearer.Access) (session.Reason, error) {
	ctx, cancel := context.WithTimeout(c.Request().Context(), patience)
	defer cancel()
	user, err := s.DB.User(ctx, access.User)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return session.NoSuchUser, nil
	case err != nil:
		return "", err
	case user.Disabled():
		return session.Closed, nil
	case access.EndedBy(user.SessionsFrom):
		return session.CutOff, nil
	case access.EndedBy(s.Sessions.Site().From()):
		return session.EndedForAll, nil
	}
	v.user = user
	return "", nil
}
