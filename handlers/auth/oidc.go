package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// oidcScopes are the three things that are asked of an OpenID provider: who, how to
// call them, how to write to them (ASVS 10.2.3).
var oidcScopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail}

// signatures are those that an ID token may have. Each is made with a key that only
// the provider has: "none" is not among them, and neither is what could be made with
// our own secret.
var signatures = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

const (
	// metadataLife is for how long a provider's description of itself is believed.
	metadataLife = time.Hour
	// awayFor is for how long a provider that was away is not asked again, so that
	// people do not wait one after the other for the same answer.
	awayFor = 5 * time.Second
	// skew is by how much the provider's clock may differ from ours.
	skew = time.Minute
)

// NewOIDC makes a provider that describes itself: all that is known of it is its
// issuer, and the rest is asked of it when somebody first wants it (OpenID Connect
// Discovery). A provider that is away then is asked again.
func NewOIDC(issuer string, c Client) *Provider {
	return newProvider(c, issuer, &openID{turn: make(chan struct{}, 1)})
}

// openID speaks OpenID Connect.
type openID struct {
	turn chan struct{} // held by whoever asks the provider

	mu       sync.Mutex
	found    *learnt
	foundAt  time.Time
	failed   error // of the last time, if that was in vain
	failedAt time.Time
}

// metadata is what an OpenID provider says of itself, as far as it is used here.
type metadata struct {
	Issuer         string   `json:"issuer"`
	AuthURL        string   `json:"authorization_endpoint"`
	TokenURL       string   `json:"token_endpoint"`
	KeysURL        string   `json:"jwks_uri"`
	UserURL        string   `json:"userinfo_endpoint"`
	Signatures     []string `json:"id_token_signing_alg_values_supported"`
	Challenges     []string `json:"code_challenge_methods_supported"`
	Authentication []string `json:"token_endpoint_auth_methods_supported"`
	SaysIssuer     bool     `json:"authorization_response_iss_parameter_supported"`

	provider *oidc.Provider
	keys     oidc.KeySet
}

func (o *openID) tells() bool { return true }

func (o *openID) away() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}

func (o *openID) learn(ctx context.Context, p *Provider) (*learnt, error) {
	if l, err := o.known(ctx, p.now()); l != nil || err != nil {
		return l, err
	}
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return nil, &Away{Provider: p.slug, Err: ctx.Err()}
	}
	if l, err := o.known(ctx, p.now()); l != nil || err != nil {
		return l, err
	}
	l, err := discover(ctx, p)
	return o.keep(l, err, p.now())
}

// known is what was learnt, or why not, as long as that holds. Who records a flow is
// shown the asking, too.
func (o *openID) known(ctx context.Context, now time.Time) (*learnt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case recordingOf(ctx) != nil:
		return nil, nil
	case o.failed != nil && now.Sub(o.failedAt) < awayFor:
		return nil, o.failed
	case o.found != nil && now.Sub(o.foundAt) < metadataLife:
		return o.found, nil
	}
	return nil, nil
}

func (o *openID) keep(l *learnt, err error, now time.Time) (*learnt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var away *Away
	if errors.As(err, &away) && o.found != nil {
		// It was there before, and what it said of itself seldom changes.
		o.foundAt = now.Add(awayFor - metadataLife)
		return o.found, nil
	}
	o.failed, o.failedAt = err, now
	o.found, o.foundAt = l, now
	return l, err
}

