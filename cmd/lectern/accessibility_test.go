package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/seed"
)

// axe is axe-core, which knows the rules of accessibility that a program can
// check.
//
//go:embed testdata/axe.min.js
var axe string

// findings runs axe and lists what it found, one line each. How large what is pressed has
// to be (WCAG 2.5.8), axe asks only when told to, and it takes what lies under the strip
// at the foot, at the moment, for cut off: so that is asked without the strip.
const findings = `(async () => {
	const found = [await axe.run(document, {resultTypes: ["violations"]})];
	const strip = document.querySelector(".xray-region");
	if (strip) strip.style.display = "none";
	found.push(await axe.run(document, {resultTypes: ["violations"], runOnly: {type: "rule", values: ["target-size"]}}));
	if (strip) strip.style.display = "";
	return found.flatMap(r => r.violations).map(v =>
		v.id + ": " + v.help + "\n" + v.nodes.map(n => "    " + n.target.join(" ") + "  " + n.html.slice(0, 160)).join("\n")).join("\n");
})()`

// overflow names what is wider than the window, if the page can be scrolled
// sideways.
const overflow = `(() => {
	const wide = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= wide) return "";
	return "wider than " + wide + ": " + [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > wide + 1)
		.slice(0, 5).map(e => e.tagName + "." + e.className).join(", ");
})()`

// look is a page to look at, and how to come to it.
type look struct {
	path string
	// on is a page that names the address, where the path has parameters that
	// cannot be written down: the first link or form that fits is meant. It may be
	// come to in the same way, from a page that stands before it.
	on string
	// form is sent there, if it is not nil: name, value, name, value, …
	form []string
	// status is what the page answers; 200 if it is not given.
	status int
	// before is done first, by somebody else.
	before func(*testing.T, demo)
}

func (l look) String() string {
	if l.form != nil {
		return "POST " + l.path
	}
	return "GET " + l.path
}

const (
	aClass    = "/lab/class /lab/class/:code"
	anyLesson = "/teach/lessons/:id"
	longText  = "A text of **some** length.\n\nIt was written with care, and it must not be lost."
)

