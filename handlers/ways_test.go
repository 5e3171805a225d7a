package handlers_test

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"lectern/db/school"
	"lectern/handlers/session"
)

// letter is the latest message that went to an address or a telephone.
func (s *site) letter(to string) (m school.Message) {
	s.t.Helper()
	row := s.db.Reader().QueryRowContext(s.t.Context(), `SELECT subject, body FROM messages WHERE recipient = $1 ORDER BY at DESC, rowid DESC LIMIT 1`, to)
	if err := row.Scan(&m.Subject, &m.Body); err != nil {
		s.t.Fatalf("no message to %s: %v", to, err)
	}
	return m
}

// letters is how many messages went to an address or a telephone.
func (s *site) letters(to string) (n int) {
	s.t.Helper()
	must(s.t, s.db.Reader().QueryRowContext(s.t.Context(), `SELECT COUNT(*) FROM messages WHERE recipient = $1`, to).Scan(&n))
	return n
}

// wasTold reports whether a message with this subject went to an address.
func (s *site) wasTold(to, subject string) bool {
	s.t.Helper()
	var n int
	must(s.t, s.db.Reader().QueryRowContext(s.t.Context(), `SELECT COUNT(*) FROM messages WHERE recipient = $1 AND subject = $2`, to, subject).Scan(&n))
	return n > 0
}

var (
	sentCode    = regexp.MustCompile(`\b(\d{4}) (\d{4})\b`)
	flowInForm  = regexp.MustCompile(`name="flow" value="([\w-]+)"`)
	secretShown = regexp.MustCompile(`<code class="secret">([A-Z2-7 ]+)</code>`)
	paperCode   = regexp.MustCompile(`<li><code>([0-9a-z-]+)</code></li>`)
)

// code is the number in the latest message to somebody.
func (s *site) code(to string) string {
	s.t.Helper()
	found := sentCode.FindStringSubmatch(s.letter(to).Body)
	if found == nil {
		s.t.Fatalf("no code in %q", s.letter(to).Body)
	}
	return found[1] + found[2]
}

// wrong is a code that is not this one.
func wrong(code string) string {
	return string('0'+(code[0]-'0'+1)%10) + code[1:]
}

// flow follows the answer to the page that it leads to, and reads the flow off it.
func (b *browser) flow(a answer) string {
	b.t.Helper()
	a.want(b.t, http.StatusSeeOther)
	found := flowInForm.FindStringSubmatch(b.get(a.location).want(b.t, http.StatusOK).body)
	if found == nil {
		b.t.Fatalf("no flow on %s", a.location)
	}
	return found[1]
}

// signUp is a browser in which somebody has just opened an account.
func (s *site) signUp(name, email string) *browser {
	s.t.Helper()
	b := s.browser()
	flow := b.flow(b.post("/signup", "name", name, "email", email, "password", otherPassword))
	b.post("/code", "flow", flow, "code", s.code(email)).want(s.t, http.StatusSeeOther)
	return b
}

// app is an authenticator app.
type app struct {
	site   *site
	secret string
}

// shows is what the app shows so far from now.
func (a app) shows(off time.Duration) string {
	code, err := totp.GenerateCode(a.secret, a.site.clock.Now().Add(off))
	must(a.site.t, err)
	return code
}

// setUp sets up an authenticator app for whoever is signed in, and returns it with the
// recovery codes.
func (b *browser) setUp() (app, []string) {
	b.t.Helper()
	begun := b.post("/account/authenticator").want(b.t, http.StatusSeeOther)
	shown := b.get(begun.location).want(b.t, http.StatusOK, "otpauth://totp/Lectern:")
	a := app{b.site, secretOn(b.t, shown)}
	if raw, err := base32.StdEncoding.DecodeString(a.secret); err != nil || len(raw) != 20 {
		b.t.Fatalf("the secret is %q", a.secret)
	}
	flow := flowInForm.FindStringSubmatch(shown.body)[1]
	done := b.post("/account/authenticator/add", "flow", flow, "code", a.shows(0)).want(b.t, http.StatusOK, "Your recovery codes")
	codes := done.onPaper()
	if len(codes) != 10 {
		b.t.Fatalf("there are %d recovery codes", len(codes))
	}
	return a, codes
}

