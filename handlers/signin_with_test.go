package handlers_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/campus"
)

// The people of Campus ID whom the tests need.
const (
	mina  = "mina"
	jonas = "jonas"
	// adaThere says that her address is ada@lectern.example, and that it was checked.
	adaThere = "ada"
)

// campusID is Campus ID in the test process, and what it said to the site alone.
type campusID struct {
	*httptest.Server
	mu     sync.Mutex
	tokens [][]byte // the answers of its token endpoint
}

// openCampus starts Campus ID, where the site is registered twice, as two providers; a
// third never answers.
func (s *site) openCampus(base *url.URL) []*auth.Provider {
	s.t.Helper()
	s.campus = &campusID{Server: httptest.NewUnstartedServer(nil)}
	issuer := "http://" + s.campus.Listener.Addr().String()
	client := func(slug, name string) auth.Client {
		return auth.Client{Slug: slug, Name: name, ID: slug, Secret: "the secret of " + slug, BaseURL: base, Now: s.clock.Now}
	}
	var sites []campus.Site
	var all []*auth.Provider
	for _, c := range []auth.Client{client("campus-id", "Campus ID"), client("second", "The second")} {
		p := auth.NewOIDC(issuer, c)
		all = append(all, p)
		sites = append(sites, campus.Site{ID: c.ID, Secret: c.Secret, Name: "Lectern", Home: base.String(), Redirect: p.Redirect()})
	}
	house, err := campus.New(campus.Config{Issuer: issuer, Sites: sites, Log: slog.New(slog.DiscardHandler), Now: s.clock.Now, Random: rand.Reader})
	must(s.t, err)
	s.campus.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			house.ServeHTTP(w, r)
			return
		}
		heard := httptest.NewRecorder()
		house.ServeHTTP(heard, r)
		s.campus.mu.Lock()
		s.campus.tokens = append(s.campus.tokens, bytes.Clone(heard.Body.Bytes()))
		s.campus.mu.Unlock()
		for name, values := range heard.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(heard.Code)
		_, _ = w.Write(heard.Body.Bytes())
	})
	s.campus.Start()
	s.t.Cleanup(s.campus.Close)
	return append(all, auth.NewOIDC("http://127.0.0.1:1", client("gone", "Gone")))
}

// withCampus is a site beside Campus ID. The provider's library tells the time by
// itself, so the site's clock begins at the right one.
func withCampus(t *testing.T, backend string) *site {
	t.Helper()
	return startSite(t, backend, true, setting{campus: true, github: true, clock: &clock{now: time.Now()}})
}

func eachCampus(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			test(t, withCampus(t, backend))
		})
	}
}

