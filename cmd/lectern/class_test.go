package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowser_classIsLive has an instructor ask a class, and a learner predict on a
// telephone: each sees at once what the other does, and neither page is loaded anew.
// The telephone of another learner has no scripts, and can do the same.
func TestBrowser_classIsLive(t *testing.T) {
	d := startDemo(t)
	front := d.open(t)
	front.signIn("grace")
	front.visit("/lab/class")
	front.press(`form[action="/lab/class"] button`)
	front.shows(".hall h1", "Class")
	code := front.read(`document.querySelector("[data-class]").dataset.class`)

	handset, plain := d.open(t, telephone), d.open(t, telephone, withoutScripts)
	handset.visit("/c")
	handset.do(chromedp.SendKeys(chromedp.CSS(`main [name="code"]`), code))
	handset.press(`main form button`)
	handset.shows(".hall", "Nothing is asked yet")
	plain.visit("/c/" + code)
	plain.shows(".hall", "Nothing is asked yet")
	if got := handset.cookies(); !slices.Contains(got, "lectern-class") {
		t.Errorf("the telephone has the cookies %v", got)
	}
	handset.do(chromedp.Evaluate[chromedp.Void](`window.untouched = true`))

	front.do(chromedp.SetValue(chromedp.CSS(`form[action$="/ask"] select`), "sign-out-then-replay"))
	front.press(`form[action$="/ask"] button`)
	front.do(chromedp.Evaluate[chromedp.Void](`window.untouched = true`))
	front.shows(".hall h2", "0 have predicted")

	handset.shows(".hall h1", "Sign out, then replay")
	handset.do(chromedp.Click(chromedp.CSS(`[name="jwt"][value="refused"]`)))
	handset.shows("[data-part=standing]", "1 of 3 predicted")
	front.shows(`[data-votes="jwt"]`, "1")
	front.shows(".hall h2", "1 has predicted")
	handset.do(chromedp.Click(chromedp.CSS(`[name="server"][value="refused"]`)), chromedp.Click(chromedp.CSS(`[name="hybrid"][value="accepted"]`)))
	handset.shows("[data-part=standing]", "Your prediction stands")

	plain.visit("/c/" + code) // "Look again"
	plain.do(chromedp.Click(chromedp.CSS(`[name="jwt"][value="accepted"]`)))
	plain.press(`form[data-predict] button`)
	plain.shows("[data-part=standing]", "1 of 3 predicted")
	front.shows(".hall h2", "2 have predicted")
	front.do(chromedp.Poll[chromedp.Void](`document.querySelectorAll("[data-votes=jwt] .bar.v50").length === 2`))

	front.do(chromedp.Click(chromedp.CSS(`form[action$="/tally"] button`)))
	front.shows(".veiled", "hidden")
	front.do(chromedp.Click(chromedp.CSS(`form[action$="/run"] button`)))
	front.shows(".hall", "What happened")
	front.shows(".hall", "1 of 2 said so")
	handset.shows(".hall", "You had 2 of 3 right")
	handset.shows(".came", "You said “Refused”: not so")
	plain.press("[data-again]")
	plain.shows(".hall", "You had 1 of 1 right")

	for who, b := range map[string]*tab{"front": front, "handset": handset} {
		if b.read(`String(window.untouched)`) != "true" {
			t.Errorf("%s: the page was loaded anew", who)
		}
	}
	// The telephone follows to the next question, and to the end.
	front.press(`form[action$="/ask"] button`)
	handset.shows(".hall", "Nothing predicted yet")
	front.do(chromedp.Click(chromedp.CSS(`[popovertarget="end-class"]`)))
	front.press(`#end-class form button`)
	handset.shows(".hall h1", "The class is over")
	for who, b := range map[string]*tab{"front": front, "handset": handset, "plain": plain} {
		b.quiet(who)
	}
}

// TestServe_stopsWhileScreensAreTold stops the program while a screen is being told
// how its class stands, which would go on for a minute.
func TestServe_stopsWhileScreensAreTold(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	school, err := openSchool(t.Context(), storage{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	defer school.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &firstLine{seen: make(chan string, 1)}
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"serve", "--demo", "--addr", "localhost:0", "--demo-provider-addr", "none", "--data", data}, noEnvironment, strings.NewReader(""), out, &stderr)
	}()
	address := strings.TrimPrefix(<-out.seen, "listening on ")
	owner, err := school.CredentialByEmail(t.Context(), "grace@lectern.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := school.OpenClass(t.Context(), "K7M3P", owner.User.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(address + "/c/K7M3P/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	told := bufio.NewScanner(response.Body)
	for told.Scan() && !strings.Contains(told.Text(), "waiting") {
	}
	begun := time.Now()
	stop()
	if code := <-ended; code != done {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if took := time.Since(begun); took > grace/2 {
		t.Errorf("it took %s to stop", took)
	}
	for told.Scan() {
	}
	if err := told.Err(); err != nil {
		t.Errorf("the screen was cut off: %v", err)
	}
}

// shows waits until a part of the page has the text, also where the part is exchanged
// meanwhile.
func (b *tab) shows(selector, text string) {
	b.t.Helper()
	b.do(chromedp.Poll[chromedp.Void]("(document.querySelector(" + quoted(selector) + ")?.innerText ?? '').includes(" + quoted(text) + ")"))
}
