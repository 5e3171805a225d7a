package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lectern/handlers/auth"
)

// TestServe_doesWithoutCampusID starts the program where the address is taken, where
// nobody asked, and where visitors could not come: it serves all the same.
func TestServe_doesWithoutCampusID(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, row := range []struct {
		says          string
		args          []string
		there, warned bool
	}{
		{"its address is in use", []string{"--demo", "--demo-provider-addr", taken.Addr().String()}, false, true},
		{"it is turned off", []string{"--demo", "--demo-provider-addr", "none"}, false, false},
		{"it is no demo", nil, false, false},
		{"visitors cannot come there", []string{"--demo-provider-addr", "127.0.0.1:0", "--base-url", "https://school.example"}, false, true},
		{"all is well", []string{"--demo-provider-addr", "127.0.0.1:0"}, true, false},
	} {
		t.Run(row.says, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			out, ended := &firstLine{seen: make(chan string, 1)}, make(chan int, 1)
			var stderr bytes.Buffer
			args := append([]string{"serve", "--addr", "localhost:0", "--lab-other-addr", "none", "--data", filepath.Join(t.TempDir(), "data")}, row.args...)
			go func() { ended <- run(ctx, args, noEnvironment, strings.NewReader(""), out, &stderr) }()
			select {
			case line := <-out.seen:
				answer, err := http.Get(strings.TrimPrefix(line, "listening on ") + "/signin")
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("the site answers %d", answer.StatusCode)
				}
			case code := <-ended:
				t.Fatalf("ended at once with %d: %s", code, stderr.String())
			}
			stop()
			if code := <-ended; code != done {
				t.Errorf("exit code %d: %s", code, stderr.String())
			}
			if warned := strings.Contains(stderr.String(), "sign-in provider is missing"); warned != row.warned {
				t.Errorf("warned is %t, want %t: %s", warned, row.warned, stderr.String())
			}
			if there := strings.Contains(stderr.String(), `"redirect":"http://localhost:`); there != row.there {
				t.Errorf("there is %t, want %t: %s", there, row.there, stderr.String())
			}
		})
	}
}

// TestSettings_readProviders reads the ways to sign in as they are written in an
// environment, with a secret in a file.
func TestSettings_readProviders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("kept,in;a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := settings{ways: ways{
		OIDC:           []string{"google=https://accounts.google.com,id=1.apps.example,secret-file=" + file, " uni=https://id.uni.example/realms/a/, id=lectern, secret=x=y, name=The University of A", ""},
		GitHubClientID: "gh", GitHubClientSecretFile: file, DemoProviderAddr: noOther,
	}}
	if err := s.checkProviders(); err != nil {
		t.Fatal(err)
	}
	got, err := s.oidc()
	want := []oidcSetting{
		{"google", "https://accounts.google.com", "1.apps.example", "kept,in;a file", "Google"},
		{"uni", "https://id.uni.example/realms/a/", "lectern", "x=y", "The University of A"},
	}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, %v", got, err)
	}
	if secret, err := s.gitHubSecret(); err != nil || secret != "kept,in;a file" {
		t.Errorf("the secret of GitHub is %q, %v", secret, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody is asked
	all, end, err := s.openProviders(ctx, &url.URL{Scheme: "https", Host: "school.example"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	end()
	var where []string
	for _, p := range all {
		where = append(where, p.Name()+" "+p.Redirect())
	}
	if got, want := strings.Join(where, "\n"), "Google https://school.example/signin/with/google\nThe University of A https://school.example/signin/with/uni\nGitHub https://school.example/signin/with/github"; got != want {
		t.Errorf("the ways are\n%s\nwant\n%s", got, want)
	}
}

// besideCampus is a site that has nothing but a page to come back to, and Campus ID
// beside it, started as the demo starts it.
func besideCampus(t *testing.T) (*auth.Provider, *httptest.Server) {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html lang=en><link rel=icon href=data:,><title>Back</title><main><h1>Back</h1></main>")
	}))
	t.Cleanup(site.Close)
	base, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := settings{ways: ways{DemoProviderAddr: "127.0.0.1:0"}}
	provider, end := s.openCampus(base, slog.New(slog.DiscardHandler))
	if provider == nil {
		t.Fatal("Campus ID is missing")
	}
	t.Cleanup(end)
	return provider, site
}

