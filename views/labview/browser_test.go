package labview_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"lectern/assets"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// contentPolicy is that of the site.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// stand is a site that shows the samples, and runs what a test tells it to.
type stand struct {
	predicted atomic.Bool
	run       atomic.Value // an http.HandlerFunc
}

func (s *stand) start(t *testing.T) string {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", assets.Handler())
	mux.HandleFunc("GET /shown/{name}", func(w http.ResponseWriter, r *http.Request) {
		page(w, r, http.StatusOK, shown[r.PathValue("name")])
	})
	const lab = "/lab/sign-out-then-replay"
	mux.HandleFunc("GET "+lab, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.FormValue("run") != "":
			page(w, r, http.StatusOK, labview.Experiment(ran))
		case s.predicted.Load():
			page(w, r, http.StatusOK, labview.Experiment(predicted))
		default:
			page(w, r, http.StatusOK, labview.Experiment(begun))
		}
	})
	mux.HandleFunc("POST "+lab+"/predict", func(w http.ResponseWriter, r *http.Request) {
		s.predicted.Store(r.FormValue("jwt") != "" && r.FormValue("server") != "" && r.FormValue("hybrid") != "")
		http.Redirect(w, r, lab+"#predict", http.StatusSeeOther)
	})
	mux.HandleFunc("POST "+lab+"/run", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			http.Redirect(w, r, lab+"?run=k7Qm2x#what", http.StatusSeeOther)
			return
		}
		s.run.Load().(http.HandlerFunc)(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func page(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	w.Header().Set("Content-Security-Policy", contentPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	f := views.Frame{Title: "Session lab", Here: r.URL.Path, Scripts: labview.Scripts, XRay: views.XRay{
		Backend: "none", Credential: "No credential",
		Who:     ui.LightProps{Level: 3, Question: "Who are you?", Verdict: "You have not said."},
		Session: ui.LightProps{Level: 3, Question: "Are you still signed in?", Verdict: "You are not."},
		Allowed: ui.LightProps{Level: 3, Question: "May you do this?", Verdict: "Not asked."},
	}}
	if err := views.Page(f).Render(templ.WithChildren(context.Background(), c), w); err != nil {
		panic(err)
	}
}

// event sends an event of a run.
func event(w http.ResponseWriter, name, data string) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
	w.(http.Flusher).Flush()
}

// tab is a browser with an empty profile.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open starts a browser. Without Chromium the test is skipped on a laptop, and
// fails where CI=true.
func open(t *testing.T) tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("no Chromium: the browser tests cannot run")
	} else if err != nil {
		t.Skip("no Chromium on this machine: the browser tests are not run")
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	ctx, stopClock := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() { stopClock(); stopBrowser(); stopAllocator() })
	return tab{t, ctx}
}

func (b tab) do(a chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, a); err != nil {
		b.t.Fatal(err)
	}
}

func (b tab) read(expression string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// want waits until an expression has a value.
func (b tab) want(expression, want string) {
	b.t.Helper()
	var got string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = b.read(expression); got == want {
			return
		}
	}
	b.t.Errorf("%s\ngot  %s\nwant %s", expression, got, want)
}

func (b tab) press(selector string) { b.t.Helper(); b.do(chromedp.Click(chromedp.CSS(selector))) }

// What a test reads of the page.
const (
	runButton = `[data-run] button`
	locked    = `document.querySelector("[data-run] button").disabled + ""`
	busy      = `document.querySelector("[data-run] button").getAttribute("aria-busy") + ""`
	said      = `document.querySelector("[data-said]").innerText.replace(/\s+/g, " ").trim()`
	voice     = `document.body.lastElementChild.textContent`
	address   = `location.pathname.split("/").pop() + location.search + location.hash`
	focused   = `document.activeElement.id`
	lanes     = `document.querySelectorAll(".results .lane").length + ""`
)

func TestBrowser_predictionsAreSavedAtTheClick(t *testing.T) {
	s := &stand{}
	url := s.start(t)
	b := open(t)
	b.do(chromedp.Navigate(url + "/lab/sign-out-then-replay"))
	b.want(`document.querySelector("[data-plain]").hidden + ""`, "true")
	for _, family := range []string{"jwt", "server"} {
		b.press(`[name=` + family + `][value=refused]`)
		b.want(locked, "true")
	}
	b.press(`[name=hybrid][value=accepted]`)
	b.want(locked, "false")
	b.want(`document.activeElement.name`, "hybrid")
	b.want(`document.querySelector("[data-part=standing]").textContent.startsWith("Your prediction stands") + ""`, "true")
}