// looked are the pages that every kind of person sees, in an order in which
// they can be come to.
var looked = []struct {
	who   string
	pages []look
}{
	{"", []look{
		{path: "/"}, {path: "/?xray=open"},
		{path: "/courses"}, {path: "/courses?q=bread"}, {path: "/courses?q=nothing+at+all"}, {path: "/courses?topic=identity&level=second&sort=title"},
		{path: "/courses/sessions"}, {path: "/courses/sessions/lessons/the-forgetful-server"},
		{path: "/signin"}, {path: "/signin?next=/learning"}, {path: "/signup"},
		{path: "/kept", form: []string{"kept-action", "/account/profile", "kept-name", "Ada King"}},
		{path: "/signin/code"}, {path: "/signin/code", form: []string{"email", "no address"}, status: http.StatusUnprocessableEntity},
		{path: "/signin/code", form: []string{"email", "ada@lectern.example"}}, {path: "/signin/code", form: []string{"email", "ada@lectern.example", "by", "text"}},
		{path: "/code", status: http.StatusBadRequest}, {path: "/signin/second", status: http.StatusBadRequest},
		{path: "/signin/forgotten"}, {path: "/signin/forgotten", form: []string{"email", ""}, status: http.StatusUnprocessableEntity},
		{path: "/sessions"},
		{path: "/lab"}, {path: "/lab/add-a-second-server"}, {path: "/lab/steal-the-cookie?run=aaaaaaaaaa"},
		{path: "/lab/add-a-second-server/run", form: []string{}, status: http.StatusConflict},
		{path: "/lab/add-a-second-server/predict", form: []string{"jwt", "accepted", "server", "accepted", "hybrid", "accepted"}},
		{path: "/lab/add-a-second-server/run", form: []string{}},
		{path: "/lab/permissions"}, {path: "/lab/permissions?action=lesson.view&role=joined&cell=lesson.view.draft.joined"},
		{path: "/lab/asvs"}, {path: "/lab/asvs?chapter=V9&level=1&verdict=failed"},
		{path: "/lab/permissions/run", form: []string{"cell", "course.join.published.admin", "kind", "jwt"}},
		{path: "/no/such/page", status: http.StatusNotFound},
		{path: "/demo/components"},
		{path: "/demo/inbox"}, {path: "/demo/inbox", before: fillInbox},
		{path: "/teach/lessons/nowhere", form: []string{"title", "A title", "body", longText}, status: http.StatusUnauthorized},
		{path: "/signup", form: []string{"name", "New Person", "email", "no address", "password", "too short"}, status: http.StatusUnprocessableEntity},
		{path: "/signin", form: []string{"email", "nobody@lectern.example", "password", "not it"}, status: http.StatusUnprocessableEntity},
		{path: "/signin", form: []string{"email", "nobody@lectern.example", "password", "not it"}, status: http.StatusTooManyRequests, before: guess},
		{path: "/signup", form: []string{"name", "New Person"}, status: http.StatusTooManyRequests, before: signUpWithoutEnd},
		{path: "/c"}, {path: "/c?code=HELLO", status: http.StatusUnprocessableEntity}, {path: "/c/34679", status: http.StatusNotFound},
	}},
	{"ada", []look{
		{path: "/"}, {path: "/courses?status=joined"}, {path: "/courses/sessions?xray=open"}, {path: "/courses/authorization"},
		{path: "/courses/sessions/lessons/reading-a-token-by-eye"}, {path: "/courses/authentication/lessons/asking-again"}, {path: "/learning"}, {path: "/account"},
		{path: "/account/sessions"}, {path: "/account/ways"}, {path: "/confirm?next=/account"},
		{path: "/courses/breaking-sessions/join", form: []string{"lesson", "what-signing-out-ends"}}, // a lab lesson, not begun
		{path: "/lab/sign-out-then-replay/predict", form: []string{"jwt", "accepted", "server", "accepted", "hybrid", "refused"}},
		{path: "/lab/sign-out-then-replay/run", form: []string{"next", "/courses/breaking-sessions/lessons/what-signing-out-ends"}},
		{path: "/lab/sign-out-then-replay"},
		{path: "/lab/sign-out-then-replay/explain", form: []string{"because", "1"}},
		{path: "/courses/breaking-sessions/lessons/what-signing-out-ends/done", form: []string{}, status: http.StatusConflict},
		{path: "/lab/count-the-cost/predict", form: []string{"jwt", "accepted", "server", "accepted", "hybrid", "refused"}},
		{path: "/lab/count-the-cost/run", form: []string{}}, {path: "/lab"},
		{path: "/account/sessions/nothing/end", form: []string{}, status: http.StatusNotFound},
		{path: "/account/profile", form: []string{"name", ""}, status: http.StatusUnprocessableEntity},
		{path: "/teach", status: http.StatusForbidden},
		{path: "/courses/authorization/lessons/roles", status: http.StatusForbidden},
		{path: "/session/backend", form: []string{"backend", "jwt", "next", "/courses/sessions?xray=open"}},
		{path: "/courses/authorization/lessons/roles?xray=open", status: http.StatusForbidden}, // now with a token
		{path: "/account/sessions"},
	}},
	{"grace", []look{
		{path: "/teach"}, {path: "/teach/new"}, {path: "/teach/courses/sessions"}, {path: "/teach/courses/passkeys-in-practice"},
		{path: anyLesson, on: "/teach/courses/sessions"}, {path: "/courses/passkeys-in-practice"},
		{path: "/signin", form: []string{"email", "grace@lectern.example", "password", seed.Password, "kept-action", "/teach/preview", "kept-title", "A title", "kept-body", longText}},
		{path: "/teach/courses/sessions", form: []string{"title", "Mine", "summary", "S", "description", "D", "learn", "L", "topic", "identity", "level", "first", "version", "99"}, status: http.StatusConflict},
		{path: anyLesson, on: "/teach/courses/breaking-sessions"},
		{path: anyLesson + "/delete", on: "/teach/courses/passkeys-in-practice", form: []string{}},
		{path: "/teach/courses/passkeys-in-practice/delete", form: []string{}},
	}},
	// A page with text that is not saved asks before it is left, so it is the
	// last in its tab.
	{"grace", []look{
		{path: anyLesson, on: "/teach/courses/sessions", form: []string{"title", "Mine", "kind", "reading", "body", longText, "version", "99"}, status: http.StatusConflict},
	}},
	{"grace", []look{
		{path: anyLesson, on: "/teach/courses/sessions", form: []string{"title", "", "version", "1"}, status: http.StatusUnprocessableEntity},
	}},
	// A class, from its opening to its end; the instructor has the learners' pages too.
	{"grace", []look{
		{path: "/lab/class"},
		{path: "/lab/class", form: []string{"experiment", ""}}, {path: "/c/:code", on: "/lab/class"},
		{path: "/lab/class/:code/ask", on: aClass, form: []string{"experiment", "sign-out-then-replay"}},
		{path: "/lab/class/:code", on: "/lab/class"}, {path: "/c/:code", on: "/lab/class"},
		{path: "/lab/class/:code/tally", on: aClass, form: []string{"tally", "hidden"}},
		{path: "/lab/class/:code/run", on: aClass, form: []string{"round", "1"}}, {path: "/c/:code", on: "/lab/class"},
		{path: "/lab/class/:code/end", on: aClass, form: []string{}},
	}},
	{"alan", []look{
		{path: "/admin/users"}, {path: "/admin/users?q=nobody+here"}, {path: "/admin/users/:id", on: "/admin/users"}, {path: "/admin/sessions"}, {path: "/admin/audit"},
		{path: "/admin/users?steps=two"}, {path: "/admin/users/:id/delete", on: "/admin/users /admin/users/:id"},
		{path: "/admin/audit?from=2026-01-01&kind=jwt"}, {path: "/admin/audit?from=nonsense", status: http.StatusUnprocessableEntity},
		{path: "/admin/invitations"}, {path: "/admin/invitations", form: []string{"name", "", "email", "no address", "role", "king"}, status: http.StatusUnprocessableEntity},
		{path: "/admin/invitations", form: []string{"name", "Cleo Sand", "email", "cleo@lectern.example", "role", "student"}},
		{path: invitationOfCleo, before: inviteCleo}, {path: "/invitation/nothing", status: http.StatusNotFound},
	}},
}

