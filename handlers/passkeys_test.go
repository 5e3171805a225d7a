package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/session"
)

// named is the address of a site with a name, since passkeys are made for names.
const named = "http://localhost"

// theSite is that site as devices know it.
var theSite = virtualwebauthn.RelyingParty{ID: "localhost", Name: "Lectern", Origin: named}

// eachNamed runs a test once for every kind of session, on a site of its own that has a
// name.
func eachNamed(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	for _, backend := range tried() {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			test(t, startSite(t, backend, true, setting{base: named}))
		})
	}
}

// device is an authenticator with one passkey, which it makes sure of its owner for, and
// which counts.
type device struct {
	virtualwebauthn.Authenticator
	key virtualwebauthn.Credential
}

// newKey draws a pair of keys. The virtual device leaves the zeros at the front of a
// coordinate out, which is no public key, so it draws until there are none.
func newKey() virtualwebauthn.Credential {
	const whole = 77 // bytes of a public key on P-256 (RFC 9053 §7.1)
	for {
		if key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}

func newDevice(owner string) *device {
	d := &device{virtualwebauthn.NewAuthenticator(), newKey()}
	d.Options.UserHandle = []byte(fixedID(strings.TrimSuffix(owner, "@school.example")))
	d.key.Counter = 1
	return d
}

// asked fetches a question: what the device is asked, and the flow that waits.
func (b *browser) asked(path string, fields ...string) (options, flow string) {
	b.t.Helper()
	var q struct {
		Options json.RawMessage
		Flow    string
	}
	must(b.t, json.Unmarshal([]byte(b.post(path, fields...).want(b.t, http.StatusOK).body), &q))
	if q.Flow == "" {
		b.t.Fatalf("%s has no flow", path)
	}
	return string(q.Options), q.Flow
}

func (d *device) make(t testing.TB, options string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(options)
	must(t, err)
	return virtualwebauthn.CreateAttestationResponse(theSite, d.Authenticator, d.key, *asked)
}

// sign answers a question, and counts on.
func (d *device) sign(t testing.TB, options string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(options)
	must(t, err)
	d.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(theSite, d.Authenticator, d.key, *asked)
}

// addPasskey adds a device's passkey to the account of whoever is signed in.
func (b *browser) addPasskey(owner, name string) *device {
	b.t.Helper()
	d := newDevice(owner)
	options, flow := b.asked("/account/passkeys/options")
	b.post("/account/passkeys", "flow", flow, "passkey-answer", d.make(b.t, options), "name", name).want(b.t, http.StatusSeeOther)
	return d
}

// answers sends a device's answer to the question at path, and what else the form has.
func (b *browser) answers(d *device, path string, fields ...string) answer {
	b.t.Helper()
	options, flow := b.asked(path + "/options")
	return b.post(path, append(fields, "flow", flow, "passkey-answer", d.sign(b.t, options))...)
}

// passkeysOf are somebody's passkeys.
func (s *site) passkeysOf(name string) []school.Passkey {
	s.t.Helper()
	all, err := s.db.Passkeys(s.t.Context(), fixedID(name))
	must(s.t, err)
	return all
}

// logged is how many lines the audit log has of an action about a subject.
func (s *site) logged(action, subject, detail string) (n int) {
	s.t.Helper()
	page, err := s.db.Events(s.t.Context(), db.EventQuery{Action: action, Limit: 100})
	must(s.t, err)
	for _, e := range page.Events {
		if e.Subject == subject && e.Detail == detail {
			n++
		}
	}
	return n
}

// TestPasskey_signsInByItself: without an address, and without a second step, where its
// device makes sure of its owner (ASVS 6.3.3, 6.5.1, 6.7.2).
func TestPasskey_signsInByItself(t *testing.T) {
	t.Attr("asvs", "6.5.7")
	eachNamed(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		before := her.cookie(cookieOf(s.sessions.Site().Backend))
		key := her.addPasskey(ada, "Blue key")
		if her.cookie(cookieOf(s.sessions.Site().Backend)) == before {
			t.Error("the session kept its id")
		}
		if s.letter(ada).Subject != "A passkey was added" || s.logged(school.ActionPasskeyAdd, "Ada Byron", "Blue key") != 1 {
			t.Error("nobody is told of the passkey")
		}
		her.get("/account/ways").want(t, http.StatusOK, "Blue key", "which it cannot leave", "Switch the second step on")
		her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")

		b := s.browser()
		b.get("/signin").want(t, http.StatusOK, `autocomplete="username webauthn"`, `data-options="/signin/passkey/options"`, "passkey")
		options, flow := b.asked("/signin/passkey/options")
		if strings.Contains(options, "allowCredentials") {
			t.Errorf("somebody is asked for by name: %s", options)
		}
		signed := key.sign(t, options)
		fields := []string{"flow", flow, "passkey-answer", signed, "next", "/learning", "remember", "1"}

		thief := s.browser()
		_, thiefs := thief.asked("/signin/passkey/options")
		thief.post("/signin/passkey", fields...).want(t, http.StatusBadRequest, "This is over")
		thief.post("/signin/passkey", "flow", thiefs, "passkey-answer", signed).want(t, http.StatusUnprocessableEntity, "That passkey does not open an account.").lacks(t, signed)

		if got := b.post("/signin/passkey", fields...).want(t, http.StatusSeeOther); got.location != "/learning" {
			t.Errorf("a passkey leads to %s", got.location)
		}
		b.get("/account").want(t, http.StatusOK, ", with a passkey")
		b.get("/api/v1/session").want(t, http.StatusOK, `["hwk","user","mfa"]`)
		if s.logged(school.ActionSignIn, "Ada Byron", "with a passkey") != 1 {
			t.Error("the log does not say how she came in")
		}

		b.post("/signin/passkey", fields...).want(t, http.StatusBadRequest, "This is over")
		_, again := b.asked("/signin/passkey/options")
		b.post("/signin/passkey", "flow", again, "passkey-answer", signed).want(t, http.StatusUnprocessableEntity)
		b.post("/signin/passkey", "flow", again, "passkey-answer", signed).want(t, http.StatusBadRequest, "This is over")

		late := s.browser()
		options, flow = late.asked("/signin/passkey/options")
		s.clock.move(5 * time.Minute)
		late.post("/signin/passkey", "flow", flow, "passkey-answer", key.sign(t, options)).want(t, http.StatusConflict, "more than five minutes ago")

		unsure := *key
		unsure.Options.UserNotVerified = true
		late.answers(&unsure, "/signin/passkey").want(t, http.StatusUnprocessableEntity)
		if late.signedIn() || thief.signedIn() {
			t.Error("somebody got in all the same")
		}
	})
}