func TestBrowser_runsAreShownWhileTheyHappen(t *testing.T) {
	s := &stand{}
	s.predicted.Store(true)
	goOn := make(chan bool)
	s.run.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event(w, "waiting", `{"ahead":1}`)
		<-goOn
		event(w, "column", `{"name":"jwt","label":"JWT"}`)
		event(w, "step", `{"column":"jwt","line":"ada: signs in as ada","status":303}`)
		event(w, "step", `{"column":"jwt","line":"clock +15m"}`)
		<-goOn
		event(w, "done", `{"href":"/lab/sign-out-then-replay?run=k7Qm2x#what"}`)
	}))
	url := s.start(t)
	b := open(t)
	b.do(chromedp.Navigate(url + "/lab/sign-out-then-replay"))
	b.press(`[data-hint="2"] summary`)
	b.press(runButton)
	b.want(voice, "One run is before yours")
	b.want(busy, "true")
	goOn <- true
	b.want(voice, "Running: JWT")
	b.want(`[...document.querySelectorAll("[data-column=jwt] li")].map(li => li.textContent).join("|")`, "ada: signs in as ada303|clock +15m")
	goOn <- true
	b.want(address, "sign-out-then-replay?run=k7Qm2x#what")
	b.want(lanes, "3")
	b.want(focused, "what-title")
	b.want(voice, "The run is done. What happened stands below.")
	b.want(`document.querySelectorAll("[data-hint]:is([open])").length + ""`, "1")
	b.read(`(history.back(), "")`)
	b.want(lanes, "0")
	b.want(address, "sign-out-then-replay")
	b.read(`(history.forward(), "")`)
	b.want(lanes, "3")
}

func TestBrowser_aRunThatComesToNothingSaysSo(t *testing.T) {
	s := &stand{}
	s.predicted.Store(true)
	url := s.start(t)
	b := open(t)
	b.do(chromedp.Navigate(url + "/lab/sign-out-then-replay"))
	for name, c := range map[string]struct {
		run  http.HandlerFunc
		want string
	}{
		"the lab is full": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "10")
			page(w, r, http.StatusTooManyRequests, labview.Experiment(full))
		}, "The lab is full Six runs are under way, and more at once would make them all slow. What you predicted is kept; try again in 10 seconds."},
		"the site says why, for programs": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, `{"detail":"Predict first."}`)
		}, "Predict first."},
		"it fails": {func(w http.ResponseWriter, r *http.Request) {
			event(w, "failed", `{"message":"A server did not start."}`)
		}, "A server did not start."},
		"it breaks off": {func(w http.ResponseWriter, r *http.Request) {
			event(w, "column", `{"name":"jwt","label":"JWT"}`)
		}, "The run broke off before its end. Nothing was kept of it; run it again."},
		"the site is away": {func(w http.ResponseWriter, r *http.Request) {
			panic(http.ErrAbortHandler)
		}, "The site cannot be reached. Nothing was lost; try again in a moment."},
	} {
		t.Run(name, func(t *testing.T) {
			b := tab{t, b.ctx}
			s.run.Store(c.run)
			b.press(runButton)
			b.want(said, c.want)
			b.want(busy, "null")
			b.want(address, "sign-out-then-replay")
		})
	}
}

func TestBrowser_aRunCanBeCancelled(t *testing.T) {
	s := &stand{}
	s.predicted.Store(true)
	gone := make(chan bool, 1)
	s.run.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event(w, "column", `{"name":"jwt","label":"JWT"}`)
		<-r.Context().Done()
		gone <- true
	}))
	url := s.start(t)
	b := open(t)
	b.do(chromedp.Navigate(url + "/lab/sign-out-then-replay"))
	b.press(runButton)
	b.want(voice, "Running: JWT")
	b.press(`[data-cancel]`)
	b.want(voice, "Cancelled. Nothing was kept of this run.")
	b.want(busy, "null")
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the server was not told")
	}
}

func TestBrowser_withoutAScriptTheFormsDo(t *testing.T) {
	s := &stand{}
	url := s.start(t)
	b := open(t)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(url + "/lab/sign-out-then-replay"))
	for _, selector := range []string{`[name=jwt][value=refused]`, `[name=server][value=refused]`, `[name=hybrid][value=accepted]`} {
		b.press(selector)
	}
	for _, selector := range []string{`[data-plain]`, runButton} {
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
			t.Fatal(err)
		}
	}
	b.want(lanes, "3")
	b.want(address, "sign-out-then-replay?run=k7Qm2x#what")
}

// findings runs axe and lists what it found, and what is wider than the window.
const findings = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + ": " + v.help + "\n" + v.nodes.map(n => "    " + n.target.join(" ")).join("\n")).concat(
	document.documentElement.scrollWidth > document.documentElement.clientWidth ? ["it can be scrolled sideways"] : []).join("\n"))`

func TestBrowser_pagesAreAccessible(t *testing.T) {
	axe, err := os.ReadFile("../../cmd/lectern/testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	url := (&stand{}).start(t)
	b := open(t)
	for name := range shown {
		b.do(chromedp.Navigate(url + "/shown/" + name))
		b.do(chromedp.Evaluate[chromedp.Void](string(axe) + ";0"))
		b.read(`(document.querySelectorAll("main details").forEach(d => d.open = true), "")`)
		for _, theme := range []string{"light", "dark"} {
			for _, wide := range []int64{1280, 390} {
				_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
				}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: wide, Height: 900, DeviceScaleFactor: 1, Mobile: wide == 390}); err != nil {
					t.Fatal(err)
				}
				b.want(`innerWidth + ""`, fmt.Sprint(wide))
				if found := b.read(findings); found != "" {
					t.Errorf("%s, %s, %d wide:\n%s", name, theme, wide, found)
				}
			}
		}
	}
}
