package handlers_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"lectern/handlers/policy"
	"lectern/handlers/session"
)

// input is a line, a box or a button of a form, as a browser sees it.
type input struct {
	action string // where its form is sent
	attrs  map[string]string
}

// inputs are all of a page.
func (a answer) inputs(t testing.TB) (all []input) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(a.body))
	must(t, err)
	var walk func(n *html.Node, action string)
	walk = func(n *html.Node, action string) {
		attrs := map[string]string{}
		for _, attr := range n.Attr {
			attrs[attr.Key] = attr.Val
		}
		if n.Type == html.ElementNode {
			switch n.Data {
			case "form":
				action = attrs["action"]
			case "input", "textarea", "select":
				all = append(all, input{action, attrs})
			}
			for name := range attrs {
				if strings.HasPrefix(name, "on") {
					t.Errorf("<%s> has %s", n.Data, name)
				}
			}
		}
		for child := range n.ChildNodes() {
			walk(child, action)
		}
	}
	walk(root, "")
	return all
}

// asks are the fields that somebody types into in the forms of a page that are sent to
// an address: their name, type and what a browser may fill in.
func (a answer) asks(t testing.TB, action string) (fields []string) {
	t.Helper()
	for _, in := range a.inputs(t) {
		kind := in.attrs["type"]
		if in.action == action && !slices.Contains([]string{"hidden", "checkbox", "radio"}, kind) {
			fields = append(fields, in.attrs["name"]+" "+kind+" "+in.attrs["autocomplete"])
		}
	}
	return fields
}

// asking is a page with a form that asks for what somebody proves with who they are.
type asking struct {
	says, action string
	page         answer
	fields       []string
}

// askings are all of them, as they are first shown and as they come back from a refusal.
func askings(t *testing.T, s *site) []asking {
	t.Helper()
	s.as(alan).invite(cleo, "student").want(t, http.StatusSeeOther)
	invitation := s.invited(cleo)
	visitor, her := s.browser(), s.signUp("Joan Clarke", "joan@school.example")

	reset := visitor.post("/code", "flow", visitor.flow(visitor.post("/signin/forgotten", "email", ada)), "code", s.code(ada)).want(t, http.StatusSeeOther)
	mailed := visitor.post("/signin/code", "email", ada).want(t, http.StatusSeeOther)
	begun := her.post("/account/authenticator").want(t, http.StatusSeeOther)
	bare := her.get("/account/ways")
	beas := s.as(bea)
	beas.setUp()
	beas.setUp()
	second := s.browser()
	step := second.post("/signin", "email", bea, "password", password).want(t, http.StatusSeeOther)

	const username = "username text username"
	signIn := []string{"email email username webauthn", "password password current-password"}
	signUp := []string{"name text name", "email email username", "password password new-password"}
	change := []string{username, "current password current-password", "new password new-password"}
	chosen := []string{username, "new password new-password"}
	opened := []string{username, "password password new-password"}
	confirm := []string{username, "password password current-password"}
	pages := []asking{
		{"the door", "/signin", visitor.get("/signin"), signIn},
		{"the door after a wrong password", "/signin", visitor.wrong(ada), signIn},
		{"a new account", "/signup", visitor.get("/signup"), signUp},
		{"a new account that is refused", "/signup", visitor.post("/signup", "password", "short"), signUp},
		{"a form that somebody sent who is signed out", "/signin", visitor.post("/account/profile", "name", "Ada"), []string{"email email username", "password password current-password"}},
		{"an account", "/account/password", her.get("/account"), change},
		{"a change that is refused", "/account/password", her.post("/account/password", "current", password, "new", "short"), change},
		{"a forgotten password", "/signin/forgotten", visitor.get("/signin/forgotten"), []string{"email email username"}},
		{"a new password", "/signin/new-password", visitor.get(reset.location), chosen},
		{"a new password that is refused", "/signin/new-password", visitor.post("/signin/new-password", "flow", visitor.flow(reset), "new", "short"), chosen},
		{"an invitation", invitation, visitor.get(invitation), opened},
		{"an invitation that is refused", invitation, visitor.post(invitation, "password", "short"), opened},
		{"a code by e-mail", "/signin/code", visitor.get("/signin/code"), []string{"email email username"}},
		{"the code", "/code", visitor.get(mailed.location), []string{"code text one-time-code"}},
		{"a new app", "/account/authenticator/add", her.get(begun.location), []string{"code text one-time-code"}},
		{"the second step", "/signin/second", second.get(step.location), []string{"code text one-time-code", "code text off"}},
		{"another address", "/account/email", bare, []string{"email email email"}},
		{"a telephone", "/account/phone", bare, []string{"phone tel tel"}},
		{"a text in whose editor the session ends", "/signin", s.as(grace).get(knotsLesson), []string{"password password current-password"}},
	}
	s.clock.move(policy.ConfirmedFor + time.Second)
	return append(pages,
		asking{"to confirm", "/confirm", her.get("/confirm?next=/account"), confirm},
		asking{"to confirm, with a wrong password", "/confirm", her.post("/confirm", "password", "not it at all, sorry"), confirm},
		asking{"to confirm before the account goes", "/confirm", her.post("/account/delete", "email", "joan@school.example"), confirm},
	)
}

