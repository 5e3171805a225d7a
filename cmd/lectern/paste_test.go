package main

import (
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// edits has the browser do what a key does that is bound to an editing command.
func (b *tab) edits(commands ...string) {
	b.t.Helper()
	for _, command := range commands {
		_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Commands: []string{command}})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestBrowser_pastesAPassword: what was copied elsewhere goes into the field of a password
// whole, as it does from a password manager.
func TestBrowser_pastesAPassword(t *testing.T) {
	t.Attr("asvs", "6.2.7")
	b := startDemo(t).open(t)
	const copied = "four words that nobody types, copied"
	for path, form := range map[string]string{"/signin": "#signin", "/signup": `form[action="/signup"]`} {
		b.visit(path)
		b.do(chromedp.SendKeys(chromedp.CSS(form+` [name="email"]`), copied))
		b.edits("selectAll", "copy")
		b.do(chromedp.Focus(chromedp.CSS(form + ` [name="password"]`)))
		b.edits("paste")
		if got := b.read(`document.querySelector('` + form + ` [name="password"]').value`); got != copied {
			t.Errorf("%s: in the field stands %q", path, got)
		}
	}
}