// discover asks a provider what it says of itself, and refuses what would not be safe.
func discover(ctx context.Context, p *Provider) (*learnt, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, p.failed(err)
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, p.failed(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, &Away{Provider: p.slug, Err: fmt.Errorf("its description of itself answers %s", answer.Status)}
	}
	var m metadata
	if err := json.NewDecoder(answer.Body).Decode(&m); err != nil {
		return nil, p.untrusted("its description of itself cannot be read: %w", err)
	}
	if err := m.check(p); err != nil {
		return nil, err
	}
	m.provider = (&oidc.ProviderConfig{
		IssuerURL: p.issuer, AuthURL: m.AuthURL, TokenURL: m.TokenURL, UserInfoURL: m.UserURL, JWKSURL: m.KeysURL, Algorithms: m.Signatures,
	}).NewProvider(oidc.ClientContext(ctx, p.client))
	m.keys = oidc.NewRemoteKeySet(p.reach(context.Background(), stepKeys), m.KeysURL)
	return &learnt{
		endpoint: oauth2.Endpoint{AuthURL: m.AuthURL, TokenURL: m.TokenURL, AuthStyle: m.style()},
		scopes:   oidcScopes, issuers: []string{p.issuer}, signs: m.SaysIssuer, nonce: true, metadata: &m,
	}, nil
}

// check refuses a description that is another's, or that leaves out what we need. It
// keeps of the provider's signatures those that we allow.
func (m *metadata) check(p *Provider) error {
	if m.Issuer != p.issuer {
		// Letter by letter: whoever stands in for a provider can name it (ASVS 10.5.3).
		return p.untrusted("it calls itself %q, and the setting calls it %q", plain(m.Issuer), p.issuer)
	}
	for _, endpoint := range []struct {
		name, address string
		needed        bool
	}{
		{"authorization_endpoint", m.AuthURL, true}, {"token_endpoint", m.TokenURL, true}, {"jwks_uri", m.KeysURL, true}, {"userinfo_endpoint", m.UserURL, false},
	} {
		u, err := url.Parse(endpoint.address)
		ofIssuer := strings.HasPrefix(p.issuer, "http://") && err == nil && u.Scheme == "http"
		if (endpoint.needed || endpoint.address != "") && (err != nil || u.Host == "" || u.Scheme != "https" && !ofIssuer) {
			return p.untrusted("its %s is no https address: %q", endpoint.name, plain(endpoint.address))
		}
	}
	if m.Challenges != nil && !slices.Contains(m.Challenges, "S256") {
		return p.untrusted("it does not know PKCE with S256")
	}
	if m.Signatures == nil {
		m.Signatures = []string{oidc.RS256} // which every provider has to know
	}
	m.Signatures = slices.DeleteFunc(m.Signatures, func(s string) bool { return !slices.Contains(signatures, s) })
	if len(m.Signatures) == 0 {
		return p.untrusted("it has no signature that is allowed here")
	}
	return nil
}

