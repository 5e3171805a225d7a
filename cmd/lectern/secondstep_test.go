package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// aSecondStep is the journey of somebody who sets up an authenticator app.
const aSecondStep = "the journey with a second step"

// TestBrowser_takesASecondStep sets up an authenticator app, comes in with it, replaces a
// forgotten password, and leaves for good, and looks at each page on the way.
func TestBrowser_takesASecondStep(t *testing.T) {
	d := startDemo(t)
	j := journey{d.open(t), map[string]bool{}}
	const email, first, second = "cleo.sand@school.example", "four words nobody joins", "another four words to join"
	j.signUp("Cleo Sand", email, first)
	j.visit("/account/ways")
	j.press(`form[action="/account/authenticator"] button`)
	j.inspect("/account/authenticator")
	secret := strings.ReplaceAll(j.read(`document.querySelector("code.secret").textContent`), " ", "")
	shown := func(off time.Duration) string {
		code, err := totp.GenerateCode(secret, time.Now().Add(off))
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	j.typeCode(`form[action="/account/authenticator/add"]`, shown(0))
	j.says("h1", "Your recovery codes")
	j.tab.inspect("new recovery codes")
	paper := j.read(`document.querySelector(".recovery code").textContent`)
	j.press(`main a.btn[href="/account/ways"]`)
	j.says("#way-two ~ p", "It is on.")
	j.tab.inspect("ways, with a second step")
	j.signOut()

	j.visit("/signin")
	j.do(chromedp.SendKeys(chromedp.CSS(`#signin input[name="email"]`), email), chromedp.SendKeys(chromedp.CSS(`#signin input[name="password"]`), first))
	j.press(`#signin button[data-kind="primary"]`)
	j.says("h1", "One more step")
	j.inspect("/signin/second")
	// The next half minute's number is good already, and the last one is used up.
	j.typeCode(`section form[action="/signin/second"]`, shown(30*time.Second))
	j.do(chromedp.WaitReady(chromedp.CSS(".who")))
	j.signOut()

	j.visit("/signin/forgotten")
	j.do(chromedp.SendKeys(chromedp.CSS(`form[action="/signin/forgotten"] input[name="email"]`), email))
	j.press(`form[action="/signin/forgotten"] button`)
	waits := j.read(`location.pathname + location.search`)
	j.visit("/demo/inbox")
	code := j.read(`document.querySelector(".message .said").textContent.match(/\d{4} \d{4}/)[0]`)
	j.visit(waits)
	j.typeCode(`form[action="/code"]`, code)
	j.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("details.aside").open = true`))
	j.typeCode(`details form[action="/signin/second"]`, paper)
	j.says("h1", "Choose a new password")
	j.inspect("/signin/new-password")
	j.do(chromedp.SendKeys(chromedp.CSS(`form[action="/signin/new-password"] input[name="new"]`), second))
	j.press(`form[action="/signin/new-password"] button`)
	j.do(chromedp.WaitReady(chromedp.CSS(".who")))

	j.visit("/account/delete")
	j.inspect("/account/delete")
	j.do(chromedp.SendKeys(chromedp.CSS(`form[action="/account/delete"] input[name="email"]`), email))
	j.press(`form[action="/account/delete"] button`)
	j.says("body", "Your account is deleted")
	j.quiet(aSecondStep)
	j.through(aSecondStep)
}

// typeCode types a code into a form and sends it.
func (b *tab) typeCode(form, code string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(form+` input[name="code"]`), code))
	b.press(form + " button")
}