func TestCode_isGoodOnceInItsBrowserForTenMinutes(t *testing.T) {
	t.Attr("asvs", "6.5.1 6.5.4 6.5.5 6.6.2 6.6.3")
	eachBackend(t, func(t *testing.T, s *site) {
		begin := func() (b *browser, flow, code string) {
			b = s.browser()
			flow = b.flow(b.post("/signin/code", "email", ada, "next", "/learning"))
			return b, flow, s.code(ada)
		}
		b, flow, code := begin()
		if b.signedIn() {
			t.Fatal("whoever asks for a code is signed in")
		}
		b.post("/code", "flow", flow, "code", wrong(code)).want(t, http.StatusUnprocessableEntity, "That is not the code.", "4 tries are left")
		// What is no code is no guess, and leaves no line: there would be no end of them.
		lines := s.logged(school.ActionSignInRefused, "sign-in", "a wrong code")
		for _, typed := range []string{"", code[1:], code + "0", "abcdefgh"} {
			b.post("/code", "flow", flow, "code", typed).want(t, http.StatusUnprocessableEntity, "That is not the code.", "4 tries are left")
		}
		if n := s.logged(school.ActionSignInRefused, "sign-in", "a wrong code"); lines != 1 || n != lines {
			t.Errorf("%d lines stand in the log, %d before", n, lines)
		}
		b.post("/code", "flow", flow, "code", wrong(code)).want(t, http.StatusUnprocessableEntity, "3 tries are left")

		other, otherFlow, otherCode := begin()
		other.post("/code", "flow", flow, "code", code).want(t, http.StatusBadRequest, "This is over")
		s.browser().post("/code", "flow", flow, "code", code).want(t, http.StatusBadRequest, "This is over")
		other.post("/code", "flow", otherFlow, "code", code).want(t, http.StatusUnprocessableEntity)

		b.post("/code", "flow", flow, "code", code[:4]+" "+code[4:]).want(t, http.StatusSeeOther)
		b.get("/account").want(t, http.StatusOK, "with a code by e-mail")
		b.post("/code", "flow", flow, "code", code).want(t, http.StatusBadRequest, "This is over")

		other.post("/code", "flow", otherFlow, "code", otherCode).want(t, http.StatusSeeOther)
		if !other.signedIn() {
			t.Error("the second of two is not let in")
		}

		guess, guessed, right := begin()
		for range 5 {
			guess.post("/code", "flow", guessed, "code", wrong(right)).want(t, http.StatusUnprocessableEntity)
		}
		guess.post("/code", "flow", guessed, "code", right).want(t, http.StatusBadRequest, "This is over")

		late, lateFlow, lateCode := begin()
		s.clock.move(10*time.Minute + time.Second)
		late.post("/code", "flow", lateFlow, "code", lateCode).want(t, http.StatusBadRequest, "This is over")
		if late.signedIn() || guess.signedIn() {
			t.Error("somebody was let in all the same")
		}
	})
}

// TestCode_saysTheSameToEverybody: whoever types an address in learns nothing about it.
func TestCode_saysTheSameToEverybody(t *testing.T) {
	t.Attr("asvs", "6.3.8")
	s := newSite(t, "jwt")
	must(t, s.db.Disable(t.Context(), fixedID("bea"), s.clock.Now()))
	for _, path := range []string{"/signin/code", "/signin/forgotten"} {
		var first string
		for _, email := range []string{ada, bea, "nobody@school.example"} {
			b := s.browser()
			page := b.get(b.post(path, "email", email).want(t, http.StatusSeeOther).location).want(t, http.StatusOK)
			same := flowInForm.ReplaceAllString(strings.ReplaceAll(page.main(), email, "ADDRESS"), "FLOW")
			if first == "" {
				first = same
			} else if same != first {
				t.Errorf("%s to %s is not answered as to the others", path, email)
			}
		}
	}
	if s.letters(bea) != 0 || s.letters("nobody@school.example") != 0 || s.letters(ada) != 2 {
		t.Error("the wrong people got letters")
	}
}