// walked are the pages that nobody comes to by an address and a form alone, and the
// journey that goes there and looks at them; see journey.
var walked = map[string]string{
	"/signin/with/:provider":       withAnotherSite,
	"/signin/with/:provider/steps": withAnotherSite,
	"/signin/with/:provider/new":   withAnotherSite,
	"/code":                        withAnotherSite,
	"/confirm/with/:provider":      withAnotherSite,
	"/account/providers/:provider": withAnotherSite,
	"/account/authenticator":       aSecondStep,
	"/signin/second":               aSecondStep,
	"/signin/new-password":         aSecondStep,
	"/account/delete":              aSecondStep,
}

// journey looks at the pages of one journey, and at its end whether there were all.
type journey struct {
	*tab
	looked map[string]bool
}

func (j journey) inspect(route string) {
	j.t.Helper()
	j.tab.inspect(route)
	j.looked[route] = true
}

// through fails unless every page was looked at that stands to the journey's name.
func (j journey) through(name string) {
	j.t.Helper()
	for route, by := range walked {
		if by == name && !j.looked[route] {
			j.t.Errorf("%s does not look at %s", name, route)
		}
	}
}

// invitationOfCleo is the address of an invitation that inviteCleo makes.
const invitationOfCleo = "/invitation/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func inviteCleo(t *testing.T, d demo) {
	place, err := openSchool(t.Context(), storage{Data: d.data})
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	alan, err := place.CredentialByEmail(t.Context(), "alan@lectern.example")
	if err != nil {
		t.Fatal(err)
	}
	i := school.Invitation{
		ID: school.MustNewID(), Email: "cleo.sand@lectern.example", Name: "Cleo Sand", Role: school.Student,
		By: school.Person{ID: alan.User.ID, Name: alan.User.Name}, MadeAt: time.Now(), ExpiresAt: time.Now().Add(school.InvitationLife),
	}
	if err := place.Invite(t.Context(), i, auth.InvitationToken(path.Base(invitationOfCleo)).Hash()); err != nil {
		t.Fatal(err)
	}
}

