package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// The steps of a flow, in the order in which they come.
const (
	stepDiscovery = "discovery"
	stepAuthorize = "authorize"
	stepCallback  = "callback"
	stepToken     = "token"
	stepKeys      = "keys"
	stepUser      = "user"
	stepEmails    = "emails"
	stepResult    = "result"
)

// Step is one request of a sign-in by a provider and its answer, taken apart for
// somebody who wants to understand it. It can be written as JSON, and kept between
// the two halves of the flow. Secrets, codes and tokens are shortened until they open
// nothing; addresses and names are those of the person who is watching.
type Step struct {
	// Name is what happens: discovery, authorize, callback, token, keys, user, emails
	// or result.
	Name string `json:"name"`
	// By and To are who asks whom: browser, site or provider.
	By string `json:"by"`
	To string `json:"to"`
	// Says is what the step is for, in a sentence.
	Says string `json:"says"`
	// Line is the request line, without the parameters.
	Line     string  `json:"line,omitempty"`
	Sent     []Field `json:"sent,omitempty"`
	Status   int     `json:"status,omitempty"`
	Received []Field `json:"received,omitempty"`
	// Token is the ID token that was received, taken apart.
	Token *TokenParts `json:"token,omitempty"`
	// Failed is what went wrong in this step, for programmers.
	Failed string `json:"failed,omitempty"`
}

// Field is one parameter, header or claim with what it is for.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Says  string `json:"says,omitempty"`
}

// TokenParts is a token taken apart.
type TokenParts struct {
	Header    []Field `json:"header"`
	Claims    []Field `json:"claims"`
	Signature int     `json:"signature"` // its length in bytes
}

// Recording collects the steps of one half of a flow.
type Recording struct {
	mu    sync.Mutex
	steps []Step
}

type (
	recordingKey struct{}
	stepKey      struct{}
)

// Record has what [Provider.Begin] and [Provider.Finish] do with this context be
// recorded. Both ask the provider for everything anew then, so that nothing is missing
// from the picture because it was known.
func Record(ctx context.Context) (context.Context, *Recording) {
	r := &Recording{}
	return context.WithValue(ctx, recordingKey{}, r), r
}

// Steps are those that were recorded until now.
func (r *Recording) Steps() []Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.steps)
}

// recordingOf is nil where nobody records, and its methods do nothing then.
func recordingOf(ctx context.Context) *Recording {
	r, _ := ctx.Value(recordingKey{}).(*Recording)
	return r
}

func (r *Recording) add(s Step) {
	s.Says = stepSays[s.Name]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, s)
}

// sent notes where the browser is sent.
func (r *Recording) sent(address string) {
	u, err := url.Parse(address)
	if r == nil || err != nil {
		return
	}
	r.add(Step{Name: stepAuthorize, By: "browser", To: "provider", Line: "GET " + withoutQuery(u), Sent: fields(stepAuthorize, flat(u.Query()))})
}

// cameBack notes what the browser came back with.
func (r *Recording) cameBack(redirect string, query url.Values) {
	if r == nil {
		return
	}
	r.add(Step{Name: stepCallback, By: "browser", To: "site", Line: "GET " + redirect, Sent: fields(stepCallback, flat(query))})
}

// ended notes what came of it.
func (r *Recording) ended(c Claim, err error) {
	if r == nil {
		return
	}
	s := Step{Name: stepResult, By: "site", To: "site"}
	if err != nil {
		s.Failed = err.Error()
		r.add(s)
		return
	}
	facts := map[string]string{
		"issuer": c.Issuer, "subject": c.Subject, "name": c.Name, "email": c.Email, "email_verified": fmt.Sprint(c.EmailVerified),
	}
	if !c.AuthTime.IsZero() {
		facts["auth_time"] = c.AuthTime.UTC().Format(time.RFC3339)
	}
	s.Received = fields(stepResult, facts)
	r.add(s)
}

// recorded is where a request to the provider is noted, and as which step.
type recorded struct {
	in   *Recording
	name string
}

func (r recorded) exchanged(q *http.Request, answer *http.Response, body []byte) {
	if r.in == nil {
		return
	}
	s := Step{Name: r.name, By: "site", To: "provider", Line: q.Method + " " + withoutQuery(q.URL), Sent: fields(r.name, sentBy(q))}
	if answer == nil {
		s.Failed = "no answer"
		r.in.add(s)
		return
	}
	s.Status = answer.StatusCode
	facts, token := answered(r.name, body)
	s.Received, s.Token = fields(r.name, facts), token
	r.in.add(s)
}

func withoutQuery(u *url.URL) string {
	bare := *u
	bare.RawQuery = ""
	return bare.String()
}

// sentBy is what a request says beside its address.
func sentBy(q *http.Request) map[string]string {
	facts := flat(q.URL.Query())
	if how, _, ok := strings.Cut(q.Header.Get("Authorization"), " "); ok {
		facts["Authorization"] = how + " …"
	}
	if q.GetBody == nil {
		return facts
	}
	copied, err := q.GetBody()
	if err != nil {
		return facts
	}
	form := &http.Request{Method: q.Method, Header: q.Header, Body: copied}
	if form.ParseForm() != nil {
		return facts
	}
	for name, value := range flat(form.PostForm) {
		facts[name] = value
	}
	return facts
}

