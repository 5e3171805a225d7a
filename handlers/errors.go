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

// explain finds the words. The sentences are the same whatever the cause
// within a status, except where the person can do something about it.
func (s *Server) explain(c echo.Context, status int, err error) views.ErrorProps {
	p := views.ErrorProps{Status: status, RequestID: requestID(c)}
	var invalid *school.Invalid
	var throttled *auth.Throttled
	if s.explainProvider(err, &p) {
		return p
	}
	switch status {
	case http.StatusBadRequest:
		p.Title, p.Lede = "We could not read that", "The form did not arrive in one piece. Nothing was changed. Go back, and send it again."
		if errors.Is(err, auth.ErrNoFlow) {
			p.Title, p.Lede = "This is over", "It took longer than ten minutes, or there were five wrong answers, or it was used, or it was begun in another browser; we do not say which. Nothing was changed. Begin once more."
			p.Back, p.BackLabel = "/signin", "Begin once more"
			if visitorOf(c).SignedIn() {
				p.Back, p.BackLabel = "/account/ways", "Back to your account"
			}
		}
	case http.StatusUnauthorized:
		p.Title, p.Lede = "We do not know who you are", "Your session has ended, or there never was one. The page may well be yours: sign in, and we will see."
		switch {
		case errors.Is(err, errSecondStep):
			p.Title, p.Lede = "Your account asks for a second step", "The password was right, and it is half of what your account asks for. Sign in on the page at the door."
		case errors.Is(err, session.ErrNoSession) || errors.Is(err, session.ErrEnded):
			p.Title, p.Lede = "Your session has ended", "It ended while you were at this, so it cannot be continued in any form. Sign in again."
		}
	case http.StatusForbidden:
		p.Title, p.Lede = "We know you, and it is still no", visitorOf(c).decision.Rule
		switch {
		case errors.Is(err, errForeign):
			p.Title, p.Lede = "That came from another site", "A page that is not ours tried to send this in your name, so it was refused and nothing was changed. If it was you, do it from here."
		case errors.Is(err, errConfirm):
			p.Title, p.Lede = "Confirm that it is you", "What you want to change outlives this session, and you proved who you are more than ten minutes ago. Nothing was changed. Load the page again, and confirm it there."
		case errors.Is(err, school.ErrDemoAccount):
			p.Title, p.Lede = "A demo account stays as it is", "A demo account is everybody’s: it stays, with its address, its password and whatever else lets people in. Nothing was changed."
		case errors.Is(err, school.ErrNotEnrolled):
			p.ByRule, p.Lede = true, "That is for those who have joined the course."
		default:
			p.ByRule = true
		}
		s.offerToJoin(c, err, &p)
	case http.StatusNotFound:
		p.Title, p.Lede = "There is nothing here", "The address may be mistyped, or what stood here has been taken away, or it is not for you to see. We do not say which."
		if errors.Is(err, errNoInvitation) {
			p.Title, p.Lede = "This invitation is over", "It was used, or taken back, or it is older than seven days, or its address is mistyped; we do not say which. Nothing was changed. Ask whoever invited you for another."
		}
		if errors.Is(err, errNoSuchSession) {
			p.Title, p.Lede = "You have no such session", "It may have ended meanwhile, or never have been yours; we do not say which. Nothing was changed."
			p.Back, p.BackLabel = "/account/sessions", "Back to your sessions"
		}
	case http.StatusMethodNotAllowed:
		p.Title, p.Lede = "That is not how this address works", "It can be looked at or sent to, but not in this way. Nothing was changed."
	case http.StatusConflict:
		p.Title, p.Lede = "Not as things stand", conflictOf(err)
		var lacking *lackingError
		if errors.Is(err, errClosed) {
			p.Title, p.Back, p.BackLabel = "This account has been closed", "/account", "Back to your account"
		}
		if errors.As(err, &lacking) {
			p.Title, p.Back, p.BackLabel = "Something is still to do", lacking.lesson, "Back to the lesson"
		}
	case http.StatusRequestEntityTooLarge:
		p.Title, p.Lede = "That is too much at once", "At most four megabytes fit into one form. Nothing was changed; go back, and your text is still there."
	case http.StatusUnprocessableEntity:
		p.Title, p.Lede = "That cannot be accepted", "One of the values is not one of those on offer. Nothing was changed. Go back and choose again."
		switch {
		case errors.As(err, &invalid):
			p.Lede = invalid.Reason + " Nothing was changed."
		case errors.Is(err, errNoCarrier):
			p.Title, p.Lede = "We cannot send that from here", "Whoever runs this site has not set up anything that carries such messages. Nothing was changed."
		case errors.Is(err, auth.ErrPasskeyUnfit):
			p.Lede = "What your device sent makes no passkey for this site, so none was kept. Those that you have are as they were. Go back and add it again, or choose another device."
		}
	case http.StatusTooManyRequests:
		p.Title, p.Lede = "A little slower, please", "There were too many tries in a short time. Nothing was changed."
		if errors.As(err, &throttled) {
			p.RetryAfter = throttled.RetryAfter
		}
		var full *lab.FullError
		if errors.As(err, &full) {
			p.Title, p.Lede, p.RetryAfter = "The lab is full just now", labFull, full.RetryAfter
		}
	case http.StatusServiceUnavailable:
		p.Title, p.Lede = "Not now, but soon", "Something that this page needs does not answer. You are not signed out: your cookie is as it was. Try again in a few seconds."
	default:
		p.Title, p.Lede = "That went wrong, and it was us", "The mistake is noted with the number below. What you had saved is safe. Go back and try once more."
		if errors.Is(err, session.ErrTooLarge) {
			p.Title, p.Lede = "Your session does not fit into a cookie", "Browsers drop a cookie of more than 4,096 bytes without a word, so you were not signed in with one. Nothing is lost; tell whoever runs this site the number below."
		}
	}
	return p
}