// there sends something to an address at Campus ID, and returns where that leads.
func (b *browser) there(method, address string, fields ...string) string {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	must(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := b.client.Do(r)
	must(b.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(b.t, err)
	if response.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%s %s: %d\n%s", method, address, response.StatusCode, text)
	}
	return response.Header.Get("Location")
}

// sent follows a link of ours that leads to the provider.
func (b *browser) sent(path string) (address string) {
	b.t.Helper()
	to := b.get(path, "Sec-Fetch-Site", "same-origin").want(b.t, http.StatusSeeOther).location
	if !strings.HasPrefix(to, b.site.campus.URL+"/id/authorize?") {
		b.t.Fatalf("%s leads to %s", path, to)
	}
	return to
}

// answersCampus answers at the provider, and returns the way back.
func (b *browser) answersCampus(address, person, answer string) (back string) {
	b.t.Helper()
	house := b.site.campus.URL
	page := house + b.there(http.MethodGet, address)
	consent := b.there(http.MethodPost, page+"/person", "person", person)
	if house+consent != page+"/consent" {
		b.t.Fatalf("after the person comes %s", consent)
	}
	back, ours := strings.CutPrefix(b.there(http.MethodPost, page+"/answer", "answer", answer), b.site.url)
	if !ours {
		b.t.Fatalf("the provider leads to %s", back)
	}
	return back
}

// back comes back from the provider as browsers do, which say that another site led here.
func (b *browser) back(path string) answer {
	b.t.Helper()
	return b.get(path, "Sec-Fetch-Site", "cross-site")
}

// come goes the whole way by a link of ours, and comes back as somebody.
func (b *browser) come(path, person string) answer {
	b.t.Helper()
	return b.back(b.answersCampus(b.sent(path), person, "yes"))
}

// connect makes somebody at Campus ID a way in for somebody here.
func (s *site) connect(email, person string) {
	s.t.Helper()
	if got := s.enter(email).come("/account/providers/campus-id", person).want(s.t, http.StatusSeeOther); got.location != "/account/ways?said=provider-added" {
		s.t.Fatalf("connecting leads to %s", got.location)
	}
}

func TestSignInWith_letsInWhoIsConnected(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		her := s.enter(ada)
		before := her.cookie(cookieOf(s.sessions.Site().Backend))
		her.come("/account/providers/campus-id", mina).want(t, http.StatusSeeOther)
		if her.cookie(cookieOf(s.sessions.Site().Backend)) == before {
			t.Error("the session kept its id")
		}
		her.get("/account/ways?said=provider-added").want(t, http.StatusOK, "Connected. You can sign in with it", "mina.castellan@campus.example, as it says").lacks(t, `href="/account/providers/campus-id"`)
		if got := s.letter(ada).Subject; got != "Another site was connected" {
			t.Errorf("she was told %q", got)
		}

		for next, want := range map[string]string{"/learning": "/learning", "//evil.example/": "/", "https://evil.example/": "/"} {
			b := s.browser()
			if got := b.come("/signin/with/campus-id?"+url.Values{"next": {next}}.Encode(), mina).want(t, http.StatusSeeOther); got.location != want {
				t.Errorf("next %s leads to %s", next, got.location)
			}
			b.get("/account").want(t, http.StatusOK, ada, "through another site")
		}

		app, _ := her.setUp()
		s.clock.move(30 * time.Second)
		b := s.browser()
		second := b.come("/signin/with/campus-id?next=/learning", mina).want(t, http.StatusSeeOther)
		if !strings.HasPrefix(second.location, "/signin/second?") || b.signedIn() {
			t.Fatalf("the provider's word alone leads to %s", second.location)
		}
		if got := b.post("/signin/second", "flow", b.flow(second), "code", app.shows(0)).want(t, http.StatusSeeOther); got.location != "/learning" {
			t.Errorf("the second step leads to %s", got.location)
		}
		b.get("/account").want(t, http.StatusOK, "through another site and with an authenticator app")
	})
}

// TestSignInWith_believesNoAddress: who somebody is here is decided by who they are
// there, and never by an address that both have (ASVS 6.8.1, 10.5.2).
func TestSignInWith_believesNoAddress(t *testing.T) {
	t.Attr("asvs", "6.8.1 10.5.2")
	eachCampus(t, func(t *testing.T, s *site) {
		s.signUp("Ada of Lectern", "ada@lectern.example")
		b := s.browser()
		got := b.come("/signin/with/campus-id", adaThere).want(t, http.StatusSeeOther)
		if !strings.HasPrefix(got.location, "/signin/with/campus-id/new?flow=") || b.signedIn() {
			t.Fatalf("an equal address leads to %s", got.location)
		}
		b.get(got.location).want(t, http.StatusOK, "We do not do it by ourselves because an address is the same")
	})
}

func TestSignInWith_opensAnAccountForANewcomer(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		const open = "/signin/with/campus-id/new"
		b := s.browser()
		asked := b.come("/signin/with/campus-id", mina)
		flow := b.flow(asked)
		b.get(asked.location).want(t, http.StatusOK, `value="Mina Castellan"`, `value="mina.castellan@campus.example"`)
		s.browser().get(asked.location).want(t, http.StatusBadRequest, "This is over")
		s.browser().post(open, "flow", flow, "name", "Thief", "email", "thief@school.example").want(t, http.StatusBadRequest)
		b.post(open, "flow", flow, "name", "", "email", "no address").want(t, http.StatusUnprocessableEntity)

		taken := b.flow(b.post(open, "flow", flow, "name", "Mina", "email", ada))
		if got := s.letter(ada); got.Subject != "You already have an account" || sentCode.MatchString(got.Body) {
			t.Errorf("an address that is taken gets %q", got.Subject)
		}
		b.post("/code", "flow", taken, "code", "00000000").want(t, http.StatusUnprocessableEntity)
		if b.signedIn() {
			t.Fatal("somebody is signed in by an address that is taken")
		}

		mine := b.flow(b.post(open, "flow", flow, "name", "Mina", "email", "mina@school.example"))
		if b.signedIn() {
			t.Fatal("somebody is signed in before their address has shown itself")
		}
		twice := b.flow(b.post(open, "flow", flow, "name", "Mina", "email", "mina@elsewhere.example"))
		b.post("/code", "flow", mine, "code", s.code("mina@school.example")).want(t, http.StatusSeeOther)
		b.get("/account").want(t, http.StatusOK, "mina@school.example", "through another site", "You have none, and need none: you come in another way").lacks(t, `name="current"`)
		b.post("/code", "flow", twice, "code", s.code("mina@elsewhere.example")).want(t, http.StatusConflict, "That is a way into another account")

		again := s.browser()
		again.come("/signin/with/campus-id", mina).want(t, http.StatusSeeOther)
		again.get("/account").want(t, http.StatusOK, "mina@school.example")
		s.browser().post("/signin", "email", "mina@school.example", "password", "").want(t, http.StatusUnprocessableEntity, "come in with that site")
		s.browser().post("/signin", "email", "mina@school.example", "password", password).want(t, http.StatusUnprocessableEntity)
	})
}

