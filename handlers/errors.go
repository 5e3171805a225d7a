package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/lab"
	"lectern/handlers/session"
	"lectern/views"
)

var (
	errSignIn    = errors.New("handlers: not signed in")
	errForbidden = errors.New("handlers: forbidden by policy")
	errHidden    = errors.New("handlers: hidden by policy")
	errForeign   = errors.New("handlers: cross-origin request")
	errUnread    = errors.New("handlers: form cannot be read")
	errClosed    = errors.New("handlers: the account has been closed")
)

// statusOf is the one table of what an error means to a visitor.
func statusOf(err error) int {
	var (
		invalid   *school.Invalid
		throttled *auth.Throttled
		tooLarge  *http.MaxBytesError
		echoed    *echo.HTTPError
		full      *lab.FullError
		token     *badToken
		body      *badBody
		lacking   *lackingError
		away      *auth.Away
		refusal   *auth.Refusal
		untrusted *auth.Untrusted
	)
	switch {
	case errors.As(err, &token):
		return token.status
	case errors.As(err, &body):
		return body.status
	case errors.Is(err, errClosed):
		return http.StatusConflict
	case errors.Is(err, errSignIn), errors.Is(err, auth.ErrRefused), errors.Is(err, session.ErrNoSession), errors.Is(err, session.ErrEnded):
		return http.StatusUnauthorized
	case errors.As(err, &away):
		return http.StatusServiceUnavailable
	case errors.As(err, &refusal), errors.As(err, &untrusted), errors.Is(err, errOtherIdentity), errors.Is(err, errClosedAccount):
		return http.StatusForbidden
	case errors.Is(err, auth.ErrNoFlow), errors.Is(err, auth.ErrForeignAnswer), errors.Is(err, auth.ErrNotTold):
		return http.StatusBadRequest
	case errors.Is(err, auth.ErrWrongCode), errors.Is(err, errNoCarrier):
		return http.StatusUnprocessableEntity
	case errors.Is(err, errSecondStep):
		return http.StatusUnauthorized
	case errors.Is(err, errForbidden), errors.Is(err, errConfirm), errors.Is(err, errForeign), errors.Is(err, school.ErrNotEnrolled), errors.Is(err, school.ErrDemoAccount):
		return http.StatusForbidden
	case errors.Is(err, errHidden), errors.Is(err, school.ErrNotFound), errors.Is(err, errNoInvitation):
		return http.StatusNotFound
	case errors.Is(err, school.ErrStale), errors.Is(err, school.ErrNotPublished), errors.Is(err, school.ErrEmpty), errors.Is(err, school.ErrLastAdmin), errors.Is(err, school.ErrEmailTaken), errors.Is(err, school.ErrNoFactor), errors.Is(err, school.ErrNoHeir), errors.Is(err, school.ErrIdentityTaken), errors.Is(err, school.ErrLastWay), errors.Is(err, errTheirLastWay), errors.Is(err, errTheirsClosed), errors.Is(err, errOwnWays):
		return http.StatusConflict
	case errors.Is(err, auth.ErrNoPasskeys), errors.Is(err, auth.ErrPasskeyExpired), errors.Is(err, school.ErrPasskeyTaken), errors.Is(err, school.ErrTooManyPasskeys):
		return http.StatusConflict
	case errors.As(err, &invalid), errors.Is(err, session.ErrUnknownBackend), errors.Is(err, auth.ErrPasskeyUnfit):
		return http.StatusUnprocessableEntity
	case errors.As(err, &throttled), errors.As(err, &full):
		return http.StatusTooManyRequests
	case classConflict(err) != "":
		return http.StatusConflict
	case errors.Is(err, errRunAlready), errors.Is(err, errUnpredicted), errors.Is(err, errNotRun), errors.As(err, &lacking):
		return http.StatusConflict
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errUnread):
		return http.StatusBadRequest
	case errors.Is(err, session.ErrUnavailable), errors.Is(err, school.ErrBusy), errors.Is(err, auth.ErrBusy), errors.Is(err, auth.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	case errors.As(err, &echoed):
		return echoed.Code
	}
	return http.StatusInternalServerError
}

// answerError turns whatever a handler returned into an answer. The cause is
// logged, once, and never shown.
func (s *Server) answerError(err error, c echo.Context) {
	if hungUp(c, err) {
		noteHungUp(c)
		return
	}
	status := statusOf(err)
	switch {
	case status >= http.StatusInternalServerError:
		s.Log.Error("request failed", "id", requestID(c), "status", status, "err", err)
	case errors.Is(err, errForeign):
		s.Log.Warn("request refused", "id", requestID(c), "status", status, "err", err)
	}
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	var throttled *auth.Throttled
	var full *lab.FullError
	switch {
	case errors.As(err, &throttled):
		h.Set(echo.HeaderRetryAfter, seconds(throttled.RetryAfter))
	case errors.As(err, &full):
		h.Set(echo.HeaderRetryAfter, seconds(full.RetryAfter))
	case status == http.StatusServiceUnavailable:
		h.Set(echo.HeaderRetryAfter, busyFor)
	default:
		challenge(c, status, err)
	}
	var failed error
	switch {
	case errors.Is(err, errConfirm) && isPageLoad(c.Request()) && !wantsJSON(c):
		failed = c.Redirect(http.StatusSeeOther, confirmAddress(c.Request().URL.RequestURI()))
	case errors.Is(err, errConfirm) && !wantsJSON(c):
		p := views.ConfirmProps{Next: s.whereFrom(c), Secret: isSecret(c)}
		if !p.Secret {
			p.Kept = keptForm(c)
		}
		failed = s.confirmPage(c, status, p)
	case status == http.StatusUnauthorized && isPageLoad(c.Request()) && !wantsJSON(c):
		failed = c.Redirect(http.StatusSeeOther, signInAddress(c.Request().URL.RequestURI()))
	case c.Request().Method == http.MethodHead:
		failed = c.NoContent(status)
	case wantsJSON(c):
		failed = s.problem(c, status, err)
	default:
		failed = s.errorPage(c, status, err)
	}
	if hungUp(c, failed) {
		noteHungUp(c)
		return
	}
	if failed != nil {
		s.Log.Error("error page failed", "id", requestID(c), "err", failed)
		if !c.Response().Committed {
			_ = c.String(http.StatusInternalServerError, "Something went wrong here, and showing it went wrong too. Please go back and try again.")
		}
	}
}

