package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// A passkey takes two requests each time: a script fetches the question, the device
// answers it, and the answer comes in a form like any other. The question lies in a
// flow of its own, which is used up before the answer is looked at: an answer fits its
// question for ever, so it is the question that must be there once. That holds in every
// kind of session, those that are all cookie as well.
var passkeyRoutes = []route{
	{http.MethodPost, "/signin/passkey/options", to(policy.Browse), (*Server).askToSignIn},
	{http.MethodPost, "/signin/passkey", to(policy.Browse), (*Server).signInByPasskey},
	{http.MethodPost, "/signin/second/passkey/options", to(policy.Browse), (*Server).askForSecond},
	{http.MethodPost, "/signin/second/passkey", to(policy.Browse), (*Server).answerSecondByPasskey},
	{http.MethodPost, "/confirm/passkey/options", to(policy.AccountView), (*Server).askToConfirm},
	{http.MethodPost, "/confirm/passkey", to(policy.AccountView), (*Server).confirmByPasskey},
	{http.MethodPost, "/account/passkeys/options", on(policy.FactorsChange, (*Server).ownAccount), (*Server).askForNewPasskey},
	{http.MethodPost, "/account/passkeys", on(policy.FactorsChange, (*Server).ownAccount), (*Server).addPasskey},
	{http.MethodPost, "/account/passkeys/:id/rename", on(policy.FactorsChange, (*Server).ownAccount), (*Server).renamePasskey},
	{http.MethodPost, "/account/passkeys/:id/remove", on(policy.FactorsChange, (*Server).ownAccount), (*Server).removePasskey},
}

// passkeyQuestion is what the script fetches: what the device is asked, and the flow
// that its answer is to.
type passkeyQuestion struct {
	Options json.RawMessage `json:"options"`
	Flow    auth.FlowID     `json:"flow"`
}

// mayAsk keeps one address from filling the table of flows, with questions to passkeys
// and to other sites. Answers need no limit of their own: each needs a question, and
// none can be guessed.
func (s *Server) mayAsk(c echo.Context) error {
	return s.PasskeyAsks.Take(c.Request().Context(), address(c))
}

// askPasskey keeps a question for the browser that asked for it, and hands it out.
func (s *Server) askPasskey(c echo.Context, flow auth.Flow, options json.RawMessage, pending auth.PasskeyPending) error {
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	flow.Step, flow.Question = auth.AwaitPasskey, &pending
	if flow, err = s.Flows.Begin(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, passkeyQuestion{options, flow.ID})
}

// takeQuestion uses up the question that a form brings the answer to, whatever comes of
// it. One that was asked for another purpose is gone as well.
func (s *Server) takeQuestion(c echo.Context, f formValues, purpose auth.Purpose) (auth.Flow, error) {
	browser := s.browserOf(c)
	flow, err := s.Flows.Look(c.Request().Context(), browser, auth.FlowID(f.get("flow")), auth.AwaitPasskey)
	if err != nil {
		return auth.Flow{}, err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return auth.Flow{}, err
	}
	if flow.Purpose != purpose || flow.Question == nil {
		return auth.Flow{}, auth.ErrNoFlow
	}
	return flow, nil
}

// passkeyAnswer is what the device said, as the form brings it.
func passkeyAnswer(f formValues) []byte { return []byte(f.get("passkey-answer")) }

// refusedPasskey reports whether a passkey was refused, and notes that in the log. Of a
// passkey that may have been copied its owner hears, the first time.
func (s *Server) refusedPasskey(c echo.Context, subject string, err error) bool {
	var cloned *auth.PasskeyClonedError
	if errors.As(err, &cloned) {
		owner := cloned.Owner
		s.recordAs(c, school.Person{ID: owner.ID, Name: owner.Name}, school.ActionPasskeyWarn, owner.Name, cloned.Passkey.Name)
		if cloned.First {
			s.notify(c, owner, noticeOfCopy)
		}
		return true
	}
	if !errors.Is(err, auth.ErrRefused) {
		return false
	}
	s.record(c, school.ActionSignInRefused, subject, "a passkey")
	return true
}