func TestAuthenticator_isASecondStep(t *testing.T) {
	t.Attr("asvs", "2.3.1 6.3.3 6.3.4 6.5.1 6.5.5 6.5.8")
	eachBackend(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		begun := her.post("/account/authenticator").want(t, http.StatusSeeOther)
		flow := her.flow(begun)
		her.post("/account/authenticator/add", "flow", flow, "code", "000000").want(t, http.StatusUnprocessableEntity, "That is not what the app should show now.")
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
		app, paper := her.setUp()
		if !her.signedIn() {
			t.Fatal("setting up an app ended the session")
		}

		first := func() (*browser, string) {
			b := s.browser()
			a := b.post("/signin", "email", ada, "password", password, "next", "/learning")
			if !strings.HasPrefix(a.location, "/signin/second?") {
				t.Fatalf("the password alone leads to %s", a.location)
			}
			if b.signedIn() {
				t.Fatal("the password alone signs in")
			}
			return b, b.flow(a)
		}
		b, second := first()
		b.post("/signin/second", "flow", second, "code", app.shows(0)).want(t, http.StatusUnprocessableEntity, "That code is not good.")
		s.clock.move(30 * time.Second)
		b.post("/signin/second", "flow", second, "code", app.shows(-60*time.Second)).want(t, http.StatusUnprocessableEntity)
		b.post("/signin/second", "flow", second, "code", app.shows(60*time.Second)).want(t, http.StatusUnprocessableEntity)
		s.browser().post("/signin/second", "flow", second, "code", app.shows(0)).want(t, http.StatusBadRequest)
		code := app.shows(0)
		if got := b.post("/signin/second", "flow", second, "code", code).want(t, http.StatusSeeOther); got.location != "/learning" {
			t.Errorf("the second step leads to %s", got.location)
		}
		b.get("/account").want(t, http.StatusOK, "with a password and with an authenticator app")
		thief, stolen := first()
		thief.post("/signin/second", "flow", stolen, "code", code).want(t, http.StatusUnprocessableEntity)

		s.clock.move(time.Hour) // the tries are forgotten
		thief, stolen = first()
		thief.post("/signin/second", "flow", stolen, "way", "recovery-code", "code", "0000-0000-0000").want(t, http.StatusUnprocessableEntity)
		thief.post("/signin/second", "flow", stolen, "way", "recovery-code", "code", strings.ToUpper(paper[0])).want(t, http.StatusSeeOther)
		if !s.wasTold(ada, "A recovery code was used") {
			t.Error("she was not told of the code")
		}
		again, flow2 := first()
		again.post("/signin/second", "flow", flow2, "way", "recovery-code", "code", paper[0]).want(t, http.StatusUnprocessableEntity)

		s.clock.move(time.Hour)
		byCode := s.browser()
		got := byCode.post("/code", "flow", byCode.flow(byCode.post("/signin/code", "email", ada)), "code", s.code(ada)).want(t, http.StatusSeeOther)
		if !strings.HasPrefix(got.location, "/signin/second?") || byCode.signedIn() {
			t.Error("a code by e-mail goes past the second step")
		}
		s.browser().send(http.MethodPost, "/api/v1/tokens", credentials(ada, password), "Content-Type", "application/json").want(t, http.StatusUnauthorized, "second step")
	})
}

func TestForgotten_replacesThePasswordAndNothingElse(t *testing.T) {
	t.Attr("asvs", "2.3.1 6.3.7 6.4.3")
	eachBackend(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		app, _ := her.setUp()
		s.clock.move(time.Minute)
		b := s.browser()
		flow := b.flow(b.post("/signin/forgotten", "email", ada))
		second := b.post("/code", "flow", flow, "code", s.code(ada)).want(t, http.StatusSeeOther)
		if !strings.HasPrefix(second.location, "/signin/second?") {
			t.Fatalf("after the code comes %s", second.location)
		}
		next := b.post("/signin/second", "flow", b.flow(second), "code", app.shows(0)).want(t, http.StatusSeeOther)
		if b.signedIn() {
			t.Error("somebody is signed in before there is a password")
		}
		last := b.flow(next)
		b.post("/signin/new-password", "flow", last, "new", "too short").want(t, http.StatusUnprocessableEntity, "at least 15 characters")
		s.browser().post("/signin/new-password", "flow", last, "new", otherPassword).want(t, http.StatusBadRequest)
		b.post("/signin/new-password", "flow", last, "new", otherPassword).want(t, http.StatusSeeOther)
		if !b.signedIn() {
			t.Error("whoever chose a password is not signed in")
		}
		b.post("/signin/new-password", "flow", last, "new", password).want(t, http.StatusBadRequest)
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusUnprocessableEntity)
		if s.letter(ada).Subject != "Your password was changed" {
			t.Error("nobody was told")
		}
		if s.sessions.Site().Backend != "jwt" && s.sessions.Site().Backend != "hybrid" && her.signedIn() {
			t.Error("the old session goes on")
		}
	})
}

