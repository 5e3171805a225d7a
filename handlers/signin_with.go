package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/policy"
	"lectern/views"
)

// Signing in with another site: it says who somebody is, and they come back with its
// word. The way there is a link and not a form, because browsers hold a form to this
// site's own addresses however far it is led on (CSP, form-action).
var withRoutes = []route{
	{http.MethodGet, "/signin/with/:provider", to(policy.Browse), (*Server).signInWith},
	{http.MethodGet, "/signin/with/:provider/new", to(policy.Browse), (*Server).showNewcomer},
	{http.MethodPost, "/signin/with/:provider/new", to(policy.Browse), (*Server).openWithProvider},
	{http.MethodGet, "/signin/with/:provider/steps", to(policy.Browse), (*Server).showProviderSteps},
	{http.MethodGet, "/confirm/with/:provider", to(policy.AccountView), (*Server).confirmWith},
	{http.MethodGet, "/account/providers/:provider", on(policy.FactorsChange, (*Server).ownAccount), (*Server).addProvider},
	{http.MethodPost, "/account/providers/:id/remove", on(policy.FactorsChange, (*Server).ownAccount), (*Server).removeProvider},
}

// providerAsked is the one in the address.
func (s *Server) providerAsked(c echo.Context) (*auth.Provider, error) {
	for _, p := range s.Providers {
		if p.Slug() == c.Param("provider") {
			return p, nil
		}
	}
	return nil, school.ErrNotFound
}

// signInWith sends somebody to a provider, and takes what they come back with: both at
// the one address that is registered there. A link on somebody else's page begins
// nothing (ASVS 7.6.2).
func (s *Server) signInWith(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	q := c.QueryParams()
	if q.Has("state") || q.Has("code") || q.Has("error") {
		return s.backFrom(c, p, q)
	}
	if site := c.Request().Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return seeOther(c, "/signin")
	}
	flow := auth.Flow{Purpose: auth.ToSignIn, FlowState: auth.FlowState{
		Next: localPath(q.Get("next")), Backend: q.Get("backend"), Remember: q.Get("remember") == "1", Watched: q.Get("watch") == "1",
	}}
	return s.sendTo(c, p, flow, auth.Ask{})
}

// confirmWith has somebody who is signed in prove who they are at a provider, which is
// to ask them anew.
func (s *Server) confirmWith(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	flow := auth.Flow{Purpose: auth.ToConfirm, User: visitorOf(c).user.ID, FlowState: auth.FlowState{Next: localPath(c.QueryParam("next"))}}
	return s.sendTo(c, p, flow, auth.Ask{Within: time.Minute})
}

// addProvider has somebody who is signed in show who they are at a provider, so that it
// is a way in from then on.
func (s *Server) addProvider(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	flow := auth.Flow{Purpose: auth.ToAddIdentity, User: visitorOf(c).user.ID}
	return s.sendTo(c, p, flow, auth.Ask{})
}

// sendTo begins a flow, whose id is the state that the provider gives back.
func (s *Server) sendTo(c echo.Context, p *auth.Provider, flow auth.Flow, ask auth.Ask) error {
	browser, err := s.bindBrowser(c)
	if err != nil {
		return err
	}
	id, err := s.Flows.NewID()
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var recording *auth.Recording
	if flow.Watched {
		ctx, recording = auth.Record(ctx)
	}
	address, pending, err := p.Begin(ctx, string(id), ask, s.Random)
	if err != nil {
		return err
	}
	flow.ID, flow.Step, flow.Pending, flow.ProvedAt = id, auth.AwaitProvider, &pending, s.Now()
	if recording != nil {
		flow.Steps = recording.Steps()
	}
	if _, err := s.Flows.BeginAs(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, address)
}

