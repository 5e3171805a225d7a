package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"lectern/assets"
	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/views"
	"lectern/views/ui"
)

// keyhole is a small site with nothing but passkeys: the real ones, with the real
// components and the real script, for Ada.
type keyhole struct {
	t        *testing.T
	url      *url.URL // as people see it; numbered is the same by its number
	db       *db.DB
	ada      school.User
	passkeys *auth.Passkeys

	mu        sync.Mutex
	questions map[string][]byte // that wait for their answer
	asked     int
	hurry     int  // so many questions give the browser a tenth of a second
	away      bool // questions are refused
}

func openKeyhole(t *testing.T) *keyhole {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "lectern.db"))
	if err != nil {
		t.Fatal(err)
	}
	k := &keyhole{t: t, db: d, questions: map[string][]byte{}, ada: school.User{ID: school.MustNewID(), Email: "ada@lectern.example", Name: "Ada Byron", Role: school.Student, CreatedAt: time.Now()}}
	if err := d.CreateUser(t.Context(), k.ada, ""); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.Close()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if k.url, err = url.Parse(strings.Replace(server.URL, "127.0.0.1", "localhost", 1)); err != nil {
		t.Fatal(err)
	}
	k.passkeys = auth.NewPasskeys(k.url, "Lectern", d, rand.Reader, time.Now)

	mux.Handle("/assets/", assets.Handler())
	mux.HandleFunc("GET /add", k.page(views.PasskeyAdd(views.PasskeyAddProps{Action: "/add", Options: "/add/question"})))
	mux.HandleFunc("GET /door", k.page(k.door(true)))
	mux.HandleFunc("GET /door/button", k.page(k.door(false)))
	mux.HandleFunc("GET /second", k.page(k.second()))
	mux.HandleFunc("POST /add/question", k.question(func(ctx context.Context) (json.RawMessage, auth.PasskeyPending, error) {
		return k.passkeys.BeginAdd(ctx, k.ada)
	}))
	mux.HandleFunc("POST /door/question", k.question(func(context.Context) (json.RawMessage, auth.PasskeyPending, error) { return k.passkeys.BeginSignIn() }))
	mux.HandleFunc("POST /second/question", k.question(func(ctx context.Context) (json.RawMessage, auth.PasskeyPending, error) {
		return k.passkeys.BeginSecond(ctx, k.ada)
	}))
	mux.HandleFunc("POST /add", k.answer(func(r *http.Request, pending auth.PasskeyPending, answer []byte) (string, error) {
		p, err := k.passkeys.FinishAdd(r.Context(), k.ada.ID, pending, answer, r.PostFormValue("name"))
		return "Added " + p.Name, err
	}))
	mux.HandleFunc("POST /door", k.answer(func(r *http.Request, pending auth.PasskeyPending, answer []byte) (string, error) {
		use, err := k.passkeys.FinishSignIn(r.Context(), pending, answer)
		return fmt.Sprintf("Here is %s by %s, %v, to %s, with the password %q", use.User.Name, use.Passkey.Name, use.Methods, r.PostFormValue("next"), r.PostFormValue("password")), err
	}))
	mux.HandleFunc("POST /second", k.answer(func(r *http.Request, pending auth.PasskeyPending, answer []byte) (string, error) {
		use, err := k.passkeys.FinishSecond(r.Context(), k.ada.ID, pending, answer)
		return "It is " + use.User.Name, err
	}))
	mux.HandleFunc("GET /said", func(w http.ResponseWriter, r *http.Request) { k.page(text(r.FormValue("said")))(w, r) })
	mux.HandleFunc("POST /password", func(w http.ResponseWriter, r *http.Request) {
		k.page(text("The password was sent, and the answer is “"+r.PostFormValue("passkey-answer")+"”"))(w, r)
	})
	return k
}

func text(s string) templ.Component {
	return templ.Raw("<p class=said>" + html.EscapeString(s) + "</p>")
}

