package handlers

import (
	"context"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
)

// What an admin does about what somebody else proves with who they are. It is taken
// away or asked for anew, and never chosen, seen or set by anybody but the person
// (ASVS 6.4.1, 6.4.6). Whoever it concerns is told, whatever came of it (6.3.7).

var (
	// errTheirLastWay: without it, somebody could not sign in any more.
	errTheirLastWay = errors.New("handlers: the last way into somebody's account")
	// errTheirsClosed: nobody can sign in to the account.
	errTheirsClosed = errors.New("handlers: somebody's account is closed")
	// errOwnWays: admins change what they prove with themselves where everybody does.
	errOwnWays = errors.New("handlers: one's own account")
)

// factorReset takes one way to prove who one is away from somebody.
type factorReset struct {
	called string // in the log, and where the page says what was done
	remove func(*Server, context.Context, school.ID) error
	letter notice
}

// factorResets are those that the page of a person offers, by what its form says.
var factorResets = map[string]factorReset{
	"authenticator": {"authenticator app", func(s *Server, ctx context.Context, id school.ID) error {
		return s.DB.RemoveAuthenticator(ctx, id)
	}, noticeOfNoApp},
	"phone": {"telephone", func(s *Server, ctx context.Context, id school.ID) error {
		return s.DB.RemovePhone(ctx, id, s.waysOpen())
	}, noticeOfNoPhone},
	"passkeys": {"all passkeys", func(s *Server, ctx context.Context, id school.ID) error {
		return s.DB.RemovePasskeys(ctx, id, s.waysOpen())
	}, noticeOfNoPasskeys},
	"codes": {"recovery codes", func(s *Server, ctx context.Context, id school.ID) error {
		return s.DB.RemoveRecoveryCodes(ctx, id)
	}, noticeOfNoCodes},
	"two-step": {"second step", func(s *Server, ctx context.Context, id school.ID) error {
		return s.DB.SetTwoStep(ctx, id, false, s.waysOpen())
	}, noticeOfOneStep},
}

// otherPerson is the person in the address, who must not be the admin.
func (s *Server) otherPerson(c echo.Context) (school.User, error) {
	user, err := s.personAsked(c)
	if err == nil && user.ID == visitorOf(c).user.ID {
		err = errOwnWays
	}
	return user, err
}

// resetFactor takes one of somebody's ways to prove who they are away.
func (s *Server) resetFactor(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user, err := s.otherPerson(c)
	if err != nil {
		return err
	}
	what := f.get("what")
	reset, ok := factorResets[what]
	if !ok {
		return &school.Invalid{Field: "what", Reason: "Choose one of the ways on the page."}
	}
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if what == "two-step" && !factors.TwoStep {
		return seeOther(c, personAddress(user.ID))
	}
	err = reset.remove(s, toTheEnd(c), user.ID)
	switch {
	case errors.Is(err, school.ErrNotFound):
		return seeOther(c, personAddress(user.ID)) // it is gone already
	case errors.Is(err, school.ErrLastWay):
		return errTheirLastWay
	case err != nil:
		return err
	}
	details, failed := []string{reset.called}, error(nil)
	alone, err := s.secondWent(c, user, factors)
	if err != nil {
		return err
	}
	if alone = alone && what != "two-step"; alone {
		details = append(details, "the second step, of which nothing was left")
	}
	if f.get("end_sessions") == "1" {
		var words string
		words, failed = s.endAll(c, user)
		details = append(details, words)
	}
	event := s.recordAbout(c, school.ActionFactorRemove, user, strings.Join(details, "; "))
	s.notifyByAdmin(c, user, reset.letter)
	if alone {
		s.notifyByAdmin(c, user, noticeOfOneStep)
	}
	if failed != nil {
		return failed
	}
	return seeOther(c, withEvent(personAddress(user.ID), event))
}

// endAll ends somebody's sessions, and says what came of it.
func (s *Server) endAll(c echo.Context, user school.User) (words string, failed error) {
	ended, failed := s.Sessions.EndUser(detached(c), user.ID)
	return s.endedOrNot(ended, failed, ""), failed
}

// sendReset asks somebody by letter to choose a new password. The letter opens nothing
// by itself: its reader proves who they are as anybody who forgot theirs, with their
// second step if they have one.
func (s *Server) sendReset(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user, err := s.otherPerson(c)
	switch {
	case err != nil:
		return err
	case user.Demo:
		return school.ErrDemoAccount
	case user.Disabled():
		return errTheirsClosed
	case !s.carries(school.ByMail):
		return errNoCarrier
	}
	forget := f.get("forget") == "1"
	letter, detail := noticeOfAskedReset, []string{"a letter to them"}
	if forget {
		letter = noticeOfForgottenReset
	}
	// Nobody loses a password without a letter on how they come by another.
	if err := s.writeByAdmin(c, user, letter); err != nil {
		return err
	}
	if forget {
		if err := s.DB.UpdatePassword(toTheEnd(c), user.ID, ""); err != nil {
			return err
		}
		detail = append(detail, "the password of before opens nothing any more")
	}
	var failed error
	if f.get("end_sessions") == "1" {
		var words string
		words, failed = s.endAll(c, user)
		detail = append(detail, words)
	}
	event := s.recordAbout(c, school.ActionResetSend, user, strings.Join(detail, "; "))
	if failed != nil {
		return failed
	}
	return seeOther(c, withEvent(personAddress(user.ID), event))
}
