package main

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowser_learnerJourney walks in, switches the session, joins a course and
// finishes a lesson, once with scripts and once without.
func TestBrowser_learnerJourney(t *testing.T) {
	d := startDemo(t)
	for _, journey := range []struct {
		says    string
		course  string // of five lessons, which she has not joined
		options []func(context.Context) error
	}{
		{"with scripts", "statistics-by-hand", nil},
		{"without scripts", "typography-for-readers", []func(context.Context) error{withoutScripts}},
		{"on a telephone", "plain-words", []func(context.Context) error{telephone}},
		{"without scripts on a telephone", "threat-modelling", []func(context.Context) error{withoutScripts, telephone}},
	} {
		t.Run(journey.says, func(t *testing.T) {
			course := "/courses/" + journey.course
			b := d.open(t, journey.options...)
			b.signIn("ada")
			if got := b.cookies(); !slices.Contains(got, "lectern-sid") || slices.Contains(got, "lectern-jwt") {
				t.Errorf("after signing in the cookies are %v", got)
			}

			b.visit(course + "?xray=open")
			b.do(chromedp.Click(chromedp.CSS(`.xray input[value="jwt"]`)))
			b.press(`.xray form[action="/session/backend"] button[type="submit"]`)
			b.do(chromedp.WaitReady(chromedp.CSS(`.xray[data-backend="jwt"]`)))
			if got := b.cookies(); slices.Contains(got, "lectern-sid") || !slices.Contains(got, "lectern-jwt") {
				t.Errorf("after the switch the cookies are %v", got)
			}

			b.visit(course)
			b.press(`section form[action="` + course + `/join"] button`)
			b.says("main", "You have joined")
			b.visit(course)
			b.press(".outline a.les")
			b.press(`form[action$="/done"] button`)
			b.visit(course)
			b.says("main", "1 of 5")

			b.press(".outline a.les")
			b.press(`form[action$="/undone"] button`)
			b.visit(course)
			b.says("main", "0 of 5")
			b.quiet("journey")
		})
	}
}

// TestBrowser_passkeyJourney opens an account, adds a passkey, and comes in by it: by the
// button, among the suggestions, as the second step, and to confirm.
func TestBrowser_passkeyJourney(t *testing.T) {
	d := startDemo(t).open(t).withDevice()
	d.stopShort()
	const email, password = "hedy@home.example", "eighty-eight piano rolls"
	d.signUp("Hedy Kiesler", email, password)

	d.visit("/account/ways")
	d.do(chromedp.WaitVisible(chromedp.CSS("#passkey-name")), chromedp.SendKeys(chromedp.CSS("#passkey-name"), "My telephone"))
	d.press(`[data-passkey="create"]`)
	d.says("main", "My telephone")
	d.says("body", "The passkey is added.")
	d.inspect("the ways with a passkey")

	d.signOut()
	d.visit("/signin?next=/learning")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")))
	d.press("[data-passkey]")
	d.arrived("/learning")
	d.signOut()

	d.visit("/signin?next=/account")
	d.follows(chromedp.Evaluate[chromedp.Void](`window.go()`))
	d.arrived("/account")
	d.says("main", ", with a passkey")

	d.visit("/account/ways")
	d.press(`form[action="/account/two-step"] button`)
	d.says("h1", "Your recovery codes")
	d.press(`main a.btn[href="/account/ways"]`)
	d.says("main", "It is on.")
	d.signOut()
	d.visit("/signin?next=/account")
	d.do(chromedp.SendKeys(chromedp.CSS("[name=email]"), email), chromedp.SendKeys(chromedp.CSS("[name=password]"), password))
	d.press("#signin [data-kind=primary]")
	d.arrived("/signin/second")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")))
	d.inspect("the second step with a passkey")
	d.press("[data-passkey]")
	d.arrived("/account")
	d.says("main", "with a password and with a passkey")

	d.visit("/confirm?next=/learning")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")))
	d.inspect("confirming with a passkey")
	d.press("[data-passkey]")
	d.arrived("/learning")
	d.quiet("passkeys")
}

// signUp opens an account, with the code that arrives in the inbox of the demo.
func (b *tab) signUp(name, email, password string) {
	b.t.Helper()
	b.visit("/signup")
	for field, typed := range map[string]string{"name": name, "email": email, "password": password} {
		b.do(chromedp.SendKeys(chromedp.CSS("form[action='/signup'] [name="+field+"]"), typed))
	}
	b.press("form[action='/signup'] button")
	b.arrived("/code")
	waiting := strings.TrimPrefix(b.read("location.href"), b.url)
	b.visit("/demo/inbox")
	code := regexp.MustCompile(`\b\d{4} \d{4}\b`).FindString(b.read("document.querySelector('.inbox').innerText"))
	b.visit(waiting)
	b.do(chromedp.SendKeys(chromedp.CSS("[name=code]"), code))
	b.press("form[action='/code'] button")
	b.do(chromedp.WaitReady(chromedp.CSS(".who")))
}

// signOut presses the button that stands in a menu.
func (b *tab) signOut() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("form[action='/signout']").requestSubmit()`)); err != nil {
		b.t.Fatalf("sign out: %v", err)
	}
	b.do(chromedp.WaitReady(chromedp.CSS("a[href^='/signin']")))
}

// arrived fails unless this is the page that is open.
func (b *tab) arrived(path string) {
	b.t.Helper()
	if got := b.read("location.pathname"); got != path {
		b.t.Fatalf("the page is %s, want %s\n%s", got, path, b.read("document.body.innerText"))
	}
}