func TestConfirm_isAskedForTenMinutesAfterTheLastProof(t *testing.T) {
	t.Attr("asvs", "7.2.4 7.5.1 7.5.2 7.5.3")
	eachBackend(t, func(t *testing.T, s *site) {
		b := s.as(ada)
		s.clock.move(10*time.Minute + time.Second)
		for _, form := range [][]string{
			{"/account/email", "email", "ada@elsewhere.example"},
			{"/account/phone", "phone", "+44 7700 900123"},
			{"/account/authenticator"},
			{"/account/recovery-codes"},
			{"/account/two-step", "on", "1"},
			{"/account/password", "current", password, "new", otherPassword},
			{"/account/sessions/end-others"},
			{"/account/delete", "email", ada},
		} {
			b.post(form[0], form[1:]...).want(t, http.StatusForbidden, "Confirm that it is you").lacks(t, password, otherPassword)
		}
		if n := s.letters("ada@elsewhere.example"); n != 0 {
			t.Error("a code was sent before")
		}
		before := b.cookie(cookieOf(s.sessions.Site().Backend))
		b.post("/confirm", "password", otherPassword, "next", "/account/ways").want(t, http.StatusUnprocessableEntity, "That is not your password.")
		b.post("/account/email", "email", "ada@elsewhere.example").want(t, http.StatusForbidden)
		kept := b.post("/confirm", "password", password, "kept-action", "/account/email", "kept-email", "ada@elsewhere.example").want(t, http.StatusOK, "/account/email", "ada@elsewhere.example")
		kept.lacks(t, password)
		if b.cookie(cookieOf(s.sessions.Site().Backend)) == before {
			t.Error("the session kept its id")
		}
		b.post("/account/email", "email", "ada@elsewhere.example").want(t, http.StatusSeeOther)
		s.clock.move(10 * time.Minute)
		b.post("/account/two-step", "on", "0").want(t, http.StatusSeeOther)
		s.clock.move(time.Second)
		b.post("/account/two-step", "on", "0").want(t, http.StatusForbidden)
		if got := b.get("/account/authenticator?flow=x").want(t, http.StatusSeeOther); got.location != "/confirm?next=%2Faccount%2Fauthenticator%3Fflow%3Dx" {
			t.Errorf("a page leads to %s", got.location)
		}
	})
}

func TestEmail_changesWhenTheNewOneHasShownItself(t *testing.T) {
	t.Attr("asvs", "6.3.7")
	eachBackend(t, func(t *testing.T, s *site) {
		const elsewhere = "ada@elsewhere.example"
		b := s.as(ada)
		b.post("/account/email", "email", ada).want(t, http.StatusUnprocessableEntity, "This is the address you have now.")
		flow := b.flow(b.post("/account/email", "email", elsewhere))
		thief := s.as(bea)
		thief.post("/code", "flow", flow, "code", s.code(elsewhere)).want(t, http.StatusBadRequest)
		b.get("/account").want(t, http.StatusOK, ada)
		b.post("/code", "flow", flow, "code", s.code(elsewhere)).want(t, http.StatusSeeOther)
		b.get("/account").want(t, http.StatusOK, elsewhere)
		if got := s.letter(ada); got.Subject != "Your address was changed" {
			t.Errorf("the old address was told %q", got.Subject)
		}
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusUnprocessableEntity)
		s.browser().post("/signin", "email", elsewhere, "password", password).want(t, http.StatusSeeOther)

		flow = b.flow(b.post("/account/email", "email", bea))
		b.post("/code", "flow", flow, "code", s.code(bea)).want(t, http.StatusConflict, "belongs to another account")
	})
}