func flat(values url.Values) map[string]string {
	facts := map[string]string{}
	for name, all := range values {
		facts[name] = strings.Join(all, ", ")
	}
	return facts
}

// answered takes an answer apart: an object into its members, a list into its
// entries.
func answered(step string, body []byte) (map[string]string, *TokenParts) {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil {
		facts := map[string]string{}
		for i, entry := range list {
			facts[fmt.Sprintf("%d", i+1)] = string(entry)
		}
		return facts, nil
	}
	facts := members(body)
	if step == stepKeys {
		var set struct {
			Keys []map[string]any `json:"keys"`
		}
		if json.Unmarshal(body, &set) == nil {
			facts = map[string]string{}
			for _, key := range set.Keys {
				facts[fmt.Sprintf("key %v", key["kid"])] = fmt.Sprintf("%v, %v", key["kty"], key["alg"])
			}
		}
	}
	return facts, apart(facts["id_token"])
}

// members are those of a JSON object, a text without its quotes.
func members(object []byte) map[string]string {
	var raw map[string]json.RawMessage
	facts := map[string]string{}
	if json.Unmarshal(object, &raw) != nil {
		return facts
	}
	for name, value := range raw {
		var text string
		if json.Unmarshal(value, &text) == nil {
			facts[name] = text
		} else {
			facts[name] = string(value)
		}
	}
	return facts
}

// apart reads a token without believing it; nil if it is none.
func apart(raw string) *TokenParts {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return nil
		}
	}
	claims := members(decoded[1])
	for _, name := range []string{"iat", "exp", "nbf", "auth_time"} {
		var seconds json.Number
		if value, ok := claims[name]; ok && json.Unmarshal([]byte(value), &seconds) == nil {
			if whole, err := seconds.Int64(); err == nil {
				claims[name] = value + " (" + time.Unix(whole, 0).UTC().Format(time.RFC3339) + ")"
			}
		}
	}
	return &TokenParts{Header: fields("header", members(decoded[0])), Claims: fields("claim", claims), Signature: len(decoded[2])}
}

