package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
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
// the one address that is registered there.
func (s *Server) signInWith(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	q := c.QueryParams()
	if q.Has("state") || q.Has("code") || q.Has("error") {
		return s.backFrom(c, p, q)
	}
	if begunElsewhere(c.Request()) {
		return seeOther(c, "/signin")
	}
	flow := auth.Flow{Purpose: auth.ToSignIn, FlowState: auth.FlowState{
		Next: localPath(q.Get("next")), Backend: s.kindAsked(q.Get("backend")), Remember: q.Get("remember") == "1", Watched: s.Demo && q.Get("watch") == "1",
	}}
	return s.sendTo(c, p, flow, auth.Ask{})
}

// begunElsewhere reports whether a link or a redirect of another site leads here. Such a
// link begins nothing (ASVS 7.6.2): where a provider asks no more questions, one click
// would go through to the end, and a person whom a stranger has signed in there first
// would connect the stranger with their own account here.
func begunElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// confirmWith has somebody who is signed in prove who they are at a provider, which is
// to ask them anew.
func (s *Server) confirmWith(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	next := localPath(c.QueryParam("next"))
	if begunElsewhere(c.Request()) {
		return seeOther(c, confirmAddress(next))
	}
	flow := auth.Flow{Purpose: auth.ToConfirm, User: visitorOf(c).user.ID, FlowState: auth.FlowState{Next: next}}
	return s.sendTo(c, p, flow, auth.Ask{Within: time.Minute})
}

// addProvider has somebody who is signed in show who they are at a provider, so that it
// is a way in from then on.
func (s *Server) addProvider(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	if begunElsewhere(c.Request()) {
		return seeOther(c, "/account/ways")
	}
	flow := auth.Flow{Purpose: auth.ToAddIdentity, User: visitorOf(c).user.ID}
	return s.sendTo(c, p, flow, auth.Ask{})
}

// sendTo begins a flow, whose id is the state that the provider gives back.
func (s *Server) sendTo(c echo.Context, p *auth.Provider, flow auth.Flow, ask auth.Ask) error {
	if err := s.mayAsk(c); err != nil {
		return err
	}
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
		return failedFlow(flow, err)
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
		return failedFlow(flow, auth.ErrForeignAnswer)
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
		flow.Steps = auth.FlowSteps(flow.Steps, recording.Steps())
	}
	if err != nil {
		return s.notVouchedFor(c, p, flow, err)
	}
	if err := s.vouchedFor(c, p, flow, claim); err != nil {
		return failedFlow(flow, err)
	}
	return nil
}

// notVouchedFor ends a flow in which a provider said no, or was not believed. Whoever
// watches is shown the step in which it ended.
func (s *Server) notVouchedFor(c echo.Context, p *auth.Provider, flow auth.Flow, err error) error {
	s.record(c, school.ActionSignInRefused, p.Name(), "by the provider or about it")
	var untrusted *auth.Untrusted
	var refusal *auth.Refusal
	if errors.As(err, &untrusted) || errors.As(err, &refusal) && !refusal.ByPerson() {
		s.Log.Warn("provider did not vouch", "id", requestID(c), "provider", p.Slug(), "err", err)
	}
	if !flow.Watched {
		return failedFlow(flow, err)
	}
	return seeOther(c, s.watchFirst(c, p, &flow, "/signin"))
}

// providerTime is how long a provider may take to stand by its word.
const providerTime = 20 * time.Second

// watchFirst is the address that shows somebody who watches what was recorded, and leads
// on to next from there; it is next itself for everybody else. The steps leave the flow
// for a row of their own.
func (s *Server) watchFirst(c echo.Context, p *auth.Provider, flow *auth.Flow, next string) string {
	if !flow.Watched {
		return next
	}
	watched := auth.Flow{Purpose: auth.ToWatch, Step: auth.AwaitNothing, FlowState: auth.FlowState{Steps: flow.Steps, Next: next}}
	flow.Steps, flow.Watched = nil, false
	kept, err := s.Flows.Begin(toTheEnd(c), s.browserOf(c), watched)
	if err != nil {
		s.Log.Error("steps of a flow not kept", "id", requestID(c), "err", err)
		return next
	}
	return flowAddress("/signin/with/"+p.Slug()+"/steps", kept.ID)
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
		s.record(c, school.ActionSignInRefused, user.Name, "the account is closed")
		return errClosedAccount
	}
	if err := s.DB.UseIdentity(toTheEnd(c), claim.Issuer, claim.Subject, identity.Email, s.Now()); err != nil {
		return err
	}
	flow.Proved, flow.Next = []school.Method{school.ByProvider}, s.watchFirst(c, p, &flow, flow.Next)
	return s.proved(c, user, flow, nil)
}