// TestPhone_takesCodes: as the second step, and as the first where there is no second.
func TestPhone_takesCodes(t *testing.T) {
	eachBackend(t, func(t *testing.T, s *site) {
		const number = "+447700900123"
		b := s.as(ada)
		b.post("/account/phone", "phone", "0770").want(t, http.StatusUnprocessableEntity, "begins with a plus sign")
		flow := b.flow(b.post("/account/phone", "phone", "+44 7700 900123"))
		if !strings.HasSuffix(s.letter(number).Body, "@"+s.address().Hostname()+" #"+s.code(number)) {
			t.Errorf("the message is %q", s.letter(number).Body)
		}
		b.post("/code", "flow", flow, "code", s.code(number)).want(t, http.StatusSeeOther)
		b.get("/account/ways").want(t, http.StatusOK, number)

		stranger := s.browser()
		asked := stranger.post("/signin/code", "email", ada, "by", "text").want(t, http.StatusSeeOther)
		stranger.get(asked.location).want(t, http.StatusOK).lacks(t, "123</b>", number)
		stranger.post("/code", "flow", stranger.flow(asked), "code", s.code(number)).want(t, http.StatusSeeOther)
		stranger.get("/account").want(t, http.StatusOK, "with a code by text message")

		b.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
		n := s.letters(number)
		again := s.browser()
		again.post("/signin/code", "email", ada, "by", "text").want(t, http.StatusSeeOther)
		if s.letters(number) != n {
			t.Error("the second step is sent as the first")
		}
		second := again.flow(again.post("/signin", "email", ada, "password", password))
		code := again.flow(again.post("/signin/second/text", "flow", second))
		again.post("/code", "flow", code, "code", s.code(number)).want(t, http.StatusSeeOther)
		again.get("/account").want(t, http.StatusOK, "with a password and with a code by text message")

		gone := b.post("/account/phone/remove").want(t, http.StatusSeeOther)
		b.get(gone.location).want(t, http.StatusOK, "Nothing else could be your second step, so that is off now")
		if got := s.letter(ada).Subject; got != "The second step was switched off" {
			t.Errorf("the last letter is %q", got)
		}
		s.browser().post("/signin", "email", ada, "password", password).want(t, http.StatusSeeOther)
		if last := s.as(ada); !last.signedIn() {
			t.Error("without a telephone there is still a second step")
		}
	})
}

func TestSignUp_tellsNobodyWhoHasAnAccount(t *testing.T) {
	t.Attr("asvs", "6.3.8")
	eachBackend(t, func(t *testing.T, s *site) {
		b, c := s.browser(), s.browser()
		const cleo = "cleo@school.example"
		there := b.post("/signup", "name", "Cleo Sand", "email", ada, "password", otherPassword).want(t, http.StatusSeeOther)
		fresh := c.post("/signup", "name", "Cleo Sand", "email", cleo, "password", otherPassword).want(t, http.StatusSeeOther)
		one, other := b.get(there.location).want(t, http.StatusOK), c.get(fresh.location).want(t, http.StatusOK)
		if flowInForm.ReplaceAllString(strings.ReplaceAll(one.main(), ada, ""), "") != flowInForm.ReplaceAllString(strings.ReplaceAll(other.main(), cleo, ""), "") {
			t.Error("an address with an account is answered in another way")
		}
		if got := s.letter(ada); got.Subject != "You already have an account" || sentCode.MatchString(got.Body) {
			t.Errorf("ada is told %q", got.Body)
		}
		if c.signedIn() {
			t.Error("somebody is signed in whose address has not shown itself")
		}
		c.post("/code", "flow", c.flow(fresh), "code", s.code(cleo)).want(t, http.StatusSeeOther)
		c.get("/account").want(t, http.StatusOK, "Cleo Sand", cleo)
		s.browser().post("/signin", "email", cleo, "password", otherPassword).want(t, http.StatusSeeOther)
	})
}

// TestFlow_cannotBeTakenForAnother: a flow that waits for one thing takes no other.
func TestFlow_cannotBeTakenForAnother(t *testing.T) {
	t.Attr("asvs", "2.3.1")
	s := newSite(t, "database")
	her := s.as(ada)
	her.setUp()
	b := s.browser()
	code := b.flow(b.post("/signin/forgotten", "email", bea))
	second := b.flow(b.post("/signin", "email", ada, "password", password))
	for _, wrong := range []struct{ path, flow string }{
		{"/signin/new-password", code}, {"/signin/new-password", second}, {"/signin/second", code}, {"/code", second},
		{"/signin/second/text", second}, {"/code/again", second}, {"/code", ""}, {"/code", strings.Repeat("A", 5000)},
	} {
		b.post(wrong.path, "flow", wrong.flow, "code", s.code(bea), "new", otherPassword).want(t, http.StatusBadRequest, "This is over")
		b.get(wrong.path + "?" + url.Values{"flow": {wrong.flow}}.Encode())
	}
	if b.signedIn() {
		t.Error("somebody got in")
	}
}