// style is how we prove to the provider who we are. Trying both ways would use up the
// code with the wrong one.
func (m *metadata) style() oauth2.AuthStyle {
	if m.Authentication != nil && !slices.Contains(m.Authentication, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// idClaims are those of an ID token that go-oidc leaves to its caller.
type idClaims struct {
	AuthorizedParty string   `json:"azp"`
	AuthTime        unixTime `json:"auth_time"`
	Name            string   `json:"name"`
	Email           string   `json:"email"`
	EmailVerified   yes      `json:"email_verified"`
}

// unixTime are seconds, which some providers write with a fraction.
type unixTime float64

func (u unixTime) time() time.Time {
	if u <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(u), 0)
}

// yes is a truth that some providers write as a text.
type yes bool

func (y *yes) UnmarshalJSON(b []byte) error {
	*y = yes(string(b) == "true" || string(b) == `"true"`)
	return nil
}

// who checks the ID token: who made it (signature and issuer), for whom (audience and
// authorised party), until when, for which sign-in (nonce), and how long ago the
// person was asked (ASVS 6.8.2, 6.8.4, 9.2.2, 10.5.1, 10.5.4).
func (o *openID) who(ctx context.Context, p *Provider, l *learnt, pending Pending, tokens *oauth2.Token) (Claim, error) {
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return Claim{}, p.untrusted("it gave no ID token")
	}
	if typ := typeOf(raw); typ != "" && !strings.EqualFold(typ, "JWT") {
		return Claim{}, p.untrusted("its ID token is of the type %q", plain(typ))
	}
	keys := p.keys(ctx, l)
	config := &oidc.Config{ClientID: p.clientID, SupportedSigningAlgs: l.metadata.Signatures, Now: p.now}
	token, err := oidc.NewVerifier(p.issuer, keys, config).Verify(ctx, raw)
	switch {
	case keys.failed != nil:
		return Claim{}, p.failed(keys.failed)
	case err != nil:
		return Claim{}, p.untrusted("%w", err)
	}
	var claims idClaims
	if err := token.Claims(&claims); err != nil {
		return Claim{}, p.untrusted("the claims of its ID token cannot be read: %w", err)
	}
	if pending.Nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(pending.Nonce)) != 1 {
		return Claim{}, p.untrusted("the nonce of its ID token is not the one that was sent")
	}
	if claims.AuthorizedParty != "" && claims.AuthorizedParty != p.clientID || claims.AuthorizedParty == "" && len(token.Audience) > 1 {
		return Claim{}, p.untrusted("its ID token was issued to %q", plain(claims.AuthorizedParty))
	}
	if token.IssuedAt.After(p.now().Add(skew)) {
		return Claim{}, p.untrusted("its ID token was issued in the future")
	}
	if token.AccessTokenHash != "" && token.VerifyAccessToken(tokens.AccessToken) != nil {
		return Claim{}, p.untrusted("its ID token belongs to another access token")
	}
	if pending.Within > 0 && claims.AuthTime.time().Before(pending.Begun.Add(-pending.Within-skew)) {
		return Claim{}, p.untrusted("it asked the person too long ago, or does not say when")
	}
	if claims.Email == "" && l.metadata.UserURL != "" {
		if err := p.askMore(ctx, l, token.Subject, tokens, &claims); err != nil {
			return Claim{}, err
		}
	}
	return Claim{
		Issuer: p.issuer, Subject: token.Subject, Name: claims.Name,
		Email: claims.Email, EmailVerified: claims.Email != "" && bool(claims.EmailVerified), AuthTime: claims.AuthTime.time(),
	}, nil
}

// keys are the provider's, which are kept, and asked for again when there is a new
// one. Who records a flow is shown the asking.
func (p *Provider) keys(ctx context.Context, l *learnt) *keySet {
	if recordingOf(ctx) != nil {
		return &keySet{of: oidc.NewRemoteKeySet(p.reach(ctx, stepKeys), l.metadata.KeysURL)}
	}
	return &keySet{of: l.metadata.keys}
}

// keySet remembers why a signature was not found good: that the keys could not be
// fetched says nothing against it.
type keySet struct {
	of     oidc.KeySet
	failed error
}

func (k *keySet) VerifySignature(ctx context.Context, raw string) (payload []byte, err error) {
	payload, k.failed = k.of.VerifySignature(ctx, raw)
	return payload, k.failed
}

// askMore asks for the name and the address where the ID token has none. It is
// believed only about the person of the ID token.
func (p *Provider) askMore(ctx context.Context, l *learnt, subject string, tokens *oauth2.Token, claims *idClaims) error {
	info, err := l.metadata.provider.UserInfo(p.reach(ctx, stepUser), oauth2.StaticTokenSource(tokens))
	if err != nil {
		return p.failed(err)
	}
	if info.Subject != subject {
		return p.untrusted("what it says of the person is about somebody else")
	}
	var more idClaims
	if err := info.Claims(&more); err != nil {
		return p.untrusted("what it says of the person cannot be read: %w", err)
	}
	claims.Email, claims.EmailVerified = more.Email, more.EmailVerified
	if claims.Name == "" {
		claims.Name = more.Name
	}
	return nil
}

// typeOf is the type that a token claims to be of. Nothing else of it is believed yet.
func typeOf(raw string) string {
	head, _, _ := strings.Cut(raw, ".")
	var header struct {
		Type string `json:"typ"`
	}
	b, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || json.Unmarshal(b, &header) != nil {
		return ""
	}
	return header.Type
}
