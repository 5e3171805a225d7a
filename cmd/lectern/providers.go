package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"lectern/handlers/auth"
)

// ways are the settings of those by whose word people can sign in.
type ways struct {
	OIDC                   []string `name:"oidc" sep:";" placeholder:"SLUG=ISSUER,id=…,secret-file=…;…" help:"OpenID providers to sign in with, one after the other with a semicolon between, or the flag once for each: SLUG=ISSUER,id=CLIENT-ID,secret-file=FILE,name=NAME. SLUG stands in our addresses, ISSUER is the provider's, as it writes it itself; the rest is found there. secret=… instead of secret-file=… has the secret itself (it may have no comma and no semicolon, and others on the machine can see a flag). name is what the button says (the slug). Register BASE-URL/signin/with/SLUG there as the address to come back to."`
	GitHubClientID         string   `name:"github-client-id" placeholder:"ID" help:"The OAuth app at GitHub by which people sign in; its callback URL is BASE-URL/signin/with/github."`
	GitHubClientSecret     string   `name:"github-client-secret" placeholder:"SECRET" help:"Its secret."`
	GitHubClientSecretFile string   `name:"github-client-secret-file" placeholder:"FILE" help:"A file that has its secret, instead."`
	DemoProviderAddr       string   `name:"demo-provider-addr" placeholder:"HOST:PORT" help:"Where the demo's own sign-in provider, Campus ID, listens. Port 0 picks one; an address in use is a warning, and the button is missing; none for none (127.0.0.1:8081 with --demo, otherwise none)."`
}

// oidcSetting is one provider of the setting oidc.
type oidcSetting struct{ slug, issuer, id, secret, name string }

var slugs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

const (
	gitHubSlug = "github"
	campusSlug = "campus-id"
)

func (s *settings) checkProviders() error {
	if _, err := s.oidc(); err != nil {
		return err
	}
	if _, err := s.gitHubSecret(); err != nil {
		return err
	}
	if s.campusAddr() == "" {
		return nil
	}
	return checkAddr("demo-provider-addr", s.campusAddr(), demoCampusAddr)
}

// oidc reads the setting, and the files that it names.
func (s *settings) oidc() ([]oidcSetting, error) {
	var all []oidcSetting
	for _, text := range s.OIDC {
		if strings.TrimSpace(text) == "" {
			continue // after the last semicolon
		}
		o, err := parseOIDC(text)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if other.slug == o.slug {
				return nil, refuse("oidc", "there are two providers %q; each needs a name of its own", o.slug)
			}
		}
		all = append(all, o)
	}
	return all, nil
}

// parseOIDC reads one provider. What it refuses it names by the slug, since there may
// be a secret in the rest.
func parseOIDC(text string) (oidcSetting, error) {
	parts := strings.Split(text, ",")
	slug, issuer, ok := strings.Cut(strings.TrimSpace(parts[0]), "=")
	switch {
	case !ok || !slugs.MatchString(slug) || len(slug) > 32:
		return oidcSetting{}, refuse("oidc", "a provider begins with SLUG=ISSUER, such as google=https://accounts.google.com; the slug has small letters, digits and hyphens")
	case slug == gitHubSlug || slug == campusSlug:
		return oidcSetting{}, refuse("oidc", "%q is taken; choose another slug", slug)
	case !isIssuer(issuer):
		return oidcSetting{}, refuse("oidc", "%s: %q is no issuer; an https address is, without a query, such as https://accounts.google.com (http on this machine alone)", slug, issuer)
	}
	o := oidcSetting{slug: slug, issuer: issuer, name: strings.ToUpper(slug[:1]) + slug[1:]}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if value == "" || seen[key] {
			return oidcSetting{}, refuse("oidc", "%s: it is said more than once, or without a value: %q", slug, key)
		}
		seen[key] = true
		switch key {
		case "id":
			o.id = value
		case "secret":
			o.secret = value
		case "secret-file":
			secret, err := secretIn(value)
			if err != nil {
				return oidcSetting{}, refuse("oidc", "%s: %s", slug, err)
			}
			o.secret = secret
		case "name":
			o.name = value
		default:
			return oidcSetting{}, refuse("oidc", "%s: one part is neither id, secret, secret-file nor name; a secret with a comma or a semicolon in it belongs in a file", slug)
		}
	}
	switch {
	case o.id == "":
		return oidcSetting{}, refuse("oidc", "%s: id is missing, by which the provider knows this site", slug)
	case seen["secret"] == seen["secret-file"]:
		return oidcSetting{}, refuse("oidc", "%s: either secret-file or secret is needed", slug)
	}
	return o, nil
}

// isIssuer reports whether a text can name a provider that is worth asking: whoever
// stands between us and it could say anything over http.
func isIssuer(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.ForceQuery || u.User != nil || strings.Contains(text, "#") {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	here := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && here
}

// secretIn reads a secret from a file of its own.
func secretIn(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(b))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", errors.New(file + " has to have the secret and nothing else")
	}
	return secret, nil
}

// gitHubSecret is empty where nobody asked for GitHub.
func (s *settings) gitHubSecret() (string, error) {
	secret := s.GitHubClientSecret
	switch {
	case secret != "" && s.GitHubClientSecretFile != "":
		return "", refuse("github-client-secret", "it is said, and --github-client-secret-file, too; one of them is needed")
	case s.GitHubClientSecretFile != "":
		var err error
		if secret, err = secretIn(s.GitHubClientSecretFile); err != nil {
			return "", refuse("github-client-secret-file", "%s", err)
		}
	}
	switch {
	case s.GitHubClientID != "" && secret == "":
		return "", refuse("github-client-secret", "it is missing, or in --github-client-secret-file; GitHub shows it beside the client id")
	case s.GitHubClientID == "" && secret != "":
		return "", refuse("github-client-id", "it is missing; GitHub shows it beside the secret")
	}
	return secret, nil
}

// openProviders makes all by whose word people can sign in, and returns what ends
// them. One that is away is no reason not to serve; the log says so.
func (s *settings) openProviders(ctx context.Context, base *url.URL, log *slog.Logger) ([]*auth.Provider, func(), error) {
	set, err := s.oidc()
	if err != nil {
		return nil, nil, err
	}
	secret, err := s.gitHubSecret()
	if err != nil {
		return nil, nil, err
	}
	var all []*auth.Provider
	for _, o := range set {
		all = append(all, auth.NewOIDC(o.issuer, auth.Client{Slug: o.slug, Name: o.name, ID: o.id, Secret: o.secret, BaseURL: base, Now: time.Now}))
	}
	if s.GitHubClientID != "" {
		all = append(all, auth.NewGitHub(auth.GitHubSites{}, auth.Client{Slug: gitHubSlug, Name: "GitHub", ID: s.GitHubClientID, Secret: secret, BaseURL: base, Now: time.Now}))
	}
	campus, closeCampus := s.openCampus(base, log)
	if campus != nil {
		all = append(all, campus)
	}
	stop := tryProviders(ctx, all, log)
	return all, func() { stop(); closeCampus() }, nil
}

// tryProviders reaches for each of them in the background, and returns what stops it.
func tryProviders(ctx context.Context, all []*auth.Provider, log *slog.Logger) func() {
	ctx, cancel := context.WithCancel(ctx)
	var trying sync.WaitGroup
	for _, p := range all {
		trying.Go(func() {
			if err := p.Check(ctx); err != nil && ctx.Err() == nil {
				log.Warn("a sign-in provider is missing until it answers", "provider", p.Slug(), "issuer", p.Issuer(), "err", err)
			}
		})
	}
	return func() { cancel(); trying.Wait() }
}