// TestCode_cannotBeReadByWhoeverAsks: the inbox of a demonstration shows what an account
// was sent only where somebody was signed in to it.
func TestCode_cannotBeReadByWhoeverAsks(t *testing.T) {
	s := newSite(t, "database")
	hers := s.as(ada)
	stranger := s.browser()
	stranger.post("/signin/code", "email", ada).want(t, http.StatusSeeOther)
	stranger.post("/signin/forgotten", "email", ada).want(t, http.StatusSeeOther)
	stranger.get("/demo/inbox").want(t, http.StatusOK).lacks(t, s.code(ada)[:4], "Your code to")
	hers.post("/signout").want(t, http.StatusSeeOther)
	hers.post("/signin/code", "email", ada).want(t, http.StatusSeeOther)
	hers.get("/demo/inbox").want(t, http.StatusOK, "Your code to sign in")
	fresh := s.browser()
	fresh.post("/signup", "name", "Cleo Sand", "email", "cleo@school.example", "password", otherPassword).want(t, http.StatusSeeOther)
	fresh.get("/demo/inbox").want(t, http.StatusOK, "Your code to open your account")
}

// TestForgotten_endsWithWhatItWasBegunFor: whoever has read an old mailbox cannot wait
// until its owner has done something about it.
func TestForgotten_endsWithWhatItWasBegunFor(t *testing.T) {
	for _, mended := range []struct {
		says string
		mend func(s *site, her *browser)
	}{
		{"another address", func(s *site, her *browser) {
			const elsewhere = "ada@elsewhere.example"
			her.post("/code", "flow", her.flow(her.post("/account/email", "email", elsewhere)), "code", s.code(elsewhere)).want(t, http.StatusSeeOther)
		}},
		{"a second step", func(_ *site, her *browser) { her.setUp() }},
		{"the end of all sessions", func(s *site, _ *browser) {
			s.clock.move(time.Second)
			_, err := s.db.EndSessions(t.Context(), fixedID("ada"), s.clock.Now())
			must(t, err)
		}},
	} {
		t.Run(mended.says, func(t *testing.T) {
			s := newSite(t, "jwt")
			her, thief := s.as(ada), s.browser()
			flow := thief.flow(thief.post("/signin/forgotten", "email", ada))
			waiting := thief.flow(thief.post("/code", "flow", flow, "code", s.code(ada)))
			mended.mend(s, her)
			thief.post("/signin/new-password", "flow", waiting, "new", otherPassword).want(t, http.StatusBadRequest, "This is over")
			s.browser().get("/signin/new-password?flow="+waiting).want(t, http.StatusBadRequest)
			if thief.signedIn() {
				t.Error("the thief is signed in")
			}
		})
	}
}

// TestSignUp_tellsNobodyWhoseAccountIsClosed, also where a code is sent once more.
func TestSignUp_tellsNobodyWhoseAccountIsClosed(t *testing.T) {
	s := newSite(t, "database")
	must(t, s.db.Disable(t.Context(), fixedID("bea"), s.clock.Now()))
	for _, email := range []string{bea, ada, "cleo@school.example"} {
		b := s.browser()
		flow := b.flow(b.post("/signup", "name", "Somebody", "email", email, "password", otherPassword))
		b.flow(b.post("/code/again", "flow", flow))
	}
	if got := s.letter(bea); got.Subject != "Your account is closed" || sentCode.MatchString(got.Body) {
		t.Errorf("bea is told %q", got.Body)
	}
}

// TestSecond_takesAlongWhatWaits: a form that was kept comes back after a text message.
func TestSecond_takesAlongWhatWaits(t *testing.T) {
	s := newSite(t, "database")
	const number = "+447700900123"
	her := s.as(ada)
	her.post("/code", "flow", her.flow(her.post("/account/phone", "phone", number)), "code", s.code(number)).want(t, http.StatusSeeOther)
	her.post("/account/two-step", "on", "1").want(t, http.StatusOK)
	b := s.browser()
	kept := []string{"kept-action", "/account/profile", "kept-name", "Ada, Countess"}
	second := b.post("/signin", append(kept, "email", ada, "password", password)...).want(t, http.StatusOK, "One more step", "Ada, Countess")
	flow := flowInForm.FindStringSubmatch(second.body)[1]
	page := b.post("/signin/second/text", append(kept, "flow", flow)...).want(t, http.StatusOK, "Ada, Countess")
	flow = flowInForm.FindStringSubmatch(page.body)[1]
	b.post("/code", append(kept, "flow", flow, "code", "0")...).want(t, http.StatusUnprocessableEntity, "Ada, Countess")
	b.post("/code", append(kept, "flow", flow, "code", s.code(number))...).want(t, http.StatusOK, "your text is here", "Ada, Countess")
}