// backFrom takes what a provider says. The flow is used up before it is looked at, so
// that an answer counts once.
func (s *Server) backFrom(c echo.Context, p *auth.Provider, q url.Values) error {
	browser := s.browserOf(c)
	flow, err := s.Flows.Look(c.Request().Context(), browser, auth.FlowID(q.Get("state")), auth.AwaitProvider)
	if err != nil {
		return err
	}
	if err := s.Flows.Take(toTheEnd(c), browser, flow); err != nil {
		return err
	}
	if flow.Pending == nil || flow.Pending.Provider != p.Slug() {
		return auth.ErrForeignAnswer
	}
	ctx, recording := c.Request().Context(), (*auth.Recording)(nil)
	if flow.Watched {
		ctx, recording = auth.Record(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, providerTime)
	defer cancel()
	claim, err := p.Finish(ctx, *flow.Pending, q)
	flow.Pending = nil
	if recording != nil {
		s.keepSteps(c, browser, &flow, recording.Steps())
	}
	if err != nil {
		s.record(c, school.ActionSignInRefused, p.Name(), "by the provider or about it")
		return err
	}
	return s.vouchedFor(c, p, flow, claim)
}

// providerTime is how long a provider may take to stand by its word.
const providerTime = 20 * time.Second

// keepSteps keeps what was recorded of a flow for the browser that watches. It leads
// there instead of where the flow was to lead.
func (s *Server) keepSteps(c echo.Context, browser auth.Browser, flow *auth.Flow, finished []auth.Step) {
	watched := auth.Flow{Purpose: auth.ToWatch, Step: auth.AwaitNothing, FlowState: auth.FlowState{Steps: auth.FlowSteps(flow.Steps, finished), Next: flow.Next}}
	flow.Steps = nil
	kept, err := s.Flows.Begin(toTheEnd(c), browser, watched)
	if err != nil {
		s.Log.Error("steps of a flow not kept", "id", requestID(c), "err", err)
		return
	}
	flow.Next = flowAddress("/signin/with/"+c.Param("provider")+"/steps", kept.ID)
}

// vouchedFor goes on with somebody for whom a provider vouches. Who they are here is
// decided by what the provider calls them, and never by an address: addresses change
// their owners, and a provider may not have looked (ASVS 6.8.1, 10.5.2).
func (s *Server) vouchedFor(c echo.Context, p *auth.Provider, flow auth.Flow, claim auth.Claim) error {
	identity := school.Identity{Provider: p.Slug(), Issuer: claim.Issuer, Subject: claim.Subject, Email: school.Line(claim.Email), AddedAt: s.Now()}
	if flow.Purpose == auth.ToAddIdentity {
		return s.addIdentity(c, p, flow, identity)
	}
	user, err := s.DB.UserOfIdentity(c.Request().Context(), claim.Issuer, claim.Subject)
	switch {
	case errors.Is(err, school.ErrNotFound) && flow.Purpose == auth.ToSignIn:
		return s.welcomeNewcomer(c, p, flow, identity, claim)
	case errors.Is(err, school.ErrNotFound), err == nil && flow.User != "" && flow.User != user.ID:
		return errOtherIdentity
	case err != nil:
		return err
	case user.Disabled():
		return auth.ErrRefused
	}
	if err := s.DB.UseIdentity(toTheEnd(c), claim.Issuer, claim.Subject, identity.Email, s.Now()); err != nil {
		return err
	}
	flow.Proved = []school.Method{school.ByProvider}
	return s.proved(c, user, flow, nil)
}

// errOtherIdentity: somebody else is signed in at the provider.
var errOtherIdentity = errors.New("handlers: the provider vouches for somebody else")

func (s *Server) addIdentity(c echo.Context, p *auth.Provider, flow auth.Flow, identity school.Identity) error {
	user := visitorOf(c).user
	if user.ID == "" || user.ID != flow.User {
		return auth.ErrNoFlow
	}
	id, err := school.NewID(s.Random)
	if err != nil {
		return err
	}
	identity.ID = id
	if err := s.DB.AddIdentity(toTheEnd(c), user.ID, identity); err != nil {
		return err
	}
	s.record(c, school.ActionFactorAdd, user.Name, p.Name())
	s.notify(c, user, noticeOfProvider)
	return s.renewed(c, "/account/ways?said=provider-added")
}

// removeProvider closes one of somebody's ways in, unless it is the last.
func (s *Server) removeProvider(c echo.Context) error {
	user := visitorOf(c).user
	if err := s.mayLose(c, user); err != nil {
		return err
	}
	if err := s.DB.RemoveIdentity(toTheEnd(c), user.ID, school.ID(c.Param("id"))); err != nil {
		return err
	}
	s.record(c, school.ActionFactorRemove, user.Name, "another site")
	s.notify(c, user, noticeOfNoProvider)
	return s.renewed(c, "/account/ways?said=provider-removed")
}

// mayLose keeps people from locking themselves out: one of their ways by which they can
// sign in without another may go if one is left. Where mail is carried, there always is.
func (s *Server) mayLose(c echo.Context, user school.User) error {
	if s.carries(school.ByMail) {
		return nil
	}
	factors, err := s.DB.Factors(c.Request().Context(), user.ID)
	if err != nil {
		return err
	}
	if factors.First() < 2 {
		return school.ErrLastWay
	}
	return nil
}

// welcomeNewcomer asks somebody whom a provider vouches for, and whom nobody here is,
// what they want: an account, or this as a way into the one they have.
func (s *Server) welcomeNewcomer(c echo.Context, p *auth.Provider, flow auth.Flow, identity school.Identity, claim auth.Claim) error {
	browser := s.browserOf(c)
	flow.Step, flow.Identity, flow.Name = auth.AwaitNewcomer, &identity, school.Line(claim.Name)
	flow, err := s.Flows.Begin(toTheEnd(c), browser, flow)
	if err != nil {
		return err
	}
	return seeOther(c, flowAddress("/signin/with/"+p.Slug()+"/new", flow.ID))
}

func (s *Server) showNewcomer(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitNewcomer)
	if err != nil {
		return err
	}
	return s.newcomerPage(c, http.StatusOK, p, flow, views.NewcomerProps{Name: flow.Name, Email: flow.Identity.Email})
}