var takenAway = regexp.MustCompile(`action="(/account/providers/[^"/]+/remove)"`)

func TestProviders_areConnectedAndTakenAway(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		const connect = "/account/providers/campus-id"
		stale := s.enteredAt(ada, s.clock.Now().Add(-10*time.Minute-time.Second))
		if got := stale.get(connect).want(t, http.StatusSeeOther); got.location != "/confirm?next="+url.QueryEscape(connect) {
			t.Errorf("without a fresh proof, connecting leads to %s", got.location)
		}
		her := s.enter(ada)
		her.back(her.answersCampus(her.sent(connect), mina, "no")).
			want(t, http.StatusForbidden, "You said no there", "Nothing was connected", `href="/account/ways"`).lacks(t, "not signed in")
		back := her.answersCampus(her.sent(connect), mina, "yes")
		her.post("/signin", "email", bea, "password", password).want(t, http.StatusSeeOther)
		her.back(back).want(t, http.StatusBadRequest, "This is over")

		s.connect(ada, mina)
		s.enter(bea).come(connect, mina).want(t, http.StatusConflict, "That is a way into another account", "Nothing was connected")
		her = s.enter(ada)
		if got := her.come(connect, mina).want(t, http.StatusSeeOther); got.location != "/account/ways?said=provider-known" {
			t.Errorf("connecting again leads to %s", got.location)
		}

		remove := takenAway.FindStringSubmatch(her.get("/account/ways").body)[1]
		s.enter(bea).post(remove).want(t, http.StatusNotFound)
		stale.post(remove).want(t, http.StatusForbidden, "Confirm that it is you")
		s.browser().post(remove).want(t, http.StatusUnauthorized)
		if got := s.browser().come("/signin/with/campus-id", mina); got.location != "/" {
			t.Fatalf("somebody else took it away: %s", got.location)
		}
		her.post(remove).want(t, http.StatusSeeOther)
		if got := s.letter(ada).Subject; got != "Another site was taken away" {
			t.Errorf("she was told %q", got)
		}
		if got := s.browser().come("/signin/with/campus-id", mina); !strings.HasPrefix(got.location, "/signin/with/campus-id/new?") {
			t.Errorf("what was taken away leads to %s", got.location)
		}
	})
}

// TestProviders_lastWayStays: where no mail is carried, the last way in is not taken away.
func TestProviders_lastWayStays(t *testing.T) {
	s := startSite(t, "database", true, setting{campus: true, mute: true, clock: &clock{now: time.Now()}})
	nell := school.User{ID: fixedID("nell"), Email: "nell@school.example", Name: "Nell", Role: school.Student, CreatedAt: s.Now()}
	must(t, s.db.CreateUser(t.Context(), nell, "", school.Identity{ID: fixedID("identity"), Provider: "campus-id", Issuer: s.campus.URL, Subject: "nell", AddedAt: s.Now()}))
	b := s.enter("nell@school.example")
	remove := takenAway.FindStringSubmatch(b.get("/account/ways").body)[1]
	b.post(remove).want(t, http.StatusConflict, "This is the last way into your account, so it stays.")
	b.post("/account/password", "new", otherPassword).want(t, http.StatusSeeOther)
	b.post(remove).want(t, http.StatusSeeOther)
}