// busyFor is after how many seconds to try again what cannot be done now.
const busyFor = "5"

// statusHungUp is for the log alone, since nobody is there to read it. It is
// the number that other servers use, and no number of HTTP's own.
const statusHungUp = 499

// hungUp reports whether err is only that the visitor did not wait.
func hungUp(c echo.Context, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(c.Request().Context().Err(), context.Canceled)
}

// noteHungUp answers nobody, for the log's sake.
func noteHungUp(c echo.Context) {
	if !c.Response().Committed {
		_ = c.NoContent(statusHungUp)
	}
}

// whyNot says of a session that cannot be continued whether its person's
// account has been closed. A token does not know of that, so its owner hears of
// it here.
func (s *Server) whyNot(c echo.Context, err error) error {
	if !errors.Is(err, session.ErrNoSession) && !errors.Is(err, session.ErrEnded) {
		return err
	}
	user, failed := s.DB.User(detached(c), visitorOf(c).user.ID)
	if failed == nil && user.Disabled() {
		return fmt.Errorf("%w: %w", errClosed, err)
	}
	return err
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

// isPageLoad reports whether somebody is looking at an address: not sending
// something to it, and not asking for anything but a page.
func isPageLoad(r *http.Request) bool {
	accept := r.Header.Get(echo.HeaderAccept)
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (accept == "" || strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*"))
}

func wantsJSON(c echo.Context) bool {
	r := c.Request()
	return inAPI(r) || strings.HasPrefix(r.Header.Get(echo.HeaderAccept), "application/json")
}

// problemJSON is an error for a program (RFC 9457).
type problemJSON struct {
	Type     string `json:"type" doc:"always about:blank: the status says what sort of error it is"`
	Title    string `json:"title" doc:"the name of the status"`
	Status   int    `json:"status"`
	Detail   string `json:"detail" doc:"a sentence for people"`
	Instance string `json:"instance" doc:"the number of this request, by which the log knows it"`
}

// problem answers with an error for a program.
func (s *Server) problem(c echo.Context, status int, err error) error {
	detail := s.explain(c, status, err).Lede
	if inAPI(c.Request()) {
		if words := apiWords(status, err); words != "" {
			detail = words
		}
	}
	body, failed := json.Marshal(problemJSON{"about:blank", http.StatusText(status), status, detail, requestID(c)})
	if failed != nil {
		return failed
	}
	return c.Blob(status, "application/problem+json", body)
}

// errorPage is an error for a person: what happened, what is safe, what to do
// next.
func (s *Server) errorPage(c echo.Context, status int, err error) error {
	props := s.explain(c, status, err)
	if errors.Is(err, errForeign) && s.isAttempt(c.Request()) {
		props.Back, props.BackLabel = labAddress(postElsewhere)+"#in-browser", "Back to the experiment"
	}
	if props.Back == "" {
		props.Back, props.BackLabel = s.wayBack(c, status)
	}
	if status == http.StatusUnauthorized && isSecret(c) {
		props.Secret, props.Next = true, s.whereFrom(c)
	} else if status == http.StatusUnauthorized {
		props.Kept = keptForm(c)
	} else if !errors.Is(err, errForeign) {
		if props.Waiting = waitingForm(c); props.Waiting == nil {
			props.Sent = keptForm(c)
		}
	}
	return s.page(c, status, views.ErrorPage(s.frame(c, props.Title, ""), props))
}

// whereFrom is the page on which a form stood, to go back to.
func (s *Server) whereFrom(c echo.Context) string {
	from, err := url.Parse(c.Request().Referer())
	if err != nil || from.Host != s.BaseURL.Host || from.Scheme != s.BaseURL.Scheme {
		return "/account"
	}
	return s.pageAt(from.RequestURI(), "/account")
}

// wayBack is where somebody goes on after an error: a page that failed is tried
// again, and from a form that was refused they return to where it stands.
func (s *Server) wayBack(c echo.Context, status int) (address, label string) {
	r := c.Request()
	if r.Method != http.MethodGet {
		from, err := url.Parse(r.Referer())
		if err != nil || from.Host != s.BaseURL.Host || from.Scheme != s.BaseURL.Scheme {
			return "", ""
		}
		if address = s.pageAt(from.RequestURI(), ""); address == "" {
			return "", ""
		}
		return address, "Back to where you were"
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return here(c), "Try again"
	}
	return "", ""
}