// fillInbox sends a demo account what has every look that a message can have, and
// more than fits on one page.
func fillInbox(t *testing.T, d demo) {
	place, err := openSchool(t.Context(), storage{Data: d.data})
	if err != nil {
		t.Fatal(err)
	}
	defer place.Close()
	ada, err := place.CredentialByEmail(t.Context(), "ada@lectern.example")
	if err != nil {
		t.Fatal(err)
	}
	states := []school.MessageState{school.MessageSent, school.MessageWaiting, school.MessageGivenUp}
	for i := range 30 {
		m := school.Message{ID: school.MustNewID(), User: ada.User.ID, At: time.Now(), State: states[i%3], Body: "Your code is 4711 0815.\n\n" + strings.Repeat("x", 200)}
		if m.Channel, m.To, m.Subject = school.ByMail, string(ada.User.Email), "A code, and "+strings.Repeat("long", 20); i%2 > 0 {
			m.Channel, m.To, m.Subject = school.ByText, "+447700900123", ""
		}
		if err := place.AddMessage(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
}

// guess tries wrong passwords until it has to wait for some seconds.
func guess(t *testing.T, d demo) {
	sendUntilTold(t, d.url+"/signin", 4*time.Second, url.Values{"email": {"nobody@lectern.example"}, "password": {"not it"}})
}

// signUpWithoutEnd uses up the accounts that may be opened from here.
func signUpWithoutEnd(t *testing.T, d demo) { sendUntilTold(t, d.url+"/signup", time.Second, nil) }

// sendUntilTold sends a form until the answer is to wait, and for so long.
func sendUntilTold(t *testing.T, address string, long time.Duration, form url.Values) {
	t.Helper()
	for range 1000 {
		response, err := http.PostForm(address, form)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // 0 where there is none
		wait := time.Duration(seconds) * time.Second
		if wait >= long {
			return
		}
		time.Sleep(wait) // by the clock of the server, which is the real one
	}
	t.Fatalf("%s never says to wait", address)
}

// renderings are the ways in which each page is looked at. Nothing in them
// moves, or axe would measure a colour on its way to another.
var renderings = []struct {
	says, theme string
	telephone   bool
}{
	{"light", "light", false},
	{"dark", "dark", false},
	{"dark, on a telephone", "dark", true},
	{"light, on a telephone", "light", true},
}

func (b *tab) render(theme string, telephone bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	window := emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 900, DeviceScaleFactor: 1}
	if telephone {
		window = emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 844, DeviceScaleFactor: 2, Mobile: true}
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, window); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Poll[chromedp.Void]("innerWidth === " + strconv.FormatInt(window.Width, 10)))
}

// TestBrowser_pagesAreAccessible looks at every page, light and dark, on a desk
// and on a telephone: axe finds nothing, the console is quiet, and nothing is
// wider than the window. To come to a page takes longer than to look at it, so
// each is come to once.
func TestBrowser_pagesAreAccessible(t *testing.T) {
	d := startDemo(t)
	for _, l := range looked {
		t.Run(l.who, func(t *testing.T) {
			b := d.open(t)
			if l.who != "" {
				b.signIn(l.who)
			}
			for _, page := range l.pages {
				if page.before != nil {
					page.before(t, d)
				}
				b.come(page)
				b.inspect(page.String())
			}
		})
	}
}