// TestPasskey_takesTheFormOfTheDoorAlong: also the kind of session, and a form that
// waits to be sent again.
func TestPasskey_takesTheFormOfTheDoorAlong(t *testing.T) {
	eachNamed(t, func(t *testing.T, s *site) {
		key := s.as(ada).addPasskey(ada, "Blue key")
		b := s.browser()
		kept := b.answers(key, "/signin/passkey", "backend", session.JWT, "password", "filled in", "kept-action", "/account/profile", "kept-name", "Ada Lovelace")
		kept.want(t, http.StatusOK, "Ada Lovelace", "/account/profile").lacks(t, "filled in")
		if b.kind() != session.JWT {
			t.Errorf("the session is %s", b.kind())
		}
		refused := s.browser()
		_, flow := refused.asked("/signin/passkey/options")
		refused.post("/signin/passkey", "flow", flow, "passkey-answer", "{}", "email", ada, "next", "/learning", "kept-action", "/account/profile", "kept-name", "Ada Lovelace").
			want(t, http.StatusUnprocessableEntity, `value="`+ada+`"`, `name="next" value="/learning"`, `name="kept-name" value="Ada Lovelace"`)
	})
}

// TestPasskey_isASecondStep: after a password it counts as one, also where its device
// does not make sure of its owner (ASVS 6.3.3).
func TestPasskey_isASecondStep(t *testing.T) {
	t.Attr("asvs", "6.5.7")
	eachNamed(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		key := her.addPasskey(ada, "Blue key")
		beas := s.as(bea).addPasskey(bea, "Hers")
		her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")

		first := func() (*browser, string) {
			b := s.browser()
			a := b.post("/signin", "email", ada, "password", password, "next", "/learning")
			if b.signedIn() {
				t.Fatal("the password alone signs in")
			}
			b.get(a.location).want(t, http.StatusOK, "Use a passkey", `data-options="/signin/second/passkey/options"`)
			return b, b.flow(a)
		}
		b, second := first()
		options, flow := b.asked("/signin/second/passkey/options", "flow", second)
		key.Options.UserNotVerified = true
		signed := key.sign(t, options)
		s.browser().post("/signin/second/passkey/options", "flow", second).want(t, http.StatusBadRequest)
		s.browser().post("/signin/second/passkey", "flow", flow, "passkey-answer", signed).want(t, http.StatusBadRequest)
		b.post("/signin/second/passkey", "flow", second, "passkey-answer", signed).want(t, http.StatusBadRequest)
		if got := b.post("/signin/second/passkey", "flow", flow, "passkey-answer", signed).want(t, http.StatusSeeOther); got.location != "/learning" {
			t.Errorf("the second step leads to %s", got.location)
		}
		b.get("/account").want(t, http.StatusOK, "with a password and with a passkey")
		b.get("/api/v1/session").want(t, http.StatusOK, `["pwd","hwk","user","mfa"]`)
		b.post("/signin/second/passkey", "flow", flow, "passkey-answer", signed).want(t, http.StatusBadRequest)
		b.post("/signin/second/passkey/options", "flow", second).want(t, http.StatusBadRequest, "This is over")

		guess, guessed := first()
		for left := 4; left >= 0; left-- {
			options, flow := guess.asked("/signin/second/passkey/options", "flow", guessed)
			sentence := "That passkey is not good here."
			if left == 0 {
				sentence = "Begin with the first step again"
			}
			guess.post("/signin/second/passkey", "flow", flow, "passkey-answer", beas.sign(t, options)).want(t, http.StatusUnprocessableEntity, sentence)
		}
		options, flow = guess.asked("/signin/second/passkey/options", "flow", guessed)
		guess.post("/signin/second/passkey", "flow", flow, "passkey-answer", key.sign(t, options)).want(t, http.StatusBadRequest, "This is over")
		if guess.signedIn() {
			t.Error("a sixth answer is taken")
		}
	})
}

