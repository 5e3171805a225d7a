package campus

import (
	"context"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What the library asks of a store, and this one has nothing to do for.

// DeleteAuthRequest leaves the request where it is: its code has been used up, and is
// to be known again if it comes a second time.
func (s *store) DeleteAuthRequest(context.Context, string) error { return nil }

// Health is always good.
func (s *store) Health(context.Context) error { return nil }

// SetUserinfoFromScopes does nothing; SetUserinfoFromRequest does it.
func (s *store) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// The rest belongs to what is not offered: refresh tokens, introspection, signing out, and
// the other grants. No address leads there, and it says no all the same.

func (s *store) CreateAuthRequest(context.Context, *oidc.AuthRequest, string) (op.AuthRequest, error) {
	return nil, errNotHere
}

func (s *store) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, errNotHere
}

func (s *store) SaveAuthCode(context.Context, string, string) error { return errNotHere }

func (s *store) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errNotHere
}

func (s *store) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errNotHere
}

func (s *store) TerminateSession(context.Context, string, string) error { return errNotHere }

func (s *store) RevokeToken(context.Context, string, string, string) *oidc.Error {
	return oidc.ErrUnauthorizedClient()
}

func (s *store) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

func (s *store) SetUserinfoFromToken(context.Context, *oidc.UserInfo, string, string, string) error {
	return errNotHere
}

func (s *store) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errNotHere
}

func (s *store) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, errNotHere
}

func (s *store) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotHere
}

func (s *store) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotHere
}
