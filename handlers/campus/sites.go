package campus

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// GetClientByClientID finds a site.
func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	site, ok := s.sites[id]
	if !ok {
		return nil, errNoClient
	}
	return client{site}, nil
}

// AuthorizeClientIDSecret checks that it is the site that asks.
func (s *store) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	site, ok := s.sites[id]
	given, right := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(site.Secret))
	if !ok || site.Secret == "" || subtle.ConstantTimeCompare(given[:], right[:]) != 1 {
		return errNoClient
	}
	return nil
}

// client is a site as the library sees it.
type client struct{ Site }

func (c client) GetID() string                       { return c.ID }
func (c client) RedirectURIs() []string              { return []string{c.Redirect} }
func (c client) PostLogoutRedirectURIs() []string    { return nil }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c client) LoginURL(id string) string           { return "/id/requests/" + id }
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration      { return tokenLife }
func (c client) IsScopeAllowed(string) bool          { return false }
func (c client) ClockSkew() time.Duration            { return 0 }

// DevMode allows a site to have no https, as on the machine itself. Its address has
// to be the registered one all the same.
func (c client) DevMode() bool { return true }

// IDTokenUserinfoClaimsAssertion has the name and the address stand in the ID token.
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }

func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}

func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