// TestPasskey_confirms: whoever is signed in proves once more who they are (ASVS 7.5.1).
func TestPasskey_confirms(t *testing.T) {
	t.Attr("asvs", "6.5.7")
	eachNamed(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		key := her.addPasskey(ada, "Blue key")
		beas := s.as(bea).addPasskey(bea, "Hers")
		her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
		s.clock.move(10*time.Minute + time.Second)
		her.post("/account/passkeys/options").want(t, http.StatusForbidden, "Confirm that it is you")
		her.send(http.MethodPost, "/account/passkeys/options", "", "Accept", "application/json").want(t, http.StatusForbidden, "Load the page again, and confirm it there.")
		her.get("/account/ways").want(t, http.StatusOK, "Confirm that it is you").lacks(t, `data-passkey="create"`)
		her.get("/confirm").want(t, http.StatusOK, "Confirm with a passkey", `data-options="/confirm/passkey/options"`)

		her.answers(beas, "/confirm/passkey").want(t, http.StatusUnprocessableEntity, "That passkey is not good here.")
		unsure := *key
		unsure.Options.UserNotVerified = true
		her.answers(&unsure, "/confirm/passkey").want(t, http.StatusUnprocessableEntity, "did not make sure that it is you")
		key.key.Counter = unsure.key.Counter
		her.post("/account/two-step", "on", "0").want(t, http.StatusForbidden)

		before := her.cookie(cookieOf(s.sessions.Site().Backend))
		her.answers(key, "/confirm/passkey", "next", "/account/ways", "kept-action", "/account/two-step", "kept-on", "0").want(t, http.StatusOK, "/account/two-step")
		if her.cookie(cookieOf(s.sessions.Site().Backend)) == before {
			t.Error("the session kept its id")
		}
		her.get("/account").want(t, http.StatusOK, ", with a passkey")
		her.post("/account/two-step", "on", "0").want(t, http.StatusSeeOther)
		if s.logged(school.ActionConfirm, "Ada Byron", "with a passkey") != 1 {
			t.Error("the log does not say how she confirmed")
		}
	})
}

