package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Provider is a way in by somebody else's word: an OpenID provider ([NewOIDC]) or
// GitHub ([NewGitHub]) says who a person is. It keeps nothing about anybody and may
// be used by any number of goroutines.
//
// A sign-in has two halves, and between them the person is away at the provider.
// [Provider.Begin] says where to send them, and what to remember meanwhile;
// [Provider.Finish] takes what they come back with. What is remembered, a
// [Pending], stays on the server, in a row that works once, ends after some minutes
// and belongs to one browser. Whoever calls sees to these three (ASVS 10.1.2).
type Provider struct {
	slug, name string
	issuer     string
	redirect   string // where people come back to
	clientID   string
	secret     string
	now        func() time.Time
	client     *http.Client
	dialect    dialect
}

// Client is who we are at a provider, and what else all of them have in common.
type Client struct {
	// Slug names the provider in our addresses, Name for people.
	Slug, Name string
	ID, Secret string
	// BaseURL is the address of this site. People come back to it, at
	// /signin/with/SLUG, and this address has to be registered at the provider.
	BaseURL *url.URL
	Now     func() time.Time
	// Transport makes the requests; nil for one of its own.
	Transport http.RoundTripper
}

// dialect is what differs between the providers.
type dialect interface {
	// learn says how the provider is to be spoken to. It may have to ask it.
	learn(ctx context.Context, p *Provider) (*learnt, error)
	// who makes a claim of what the provider gave for a code.
	who(ctx context.Context, p *Provider, l *learnt, pending Pending, tokens *oauth2.Token) (Claim, error)
	// tells reports whether a claim says when the person was asked.
	tells() bool
	// away is why the provider could not be reached when it was asked last.
	away() error
}

// learnt is how a provider is spoken to.
type learnt struct {
	endpoint oauth2.Endpoint
	scopes   []string
	issuers  []string // by which it calls itself in its answers (RFC 9207)
	signs    bool     // it always does so
	nonce    bool
	metadata *metadata // of an OpenID provider
}

// secretBytes is the length of a nonce and of a verifier: 256 bits.
const secretBytes = 32

// Ask is what is wanted of the provider beyond the person's name.
type Ask struct {
	// Within, if it is not 0, wants the provider to have asked the person for their
	// password, or what it has instead, at most so long ago; it asks again if not.
	Within time.Duration
}

// Pending is what has to be remembered of a sign-in while the person is away. It can
// be written as JSON. It has to be kept on the server: whoever has the verifier can
// use a stolen code.
type Pending struct {
	Provider string        `json:"provider"`
	Flow     string        `json:"flow"` // the hash of the flow's id, which is a secret itself
	Nonce    string        `json:"nonce,omitempty"`
	Verifier string        `json:"verifier"`
	Begun    time.Time     `json:"begun"`
	Within   time.Duration `json:"within,omitempty"`
}

// Claim is what a provider says about a person, after everything that can be checked
// of it was. Who somebody is are Issuer and Subject together, and nothing else: names
// and addresses change their owners (ASVS 6.8.1, 10.5.2). A claim has none of the
// provider's tokens; they are thrown away (ASVS 10.1.1).
type Claim struct {
	Issuer  string
	Subject string
	Name    string
	Email   string // as the provider wrote it, or empty
	// EmailVerified is the provider's word for it that the address is the person's.
	EmailVerified bool
	// AuthTime is when the provider asked the person last; zero if it does not say.
	AuthTime time.Time
}

var (
	// ErrForeignAnswer: what came back does not belong to the flow that was begun
	// (400). Somebody else began it, another provider answers, or a link was sent.
	ErrForeignAnswer = errors.New("auth: the answer belongs to another flow")
	// ErrNotTold: this provider does not say when it asked somebody, so it cannot be
	// told to ask again.
	ErrNotTold = errors.New("auth: the provider does not say when it asked")
)

// Away says that a provider could not be reached, or answered with an error of its
// own (503). Nothing is known against the person; another try may work.
type Away struct {
	Provider string // its slug
	Err      error
}

func (e *Away) Error() string {
	return fmt.Sprintf("auth: provider %s is away: %s", e.Provider, plain(e.Err.Error()))
}

func (e *Away) Unwrap() error { return e.Err }

// Refusal says that a provider has answered, and that the answer is no.
type Refusal struct {
	Provider string // its slug
	// Code is the provider's reason, such as access_denied, or "other" for one that
	// no standard knows.
	Code string
	// Description is the provider's own sentence, cut to what can be logged.
	Description string
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("auth: provider %s refuses: %s %q", e.Provider, e.Code, e.Description)
}

// ByPerson reports whether it was the person who said no, at the provider.
func (e *Refusal) ByPerson() bool { return e.Code == "access_denied" }

