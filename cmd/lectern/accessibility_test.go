package main

import (
	"context"
	_ "embed"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe is axe-core, which knows the rules of accessibility that a program can
// check.
//
//go:embed testdata/axe.min.js
var axe string

// findings runs axe and lists what it found, one line each.
const findings = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + ": " + v.help + "\n" + v.nodes.map(n => "    " + n.target.join(" ") + "  " + n.html.slice(0, 160)).join("\n")).join("\n"))`

// overflow names what is wider than the window, if the page can be scrolled
// sideways.
const overflow = `(() => {
	const wide = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= wide) return "";
	return "wider than " + wide + ": " + [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > wide + 1)
		.slice(0, 5).map(e => e.tagName + "." + e.className).join(", ");
})()`

// looked are the pages that every kind of person sees.
var looked = []struct {
	who   string
	paths []string
}{
	{"", []string{
		"/", "/?xray=open", "/courses", "/courses?q=bread", "/courses?q=nothing+at+all", "/courses?topic=identity&level=second&sort=title",
		"/courses/sessions", "/courses/sessions/lessons/the-forgetful-server", "/signin", "/signin?next=/learning", "/signup", "/no/such/page", "/demo/components",
	}},
	{"ada", []string{
		"/", "/courses?status=joined", "/courses/sessions?xray=open", "/courses/authorization", "/courses/sessions/lessons/reading-a-token-by-eye",
		"/learning", "/account", "/teach", "/courses/authorization/lessons/roles",
	}},
	{"grace", []string{"/teach", "/teach/new", "/teach/courses/sessions", "/teach/courses/passkeys-in-practice", "EDITOR", "/courses/passkeys-in-practice"}},
	{"alan", []string{"/admin/users", "/admin/users?q=nobody+here", "PERSON", "/admin/sessions", "/admin/audit"}},
}

// TestBrowser_pagesAreAccessible looks at every page, light and dark, on a desk
// and on a telephone: axe finds nothing, the console is quiet, and nothing is
// wider than the window.
func TestBrowser_pagesAreAccessible(t *testing.T) {
	d := startDemo(t)
	for name, options := range map[string][]func(context.Context) error{
		"light":               nil,
		"dark":                {darkTheme},
		"light, on telephone": {telephone},
		"dark, on telephone":  {telephone, darkTheme},
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range looked {
				b := d.open(t, options...)
				if l.who != "" {
					b.signIn(l.who)
				}
				for _, path := range l.paths {
					b.inspect(path)
				}
			}
		})
	}
}

func (b *tab) inspect(path string) {
	b.t.Helper()
	switch path {
	case "EDITOR":
		b.visit("/teach/courses/sessions")
		path = b.read(`document.querySelector('a[href^="/teach/lessons/"]').getAttribute("href")`)
	case "PERSON":
		b.visit("/admin/users")
		path = b.read(`document.querySelector('a[href^="/admin/users/"]').getAttribute("href")`)
	}
	b.visit(path)
	b.do(chromedp.Evaluate[chromedp.Void](axe + ";0"))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](findings, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
	if found != "" {
		b.t.Errorf("%s: axe finds\n%s", path, found)
	}
	if wide := b.read(overflow); wide != "" {
		b.t.Errorf("%s is %s", path, wide)
	}
	b.quiet(path)
}