func (k *keyhole) door(autofill bool) templ.Component {
	return templ.Join(
		templ.Raw(`<form class="stack" method="post" action="/password" id="signin"><input type="hidden" name="next" value="/courses"/><input type="hidden" name="flow"/>`),
		views.PasskeyButton(views.PasskeyButtonProps{Form: "signin", Action: "/door", Options: "/door/question", Autofill: autofill}),
		ui.Field(ui.FieldProps{Name: "email", Label: "E-mail", Type: "email", Autocomplete: "username webauthn", Required: true}),
		ui.Field(ui.FieldProps{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password", Required: true}),
		templ.Raw(`<button class="btn" data-kind="primary" type="submit">Sign in</button></form>`),
	)
}

func (k *keyhole) second() templ.Component {
	return templ.Join(
		templ.Raw(`<form method="post" id="second"><input type="hidden" name="flow"/></form>`),
		views.PasskeyButton(views.PasskeyButtonProps{Form: "second", Options: "/second/question", Label: "Use a passkey"}),
	)
}

// page shows something in the frame of the site, under a policy like the site's.
func (k *keyhole) page(content templ.Component) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		whole := templ.Join(templ.Raw("<h1>Passkeys</h1>"), content)
		if err := views.Page(views.Frame{Title: "Passkeys", Scripts: []string{views.PasskeyScript}}).Render(templ.WithChildren(r.Context(), whole), w); err != nil {
			k.t.Error(err)
		}
	}
}

