package main

import (
	"bytes"
	"context"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// demo is a whole demonstration site, started as make run does.
type demo struct{ url, data string }

func startDemo(t *testing.T) demo {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out := &firstLine{seen: make(chan string, 1)}
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	data := filepath.Join(t.TempDir(), "data")
	go func() {
		ended <- run(ctx, []string{"serve", "--demo", "--addr", "localhost:0", "--lab-other-addr", "127.0.0.1:0", "--demo-provider-addr", "127.0.0.1:0", "--data", data}, noEnvironment, strings.NewReader(""), out, &stderr)
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != done {
			t.Errorf("the demo ended with %d: %s", code, stderr.String())
		}
	})
	select {
	case line := <-out.seen:
		return demo{strings.TrimPrefix(line, "listening on "), data}
	case code := <-ended:
		ended <- code
		t.Fatalf("the demo ended at once: %s", stderr.String())
		return demo{}
	}
}

// chromium is the browser to drive. Without one the browser tests are skipped
// on a laptop, and fail where CI=true.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium: the browser tests cannot run")
	}
	t.Skip("no Chromium on this machine: the browser tests are not run")
	return ""
}

// tab is a browser with an empty profile, looking at the demo.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	problems []string // what the console complained about
}

// step is something to do in a tab.
type step = chromedp.Action[chromedp.Void]

func withoutScripts(ctx context.Context) error {
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}

func telephone(ctx context.Context) error {
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 844, DeviceScaleFactor: 2, Mobile: true})
	return err
}

// open starts a browser. The options change it before its first page.
func (d demo) open(t *testing.T, options ...func(context.Context) error) *tab {
	t.Helper()
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox,
		chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 900),
	)...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	ctx, stopClock := context.WithTimeout(ctx, 5*time.Minute)
	b := &tab{t: t, ctx: ctx, url: d.url}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		b.listen(console)
	}()
	t.Cleanup(func() { stopClock(); stopBrowser(); stopAllocator(); <-listening })
	for _, option := range options {
		if err := option(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// listen keeps what the console complains about. The browser's own line about
// a page that answered with a status of 4xx is no complaint about the page.
func (b *tab) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range console {
		if err != nil {
			return
		}
		switch m.Type {
		case chromedp.ConsoleWarning, chromedp.ConsoleError, chromedp.ConsoleException:
			if !strings.Contains(m.Text, "the server responded with a status of 4") {
				b.mu.Lock()
				b.problems = append(b.problems, m.String()+" "+m.URL)
				b.mu.Unlock()
			}
		}
	}
}

// quiet fails if the console complained since the last call.
func (b *tab) quiet(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Errorf("%s: the console says: %s", where, p)
	}
	b.problems = nil
}

// do takes steps, and fails with the text of the page if one cannot be taken.
func (b *tab) do(steps ...step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.read("document.location + '\\n' + document.body.innerText"))
	}
}

// read evaluates an expression to a text.
func (b *tab) read(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// visit opens a page and waits until it is there.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.url+path), chromedp.WaitReady(chromedp.CSS("main")))
}

// press clicks something that leads to another page, and waits for that page.
func (b *tab) press(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v\n%s", selector, err, b.read("document.location + '\\n' + document.body.innerText"))
	}
	b.do(chromedp.WaitReady(chromedp.CSS("main")))
}

// says waits until a part of the page has the text.
func (b *tab) says(selector, text string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	for {
		got, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
		if strings.Contains(got, text) {
			return
		}
		if err != nil {
			b.t.Fatalf("%s does not say %q: %v\n%s", selector, text, err, b.read("document.location + '\\n' + document.body.innerText"))
		}
	}
}

// signIn walks in as one of the demo accounts.
func (b *tab) signIn(name string) {
	b.t.Helper()
	b.visit("/signin")
	var button string
	switch name {
	case "ada":
		button = ".demo button:nth-of-type(1)"
	case "grace":
		button = ".demo button:nth-of-type(2)"
	case "alan":
		button = ".demo button:nth-of-type(3)"
	}
	b.press(button)
	b.do(chromedp.WaitReady(chromedp.CSS(".who")))
}

// cookies are the names of the cookies the browser holds.
func (b *tab) cookies() []string {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{b.url}})
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, c := range got.Cookies {
		if !c.HTTPOnly {
			b.t.Errorf("script can read the cookie %s", c.Name)
		}
		names = append(names, c.Name)
	}
	return names
}
