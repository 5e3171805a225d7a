package handlers

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/handlers/auth"
)

// problemType is the media type of an error for a program.
const problemType = "application/problem+json"

// challenge says how to prove who one is: to everybody with a session, and in
// the API also with a token (RFC 6750 §3). Whoever came with a token is told
// what is wrong with it in one of three words, and no more.
func challenge(c echo.Context, status int, err error) {
	const realm = `Bearer realm="Lectern"`
	h := c.Response().Header()
	var token *badToken
	switch {
	case errors.As(err, &token):
		h.Set(echo.HeaderWWWAuthenticate, realm+`, error="`+token.code+`"`)
	case status == http.StatusUnauthorized:
		h.Set(echo.HeaderWWWAuthenticate, `Session realm="Lectern", signin="/signin"`)
		if inAPI(c.Request()) {
			h.Add(echo.HeaderWWWAuthenticate, realm)
		}
	case errors.Is(err, errForbidden) && visitorOf(c).access != nil:
		h.Set(echo.HeaderWWWAuthenticate, realm+`, error="insufficient_scope"`)
	}
}

// apiWords is what a program is told where a page would speak of forms and
// buttons; empty where the same words will do.
func apiWords(status int, err error) string {
	var body *badBody
	switch {
	case errors.As(err, &body):
		return body.says
	case errors.Is(err, errTokenRequest):
		return "Send one Authorization header: the word Bearer, a space, and the token."
	case errors.Is(err, errToken):
		return "This access token is not good, or not any more. Get a new one from POST " + apiPath + "/tokens."
	case errors.Is(err, errSecondStep):
		return "This account asks for a second step, which a program cannot take. Sign in on a page, and send the cookie of the session."
	case errors.Is(err, errConfirm):
		return "This is only for somebody who has just proved who they are. Confirm it at /confirm."
	case errors.Is(err, auth.ErrRefused):
		return "This e-mail address and this password do not open an account here."
	}
	switch status {
	case http.StatusBadRequest:
		return "The body did not arrive in one piece. Nothing was changed."
	case http.StatusUnauthorized:
		return "This needs somebody who is signed in. Send an access token from POST " + apiPath + "/tokens as Authorization: Bearer, or the cookie of a session."
	case http.StatusRequestEntityTooLarge:
		return "The body is larger than this address takes."
	}
	return ""
}
