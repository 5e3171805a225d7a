package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"golang.org/x/oauth2"
)

// GitHubIssuer is the first half of an identity at GitHub.
const GitHubIssuer = "https://github.com"

// GitHubSites are where GitHub is. The zero value is the real one; tests have their
// own.
type GitHubSites struct {
	Site string // where people sign in and codes are exchanged
	API  string
}

// NewGitHub makes the provider that is GitHub. It speaks OAuth 2 and not OpenID
// Connect: there is no signed word about a person, so the API is asked whose access
// token it gave us, over the same TLS by which we know it is GitHub. It does not say
// when it asked somebody last.
func NewGitHub(sites GitHubSites, c Client) *Provider {
	if sites.Site == "" {
		sites.Site = GitHubIssuer
	}
	if sites.API == "" {
		sites.API = "https://api.github.com"
	}
	return newProvider(c, GitHubIssuer, &gitHub{api: sites.API, learnt: learnt{
		endpoint: oauth2.Endpoint{
			AuthURL: sites.Site + "/login/oauth/authorize", TokenURL: sites.Site + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
		},
		scopes:  []string{"user:email"}, // the name is public
		issuers: []string{GitHubIssuer, GitHubIssuer + "/login/oauth"},
	}})
}

type gitHub struct {
	api    string
	learnt learnt
}

func (g *gitHub) learn(context.Context, *Provider) (*learnt, error) { return &g.learnt, nil }

func (g *gitHub) tells() bool { return false }

func (g *gitHub) away() error { return nil }

func (g *gitHub) who(ctx context.Context, p *Provider, _ *learnt, _ Pending, tokens *oauth2.Token) (Claim, error) {
	var user struct {
		ID    int64  `json:"id"` // the login can be changed, and taken by somebody else
		Login string `json:"login"`
		Name  string `json:"name"`
	}
	if err := g.ask(ctx, p, stepUser, "/user", tokens, &user); err != nil {
		return Claim{}, err
	}
	if user.ID <= 0 {
		return Claim{}, p.untrusted("it gave no number for the person")
	}
	var addresses []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := g.ask(ctx, p, stepEmails, "/user/emails", tokens, &addresses); err != nil {
		return Claim{}, err
	}
	claim := Claim{Issuer: GitHubIssuer, Subject: strconv.FormatInt(user.ID, 10), Name: user.Name}
	if claim.Name == "" {
		claim.Name = user.Login
	}
	for _, a := range addresses {
		if a.Primary {
			claim.Email, claim.EmailVerified = a.Email, a.Verified
		}
	}
	return claim, nil
}

// ask asks the API about the person whose access token this is.
func (g *gitHub) ask(ctx context.Context, p *Provider, step, path string, tokens *oauth2.Token, into any) error {
	r, err := http.NewRequestWithContext(p.reach(ctx, step), http.MethodGet, g.api+path, nil)
	if err != nil {
		return p.failed(err)
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	tokens.SetAuthHeader(r)
	answer, err := p.client.Do(r)
	if err != nil {
		return p.failed(err)
	}
	defer answer.Body.Close()
	switch {
	case answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests:
		return &Away{Provider: p.slug, Err: fmt.Errorf("%s answers %s", path, answer.Status)}
	case answer.StatusCode != http.StatusOK:
		return p.untrusted("%s answers %s", path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		return p.untrusted("%s cannot be read: %w", path, err)
	}
	return nil
}