// Passing reports whether the provider says that a later try may work.
func (e *Refusal) Passing() bool {
	return e.Code == "temporarily_unavailable" || e.Code == "server_error"
}

// Untrusted says that a provider's word did not stand up to a check, so nobody is
// signed in by it.
type Untrusted struct {
	Provider string // its slug
	Err      error
}

func (e *Untrusted) Error() string {
	return fmt.Sprintf("auth: provider %s is not believed: %s", e.Provider, plain(e.Err.Error()))
}

func (e *Untrusted) Unwrap() error { return e.Err }

func newProvider(c Client, issuer string, of dialect) *Provider {
	redirect := *c.BaseURL
	redirect.Path = "/signin/with/" + c.Slug
	return &Provider{
		slug: c.Slug, name: c.Name, issuer: issuer, redirect: redirect.String(),
		clientID: c.ID, secret: c.Secret, now: c.Now, client: newClient(c.Transport), dialect: of,
	}
}

// Slug names the provider in our addresses.
func (p *Provider) Slug() string { return p.slug }

// Name is what people call the provider.
func (p *Provider) Name() string { return p.name }

// Issuer is the first half of every identity that this provider speaks for.
func (p *Provider) Issuer() string { return p.issuer }

// Redirect is the address that people come back to, which has to be registered at the
// provider letter by letter.
func (p *Provider) Redirect() string { return p.redirect }

// Tells reports whether the provider says when it asked somebody last, so that
// [Ask].Within can be wanted of it.
func (p *Provider) Tells() bool { return p.dialect.tells() }

// Away is why the provider could not be reached, or not be believed, when it was asked
// last to describe itself; nil if all was well, or nobody has asked yet. It asks nobody, so that a page with buttons on it waits for nobody; whoever presses
// the button asks again.
func (p *Provider) Away() error { return p.dialect.away() }

// Check reaches for the provider, so that the first person does not wait for it, and
// so that a wrong setting is noticed. An error is an *[Away] or an *[Untrusted], and
// no reason not to go on: the provider is asked again when somebody wants it.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.learn(ctx)
	return err
}

func (p *Provider) learn(ctx context.Context) (*learnt, error) {
	return p.dialect.learn(p.reach(ctx, stepDiscovery), p)
}

// flowLength is the least that names a flow: 128 bits, in base64url.
const flowLength = 22

// Begin says where to send somebody who wants to sign in with this provider, and what
// to remember until they come back. flow is the id of the row that will remember it,
// drawn at random by the caller; the provider hands it back as the state. random is
// [crypto/rand.Reader] outside tests.
//
// Errors are *[Away], *[Untrusted] or [ErrNotTold].
func (p *Provider) Begin(ctx context.Context, flow string, ask Ask, random io.Reader) (address string, pending Pending, err error) {
	if len(flow) < flowLength {
		return "", Pending{}, fmt.Errorf("auth: a flow's id of %d characters can be guessed", len(flow))
	}
	if ask.Within > 0 && !p.Tells() {
		return "", Pending{}, ErrNotTold
	}
	// Whoever asks first may hang up; what the provider says of itself is for all.
	l, err := p.learn(context.WithoutCancel(ctx))
	if err != nil {
		return "", Pending{}, err
	}
	verifier, err := drawn(random, secretBytes)
	if err != nil {
		return "", Pending{}, err
	}
	pending = Pending{Provider: p.slug, Flow: hashOf("state", flow), Verifier: verifier, Begun: p.now(), Within: ask.Within}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	if l.nonce {
		if pending.Nonce, err = drawn(random, secretBytes); err != nil {
			return "", Pending{}, err
		}
		options = append(options, oauth2.SetAuthURLParam("nonce", pending.Nonce))
	}
	if ask.Within > 0 {
		seconds := max(1, int64(ask.Within/time.Second))
		options = append(options, oauth2.SetAuthURLParam("max_age", fmt.Sprint(seconds)))
	}
	address = p.config(l).AuthCodeURL(flow, options...)
	recordingOf(ctx).sent(address)
	return address, pending, nil
}

// config is made anew each time, because it has no state.
func (p *Provider) config(l *learnt) *oauth2.Config {
	return &oauth2.Config{ClientID: p.clientID, ClientSecret: p.secret, Endpoint: l.endpoint, RedirectURL: p.redirect, Scopes: l.scopes}
}

// Finish says who somebody is who came back with query, of a flow that was begun with
// what is pending. Take the row of the flow before, so that a second answer finds none.
//
// Errors are [ErrForeignAnswer], *[Refusal], *[Away] and *[Untrusted].
func (p *Provider) Finish(ctx context.Context, pending Pending, query url.Values) (Claim, error) {
	recording := recordingOf(ctx)
	recording.cameBack(p.redirect, query)
	claim, err := p.finish(ctx, pending, query)
	recording.ended(claim, err)
	return claim, err
}