// TestPasskey_questionIsForOneThing: the answer to a question that was asked for
// something else, or of somebody else, is refused, and the question is gone (ASVS 2.3.1).
func TestPasskey_questionIsForOneThing(t *testing.T) {
	eachNamed(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		key := her.addPasskey(ada, "Blue key")
		her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
		second := her.flow(her.post("/signin", "email", ada, "password", password))
		paths := []string{"/signin/passkey", "/signin/second/passkey", "/confirm/passkey", "/account/passkeys"}
		for _, asked := range paths {
			for _, path := range paths {
				if path == asked {
					continue
				}
				options, flow := her.asked(asked+"/options", "flow", second)
				said := ""
				if asked == "/account/passkeys" {
					said = newDevice(ada).make(t, options)
				} else {
					said = key.sign(t, options)
				}
				her.post(path, "flow", flow, "passkey-answer", said, "name", "Another").want(t, http.StatusBadRequest, "This is over")
				her.post(asked, "flow", flow, "passkey-answer", said, "name", "Another").want(t, http.StatusBadRequest, "This is over")
			}
			her.post(asked, "flow", second, "passkey-answer", "{}").want(t, http.StatusBadRequest, "This is over")
		}
		if n := len(s.passkeysOf("ada")); n != 1 {
			t.Errorf("she has %d passkeys", n)
		}

		// In one browser somebody else signs in between question and answer.
		making, addFlow := her.asked("/account/passkeys/options")
		confirming, confirmFlow := her.asked("/confirm/passkey/options")
		her.post("/signin", "email", bea, "password", password).want(t, http.StatusSeeOther)
		her.post("/account/passkeys", "flow", addFlow, "passkey-answer", newDevice(ada).make(t, making), "name", "Another").want(t, http.StatusBadRequest)
		her.post("/confirm/passkey", "flow", confirmFlow, "passkey-answer", key.sign(t, confirming)).want(t, http.StatusBadRequest)
		if len(s.passkeysOf("ada")) != 1 || len(s.passkeysOf("bea")) != 0 {
			t.Error("somebody has a passkey of somebody else")
		}
	})
}

// TestPasskey_isChangedByItsOwner: renamed and removed, with what that means for the
// second step, and by nobody else.
func TestPasskey_isChangedByItsOwner(t *testing.T) {
	eachNamed(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		key := her.addPasskey(ada, "Old key")
		s.clock.move(time.Second)
		other := her.addPasskey(ada, "Telephone")
		id, otherID := string(s.passkeysOf("ada")[0].ID), string(s.passkeysOf("ada")[1].ID)
		thief := s.as(bea)
		thief.post("/account/passkeys/"+id+"/rename", "name", "Mine").want(t, http.StatusNotFound)
		thief.post("/account/passkeys/"+id+"/remove").want(t, http.StatusNotFound)
		her.post("/account/passkeys/"+id+"/rename", "name", " ").want(t, http.StatusUnprocessableEntity, "A name for the passkey")
		if all := s.passkeysOf("ada"); len(all) != 2 || all[0].Name != "Old key" {
			t.Fatalf("she has %+v", all)
		}
		if got := her.post("/account/passkeys/"+id+"/rename", "name", "Green key").want(t, http.StatusSeeOther); got.location != "/account/ways?said=passkey-renamed" {
			t.Errorf("renaming leads to %s", got.location)
		}
		her.get("/account/ways?said=passkey-renamed").want(t, http.StatusOK, "Green key", "The passkey has its new name.").lacks(t, "Old key")

		her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
		waiting := s.browser()
		options, flow := waiting.asked("/signin/passkey/options")
		her.post("/account/passkeys/"+id+"/remove").want(t, http.StatusSeeOther)
		waiting.post("/signin/passkey", "flow", flow, "passkey-answer", key.sign(t, options)).want(t, http.StatusUnprocessableEntity)
		if s.letter(ada).Subject != "A passkey was removed" || s.logged(school.ActionPasskeyRemove, "Ada Byron", "Green key") != 1 {
			t.Error("nobody is told that the passkey was removed")
		}
		s.browser().answers(other, "/signin/passkey").want(t, http.StatusSeeOther)
		her.get("/account/ways").want(t, http.StatusOK, "It is on.", "so it is switched off")
		her.post("/account/passkeys/"+otherID+"/remove").want(t, http.StatusSeeOther)
		s.as(ada).get("/account/ways").want(t, http.StatusOK).lacks(t, "It is on.")
		her.post("/account/passkeys/"+otherID+"/remove").want(t, http.StatusNotFound)
	})
}

