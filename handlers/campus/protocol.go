package campus

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// scopes are what a site may ask for, and claims what it may learn by them.
var (
	scopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}
	claims = []string{"iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "c_hash", "name", "email", "email_verified"}
)

// describe says how we are to be spoken to. The library knows of more than is offered.
func (p *Provider) describe(w http.ResponseWriter, r *http.Request) {
	d := op.CreateDiscoveryConfig(r.Context(), p.op, p.store)
	writeJSON(w, http.StatusOK, struct {
		oidc.DiscoveryConfiguration
		SaysIssuer bool `json:"authorization_response_iss_parameter_supported"`
	}{oidc.DiscoveryConfiguration{
		Issuer: d.Issuer, AuthorizationEndpoint: d.AuthorizationEndpoint, TokenEndpoint: d.TokenEndpoint, UserinfoEndpoint: d.UserinfoEndpoint, JwksURI: d.JwksURI,
		ScopesSupported: d.ScopesSupported, ClaimsSupported: d.ClaimsSupported, IDTokenSigningAlgValuesSupported: d.IDTokenSigningAlgValuesSupported,
		CodeChallengeMethodsSupported: d.CodeChallengeMethodsSupported,
		ResponseTypesSupported:        []string{string(oidc.ResponseTypeCode)}, ResponseModesSupported: []string{string(oidc.ResponseModeQuery)},
		GrantTypesSupported: []oidc.GrantType{oidc.GrantTypeCode}, SubjectTypesSupported: []string{"pairwise"},
		TokenEndpointAuthMethodsSupported: []oidc.AuthMethod{oidc.AuthMethodBasic},
	}, true})
}

func (p *Provider) keys(w http.ResponseWriter, r *http.Request) { op.Keys(w, r, p.store) }

// authorize takes a site's question, if it is as it has to be. As long as it is not
// certain where the answer would go, the person is told what is wrong, and nobody is
// sent anywhere; afterwards the site is.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	asked, err := op.ParseAuthorizeRequest(r, p.op.Decoder())
	if err != nil {
		p.showWrong(w, r, "What the site sent cannot be read.")
		return
	}
	for _, values := range r.URL.Query() {
		if len(values) > 1 {
			p.showWrong(w, r, "The site has said something twice, and it is not clear what holds.")
			return
		}
	}
	site, err := p.store.GetClientByClientID(r.Context(), asked.ClientID)
	if err != nil {
		p.showWrong(w, r, "The site that sent you here is not known to Campus ID.")
		return
	}
	_, err = op.ValidateAuthRequestClient(r.Context(), asked, site, p.op.IDTokenHintVerifier(r.Context()))
	var refused *oidc.Error
	if errors.As(err, &refused) && refused.IsRedirectDisabled() {
		p.showWrong(w, r, "The site wants you to be sent to an address that is not registered for it.")
		return
	}
	if err == nil {
		err = check(asked)
	}
	if err != nil {
		refused = oidc.DefaultToServerError(err, "")
		p.log.Info("campus: request refused", "site", asked.ClientID, "error", refused.ErrorType, "why", refused.Description)
		p.toSite(w, r, asked.RedirectURI, asked.State, url.Values{"error": {string(refused.ErrorType)}, "error_description": {refused.Description}})
		return
	}
	wanted := slices.DeleteFunc(slices.Clone([]string(asked.Scopes)), func(s string) bool { return !slices.Contains(scopes, s) })
	browser, err := p.browser(w, r)
	if err != nil {
		p.showFailed(w, r, err)
		return
	}
	id, err := p.store.ask(*asked, wanted, browser)
	if err != nil {
		p.showFailed(w, r, err)
		return
	}
	http.Redirect(w, r, site.LoginURL(id), http.StatusSeeOther)
}

// check refuses what the standards allow and nobody should use any more: a code
// without PKCE, or with a verifier that everybody has seen; answers that pass through
// a fragment or a form; and questions wrapped into a token.
func check(asked *oidc.AuthRequest) error {
	switch {
	case asked.RequestParam != "":
		return oidc.ErrRequestNotSupported().WithDescription("Request objects are not supported.")
	case asked.ResponseMode != "" && asked.ResponseMode != oidc.ResponseModeQuery:
		return oidc.ErrInvalidRequest().WithDescription("The only response_mode is query.")
	case asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 || len(asked.CodeChallenge) != 43:
		return oidc.ErrInvalidRequest().WithDescription("PKCE is required, with the method S256.")
	case !slices.Contains(asked.Scopes, oidc.ScopeOpenID):
		return oidc.ErrInvalidScope().WithDescription("The scope openid is required.")
	case slices.Contains(asked.Prompt, oidc.PromptNone):
		return oidc.ErrLoginRequired().WithDescription("Campus ID asks each time.")
	}
	return nil
}

// toSite sends the browser back with an answer, which says whose it is (RFC 9207).
func (p *Provider) toSite(w http.ResponseWriter, r *http.Request, redirect, state string, answer url.Values) {
	u, err := url.Parse(redirect)
	if err != nil {
		p.showFailed(w, r, err)
		return
	}
	if state != "" {
		answer.Set("state", state)
	}
	answer.Set("iss", p.issuer)
	query := u.Query()
	for name, values := range answer {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}

// token exchanges a code. The site proves first who it is, so that nobody else can use
// a code up.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	response, err := p.exchange(r)
	if err == nil {
		writeJSON(w, http.StatusOK, response)
		return
	}
	refused, status := oidc.DefaultToServerError(err, ""), http.StatusBadRequest
	switch refused.ErrorType {
	case oidc.InvalidClient:
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Basic realm="Campus ID"`)
	case oidc.ServerError:
		status = http.StatusInternalServerError
		p.log.Error("campus: no token", "err", err)
	}
	writeJSON(w, status, refused)
}

func (p *Provider) exchange(r *http.Request) (*oidc.AccessTokenResponse, error) {
	if r.URL.RawQuery != "" {
		return nil, oidc.ErrInvalidRequest().WithDescription("Parameters belong in the body.")
	}
	if err := r.ParseForm(); err != nil {
		return nil, oidc.ErrInvalidRequest().WithDescription("The form cannot be read.")
	}
	if _, err := op.ClientBasicAuth(r, p.store); err != nil {
		return nil, oidc.ErrInvalidClient().WithDescription("The site is not known, or the secret is wrong.")
	}
	asked, err := op.ParseAccessTokenRequest(r, p.op.Decoder())
	if err != nil {
		return nil, err
	}
	if r.PostForm.Get("grant_type") != string(oidc.GrantTypeCode) {
		return nil, oidc.ErrUnsupportedGrantType().WithDescription("The only grant is authorization_code.")
	}
	request, site, err := op.ValidateAccessTokenRequest(r.Context(), asked, p.op)
	if err != nil {
		return nil, err
	}
	response, err := op.CreateTokenResponse(r.Context(), request, site, p.op, true, asked.Code, "")
	if errors.Is(err, errNoCode) {
		return nil, oidc.ErrInvalidGrant().WithDescription("invalid code")
	}
	return response, err
}

// user says of a person what the bearer of an access token may know.
func (p *Provider) user(w http.ResponseWriter, r *http.Request) {
	how, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	opened, err := p.op.Crypto().Decrypt(bearer)
	id, of, _ := strings.Cut(opened, ":")
	info, failed := p.store.told(id, of)
	if !strings.EqualFold(how, oidc.BearerToken) || err != nil || failed != nil {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	writeJSON(w, http.StatusOK, info)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "The answer could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // whoever has gone does not miss it
}