// question keeps what was begun. Its number goes along in the form where there is a
// field for it, and in a cookie.
func (k *keyhole) question(begin func(context.Context) (json.RawMessage, auth.PasskeyPending, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		options, pending, err := begin(r.Context())
		if err != nil {
			k.t.Error(err)
		}
		row, err := json.Marshal(pending)
		if err != nil {
			k.t.Error(err)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.away {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"detail": "A little slower, please."}`)
			return
		}
		if k.hurry > 0 {
			k.hurry--
			options = json.RawMessage(strings.Replace(string(options), `"timeout":300000`, `"timeout":100`, 1))
		}
		k.asked++
		number := fmt.Sprint(k.asked)
		k.questions[number] = row
		http.SetCookie(w, &http.Cookie{Name: "question", Value: number, HttpOnly: true})
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"options": options, "flow": number}); err != nil {
			k.t.Error(err)
		}
	}
}

// answer takes the question away, and then looks at the answer.
func (k *keyhole) answer(finish func(*http.Request, auth.PasskeyPending, []byte) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number := r.PostFormValue("flow")
		if cookie, err := r.Cookie("question"); err == nil && number == "" {
			number = cookie.Value
		}
		k.mu.Lock()
		row := k.questions[number]
		delete(k.questions, number)
		k.mu.Unlock()
		var pending auth.PasskeyPending
		if err := json.Unmarshal(row, &pending); err != nil {
			k.t.Errorf("question %q: %v", number, err)
		}
		said, err := finish(r, pending, []byte(r.PostFormValue("passkey-answer")))
		if err != nil {
			said = err.Error()
			var cloned *auth.PasskeyClonedError
			if errors.As(err, &cloned) {
				said = "There may be two of " + cloned.Passkey.Name
			}
		}
		http.Redirect(w, r, "/said?"+url.Values{"said": {said}}.Encode(), http.StatusSeeOther)
	}
}

// tell says how the next questions are answered.
func (k *keyhole) tell(hurry int, away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hurry, k.away = hurry, away
}

// device is a virtual authenticator of a browser.
type device struct {
	*tab
	id webauthn.AuthenticatorID
}

// open starts a browser with a device that asks its owner, who is there and touches
// it. What scripts do with passkeys is noted in the page, as window.asked.
func (k *keyhole) open(options ...func(context.Context) error) device {
	k.t.Helper()
	b := demo{url: k.url.String()}.open(k.t, options...)
	b.note(`window.asked = [];
		if (navigator.credentials) for (const what of ["create", "get"]) {
			const real = navigator.credentials[what].bind(navigator.credentials);
			navigator.credentials[what] = async (options) => {
				const mine = {what, mediation: options.mediation ?? "", came: ""};
				window.asked.push(mine);
				try {
					const credential = await real(options);
					mine.came = "answer";
					return credential;
				} catch (problem) {
					mine.came = problem.name;
					throw problem;
				}
			};
		}`)
	return b.withDevice()
}

// withDevice gives a browser a device.
func (b *tab) withDevice() device {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal",
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	return device{b, added.AuthenticatorID}
}

// note has a script run before those of each page from now on.
func (b *tab) note(source string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
		b.t.Fatal(err)
	}
}

// touched says whether somebody touches the device when it asks them to.
func (d device) touched(touched bool) {
	d.t.Helper()
	if _, err := chromedp.Call(d.ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: d.id, Enabled: touched}); err != nil {
		d.t.Fatal(err)
	}
}

// knowsOwner says whether the device finds that it is its owner.
func (d device) knowsOwner(knows bool) {
	d.t.Helper()
	if _, err := chromedp.Call(d.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: d.id, IsUserVerified: knows}); err != nil {
		d.t.Fatal(err)
	}
}

// add makes a passkey with a name.
func (d device) add(name string) {
	d.t.Helper()
	d.visit("/add")
	d.do(chromedp.WaitVisible(chromedp.CSS("#passkey-name")), chromedp.SendKeys(chromedp.CSS("#passkey-name"), name))
	d.press("[data-passkey]")
	d.shows(".said", "Added "+name)
}

// follows takes a step after which the page leads to another, and waits for that.
func (d device) follows(act step) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, act); err != nil {
		d.t.Fatalf("no other page came: %v\n%s", err, d.read("document.location + '\\n' + JSON.stringify(window.asked)"))
	}
	d.do(chromedp.WaitReady(chromedp.CSS("main")))
}

// askedWas waits until what scripts asked of the device, and what came of it, is so.
func (d device) askedWas(want string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, 30*time.Second)
	defer cancel()
	const asked = `window.asked.map(a => [a.what, a.mediation, a.came].join(" ").replace(/ +/g, " ").trim()).join(", ")`
	if err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](asked+" === "+quoted(want))); err != nil {
		d.t.Fatalf("scripts asked %q, want %q: %v", d.read(asked), want, err)
	}
}

func TestBrowser_passkeyIsAddedAndSignsIn(t *testing.T) {
	for says, source := range map[string]string{
		"a browser of today": "",
		"a browser that does not read JSON by itself": `delete PublicKeyCredential.parseCreationOptionsFromJSON;
			delete PublicKeyCredential.parseRequestOptionsFromJSON;
			delete PublicKeyCredential.prototype.toJSON;`,
	} {
		t.Run(says, func(t *testing.T) {
			k := openKeyhole(t)
			d := k.open()
			d.note(source)
			d.add("My telephone")
			kept, err := k.db.PasskeyCredentials(t.Context(), k.ada.ID)
			if err != nil || len(kept) != 1 || kept[0].Name != "My telephone" || !strings.Contains(string(kept[0].Record), "internal") {
				t.Fatalf("kept are %+v, %v", kept, err)
			}

			d.visit("/add")
			d.do(chromedp.WaitVisible(chromedp.CSS("#passkey-name")), chromedp.SendKeys(chromedp.CSS("#passkey-name"), "Again"))
			d.do(chromedp.Click(chromedp.CSS("[data-passkey]")))
			d.shows("[role=status]", "holds a passkey of yours")

			d.visit("/door/button")
			d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.SendKeys(chromedp.CSS("[name=password]"), "filled in by the browser"))
			d.press("[data-passkey]")
			d.shows(".said", `Here is Ada Byron by My telephone, [hwk user mfa], to /courses, with the password ""`)

			d.visit("/second")
			d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")))
			d.press("[data-passkey]")
			d.shows(".said", "It is Ada Byron")
			d.quiet("passkeys")
		})
	}
}

// stopShort stops pages short of asking by suggestions until window.go is called or
// somebody has seen one: whoever touches a virtual device does so at once.
func (d device) stopShort() {
	d.t.Helper()
	d.note(`const really = PublicKeyCredential.isConditionalMediationAvailable.bind(PublicKeyCredential);
		PublicKeyCredential.isConditionalMediationAvailable = () => window.stopped ? new Promise((go) => (window.go = () => go(really()))) : really();
		window.stopped = !sessionStorage.getItem("seen");`)
}

func TestBrowser_passkeyIsAmongTheSuggestions(t *testing.T) {
	k := openKeyhole(t)
	d := k.open()
	d.add("My telephone")

	d.stopShort()
	d.visit("/door")
	if shown := d.read(`document.querySelector("[role=status]").textContent`); shown != "" {
		t.Errorf("before anybody did anything it says %q", shown)
	}
	d.follows(chromedp.Evaluate[chromedp.Void](`sessionStorage.setItem("seen", "yes"); window.go()`))
	d.shows(".said", "Here is Ada Byron by My telephone, [hwk user mfa]")

	// A question that is too old is asked anew, and nobody hears of it.
	d.touched(false)
	k.tell(1, false)
	d.visit("/door")
	d.askedWas("get conditional AbortError, get conditional")
	if shown := d.read(`document.querySelector("[role=status]").textContent`); shown != "" {
		t.Errorf("when suggestions were renewed it says %q", shown)
	}

	// The button takes the place of the suggestions, which are given up for it, and
	// come back when nothing came of it.
	d.visit("/door")
	d.askedWas("get conditional")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.Click(chromedp.CSS("[data-passkey]")))
	d.askedWas("get conditional AbortError, get")
	d.shows("[role=status]", "Asking your device")
	d.visit("/door")
	d.askedWas("get conditional")
	k.tell(1, false)
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.Click(chromedp.CSS("[data-passkey]")))
	d.askedWas("get conditional AbortError, get AbortError, get conditional")
	d.shows("[role=status]", "That took too long")
	d.quiet("suggestions")
}

func TestBrowser_passkeyThatDoesNotComeIsSaid(t *testing.T) {
	k := openKeyhole(t)
	d := k.open()
	d.add("My telephone")
	count := func() int {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.asked
	}
	ask := func(path, sentence string) {
		t.Helper()
		d.visit(path)
		d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.Click(chromedp.CSS("[data-passkey]")))
		d.shows("[role=status]", sentence)
		d.do(chromedp.WaitReady(chromedp.CSS("[data-passkey]:not([aria-busy])")))
		if d.read("location.pathname") != path {
			t.Errorf("the page is %s", d.read("location.pathname"))
		}
	}

	d.knowsOwner(false)
	ask("/door/button", "it was cancelled, or there is none for this site here")
	d.do(chromedp.SetValue(chromedp.CSS("[name=email]"), "ada@lectern.example"))
	d.knowsOwner(true)
	d.press("[data-passkey]") // the same page can ask again
	d.shows(".said", "Here is Ada Byron")

	before := count()
	d.visit("/add")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.Click(chromedp.CSS("[data-passkey]")))
	d.do(chromedp.Poll[chromedp.Void](`document.activeElement.id === "passkey-name"`))
	if count() != before || d.read(`String(window.asked.length)`) != "0" {
		t.Error("a passkey without a name was asked for")
	}

	k.tell(1, false)
	d.touched(false)
	ask("/door/button", "That took too long")
	k.tell(0, true)
	ask("/door/button", "A little slower, please. Try again in 7 seconds.")
	k.tell(0, false)
	d.touched(true)

	d.url = strings.Replace(d.url, "localhost", "127.0.0.1", 1)
	ask("/door/button", "allows no passkeys at this address")
	d.url = k.url.String()

	// Enter is for the password, although the passkey stands before it.
	d.visit("/door/button")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.SendKeys(chromedp.CSS("[name=email]"), "ada@lectern.example"))
	d.follows(chromedp.SendKeys(chromedp.CSS("[name=password]"), "open sesame please\r"))
	d.shows(".said", "The password was sent, and the answer is “”")

	all, err := k.db.Passkeys(t.Context(), k.ada.ID)
	if err != nil || len(all) != 1 || !all[0].Opens() {
		t.Errorf("Ada has %+v, %v", all, err)
	}
	d.quiet("failures")
}

// TestBrowser_passkeyLeavesTheFormAsItWas: a page that is come back to asks again for
// the flow that it stands for, and not for the question that was answered.
func TestBrowser_passkeyLeavesTheFormAsItWas(t *testing.T) {
	k := openKeyhole(t)
	d := k.open()
	d.add("My telephone")
	d.visit("/door/button")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")), chromedp.Evaluate[chromedp.Void](`{
		const form = document.querySelector("#signin");
		form.elements.flow.value = "mine";
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			window.sent = new FormData(form);
		});
	}`), chromedp.Click(chromedp.CSS("[data-passkey]")))
	d.shows("[role=status]", "Your device has answered")
	if sent := d.read(`window.sent.get("flow")`); sent == "mine" || sent == "" || d.read(`window.sent.get("passkey-answer")`) == "" {
		t.Errorf("the flow that is sent is %q", sent)
	}
	if left := d.read(`new FormData(document.querySelector("#signin")).get("flow") + document.querySelector("[name=passkey-answer]").value`); left != "mine" {
		t.Errorf("what stays in the form is %q", left)
	}
}

func TestBrowser_passkeyThatMayBeCopiedIsRefused(t *testing.T) {
	k := openKeyhole(t)
	d := k.open()
	d.add("My telephone")
	kept, err := k.db.PasskeyCredentials(t.Context(), k.ada.ID)
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if _, err := k.db.UsePasskey(t.Context(), k.ada.ID, kept[0].CredentialID, 1000, false, time.Now()); err != nil {
		t.Fatal(err)
	}
	d.visit("/door/button")
	d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")))
	d.press("[data-passkey]")
	d.shows(".said", "There may be two of My telephone")
}

func TestBrowser_passkeysAreExplainedWhereThereAreNone(t *testing.T) {
	k := openKeyhole(t)
	for says, row := range map[string]struct {
		options  []func(context.Context) error
		source   string
		sentence string
	}{
		"no scripts":              {[]func(context.Context) error{withoutScripts}, "", "scripts are off or still on their way"},
		"a browser that has none": {nil, "delete window.PublicKeyCredential", "This browser has no passkeys"},
	} {
		t.Run(says, func(t *testing.T) {
			d := k.open(row.options...)
			d.note(row.source)
			for _, path := range []string{"/add", "/door"} {
				d.visit(path)
				d.shows("[data-passkey-box]", row.sentence)
				if shown := d.read(`String([...document.querySelectorAll("[data-passkey], [data-passkey-box] input")].filter(e => e.offsetParent).length)`); shown != "0" {
					t.Errorf("%s: %s buttons and fields are shown", path, shown)
				}
			}
			d.quiet(says)
		})
	}
}

func TestAccessibility_passkeys(t *testing.T) {
	k := openKeyhole(t)
	d := k.open()
	d.touched(false)
	for _, path := range []string{"/add", "/door", "/second"} {
		d.visit(path)
		d.do(chromedp.WaitVisible(chromedp.CSS("[data-passkey]")))
		d.inspect(path)
	}
}