// come goes to a page.
func (b *tab) come(l look) {
	b.t.Helper()
	path := l.path
	for i, on := range strings.Fields(l.on) {
		if i == 0 {
			b.visit(on)
		} else {
			b.visit(b.named(on))
		}
		path = ""
	}
	if path == "" {
		path = b.named(l.path)
	}
	step := chromedp.Navigate(b.url + path)
	if l.form != nil {
		step = chromedp.Evaluate[chromedp.Void](`{
			const form = document.createElement("form"), fields = ` + quoted(l.form) + `;
			form.method = "post";
			form.action = ` + quoted(path) + `;
			for (let i = 0; i < fields.length; i += 2) {
				const field = document.createElement("textarea");
				[field.name, field.value] = [fields[i], fields[i + 1]];
				form.append(field);
			}
			document.body.append(form);
			form.submit();
		}`)
	}
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, step)
	if err != nil {
		b.t.Fatalf("%s: %v", l, err)
	}
	want := max(int64(l.status), http.StatusOK)
	if answer.Status != want {
		b.t.Errorf("%s answers %d, and the page to look at is that of %d", l, answer.Status, want)
	}
	b.do(chromedp.WaitReady(chromedp.CSS("main")))
}

// named is the first address on the page that is open that fits a path.
func (b *tab) named(path string) string {
	b.t.Helper()
	return b.read(`[...document.querySelectorAll("a, form")].map(e => e.getAttribute("href") ?? e.getAttribute("action")).find(to => new RegExp(` + quoted(fits(path)) + `).test(to))`)
}

// quoted is a value as JavaScript writes it.
func quoted(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// inspect looks at the page that is open.
func (b *tab) inspect(page string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](axe + ";0"))
	for _, r := range renderings {
		b.render(r.theme, r.telephone)
		found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](findings, chromedp.EvalAwaitPromise))
		if err != nil {
			b.t.Fatalf("%s, %s: %v", page, r.says, err)
		}
		if found != "" {
			b.t.Errorf("%s, %s: axe finds\n%s", page, r.says, found)
		}
		if wide := b.read(overflow); wide != "" {
			b.t.Errorf("%s, %s, is %s", page, r.says, wide)
		}
	}
	b.quiet(page)
}

// forPrograms is what the addresses begin with that answer no person, and forScripts
// what those end with that tell a page something. forFiles and forKeeping are what
// those hold that are saved and not looked at.
const (
	forPrograms = "/api/"
	forScripts  = "/events"
	forFiles    = "/log."
	forKeeping  = "/data.json"
)

// TestAccessibility_looksAtEveryPage reads the table of routes and expects each
// page in the list of those that are looked at.
func TestAccessibility_looksAtEveryPage(t *testing.T) {
	routes := pageRoutes(t)
	if len(routes) < 15 {
		t.Fatalf("only %d routes found: %v", len(routes), routes)
	}
	for _, route := range routes {
		seen := walked[route] != "" || strings.HasPrefix(route, forPrograms) || strings.HasSuffix(route, forScripts) || strings.Contains(route, forFiles) || strings.HasSuffix(route, forKeeping)
		for _, l := range looked {
			for _, page := range l.pages {
				path, _, _ := strings.Cut(page.path, "?")
				itself := path == route || !slices.Contains(routes, path) // and not another one that its parameter fits, too
				seen = seen || page.form == nil && page.status == 0 && itself && regexp.MustCompile(fits(route)).MatchString(path)
			}
		}
		if !seen {
			t.Errorf("nobody looks at %s", route)
		}
	}
}

var parameter = regexp.MustCompile(`:[a-z]+`)

// fits is a regular expression for the paths of a route.
func fits(route string) string { return "^" + parameter.ReplaceAllString(route, "[^/]+") + "$" }

// pageRoutes are the paths of all lines of the tables of package handlers that
// begin with http.MethodGet.
func pageRoutes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../handlers/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			line, ok := n.(*ast.CompositeLit)
			if !ok || len(line.Elts) < 2 {
				return true
			}
			method, ok := line.Elts[0].(*ast.SelectorExpr)
			if !ok || method.Sel.Name != "MethodGet" {
				return true
			}
			if path, ok := line.Elts[1].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(path.Value)
				if err != nil {
					t.Fatal(err)
				}
				paths = append(paths, text)
			}
			return true
		})
	}
	return paths
}