func (s *Server) askToSignIn(c echo.Context) error {
	if err := s.mayAsk(c); err != nil {
		return err
	}
	options, pending, err := s.Passkeys.BeginSignIn()
	if err != nil {
		return err
	}
	return s.askPasskey(c, auth.Flow{Purpose: auth.ToSignIn}, options, pending)
}

// signInByPasskey signs in whoever the passkey says. Nobody has typed who they are.
func (s *Server) signInByPasskey(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	flow, err := s.takeQuestion(c, f, auth.ToSignIn)
	if err != nil {
		return err
	}
	p := s.doorAgain(f)
	use, err := s.Passkeys.FinishSignIn(toTheEnd(c), *flow.Question, passkeyAnswer(f))
	if s.refusedPasskey(c, string(auth.ToSignIn), err) {
		p.PasskeyRefused = true
		return s.signInPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	flow.FlowState = auth.FlowState{
		Proved: []school.Method{school.ByPasskey}, Signed: use.Methods, ProvedAt: flow.BeganAt, Next: p.Next, Backend: p.Backend, Remember: p.Remembered,
	}
	return s.proved(c, use.User, flow, p.Kept)
}

// askForSecond asks for a passkey of somebody who has done the first step.
func (s *Server) askForSecond(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	if err := s.mayAsk(c); err != nil {
		return err
	}
	second, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(f.get("flow")), auth.AwaitSecond)
	if err != nil {
		return err
	}
	user, err := s.personOf(c, second)
	if err != nil {
		return err
	}
	options, pending, err := s.Passkeys.BeginSecond(c.Request().Context(), user)
	if err != nil {
		return err
	}
	flow := auth.Flow{Purpose: auth.ToSecond, User: user.ID, FlowState: auth.FlowState{SecondOf: second.ID}}
	return s.askPasskey(c, flow, options, pending)
}