// TestPasskey_ofAClosedAccountOpensNothing, at the door and at the second step.
func TestPasskey_ofAClosedAccountOpensNothing(t *testing.T) {
	eachNamed(t, func(t *testing.T, s *site) {
		her := s.as(ada)
		key := her.addPasskey(ada, "Blue key")
		her.post("/account/two-step", "on", "1").want(t, http.StatusOK, "Your recovery codes")
		b := s.browser()
		second := b.flow(b.post("/signin", "email", ada, "password", password))
		options, flow := b.asked("/signin/second/passkey/options", "flow", second)
		must(t, s.db.Disable(t.Context(), fixedID("ada"), s.clock.Now()))
		b.post("/signin/second/passkey", "flow", flow, "passkey-answer", key.sign(t, options)).want(t, http.StatusBadRequest)
		b.answers(key, "/signin/passkey").want(t, http.StatusUnprocessableEntity, "That passkey does not open an account.")
		if b.signedIn() {
			t.Error("a closed account is open")
		}
	})
}

// TestPasskey_thatMayBeCopiedIsRefused, and so is the other one; its owner hears of it
// once.
func TestPasskey_thatMayBeCopiedIsRefused(t *testing.T) {
	eachNamed(t, func(t *testing.T, s *site) {
		key := s.as(ada).addPasskey(ada, "Blue key")
		twin := *key
		s.browser().answers(key, "/signin/passkey").want(t, http.StatusSeeOther)
		before := s.letters(ada)
		thief := s.browser()
		thief.answers(&twin, "/signin/passkey").want(t, http.StatusUnprocessableEntity, "That passkey does not open an account.")
		if thief.signedIn() {
			t.Error("a copy opens the account")
		}
		if s.letter(ada).Subject != "A passkey was refused" || s.letters(ada) != before+1 {
			t.Error("the owner does not hear of it")
		}
		thief.answers(key, "/signin/passkey").want(t, http.StatusUnprocessableEntity)
		if n := s.letters(ada); n != before+1 {
			t.Errorf("the owner hears of it %d times", n-before)
		}
		if n := s.logged(school.ActionPasskeyWarn, "Ada Byron", "Blue key"); n != 2 {
			t.Errorf("it stands %d times in the log", n)
		}
		her := s.as(ada)
		her.get("/account/ways").want(t, http.StatusOK, "It opens nothing any more.", "Remove it now").lacks(t, "Switch the second step on")
		her.post("/account/passkeys/"+string(s.passkeysOf("ada")[0].ID)+"/remove").want(t, http.StatusSeeOther)
		if n := len(s.passkeysOf("ada")); n != 0 {
			t.Errorf("she has %d passkeys", n)
		}
	})
}

