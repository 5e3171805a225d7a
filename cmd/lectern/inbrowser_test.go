package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

const (
	theftPage = "/lab/steal-by-script"
	postPage  = "/lab/post-from-another-site"
)

// inBrowserKinds are the sessions that are looked for: every family.
var inBrowserKinds = []struct {
	kind    string
	cookies []string
}{
	{"jwt", []string{"lectern-jwt"}},
	{"database", []string{"lectern-sid"}},
	{"hybrid", []string{"lectern-access", "lectern-refresh"}},
}

// with switches to another kind of session.
func (b *tab) with(kind string) {
	b.t.Helper()
	b.come(look{path: "/session/backend", form: []string{"backend", kind, "next", "/"}})
}

// jar is what the browser keeps for the site: name to value, and which of them no
// script may read.
func (b *tab) jar() (values map[string]string, hidden map[string]bool) {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{b.url + theftPage}})
	if err != nil {
		b.t.Fatal(err)
	}
	values, hidden = map[string]string{}, map[string]bool{}
	for _, c := range got.Cookies {
		values[c.Name], hidden[c.Name] = c.Value, c.HTTPOnly
	}
	return values, hidden
}

// click presses something that changes the page in place.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// TestBrowser_noScriptReadsTheSession has a script look in a real browser: it finds
// what lies open, and not the session, which is there all the same.
func TestBrowser_noScriptReadsTheSession(t *testing.T) {
	t.Attr("asvs", "3.3.4")
	d := startDemo(t)
	for _, row := range inBrowserKinds {
		t.Run(row.kind, func(t *testing.T) {
			b := d.open(t)
			b.signIn("ada")
			b.with(row.kind)
			b.visit(theftPage)
			b.click("[data-steal]")
			b.says("[data-told]", "found nothing at all")
			b.says(`[data-place=cookie] .verdict:not([hidden])`, "Not there")
			b.click("[data-put]")
			b.says("[data-told]", "The values are there")
			b.click("[data-steal]")
			b.says("[data-told]", "read 2 of 3 places")
			b.says(`[data-place=session] .verdict:not([hidden])`, "Not to be read")
			b.says(`[data-place=cookie] .verdict:not([hidden])`, "32")
			b.says(`[data-place=storage] .verdict:not([hidden])`, "32")

			seen := b.read("document.cookie + ' ' + JSON.stringify(localStorage) + ' ' + document.documentElement.outerHTML")
			values, hidden := b.jar()
			for _, name := range row.cookies {
				if values[name] == "" || !hidden[name] {
					t.Errorf("the browser keeps %s = %q, hidden: %t", name, values[name], hidden[name])
				} else if strings.Contains(seen, values[name]) || strings.Contains(b.read("document.cookie"), name) {
					t.Errorf("a script sees %s", name)
				}
			}
			open := values["lectern-lab-open"]
			if len(open) != 32 || hidden["lectern-lab-open"] {
				t.Errorf("the readable cookie is %q, hidden: %t", open, hidden["lectern-lab-open"])
			}
			if found := b.read("document.querySelector('[data-loot] code').textContent"); strings.Count(found, open) != 2 {
				t.Errorf("what was found is not shown:\n%s", found)
			}

			b.click("[data-clear]")
			b.says("[data-told]", "Cleared away")
			b.nothingLeft("after Clear")
			b.click("[data-put]")
			b.says("[data-told]", "The values are there")
			b.visit("/courses")
			b.nothingLeft("after the page was left")
			b.quiet(theftPage)
		})
	}
}

// nothingLeft fails if one of the harmless values still lies about.
func (b *tab) nothingLeft(when string) {
	b.t.Helper()
	values, _ := b.jar()
	if kept := values["lectern-lab-open"] + b.read("localStorage.getItem('lectern-lab-token') ?? ''"); kept != "" {
		b.t.Errorf("%s there is still %q", when, kept)
	}
}

// TestBrowser_whoHasNoSessionIsLentOne has a visitor's script look for a stand-in,
// before a run and after it, and a reset take away what was put down.
func TestBrowser_whoHasNoSessionIsLentOne(t *testing.T) {
	d := startDemo(t)
	b := d.open(t)
	b.visit(theftPage)
	b.says("#in-browser", "You are not signed in")
	b.click("[data-put]")
	b.click("[data-steal]")
	b.says("[data-told]", "read 2 of 3 places")
	b.says(`[data-place=session] .verdict:not([hidden])`, "Not to be read")
	values, hidden := b.jar()
	if values["lectern-lab-decoy"] == "" || !hidden["lectern-lab-decoy"] {
		t.Errorf("the stand-in is %q, hidden: %t", values["lectern-lab-decoy"], hidden["lectern-lab-decoy"])
	}
	for _, family := range []string{"jwt", "server", "hybrid"} {
		b.click(`[name=` + family + `][value=refused]`)
	}
	b.do(chromedp.WaitVisible(chromedp.CSS(`[data-run] button:enabled`)), chromedp.Click(chromedp.CSS(`[data-run] button`)))
	b.do(chromedp.WaitVisible(chromedp.CSS(".results"))) // the page is another now
	b.click("[data-steal]")
	b.says("[data-told]", "read 2 of 3 places")
	if b.read("document.cookie") == "" {
		t.Fatal("there is nothing to be taken away")
	}
	b.press(`form[action$="/reset"] button`)
	b.nothingLeft("after the reset")
	b.quiet(theftPage)
}