// answerSecondByPasskey takes a passkey as the second step. The flow that waited for it
// counts it among the answers that it bears, and is used up by the right one, as by any
// other second step.
func (s *Server) answerSecondByPasskey(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	question, err := s.takeQuestion(c, f, auth.ToSecond)
	if err != nil {
		return err
	}
	ctx, browser := c.Request().Context(), s.browserOf(c)
	flow, err := s.Flows.Try(ctx, browser, question.SecondOf, auth.AwaitSecond)
	if err != nil {
		return err
	}
	user, err := s.personOf(c, flow)
	if err != nil {
		return err
	}
	use, err := s.Passkeys.FinishSecond(toTheEnd(c), user.ID, *question.Question, passkeyAnswer(f))
	if s.refusedPasskey(c, user.Name, err) {
		factors, err := s.DB.Factors(ctx, user.ID)
		if err != nil {
			return err
		}
		p := views.SecondProps{PasskeyRefused: true, Left: auth.FlowTries - flow.Tries, Kept: keptAgain(f)}
		return s.secondPage(c, http.StatusUnprocessableEntity, flow, factors, p)
	}
	if err != nil {
		return err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	flow.Proved, flow.Signed = append(flow.Proved, school.ByPasskey), use.Methods
	return s.proved(c, user, flow, keptAgain(f))
}

func (s *Server) askToConfirm(c echo.Context) error {
	if err := s.mayAsk(c); err != nil {
		return err
	}
	user := visitorOf(c).user
	options, pending, err := s.Passkeys.BeginSecond(c.Request().Context(), user)
	if err != nil {
		return err
	}
	return s.askPasskey(c, auth.Flow{Purpose: auth.ToConfirm, User: user.ID}, options, pending)
}

// confirmByPasskey takes a passkey of whoever is signed in. It stands alone here, so its
// device must have made sure of its owner.
func (s *Server) confirmByPasskey(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	flow, err := s.takeQuestion(c, f, auth.ToConfirm)
	if err != nil {
		return err
	}
	user := visitorOf(c).user
	if flow.User != user.ID {
		return auth.ErrNoFlow
	}
	p := views.ConfirmProps{Next: localPath(f.get("next")), Kept: keptAgain(f)}
	use, err := s.Passkeys.FinishSecond(toTheEnd(c), user.ID, *flow.Question, passkeyAnswer(f))
	if err == nil && !use.Verified() {
		err = auth.ErrRefused
	}
	if s.refusedPasskey(c, user.Name, err) {
		p.PasskeyRefused = true
		return s.confirmPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	flow.FlowState = auth.FlowState{Proved: []school.Method{school.ByPasskey}, Signed: use.Methods, ProvedAt: flow.BeganAt, Next: p.Next}
	return s.proved(c, use.User, flow, p.Kept)
}

func (s *Server) askForNewPasskey(c echo.Context) error {
	if err := s.mayAsk(c); err != nil {
		return err
	}
	user := visitorOf(c).user
	options, pending, err := s.Passkeys.BeginAdd(c.Request().Context(), user)
	if err != nil {
		return err
	}
	return s.askPasskey(c, auth.Flow{Purpose: auth.ToAddPasskey, User: user.ID}, options, pending)
}

// addPasskey keeps a passkey that the device has made.
func (s *Server) addPasskey(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	flow, err := s.takeQuestion(c, f, auth.ToAddPasskey)
	if err != nil {
		return err
	}
	user := visitorOf(c).user
	if flow.User != user.ID {
		return auth.ErrNoFlow
	}
	passkey, err := s.Passkeys.FinishAdd(toTheEnd(c), user.ID, *flow.Question, passkeyAnswer(f), f.get("name"))
	var invalid *school.Invalid
	if errors.As(err, &invalid) {
		p := views.WaysProps{PasskeyName: f.typed("name"), Errors: map[string]string{"passkey": invalid.Reason}}
		return s.waysPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	s.record(c, school.ActionPasskeyAdd, user.Name, passkey.Name)
	s.notify(c, user, noticeOfPasskey)
	return s.renewed(c, "/account/ways?said=passkey-added")
}

func (s *Server) renamePasskey(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	user, id := visitorOf(c).user, school.ID(c.Param("id"))
	passkey, err := s.passkeyOf(c, user, id)
	if err != nil {
		return err
	}
	name, err := school.ParsePasskeyName(f.get("name"))
	var invalid *school.Invalid
	if errors.As(err, &invalid) {
		p := views.WaysProps{Renaming: id, PasskeyName: f.typed("name"), Errors: map[string]string{"rename": invalid.Reason}}
		return s.waysPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	if err := s.DB.RenamePasskey(toTheEnd(c), user.ID, id, name); err != nil {
		return err
	}
	s.record(c, school.ActionPasskeyRename, user.Name, passkey.Name+" → "+name)
	return seeOther(c, "/account/ways?said=passkey-renamed")
}

// removePasskey closes one of somebody's ways in, unless it is the last. One that may
// have been copied is no way in any more, and can always go.
func (s *Server) removePasskey(c echo.Context) error {
	user, id := visitorOf(c).user, school.ID(c.Param("id"))
	passkey, err := s.passkeyOf(c, user, id)
	if err != nil {
		return err
	}
	return s.takeAway(c, removal{school.ActionPasskeyRemove, passkey.Name, noticeOfNoPasskey, "passkey-removed", func(ctx context.Context, user school.ID) error {
		_, err := s.DB.RemovePasskey(ctx, user, id, s.waysOpen())
		return err
	}})
}

// passkeyOf is one of somebody's passkeys. Those of others are not there.
func (s *Server) passkeyOf(c echo.Context, user school.User, id school.ID) (school.Passkey, error) {
	all, err := s.DB.Passkeys(c.Request().Context(), user.ID)
	if err != nil {
		return school.Passkey{}, err
	}
	for _, passkey := range all {
		if passkey.ID == id {
			return passkey, nil
		}
	}
	return school.Passkey{}, school.ErrNotFound
}

// withPasskeys is the frame of a page on which a passkey can be used or made.
func (s *Server) withPasskeys(f views.Frame) views.Frame {
	if s.Passkeys.Available() {
		f.Scripts = append(f.Scripts, views.PasskeyScript)
	}
	return f
}