var (
	// errOtherIdentity: somebody else is signed in at the provider.
	errOtherIdentity = errors.New("handlers: the provider vouches for somebody else")
	// errClosedAccount: it is who they say, and their account has been closed. They have
	// proved who they are, so they are told.
	errClosedAccount = errors.New("handlers: the provider vouches for somebody whose account is closed")
)

func (s *Server) addIdentity(c echo.Context, p *auth.Provider, flow auth.Flow, identity school.Identity) error {
	if err := s.mayChangeOwn(c, flow); err != nil {
		return err
	}
	user := visitorOf(c).user
	id, err := school.NewID(s.Random)
	if err != nil {
		return err
	}
	identity.ID = id
	err = s.DB.AddIdentity(toTheEnd(c), user.ID, identity)
	if errors.Is(err, school.ErrIdentityTaken) {
		// It may be their own, from another tab or another time.
		if owner, failed := s.DB.UserOfIdentity(c.Request().Context(), identity.Issuer, identity.Subject); failed == nil && owner.ID == user.ID {
			return seeOther(c, "/account/ways?said=provider-known")
		}
	}
	if err != nil {
		return err
	}
	s.record(c, school.ActionFactorAdd, user.Name, p.Name())
	s.notify(c, user, noticeOfProvider)
	return s.renewed(c, "/account/ways?said=provider-added")
}

// removeProvider closes one of somebody's ways in, unless it is the last.
func (s *Server) removeProvider(c echo.Context) error {
	return s.takeAway(c, removal{school.ActionFactorRemove, "another site", noticeOfNoProvider, "provider-removed", func(ctx context.Context, user school.ID) error {
		return s.DB.RemoveIdentity(ctx, user, school.ID(c.Param("id")), s.waysOpen())
	}})
}

// welcomeNewcomer asks somebody whom a provider vouches for, and whom nobody here is,
// what they want: an account, or this as a way into the one they have.
func (s *Server) welcomeNewcomer(c echo.Context, p *auth.Provider, flow auth.Flow, identity school.Identity, claim auth.Claim) error {
	browser := s.browserOf(c)
	flow.Step, flow.Identity, flow.Name = auth.AwaitNewcomer, &identity, school.Line(claim.Name)
	watched := flow
	flow.Steps = nil
	flow, err := s.Flows.Begin(toTheEnd(c), browser, flow)
	if err != nil {
		return err
	}
	return seeOther(c, s.watchFirst(c, p, &watched, flowAddress("/signin/with/"+p.Slug()+"/new", flow.ID)))
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
		Name: name, Identity: flow.Identity, ProvedAt: flow.ProvedAt, Next: flow.Next, Backend: flow.Backend, Remember: flow.Remember, Sent: &auth.Destination{Email: email},
	}}
	return s.beginSignUp(c, open, email)
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

// askableProviders are those that can confirm that it is somebody who is signed in: they
// are connected, and say when they asked.
func (s *Server) askableProviders(c echo.Context, user school.ID) ([]views.ProviderChoice, error) {
	if len(s.Providers) == 0 {
		return nil, nil
	}
	identities, err := s.DB.Identities(c.Request().Context(), user)
	if err != nil {
		return nil, err
	}
	var all []views.ProviderChoice
	for _, p := range s.Providers {
		if p.Tells() && slices.ContainsFunc(identities, func(i school.Identity) bool { return i.Provider == p.Slug() }) {
			all = append(all, views.ProviderChoice{Slug: p.Slug(), Name: p.Name(), Away: p.Away() != nil})
		}
	}
	return all, nil
}