func TestConfirm_takesTheWordOfAProviderThatSaysWhen(t *testing.T) {
	t.Attr("asvs", "7.6.1")
	eachCampus(t, func(t *testing.T, s *site) {
		s.connect(ada, mina)
		s.connect(bea, jonas)
		old := s.clock.Now().Add(-time.Hour)
		b := s.enteredAt(ada, old)
		b.get("/confirm?next=%2Faccount%2Fways").want(t, http.StatusOK, `href="/confirm/with/campus-id?next=%2Faccount%2Fways"`).lacks(t, "/confirm/with/second", "/confirm/with/github")
		s.enteredAt(rob, old).get("/confirm").want(t, http.StatusOK).lacks(t, "/confirm/with/")
		b.get("/confirm/with/github").want(t, http.StatusBadRequest, "It does not say when it asked you last")

		fresh := func() bool { return b.post("/account/two-step", "on", "0").status == http.StatusSeeOther }
		const confirm = "/confirm/with/campus-id?next=/account/ways"
		for _, other := range []string{jonas, adaThere} {
			b.come(confirm, other).want(t, http.StatusForbidden, "The other site knows you as somebody else")
		}
		b.back(b.answersCampus(b.sent(confirm), mina, "no")).
			want(t, http.StatusForbidden, "You said no there", "You are signed in as before", `href="/confirm?next=%2Faccount%2Fways"`).lacks(t, "not signed in")
		address := b.sent(confirm)
		if asked, err := url.Parse(address); err != nil || asked.Query().Get("max_age") != "60" {
			t.Errorf("the provider is asked %s", address)
		}
		if fresh() {
			t.Fatal("it is confirmed before anybody has")
		}
		other := s.browser()
		other.post("/signin", "email", bea, "password", password).want(t, http.StatusSeeOther)
		other.back(other.answersCampus(address, mina, "yes")).want(t, http.StatusBadRequest)

		if got := b.come(confirm, mina).want(t, http.StatusSeeOther); got.location != "/account/ways" {
			t.Errorf("confirming leads to %s", got.location)
		}
		if !fresh() {
			t.Error("it is not confirmed")
		}

		b = s.enteredAt(ada, old)
		back := b.answersCampus(b.sent(confirm), mina, "yes")
		b.post("/signin", "email", bea, "password", password).want(t, http.StatusSeeOther)
		b.back(back).want(t, http.StatusBadRequest, "This is over")
	})
}

// TestSignInWith_takesOneAnswerToItsOwnQuestion: ASVS 10.1.2, 10.2.1, 10.2.2.
func TestSignInWith_takesOneAnswerToItsOwnQuestion(t *testing.T) {
	t.Attr("asvs", "7.6.2")
	eachCampus(t, func(t *testing.T, s *site) {
		const path = "/signin/with/campus-id"
		s.connect(ada, mina)
		b := s.browser()
		ready := func() string { return b.answersCampus(b.sent(path), mina, "yes") }

		back := ready()
		s.browser().back(back).want(t, http.StatusBadRequest, "This is over")
		thief := s.browser()
		thief.sent(path)
		thief.back(back).want(t, http.StatusBadRequest, "This is over")
		for _, query := range []string{"code=x", "code=x&state=", "error=access_denied", "code=x&state=" + strings.Repeat("A", 27)} {
			b.back(path+"?"+query).want(t, http.StatusBadRequest, "This is over")
		}
		if thief.signedIn() || b.signedIn() {
			t.Fatal("somebody got in")
		}
		b.back(back).want(t, http.StatusSeeOther)
		b.back(back).want(t, http.StatusBadRequest, "This is over")

		b = s.browser()
		elsewhere := b.answersCampus(b.sent("/signin/with/second"), mina, "yes")
		b.back(strings.Replace(elsewhere, "/second?", "/campus-id?", 1)).want(t, http.StatusBadRequest, "That was the answer to another question")
		b.back(elsewhere).want(t, http.StatusBadRequest, "This is over")
		mixed, err := url.Parse(ready())
		must(t, err)
		q := mixed.Query()
		q.Set("iss", "https://other.example")
		b.back(path+"?"+q.Encode()).want(t, http.StatusBadRequest, "That was the answer to another question")
		mixed, err = url.Parse(ready())
		must(t, err)
		q = mixed.Query()
		q.Set("code", "another code")
		b.back(path+"?"+q.Encode()).want(t, http.StatusForbidden, "would not say who you are")

		no := b.answersCampus(b.sent(path), mina, "no")
		b.back(no).want(t, http.StatusForbidden, "You said no there")
		b.back(no).want(t, http.StatusBadRequest)
		if b.signedIn() {
			t.Fatal("somebody got in")
		}

		first, second := b.sent(path+"?next=/learning"), b.sent(path+"?next=/courses")
		for _, tab := range []struct{ address, next string }{{second, "/courses"}, {first, "/learning"}} {
			if got := b.back(b.answersCampus(tab.address, mina, "yes")).want(t, http.StatusSeeOther); got.location != tab.next {
				t.Errorf("a tab leads to %s, want %s", got.location, tab.next)
			}
		}
		late := s.browser()
		back = late.answersCampus(late.sent(path), mina, "yes")
		s.clock.move(10*time.Minute + time.Second)
		late.back(back).want(t, http.StatusBadRequest, "This is over")
	})
}