// TestBrowser_campusIDIsAccessible goes through Campus ID in a real browser, with the
// keyboard alone and without scripts, and looks at each page on the way. The browser
// lets the last form lead to the site, which its policy has to allow.
func TestBrowser_campusIDIsAccessible(t *testing.T) {
	provider, site := besideCampus(t)
	const flow = "a-flow-that-nobody-can-guess"
	house := demo{url: provider.Issuer()}
	b := house.open(t)
	begin := func() auth.Pending {
		t.Helper()
		address, pending, err := provider.Begin(t.Context(), flow, auth.Ask{}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		b.visit(strings.TrimPrefix(address, provider.Issuer()))
		return pending
	}
	pending := begin()
	b.inspect("Who are you?")
	b.follow("button.card[value=quill]")
	b.inspect("consent")
	b.says("h1", "May Lectern know who you are?")
	b.follow("button.yes")
	came, err := url.Parse(b.read("document.location.href"))
	if err != nil || came.Scheme+"://"+came.Host != site.URL || came.Path != "/signin/with/campus-id" {
		t.Fatalf("came back to %s, %v", came, err)
	}
	claim, err := provider.Finish(t.Context(), pending, came.Query())
	if err != nil || claim.Email != "grace@lectern.example" || claim.EmailVerified {
		t.Errorf("got %+v, %v", claim, err)
	}
	b.visit("/id/")
	b.says("#given + ul", "Quill Marlowe")
	b.inspect("home")
	b.follow(".given button")
	b.inspect("home, with nothing given")
	b.visit("/id/requests/nothing")
	b.inspect("a question that there is not")
	b.quiet("Campus ID")

	bare := house.open(t, withoutScripts)
	address, _, err := provider.Begin(t.Context(), flow, auth.Ask{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bare.visit(strings.TrimPrefix(address, provider.Issuer()))
	bare.press("button.card[value=mina]")
	bare.press("button.no")
	var to string
	if to, err = chromedp.Run(bare.ctx, chromedp.Location()); err != nil || !strings.HasPrefix(to, site.URL) || !strings.Contains(to, "error=access_denied") {
		t.Errorf("without scripts, came back to %s, %v", to, err)
	}
}

// withAnotherSite is the journey of TestBrowser_comesWithAnotherSite.
const withAnotherSite = "with another site"

// TestBrowser_comesWithAnotherSite goes from the lab to Campus ID and back, as somebody
// who is new: watches each step, opens an account, gives it a password, and connects it
// with somebody else there. Then the same person comes again, without scripts and on a
// telephone.
func TestBrowser_comesWithAnotherSite(t *testing.T) {
	d := startDemo(t)
	j := journey{d.open(t), map[string]bool{}}
	j.visit("/lab")
	j.press(`a[href*="watch=1"]`)
	j.inspect("/signin/with/:provider")
	j.press("button.card[value=mina]")
	j.press("button.yes")
	j.says("h1", "What just happened between you, Campus ID and us")
	j.says("#step-2", "new here")
	j.says("#step-3", "the same as in step 2")
	j.inspect("/signin/with/:provider/steps")
	j.press(`main header .btn[data-kind="primary"]`)
	j.says("h1", "Campus ID knows you, and we do not yet")
	j.inspect("/signin/with/:provider/new")
	j.press(`form[action$="/new"] button`)
	j.says("h1", "Show that the address is yours")
	j.inspect("/code")
	waits := j.read(`location.pathname + location.search`)
	j.visit("/demo/inbox")
	code := j.read(`document.querySelector(".message .said").textContent.match(/\d{4} \d{4}/)[0]`)
	j.visit(waits)
	j.do(chromedp.SendKeys(chromedp.CSS(`form[action="/code"] input[name="code"]`), code))
	j.press(`form[action="/code"] button`)
	j.do(chromedp.WaitReady(chromedp.CSS(".who")))

	j.visit("/account")
	j.says("main", "You have none, and need none: you come in another way")
	j.tab.inspect("an account without a password")
	j.visit("/confirm?next=/account")
	j.tab.inspect("a confirmation by another site")
	j.press(`a[href^="/confirm/with/campus-id"]`)
	j.inspect("/confirm/with/:provider")
	j.press("button.card[value=mina]")
	j.press("button.yes")
	j.do(chromedp.SendKeys(chromedp.CSS(`#password input[name="new"]`), "four words nobody joins"))
	j.press("#password button")
	j.says("#password", "Present password")

	j.visit("/account/ways")
	j.tab.inspect("ways, with another site")
	j.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('form[action^="/account/providers/"]').closest("details").open = true`))
	j.press(`form[action^="/account/providers/"] button`)
	j.press(`a[href="/account/providers/campus-id"]`)
	j.inspect("/account/providers/:provider")
	j.press("button.card[value=jonas]")
	j.press("button.yes")
	j.says("main", "jonas.whitlow@campus.example")
	j.quiet(withAnotherSite)
	j.through(withAnotherSite)

	door := d.open(t)
	door.visit("/signin?next=/courses")
	const link = `document.querySelector('.providers a').getAttribute("href")`
	if got := door.read(link); !strings.HasSuffix(got, "/signin/with/campus-id?next=%2Fcourses&backend=database") {
		t.Errorf("the link is %s", got)
	}
	door.do(chromedp.Click(chromedp.CSS(`#signin input[name="remember"]`)))
	if got := door.read(link); !strings.HasSuffix(got, "&backend=database&remember=1") {
		t.Errorf("the link is %s, whatever was ticked", got)
	}
	door.do(chromedp.Click(chromedp.CSS(`input[name="backend"][value="jwt"][form="signin"]`)))
	if got := door.read(link); !strings.HasSuffix(got, "/signin/with/campus-id?next=%2Fcourses&backend=jwt&remember=1") {
		t.Errorf("the link is %s, whatever was chosen", got)
	}
	door.inspect("the door, with another site")
	door.press(`.providers a`)
	door.press("button.card[value=jonas]")
	door.press("button.yes")
	if got := door.read(`document.getElementById("xray").dataset.backend`); got != "jwt" {
		t.Errorf("the session is one of %s", got)
	}

	bare := d.open(t, withoutScripts, telephone)
	bare.visit("/signin")
	bare.press(`a[href="/signin/with/campus-id"]`)
	bare.press("button.card[value=jonas]")
	bare.press("button.yes")
	bare.visit("/account")
	bare.says("main", "through another site")
}

// follow goes to a control with the keyboard, as somebody does who has no mouse, and
// presses it.
func (b *tab) follow(selector string) {
	b.t.Helper()
	for range 20 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if b.read(`String(document.activeElement.matches(`+quoted(selector)+`))`) == "true" {
			ctx, cancel := context.WithCancel(b.ctx)
			defer cancel()
			if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
				b.t.Fatal(err)
			}
			b.do(chromedp.WaitReady(chromedp.CSS("main")))
			return
		}
	}
	b.t.Fatalf("the keyboard does not come to %s", selector)
}
