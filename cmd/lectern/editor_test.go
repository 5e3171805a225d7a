package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"lectern/seed"
)

// openEditor opens the editor of Grace's draft course on a lesson of it.
func (b *tab) openEditor(number int) (path string) {
	b.t.Helper()
	b.visit("/teach/courses/passkeys-in-practice")
	path = b.read(`document.querySelectorAll('a[href^="/teach/lessons/"]')[` + string(rune('0'+number)) + `].getAttribute("href")`)
	b.visit(path)
	return path
}

// write puts text at the end of the lesson, as if typed.
func (b *tab) write(text string) {
	b.t.Helper()
	b.do(
		chromedp.Evaluate[chromedp.Void](`{const t = document.querySelector("#f-body"); t.focus(); t.setSelectionRange(t.value.length, t.value.length)}`),
		chromedp.KeyEvent(text),
	)
}

// loseSession takes the session's cookie away, as the end of its time does.
func (b *tab) loseSession() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) want(expression, want string) {
	b.t.Helper()
	if got := b.read(expression); got != want {
		b.t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

const textOf = `document.querySelector("#f-body").value`

func TestBrowser_editorSavesInPlace(t *testing.T) {
	b := startDemo(t).open(t)
	b.signIn("grace")
	path := b.openEditor(0)

	b.write(" And **so** on.")
	b.says("[data-state]", "Typing, not saved yet")
	b.says("[data-preview] p:last-child strong, [data-preview] strong:last-of-type", "so")
	b.do(chromedp.KeyEvent("s", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.says("[data-state]", "Saved at")
	b.want(`sessionStorage.length + ""`, "0")
	b.visit(path)
	b.want(textOf+`.endsWith("And **so** on.") + ""`, "true")

	b.do(chromedp.Evaluate[chromedp.Void](`{const t = document.querySelector("#f-body"); t.focus(); t.setSelectionRange(t.value.length - 3, t.value.length - 1)}`))
	b.do(chromedp.Click(chromedp.CSS(`[data-md="italic"]`)))
	b.want(textOf+`.endsWith("*on*.") + ""`, "true")
	b.do(chromedp.Click(chromedp.CSS("[data-save]")))
	b.says("[data-state]", "Saved at")
	b.quiet("editor")
}

// TestBrowser_editorKeepsTheTextWhenTheSessionEnds is the promise of the alarm:
// the text stays, the password is asked for in place, and the save goes
// through.
func TestBrowser_editorKeepsTheTextWhenTheSessionEnds(t *testing.T) {
	d := startDemo(t)
	for name, options := range map[string][]func(context.Context) error{"on a desk": nil, "on a telephone": {telephone}} {
		t.Run(name, func(t *testing.T) {
			b := d.open(t, options...)
			b.signIn("grace")
			path := b.openEditor(1)
			b.loseSession()
			b.write(" Typed " + name + ".")
			b.do(chromedp.KeyEvent("s", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
			b.says("[data-alarm-text]", "Sign in again here")
			b.says("[data-state]", "your session has ended")
			b.want("document.activeElement.id", "alarm-password")
			if b.read(`sessionStorage.length + ""`) != "1" {
				t.Error("the text is not kept in this tab")
			}
			b.do(chromedp.KeyEvent("not the password\r"))
			b.says("[data-alarm-text]", "not the password")
			b.do(chromedp.KeyEvent("open sesame please\r"))
			b.says("[data-state]", "Saved at")
			b.want("document.activeElement.id", "f-body")
			b.want(`document.querySelector("[data-alarm]").hidden + ""`, "true")
			b.want(`document.querySelector("[data-announce]").textContent`, "You are signed in again, and the text is saved.")
			b.want("location.pathname", path)
			b.visit(path)
			b.want(textOf+`.endsWith("Typed `+name+`.") + ""`, "true")
			b.quiet("alarm")
		})
	}
}

// TestBrowser_textOutlivesTheSessionWithoutScripts goes the long way round: the
// form is sent without a session, the page that says so asks for the password,
// and the text is there again, to be sent and saved.
func TestBrowser_textOutlivesTheSessionWithoutScripts(t *testing.T) {
	b := startDemo(t).open(t, withoutScripts)
	b.signIn("grace")
	path := b.openEditor(1)
	b.write(" Typed without scripts.")
	b.loseSession()
	b.press("[data-save]")
	b.says("h1", "We do not know who you are")
	b.says("main", "What you sent is safe")
	b.want("location.pathname", path)
	b.want(`document.querySelector('[name="kept-body"]').value.endsWith("Typed without scripts.") + ""`, "true")
	for field, text := range map[string]string{"email": "grace@lectern.example", "password": seed.Password} {
		b.do(chromedp.Focus(chromedp.CSS(`main form [name="`+field+`"]`)), chromedp.KeyEvent(text))
	}
	b.press(`main form button[type="submit"]`)
	b.says("h1", "You are signed in, and your text is here")
	b.want(`document.querySelector('[name="body"]').value.endsWith("Typed without scripts.") + ""`, "true")
	b.press(`main form button[type="submit"]`)
	b.says(".toast", "The lesson is saved.")
	b.want("location.pathname", path)
	b.press(`.desk-head a.btn`)
	b.says("main", "Typed without scripts.")
	b.quiet("without scripts")
}

func TestBrowser_editorShowsBothWhenTwoSave(t *testing.T) {
	d := startDemo(t)
	b := d.open(t)
	b.signIn("grace")
	path := b.openEditor(0)
	alan := person(t, d.url, "alan@lectern.example")
	saved, err := alan.PostForm(d.url+path, url.Values{"title": {"Alan’s title"}, "kind": {"reading"}, "body": {"Alan’s text."}, "version": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	saved.Body.Close()
	if saved.StatusCode != http.StatusOK && saved.StatusCode != http.StatusSeeOther {
		t.Fatalf("Alan cannot save: %d", saved.StatusCode)
	}

	b.write(" Grace’s end.")
	b.do(chromedp.Click(chromedp.CSS("[data-save]")))
	b.says("[data-stale-text]", "Alan Mathison saved this lesson meanwhile.")
	b.press("[data-compare]")
	b.says("main", "Only in theirs")
	b.want(textOf+`.endsWith("Grace’s end.") + ""`, "true")
	b.quiet("conflict")
	b.do(chromedp.Click(chromedp.CSS("[data-save]")))
	b.says("[data-state]", "Saved at")
	b.visit(path)
	b.want(textOf+`.endsWith("Grace’s end.") + ""`, "true")
}

func TestBrowser_editorOffersWhatACrashLeft(t *testing.T) {
	b := startDemo(t).open(t)
	b.signIn("grace")
	path := b.openEditor(0)
	lesson := strings.TrimPrefix(path, "/teach/lessons/")
	leave := `sessionStorage.setItem("lectern-draft-` + lesson + `-1", JSON.stringify({version: "1", title: "From before", body: "Text from before.", at: "14:02:10"}))`
	b.do(chromedp.Evaluate[chromedp.Void](leave))
	b.visit(path)
	b.says("[data-draft-text]", "14:02:10")
	b.do(chromedp.Click(chromedp.CSS(`[data-draft="take"]`)))
	b.want(textOf, "Text from before.")
	b.do(chromedp.Click(chromedp.CSS("[data-save]")))
	b.says("[data-state]", "Saved at")
	b.want(`sessionStorage.length + ""`, "0")

	b.do(chromedp.Evaluate[chromedp.Void](leave))
	b.visit(path) // the same text is saved: there is nothing to offer
	b.want(`document.querySelector("[data-draft-offer]").hidden + " " + sessionStorage.length`, "true 0")
	b.quiet("draft")
}

func TestBrowser_outlineIsDragged(t *testing.T) {
	b := startDemo(t).open(t)
	b.signIn("grace")
	b.visit("/teach/courses/sessions")
	first := `[...document.querySelectorAll(".order ol")].slice(0, 2).map(l => [...l.querySelectorAll(".named > :first-child")].map(a => a.textContent).join(", ")).join("; ")`
	b.want(first, "The forgetful server, Two ways to remember, The cookie that carries it; The wristband, step by step, Reading a token by eye, A claim is a photograph")
	steps := b.dragging(".order section:nth-child(1) .it:nth-child(1) .grip", ".order section:nth-child(2) .it:nth-child(2) .grip")
	drop := steps[len(steps)-1]
	b.do(steps[:len(steps)-1]...)
	dropped := b.read(first)
	if chapter := strings.SplitAfter(dropped, ";"); strings.Contains(chapter[0], "forgetful") || !strings.Contains(chapter[1], "forgetful") {
		t.Errorf("the lesson was not dragged into the second chapter: %s", dropped)
	}
	if _, err := chromedp.RunResponse(b.ctx, drop); err != nil {
		t.Fatal(err)
	}
	b.says(".toast", "Moved.")
	b.want(first, dropped)
	b.quiet("drag")
}

// TestBrowser_dropIsTakenBackWhenTheTextIsNotSaved drags a lesson beside a text
// that cannot be saved: the lesson returns to its place, and the next drop sends
// the next place and not this one.
func TestBrowser_dropIsTakenBackWhenTheTextIsNotSaved(t *testing.T) {
	b := startDemo(t).open(t)
	b.signIn("grace")
	b.visit("/teach/courses/sessions")
	b.visit(b.read(`document.querySelector('a[href^="/teach/lessons/"]').getAttribute("href")`))
	const order = `[...document.querySelectorAll(".order section:nth-child(1) ol, .order section:nth-child(2) ol")].map(l => [...l.querySelectorAll(".named > :first-child")].map(a => a.textContent.slice(0, 9)).join(", ")).join("; ")`
	const row = ".order section:nth-child(1) .it:nth-child(1) .grip"
	before := b.read(order)
	b.write(" Not saved.")
	b.loseSession()
	b.drag(row, ".order section:nth-child(2) .it:nth-child(2) .grip")
	b.says("[data-state]", "your session has ended")
	b.do(chromedp.Poll[chromedp.Void](`!document.querySelector("[data-place]")`))
	b.want(order, before)

	b.do(chromedp.Focus(chromedp.CSS("#alarm-password")), chromedp.KeyEvent(seed.Password+"\r"))
	b.says("[data-state]", "Saved at")
	if _, err := chromedp.RunResponse(b.ctx, b.dragging(row, ".order section:nth-child(1) .it:nth-child(3) .grip")...); err != nil {
		t.Fatal(err)
	}
	b.says(".toast", "Moved.")
	if after := b.read(order); after == before || strings.Split(after, ";")[1] != strings.Split(before, ";")[1] {
		t.Errorf("the order was %s and is %s", before, after)
	}
	b.quiet("drop")
}

// drag takes something from one place to another and lets it go there.
func (b *tab) drag(from, to string) {
	b.t.Helper()
	b.do(b.dragging(from, to)...)
}

// dragging are the steps that take something from one place to another. With the
// last of them it is let go.
func (b *tab) dragging(from, to string) []step {
	b.t.Helper()
	start, end := b.middle(from), b.middle(to)
	return []step{
		chromedp.MouseEvent(chromedp.MousePressed, start.x, start.y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, start.x, start.y+30, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, end.x, end.y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseMoved, end.x, end.y+1, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseReleased, end.x, end.y+1, chromedp.ButtonLeft),
	}
}

type point struct{ x, y float64 }

// middle is where to press something, once it is there and stands still.
func (b *tab) middle(selector string) point {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`new Promise(still => {
		let before;
		const look = () => {
			const r = document.querySelector("`+selector+`").getBoundingClientRect();
			const now = [r.x + r.width / 2, r.y + r.height / 2];
			if (r.width > 0 && now.join() === before) return still(now);
			before = now.join();
			requestAnimationFrame(look);
		};
		look();
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s does not stand still: %v", selector, err)
	}
	return point{at[0], at[1]}
}