func TestSignInWith_isNotBegunByAnotherSite(t *testing.T) {
	t.Attr("asvs", "7.6.2")
	eachCampus(t, func(t *testing.T, s *site) {
		b := s.enter(ada)
		for path, want := range map[string]string{
			"/signin/with/campus-id":                "/signin",
			"/confirm/with/campus-id?next=/account": "/confirm?next=%2Faccount",
			"/account/providers/campus-id":          "/account/ways",
		} {
			for _, from := range []string{"cross-site", "same-site"} {
				if got := b.get(path, "Sec-Fetch-Site", from).want(t, http.StatusSeeOther); got.location != want {
					t.Errorf("%s from %s leads to %s", path, from, got.location)
				}
			}
			b.sent(path)
		}
	})
}

func TestSignInWith_saysThatTheProviderIsAway(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		s.enter(ada).get("/account/providers/gone").want(t, http.StatusServiceUnavailable, "The other site does not answer", "Nothing was connected").lacks(t, "not signed in")
		b := s.browser()
		if got := b.get("/signin/with/gone").want(t, http.StatusServiceUnavailable, "The other site does not answer", "You were not signed in"); got.header.Get("Retry-After") == "" {
			t.Error("it is not said when to try again")
		}
		b.get("/signin").want(t, http.StatusOK, "Sign in with Gone", "It did not answer when we asked it last.")
		back := b.answersCampus(b.sent("/signin/with/campus-id"), mina, "yes")
		s.campus.Close()
		b.back(back).want(t, http.StatusServiceUnavailable, "The other site does not answer")
		if b.signedIn() {
			t.Error("somebody is signed in by nobody's word")
		}
	})
}

func TestSignInWith_refusesAClosedAccount(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		s.connect(ada, mina)
		must(t, s.db.Disable(t.Context(), fixedID("ada"), s.clock.Now()))
		b := s.browser()
		b.come("/signin/with/campus-id", mina).want(t, http.StatusForbidden, "This account has been closed")
		if b.signedIn() {
			t.Error("a closed account is open")
		}
	})
}

var stepsGoOn = regexp.MustCompile(`<a class="btn" data-kind="primary" href="([^"]+)">\s*Go on`)

