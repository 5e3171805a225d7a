package views

import (
	"slices"
	"strconv"
)

// ProviderStepsProps are those of the page that shows what a sign-in was made of.
type ProviderStepsProps struct {
	Provider string
	Next     string
	SignedIn bool
	Failed   bool // it ended before anybody was vouched for
	Steps    []ProviderStep
}

// ProviderStep is one request and its answer.
type ProviderStep struct {
	Name         string // what happens: discovery, authorize, callback, token, keys, user, emails, result
	By, To, Says string
	Line         string
	Sent         []ProviderField
	Status       int
	Received     []ProviderField
	Token        *ProviderToken
	Failed       bool
}

// ProviderField is a parameter, header or claim with what it is for.
type ProviderField struct {
	Name, Value, Says string
	// Thread is the value that it is, under whatever name; empty for one that is not
	// followed. Mark is what it is compared with where it was met first, in step From.
	Thread string
	Mark   Mark
	From   int
}

// Mark is what a value is that is followed through a sign-in.
type Mark string

// The marks.
const (
	MarkNew   Mark = "new"   // met here for the first time
	MarkSame  Mark = "same"  // it comes back as it went out
	MarkMade  Mark = "made"  // what went out was made of it
	MarkOther Mark = "other" // it should be the same, and is not
)

// words are what a mark says.
func (f ProviderField) words() string {
	step := strconv.Itoa(f.From)
	switch f.Mark {
	case MarkSame:
		return "the same as in step " + step
	case MarkMade:
		return "its SHA-256 went out in step " + step
	case MarkOther:
		return "not what it was in step " + step
	}
	return "new here"
}

// ProviderToken is an ID token taken apart.
type ProviderToken struct {
	Header, Claims []ProviderField
	Signature      int // bytes
}

// followedOf are the fields that are followed, and the others.
func followedOf(fields []ProviderField) (followed, rest []ProviderField) {
	for _, f := range fields {
		if f.Thread != "" {
			followed = append(followed, f)
		} else {
			rest = append(rest, f)
		}
	}
	return followed, rest
}

// came are the fields of an answer, those of the ID token in it included.
func (s ProviderStep) came() []ProviderField {
	if s.Token == nil {
		return s.Received
	}
	return slices.Concat(s.Received, s.Token.Claims)
}

// party is the place of somebody in the drawing; 0 for nobody.
func party(name string) int { return slices.Index(parties, name) + 1 }

var parties = []string{"browser", "site", "provider"}

// route is from which party to which an arrow goes, as in "1-2".
func (s ProviderStep) route() string {
	return strconv.Itoa(party(s.By)) + "-" + strconv.Itoa(party(s.To))
}

// called is what a party is called in a sentence.
func (p ProviderStepsProps) called(party string) string {
	switch party {
	case "browser":
		return "your browser"
	case "provider":
		return p.Provider
	}
	return "Lectern"
}

// title is what happens in a step.
func (p ProviderStepsProps) title(step ProviderStep) string {
	switch step.Name {
	case "discovery":
		return "Lectern asks " + p.Provider + " to describe itself"
	case "authorize":
		return "Your browser is sent to " + p.Provider
	case "callback":
		return "Your browser comes back"
	case "token":
		return "Lectern exchanges the code"
	case "keys":
		return "Lectern fetches the keys"
	case "user", "emails":
		return "Lectern asks about you"
	}
	return "What Lectern takes from it"
}

// ending is where the sign-in led.
func (p ProviderStepsProps) ending() string {
	switch {
	case p.Failed:
		return "You were not signed in, and nothing was changed."
	case p.SignedIn:
		return "You are signed in."
	}
	return "Nobody here is connected with who you are there, so you are not signed in yet."
}

// defence is what one of the values is for.
type defence struct {
	thread string
	value  string
	attack string
	tries  string
	stops  string
	read   []reference
}

// reference is where it stands.
type reference struct{ label, href string }

const (
	rfc9700 = "https://www.rfc-editor.org/rfc/rfc9700#section-"
	oidc    = "https://openid.net/specs/openid-connect-core-1_0.html#"
)