func (p *Provider) finish(ctx context.Context, pending Pending, query url.Values) (Claim, error) {
	if err := p.ours(pending, query); err != nil {
		return Claim{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	l, err := p.learn(context.WithoutCancel(ctx))
	if err != nil {
		return Claim{}, err
	}
	if err := p.spoken(l, query); err != nil {
		return Claim{}, err
	}
	if code := query.Get("error"); code != "" {
		return Claim{}, p.refusal(code, query.Get("error_description"))
	}
	code := query.Get("code")
	if code == "" {
		return Claim{}, fmt.Errorf("%w: it has neither a code nor an error", ErrForeignAnswer)
	}
	tokens, err := p.config(l).Exchange(p.reach(ctx, stepToken), code, oauth2.VerifierOption(pending.Verifier))
	if err != nil {
		return Claim{}, p.failed(err)
	}
	claim, err := p.dialect.who(ctx, p, l, pending, tokens)
	if err != nil {
		return Claim{}, err
	}
	if claim.Subject == "" || len(claim.Subject) > 255 {
		return Claim{}, p.untrusted("the subject has %d characters; 1 to 255 are allowed", len(claim.Subject))
	}
	return claim, nil
}

// ours checks that the answer is one to what this browser has begun. It comes before
// anything else is believed, even an error (ASVS 10.1.2, 10.2.1).
func (p *Provider) ours(pending Pending, query url.Values) error {
	if pending.Provider != p.slug {
		return fmt.Errorf("%w: it was begun with %q", ErrForeignAnswer, pending.Provider)
	}
	for _, name := range []string{"state", "iss", "code", "error", "error_description"} {
		if len(query[name]) > 1 {
			return fmt.Errorf("%w: it has more than one %s", ErrForeignAnswer, name)
		}
	}
	if subtle.ConstantTimeCompare([]byte(hashOf("state", query.Get("state"))), []byte(pending.Flow)) != 1 {
		return fmt.Errorf("%w: the state differs", ErrForeignAnswer)
	}
	return nil
}

// spoken checks who answers, so that the answer of one provider is not taken for that
// of another, which would be given the code (RFC 9207; ASVS 10.2.2).
func (p *Provider) spoken(l *learnt, query url.Values) error {
	issuers, said := query["iss"]
	if !said {
		if l.signs {
			return fmt.Errorf("%w: it does not say which provider it comes from, and this one always does", ErrForeignAnswer)
		}
		return nil
	}
	if slices.Contains(l.issuers, issuers[0]) {
		return nil
	}
	return fmt.Errorf("%w: it comes from another provider", ErrForeignAnswer)
}

// codes are the reasons that the standards know: RFC 6749 §4.1.2.1 and §5.2, and
// OpenID Connect Core §3.1.2.6. GitHub has three of its own.
var codes = map[string]bool{
	"access_denied": true, "invalid_request": true, "unauthorized_client": true, "unsupported_response_type": true,
	"invalid_scope": true, "server_error": true, "temporarily_unavailable": true,
	"invalid_client": true, "invalid_grant": true, "unsupported_grant_type": true,
	"interaction_required": true, "login_required": true, "account_selection_required": true, "consent_required": true,
	"bad_verification_code": true, "incorrect_client_credentials": true, "redirect_uri_mismatch": true,
}

func (p *Provider) refusal(code, description string) error {
	if !codes[code] {
		code = "other"
	}
	return &Refusal{Provider: p.slug, Code: code, Description: plain(description)}
}

// plain is a text of strangers that may stand in a log: of one line, and short.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r == '�' {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}

// failed says what a failed request to the provider means. What the provider wrote
// beside its error is left out, since nobody knows what is in it.
func (p *Provider) failed(err error) error {
	var answered *oauth2.RetrieveError
	switch {
	case errors.As(err, &answered) && answered.ErrorCode != "" && answered.Response.StatusCode < http.StatusInternalServerError:
		return p.refusal(answered.ErrorCode, answered.ErrorDescription)
	case errors.As(err, &answered) && (answered.Response.StatusCode >= http.StatusInternalServerError || answered.Response.StatusCode == http.StatusTooManyRequests):
		return &Away{Provider: p.slug, Err: fmt.Errorf("it answers %s", answered.Response.Status)}
	case errors.As(err, &answered):
		return p.untrusted("it answers %s", answered.Response.Status)
	case isAway(err):
		return &Away{Provider: p.slug, Err: err}
	}
	return &Untrusted{Provider: p.slug, Err: err}
}

func (p *Provider) untrusted(format string, args ...any) error {
	return &Untrusted{Provider: p.slug, Err: fmt.Errorf(format, args...)}
}