// TestPasskey_theLastWayStays where no mail is carried, and one that opens nothing is
// none.
func TestPasskey_theLastWayStays(t *testing.T) {
	s := startSite(t, session.Database, true, setting{base: named, mute: true})
	her := s.as(ada)
	key := her.addPasskey(ada, "Blue key")
	twin := *key
	id := string(s.passkeysOf("ada")[0].ID)
	must(t, s.db.UpdatePassword(t.Context(), fixedID("ada"), ""))
	her.post("/account/passkeys/"+id+"/remove").want(t, http.StatusConflict, "This is the last way into your account")
	if n := len(s.passkeysOf("ada")); n != 1 {
		t.Fatalf("she has %d passkeys", n)
	}
	s.browser().answers(key, "/signin/passkey").want(t, http.StatusSeeOther)
	s.browser().answers(&twin, "/signin/passkey").want(t, http.StatusUnprocessableEntity)
	her.post("/account/passkeys/"+id+"/remove").want(t, http.StatusSeeOther)
}

// TestPasskey_withoutANameIsNotKept, and what the device said stands on no page.
func TestPasskey_withoutANameIsNotKept(t *testing.T) {
	s := startSite(t, session.Database, true, setting{base: named})
	her, d := s.as(ada), newDevice(ada)
	options, flow := her.asked("/account/passkeys/options")
	said := d.make(t, options)
	her.post("/account/passkeys", "flow", flow, "passkey-answer", said, "name", strings.Repeat("x", 61)).
		want(t, http.StatusUnprocessableEntity, strings.Repeat("x", 61), `aria-invalid="true"`).lacks(t, said)
	options, flow = her.asked("/account/passkeys/options")
	her.post("/account/passkeys", "flow", flow, "passkey-answer", strings.Repeat("no answer", 10), "name", "Blue key").
		want(t, http.StatusUnprocessableEntity, "so none was kept").lacks(t, "no answer")
	if n := len(s.passkeysOf("ada")); n != 0 {
		t.Errorf("she has %d passkeys", n)
	}
	if strings.Contains(s.log.String(), flow) || strings.Contains(s.log.String(), options) {
		t.Error("a question stands in the log")
	}
}

// TestPasskey_isNotForDemoAccounts: policy says so, and the page.
func TestPasskey_isNotForDemoAccounts(t *testing.T) {
	s := startSite(t, session.Database, true, setting{base: named})
	her := s.as(ada)
	_, err := s.db.Writer().ExecContext(t.Context(), `UPDATE users SET demo = 1 WHERE id = $1`, fixedID("ada"))
	must(t, err)
	for _, path := range []string{"", "/options", "/some/rename", "/some/remove"} {
		her.post("/account/passkeys"+path, "name", "Blue key").want(t, http.StatusForbidden, "demo accounts have their password and nothing more")
	}
	her.get("/account/ways").want(t, http.StatusOK, "A demo account has its password and nothing more").lacks(t, "data-passkey")
}

// TestPasskey_questionsAreLimited: an address that asks without end has to wait, and a
// program is told for how long.
func TestPasskey_questionsAreLimited(t *testing.T) {
	s := startSite(t, session.Database, true, setting{base: named})
	her := s.as(ada)
	her.addPasskey(ada, "Blue key")
	second := her.flow(func() answer {
		her.post("/account/two-step", "on", "1")
		return her.post("/signin", "email", ada, "password", password)
	}())
	for range 100 {
		if her.post("/signin/passkey/options").status != http.StatusOK {
			break
		}
	}
	for _, path := range []string{"/signin/passkey", "/signin/second/passkey", "/confirm/passkey", "/account/passkeys"} {
		got := her.post(path+"/options", "flow", second).want(t, http.StatusTooManyRequests)
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s does not say for how long", path)
		}
	}
}

// TestPasskey_whereThereCanBeNoneThePagesSayWhy: a site that is reached by a number.
func TestPasskey_whereThereCanBeNoneThePagesSayWhy(t *testing.T) {
	s := newSite(t, session.Database)
	her := s.as(ada)
	for _, page := range []string{s.browser().get("/signin").body, her.get("/account/ways").body} {
		if !strings.Contains(page, "this site is reached by a number") || strings.Contains(page, "data-passkey=") {
			t.Errorf("the page does not say why:\n%s", page)
		}
	}
	her.post("/account/passkeys/options").want(t, http.StatusConflict, "There is no passkey to ask.")
}