// defences are in the order in which the values are met.
var defences = []defence{
	{
		"state", "state", "Cross-site request forgery",
		"Somebody begins a sign-in as themselves, keeps the answer, and has your browser deliver it by a link. You would be in their account, and what you write there would be theirs. While you connect another site, their identity would open your account.",
		"An answer counts only with a state that was drawn for this one sign-in in this one browser, and the first answer uses it up.",
		[]reference{{"RFC 9700, 4.7", rfc9700 + "4.7"}, {"RFC 6749, 10.12", "https://www.rfc-editor.org/rfc/rfc6749#section-10.12"}},
	},
	{
		"issuer", "iss", "Mix-up",
		"One of the providers of a site is dishonest, and passes your browser on to an honest one. The honest one’s code comes back, and the site, which believes that it talks to the dishonest one, shows it that code.",
		"The answer says whose it is, and each provider has an address of its own here to come back to. Both have to fit before the code is shown to anybody.",
		[]reference{{"RFC 9207", "https://www.rfc-editor.org/rfc/rfc9207"}, {"RFC 9700, 4.4", rfc9700 + "4.4"}},
	},
	{
		"pkce", "verifier and challenge (PKCE)", "Code injection, and a code that leaks",
		"Somebody gets hold of your code, from a history or a log, and slips it into a sign-in of their own at this site. The site’s secret is the right one, so it does not help.",
		"The provider has kept the challenge beside the code, and gives tokens only for the verifier that it was made of. Theirs is another.",
		[]reference{{"RFC 7636", "https://www.rfc-editor.org/rfc/rfc7636"}, {"RFC 9700, 4.5", rfc9700 + "4.5"}},
	},
	{
		"nonce", "nonce", "Code injection, and an ID token that comes again",
		"The same, at a provider that does not look at the verifier; or an ID token of an earlier sign-in is brought once more.",
		"The nonce in the signed token is that of the sign-in for which it was made. It is not the one that this browser waits for, so the token is refused. Here it is the site that looks, with PKCE it is the provider.",
		[]reference{{"OpenID Connect Core, 3.1.2.1", oidc + "AuthRequest"}, {"RFC 9700, 4.5.3.2", rfc9700 + "4.5.3.2"}},
	},
	{
		"code", "code", "Looking over the shoulder",
		"What passes through a browser stands in its history, and can be seen by what else runs in it.",
		"So no token passes through it. The code works once and for a short time, and is worth nothing without the site’s own secret and the verifier, which go from server to server.",
		[]reference{{"RFC 6749, 4.1.2", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2"}, {"RFC 9700, 4.3", rfc9700 + "4.3"}},
	},
	{
		"audience", "aud", "A token for somebody else",
		"Another site at which you sign in the same way takes the ID token that it got about you, and brings it here.",
		"The token names the site that it was made for. One for another is refused.",
		[]reference{{"OpenID Connect Core, 3.1.3.7", oidc + "IDTokenValidation"}},
	},
	{
		"subject", "iss and sub", "An address that changed hands",
		"Somebody gets the address that was yours, or writes yours down at a provider that does not look.",
		"Who you are is the provider and its number for you, together. An address opens nothing.",
		[]reference{{"OpenID Connect Core, 5.7", oidc + "ClaimStability"}},
	},
}

// seenDefence is a defence with the steps in which its value was met.
type seenDefence struct {
	defence
	steps []int
}

// defences are those of this sign-in: a value that this provider does not know, or that
// was not come to, is left out.
func (p ProviderStepsProps) defences() []seenDefence {
	var all []seenDefence
	for _, d := range defences {
		seen := seenDefence{defence: d}
		for i, step := range p.Steps {
			if slices.ContainsFunc(slices.Concat(step.Sent, step.came()), func(f ProviderField) bool { return f.Thread == d.thread }) {
				seen.steps = append(seen.steps, i+1)
			}
		}
		if len(seen.steps) > 1 {
			all = append(all, seen)
		}
	}
	return all
}