// TestSecond_isNotStoppedByStrangers: whoever has somebody's telephone sent codes keeps
// its owner from nothing.
func TestSecond_isNotStoppedByStrangers(t *testing.T) {
	s := newSite(t, "database")
	const number = "+447700900123"
	her := s.as(ada)
	her.post("/code", "flow", her.flow(her.post("/account/phone", "phone", number)), "code", s.code(number)).want(t, http.StatusSeeOther)
	her.post("/account/two-step", "on", "1").want(t, http.StatusOK)
	stranger := s.as(bea)
	for stranger.post("/account/phone", "phone", number).status == http.StatusSeeOther {
	}
	b := s.browser()
	second := b.flow(b.post("/signin", "email", ada, "password", password))
	b.post("/signin/second/text", "flow", second).want(t, http.StatusSeeOther)
}

// TestCodes_oneAccountWritesToFewStrangers: whoever is signed in cannot have texts and
// mails sent to one stranger after the other.
func TestCodes_oneAccountWritesToFewStrangers(t *testing.T) {
	for path, fill := range map[string]func(i int) (field, value string){
		"/account/phone": func(i int) (string, string) { return "phone", fmt.Sprintf("+4477009001%02d", i) },
		"/account/email": func(i int) (string, string) { return "email", fmt.Sprintf("s%d@elsewhere.example", i) },
	} {
		s := newSite(t, session.Database)
		her := s.as(ada)
		sent := 0
		for i := range 30 {
			field, value := fill(i)
			got := her.post(path, field, value)
			if got.status == http.StatusSeeOther {
				sent++
			} else {
				got.want(t, http.StatusTooManyRequests)
			}
		}
		if sent == 0 || sent > 5 {
			t.Errorf("%s: %d strangers were written to, want 5 at most", path, sent)
		}
		s.as(bea).post(path, "phone", "+447700900199", "email", "other@elsewhere.example").want(t, http.StatusSeeOther)
	}
}

// TestAuthenticator_sentTwiceIsSetUp: whoever loads the page with their codes again is not
// told that nothing was changed.
func TestAuthenticator_sentTwiceIsSetUp(t *testing.T) {
	s := newSite(t, session.Database)
	b := s.as(ada)
	b.post("/account/authenticator/add", "flow", "none", "code", "123456").want(t, http.StatusBadRequest)
	begun := b.post("/account/authenticator")
	shown := b.get(begun.location)
	a := app{s, strings.ReplaceAll(secretShown.FindStringSubmatch(shown.body)[1], " ", "")}
	sent := []string{"flow", flowInForm.FindStringSubmatch(shown.body)[1], "code", a.shows(0)}
	b.post("/account/authenticator/add", sent...).want(t, http.StatusOK, "Your recovery codes")
	again := b.post("/account/authenticator/add", sent...).want(t, http.StatusSeeOther)
	b.get(again.location).want(t, http.StatusOK, "An authenticator app is set up", "shown once")
	s.clock.move(11 * time.Minute)
	s.enter(ada).post("/account/authenticator/add", sent...).want(t, http.StatusBadRequest)
}

// TestForgotten_saysWhatGoesOn: a new password does not reach a token, and nobody is told
// that it does.
func TestForgotten_saysWhatGoesOn(t *testing.T) {
	s := newSite(t, session.JWT)
	b := s.browser()
	const goesOn = "a JWT session goes on for 1 hour at most, or 30 days with “remember me”"
	b.get("/signin/forgotten").want(t, http.StatusOK, goesOn)
	flow := b.flow(b.post("/signin/forgotten", "email", ada))
	chosen := b.post("/code", "flow", flow, "code", s.code(ada)).want(t, http.StatusSeeOther)
	page := b.get(chosen.location).want(t, http.StatusOK, goesOn)
	done := b.post("/signin/new-password", "flow", flowInForm.FindStringSubmatch(page.body)[1], "new", otherPassword).want(t, http.StatusSeeOther)
	b.get(done.location).want(t, http.StatusOK, "Your new password is set")
	if letter := s.letter(ada).Body; !strings.Contains(letter, goesOn) {
		t.Errorf("the letter says %s", letter)
	}
}