var scriptOf = regexp.MustCompile(`<script[^>]* src="(/assets/[^"]+)"`)

// TestPasswordFields_hideWhatIsTypedAndTakeWhatIsPasted: wherever a password or a code is
// asked for, it is not shown, browsers are told which of them it is, nothing keeps them
// from filling it in, and what was typed never comes back.
func TestPasswordFields_hideWhatIsTypedAndTakeWhatIsPasted(t *testing.T) {
	t.Attr("asvs", "6.2.6 6.2.7")
	s := startSite(t, session.Memory, true, setting{base: named}) // with a name, there are passkeys, and their script
	for _, p := range askings(t, s) {
		if got := p.page.asks(t, p.action); !slices.Equal(got, p.fields) {
			t.Errorf("%s: the form to %s asks for %q, want %q\n%s", p.says, p.action, got, p.fields, p.page.main())
		}
		for _, in := range p.page.inputs(t) {
			a, name := in.attrs, in.attrs["name"]
			secret := slices.Contains([]string{"password", "current", "new"}, name)
			if secret != (a["type"] == "password") {
				t.Errorf("%s: %s is of the type %q", p.says, name, a["type"])
			}
			if !secret {
				continue
			}
			for _, keeps := range []string{"readonly", "disabled", "maxlength", "pattern", "inputmode"} {
				if _, there := a[keeps]; there {
					t.Errorf("%s: %s has %s, which keeps some passwords out", p.says, name, keeps)
				}
			}
			if a["value"] != "" {
				t.Errorf("%s: %s comes filled in", p.says, name)
			}
		}
		for _, found := range scriptOf.FindAllStringSubmatch(p.page.body, -1) {
			if script := s.browser().get(found[1]).want(t, http.StatusOK); strings.Contains(script.body, "paste") {
				t.Errorf("%s: %s meddles with what is pasted", p.says, found[1])
			}
		}
	}
}

// TestPasswordFields_askForNoHint: whoever opens an account or has forgotten a password is
// asked for what the list above says and for nothing about themselves, and nothing of the
// kind is kept.
func TestPasswordFields_askForNoHint(t *testing.T) {
	t.Attr("asvs", "6.4.2")
	s := newSite(t, session.Memory)
	for _, p := range askings(t, s) {
		if got := p.page.asks(t, p.action); !slices.Equal(got, p.fields) {
			t.Errorf("%s: the form to %s asks for %q, want %q", p.says, p.action, got, p.fields)
		}
		p.page.lacks(t, "maiden", "ecurity question", "ecret question", "assword hint", "first pet", "remind you of")
	}
	const hint = "the geese of my childhood"
	b := s.browser()
	fields := []string{"name", "Mary Sand", "email", "mary@school.example", "password", otherPassword, "hint", hint, "question", "Which geese?", "answer", hint}
	b.post("/code", "flow", b.flow(b.post("/signup", fields...)), "code", s.code("mary@school.example")).want(t, http.StatusSeeOther)
	b.post("/account/profile", "name", "Mary Sands", "hint", hint, "question", "Which geese?", "answer", hint).want(t, http.StatusSeeOther)
	for _, row := range s.everythingKept() {
		if strings.Contains(row, hint) {
			t.Errorf("the hint is kept: %s", row)
		}
	}
	s.browser().wrong("mary@school.example").want(t, http.StatusUnprocessableEntity).lacks(t, hint)
}