// TestBrowser_formsFromElsewhereAreRefused posts from the other site, in a real
// browser with real cookies. From another host the session stays at home; from another
// port it comes along. Neither changes anything.
func TestBrowser_formsFromElsewhereAreRefused(t *testing.T) {
	t.Attr("asvs", "3.5.1")
	d := startDemo(t)
	for _, row := range inBrowserKinds {
		t.Run(row.kind, func(t *testing.T) {
			b := d.open(t)
			b.signIn("ada")
			b.with(row.kind)
			b.attack("apart", "[type=submit]")
			b.says("[data-result=apart]", "Refused, and no cookie came along")
			b.says("[data-result=apart] .figures", "cross-site")
			b.says("[data-result=apart] .figures", "stayed at home")
			b.says("[data-result=next-door]", "Nothing has come from there yet")
			b.attack("next-door", "[data-press]")
			b.says("[data-result=next-door]", "Refused, although the cookie came along")
			b.says("[data-result=next-door] .figures", "same-site")
			b.says("[data-result=next-door] .figures", strings.Join(row.cookies, ", ")+"\ncame along")
			b.says("[data-result=apart]", "Refused, and no cookie came along")
			b.visit("/account")
			b.says(".who", "Ada Byron")
			b.quiet(postPage)
		})
	}
}

// attack goes to the other site by a door, has its form sent, and comes back by the
// page that says no.
func (b *tab) attack(door, button string) {
	b.t.Helper()
	b.visit(postPage)
	there := b.read(`document.querySelector("[data-door=` + door + `]").href`)
	b.do(chromedp.Navigate(there), chromedp.WaitVisible(chromedp.CSS(button)))
	if handed := b.read("document.querySelector('aside').innerText"); strings.Contains(handed, "lectern-lab-decoy") != (door == "next-door") {
		b.t.Errorf("%s: the other site was handed: %s", door, handed)
	}
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(button)))
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.Status != 403 {
		b.t.Errorf("the form from %s is answered with %d, want 403", door, answer.Status)
	}
	b.says("h1", "That came from another site")
	b.press(".refusals a.btn")
}

// TestBrowser_whatArrivedIsShownInTheOldTab goes by keyboard: the other site opens in
// a new tab, and the old one knows of what came meanwhile as soon as it is come back
// to, with the focus where it was. (What a browser sends from there is shown above.)
func TestBrowser_whatArrivedIsShownInTheOldTab(t *testing.T) {
	d := startDemo(t)
	b := d.open(t)
	b.visit(postPage)
	b.says("#in-browser", "You are not signed in")
	href := b.read(`document.querySelector("[data-door=next-door]").href`)
	opened := chromedp.WaitNewTarget(b.ctx, func(info *target.Info) bool {
		if info.CanAccessOpener {
			t.Error("the other site holds on to our page")
		}
		return info.URL == href
	})
	b.do(chromedp.Focus(chromedp.CSS("[data-door=next-door]")), chromedp.KeyEvent("\r"))
	select {
	case <-opened:
	case <-time.After(10 * time.Second):
		t.Fatal("no new tab was opened")
	}
	_, attempt, _ := strings.Cut(href, "?")
	values, _ := b.jar()
	origin, _, _ := strings.Cut(href, "/?")
	form, err := http.NewRequest(http.MethodPost, d.url+"/account/profile?"+attempt, strings.NewReader("name=Mallory"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Origin": origin, "Sec-Fetch-Site": "same-site", "Cookie": "lectern-lab-decoy=" + values["lectern-lab-decoy"], "Content-Type": "application/x-www-form-urlencoded",
	} {
		form.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(form)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	b.do(chromedp.Evaluate[chromedp.Void](`window.dispatchEvent(new Event("focus"));0`))
	b.says("[data-result=next-door]", "Refused, although the cookie came along")
	b.says("[data-result=next-door] .figures", "lectern-lab-decoy\ncame along")
	if at := b.read("document.activeElement.dataset.door"); at != "next-door" {
		t.Errorf("the focus is at %q, and not where it was", at)
	}
	b.quiet(postPage)
}

// TestBrowser_inBrowserWorksWithoutScripts: there is no theft without one, and what
// arrived is shown all the same.
func TestBrowser_inBrowserWorksWithoutScripts(t *testing.T) {
	d := startDemo(t)
	b := d.open(t, withoutScripts)
	b.visit(theftPage)
	b.says("#in-browser", "No script, no theft by script")
	b.attack("apart", "[type=submit]")
	b.says("[data-result=apart]", "Refused, and no cookie came along")
	b.press("[data-look]")
	b.says("[data-result=apart]", "Refused, and no cookie came along")
}

// TestBrowser_inBrowserIsAccessible looks at the parts of both experiments in every
// state, and at the page of the other site.
func TestBrowser_inBrowserIsAccessible(t *testing.T) {
	d := startDemo(t)
	b := d.open(t)
	b.visit(theftPage)
	b.inspect("the theft before it")
	b.render("light", false)
	b.click("[data-put]")
	b.click("[data-steal]")
	b.says("[data-told]", "read 2 of 3 places")
	b.inspect("the theft")
	b.visit(postPage)
	b.inspect("the way to the other site")
	b.signIn("ada")
	b.attack("apart", "[type=submit]")
	b.attack("next-door", "[type=submit]")
	b.says("[data-result=next-door]", "came along")
	b.inspect("what arrived")
	b.do(chromedp.Navigate(b.read(`document.querySelector("[data-door=next-door]").href`)), chromedp.WaitVisible(chromedp.CSS("[data-press]")))
	b.inspect("the other site")
}