// TestSignInWith_canBeWatched looks at each step, for somebody who is new and for
// somebody who is not, and at nothing that could open something (ASVS 10.1.1).
func TestSignInWith_canBeWatched(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		const path = "/signin/with/campus-id?watch=1&next=/learning"
		b := s.browser()
		address := b.sent(path)
		back := b.answersCampus(address, mina, "yes")
		led := b.back(back).want(t, http.StatusSeeOther)
		if !strings.HasPrefix(led.location, "/signin/with/campus-id/steps?flow=") {
			t.Fatalf("a watched sign-in leads to %s", led.location)
		}
		s.browser().get(led.location).want(t, http.StatusBadRequest, "This is over")
		page := b.get(led.location).want(t, http.StatusOK,
			"asks Campus ID to describe itself", "is sent to Campus ID", "Your browser comes back", "exchanges the code", "fetches the keys", "What Lectern takes from it",
			"new here", "the same as in step 2", "its SHA-256 went out in step 2", "the same as in step 3",
			"Cross-site request forgery", "Mix-up", "Code injection", "RFC 9207", "you are not signed in yet",
		).lacks(t, "not what it was in step", "It ended here")
		on := stepsGoOn.FindStringSubmatch(page.body)
		if on == nil || !strings.HasPrefix(on[1], "/signin/with/campus-id/new?flow=") {
			t.Fatalf("the steps of somebody new lead to %q", on)
		}
		b.get(on[1]).want(t, http.StatusOK, "Campus ID knows you, and we do not yet")

		asked, err := url.Parse(address)
		must(t, err)
		came, err := url.Parse(back)
		must(t, err)
		secrets := []string{asked.Query().Get("state"), asked.Query().Get("nonce"), asked.Query().Get("code_challenge"), came.Query().Get("code"), "the secret of campus-id"}
		s.campus.mu.Lock()
		for _, name := range []string{"access_token", "id_token"} {
			found := regexp.MustCompile(`"` + name + `":"([^"]+)"`).FindSubmatch(s.campus.tokens[0])
			if found == nil {
				t.Fatalf("the provider gives no %s", name)
			}
			secrets = append(secrets, string(found[1]))
		}
		s.campus.mu.Unlock()
		page.lacks(t, secrets...)
		b.get(on[1]).lacks(t, secrets...)
		var kept []string
		rows, err := s.db.Reader().QueryContext(t.Context(), `SELECT state FROM flows`)
		must(t, err)
		for rows.Next() {
			var state string
			must(t, rows.Scan(&state))
			kept = append(kept, state)
		}
		must(t, rows.Close())
		held := strings.Join(kept, "\n") + s.log.String()
		for _, c := range b.client.Jar.Cookies(s.address()) {
			held += "\n" + c.Value
		}
		for _, secret := range secrets {
			if strings.Contains(held, secret) {
				t.Errorf("%.8s… is kept, logged or in a cookie", secret)
			}
		}

		s.connect(ada, mina)
		b = s.browser()
		page = b.get(b.come(path, mina).want(t, http.StatusSeeOther).location).want(t, http.StatusOK, "You are signed in.")
		if on := stepsGoOn.FindStringSubmatch(page.body); on == nil || on[1] != "/learning" {
			t.Errorf("the steps lead to %q", on)
		}
		b = s.browser()
		b.get(b.back(b.answersCampus(b.sent(path), mina, "no")).want(t, http.StatusSeeOther).location).
			want(t, http.StatusOK, "access_denied", "It ended here", "You were not signed in").lacks(t, "You are signed in.")
		s.browser().get("/lab").want(t, http.StatusOK, `href="/signin/with/campus-id?watch=1&amp;next=%2Flab"`)
	})
}

// TestPassword_isAddedWhereThereIsNone: by a fresh proof of who it is, and only there.
func TestPassword_isAddedWhereThereIsNone(t *testing.T) {
	eachCampus(t, func(t *testing.T, s *site) {
		const nell = school.Email("nell@school.example")
		id := fixedID("nell")
		must(t, s.db.CreateUser(t.Context(), school.User{ID: id, Email: nell, Name: "Nell", Role: school.Student, CreatedAt: s.Now()}, "",
			school.Identity{ID: fixedID("identity"), Provider: "campus-id", Issuer: s.campus.URL, Subject: "nell", AddedAt: s.Now()}))
		old := s.enteredAt(string(nell), s.clock.Now().Add(-time.Hour))
		old.get("/account").want(t, http.StatusOK, "You have none", `href="/confirm?next=%2Faccount%23password"`).lacks(t, `name="new"`)
		old.get("/account/ways").want(t, http.StatusOK, "You have none, and need none.")
		old.get("/confirm").want(t, http.StatusOK, "/confirm/with/campus-id", "It goes to nell@school.example.").lacks(t, `name="password"`)
		old.post("/account/password", "new", otherPassword).want(t, http.StatusForbidden, "Nothing was changed, and what you sent was not kept").lacks(t, otherPassword, "What you sent is safe")

		b := s.enter(string(nell))
		b.get("/account").want(t, http.StatusOK, "Set a password").lacks(t, `name="current"`)
		b.post("/account/password", "new", "too short").want(t, http.StatusUnprocessableEntity, "at least 15 characters")
		b.post("/account/password", "new", otherPassword).want(t, http.StatusSeeOther)
		if got := s.letter(string(nell)).Subject; got != "A password was added" {
			t.Errorf("she was told %q", got)
		}
		b.post("/account/password", "new", password).want(t, http.StatusUnprocessableEntity, "not your present password")
		s.browser().post("/signin", "email", string(nell), "password", otherPassword).want(t, http.StatusSeeOther)
	})
}