func (s *Server) newcomerPage(c echo.Context, status int, p *auth.Provider, flow auth.Flow, props views.NewcomerProps) error {
	props.Flow, props.Provider, props.Slug, props.Mail = string(flow.ID), p.Name(), p.Slug(), s.carries(school.ByMail)
	return s.page(c, status, views.NewcomerPage(s.frame(c, "New here", ""), props))
}

// openWithProvider opens an account for somebody for whom a provider vouches, once the
// address that they gave has shown itself. The account has no password.
func (s *Server) openWithProvider(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	browser := s.browserOf(c)
	flow, err := s.Flows.Look(c.Request().Context(), browser, auth.FlowID(f.get("flow")), auth.AwaitNewcomer)
	if err != nil {
		return err
	}
	props := views.NewcomerProps{Name: f.typed("name"), Email: f.typed("email"), Errors: map[string]string{}}
	wrong := fieldErrors(props.Errors)
	name, err := school.ParseName(f.get("name"))
	if err := wrong.note(err); err != nil {
		return err
	}
	email, err := school.ParseEmail(f.get("email"))
	if err := wrong.note(err); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return s.newcomerPage(c, http.StatusUnprocessableEntity, p, flow, props)
	}
	if err := s.SignUps.Take(c.Request().Context(), address(c)); err != nil {
		return err
	}
	open := auth.Flow{Purpose: auth.ToSignUp, FlowState: auth.FlowState{
		Name: name, Identity: flow.Identity, ProvedAt: s.Now(), Next: flow.Next, Backend: flow.Backend, Remember: flow.Remember, Sent: &auth.Destination{Email: email},
	}}
	return s.beginSignUp(c, open, email)
}

// showProviderSteps shows what a sign-in was made of, to the browser that made it.
func (s *Server) showProviderSteps(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitNothing)
	if err != nil {
		return err
	}
	props := views.ProviderStepsProps{Provider: p.Name(), Next: localPath(flow.Next)}
	for _, step := range flow.Steps {
		props.Steps = append(props.Steps, providerStep(step))
	}
	return s.page(c, http.StatusOK, views.ProviderStepsPage(s.frame(c, "What just happened", ""), props))
}

func providerStep(step auth.Step) views.ProviderStep {
	out := views.ProviderStep{
		By: step.By, To: step.To, Says: step.Says, Line: step.Line, Sent: providerFields(step.Sent), Status: step.Status, Received: providerFields(step.Received), Failed: step.Failed != "",
	}
	if t := step.Token; t != nil {
		out.Token = &views.ProviderToken{Header: providerFields(t.Header), Claims: providerFields(t.Claims), Signature: t.Signature}
	}
	return out
}

func providerFields(fields []auth.Field) []views.ProviderField {
	var out []views.ProviderField
	for _, f := range fields {
		out = append(out, views.ProviderField(f))
	}
	return out
}

// providerChoices are those that can be signed in with; the first few are offered at
// the door.
func (s *Server) providerChoices() []views.ProviderChoice {
	var all []views.ProviderChoice
	for _, p := range s.Providers {
		all = append(all, views.ProviderChoice{Slug: p.Slug(), Name: p.Name(), Away: p.Away() != nil})
	}
	return all
}