// fields puts facts into the order in which they are explained, and shortens what is
// secret. What has no explanation is left out of a description and of a person's data
// that nobody asked for; everywhere else it comes last.
func fields(step string, facts map[string]string) []Field {
	var all []Field
	for _, e := range explained {
		if value, ok := facts[e.name]; ok && slices.Contains(strings.Fields(e.steps), step) {
			all = append(all, Field{e.name, shown(e.name, value), e.says})
			delete(facts, e.name)
		}
	}
	if step == stepDiscovery || step == stepUser {
		return all
	}
	rest := make([]string, 0, len(facts))
	for name := range facts {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	for _, name := range rest {
		all = append(all, Field{Name: plain(name), Value: shown(name, facts[name])})
	}
	return all
}

// hidden are the facts of which nothing is shown, and shortened those of which the
// beginning is, so that one can see that two are the same.
var (
	hidden    = []string{"client_secret"}
	shortened = []string{"state", "nonce", "code", "code_verifier", "code_challenge", "access_token", "refresh_token", "id_token", "at_hash", "c_hash"}
)

func shown(name, value string) string {
	length := utf8.RuneCountInString(value)
	switch {
	case slices.Contains(hidden, name):
		return "…"
	case slices.Contains(shortened, name) && length > 12:
		return fmt.Sprintf("%s… (%d characters)", string([]rune(value)[:6]), length)
	case slices.Contains(shortened, name):
		return "…"
	}
	return plain(value)
}

// stepSays is what each step is for.
var stepSays = map[string]string{
	stepDiscovery: "The site asks the provider to describe itself: where to send people, where to exchange a code, where its keys are. It goes on only if the provider calls itself what the setting calls it.",
	stepAuthorize: "The site sends the browser to the provider. All of this passes through the browser, so it may be seen and changed there; each value is checked when it comes back.",
	stepCallback:  "The provider sends the browser back. What it brings is worth nothing by itself: the site compares it with what it remembers of this browser, and only then uses the code.",
	stepToken:     "The site exchanges the code for the ID token, from server to server. The browser sees none of this.",
	stepKeys:      "The site fetches the provider's public keys, and checks with them that the ID token was signed by the provider and by nobody else.",
	stepUser:      "The site asks the provider about the person whom the access token speaks for.",
	stepEmails:    "The site asks for the person's addresses, and which of them are verified.",
	stepResult:    "What the site takes from all this. The tokens are thrown away; issuer and subject together are who the person is.",
}

// explanation is what a fact is for, in the steps in which it may be met.
type explanation struct{ name, steps, says string }

// explained is in the order in which facts are shown.
var explained = []explanation{
	{"issuer", "discovery", "What the provider calls itself. It has to be the address in the setting, letter by letter."},
	{"authorization_endpoint", "discovery", "Where the browser is sent to sign in."},
	{"token_endpoint", "discovery", "Where a code is exchanged for tokens."},
	{"jwks_uri", "discovery", "Where the public keys are."},
	{"userinfo_endpoint", "discovery", "Where more is said about a person."},
	{"id_token_signing_alg_values_supported", "discovery", "How ID tokens are signed. The site has its own list of what it allows, and none is not on it."},
	{"code_challenge_methods_supported", "discovery", "The ways of PKCE that the provider knows; S256 is needed."},
	{"authorization_response_iss_parameter_supported", "discovery", "Whether the provider signs its answers with its name, so that no other's can be taken for them."},

	{"response_type", "authorize", "code: the answer is a code that is worth nothing without the site's secret and the verifier. Tokens never pass through the browser."},
	{"client_id", "authorize token", "Which site asks."},
	{"redirect_uri", "authorize token", "Where the browser is to come back to. The provider allows only the address that was registered, letter by letter."},
	{"scope", "authorize token", "What is asked for: openid for who it is, profile for the name, email for the address. Nothing more."},
	{"state", "authorize callback", "A secret of this one sign-in, bound to this browser. An answer without it was not asked for, and is refused: nobody can be signed in by a link (cross-site request forgery)."},
	{"nonce", "authorize", "A second secret of this one sign-in. The provider writes it into the ID token, so that a token of another sign-in does not fit."},
	{"code_challenge", "authorize", "The SHA-256 of a third secret, the verifier, which stays on the server (PKCE). Whoever steals the code lacks the verifier."},
	{"code_challenge_method", "authorize", "How the challenge was made. plain would give the verifier away."},
	{"max_age", "authorize", "The provider has to ask the person again if it last did so more seconds ago than this."},

	{"code", "callback token", "What is exchanged for tokens: it works once, and for a minute or little more."},
	{"iss", "callback", "Which provider answers (RFC 9207). Another's name is refused before the code is shown to anybody."},
	{"error", "callback token", "Why the provider did not do what was asked."},
	{"error_description", "callback token", "The provider's own words about it."},

	{"grant_type", "token", "What is exchanged: a code."},
	{"code_verifier", "token", "The secret whose SHA-256 was sent before. The provider compares, so only who began can finish."},
	{"client_secret", "token", "By this the provider knows the site."},
	{"Authorization", "token", "By this the provider knows the site: its name and secret."},
	{"Authorization", "user emails", "The access token, which is thrown away after this request."},
	{"access_token", "token", "A key to the person's data at the provider. The site needs no more of it, and throws it away."},
	{"token_type", "token", "How the access token is used: whoever bears it may."},
	{"expires_in", "token", "For how many seconds the access token works."},
	{"refresh_token", "token", "A key to new access tokens. The site has no use for it, and throws it away."},
	{"id_token", "token", "The provider's signed word about who the person is; it is taken apart below."},

	{"alg", "header", "How it is signed. The site decides what it allows; the token does not."},
	{"kid", "header", "With which of the provider's keys."},
	{"typ", "header", "What sort of token it is."},
	{"iss", "claim", "Who says it; it has to be the provider that was asked."},
	{"sub", "claim", "Who it is, in the provider's numbering. It never changes and is given to nobody else; an e-mail address may be."},
	{"aud", "claim", "For whom it is; a token for another site is refused."},
	{"azp", "claim", "To whom it was given; it has to be this site."},
	{"nonce", "claim", "The secret of this sign-in, as it was sent."},
	{"iat", "claim", "When it was made."},
	{"exp", "claim", "Until when it may be used."},
	{"auth_time", "claim", "When the provider asked the person last."},
	{"at_hash", "claim", "A hash of the access token that belongs to it."},
	{"c_hash", "claim", "A hash of the code that it was given for."},
	{"name", "claim user", "What to call the person."},
	{"email", "claim user", "The person's address. It is not who they are: addresses change hands."},
	{"email_verified", "claim user", "Whether the provider has seen that the address is theirs. Even then no account is opened by it."},
	{"sub", "user", "Whom it is about; it has to be the person of the ID token."},
	{"id", "user", "The person's number, which stays when the name is changed."},
	{"login", "user", "The person's name there, which may be changed and taken by somebody else."},

	{"issuer", "result", "The first half of who it is."},
	{"subject", "result", "The second half: only both together name somebody."},
	{"name", "result", "A suggestion for a new account."},
	{"email", "result", "Never a reason to open an account that has the same."},
	{"email_verified", "result", "The provider's word, not ours."},
	{"auth_time", "result", "When the provider asked the person last."},
}

// FlowSteps puts the steps of both halves of a flow together, each request once: what
// the second half asks again in order to be complete is shown where it came first.
func FlowSteps(begun, finished []Step) []Step {
	all := slices.Clone(begun)
	for _, s := range finished {
		if s.Name != stepDiscovery || !slices.ContainsFunc(begun, func(b Step) bool { return b.Name == stepDiscovery }) {
			all = append(all, s)
		}
	}
	return all
}