func conflictOf(err error) string {
	var lacking *lackingError
	switch {
	case errors.As(err, &lacking):
		return lacking.sentence()
	case errors.Is(err, errClosed):
		return "An admin has closed your account, so it gets no new session, and nothing is done for it that takes a fresh proof of who you are. For the rest, what you hold stays good until it expires, and then signing in is refused."
	case errors.Is(err, errRunAlready):
		return "You have seen what comes out, so there is nothing left to predict. Reset the experiment to begin it anew."
	case errors.Is(err, errUnpredicted):
		return "Say first what you expect, for each kind of session; then run it. It is the surprise that teaches."
	case errors.Is(err, errNotRun):
		return "There is nothing to explain yet. Run the experiment first."
	case classConflict(err) != "":
		return classConflict(err)
	case errors.Is(err, school.ErrNotPublished):
		return "This is still a draft, so nobody can join it or finish it. Publish it first."
	case errors.Is(err, school.ErrEmpty):
		return "A course needs at least one published lesson before it can be published. Publish a lesson first."
	case errors.Is(err, school.ErrLastAdmin):
		return "This is the last admin who can sign in. Make somebody else an admin first."
	case errors.Is(err, school.ErrIdentityTaken):
		return "With that, somebody signs in to another account here, which may be yours as well. Nothing was connected."
	case errors.Is(err, school.ErrLastWay):
		return "This is the last way into your account, so it stays. Add another one first."
	case errors.Is(err, errTheirLastWay):
		return "Without it this person could not sign in any more: nothing else that they have lets them in here. It stays. They can set up a password first."
	case errors.Is(err, errTheirsClosed):
		return "The account is closed, so nobody can sign in with it, with any password. Nothing was sent. Open it first."
	case errors.Is(err, errOwnWays):
		return "This is your own account. Nothing was changed. What you prove with who you are you change on its own page, as everybody does."
	case errors.Is(err, school.ErrNoHeir):
		return "There are courses of yours, and no admin here who could take them over. Ask whoever runs this site."
	case errors.Is(err, school.ErrNoFactor):
		return "There is nothing yet that could be the second step. Set up an authenticator app or a telephone first."
	case errors.Is(err, auth.ErrNoPasskeys):
		return "There is no passkey to ask. Nothing was changed; go back and use another way."
	case errors.Is(err, auth.ErrPasskeyExpired):
		return "Your passkey was asked more than five minutes ago, so its answer was not looked at any more. Nothing was changed. Go back and press the button again."
	case errors.Is(err, school.ErrPasskeyTaken):
		return "This passkey is kept here already, so it was not added again. Those that you have are as they were."
	case errors.Is(err, school.ErrTooManyPasskeys):
		return "You have twenty passkeys, and that is as many as we keep for one person. Remove one that you do not need any more, then add this one."
	case errors.Is(err, school.ErrStale):
		return "Somebody saved this while you were at it. Go back, look at what is there now, and save again."
	}
	return "Something changed meanwhile. Go back and look again."
}
